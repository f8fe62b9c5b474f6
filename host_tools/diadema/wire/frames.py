"""Serial frames between a station and the gateway, cut out of a stream of console text.

A frame is 0x1E + JSON + `*` + CRC-32 of the JSON in 8 upper-case hex digits + newline (RFC 7464
framing with a check). Every other byte is console text. Bounded; what is dropped is counted.

How a message goes down a cable: in pieces, the next one when the station says that it has read
the one before. It keeps 259 bytes that it has not read, and reads nothing while it erases flash or
shakes hands with a broker; a piece fits there, what is longer would be lost.

A piece is a frame of at most 200 bytes around `NUMBER,PIECE,COUNT:` and a slice of the message;
`{"got":[NUMBER,PIECE]}` answers it. What begins with `{` is a message by itself.
"""

import random
from binascii import crc32
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

START = b"\x1e"
UP_LIMIT = 512  # JSON bytes, station to host
DOWN_LIMIT = 1024  # JSON bytes, host to station
_TRAILER = 9  # `*` and the check
_CONSOLE_LIMIT = 64 * 1024


def encode(body: bytes) -> bytes:
    """The frame of one JSON text, ready for the wire."""
    return b"%b%b*%08X\n" % (START, body, crc32(body))


@dataclass
class FrameCounts:
    """What a decoder has seen since it was made."""

    frames: int = 0
    corrupt: int = 0  # ended, but its check does not fit
    truncated: int = 0  # another frame began before this one ended
    oversized: int = 0
    console_bytes: int = 0
    console_dropped: int = 0  # nobody took the text in time


class Decoder:
    """Incremental and bounded: feed it any pieces of the stream, it hands back whole frames.

    Not for more than one stream; make one a port, and a new one after a reconnect.
    """

    def __init__(self, limit: int = UP_LIMIT) -> None:
        self.counts = FrameCounts()
        self._limit = limit
        self._body: bytearray | None = None  # None: between frames
        self._skipping = False  # inside a frame that is already too long
        self._console = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The JSON texts whose frames ended within `data`, in order."""
        found: list[bytes] = []
        at = 0
        while at < len(data):
            at = self._between(data, at) if self._body is None else self._inside(data, at, found)
        return found

    def take_console(self) -> bytes:
        """The console text since the last call, with spoilt frames: they may hold a log line."""
        text = bytes(self._console)
        self._console.clear()
        return text

    def dump(self) -> dict[str, int]:
        return asdict(self.counts)

    def _between(self, data: bytes, at: int) -> int:
        start = data.find(START, at)
        self._print(data[at : start if start >= 0 else len(data)])
        if start < 0:
            return len(data)
        self._body, self._skipping = bytearray(), False
        return start + 1

    def _inside(self, data: bytes, at: int, found: list[bytes]) -> int:
        assert self._body is not None
        newline = data.find(b"\n", at)
        end = newline if newline >= 0 else len(data)
        again = data.find(START, at, end)
        if again >= 0:  # JSON has no bare control characters, so this is a new frame
            self.counts.truncated += not self._skipping
            self._grow(data[at:again])
            self._print(bytes(self._body))
            self._body, self._skipping = bytearray(), False
            return again + 1
        self._grow(data[at:end])
        if newline < 0:
            return end
        body, self._body = bytes(self._body), None
        text = None if self._skipping else _checked(body)
        if text is not None and len(text) <= self._limit:
            self.counts.frames += 1
            found.append(text)
            return newline + 1
        if text is not None:
            self.counts.oversized += 1
        elif not self._skipping:
            self.counts.corrupt += 1
        self._print(body + b"\n")
        return newline + 1

    def _grow(self, piece: bytes) -> None:
        assert self._body is not None
        if self._skipping:
            self._print(piece)
        elif len(self._body) + len(piece) > self._limit + _TRAILER + len(b"\r"):
            self.counts.oversized += 1
            self._skipping = True
            self._print(bytes(self._body) + piece)
            self._body.clear()
        else:
            self._body += piece

    def _print(self, text: bytes) -> None:
        self.counts.console_bytes += len(text)
        self._console += text
        excess = len(self._console) - _CONSOLE_LIMIT
        if excess > 0:
            self.counts.console_dropped += excess
            del self._console[:excess]


def _checked(body: bytes) -> bytes | None:
    """The JSON of a frame without its start and newline, or None when the check does not fit."""
    body = body.removesuffix(b"\r")
    text, check = body[:-_TRAILER], body[-_TRAILER:]
    return text if text and check == b"*%08X" % crc32(text) else None


FRAME_LIMIT = 200  # bytes, with all that is around the slice
SLICE = FRAME_LIMIT - len(encode(b"65535,9,9:"))
_NUMBERS = 65535
AGAIN_S = 1.0
_ANEW = 3  # tries of a later piece after which the message begins anew
_TRIES = 10  # without a step further: longer than a look-up of a name, or a restart
_DEAF_TRIES = 3  # when it did not even answer the message before
_WAITING_LIMIT = 256 * 1024  # bytes


class Timer(Protocol):
    def cancel(self) -> None: ...


def cut(number: int, body: bytes) -> list[bytes]:
    """The frames of one message."""
    slices = [body[at : at + SLICE] for at in range(0, len(body), SLICE)]
    return [
        encode(b"%d,%d,%d:%b" % (number, piece, len(slices), one))
        for piece, one in enumerate(slices, 1)
    ]


@dataclass
class _Message:
    """On its way. `furthest`: pieces that were ever confirmed; `tries` since it grew."""

    number: int
    frames: list[bytes]
    ages: bool
    at: int = 0
    furthest: int = 0
    tries: int = 0


class Sender:
    """The messages to one station, from one opening of its port to the end of it.

    `write(frame)`; `later(seconds, function)` as a loop's `call_later`; `unheard()`: it did not
    confirm a message for long, after it had confirmed others or none at all.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        later: Callable[[float, Callable[[], None]], Timer],
        unheard: Callable[[], None] = lambda: None,
        counts: Counter[str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        self._write_frame, self._later, self._unheard = write, later, unheard
        self._number = random.randrange(_NUMBERS)
        self._urgent: deque[bytes] = deque()
        self._rest: deque[bytes] = deque()
        self._once: set[bytes] = set()
        self._ages: set[bytes] = set()
        self._bytes = 0  # of those that wait
        self._way: _Message | None = None
        self._timer: Timer | None = None
        self._deaf = False

    @property
    def waiting(self) -> int:
        """Messages, with the one on its way."""
        return len(self._urgent) + len(self._rest) + (self._way is not None)

    def send(
        self, body: bytes, *, urgent: bool = False, once: bool = False, ages: bool = False
    ) -> None:
        """What is `urgent` overtakes the rest at a message's end. What waits already is not taken
        again, nor what is said `once` until all of such is over. What `ages` is not sent again
        where it may be lost: it would not be true any more.
        """
        if len(body) > DOWN_LIMIT or self._bytes + len(body) > _WAITING_LIMIT:
            self.counts["dropped"] += 1
            return
        queue = self._urgent if urgent else self._rest
        if body in queue or (once and body in self._once):
            self.counts["doubled"] += 1
            return
        if once:
            self._once.add(body)
        if ages:
            self._ages.add(body)
        queue.append(body)
        self._bytes += len(body)
        self._next()

    def got(self, number: int, piece: int) -> None:
        """The station has read that piece."""
        way = self._way
        if not way or (number, piece) != (way.number, way.at + 1):
            self.counts["strayed"] += 1  # of a piece that was sent twice, as a rule
            return
        self.stop()
        self._deaf = False
        way.at += 1
        if way.at > way.furthest:
            way.furthest, way.tries = way.at, 0
        if way.at < len(way.frames):
            self._write()
        else:
            self._way = None
            self._next()

    def restarted(self) -> None:
        """It knows nothing of the pieces before, and what waits was for another start: whoever has
        more to say to it hears its hello too.
        """
        self._deaf = False
        self._forget(self._urgent)
        self._forget(self._rest)
        self._once.clear()
        if self._way:
            self.stop()
            self._way.at = self._way.furthest = self._way.tries = 0
            self._write()

    def stop(self) -> None:
        """Nothing goes out by itself any more."""
        if self._timer:
            self._timer.cancel()

    def _next(self) -> None:
        if self._way:
            return
        if not (self._urgent or self._rest):
            self._once.clear()
            self._ages.clear()
            return
        body = (self._urgent or self._rest).popleft()
        self._bytes -= len(body)
        self._number = self._number % _NUMBERS + 1
        self._way = _Message(self._number, cut(self._number, body), body in self._ages)
        self.counts["messages"] += 1
        self._write()

    def _write(self) -> None:
        assert self._way
        self._way.tries += 1
        self._timer = self._later(AGAIN_S, self._again)
        self._write_frame(self._way.frames[self._way.at])

    def _again(self) -> None:
        way = self._way
        assert way
        if way.ages:
            self.counts["dropped"] += 1
            self._way = None
            self._next()
            return
        if way.tries >= (_DEAF_TRIES if self._deaf else _TRIES):
            self._give_up()
            return
        self.counts["again"] += 1
        if way.at and way.tries % _ANEW == 0:
            way.at = 0
        self._write()

    def _give_up(self) -> None:
        """With it goes the rest of what it may be a part of: a hub sends all of that again."""
        self.counts["unheard"] += 1
        if not self._deaf:
            self._unheard()
        self._deaf = True
        self._way = None
        self._forget(self._rest)
        self._once.clear()
        self._next()

    def _forget(self, queue: deque[bytes]) -> None:
        self.counts["dropped"] += len(queue)
        self._bytes -= sum(map(len, queue))
        queue.clear()


class Joiner:
    """The other end, for whoever stands in for a station or listens on its cable."""

    def __init__(self) -> None:
        self._number = self._piece = self.count = 0
        self._text = b""

    def take(self, body: bytes) -> tuple[bytes, bytes | None]:
        """The answer to one frame (b"": none), and the message that it makes whole."""
        if body[:1] == b"{":
            return b"", body
        try:
            head, text = body.split(b":", 1)
            number, piece, count = map(int, head.split(b","))
            if not (0 < number <= _NUMBERS and 0 < piece <= count):
                raise ValueError
        except ValueError:
            return b"", None
        got = b'{"got":[%d,%d]}' % (number, piece)
        if number == self._number and (self._piece == self.count or 1 < piece <= self._piece):
            return got, None
        if piece == 1:
            self._number, self._piece, self.count, self._text = number, 0, count, b""
        if len(self._text) + len(text) > DOWN_LIMIT or (number, piece, count) != (
            self._number, self._piece + 1, self.count
        ):  # fmt: skip
            return b"", None
        self._piece = piece
        self._text += text
        return got, self._text if piece == count else None
