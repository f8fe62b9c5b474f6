"""The simulated clock of one run, and the rule by which it moves.

At a speed it runs on by itself. As fast as the work allows (`speed` 0) it stands, and moves to the
earliest deadline only when every VM is idle with nothing unread, every actor sleeps and nothing
holds it; a hold is waited for at most 30 s of real time, then the clock goes on and lists it.
Nor does it pass the moment at which a station that waits for the host would lose its patience.
A VM that stands in a call, while flash is erased, or to which bytes of its cable are on their way,
gets its time whoever holds the clock: its answer may be what is waited for. Where there is one VM
it moves the clock itself from deadline to deadline, as far as that changes nothing for others.
"""

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from diadema.base.clock import SharedClock

HOLD_LIMIT_S = 30.0
_TURN_S = 0.001
_ALONE_MS = 10_000  # that a VM goes on without a word …
_SILENT_S = 0.05  # … where its host said nothing for so long, of real time


class Machine(Protocol):
    """A powered VM: busy until it says when it wants to be woken (run ms, None = never), and
    whether it is `blocked` in a call until then. `last_message_at`: of the last message to or from
    its host, by `time.monotonic()`.
    """

    busy: bool
    due: int | None
    blocked: bool

    @property
    def last_message_at(self) -> float: ...

    @property
    def clock_limit_ms(self) -> int | None: ...

    def send_time(self, until: int | None = None) -> None: ...

    def jump(self, ms: int) -> None: ...


class Timeline:
    """Times are milliseconds of the run; `start_utc_ms` is their zero."""

    def __init__(self, path: Path, start_utc_ms: int, speed: float) -> None:
        self.path = path
        self.start_utc_ms = start_utc_ms
        self.overdue: list[str] = []  # holds that were waited for in vain
        self.steps = 0
        self.machines: set[Machine] = set()
        self._shared = SharedClock(path, create=True)
        self._hub_ahead_ms = 0  # the hub's clock before the run's
        self._speed = speed
        self._base = 0.0
        self._real = time.monotonic()
        self._sleepers: list[tuple[float, int, asyncio.Future[None], bool]] = []
        self._order = itertools.count()
        self._actors: dict[asyncio.Task[Any], bool] = {}
        self._awake = 0
        self._holds: set[object] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling = False
        self._timer: asyncio.TimerHandle | None = None
        self._shared.set(start_utc_ms, speed)

    @property
    def speed(self) -> float:
        """Simulated seconds a real second; 0 = as fast as the work allows."""
        return self._speed

    def now(self) -> int:
        """Whole ms of the run."""
        if self._speed:
            return int(self._base + (time.monotonic() - self._real) * 1000 * self._speed)
        return int(self._base)

    def utc_ms(self) -> int:
        return self.start_utc_ms + self.now()

    def set_speed(self, speed: float) -> None:
        """From now on; tells every VM and every process of the run."""
        self._base, self._real = float(self.now()), time.monotonic()
        self._speed = speed
        self._shared.set(self.start_utc_ms + self._base + self._hub_ahead_ms, speed)
        for machine in self.machines:
            machine.send_time()
        self.settle()

    def advanced_to(self, now: int) -> None:
        """A VM has moved the clock."""
        if now > self.now():
            self._base, self._real = float(now), time.monotonic()
            self._shared.set(self.start_utc_ms + now + self._hub_ahead_ms, self._speed)
            self._wake_sleepers()

    def jump(self, ms: int) -> None:
        """So much passes in which nothing happens that does not happen all the time; who sleeps
        has as long to sleep as before. Half a wrap of ticks at once makes what is kept in them,
        and was due meanwhile, look as if it were still to come.
        """
        self._base += ms
        self._sleepers = [(one[0] + ms, one[1], one[2], one[3]) for one in self._sleepers]
        self._shared.set(self.utc_ms() + self._hub_ahead_ms, self._speed)
        for machine in self.machines:
            machine.jump(ms)
        self.settle()

    def set_hub_ahead(self, ms: int) -> None:
        """Put the clock of the hub's processes so far before the run's (negative: behind)."""
        self._hub_ahead_ms = ms
        self._shared.set(self.utc_ms() + ms, self._speed)

    # --- who may hold it ----------------------------------------------------------------------

    @contextmanager
    def actor(self) -> Iterator[None]:
        """The current task acts in the run: the clock stands whenever it is awake."""
        task = asyncio.current_task()
        assert task is not None
        self._actors[task] = True
        self._awake += 1
        try:
            yield
        finally:
            del self._actors[task]
            self._awake -= 1
            self.settle()

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """The clock stands, at most 30 s of real time; then `name` is listed in `overdue`."""
        token = object()
        self._holds.add(token)

        def give_up() -> None:
            if token in self._holds:
                self._holds.discard(token)
                self.overdue.append(name)
                self.settle()

        timer = asyncio.get_running_loop().call_later(HOLD_LIMIT_S, give_up)
        try:
            yield
        finally:
            timer.cancel()
            self._holds.discard(token)
            self.settle()

    def release(self) -> bool:
        """The current task is about to wait while time passes; True if it is an actor."""
        task = asyncio.current_task()
        if task not in self._actors:
            return False
        self._awake -= 1
        self.settle()
        return True

    def resume(self) -> None:
        """An actor that waited is awake again; called where its wait ends, before it runs."""
        self._awake += 1

    async def sleep_until(self, due: float) -> None:
        """Until the run's clock reads `due` ms."""
        if due <= self.now():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        actor = self.release()
        heapq.heappush(self._sleepers, (due, next(self._order), future, actor))
        self.settle()
        try:
            await future
        except asyncio.CancelledError:
            if actor and (not future.done() or future.cancelled()):
                self.resume()
            raise

    def call_later(self, seconds: float, function: Callable[[], None]) -> asyncio.Task[None]:
        """As a loop's, by the run's clock."""

        async def wait() -> None:
            await self.sleep_until(self.now() + seconds * 1000)
            with self.hold("a timer"):
                function()
                await asyncio.sleep(_TURN_S)  # what it wrote comes to the other end of its cable

        task = asyncio.get_running_loop().create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- how it moves -------------------------------------------------------------------------

    def settle(self) -> None:
        """Something changed: see, in the next turn of the loop, whether the clock can move."""
        if not self._settling:
            self._settling = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._settling = False
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # cancelled
        if self._speed:
            self._wake_sleepers()
            if self._timer:
                self._timer.cancel()
                self._timer = None
            if self._sleepers:
                pause = (self._sleepers[0][0] - self.now()) / 1000 / self._speed
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(max(pause, 0.0005), self._settle)
            return
        if any(machine.busy for machine in self.machines):
            return
        held = bool(self._holds) or self._awake > 0
        blocked = [machine.due for machine in self.machines if machine.blocked and machine.due]
        if held and not blocked:
            return
        dues = [machine.due for machine in self.machines if machine.due is not None]
        others = math.ceil(self._sleepers[0][0]) if self._sleepers else None
        if others is not None:
            dues.append(others)
        clock_limit = min(
            (
                clock_limit
                for one in self.machines
                if (clock_limit := one.clock_limit_ms) is not None
            ),
            default=math.inf,
        )
        if not dues or (min(dues) > clock_limit and not blocked):
            return
        self._base = float(max(min(dues), int(self._base)))
        self._shared.set(self.start_utc_ms + self._base + self._hub_ahead_ms, 0)
        self.steps += 1
        now = self.now()
        until = now
        if len(self.machines) == 1 and not held and self._silent():
            until = int(
                min(now + _ALONE_MS, clock_limit, math.inf if others is None else others - 1)
            )
        for machine in self.machines:
            if machine.due is not None and machine.due <= now:
                machine.send_time(max(now, until))
        self._wake_sleepers()
        if not any(machine.busy for machine in self.machines):
            self.settle()

    def _silent(self) -> bool:
        """Nobody speaks with the station: else its host may take its time for the next word."""
        return all(time.monotonic() - one.last_message_at > _SILENT_S for one in self.machines)

    def _wake_sleepers(self) -> None:
        now = self.now()
        while self._sleepers and self._sleepers[0][0] <= now:
            _, _, future, actor = heapq.heappop(self._sleepers)
            if not future.done():
                if actor:
                    self.resume()
                future.set_result(None)

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
