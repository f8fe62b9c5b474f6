"""The live rows: what each agent does now, and today's figures, made from the stations' states."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from msgspec import Struct, field

from diadema import metrics
from diadema.site.context import tz_of
from diadema.site.description import Site
from diadema.site.work import SYSTEM_REASONS
from diadema.store.rows import Contact
from diadema.store.station_state import Station, StationState, foremost
from diadema.wire.live_rows import Row

_BESIDE = {"switch"}  # parts without which a desk works on: its telephone rings by itself


def _lacking(row: Row, state: StationState) -> str | None:
    """What of the telephone is away; a fault that the agent reported says more."""
    if row.fault is None:
        for part, word in (("telephone", "no_phone"), ("switch", "no_switch")):
            if part in state.faults:
                return word
    return None


class Day(Struct, frozen=True):
    """One day of the site: its date, and its bounds in UTC milliseconds [start, end)."""

    date: str
    start: int
    end: int

    def has(self, utc: int | None) -> bool:
        return utc is not None and self.start <= utc < self.end


def day_of(now_ms: int, site: Site | None) -> Day:
    """The site's day at that moment; UTC's while there is no site."""
    zone = tz_of(site)
    date = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    bounds = (datetime.combine(day, time(), zone) for day in (date, date + timedelta(days=1)))
    start, end = (int(bound.timestamp() * 1000) for bound in bounds)
    return Day(date.isoformat(), start, end)


type Key = tuple[str, int, int]
type Counted = tuple[bool, int, int, int, int]


class Figures(Struct):
    """One agent's day: answered and missed (flow), and seconds over contacts for the TMO
    (averages). `missed` is by contact, with its time, for one may be missed and then answered;
    `counted` so too: answered, seconds for the averages or -1, and when its talk began, ended
    (0, 0: nothing that another one could contradict), and it itself began.
    """

    answered: int = 0
    missed: dict[Key, int] = field(default_factory=dict)
    counted: dict[Key, Counted] = field(default_factory=dict)
    _seconds: int = 0
    _n: int = 0
    _until: int = 0  # the latest end of a talk
    _tangled: bool = False  # something overlaps or was told again: the sums are made anew

    @property
    def in_a_row(self) -> list[int]:
        missed = [*self.missed.values()]
        if missed:
            newest = max((one[-1] for one in self.counted.values() if one[0]), default=0)
            return [utc for utc in missed if utc > newest]
        return missed

    def tell(self, key: Key, new: Counted) -> None:
        old = self.counted.get(key)
        if old == new:
            return
        self.counted[key] = new
        answered, seconds, began, ended, _ = new
        self.answered += answered
        if old is not None:
            self.answered -= old[0]
            if old[1] >= 0 or old[2]:
                self._tangled = True
        if began:
            if began < self._until:
                self._tangled = True
            if ended > self._until:
                self._until = ended
        if seconds >= 0:
            self._seconds += seconds
            self._n += 1

    @property
    def averages(self) -> tuple[int, int]:
        """Seconds and contacts. Of two talks at once the later one is in none, as in
        `metrics.doubtful`.
        """
        if not self._tangled:
            return self._seconds, self._n
        talks = sorted(
            (began, ended, start, seconds)
            for _, seconds, began, ended, start in self.counted.values()
        )
        total = n = until = 0
        for began, ended, _, seconds in talks:
            if began and began < until:
                continue
            until = max(until, ended)
            if seconds >= 0:
                total += seconds
                n += 1
        return total, n


class Floor:
    """Rows by agent, as last shown, and where each agent is logged in, the latest seat last."""

    def __init__(self, site: Site | None, rows: dict[str, bytes], day: Day) -> None:
        self.day = day
        self.rows = rows
        self._seats: dict[str, list[str]] = {}
        self._at: dict[str, str] = {}
        self._figures: dict[str, Figures] = {}
        self._agents = {agent.id: agent for agent in site.agents} if site else {}
        self._seat_names = {st.id: st.seat for st in site.stations} if site else {}
        self._topics = {one.code: one.label for one in site.help_topics} if site else {}
        self._reasons = {reason.code: reason for reason in site.reasons} if site else {}

    def agents(self) -> set[str]:
        """Everybody with a row: the site's agents, and whoever was ever seen."""
        return self._agents.keys() | self.rows.keys()

    def sit(self, s: str, a: str | None) -> list[str]:
        """Agent `a` (None: nobody) is at station `s` now; their stations if more than before."""
        before = self._at.pop(s, None)
        if before is not None:
            self._seats[before].remove(s)
        if a is None:
            return []
        self._at[s] = a
        seats = self._seats.setdefault(a, [])
        seats.append(s)
        return list(seats) if before != a else []

    def seats(self, a: str) -> list[str]:
        """The stations where the agent is logged in, the latest last."""
        return [*self._seats.get(a, ())]

    def seat_name(self, s: str) -> str:
        return self._seat_names.get(s, s)

    def answered(self, contact: Contact) -> None:
        figures = self._figures.get(contact.agent)
        if figures is not None and figures.missed:
            figures.missed.pop((contact.station, contact.epoch, contact.sequence), None)

    def missed(self, contact: Contact) -> None:
        inbound = contact.direction == "in"
        if inbound and contact.outcome == "missed" and self.day.has(contact.start_utc):
            missed, key = (
                self._figures_of(contact.agent).missed,
                (contact.station, contact.epoch, contact.sequence),
            )
            if contact.cause in metrics.EXCUSED:
                missed.pop(key, None)
            else:
                missed[key] = contact.start_utc or 0

    def note(self, contact: Contact) -> None:
        """What averages and flow have of it now, as often as it changes."""
        day, start, ended = self.day, contact.start_utc, contact.end_utc
        today = start is not None and day.start <= start < day.end
        if not today and (ended is None or ended <= day.start):
            return
        answered = contact.outcome == "answered"
        averaged = metrics.averaged(contact)
        began = contact.answered_utc
        if not averaged or began is None or ended is None or start is None:
            if not today:
                return
            began = ended = 0
        seconds = metrics.handle_s(contact) if today and averaged else -1
        its = today and answered, seconds, began, ended, start or 0
        self._figures_of(contact.agent).tell(
            (contact.station, contact.epoch, contact.sequence), its
        )

    def count(self, contacts: Iterable[Contact]) -> None:
        """Read the day's figures anew from all of its contacts, and those whose talk reaches into
        it.
        """
        self._figures = {}
        for contact in contacts:
            if contact.outcome == "missed":
                self.missed(contact)
            if contact.outcome in ("answered", "missed"):
                self.note(contact)

    def render(self, a: str, stations: dict[str, Station], out_since: int | None) -> Row:
        """The agent's row now. `out_since`: when the last session closed, for who is out."""
        agent = self._agents.get(a)
        figures = self._figures.get(a) or Figures()
        in_a_row = figures.in_a_row
        seconds, handled = figures.averages
        row = Row(
            agent=a,
            name=agent.name if agent else a,
            alias=agent.alias if agent else a,
            team=agent.team if agent else "",
            private=False,
            link="up",
            contacts=figures.answered,
            tmo=metrics.mean(seconds, handled),
            missed=len(figures.missed),
            in_a_row=len(in_a_row),
            in_a_row_utc=min(in_a_row, default=None),
            handle_s=seconds,
            handled=handled,
        )
        seats = self._seats.get(a)
        if not seats:
            row.since = row.utc_ms = out_since
            return row
        station = stations[seats[0]] if len(seats) == 1 else _latest(stations[s] for s in seats)
        state = station.state
        contact = foremost(state.open) if state.open else None
        reason = self._reasons.get(state.shown_reason or "")
        row.station, row.seat = station.station, self.seat_name(station.station)
        row.state, row.reason = state.shown, state.shown_reason
        row.reason_label = reason.label if reason else None
        row.private = reason.private if reason else self._hides(row)
        row.since, row.utc_ms, row.by = state.shown_utc, state.newest_utc, state.by
        if contact is not None:
            row.contact, row.queue, row.answered_utc = (
                contact.contact,
                contact.queue,
                contact.answered_utc,
            )
        self._presses(row, state)
        row.unfit, row.unfit_utc = state.unfit, state.unfit_utc
        parts = state.faults.keys() - _BESIDE
        if parts and row.unfit is None:
            row.unfit, row.unfit_utc = min(parts), state.fault_utc
        row.link = station.link
        row.warn = "two_seats" if len(seats) > 1 else _lacking(row, state)
        return row

    @staticmethod
    def _hides(row: Row) -> bool:
        """Of a reason that is in no list (any more): it may have been a private one."""
        return row.state == "not_ready" and row.reason not in (None, *SYSTEM_REASONS)

    def _presses(self, row: Row, state: StationState) -> None:
        """The longest open call for help of the agent, and fault of the desk."""
        for press in reversed(state.presses):
            if press.outcome != "open":
                continue
            if press.kind == "fault":
                row.fault, row.fault_by = press.open_utc or 0, press.accepted_by
            elif press.agent in (None, row.agent):
                row.help, row.help_by = press.open_utc or 0, press.accepted_by
                row.help_topic = self._topics.get(press.topic or "", press.topic)

    def _figures_of(self, a: str) -> Figures:
        figures = self._figures.get(a)
        if figures is None:
            figures = self._figures[a] = Figures()
        return figures


def _latest(stations: Iterable[Station]) -> Station:
    """Of those where the agent is logged in, the last one; by no order of arrival."""

    def opened(one: Station) -> tuple[int, str]:
        session = one.state.session
        return (session.open_utc or 0 if session else 0), one.station

    return max(stations, key=opened)
