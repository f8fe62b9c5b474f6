"""What of a contact's recording may be sent, and its bytes. The stretches in which recording was
paused are zeros before anything leaves this room, and a call that was handed over is there in this
agent's part alone.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from msgspec import Struct
from sqlalchemy import Connection

from diadema.base.errors import DiademaError
from diadema.recordings import calls, files, silence
from diadema.recordings.decoder import BUCKETS, WAVE_STEPS
from diadema.recordings.decoding import Decoders, Stretch, Unfit
from diadema.recordings.index import READY, File, Index, Key, Link
from diadema.store import Reader
from diadema.store.rows import Contact
from diadema.words import Sentence

_BESIDE_MS = 5_000  # of the agent's part, to each side
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_PART = 1 << 20  # bytes that one answer has at most
_SAMPLE = 2  # bytes


class Refused(DiademaError):
    """`reason` is a word: why nothing of it is sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(Sentence(f"errors.recordings.refused.{reason}"))
        self.reason = reason


class PastEnd(DiademaError):
    """A range that the sound has not, or that is none."""

    def __init__(self, size: int) -> None:
        super().__init__(Sentence("errors.recordings.past_end", size=size))


class Plan(Struct, frozen=True):
    """`frames` of the recording are heard, with `zeros` among them; `start_ms`: where the first
    event of the contact lies in what is heard, None where nobody knows. What is sent: 16-bit
    samples, little end first, `sides` of them interleaved, `rate` a second. `wave`: of the whole
    recording, where one is kept.
    """

    file: File
    frames: Stretch
    zeros: list[Stretch]
    start_ms: int | None
    rate: int
    sides: int
    wave: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return (self.frames[1] - self.frames[0]) * self.sides * _SAMPLE


def plan(reader: Reader, index: Index, key: Key) -> Plan:
    """By what the store knows now. Raises Refused."""
    link = index.link(key)
    if link is None or link.file is None:
        raise Refused("none")
    file = index.file(link.file)
    if file is None or file.state != READY or file.probed is None:
        raise Refused("gone")
    its = index.links_of(file.id)
    with reader.engine.connect() as connection:
        contact = calls.find(connection, key)
        if contact is None:
            raise Refused("none")
        zeros = [
            one for other in its for one in _zeros(connection, file, other, own=other.call == key)
        ]
    if link.offset_ms is not None and link.uncertainty_ms is not None:
        stretch = _part(contact, link, file.probed.ms, alone=len(its) == 1)
        start_ms = -link.offset_ms - stretch[0]
    elif len(its) == 1 and _is_no_longer(contact, file.probed.ms):
        stretch, start_ms = (0, file.probed.ms + 1), None
    else:
        raise Refused("whose")
    rate = file.probed.rate
    first, last = (ms * rate // 1000 for ms in stretch)
    return Plan(
        file,
        (first, min(last, file.probed.frames)),
        [(a * rate // 1000, -(-b * rate // 1000)) for a, b in silence.union(zeros)],
        start_ms,
        rate,
        file.probed.sides,
        index.wave(file.id),
    )


def _zeros(connection: Connection, file: File, link: Link, *, own: bool) -> list[Stretch]:
    """Of one of its contacts; the pauses of the one that is heard also where they are if the file
    began with it. Raises Refused where pauses are there, or may be, and nobody can tell where.
    """
    assert file.probed is not None
    contact = calls.find(connection, link.call)
    if contact is None:
        raise Refused("pauses")
    found = calls.pauses(connection, contact)
    if not found.known:
        raise Refused("pauses")
    if not found.stretches:
        return []
    offset, doubt = link.offset_ms, link.uncertainty_ms
    if offset is None or doubt is None:
        raise Refused("pauses")
    said = silence.verdict(found, file.probed.silences, file.probed.ms, offset, doubt)
    if doubt > silence.CERTAIN_MS and said != "respected":
        raise Refused("pauses")
    offsets = {offset, 0} if own else {offset}
    return silence.zeros(found, file.probed.ms, offsets, doubt)


def _is_no_longer(contact: Contact, file_ms: int) -> bool:
    """The file has no other agent's part of the call, of whom nothing may be known yet."""
    if contact.end_utc is None or contact.start_utc is None:
        return False
    length = contact.end_utc - contact.start_utc
    return file_ms <= length + length // 10 + 2 * _BESIDE_MS


def _part(contact: Contact, link: Link, file_ms: int, *, alone: bool) -> Stretch:
    assert link.offset_ms is not None and link.uncertainty_ms is not None
    beside = _BESIDE_MS + (link.uncertainty_ms if alone else 0)
    first = -link.offset_ms - beside
    last = file_ms
    if contact.end_utc is not None and contact.start_utc is not None:
        last = contact.end_utc - contact.start_utc - link.offset_ms + beside
    first, last = max(first, 0), min(last, file_ms)
    if first >= last:
        raise Refused("none")
    return first, last


def peaks(decoders: Decoders, plan: Plan) -> list[list[int]]:
    """Of each side, 0-255, of what is sent. Raises Refused."""
    with _opened(plan) as descriptor:
        if plan.wave:
            return _of_wave(plan)
        return decoders.peaks(descriptor, plan.frames, plan.zeros)


def _of_wave(plan: Plan) -> list[list[int]]:
    """By what is kept of the recording: a step is zero of which any moment is."""
    step, sides = max(plan.rate // WAVE_STEPS, 1), plan.sides
    first, last = plan.frames[0] // step, -(-plan.frames[1] // step)
    steps = bytearray(plan.wave[first * sides : last * sides])
    for begin, end in plan.zeros:
        low, high = max(begin // step - first, 0), max(-(-end // step) - first, 0)
        steps[low * sides : high * sides] = bytes(len(steps[low * sides : high * sides]))
    count = len(steps) // sides
    parts = min(BUCKETS, count)
    edges = [at * count // parts for at in range(parts + 1)]
    return [
        [max(steps[a * sides + side : b * sides : sides]) for a, b in pairwise(edges)]
        for side in range(sides)
    ]


def frames(decoders: Decoders, plan: Plan, first: int, last: int) -> bytes:
    """Those of what is sent. Raises Refused."""
    at = plan.frames[0]
    with _opened(plan) as descriptor:
        sound = decoders.sound(descriptor, (at + first, at + last), plan.zeros)
    if len(sound) < (last - first) * plan.sides * _SAMPLE:  # less than there was
        raise Refused("changed")
    return sound


def check(plan: Plan) -> None:
    """Whether its file is there as it was. Raises Refused."""
    with _opened(plan):
        pass


def range_of(size: int, wanted: str) -> Stretch:
    """The bytes of the range that an HTTP header wants (RFC 9110, 14.1.2), as many as one answer
    has; of several, or of none, from the beginning. Raises PastEnd.
    """
    found = _RANGE.fullmatch(wanted.strip())
    first, last = found.groups() if found is not None else ("0", "")
    if first:
        begin, end = int(first), min(int(last) + 1 if last else size, size)
    else:
        begin, end = max(size - int(last or 0), 0), size
    if begin >= end:
        raise PastEnd(size)
    return begin, min(end, begin + _PART)


@contextmanager
def _opened(plan: Plan) -> Iterator[int]:
    """The file as it was when it was linked, also afterwards. Raises Refused."""
    found = plan.file.found
    try:
        with files.opened(found.root, found.path) as descriptor:
            for again in (False, True):
                if files.found_of(found.root, found.path, os.fstat(descriptor)) != found:
                    raise Refused("changed")
                if not again:
                    yield descriptor
    except OSError as error:
        raise Refused("gone") from error
    except Unfit as error:
        raise Refused("unfit") from error
