"""Help and fault events, worked into presses: who waited how long for whom, and how much of the
time was technical. An open one is in the state of its station; each change of it writes its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

from diadema.ingest.messages import Changes
from diadema.store.rows import Contact, Press
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None

_RETAINED = 8  # closed ones, for what is said of them later
_MOST = 32


def call_over(changes: Changes, state: StationState, c: str, event: Event, utc: Utc) -> None:
    """From here on a fault that was reported in that call is technical time, and help that nobody
    brought comes too late.
    """
    for press in state.presses:
        if press.contact == c and _waits(press) and press.over_b is None:
            press.over_b, press.over_u, press.over_utc = event.boot, event.uptime_ms, utc
            changes.press(press)
        waits = press.kind == "fault" and press.outcome == "open" and press.contact == c
        if waits and press.technical_b is None:
            _technical(press, event, utc)
            changes.press(press)


def _waits(press: Press) -> bool:
    """For help that nobody has brought."""
    return press.kind == "help" and press.outcome == "open" and press.accepted_b is None


def _begin(
    changes: Changes, state: StationState, event: Any, utc: Utc, kind: str, of: Any = None
) -> Press:
    """`of`: the press, where only what follows it is heard."""
    state.untimed |= utc is None
    e, n = (of[1], of[2]) if of else (event.epoch, event.sequence)
    press = Press(
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
        board=state.board or None,
        firmware=state.firmware or None,
    )
    state.presses.append(press)
    _forget(state.presses)
    changes.press(press)
    return press


def _forget(presses: list[Press]) -> None:
    """Closed ones that have their times, the oldest first; any, where there are far too many."""
    closed = [one for one in presses if one.outcome != "open" and None not in _hours(one)]
    for one in closed[: max(0, len(closed) - _RETAINED)]:
        presses.remove(one)
    del presses[: max(0, len(presses) - _MOST)]


def _hours(press: Press) -> tuple[Utc, Utc]:
    return press.open_utc, press.closed_utc


def _of(changes: Changes, state: StationState, event: Any, utc: Utc, kind: str) -> Press:
    """The press that the event is about."""
    state.untimed |= utc is None
    _, e, n = event.of
    for press in state.presses:
        if (press.epoch, press.sequence) == (e, n):
            changes.press(press)
            return press
    return _begin(changes, state, event, utc, kind, event.of)


def _requested(changes: Changes, state: StationState, event: ev.HelpRequested, utc: Utc) -> None:
    _begin(changes, state, event, utc, "help")


def _topic(changes: Changes, state: StationState, event: ev.HelpTopic, utc: Utc) -> None:
    _of(changes, state, event, utc, "help").topic = event.topic


def _reported(changes: Changes, state: StationState, event: ev.FaultReported, utc: Utc) -> None:
    if event.of:
        press = _of(changes, state, event, utc, "fault")
    else:
        press = _begin(changes, state, event, utc, "fault")
        call = _call_of(state, press.contact)
        if call is None:
            _technical(press, event, utc)
        else:
            call.details().fault = True
    press.area = event.area or press.area
    press.part = event.part or press.part


def _call_of(state: StationState, c: str | None) -> Contact | None:
    """The contact of that id, while the call itself goes on."""
    for contact in state.open:
        if contact.contact == c and contact.phase != "wrapup":
            return contact
    return None


def _technical(press: Press, event: Event, utc: Utc) -> None:
    press.technical_b, press.technical_u, press.technical_utc = event.boot, event.uptime_ms, utc


def _accepted(kind: str) -> Callable[[Changes, StationState, Any, Utc], None]:
    def take(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
        press = _of(changes, state, event, utc, kind)
        press.accepted_by = event.by
        if press.accepted_b is None:  # the wait ended when the first one came
            press.accepted_b, press.accepted_u, press.accepted_utc = (
                event.boot,
                event.uptime_ms,
                utc,
            )
            press.wait_ms = _between(
                (press.open_b, press.open_u, press.open_utc), (event.boot, event.uptime_ms, utc)
            )

    return take


def _closed(kind: str, outcome: str) -> Callable[[Changes, StationState, Any, Utc], None]:
    def take(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
        press = _of(changes, state, event, utc, kind)
        press.outcome = outcome
        press.closed_b, press.closed_u, press.closed_utc = event.boot, event.uptime_ms, utc
        press.closed_by = getattr(event, "by", None) or press.agent
        for name in ("result", "cause", "reason"):
            press.result = getattr(event, name, None) or press.result
        if press.technical_b is not None and press.technical_u is not None:
            start = press.technical_b, press.technical_u, press.technical_utc
            press.technical_ms = _between(start, (event.boot, event.uptime_ms, utc))
        elif kind == "fault":
            press.technical_ms = 0  # it was over before the call was

    return take


def _answered(kind: str) -> Callable[[Changes, StationState, Any, Utc], None]:
    def take(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
        press = _of(changes, state, event, utc, kind)
        press.answer, press.answer_utc = event.answer, utc

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
    ev.HelpRated: _answered("help"),
    ev.FaultReported: _reported,
    ev.FaultConfirmed: _answered("fault"),
    ev.FaultAccepted: _accepted("fault"),
    ev.FaultResolved: _closed("fault", "resolved"),
    ev.FaultRejected: _closed("fault", "rejected"),
}
