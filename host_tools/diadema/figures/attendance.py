"""Attendance and sessions of each agent, day by day of her shifts: the two ledgers beside each
other, never merged (design §7). A mark stays as it was made; corrections stand beside it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.directory.people import People, Planned
from diadema.directory.reading import people as read_people
from diadema.figures.days import LocalDays, start_of, zone_of
from diadema.metrics.schedule import Lateness, lateness
from diadema.paths import DataDir
from diadema.store import Session, open_reader, tables
from diadema.store.attendance import Mark, marks
from diadema.store.host_rows import Correction
from diadema.store.kept_contacts import LONGEST_MS

NEAR_S = 8 * 3600  # so far from a shift something still belongs to it

type Key = tuple[str, int, int]

_DAY = timedelta(days=1)


class AgentDay(Struct, kw_only=True):
    """One agent's business day: that of the shift, so a night belongs to the day on which it
    began; without a shift near by, the calendar day. Milliseconds of UTC.

    `first_in`, `last_out`: her own marks. `corrected_…`: what a correction says in place of them
    or of a missing one. `late`: by her first mark; `late_login`: by the system's. Seconds between
    mark and login, and logout and mark; below nothing where the order was the other one.
    `orphans`: sessions whose end nobody heard; `impossible`: that lie over another one of hers,
    end before their start, or are longer than any shift. `open`: she is logged in.
    """

    agent: str
    day: str
    planned: Planned | None = None
    marks: list[Mark] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    first_in: int | None = None
    last_out: int | None = None
    corrected_in: int | None = None
    corrected_out: int | None = None
    first_login: int | None = None
    last_logout: int | None = None
    late: Lateness | None = None
    late_login: Lateness | None = None
    mark_to_login_s: int | None = None
    logout_to_mark_s: int | None = None
    orphans: int = 0
    impossible: int = 0
    open: bool = False

    @property
    def stay_s(self) -> int | None:
        """From her entry to her exit, as corrected where it was."""
        begun, ended = self.entry, self.exit
        return None if begun is None or ended is None else max(0, (ended - begun) // 1000)

    @property
    def entry(self) -> int | None:
        return self.corrected_in if self.corrected_in is not None else self.first_in

    @property
    def exit(self) -> int | None:
        return self.corrected_out if self.corrected_out is not None else self.last_out

    @property
    def outside_s(self) -> int | None:
        """Of her stay what lies outside of the shift (DS 004-2006-TR, art. 2): all of it on a day
        without one; None while entry or exit is missing.
        """
        stay, plan = self.stay_s, self.planned
        if stay is None or self.entry is None or self.exit is None:
            return None
        if plan is None or plan.start_s is None or plan.end_s is None:
            return stay
        inside = min(self.exit // 1000, plan.end_s) - max(self.entry // 1000, plan.start_s)
        return max(0, stay - max(0, inside))


def attendance(
    data: DataDir,
    first: date,
    last: date,
    now_ms: int,
    agents: Collection[str] | None = None,
) -> list[AgentDay]:
    """By agent and day; days on which something was planned or done. Raises DiademaError."""
    zone = zone_of(data)
    around = first - timedelta(days=2), last + timedelta(days=2)
    people = read_people(data, *around)
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            days = _Days(zone, people, first, last, agents)
            start_ms, end_ms = (start_of(day, zone) * 1000 for day in around)
            by_key = {}
            for mark in marks(tx, start_utc=start_ms, end_utc=end_ms):
                if mark.agent is not None and mark.utc is not None:
                    at = days.of(mark.agent, mark.utc, leaves=mark.direction == "out")
                    by_key[mark.s, mark.e, mark.n] = at
                    days.put(at, mark)
            for session in _sessions(tx, start_ms, end_ms):
                assert session.open_utc is not None
                days.put(days.of(session.a, session.open_utc), session)
            for correction in _corrections(tx):
                whose = _day_of(correction, by_key, days)
                if whose is not None:
                    days.put(whose, correction)
    finally:
        reader.close()
    for agent, day in people.roster:
        days.expect(agent, day)
    return [_finish(one, now_ms, together=people.several_desks) for one in days.found()]


class _Days:
    """Puts what was done to the agent's day to which it belongs."""

    def __init__(
        self,
        zone: ZoneInfo,
        people: People,
        first: date,
        last: date,
        agents: Collection[str] | None,
    ) -> None:
        self._local, self._people = LocalDays(zone), people
        self._first, self._last = first, last
        self._agents = None if agents is None else set(agents)
        self._days: dict[tuple[str, date], AgentDay] = {}

    def of(self, agent: str, utc_ms: int, *, leaves: bool = False) -> tuple[str, date]:
        """The shift in which it lies, or the nearest one, by its end for who leaves."""
        utc_s = utc_ms // 1000
        local = self._local.at(utc_ms)
        best, nearest = local, NEAR_S + 1
        for day in (local - _DAY, local, local + _DAY) if self._people.roster else ():
            plan = self._people.planned(agent, day)
            if plan is None or plan.start_s is None or plan.end_s is None:
                continue
            if plan.start_s <= utc_s < plan.end_s + leaves:
                return agent, day
            away = min(abs(utc_s - plan.start_s), abs(utc_s - plan.end_s))
            if away < nearest:
                best, nearest = day, away
        return agent, best

    def put(self, at: tuple[str, date], what: Mark | Session | Correction) -> None:
        one = self.expect(*at)
        if one is None:
            return
        match what:
            case Mark():
                one.marks.append(what)
            case Session():
                one.sessions.append(what)
            case _:
                one.corrections.append(what)

    def expect(self, agent: str, day: date) -> AgentDay | None:
        """The agent's day, where it was asked for."""
        if not self._first <= day <= self._last:
            return None
        if self._agents is not None and agent not in self._agents:
            return None
        known = self._days.get((agent, day))
        if known is None:
            plan = self._people.planned(agent, day)
            known = AgentDay(agent=agent, day=day.isoformat(), planned=plan)
            self._days[agent, day] = known
        return known

    def found(self) -> list[AgentDay]:
        return [self._days[key] for key in sorted(self._days)]


def _sessions(tx: Connection, start_ms: int, end_ms: int) -> list[Session]:
    row = tables.sessions.c
    query = select(tables.sessions).where(row.open_utc >= start_ms, row.open_utc < end_ms)
    query = query.order_by(row.open_utc, row.s, row.e, row.n)
    return msgspec.convert([tuple(found) for found in tx.execute(query)], list[Session])


def _corrections(tx: Connection) -> Iterable[Correction]:
    row = tables.corrections.c
    query = select(tables.corrections).order_by(row.number, row.s, row.e, row.n)
    return [Correction(**found._mapping) for found in tx.execute(query)]


def _day_of(
    one: Correction, marked: Mapping[Key, tuple[str, date]], days: _Days
) -> tuple[str, date] | None:
    if one.of_s is not None and one.of_e is not None and one.of_n is not None:
        return marked.get((one.of_s, one.of_e, one.of_n))
    if one.day is not None:
        return one.a, date.fromisoformat(one.day)
    if one.time_utc is not None:
        return days.of(one.a, one.time_utc, leaves=one.direction == "out")
    return None


def _finish(one: AgentDay, now_ms: int, *, together: bool) -> AgentDay:
    """`together`: the site lets her be at several desks at once."""
    one.marks.sort(key=lambda mark: (mark.utc or 0, mark.number))
    entries = [mark.utc for mark in one.marks if mark.direction == "in" and mark.utc is not None]
    exits = [mark.utc for mark in one.marks if mark.direction == "out" and mark.utc is not None]
    one.first_in = min(entries, default=None)
    one.last_out = max(exits, default=None)
    _correct(one)
    _sessions_of(one, now_ms, together=together)
    if one.planned is not None:
        plan, explained = one.planned, _explained(one)
        entry = one.first_in if one.first_in is not None else one.corrected_in
        mark_s = None if entry is None else entry // 1000
        login_s = None if one.first_login is None else one.first_login // 1000
        one.late = lateness(plan, mark_s, explained)
        one.late_login = lateness(plan, login_s, explained)
    if one.first_in is not None and one.first_login is not None:
        one.mark_to_login_s = (one.first_login - one.first_in) // 1000
    if one.last_out is not None and one.last_logout is not None:
        one.logout_to_mark_s = (one.last_out - one.last_logout) // 1000
    return one


def _explained(one: AgentDay) -> str | None:
    """The last reason that somebody gave for when she came."""
    reasons = [
        fix.reason for fix in one.corrections if fix.kind == "justified" or fix.direction == "in"
    ]
    return reasons[-1] if reasons else None


def _correct(one: AgentDay) -> None:
    """The last word on a mark counts; a correction of no mark gives one that is missing."""
    hours: dict[object, tuple[str, int]] = {
        (mark.s, mark.e, mark.n): (mark.direction, mark.utc)
        for mark in one.marks
        if mark.utc is not None
    }
    corrected = False
    for fix in one.corrections:
        if fix.kind == "corrected" and fix.time_utc is not None and fix.direction is not None:
            of = (fix.of_s, fix.of_e, fix.of_n) if fix.of_s is not None else fix.number
            hours[of] = fix.direction, fix.time_utc
            corrected = True
    if not corrected:
        return
    entry = min((utc for direction, utc in hours.values() if direction == "in"), default=None)
    leave = max((utc for direction, utc in hours.values() if direction == "out"), default=None)
    one.corrected_in = entry if entry != one.first_in else None
    one.corrected_out = leave if leave != one.last_out else None


def _sessions_of(one: AgentDay, now_ms: int, *, together: bool) -> None:
    stays = one.sessions
    one.first_login = min((s.open_utc for s in stays if s.open_utc is not None), default=None)
    one.last_logout = max((s.close_utc for s in stays if s.close_utc is not None), default=None)
    for stay in stays:
        going = stay.reason is None
        one.open |= going
        one.orphans += stay.reason == "unheard" or (going and _long(stay, now_ms))
    one.impossible = _impossible(stays, now_ms, together=together)


def _long(stay: Session, end: int) -> bool:
    return stay.open_utc is not None and end - stay.open_utc > LONGEST_MS


def _impossible(stays: Sequence[Session], now_ms: int, *, together: bool) -> int:
    """How many cannot be; of two at once the later one, where they may not be `together`."""
    count, until = 0, 0
    for stay in sorted(stays, key=lambda s: (s.open_utc or 0, s.s, s.e, s.n)):
        opened, closed = stay.open_utc, stay.close_utc
        if opened is None:
            continue
        wrong = closed is not None and (closed < opened or _long(stay, closed))
        count += wrong or (opened < until and not together)
        if not wrong:
            end = closed if closed is not None else (now_ms if stay.reason is None else opened)
            until = max(until, end)
    return count
