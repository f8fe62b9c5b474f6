"""A browser gives a fresh station its Wi-Fi over the cable: the real firmware in its slot."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from diadema.wire.frames import Decoder
from diadema_sim.world import World

from tests.support import pictures
from tests.support.improv_client import (
    ABOUT,
    JOINED,
    JOINING,
    READY,
    SCAN,
    TELL,
    UNABLE,
    WIFI,
    ImprovClient,
    command,
    wifi,
)
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.support.station_bench import MONDAY_8_LIMA, STATION

SSID, PASSWORD = "Piso 3", "una clave larga"
ACCESS_POINT = {SSID: PASSWORD, "Cafetería": ""}
HOLD_MS = 10_500
ENDS_MS = 61_000


@pytest.fixture(scope="session")
def slot(image):
    return program_slot(program_body(image), "sim", "3.2.1", 1)


@pytest.fixture
def fresh(tmp_path, image, slot):
    """`async with fresh() as (world, station, client)`: a station from its bag, and a browser."""

    @asynccontextmanager
    async def open_fresh():
        vfs = tmp_path / "vfs"
        start_folder(image, vfs)
        content = {"slot_a": slot, "slot_b": b"\xff" * SLOT_BYTES}
        world = World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=vfs)
        async with world:
            station = await world.add_station(STATION, slots=content)
            await station.set_access_points(ACCESS_POINT)
            client = ImprovClient(station.port)
            with world.actor():
                await station.power_on()
                yield world, station, client
            client.close()

    return open_fresh


async def until(world, true):
    """The clock goes on, at most a minute."""
    for _ in range(600):
        if true():
            return
        await world.sleep(100)
        await asyncio.sleep(0.002)  # a fast clock does not wait for what is on the line
    raise AssertionError("it did not come about in a minute")


async def asked(world, client, data):
    """(states, errors but none, results) that answer it."""
    before = len(client.states), len(client.errors), len(client.results)
    client.send(data)
    if data[9] == TELL:
        await until(world, lambda: len(client.states) > before[0])
    elif data[9] == SCAN:
        await until(world, lambda: client.results[before[2] :][-1:] == [(SCAN, [])])
    else:
        await until(
            world, lambda: len(client.results) > before[2] or any(client.errors[before[1] :])
        )
    await world.sleep(200)
    errors = [code for code in client.errors[before[1] :] if code]
    return client.states[before[0] :], errors, client.results[before[2] :]


async def test_a_browser_that_asks_from_the_first_moment_is_answered(fresh):
    async with fresh() as (world, station, client):
        for _ in range(40):  # also while it starts, where a byte 3 would end boot.py or main.py
            client.send(command(TELL))
            await world.sleep(5)
        await until(world, lambda: client.states)
        await world.sleep(2000)  # it is no browser's way to ask again before the answer
        assert set(client.states) == {READY}
        _, errors, results = await asked(world, client, command(ABOUT))
        assert (errors, results) == ([], [(ABOUT, ["Diadema sim", "3.2.1", "sim", STATION])])
        _, errors, results = await asked(world, client, command(SCAN))
        assert errors == [] and results.pop() == (SCAN, [])
        assert {tuple(found) for _, found in results} == {
            (SSID, "-55", "YES"), ("Cafetería", "-55", "NO"),
        }  # fmt: skip
        assert not any(b"Interrupt" in text for text in station.console)


async def test_it_joins_what_it_can_and_keeps_it_over_a_restart(fresh):
    async with fresh() as (world, station, client):
        await world.sleep(2000)
        # also the same one once more, which the chip tells as it told the first
        for name, password in ((SSID, "otra"), (SSID, "otra"), ("Piso 4", PASSWORD)):
            states, errors, results = await asked(world, client, wifi(name, password))
            assert (states, errors, results) == ([JOINING, READY], [UNABLE], [])
        before = await station.screen()
        states, errors, results = await asked(world, client, wifi(SSID, PASSWORD))
        assert (states, errors, results) == ([JOINING, JOINED], [], [(WIFI, [])])
        shown = await station.screen()
        assert shown != before
        pictures.compare("wifi_without_a_hub", shown)

        await station.power_cut()
        await station.power_on()
        await world.sleep(2000)
        await asked(world, client, command(TELL))
        assert pictures.alike(await station.screen(), shown)
        states, _, results = await asked(world, client, command(TELL))
        assert (states, results) == ([JOINED], [(TELL, [])])
        states, errors, _ = await asked(world, client, wifi("Cafetería", ""))
        assert (states, errors) == ([JOINING, JOINED], [])

        await station.power_cut()
        await station.power_on()
        for key in (2, 5):
            await station.ask({"do": "press", "key": key})
        await world.sleep(HOLD_MS)
        for key in (2, 5):
            await station.ask({"do": "release", "key": key})
        await world.sleep(2000)
        states, _, results = await asked(world, client, command(TELL))
        assert (states, results) == ([READY], [])
        assert station.restarts == []


async def test_its_frames_and_its_memory_are_as_before(fresh):
    async with fresh() as (world, station, client):
        await world.sleep(2000)
        before, used = await station.dump(), []
        for _ in range(3):
            await asked(world, client, wifi(SSID, PASSWORD))
            await asked(world, client, command(SCAN))
            await world.sleep(ENDS_MS)
            used.append((await station.dump())["heap"]["used"])
        # the first leaves its names, which MicroPython keeps for good
        assert max(used) <= before["heap"]["used"] + 8 * 1024
        states, _, _ = await asked(world, client, command(TELL))
        assert states == [JOINED]
        decoder = Decoder()
        hellos = decoder.feed(bytes(client.lines))
        assert hellos and (decoder.counts.corrupt, decoder.counts.truncated) == (0, 0)


async def test_a_technician_can_still_stop_it_by_hand(fresh):
    async with fresh() as (world, station, client):
        await world.sleep(2000)
        await asked(world, client, command(TELL))
        await world.sleep(ENDS_MS)
        client.send(b"\r\x03\r\x01")  # as mpremote does
        await until(world, lambda: b"KeyboardInterrupt" in b"".join(station.console))


@pytest.mark.parametrize(
    ("where", "error"), [("made", "RuntimeError"), ("made", "MemoryError"), ("active", "OSError")]
)
async def test_a_radio_that_fails_is_told_to_the_browser_and_ends_nothing(fresh, where, error):
    async with fresh() as (world, station, client):
        await world.sleep(2000)
        await station.ask({"do": "radio", "fails": {where: error}})
        states, errors, results = await asked(world, client, wifi(SSID, PASSWORD))
        assert (states, errors, results) == ([JOINING, READY], [UNABLE], [])
        kinds = [seen.event["k"] for seen in world.witness.events(STATION)]
        assert kinds.count("station.fault") == 1
        await station.ask({"do": "radio", "fails": {}})
        states, errors, results = await asked(world, client, wifi(SSID, PASSWORD))
        assert (states, errors, results) == ([JOINING, JOINED], [], [(WIFI, [])])
        assert station.restarts == [] and b"Traceback" not in b"".join(station.console)
