"""What of a contact's recording may be sent, and its bytes. The stretches in which recording was
paused are zeros before anything leaves this room, and a call that was handed over is there in this
agent's part alone.
"""

import os
import re
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection

from diadema.base.errors import DiademaError
from diadema.recordings import calls, files, silence
from diadema.recordings.decoding import Sound, Stretch, Unfit, play
from diadema.recordings.index import READY, File, Index, Key, Link
from diadema.store import Reader
from diadema.store.rows import Contact
from diadema.words import Sentence

_BESIDE_MS = 5_000  # of the agent's part, to each side
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_PART = 1 << 20  # bytes that one answer has at most


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
    """`stretch` of the file is heard, with `zeros` in it; `start_ms`: where the contact's first
    event lies in what is heard, None where nobody knows.
    """

    file: File
    stretch: Stretch
    zeros: list[Stretch]
    start_ms: int | None


def plan(reader: Reader, index: Index, key: Key) -> Plan:
    """By what the store knows now. Raises Refused."""
    link = index.link(key)
    if link is None or link.file is None:
        raise Refused("none")
    file = index.file(link.file)
    if file is None or file.state != READY or file.probed is None:
        raise Refused("gone")
    its = index.links_of(file.id)
    file_ms = file.probed.ms
    with reader.engine.connect() as connection:
        contact = calls.find(connection, key)
        if contact is None:
            raise Refused("none")
        zeros = [
            one for other in its for one in _zeros(connection, file, other, own=other.call == key)
        ]
    if link.offset_ms is None or link.uncertainty_ms is None:
        if len(its) > 1:
            raise Refused("whose")
        return Plan(file, (0, file_ms), silence.union(zeros), None)
    stretch = _part(contact, link, file_ms, alone=len(its) == 1)
    return Plan(file, stretch, silence.union(zeros), -link.offset_ms - stretch[0])


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


def listen(plan: Plan, folder: Path) -> Sound:
    """Decoded as the plan says; what it needs of room is in `folder` until it is closed. Raises
    Refused.
    """
    found = plan.file.found
    try:
        with files.opened(found.root, found.path) as descriptor:
            its = files.found_of(found.root, found.path, os.fstat(descriptor))
            if its != found:
                raise Refused("changed")
            sound = play(descriptor, plan.stretch, plan.zeros, folder)
            if files.found_of(found.root, found.path, os.fstat(descriptor)) != found:
                sound.close()
                raise Refused("changed")
            return sound
    except OSError as error:
        raise Refused("gone") from error
    except Unfit as error:
        raise Refused("unfit") from error


def part(sound: Sound, wanted: str) -> tuple[int, bytes]:
    """Where it begins, and the bytes, of the range that an HTTP header wants (RFC 9110, 14.1.2);
    of several, or of none, from the beginning. Raises PastEnd.
    """
    found = _RANGE.fullmatch(wanted.strip())
    first, last = found.groups() if found is not None else ("0", "")
    if found is not None and not first:
        if not last or not int(last):
            raise PastEnd(sound.size)
        begin, end = max(sound.size - int(last), 0), sound.size
    else:
        begin, end = int(first), min(int(last) + 1 if last else sound.size, sound.size)
    if begin >= end:
        raise PastEnd(sound.size)
    return begin, sound.read(begin, min(end, begin + _PART))
