"""The serial line of one station, as all who speak over one use it: whole messages up and down."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

import msgspec
from msgspec import Struct

from diadema.gateway.serial_port import SerialPort
from diadema.wire.events import UNREADABLE
from diadema.wire.frames import Decoder, Sender, Timer, encode
from diadema.wire.letters import LETTERS
from diadema.words import Sentence

_ASK = encode(b'{"hello":{}}')

log = logging.getLogger("diadema.gateway")


class _Greeting(Struct, rename=LETTERS):
    station: str = ""
    boot: int = 0
    safe: bool = False


class _Up(Struct):
    got: tuple[int, int] | None = None
    hello: _Greeting | None = None


_decode_up = msgspec.json.Decoder(_Up).decode


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
    def hint(self) -> str | Sentence:
        """What to do about that."""
        return self._port.hint

    @property
    def busy(self) -> bool:
        """Another program has it open."""
        return self._port.busy

    @property
    def idle(self) -> bool:
        """The station has confirmed all that was sent."""
        return self._sender.waiting == 0

    async def run(self) -> None:
        try:
            await self._port.run()
        finally:
            self._sender.stop()

    def ask_hello(self) -> None:
        """Asks for a greeting, not in pieces: whoever is there answers, and nobody confirms it."""
        self._port.write(_ASK)

    def write_text(self, data: bytes) -> None:
        """Writes what is no frame, which a station skips and counts."""
        self._port.write(data)

    def send(
        self, body: bytes, *, urgent: bool = False, once: bool = False, ages: bool = False
    ) -> None:
        """A message down, as `Sender.send`; dropped and counted while the port is not open."""
        if self.is_open:
            self._sender.send(body, urgent=urgent, once=once, ages=ages)
        else:
            self.counts["dropped"] += 1

    def dump(self) -> dict[str, int]:
        """Counters of both ways."""
        names = ("messages", "again", "unheard", "doubled", "strayed")
        return {
            "waiting": self._sender.waiting,
            "dropped": self._port.dropped + self.counts["dropped"],
            **{name: self.counts[name] for name in names},
            **self.decoder.dump(),
        }

    def take(self, data: bytes) -> None:
        """What came up."""
        for body in self.decoder.feed(data):
            if not self._own(body):
                self._tell(body)
        if (text := self.decoder.take_console()) and self._console:
            self._console(text)

    def _begin(self) -> None:
        self.decoder = Decoder()
        self._sender = Sender(self._port.write, _later, self._unheard, self.counts)
        self._who: _Greeting | None = None

    def _opened(self) -> None:
        self._begin()
        self._tell_opened()

    def _closed(self) -> None:
        self._sender.stop()
        self.counts["dropped"] += self._sender.waiting
        self._tell_closed()

    def _own(self, body: bytes) -> bool:
        """Whether it is between the station and this class alone."""
        try:
            up = _decode_up(body)
        except UNREADABLE:
            return False
        if up.got:
            self._sender.got(*up.got)
            return True
        if up.hello:
            before, self._who = self._who, up.hello
            if before not in (None, up.hello):
                self._sender.restarted()
        return False

    def _unheard(self) -> None:
        if not self._quiet:
            log.warning(
                "%s: the station does not confirm what is sent to it: plug it in at this machine "
                "with another cable; or bring it the program of this version with `diadema flash`",
                self.path,
            )


def _later(seconds: float, function: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, function)
