"""One cable of a gateway: a port, the station whose hello came over it, and that station's log.

Messages go up to the bridge and down to the station; all else on the wire is console text.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from diadema.gateway.console import Listener
from diadema.gateway.station_line import StationLine
from diadema.wire.commands import is_station
from diadema.wire.events import UNREADABLE
from diadema.wire.letters import LETTERS

_LOG_LIMIT = 1_000_000  # bytes of a station's console log; the one before is kept once
_UNNAMED_LIMIT = 64 * 1024  # console bytes of a port before its hello
# in many blocks of one number, which the first one takes its turn for; or of no hurry
_LONG = ("config", "update", "marks")

log = logging.getLogger("diadema.gateway")


class _Up(Struct, rename=LETTERS):
    """What is looked at in a frame that comes up."""

    station: str = ""
    k: str = ""
    hello: Raw = Raw(b"")
    proof: Raw = Raw(b"")  # of a `diadema prove` that is gone


class _Greeting(Struct, rename=LETTERS):
    station: str


class _Down(Struct):
    cmd: str = ""
    part: int = 0
    hello_u: int | None = None


_decode_up = msgspec.json.Decoder(_Up).decode
_decode_down = msgspec.json.Decoder(_Down).decode


class Bridge(Protocol):
    """What a cable tells of."""

    def event(self, s: str, body: bytes) -> None: ...
    def hello(self, cable: "Cable", s: str, greeting: dict[str, object]) -> None: ...
    def cable_gone(self, cable: "Cable") -> None: ...
    def silent(self, cable: "Cable", kind: str) -> None: ...
    def refuse(self, cable: "Cable", why: str) -> None: ...


class Cable:
    """One port: messages up to the bridge and down to the station, the console into its log."""

    def __init__(
        self, path: str, bridge: Bridge, logs: Callable[[str], Path], number: int = 0
    ) -> None:
        self.number = number
        self.line = StationLine(
            path,
            opened=self._opened,
            message=self._message,
            closed=self._closed,
            console=self._text,
        )
        self.station: str | None = None
        self._bridge = bridge
        self._logs = logs
        self._unnamed = bytearray()
        self._console = Listener()  # since the last hello

    def greet(self) -> None:
        """Ask the station to say hello."""
        self.line.ask_hello()

    def down(self, body: bytes) -> None:
        try:
            told = _decode_down(body)
        except UNREADABLE:
            told = _Down()  # the station counts it
        long = told.cmd in _LONG
        ages = told.cmd == "time" and told.hello_u is None  # else it knows how long that took
        self.line.send(body, urgent=not long or told.part == 1, once=long, ages=ages)

    def log_unnamed(self) -> None:
        """Give the port's own log what came before anybody said hello."""
        if self._unnamed:
            name = "port-" + re.sub(r"[^A-Za-z0-9]+", "-", self.line.path).strip("-")
            self._write_log(name, bytes(self._unnamed))
            self._unnamed.clear()

    def _opened(self) -> None:
        log.info("%s is open", self.line.path)
        self._console = Listener()
        self.greet()

    def _closed(self) -> None:
        log.info("%s is gone (%s)", self.line.path, self.line.error or "closed")
        self.log_unnamed()
        self._bridge.cable_gone(self)

    def _text(self, text: bytes) -> None:
        if kind := self._console.hear(text):
            self._bridge.silent(self, kind)
        if self.station is not None:
            self._write_log(self.station, text)
        else:
            self._unnamed += text
            if len(self._unnamed) > _UNNAMED_LIMIT:
                self.log_unnamed()

    def _message(self, body: bytes) -> None:
        try:
            up = _decode_up(body)
            if up.hello:
                s = msgspec.json.decode(up.hello, type=_Greeting).station
                greeting = msgspec.json.decode(up.hello)  # all of it, before anybody is named
                if not is_station(s):
                    raise msgspec.ValidationError("no station id")
                self._named(s)
                self._console = Listener()
                self._bridge.hello(self, s, greeting)
                return
        except UNREADABLE:
            self._bridge.refuse(self, "no frame of ours")
            return
        if up.proof:
            return
        if not up.k:
            self._bridge.refuse(self, "no frame of ours")
        elif up.station != self.station:
            self._bridge.refuse(self, f"an event of {up.station or 'nobody'}")
        else:
            self._bridge.event(up.station, body)

    def _named(self, s: str) -> None:
        if self.station != s:
            self.station = s
            now = datetime.now(UTC).isoformat(timespec="seconds")
            head = f"--- {now} on {self.line.path}\n".encode()
            self._write_log(s, head + bytes(self._unnamed))
            self._unnamed.clear()

    def _write_log(self, name: str, text: bytes) -> None:
        path = self._logs(name)
        try:
            if path.exists() and path.stat().st_size + len(text) > _LOG_LIMIT:
                path.replace(path.with_suffix(".log.1"))
            with path.open("ab") as file:
                file.write(text)
        except OSError as error:
            log.warning("cannot write %s: %s", path, error.strerror)
