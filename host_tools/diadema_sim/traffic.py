"""What passes the two links of one simulated station, seen from outside at their near ends: the
way each event went, and what the host has not answered yet.

A fast clock waits a little for that answer. Else it would leap past the station's time limit while
the host takes its milliseconds, and the station would believe its link dead.
"""

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from diadema.wire.frames import DOWN_LIMIT, Decoder, Joiner

type Way = Literal["usb", "wifi"]

# of the run: by the answer to a hello a station sets its clock; it sends an event again after 5 s
_HELLO_MS = 20
_EVENT_MS = 4_500
_LIMIT_S = 1.0  # real time that an answer is waited for …
_FOLLOWS_S = 0.3  # … what comes after a hello's, as a rule …
_TURN_S = 0.001  # … and what may wait for its turn


@dataclass
class _Pending:
    """An event (e, n) or a hello (n None) that went out and is not acknowledged."""

    epoch: int
    sequence: int | None
    until_ms: int
    given_up_at: float


@dataclass
class Traffic:
    """`now_ms`: the run's clock, None while it does not wait for anybody; `settle`: look again;
    `passing`: whether the cable has bytes that its other end did not take yet.
    """

    now_ms: Callable[[], int | None]
    settle: Callable[[], None]
    passing: Callable[[], bool] = lambda: False
    ways: dict[tuple[int, int], set[Way]] = field(default_factory=dict)  # of each event sent
    sent: tuple[int, int] | None = None  # the newest of them
    switches: int = 0  # times that an event went another way than the one before
    greeted: asyncio.Event = field(default_factory=asyncio.Event)  # a hello went over the cable
    online: asyncio.Event = field(default_factory=asyncio.Event)  # the broker has let it in

    def __post_init__(self) -> None:
        self._up, self._down, self._pieces = Decoder(), Decoder(DOWN_LIMIT), Joiner()
        self.last_message_at = 0.0  # real time of the newest message, either way
        self._reads = False  # a piece that the station has not confirmed
        self._more = False  # pieces are to come after the one that came last
        self._greets = False  # a hello is answered by more than its acknowledgement
        self._follows = False  # that, or blocks are to come
        self._piece_ms: int | None = None  # when the next piece was due
        self._piece_until = 0.0  # real time at which nobody waits for it any more
        self._piece_timer: asyncio.TimerHandle | None = None
        self._pending: deque[_Pending] = deque()
        self._last: Way | None = None
        self._host_silent = False  # the host was waited for in vain: not again before it is heard
        self._timer: asyncio.TimerHandle | None = None

    @property
    def clock_limit_ms(self) -> int | None:
        """The moment of the run that the clock may not pass yet."""
        pending = min((one.until_ms for one in self._pending), default=None)
        if self._piece_ms is None or pending is None:
            return self._piece_ms if pending is None else pending
        return min(self._piece_ms, pending)

    def cable_up(self, data: bytes) -> None:
        """Bytes that the station put on a cable that is plugged in."""
        for body in self._up.feed(data):
            self.last_message_at = time.monotonic()
            message = json.loads(body)
            if "got" in message:
                self._reads = False
            else:
                self._sent("usb", message)
            if not self._reads:  # else the host waits for the station
                self._expect_piece()
        self._up.take_console()

    def cable_down(self, data: bytes) -> None:
        for body in self._down.feed(data):
            self.last_message_at = time.monotonic()
            _, whole = self._pieces.take(body)
            self._host_silent = False
            self._piece_came()
            self._reads = body[:1] != b"{"
            self._more = whole is None
            if whole is None:
                continue
            try:
                message = json.loads(whole)
            except ValueError:
                continue  # the station will not have it either
            if isinstance(message, dict):
                self._greets = self._greets and "ack" in message
                self._follows = self._greets or message.get("part") != message.get("parts")
                self._heard(message)
        self._down.take_console()

    def wifi_up(self, payload: bytes) -> None:
        """A message that the station published."""
        self.last_message_at = time.monotonic()
        message = json.loads(payload)
        self._sent("wifi", message if "k" in message else {"hello": message})

    def wifi_down(self, payload: bytes) -> None:
        self.last_message_at = time.monotonic()
        self._heard(json.loads(payload))

    def power_lost(self) -> None:
        """The station has lost its power: it waits for nothing any more."""
        self._pending.clear()
        self.online.clear()
        self._up, self._down, self._pieces = Decoder(), Decoder(DOWN_LIMIT), Joiner()
        self._reads = self._more = self._greets = self._follows = False
        self._piece_came()

    def stored(self, keys: set[tuple[int, int]]) -> Counter[str]:
        """How many of these events came over the cable, over Wi-Fi, or were sent over both."""
        return Counter(
            "both" if len(ways) > 1 else min(ways) for ways in map(self.ways.get, keys) if ways
        )

    def _sent(self, way: Way, message: dict[str, Any]) -> None:
        if "hello" in message:
            if way == "usb":
                self.greeted.set()
                self._greets = True
            if "e" in message["hello"]:  # safe mode has no journal to speak of
                self._expect_ack(message["hello"]["e"], None, _HELLO_MS)
            return
        if "n" not in message:  # neither event nor hello
            return
        self.switches += self._last not in (None, way)
        self._last = way
        e, n = message["e"], message["n"]
        self.ways.setdefault((e, n), set()).add(way)
        if self.sent is None or self.sent[0] != e or self.sent[1] < n:
            self.sent = (e, n)
        self._expect_ack(e, n, _EVENT_MS)

    def _expect_ack(self, e: int, n: int | None, limit_ms: int) -> None:
        now_ms = self.now_ms()
        if now_ms is None or self._host_silent:
            return
        self._pending.append(_Pending(e, n, now_ms + limit_ms, time.monotonic() + _LIMIT_S))
        if self._timer is None:
            self._wake_in(_LIMIT_S)

    def _heard(self, message: dict[str, Any]) -> None:
        self._host_silent = False
        if "ack" not in message:
            return
        e, n = message["ack"]
        pending, self._pending = self._pending, deque()
        self._pending += (
            one
            for one in pending
            if one.sequence is not None and (one.epoch != e or one.sequence > n)
        )

    def _wake_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(max(seconds, 0.01), self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        while self._pending and self._pending[0].given_up_at <= time.monotonic():
            self._pending.popleft()
            self._host_silent = True
        if self._pending:
            self._wake_in(self._pending[0].given_up_at - time.monotonic())
        self.settle()

    def _expect_piece(self) -> None:
        now_ms = self.now_ms()
        if now_ms is None or self._host_silent:
            return
        self._piece_came()
        self._piece_ms = now_ms
        limit_s = _LIMIT_S if self._more else _FOLLOWS_S if self._follows else _TURN_S
        self._piece_until = time.monotonic() + limit_s
        self._wait_for_piece(limit_s)

    def _wait_for_piece(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._piece_timer = loop.call_later(seconds, self._piece_overdue)

    def _piece_came(self) -> None:
        self._piece_ms = None
        if self._piece_timer:
            self._piece_timer.cancel()
            self._piece_timer = None

    def _piece_overdue(self) -> None:
        late_s = time.monotonic() - self._piece_until
        if self.passing() and late_s < _LIMIT_S:
            self._wait_for_piece(_TURN_S)
            return
        self._piece_came()
        self._host_silent = self._more or late_s >= _LIMIT_S
        self.settle()
