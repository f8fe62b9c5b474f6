"""A shift whose calls come by an exchange that is played, and its bridge: whoever calls waits in a
queue there, and a station rings because the exchange offers that call to its agent.
"""

import random
from contextlib import suppress
from typing import Any

from diadema_sim.agent import Agent
from diadema_sim.behaviour import ASSUMED, draw_seconds
from diadema_sim.centre import Centre
from diadema_sim.exchange.played import Caller, PlayedExchange
from diadema_sim.shift import Call, Shift
from diadema_sim.station_user import NoResponse

_LOOK_S = 1.0


class SwitchedShift(Shift):
    """An agent who is ready may be rung at any moment: a pause is chosen in the call before it."""

    pauses, intended = 0.0, ASSUMED.intended + ASSUMED.pauses

    def __init__(self, centre: Centre, exchange: PlayedExchange, **options: Any) -> None:
        """`options`: of a shift."""
        super().__init__(centre, **options)
        self._played = exchange
        self._callers: dict[str, Caller] = {}  # by their numbers at the exchange
        self._queueing: dict[str, Call] = {}

    def _enter(self, call: Call) -> None:
        caller = self._played.call(call.queue, call.caller)
        call.pbx = caller.uniqueid
        self._callers[call.pbx], self._queueing[call.pbx] = caller, call
        self._begin_task(self._wait(call))

    async def _wait(self, call: Call) -> None:
        with self._world.actor():
            await self._until_or_stop(call.patience_until_ms)
            if self._queueing.pop(call.pbx, None):
                self._callers.pop(call.pbx).hang_up()

    def _set_free(self, agent: Agent) -> None:
        self._begin_task(self._await_call(agent))

    async def _await_call(self, agent: Agent) -> None:
        with self._world.actor():
            while not self._going or self._queueing or agent.work[0] != "idle":
                if (call := self._offered(agent)) is not None:
                    self._begin_task(self._serve(agent, call))
                    return
                with suppress(TimeoutError):
                    await self._world.wait_event(
                        agent.desk.station,
                        lambda event: event["k"] == "contact.offered",
                        since=agent.seen,
                        timeout_s=_LOOK_S,
                        running=True,
                    )
        await self._leave(agent)

    def _offered(self, agent: Agent) -> Call | None:
        """The call that rings there, if its caller still waits."""
        work, contact = agent.work
        if work != "offered" or contact is None:
            return None
        call = self._queueing.get(agent.history.pbx(contact) or "")
        if call is not None:
            call.contact = contact
        return call

    async def _take(self, agent: Agent, call: Call, chance: random.Random) -> bool:
        contact = call.contact
        call.code = self._code(call, chance)
        if await self._leave_it(agent, call, chance) or not self._queueing.pop(call.pbx, None):
            return False
        try:
            answered = await agent.answer(contact)
        except NoResponse:
            if not agent.happened("contact.missed", contact):
                raise
            self._callers.pop(call.pbx).hang_up()
            return False
        try:
            await self._converse(agent, call, chance, answered.at_ms)
        finally:
            self._begin_task(self._end_elsewhere(call, chance))
        return True

    async def _caller_hangs_up(self, agent: Agent, call: Call) -> None:
        since = agent.seen
        self._callers[call.pbx].hang_up()
        await agent.expect("contact.ended", since, c=call.contact)

    async def _end_elsewhere(self, call: Call, chance: random.Random) -> None:
        """Whoever was handed over goes at last."""
        with self._world.actor():
            await self._sleep(draw_seconds(ASSUMED.consult, chance) / self._pace)
            self._callers.pop(call.pbx).hang_up()
