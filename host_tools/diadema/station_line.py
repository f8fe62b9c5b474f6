"""The serial line of one station, as all who speak over one use it: whole messages up, and down
in pieces. A station keeps 259 bytes that it has not read, and reads nothing while it erases flash
or shakes hands with a broker; so a piece fits there, and the next one goes when it says that it
has read the one before.

A piece is a frame of at most 200 bytes around `NUMBER,PIECE,COUNT:` and a slice of the message.
"""

import asyncio
import logging
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from diadema.events import UNREADABLE
from diadema.frames import DOWN_LIMIT, Decoder, encode
from diadema.serial_port import SerialPort

FRAME_LIMIT = 200  # bytes, with all that is around the slice
_AROUND = len(encode(b"")) + len("65535,9,9:")
SLICE = FRAME_LIMIT - _AROUND
_NUMBERS = 65535
_AGAIN_S = 1.0
_ANEW = 3  # tries of a later piece after which the message begins anew
_TRIES = 10  # without a step further: longer than a look-up of a name, or a restart
_DEAF_TRIES = 3  # when it did not even answer the message before
_WAITING_LIMIT = 256 * 1024  # bytes
_ASK = encode(b'{"hello":{}}')
_IN_PIECES = False  # until the stations take them

log = logging.getLogger("diadema.gateway")


class _Greeting(Struct):
    s: str = ""
    b: int = 0
    safe: bool = False


class _Up(Struct):
    got: tuple[int, int] | None = None
    hello: _Greeting | None = None


_decode_up = msgspec.json.Decoder(_Up).decode


@dataclass
class _Message:
    """On its way. `furthest`: pieces that were ever confirmed; `tries` since it grew."""

    number: int
    body: bytes
    frames: list[bytes]
    at: int = 0
    furthest: int = 0
    tries: int = 0


def pieces(number: int, body: bytes) -> list[bytes]:
    """The frames of one message."""
    slices = [body[at : at + SLICE] for at in range(0, len(body), SLICE)]
    return [
        encode(b"%d,%d,%d:%b" % (number, piece, len(slices), one))
        for piece, one in enumerate(slices, 1)
    ]


class StationLine:
    """`opened`, `message(body)`, `closed` and `console(text)` are called from the loop; `message`
    gets each whole one that comes up, but what only this class asked for. `run` ends only by
    cancellation. `quiet`: who makes it tells why it does not open.
    """

    def __init__(
        self,
        path: str,
        *,
        opened: Callable[[], None],
        message: Callable[[bytes], None],
        closed: Callable[[], None],
        console: Callable[[bytes], None] | None = None,
        quiet: bool = False,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._port = SerialPort(path, self._opened, self.take, self._closed, quiet=quiet)
        self._tell_opened, self._tell, self._tell_closed = opened, message, closed
        self._console = console
        self._quiet = quiet
        self._begin()

    @property
    def path(self) -> str:
        return self._port.path

    @property
    def is_open(self) -> bool:
        return self._port.is_open

    @property
    def error(self) -> str:
        """Why it is not open."""
        return self._port.error

    @property
    def hint(self) -> str:
        """What to do about that."""
        return self._port.hint

    @property
    def busy(self) -> bool:
        """Another program has it open."""
        return self._port.busy

    @property
    def idle(self) -> bool:
        """Nothing waits, and nothing is on its way."""
        return not (self._way or self._urgent or self._rest)

    async def run(self) -> None:
        try:
            await self._port.run()
        finally:
            self._stop()

    def ask_hello(self) -> None:
        """Whole and without a number: whoever is there answers it, and nobody has to confirm."""
        self._port.write(_ASK)

    def write_text(self, data: bytes) -> None:
        """What is no frame, which a station skips and counts."""
        self._port.write(data)

    def send(self, body: bytes, *, urgent: bool = False, once: bool = False) -> None:
        """A message down. What is `urgent` overtakes the rest at a message's end. What waits
        already is not taken again, nor what is said `once` until all of such is over.
        """
        size = len(body)
        if not self.is_open or size > DOWN_LIMIT or self._bytes + size > _WAITING_LIMIT:
            self.counts["dropped"] += 1
            return
        queue = self._urgent if urgent else self._rest
        if body in queue or (once and body in self._once):
            self.counts["doubled"] += 1
            return
        if once:
            self._once.add(body)
        queue.append(body)
        self._bytes += size
        self._next()

    def dump(self) -> dict[str, object]:
        """Counters of both ways."""
        return {
            "waiting": len(self._urgent) + len(self._rest) + (self._way is not None),
            "dropped": self._port.dropped + self.counts["dropped"],
            **{name: self.counts[name] for name in ("messages", "again", "unheard", "doubled")},
            **self.decoder.dump(),
        }

    # -- the port

    def _begin(self) -> None:
        self.decoder = Decoder()
        self._number = random.randrange(_NUMBERS)
        self._urgent: deque[bytes] = deque()
        self._rest: deque[bytes] = deque()
        self._once: set[bytes] = set()
        self._bytes = 0  # of those that wait
        self._way: _Message | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deaf = False
        self._who: _Greeting | None = None

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _opened(self) -> None:
        self._stop()
        self._begin()
        self._tell_opened()

    def _closed(self) -> None:
        self._stop()
        self.counts["dropped"] += len(self._urgent) + len(self._rest)
        self._tell_closed()

    def take(self, data: bytes) -> None:
        """What came up."""
        for body in self.decoder.feed(data):
            if not self._own(body):
                self._tell(body)
        if (text := self.decoder.take_console()) and self._console:
            self._console(text)

    def _own(self, body: bytes) -> bool:
        """Whether it is between the station and this class alone."""
        try:
            up = _decode_up(body)
        except UNREADABLE:
            return False
        if up.got:
            self._got(*up.got)
            return True
        if up.hello:
            self._greeted(up.hello)
        return False

    # -- pieces

    def _next(self) -> None:
        if self._way or not self.is_open:
            return
        if not (self._urgent or self._rest):
            self._once.clear()
            return
        body = (self._urgent or self._rest).popleft()
        self._bytes -= len(body)
        if not _IN_PIECES:
            self._port.write(encode(body))
            self._next()
            return
        self._number = self._number % _NUMBERS + 1
        self._way = _Message(self._number, body, pieces(self._number, body))
        self.counts["messages"] += 1
        self._write()

    def _write(self) -> None:
        assert self._way
        self._way.tries += 1
        self._port.write(self._way.frames[self._way.at])
        self._timer = asyncio.get_running_loop().call_later(_AGAIN_S, self._again)

    def _got(self, number: int, piece: int) -> None:
        way = self._way
        if not way or (number, piece) != (way.number, way.at + 1):
            self.counts["strayed"] += 1  # of a piece that was sent twice, as a rule
            return
        self._stop()
        self._deaf = False
        way.at += 1
        if way.at > way.furthest:
            way.furthest, way.tries = way.at, 0
        if way.at < len(way.frames):
            self._write()
        else:
            self._way = None
            self._next()

    def _again(self) -> None:
        way = self._way
        assert way
        if way.tries >= (_DEAF_TRIES if self._deaf else _TRIES):
            self._give_up()
            return
        self.counts["again"] += 1
        if way.at and way.tries % _ANEW == 0:
            way.at = 0
        self._write()

    def _give_up(self) -> None:
        """With the message goes the rest of what it is a part of: a hub sends all of it again."""
        self.counts["unheard"] += 1
        if not self._deaf and not self._quiet:
            log.warning(
                "%s: the station does not confirm what is sent to it. Try another cable, and plug "
                "it in at this machine; or is its program older than this one?", self.path,
            )  # fmt: skip
        self._deaf = True
        self._way = None
        self._forget(self._rest)
        self._once.clear()
        self._next()

    def _forget(self, queue: deque[bytes]) -> None:
        self.counts["dropped"] += len(queue)
        self._bytes -= sum(map(len, queue))
        queue.clear()

    def _greeted(self, who: _Greeting) -> None:
        """Another station, or the same after a restart: it knows nothing of the pieces before,
        and what waits was for another start. Who has more to say to it hears its hello too.
        """
        before, self._who = self._who, who
        if before is None or before == who:
            return
        self._deaf = False
        self._forget(self._urgent)
        self._forget(self._rest)
        self._once.clear()
        if self._way:
            self._stop()
            self._way.at = self._way.furthest = self._way.tries = 0
            self._write()
