"""What passes the two links of one simulated station, seen from outside at their near ends: the
way each event went, and what the host still owes an answer.

A fast clock waits a little for that answer. Else it would leap past the station's patience while
the host takes its milliseconds, and the station would believe its link dead.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from diadema.frames import DOWN_LIMIT, Decoder

type Way = Literal["usb", "wifi"]

# of the run: a station says hello again after 1 s, and sends an event again after 5 s
_HELLO_MS = 900
_EVENT_MS = 4_500
_LIMIT_S = 1.0  # real time that an answer is waited for


@dataclass
class _Owed:
    """An event (e, n) or a hello (n None) that went out and is not acknowledged."""

    e: int
    n: int | None
    until_ms: int
    given_up_at: float


@dataclass
class Traffic:
    """`now_ms`: the run's clock, None while it does not wait for anybody; `settle`: look again."""

    now_ms: Callable[[], int | None]
    settle: Callable[[], None]
    ways: dict[tuple[int, int], set[Way]] = field(default_factory=dict)  # of each event sent
    sent: tuple[int, int] | None = None  # the newest of them
    switches: int = 0  # times that an event went another way than the one before
    greeted: asyncio.Event = field(default_factory=asyncio.Event)  # a hello went over the cable
    online: asyncio.Event = field(default_factory=asyncio.Event)  # the broker has let it in

    def __post_init__(self) -> None:
        self._up, self._down = Decoder(), Decoder(DOWN_LIMIT)
        self._owed: deque[_Owed] = deque()
        self._last: Way | None = None
        self._deaf = False  # the host was waited for in vain: not again before it is heard
        self._timer: asyncio.TimerHandle | None = None

    @property
    def patience_ms(self) -> int | None:
        """The moment of the run that the clock may not pass yet."""
        return min((owed.until_ms for owed in self._owed), default=None)

    def cable_up(self, data: bytes) -> None:
        """Bytes that the station put on a cable that is plugged in."""
        for body in self._up.feed(data):
            self._sent("usb", json.loads(body))
        self._up.take_console()

    def cable_down(self, data: bytes) -> None:
        for body in self._down.feed(data):
            try:
                message = json.loads(body)
            except ValueError:
                continue  # the station will not have it either
            if isinstance(message, dict):
                self._heard(message)
        self._down.take_console()

    def air_up(self, payload: bytes) -> None:
        """A message that the station published."""
        message = json.loads(payload)
        self._sent("wifi", message if "k" in message else {"hello": message})

    def air_down(self, payload: bytes) -> None:
        self._heard(json.loads(payload))

    def dark(self) -> None:
        """The station has lost its power: it waits for nothing any more."""
        self._owed.clear()
        self.online.clear()
        self._up, self._down = Decoder(), Decoder(DOWN_LIMIT)

    def stored(self, keys: set[tuple[int, int]]) -> Counter[str]:
        """How many of these events came over the cable, over Wi-Fi, or were sent over both."""
        return Counter(
            "both" if len(ways) > 1 else min(ways) for ways in map(self.ways.get, keys) if ways
        )

    def _sent(self, way: Way, message: dict[str, Any]) -> None:
        if "hello" in message:
            if way == "usb":
                self.greeted.set()
            if "e" in message["hello"]:  # safe mode has no journal to speak of
                self._owe(message["hello"]["e"], None, _HELLO_MS)
            return
        if "n" not in message:  # neither event nor hello
            return
        self.switches += self._last not in (None, way)
        self._last = way
        e, n = message["e"], message["n"]
        self.ways.setdefault((e, n), set()).add(way)
        if self.sent is None or self.sent[0] != e or self.sent[1] < n:
            self.sent = (e, n)
        self._owe(e, n, _EVENT_MS)

    def _owe(self, e: int, n: int | None, patience_ms: int) -> None:
        now_ms = self.now_ms()
        if now_ms is None or self._deaf:
            return
        self._owed.append(_Owed(e, n, now_ms + patience_ms, time.monotonic() + _LIMIT_S))
        if self._timer is None:
            self._wake_in(_LIMIT_S)

    def _heard(self, message: dict[str, Any]) -> None:
        self._deaf = False
        if "ack" not in message:
            return
        e, n = message["ack"]
        owed, self._owed = self._owed, deque()
        self._owed += (one for one in owed if one.n is not None and (one.e != e or one.n > n))

    def _wake_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(max(seconds, 0.01), self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        while self._owed and self._owed[0].given_up_at <= time.monotonic():
            self._owed.popleft()
            self._deaf = True
        if self._owed:
            self._wake_in(self._owed[0].given_up_at - time.monotonic())
        self.settle()
