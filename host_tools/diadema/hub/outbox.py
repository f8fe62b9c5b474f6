"""Acknowledgements and live rows on their way out: of each station and of each agent only the
newest, at most one at once and one by the clock in each interval, and many in one write.

`Routes`: the topics of a station, its own for Wi-Fi and those of the cable that its gateway named.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping

from diadema.hub.commanding import Frames
from diadema.hub.connection import BUCKET
from diadema.hub.stream import StreamReader
from diadema.ingest.core import Ingest

EVERY_S = 0.1
_SPARE = 20  # acknowledgements of an interval that need not wait for its end

_TOPICS = "diadema.v1."
_CONFIG, _UPDATE = b'{"cmd":"config"', b'{"cmd":"update"'
_KEY = re.compile(r"^[A-Za-z0-9_-]+$")

log = logging.getLogger("diadema.ingest")

type Seal = Callable[[str, bytes], bytes]
type RouteTo = Callable[[str, str, bytes], Iterable[str]]  # station, leaf, text: subjects


class Outbox:
    """`way`: where to; None while there is no broker: then everything waits."""

    def __init__(self, seal: Seal, route: RouteTo) -> None:
        self._seal = seal
        self._route = route
        self._acks: dict[str, tuple[int, int]] = {}
        self._newest: dict[str, tuple[int, int]] = {}  # by station, as sent
        self._rows: dict[str, bytes] = {}
        self._meta: bytes | None = None
        self._acked: set[str] = set()  # in this interval
        self._spare = _SPARE
        self._shown: set[str] = set()
        self._began = 0.0
        self.way: StreamReader | None = None

    def acks(self, acks: Mapping[str, tuple[int, int]]) -> None:
        """station: (e, n)."""
        self._acks.update(acks)

    def repeat(self, stations: Iterable[str]) -> None:
        """Say the newest acknowledgement again: a station that hears nothing asks with a hello,
        which is stored.
        """
        for s in stations:
            if s in self._newest:
                self._acks.setdefault(s, self._newest[s])

    def rows(self, rows: Mapping[str, bytes]) -> None:
        """agent: live row."""
        self._rows.update(rows)

    def meta(self, meta: bytes) -> None:
        """What is true of the rows given so far; it goes after all of them."""
        self._meta = meta

    @property
    def due(self) -> bool:
        """This interval is over."""
        return time.monotonic() - self._began >= EVERY_S

    def send_first(self) -> None:
        """Send what has not had its turn in this interval; the rest waits for `send_all`.

        While there is little to do, a station's second event is confirmed at once too.
        """
        acks = {s: ack for s, ack in self._acks.items() if s not in self._acked}
        if self._spare > 0 and len(acks) < len(self._acks) <= self._spare:
            self._spare -= len(self._acks)
            acks = dict(self._acks)
        rows = {a: row for a, row in self._rows.items() if a not in self._shown}
        self._acked |= acks.keys()
        self._shown |= rows.keys()
        self._send(acks, rows)

    def send_all(self) -> None:
        """Send everything; a new interval begins."""
        self._began = time.monotonic()
        self._acked.clear()
        self._spare = _SPARE
        self._shown.clear()
        self._send(dict(self._acks), dict(self._rows))
        if self.way is not None and self._meta is not None:
            self.way.write(_publish(f"$KV.{BUCKET}.meta", self._meta))
            self._meta = None

    def send_commands(self, frames: Frames) -> bool:
        """Send them now, after what went before; False if that cannot be."""
        if self.way is None:
            return False
        self.way.write(
            b"".join(
                _publish(way, self._seal(s, text))
                for s, text in frames
                for way in self._route(s, "cmd", text)
            )
        )
        return True

    def _send(self, acks: dict[str, tuple[int, int]], rows: dict[str, bytes]) -> None:
        if self.way is None:
            return
        frames = []
        for s, (e, n) in acks.items():
            del self._acks[s]
            self._newest[s] = e, n
            ack = self._seal(s, b'{"ack":[%d,%d]}' % (e, n))
            frames += [_publish(way, ack) for way in self._route(s, "ack", ack)]
        for a, row in rows.items():
            del self._rows[a]
            if _KEY.match(a):
                frames.append(_publish(f"$KV.{BUCKET}.agent.{a}", row))
            else:
                log.warning("agent id %r cannot be shown", a)
        self.way.write(b"".join(frames))


def _publish(subject: str, body: bytes) -> bytes:
    return b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(body), body)


class Routes:
    """By a cable whose station proved nothing goes no command but an update."""

    def __init__(self, ingest: Ingest, giving: Callable[[str], str | None]) -> None:
        """`giving`: the key that goes to a station now, on the port that was named."""
        self._ingest = ingest
        self._giving = giving

    def __call__(self, s: str, leaf: str, text: bytes) -> list[str]:
        """The subjects for `text`, an `ack` or a `cmd`; both ways where no link is known."""
        station = self._ingest.stations.get(s)
        if station is None:
            return [f"{_TOPICS}{s}.{leaf}"]
        hello = station.hello
        config, giving = text.startswith(_CONFIG), self._giving(s) is not None
        free = leaf == "ack" or hello.proven or text.startswith(_UPDATE) or (config and giving)
        ways = []
        if hello.gw and hello.links != ("wifi",) and free:
            ways.append(f"{_TOPICS}gw-{hello.gw}.{s}.{hello.port}.{leaf}")
        # a program that keeps no key would lose it by a configuration without one
        if hello.links != ("usb",) and not (config and (giving or not hello.keeps)):
            ways.append(f"{_TOPICS}{s}.{leaf}")
        return ways

    def configures(self, s: str) -> bool:
        """Whether a configuration can go there now."""
        return bool(self(s, "cmd", _CONFIG))
