"""What stations tell of new programs: how far one is, and how it ended."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import astuple

from diadema.ingest.messages import Changes
from diadema.store import tables
from diadema.store.station_state import StationState
from diadema.store.update_rows import Step
from diadema.wire import events as ev
from diadema.wire.events import Event

type Utc = int | None


def _told(changes: Changes, state: StationState, event: ev.StationUpdate, utc: Utc) -> None:
    _keep(changes, event, event.phase, utc)


def _refused(changes: Changes, state: StationState, event: ev.CommandRefused, utc: Utc) -> None:
    """By a program that knows no updates."""
    if event.command == "update":
        _keep(changes, event, "refused", utc)


def _keep(changes: Changes, event: Any, phase: str, utc: Utc) -> None:
    step = Step(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        phase=phase,
        version=getattr(event, "version", None) or None,
        next=getattr(event, "next", None) or None,
        reason=event.reason or None,
        detail=event.detail or None,
        i=None if event.i is UNSET else event.i,
        boot=event.boot,
        uptime_ms=event.uptime_ms,
        utc=utc,
    )
    changes.keep(tables.updates, astuple(step))
    changes.updates.append(step)


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.StationUpdate: _told,
    ev.CommandRefused: _refused,
}
