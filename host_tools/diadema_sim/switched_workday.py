"""A day of a call log by an exchange that is played, and its bridge. There each agent has an own
queue, so that a call of the log comes to whoever took it; one that comes a moment before its agent
is free waits in it.

A clock that leaps stands while the bridge, in real time, makes the exchange do what a key meant.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from diadema.base.paths import DataDir
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.wire.agent_states import IN_CALL

from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.bank_log import Call
from diadema_sim.centre import Centre
from diadema_sim.exchange.played import Caller
from diadema_sim.people import BANK_OTHER
from diadema_sim.played_switch import PlayedSwitch
from diadema_sim.replay import BY_COMMAND_S, Workday, typify_when
from diadema_sim.station_user import NoResponse, NotDelivered

_RINGS_MS = 1000
_LOOK_S = 0.02  # of real time: by the run's no second passes while somebody waits


class OwnQueues(PlayedSwitch):
    """A queue for each of the desks, called as its agent is."""

    def __init__(self, desks: Sequence[people.Desk]) -> None:
        super().__init__([desk.person.id for desk in desks], seed=0)
        for queue in self.exchange.queues.queues.values():
            queue.recheck_s = queue.retry_s = _LOOK_S

    def set_up(self, data: DataDir, desks: Sequence[people.Desk], at_ms: int) -> None:
        wanted = []
        for person in (desk.person for desk in desks):
            body = KINDS["queues"].read({"code": person.id, "name": person.name})
            wanted.append(Change(kind="queues", code=person.id, body=body))
        with open_directory(data, at_ms) as book:
            book.apply(wanted, by="simulator", reason="switch", at_ms=at_ms)
        self.describe(data, desks, {desk.person.id: [desk.person.id] for desk in desks}, at_ms)

    def workday(self, centre: Centre, *options: Any) -> "SwitchedWorkday":
        self.follow(centre)
        return SwitchedWorkday(self, centre, *options)


class SwitchedWorkday(Workday):
    def __init__(self, switch: OwnQueues, centre: Centre, *options: Any) -> None:
        """`options`: of a workday."""
        super().__init__(centre, *options)
        self.exchange = switch.exchange
        self._lines: dict[str, int] = {}

    def line_of(self, contact: str) -> int:
        """The exchange has its own numbers; 0 is of a call that nobody awaited any more."""
        return self._lines.get(contact, 0)

    async def _surely(
        self, agent: Agent, gesture: Callable[[], Awaitable[None]], *presences: str
    ) -> None:
        await super()._surely(agent, gesture, *presences)
        await self._until(lambda: self._is_free(agent) == (agent.presence == "ready"))

    def _is_free(self, agent: Agent) -> bool:
        queues = self.exchange.queues
        members = queues.queues[agent.desk.person.id].members.values()
        return any(queues.is_free(one) for one in members)

    async def _call(self, agent: Agent, call: Call, next_s: int | None) -> None:
        caller = self.exchange.call(agent.desk.person.id, "")
        try:
            await self._served(agent, call, caller, next_s)
        except NoResponse as error:
            raise NotDelivered(str(error)) from error
        finally:
            caller.hang_up()

    async def _served(self, agent: Agent, call: Call, caller: Caller, next_s: int | None) -> None:
        await self._until(lambda: self._rings(agent, caller))
        contact = str(agent.work[1])
        self._lines[contact] = call.line
        pressed_ms = self._world.now_ms()
        answered = await agent.answer(contact)
        await self._until(lambda: caller.agent or agent.happened("contact.ended", contact))
        if not caller.agent:
            raise NotDelivered("the telephone of the seat was not there")
        code = self.code_of(call)
        if typify_when(call, next_s) == "during":
            await agent.typify_in_call(contact, code)
        if call.talk_s < BY_COMMAND_S:
            await self._world.sleep_until(answered.at_ms + 1000 * call.talk_s)
            caller.hang_up()
            await self._until(lambda: agent.happened("contact.ended", contact))
        else:
            await self._world.sleep_until(pressed_ms + 1000 * call.talk_s)
            await agent.hang_up(contact)
            await self._until(lambda: not caller.there)
        await self._end_wrapup(agent, contact, code)
        await self._until(lambda: self._is_free(agent))

    async def _end_wrapup(self, agent: Agent, contact: str, code: str) -> None:
        if agent.happened("contact.typified", contact):
            await agent.done(contact)
        else:
            await agent.typify_after(contact, code)

    async def _make_way(self, agent: Agent) -> None:
        """A call that nobody awaits any more ends by its caller, who is gone, or by its agent."""
        while agent.work[0] == "offered":
            await self._world.sleep(_RINGS_MS)
        work, contact = agent.work
        if contact and work in IN_CALL:
            await agent.hang_up(contact)
        if contact and agent.work[0] == "wrapup":
            await self._end_wrapup(agent, contact, BANK_OTHER)
        await super()._make_way(agent)

    def _rings(self, agent: Agent, caller: Caller) -> bool:
        work, contact = agent.work
        return work == "offered" and agent.history.pbx(str(contact)) == caller.uniqueid

    async def _until(self, true: Callable[[], object]) -> None:
        """The clock stands meanwhile. Raises NotDelivered."""
        try:
            with self._world.hold("the exchange"):
                async with asyncio.timeout(self._limit_s):
                    # stations and exchange: no one event tells of both
                    while not true():  # noqa: ASYNC110
                        await asyncio.sleep(_LOOK_S / 4)
        except TimeoutError as error:
            raise NotDelivered("the exchange and the station did not follow each other") from error
