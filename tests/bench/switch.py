"""The bridge to the telephone exchange: events parsed, key to call, 300 agents' calls, a cut.

The exchange is `asterisk_peer`'s, in this process, as are the stations of the crowd
(`switch_crowd`); the hub, its bridge and, for the keys, six stations with the real firmware and
their gateway are processes of their own. An offer's clock starts when the queue calls its member
and stops when the station has written that it rings; a key's starts as its contact closes and
stops when the exchange has been asked to call the telephone.

`python -m tests.bench.switch --minutes 10` measures the crowd that long.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from diadema.switch.asterisk.ami import LONGEST, Message, Parser
from diadema_sim import menu_keys, people
from diadema_sim.agent import Agent
from diadema_sim.exchange.parts import Channel, Fields, Member, message
from diadema_sim.witness import Witnessed
from rich.console import Console

from tests.bench import switch_crowd
from tests.bench.figure import Figure, print_figures
from tests.bench.switch_crowd import Crowded, Plan
from tests.support.asterisk import transcripts
from tests.support.asterisk_peer import AsteriskPeer, Caller
from tests.support.broker_fixtures import until
from tests.support.switched_centre import NUMBER, switched_centre

_EVENTS, _EVENTS_S = 200_000, 50_000
_PIECE, _SEGMENT = 1 << 16, 1448
_STATIONS, _CALLS = 6, 200
_RING_MS, _KEY_MS = 60, 40
_PERCENT, _MB, _RIGHT_S = 15, 80, 3
_LIMIT_S = 300.0
_AGAIN_S = 0.05  # how often a queue looks whether somebody is free
_THINKS_S = (0.02, 0.3)
_CODE = people.leaves(people.LIMA_TREE)[0]
_LEGS = ("", "Dest", "Transferer", "Transferee", "Spyer", "Spyee")


async def figures(plan: Plan | None = None) -> list[Figure]:
    found = [*_parsed(await measure_parser(_EVENTS))]
    found += _pressed(await measure_keys(_STATIONS, _CALLS))
    return [*found, *_crowded(await switch_crowd.measure(plan or Plan()))]


# -- the parser


@dataclass(frozen=True)
class Parsed:
    """Events a second: as the socket gave them, and cut at every segment of a network."""

    given_s: float
    segments_s: float
    bytes_each: float


def _parsed(seen: Parsed) -> Iterator[Figure]:
    what = f"AMI parser, events of {seen.bytes_each:.0f} bytes"
    yield Figure(what, seen.given_s, "events/s", _EVENTS_S, "target: at least")
    what = f"the same in pieces of {_SEGMENT} bytes"
    yield Figure(what, seen.segments_s, "events/s", _EVENTS_S, "target: at least")


async def measure_parser(events: int) -> Parsed:
    recorded = [row[1] for name in _recordings() for row in transcripts.read(name)
                if row[0] == "event"]  # fmt: skip
    whole = [message(_as_sent(one)) for one in recorded]
    count = -(-events // len(whole))
    pieces = await _through_socket(b"".join(whole * count))
    stream = b"".join(pieces)
    segments = [stream[at : at + _SEGMENT] for at in range(0, len(stream), _SEGMENT)]
    total = len(whole) * count
    given_s, segments_s = (total / _parse(one, total) for one in (pieces, segments))
    return Parsed(given_s, segments_s, len(stream) / total)


def _recordings() -> list[str]:
    return sorted(file.stem for file in transcripts.FOLDER.glob("*.jsonl"))


def _as_sent(event: Fields) -> Fields:
    """With the fields that the recording left out and the exchange does not."""
    leg = Channel("1795811993.7", "PJSIP/troncal-00000003", "1795811993.7", 0.0, state="Up")
    found = {"Event": event["Event"], "Privilege": "agent,all", "Timestamp": "1795811993.123456"}
    for prefix in _LEGS:
        if f"{prefix}Uniqueid" in event:
            found |= leg.fields(prefix)
    if "Membership" in event or "MemberName" in event:
        found |= Member("ventas", "Local/a101@diadema/n", "a101", "Custom:diadema-a101").fields()
    return found | event


async def _through_socket(stream: bytes) -> list[bytes]:
    """The pieces in which the bridge's own way of reading has it."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(stream)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LONGEST)
        pieces = []
        while piece := await reader.read(_PIECE):
            pieces.append(piece)
        writer.close()
    return pieces


def _parse(pieces: list[bytes], total: int) -> float:
    parser, found = Parser(), 0
    last: Message = {}
    began = time.perf_counter()
    for piece in pieces:
        messages = parser.take(piece)
        found += len(messages)
        last = messages[-1] if messages else last
    took = time.perf_counter() - began
    assert found == total and "Event" in last
    return took


# -- the keys


@dataclass
class Pressed:
    """Milliseconds of each call, and the machine's load average meanwhile."""

    rings_ms: list[float] = field(default_factory=list)
    originates_ms: list[float] = field(default_factory=list)
    failed: int = 0
    load: float = 0.0


def _pressed(seen: Pressed) -> Iterator[Figure]:
    for what, latencies, budget in (
        ("queue's offer to station's ring", seen.rings_ms, _RING_MS),
        ("answer key to call of the telephone", seen.originates_ms, _KEY_MS),
    ):
        at = statistics.quantiles(latencies, n=100, method="inclusive")
        yield Figure(f"{what}, p50", at[49], "ms", budget, "budget of p99")
        yield Figure(f"{what}, p99", at[98], "ms", budget, "budget")
    answered = len(seen.originates_ms)
    yield Figure("calls answered so", answered, "calls", None, f"{seen.failed} more failed")
    yield Figure("load average with them", seen.load, "", os.cpu_count(), "cores")


async def measure_keys(stations: int, calls: int) -> Pressed:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as scratch:
        async with switched_centre(Path(scratch), stations) as (centre, peer):
            peer.queue("ventas", retry_s=_AGAIN_S, recheck_s=_AGAIN_S)
            rang: dict[str, float] = {}

            def note(_: str, told: Witnessed) -> None:
                if told.event["k"] == "contact.offered":
                    rang[told.event["c"]] = time.time()

            centre.world.witness.listeners.append(note)
            queue = peer.queues.queues["ventas"]
            for agent in centre.agents:
                await agent.log_in()
                await agent.get_ready()
            await until(lambda: sum(map(peer.queues.is_free, queue.members.values())) == stations)
            work = _Work(peer, rang, calls)
            for _ in range(stations):
                work.call()
            async with asyncio.TaskGroup() as tasks:
                working = [tasks.create_task(work.at(agent)) for agent in centre.agents]
                await work.over.wait()
                for one in working:
                    one.cancel()
            work.seen.load = os.getloadavg()[0]
            return work.seen


class _Work:
    """As many calls are on as there are stations, so that each has one."""

    def __init__(self, peer: AsteriskPeer, rang: dict[str, float], calls: int) -> None:
        self._peer, self._rang, self._calls = peer, rang, calls
        self._callers: dict[str, Caller] = {}
        self._chance = random.Random(1)
        self.seen = Pressed()
        self.over = asyncio.Event()

    def call(self) -> None:
        if len(self._callers) < self._calls:
            caller = self._peer.call("ventas", number=NUMBER)
            self._callers[caller.uniqueid] = caller

    async def at(self, agent: Agent) -> None:
        """Takes whatever rings, until cancelled."""
        taken: set[str] = set()
        while True:
            rung = await agent.world.wait_event(
                agent.desk.station,
                lambda event: event["k"] == "contact.offered" and event["c"] not in taken,
                timeout_s=_LIMIT_S,
            )
            contact = str(rung.event["c"])
            taken.add(contact)
            await self._take(agent, contact, self._callers[rung.event["pbx"]])
            if agent.presence != "ready":
                await agent.get_ready()
            if len(self.seen.originates_ms) == self._calls:
                self.over.set()
            self.call()

    async def _take(self, agent: Agent, contact: str, caller: Caller) -> None:
        """A caller whose call fails waits on, for somebody else."""
        core, me = self._peer.core, agent.desk.person.id
        offer = core.channels.get(contact)
        if offer is None or offer.half is None:
            self.seen.failed += 1
            return
        self.seen.rings_ms.append((self._rang[contact] - offer.created) * 1000)
        await asyncio.sleep(self._chance.uniform(*_THINKS_S))
        pressed = time.time()
        await agent.keys([menu_keys.ANSWER])
        over = ("contact.missed", "contact.ended")
        await until(
            lambda: caller.agent == me or any(agent.happened(one, contact) for one in over)
        )
        called = core.channels.get(f"tel-{offer.half.id}")
        if caller.agent != me or called is None:
            self.seen.failed += 1
            return
        self.seen.originates_ms.append((called.created - pressed) * 1000)
        await asyncio.sleep(self._chance.uniform(*_THINKS_S))
        caller.hang_up()
        await until(lambda: agent.happened("contact.ended", contact))
        if not agent.happened("contact.ended", contact, ("technical",)):
            await agent.typify_after(contact, _CODE)


# -- the crowd


def _crowded(seen: Crowded) -> Iterator[Figure]:
    what = f"{seen.plan.agents} agents, {seen.plan.rate:g} calls/s for {seen.plan.seconds:.0f} s"
    yield Figure(f"{what}: bridge, of a core", seen.percent, "%", _PERCENT, "budget")
    burst = f"{seen.plan.burst_rate:g} calls/s for {seen.plan.burst_s:.0f} s"
    yield Figure(f"a burst of {burst}: bridge, of a core", seen.burst_percent, "%")
    yield Figure("bridge, memory at its peak", seen.peak_mb, "MB", _MB, "budget")
    yield Figure(
        "calls, to the last one's end", seen.calls, "calls", None, f"{seen.answered} answered"
    )
    yield Figure("lines of the exchange's log", seen.lines, "lines")
    yield Figure("of them lost in the store", seen.lost, "lines", None, "budget 0")
    yield Figure("of them doubled there", seen.doubled, "lines", None, "budget 0")
    yield Figure("calls that the store tells otherwise", seen.otherwise, "calls", None, "budget 0")
    for percent in (50, 99):
        at = statistics.quantiles(seen.rings_ms, n=100, method="inclusive")[percent - 1]
        yield Figure(f"offer to ring command at a station, p{percent}", at, "ms")
    yield Figure(f"right after a cut, {seen.up} calls up", seen.right_s, "s", _RIGHT_S, "budget")
    yield Figure("calls that the cut ended", seen.cut_off, "calls", None, "budget 0")
    yield Figure("ends in it that the store lacks", seen.untold, "lines", None, "budget 0")
    yield Figure("load average meanwhile", seen.load, "", os.cpu_count(), "cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=Plan().seconds / 60)
    asked = parser.parse_args()
    print_figures(Console(width=120), [*asyncio.run(figures(Plan().lasting(60 * asked.minutes)))])


if __name__ == "__main__":
    main()
