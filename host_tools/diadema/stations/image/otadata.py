"""Which app partition the boot loader starts: the two sectors of `otadata`.

Each begins with an entry of 32 bytes: sequence, label (20, unused), state, CRC-32 of the sequence;
app partition (sequence − 1) modulo their number. ESP-IDF programming guide, «Over The Air
Updates».
"""

import struct
import zlib

from diadema.stations.image.files import SECTOR

_ENTRY = struct.Struct("<I20sII")
_BLANK = 0xFFFFFFFF
_STATES = {0: "new", 1: "on trial", 2: "good", 3: "invalid", 4: "rolled back", _BLANK: "good"}
_OUT = (3, 4)


def chosen(data: bytes, apps: int) -> tuple[int, str] | None:
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
