"""Of each agent's day what the shift came to beside the roster, and what of the calendar day was
lost and spent. Kept beside the cells once they are over: worked out again when rows near them are
others, and when what they were worked out with is: the shifts, the reasons, what was excused.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta
from functools import cached_property
from hashlib import blake2b

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select, text

from diadema.base.paths import DataDir
from diadema.figures import rollups, shifts
from diadema.figures.booking import end_of
from diadema.figures.days import DaySpan, LocalDays, spans
from diadema.figures.facts import running
from diadema.figures.read import over_rollups
from diadema.figures.roll import Scope, bring, current
from diadema.figures.shifts import Due, Presence, Spent, due, presence, said_of, shift_of
from diadema.metrics.schedule import SHORT_S, Deviation
from diadema.metrics.states import Shrinkage
from diadema.site.context import zone_of
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.store.contact_rows import LONGEST_MS

_AT_ONCE = 100  # agents whose rows are in memory
_BEFORE = text(  # the end of the trail before each of some
    """SELECT k.value ->> 0, k.value ->> 1, (SELECT t.end_utc FROM trails t
    WHERE t.s = k.value ->> 2 AND t.e = k.value ->> 3 AND t.n < k.value ->> 4
    ORDER BY t.n DESC LIMIT 1) FROM json_each(:keys) k"""
)
_NOBODY = Presence()
_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode

type Technical = tuple[str, str, str, str]  # station, area, part, what it came to


class Shifted(Struct, array_like=True):
    """What one shift came to, in seconds. `followed`: (as planned or excused, of how many); None
    where the agent never logged in near it. `listed`: exceptions that are not short; `short_s`:
    those that are, and not excused. `owed_s`: without the pauses that are not paid.
    """

    followed: tuple[int, int] | None
    exception_s: int
    excused_s: int
    short_s: int
    slid: int
    worked_s: int
    credited_s: int
    scheduled_s: int
    owed_s: int
    listed: list[Deviation] = field(default_factory=list)


class AdherenceDay(Struct, array_like=True):
    """`shift`: that of the day, where it has begun; the rest is the calendar day's."""

    shift: Shifted | None = None
    lost: Shrinkage = field(default_factory=Shrinkage)
    spent: dict[str, Spent] = field(default_factory=dict)
    technical: list[tuple[Technical, int]] = field(default_factory=list)


_day_of = msgspec.msgpack.Decoder(AdherenceDay).decode


def adherence_days(
    data: DataDir,
    people: People,
    first: date,
    last: date,
    now_ms: int,
    agents: Collection[str] | None = None,
) -> dict[tuple[str, date], AdherenceDay]:
    """By agent and day of first…last, until now, of which there is any. `people` with the roster
    of the days beside these too. Raises DiademaError where there is no store.
    """
    question = data, people, first, last, now_ms, agents
    return over_rollups(data, lambda rx, tx: _Query(*question).of(rx, tx))


class _Query:
    """One question, and how it is answered."""

    def __init__(
        self,
        data: DataDir,
        people: People,
        first: date,
        last: date,
        now_ms: int,
        agents: Collection[str] | None,
    ) -> None:
        self.people, self.now_people = people, read_people(data)
        self.zone, self.now_ms = zone_of(data), now_ms
        self.spans = {span.day.isoformat(): span for span in spans(first, last, self.zone)}
        whose = None if agents is None else frozenset(agents)
        self.scope = Scope(first.isoformat(), last.isoformat(), whose)
        self._marks: dict[bytes, bytes] = {}
        self.due = {
            (day.isoformat(), a): one
            for (a, day), one in due(people, now_ms // 1000).items()
            if first <= day <= last and (whose is None or a in whose)
        }

    def of(
        self, rx: tuple[Connection, bool] | None, tx: Connection
    ) -> dict[tuple[str, date], AdherenceDay]:
        self.said = said_of(tx)
        self.on = [one for one in running(tx, self.now_ms).trails if one.start_utc is not None]
        known, there = self._rolled(*rx, tx) if rx else ({}, self._everybody(tx))
        since = self._since(tx)
        wanted, days = {*there, *self.due}, LocalDays(self.zone)
        wanted |= {
            (day, one.agent)
            for one in self.on
            if self.scope.agents is None or one.agent in self.scope.agents
            for day in days.over(since[one.agent], end_of(one))
            if day in self.spans
        }
        marks = {key: self._mark(*key) for key in wanted}
        found = {
            key: _day_of(known[key][1])
            for key, mark in marks.items()
            if key in known and known[key][0] == mark
        }
        open_ones = {key for key in wanted if self._goes_on(*key, since)}
        more = self._work_out(tx, {key for key in wanted if key not in found} | open_ones)
        if rx is not None and rx[1]:
            stored = [(*key, marks[key], _pack(more[key])) for key in more.keys() - open_ones]
            rollups.put_adherence.run(rx[0], stored)
        return {(a, self.spans[day].day): one for (day, a), one in (found | more).items()}

    def _rolled(
        self, rx: Connection, keep: bool, tx: Connection
    ) -> tuple[dict[tuple[str, str], tuple[bytes, bytes]], set[tuple[str, str]]]:
        """What is kept of them and holds, and the days on which there is anything of an agent."""
        known, anew = current(rx, tx, self.zone, self.now_people)
        fresh, _ = bring(rx, tx, known, self.zone, self.now_ms, self.scope, keep=keep)
        first, last = self.scope.first, self.scope.last
        stored: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        there: set[tuple[str, str]] = set()
        if not anew or keep:
            row, cell = rollups.adherence_days.c, rollups.agent_days.c
            query = select(row.day, row.a, row.of, row.body).where(row.day.between(first, last))
            if self.scope.agents is not None:
                query = query.where(row.a.in_(self.scope.agents))
            stored = {(day, a): (of, body) for day, a, of, body in rx.execute(query).all()}
            days = select(cell.day, cell.a).where(cell.day.between(first, last))
            there = {(day, a) for day, a in rx.execute(days).all()}
        if not keep:
            for key in rollups.near(fresh.fed):
                stored.pop(key, None)
        for day, cells in fresh.agents.items():
            there |= {(day, a) for a in cells}
        if self.scope.agents is not None:
            there = {(day, a) for day, a in there if a in self.scope.agents}
        return stored, there

    def _everybody(self, tx: Connection) -> set[tuple[str, str]]:
        names = {a for (a,) in tx.execute(text("SELECT DISTINCT a FROM trails"))}
        if self.scope.agents is not None:
            names &= self.scope.agents
        return {(day, a) for day in self.spans for a in names}

    def _since(self, tx: Connection) -> dict[str, int]:
        """From when on it matters what goes on, by agent: from the end of what was before it in
        its session, as a time without power may lie between them.
        """
        rows = [
            (
                one.agent,
                one.start_utc,
                one.station,
                one.epoch,
                one.sequence if one.sequence != one.session[2] else 0,
            )
            for one in self.on
        ]
        found: dict[str, int] = {}
        for a, start, end in tx.execute(_BEFORE, {"keys": _json(rows).decode()}):
            since = start if end is None else max(start - LONGEST_MS, min(start, end))
            found[a] = min(since, found.get(a, since))
        return found

    def _goes_on(self, day: str, a: str, since: Mapping[str, int]) -> bool:
        shift = self.due.get((day, a))
        if shift is not None and (shift.plan.end_s or 0) > self.now_ms // 1000:
            return True
        if a not in since:
            return False
        span = self.spans[day]
        end_s = span.end_s if shift is None else max(span.end_s, shift.end_s)
        return since[a] < end_s * 1000

    @cached_property
    def _reasons(self) -> bytes:
        its = self.people.reasons.values()
        fields = [(r.code, r.private, r.paid, r.productive, r.limit_s, r.system) for r in its]
        return _pack(sorted(fields))

    def _mark(self, day: str, a: str) -> bytes:
        """Of what it is worked out from beside the store's rows."""
        shift = self.due.get((day, a))
        said = [] if shift is None else self._said(a, shift)
        of = _pack((shift, said, self._reasons))
        if of not in self._marks:  # few are different: most have the shift of others
            self._marks[of] = blake2b(of, digest_size=16).digest()
        return self._marks[of]

    def _said(self, a: str, shift: Due) -> list[tuple[int, str]]:
        if a not in self.said:
            return []
        start, end = shift.plan.start_s or 0, shift.plan.end_s or 0
        return [one for one in self.said[a] if start <= one[0] < end]

    def _work_out(
        self, tx: Connection, keys: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], AdherenceDay]:
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for day, a in keys:
            wanted[day].add(a)
        found: dict[tuple[str, str], AdherenceDay] = {}
        for run in _runs(self.spans[day] for day in sorted(wanted)):
            bounds = run[0].start_s * 1000, run[-1].end_s * 1000
            names = sorted({a for span in run for a in wanted[span.day.isoformat()]})
            for at in range(0, len(names), _AT_ONCE):
                some = names[at : at + _AT_ONCE]
                shown = presence(tx, *bounds, self.on, some)
                for span in run:
                    day = span.day.isoformat()
                    for a in wanted[day].intersection(some):
                        found[day, a] = self._day(span, a, shown.get(a, _NOBODY))
        return found

    def _day(self, span: DaySpan, a: str, presence: Presence) -> AdherenceDay:
        reasons, of_day = self.people.reasons, presence.near(span.start_s, span.end_s)
        its = of_day.stretches, of_day.pauses, of_day.faults, reasons, span.start_s, span.end_s
        found = AdherenceDay(
            lost=shifts.lost(*its),
            spent=shifts.spent(of_day.pauses, reasons, span.start_s, span.end_s),
        )
        for begin, until, press in of_day.technical:
            cause = press.station, press.area or "", press.part or "", press.result or ""
            seconds = min(until, span.end_s) - max(begin, span.start_s)
            found.technical.append((cause, seconds))
        if (shift := self.due.get((span.day.isoformat(), a))) is not None:
            found.shift = self._shifted(a, shift, presence.near(shift.start_s, shift.end_s))
        return found

    def _shifted(self, a: str, due: Due, presence: Presence) -> Shifted:
        now_s = self.now_ms // 1000
        shift = shift_of(due, presence, self._said(a, due), self.people, now_s)
        found = Shifted(
            shift.followed, 0, 0, 0, shift.slid, shift.worked_s, shift.credited_s,
            shift.scheduled_s, shifts.owed_s(shift.plan, self.people.reasons, now_s),
        )  # fmt: skip
        for one in shift.its if shift.present else ():
            found.exception_s += one.seconds
            if one.excuse is not None:
                found.excused_s += one.seconds
            elif one.seconds < SHORT_S:
                found.short_s += one.seconds
            if one.seconds >= SHORT_S:
                found.listed.append(one)
        return found


def _runs(its: Iterable[DaySpan]) -> Iterable[list[DaySpan]]:
    """Days that follow each other, together."""
    run: list[DaySpan] = []
    for span in its:
        if run and run[-1].day + timedelta(days=1) != span.day:
            yield run
            run = []
        run.append(span)
    if run:
        yield run
