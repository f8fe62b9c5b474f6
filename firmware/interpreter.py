"""MicroPython itself, in the two app partitions that the ESP-IDF's boot loader chooses between.
The last sector of each is a trailer as a program's slot has it; none where a cable brought it.

What an update brought is started once (`set_boot`), and counts when the station's own test was
passed. At any reset before that the boot loader goes back: stock builds have
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. One built without it starts the new one again, and it is
here that it goes back then, as far as the new one comes here at all. What hangs before
`boot.py`, where no watchdog runs yet, waits for somebody to take the power away.

Stands in the vfs, loaded for a moment; not with one app partition alone.
"""

import sys

from esp32 import Partition
from micropython import const
from slots import BAD, GOOD, STARTED, TRIED, Slot

_CHIP_AT = const(12)  # of an image's header, two bytes
_NO_ROLLBACK = const(-261)  # what the boot loader was built without


def pair():
    """(what runs, what does not) as slots; empty where there is one app partition only."""
    try:
        running = Partition(Partition.RUNNING)  # type: ignore
        other = running.get_next_update()
    except OSError:
        return ()
    if other.info()[2] == running.info()[2]:
        return ()
    return Slot(running, "running"), Slot(other, "other")


def begin():
    """At each start, before there is a program: the slot of what runs, if it has to prove itself.

    Does not return when it has done so in vain before.
    """
    found = pair()
    if not found:
        return None
    running, other = found
    if other.has(TRIED) and not other.has(GOOD) and not other.has(BAD):
        other.mark(BAD)
    if not running.usable or running.has(GOOD) or running.version != version():
        return None
    if running.has(STARTED):
        try:
            other.flash.set_boot()
        except OSError:  # there is nothing to go back to
            return running
        import machine

        machine.reset()
    running.mark(TRIED)
    running.mark(STARTED)
    return running


def version():
    return "%d.%d.%d" % sys.implementation.version[:3]


def mpy():
    """Which `.mpy` files it loads, as «6.3»: version and sub-version."""
    number = sys.implementation._mpy  # type: ignore
    return "%d.%d" % (number & 0xFF, number >> 8 & 3)


def target():
    """Where an update goes: (its slot, the least sequence, the chip's number), or None."""
    found = pair()
    if not found:
        return None
    running, other = found
    chip = bytearray(2)
    running.flash.readblocks(0, chip, _CHIP_AT)
    return other, running.sequence + 1, int.from_bytes(chip, "little")


def unfit(manifest, chip):
    """(reason, detail) why that MicroPython is none for here, or None."""
    numbers = [int(number) for number in manifest["version"].split(".")]
    if manifest["chip"] != chip:
        return "wrong_chip", "this one is number %d" % chip
    if numbers < list(sys.implementation.version[:3]):
        return "downgrade", "%s runs here" % version()
    if manifest["mpy"] != mpy():
        return "other_mpy", "the program here is " + mpy()
    return None


def passed(slot):
    """It works: nothing goes back from it any more."""
    try:
        Partition.mark_app_valid_cancel_rollback()
    except OSError as error:
        if error.args[0] != _NO_ROLLBACK:
            raise
    slot.mark(GOOD)
