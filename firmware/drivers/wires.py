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
    """The GPIO of each wire; says at which of its addresses each of OTHERS answers."""
    gpios = _variant(log)
    for name, (_, bus, addresses) in getattr(board, "OTHERS", {}).items():
        found = [hex(at) for at in addresses if _answers(bus, gpios, at)]
        log("{}: {} answers {}".format(board.NAME, name, "at " + found[0] if found else "nowhere"))
    return gpios


def _answers(bus, gpios, address):
    try:
        make_bus(bus, gpios).writeto(address, b"")
    except OSError:
        return False
    return True


def _variant(log):
    """Boards of one name that differ in their wires are told apart by where the chip of PROBE
    answers; nobody answers: the first.
    """
    variants, probe = getattr(board, "VARIANTS", None), getattr(board, "PROBE", None)
    if not variants or not probe:
        return board.PINS
    bus, address = probe
    for _ in range(_TRIES):
        for number, others in enumerate(variants):
            gpios = dict(board.PINS, **others)
            if _answers(bus, gpios, address):
                log("{}: variant {}, {} answers there".format(board.NAME, number, bus))
                return gpios
        time.sleep_ms(_BETWEEN_MS)
    log("{}: variant 0, {} answers nowhere".format(board.NAME, bus))
    return dict(board.PINS, **variants[0])
