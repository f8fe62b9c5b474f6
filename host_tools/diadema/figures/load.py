"""Seconds of one agent's sessions by what is shown of them, from their trails (design §7: load).

Bounds are cut down to whole seconds of UTC, so that stretches that follow each other neither lose
nor double one, wherever they are cut. Two sessions of hers at once are one time: each second of it
has one state, by the order of design §3.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from diadema.figures.rows import Load
from diadema.metrics.contacts import JUMP_MS
from diadema.store.kept_contacts import LONGEST_MS
from diadema.store.rows import Ticket, Trail
from diadema.wire import agent_states

BUSY = "busy"
_COARSE = dict.fromkeys(agent_states.WORK, BUSY)
_RANK = {BUSY: -1} | agent_states.RANK


class Stretch(Struct, array_like=True):
    """Seconds of UTC [start_s, end_s) in one state."""

    start_s: int
    end_s: int
    state: str
    reason: str | None = None
    by: str | None = None


def stretches(trails: Iterable[Trail], *, coarse: bool = False) -> list[Stretch]:
    """Of one agent, in order, none over another; trails without an hour are in none. `coarse`:
    from ringing to the end of the wrap-up, and on into the next call, it is one, BUSY.
    """
    by_session: dict[tuple[str, int, int], list[Trail]] = {}
    for trail in trails:
        if trail.start_utc is not None:
            by_session.setdefault(trail.session, []).append(trail)
    found: list[Stretch] = []
    for its in by_session.values():
        its.sort(key=lambda trail: trail.sequence)
        found += _of_session(its, coarse=coarse)
    found.sort(key=lambda one: (one.start_s, one.end_s))
    return _flat(found)


def end_of(trail: Trail) -> int:
    """UTC of its last millisecond's end, by the station's own measure from its start on."""
    assert trail.start_utc is not None
    return trail.start_utc + (trail.end_u - trail.start_u)


def _of_session(trails: Sequence[Trail], *, coarse: bool) -> Iterable[Stretch]:
    for at, trail in enumerate(trails):
        assert trail.start_utc is not None
        end = end_of(trail)
        after = trails[at + 1] if at + 1 < len(trails) else None
        following = end if after is None or after.start_utc is None else after.start_utc
        off = after is not None and after.boot != trail.boot
        if not off and abs(following - end) <= JUMP_MS:
            end = following  # the clock drifts; they touch all the same
        base = trail.start_utc - trail.start_u
        busy: Stretch | None = None
        bounds = [*(base + span.uptime_ms for span in trail.spans), end]
        for span, (start, until) in zip(trail.spans, pairwise(bounds), strict=True):
            first_s, end_s = start // 1000, min(until, end) // 1000
            if first_s >= end_s:
                continue
            if not coarse or span.state not in _COARSE:
                if busy is not None:
                    yield busy
                    busy = None
                yield Stretch(first_s, end_s, span.state, span.reason, span.by)
            elif busy is None:
                busy = Stretch(first_s, end_s, BUSY)
            else:
                busy.end_s = end_s
        if busy is not None:
            yield busy
        if off and end // 1000 < following // 1000 and following - end <= LONGEST_MS:
            yield Stretch(end // 1000, following // 1000, "off")


def _flat(found: list[Stretch]) -> list[Stretch]:
    if all(one.end_s <= after.start_s for one, after in pairwise(found)):
        return found
    bounds = sorted({bound for one in found for bound in (one.start_s, one.end_s)})
    flat: list[Stretch] = []
    at, running = 0, list[Stretch]()
    for start, end in pairwise(bounds):
        running = [one for one in running if one.end_s > start]
        while at < len(found) and found[at].start_s <= start:
            running.append(found[at])
            at += 1
        if running:  # of equals the one that began last
            best = min(running, key=lambda one: (_RANK[one.state], -one.start_s, one.reason or ""))
            flat.append(Stretch(start, end, best.state, best.reason, best.by))
    return flat


def technical(
    tickets: Iterable[Ticket], trails: Sequence[Trail], within: Sequence[Stretch]
) -> list[tuple[int, int]]:
    """Seconds of her sessions in which a fault that she reported cost time; each one once."""
    return [(start, end) for start, end, _ in technical_by(tickets, trails, within)]


def technical_by(
    tickets: Iterable[Ticket], trails: Sequence[Trail], within: Sequence[Stretch]
) -> list[tuple[int, int, Ticket]]:
    """The same with the fault: of several at once the one that came first. In order. One counts
    from the press, or the end of the call in which it came, until it was resolved or rejected; one
    that is open, or was closed nobody knows when, to the end of the session in which she reported
    it.
    """
    faults = sorted(
        (*times, one.sequence, k, one)
        for k, one in enumerate(tickets)
        if one.kind == "fault" and (times := _technical(one, trails)) is not None
    )
    apart: list[tuple[int, int, Ticket]] = []
    for start, end, _, _, one in faults:
        start = max(start, apart[-1][1]) if apart else start
        if start < end:
            apart.append((start, end, one))
    return [
        (max(start, one.start_s), min(end, one.end_s), ticket)
        for start, end, ticket in apart
        for one in within
        if max(start, one.start_s) < min(end, one.end_s)
    ]


def _technical(ticket: Ticket, trails: Sequence[Trail]) -> tuple[int, int] | None:
    start = ticket.technical_utc
    if start is None:
        return None
    if ticket.closed_utc is not None:
        return start // 1000, max(start, ticket.closed_utc) // 1000
    if ticket.technical_ms is not None:
        return start // 1000, (start + ticket.technical_ms) // 1000
    place = ticket.station, ticket.epoch, ticket.sequence
    its = [one for one in trails if one.session[:2] == place[:2] and one.session <= place]
    session = max((one.session for one in its), default=None)
    ends = [end_of(one) for one in its if one.session == session and one.start_utc is not None]
    return start // 1000, max(ends, default=start) // 1000


def add(load: Load, one: Stretch, seconds: int) -> None:
    """Book so many seconds of it."""
    setattr(load, one.state, getattr(load, one.state) + seconds)
    if one.state == "not_ready":
        reason = one.reason or ""
        load.reasons[reason] = load.reasons.get(reason, 0) + seconds
        if one.by == "system":
            load.system[reason] = load.system.get(reason, 0) + seconds
