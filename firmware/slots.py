"""The two program slots: what their trailers say, which one runs, and why none does.

Needed before there is a program, so it stands in the vfs beside `boot.py`, as all start files do.
A slot carries those that its program came with, and `lib/start_files.py` brings them here once it
is good: START is their number. They come one by one, so what each asks of the others has to stay.

The trailer is the slot's last sector, as `diadema.stations.image` has it. But for the erase
that begins an update its bits are only ever cleared, a byte a decision, so that a cut leaves the
old decision or the new one.
"""

import struct
import sys
from binascii import crc32

from micropython import const

# of the start files: one more whenever one of them changes, `start_files.txt` beside them
START = 4
SECTOR = 4096
LABELS = ("slot_a", "slot_b")
# of the state bytes; told: the host knows how it went; started: MicroPython came to `boot.py`
WRITTEN, TRIED, GOOD, BAD, TOLD, STARTED = range(6)
LOST = (6, 7, 8)  # and these: a start of its trial lost its power
_HEAD = const("<4sII32s24s16s")  # magic, sequence, length, SHA-256, board, version
_STATE = const(88)  # behind the head and its CRC
_STATES = const(16)
NOTE_AT = 128  # of the update that is under way, `update.py` has it
NOTE_BYTES = 44  # with its CRC
_BLOCK = const(512)  # of the program's file system; `diadema.stations.image` says why
APP = "/app"
_NVS = const("diadema")
# starts in a row that did not come to work: those that ended by themselves, and those whose power
# went, which is somebody's hand, or a supply too weak for the radio
_CRASHES = const(3)
_POWER = const(10)
_FOLDER = const(0x4000)  # of a file's mode
_SPIRAM = const(1 << 10)  # esp_heap_caps.h: MALLOC_CAP_SPIRAM
_CRASH_LETTERS = const(240)
_LAST_BYTES = const(966)  # those of four bytes, and «crash »
_BITES_MS = const(60_000)  # a whole journal may be formatted meanwhile

# how this boot went on; `begin` sets them
chosen = None  # the slot that runs; None: the program lies in the vfs
mounted: "Slot | None" = None  # the same; in safe mode that of which it borrows
trial = False  # for the first time
fresh: "Slot | None" = None  # MicroPython runs for the first time: what its partition says of it
safe = None  # why no program runs: crashes, no_program, old_image, no_psram
unsteady = False  # so many starts lost their power that this one goes without the radio

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


class Files:
    """A slot's file system, read by MicroPython itself. What is there is known from the start: an
    import asks four times, and littlefs would walk through its folders for each answer.
    """

    def __init__(self, flash):
        from vfs import VfsLfs2

        self._files = files = VfsLfs2(flash, readsize=_BLOCK)  # type: ignore
        self._found = {}
        folders = [""]
        for folder in folders:
            for name, kind, _, size in files.ilistdir(folder or "/"):
                path = folder + "/" + name
                self._found[path] = (kind, 0, 0, 0, 0, 0, size, 0, 0, 0)
                if kind == _FOLDER:
                    folders.append(path)

    def mount(self, readonly, mkfs):
        pass

    def stat(self, path):
        if path not in self._found:
            raise OSError(2)  # ENOENT
        return self._found[path]

    def open(self, path, mode):
        return self._files.open(path, mode)


def lost(slot):
    """A start of its trial lost its power; False when there were as many before it as it has."""
    for state in LOST:
        if not slot.has(state):
            slot.mark(state)
            return True
    return False


def choose(slots, by_power=False):
    """(the slot to run or None, whether on trial, the one now given up or None); `by_power`: this
    start is one because the power came back.
    """
    given_up = None
    for slot in sorted(slots, key=lambda slot: -slot.sequence):
        if not slot.usable:
            continue
        if slot.has(GOOD):
            return slot, False, given_up
        if not slot.has(TRIED):
            slot.mark(TRIED)
            return slot, True, given_up
        if by_power and lost(slot):
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
    global chosen, trial, fresh, safe, unsteady
    slots = find()
    if not slots:
        return  # a developer's board: the program lies in the vfs
    by_power = powered()
    fresh = of_interpreter("begin", by_power)
    lacks = _lacks()
    if lacks and fresh:
        restart("trial " + lacks)
    counted = None
    while True:
        chosen, trial, given_up = choose(slots, by_power)
        if not chosen:
            safe = "no_program"
            return
        if lacks:
            if not trial:
                safe = lacks
                return
            try:
                keep("trial " + lacks)
            except OSError as error:  # it is told as the power then
                sys.print_exception(error)
            chosen.mark(BAD)
            continue
        counted = counted or _started(trial or fresh or given_up, by_power)
        if not (trial or fresh):
            if counted[0] >= _CRASHES:
                safe = "crashes"
                return
            unsteady = counted[1] > _POWER
        try:
            mount(chosen)
            return
        except OSError as error:
            if fresh:
                restart(error)  # that MicroPython cannot, and the one before could
            chosen.mark(BAD)


def powered():
    """This start is one because the power came back, or the supply broke down."""
    import machine

    return machine.reset_cause() == machine.PWRON_RESET


def psram():
    """Bytes."""
    from esp32 import idf_heap_info

    return sum([region[0] for region in idf_heap_info(_SPIRAM)])


def build():
    """MicroPython's own name for what runs."""
    return getattr(sys.implementation, "_build", "")


def _lacks():
    """Why no program can run here, or None: without PSRAM it has no room beside the radio."""
    if psram():
        return None
    return "no_psram" if "SPIRAM" in build() else "old_image"


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
    global mounted
    import vfs
    from esp32 import Partition

    found = Partition.find(Partition.TYPE_DATA, label=slot.label, block_size=_BLOCK)  # type: ignore
    vfs.mount(Files(found[0]), APP)  # type: ignore
    sys.path.insert(0, APP)
    mounted = slot


def _started(anew, by_power):
    """Count this start: (those in a row that crashed, those that lost their power), it included if
    it is of them.
    """
    from esp32 import NVS

    crashes = powers = 0
    try:
        nvs = NVS(_NVS)
        crashes, powers = _counted(nvs)
        if by_power:
            powers += 1
        else:
            crashes, powers = crashes + 1, 0
        if anew:
            crashes = 0
        # after the one without the radio they count anew
        _count(nvs, crashes, 0 if powers > _POWER else powers)
    except OSError as error:  # a program runs without a count, too
        sys.print_exception(error)
    return crashes, powers


def _counted(nvs):
    return [_number(nvs, name) for name in ("crashes", "powers")]


def _count(nvs, *counts):
    before = _counted(nvs)
    for name, count, was in zip(("crashes", "powers"), counts, before):  # noqa: B905
        if count != was:
            nvs.set_i32(name, count)
    if list(counts) != before:
        nvs.commit()


def _number(nvs, name):
    try:
        return nvs.get_i32(name)
    except OSError:
        return 0


def works(crashes=0):
    """This start came to something; −1: and it ends by a reset that is no crash."""
    from esp32 import NVS

    try:
        _count(NVS(_NVS), crashes, 0)
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
        if trial:  # that was no power, whatever the next start looks like
            while lost(chosen):
                pass
    except OSError as error:  # it starts again all the same
        sys.print_exception(error)
    machine.reset()


def watchdog():
    """The function that feeds it."""
    import machine

    return machine.WDT(timeout=_BITES_MS).feed
