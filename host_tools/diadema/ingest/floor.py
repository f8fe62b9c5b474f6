"""The live rows: what each agent does now, and today's figures, made from the stations' states."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field

from diadema import metrics
from diadema.ingest.state import StationState, foremost
from diadema.ingest.station import Station
from diadema.site import Site
from diadema.store.rows import Contact


class Row(Struct, kw_only=True):
    """The value under `agent.<id>` in the KV bucket `live`."""

    a: str
    name: str
    alias: str
    team: str = ""
    seat: str | None = None
    s: str | None = None
    state: str = "logged_out"
    reason: str | None = None
    reason_label: str | None = None
    private: bool = False
    since: int | None = None
    t: int | None = None
    c: str | None = None
    queue: str | None = None
    contacts: int = 0
    tmo: int | None = None
    link: str = "up"
    warn: str | None = None
    help: int | None = None  # she waits for it since then; 0: nobody knows since when
    help_topic: str | None = None
    help_by: str | None = None  # who has accepted
    fault: int | None = None
    fault_by: str | None = None
    missed: int = 0
    in_a_row: int = 0  # missed by her own doing since she last answered one
    in_a_row_utc: int | None = None  # the first of those
    handle_s: int = 0  # behind `tmo`: seconds of so many contacts
    handled: int = 0
    answered_utc: int | None = None  # of the running call
    unfit: str | None = None  # what keeps her desk from work: a part, or what the self-test found
    unfit_utc: int | None = None


class Day(Struct, frozen=True):
    """One day of the site: its date, and its bounds in UTC milliseconds [start, end)."""

    date: str
    start: int
    end: int

    def has(self, utc: int | None) -> bool:
        return utc is not None and self.start <= utc < self.end


def day_of(now_ms: int, site: Site | None) -> Day:
    """The site's day at that moment; UTC's while there is no site."""
    zone = site.tz if site else ZoneInfo("UTC")
    date = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    bounds = (datetime.combine(day, time(), zone) for day in (date, date + timedelta(days=1)))
    start, end = (int(bound.timestamp() * 1000) for bound in bounds)
    return Day(date.isoformat(), start, end)


_HERS = frozenset({"no_answer", "rejected"})  # missed by the agent, not by caller or technics


class Figures(Struct):
    """One agent's day: answered and missed (flow), and seconds over contacts for the TMO
    (averages). `missed` is by contact, with its hour, for one may be missed and then answered.
    """

    answered: int = 0
    seconds: int = 0
    n: int = 0
    newest: int = 0  # of those answered, when it began
    missed: dict[tuple[str, int, int], tuple[int, bool]] = field(default_factory=dict)

    @property
    def in_a_row(self) -> list[int]:
        return [utc for utc, hers in self.missed.values() if hers and utc > self.newest]


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

    def is_in(self, a: str) -> bool:
        return bool(self._seats.get(a))

    def seats(self, a: str) -> list[str]:
        """The stations where she is logged in, the latest last."""
        return [*self._seats.get(a, ())]

    def seat_name(self, s: str) -> str:
        return self._seat_names.get(s, s)

    def answered(self, contact: Contact) -> None:
        if self.day.has(contact.start_utc):
            figures = self._figures_of(contact.a)
            figures.answered += 1
            figures.newest = max(figures.newest, contact.start_utc or 0)
            figures.missed.pop((contact.s, contact.e, contact.n), None)

    def missed(self, contact: Contact) -> None:
        if self.day.has(contact.start_utc):
            told = contact.start_utc or 0, contact.cause in _HERS
            self._figures_of(contact.a).missed[contact.s, contact.e, contact.n] = told

    def closed(self, contact: Contact) -> None:
        if self.day.has(contact.start_utc) and metrics.averaged(contact):
            figures = self._figures_of(contact.a)
            figures.seconds += metrics.handle_s(contact)
            figures.n += 1

    def count(self, contacts: Iterable[Contact]) -> None:
        """Read the day's figures anew from all of its contacts."""
        self._figures = {}
        for contact in contacts:
            if contact.outcome == "answered":
                self.answered(contact)
            elif contact.outcome == "missed":
                self.missed(contact)
            self.closed(contact)

    def render(self, a: str, stations: dict[str, Station], out_since: int | None) -> Row:
        """The agent's row now. `out_since`: when the last session closed, for who is out."""
        agent = self._agents.get(a)
        figures = self._figures.get(a) or Figures()
        in_a_row = figures.in_a_row
        row = Row(
            a=a,
            name=agent.name if agent else a,
            alias=agent.alias if agent else a,
            team=agent.team if agent else "",
            contacts=figures.answered,
            tmo=metrics.mean(figures.seconds, figures.n),
            missed=len(figures.missed),
            in_a_row=len(in_a_row),
            in_a_row_utc=min(in_a_row, default=None),
            handle_s=figures.seconds,
            handled=figures.n,
        )
        seats = self._seats.get(a)
        if not seats:
            row.since = row.t = out_since
            return row
        station = stations[seats[-1]]
        state = station.state
        contact = foremost(state.open) if state.open else None
        reason = self._reasons.get(state.shown_reason or "")
        row.s, row.seat = station.s, self.seat_name(station.s)
        row.state, row.reason = state.shown, state.shown_reason
        row.reason_label = reason.label if reason else None
        row.private = reason.private if reason else False
        row.since, row.t = state.shown_utc, state.newest_utc
        if contact is not None:
            row.c, row.queue, row.answered_utc = contact.c, contact.queue, contact.answered_utc
        self._tickets(row, state)
        row.unfit, row.unfit_utc = state.unfit, state.unfit_utc
        if state.faults and row.unfit is None:
            row.unfit, row.unfit_utc = min(state.faults), state.fault_utc
        row.link = station.link
        row.warn = "two_seats" if len(seats) > 1 else None
        return row

    def _tickets(self, row: Row, state: StationState) -> None:
        """The longest open call for help of hers, and fault of her desk."""
        for ticket in reversed(state.tickets):
            if ticket.outcome != "open":
                continue
            if ticket.kind == "fault":
                row.fault, row.fault_by = ticket.open_utc or 0, ticket.accepted_by
            elif ticket.a in (None, row.a):
                row.help, row.help_by = ticket.open_utc or 0, ticket.accepted_by
                row.help_topic = self._topics.get(ticket.topic or "", ticket.topic)

    def _figures_of(self, a: str) -> Figures:
        return self._figures.setdefault(a, Figures())


def since_of(row: bytes | None) -> int | None:
    """When the agent of a published row went out; None if that row says otherwise."""
    if row is None:
        return None
    known = msgspec.json.decode(row, type=Row)
    return known.since if known.state == "logged_out" else None
