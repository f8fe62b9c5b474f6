"""A roll-out to stations with the real firmware, over their cables: both take a good program, and
one that fails its own test ends with the first.
"""

import contextlib
import json
import time
from pathlib import Path

import pytest
from diadema.ask_hub import ask_hub
from diadema.fleet.reading import fleet
from diadema.paths import DataDir
from diadema.sim import people
from diadema.sim.build import build_firmware, compile_mpy
from diadema.sim.processes import HostProcesses
from diadema.sim.slots import SLOT_BYTES, program_body, program_slot, start_folder
from diadema.sim.world import World
from diadema.update import bundle, keys

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SPEED = 4.0  # a trial takes its seconds
BLANK = b"\xff" * SLOT_BYTES
FAILS = "def __init__(self, *rest, **options):\n        raise OSError(19)\n    _init = "


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    build_firmware(folder)
    return folder


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "updates.pem"
    keys.make(path)
    return keys.load(path)


def changed(program, tmp_path, name, old, new):
    """The body of a program in which one line is another."""
    source = (FIRMWARE / name).read_text()
    assert old in source
    (tmp_path / "changed.py").write_text(source.replace(old, new, 1))
    out = tmp_path / "changed.mpy"
    compile_mpy(tmp_path / "changed.py", out, name)
    return program_body(program, {name.replace(".py", ".mpy"): out.read_bytes()})


@pytest.fixture
async def floor(program, key, tmp_path):
    """Two stations whose programs run from slots, their hub and its gateway."""
    data = DataDir(tmp_path / "data")
    data.make()
    desks = people.desks(2)
    site = people.site(desks, name="Muestra", zone="America/Lima", tree=people.LIMA_TREE)
    data.site.write_text(json.dumps(site))
    data.update_key.write_text(key.public.text)
    vfs = tmp_path / "vfs"
    start_folder(program, vfs)
    slots = {"slot_a": program_slot(program_body(program), "sim", "0.1.0", 1), "slot_b": BLANK}
    async with contextlib.AsyncExitStack() as stack:
        world = World(
            tmp_path / "world", start_utc_ms=int(time.time() * 1000), mode=SPEED, image=vfs
        )
        await stack.enter_async_context(world)
        stations = [await world.add_station(desk.station, slots=slots) for desk in desks]
        ports = [station.port for station in stations]
        processes = HostProcesses(data, ports, web_port=0, clock=world.clock_path)
        stack.push_async_callback(processes.stop)
        await processes.start()
        for station in stations:
            await station.power_on()
        yield world, data


async def rolled_out(world, data, tmp_path, made, status):
    """The roll-out of a bundle, once it is that."""
    file = tmp_path / "app.bundle"
    file.write_bytes(made)
    added = await ask_hub(data, "hub.update", {"do": "add", "path": str(file)})
    while True:  # the hub has to have heard of the boards
        if all(row.board and row.generation == row.wanted for row in fleet(data, 0)):
            break
        await world.sleep(500)
    plan = {"sha256": added["sha256"], "stages": ["1", "all"]}
    await ask_hub(data, "hub.update", {"do": "start", "plan": plan})
    while True:
        told = (await ask_hub(data, "hub.update", {"do": "status"}))["rollouts"][-1]
        if told["status"] == status:
            return told
        assert told["status"] == "running", told
        await world.sleep(1000)


async def test_both_take_what_is_good_and_the_first_alone_what_is_not(
    floor, program, key, tmp_path
):
    world, data = floor
    now = int(time.time())
    made = bundle.sign(program_body(program), key, board="sim", version="0.2.0", made=now)
    told = await rolled_out(world, data, tmp_path, made, "done")
    assert [seat["phase"] for seat in told["seats"]] == ["good", "good"]
    assert {row.version for row in fleet(data, 0)} == {"0.2.0"}

    worse = changed(program, tmp_path, "drivers/ssd1306.py", "_init = ", FAILS)
    made = bundle.sign(worse, key, board="sim", version="0.3.0", made=now + 1)
    told = await rolled_out(world, data, tmp_path, made, "stopped")
    (seat,) = told["seats"]
    assert (told["why"], seat["reason"]) == ("failures", "rolled_back: screen")
    assert {row.version for row in fleet(data, 0)} == {"0.2.0"}
