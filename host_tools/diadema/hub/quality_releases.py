"""When an agent may read an evaluation: once it stands, when the agent's next shift begins, and
never in a call. Each is released once.
"""

import time
from collections.abc import Callable, Iterator

from sqlalchemy import exists, select

from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import SupervisorAction
from diadema.hub.quality_draws import RULE
from diadema.ingest.core import Ingest
from diadema.quality.pairs import OVER, Seen, seen_calls
from diadema.store import Reader, tables
from diadema.store.assistance import Key, key_of
from diadema.store.station_state import Station

READ_S = 60.0  # in which what others said, and what is due meanwhile, is read
_AT_ONCE = 100


class Releases:
    def __init__(
        self,
        ingest: Ingest,
        reader: Reader,
        hearing: Hearing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest, self._reader, self._hearing = ingest, reader, hearing
        self._monotonic = monotonic
        self._ready: dict[str, list[tuple[int, Key]]] = {}  # by agent: since when, which
        self._read_at: float | None = None

    def forget(self) -> None:
        """Something was said of an evaluation, or of a sample."""
        self._read_at = None

    def actions(self) -> list[SupervisorAction]:
        """Of the agents who are there, what they may read from now on."""
        self._read()
        if not self._ready:
            return []
        due = [key for station in self._ingest.stations.values() for key in self._due(station)][
            :_AT_ONCE
        ]
        return [
            SupervisorAction([("evaluation.released", {"by": RULE, "of": key})])
            for key in dict.fromkeys(due)
        ]

    def _due(self, station: Station) -> Iterator[Key]:
        session = station.state.session
        if session is None or session.agent not in self._ready or session.open_utc is None:
            return
        if self._is_in_call(session.agent):
            return
        for since, key in self._ready[session.agent]:
            if session.open_utc > since:
                yield key

    def _is_in_call(self, agent: str) -> bool:
        """At any station."""
        return any(
            one.agent == agent and one.phase != "wrapup"
            for station in self._ingest.stations.values()
            for one in station.state.open
        )

    def _read(self) -> None:
        now = self._monotonic()
        if self._read_at is not None and now - self._read_at < READ_S:
            return
        self._ready = {}
        for seen in self._unreleased():
            stands = seen.stands
            if stands is None or stands.released_utc is not None or seen.state not in OVER:
                continue
            its = self._ready.setdefault(stands.submitted.agent, [])
            its.append((seen.ready_utc or stands.submitted.utc, key_of(stands.submitted)))
        self._read_at = now

    def _unreleased(self) -> list[Seen]:
        """The calls of which an evaluation was neither released nor annulled."""
        row, step = tables.evaluations.c, tables.evaluation_steps.c
        over = exists(
            select(step.kind).where(
                step.of_s == row.s, step.of_e == row.e, step.of_n == row.n,
                step.kind.in_(("released", "annulled")),
            )
        )  # fmt: skip
        query = select(row.call_s, row.call_e, row.call_n).where(
            ~over, row.basis.in_(("random", "targeted"))
        )
        now_ms = self._ingest.clock.now_ms()
        with self._reader.engine.connect() as tx:
            calls = [(s, e, n) for s, e, n in tx.execute(query.distinct())]
            if not calls:
                return []
            return seen_calls(tx, self._hearing.people(), now_ms, calls=calls)
