"""The program's start: opens the journal, takes the board's table of parts, and hands over to
`lib.app`. `main.py` runs it, from the slot that `boot.py` chose.

Touches hardware only when run. A part that is missing or dead is a fault, not the end.
"""

# isort: off
import packed  # noqa: F401 - finds all that follows

# isort: on
import asyncio
from binascii import hexlify
from time import sleep_ms

import board
import machine
import slots
from drivers.usb_serial import UsbSerial
from drivers.wires import choose_wires, make_bus
from esp32 import Partition
from lib import memory, prove
from lib.app import App
from lib.canvas import prepare
from lib.config_store import ConfigStore
from lib.errors import JournalError, StationError
from lib.journal import Journal
from lib.parts import Parts
from lib.ramflash import RamFlash
from lib.timekeeping import Clock

_CAUSES = {
    machine.PWRON_RESET: "power_on",
    machine.HARD_RESET: "hard",
    machine.WDT_RESET: "watchdog",
    machine.DEEPSLEEP_RESET: "deep_sleep",
    machine.SOFT_RESET: "soft",
}
# two keys held for so long at power-on
_ORDERS = (((1, 6), "format_journal"), ((2, 5), "factory_reset"))
_HOLD_MS = 10_000
_LOOK_MS = 100
_SETTLE_MS = 20  # a pull-up and a long wire


def open_journal():
    """The journal on its partition, or in memory with the fault that says so."""
    code = "no_partition"
    for partition in Partition.find(Partition.TYPE_DATA, label="journal"):
        try:
            return Journal(partition), {}
        except JournalError as error:
            code = error.code
    return Journal(RamFlash()), {"journal": code}


def ordered(parts):
    """The order that two keys held since power-on give; None when they are let go before."""
    if not parts.has("keys"):
        return None
    try:
        down = parts.make("keys").down
    except (StationError, OSError):
        return None  # the app tells it
    sleep_ms(_SETTLE_MS)
    for keys, order in _ORDERS:
        left_ms = _HOLD_MS
        while all(down(key) for key in keys):
            if left_ms <= 0:
                return order
            sleep_ms(_LOOK_MS)
            left_ms -= _LOOK_MS
    return None


def main():
    prove.stage("begun")
    memory.begin()
    station = "DIA-" + hexlify(machine.unique_id()).decode()
    journal, faults = open_journal()
    serial = UsbSerial()
    gpios = choose_wires(serial.log)
    table = board.PARTS
    cause, text = _CAUSES.get(machine.reset_cause(), "power_on"), ""
    if slots.unsteady:
        table = {role: part for role, part in table.items() if role != "wifi"}
        cause = "power_unsteady"
    parts = Parts(table, gpios, lambda name: make_bus(name, gpios))
    parts.load()
    prepare()
    memory.collect()
    prove.stage("loaded")
    app = App(
        station,
        board.NAME,
        journal,
        lambda: ConfigStore(station),
        Clock(),
        serial,
        parts,
    )
    if slots.chosen:
        app.program = slots
        app.machine.firmware = slots.chosen.version
        ended, text = slots.last()
        if ended == "trial":  # that program did not pass its own test
            slots.ended, text = text, ""
        elif ended == "end":
            slots.ended = ended
        elif ended == "update":
            cause = ended
        elif ended == "crash":
            slots.ended = cause = ended
        elif cause == "watchdog":
            slots.ended = cause
    app.start(cause, faults, ordered(parts), text)
    memory.collect()
    prove.stage("started")
    asyncio.run(app.run())
