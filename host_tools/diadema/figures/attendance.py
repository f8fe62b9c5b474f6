"""Attendance and sessions of each agent, day by day of the agent's shifts: the two ledgers beside
each other, never merged (design §7). A mark stays as it was made; corrections stand beside it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from sqlalchemy import Connection, select

from diadema.base.paths import DataDir
from diadema.figures.days import LocalDays, start_of
from diadema.figures.stays import Key, Stay, by_key, mark_times, of_mark, paired
from diadema.metrics.schedule import Lateness, lateness
from diadema.site.context import zone_of
from diadema.site.directory.people import People, Planned
from diadema.site.directory.people_of import people as read_people
from diadema.store import Session, open_reader, tables
from diadema.store.attendance import Mark, marks
from diadema.store.contact_rows import LONGEST_MS
from diadema.store.host_rows import Correction
from diadema.wire.letters import from_columns

NEAR_S = 8 * 3600  # so far from a shift something still belongs to it

_DAY = timedelta(days=1)


class AgentDay(Struct, kw_only=True, dict=True):
    """One agent's business day: that of the shift, so a night belongs to the day on which it
    began; without a shift near by, the calendar day. Milliseconds of UTC.

    `stays`: the agent's marks as corrected, in pairs (`figures.stays`); a mark belongs to the day
    of its pair. `first_in`, `last_out`: the agent's own marks. `late`: by when the agent `came`;
    `late_login`: by the system's. Seconds between mark and login, and logout and mark; below
    nothing where the order was the other one. `orphans`: sessions whose end nobody heard;
    `impossible`: that lie over another one of the agent's (unless the site allows that), end
    before their start, or are longer than any shift. `open`: the agent is logged in.
    """

    agent: str
    day: str
    planned: Planned | None = None
    marks: list[Mark] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    first_in: int | None = None
    last_out: int | None = None
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
    def entry(self) -> int | None:
        """The first one, as corrected."""
        return next((stay.entry for stay in self.stays if stay.entry is not None), None)

    @property
    def came(self) -> int | None:
        """The time by which the agent may be late: the own mark of the first entry, else what was
        entered in its place.
        """
        first = next((stay for stay in self.stays if stay.entry is not None), None)
        if first is None or first.made_in is None:
            return None if first is None else first.entry
        return first.made_in

    @property
    def exit(self) -> int | None:
        """Of the last stay, as corrected; None while it has none."""
        return self.stays[-1].exit if self.stays else None

    @property
    def corrected_in(self) -> int | None:
        """What a correction says in place of the agent's first mark, or of a missing one."""
        return entry if (entry := self.entry) != self.first_in else None

    @property
    def corrected_out(self) -> int | None:
        return self.exit if self.exit != self.last_out else None

    @cached_property
    def stay_s(self) -> int | None:
        """Between each entry and its exit; None where no stay has both."""
        return self._sum(lambda stay: stay.seconds)

    @cached_property
    def outside_s(self) -> int | None:
        """Of the agent's stays what lies outside of the shift (DS 004-2006-TR, art. 2): all of it
        on a day without one, or of which the agent was let off; None where no stay has entry and
        exit.
        """
        return self._sum(self.outside_of)

    def outside_of(self, stay: Stay) -> int | None:
        """The same of one stay."""
        plan, seconds = self.planned, stay.seconds
        if seconds is None or plan is None or plan.absence is not None:
            return seconds
        if plan.start_s is None or plan.end_s is None:
            return seconds
        return seconds - stay.within(plan.start_s, plan.end_s)

    def absent(self, now_ms: int) -> bool | None:
        """Whether no mark of the agent is known, own or corrected, for a shift that has begun;
        None where nobody was to come by then.
        """
        plan = self.planned
        if plan is None or plan.start_s is None or plan.absence is not None:
            return None
        return not self.stays if plan.start_s * 1000 < now_ms else None

    def _sum(self, of: Callable[[Stay], int | None]) -> int | None:
        known = [seconds for stay in self.stays if (seconds := of(stay)) is not None]
        return sum(known) if known else None


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
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        days = _Days(zone, people, first, last, agents)
        start_ms, end_ms = (start_of(day, zone) * 1000 for day in around)
        made: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark in marks(tx, start_utc=start_ms, end_utc=end_ms):
            if mark.agent is not None and days.asks_for(mark.agent):
                made[mark.agent].append(mark)
        fixes: defaultdict[str, list[Correction]] = defaultdict(list)
        for fix in _corrections(tx):
            fixes[fix.agent].append(fix)
        for agent in {*made, *fixes}:
            days.pair(agent, made[agent], fixes[agent])
        for session in _sessions(tx, start_ms, end_ms):
            days.log_in(session)
    for agent, day in people.roster:
        days.expect(agent, day)
    return [_finish(one, now_ms, several=people.several_desks) for one in days.found()]


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
        self._stays: dict[str, list[Stay]] = {}  # those with entry and exit, in their order
        self._entries: dict[str, list[int]] = {}

    def asks_for(self, agent: str) -> bool:
        return self._agents is None or agent in self._agents

    def of(self, agent: str, utc_ms: int, leaves: bool = False) -> date:
        """The shift in which it lies (for who leaves its end is in it), or the nearest one."""
        utc_s = utc_ms // 1000
        local = self._local.at(utc_ms)
        best, nearest = local, NEAR_S + 1
        for day in (local - _DAY, local, local + _DAY) if self._people.roster else ():
            plan = self._people.planned(agent, day)
            if plan is None or plan.start_s is None or plan.end_s is None:
                continue
            if plan.start_s <= utc_s < plan.end_s + leaves:
                return day
            away = min(abs(utc_s - plan.start_s), abs(utc_s - plan.end_s))
            if away < nearest:
                best, nearest = day, away
        return best

    def at(self, agent: str, utc_ms: int) -> date:
        """The day of the stay in which it lies, else as `of`."""
        place = bisect_right(self._entries.get(agent, ()), utc_ms)
        for stay in self._stays.get(agent, ())[max(place - 2, 0) : place]:
            if utc_ms <= (stay.exit or 0):
                return stay.day
        return self.of(agent, utc_ms)

    def pair(self, agent: str, made: list[Mark], fixes: list[Correction]) -> None:
        """The agent's marks and corrections to their days."""
        its = mark_times(made, fixes)
        stays = paired(its, lambda utc_ms, leaves: self.of(agent, utc_ms, leaves))
        self._stays[agent] = [one for one in stays if one.seconds is not None]
        self._entries[agent] = [one.entry or 0 for one in self._stays[agent]]
        if stays and stays[-1].state == "no_exit":
            stays[-1].state = "going"
        of_keys: dict[Key, AgentDay] = {}
        for stay in stays:
            if (one := self.expect(agent, stay.day)) is not None:
                one.stays.append(stay)
                of_keys.update(dict.fromkeys(stay.keys, one))
        for mark in made:
            if (one := of_keys.get((mark.station, mark.epoch, mark.sequence))) is not None:
                one.marks.append(mark)
        found = by_key(stays) if fixes else {}
        for fix in fixes:
            day = self._day_of(fix, found)
            if day is not None and (one := self.expect(agent, day)) is not None:
                one.corrections.append(fix)

    def log_in(self, session: Session) -> None:
        """The agent's session to its day."""
        assert session.open_utc is not None
        one = self.expect(session.agent, self.at(session.agent, session.open_utc))
        if one is not None:
            one.sessions.append(session)

    def _day_of(self, fix: Correction, found: Mapping[Key, Stay]) -> date | None:
        stay = found.get(of_mark(fix) or (fix.station, fix.epoch, fix.sequence))
        if stay is not None:
            return stay.day
        if fix.day is not None:
            return date.fromisoformat(fix.day)
        if fix.time_utc is not None:
            return self.of(fix.agent, fix.time_utc, fix.direction == "out")
        return None

    def expect(self, agent: str, day: date) -> AgentDay | None:
        """The agent's day, where it was asked for."""
        if not self._first <= day <= self._last or not self.asks_for(agent):
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
    return [from_columns(Correction, found._mapping) for found in tx.execute(query)]


def _finish(one: AgentDay, now_ms: int, *, several: bool) -> AgentDay:
    one.marks.sort(key=lambda mark: (mark.utc or 0, mark.number))
    for mark in one.marks:  # by their hour, which each has
        if mark.direction == "out":
            one.last_out = mark.utc
        elif one.first_in is None:
            one.first_in = mark.utc
    _sessions_of(one, now_ms, several=several)
    for stay in one.stays:
        if stay.state == "going" and not _is_there(one, stay, now_ms):
            stay.state = "no_exit"
    if one.planned is not None:
        plan, explained = one.planned, _explained(one)
        mark_s = None if (came := one.came) is None else came // 1000
        login_s = None if one.first_login is None else one.first_login // 1000
        one.late = lateness(plan, mark_s, explained)
        one.late_login = lateness(plan, login_s, explained)
    if one.first_in is not None and one.first_login is not None:
        one.mark_to_login_s = (one.first_login - one.first_in) // 1000
    if one.last_out is not None and one.last_logout is not None:
        one.logout_to_mark_s = (one.last_out - one.last_logout) // 1000
    return one


def _is_there(one: AgentDay, stay: Stay, now_ms: int) -> bool:
    """Of who came last and made no mark since: logged in, or in the shift; no longer than 16 h."""
    if stay.entry is None or now_ms - stay.entry > LONGEST_MS:
        return False
    end_s = one.planned.end_s if one.planned is not None else None
    return one.open or end_s is None or now_ms // 1000 < end_s


def _explained(one: AgentDay) -> str | None:
    """The last reason that somebody gave for the late entry. A corrected time is none; nor is what
    was said of the exit, or of a moment in the shift.
    """
    if not one.corrections:
        return None
    leaving = {
        (mark.station, mark.epoch, mark.sequence) for mark in one.marks if mark.direction == "out"
    }
    reasons = [
        fix.reason
        for fix in one.corrections
        if fix.kind == "justified" and fix.time_utc is None and of_mark(fix) not in leaving
    ]
    return reasons[-1] if reasons else None


def _sessions_of(one: AgentDay, now_ms: int, *, several: bool) -> None:
    stays = one.sessions
    for stay in stays:
        opened, closed, going = stay.open_utc, stay.close_utc, stay.reason is None
        if opened is not None and (one.first_login is None or opened < one.first_login):
            one.first_login = opened
        if closed is not None and (one.last_logout is None or closed > one.last_logout):
            one.last_logout = closed
        one.open |= going
        one.orphans += stay.reason == "unheard" or (going and _long(stay, now_ms))
    one.impossible = _impossible(stays, now_ms, several=several)


def _long(stay: Session, end: int) -> bool:
    return stay.open_utc is not None and end - stay.open_utc > LONGEST_MS


def _impossible(stays: Sequence[Session], now_ms: int, *, several: bool) -> int:
    """How many cannot be; of two at once the later one, unless the site allows `several`."""
    count, until = 0, 0
    for stay in sorted(stays, key=lambda s: (s.open_utc or 0, s.station, s.epoch, s.sequence)):
        opened, closed = stay.open_utc, stay.close_utc
        if opened is None:
            continue
        wrong = closed is not None and (closed < opened or _long(stay, closed))
        count += wrong or (opened < until and not several)
        if not wrong:
            end = closed if closed is not None else (now_ms if stay.reason is None else opened)
            until = max(until, end)
    return count
