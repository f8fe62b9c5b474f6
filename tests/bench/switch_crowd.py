"""An exchange's queues with 300 agents at a real hub and bridge, a burst, and a cut between them.

A desk speaks the firmware's wire (`light_station`) and answers commands about calls as the
firmware does; its agent takes every call, and either of the two hangs up in the end. What is lost
or doubled is what the log of the exchange has beside what the store has.
"""

import asyncio
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from ssl import SSLContext
from typing import Any

import nats
from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir, Hub
from diadema.site.example import EXAMPLE
from diadema.store import Reader, open_reader

from tests.bench.centre_load import agent as agent_of
from tests.bench.centre_load import site
from tests.bench.centre_load import station as station_of
from tests.bench.crowd import Weight, running_hub, weight
from tests.support.asterisk_peer import AsteriskPeer, Caller
from tests.support.broker_fixtures import until
from tests.support.light_station import Access, LightStation, accesses
from tests.support.scripted_station import Script
from tests.support.switched_centre import (
    describe,
    is_up,
    plug_in,
    told_by_the_log,
    told_by_the_store,
    way_to,
)
from tests.support.trust import trusting

QUEUES = ("ventas", "soporte")
SWITCH = "PBX-central"
_RINGS_S, _WRAPS_S = (0.5, 2.5), (2.0, 6.0)
_GIVES_UP, _PATIENCE_S = 0.05, (0.2, 4.0)  # how many callers do, and when
_SETTLES_S = 15.0
_GONE, _PAUSED = 0.1, 10  # while the connections are cut: of the callers, and agents
_KINDS = {  # verbs of the log, and what the bridge tells
    "ENTERQUEUE": "queue.entered", "CONNECT": "queue.connected", "ABANDON": "queue.abandoned",
    "COMPLETEAGENT": "queue.left", "COMPLETECALLER": "queue.left", "BLINDTRANSFER": "queue.left",
    "EXITWITHTIMEOUT": "queue.left", "RINGNOANSWER": "queue.offered",
    "RINGCANCELED": "queue.offered",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """`talk_s`: half of it to one and a half; `up`: calls that are on when the cut comes."""

    agents: int = 300
    seconds: float = 30.0
    rate: float = 3.0
    burst_s: float = 10.0
    burst_rate: float = 20.0
    talk_s: float = 12.0
    up: int = 100

    def lasting(self, seconds: float) -> "Plan":
        """With talks as long as that many agents can have them."""
        return replace(self, seconds=seconds, talk_s=min(max(seconds / 4, self.talk_s), 60.0))


@dataclass
class Crowded:
    """`lines`: of the log, about calls. `lost`, `doubled` and `otherwise` are of the time before
    the cut; `untold`: ends of calls, which came while it lasted, that the store does not have.
    """

    plan: Plan
    percent: float = 0.0
    burst_percent: float = 0.0
    peak_mb: float = 0.0
    calls: int = 0
    answered: int = 0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    otherwise: int = 0
    rings_ms: list[float] = field(default_factory=list)
    up: int = 0
    right_s: float = 0.0
    cut_off: int = 0
    untold: int = 0
    load: float = 0.0


class Desk(LightStation):
    """`phase` of its call: offered, talking or wrapup; empty without one."""

    def __init__(self, crowd: "Crowd", access: Access, tls: SSLContext, script: Script) -> None:
        super().__init__(access, tls, script, generation=crowd.generation)
        self._crowd = crowd
        self.presence = "logged_out"
        self.phase = self.contact = self.pbx = ""
        self._faults: set[str] = set()

    @property
    def agent(self) -> str:
        found: str = self.script.agent
        return found

    def begin(self) -> None:
        self._say("session.opened", method="badge", provisional=False)
        self.become("not_ready", "login", by="system")
        self.become("ready")

    def become(self, presence: str, reason: str | None = None, by: str = "agent") -> None:
        was, self.presence = self.presence, presence
        told = {"from": was, "to": presence, "reason": reason, "by": by}
        self._say("presence.changed", **told)

    def hang_up(self) -> None:
        self._end("agent")

    def _say(self, kind: str, **fields: Any) -> None:
        script = self.script
        after = 1
        if script.offset is not None:  # else it does not know the time yet
            after = max(int(time.time() * 1000) - script.u - script.offset, 0)
        script.add(kind, after, a=self.agent, **fields)
        self.press()

    def _say_of_call(self, kind: str, **fields: Any) -> None:
        self._say(kind, c=self.contact, **fields)

    def _obey(self, frame: dict[str, Any]) -> None:
        if frame["i"] <= self._highest_i:
            return
        super()._obey(frame)
        i, command = frame["i"], frame["cmd"]
        if command == "ring":
            self._ring(frame)
        elif command == "telephone":
            self._note_fault(i, frame["state"])
        elif command in ("withdraw", "hangup", "failed"):
            ours, phase = frame["contact"] == self.contact, self.phase
            if ours and command == "withdraw" and phase == "offered":
                self._say_of_call("contact.missed", i=i, cause=frame["cause"])
                self.phase = ""
            elif ours and command == "hangup" and phase == "talking":
                self._end(frame["by"], i=i)
            elif ours and command == "failed" and phase == "talking":
                self._say_of_call("contact.ended", i=i, by="technical")
                self.phase = ""
                self.become("not_ready", "fault", by="system")
                self._later(_WRAPS_S, lambda: self.become("ready"))
            else:
                self._refuse(i, command, "wrong_state")

    def _refuse(self, i: int, command: str, reason: str) -> None:
        self.counts[f"{command} refused"] += 1
        self._say("command.refused", i=i, command=command, reason=reason)

    def _note_fault(self, i: int, state: str) -> None:
        if state == "no_switch" and "switch" not in self._faults:
            self._faults.add("switch")
            self._say("station.fault", i=i, part="switch", code="no_switch")
        elif state == "ok" and "switch" in self._faults:
            self._faults.remove("switch")
            self._say("station.fault_cleared", i=i, part="switch", code="no_switch")
        else:
            self._refuse(i, "telephone", "no_change")

    def _ring(self, frame: dict[str, Any]) -> None:
        if self.phase or self.presence != "ready":
            self._refuse(frame["i"], "ring", "busy" if self.phase else "not_ready")
            return
        self.phase, self.contact, self.pbx = "offered", frame["contact"], frame["pbx"]
        self._crowd.rang(self)
        given = {name: frame[name] for name in ("queue", "pbx", "reference") if name in frame}
        self._say_of_call("contact.offered", i=frame["i"], via="host", direction="in", **given)
        self._later(_RINGS_S, lambda: self._answer(frame["contact"]))

    def _answer(self, contact: str) -> None:
        if (self.contact, self.phase) == (contact, "offered"):
            self.phase = "talking"
            self._say_of_call("contact.answered", via="key", ring_ms=1000)
            talks_s = self._crowd.talks_s
            if talks_s is not None:
                self._later(talks_s, lambda: self._crowd.over(self, contact))

    def _end(self, by: str, **more: int) -> None:
        self._say_of_call("contact.ended", by=by, on_hold=False, **more)
        self._say_of_call("wrapup.started")
        self.phase = "wrapup"
        self._later(_WRAPS_S, self._code)

    def _code(self) -> None:
        self._say_of_call("contact.typified", code="111", version=1, how="agent")
        self._say_of_call("wrapup.ended", cause="typified")
        self.phase = ""

    def _later(self, between_s: tuple[float, float], work: Callable[[], None]) -> None:
        self._crowd.later(between_s, work)


class Crowd:
    """Desks and callers. `talks_s`: how long, from and to; None: until somebody says so."""

    def __init__(self, data: DataDir, peer: AsteriskPeer, plan: Plan) -> None:
        self.data, self.peer, self._plan = data, peer, plan
        self._chance = random.Random(29)
        self.generation = 0
        self.desks: list[Desk] = []
        self.callers: dict[str, Caller] = {}
        self.talks_s: tuple[float, float] | None = (plan.talk_s / 2, plan.talk_s * 1.5)
        self.rings_ms: list[float] = []

    def later(self, between_s: tuple[float, float], work: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(self._chance.uniform(*between_s), work)

    @asynccontextmanager
    async def at_work(self, hub: Hub) -> AsyncIterator[None]:
        """Everybody is logged in, ready, and in the queues."""
        password = credentials.load(self.data).host
        client = await nats.connect(hub.nats, user="host", password=password, connect_timeout=60)
        numbers = range(1, self._plan.agents + 1)
        try:
            found = await accesses(client, self.data, map(station_of, numbers))
            status = json.loads((await client.request("hub.status", b"{}", timeout=60)).data)
        finally:
            await client.close()
        self.generation = status["generation"]
        tls = trusting(Certificates(self.data.tls))
        for number, access in zip(numbers, found, strict=True):
            script = Script(access.s, e=number, agent=agent_of(number)).boot()
            self.desks.append(Desk(self, access, tls, script))
        async with asyncio.TaskGroup() as tasks:  # a desk that fails ends it all
            running = [tasks.create_task(desk.run()) for desk in self.desks]
            await asyncio.gather(*(desk.until_held(2) for desk in self.desks))
            for desk in self.desks:
                desk.begin()
            await until(lambda: all(map(self._is_free, self.desks)))
            yield
            for task in running:
                task.cancel()

    def _is_free(self, desk: Desk) -> bool:
        members = self.members(desk)
        return len(members) == len(QUEUES) and all(map(self.peer.queues.is_free, members))

    def members(self, desk: Desk) -> list[Any]:
        return [
            one for queue in QUEUES for one in self.peer.queues.queues[queue].members.values()
            if one.name == desk.agent
        ]  # fmt: skip

    def call(self, *, patient: bool = False) -> None:
        """Somebody calls, some without patience."""
        caller = self.peer.call(self._chance.choice(QUEUES), number=f"9{len(self.callers):08}")
        self.callers[caller.uniqueid] = caller
        if not patient and self._chance.random() < _GIVES_UP:
            self.later(_PATIENCE_S, lambda: None if caller.agent else caller.hang_up())

    async def calls(self, rate: float, seconds: float) -> None:
        """One in each part of the time, at any moment of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for at in range(round(rate * seconds)):
            due = began + (at + self._chance.random()) / rate
            await asyncio.sleep(max(due - loop.time(), 0))
            self.call()
        await asyncio.sleep(max(began + seconds - loop.time(), 0))

    def rang(self, desk: Desk) -> None:
        offer = self.peer.core.channels.get(desk.contact)
        if offer is not None:
            self.rings_ms.append((time.time() - offer.created) * 1000)

    def over(self, desk: Desk, contact: str) -> None:
        """They have talked: one of the two hangs up."""
        if (desk.contact, desk.phase) != (contact, "talking"):
            return
        if self._chance.random() < 0.5:
            desk.hang_up()
        else:
            self.callers[desk.pbx].hang_up()

    async def idle(self) -> None:
        """Until nobody talks or waits, and everybody may be called."""
        await until(lambda: not any(one.there for one in self.callers.values()))
        await until(lambda: all(not desk.phase for desk in self.desks))
        await until(lambda: all(map(self._is_free, self.desks)))

    def reader(self) -> Reader:
        return open_reader(self.data.store)


async def measure(plan: Plan) -> Crowded:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        folder = Path(scratch)
        data = DataDir(folder / "hub")
        data.make()
        like = json.loads(EXAMPLE) | {"materials": []}
        described = site(plan.agents, like)
        data.site.write_text(json.dumps(described))
        async with AsteriskPeer.start() as peer:
            seats = [one["seat"] for one in described["stations"]]
            people = [one["id"] for one in described["agents"]]
            describe(data, way_to(peer), [*zip(people, seats, strict=True)], QUEUES)
            plug_in(peer, plan.agents)
            async with running_hub(folder, data) as hub:
                crowd = Crowd(data, peer, plan)
                await until(lambda: _pid_of_bridge(data))
                await until(lambda: is_up(crowd))
                async with crowd.at_work(hub):
                    return await _measure(crowd, plan)


async def _measure(crowd: Crowd, plan: Plan) -> Crowded:
    seen = Crowded(plan)
    seen.percent = await _of_a_core(crowd, crowd.calls(plan.rate, plan.seconds), plan.seconds)
    seen.load, seen.rings_ms = os.getloadavg()[0], [*crowd.rings_ms]
    burst = crowd.calls(plan.burst_rate, plan.burst_s)
    seen.burst_percent = await _of_a_core(crowd, burst, plan.burst_s)
    await crowd.idle()
    await _settle(crowd)
    _judge(crowd, seen)
    await _cut(crowd, seen)
    seen.peak_mb = _bridge(crowd).peak_mb
    return seen


async def _of_a_core(crowd: Crowd, work: Coroutine[Any, Any, None], seconds: float) -> float:
    before = _bridge(crowd).processor_s
    await work
    return 100 * (_bridge(crowd).processor_s - before) / seconds


def _bridge(crowd: Crowd) -> Weight:
    found = weight(_pid_of_bridge(crowd.data))
    if found is None:
        raise SystemExit(f"no bridge: {crowd.data.log('switch').read_text()[-2000:]}")
    return found


def _pid_of_bridge(data: DataDir) -> int:
    hub = data.read_hub()
    return hub.children.get("switch", 0) if hub is not None else 0


# -- the log beside the store


async def _settle(crowd: Crowd) -> None:
    """Until the store has what the log has, or does not get it."""
    with suppress(TimeoutError):
        await until(lambda: not _missing(crowd), _SETTLES_S)


def _missing(crowd: Crowd) -> Counter[tuple[str, str]]:
    return _of_log(crowd) - _of_store(crowd)


def _of_log(crowd: Crowd) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for line in crowd.peer.queue_log():
        _, pbx, _, _, verb, *_ = line.split("|")
        if verb in _KINDS:
            found[pbx, _KINDS[verb]] += 1
    return found


def _of_store(crowd: Crowd) -> Counter[tuple[str, str]]:
    with closing(crowd.reader()) as reader:
        bodies = [json.loads(one.body) for one in reader.events_of(SWITCH)]
    return Counter((one["pbx"], one["k"]) for one in bodies)


def _judge(crowd: Crowd, seen: Crowded) -> None:
    log, store = _of_log(crowd), _of_store(crowd)
    with closing(crowd.reader()) as reader:
        conflicts, contacts = len(reader.conflicts()), reader.contacts()
    seen.lines = log.total()
    seen.lost, seen.doubled = (log - store).total(), (store - log).total() + conflicts
    calls, told = told_by_the_log(crowd.peer.queue_log()), told_by_the_store(crowd)
    seen.calls, seen.answered = len(calls), sum(one[0] == "answered" for one in calls.values())
    differ = {pbx for pbx in calls.keys() | told.keys() if calls.get(pbx) != told.get(pbx)}
    talks = (one for one in contacts if one.outcome == "answered" and one.ended_by != "technical")
    taken = Counter(one.pbx for one in talks)
    talked = Counter(pbx for pbx, one in calls.items() if one[0] == "answered")
    seen.otherwise = len(differ | (taken - talked).keys() | (talked - taken).keys())


# -- the cut


async def _cut(crowd: Crowd, seen: Crowded) -> None:
    """Callers hang up and agents pause while the bridge is away; then all that is as it was."""
    crowd.talks_s = None
    for _ in range(seen.plan.up):
        crowd.call(patient=True)
    await until(lambda: sum(one.phase == "talking" for one in crowd.desks) == seen.plan.up)
    up = [one for one in crowd.callers.values() if one.there]
    await until(lambda: all(one.agent for one in up))
    seen.up = len(up)
    gone, stay = up[: max(int(_GONE * len(up)), 1)], up[max(int(_GONE * len(up)), 1) :]
    left = [one for one in crowd.desks if one.pbx in {caller.uniqueid for caller in gone}]
    paused = [one for one in crowd.desks if not one.phase][:_PAUSED]
    began = time.monotonic()
    crowd.peer.cut()
    for caller in gone:
        caller.hang_up()
    for desk in paused:
        desk.become("not_ready", "sshh")

    def right() -> bool:
        return (
            _hears(crowd.peer)
            and all(one.phase != "talking" for one in left)
            and all(one.paused for desk in paused for one in crowd.members(desk))
        )

    await until(right)
    seen.right_s = time.monotonic() - began
    seen.cut_off = sum(not one.there or one.agent is None for one in stay)
    for desk in paused:
        desk.become("ready")
    for desk in crowd.desks:
        if desk.phase == "talking":
            desk.hang_up()
    await crowd.idle()
    await _settle(crowd)
    seen.untold = _missing(crowd).total()


def _hears(peer: AsteriskPeer) -> bool:
    application = peer.core.applications.get("diadema")
    return bool(peer.manager.sessions) and application is not None and bool(application.send)
