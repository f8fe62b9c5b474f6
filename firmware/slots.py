"""The two program slots: what their trailers say, which one runs, and why none does.

Needed before there is a program, so it stands in the vfs beside `boot.py`; a slot carries it too,
for the update. The trailer is the slot's last sector, as `diadema.image.slots` has it. But for the
erase that begins an update its bits are only ever cleared, a byte a decision, so that a cut leaves
the old decision or the new one.
"""

import struct
import sys
from binascii import crc32

from micropython import const

SECTOR = 4096
LABELS = ("slot_a", "slot_b")
# of the state bytes; told: the host knows how it went; started: MicroPython came to `boot.py`
WRITTEN, TRIED, GOOD, BAD, TOLD, STARTED = range(6)
_HEAD = const("<4sII32s24s16s")  # magic, sequence, length, SHA-256, board, version
_STATE = const(88)  # behind the head and its CRC
_STATES = const(16)
NOTE_AT = 128  # of the update that is under way, `update.py` has it
NOTE_BYTES = 44  # with its CRC
_BLOCK = const(256)  # of the program's file system
APP = "/app"
_NVS = const("diadema")
# starts in a row that did not come to work; those with the power may be somebody's hand
_BY_RESET, _BY_POWER, _TOO_MANY = 3, 1, 9
_CRASH_LETTERS = const(240)
_LAST_BYTES = const(966)  # those of four bytes, and «crash »
_BITES_MS = const(60_000)  # a whole journal may be formatted meanwhile

# how this boot went on; `begin` sets them
chosen = None  # the slot that runs; None: the program lies in the vfs
trial = False  # for the first time
fresh: "Slot | None" = None  # MicroPython runs for the first time: what its partition says of it
safe = None  # why no program runs: crashes, no_program

# for the program itself
ended: "str | None" = None  # what ended the start before, if not the power
before = ()  # parts that had a fault when this start began
intake = None  # the update that comes in


class Slot:
    """`flash` is the whole partition, of sectors."""

    def __init__(self, flash, label):
        self.flash = flash
        self.label = label
        self.last = flash.ioctl(4, 0) - 1  # the trailer's sector
        self.look()

    def look(self):
        head = bytearray(_STATE + _STATES)
        self.flash.readblocks(self.last, head, 0)
        self._state = head[_STATE:]
        magic, sequence, length, self.sha256, board, version = struct.unpack(
            _HEAD, head[: _STATE - 4]
        )
        check = int.from_bytes(head[_STATE - 4 : _STATE], "little")
        self.whole = magic == b"DSLT" and crc32(head[: _STATE - 4]) == check
        self.sequence = sequence if self.whole else 0
        self.length = length if self.whole else 0
        self.board = board.rstrip(b"\0").decode() if self.whole else ""
        self.version = version.rstrip(b"\0").decode() if self.whole else ""

    def has(self, state):
        """A byte that a cut left halfway does not count yet, and may be cleared again."""
        return self.whole and self._state[state] == 0

    def mark(self, state):
        self.flash.writeblocks(self.last, b"\0", _STATE + state)
        self._state[state] = 0

    @property
    def usable(self):
        return self.has(WRITTEN) and not self.has(BAD)

    @property
    def news(self):
        """An update that ended, and nobody was told how."""
        ended = self.has(GOOD) or self.has(BAD)
        return ended and self.has(TRIED) and not self.has(TOLD)

    def note(self):
        """Of the update that was under way here, without its CRC; None when that does not fit."""
        note = bytearray(NOTE_BYTES)
        self.flash.readblocks(self.last, note, NOTE_AT)
        check = int.from_bytes(note[-4:], "little")
        return note[:-4] if crc32(note[:-4]) == check else None

    def forget(self):
        """No program and no update any more, whatever a cut leaves of the sector's erase: what
        counts is cleared before. The note first, or an update would go on to a head that is torn.
        """
        if self.note():
            self.flash.writeblocks(self.last, bytes(NOTE_BYTES), NOTE_AT)
        if self.whole:
            self.flash.writeblocks(self.last, bytes(_STATE), 0)
        self.flash.ioctl(6, self.last)
        self.look()

    def seal(self, sequence, length, digest, board, version):
        """The head of a program that is all there; `written` makes it count."""
        head = struct.pack(_HEAD, b"DSLT", sequence, length, digest, board, version)
        self.flash.writeblocks(self.last, head + crc32(head).to_bytes(4, "little"), 0)
        self.mark(WRITTEN)
        self.look()


class Body:
    """A slot's file system as a block device that is only read."""

    def __init__(self, slot):
        self._flash = slot.flash
        # littlefs wants the number that its superblock has, SPEC.md «0x201 LFS_TYPE_INLINESTRUCT»
        head = bytearray(32)
        self._flash.readblocks(0, head, 0)
        self._blocks = min(int.from_bytes(head[28:], "little"), slot.last * SECTOR // _BLOCK)

    def readblocks(self, block, buf, offset=0):
        at = block * _BLOCK + offset
        self._flash.readblocks(at // SECTOR, buf, at % SECTOR)

    def writeblocks(self, block, buf, offset=0):
        raise OSError(30)  # EROFS

    def ioctl(self, command, argument=0):
        if command == 4:
            return self._blocks
        if command == 5:
            return _BLOCK
        return 0


def choose(slots):
    """(the slot to run or None, whether for the first time, the one now given up or None)."""
    given_up = None
    for slot in sorted(slots, key=lambda slot: -slot.sequence):
        if not slot.usable:
            continue
        if slot.has(GOOD):
            return slot, False, given_up
        if not slot.has(TRIED):
            slot.mark(TRIED)
            return slot, True, given_up
        slot.mark(BAD)  # it ran, and never said that it works
        given_up = slot
    return None, False, given_up


def find():
    """The slots of this chip's table."""
    from esp32 import Partition

    return [
        Slot(flash, label)
        for label in LABELS
        for flash in Partition.find(Partition.TYPE_DATA, label=label)
    ]


def begin():
    """Choose the program and make its files the first that are looked for."""
    global chosen, trial, fresh, safe
    slots = find()
    if not slots:
        return  # a developer's board: the program lies in the vfs
    fresh = of_interpreter("begin")
    while True:
        chosen, trial, given_up = choose(slots)
        if not chosen:
            safe = "no_program"
            return
        if _started(trial or fresh or given_up) and not (trial or fresh):
            safe = "crashes"
            return
        try:
            mount(chosen)
            return
        except OSError as error:
            if fresh:
                restart(error)  # that MicroPython cannot, and the one before could
            chosen.mark(BAD)


def of_interpreter(function, *arguments):
    """What a function of `interpreter` returns, which is not kept in memory; None without it."""
    try:
        import interpreter

        return getattr(interpreter, function)(*arguments)
    except (ImportError, OSError) as error:
        sys.print_exception(error)
        return None
    finally:
        sys.modules.pop("interpreter", None)


def mount(slot):
    import vfs

    files = vfs.VfsLfs2(Body(slot))  # type: ignore
    vfs.mount(files, APP, readonly=True)
    sys.path.insert(0, APP)


def _started(anew):
    """Count this start; True when there were too many."""
    import machine
    from esp32 import NVS

    try:
        nvs = NVS(_NVS)
        starts = 0 if anew else _number(nvs)
        starts += _BY_POWER if machine.reset_cause() == machine.PWRON_RESET else _BY_RESET
        nvs.set_i32("starts", starts)
        nvs.commit()
    except OSError as error:  # a program runs without a count, too
        sys.print_exception(error)
        return False
    return starts > _TOO_MANY


def _number(nvs):
    try:
        return nvs.get_i32("starts")
    except OSError:
        return 0


def works():
    """This start came to something."""
    from esp32 import NVS

    try:
        nvs = NVS(_NVS)
        if _number(nvs):
            nvs.set_i32("starts", 0)
            nvs.commit()
    except OSError as error:  # nor was it counted
        sys.print_exception(error)


def keep(why):
    """For the next start: the exception that ended this one, or what it was ended for."""
    from esp32 import NVS

    if isinstance(why, Exception):
        from io import StringIO

        text = StringIO()
        sys.print_exception(why, text)
        why = "crash " + text.getvalue()[-_CRASH_LETTERS:]
    nvs = NVS(_NVS)
    nvs.set_blob("last", why.encode())
    nvs.commit()


def last():
    """What the start before this one kept, once: its cause and more, each maybe empty."""
    from esp32 import NVS

    text = bytearray(_LAST_BYTES)
    try:
        nvs = NVS(_NVS)
        size = nvs.get_blob("last", text)
        nvs.erase_key("last")
        nvs.commit()
    except OSError:
        return "", ""
    cause, _, more = bytes(text[:size]).decode().partition(" ")
    return cause, more


def restart(why):
    import machine

    try:
        keep(why)
    except OSError as error:  # it starts again all the same
        sys.print_exception(error)
    machine.reset()


def watchdog():
    """The function that feeds it."""
    import machine

    return machine.WDT(timeout=_BITES_MS).feed
