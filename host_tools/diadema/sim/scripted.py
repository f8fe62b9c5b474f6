"""People who work by chance: calls arrive, agents answer, talk, typify, pause; all of one seed.

Arrivals, service and types come from a fit to real calls; the rest is assumed (`fitted.py`).
`pace` says how many times quicker than real people they live, for runs that somebody watches.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from diadema.sim import fitted, people
from diadema.sim.at_desk import AtDesk, NotDelivered, PowerLost
from diadema.sim.centre import Centre
from diadema.sim.fitted import ASSUMED, Fitted, draw_seconds

_HOUR_MS = 3_600_000
_SLICE_MS = 1000
_PATIENCE_S = (90.0, 0.9)  # a caller waits this long for an agent; assumed
_RING_LIMIT_S = 20  # people.site's
_LEAST_TALK_S = 1.0
_KEYING_S = 6  # a talk shorter than the keys take is not typified in
_LEAST_RATE = 0.5  # calls an hour and agent, where the log was closed


@dataclass
class _Call:
    contact: str
    type: str
    patience_until_ms: float


@dataclass
class Counts:
    """What the exchange did, for whoever watches the run."""

    arrived: int = 0
    gave_up: int = 0
    undelivered: list[str] = field(default_factory=list)


class Shift:
    """One shift of a centre's people. `run` logs them in and returns when they have gone."""

    def __init__(
        self,
        centre: Centre,
        *,
        seed: int,
        zone: str,
        behaviour: Fitted = fitted.BANK_1999_02,
        pace: float = 1.0,
        hour: int | None = None,
    ) -> None:
        """`hour`: arrivals of that local hour all along, else of the hour it is in `zone`."""
        self.counts = Counts()
        self._centre = centre
        self._world = centre.world
        self._desks = centre.desks
        self._behaviour = behaviour
        self._pace = pace
        self._hour = hour
        self._zone = ZoneInfo(zone)
        self._arrivals = random.Random(f"{seed} arrivals")
        self._chance = {
            desk.desk.person.id: random.Random(f"{seed} {desk.desk.person.id}")
            for desk in centre.desks
        }
        self._free: deque[AtDesk] = deque()
        self._waiting: deque[_Call] = deque()
        self._over = asyncio.Event()
        self._going = False
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, until_ms: float, speed: float) -> None:
        """Take calls until that time of the run (UTC ms), or `stop`; then all log out.

        `speed` is the run's from here on (0: as fast as the work allows).
        """
        paced = nullcontext() if speed else self._centre.paced()
        async with paced, asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            with self._world.hold("the shift begins"):
                self._world.timeline.set_speed(speed)
                for desk in self._desks:
                    tasks.create_task(self._come(desk))
                exchange = tasks.create_task(self._exchange(until_ms))
                await asyncio.sleep(0)  # they act from here on, so that the clock minds them
            await self._over.wait()
            self._going = True
            exchange.cancel()
            while self._free:
                tasks.create_task(self._leave(self._free.popleft()))

    def stop(self) -> None:
        """No more calls; who is in one ends it soon, and all log out."""
        self._over.set()

    # --- the exchange -------------------------------------------------------------------------

    async def _exchange(self, until_ms: float) -> None:
        with self._world.actor():
            number = 0
            while self._world.now_ms() < until_ms:
                rate = self._rate() * len(self._desks) * self._pace
                wait_ms = self._arrivals.expovariate(rate / _HOUR_MS)
                await self._world.sleep_until(min(self._world.now_ms() + wait_ms, until_ms))
                if self._world.now_ms() >= until_ms:
                    break
                number += 1
                patience_ms = 1000 * draw_seconds(_PATIENCE_S, self._arrivals)
                kind = self._behaviour.draw_type(self._arrivals)
                call = _Call(f"c{number:05}", kind, self._world.now_ms() + patience_ms)
                self.counts.arrived += 1
                self._waiting.append(call)
                self._match()
        self._over.set()

    def _rate(self) -> float:
        hour = self._hour
        if hour is None:
            now = datetime.fromtimestamp(self._world.now_ms() / 1000, UTC)
            hour = now.astimezone(self._zone).hour
        return max(self._behaviour.arrivals[hour], _LEAST_RATE)

    def _match(self) -> None:
        """The caller who waits longest goes to the agent who has been free longest."""
        assert self._tasks
        while self._waiting and self._waiting[0].patience_until_ms < self._world.now_ms():
            self._waiting.popleft()
            self.counts.gave_up += 1
        while self._waiting and self._free:
            desk, call = self._free.popleft(), self._waiting.popleft()
            self._tasks.create_task(self._serve(desk, call))

    def _set_free(self, desk: AtDesk) -> None:
        assert self._tasks
        if self._going:
            self._tasks.create_task(self._leave(desk))
        else:
            self._free.append(desk)
            self._match()

    # --- the agents ---------------------------------------------------------------------------

    async def _come(self, desk: AtDesk) -> None:
        with self._world.actor():
            await self._sleep(self._chance[desk.desk.person.id].uniform(0, 4))
            await desk.log_in()
            await desk.get_ready()
            self._set_free(desk)

    async def _leave(self, desk: AtDesk) -> None:
        with self._world.actor():
            await desk.log_out()

    async def _serve(self, desk: AtDesk, call: _Call) -> None:
        with self._world.actor():
            chance = self._chance[desk.desk.person.id]
            try:
                if await self._take(desk, call, chance):
                    await self._after(desk, call, chance)
                    if not self._going and chance.random() < ASSUMED.pauses:
                        await self._pause(desk, chance)
            except NotDelivered as error:
                self.counts.undelivered.append(str(error))
            except PowerLost:
                await desk.switch_on()
                if desk.work == ("wrapup", call.contact):
                    await self._after(desk, call, chance)
            if desk.presence == "not_ready" and not self._going:
                await desk.get_ready()
            self._set_free(desk)

    async def _take(self, desk: AtDesk, call: _Call, chance: random.Random) -> bool:
        """From the ring to the end of the talk; False when nobody answered."""
        contact = call.contact
        await desk.ring(contact, queue=people.QUEUES.get(call.type, call.type))
        if chance.random() < ASSUMED.missed and await self._let_it_ring(desk, contact):
            return False
        await self._sleep(min(draw_seconds(ASSUMED.ring, chance), _RING_LIMIT_S / 2))
        answered = await desk.answer(contact)
        talk_s = self._behaviour.service[call.type].draw(chance) / self._pace
        talk_s = max(talk_s, _LEAST_TALK_S)
        if chance.random() < ASSUMED.typified_in_call and talk_s > _KEYING_S:
            await self._sleep(talk_s * chance.uniform(0.1, 0.4))
            await desk.typify_in_call(contact, self._code(call, chance), self._gap(chance))
        if chance.random() < ASSUMED.held:
            await self._sleep(chance.uniform(0, talk_s / 4))
            await desk.hold(contact)
            await self._sleep(draw_seconds(ASSUMED.hold, chance) / self._pace)
            await desk.resume(contact)
        if chance.random() < ASSUMED.muted:
            await desk.mute(contact)
            await self._sleep(chance.uniform(0.2, 1) * talk_s / 4)
            await desk.unmute(contact)
        await self._until_or_stop(answered.at_ms + 1000 * talk_s)
        if chance.random() < ASSUMED.caller_hangs_up:
            await desk.caller_hangs_up(contact)
        else:
            await desk.hang_up(contact)
        return True

    async def _let_it_ring(self, desk: AtDesk, contact: str) -> bool:
        """Away from the desk until the ring ends; False when the shift ended first."""
        while not self._going and not desk.happened("contact.missed", contact):
            await self._world.sleep(_SLICE_MS)
        return desk.happened("contact.missed", contact)

    async def _after(self, desk: AtDesk, call: _Call, chance: random.Random) -> None:
        wrapup_s = draw_seconds(ASSUMED.wrapup, chance) / self._pace
        await self._until_or_stop(self._world.now_ms() + 1000 * min(wrapup_s, 45))
        if desk.happened("contact.typified", call.contact):
            await desk.done(call.contact)
        else:
            await desk.typify_after(call.contact, self._code(call, chance), self._gap(chance))

    async def _pause(self, desk: AtDesk, chance: random.Random) -> None:
        await desk.pause(ASSUMED.draw_reason(chance), self._gap(chance))
        pause_s = draw_seconds(ASSUMED.pause, chance) / self._pace
        await self._until_or_stop(self._world.now_ms() + 1000 * pause_s)
        await desk.get_ready()

    def _code(self, call: _Call, chance: random.Random) -> str:
        return chance.choice(people.LIMA_CODES.get(call.type, people.leaves(people.LIMA_TREE)))

    def _gap(self, chance: random.Random) -> Callable[[], float]:
        return lambda: 1000 * draw_seconds(ASSUMED.between_keys, chance)

    async def _sleep(self, seconds: float) -> None:
        await self._until_or_stop(self._world.now_ms() + 1000 * seconds)

    async def _until_or_stop(self, until_ms: float) -> None:
        """In short sleeps, so that `stop` does not wait for a long talk or pause."""
        while not self._going and (left_ms := until_ms - self._world.now_ms()) > 0:
            await self._world.sleep(min(left_ms, _SLICE_MS))
