"""The live rows: follows the bucket `live` of NATS and asks the hub for what only the hub can do.

`Feed` outlives every restart of NATS and of the hub. Once a second it checks that the hub answers
and that no value was missed; what the web shows counts as live only while both held in the last
3 s. `Floor` holds the last valid row of each agent and reports changes; it lives on the event
loop's thread only. `Pace` is the hub's clock as a browser needs it: the time now and how fast it
runs, measured, because a simulated clock may run at many times real time or jump.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.api import StreamInfo
from nats.js.errors import Error as JetStreamError
from nats.js.errors import NotFoundError
from nats.js.kv import KeyValue

from diadema.base.clock import Clock, SystemClock
from diadema.base.idempotency import HEADER as ONCE_HEADER
from diadema.base.idempotency import Once
from diadema.wire.ask_hub import STREAM
from diadema.wire.events import UNREADABLE
from diadema.wire.live_rows import (
    Head,
    Queues,
    Row,
    Site,
    decode_head,
    decode_queues,
    decode_row,
    decode_site,
)

_AGENT = "agent."
log = logging.getLogger(__name__)
BUCKET = "live"
SILENCE_S = 3.0
ANSWER_S = 5.0  # whether a command arrived is then not known, so a busy hub is given time
_CHECK_S = 1.0
_RETRY_S = 0.25
TROUBLE = (NatsError, JetStreamError, OSError, TimeoutError)
_PROBE = {"s": "", "i": 0}

_WINDOW_S = 2.0
_SHORTEST_S = 0.2


class Pace:
    """Reads a clock and estimates its speed over the last two seconds of readings."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steady = isinstance(clock, SystemClock)
        self._seen: deque[tuple[float, int]] = deque(maxlen=64)
        self._speed = 1.0

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def read(self) -> tuple[int, float]:
        """UTC milliseconds now, and simulated seconds a real second (1.0 on a real clock)."""
        now = self._clock.now_ms()
        if self._steady:
            return now, 1.0
        real = time.monotonic()
        while len(self._seen) > 1 and real - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        if self._seen and real - self._seen[0][0] >= _SHORTEST_S:
            self._speed = (now - self._seen[0][1]) / 1000 / (real - self._seen[0][0])
        if not self._seen or real - self._seen[-1][0] >= _WINDOW_S / 60:
            self._seen.append((real, now))
        near_one = abs(self._speed - 1) < 0.02
        return now, 1.0 if near_one else round(max(self._speed, 0.0), 2)


class Floor:
    """Fed key by key (`put`, `drop`) or whole (`replace`); calls `on_change` with agent ids.
    `site` holds until the first `meta` comes.
    """

    def __init__(self, site: Site | None = None) -> None:
        self.rows: dict[str, Row] = {}
        self.site = site or Site()
        self.head = Head()
        self.queues: Queues | None = None
        self.handed_over: frozenset[str] = frozenset()  # agents to whom another helper is to come
        self.changes = 0
        self.rejected = 0
        self.on_change: list[Callable[[str], None]] = []
        self.on_site: list[Callable[[], None]] = []
        self.on_head: list[Callable[[], None]] = []

    def put(self, key: str, value: bytes) -> None:
        """Take one value of the bucket; a bad one is counted and the last good one stays."""
        try:
            if key == "meta":
                site = decode_site(value)
                if site.site or not self.site.site:  # a hub may not know yet what we know
                    self._set_site(site)
                self._set_head(decode_head(value), self.queues)
            elif key == "queues":
                self._set_head(self.head, decode_queues(value))
            elif key.startswith(_AGENT):
                self._set_row(key.removeprefix(_AGENT), decode_row(value))
        except UNREADABLE as error:
            self.rejected += 1
            log.warning("live value %s is not shown: %s", key, error)

    def describe(self, site: Site | None) -> None:
        """As the directory says of a site that the hub does not know yet."""
        if site is not None and not self.site.generation:
            self._set_site(site)

    def drop(self, key: str) -> None:
        """The bucket no longer has this key."""
        agent = key.removeprefix(_AGENT)
        if key == "queues":
            self._set_head(self.head, None)
        elif key != "meta" and self.rows.pop(agent, None) is not None:
            self._changed(agent)

    def replace(self, entries: Mapping[str, bytes]) -> None:
        """Take the whole bucket, as after a new connection; agents it lacks are gone."""
        for agent in [a for a in self.rows if _AGENT + a not in entries]:
            self.drop(_AGENT + agent)
        if "queues" not in entries:
            self.drop("queues")
        for key, value in entries.items():
            self.put(key, value)

    def hand_over(self, agents: frozenset[str]) -> None:
        """Their calls for help were handed over, and nobody has said yet that they come."""
        changed, self.handed_over = agents ^ self.handed_over, agents
        for agent in changed:
            self._changed(agent)

    def _set_row(self, agent: str, row: Row) -> None:
        if self.rows.get(agent) != row:
            self.rows[agent] = row
            self._changed(agent)

    def _set_site(self, site: Site) -> None:
        if site != self.site:
            self.site = site
            for call in self.on_site:
                call()

    def _set_head(self, head: Head, queues: Queues | None) -> None:
        if (head, queues) != (self.head, self.queues):
            self.head, self.queues = head, queues
            for call in self.on_head:
                call()

    def _changed(self, agent: str) -> None:
        self.changes += 1
        for call in self.on_change:
            call(agent)

    def by_state(self) -> dict[str, int]:
        """How many agents are in each state, for counters."""
        counts: dict[str, int] = {}
        for row in self.rows.values():
            counts[row.state] = counts.get(row.state, 0) + 1
        return counts


class HubAbsent(Exception):
    """Nobody serves this request: ingest is not running."""


class HubSilent(Exception):
    """The hub took the request, or may have, and did not answer in time."""


class NatsAbsent(Exception):
    """There is no connection to NATS now."""


class Feed:
    """Keeps `floor` equal to the bucket. `run` is its task; `request` may be called any time."""

    def __init__(self, url: str, user: str, password: str, floor: Floor, pace: Pace) -> None:
        self._url = url
        self._user = user
        self._password = password
        self._floor = floor
        self._pace = pace
        self._client: Client | None = None
        self._seen = 0
        self._created: datetime | None = None
        self._complete = False
        self._again = asyncio.Event()
        self._good_at = time.monotonic() - SILENCE_S
        self._good_ms: int | None = None
        self.restarts = 0

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def client(self) -> Client:
        """Raises NatsAbsent."""
        if self._client is None or not self._client.is_connected:
            raise NatsAbsent
        return self._client

    def down_since(self) -> int | None:
        """None while what is shown is live, else the UTC ms up to which it was (0 if never)."""
        if time.monotonic() - self._good_at < SILENCE_S:
            return None
        return self._good_ms or 0

    async def request(
        self, subject: str, body: dict[str, Any], once: Once | None = None
    ) -> dict[str, Any]:
        """Ask the hub; a write that is named `once` it does once. Raises NatsAbsent, HubAbsent or
        HubSilent (after ANSWER_S).
        """
        client = self.client
        headers = {ONCE_HEADER: once.line} if once else None
        try:
            reply = await client.request(
                subject, msgspec.json.encode(body), timeout=ANSWER_S, headers=headers
            )
            answer = msgspec.json.decode(reply.data, type=dict[str, Any])
        except NoRespondersError as error:
            raise HubAbsent from error
        except (*TROUBLE, msgspec.DecodeError) as error:
            raise HubSilent from error
        return answer

    async def stream(self) -> StreamInfo | None:
        """The stations' stream as the broker has it; None where nobody says it."""
        if self._client is None or not self._client.is_connected:
            return None
        try:
            return await self._client.jetstream(timeout=ANSWER_S).stream_info(STREAM)
        except TROUBLE:
            return None

    async def run(self) -> None:
        """Connect and follow, for ever; ends only by cancellation."""
        self._client = await self._connect()
        checker = asyncio.create_task(self._check_for_ever())
        try:
            while True:
                self._again.clear()
                follower = asyncio.create_task(self._follow())
                again = asyncio.create_task(self._again.wait())
                try:
                    await asyncio.wait({follower, again}, return_when="FIRST_COMPLETED")
                finally:
                    for task in (follower, again):
                        task.cancel()
                    results = await asyncio.gather(follower, again, return_exceptions=True)
                self._complete = False
                self.restarts += 1
                if isinstance(results[0], Exception):
                    log.info("live values interrupted: %r", results[0])
                    if not isinstance(results[0], TROUBLE):
                        raise results[0]
                    await asyncio.sleep(_RETRY_S)
        finally:
            checker.cancel()
            await asyncio.gather(checker, return_exceptions=True)
            await self._client.close()

    async def _connect(self) -> Client:
        async def start_again() -> None:
            self._again.set()

        async def note(error: Exception) -> None:
            log.debug("nats: %r", error)

        while True:
            try:
                return await nats.connect(
                    self._url,
                    user=self._user,
                    password=self._password,
                    name="web",
                    connect_timeout=2,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RETRY_S,
                    ping_interval=2,
                    max_outstanding_pings=2,
                    reconnected_cb=start_again,
                    error_cb=note,
                )
            except TROUBLE as error:
                log.info("no NATS at %s yet: %r", self._url, error)
                await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        """Take the bucket whole, then each change. Raises when the watch ends."""
        assert self._client is not None
        bucket = await self._client.jetstream(timeout=ANSWER_S).key_value(BUCKET)
        self._created = (await bucket.status()).stream_info.created
        watcher = await bucket.watchall()
        try:
            whole: dict[str, bytes] = {}
            async for entry in watcher:
                if entry is None:
                    self._floor.replace(whole)
                    self._complete = True
                elif self._complete:
                    self._take(entry)
                elif entry.operation is None:
                    whole[entry.key] = entry.value or b""
                if entry is not None:
                    self._seen = entry.revision or 0
        finally:
            if self._client.is_connected:
                await watcher.stop()  # type: ignore[no-untyped-call]

    def _take(self, entry: KeyValue.Entry) -> None:
        if entry.operation is None:
            self._floor.put(entry.key, entry.value or b"")
        else:
            self._floor.drop(entry.key)

    async def _check_for_ever(self) -> None:
        behind = False
        while True:
            started, now = time.monotonic(), self._pace.now_ms()
            try:
                if (await self.request("hub.command.get", _PROBE)).get("paused"):
                    raise HubSilent  # it takes no events, so nothing new can be shown
                right = await self._is_right()
            except NotFoundError:
                self._again.set()  # the bucket is gone; whoever makes the new one fills it
            except (HubAbsent, HubSilent, NatsAbsent, *TROUBLE) as error:
                log.debug("the hub does not answer: %r", error)
            else:
                if right:
                    self._good_at, self._good_ms = started, now
                elif behind:
                    log.warning("live values were missed; taking all of them again")
                    self._again.set()
                behind = not right and not behind
            await asyncio.sleep(max(0.0, _CHECK_S - (time.monotonic() - started)))

    async def _is_right(self) -> bool:
        """Whether the floor has all that the bucket had when asked, and it is the same bucket."""
        assert self._client is not None
        held = len(self._floor.rows)
        info = await self._client.jetstream(timeout=ANSWER_S).stream_info(f"KV_{BUCKET}")
        same = info.created == self._created and info.state.messages >= held
        return self._complete and same and int(info.state.last_seq) <= self._seen
