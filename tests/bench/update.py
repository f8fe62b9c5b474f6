"""A new program over a station's cable: bytes on the line, and how long it takes.

A hub, its gateway and the real firmware in the VM; the pseudo-terminal has no speed of its own, so
what is measured is what hub, gateway and station need, beside what the line alone would.
"""

import asyncio
import json
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from diadema.base.paths import DataDir
from diadema.gateway.serial_port import BAUD
from diadema.stations.boards.table import load_board
from diadema.stations.fleet import all_stations
from diadema.stations.update import bundle, keys
from diadema.stations.update.bundle import Bundle
from diadema.wire.ask_hub import ask_hub
from diadema.wire.frames import encode
from diadema_sim import people
from diadema_sim.build import build_firmware
from diadema_sim.processes import HostProcesses
from diadema_sim.world import World

from tests.bench.figure import Figure
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder

_BOARD = "devkitc_wm8960"
_BIT_S = 10  # on the line, a byte
_LOOK_S = 0.2
_SEAL = ',"h":"0123456789abcdef"'
_LIMIT_S = 240.0


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        key_file = Path(folder) / "key.pem"
        keys.make(key_file)
        key = keys.load(key_file)
        real = bundle.read(bundle.make(load_board(_BOARD), key, int(time.time())))
        wire = _wire_bytes(real)
        sent, took_s = await _rolled_out(Path(folder), key)
    line_s = _wire_bytes(sent) * _BIT_S / BAUD
    return [
        Figure(f"update of {_BOARD}, bundle", len(real.data), "bytes"),
        Figure("update, bytes on the line", wire, "bytes", len(real.data), "the bundle"),
        Figure(f"update, at {BAUD} baud", wire * _BIT_S / BAUD, "s"),
        Figure("update, at 921600 baud", wire * _BIT_S / 921_600, "s"),
        Figure("update of a VM, until it is verified", took_s, "s", line_s,
               f"its bytes at {BAUD} baud"),
    ]  # fmt: skip


def _wire_bytes(made: Bundle) -> int:
    """Of the commands, each sent once, sealed and framed."""
    return sum(
        len(encode(msgspec.json.encode({"cmd": "update", "i": 60_000_000, **made.part(number)})))
        + len(_SEAL)
        for number in range(1, made.parts + 1)
    )


async def _rolled_out(folder: Path, key: keys.PrivateKey) -> tuple[Bundle, float]:
    """A bundle for the VM, and the seconds from its first part to the station's word that it has
    all of it and that it is right.
    """
    program, vfs, data = folder / "program", folder / "vfs", DataDir(folder / "data")
    build_firmware(program)
    start_folder(program, vfs)
    (desk,) = people.desks(1)
    data.make()
    site = people.site([desk], name="Muestra", zone="America/Lima", tree=people.LIMA_TREE)
    data.site.write_text(json.dumps(site))
    data.update_key.write_text(key.public.text)
    body = program_body(program)
    made = bundle.read(bundle.sign(body, key, board="sim", version="0.2.0", made=int(time.time())))
    (folder / "app.bundle").write_bytes(made.data)
    blank = b"\xff" * SLOT_BYTES
    slots = {"slot_a": program_slot(body, "sim", "0.1.0", 1), "slot_b": blank}
    async with AsyncExitStack() as stack:
        world = World(folder / "world", start_utc_ms=int(time.time() * 1000), image=vfs)
        await stack.enter_async_context(world)
        station = await world.add_station(desk.station, slots=slots)
        processes = HostProcesses(data, [station.port], web_port=0, clock=world.clock_path)
        stack.push_async_callback(processes.stop)
        await processes.start()
        await processes.allow_provisioning(world.stations.values())
        await station.power_on()
        async with asyncio.timeout(_LIMIT_S):
            while not all(
                row.board and row.generation == row.wanted for row in all_stations(data, 0)
            ):
                await asyncio.sleep(_LOOK_S)
            path = str(folder / "app.bundle")
            added = await ask_hub(data, "hub.update", {"do": "add", "path": path})
            plan = {"sha256": added["sha256"], "stages": ["all"]}
            await ask_hub(data, "hub.update", {"do": "start", "plan": plan})
            began = time.monotonic()
            while True:
                told = (await ask_hub(data, "hub.update", {"do": "status"}))["rollouts"][-1]
                phase = told["seats"][0]["phase"]
                if phase in ("trial", "good"):
                    return made, time.monotonic() - began
                if phase == "failed":
                    raise RuntimeError(f"the update failed: {told}")
                await asyncio.sleep(_LOOK_S)
    raise AssertionError
