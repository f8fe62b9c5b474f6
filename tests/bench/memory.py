"""What a hub takes of the machine's memory, by how many agents are at work.

It is the last column of the administrator's table of sizes, and a sum of peaks.

Each agent has a station by MQTT over TLS, logs in and takes two calls in a minute; one person
looks at the floor and asks for the day's calls again and again, which begins a worker of the web.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import httpx
from diadema.base.paths import DataDir, Hub

from tests.bench.crowd import measure
from tests.bench.figure import Figure
from tests.bench.viewers import looking, session

AGENTS = (30, 120, 300, 1000)
_EVENTS, _PACE_S = 15, 4.0  # of each agent: the login and two calls
_AGAIN_S = 10.0
_PATIENCE_S = 60.0


async def figures() -> list[Figure]:
    return [figure for agents in AGENTS for figure in await _with(agents)]


async def _with(agents: int) -> list[Figure]:
    seen = await measure(agents, _EVENTS, _PACE_S, _somebody)
    of = {name: one for name, one in seen.weights.items() if name != "all stations"}
    if not any(name.startswith("worker ") for name in of):
        raise SystemExit("no worker of the web was seen: nobody got a report")
    if seen.lost or seen.doubled:
        raise SystemExit(f"{seen.lost} events lost, {seen.doubled} doubled")
    spent = sum(one.processor_s for one in of.values())
    parts: Counter[str] = Counter()
    for name, one in of.items():
        parts[name.partition(" ")[0]] += round(one.peak_mb)
    peaks = "; ".join(f"{name} {megabytes}" for name, megabytes in parts.items())
    return [
        Figure(f"memory of the hub, {agents} agents", parts.total(), "MB", None, peaks),
        Figure(f"its processors, {agents} agents", spent, "s of a core"),
    ]


@contextlib.asynccontextmanager
async def _somebody(data: DataDir, hub: Hub) -> AsyncIterator[None]:
    cookies = session(data)

    async def ask() -> None:
        async with httpx.AsyncClient(cookies=cookies, timeout=_PATIENCE_S) as client:
            while True:
                answer = await client.get(f"{hub.web}/api/v1/reports/llamadas")
                answer.raise_for_status()
                await asyncio.sleep(_AGAIN_S)

    async with looking(hub, cookies, 1):
        asking = asyncio.create_task(ask())
        try:
            yield
            if asking.done():
                raise SystemExit(f"no report: {asking.exception()!r}")
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
