"""The copy of a call's recording that somebody is given: one WAV file, the same each time it is
made, with zeros wherever recording was paused.
"""

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from diadema.base.paths import DataDir
from diadema.recordings import playing
from diadema.recordings.decoding import Decoders
from diadema.recordings.index import Index, Key
from diadema.store import open_reader

_PCM, _BITS = 1, 16
_AT_ONCE = 1 << 19  # frames
_LARGEST = 0xFFFF_FFFF - 36  # bytes of sound that such a file can have


def write_copy(data: DataDir, key: Key, to: BinaryIO) -> str:
    """Gives the SHA-256 of what was written. Raises `playing.Refused` where nothing of it may be
    sent, and DiademaError where it cannot be read.
    """
    digest = hashlib.sha256()
    with (
        open_reader(data.store) as reader,
        Index(data.recordings_index) as index,
        Decoders() as decoders,
    ):
        plan = playing.plan(reader, index, key)
        for part in _parts(decoders, plan):
            digest.update(part)
            to.write(part)
    return digest.hexdigest()


def _parts(decoders: Decoders, plan: playing.Plan) -> Iterator[bytes]:
    if plan.size > _LARGEST:
        raise playing.Refused("unfit")
    yield _head(plan)
    count = plan.frames[1] - plan.frames[0]
    for at in range(0, count, _AT_ONCE):
        yield playing.frames(decoders, plan, at, min(at + _AT_ONCE, count))


def _head(plan: playing.Plan) -> bytes:
    """Of RIFF, with the chunks `fmt ` and `data` alone: nothing of the original's own."""
    frame = plan.sides * _BITS // 8
    form = struct.pack("<HHIIHH", _PCM, plan.sides, plan.rate, plan.rate * frame, frame, _BITS)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", plan.size)
    return b"RIFF" + struct.pack("<I", len(body) + plan.size) + body
