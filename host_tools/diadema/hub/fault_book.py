"""Faults as they are now: the tickets, whose reports they have, and what still goes on at a seat.

Presses and a station's own faults are in the memory of the ingest; what the hub itself said is
read from the store, again whenever it has said more.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from diadema.access import Accounts
from diadema.access.book import Account, AccountError
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.hub.own_journal import ME, OwnJournal
from diadema.ingest.core import Ingest
from diadema.site.context import language_of, tz_of
from diadema.site.directory.due_times import Calendar, due, site_calendar
from diadema.site.directory.people import People
from diadema.site.directory.people_of import day_at
from diadema.store import Reader
from diadema.store.assistance import (
    MASS,
    STATIONS_AREA,
    Key,
    TicketCase,
    adoptions,
    is_mass,
    presses_of,
    reports_of,
    steps_of,
)
from diadema.store.host_rows import TicketStep
from diadema.store.rows import Press, Session, Ticket
from diadema.store.station_state import Station
from diadema.words import section, text

REPORT, STATION = "rule:report", "rule:station"
RULES = MASS, REPORT, STATION
SELFTEST = "selftest"
GOING = ("open", "taken")
NAMING_MS = 60_000  # for the agent to say which area and part
CLEARING_MS = 60_000  # for a station's part to work again
UNTOLD_MS = 86_400_000  # after which nobody is told any more that somebody took it
LATE_MS = 86_400_000  # a report that a later one of its seat followed begins nothing after it
_BY_HOST = ("telephone", "switch")  # parts that matter while somebody is logged in


class Report(Struct, frozen=True):
    """What goes on at a seat: of an agent's press, or, without `press`, the station's own word."""

    key: Key
    agent: str | None
    area: str
    part: str | None
    utc: int
    press: Press | None = None

    @property
    def station(self) -> str:
        return self.key[0]

    @property
    def group(self) -> tuple[str, str | None]:
        """What it is of; reports of one group may be of one failure."""
        return self.area, self.part


class Taken(Struct, frozen=True):
    """That somebody took a ticket or was given it, as its area is told: `key` names that event,
    `to` is the area's address, `page` where whoever works for it looks.
    """

    key: Key
    ticket: str
    utc: int
    to: str
    title: str
    severity: int | None
    seats: list[str]
    since_utc: int
    external: str
    texts: list[str]
    page: str


class FaultBook:
    """`tickets`: those that go on, and some that were closed; `reports`: those that go on. Both as
    of the last `read`; `people` gives who is there.
    """

    def __init__(
        self,
        data: DataDir,
        ingest: Ingest,
        journal: OwnJournal,
        reader: Reader,
        people: Callable[[], People],
    ) -> None:
        self._data = data
        self._ingest = ingest
        self._journal = journal
        self._reader = reader
        self.people = people
        self._accounts: Accounts | None = None
        self.tickets: dict[str, Ticket] = {}
        self.reports: dict[Key, Report] = {}
        self._place: tuple[int, int] | None = None  # of the hub's journal, as far as it was read
        self.steps: dict[str, list[TicketStep]] = {}
        self._adopted: dict[Key, list[str]] = {}  # the tickets that a report came to
        self._stored: dict[Key, Press] = {}  # presses that their stations' states have forgotten
        self._seen: dict[Key, int] = {}  # since when, of what has no hour

    def close(self) -> None:
        if self._accounts is not None:
            self._accounts.close()

    def read(self) -> None:
        """All of it as of now, and as the store has it. Raises StoreUnavailable or StoreStale."""
        with self._ingest.changing([]):
            self._read()

    def _read(self) -> None:
        place = self._journal.next_place()
        if place != self._place:
            self.steps, self._adopted, self._stored, self._place = {}, {}, {}, place
        hub = self._ingest.station(ME).state
        self.tickets = {one.ticket: replace(one) for one in hub.tickets}
        self._look_up([name for name in self.tickets if name not in self.steps], ())
        self.reports = {one.key: one for one in self._going()}
        self._look_up((), self.reports)
        self._seen = {key: at for key, at in self._seen.items() if key in self.reports}

    def _look_up(self, names: Sequence[str], reports: Iterable[Key]) -> None:
        """Read what is not known of these."""
        if not names and self._adopted.keys() >= {*reports}:
            return
        with self._reader.engine.connect() as tx:
            for name, steps in steps_of(tx, names).items():
                self.steps[name] = steps
            its = {of for name in names for of in reports_of(self.steps.get(name, ()))}
            unknown = sorted(its.union(reports) - self._adopted.keys())
            found = adoptions(tx, unknown)
            self._adopted |= {key: found.get(key, []) for key in unknown}
            for press in presses_of(tx, [key for key in unknown if self.press(key) is None]):
                self._stored[press.station, press.epoch, press.sequence] = press

    def _going(self) -> Iterable[Report]:
        now = self.now()
        for station in self._stations():
            state = station.state
            agent = state.session.agent if state.session else None
            presses = [one for one in state.presses if one.kind == "fault"]
            for press in presses:
                if press.outcome != "open":
                    continue
                key = press.station, press.epoch, press.sequence
                utc = self._utc_of(key, press.open_utc)
                if press is presses[-1] or now - utc < LATE_MS or self._adopted.get(key):
                    yield Report(key, press.agent, press.area or "", press.part, utc, press)
            for part, (e, n, known_utc) in state.fault_of.items():
                if part not in _BY_HOST or agent is not None:
                    key = station.station, e, n
                    yield Report(key, agent, STATIONS_AREA, part, self._utc_of(key, known_utc))
            if state.unfit_of is not None:
                key = station.station, *state.unfit_of
                utc = self._utc_of(key, state.unfit_utc)
                yield Report(key, agent, STATIONS_AREA, SELFTEST, utc)

    def _utc_of(self, key: Key, utc: int | None) -> int:
        """That of the event, else when it was first seen here."""
        return utc if utc is not None else self._seen.setdefault(key, self.now())

    def in_states(self, *states: str) -> list[Ticket]:
        return [one for one in self.tickets.values() if one.state in states]

    # -- whose a report is

    def loose(self) -> list[Report]:
        """What no ticket ever had, once it was named or did not end by itself."""
        return [
            one for one in self.reports.values() if not self._adopted[one.key] and self._ripe(one)
        ]

    def _ripe(self, report: Report) -> bool:
        """Nothing is waited for longer where its hour is that far off, by a clock that was set."""
        waited = abs(self.now() - report.utc)
        if report.press is not None:
            before = self.before(report.press)
            again = before is not None and before.answer == "no"
            return bool(report.area) or again or waited >= NAMING_MS
        return report.part == SELFTEST or waited >= CLEARING_MS

    def came_to(self, key: Key) -> list[str]:
        """The tickets that had it, in order; it is the last one's."""
        return self._adopted.get(key, [])

    def ticket_of(self, key: Key) -> Ticket | None:
        came = self.came_to(key)
        return self.tickets.get(came[-1]) if came else None

    def going_of(self, key: Key) -> Ticket | None:
        """The same, while that one goes on."""
        ticket = self.ticket_of(key)
        return ticket if ticket is not None and ticket.state in GOING else None

    def own_of(self, key: Key) -> Ticket | None:
        """The same, where it is no mass failure's."""
        ticket = self.going_of(key)
        return None if is_mass(ticket) else ticket

    def keys(self, ticket: Ticket) -> list[Key]:
        """Its reports."""
        its = reports_of(self.steps.get(ticket.ticket, ()))
        return [key for key in its if self.came_to(key)[-1:] == [ticket.ticket]]

    def keys_since(self, ticket: Ticket) -> list[Key]:
        """Those that came since it was opened for the last time."""
        steps = self.steps.get(ticket.ticket, [])
        last = max((at for at, one in enumerate(steps) if one.kind == "reopened"), default=0)
        its = self.keys(ticket)
        return [key for key in reports_of(steps[last:]) if key in its]

    def press(self, key: Key) -> Press | None:
        """None of what a station says of itself."""
        station = self._ingest.stations.get(key[0])
        for press in station.state.presses if station else ():
            if press.kind == "fault" and (press.epoch, press.sequence) == key[1:]:
                return press
        return self._stored.get(key)

    def is_over(self, key: Key, ticket: Ticket) -> bool:
        """Whether that report of the ticket has ended where it came from."""
        press = self.press(key)
        if press is not None:
            return press.outcome != "open"
        station = self._ingest.stations.get(key[0])
        if station is None:
            return True
        state = station.state
        return (
            state.unfit_of is None if ticket.part == SELFTEST else ticket.part not in state.faults
        )

    def before(self, press: Press) -> Press | None:
        """The press before it of the same thing at that station."""
        for one, later in pairwise(self._alike(press)):
            if (later.epoch, later.sequence) == (press.epoch, press.sequence):
                return one
        return None

    def after(self, press: Press) -> Press | None:
        for one, later in pairwise(self._alike(press)):
            if (one.epoch, one.sequence) == (press.epoch, press.sequence):
                return later
        return None

    def _alike(self, press: Press) -> list[Press]:
        station = self._ingest.stations.get(press.station)
        return [
            one
            for one in (station.state.presses if station else ())
            if (one.kind, one.area, one.part) == ("fault", press.area, press.part)
        ]

    # -- who is there

    def sessions(self) -> Iterable[Session]:
        return (one.state.session for one in self._stations() if one.state.session is not None)

    def seated_since(self, key: Key, ticket: Ticket) -> bool:
        """Whether somebody logged in at that station after it was solved, or the agent went from
        it to another one after the report: then nobody is asked any more.
        """
        press = self.press(key)
        here = [one for one in self.sessions() if one.station == key[0]]
        if press is not None and all(one.agent != press.agent for one in here):
            reported = press.open_utc or ticket.resolved_utc or 0
            its = (one for one in self.sessions() if one.agent == press.agent)
            if any((one.open_utc or 0) > reported for one in its):
                return True
        closed = None if press is None or press.closed_b is None else press
        for session in here:
            if closed is not None and session.epoch == closed.epoch:
                since = (session.open_b, session.open_u) > (closed.closed_b, closed.closed_u)
            else:
                since = (session.open_utc or 0) > (ticket.resolved_utc or 0)
            if since:
                return True
        return False

    def account(self, name: str) -> Account | None:
        """In use, of somebody who has to do with tickets."""
        if self._accounts is None and self._data.accounts.exists():
            self._accounts = Accounts(self._data)
        try:
            found = self._accounts.book.get(name) if self._accounts else None
        except AccountError:
            return None
        return (
            found if found and not found.disabled and found.person.may("tickets", "area") else None
        )

    def name_of(self, account: str | None) -> str:
        """As people call it."""
        found = self.account(account or "")
        return (found.name if found else None) or account or ""

    def untold(self, rule: str) -> Iterable[Taken]:
        """Those of which `rule` has said nothing, where the area has an address."""
        for ticket in self.tickets.values():
            steps = self.steps.get(ticket.ticket, [])
            taken = [at for at, one in enumerate(steps) if one.kind == "taken"]
            area = self.people().fault_areas.get(ticket.area)
            if ticket.state != "taken" or not taken or area is None or not area.email:
                continue
            step, later = steps[taken[-1]], steps[taken[-1] :]
            is_said = any(one.by == rule for one in later)
            if is_said or abs(self.now() - step.utc) > UNTOLD_MS:
                continue
            keys = self.keys(ticket)
            seats = dict.fromkeys(self.seat(key[0]) for key in keys)
            began = [self.reports[key].utc for key in keys if key in self.reports]
            yield Taken(
                key=(step.station, step.epoch, step.sequence),
                ticket=ticket.ticket,
                utc=step.utc,
                to=area.email,
                title=ticket.title,
                severity=ticket.severity,
                seats=[*seats] or ticket.seats.splitlines(),
                since_utc=min([ticket.utc, *began]),
                external=ticket.external or "",
                texts=[words for one, words in TicketCase(ticket, steps).texts if one.by != rule],
                page="/ui/area" if area.accounts else "/ui/faults",
            )

    # -- in words, and when

    def due(
        self, which: Literal["accept", "solve"], area: str, severity: int | None, from_ms: int
    ) -> int | None:
        """None where the site cannot be read just now."""
        target = self.people().targets_of_fault(area, severity or 3)
        try:
            calendar = (
                Calendar(zone=tz_of(self._ingest.site))
                if target.clock == "clock"
                else site_calendar(self._data, day_at(self._data, from_ms))
            )
        except DiademaError:
            return None
        return due(target, from_ms, which, calendar)

    def title(self, report: Report) -> str:
        return self.word("ticket_title", what=self.what(report), seat=self.seat(report.station))

    def what(self, report: Report) -> str:
        if report.area == STATIONS_AREA:
            return section("alerts", self._language).get(f"part.{report.part}", report.part or "")
        area = self.people().fault_areas.get(report.area)
        if area is None:
            return report.area or self.word("ticket_unnamed")
        part = area.parts.get(report.part or "", report.part)
        return f"{area.label}: {part}" if part else area.label

    def word(self, name: str, **values: object) -> str:
        return text(f"acting.{name}", self._language, **values)

    @property
    def _language(self) -> str:
        return language_of(self._ingest.site)

    def seat(self, s: str) -> str:
        return self._ingest.floor.seat_name(s)

    def seats(self) -> set[str]:
        site = self._ingest.site
        return {one.seat for one in site.stations} if site else set()

    def now(self) -> int:
        return self._ingest.clock.now_ms()

    def _stations(self) -> Iterable[Station]:
        return (one for one in self._ingest.stations.values() if one.station.startswith("DIA-"))
