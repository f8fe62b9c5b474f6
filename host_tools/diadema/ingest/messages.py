"""What goes into the ingest's core and what comes out: messages of the stream, and effects.

What a batch of events changed: the rows to write, the agents to show anew, the answers.

Contacts that go on are part of their station's state, and are no rows yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import Table

from diadema.ingest.time_window import Window
from diadema.store import tables
from diadema.store.chain import MarkContent, Placed
from diadema.store.host_rows import Step
from diadema.store.interval_rows import TrailRow, trail_row
from diadema.store.rows import Contact, Press, QueueCall, Session, Ticket, Trail
from diadema.store.station_state import BootClock, Greeting, StationState
from diadema.store.writer import AnswerRow, Ended
from diadema.wire.commands import is_host, is_station

PREFIX = "$MQTT.msgs.diadema.v1."  # where the broker keeps what stations and gateways publish
OWN = "$MQTT.msgs.host."  # and what the host side says itself: no MQTT user may publish `host/…`


class Message(Struct, gc=False, frozen=True):
    """One message of the stream. `place`: its sequence there, or the reply subject that ends in
    it (few ask, so it is read from there only then).
    """

    place: int | bytes
    subject: str
    data: bytes

    @property
    def sequence(self) -> int:
        return self.place if isinstance(self.place, int) else place_of(self.place)[0]


class Target(NamedTuple):
    """What a subject is for: `ev`, `st` (a link's greeting), `gw`, `bridge`; else `kind` is
    empty. `gw`: the gateway by whose credential it came.
    """

    kind: str
    name: str
    link: str = ""
    gw: str = ""


@dataclass
class Orders:
    """Commands that are stored in one transaction with the events that tell of them: their rows,
    those that they replace, the stations whose numbers they took, and what was answered.
    """

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    stations: set[str] = field(default_factory=set)
    answers: list[AnswerRow] = field(default_factory=list)  # to who asked


@dataclass
class Effects:
    """What must follow a commit, in this order: acknowledge, answer greetings, show."""

    acks: dict[str, tuple[int, int]] = field(default_factory=dict)  # s: (e, position)
    greeted: dict[str, Greeting] = field(default_factory=dict)
    challenged: set[tuple[str, str, int]] = field(default_factory=set)  # s, gw, port: to prove it
    answered: list[tuple[str, int]] = field(default_factory=list)  # s, i
    opened: set[str] = field(default_factory=set)  # stations where a session began
    ended: set[str] = field(default_factory=set)  # and where one ended
    marks: list[tuple[str | None, str | None, str, int | None]] = field(
        default_factory=list
    )  # agent, badge, direction, utc
    chosen: bool = False  # somebody chose a PIN
    tested: bool = False  # a station told of a bench test
    placed: bool = False  # older marks may have got their time
    rows: dict[str, bytes] = field(default_factory=dict)
    queue_calls: list[QueueCall] = field(default_factory=list)
    updates: list[Step] = field(default_factory=list)
    two_seats: list[tuple[str, list[str]]] = field(default_factory=list)  # agent, stations
    feed: list[bytes] = field(default_factory=list)  # events of stations that others wait for
    alarms: list[str] = field(default_factory=list)


def place_of(reply: bytes) -> tuple[int, int, int]:
    """A message's number in the stream, its number among those delivered, and how many wait."""
    # $JS.ACK.[domain.account.]stream.consumer.deliveries.sequence.delivered.time.pending[.x]
    words = reply.split(b".")
    at = 5 if len(words) == 9 else 7
    return int(words[at]), int(words[at + 1]), int(words[at + 3])


def subject_of(s: str) -> str:
    """Where the stream keeps the events of `s`."""
    return f"{PREFIX if is_station(s) else OWN}{s}.ev"


def target_of(subject: str) -> Target:
    """Read a subject of the stream."""
    if subject.startswith(OWN):
        match subject.removeprefix(OWN).split("."):
            case [s, "ev"] if is_host(s):
                return Target("ev", s)
        return Target("", subject)
    match subject.removeprefix(PREFIX).split("."):
        case [s, "ev"] if is_station(s):
            return Target("ev", s)
        case [s, "st", "wifi"] if is_station(s):
            return Target("st", s, "wifi")
        case [gateway, s, "ev"] if gateway.startswith("gw-") and is_station(s):
            return Target("ev", s, "usb", gateway.removeprefix("gw-"))
        case [gateway, s, "st"] if gateway.startswith("gw-") and is_station(s):
            return Target("st", s, "usb", gateway.removeprefix("gw-"))
        case [gateway, "st"] if gateway.startswith("gw-"):
            return Target("gw", gateway.removeprefix("gw-"))
        case ["mosquitto", "st"]:
            return Target("bridge", "mosquitto")
    return Target("", subject)


type Key = tuple[str, int, int]
type Anchor = tuple[str, int, int, int, int, str, int, int, int, int | None]
type Row = Contact | Session | Trail
type Rows = tuple[list[Contact], list[Session], list[Trail]]


@dataclass
class Changes:
    """Made for one batch. `unplaced(s, e, b)` reads the stored rows of a boot without UTC;
    `stored(s, e, n, c)` the row of contact `c` that began before `n`.
    """

    unplaced: Callable[[str, int, int], Rows]
    stored: Callable[[str, int, int, str], Contact | None]
    window: Window = field(default_factory=Window.whole)
    contacts: dict[Key, Contact] = field(default_factory=dict)
    sessions: dict[Key, Session] = field(default_factory=dict)
    trails: dict[Key, Trail] = field(default_factory=dict)  # that had no time when they ended
    trail_rows: list[TrailRow] = field(default_factory=list)
    presses: dict[Key, Press] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    queue_calls: dict[Key, QueueCall] = field(default_factory=dict)
    agents: set[str] = field(default_factory=set)
    answered: list[Contact] = field(default_factory=list)  # for the day's figures
    missed: list[Contact] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)  # stations
    ended: list[Session] = field(default_factory=list)
    placed: bool = False  # older rows got their time: the day's figures must be read again
    fresh: dict[str, tuple[int, int]] = field(default_factory=dict)  # s: e, b begun in this batch
    untimed: dict[str, list[Row]] = field(default_factory=dict)  # by station
    retained: dict[Table, list[tuple[Any, ...]]] = field(default_factory=dict)  # rows that stay
    updates: list[Step] = field(default_factory=list)
    marks: list[tuple[MarkContent, Placed]] = field(default_factory=list)
    hours: list[dict[str, str | int]] = field(default_factory=list)  # of older marks
    anchors: list[Anchor] = field(default_factory=list)  # rows of that table
    alarms: list[str] = field(default_factory=list)

    def beside(self) -> "Changes":
        """For an older journal: its rows go with these, and it moves nothing that is live."""
        return replace(self, opened=set(), ended=[], fresh={}, untimed={})

    def older_contact(self, s: str, e: int, n: int, c: str) -> Contact | None:
        """One that its station's state has forgotten; the newest, where an id came twice."""
        mine = [
            contact
            for contact in self.contacts.values()
            if (contact.station, contact.epoch, contact.contact) == (s, e, c)
        ]
        stored = self.stored(s, e, n, c)
        if stored is not None and (s, e, stored.sequence) not in self.contacts:
            mine.append(stored)
        return max(mine, key=lambda contact: contact.sequence, default=None)

    def contact(self, contact: Contact) -> None:
        self.contacts[contact.station, contact.epoch, contact.sequence] = contact
        if contact.start_utc is None or contact.close_utc is None:
            self.untimed.setdefault(contact.station, []).append(contact)

    def session(self, session: Session) -> None:
        self.sessions[session.station, session.epoch, session.sequence] = session
        self.agents.add(session.agent)
        if session.open_utc is None or session.close_utc is None:
            self.untimed.setdefault(session.station, []).append(session)

    def trail(self, trail: Trail) -> None:
        """One that is over; with its time nothing changes it any more."""
        if trail.start_utc is not None:
            self.trail_rows.append(trail_row(trail))
        else:
            self.trails[trail.station, trail.epoch, trail.sequence] = trail
            self.untimed.setdefault(trail.station, []).append(trail)

    def press(self, press: Press) -> None:
        self.presses[press.station, press.epoch, press.sequence] = press

    def ticket(self, ticket: Ticket) -> None:
        self.tickets[ticket.ticket] = ticket

    def queue_call(self, call: QueueCall) -> None:
        self.queue_calls[call.station, call.epoch, call.sequence] = call

    def keep(self, table: Table, row: tuple[Any, ...]) -> None:
        """A row that no later event changes."""
        self.retained.setdefault(table, []).append(row)

    def running(self, state: StationState) -> None:
        """The agent that a touched station is left with."""
        if state.session is not None:
            self.agents.add(state.session.agent)

    def settle_hours(self) -> None:
        """Keep, and tell a station, which events had an hour that cannot be."""
        ranges: dict[str, tuple[int, int, int]] = {}
        for row in self.window.ranges():
            self.keep(tables.untimed, row)
            s, _, first, last = row
            count, one, _ = ranges.get(s, (0, first, last))
            ranges[s] = (count + last - first + 1, one, last)
        for s, (count, first, last) in ranges.items():
            self.alarms.append(
                f"hour: {s} tells of hours that cannot be, in {count} events (n {first}…{last}); "
                "they count without one"
            )

    def anchor(self, s: str, e: int, b: int, clock: BootClock, jump: int | None) -> None:
        """Note the newest anchor of a boot's clock."""
        drift = clock.drift_ppb, clock.drift_error_ppb
        reading = clock.uptime_ms, clock.utc, clock.source, clock.uncertainty_ms
        self.anchors.append((s, e, b, *reading, *drift, jump))
        if jump is not None:
            self.alarms.append(f"clock: {s} was set {jump / 1000:+.1f} s by {clock.source}")

    def place(
        self, s: str, state: StationState, clocks: Mapping[tuple[int, int], BootClock]
    ) -> None:
        """Boots (e, b) got their clocks: give an hour to what happened there before."""
        rows: list[Row] = list(state.open)  # what is running goes on with these
        if state.last is not None:
            rows.append(state.last)
        rows += state.coded_late
        if state.session is not None:
            rows.append(state.session)
        if state.trail is not None:
            trail = state.trail
            for (e, b), clock in clocks.items():
                if (trail.epoch, trail.boot) == (e, b) and trail.start_utc is None:
                    trail.start_utc = _late(trail, clock, trail.start_u)
        rows += self.untimed.pop(s, ())
        for e, b in clocks:
            if self.fresh.get(s) != (e, b):  # else nothing of it is stored yet
                rows += chain.from_iterable(self.unplaced(s, e, b))
                self.placed = True
        for (e, b), clock in clocks.items():
            if state.untimed or (e, b) != (state.epoch, state.boot):
                self._hours(s, e, b, clock)
        for row in rows:
            for (e, b), clock in clocks.items():
                if row.epoch == e:
                    self._place(row, b, clock)
        for press in state.presses:
            for (e, b), clock in clocks.items():
                if press.epoch == e and _place_press(press, b, clock):
                    self.press(press)
        shown = clocks.get((state.epoch, state.shown_b))
        if state.shown_utc is None and shown is not None:
            state.shown_utc = shown.utc_at(state.shown_u)

    def _hours(self, s: str, e: int, b: int, clock: BootClock) -> None:
        """Marks of that boot without an hour get it as they are written, or where they stand."""
        doubt, doubt_ppb = clock.uncertainty_ms, clock.drift_error_ppb
        reading = {"u": clock.uptime_ms, "utc": clock.utc, "ppb": clock.drift_ppb}
        self.hours.append(
            {"s": s, "e": e, "b": b, **reading, "doubt": doubt, "doubt_ppb": doubt_ppb}
        )

    def _place(self, row: Row, b: int, clock: BootClock) -> None:
        """Give the row its time, unless there is a newer one of it (they come newest first)."""
        key = row.station, row.epoch, row.sequence
        if isinstance(row, Contact):
            if self.contacts.setdefault(key, row) is row:
                _place_contact(row, b, clock)
        elif isinstance(row, Trail):
            if self.trails.setdefault(key, row) is row:
                _place_trail(row, b, clock)
        elif self.sessions.setdefault(key, row) is row:
            _place_session(row, b, clock)
            self.agents.add(row.agent)


def _place_contact(contact: Contact, b: int, clock: BootClock) -> None:
    if contact.start_b == b:
        if contact.start_utc is None:
            contact.start_utc = _late(contact, clock, contact.start_u)
        if contact.answered_u is not None and contact.answered_utc is None:
            contact.answered_utc = _late(contact, clock, contact.answered_u)
    if contact.end_b == b and contact.end_u is not None and contact.end_utc is None:
        contact.end_utc = _late(contact, clock, contact.end_u)
    if contact.close_b == b and contact.close_u is not None and contact.close_utc is None:
        contact.close_utc = _late(contact, clock, contact.close_u)


def _place_session(session: Session, b: int, clock: BootClock) -> None:
    if session.open_b == b and session.open_utc is None:
        session.open_utc = _late(session, clock, session.open_u)
    if session.close_b == b and session.close_u is not None and session.close_utc is None:
        session.close_utc = _late(session, clock, session.close_u)


def _place_trail(trail: Trail, b: int, clock: BootClock) -> None:
    if trail.boot == b and trail.start_utc is None:
        trail.start_utc = _late(trail, clock, trail.start_u)
        trail.end_utc = trail.start_utc + trail.end_u - trail.start_u


def _place_press(press: Press, b: int, clock: BootClock) -> bool:
    """Whether something of it lay in that boot and had no time."""
    placed = False
    for part in ("open", "accepted", "technical", "closed", "over"):
        u = getattr(press, f"{part}_u")
        if getattr(press, f"{part}_b") == b and getattr(press, f"{part}_utc") is None:
            setattr(press, f"{part}_utc", _late(press, clock, u))
            placed = True
    return placed


def _late(row: Row | Press, clock: BootClock, u: int) -> int:
    """The time of `u`; notes that the row got it late, and the worst doubt of its times."""
    row.late = True
    row.uncertainty_ms = max(row.uncertainty_ms or 0, clock.uncertainty_at(u))
    return clock.utc_at(u)
