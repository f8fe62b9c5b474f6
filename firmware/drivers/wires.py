"""The board's wires and buses, as its table has them."""

import time

import board
import machine
from micropython import const

_TRIES = const(5)  # a chip may answer some milliseconds after the power came
_BETWEEN_MS = const(20)


def make_bus(name, gpios):
    """One of the board's buses, with its wires and options."""
    kind, number, wires, options = board.BUSES[name]
    pins = {keyword: machine.Pin(gpios[wire]) for keyword, wire in wires.items()}
    return getattr(machine, kind)(number, **dict(pins, **options))


def choose_wires(log):
    """The GPIO of each wire. Boards of one name that differ in them are told apart by where the
    chip of PROBE answers; nobody answers: the first.
    """
    variants, probe = getattr(board, "VARIANTS", None), getattr(board, "PROBE", None)
    if not variants or not probe:
        return board.PINS
    bus, address = probe
    for _ in range(_TRIES):
        for number, others in enumerate(variants):
            gpios = dict(board.PINS, **others)
            try:
                make_bus(bus, gpios).writeto(address, b"")
            except OSError:
                continue
            log("{}: variant {}, {} answers there".format(board.NAME, number, bus))
            return gpios
        time.sleep_ms(_BETWEEN_MS)
    log("{}: variant 0, {} answers nowhere".format(board.NAME, bus))
    return dict(board.PINS, **variants[0])
