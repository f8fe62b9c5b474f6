"""The events of a journal that is about to go: read from the flash, written into files, and
taken in. `diadema import journal` does that where it could not be done; each counts once.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from diadema.errors import DiademaError
from diadema.imports.journal import import_journal
from diadema.journal import ACKNOWLEDGED, EVENT, walk
from diadema.paths import DataDir, cannot_write

type Body = bytes


@dataclass(frozen=True)
class Kept:
    """`events` nobody had acknowledged; `path` has them, None when there was nothing to keep;
    `stored`: they are in the hub's store too, else `why` not.
    """

    events: int
    unreadable: int
    path: Path | None
    stored: bool = False
    why: str = ""


def owed(station: str, dump: bytes) -> list[Body]:
    """What that journal owes the hub, as the station would send it."""
    content = walk(dump)
    acked: dict[int, int] = {}
    events: dict[int, dict[int, bytes]] = {}
    for sector in content.sectors:
        epoch, told = sector.header.epoch, sector.header.acked
        numbers = [one.n for one in sector.records if one.kind == ACKNOWLEDGED]
        acked[epoch] = max(acked.get(epoch, 0), told, *numbers)
        theirs = events.setdefault(epoch, {})
        theirs |= {one.n: one.payload for one in sector.records if one.kind == EVENT}
    return [
        body
        for epoch, theirs in events.items()
        for body in _bodies(station, epoch, acked[epoch], theirs)
    ]


def _bodies(station: str, epoch: int, acked: int, events: dict[int, bytes]) -> Iterator[Body]:
    """From the first that is not acknowledged; `station.lost` for those that cannot be read."""
    n = acked + 1
    for at in sorted(number for number in events if number > acked):
        if at > n:
            yield _head(station, epoch, n) + b'"to":%d,"k":"station.lost"}' % (at - 1)
        yield _head(station, epoch, at) + events[at][1:]
        n = at + 1


def _head(station: str, epoch: int, n: int) -> bytes:
    return b'{"s":"%s","e":%d,"n":%d,' % (station.encode(), epoch, n)


def keep(station: str, dump: bytes, data: DataDir) -> Kept:
    """Raises DiademaError when they cannot even be written into a file."""
    unreadable = walk(dump).unreadable
    bodies = owed(station, dump)
    if not bodies and not unreadable:
        return Kept(0, 0, None)
    path = data.journals / f"{station}-{crc32(dump):08x}.jsonl"
    try:
        data.make()
        data.journals.mkdir(exist_ok=True, mode=0o700)
        _write(path.with_suffix(".bin"), dump)
        _write(path, b"".join(body + b"\n" for body in bodies))
    except OSError as error:
        raise cannot_write(data.journals, error) from error
    if not bodies:
        return Kept(0, unreadable, path.with_suffix(".bin"))
    try:
        done = import_journal([path], data)
    except DiademaError as error:
        return Kept(len(bodies), unreadable, path, why=str(error))
    return Kept(len(bodies), unreadable, path, stored=not done.left)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
