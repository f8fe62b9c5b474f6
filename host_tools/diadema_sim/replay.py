"""`diadema replay`: one day of a real call log, worked again by simulated stations with the real
firmware; then the store's figures beside the same ones counted straight from the file.

Each agent of the log has a station: badge in before the first call, every call offered, answered
and hung up at its recorded seconds, typified from its recorded type, badge out at the end.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from diadema import metrics
from diadema.base.errors import DiademaError
from diadema.cli.speech import say as speak
from diadema.store import Contact
from diadema.words import Sentence
from rich.console import Console
from rich.table import Table

from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.bank_log import BankDay, Call
from diadema_sim.centre import Centre, open_centre
from diadema_sim.link_switching import Absence, LinkSwitcher, plan
from diadema_sim.people import BANK_CODES, BANK_OTHER, QUEUES
from diadema_sim.station_user import NoResponse, NotDelivered, PowerLost
from diadema_sim.timeline import HOLD_LIMIT_S

if TYPE_CHECKING:
    from diadema_sim.switched_workday import OwnQueues

SITE = "Anonymous Bank"
_SHOWN = 10  # rows of a list that is printed to be read
_COME_S = 60.0  # an agent logs in this long before the first call
_LEAD_S = 180.0  # the run begins this long before that: stations get configuration and time
_GO_S = 5.0  # and logs out this long after the last one
BY_COMMAND_S = 2  # a shorter talk is ended by the caller: no hand is that quick
_AFTER_S = 4  # with this much until the next call the agent typifies in the wrap-up,
_DURING_S = 3  # else in a talk of at least this much
_LATER_S = 8  # and with this much the one that still waits for its code
_MIDNIGHT = time(0)
_TRIES = 10
_QUEUE_LIMIT = 64


@dataclass
class Deviations:
    """What did not go as recorded; these contacts are left out of the comparison."""

    undelivered: list[dict[str, Any]] = field(default_factory=list)
    interrupted: list[dict[str, Any]] = field(default_factory=list)

    def left_out(self) -> set[int]:
        return {row["line"] for row in (*self.undelivered, *self.interrupted)}


def utc_ms(day: BankDay, seconds: float, zone: ZoneInfo) -> int:
    """Seconds since the day's local midnight, as the wall clock shows them, in UTC ms."""
    wall = datetime.combine(day.day, _MIDNIGHT) + timedelta(seconds=seconds)
    return int(wall.replace(tzinfo=zone).astimezone(UTC).timestamp() * 1000)


def start_utc_ms(day: BankDay, zone: ZoneInfo) -> int:
    """When the run must begin, so that all stations are ready before the first call."""
    first = min((calls[0].start_s for calls in day.calls.values()), default=0)
    return utc_ms(day, first, zone) - int(1000 * (_COME_S + _LEAD_S))


class Workday:
    """Drives `centre`, whose desks are those of the day's agents in their sorted order."""

    def __init__(
        self,
        centre: Centre,
        day: BankDay,
        zone: ZoneInfo,
        progress: Callable[[], None],
        limit_s: float = HOLD_LIMIT_S,
    ) -> None:
        """`progress` is called after each call; `limit_s` of real time for each command."""
        self.deviations = Deviations()
        self._centre = centre
        self._world = centre.world
        self._day = day
        self._zone = zone
        self._progress = progress
        self._limit_s = limit_s
        self._slowed = 0
        self._codes: dict[str, str] = {}  # that each contact gets

    async def run(self, others: Iterable[Coroutine[Any, Any, None]] = ()) -> None:
        """The whole day, as fast as the work allows, and what `others` do in it.

        The stations must be on.
        """
        async with self._centre.paced(), asyncio.TaskGroup() as tasks:
            with self._world.hold("the day begins"):
                self._world.timeline.set_speed(0)
                for agent in self._centre.agents:
                    tasks.create_task(self._work(agent, self._day.calls[agent.desk.person.name]))
                for other in others:
                    tasks.create_task(other)
                await asyncio.sleep(0)  # they act from here on, so that the clock minds them

    def talks_ms(self, agent: Agent) -> list[tuple[int, int]]:
        """When that agent talks this day, as the log has it: UTC from, to."""
        calls = self._day.calls[agent.desk.person.name]
        at = partial(utc_ms, self._day, zone=self._zone)
        return [(at(call.start_s), at(call.end_s)) for call in calls]

    async def _work(self, agent: Agent, calls: list[Call]) -> None:
        with self._world.actor():
            await self._sleep_until(calls[0].start_s - _COME_S)
            await self._surely(agent, agent.log_in, "logged_out")
            await self._surely(agent, agent.get_ready, "not_ready")
            for call, following in pairwise([*calls, None]):
                assert call
                await self._sleep_until(call.start_s)
                self._centre.processes.check()
                await self._whole(agent, call, following.start_s if following else None)
                self._progress()
            await self._world.sleep(1000 * _GO_S)
            await self._surely(agent, agent.go_home, "ready", "not_ready")

    async def _sleep_until(self, seconds: float) -> None:
        await self._world.sleep_until(utc_ms(self._day, seconds, self._zone))

    async def _surely(
        self, agent: Agent, gesture: Callable[[], Awaitable[None]], *presences: str
    ) -> None:
        """A gesture that one of these presences asks for, whatever the power does."""
        for _ in range(_TRIES):
            try:
                if not agent.station.powered:
                    await self._repower(agent)
                if agent.presence in presences:
                    await gesture()
                return
            except PowerLost:
                await self._repower(agent)
            except NoResponse:
                if agent.work[0] != "offered":
                    raise
                await self._make_way(agent)
        raise DiademaError(Sentence("errors.sim.seat_loses_its_power_again", seat=agent.desk.seat))

    async def _whole(self, agent: Agent, call: Call, next_s: int | None) -> None:
        """One call from ring to tipificación, or its place in the lists of what went wrong."""
        contact = self.contact_of(call)
        row = {"line": call.line, "call_id": call.call_id}
        for _ in range(_TRIES):
            try:
                if not agent.station.powered:
                    await self._repower(agent)
                await self._make_way(agent)
                await self._call(agent, call, next_s)
            except NotDelivered as error:
                self.deviations.undelivered.append({**row, "why": str(error)})
            except PowerLost:
                await self._repower(agent)
                if not agent.happened("contact.offered", contact):
                    continue  # cut between contacts: the call is still to come
                if not agent.happened("contact.ended", contact, by=("agent", "caller")):
                    self.deviations.interrupted.append(row)
            return
        self.deviations.undelivered.append({**row, "why": "the station lost its power each time"})

    async def _make_way(self, agent: Agent) -> None:
        """Clear what an earlier undelivered call may have left behind."""
        work, contact = agent.work
        if work == "offered" and contact:
            with suppress(NotDelivered):  # it may end by itself meanwhile
                await agent.withdraw(contact, limit_s=self._limit_s)
        if agent.presence == "not_ready" and agent.work[0] == "idle":
            await agent.get_ready()

    async def _call(self, agent: Agent, call: Call, next_s: int | None) -> None:
        contact = self.contact_of(call)
        code = self._codes[contact] = self.code_of(call)
        queue = QUEUES.get(call.type, call.type)[:_QUEUE_LIMIT]
        await agent.ring(contact, queue=queue, limit_s=self._limit_s)
        pressed_ms = self._world.now_ms()
        answered = await agent.answer(contact)
        when = typify_when(call, next_s)
        if when == "during":
            await agent.typify_in_call(contact, code)
        if call.talk_s < BY_COMMAND_S:
            await self._world.sleep_until(answered.at_ms + 1000 * call.talk_s)
            try:
                await agent.caller_hangs_up(contact, limit_s=self._limit_s)
            except NotDelivered:
                await agent.hang_up(contact)
        else:
            # the same key as long after the first press as the talk lasted
            await self._world.sleep_until(pressed_ms + 1000 * call.talk_s)
            await agent.hang_up(contact)
        try:
            if when == "after":
                await agent.typify_after(contact, code)
            elif when == "during" and _gap_s(call, next_s) >= _AFTER_S:
                await agent.done(contact)
            waiting = agent.history.uncoded_contacts()
            if waiting and agent.work[0] == "idle" and _gap_s(call, next_s) >= _LATER_S:
                await agent.typify_later(waiting[0], self._codes[waiting[0]])
        except NoResponse:
            if agent.work[1] == contact:
                raise
            # a ring that was given up long ago came through after all, and ended the wrap-up

    async def _repower(self, agent: Agent) -> None:
        """In real time: a station that boots is sent the time, which must not run on meanwhile."""
        self._slowed += 1
        self._world.timeline.set_speed(1.0)
        try:
            await agent.switch_on()
        finally:
            self._slowed -= 1
            if not self._slowed:
                self._world.timeline.set_speed(0)

    def contact_of(self, call: Call) -> str:
        """A contact is known by its row, because call ids repeat."""
        return f"{self._day.day:%y%m%d}-{call.line}"

    def code_of(self, call: Call) -> str:
        return BANK_CODES.get(call.type, BANK_OTHER)

    def line_of(self, contact: str) -> int:
        return line_of(contact)


def line_of(contact: str) -> int:
    """The row of the log that a contact of `contact_of` was."""
    return int(contact.rpartition("-")[2])


def typify_when(call: Call, next_s: int | None) -> str | None:
    """During the talk, after it, or not at all when neither leaves time for the keys."""
    if _gap_s(call, next_s) >= _AFTER_S and call.line % 2:
        return "after"
    if call.talk_s >= _DURING_S:
        return "during"
    return "after" if _gap_s(call, next_s) >= _AFTER_S else None


def _gap_s(call: Call, next_s: int | None) -> float:
    return float("inf") if next_s is None else next_s - call.end_s


@dataclass(frozen=True)
class ReplayOptions:
    """`zone`: whose local times the log has. `data` None: a new directory, removed at the end.

    `command_limit_s`: real time that a command may take before its contact is given up.
    `link_rounds`: how often each station goes over to Wi-Fi and back, when `seed` says.
    `switch`: the calls come by an exchange that is played.
    """

    day: BankDay
    zone: ZoneInfo
    data: Path | None = None
    web_port: int = 0
    command_limit_s: float = HOLD_LIMIT_S
    link_rounds: int = 0
    seed: int = 1
    switch: bool = False


class Watcher:
    """Progress of a run; the methods do nothing, and are made to be overridden."""

    def stage(self, text: str) -> None:
        """The run goes on to this."""

    def call_done(self) -> None:
        """One more call of the log is over."""

    async def begun(self, centre: Centre, workday: Workday) -> None:
        """Everything is up, and the day begins as soon as this returns."""


async def run_replay(options: ReplayOptions, watcher: Watcher) -> dict[str, Any]:
    """The whole run and what came of it. Raises DiademaError when it cannot be run."""
    day = options.day
    desks = people.bank_desks(sorted(day.calls))
    if not desks:
        raise DiademaError(Sentence("errors.sim.no_agent_served_call_on", day=day.day))
    watcher.stage(speak("sim.starting"))
    start_ms = start_utc_ms(day, options.zone)
    switch: OwnQueues | None = None
    if options.switch:
        from diadema_sim import switched_workday  # only where one is wanted

        switch = switched_workday.OwnQueues(desks)
    prepare = partial(switch.set_up, desks=desks, at_ms=start_ms) if switch else None

    async with (
        switch.running(start_ms) if switch else nullcontext(),
        open_centre(
            desks,
            name=SITE,
            zone=str(options.zone),
            tree=people.BANK_TREE,
            start_utc_ms=start_ms,
            data=options.data,
            web_port=options.web_port,
            wifi=options.link_rounds > 0,
            prepare=prepare,
        ) as centre,
    ):
        await centre.switch_on()
        watcher.stage(speak("sim.floor", url=f"{centre.web}/"))
        make = switch.workday if switch else Workday
        workday = make(centre, day, options.zone, watcher.call_done, options.command_limit_s)
        switcher = LinkSwitcher(centre, _plans(centre, workday, options))
        await watcher.begun(centre, workday)
        try:
            await workday.run(switcher.acts())
        finally:
            if switch:
                switch.exchange.end_calls()
        watcher.stage(speak("sim.drains"))
        await centre.drain()
        summary = _summary(centre, day, workday)
        summary |= switcher.summary() if options.link_rounds else {}
        return summary | (await switch.summary(centre) if switch else {})


def _plans(centre: Centre, workday: Workday, options: ReplayOptions) -> dict[str, list[Absence]]:
    """When each station leaves its cable."""
    return {
        agent.station.id: plan(
            workday.talks_ms(agent),
            options.link_rounds,
            random.Random(f"{options.seed} {agent.desk.seat}"),
        )
        for agent in centre.agents
    }


def _summary(centre: Centre, day: BankDay, workday: Workday) -> dict[str, Any]:
    names = {agent.desk.person.id: agent.desk.person.name for agent in centre.agents}
    contacts = centre.contacts()
    found = centre.compare()
    return {
        **figures(day, contacts, names, workday.deviations.left_out(), workday.line_of),
        "impossible": [
            {"line": row.line, "call_id": row.call_id, "why": row.why} for row in day.impossible
        ],
        "hang": day.hang,
        "phantom": day.phantom,
        "undelivered": workday.deviations.undelivered,
        "interrupted": workday.deviations.interrupted,
        "typified": sum(contact.how in ("agent", "favourite") for contact in contacts),
        "events_journaled": found.journaled,
        "events_stored": found.stored,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "waited_in_vain": centre.world.timeline.overdue,
    }


def figures(
    day: BankDay,
    contacts: list[Contact],
    names: dict[str, str],
    left_out: set[int],
    line_of: Callable[[str], int] = line_of,
) -> dict[str, Any]:
    """`agents` and `total`: what the store says beside the file, contacts left out of both.

    `names`: the log's name of each agent id; `line_of` a contact's id.
    """
    stored: dict[str, list[int]] = {name: [] for name in day.calls}
    for contact in contacts:
        line = line_of(contact.contact)
        if contact.outcome == "answered" and line not in left_out:
            stored[names[contact.agent]].append(metrics.talk_s(contact))
    agents = []
    for name, calls in day.calls.items():
        talks = [call.talk_s for call in calls if call.line not in left_out]
        agents.append(
            {
                "agent": name,
                "contacts": len(stored[name]),
                "talk_s": sum(stored[name]),
                "file_contacts": len(talks),
                "file_talk_s": sum(talks),
            }
        )
    keys = ("contacts", "talk_s", "file_contacts", "file_talk_s")
    return {"agents": agents, "total": {key: sum(row[key] for row in agents) for key in keys}}


def agree(figures: dict[str, Any]) -> bool:
    """Whether store and file say the same of every agent."""
    return all(
        row["contacts"] == row["file_contacts"] and row["talk_s"] == row["file_talk_s"]
        for row in figures["agents"]
    )


def print_replay(console: Console, summary: dict[str, Any]) -> None:
    table = Table(*speak("replay.columns").split(", "))
    for row in (*summary["agents"], {"agent": speak("replay.total"), **summary["total"]}):
        same = row["contacts"] == row["file_contacts"] and row["talk_s"] == row["file_talk_s"]
        cells = (row["contacts"], row["file_contacts"], row["talk_s"], row["file_talk_s"])
        table.add_row(row["agent"], *map(str, cells), style="" if same else "bold red")
    console.print(table)
    for name in ("impossible", "undelivered", "interrupted"):
        rows = summary[name]
        console.print(speak(f"replay.{name}", count=len(rows)))
        for row in rows[:_SHOWN]:
            values = {"line": row["line"], "call": row["call_id"], "why": row.get("why", "")}
            console.print(f"  {speak('replay.call', **values)}")
        if len(rows) > _SHOWN:
            console.print(f"  {speak('more', count=len(rows) - _SHOWN)}")
    names = ["hang", "phantom", "typified", "events_journaled", "lost", "doubled"]
    for name in names + [one for one in ("switch_calls", "switch_different") if one in summary]:
        console.print(speak(f"replay.{name}", count=summary[name]))
