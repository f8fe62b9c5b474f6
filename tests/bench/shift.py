"""A shift of ten hours at one desk, as fast as it goes: its heap at the end as at the beginning.

The whole firmware in the VM with the heap of a board, a hub behind it; calls of every kind,
pauses, help, transfers. The heap is looked at while she is ready and nothing is on its way, after
a collection; how long collections take is measured at each look. Between an input and its light
there is none, so the memory in use does not fall.
"""

import itertools
import time

from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.build import FIRMWARE_HEAP
from diadema_sim.centre import Centre, open_centre
from diadema_sim.demo import SITE, ZONE

from tests.bench.figure import Figure
from tests.support.traced import ANSWERED

_HOURS = 10
_START_MS = 1_770_037_200_000
_HOUR_MS = 3_600_000
_CODES = ("111", "112", "121", "211")
_CALL_MS = 240_000


async def figures() -> list[Figure]:
    async with open_centre(
        people.desks(1),
        name=SITE,
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=_START_MS,
        mode="fast",
    ) as centre:
        main = centre.world.image / "main.py"
        main.write_text(ANSWERED + main.read_text())
        await centre.switch_on()
        with centre.world.actor():
            return await _shift(centre)


async def _shift(centre: Centre) -> list[Figure]:
    world, (desk,) = centre.world, centre.agents
    await desk.log_in()
    await desk.get_ready()
    began_s, start_ms = time.monotonic(), world.now_ms()
    free: dict[int, int] = {}
    longest_us = calls = 0
    async with centre.paced():
        for number in itertools.count(1):
            await _call(centre, desk, number)
            calls += 1
            await world.sleep(60_000)
            hour = (world.now_ms() - start_ms) // _HOUR_MS
            longest_us = max(longest_us, (await desk.station.dump())["collect_us"])
            if hour >= 1 and hour not in free:
                free[hour] = (await desk.station.dump())["heap"]["free"]
            if hour >= _HOURS:
                break
    ran_s = (world.now_ms() - start_ms) / 1000
    first, last = free[1], free[_HOURS]
    answered = await desk.station.ask({"do": "answered"})
    return [
        Figure("a shift at one desk", calls, "calls"),
        Figure("its clock against the real one", ran_s / (time.monotonic() - began_s), "×", 60,
               "60 or more"),
        Figure("free heap after 10 h", last, "bytes", first, "after 1 h; 2 % less at most"),
        Figure("heap of the firmware", FIRMWARE_HEAP, "bytes"),
        Figure("inputs that a light answered", answered["lit"], "inputs"),
        Figure("drops of gc.mem_alloc() between an input and its light", answered["drops"],
               "drops", 0, "budget 0"),
        Figure("longest collection in the VM", longest_us / 1000, "ms"),
    ]  # fmt: skip


async def _call(centre: Centre, desk: Agent, number: int) -> None:
    """One call and its wrap-up; each of five goes another way."""
    world, contact = centre.world, f"bench-{number}"
    kind = number % 5
    await desk.ring(contact, queue="Consultas")
    await world.sleep(3_000)
    await desk.answer(contact)
    await world.sleep(_CALL_MS / 2)
    if kind == 1:
        await desk.hold(contact)
        await world.sleep(20_000)
        await desk.resume(contact)
    elif kind == 2:
        while desk.steps_left(contact):
            await desk.step(contact, desk.site["identity_methods"][0]["code"])
            await world.sleep(5_000)
    elif kind == 3:
        asked = await desk.request_help(desk.site["help_topics"][0]["code"])
        for state in ("accepted", "resolved"):
            await desk.help_comes(asked, state, "Ana P.")
    await world.sleep(_CALL_MS / 2)
    if kind == 4:
        area = next(row["code"] for row in desk.site["areas"] if not row["consulted"])
        await desk.transfer(contact, area)
    else:
        await desk.hang_up(contact)
    await world.sleep(5_000)
    await desk.typify_after(contact, _CODES[number % len(_CODES)])
    if kind == 0:
        await world.sleep(1_000)
        await desk.pause("refrigerio")
        await world.sleep(300_000)
        await desk.get_ready()
