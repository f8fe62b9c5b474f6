"""How loud a board's sockets can be at the ear drum: its codec's limit, the wires behind it and
the headset. hardware/acoustics.md says where each figure comes from.
"""

import csv
import math
from dataclasses import dataclass

import msgspec

from diadema.base.paths import tree
from diadema.stations.boards.table import Board, BoardError, Socket
from diadema.words import Sentence

HEADSETS = tree() / "hardware" / "headsets.csv"
MOST_DB_SPL = 102  # at the ear drum: Communications Alliance G616
MOST_UNCLIPPED_DB_SPL = 118  # the figure of ITU-T P.360, kept when the clipper is missing
CALLER_DB_SPL = 70  # what a caller is to be heard with at full volume
_CLIPPED_DB = 20 * math.log10(math.sqrt(2))  # a square wave over a sine of its height
# speech on a line under the loudest sine that it carries: −17 dBm0 of +3.14 (ITU-T G.711)
_SPEECH_DB = -20


class Headset(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`db_spl_per_v` at 1 kHz; `peak_db`: how far its curve, at the ear drum, rises above that."""

    name: str
    title: str
    ohms: float
    db_spl_per_v: float
    peak_db: float
    pad_ohms: float
    source: str


@dataclass(frozen=True)
class Loudness:
    """dB SPL at the ear drum: the worst that the socket can do, the same if its clipper were
    missing, what `limit_db` would allow if the supply did, and a caller at full volume, where the
    socket is the headset's.
    """

    socket: str
    head: bool
    loudest: float
    unclipped: float
    allowed: float
    caller: float | None


def headsets() -> dict[str, Headset]:
    """{name: row of hardware/headsets.csv}."""
    with HEADSETS.open(newline="", encoding="utf-8") as file:
        rows = msgspec.convert(list(csv.DictReader(file)), list[Headset], strict=False)
    return {row.name: row for row in rows}


def headset_of(board: Board) -> Headset:
    """The headset that the board is made for. Raises BoardError when nobody knows it."""
    known = headsets()
    name = board.wiring.audio.headset
    if name not in known:
        raise BoardError(
            Sentence(
                "errors.stations.headset_name_stands_no_row",
                name=name,
                name2=HEADSETS.name,
                known=", ".join(known),
            )
        )
    return known[name]


def loudness(board: Board) -> list[Loudness]:
    """The loudness of each socket that sound comes out of, with the headset that wiring.toml names
    in it.
    """
    if "codec" not in board.parts:
        return []
    headset = headset_of(board)
    return [_of(board, socket, headset) for socket in board.wiring.sockets if socket.contacts]


def level_sentences(level: Loudness) -> list[Sentence]:
    """A line for people, in its parts."""
    parts = [Sentence("commands.board.level", socket=level.socket, most=f"{level.loudest:.0f}")]
    if level.unclipped > level.loudest:
        parts.append(Sentence("commands.board.unclipped", most=f"{level.unclipped:.0f}"))
    if level.caller is not None:
        parts.append(Sentence("commands.board.caller", level=f"{level.caller:.0f}"))
    return parts


def _of(board: Board, socket: Socket, headset: Headset) -> Loudness:
    audio = board.wiring.audio
    outputs = max(map(len, socket.contacts.values()))
    to_node, to_headset = _losses_db(socket, outputs, headset.ohms)
    full_scale = _db(audio.full_scale_v_rms)
    way = full_scale + to_node + to_headset + headset.db_spl_per_v
    supply = way + _db(audio.rail_v_peak * outputs) - full_scale + headset.peak_db
    allowed = supply
    if socket.limited:
        allowed = way + limit_db(board) + _CLIPPED_DB + headset.peak_db
    unclipped = min(supply, allowed)
    loudest = unclipped
    if socket.clipper_v_peak:
        clipped = _db(socket.clipper_v_peak) + to_headset + headset.db_spl_per_v
        loudest = min(unclipped, clipped + headset.peak_db)
    heard = socket.head and socket.limited
    caller = way + audio.caller_db + _SPEECH_DB if heard else None
    return Loudness(socket.ref, socket.head, loudest, unclipped, allowed, caller)


def limit_db(board: Board) -> float:
    """The codec's limit; without one nothing is limited but by the supply."""
    limit: float = board.parts["codec"][4].get("limit_db", math.inf)
    return limit


def _losses_db(socket: Socket, outputs: int, headset_ohms: float) -> tuple[float, float]:
    """From one output to where they meet, the others at rest, and from there to the headset."""
    behind = socket.pad_ohms + headset_ohms
    to_headset = _db(headset_ohms / behind)
    if not socket.each_ohms:
        return 0.0, to_headset
    one = 1 / socket.each_ohms
    all_of_it = outputs * one + 1 / behind
    if socket.shunt_ohms:
        all_of_it += 1 / socket.shunt_ohms
    return _db(one / all_of_it), to_headset


def _db(ratio: float) -> float:
    return 20 * math.log10(ratio)
