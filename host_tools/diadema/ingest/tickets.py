"""Works what the host does about presses into rows: steps of help, and tickets, which adopt
reports of faults. An open ticket is in the state of its hub; each change of it writes its row.
What a station says of such things is kept and never worked in.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import astuple

from diadema.ingest.messages import Changes
from diadema.store import tables
from diadema.store.host_rows import HelpStep, TicketStep
from diadema.store.rows import Ticket
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event
from diadema.wire.letters import tag_of

_RETAINED = 64  # closed ones, which may be opened again


def _given(event: Event, *names: str) -> dict[str, Any]:
    """Those of its fields that it has."""
    found = {name: getattr(event, name, UNSET) for name in names}
    return {name: value for name, value in found.items() if value is not UNSET}


def _key(event: Event) -> dict[str, Any]:
    kind = tag_of(type(event)).rpartition(".")[2]
    return {"kind": kind, **_given(event, "station", "epoch", "sequence", "by")} | {
        "utc": event.utc_ms
    }


def _of(event: Any) -> dict[str, Any]:
    """The press that it is about."""
    of = getattr(event, "of", None) or None
    return dict(zip(("of_s", "of_e", "of_n"), of, strict=True)) if of else {}


def _helped(changes: Changes, state: StationState, event: Any) -> None:
    more = _given(event, "reason", "level", "gap", "playbook", "text", "part", "parts", "sha256")
    version = _given(event, "version").get("version")
    step = HelpStep(
        **_key(event),
        **_of(event),
        **more,
        assignee=getattr(event, "to", None),
        version=None if version is None else str(version),
    )
    changes.keep(tables.help_steps, astuple(step))


def _ticketed(changes: Changes, state: StationState, event: Any) -> None:
    names = ["ticket", "area", "severity", "reason", "cause", "fix", "outcome", "external"]
    if isinstance(event, ev.TicketNoted):
        names += ["text", "part", "parts", "sha256"]
    step = TicketStep(
        **_key(event),
        **_of(event),
        **_given(event, *names),
        due_utc=getattr(event, "due", None) or None,
        assignee=getattr(event, "to", None),
    )
    changes.keep(tables.ticket_steps, astuple(step))
    ticket = _ticket(state, event)
    _STEPS[type(event)](ticket, event)
    changes.ticket(ticket)
    _forget(state)


def _ticket(state: StationState, event: Any) -> Ticket:
    for ticket in state.tickets:
        if ticket.ticket == event.ticket:
            return ticket
    ticket = Ticket(
        **_given(event, "ticket", "station", "epoch", "sequence", "by"),
        utc=event.utc_ms,
        estimated=not isinstance(event, ev.TicketOpened),
    )
    state.tickets.append(ticket)
    return ticket


def _forget(state: StationState) -> None:
    """The closed ones, the oldest first."""
    closed = [one for one in state.tickets if one.state == "closed"]
    for one in closed[: max(0, len(closed) - _RETAINED)]:
        state.tickets.remove(one)


def _opened(ticket: Ticket, event: ev.TicketOpened) -> None:
    ticket.area, ticket.severity, ticket.title = event.area, event.severity, event.title
    ticket.part = event.part or None
    ticket.seats = "\n".join(event.seats or ())
    for name, value in _of(event).items():
        setattr(ticket, name, value)
    ticket.accept_due_utc = event.due or None


def _linked(ticket: Ticket, event: ev.TicketLinked) -> None:
    """Its reports are among the steps."""


def _taken(ticket: Ticket, event: ev.TicketTaken) -> None:
    """The first one who takes it ends the wait."""
    ticket.state, ticket.assignee = "taken", event.to
    if ticket.taken_utc is None:
        ticket.taken_by, ticket.taken_utc = event.by, event.utc_ms
    ticket.solve_due_utc = event.due or ticket.solve_due_utc
    ticket.external = event.external or ticket.external


def _changed(ticket: Ticket, event: ev.TicketChanged) -> None:
    ticket.severity = event.severity or ticket.severity
    ticket.area = event.area or ticket.area
    ticket.part = event.part or ticket.part
    if event.due:
        if ticket.state == "open":
            ticket.accept_due_utc = event.due
        else:
            ticket.solve_due_utc = event.due
    ticket.external = event.external or ticket.external


def _noted(ticket: Ticket, event: ev.TicketNoted) -> None:
    """The text is among the steps."""


def _resolved(ticket: Ticket, event: ev.TicketResolved) -> None:
    ticket.state, ticket.cause, ticket.fix = "resolved", event.cause, event.fix or None
    ticket.resolved_by, ticket.resolved_utc = event.by, event.utc_ms


def _reopened(ticket: Ticket, event: ev.TicketReopened) -> None:
    ticket.state = "taken" if ticket.taken_utc is not None else "open"
    ticket.reopened += 1
    ticket.reopened_utc = event.utc_ms
    ticket.resolved_by = ticket.resolved_utc = ticket.cause = ticket.fix = None
    ticket.outcome = ticket.closed_by = ticket.closed_utc = None
    if event.due:
        ticket.solve_due_utc = event.due


def _closed(ticket: Ticket, event: ev.TicketClosed) -> None:
    ticket.state, ticket.outcome = "closed", event.outcome
    ticket.closed_by, ticket.closed_utc = event.by, event.utc_ms
    ticket.reason, ticket.other = event.reason or None, event.other or None
    ticket.external = event.external or ticket.external


_STEPS: Mapping[type[Event], Callable[[Ticket, Any], None]] = {
    ev.TicketOpened: _opened,
    ev.TicketLinked: _linked,
    ev.TicketTaken: _taken,
    ev.TicketChanged: _changed,
    ev.TicketNoted: _noted,
    ev.TicketResolved: _resolved,
    ev.TicketReopened: _reopened,
    ev.TicketClosed: _closed,
}
HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any], None]] = {
    **dict.fromkeys((ev.HelpAssigned, ev.HelpEscalated, ev.HelpNoted), _helped),
    **dict.fromkeys(_STEPS, _ticketed),
}
