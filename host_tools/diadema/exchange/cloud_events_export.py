"""The raw events as JSON Lines in CloudEvents 1.0 envelopes, each with how its station stood
before and after it, as the ingest works that out.

What is private stays here: keyed hashes of badges, what PINs are checked by, and which of the
private reasons it was.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import IO, Any

import msgspec
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from msgspec import Struct
from sqlalchemy import Connection, func, select

from diadema.base.paths import DataDir
from diadema.exchange.queue_log_export import PRIVATE
from diadema.ingest.decode import decode
from diadema.ingest.messages import Changes
from diadema.ingest.projection import project
from diadema.ingest.time_window import LAST_MS, OLDEST_FILE_MS
from diadema.site.directory.people import People
from diadema.store import open_reader, tables
from diadema.store.station_state import BootClock, StationState, foremost
from diadema.wire.events import UNREADABLE

_DROPPED = frozenset({"badge", "pin", "verifier", "password", "one_use", "secret"})
_PLACE = frozenset({"s", "e", "n", "b", "u", "t", "k"})
_EVERY = 1000
_STATION = "DIA-"

type Progress = Callable[[int, int], None]  # events looked at, of how many


class Written(Struct, kw_only=True):
    """`hourless`: events whose time nobody knows; they are in no span, so only in a whole
    export. `unreadable`: left out. `unworked`: nobody can say what follows from them.
    """

    events: int = 0
    hourless: int = 0
    unreadable: int = 0
    unworked: int = 0


class Anchors:
    """Where a station's boots lie in UTC: by the newest anchor before a moment, else the first."""

    def __init__(self, connection: Connection, s: str, e: int) -> None:
        row = tables.anchors.c
        query = select(tables.anchors).where((row.s == s) & (row.e == e)).order_by(row.b, row.u)
        self._boots: dict[int, list[BootClock]] = {}
        for one in connection.execute(query):
            clock = BootClock(
                source=one.source, uptime_ms=one.u, utc=one.utc, uncertainty_ms=one.uncertainty_ms,
                drift_ppb=one.drift_ppb, drift_error_ppb=one.drift_error_ppb,
            )  # fmt: skip
            self._boots.setdefault(one.b, []).append(clock)

    def place(self, b: int, u: int) -> tuple[int, int] | None:
        """UTC milliseconds, and how far that may be off."""
        clocks = self._boots.get(b)
        if not clocks:
            return None
        clock = next((one for one in reversed(clocks) if one.uptime_ms <= u), clocks[0])
        return clock.utc_at(u), clock.uncertainty_at(u)


class Export:
    def __init__(self, data: DataDir, people: People) -> None:
        self._data = data
        self._private: Collection[str] = {
            code for code, reason in people.reasons.items() if reason.private
        }
        self._format = JSONFormat()

    def write(
        self,
        file: IO[bytes],
        start_ms: int | None = None,
        end_ms: int | None = None,
        progress: Progress = lambda *_: None,
    ) -> Written:
        """Of [start_ms, end_ms), by where the host places them; journal by journal."""
        done = Written()
        reading = open_reader(self._data.store)
        with reading as reader, reader.engine.connect() as connection:
            count = select(func.count()).select_from(tables.events)
            total = int(connection.execute(count).scalar_one())
            seen = 0
            place = tables.positions.c
            query = select(place.s, place.e).order_by(place.s, place.e)
            for s, e in connection.execute(query).all():
                for line in self._journal(connection, s, e, start_ms, end_ms, done):
                    seen += 1
                    if line:
                        file.write(line + b"\n")
                        done.events += 1
                    if seen % _EVERY == 0:
                        progress(seen, total)
            progress(total, total)
        return done

    def _journal(
        self,
        connection: Connection,
        s: str,
        e: int,
        start_ms: int | None,
        end_ms: int | None,
        done: Written,
    ) -> Iterator[bytes]:
        """A line an event; an empty one for what is not of the span."""
        anchors = Anchors(connection, s, e)
        state = StationState()
        event = tables.events.c
        query = select(event.n, event.k, event.body)
        query = query.where((event.s == s) & (event.e == e)).order_by(event.n)
        whole = start_ms is None and end_ms is None
        before = self._snapshot(state)
        found = connection.execution_options(yield_per=_EVERY).execute(query)
        for n, kind, body in found:
            try:
                _, known, _ = decode(body)
            except (*UNREADABLE, ValueError):
                done.unreadable += 1
                yield b""
                continue
            if s.startswith(_STATION):
                try:
                    project(_nothing(), state, known)  # type: ignore[arg-type]
                except Exception:  # the ingest could not either: the station stands as before
                    done.unworked += 1
            after = self._snapshot(state)
            place = anchors.place(known.boot, known.uptime_ms) if s.startswith(_STATION) else None
            utc, doubt = place or (known.utc_ms, None)
            if utc is not None and not OLDEST_FILE_MS <= utc <= LAST_MS:
                utc = doubt = None
            done.hourless += utc is None
            inside = utc is not None and (
                (start_ms is None or utc >= start_ms) and (end_ms is None or utc < end_ms)
            )
            if whole or inside:
                fields = msgspec.json.decode(body)
                yield self._line((s, e, n), kind, fields, (utc, doubt), before, after)
            else:
                yield b""
            before = after

    def _line(
        self,
        key: tuple[str, int, int],
        kind: str,
        fields: dict[str, Any],
        place: tuple[int | None, int | None],
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
    ) -> bytes:
        s, e, n = key
        utc, doubt = place
        attributes: dict[str, Any] = {
            "id": f"{s}/{e}/{n}",
            "source": f"/diadema/v1/{s}",
            "type": f"diadema.{kind}",
            "datacontenttype": "application/json",
        }
        if fields.get("a"):
            attributes["subject"] = str(fields["a"])
        if utc is not None:
            attributes["time"] = datetime.fromtimestamp(utc / 1000, UTC)
        data = {
            "station": s, "epoch": e, "boot": fields.get("b"), "seq": n,
            "t_mono_ms": fields.get("u"), "t_utc": utc, "clock_err_ms": doubt,
            "event": self._public(fields), "previous": before, "current": after,
        }  # fmt: skip
        event = CloudEvent(attributes, data)
        if utc is None:
            event.get_attributes().pop("time")  # the library writes the present there
        return self._format.write(event)

    def _public(self, event: dict[str, Any]) -> dict[str, Any]:
        fields = {k: v for k, v in event.items() if k not in _PLACE and k not in _DROPPED}
        if fields.get("reason") in self._private:
            fields["reason"] = PRIVATE
        if "pauses" in fields:  # of a planned shift
            fields["pauses"] = [
                [start, end, PRIVATE if reason in self._private else reason]
                for start, end, reason in fields["pauses"]
            ]
        return fields

    def _snapshot(self, state: StationState) -> dict[str, Any] | None:
        """Presence and work, as the two axes of design §3; None before the first event."""
        if state.is_new:
            return None
        running = foremost(state.open) if state.open else None
        reason = PRIVATE if state.reason in self._private else state.reason
        return {
            "agent": state.session.agent if state.session else None,
            "presence": state.presence,
            "reason": reason,
            "work": running.phase if running else "idle",
            "contact": running.contact if running else None,
            "queue": running.queue if running else None,
        }


def _nothing() -> Changes:
    """What a batch changes is not asked for here."""
    return Changes(lambda *_: ([], [], []), lambda *_: None)
