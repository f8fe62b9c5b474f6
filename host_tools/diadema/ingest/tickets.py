"""Help and fault events, worked into tickets: who waited how long for whom, and how much of the
time was technical. An open one is in the state of its station; each change of it writes its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest.messages import Changes
from diadema.store.rows import Contact, Ticket
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None

_RETAINED = 8  # closed ones, for what is said of them later
_MOST = 32


def call_over(changes: Changes, state: StationState, c: str, event: Event, utc: Utc) -> None:
    """From here on a fault that was reported in that call is technical time."""
    for ticket in state.tickets:
        waits = ticket.kind == "fault" and ticket.outcome == "open" and ticket.contact == c
        if waits and ticket.technical_b is None:
            _technical(ticket, event, utc)
            changes.ticket(ticket)


def _begin(
    changes: Changes, state: StationState, event: Any, utc: Utc, kind: str, of: Any = None
) -> Ticket:
    """`of`: the press, where only what follows it is heard."""
    state.untimed |= utc is None
    e, n = (of[1], of[2]) if of else (event.epoch, event.sequence)
    ticket = Ticket(
        station=event.station,
        epoch=e,
        sequence=n,
        kind=kind,
        agent=event.agent or (state.session.agent if state.session else None),
        contact=event.contact or None,
        open_b=event.boot,
        open_u=event.uptime_ms,
        open_utc=utc,
        estimated=of is not None,
    )
    state.tickets.append(ticket)
    _forget(state.tickets)
    changes.ticket(ticket)
    return ticket


def _forget(tickets: list[Ticket]) -> None:
    """Closed ones that have their times, the oldest first; any, where there are far too many."""
    closed = [one for one in tickets if one.outcome != "open" and None not in _hours(one)]
    for one in closed[: max(0, len(closed) - _RETAINED)]:
        tickets.remove(one)
    del tickets[: max(0, len(tickets) - _MOST)]


def _hours(ticket: Ticket) -> tuple[Utc, Utc]:
    return ticket.open_utc, ticket.closed_utc


def _of(changes: Changes, state: StationState, event: Any, utc: Utc, kind: str) -> Ticket:
    """The ticket that the event is about."""
    state.untimed |= utc is None
    _, e, n = event.of
    for ticket in state.tickets:
        if (ticket.epoch, ticket.sequence) == (e, n):
            changes.ticket(ticket)
            return ticket
    return _begin(changes, state, event, utc, kind, event.of)


def _requested(changes: Changes, state: StationState, event: ev.HelpRequested, utc: Utc) -> None:
    _begin(changes, state, event, utc, "help")


def _topic(changes: Changes, state: StationState, event: ev.HelpTopic, utc: Utc) -> None:
    _of(changes, state, event, utc, "help").topic = event.topic


def _reported(changes: Changes, state: StationState, event: ev.FaultReported, utc: Utc) -> None:
    if event.of:
        ticket = _of(changes, state, event, utc, "fault")
    else:
        ticket = _begin(changes, state, event, utc, "fault")
        call = _call_of(state, ticket.contact)
        if call is None:
            _technical(ticket, event, utc)
        else:
            call.details().fault = True
    ticket.area = event.area or ticket.area
    ticket.part = event.part or ticket.part


def _call_of(state: StationState, c: str | None) -> Contact | None:
    """The contact of that id, while the call itself goes on."""
    for contact in state.open:
        if contact.contact == c and contact.phase != "wrapup":
            return contact
    return None


def _technical(ticket: Ticket, event: Event, utc: Utc) -> None:
    ticket.technical_b, ticket.technical_u, ticket.technical_utc = event.boot, event.uptime_ms, utc


def _accepted(kind: str) -> Callable[[Changes, StationState, Any, Utc], None]:
    def take(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
        ticket = _of(changes, state, event, utc, kind)
        ticket.accepted_by = event.by
        if ticket.accepted_b is None:  # the wait ended when the first one came
            ticket.accepted_b, ticket.accepted_u, ticket.accepted_utc = (
                event.boot,
                event.uptime_ms,
                utc,
            )
            ticket.wait_ms = _between(
                (ticket.open_b, ticket.open_u, ticket.open_utc), (event.boot, event.uptime_ms, utc)
            )

    return take


def _closed(kind: str, outcome: str) -> Callable[[Changes, StationState, Any, Utc], None]:
    def take(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
        ticket = _of(changes, state, event, utc, kind)
        ticket.outcome = outcome
        ticket.closed_b, ticket.closed_u, ticket.closed_utc = event.boot, event.uptime_ms, utc
        ticket.closed_by = getattr(event, "by", None) or ticket.agent
        for name in ("result", "cause", "reason"):
            ticket.result = getattr(event, name, None) or ticket.result
        if ticket.technical_b is not None and ticket.technical_u is not None:
            start = ticket.technical_b, ticket.technical_u, ticket.technical_utc
            ticket.technical_ms = _between(start, (event.boot, event.uptime_ms, utc))
        elif kind == "fault":
            ticket.technical_ms = 0  # it was over before the call was

    return take


def _between(start: tuple[int, int, Utc], end: tuple[int, int, Utc]) -> int | None:
    """Milliseconds: the station's own within one boot, else by the times."""
    if start[0] == end[0]:
        return end[1] - start[1]
    return None if start[2] is None or end[2] is None else max(end[2] - start[2], 0)


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.HelpRequested: _requested,
    ev.HelpTopic: _topic,
    ev.HelpAccepted: _accepted("help"),
    ev.HelpCancelled: _closed("help", "cancelled"),
    ev.HelpResolved: _closed("help", "resolved"),
    ev.FaultReported: _reported,
    ev.FaultAccepted: _accepted("fault"),
    ev.FaultResolved: _closed("fault", "resolved"),
    ev.FaultRejected: _closed("fault", "rejected"),
}
