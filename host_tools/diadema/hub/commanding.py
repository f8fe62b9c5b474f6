"""Commands to stations: numbered and stored first, then sent; repeated on each greeting until they
are answered, expire (calls, by the hub's clock) or are replaced by a newer one of their kind.

A station executes no number below one that it has executed. So a command that such a station has
passed over goes on under a new number, and numbers begin at the seconds since 2025: a station that
comes from another hub has seen lower ones only.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import select, update

from diadema.base.idempotency import Once
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Orders
from diadema.site.station_config import ConfigMaker, blocks
from diadema.store import tables
from diadema.store.writer import REPLACE, AnswerRow, Ended
from diadema.wire.commands import (
    ANY_ON_REQUEST,
    CALL_LIFE_MS,
    CALLS,
    Hello,
)
from diadema.wire.letters import tag_of

HOUR_S = 3600.0  # between two `time` commands on a link that stays up
REMIND_S = 20.0  # after which an unanswered time or configuration is sent again
_NUMBERS_FROM = 1_735_689_600  # 2025-01-01
_encode = msgspec.json.encode
_CALLS = {tag_of(call) for call in CALLS}
_OWN = ("time", "config")
_NAME_BYTES = 32  # of the texts that a station shows beside a change

type Frames = list[tuple[str, bytes]]  # station, JSON of one command


class Open(Struct):
    """A command that waits for its answer. `sent`: monotonic seconds, 0 before the first time."""

    i: int
    cmd: str
    fields: dict[str, Any]
    expires_utc: int | None = None
    sent: float = 0.0


class New(NamedTuple):
    """A command to be made; it goes on for number `of`, if that is not 0. `life_ms`: after which
    it is worth nothing.
    """

    station: str
    cmd: str
    fields: dict[str, Any]
    of: int = 0
    life_ms: int | None = None


class Numbered(NamedTuple):
    """Commands that have their numbers in memory, and what makes the store know them."""

    wanted: Sequence[New]
    made: list[Open]
    orders: Orders


class Delivery(NamedTuple):
    """What one station is to be told; `hello_u`: in answer to the greeting of that moment."""

    station: str
    commands: list[Open]
    hello_u: int | None = None


class Commands:
    def __init__(self, ingest: Ingest, maker: ConfigMaker | None) -> None:
        self._ingest = ingest
        self.maker = maker
        self.giving: Callable[[str], str | None] = lambda _: None  # the key that goes to it now
        self.unsaid: Callable[[str], bool] = lambda _: False  # it has yet to say which CA it holds
        self._open: dict[str, dict[int, Open]] = {}
        self._time_sent: dict[str, float] = {}
        self._time_of: dict[str, tuple[int, int]] = {}  # epoch and boot that it was told last
        self.reload()

    def reload(self) -> None:
        """Read the open ones from the store."""
        self._open = {}
        row = tables.commands.c
        columns = (row.s, row.i, row.cmd, row.body, row.expires_utc)
        with self._ingest.writer.transaction() as tx:
            for s, i, cmd, body, expires in tx.execute(
                select(*columns).where(row.status == "open")
            ):
                self._open.setdefault(s, {})[i] = Open(i, cmd, msgspec.json.decode(body), expires)

    @property
    def waiting(self) -> int:
        """Commands without an answer."""
        return sum(len(commands) for commands in self._open.values())

    def ask(self, s: str, fields: dict[str, Any], once: Once | None = None) -> tuple[int, Frames]:
        """Number, store and build what a person or a program asks for; where that names itself,
        with the answer `{"i"}`. Raises ValidationError.
        """
        command = msgspec.convert(fields, ANY_ON_REQUEST)
        given = msgspec.to_builtins(command)
        given = {name: value for name, value in given.items() if value is not None}
        (new,) = self._number([New(s, given.pop("cmd"), given)], once, {})
        return new.i, self.frames(Delivery(s, [new]))

    def order(
        self, new: New, once: Once | None = None, given: Mapping[str, Any] | None = None
    ) -> tuple[int, Frames]:
        """The same for what the hub itself wants done; `given` is answered beside `i`."""
        (made,) = self._number([new], once, given or {})
        return made.i, self.frames(Delivery(new.station, [made]))

    def greeted(self, hellos: Mapping[str, Hello]) -> list[Delivery]:
        """What these stations miss that have just said hello."""
        maker = self.maker
        anew: list[New] = []
        wanted: list[New] = []
        for s, hello in hellos.items():
            state, boot = self._ingest.station(s).state, (hello.epoch, hello.boot)
            known = (state.epoch, state.boot) == boot and state.clock.source == "host"
            if not known:  # in another boot the open one may have been obeyed already
                (wanted if self._time_of.get(s) == boot else anew).append(New(s, "time", {}))
            self._time_of[s] = boot
            if (
                maker is not None
                and maker.knows(s)
                and (
                    hello.generation != maker.generation
                    or self.giving(s) is not None
                    or self.unsaid(s)
                )
            ):
                wanted.append(New(s, "config", {"generation": maker.generation}))
        self._ensure(wanted, anew)
        return self._due(
            [
                Delivery(s, [*self._open.get(s, {}).values()], hello.uptime_ms)
                for s, hello in hellos.items()
            ]
        )

    def configure(self, maker: ConfigMaker | None) -> list[Delivery]:
        """The site has another generation: tell every station that is there."""
        self.maker = maker
        if maker is None:
            return []
        fields = {"generation": maker.generation}
        wanted = [
            New(station.station, "config", fields)
            for station in self._ingest.stations.values()
            if maker.knows(station.station) and station.hello.up
            if station.state.generation != maker.generation
        ]
        self._ensure(wanted)
        return self._due([Delivery(one.station, self._alike(one)) for one in wanted])

    def withdraw(self, stations: Iterable[str], cmd: str) -> set[str]:
        """What these were asked by `cmd` is not sent again; those that had not answered."""
        ended: list[Ended] = [
            {"of_s": s, "of_i": old.i, "then": None}
            for s in stations
            for old in self._open.get(s, {}).values()
            if old.cmd == cmd
        ]
        if ended:
            with self._ingest.changing([]) as tx:
                tx.execute(REPLACE, ended)
            self._forget(ended)
        return {one["of_s"] for one in ended}

    def waits(self, s: str, cmd: str) -> bool:
        """Whether that station has yet to answer a command of that kind."""
        return any(one.cmd == cmd for one in self._open.get(s, {}).values())

    def answered(self, s: str, i: int) -> None:
        self._open.get(s, {}).pop(i, None)

    def tick(self) -> list[Delivery]:
        """Expire calls; remind stations of what they owe; tell the time once an hour."""
        self._expire()
        now = time.monotonic()
        there = [one.station for one in self._ingest.stations.values() if one.link != "lost"]
        hourly = [s for s in there if now - self._time_sent.setdefault(s, now) > HOUR_S]
        self._ensure([New(s, "time", {}) for s in hourly])
        owed = []
        for s in there:
            commands = [
                command
                for command in self._open.get(s, {}).values()
                if command.cmd in _OWN and now - command.sent > REMIND_S
            ]
            if commands:
                owed.append(Delivery(s, commands))
        return self._due(owed)

    def frames(self, delivery: Delivery) -> Frames:
        """The frames as they are to be sent now."""
        frames: Frames = []
        s = delivery.station
        for command in delivery.commands:
            command.sent = time.monotonic()
            head = {"cmd": command.cmd, "i": command.i}
            if command.cmd == "time":
                self._time_sent[s] = command.sent
                fields = {"utc": self._ingest.clock.now_ms()}
                if delivery.hello_u is not None:  # by which the station knows how long the way was
                    fields["hello_u"] = delivery.hello_u
                frames.append((s, _encode(head | fields)))
            elif command.cmd == "config":
                if self.maker is not None and self.maker.knows(s):
                    whole = self.maker.build(s, self.giving(s))
                    frames += [(s, _encode(b | head)) for b in blocks(whole)]
            else:
                frames.append((s, _encode(head | command.fields)))
        return frames

    # -- inside

    def _number(
        self,
        wanted: Sequence[New],
        once: Once | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> list[Open]:
        """Allocate numbers and store the commands, all in one transaction."""
        if not wanted:
            return []
        with self._ingest.changing({one.station for one in wanted}) as tx:
            numbered = self.number(wanted)
            if numbered.orders.ended:
                tx.execute(REPLACE, numbered.orders.ended)
            self._ingest.writer.put(tx, tables.commands, numbered.orders.rows)
            if once is not None:
                answer = {**(given or {}), "i": numbered.made[0].i}
                row = answer_row(once, answer, self._ingest.clock.now_ms())
                self._ingest.writer.keep_answers(tx, [row])
        self.stored(numbered)
        return numbered.made

    def number(self, wanted: Sequence[New]) -> Numbered:
        """Allocate numbers in memory, for a transaction that saves the stations too; say `stored`
        after it. A command goes on for another, or replaces the open one of its kind.
        """
        now = self._ingest.clock.now_ms()
        least = int(time.time()) - _NUMBERS_FROM
        made: list[Open] = []
        orders = Orders(stations={one.station for one in wanted})
        for one in wanted:
            station = self._ingest.station(one.station)
            calls = one.cmd in _CALLS
            life_ms = CALL_LIFE_MS if calls else one.life_ms
            i = max(station.next_i, least)
            station.next_i = i + 1
            new = Open(i, one.cmd, one.fields, now + life_ms if life_ms else None)
            body = _encode(one.fields)
            orders.rows.append(
                (one.station, i, one.cmd, body, now, new.expires_utc, "open", None, None)
            )
            made.append(new)
            for old in self._open.get(one.station, {}).values():
                if not calls and old.cmd == one.cmd and _about(old) == _about(one):
                    then = i if old.i == one.of else None
                    orders.ended.append({"of_s": one.station, "of_i": old.i, "then": then})
        return Numbered(wanted, made, orders)

    def stored(self, numbered: Numbered) -> None:
        """They are in the store: from now on they are repeated until they are answered."""
        self._forget(numbered.orders.ended)
        for one, new in zip(numbered.wanted, numbered.made, strict=True):
            self._open.setdefault(one.station, {})[new.i] = new

    def _forget(self, ended: Iterable[Mapping[str, Any]]) -> None:
        for gone in ended:
            self._open[gone["of_s"]].pop(gone["of_i"])

    def _alike(self, one: New) -> list[Open]:
        """The open command of this kind and content, if there is one."""
        waiting = self._open.get(one.station, {}).values()
        return [old for old in waiting if old.cmd == one.cmd and old.fields == one.fields]

    def _ensure(self, wanted: Sequence[New], anew: Sequence[New] = ()) -> None:
        """Make those that are not open already, and those `anew`, in place of such."""
        self._number([*anew, *(one for one in wanted if not self._alike(one))])

    def _due(self, deliveries: Sequence[Delivery]) -> list[Delivery]:
        """What of it can still be sent; what its station has passed over, under new numbers."""
        self._expire()
        at = self._ingest.clock.now_ms()
        passed = [
            New(
                one.station,
                command.cmd,
                command.fields,
                of=command.i,
                life_ms=command.expires_utc and max(command.expires_utc - at, 1),
            )
            for one in deliveries
            for command in one.commands
            if command.cmd not in _CALLS
            and command.i < self._ingest.station(one.station).state.answered_i
        ]
        again = dict(
            zip(((one.station, one.of) for one in passed), self._number(passed), strict=True)
        )
        sendable = []
        for s, commands, hello_u in deliveries:
            waiting = self._open.get(s, {})
            now = [again.get((s, command.i), command) for command in commands]
            if open_now := [command for command in now if command.i in waiting]:
                sendable.append(
                    Delivery(s, sorted(open_now, key=lambda command: command.i), hello_u)
                )
        return sendable

    def _expire(self) -> None:
        now = self._ingest.clock.now_ms()
        due = [
            (s, command.i)
            for s, waiting in self._open.items()
            for command in waiting.values()
            if command.expires_utc is not None and command.expires_utc <= now
        ]
        if not due:
            return
        row = tables.commands.c
        with self._ingest.changing([]) as tx:
            for s, i in due:
                expired = (row.s == s) & (row.i == i) & (row.status == "open")
                tx.execute(update(tables.commands).where(expired).values(status="expired"))
        for s, i in due:
            self._open[s].pop(i, None)


def answer_row(once: Once, answer: Mapping[str, Any], utc: int) -> AnswerRow:
    return once.id, once.request, utc, once.sealed(_encode(answer))


def _about(command: New | Open) -> tuple[Any, ...]:
    """Of several commands of a kind: the press or the message; who hears which call."""
    its = command.fields.get
    listener = (its("contact"), its("who")) if command.cmd == "listened" else ()
    return its("of"), its("m"), *listener


def cut(words: str) -> str:
    """As much of it as a station shows; a quote takes two bytes there."""
    words = words.replace('"', "'").replace("\\", "/")
    return words.encode()[:_NAME_BYTES].decode(errors="ignore").strip()
