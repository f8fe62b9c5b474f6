"""Rules about the partition table that a board's flash gets. Each yields what is wrong, if
anything, and what to do about it.
"""

from collections.abc import Iterator

from diadema.stations.boards.partitions import Partition
from diadema.stations.boards.table import Board

_SECTOR = 0x1000
_APP_ALIGNMENT = 0x10000
_FIRST = 0x9000  # the bootloader, then the table itself at 0x8000
_MEGABYTE = 0x100000
# MicroPython's own for 4 MB with two slots: ports/esp32/partitions-4MiB-ota.csv
_LEAST_APP = 0x180000
_JOURNAL = 0x70000
_PROGRAM = 0x2A000  # the largest board's, as `diadema image build` prints it, with a fifth over


def partitions_aligned(board: Board) -> Iterator[str]:
    """Flash is erased by 4 KiB sectors and apps are mapped by 64 KiB pages (ESP-IDF, partition
    tables).
    """
    for part in board.partitions:
        needed = _APP_ALIGNMENT if part.type == "app" else _SECTOR
        if part.offset % needed or part.size % _SECTOR:
            yield (
                f"partition {part.name}: offset 0x{part.offset:x} must be a multiple of "
                f"0x{needed:x} and size 0x{part.size:x} of 0x{_SECTOR:x}"
            )


def partitions_apart(board: Board) -> Iterator[str]:
    """Where two overlap, writing the one destroys the other; the table's own sectors count."""
    above = Partition("the bootloader and the table", "", "", 0, _FIRST)
    for part in sorted(board.partitions, key=lambda part: part.offset):
        if part.offset < above.end:
            yield (
                f"partition {part.name} begins at 0x{part.offset:x}, inside {above.name}: "
                f"begin at 0x{above.end:x} or later"
            )
        above = part


def partitions_inside(board: Board) -> Iterator[str]:
    """Beyond the end of the flash the chip reads the beginning again."""
    end = board.wiring.board.flash_mb * _MEGABYTE
    for part in board.partitions:
        if part.end > end:
            yield (
                f"partition {part.name} ends at 0x{part.end:x}, beyond the "
                f"{board.wiring.board.flash_mb} MB of the flash: make it smaller"
            )


def app_slots_equal(board: Board) -> Iterator[str]:
    """An update is written to the slot that does not run: both must hold any image."""
    slots = {part.subtype: part for part in board.partitions if part.type == "app"}
    if set(slots) != {"ota_0", "ota_1"}:
        yield "the app partitions must be ota_0 and ota_1: an update needs the other slot"
        return
    if slots["ota_0"].size != slots["ota_1"].size:
        yield "ota_0 and ota_1 differ in size: an image that fits one must fit the other"
    if min(slot.size for slot in slots.values()) < _LEAST_APP:
        yield f"an app slot is smaller than 0x{_LEAST_APP:x}: MicroPython does not fit"


def otadata_there(board: Board) -> Iterator[str]:
    """The bootloader keeps in its two sectors which slot runs (ESP-IDF, OTA data partition)."""
    if not any(part.subtype == "ota" and part.size == 2 * _SECTOR for part in board.partitions):
        yield "no partition of type data, subtype ota and size 0x2000: the slots need one"


def journal_there(board: Board) -> Iterator[str]:
    """The station finds its journal by the label; it holds ten days of calls and more."""
    journals = [part for part in board.partitions if part.name == "journal"]
    if len(journals) != 1:
        yield "there must be one partition named journal: data, 0x40, 0x70000"
        return
    journal = journals[0]
    if (journal.type, journal.subtype) != ("data", "0x40") or journal.size < _JOURNAL:
        yield f"partition journal must be of type data, subtype 0x40 and 0x{_JOURNAL:x} or larger"


def program_slots_there(board: Board) -> Iterator[str]:
    """The station's program runs from one of two slots while an update is written to the other."""
    slots = {part.name: part for part in board.partitions if part.name in ("slot_a", "slot_b")}
    if len(slots) != 2:
        yield "there must be slot_a and slot_b, of type data and equal size: updates need both"
        return
    first, second = slots["slot_a"], slots["slot_b"]
    if first.size != second.size or min(first.size, second.size) < _PROGRAM:
        yield f"slot_a and slot_b must be equal and at least 0x{_PROGRAM:x}"


def files_there(board: Board) -> Iterator[str]:
    """The station keeps what starts it and its configuration on the partition vfs."""
    if not any(part.name == "vfs" and part.type == "data" for part in board.partitions):
        yield "no partition named vfs of type data: the station's files need one"
