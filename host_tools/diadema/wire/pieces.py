"""How a message goes down a cable: in pieces, the next one when the station says that it has read
the one before. It keeps 259 bytes that it has not read, and reads nothing while it erases flash or
shakes hands with a broker; a piece fits there, what is longer would be lost.

A piece is a frame of at most 200 bytes around `NUMBER,PIECE,COUNT:` and a slice of the message;
`{"got":[NUMBER,PIECE]}` answers it. What begins with `{` is a message by itself.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from diadema.wire.frames import DOWN_LIMIT, encode

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
