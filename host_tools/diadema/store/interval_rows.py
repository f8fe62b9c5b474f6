"""Intervals in the store: the states of each agent (trails), and when each station's link was up.

Trails that are over are rows, the running ones stand in the state of their station. Each lies
within one boot, so its UTC is that of its beginning.
"""

from collections.abc import Iterator

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, TextClause, select, text

from diadema.store import tables
from diadema.store.rows import Trail
from diadema.wire.letters import LETTERS

type TrailRow = tuple[str, int, int, str, int | None, int | None, bool, str]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Trail).decode


class _Running(Struct, rename=LETTERS):
    """Of a station's state what is looked for here."""

    uptime_ms: int = 0
    trail: Trail | None = None


class _Link(Struct):
    """Of its greeting."""

    up: bool = False
    links: tuple[str, ...] = ()


_decode_running = msgspec.msgpack.Decoder(_Running).decode
_decode_link = msgspec.msgpack.Decoder(_Link).decode


def trail_row(trail: Trail) -> TrailRow:
    """The row of one that is over, as it is now."""
    key, hours = (trail.station, trail.epoch, trail.sequence), (trail.start_utc, trail.end_utc)
    return (*key, trail.agent, *hours, trail.start_utc is None, _encode(trail).decode())


def over(tx: Connection, *where: ColumnElement[bool] | TextClause) -> Iterator[Trail]:
    """The rows where all of this holds."""
    for row in tx.execute(select(tables.trails.c.row).where(*where)).scalars().all():
        yield _decode(row)


def running(tx: Connection, now_utc: int | None) -> Iterator[Trail]:
    """Those that go on, up to the newest that was heard, or to now where a link is up. One that
    took no time yet has no spans: its beginning ends the time without power before it.
    """
    row = tables.stations.c
    for state, hello in tx.execute(select(row.state, row.hello)):
        known = _decode_running(state)
        if (trail := known.trail) is None:
            continue
        trail.end_u = max(known.uptime_ms, trail.spans[-1].uptime_ms)
        if trail.start_utc is not None:
            trail.end_utc = trail.start_utc + trail.end_u - trail.start_u
            if now_utc is not None and now_utc > trail.end_utc and _is_up(hello):
                trail.end_utc = now_utc
                trail.end_u = trail.start_u + now_utc - trail.start_utc
        if trail.spans[-1].uptime_ms == trail.end_u:
            trail.spans.pop()
        yield trail


def _is_up(hello: bytes) -> bool:
    """One whose links nobody named since the broker came back is in doubt."""
    link = _decode_link(hello)
    return link.up and bool(link.links)


def trails(
    tx: Connection,
    agent: str | None,
    start_utc: int | None,
    end_utc: int | None,
    now_utc: int | None,
) -> list[Trail]:
    """All that lie in [start_utc, end_utc) or reach into it, by agent and time."""

    def matches(trail: Trail) -> bool:
        begins, ends = trail.start_utc, trail.end_utc
        return (
            (agent is None or trail.agent == agent)
            and (start_utc is None or (ends is not None and ends > start_utc))
            and (end_utc is None or (begins is not None and begins < end_utc))
        )

    row = tables.trails.c
    where: list[ColumnElement[bool] | TextClause] = [] if agent is None else [row.a == agent]
    if end_utc is not None:
        where.append(row.start_utc < end_utc)
    if start_utc is None:
        found = [*over(tx, *where)]
    else:
        near, reaches = start_utc - tables.LONG_MS, row.end_utc > start_utc
        found = [
            *over(tx, *where, reaches, row.start_utc >= near),
            *over(tx, *where, reaches, row.start_utc < near, text(tables.LONG)),
        ]
    found += filter(matches, running(tx, now_utc))
    found.sort(key=_order)
    return found


def _order(trail: Trail) -> tuple[str, int, str, int, int]:
    """Those without an hour first; such of one station in the order in which they came."""
    return trail.agent, trail.start_utc or 0, trail.station, trail.epoch, trail.sequence


def stretches(tx: Connection, s: str, start_ms: int, end_ms: int) -> list[tuple[int, int, bool]]:
    """[start, end) of one station's link in that time, up or not, by the hub's log of links: in
    order, from
    when it was first heard.
    """
    row = tables.links.c
    before = (
        select(row.utc, row.up)
        .where((row.s == s) & (row.utc <= start_ms))
        .order_by(row.utc.desc())
        .limit(1)
    )
    within = (
        select(row.utc, row.up)
        .where((row.s == s) & (row.utc > start_ms) & (row.utc < end_ms))
        .order_by(row.utc)
    )
    changes = [(max(start_ms, utc), bool(up)) for utc, up in tx.execute(before)]
    changes += [(int(utc), bool(up)) for utc, up in tx.execute(within)]
    if not changes:
        return []
    ends = [*(utc for utc, _ in changes[1:]), end_ms]
    return [(utc, end, up) for (utc, up), end in zip(changes, ends, strict=True)]
