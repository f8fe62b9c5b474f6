"""The heart of the ingest, without any network: messages in, one transaction, effects out.

Exactly once by (s, e, n). Each journal is taken in order; what comes beyond a gap is stored and
waits for it. Batches are written behind our back while the next is worked out; when a write fails,
nothing of it or of what came after was written, and memory is read back from the store.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from diadema.base.clock import Clock
from diadema.ingest.decode import obeyed
from diadema.ingest.floor import Floor, day_of
from diadema.ingest.intake import Intake, sender_of
from diadema.ingest.messages import Changes, Effects, Message, Orders, Rows
from diadema.ingest.proof import Proofs
from diadema.ingest.sessions import Departures, marks_among, placed
from diadema.ingest.time_window import Refused, Window
from diadema.site.description import Site
from diadema.store import Batch, Contact, StoreBehind, StoreStale, Writer, tables
from diadema.store.chain import Chain, MarkContent, MarkRow, Placed
from diadema.store.contact_rows import reaching
from diadema.store.loading import contact_of, contacts_between, journal_of, load, unplaced
from diadema.store.station_state import Greeting, Journal, Station, StationState, saved
from diadema.store.writer import Found, position_of
from diadema.wire.commands import is_station
from diadema.wire.events import AttendanceMarked

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Begun:
    """A batch that is worked out and being written. Its effects are for after that."""

    effects: Effects
    stream: tuple[str, int, str] | None
    deferred: int
    written: Future[Found]


class Ingest:
    """Holds every station in memory. Whatever raises leaves memory as the store has it."""

    def __init__(
        self, writer: Writer, site: Site | None, clock: Clock, refused: Refused | None = None
    ) -> None:
        """`refused`: events whose times were refused before, of a store that is rebuilt."""
        self.writer = writer
        self._refused = refused
        self.clock = clock
        self.site = site
        self.proofs: Proofs | None = None  # of who greets over a cable
        self.feeds: tuple[str, ...] = ()  # how the kinds of events begin that `Effects` repeats
        self.deferred = 0  # events beyond a gap that found no room; they will come again
        self._ahead = True  # memory is not what the store has
        with self._with_store():
            pass

    def _reload(self) -> None:
        with self._reading() as tx:
            stored = load(tx)
            self._chain = Chain(self.writer.key, tx)
            self._departures = Departures(tx)
            self.position = position_of(tx)  # how many events the store has
        self.stream = stored.stream
        self.generation = stored.generation
        self.stations: dict[str, Station] = {}
        self._names: dict[str, str] = {}
        for s, state, hello, next_i in stored.stations:
            greeting = msgspec.msgpack.decode(hello, type=Greeting)
            self.stations[s] = Station(
                s,
                msgspec.msgpack.decode(state, type=StationState),
                greeting,
                next_i=next_i,
                unconfirmed=greeting.up and not greeting.links,
            )
        for s, e, position in stored.positions:
            self.stations[s].journals[e] = Journal(e, position)
        for s, e, n, body in stored.pending:
            self.stations[s].journals[e].pending[n] = body
        for station in self.stations.values():
            station.put_aside()
        self._use(self.site, stored.live)
        self._letters: Counter[str] = Counter()
        for subject, count in stored.letters:
            self._letters[sender_of(subject, self.stations, self._of_site)] += count
        self._ahead = False

    def use_site(self, site: Site | None) -> None:
        """Another description of the site; save all agents after it for the rows it changes."""
        with self._with_store():
            self._use(site, self.floor.rows)

    def take(
        self, messages: Sequence[Message], created: str, server: str, after: int = 0
    ) -> Effects:
        """Store a batch and work it out. `created` is the stream's, `server` the broker's mark;
        `after`: up to where of the stream the store should have everything.

        Raises StoreUnavailable or StoreStale; then nothing was taken and it can be repeated. Or
        StoreBehind, when there is another file, or an older one: then it would leave a gap.
        """
        self._settle()
        if after:
            with self._in_memory():
                pass
            has = self.stream[1] if self.stream and self.stream[0] == created else 0
            if has < after:
                raise StoreBehind(f"the store has the stream up to {has}, and it had {after}")
        return self.end(self.begin(messages, created, server))

    def take_file(self, messages: Sequence[Message]) -> Effects:
        """The same for what comes from no stream. Raises StoreUnavailable or StoreStale."""
        self._settle()
        return self.end(self._begin(messages, None))

    def begin(self, messages: Sequence[Message], created: str, server: str) -> Begun:
        """Work a batch out and have it written; `end` them in turn. What `begin` or `end` raises
        concerns all batches that are not ended: take them again.
        """
        return self._begin(messages, (created, messages[-1].sequence, server))

    def _window(self, *, live: bool) -> Window:
        if live and self._refused is None:
            return Window.at(self.clock.now_ms())
        return Window.whole(self._refused)

    def _begin(
        self,
        messages: Sequence[Message],
        stream: tuple[str, int, str] | None,
        orders: Orders | None = None,
    ) -> Begun:
        if self.writer.behind.failed:
            raise StoreStale("a batch before this one was not written")
        if self.writer.erased is not None:
            with self._reading() as tx:
                messages = obeyed(messages, self.writer.erased, tx)
        with self._in_memory():
            window = self._window(live=stream is not None)
            changes = Changes(self._unplaced, self._stored, window)
            intake = Intake(
                self.stations,
                self._names,
                changes,
                self._load_journal,
                self._letters,
                self.proofs,
                self._of_site,
            )
            intake.take(messages)
            intake.finish()
            batch, effects = intake.batch, intake.effects
            self._work_out(changes, intake.touched, effects)
            batch.live += effects.rows.items()
            if changes.marks:
                batch.marks += self._chained(changes.marks, effects)
            effects.placed = bool(changes.hours)
            effects.chosen = tables.pin_choices in changes.retained
            effects.tested = tables.bench_tests in changes.retained
            if orders is not None:
                batch.commands, batch.ended = orders.rows, orders.ended
                batch.said = orders.answers
                batch.stations += [saved(self.station(s)) for s in sorted(orders.stations)]
            if self.feeds:
                effects.feed = [
                    body
                    for s, _, _, kind, body in batch.events
                    if kind.startswith(self.feeds) and is_station(s)
                ]
            batch.stream = stream
            written = self.writer.behind.submit(batch)
        return Begun(effects, stream, intake.deferred, written)

    def end(self, begun: Begun) -> Effects:
        """What follows, now that it is written. Raises StoreUnavailable or StoreStale."""
        found, effects = begun.written.result(), begun.effects
        self.stream = begun.stream or self.stream
        self.position = max(self.position, found.position)
        self.deferred += begun.deferred
        for event in found.conflicts:
            effects.alarms.append(
                f"conflict: {event.station} {event.epoch} {event.sequence} came with other bytes"
            )
        for event in found.recovered:
            effects.alarms.append(
                f"came back: {event.station} {event.epoch} {event.sequence}, once taken as lost"
            )
        if marks := marks_among(found.recovered):
            self._enter(marks, effects)
        return effects

    def record(self, build: Callable[[], tuple[Sequence[Message], Orders]]) -> Effects:
        """Take in what the hub itself says, with the commands that go with it: all is stored or
        nothing. `build` sees memory as the store has it, and only adds to it. Raises
        StoreUnavailable or StoreStale.
        """
        self._settle()
        with self._in_memory():
            messages, orders = build()
        return self.end(self._begin(messages, None, orders))

    def turn_day(self) -> dict[str, bytes]:
        """After midnight at the site: the rows with the new day's figures. Else nothing."""
        day = day_of(self.clock.now_ms(), self.site)
        if day == self.floor.day:
            return {}
        with self._with_store():
            self.floor.day = day
            self._count_day(())
        return self.save((), self.floor.agents())

    def doubt_links(self) -> None:
        """Nobody is connected until the next greeting. Written, for that outlasts us."""
        with self._with_store():
            doubted = [station for station in self.stations.values() if station.hello.up]
            for station in doubted:
                station.unconfirmed, station.hello.links, station.hello.proven = True, (), False
            self.writer.commit(Batch(stations=[saved(one) for one in doubted]))

    def settle_links(self) -> dict[str, bytes]:
        """Who has not said hello since is lost; gives the rows that are new by it."""
        with self._with_store():
            lost = [station for station in self.stations.values() if station.unconfirmed]
            for station in lost:
                station.unconfirmed, station.hello.up = False, False
            seated = {one.state.session.agent for one in lost if one.state.session is not None}
            return self._save(lost, seated)

    def save(self, stations: Iterable[Station], agents: set[str]) -> dict[str, bytes]:
        """Save stations that we changed; gives the rows of `agents` that are new by it."""
        with self._with_store():
            return self._save(stations, agents)

    @contextmanager
    def changing(self, stations: Iterable[str]) -> Iterator[Connection]:
        """A transaction that also saves these stations as they are when it ends. Look them up in
        it: before, memory may be ahead of the store."""
        with self._with_store(), self.writer.transaction() as tx:
            yield tx
            self.writer.put(tx, tables.stations, [saved(self.station(s)) for s in stations])

    def station(self, s: str) -> Station:
        """The station of that id; a new one is known from its first event or command on."""
        return self.stations.setdefault(s, Station(s))

    def journal(self, s: str, e: int) -> Journal:
        """That one of a station's, also of those that were put aside."""
        return self.station(s).journal_of(e, self._load_journal)

    # -- inside

    def _enter(self, marks: Sequence[AttendanceMarked], effects: Effects) -> None:
        """Put marks that came back into the ledger."""
        with self.changing([]) as tx:
            window = self._window(live=True)
            rows = [
                placed(tx, one, self.station(one.station).state.generation, window)
                for one in marks
            ]
            self.writer.put(tx, tables.marks, self._chained(rows, effects))

    def _chained(
        self, marks: Sequence[tuple[MarkContent, Placed]], effects: Effects
    ) -> list[MarkRow]:
        effects.marks += [
            (a, badge, direction, utc) for (*_, a, badge, direction, _), (_, utc, _) in marks
        ]
        return self._chain.extend(marks)

    def _save(self, stations: Iterable[Station], agents: set[str]) -> dict[str, bytes]:
        rows = self._render(agents)
        batch = Batch(live=list(rows.items()), stations=[saved(one) for one in stations])
        batch.counted_utc = self.floor.day.start
        self.writer.commit(batch)
        return rows

    @contextmanager
    def _with_store(self) -> Iterator[None]:
        """Work in memory and write it, after what is being written. When a write fails, memory is
        read back from the store, now or, if that cannot be, before anything else is done."""
        self._settle()
        with self._in_memory():
            yield

    def _settle(self) -> None:
        if not self.writer.behind.settle():
            self._ahead = True

    @contextmanager
    def _in_memory(self) -> Iterator[None]:
        if self._ahead:
            self._reload()
        self._ahead = True
        yield
        self._ahead = False

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """The store as of all that was begun before."""
        self.writer.behind.wait()
        if self.writer.behind.failed:
            raise StoreStale("a batch before this one was not written")
        with self.writer.transaction() as tx:
            yield tx

    def _use(self, site: Site | None, rows: dict[str, bytes]) -> None:
        self.site = site
        self._of_site = frozenset(one.id for one in site.stations) if site else frozenset()
        self.floor = Floor(site, rows, day_of(self.clock.now_ms(), site))
        seated = [
            (session.open_utc or 0, station.station, session.agent)
            for station in self.stations.values()
            if (session := station.state.session) is not None
        ]
        for _, s, a in sorted(seated):
            self.floor.sit(s, a)
        self._count_day(())

    def _work_out(self, changes: Changes, touched: Iterable[Station], effects: Effects) -> None:
        """Rows of the floor that a batch changes."""
        for contact in changes.answered:
            self.floor.answered(contact)
            if not contact.closed:  # else it is among the others
                self.floor.note(contact)
        for contact in changes.missed:
            self.floor.missed(contact)
        for contact in changes.contacts.values():
            self.floor.note(contact)
        if changes.placed:
            self._count_day(changes.contacts.values())
        self._departures.note(changes.sessions.values())
        for station in touched:
            running = station.state.session
            seats = self.floor.sit(station.station, running.agent if running else None)
            if running and len(seats) > 1:
                effects.two_seats.append((running.agent, seats))
        effects.queue_calls = [*changes.queue_calls.values()]
        effects.updates = changes.updates
        effects.opened = changes.opened
        effects.ended = {session.station for session in changes.ended}
        concerned = (
            *changes.contacts.values(),
            *changes.answered,
        )  # also of who is not there any more
        effects.rows = self._render(changes.agents.union(contact.agent for contact in concerned))

    def _render(self, agents: Iterable[str]) -> dict[str, bytes]:
        changed: dict[str, bytes] = {}
        for a in agents:
            row = _encode(self.floor.render(a, self.stations, self._departures.since(a)))
            if row != self.floor.rows.get(a):
                changed[a] = self.floor.rows[a] = row
        return changed

    def _count_day(self, newer: Iterable[Contact]) -> None:
        day = self.floor.day
        with self._reading() as tx:
            its = (*contacts_between(tx, day.start, day.end), *reaching(tx, day.start))
            rows = {(c.station, c.epoch, c.sequence): c for c in its}
        rows |= {(c.station, c.epoch, c.sequence): c for c in newer}
        for station in self.stations.values():
            rows |= {(c.station, c.epoch, c.sequence): c for c in station.state.open}
        self.floor.count(rows.values())

    def _load_journal(self, s: str, e: int) -> Journal:
        with self._reading() as tx:
            position, pending = journal_of(tx, s, e)
        return Journal(e, position, pending)

    def _unplaced(self, s: str, e: int, b: int) -> Rows:
        with self._reading() as tx:
            return unplaced(tx, s, e, b)

    def _stored(self, s: str, e: int, n: int, c: str) -> Contact | None:
        with self._reading() as tx:
            return contact_of(tx, s, e, n, c)
