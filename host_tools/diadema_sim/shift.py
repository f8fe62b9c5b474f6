"""People who work by chance: calls arrive, agents answer, talk, typify, pause; all of one seed.

Arrivals, service and types come from a fit to real calls; the rest is assumed (`behaviour.py`).
`pace` says how many times quicker than real people they live, for runs that somebody watches.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from diadema.base.errors import DiademaError
from diadema.wire.agent_states import IN_CALL
from diadema.wire.ask_hub import HubRefuses, ask_hub

from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.behaviour import ASSUMED, BANK_1999_02, Behaviour, draw_seconds
from diadema_sim.centre import Centre
from diadema_sim.sample_assistance import Colleague
from diadema_sim.station_user import NotDelivered, PowerLost
from diadema_sim.switch_log import SwitchLog
from diadema_sim.witness import Witnessed

_HOUR_MS = 3_600_000
_SLICE_MS = 1000
_PATIENCE_S = (90.0, 0.9)  # a caller waits this long for an agent; assumed
_RING_LIMIT_S = 20  # people.site's
_LEAST_TALK_S = 1.0
_KEYING_S = 10  # in a shorter talk nothing is keyed
_STEP_S = 3  # of the talk, at least, for each step that is ticked
_SUPERVISOR = "Sra. Palta"
_LEAST_RATE = 0.5  # calls an hour and agent, where the log was closed
_CALM_MS = 10_000  # that an agent who lost the thread is given
_TRIES = 12  # … until nobody waits for that seat any more


@dataclass
class Call:
    contact: str
    type: str
    patience_until_ms: float
    entered_ms: float
    pbx: str  # the switch's own number
    caller: str
    code: str = ""  # that it will get
    intended: str | None = None  # reason of not being ready after it
    answered_ms: float | None = None
    by_caller: bool = False  # ended

    @property
    def queue(self) -> str:
        return people.QUEUES.get(self.type, self.type)


@dataclass(frozen=True)
class Switch:
    """Of a run with a switch beside its stations: what it writes, and its names of the agents."""

    log: SwitchLog
    names: Mapping[str, str]


@dataclass(frozen=True)
class Scenes:
    """What somebody who watches finds to attend to, by agent: faults that are reported as the
    shift begins, area and part; a call for help to which nobody of the script comes, and one that
    its `helper` takes. Who comes to the others is that one, too.
    """

    faults: Mapping[str, tuple[str, str]]
    waits: str
    taken: str | None
    helper: Colleague


@dataclass
class Counts:
    """What the exchange did, for whoever watches the run."""

    arrived: int = 0
    undelivered: list[str] = field(default_factory=list)


class Shift:
    """One shift of a centre's people. `run` logs them in and returns when they have gone."""

    pauses, intended = ASSUMED.pauses, ASSUMED.intended

    def __init__(
        self,
        centre: Centre,
        *,
        seed: int,
        zone: str,
        behaviour: Behaviour = BANK_1999_02,
        pace: float = 1.0,
        hour: int | None = None,
        series: str = "c",
        switch: Switch | None = None,
        scenes: Scenes | None = None,
        tell: Callable[[Agent, DiademaError], object] | None = None,
    ) -> None:
        """`hour`: arrivals of that local hour all along, else of the hour it is in `zone`.
        `series`: before the number of each contact; of another one where a run has more shifts.
        With `tell` the stations are switched on by it, and one of which nothing is heard, or an
        agent who lost the thread, is told and ends nothing.
        """
        self._switch, self._scenes, self._tell = switch, scenes, tell
        self._asking: set[str] = set()  # agents whose help is left to whoever watches
        self._series = series
        self.counts = Counts()
        self._centre = centre
        self._world = centre.world
        self._agents = centre.agents
        self._behaviour = behaviour
        self._pace = pace
        self._hour = hour
        self._zone = ZoneInfo(zone)
        self._arrivals = random.Random(f"{seed} arrivals")
        self._chance = {
            agent.desk.person.id: random.Random(f"{seed} {agent.desk.person.id}")
            for agent in centre.agents
        }
        self._free: deque[Agent] = deque()
        self._waiting: deque[Call] = deque()
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
                for agent in self._agents:
                    tasks.create_task(self._come(agent))
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
                rate = self._rate() * len(self._agents) * self._pace
                wait_ms = self._arrivals.expovariate(rate / _HOUR_MS)
                await self._world.sleep_until(min(self._world.now_ms() + wait_ms, until_ms))
                if self._world.now_ms() >= until_ms:
                    break
                number += 1
                patience_ms = 1000 * draw_seconds(_PATIENCE_S, self._arrivals) / self._pace
                kind = self._behaviour.draw_type(self._arrivals)
                now = self._world.now_ms()
                call = Call(
                    f"{self._series}{number:05}",
                    kind,
                    now + patience_ms,
                    now,
                    f"{now // 1000}.{number}",
                    f"9{10_000_000 + number * 7919 % 89_999_999}",
                )
                self.counts.arrived += 1
                self._enter(call)
        self._over.set()

    def _enter(self, call: Call) -> None:
        """The caller is in the queue."""
        self._waiting.append(call)
        if self._switch:
            self._switch.log.enters(call.entered_ms, call.pbx, call.queue, call.caller)
            self._begin_task(self._wait(call))
        self._match()

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._tasks
        self._tasks.create_task(work)

    async def _wait(self, call: Call) -> None:
        """Until the caller's patience is over."""
        with self._world.actor():
            await self._until_or_stop(call.patience_until_ms)
            if call in self._waiting:
                self._waiting.remove(call)
                self._hung_up(call)

    def _hung_up(self, call: Call) -> None:
        if self._switch:
            self._switch.log.hangs_up(self._world.now_ms(), call.pbx, call.queue)

    def _rate(self) -> float:
        hour = self._hour
        if hour is None:
            now = datetime.fromtimestamp(self._world.now_ms() / 1000, UTC)
            hour = now.astimezone(self._zone).hour
        return max(self._behaviour.arrivals[hour], _LEAST_RATE)

    def _match(self) -> None:
        """The caller who waits longest goes to the agent who has been free longest."""
        while self._waiting and self._waiting[0].patience_until_ms < self._world.now_ms():
            self._hung_up(self._waiting.popleft())
        while self._waiting and self._free:
            agent, call = self._free.popleft(), self._waiting.popleft()
            self._begin_task(self._serve(agent, call))

    def _set_free(self, agent: Agent) -> None:
        if self._going:
            self._begin_task(self._leave(agent))
        else:
            self._free.append(agent)
            self._match()

    # --- the agents ---------------------------------------------------------------------------

    async def _come(self, agent: Agent) -> None:
        with self._world.actor():
            try:
                if self._tell:
                    await agent.switch_on()
                await self._begin(agent)
            except DiademaError as error:
                if not await self._recover(agent, error):
                    return
            self._set_free(agent)

    async def _begin(self, agent: Agent) -> None:
        chance = self._chance[agent.desk.person.id]
        await self._sleep(chance.uniform(0, 4))
        # who lives so quickly has less time for it
        tests = chance.random() < ASSUMED.tests_station / self._pace
        await agent.log_in(tests=tests, gap_ms=self._gap(chance))
        who = agent.desk.person.id
        if self._scenes and who in self._scenes.faults:
            await agent.report_fault(*self._scenes.faults[who])
        await agent.get_ready()

    async def _leave(self, agent: Agent) -> None:
        with self._world.actor():
            try:
                if agent.presence == "logged_out":
                    await agent.log_in()
                await agent.go_home()
            except DiademaError as error:
                if not self._tell:
                    raise
                self._tell(agent, error)

    async def _recover(self, agent: Agent, error: DiademaError) -> bool:
        """Bring an agent who lost the thread back to where calls are taken. Raises `error` in a
        run in which that may not be; False when it cannot be done.
        """
        if not self._tell:
            raise error
        self._tell(agent, error)
        for _ in range(_TRIES):
            await self._sleep(_CALM_MS / 1000)
            if self._going:
                return False
            try:
                if not agent.station.powered:
                    await agent.switch_on()
                work, contact = agent.work
                if contact and work in IN_CALL:
                    await agent.hang_up(contact)
                if work == "idle":  # a ring and a wrap-up end by themselves
                    await self._back(agent)
                    return True
            except DiademaError as again:
                error = again
        self._tell(agent, error)
        return False

    async def _serve(self, agent: Agent, call: Call) -> None:
        with self._world.actor():
            try:
                await self._serve_whole(agent, call)
            except DiademaError as error:
                if not await self._recover(agent, error):
                    return
            self._set_free(agent)

    async def _serve_whole(self, agent: Agent, call: Call) -> None:
        chance = self._chance[agent.desk.person.id]
        try:
            if await self._connect(agent, call, chance):
                await self._after(agent, call, chance)
                if not self._going and chance.random() < self.pauses:
                    await self._pause(agent, chance)
        except NotDelivered as error:
            self.counts.undelivered.append(str(error))
        except PowerLost:
            await agent.switch_on()
            if agent.work == ("wrapup", call.contact):
                await self._after(agent, call, chance)
        if not self._going:
            await self._back(agent)

    async def _connect(self, agent: Agent, call: Call, chance: random.Random) -> bool:
        """`_take`, and what the switch writes of it, however it ends."""
        rang_ms = self._world.now_ms()
        try:
            return await self._take(agent, call, chance)
        finally:
            self._note(agent, call, rang_ms)

    def _note(self, agent: Agent, call: Call, rang_ms: float) -> None:
        if self._switch is None:
            return
        now, log = self._world.now_ms(), self._switch.log
        name = self._switch.names[agent.desk.person.id]
        if call.answered_ms is None:  # the caller waits on, before all others
            log.rings_out(now, call.pbx, call.queue, name, int(now - rang_ms))
            call.contact += "r"
            self._waiting.appendleft(call)
            return
        waited = int(call.answered_ms // 1000 - call.entered_ms // 1000)
        talked = int((now - call.answered_ms) / 1000)
        log.completes(now, call.pbx, call.queue, name, waited, talked, call.by_caller)

    async def _back(self, agent: Agent) -> None:
        """Ready again, whatever the agent was before."""
        if agent.presence == "logged_out":
            await agent.log_in()
        if agent.presence == "not_ready":
            await agent.get_ready()

    async def _take(self, agent: Agent, call: Call, chance: random.Random) -> bool:
        """From the ring to the end of the talk; False when nobody answered."""
        call.code = self._code(call, chance)
        rang_ms = self._world.now_ms()
        await agent.ring(call.contact, queue=call.queue, pbx=call.pbx if self._switch else None)
        if await self._leave_it(agent, call, chance):
            return False
        answered = await agent.answer(call.contact)
        call.answered_ms = answered.at_ms
        if self._switch:
            waited_s = int(answered.at_ms // 1000 - call.entered_ms // 1000)
            self._switch.log.connects(
                answered.at_ms,
                call.pbx,
                call.queue,
                self._switch.names[agent.desk.person.id],
                waited_s,
                int((answered.at_ms - rang_ms) / 1000),
            )
        await self._converse(agent, call, chance, answered.at_ms)
        return True

    async def _leave_it(self, agent: Agent, call: Call, chance: random.Random) -> bool:
        """What an agent does while it rings; True when that was nothing until its end."""
        if chance.random() < ASSUMED.missed and await self._let_it_ring(agent, call.contact):
            return True
        await self._sleep(min(draw_seconds(ASSUMED.ring, chance), _RING_LIMIT_S / 2))
        return False

    async def _converse(
        self, agent: Agent, call: Call, chance: random.Random, answered_ms: float
    ) -> None:
        """From the answer to the end of the talk."""
        talk_s = self._behaviour.service[call.type].draw(chance) / self._pace
        talk_s = max(talk_s, _LEAST_TALK_S)
        if talk_s > _KEYING_S and await self._talk(agent, call, chance, talk_s):
            return
        await self._until_or_stop(answered_ms + 1000 * talk_s)
        call.by_caller = chance.random() < ASSUMED.caller_hangs_up
        if call.by_caller:
            await self._caller_hangs_up(agent, call)
        else:
            await agent.hang_up(call.contact)

    async def _caller_hangs_up(self, agent: Agent, call: Call) -> None:
        await agent.caller_hangs_up(call.contact)

    async def _talk(self, agent: Agent, call: Call, chance: random.Random, talk_s: float) -> bool:
        """What the agent does while they talk; True when the call went over to another area."""
        contact, gap = call.contact, self._gap(chance)
        if chance.random() < ASSUMED.follows_protocol:
            await self._follow_protocol(agent, contact, chance, talk_s)
        if chance.random() < ASSUMED.motive_first:
            await agent.motive(contact, people.motive_of(agent.site["tree"], call.code), gap)
        who = agent.desk.person.id
        scenes = self._scenes
        if scenes and who in (scenes.waits, scenes.taken) and who not in self._asking:
            self._asking.add(who)
            request = await agent.request_help("sistema", gap)
            if who == scenes.taken:
                await self._sleep(draw_seconds(ASSUMED.help, chance) / self._pace)
                await self._answer_help(agent, request, "accepted")
        elif chance.random() < ASSUMED.helped and who not in self._asking:
            await self._get_help(agent, chance)
        if chance.random() < ASSUMED.typified_in_call:
            await self._sleep(talk_s * chance.uniform(0, 0.2))
            await agent.typify_in_call(contact, call.code, gap)
        if chance.random() < ASSUMED.held:
            await self._sleep(chance.uniform(0, talk_s / 4))
            await agent.hold(contact)
            await self._sleep(draw_seconds(ASSUMED.hold, chance) / self._pace)
            await agent.resume(contact)
        if chance.random() < ASSUMED.muted:
            await agent.mute(contact)
            await self._sleep(chance.uniform(0.2, 1) * talk_s / 4)
            await agent.unmute(contact)
        if chance.random() < self.intended:
            call.intended = ASSUMED.draw_reason(chance)
            await agent.intend(contact, call.intended)
        return chance.random() < ASSUMED.transferred and await self._hand_over(
            agent, contact, chance
        )

    async def _follow_protocol(
        self, agent: Agent, contact: str, chance: random.Random, talk_s: float
    ) -> None:
        methods = [method["code"] for method in agent.site["identity_methods"]]
        left = chance.randint(1, agent.steps_left(contact))
        for _ in range(min(left, int(talk_s / 2 / _STEP_S))):
            await self._sleep(talk_s / 2 / left * chance.uniform(0.3, 1))
            await agent.step(contact, chance.choice(methods), self._gap(chance))

    async def _get_help(self, agent: Agent, chance: random.Random) -> None:
        topic = chance.choice(agent.site["help_topics"])["code"]
        left_out = chance.random() < ASSUMED.topic_left_out
        request = await agent.request_help(None if left_out else topic, self._gap(chance))
        for state in ("accepted", "resolved"):
            await self._sleep(draw_seconds(ASSUMED.help, chance) / self._pace)
            await self._answer_help(agent, request, state)

    async def _answer_help(self, agent: Agent, request: Witnessed, state: str) -> None:
        """Where somebody watches, by an account of theirs, unless they came first themselves."""
        if self._scenes is None:
            await agent.help_comes(request, state, _SUPERVISOR)
            return
        of = [agent.station.id, request.epoch, request.sequence]
        act = {"action": "help", "state": state, "of": of, **self._scenes.helper.signed}
        with suppress(HubRefuses):
            await ask_hub(self._centre.data, "hub.act", act)

    async def _hand_over(self, agent: Agent, contact: str, chance: random.Random) -> bool:
        """False when the caller stays with the agent."""
        area = chance.choice(agent.site["areas"])
        await agent.transfer(contact, area["code"], self._gap(chance))
        if not area["consulted"]:
            return True
        await self._sleep(draw_seconds(ASSUMED.consult, chance) / self._pace)
        outcome = chance.random()
        if outcome < ASSUMED.after_consult:
            await agent.join(contact)
            return True
        if outcome < ASSUMED.after_consult + ASSUMED.conference:
            await agent.confer(contact)
        else:
            await agent.come_back(contact)
        return False

    async def _let_it_ring(self, agent: Agent, contact: str) -> bool:
        """Away from the agent until the ring ends; False when the shift ended first."""
        while not self._going and not agent.happened("contact.missed", contact):
            await self._world.sleep(_SLICE_MS)
        return agent.happened("contact.missed", contact)

    async def _after(self, agent: Agent, call: Call, chance: random.Random) -> None:
        since = agent.seen
        wrapup_s = draw_seconds(ASSUMED.wrapup, chance) / self._pace
        await self._until_or_stop(self._world.now_ms() + 1000 * min(wrapup_s, 45))
        if agent.happened("contact.typified", call.contact):
            await agent.done(call.contact)
        else:
            await agent.typify_after(call.contact, call.code, self._gap(chance))
        if call.intended:
            await agent.expect(
                "presence.changed", since, to="not_ready", reason=call.intended, by="agent"
            )
            await self._rest(agent, chance)

    async def _pause(self, agent: Agent, chance: random.Random) -> None:
        reason = ASSUMED.draw_reason(chance)
        if reason == "refrigerio" and chance.random() < ASSUMED.closes_session:
            await agent.log_out()
        else:
            await agent.pause(reason, self._gap(chance))
        await self._rest(agent, chance)

    async def _rest(self, agent: Agent, chance: random.Random) -> None:
        pause_s = draw_seconds(ASSUMED.pause, chance) / self._pace
        await self._until_or_stop(self._world.now_ms() + 1000 * pause_s)
        await self._back(agent)

    def _code(self, call: Call, chance: random.Random) -> str:
        return chance.choice(people.LIMA_CODES.get(call.type, people.leaves(people.LIMA_TREE)))

    def _gap(self, chance: random.Random) -> Callable[[], float]:
        return lambda: 1000 * draw_seconds(ASSUMED.between_keys, chance)

    async def _sleep(self, seconds: float) -> None:
        await self._until_or_stop(self._world.now_ms() + 1000 * seconds)

    async def _until_or_stop(self, until_ms: float) -> None:
        """In short sleeps, so that `stop` does not wait for a long talk or pause."""
        while not self._going and (left_ms := until_ms - self._world.now_ms()) > 0:
            await self._world.sleep(min(left_ms, _SLICE_MS))
