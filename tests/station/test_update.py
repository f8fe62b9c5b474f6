"""Programs in slots, in the VM: start, update, trial, rollback, safe mode."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import MONDAY_8_LIMA, STATION, Bench
from diadema.frames import encode
from diadema.sim.build import compile_mpy
from diadema.sim.bundles import Signer, parts
from diadema.sim.slots import SLOT_BYTES, program_body, program_slot, start_folder
from diadema.sim.world import World
from wire_host import WireHost

SIGNER = Signer()
OLD = 1_000
BLANK = b"\xff" * SLOT_BYTES


@pytest.fixture(scope="session")
def body(image):
    return program_body(image)


@pytest.fixture(scope="session")
def vfs(image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vfs")
    start_folder(image, folder)
    return folder


class KeyedHost(WireHost):
    def configuration(self):
        return json.dumps(json.loads(super().configuration()) | {
            "update_key": SIGNER.update_key
        }).encode()  # fmt: skip


class UpdateBench(Bench):
    async def sent(self, body):
        data = encode(json.dumps(body).encode())
        while data:
            try:
                data = data[os.write(self.host._port, data) :]
            except BlockingIOError:  # the cable is slower than we are
                await asyncio.sleep(0)

    async def send(self, bundle, until=None):
        """As a hub does: the lines, then what the station waits for. The event that ended it, or
        the first whose `next` is at least `until`.
        """
        blocks = list(parts(bundle))
        number = next(self.host._numbers)
        since, told, last = self.since(), 1, 2
        while True:
            for block in blocks[told - 1 : last]:
                await self.sent(block | {"i": number})
            event = await self.event("station.update", since, i=number)
            seen = self.world.witness.events(self.station.id)
            since = next(at for at, one in enumerate(seen) if one.event is event) + 1
            if event["phase"] != "receiving" or (until and event["next"] >= until):
                return event
            told = event["next"]
            last = told + 32 - told % 32  # it tells again there


@pytest.fixture
def slots(tmp_path, vfs, body, site):
    """`async with slots(…)`: a configured station whose program runs from slot_a."""

    @asynccontextmanager
    async def open_slots(a=None, b=BLANK, configured=True):
        content = {"slot_a": a or program_slot(body, "sim", "1", OLD), "slot_b": b}
        world = World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=vfs)
        async with world:
            station = await world.add_station(STATION, slots=content)
            host = KeyedHost(station, site)
            badges = [agent.badges[0].partition(":")[2] for agent in site.agents]
            bench = UpdateBench(world, station, host, badges)
            with world.actor():
                await station.power_on()
                if configured:
                    await bench.event("station.clock")
                    await bench.event("station.config")
                yield bench
            host.close()

    return open_slots


def changed(image, tmp_path, name, old, new):
    """The body of a program in which one line is another."""
    firmware = Path(__file__).resolve().parents[2] / "firmware"
    source = (firmware / name).read_text()
    assert old in source
    (tmp_path / "changed.py").write_text(source.replace(old, new, 1))
    out = tmp_path / "changed.mpy"
    compile_mpy(tmp_path / "changed.py", out, name)
    return program_body(image, {name.replace(".py", ".mpy"): out.read_bytes()})


async def test_an_update_is_taken_tried_and_good(slots, image, tmp_path):
    newer = changed(image, tmp_path, "lib/app.py", 'FIRMWARE = "0.1.0"', 'FIRMWARE = "0.2.0"')
    async with slots() as bench:
        since = bench.since()
        told = await bench.send(SIGNER.bundle(newer, version="0.2.0"))
        assert told["phase"] == "verified"
        booted = await bench.event("station.booted", since)
        assert (booted["firmware"], booted["cause"]) == ("0.2.0", "update")
        good = await bench.event("station.update", since, phase="good")
        assert good["version"] == "0.2.0"
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        booted = await bench.event("station.booted", since)
        assert (booted["firmware"], booted["cause"]) == ("0.2.0", "power_on")
        assert not bench.station.slots["slot_a"].violations
        assert not bench.station.slots["slot_b"].violations
