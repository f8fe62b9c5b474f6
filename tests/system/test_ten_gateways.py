"""A configuration and a program go down a cable while the chip stands again and again, and while
the gateway is killed and comes back ten times: no byte is lost, and the station never restarts
before its new program.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import time

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.stations.fleet import all_stations
from diadema.stations.update import bundle, keys
from diadema.wire.ask_hub import ask_hub
from diadema.wire.frames import FRAME_LIMIT
from diadema_sim import people
from diadema_sim.build import build_firmware
from diadema_sim.processes import HostProcesses
from diadema_sim.world import World

from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder

SPEED = 4.0
STALL_MS = (45, 400)
PAUSE_MS = (100, 1_000)
IN_CONFIGURATION = 4
KILLS = 10
PIECES = (20, 60)  # of a gateway's life, in which a configuration has about 160
LOOK_S = 0.05


class Killed:
    """Kills the gateway in the middle of what it sends, each time it has come back."""

    def __init__(self, station, processes, chance):
        self.count = self.begun = 0
        self.allowed = IN_CONFIGURATION
        self._gateway = processes.gateway
        self._chance = chance
        self._left = chance.randint(*PIECES)
        self._pid = self._speaks = None
        station.cable.spy = self._wrote

    def _wrote(self, data):
        pid = self._gateway.pid
        if pid != self._speaks:
            self._speaks, self.begun = pid, self.begun + 1
        if self.count == self.allowed or pid in (None, self._pid):
            return
        self._left -= data.count(b"\x1e")
        if self._left <= 0:
            os.kill(pid, signal.SIGKILL)
            self._pid = pid
            self.count += 1
            self._left = self._chance.randint(*PIECES)


class Stalls:
    """The chip stands at any moment, until it restarts. `lost` and `received`: bytes, as it said
    last before that; lost but for the first piece of a gateway that was back before the chip had
    read what the one before it had sent.
    """

    def __init__(self, world, station, killed, chance):
        self._world, self._station, self._killed, self._chance = world, station, killed, chance
        self.lost = self.received = 0
        self._all_lost = self._begun = 0

    async def run(self):
        with contextlib.suppress(DiademaError):
            while not self._station.restarts:
                await self._world.sleep(self._chance.randint(*PAUSE_MS))
                ms = self._chance.randint(*STALL_MS)
                await self._station.ask({"do": "stall", "ms": ms})
                stdin = (await self._station.dump())["stdin"]
                if not self._station.restarts:
                    self._count(stdin)

    def _count(self, stdin):
        self.received = stdin["received"]
        lost, self._all_lost = stdin["lost"] - self._all_lost, stdin["lost"]
        begun, self._begun = self._killed.begun - self._begun, self._killed.begun
        if lost > begun * FRAME_LIMIT:
            self.lost += lost


async def test_nothing_is_lost_over_ten_gateways(tmp_path):
    chance = random.Random(10)
    key_file, image, vfs = tmp_path / "updates.pem", tmp_path / "image", tmp_path / "vfs"
    keys.make(key_file)
    key = keys.load(key_file)
    build_firmware(image)
    start_folder(image, vfs)
    body = program_body(image)
    now = int(time.time())
    (tmp_path / "app.bundle").write_bytes(
        bundle.sign(body, key, board="sim", version="0.2.0", made=now)
    )
    data = DataDir(tmp_path / "data")
    data.make()
    desk, *others = people.desks(120)
    site = people.site(
        [desk], name="Muestra", zone="America/Lima", tree=people.LIMA_TREE, pins=True,
        colleagues=[other.person for other in others],
    )  # fmt: skip
    data.site.write_text(json.dumps(site))
    data.update_key.write_text(key.public.text)
    slots = {"slot_a": program_slot(body, "sim", "0.1.0", 1), "slot_b": b"\xff" * SLOT_BYTES}
    async with contextlib.AsyncExitStack() as stack:
        world = World(tmp_path / "world", start_utc_ms=now * 1000, mode=SPEED, image=vfs)
        await stack.enter_async_context(world)
        station = await world.add_station(desk.station, slots=slots)
        processes = HostProcesses(data, [station.port], web_port=0, clock=world.clock_path)
        stack.push_async_callback(processes.stop)
        await processes.start()
        await processes.allow_provisioning(world.stations.values())
        killed = Killed(station, processes, chance)
        stalls = Stalls(world, station, killed, chance)

        await station.power_on()
        standing = asyncio.create_task(stalls.run())
        stack.callback(standing.cancel)
        while not all(row.board and row.generation == row.wanted for row in all_stations(data, 0)):
            processes.check()
            await asyncio.sleep(LOOK_S)
        assert killed.count == IN_CONFIGURATION
        killed.allowed = KILLS

        path = str(tmp_path / "app.bundle")
        added = await ask_hub(data, "hub.update", {"do": "add", "path": path})
        plan = {"sha256": added["sha256"], "stages": ["all"]}
        await ask_hub(data, "hub.update", {"do": "start", "plan": plan})
        while not station.restarts:
            processes.check()
            assert not world.crashes
            await asyncio.sleep(LOOK_S)
        await standing
        told = [one.event for one in world.witness.events(station.id)]
        at = next(at for at, event in enumerate(told) if event.get("phase") == "verified")
        assert [event["k"] for event in told[:at]].count("station.booted") == 1
        assert len(station.restarts) == 1
        assert killed.count == processes.gateway.restarts == KILLS
        assert stalls.received > len(body)
        assert stalls.lost == 0
        while [row.version for row in all_stations(data, 0)] != ["0.2.0"]:
            processes.check()
            await asyncio.sleep(LOOK_S)
