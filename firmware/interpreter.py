"""MicroPython itself, in the two app partitions that the ESP-IDF's boot loader chooses between.
The last sector of each is a trailer as a program's slot has it; none where a cable brought it.
The ESP-IDF ends a program that writes to the partition it runs from. So the marks of what runs are
one blob in NVS, «py»: the trailer's sequence and its state bytes. The next start of the other one
brings them into that trailer.

What an update brought is started once (`set_boot`), and counts when the station's own test was
passed. At any reset before that the boot loader goes back: stock builds have
CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. One built without it starts the new one again, and it is
here that it goes back then, as far as the new one comes here at all. What hangs before
`boot.py`, where no watchdog runs yet, waits for somebody to take the power away.

Where NVS cannot be written nothing is tried: what runs goes on, and if it is new, the boot loader
goes back at the next reset. An NVS that was erased means that it proves itself once more, and is
told of again. What has nothing to go back to has nothing to prove.

Stands in the vfs, loaded for a moment; not with one app partition alone.
"""

import sys

from esp32 import NVS, Partition
from micropython import const
from slots import BAD, GOOD, STARTED, TRIED, Slot, build, lost, psram

_CHIP_AT = const(12)  # of an image's header, two bytes
_NO_ROLLBACK = const(-261)  # what the boot loader was built without
_NVS = const("diadema")
_KEY = const("py")
_SEQUENCE = const(4)  # bytes
_BLOB = const(20)  # with the states


class _Running(Slot):
    """With the marks that NVS has, where all go; one that was not kept does not count."""

    def look(self):
        Slot.look(self)
        for state, stored in enumerate(_stored(self)):
            self._state[state] &= stored

    def mark(self, state):
        states = self._state[:]
        states[TRIED] = states[state] = 0
        try:
            nvs = NVS(_NVS)
            nvs.set_blob(_KEY, self.sequence.to_bytes(_SEQUENCE, "little") + states)
            nvs.commit()
            self._state = states
        except OSError as error:
            sys.print_exception(error)


def pair():
    """(what runs, what does not) as slots; empty where there is one app partition only."""
    try:
        running = Partition(Partition.RUNNING)  # type: ignore
        other = running.get_next_update()
    except OSError:
        return ()
    if other.info()[2] == running.info()[2]:
        return ()
    return _Running(running, "running"), Slot(other, "other")


def _stored(slot):
    """The state bytes of it that NVS has, if any."""
    stored = bytearray(_BLOB)
    try:
        NVS(_NVS).get_blob(_KEY, stored)
    except OSError:
        return b""
    same = stored[:_SEQUENCE] == slot.sequence.to_bytes(_SEQUENCE, "little")
    return stored[_SEQUENCE:] if slot.whole and same else b""


def _settle(slot):
    """Its trailer gets what NVS has of it, now that another one runs, and NVS forgets."""
    for state, mark in enumerate(_stored(slot)):
        if mark == 0 and not slot.has(state):
            slot.mark(state)
    try:
        nvs = NVS(_NVS)
        nvs.erase_key(_KEY)  # or the same update, brought once more, would have started already
        nvs.commit()
    except OSError:  # nothing there, as a rule
        pass


def begin(by_power=False):
    """At each start, before there is a program: the slot of what runs, if it has to prove itself.

    Does not return when it has done so in vain before.
    """
    found = pair()
    if not found:
        return None
    running, other = found
    if not _stored(running):
        _settle(other)
    newer = other.sequence > running.sequence  # or it is what a lost NVS does not know any more
    if newer and other.has(TRIED) and not other.has(GOOD) and not other.has(BAD):
        other.mark(BAD)
    if not running.usable or running.has(GOOD) or running.version != version():
        _confirm()  # one that was gone back to is new to the boot loader
        return None
    if running.has(STARTED) and not (by_power and lost(running)):
        if not other.has(BAD):
            other.flash.set_boot()  # OSError: it is not whole
            import machine

            machine.reset()
        return None
    running.mark(STARTED)
    return running if running.has(STARTED) else None


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
    if manifest.get("psram", "none") == "none":
        return "other_build", "it has no driver for PSRAM"
    if psram() and manifest.get("build") != build():  # what runs drives the one that is here
        return "other_build", "%s runs here" % build()
    return None


def passed(slot):
    """It works: nothing goes back from it any more."""
    _confirm()
    slot.mark(GOOD)


def _confirm():
    try:
        Partition.mark_app_valid_cancel_rollback()
    except OSError as error:
        if error.args[0] != _NO_ROLLBACK:
            raise
