"""What happens within a call beside talk and hold: consults, transfers, a paused recording, who
hears it, and a switch that disagrees. Consult time is hold time, and is counted apart too.

What the agent declares of a call: the steps of its protocol, its motive, its code. A code may
come long after the call, and another one in its place.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest.contact_end import stop_hold
from diadema.ingest.contacts import find, go_on, known_closed
from diadema.ingest.messages import Changes
from diadema.store.rows import Contact, Listened, Step
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None

BLOCK_MS = 2_000  # ticks closer than this were made «en bloque»


def _consulted(
    changes: Changes, state: StationState, event: ev.ContactConsulted, utc: Utc
) -> None:
    contact = find(changes, state, event, utc)
    more = contact.details()
    if contact.phase != "consulting":
        more.consults += 1
    go_on(state, contact, "consulting")
    more.heard = event.heard or "area"
    if more.heard == "area":
        _wait(contact, event.uptime_ms)
        if more.consult_u is None:
            more.consult_u = event.uptime_ms
    else:
        stop_hold(contact, event.uptime_ms)


def _wait(contact: Contact, u: int) -> None:
    if contact.held_u is None:
        contact.held_u = u


def _consult_ended(
    changes: Changes, state: StationState, event: ev.ContactConsultEnded, utc: Utc
) -> None:
    """The agent is back with the caller, who waits on unless they spoke again already."""
    contact = find(changes, state, event, utc)
    more = contact.details()
    back = event.result == "back" or more.heard == "caller"
    more.heard = None
    if more.consult_u is not None:
        more.consult_ms += event.uptime_ms - more.consult_u
        more.consult_u = None
    if back:
        stop_hold(contact, event.uptime_ms)
        go_on(state, contact, "talking")
    else:
        _wait(contact, event.uptime_ms)
        go_on(state, contact, "held")


def _transferred(
    changes: Changes, state: StationState, event: ev.ContactTransferred, utc: Utc
) -> None:
    """The end of the call is its own event; a conference goes on, and all hear each other."""
    contact = find(changes, state, event, utc)
    more = contact.details()
    more.transfer, more.target, more.completed = event.kind, event.target, event.completed
    if event.kind == "conference" and event.completed:
        stop_hold(contact, event.uptime_ms)
        more.heard = "both"


def _paused(
    changes: Changes, state: StationState, event: ev.ContactRecordingPaused, utc: Utc
) -> None:
    more = find(changes, state, event, utc).details()
    if more.paused_u is None:
        more.pauses += 1
        more.paused_u = event.uptime_ms


def _recorded(
    changes: Changes, state: StationState, event: ev.ContactRecordingResumed, utc: Utc
) -> None:
    more = find(changes, state, event, utc).details()
    if more.paused_u is not None:
        more.paused_ms += event.uptime_ms - more.paused_u
        more.paused_u = None


def _listened(changes: Changes, state: StationState, event: ev.ContactListened, utc: Utc) -> None:
    """The same word twice is said once; where names were erased, each is somebody else."""
    listened = find(changes, state, event, utc).details().listened
    who = event.who or None
    known = next((one for one in listened if one.end_u is None and one.who == who), None)
    if event.state == "on" and (known is None or who is None):
        listened.append(Listened(who=who, boot=event.boot, start_u=event.uptime_ms))
    elif event.state == "off" and known is not None:
        known.end_u = event.uptime_ms


def _disagreed(
    changes: Changes, state: StationState, event: ev.ContactDisagreed, utc: Utc
) -> None:
    for contact in state.open:
        if contact.contact == event.contact:
            contact.details().disagreements += 1


def _step(changes: Changes, state: StationState, event: ev.ContactStep, utc: Utc) -> None:
    contact = find(changes, state, event, utc)
    steps = contact.details().steps
    method = event.method or None
    known = next((one for one in steps if one.step == event.step), None)
    if known is not None:  # how the identity was verified is asked after its tick
        known.method = method or known.method
        return
    new = Step(
        step=event.step,
        result=event.result,
        how=event.how,
        boot=event.boot,
        uptime_ms=event.uptime_ms,
        method=method,
    )
    if _ticked(new):
        before = next((one for one in reversed(steps) if _ticked(one)), None)
        if (
            before is not None
            and before.boot == new.boot
            and new.uptime_ms - before.uptime_ms < BLOCK_MS
        ):
            before.block = new.block = True
        new.block |= contact.phase in ("wrapup", "closed")
    steps.append(new)


def _ticked(step: Step) -> bool:
    """By the key of the agent; what is left out or comes by itself is no tick."""
    return step.how == "key" and step.result == "done"


def _motive(changes: Changes, state: StationState, event: ev.ContactMotive, utc: Utc) -> None:
    more = find(changes, state, event, utc).details()
    more.motive, more.motive_version = event.motive, str(event.version)


def _playbook(changes: Changes, state: StationState, event: ev.ContactPlaybook, utc: Utc) -> None:
    more = find(changes, state, event, utc).details()
    more.playbook, more.playbook_version = event.playbook, str(event.version)


def _typified(changes: Changes, state: StationState, event: ev.ContactTypified, utc: Utc) -> None:
    running = state.open
    contact = (
        running[0]
        if running and running[0].contact == event.contact
        else _coded(changes, state, event)
    )
    if contact is None:
        if running:  # it is of another call, whose events are lost
            return
        contact = find(changes, state, event, utc)
    contact.code, contact.version, contact.how = event.code, str(event.version), event.how


def _retypified(
    changes: Changes, state: StationState, event: ev.ContactRetypified, utc: Utc
) -> None:
    contact = _coded(changes, state, event)
    if contact is not None:
        if contact.code != event.code:
            contact.details().author = event.author
        contact.code, contact.version, contact.how = event.code, str(event.version), "agent"


def _coded(changes: Changes, state: StationState, event: Any) -> Contact | None:
    for contact in state.open:
        if contact.contact == event.contact:
            return contact
    over = known_closed(changes, state, event.contact)
    if over is None:
        over = changes.older_contact(event.station, event.epoch, event.sequence, event.contact)
        if over is not None:
            changes.contact(over)
    return over


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.ContactConsulted: _consulted,
    ev.ContactConsultEnded: _consult_ended,
    ev.ContactTransferred: _transferred,
    ev.ContactRecordingPaused: _paused,
    ev.ContactRecordingResumed: _recorded,
    ev.ContactListened: _listened,
    ev.ContactDisagreed: _disagreed,
    ev.ContactStep: _step,
    ev.ContactMotive: _motive,
    ev.ContactPlaybook: _playbook,
    ev.ContactTypified: _typified,
    ev.ContactRetypified: _retypified,
}
