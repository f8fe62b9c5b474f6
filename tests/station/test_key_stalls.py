"""Keys of a whole station that stands in a call of the chip which is not its app's own."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from diadema_sim import menu_keys, people
from diadema_sim.build import SimBoard
from diadema_sim.station_user import StationUser

# laid before main.py: a task that connects for as long as it is asked to
_CONNECTS = """
def _connects():
    import asyncio, pins, wire

    asked = []
    wire.on("connect", lambda command: asked.append(command["ms"]))

    async def connect():
        while True:
            await asyncio.sleep_ms(500)
            if asked:
                pins.stall(asked.pop())

    asyncio.create_task(connect())


_connects()

"""


@pytest.fixture
def image(image: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "connects"
    shutil.copytree(image, folder)
    main = folder / "main.py"
    main.write_text(_CONNECTS + main.read_text())
    return folder


async def connect(bench, ms):
    """Back when it stands."""
    await bench.station.ask({"do": "connect", "ms": ms})
    await bench.world.sleep(550)


async def test_a_call_is_answered_within_a_handshake(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        since = bench.since()
        await connect(bench, 1_200)
        await bench.keys(1)
        assert bench.kinds(since) == []
        await bench.event("contact.answered", since, c="C-1")
        await bench.world.sleep(3_000)
        assert "contact.ended" not in bench.kinds(since)


async def test_what_may_be_missing_is_told_until_the_next_key(desk):
    async with desk() as bench:
        since = bench.since()
        await connect(bench, 1_500)
        await bench.keys(3, 4, 5)
        await bench.world.sleep(1_500)
        assert bench.kinds(since) == []
        await connect(bench, 1_500)
        await bench.keys(3, 4, 5, 6)
        told = await bench.event("station.fault", since)
        assert (told["part"], told["code"]) == ("keys", "inputs_unsure")
        await bench.world.sleep(1_000)
        assert len(bench.kinds(since)) == 1
        await bench.keys(2)
        await bench.event("station.fault_cleared", since, part="keys", code="inputs_unsure")


async def test_who_presses_a_ladder_that_nobody_reads_presses_again(desk):
    async with desk(SimBoard("s3_korvo2")) as bench:
        await bench.ready()
        await bench.ring("C-1")
        seat = replace(people.desks(1)[0], station=bench.station.id)
        agent = StationUser(bench.world, None, seat, {})
        await agent.switch_on()
        since = bench.since()
        await connect(bench, 1_200)
        await agent.keys([menu_keys.ANSWER])
        assert "contact.answered" in bench.kinds(since)
