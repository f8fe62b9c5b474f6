"""Station, session and presence events, worked into session rows and the station's state.

Since when an agent is out: the end of the last session, whatever came in first.

Marks that come when they were already taken as lost: like all that comes then they are kept but
not worked in, for the rest of their journal went on without them. In the ledger they must be.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UnsetType
from sqlalchemy import Connection, select

from diadema.ingest.clock_sync import take_anchor
from diadema.ingest.contact_end import close_all
from diadema.ingest.decode import decode
from diadema.ingest.messages import Changes
from diadema.ingest.state_intervals import break_off
from diadema.ingest.time_window import Window
from diadema.store import tables
from diadema.store.chain import MarkContent, Placed
from diadema.store.rows import Session
from diadema.store.station_state import StationState
from diadema.store.writer import Doubtful
from diadema.wire import events as ev
from diadema.wire.events import AttendanceMarked, Event
from diadema.wire.letters import tag_of

type Utc = int | None


def require(changes: Changes, state: StationState, event: Any, utc: Utc) -> Session:
    """The session of the agent who acts here; its opening may be among lost events."""
    if state.session is not None and state.session.agent == event.agent:
        return state.session
    return _open(changes, state, event, utc, estimated=True)


def close_unheard(changes: Changes, state: StationState, event: Event, utc: Utc) -> None:
    """Whoever is logged in here is not any more, though no closing was heard."""
    if state.session is not None:
        state.session.estimated = True
        _close(changes, state, event, utc, reason="unheard", by="system")


def _open(changes: Changes, state: StationState, event: Any, utc: Utc, **fields: Any) -> Session:
    close_unheard(changes, state, event, utc)
    session = Session(
        station=event.station,
        epoch=event.epoch,
        sequence=event.sequence,
        agent=event.agent,
        open_b=event.boot,
        open_u=event.uptime_ms,
        open_utc=utc,
        **fields,
    )
    state.session, state.presence, state.reason = session, "not_ready", "login"
    state.by, state.who = "system", None
    changes.session(session)
    return session


def _close(
    changes: Changes, state: StationState, event: Event, utc: Utc, *, reason: str, by: str | None
) -> None:
    session = state.session
    assert session is not None
    close_all(changes, state, event, utc)
    if event.epoch == session.epoch:
        session.close_b, session.close_u = event.boot, event.uptime_ms
    here = (event.epoch, event.boot) == (state.epoch, state.boot)
    break_off(changes, state, event.uptime_ms if here else state.uptime_ms, over=True)
    session.close_utc, session.reason, session.by = utc, reason, by
    state.session, state.presence, state.reason = None, "logged_out", None
    changes.session(session)
    changes.ended.append(session)


def _opened(changes: Changes, state: StationState, event: ev.SessionOpened, utc: Utc) -> None:
    _open(
        changes,
        state,
        event,
        utc,
        method=event.method,
        provisional=event.provisional,
        mark_n=_mark_of(event),
    )
    changes.opened.add(event.station)
    if event.method in ("badge_pin", "code_pin"):
        state.wrong_pins.pop(event.agent, None)


def _mark_of(event: ev.SessionOpened) -> int | None:
    """A tap marks and opens at one station, so in one journal."""
    if not event.of or (event.of[0], event.of[1]) != (event.station, event.epoch):
        return None
    return event.of[2]


def _denied(changes: Changes, state: StationState, event: ev.SessionDenied, utc: Utc) -> None:
    if event.reason == "wrong_pin" and event.agent:
        count, _ = state.wrong_pins.get(event.agent, (0, None))
        state.wrong_pins[event.agent] = count + 1, utc


def _confirmed(
    changes: Changes, state: StationState, event: ev.SessionConfirmed, utc: Utc
) -> None:
    _judged(changes, state, event, "confirmed", None)


def _corrected(
    changes: Changes, state: StationState, event: ev.SessionCorrected, utc: Utc
) -> None:
    """One that ends has its own closing, when the call and its wrap-up are over."""
    _judged(changes, state, event, event.verdict, event.reason)


def _judged(
    changes: Changes, state: StationState, event: Any, verdict: str, reason: str | None
) -> None:
    session = state.session
    if session is not None and session.agent == event.agent:
        session.verdict, session.verdict_reason = verdict, reason
        changes.session(session)


def _closed(changes: Changes, state: StationState, event: ev.SessionClosed, utc: Utc) -> None:
    require(changes, state, event, utc)
    _close(changes, state, event, utc, reason=event.reason, by=event.by or None)


def _presence(changes: Changes, state: StationState, event: ev.PresenceChanged, utc: Utc) -> None:
    if event.to == "logged_out":  # the session's closing said it already, unless it was lost
        if state.session is not None and state.session.agent == event.agent:
            close_unheard(changes, state, event, utc)
        return
    require(changes, state, event, utc)
    state.presence = event.to
    state.reason = event.reason if event.to == "not_ready" else None
    state.by, state.who = event.by, event.who or None


def _booted(changes: Changes, state: StationState, event: ev.StationBooted, utc: Utc) -> None:
    state.firmware, state.board = event.firmware, event.board
    state.micropython, state.build = event.micropython or "", event.build or ""
    state.psram, state.start = _number(event.psram), _number(event.start)
    state.cause = event.cause
    state.ca = event.ca or ""


def _number(value: int | UnsetType | None) -> int | None:
    return value if isinstance(value, int) else None


def _clock(changes: Changes, state: StationState, event: ev.StationClock, utc: Utc) -> None:
    take_anchor(changes, state, event)


def _config(changes: Changes, state: StationState, event: ev.StationConfig, utc: Utc) -> None:
    state.generation = event.generation
    state.ca = event.ca or ""


def _fault(changes: Changes, state: StationState, event: ev.StationFault, utc: Utc) -> None:
    if not state.faults:
        state.fault_utc = utc
    state.faults[event.part] = str(event.code)
    state.fault_of.setdefault(event.part, (event.epoch, event.sequence, utc))  # one goes on


def _cleared(
    changes: Changes, state: StationState, event: ev.StationFaultCleared, utc: Utc
) -> None:
    state.faults.pop(event.part, None)
    state.fault_of.pop(event.part, None)
    if not state.faults:
        state.fault_utc = None


def _tested(changes: Changes, state: StationState, event: ev.StationSelftest, utc: Utc) -> None:
    state.unfit = None if event.fit else event.reason or "selftest"
    state.unfit_utc = None if event.fit else utc
    state.unfit_of = None if event.fit or event.bench else (event.epoch, event.sequence)
    if event.bench:
        i = event.i if isinstance(event.i, int) else None
        changes.keep(tables.bench_tests, (event.station, event.epoch, event.sequence, i))


def _marked(changes: Changes, state: StationState, event: ev.AttendanceMarked, utc: Utc) -> None:
    """The ledger gets it as it is; nothing else ever writes there."""
    state.untimed |= utc is None
    changes.marks.append((content_of(event), (state.generation, utc, None)))


def content_of(event: ev.AttendanceMarked) -> MarkContent:
    """What the event says of the mark."""
    place = event.station, event.epoch, event.sequence, event.boot, event.uptime_ms, event.utc_ms
    return (*place, event.agent or None, event.badge, event.direction, event.method)


HANDLERS: Mapping[type[Event], Callable[[Changes, StationState, Any, Utc], None]] = {
    ev.StationBooted: _booted,
    ev.StationClock: _clock,
    ev.StationConfig: _config,
    ev.StationFault: _fault,
    ev.StationFaultCleared: _cleared,
    ev.StationSelftest: _tested,
    ev.AttendanceMarked: _marked,
    ev.SessionOpened: _opened,
    ev.SessionDenied: _denied,
    ev.SessionConfirmed: _confirmed,
    ev.SessionCorrected: _corrected,
    ev.SessionClosed: _closed,
    ev.PresenceChanged: _presence,
}


class Departures:
    """By agent. A session whose end has no time, and that nothing says was over before the last
    known one, leaves it unknown since when.
    """

    def __init__(self, tx: Connection) -> None:
        self._last: dict[str, int] = {}
        self._journals: dict[tuple[str, str, int], int] = {}  # a, s, e: n of the last with an hour
        self._doubtful: dict[str, dict[tuple[str, int, int], int | None]] = {}  # with open_utc
        row = tables.sessions.c
        query = select(row.a, row.s, row.e, row.n, row.open_utc, row.close_utc)
        for found in tx.execute(query.where(row.reason.is_not(None))):
            self._note(*found)

    def note(self, sessions: Iterable[Session]) -> None:
        """These are new, or changed."""
        for one in sessions:
            if one.reason is not None:
                self._note(
                    one.agent, one.station, one.epoch, one.sequence, one.open_utc, one.close_utc
                )

    def since(self, a: str) -> int | None:
        last, doubtful = self._last.get(a), self._doubtful.get(a)
        if last is None or not doubtful:
            return last
        unknown = any(
            (open_utc is None or open_utc >= last) and n > self._journals.get((a, s, e), 0)
            for (s, e, n), open_utc in doubtful.items()
        )
        return None if unknown else last

    def _note(
        self, a: str, s: str, e: int, n: int, open_utc: int | None, close_utc: int | None
    ) -> None:
        if close_utc is None:
            self._doubtful.setdefault(a, {})[s, e, n] = open_utc
            return
        self._last[a] = max(self._last.get(a, 0), close_utc)
        self._journals[a, s, e] = max(self._journals.get((a, s, e), 0), n)
        if (its := self._doubtful.get(a)) is not None:
            its.pop((s, e, n), None)


_KIND = tag_of(AttendanceMarked)


def marks_among(recovered: Iterable[Doubtful]) -> list[AttendanceMarked]:
    events = [decode(event.body)[1] for event in recovered if event.k == _KIND]
    return [event for event in events if isinstance(event, AttendanceMarked)]


def placed(
    tx: Connection, event: AttendanceMarked, generation: int, window: Window
) -> tuple[MarkContent, Placed]:
    """With its time, by the anchor of its boot that lies nearest."""
    row = tables.anchors.c
    its = (row.s == event.station) & (row.e == event.epoch) & (row.b == event.boot)
    anchors = tx.execute(select(tables.anchors).where(its)).all()
    if event.utc_ms is not None and not window.first <= event.utc_ms <= window.last:
        event = msgspec.structs.replace(event, utc_ms=None)
    if not anchors:
        return content_of(event), (generation, event.utc_ms, None)
    near = min(anchors, key=lambda anchor: abs(anchor.u - event.uptime_ms))
    off = event.uptime_ms - near.u
    doubt = near.uncertainty_ms - -abs(off) * near.drift_error_ppb // 10**9
    utc: int | None = near.utc + off + off * near.drift_ppb // 10**9
    if not window.first <= near.utc + off <= window.last:
        utc = None
    return content_of(event), (generation, utc, doubt if event.utc_ms is None else None)
