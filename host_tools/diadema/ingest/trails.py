"""Works what is shown of an agent, from second to second, into trails (see `store.rows.Trail`).

A clock that runs backwards within a boot moves nothing back: the time goes on at the latest `u`.
"""

from diadema.events import Event
from diadema.ingest.changes import Changes
from diadema.ingest.state import StationState
from diadema.store.rows import Session, Span, Trail

MOST = 32  # spans: what is running is written with each batch


def follow(
    changes: Changes,
    state: StationState,
    session: Session,
    event: Event,
    utc: int | None,
    shown: tuple[str, str | None, str | None],
) -> None:
    """Since `event` this is shown of whoever is logged in: state, reason, deciding contact."""
    what, reason, c = shown
    trail, u = state.trail, event.u
    if trail is None:
        state.trail = _begin(state, session, event, u, utc, _span(state, u, shown))
        return
    spans = trail.spans
    last = spans[-1]
    if last.state == what and last.c == c:
        if c is not None:
            return
        if last.reason == reason and last.by == state.by and last.who == state.who:
            return
    if u < last.u:
        u = last.u
    span = Span(u, what, c=c) if c is not None else Span(u, what, reason, state.by, state.who)
    if u == trail.start_u:
        spans[0] = span
    elif u == last.u:  # what took no time was not
        spans.pop()
        if not _same(spans[-1], span):
            spans.append(span)
    elif (last.c is not None and last.c != c) or len(spans) >= MOST:
        _write(changes, trail, u)
        state.trail = _begin(state, session, event, u, utc, span)
    else:
        spans.append(span)


def break_off(changes: Changes, state: StationState, u: int, *, over: bool = False) -> None:
    """The boot ends, or the session (`over`); `u` of the trail's boot."""
    trail = state.trail
    if trail is not None:
        state.trail = None
        trail.over = over
        _write(changes, trail, max(u, trail.spans[-1].u))


def clock_set(changes: Changes, state: StationState, event: Event) -> None:
    """From here on the hours are others."""
    trail = state.trail
    if trail is None or state.session is None:
        return
    last = trail.spans[-1]
    u = max(event.u, last.u)
    if u == trail.start_u:
        trail.start_utc = state.clock.utc_at(u)
        return
    span = Span(u, last.state, last.reason, last.by, last.who, last.c)
    _write(changes, trail, u)
    utc = state.clock.utc_at(event.u)
    state.trail = _begin(state, state.session, event, u, utc, span)


def _begin(
    state: StationState, session: Session, event: Event, u: int, utc: int | None, span: Span
) -> Trail:
    """`utc`: of the event; `u` is later where the clock ran backwards."""
    if utc is None:
        state.hourless = True
    return Trail(
        s=event.s,
        e=event.e,
        n=event.n,
        a=session.a,
        session=(session.s, session.e, session.n),
        b=event.b,
        start_u=u,
        start_utc=None if utc is None else utc + u - event.u,
        end_u=u,
        spans=[span],
    )


def _span(state: StationState, u: int, shown: tuple[str, str | None, str | None]) -> Span:
    what, reason, c = shown
    if c is not None:
        return Span(u, what, None, None, None, c)
    return Span(u, what, reason, state.by, state.who)


def _same(one: Span, other: Span) -> bool:
    return (one.state, one.reason, one.by, one.who, one.c) == (
        other.state,
        other.reason,
        other.by,
        other.who,
        other.c,
    )


def _write(changes: Changes, trail: Trail, u: int) -> None:
    """It ended at `u`. One that took no time is kept only where it ends a session."""
    spans = trail.spans
    while spans and spans[-1].u >= u:
        spans.pop()
    trail.end_u = u
    if trail.start_utc is not None:
        trail.end_utc = trail.start_utc + u - trail.start_u
    if spans or trail.over:
        changes.trail(trail)
