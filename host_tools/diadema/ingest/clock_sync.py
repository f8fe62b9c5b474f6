"""Gives each boot its clock, and with it an hour to what happened there: at once, or, marked late,
when an anchor comes. A boot that ends without one waits for the next boot that has one.
"""

from diadema.ingest.messages import Changes
from diadema.ingest.state_intervals import clock_set
from diadema.ingest.time_window import FIRST_MS
from diadema.store.station_state import BOOTS_LIMIT, UNTOLD_MS, Adrift, StationState, between
from diadema.wire.events import Event, StationClock


def end_boot(state: StationState) -> None:
    """The boot is over; one without an hour is kept, for its length and what lacks its hour."""
    if state.offset is not None:
        state.sure_utc = state.newest_utc
        state.sure_ms = state.clock.uncertainty_at(state.uptime_ms)
    elif not state.is_new:
        b = state.boot if state.untimed else 0
        last = state.adrift[-1] if state.adrift else None
        if last is not None and not b and not last.boot:
            last.ms += state.uptime_ms
        else:
            state.adrift.append(Adrift(state.epoch, b, state.uptime_ms))
        if len(state.adrift) > BOOTS_LIMIT:
            del state.adrift[0]
    state.offset, state.untimed, state.clock = None, False, state.clock.next_boot()


def utc_before_anchor(changes: Changes, state: StationState, event: Event) -> int | None:
    """UTC of an event of a boot without an anchor: its own `t`. By that the boot has its time too:
    the anchor that gave it to the station is lost.
    """
    if event.utc_ms is None:
        state.untimed |= isinstance(getattr(event, "agent", None), str)
    elif type(event) is not StationClock:
        _anchor(changes, state, event, event.utc_ms, "event", UNTOLD_MS)
    return event.utc_ms


def take_anchor(changes: Changes, state: StationState, event: StationClock) -> None:
    _anchor(changes, state, event, event.utc, event.source, event.uncertainty_ms)
    state.newest_utc = event.utc


def _anchor(
    changes: Changes, state: StationState, event: Event, utc: int, source: str, doubt: int
) -> None:
    clock, first = state.clock, state.offset is None
    jump = clock.anchor(event.uptime_ms, utc, source, doubt)
    changes.anchor(event.station, event.epoch, event.boot, clock, jump)
    state.offset = utc - event.uptime_ms
    if jump is not None:
        clock_set(changes, state, event)
    if not first:
        return
    clocks = {(event.epoch, event.boot): clock}
    if state.adrift and state.sure_utc is not None:
        uncertainty_ms = max(state.sure_ms, clock.uncertainty_at(0))
        found = between(state.adrift, state.sure_utc, clock.utc_at(0), uncertainty_ms)
        for boot, its in zip(state.adrift, found, strict=True):
            if boot.boot and its.utc >= FIRST_MS:
                clocks[boot.epoch, boot.boot] = its
                changes.anchor(event.station, boot.epoch, boot.boot, its, None)
    state.adrift.clear()
    changes.place(event.station, state, clocks)
