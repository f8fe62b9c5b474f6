"""Which program and which app run: the trailer of a slot, and `otadata`.

The trailer is the last sector of a program slot: what the slot holds, and how far it is trusted.

    magic «DSLT», sequence, length (u32 little endian), SHA-256 of the body (32), board (24),
    version (16), CRC-32 of all that; then 16 bytes of state that are only ever cleared:
    written, tried, good, bad, told, started (0: so; told: the host knows how the update ended)

The newest slot that is good, or was written and not tried yet, runs; `firmware/slots.py` decides.
While an update comes in, `firmware/update.py` keeps its notes further on in the same sector. An
app partition has the same trailer when an update brought its MicroPython
(`firmware/interpreter.py`): tried when the boot loader was told, started when it came up. Of the
one that runs NVS has the marks, and the trailer gets them when the other one runs.

`otadata` names the app partition that the boot loader starts. Each of its two sectors begins with
an entry of 32 bytes: sequence, label (20, unused), state, CRC-32 of the sequence; the app
partition is (sequence − 1) modulo their number. ESP-IDF programming guide, «Over The Air Updates».
"""

import struct
import zlib
from dataclasses import dataclass

from diadema.base.errors import ImageError
from diadema.stations.image.files import SECTOR
from diadema.words import Sentence

_HEAD = struct.Struct("<4sII32s24s16s")
_MAGIC = b"DSLT"
HEAD_BYTES = _HEAD.size + 4
WRITTEN, TRIED, GOOD, BAD, _, STARTED = range(6)  # of the state bytes
STATE_BYTES = 16
_ENTRY = struct.Struct("<I20sII")
_BLANK = 0xFFFFFFFF
_STATES = {0: "new", 1: "on trial", 2: "good", 3: "invalid", 4: "rolled back", _BLANK: "good"}
_OUT = (3, 4)


@dataclass(frozen=True)
class Trailer:
    """`length` bytes of the slot are the program's file system."""

    sequence: int
    length: int
    sha256: bytes
    board: str
    version: str

    def pack(self, *, good: bool = False) -> bytes:
        """The trailer with its state: written, or good for one that was never an update."""
        texts = [self.board.encode(), self.version.encode()]
        if len(texts[0]) > 24 or len(texts[1]) > 16:
            raise ImageError(
                Sentence(
                    "errors.stations.board_board_version_version_too",
                    board=self.board,
                    version=self.version,
                )
            )
        head = _HEAD.pack(_MAGIC, self.sequence, self.length, self.sha256, *texts)
        state = bytearray(b"\xff" * STATE_BYTES)
        state[WRITTEN] = 0
        if good:
            state[GOOD] = 0
        return head + zlib.crc32(head).to_bytes(4, "little") + bytes(state)


def unpack_trailer(sector: bytes) -> tuple[Trailer, dict[str, bool]] | None:
    """The trailer and its state; None where there is none that is whole."""
    head = sector[: _HEAD.size]
    if len(head) < _HEAD.size or head[:4] != _MAGIC:
        return None
    if zlib.crc32(head) != int.from_bytes(sector[_HEAD.size : HEAD_BYTES], "little"):
        return None
    _, sequence, length, digest, board, version = _HEAD.unpack(head)
    state = sector[HEAD_BYTES : HEAD_BYTES + STATE_BYTES]
    names = {"written": WRITTEN, "tried": TRIED, "started": STARTED, "good": GOOD, "bad": BAD}
    trailer = Trailer(
        sequence, length, digest, board.rstrip(b"\0").decode(), version.rstrip(b"\0").decode()
    )
    return trailer, {name: state[at] == 0 for name, at in names.items()}


def selected_app(data: bytes, apps: int) -> tuple[int, str] | None:
    """The number of the app partition that starts, and its state; None when neither entry counts,
    which starts the first that is whole.
    """
    found = []
    for at in range(0, 2 * SECTOR, SECTOR):
        sequence, _, state, check = _ENTRY.unpack(data[at : at + _ENTRY.size])
        right = check == zlib.crc32(sequence.to_bytes(4, "little"), _BLANK)
        if right and sequence != _BLANK and state not in _OUT:
            found.append((sequence, _STATES.get(state, f"state {state}")))
    if not found or not apps:
        return None
    sequence, state = max(found)
    return (sequence - 1) % apps, state
