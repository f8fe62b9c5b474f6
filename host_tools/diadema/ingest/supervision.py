"""Works the hub's own events into rows: actions, corrections of attendance, messages; and what
stations tell of messages. What a station says of such things is kept and never worked in.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import astuple

from diadema.ingest import quality, tickets
from diadema.ingest.messages import Changes
from diadema.store import tables
from diadema.store.chain import correction_link
from diadema.store.host_rows import Act, Choice, Inspection, Receipt, Sent
from diadema.store.record_heads import FIRST
from diadema.store.rows import HUB
from diadema.store.station_state import StationState
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None


def project(changes: Changes, state: StationState, event: Any) -> None:
    if event.station.startswith(HUB):
        state.epoch, state.newest_utc = event.epoch, event.utc_ms
        HANDLERS[type(event)](changes, state, event)


def _acted(changes: Changes, state: StationState, event: ev.SupervisionActed) -> None:
    of = event.of or (None, None, None)
    act = Act(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        utc=event.utc_ms,
        by=event.by,
        who=event.who or None,
        action=event.action,
        agent=event.agent or None,
        contact=event.contact or None,
        reason=event.reason or None,
        note=event.note or None,
        target=event.target or None,
        command=event.command or None,
        of_s=of[0],
        of_e=of[1],
        of_n=of[2],
        m=event.m or None,
        state=event.state or None,
        seat=event.seat or None,
        kind=event.kind or None,
        rule=event.rule or None,
        since_utc=None if event.since is UNSET else event.since,
    )
    changes.keep(tables.acts, astuple(act))


def _corrected(changes: Changes, state: StationState, event: ev.AttendanceCorrected) -> None:
    content = event.direction, event.time, None
    _amend(changes, state, event, "corrected", content)


def _justified(changes: Changes, state: StationState, event: ev.AttendanceJustified) -> None:
    time = None if event.time is UNSET else event.time
    _amend(changes, state, event, "justified", (None, time, event.day or None))


def _amend(
    changes: Changes,
    state: StationState,
    event: Any,
    kind: str,
    change: tuple[str | None, int | None, str | None],
) -> None:
    """The next link of this hub's chain: none can be changed, taken out or put in without all
    that follow being others.
    """
    of = event.of or (None, None, None)
    state.amended += 1
    content = (
        event.station, event.epoch, event.sequence, event.utc_ms, event.by, kind,
        event.agent, *of, *change,
        event.reason, event.evidence or None,
    )  # fmt: skip
    state.amendments = correction_link(state.amendments or FIRST, state.amended, content)
    changes.keep(tables.corrections, (*content, state.amended, state.amendments))


def _sent(changes: Changes, state: StationState, event: ev.MessageSent) -> None:
    row = Sent(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        utc=event.utc_ms,
        by=event.by,
        m=event.m,
        agent=event.agent,
        text=event.text,
        sign=event.sign,
        target=event.target,
        command=event.command,
    )
    changes.keep(tables.messages, astuple(row))


def _inspected(changes: Changes, state: StationState, event: ev.StationInspected) -> None:
    of = event.of
    row = Inspection(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        utc=event.utc_ms,
        by=event.by,
        seat=event.seat or None,
        board=event.board,
        firmware=event.firmware,
        fit=event.fit,
        of_s=of[0],
        of_e=of[1],
        of_n=of[2],
        signature=event.signature,
    )
    changes.keep(tables.inspections, astuple(row))


def _published(changes: Changes, state: StationState, event: Event) -> None:
    """What was published lies where it was made; the event says that it was."""


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any], None]] = {
    ev.SupervisionActed: _acted,
    ev.AttendanceCorrected: _corrected,
    ev.AttendanceJustified: _justified,
    ev.MessageSent: _sent,
    ev.StationInspected: _inspected,
    ev.SchedulePublished: _published,
    ev.CataloguePublished: _published,
    **tickets.HANDLERS,
    **quality.HANDLERS,
}


def _receipt(changes: Changes, state: StationState, event: Any, utc: Utc) -> None:
    row = Receipt(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        m=event.m,
        agent=event.agent or None,
        answer=_answer(event),
        how=getattr(event, "how", None) or None,
        boot=event.boot,
        uptime_ms=event.uptime_ms,
        utc=utc,
    )
    changes.keep(tables.receipts, astuple(row))


def _answer(event: Any) -> str | None:
    """Null where it was only shown."""
    return (event.answer or "read") if isinstance(event, ev.MessageAcknowledged) else None


def _pin(changes: Changes, state: StationState, event: ev.PinChosen, utc: Utc) -> None:
    row = Choice(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        agent=event.agent,
        until_s=event.until,
        sealed=event.verifier,
        utc=utc,
    )
    changes.keep(tables.pin_choices, astuple(row))


OF_STATIONS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.MessageShown: _receipt,
    ev.MessageAcknowledged: _receipt,
    ev.PinChosen: _pin,
}
