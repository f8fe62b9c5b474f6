"""Takes one batch of messages in: sorts, checks, keeps the order of each journal, works it out.

It changes the stations in memory and fills a `Batch`; whoever calls it writes the batch, or throws
the memory away. The straight way (the next event of its journal, of a known kind) is kept short.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import astuple

from diadema.base.errors import StoreTrouble
from diadema.ingest.decode import KIND_OF, BadEvent, UnknownEvent, decode, decode_known
from diadema.ingest.messages import (
    OWN,
    PREFIX,
    Changes,
    Effects,
    Message,
    Target,
    subject_of,
    target_of,
)
from diadema.ingest.projection import close_beside, project, project_beside, skip
from diadema.ingest.proof import Proofs, Verdict
from diadema.store.contact_rows import row_of
from diadema.store.interval_rows import trail_row
from diadema.store.rows import HUB
from diadema.store.station_state import (
    COMMANDS,
    LIFE,
    PENDING_LIMIT,
    RECORDS,
    Greeting,
    Journal,
    Station,
    saved,
)
from diadema.store.writer import Batch, Doubtful, EventRow
from diadema.wire.commands import is_station
from diadema.wire.events import (
    EVENT_LIMIT,
    UNREADABLE,
    Event,
    StationBooted,
    StationConfig,
    StationLost,
)

LETTERS = 1000  # of one sender: enough to see what is wrong
STRANGERS = 64  # stations that are not of the site and never showed who they are
_UNREADABLE = b""  # in the place of an event that is no letter either
_HOLDS = frozenset({StationBooted, StationConfig})  # what says which CA a station holds
_BODY_LIMIT = 4096  # bytes of a dead letter
_HELLO_LIMIT = 1024  # bytes: a frame, and what the gateway adds
_NAMES_LIMIT = 100_000
_decode_hello = msgspec.json.Decoder(Greeting).decode


class Intake:
    """One batch. `stations`, `names` (by the subjects of their events) and `letters` (how many are
    dead, by sender) live on; `load_journal` reads one that was put aside;
    `of_site`: who has a seat.
    """

    def __init__(
        self,
        stations: dict[str, Station],
        names: dict[str, str],
        changes: Changes,
        load_journal: Callable[[str, int], Journal] = lambda _, e: Journal(e),
        letters: Counter[str] | None = None,
        proofs: Proofs | None = None,
        of_site: Collection[str] = (),
    ) -> None:
        """Without `proofs` whoever greets is believed: what comes from files."""
        self._proofs = proofs
        self._of_site = of_site
        self._free: int | None = None  # for strangers
        self._stations = stations
        self._load_journal = load_journal
        self._letters: Counter[str] = Counter() if letters is None else letters
        self._buried: dict[str, tuple[str, int]] = {}  # by sender: the first of them, how many
        self._names = names
        self._changes = changes
        self._touched: dict[str, Station] = {}
        self._journals: dict[tuple[str, int], Journal] = {}
        self._beside: dict[tuple[str, int], tuple[Changes, Event]] = {}  # with the last event
        self._rows: defaultdict[str, list[EventRow]] = defaultdict(list)  # by station
        self.batch = Batch()
        self.effects = Effects()
        self._unbound: defaultdict[str, set[str]] = defaultdict(set)  # by gateway: not its own
        self.deferred = 0  # beyond a gap and beyond the limit: neither stored nor acknowledged

    def take(self, messages: Sequence[Message]) -> None:
        """Events by station, for those of one lie together in memory; all else in its place."""
        names = self._names
        waiting: dict[str, list[Message]] = {}
        for message in messages:
            name = names.get(message.subject)
            if name is None:
                target = self._target(message.subject)
                if target.kind != "ev":
                    self._take_events(waiting)
                    self._unusual(target, message)
                    continue
                name = target.name
            if name in waiting:
                waiting[name].append(message)
            else:
                waiting[name] = [message]
        self._take_events(waiting)

    def _take_events(self, waiting: dict[str, list[Message]]) -> None:
        for name, messages in waiting.items():
            self._events(name, messages)
        waiting.clear()

    def _events(self, name: str, messages: Sequence[Message]) -> None:
        """What a station says, in its order."""
        changes, station = self._changes, self._touch(name)
        state, rows = station.state, self._rows[name]
        journal = station.journal
        for message in messages:
            data = message.data
            try:
                if len(data) > EVENT_LIMIT:
                    raise msgspec.DecodeError
                event = decode_known(data)
            except UNREADABLE:
                self._unusual(Target("ev", name), message)
                journal = station.journal
                continue
            kind = type(event)
            n = event.sequence
            if (
                n != journal.position + 1
                or event.epoch != journal.epoch
                or event.station != name
                or journal.pending
                or kind is StationLost
            ):
                self._unusual(Target("ev", name), message, event)
                journal = station.journal
                continue
            journal.position = n
            rows.append((name, journal.epoch, n, KIND_OF[kind], data))
            try:
                if kind in _HOLDS or event.epoch != state.epoch:
                    self._work_in(station, event, self._shown(station, message))
                else:
                    project(changes, state, event)
            except StoreTrouble:
                raise
            except Exception as error:
                self._not_worked_out(station, message, error)
            if event.i is not UNSET:
                self._answer(station, event, data)

    def finish(self) -> None:
        """Say what follows for the stations that were touched: positions, acknowledgements."""
        for s, station in self._touched.items():
            self._changes.running(station.state)
            for state in station.state.older:
                if (found := self._beside.get((s, state.epoch))) is not None:
                    close_beside(found[0], station.state, state, found[1])
                    self._changes.placed |= found[0].placed
            journal = station.journal
            if journal.epoch >= 0:
                self._journals[s, journal.epoch] = journal
                if not s.startswith(HUB):  # what we said ourselves
                    self.effects.acks[s] = (journal.epoch, journal.position)
            self.batch.stations.append(saved(station))
            station.put_aside()
        for (s, e), journal in self._journals.items():
            if journal.position or journal.pending:  # one that only greeted is as good as none
                self.batch.positions.append((s, e, journal.position))
        # side by side go in quicker: their pages of the store are found once
        self.batch.events += chain.from_iterable(self._rows.values())
        contacts = self._changes.contacts
        self.batch.contacts += [
            row_of(contacts[key]) for key in sorted(contacts) if contacts[key].closed
        ]
        self.batch.sessions += map(astuple, self._changes.sessions.values())
        self.batch.trails += self._changes.trail_rows
        self.batch.trails += map(trail_row, self._changes.trails.values())
        self.batch.presses += map(astuple, self._changes.presses.values())
        self.batch.tickets += map(astuple, self._changes.tickets.values())
        self.batch.queue_calls += map(astuple, self._changes.queue_calls.values())
        for first, count in self._buried.values():
            self.effects.alarms.append(f"dead letter on {first}{_more(count)}")
        for gw, names in self._unbound.items():
            one = f"{min(names)}, not on its cables{_more(len(names))}"
            self.effects.alarms.append(f"gateway {gw} sends events of {one}")
        self._changes.settle_hours()
        self.batch.retained = self._changes.retained
        self.batch.anchors += self._changes.anchors
        self.batch.hours += self._changes.hours
        self.effects.alarms += self._changes.alarms

    @property
    def touched(self) -> Iterable[Station]:
        return self._touched.values()

    # -- what a message can be

    def _target(self, subject: str) -> Target:
        target = target_of(subject)
        if target.kind == "ev" and target.gw:
            station = self._stations.get(target.name)
            if station is None or station.hello.gw != target.gw:
                return Target("unbound", target.name, gw=target.gw)
            if self._proofs and self._proofs.required and not station.hello.proven:
                heard = self._named(target, station.hello)
                return target if heard else Target("unbound", target.name, gw=target.gw)
        if target.kind == "ev":
            if len(self._names) >= _NAMES_LIMIT:
                self._names.clear()
            self._names[subject] = target.name
        return target

    def _touch(self, s: str) -> Station:
        station = self._stations.get(s)
        if station is None:
            station = self._stations[s] = Station(s)
        return self._touched.setdefault(s, station)

    def _unusual(self, target: Target, message: Message, event: Event | None = None) -> None:
        """All that does not go the straight way. Whatever is in it, it must not stop the rest."""
        try:
            if target.kind == "ev":
                if event is not None:
                    self._event(target.name, KIND_OF[type(event)], event, message)
                else:
                    self._odd(target.name, message)
            elif target.kind == "unbound":  # no acknowledgement: it says hello, and comes again
                self._unbound[target.gw].add(target.name)
            elif target.kind == "bridge":
                self._bridge(message)
            elif target.kind:
                self._link(target, message)
            elif message.subject.startswith((PREFIX, OWN)):
                self._bury(message, "no topic of ours")
        except StoreTrouble:
            raise
        except Exception as error:
            self._bury(message, f"a fault of ours: {error!r}", target.name)

    def _link(self, target: Target, message: Message) -> None:
        """A greeting, or the end of a link or of all links of a gateway."""
        try:
            if len(message.data) > _HELLO_LIMIT:
                raise msgspec.DecodeError("too long")
            hello = _decode_hello(message.data)
        except UNREADABLE as error:
            known = self._stations.get(target.name)
            if known is not None and target.gw == known.hello.gw:
                self._doubt(known)
            self._bury(message, f"no greeting: {error}", target.name)
            return
        if target.kind == "gw":
            if not hello.up:  # its last will: all its cables are lost
                for station in self._stations.values():
                    if station.hello.up and station.hello.gw == target.name:
                        self._set_link(station, "usb", False)
        elif target.gw and not self._has_room(target, hello):
            return
        elif hello.up:
            self._greeting(self._touch(target.name), hello, message, target)
        else:
            station = self._touch(target.name)
            current = station.hello
            if (
                target.gw
                and current.gw != target.gw
                and (current.gw or current.up or not hello.safe)
            ):
                return  # it is on another's cable, or came by no cable yet
            if hello.at and hello.at != current.at and current.up:
                return  # or on another one of the same gateway; what was pulled has no path
            if hello.safe:
                current.safe, current.cause = True, hello.cause
                current.micropython, current.build = hello.micropython, hello.build
                current.board = hello.board or current.board
            self._set_link(station, target.link, False)

    def _has_room(self, target: Target, hello: Greeting) -> bool:
        """A gateway's credential may name any number of stations; so many are looked at."""
        if target.name in self._stations or target.name in self._of_site:
            return True
        if not (hello.up or hello.safe):
            return False
        if self._free is None:
            known = self._stations.values()
            self._free = STRANGERS - sum(_is_strange(one, self._of_site) for one in known)
        self._free -= 1
        if self._free < 0 and self._proofs is not None and target.gw not in self._proofs.crowds:
            self._proofs.crowds.add(target.gw)
            self.effects.alarms.append(
                f"gateway {target.gw} brings more than {STRANGERS} stations that are not in "
                f"site.json: {target.name} and others are not taken"
            )
        return self._free >= 0

    def _bridge(self, message: Message) -> None:
        """Mosquitto carries all stations' Wi-Fi or none; those that are there greet again."""
        if message.data == b"0":
            for station in self._stations.values():
                if "wifi" in station.hello.links:
                    self._set_link(station, "wifi", False)
        elif message.data != b"1":
            self._bury(message, "neither 0 nor 1")

    def _set_link(self, station: Station, link: str, up: bool) -> None:
        self._touched[station.station] = station
        station.set_link(link, up)
        if not station.hello.proven:
            self._forget_way(station)
        if station.state.session is not None:
            self._changes.agents.add(station.state.session.agent)

    def _greeting(
        self, station: Station, hello: Greeting, message: Message, target: Target
    ) -> None:
        before = station.hello
        if (target.gw, hello.port) == (before.gw, before.port):
            self._doubt(station)  # until it is shown again
        fits = 1 <= hello.first <= hello.last + 1 and hello.last - hello.first < LIFE
        if hello.station != station.station or not fits:
            self._bury(message, "no greeting: first, last and s do not fit", station.station)
            return
        verdict = Verdict.PROVEN
        if self._proofs is not None and not target.gw:
            self._proofs.by_credential(station.station)
        elif self._proofs is not None:
            verdict = self._proofs.judge(target.gw, hello, before, message.sequence)
            late = hello.mac and self._proofs.came_late(target.gw, hello, message.sequence)
            if verdict is not Verdict.PROVEN and hello.keyed and (late or not hello.mac):
                self.effects.challenged.add((station.station, target.gw, hello.port))
            if verdict is Verdict.REFUSED:
                return
        if verdict is Verdict.TAKEN and "wifi" in before.links and not self._named(target, hello):
            self._doubt(station)
            before.port, before.at = hello.port, hello.at
            self._set_link(station, "usb", True)  # what it says of itself came by its credential
            return
        known = hello.epoch in station.journals
        journal = self._journal(station, hello.epoch)
        if hello.first > journal.position + LIFE:
            self._bury(message, "no greeting: its first is beyond any journal", station.station)
            return
        self._look_for_twin(station, hello.epoch, known)
        shown = verdict is Verdict.PROVEN or not before.keeps  # else it is asked first
        if hello.first > journal.position + 1 and shown:
            self._lose(station, journal, journal.position + 1, hello.first - 1, "hello")
        hello.links, hello.proven, hello.keeps = before.links, before.proven, before.keeps
        if verdict is Verdict.PROVEN:
            hello.keeps = hello.keyed is not None
        if target.gw:
            self._forget_way(station)
            hello.gw, hello.proven = target.gw, verdict is Verdict.PROVEN
        else:
            hello.gw, hello.port, hello.at = before.gw, before.port, before.at
            hello.gw_ca = before.gw_ca
        station.hello = hello
        self.effects.greeted[station.station] = hello
        self._set_link(station, target.link, True)

    def _named(self, target: Target, hello: Greeting) -> bool:
        """A person named that port, for this station to be given its key there."""
        return self._proofs is not None and self._proofs.named(target.name, target.gw, hello.at)

    def _doubt(self, station: Station) -> None:
        """Whoever is on its cable has shown nothing, or not since it spoke last."""
        if station.hello.proven:
            self._touched[station.station] = station
            station.hello.proven = False
            self._forget_way(station)

    def _forget_way(self, station: Station) -> None:
        """Its events by the cable are looked at again."""
        self._names.pop(f"{PREFIX}gw-{station.hello.gw}.{station.station}.ev", None)

    def _look_for_twin(self, station: Station, e: int, known: bool) -> None:
        """A journal that another one took over from is gone: a board formats it, or it is new."""
        before = station.hello.epoch
        if not station.hello.station or e == before or not known:
            return
        if not station.returned & {e, before}:
            self.effects.alarms.append(
                f"one id: {station.station} tells of journal {e} again, after {before}: "
                "two boards have "
                "that id, or an old flash came back"
            )
        station.returned |= {e, before}

    def _odd(self, s: str, message: Message) -> None:
        """What the fast decoder refused: new, or broken."""
        try:
            kind, event, unknown = decode(message.data)
        except BadEvent as error:
            stored = self._bury(message, error.reason, s, error.e, error.n)
            if error.e is not None and error.n is not None:
                station = self._touch(s)
                journal = self._journal(station, error.e)
                if error.n > journal.position and self._room(journal, error.n):
                    journal.pending.setdefault(error.n, None if stored else _UNREADABLE)
                    self._advance(station, journal)
            return
        self._event(s, kind, event, message, unknown)

    def _event(
        self,
        s: str,
        kind: str,
        event: Event | UnknownEvent,
        message: Message,
        unknown: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Any event that did not go the straight way."""
        data, n = message.data, event.sequence
        if event.station != s:
            self._bury(message, "the station of another topic", s)
            return
        station = self._touch(s)
        journal = self._journal(station, event.epoch)
        if n <= journal.position or n in journal.pending:
            self.batch.doubtful.append(Doubtful(s, event.epoch, n, kind, data))
        elif self._room(journal, n):
            self._rows[s].append((s, event.epoch, n, kind, data))
            self.batch.unknown.update(unknown)
            journal.pending[n] = data
            self._advance(station, journal, event, shown=self._shown(station, message))

    def _shown(self, station: Station, message: Message) -> bool:
        """Whether it came by the station's credential, or over a cable after its proof."""
        return message.subject == subject_of(station.station) or station.hello.proven

    def _work_in(self, station: Station, event: Any, shown: bool) -> None:
        """The broker's old CA goes by what tells which one a station holds: without proof it can
        only keep it longer.
        """
        state, generation = station.state, station.state.generation
        if self._is_older(station, event):
            key = station.station, event.epoch
            changes, _ = self._beside.get(key, (None, None))
            changes = changes or self._changes.beside()
            self._beside[key] = changes, event
            project_beside(changes, state, state.beside(event.epoch), event)
            return
        project(self._changes, state, event)
        if type(event) in _HOLDS and not shown:
            state.ca = ""
            state.generation = state.generation or generation

    def _skip(self, station: Station, e: int) -> None:
        """Events of that journal are lost, so nothing of another one is in doubt."""
        for state in (station.state, *station.state.older):
            if state.epoch == e:
                skip(state)

    def _is_older(self, station: Station, event: Any) -> bool:
        """Of a journal that another one took over from. What a station greets with is its newest;
        one that never greeted tells of a newer one by its events.
        """
        state, hello, e = station.state, station.hello, event.epoch
        if e == state.epoch or state.is_new or not is_station(station.station):
            return False
        if hello.station and e == hello.epoch:
            return False
        newest = bool(hello.station) and hello.epoch == state.epoch
        return newest or any(one.epoch == e for one in state.older)

    def _room(self, journal: Journal, n: int) -> bool:
        if n == journal.position + 1 or len(journal.pending) < PENDING_LIMIT:
            return True
        self.deferred += 1
        return False

    # -- journals

    def _journal(self, station: Station, e: int) -> Journal:
        if station.journal.epoch != e and station.journal.epoch >= 0:
            self._journals[station.station, station.journal.epoch] = station.journal
        return station.journal_of(e, self._load_journal)

    def _advance(
        self,
        station: Station,
        journal: Journal,
        event: Event | UnknownEvent | None = None,
        *,
        shown: bool = False,
    ) -> None:
        """Work out what now follows without a gap; `event` saves decoding the first of it, and is
        `shown` to be the station's.
        """
        while journal.position + 1 in journal.pending:
            n = journal.position + 1
            data = journal.pending.pop(n)
            journal.position = n
            if not data:  # a dead letter takes its place
                if data == _UNREADABLE:
                    self._forgo(station.station, journal.epoch, n)
                self._skip(station, journal.epoch)
                continue
            now = event is not None and event.sequence == n
            known: Any = event if now else decode(data)[1]
            if isinstance(known, StationLost):
                to = known.to if known.to - n < RECORDS else n  # else it cannot be so
                self._lose(station, journal, n, to, "station")
                continue
            try:
                self._work_in(station, known, shown and now)
            except StoreTrouble:
                raise
            except Exception as error:
                self._not_worked_out(station, Message(0, f"{station.station} {n}", data), error)
            if getattr(known, "i", UNSET) is not UNSET:
                self._answer(station, known, data)

    def _lose(self, station: Station, journal: Journal, first: int, last: int, why: str) -> None:
        """n = first…last will never come; what of them is here already is taken all the same."""
        if last < first:
            return
        self.batch.losses.append((station.station, journal.epoch, first, last, why))
        self.effects.alarms.append(
            f"lost: {station.station} {journal.epoch} {first}…{last} ({why})"
        )
        self._skip(station, journal.epoch)
        while (n := min(journal.pending, default=last + 1)) <= last:
            journal.position = n - 1
            self._advance(station, journal)
        journal.position = max(journal.position, last)
        self._advance(station, journal)

    def _forgo(self, s: str, e: int, n: int) -> None:
        """n came, and can neither be read nor is kept: a loss, in one row with the one before."""
        losses, before = self.batch.losses, (s, e, n - 1, "unreadable")
        first = n
        if losses and (*losses[-1][:2], *losses[-1][3:]) == before:
            first = losses.pop()[2]
        losses.append((s, e, first, n, "unreadable"))

    def _answer(self, station: Station, event: Any, data: bytes) -> None:
        if isinstance(event.i, int) and event.i < station.next_i + COMMANDS:
            self.batch.answers.append((station.station, event.i, data))
            self.effects.answered.append((station.station, event.i))
            station.next_i = max(station.next_i, event.i + 1)
            station.state.answered_i = max(station.state.answered_i, event.i)

    def _not_worked_out(self, station: Station, message: Message, error: Exception) -> None:
        """A fault of ours: the event is stored all the same, and one event must not stop us."""
        self._skip(station, station.journal.epoch)
        message = Message(message.sequence, subject_of(station.station), message.data)
        self._bury(message, f"stored, but not worked out: {error!r}", station.station)

    def _bury(
        self,
        message: Message,
        reason: str,
        s: str | None = None,
        e: int | None = None,
        n: int | None = None,
    ) -> bool:
        """Whether it is kept."""
        subject = message.subject
        sender = sender_of(subject, self._stations, self._of_site)
        first, count = self._buried.get(sender, (f"{subject}: {reason}", 0))
        self._buried[sender] = first, count + 1
        self._letters[sender] += 1
        if self._letters[sender] > LETTERS:
            return False
        body = message.data[:_BODY_LIMIT]
        self.batch.dead.append((subject, body, s, e, n, reason[:200], message.sequence))
        return True


def sender_of(subject: str, stations: Mapping[str, Station], of_site: Collection[str]) -> str:
    """By whose letters this one is counted: a credential, or the station that a gateway brings."""
    first, *rest = subject.removeprefix(PREFIX).split(".")
    station = stations.get(rest[0]) if rest else None
    if station is None or _is_strange(station, of_site) or first != f"gw-{station.hello.gw}":
        return first
    return station.station


def _is_strange(station: Station, of_site: Collection[str]) -> bool:
    return (
        is_station(station.station) and station.station not in of_site and not station.hello.keeps
    )


def _more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""
