"""Works the switch's events into its calls. An event that nothing led up to makes its call all the
same, marked as estimated; what a station says of a queue is kept and never worked in. So is what
the switch tells of recordings.

A call goes on in the switch's next log (they are rotated). Logs lose ends: whoever is open for a
day, or of too many the longest, is no longer waited for, and stays open in its row.

How the queues stand now, by the switches whose logs are followed: for the floor.

Flow is that of the running half-hour at the site, booked as in the reports; who waits is counted
whenever that was. Nobody waits here who has for hours: the end was lost.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UnsetType
from msgspec.structs import astuple

from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.ingest.messages import Changes
from diadema.metrics.intervals import HALF_HOUR_S, Intervals
from diadema.metrics.queue import Flow, service_level
from diadema.site.description import Site
from diadema.site.directory.people import People
from diadema.site.directory.people_of import CachedPeople, day_at
from diadema.store import Reader, tables
from diadema.store.rows import SWITCH, QueueCall, QueueRing
from diadema.store.station_state import Station, StationState
from diadema.wire import events as ev
from diadema.wire.events import Event, Maybe, QueueEvent
from diadema.wire.live_rows import SHORT_S, Queues, Waiting

_DAY_MS = 86_400_000
_OPEN = 5_000  # calls of one switch


def project(changes: Changes, state: StationState, event: Any) -> None:
    if not event.station.startswith(SWITCH):
        return
    if event.epoch != state.epoch or len(state.calls) > _OPEN:
        state.epoch = event.epoch
        _forget(state, event.utc_ms - _DAY_MS)
    if isinstance(event, ev.RecordingEvent):
        return
    if isinstance(event, ev.QueueOffered):
        changes.keep(tables.queue_rings, astuple(_ring(event)))
        if _key(event) not in state.calls:  # it says nothing of how the caller fared
            return
    changes.queue_call(HANDLERS[type(event)](state, event))


def _ring(event: ev.QueueOffered) -> QueueRing:
    return QueueRing(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        pbx=event.pbx,
        queue=event.queue,
        agent=event.pbx_agent,
        utc=event.utc_ms,
        ring_ms=_given(event.ring_ms),
        withdrawn=event.cause == "withdrawn",
    )


def _forget(state: StationState, before: int) -> None:
    recent = [(key, call) for key, call in state.calls.items() if call.start_utc >= before]
    state.calls = dict(recent[-_OPEN // 2 :] if len(recent) > _OPEN else recent)


def _entered(state: StationState, event: ev.QueueEntered) -> QueueCall:
    call = _begin(state, event, event.utc_ms)
    call.reference = event.reference or None
    return call


def _offered(state: StationState, event: ev.QueueOffered) -> QueueCall:
    call = _find(state, event, event.utc_ms)
    call.offers += 1
    return call


def _connected(state: StationState, event: ev.QueueConnected) -> QueueCall:
    call = _find(state, event, event.utc_ms - event.wait_ms)
    if call.connected_utc is not None:
        call.estimated = True
        return call
    call.outcome, call.agent = "answered", event.pbx_agent
    call.connected_utc, call.wait_ms = event.utc_ms, event.wait_ms
    call.ring_ms = _given(event.ring_ms)
    call.estimated |= event.estimated
    return call


def _abandoned(state: StationState, event: ev.QueueAbandoned) -> QueueCall:
    call = _end(state, event, event.utc_ms - event.wait_ms)
    call.outcome, call.wait_ms = "abandoned", event.wait_ms
    return call


def _left(state: StationState, event: ev.QueueLeft) -> QueueCall:
    alone = _key(event) not in state.calls
    wait_ms, talk_ms = _given(event.wait_ms), _given(event.talk_ms)
    call = _end(state, event, event.utc_ms - (wait_ms or 0) - (talk_ms or 0))
    if alone and event.cause in ("before_queue", "phantom"):
        call.entered = call.estimated = False
    if call.outcome == "waiting":
        call.outcome, call.wait_ms = "left", wait_ms
        if talk_ms is not None:  # only its end says that it was answered
            call.outcome, call.agent = "answered", event.pbx_agent or None
            call.connected_utc, call.estimated = event.utc_ms - talk_ms, True
    call.cause, call.ended_by = event.cause, event.by or None
    call.talk_ms, call.transfer = talk_ms, event.transfer or None
    call.estimated |= event.estimated
    return call


HANDLERS: Mapping[type[Event], Callable[[StationState, Any], QueueCall]] = {
    ev.QueueEntered: _entered,
    ev.QueueOffered: _offered,
    ev.QueueConnected: _connected,
    ev.QueueAbandoned: _abandoned,
    ev.QueueLeft: _left,
}

RECORDINGS = (ev.RecordingStarted, ev.RecordingStopped, ev.RecordingMuted, ev.RecordingUnmuted)


def _given(value: Maybe[int]) -> int | None:
    return None if isinstance(value, UnsetType) else value


def _key(event: QueueEvent) -> str:
    return f"{event.queue} {event.pbx}"


def _begin(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    line = event.line if isinstance(event.line, int) else None
    call = QueueCall(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        pbx=event.pbx,
        queue=event.queue,
        start_utc=start_utc,
        line=line,
    )
    state.calls[_key(event)] = call
    return call


def _find(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    call = state.calls.get(_key(event))
    if call is None:
        call = _begin(state, event, start_utc)
        call.estimated = True
    return call


def _end(state: StationState, event: QueueEvent, start_utc: int) -> QueueCall:
    call = _find(state, event, start_utc)
    del state.calls[_key(event)]
    call.end_utc = event.utc_ms
    return call


EVERY_S = 1.0
_LOST_MS = 2 * 3_600_000

type _Key = tuple[str, int, int]

_encode = msgspec.json.Encoder().encode


class QueueBoard:
    """Of sources that were heard since we began; without any there is nothing to show, and nothing
    of a queue that had no call since. Queues and their targets are the directory's.
    """

    def __init__(self, reader: Reader, clock: Clock, data: DataDir) -> None:
        self._reader, self._clock, self._data = reader, clock, data
        self._directory, self._people = CachedPeople(data), People()
        self._heard: dict[str, int] = {}
        self._calls: dict[_Key, QueueCall] = {}  # of the half-hour, and who waits
        self._known: set[tuple[str, str]] = set()  # switch, and its name of a queue with a call
        self._half_hour = 0
        self._changed = False
        self._sent_at = 0.0

    def hear(self, s: str, site: Site | None, stations: Mapping[str, Station]) -> None:
        """Its follower is there."""
        if s not in self._heard:
            self._turn(site)
            start = self._half_hour * 1000
            now = self._reader.queue_calls(start_utc=start, end_utc=None)
            self.take(call for call in now if call.station == s)
            self.take(stations[s].state.calls.values() if s in stations else ())
        self._heard[s] = self._clock.now_ms()
        self._changed = True

    def take(self, calls: Iterable[QueueCall]) -> None:
        """They changed, or are new."""
        for call in calls:
            self._calls[call.station, call.epoch, call.sequence] = call
            if call.entered:
                self._known.add((call.station, call.queue))
            self._changed = True

    def news(self, site: Site | None) -> bytes | None:
        """What to show, once a second at most, and when a half-hour begins."""
        if not self._heard or time.monotonic() - self._sent_at < EVERY_S:
            return None
        people = self._directory.on(day_at(self._data, self._clock.now_ms()))
        self._changed |= people is not self._people
        self._people = people
        turned = self._turn(site)
        if not (turned or self._changed):
            return None
        self._sent_at, self._changed = time.monotonic(), False
        return _encode(self._board())

    def _turn(self, site: Site | None) -> bool:
        zone = Intervals(site.tz) if site else None
        now_s = self._clock.now_ms() // 1000
        half_hour = zone.start_of(now_s) if zone else now_s - now_s % HALF_HOUR_S
        if half_hour == self._half_hour:
            return False
        self._half_hour = half_hour
        self._calls = {
            key: call
            for key, call in self._calls.items()
            if call.outcome == "waiting" or call.start_utc >= half_hour * 1000
        }
        return True

    def _board(self) -> Queues:
        now = self._clock.now_ms()
        queues: dict[str, Waiting] = {}
        flows: dict[str, Flow] = {}
        total, whole = self._standing(""), Flow()
        for station, name in self._known:
            if station in self._heard:
                queue = self._people.queue(name, now)
                queues.setdefault(queue, self._standing(queue))
        for call in self._calls.values():
            if not call.entered or call.station not in self._heard:
                continue
            queue = self._people.queue(call.queue, call.start_utc)
            mine = queues.setdefault(queue, self._standing(queue))
            if call.outcome == "waiting" and call.start_utc > now - _LOST_MS:
                for one in (mine, total):
                    one.waiting += 1
                    one.longest_since = min(one.longest_since or now, call.start_utc)
            if call.start_utc >= self._half_hour * 1000:
                for flow in (flows.setdefault(queue, Flow()), whole):
                    flow.add(call, mine.threshold_s, SHORT_S)
        for queue, one in queues.items():
            _fill(one, flows.get(queue, Flow()))
        _fill(total, whole)
        return Queues(
            half_hour=self._half_hour,
            short_s=SHORT_S,
            source=", ".join(sorted(self._heard)),
            heard=min(self._heard.values()),
            queues=dict(sorted(queues.items())),
            total=total,
        )

    def _standing(self, queue: str) -> Waiting:
        people = self._people
        return Waiting(threshold_s=people.threshold_s(queue), variant=people.variant(queue))


def _fill(one: Waiting, flow: Flow) -> None:
    one.received, one.answered, one.abandoned = flow.received, flow.answered, flow.abandoned
    one.service_level = service_level(flow)
