"""Checks a board for `diadema board check`: every rule, in the order in which one would mend what
it finds. The rules about partition tables and sockets are here, the others in `rules_pins` and
`rules_parts`. Each yields what is wrong, if anything, and what to do about it; its docstring is
the reason that the user reads.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diadema.stations.boards import rules_parts as parts
from diadema.stations.boards import rules_pins as pins
from diadema.stations.boards.partitions import Partition
from diadema.stations.boards.sound import (
    CALLER_DB_SPL,
    MOST_DB_SPL,
    MOST_UNCLIPPED_DB_SPL,
    Loudness,
    loudness,
)
from diadema.stations.boards.table import Board
from diadema.words import Sentence

_SECTOR = 0x1000
_APP_ALIGNMENT = 0x10000
_FIRST = 0x9000  # the bootloader, then the table itself at 0x8000
_MEGABYTE = 0x100000
# MicroPython's own for 4 MB with two slots: ports/esp32/partitions-4MiB-ota.csv
_LEAST_APP = 0x180000
_JOURNAL = 0x70000
_PROGRAM = 0x2A000  # the largest board's, as `diadema image build` prints it, with a fifth over
type Rule = Callable[[Board], Iterator[str]]

# of what works, and not as well as it could
WARNINGS: dict[Callable[[Board], Iterator[Sentence]], Sentence] = {
    pins.levels_that_dip: Sentence("commands.board.why.levels_that_dip"),
    pins.straps_near_plugs: Sentence("commands.board.why.straps_near_plugs"),
}


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


def output_limited(board: Board) -> Iterator[str]:
    """Acoustic shock: the worst signal that the codec lets out, a clipped one on every path at
    once, must stay below 102 dB SPL at the ear drum (Communications Alliance G616) in each socket
    that a head can be in, and below 118 when its clipper is missing (ITU-T P.360).
    """
    if "codec" in board.parts and "limit_db" not in board.parts["codec"][4]:
        yield "codec: it has no limit_db: a loud noise on the line would reach the ear whole"
        return
    for socket in _heard(board):
        for level, most, without in (
            (socket.loudest, MOST_DB_SPL, ""),
            (socket.unclipped, MOST_UNCLIPPED_DB_SPL, " without its clipper"),
        ):
            if level > most:
                mend = "put more resistance before it"
                if socket.caller is not None:
                    by = math.ceil(socket.allowed - most)
                    mend = f"lower limit_db by {by}, or see the clipper of hardware/acoustics.md"
                yield (
                    f"{socket.socket}: up to {level:.0f} dB SPL at the ear drum{without}, more "
                    f"than {most}: {mend}"
                )


def caller_heard(board: Board) -> Iterator[str]:
    """A limit that lets no voice through is turned up or soldered past: at full volume a caller
    is heard with 70 dB SPL or more.
    """
    for socket in _heard(board):
        if socket.caller is not None and socket.caller < CALLER_DB_SPL:
            yield (
                f"{socket.socket}: a caller is heard with {socket.caller:.0f} dB SPL at full "
                f"volume, less than {CALLER_DB_SPL}: take the pad_ohms that hardware/headsets.csv "
                "has for the headset, or raise limit_db, which caller_db follows"
            )


def sockets_wired(board: Board) -> Iterator[str]:
    """Of each socket it is known whether a head can be in it, and if not, why not."""
    for socket in board.wiring.sockets:
        if not socket.head and socket.contacts and not socket.why:
            yield f"{socket.ref}: no head can be in it, and why is not said: say why"
        if socket.clipper_v_peak and not socket.each_ohms:
            yield f"{socket.ref}: a clipper needs resistance before it: give each_ohms"
    if "codec" in board.parts and not any(
        socket.head and socket.limited and socket.contacts for socket in board.wiring.sockets
    ):
        yield "sockets: the headset's is missing: describe it"


def _heard(board: Board) -> list[Loudness]:
    """The sockets that a head can be in."""
    return [socket for socket in loudness(board) if socket.head]


RULES: tuple[Rule, ...] = (
    parts.names_agree,
    pins.wires_described,
    parts.parts_wired,
    parts.drivers_fit,
    parts.wiegand_by_itself,
    parts.variants_probed,
    pins.no_pin_twice,
    pins.pins_exist,
    parts.psram_driven,
    pins.no_memory_pins,
    pins.no_console_pins,
    pins.input_only_not_driven,
    pins.input_only_pulled,
    pins.strapping_pins_safe,
    pins.straps_without_plugs,
    pins.switches_set,
    pins.no_adc2,
    pins.edges_that_are_none,
    pins.touch_on_touch_pins,
    pins.directions_agree,
    parts.addresses_distinct,
    parts.master_clock_wired,
    output_limited,
    caller_heard,
    sockets_wired,
    parts.cables_end,
    partitions_aligned,
    partitions_apart,
    partitions_inside,
    app_slots_equal,
    otadata_there,
    journal_there,
    program_slots_there,
    files_there,
)


@dataclass(frozen=True)
class Finding:
    """`why` is the reason that the rule's own docstring gives, or a warning's sentence."""

    board: str
    rule: str
    problem: str | Sentence
    why: str | Sentence


def check_board(board: Board) -> list[Finding]:
    """What is wrong with it; nothing, when every rule holds."""
    return [
        Finding(board.folder.name, rule.__name__, problem, reason(rule))
        for rule in RULES
        for problem in dict.fromkeys(rule(board))
    ]


def warn_of(board: Board) -> list[Finding]:
    """What is to be known of it before it is built."""
    return [
        Finding(board.folder.name, rule.__name__, problem, why)
        for rule, why in WARNINGS.items()
        for problem in {str(one): one for one in rule(board)}.values()
    ]


def reason(rule: Rule) -> str:
    return " ".join((inspect.getdoc(rule) or "").split())
