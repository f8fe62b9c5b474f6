"""Three days without any link, as fast as the work allows, then the cable is back.

Once with 80 contacts in a ten-hour shift a day, all of which the journal must hold, and once with
three times as many, where it fills: then events of low value stop, new calls are refused and the
agent sees so, while what is running still ends and nothing unacknowledged is overwritten.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from typing import Any

from diadema_sim import menu_keys, people
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre
from diadema_sim.station import JOURNAL_BYTES
from diadema_sim.torture.live_centre import (
    AckWatch,
    calm,
    drain,
    judge,
    open_live_centre,
)
from diadema_sim.torture.runner import Outcome, Plan

NAME = "offline"
_CONTACTS = 80  # a shift
_DAYS = 3
_SHIFT_MS = 36_000_000
_DAY_MS = 86_400_000
_SECTOR = 4096
_SECTORS = JOURNAL_BYTES // _SECTOR
_LEAST_SECTORS = 8
_RESERVED = 2  # sectors, about, that take no new calls, however large the journal is
_NOTICE_MS = 4000  # longer than the station shows a notice
_KEYED_MS = 300  # by then what a key means is journaled


async def run(plan: Plan) -> Outcome:
    """`plan.only` is the load: 1 or 3. A smaller share has fewer contacts in fewer hours on a
    smaller journal, all in proportion, so that it fills as the whole one does.
    """
    outcome = Outcome(NAME)
    sectors = max(_LEAST_SECTORS, round(_SECTORS * plan.share))
    contacts = round(_CONTACTS * (sectors - _RESERVED) / (_SECTORS - _RESERVED))
    for load in (1, 3):
        if plan.only not in (None, str(load)):
            continue
        # after a night without power nobody knows the time, and a campaign's hours would forbid
        async with open_live_centre(1, sectors * _SECTOR, outbound=False) as centre:
            chance = random.Random(f"{plan.seed} {NAME} {load}")
            worker = _Worker(centre, chance, min(sectors / _SECTORS, 1.0))
            await _three_days(centre, worker, load, contacts * load, outcome)
    return outcome


async def _three_days(
    centre: Centre, worker: "_Worker", load: int, contacts: int, outcome: Outcome
) -> None:
    """`contacts`: of a shift."""
    agent = centre.agents[0]
    agent.station.cable.pull()
    before = agent.seen

    async def work() -> None:
        with centre.world.actor():
            for day in range(_DAYS):
                await worker.shift(contacts, day)

    with centre.world.hold("the link is gone"):
        centre.world.timeline.set_speed(0)
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    await task
    centre.world.timeline.set_speed(1.0)
    journaled = agent.seen - before
    outcome.add(f"contacts_at_load_{load}", worker.contacts)
    outcome.add(f"refused_at_load_{load}", worker.refused)
    only = str(load)
    if load == 1 and worker.refused:
        outcome.fail(only, f"{worker.refused} calls of {worker.contacts} were refused")
    if load == 3:
        for wrong in worker.judge_full():
            outcome.fail(only, wrong)
    acks = AckWatch(centre)
    began = time.monotonic()
    await calm(centre)
    await drain(centre)
    outcome.add(f"drained_a_second_at_load_{load}", int(journaled / (time.monotonic() - began)))
    if load == 3:
        for wrong in await worker.judge_after():
            outcome.fail(only, wrong)
        await drain(centre)
    acks.close(outcome, only)
    judge(centre, outcome, only)


class _Worker:
    """One agent who dials, talks, types and goes home, and notices when a call is refused.
    `share`: of the length of a day.
    """

    def __init__(self, centre: Centre, chance: random.Random, share: float) -> None:
        self._day_ms = _DAY_MS * share
        self._shift_ms = _SHIFT_MS * share
        self.contacts = 0
        self.refused = 0
        self.notices_shown = 0  # refusals that the screen showed
        self._world = centre.world
        self._agent: Agent = centre.agents[0]
        self._chance = chance
        self._start_ms = self._world.now_ms()

    def _events(self) -> list[dict[str, Any]]:
        return [seen.event for seen in self._world.witness.events(self._agent.desk.station)]

    async def shift(self, contacts: int, day: int) -> None:
        """Ten hours, then the night without power until the next shift."""
        await self._world.sleep_until(self._start_ms + day * self._day_ms)
        if not self._agent.station.powered:
            await self._agent.station.power_on()
            await self._world.sleep(5000)
        await self._log_in()
        for number in range(contacts if self._agent.presence == "ready" else 0):
            due_ms = day * self._day_ms + self._shift_ms * (number + 0.5) / contacts
            await self._world.sleep_until(self._start_ms + due_ms)
            await self._contact(self._shift_ms / contacts)
        if self._agent.presence != "logged_out":
            await self._agent.station.tap(self._agent.desk.person.badge)
            await self._world.sleep(_KEYED_MS)
            await self._keys(menu_keys.LEAVE)
        if self._chance.random() < 0.7:
            await self._agent.station.power_cut()

    async def _log_in(self) -> None:
        before = await self._agent.station.screen()
        await self._agent.station.tap(self._agent.desk.person.badge)
        await self._world.sleep(_KEYED_MS)
        if self._agent.presence == "not_ready":
            await self._keys(menu_keys.READY)
        if self._agent.presence != "ready":
            await self._refusal(before)

    async def _refusal(self, before: bytes) -> None:
        """The station did not do it, and should say so on the screen for a few seconds."""
        self.refused += 1
        self.notices_shown += await self._agent.station.screen() != before
        await self._world.sleep(_NOTICE_MS)

    async def _keys(self, *keys: int) -> None:
        for key in keys:
            await self._agent.station.press(key)
            await self._world.sleep(_KEYED_MS)

    async def _contact(self, most_ms: float) -> None:
        """Dial, talk for a while, hold sometimes, hang up, typify."""
        chance, since = self._chance, self._agent.seen
        idle = await self._agent.station.screen()
        self.contacts += 1
        await self._keys(menu_keys.DIAL)
        if not any(event["k"] == "contact.dialed" for event in self._events()[since:]):
            await self._refusal(idle)
            return
        await self._keys(3)
        await self._world.sleep(chance.uniform(0.1, 0.3) * most_ms)
        if chance.random() < 0.3:
            await self._keys(menu_keys.HOLD)
            await self._world.sleep(chance.uniform(0.02, 0.1) * most_ms)
            await self._keys(menu_keys.HOLD)
        await self._keys(menu_keys.HANG_UP)
        await self._world.sleep(chance.uniform(1000, 20_000))
        code = chance.choice(people.leaves(people.LIMA_TREE))
        recent = self._agent.history.recent_codes()
        await self._keys(*menu_keys.code_keys(people.LIMA_TREE, code, recent))

    def judge_full(self) -> list[str]:
        """What is not as it should be in a journal that filled."""
        wrong = []
        events = self._events()
        full = [
            at
            for at, event in enumerate(events)
            if event["k"] == "station.fault" and event.get("code") == "full"
        ]
        health = [at for at, event in enumerate(events) if event["k"] == "station.health"]
        if not self.refused or not full:
            wrong.append(f"the journal did not fill: {self.refused} refused, {len(full)} faults")
            return wrong
        if health and health[-1] > full[0]:
            wrong.append("events of low value went on in a full journal")
        if self.notices_shown != self.refused:
            wrong.append(f"the screen told {self.notices_shown} of {self.refused} refusals")
        kinds = Counter(event["k"] for event in events)
        if kinds["contact.dialed"] != kinds["contact.ended"]:
            wrong.append("a call that was running did not end")
        if any(event["k"] == "contact.dialed" for event in events[full[0] :]):
            wrong.append("a call was begun in a full journal")
        return wrong

    async def judge_after(self) -> list[str]:
        """The link is back and all is stored: calls are taken again."""
        agent, since = self._agent, self._agent.seen
        await agent.switch_on()  # takes note of the restarts of three nights
        if agent.presence == "logged_out":
            await agent.log_in()
        if agent.presence == "not_ready":
            await agent.get_ready()
        await agent.keys([menu_keys.DIAL])
        with contextlib.suppress(TimeoutError):
            await agent.expect("contact.dialed", since)
            return []
        return ["after the drain a call is still refused"]
