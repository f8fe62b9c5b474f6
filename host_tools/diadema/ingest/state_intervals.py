"""Works what is shown of an agent, from second to second, into trails (see `store.rows.Trail`).

A clock that runs backwards within a boot moves nothing back: the time goes on at the latest `u`.
"""

from diadema.ingest.messages import Changes
from diadema.store.rows import Contact, Session, Span, Trail
from diadema.store.station_state import StationState, foremost
from diadema.wire.agent_states import IN_CALL
from diadema.wire.events import Event

MOST = 32  # spans, twice that in a call: what is running is written with each batch
_ENOUGH = 16  # spans, or this age, of one that ends with its contact: fewer rows, few of them long
_OLD_MS = 1_800_000


def follow(changes: Changes, state: StationState, event: Event, utc: int | None) -> None:
    """Since `event` this is shown: the one rule for floor, timeline and reports."""
    session = state.session
    reason = by = who = c = None
    if session is None:
        what = "logged_out"
    elif running := state.open:
        contact = running[0] if len(running) == 1 else foremost(running)
        what, c = _work(contact), contact.contact
    else:
        what, reason, by, who = state.presence, state.reason, state.by, state.who
    u = event.uptime_ms
    if what != state.shown or reason != state.shown_reason:
        state.shown, state.shown_reason = what, reason
        state.shown_b, state.shown_u, state.shown_utc = event.boot, u, utc
    if session is None:
        return
    trail = state.trail
    if trail is None:
        span = Span(u, what, reason, by, who, c)
        state.trail = _begin(state, session, event, u, utc, span)
        return
    spans = trail.spans
    last = spans[-1]
    if (
        last.state == what
        and last.contact == c
        and last.reason == reason
        and last.by == by
        and last.who == who
    ):
        return
    latest = last.uptime_ms
    if u <= latest:
        _at_once(trail, Span(latest, what, reason, by, who, c))
        return
    span = Span(u, what, reason, by, who, c)
    count, ends = len(spans), last.contact is not None and last.contact != c
    within = last.contact is not None and not ends  # a call's: `never_talked` may take it back
    full = count >= (2 * MOST if within else MOST)
    if full or (ends and (count >= _ENOUGH or u - trail.start_u >= _OLD_MS)):
        _write(changes, trail, u)
        state.trail = _begin(state, session, event, u, utc, span)
    else:
        spans.append(span)


def _work(contact: Contact) -> str:
    """Who hears the caller talks, also between two words with another area, or with both."""
    heard = contact.more.heard if contact.more is not None else None
    talks = contact.phase == "consulting" and heard in ("caller", "both")
    return "talking" if talks else contact.phase


def never_talked(state: StationState, contact: Contact) -> None:
    """From its answer on the agent waited for a telephone that was not there: that is técnica."""
    spans = state.trail.spans if state.trail is not None else []
    at = len(spans)
    while at and spans[at - 1].contact == contact.contact and spans[at - 1].state in IN_CALL:
        at -= 1
    if at < len(spans):
        technical = Span(spans[at].uptime_ms, "not_ready", "fault", "system", None, None)
        goes_on = at > 0 and _same(spans[at - 1], technical)
        spans[at:] = [] if goes_on else [technical]


def _at_once(trail: Trail, span: Span) -> None:
    """Instead of what took no time, which was not."""
    spans = trail.spans
    spans.pop()
    if not spans or not _same(spans[-1], span):
        spans.append(span)


def break_off(changes: Changes, state: StationState, u: int, *, over: bool = False) -> None:
    """The boot ends, or the session (`over`); `u` of the trail's boot."""
    trail = state.trail
    if trail is not None:
        state.trail = None
        trail.over = over
        _end(trail, max(u, trail.spans[-1].uptime_ms))
        changes.trail(trail)


def clock_set(changes: Changes, state: StationState, event: Event) -> None:
    """From here on the hours are others."""
    trail = state.trail
    if trail is None or state.session is None:
        return
    last = trail.spans[-1]
    u = max(event.uptime_ms, last.uptime_ms)
    if u == trail.start_u:
        trail.start_utc = state.clock.utc_at(u)
        return
    span = Span(u, last.state, last.reason, last.by, last.who, last.contact)
    _write(changes, trail, u)
    utc = state.clock.utc_at(event.uptime_ms)
    state.trail = _begin(state, state.session, event, u, utc, span)


def _begin(
    state: StationState, session: Session, event: Event, u: int, utc: int | None, span: Span
) -> Trail:
    """`utc`: of the event; `u` is later where the clock ran backwards."""
    if utc is None:
        state.untimed = True
    return Trail(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        agent=session.agent,
        session=(session.station, session.epoch, session.sequence),
        boot=event.boot,
        start_u=u,
        start_utc=None if utc is None else utc + u - event.uptime_ms,
        end_u=u,
        spans=[span],
    )


def _same(one: Span, other: Span) -> bool:
    return (one.state, one.reason, one.by, one.who, one.contact) == (
        other.state,
        other.reason,
        other.by,
        other.who,
        other.contact,
    )


def _write(changes: Changes, trail: Trail, u: int) -> None:
    """It ended at `u`, in the middle of a boot. One that took no time is kept only where it begins
    a session, as `break_off` keeps the one that ends a boot or a session: what lies without power
    between two of them is time of the session too.
    """
    _end(trail, u)
    if trail.spans or trail.session == (trail.station, trail.epoch, trail.sequence):
        changes.trail(trail)


def _end(trail: Trail, u: int) -> None:
    spans = trail.spans
    while spans and spans[-1].uptime_ms >= u:
        spans.pop()
    trail.end_u = u
    if trail.start_utc is not None:
        trail.end_utc = trail.start_utc + u - trail.start_u
