"""Commands to stations: numbered and stored first, then sent; repeated on each greeting until they
are answered, expire (calls, by the hub's clock) or are replaced by a newer one of their kind.

A station executes no number below one that it has executed. So a command that such a station has
passed over goes on under a new number, and numbers begin at the seconds since 2025: a station that
comes from another hub has seen lower ones only.
"""

import time
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import select, update

from diadema.commands import ANY_ASKED, CALL_LIFE_MS, CALLS, Hello
from diadema.ingest.core import Ingest
from diadema.ingest.station import Station
from diadema.station_config import ConfigMaker, blocks
from diadema.store import tables

HOUR_S = 3600.0  # between two `time` commands on a link that stays up
REMIND_S = 20.0  # after which an unanswered time or configuration is sent again
_NUMBERS_FROM = 1_735_689_600  # 2025-01-01
_encode = msgspec.json.encode
_CALLS = {str(call.__struct_config__.tag) for call in CALLS}
_OWN = ("time", "config")

type Frames = list[tuple[str, bytes]]  # station, JSON of one command


class Open(Struct):
    """A command that waits for its answer. `sent`: monotonic seconds, 0 before the first time."""

    i: int
    cmd: str
    fields: dict[str, Any]
    expires_utc: int | None = None
    sent: float = 0.0


class Commands:
    def __init__(self, ingest: Ingest, maker: ConfigMaker | None) -> None:
        self._ingest = ingest
        self.maker = maker
        self._open: dict[str, dict[int, Open]] = {}
        self._told_time: dict[str, float] = {}
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

    def ask(self, s: str, fields: dict[str, Any]) -> tuple[int, Frames]:
        """Number, store and build what a person or a program asks for. Raises ValidationError."""
        command = msgspec.convert(fields, ANY_ASKED)
        told = msgspec.to_builtins(command)
        told = {name: value for name, value in told.items() if value is not None}
        new = self._new(self._ingest.station(s), told.pop("cmd"), told)
        return new.i, self._send(s, [new])

    def greeted(self, s: str, hello: Hello) -> Frames:
        """What a station misses that has just said hello."""
        station = self._ingest.station(s)
        state = station.state
        known = (state.e, state.b) == (hello.e, hello.b) and state.clock.source == "host"
        if not known:
            self._ensure(station, "time", {})
        maker = self.maker
        if maker is not None and maker.knows(s) and hello.generation != maker.generation:
            self._ensure(station, "config", {"generation": maker.generation})
        return self._repeat(station, list(self._open.get(s, {}).values()), hello.u)

    def configure(self, maker: ConfigMaker | None) -> Frames:
        """The site has another generation: tell every station that is there."""
        self.maker = maker
        frames: Frames = []
        for station in self._ingest.stations.values():
            if maker is not None and maker.knows(station.s) and station.hello.up:
                fields = {"generation": maker.generation}
                if station.state.generation != maker.generation:
                    frames += self._repeat(station, [self._ensure(station, "config", fields)])
        return frames

    def answered(self, s: str, i: int) -> None:
        self._open.get(s, {}).pop(i, None)

    def tick(self) -> Frames:
        """Expire calls; remind stations of what they owe; tell the time once an hour."""
        self._expire()
        now = time.monotonic()
        frames: Frames = []
        for station in self._ingest.stations.values():
            if station.link == "lost":
                continue
            if now - self._told_time.setdefault(station.s, now) > HOUR_S:
                self._ensure(station, "time", {})
            waiting = [
                command
                for command in self._open.get(station.s, {}).values()
                if command.cmd in _OWN and now - command.sent > REMIND_S
            ]
            frames += self._repeat(station, waiting)
        return frames

    # -- inside

    def _new(self, station: Station, cmd: str, fields: dict[str, Any], of: int = 0) -> Open:
        """Allocate a number and store the command; it goes on for `of`, or replaces its kind."""
        now = self._ingest.clock.now_ms()
        calls = cmd in _CALLS
        i = max(station.next_i, int(time.time()) - _NUMBERS_FROM)
        new = Open(i, cmd, fields, now + CALL_LIFE_MS if calls else None)
        waiting = self._open.setdefault(station.s, {})
        replaced = [] if calls else [old.i for old in waiting.values() if old.cmd == cmd]
        row = tables.commands.c
        with self._ingest.changing([station]) as tx:
            station.next_i = i + 1
            for old in replaced:
                then = {"status": "replaced", "next_i": i if old == of else None}
                known = (row.s == station.s) & (row.i == old)
                tx.execute(update(tables.commands).where(known).values(then))
            stored = (station.s, i, cmd, _encode(fields), now, new.expires_utc, "open", None, None)
            self._ingest.writer.put(tx, tables.commands, [stored])
        for old in replaced:
            waiting.pop(old, None)
        waiting[i] = new
        return new

    def _ensure(self, station: Station, cmd: str, fields: dict[str, Any]) -> Open:
        """The open command of this kind and content, or a new one."""
        for command in self._open.get(station.s, {}).values():
            if command.cmd == cmd and command.fields == fields:
                return command
        return self._new(station, cmd, fields)

    def _repeat(
        self, station: Station, commands: list[Open], hello_u: int | None = None
    ) -> Frames:
        self._expire()
        waiting = self._open.get(station.s, {})
        passed = station.state.answered_i
        fresh = []
        for command in sorted(commands, key=lambda command: command.i):
            if command.i not in waiting:
                continue  # expired meanwhile
            if command.i < passed and command.cmd not in _CALLS:
                command = self._new(station, command.cmd, command.fields, of=command.i)
            fresh.append(command)
        return self._send(station.s, sorted(fresh, key=lambda command: command.i), hello_u)

    def _send(self, s: str, commands: list[Open], hello_u: int | None = None) -> Frames:
        frames: Frames = []
        for command in commands:
            command.sent = time.monotonic()
            head = {"cmd": command.cmd, "i": command.i}
            if command.cmd == "time":
                self._told_time[s] = command.sent
                told = {"utc": self._ingest.clock.now_ms()}
                if hello_u is not None:  # by which the station knows how long the way was
                    told["hello_u"] = hello_u
                frames.append((s, _encode(head | told)))
            elif command.cmd == "config":
                if self.maker is not None and self.maker.knows(s):
                    frames += [(s, _encode(b | head)) for b in blocks(self.maker.build(s))]
            else:
                frames.append((s, _encode(head | command.fields)))
        return frames

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
