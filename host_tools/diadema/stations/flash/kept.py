"""The events of a journal that is about to go: read from the flash, written into files, and
taken in. `diadema import journal` does that where it could not be done; each counts once.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write
from diadema.exchange.journal_import import import_journal, place_of
from diadema.wire.events import UNREADABLE
from diadema.wire.journal import ACKNOWLEDGED, EVENT, walk

type Body = bytes


@dataclass(frozen=True)
class Kept:
    """`events` nobody had acknowledged; `path` has them, None when there was nothing to keep;
    `stored`: they are in the hub's store too, else `why` not. `refused`: more that are no events
    of this journal; they stay in the copy of it beside `path`.
    """

    events: int
    unreadable: int
    path: Path | None
    stored: bool = False
    why: str = ""
    refused: int = 0


def owed(station: str, dump: bytes) -> tuple[list[Body], int]:
    """What that journal owes the hub, as the station would send it; and how many it holds that
    cannot be of this station.
    """
    content = walk(dump)
    acked: dict[int, int] = {}
    events: dict[int, dict[int, bytes]] = {}
    for sector in content.sectors:
        epoch, told = sector.header.epoch, sector.header.acked
        numbers = [one.sequence for one in sector.records if one.kind == ACKNOWLEDGED]
        acked[epoch] = max(acked.get(epoch, 0), told, *numbers)
        theirs = events.setdefault(epoch, {})
        theirs |= {one.sequence: one.payload for one in sector.records if one.kind == EVENT}
    bodies: list[Body] = []
    refused = 0
    for epoch, theirs in events.items():
        left = {n: payload for n, payload in theirs.items() if n > acked[epoch]}
        own = {n: payload for n, payload in left.items() if _is_own(station, epoch, n, payload)}
        refused += len(left) - len(own)
        bodies += _bodies(station, epoch, acked[epoch], own)
    return bodies, refused


def _is_own(station: str, epoch: int, n: int, payload: bytes) -> bool:
    """One line that says no other place than its record and its sector do."""
    line = _head(station, epoch, n) + payload[1:]
    try:
        one = payload.startswith(b"{") and len(line.splitlines()) == 1
        return one and place_of(line) == (station, epoch, n)
    except UNREADABLE:
        return False


def _bodies(station: str, epoch: int, acked: int, events: dict[int, bytes]) -> Iterator[Body]:
    """From the first that is not acknowledged; `station.lost` for those that are not there."""
    n = acked + 1
    for at in sorted(events):
        if at > n:
            yield _head(station, epoch, n) + b'"to":%d,"k":"station.lost"}' % (at - 1)
        yield _head(station, epoch, at) + events[at][1:]
        n = at + 1


def _head(station: str, epoch: int, n: int) -> bytes:
    return b'{"s":"%s","e":%d,"n":%d,' % (station.encode(), epoch, n)


def keep(station: str, dump: bytes, data: DataDir) -> Kept:
    """Raises DiademaError when they cannot even be written into a file."""
    unreadable = walk(dump).unreadable
    bodies, refused = owed(station, dump)
    if not bodies and not unreadable and not refused:
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
        return Kept(0, unreadable, path.with_suffix(".bin"), refused=refused)
    try:
        done = import_journal([path], data)
    except DiademaError as error:
        return Kept(len(bodies), unreadable, path, why=str(error), refused=refused)
    return Kept(len(bodies), unreadable, path, stored=not done.left, refused=refused)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
