"""Roll-outs to stations with the real firmware. Over their cables both take a good program, and
one that fails its own test ends with the first; over the air one goes on after the network broke.
"""

import contextlib
import json
import time
from pathlib import Path

import pytest
from diadema.base.paths import DataDir
from diadema.stations.fleet import all_stations
from diadema.stations.image.files import SECTOR
from diadema.stations.update import bundle, keys
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.build import app_image, build_firmware, compile_mpy
from diadema_sim.centre import ACCESS_POINT
from diadema_sim.processes import HostProcesses
from diadema_sim.world import World

from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SPEED = 2.0  # a trial takes its seconds, and a VM on a busy machine must start within them
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
def floor(program, key, tmp_path):
    """`async with floor(count)`: stations whose programs run from slots, their hub and gateway."""

    @contextlib.asynccontextmanager
    async def open_floor(count, wifi=None, body=None, **apps):
        data = DataDir(tmp_path / "data")
        data.make()
        desks = people.desks(count)
        site = people.site(
            desks, name="Muestra", zone="America/Lima", tree=people.LIMA_TREE, wifi=wifi
        )
        data.site.write_text(json.dumps(site))
        data.update_key.write_text(key.public.text)
        vfs = tmp_path / "vfs"
        start_folder(program, vfs)
        first = program_slot(body or program_body(program), "sim", "0.1.0", 1)
        slots = {"slot_a": first, "slot_b": BLANK, **apps}
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
            await processes.allow_provisioning(world.stations.values())
            for station in stations:
                if wifi:
                    await station.set_access_points(ACCESS_POINT)
                await station.power_on()
            while not all(
                row.board and row.generation == row.wanted for row in all_stations(data, 0)
            ):
                await world.sleep(500)  # the hub has to have heard of the boards
            yield world, data

    return open_floor


async def begun(data, tmp_path, made):
    file = tmp_path / "app.bundle"
    file.write_bytes(made)
    added = await ask_hub(data, "hub.update", {"do": "add", "path": str(file)})
    plan = {"sha256": added["sha256"], "stages": ["1", "all"]}
    await ask_hub(data, "hub.update", {"do": "start", "plan": plan})


async def newest(data):
    return (await ask_hub(data, "hub.update", {"do": "status"}))["rollouts"][-1]


async def ended(world, data, status):
    """The newest roll-out, once it is that."""
    while (told := await newest(data))["status"] != status:
        assert told["status"] == "running", told
        await world.sleep(1000)
    return told


async def test_both_take_what_is_good_and_the_first_alone_what_is_not(
    floor, program, key, tmp_path
):
    now = int(time.time())
    made = bundle.sign(program_body(program), key, board="sim", version="0.2.0", made=now)
    worse = changed(program, tmp_path, "drivers/ssd1306.py", "_init = ", FAILS)
    worse = bundle.sign(worse, key, board="sim", version="0.3.0", made=now + 1)
    async with floor(2) as (world, data):
        await begun(data, tmp_path, made)
        told = await ended(world, data, "done")
        assert [seat["phase"] for seat in told["seats"]] == ["good", "good"]
        assert {row.version for row in all_stations(data, 0)} == {"0.2.0"}

        await begun(data, tmp_path, worse)
        told = await ended(world, data, "stopped")
        (seat,) = told["seats"]
        assert (told["why"], seat["reason"]) == ("failures", "rolled_back: screen")
        assert {row.version for row in all_stations(data, 0)} == {"0.2.0"}


async def test_a_plug_pulled_in_each_trial_is_no_failure(floor, program, key, tmp_path):
    made = bundle.sign(
        program_body(program), key, board="sim", version="0.2.0", made=int(time.time())
    )
    async with floor(2) as (world, data):
        await begun(data, tmp_path, made)
        pulled = set()
        while (told := await newest(data))["status"] == "running":
            for station in world.stations.values():
                boots = [
                    seen.event["firmware"]
                    for seen in world.witness.events(station.id)
                    if seen.event["k"] == "station.booted"
                ]
                if station.id not in pulled and "0.2.0" in boots:
                    pulled.add(station.id)
                    await station.power_cut()
                    await station.power_on()
            await world.sleep(500)
        assert (told["status"], len(pulled)) == ("done", 2)
        assert [seat["phase"] for seat in told["seats"]] == ["good", "good"]
        assert {row.version for row in all_stations(data, 0)} == {"0.2.0"}


async def test_one_whose_psram_is_gone_says_so_and_is_passed_over(floor, program, key, tmp_path):
    made = bundle.sign(
        program_body(program), key, board="sim", version="0.2.0", made=int(time.time())
    )
    async with floor(2) as (world, data):
        station = next(iter(world.stations.values()))
        await station.power_cut()
        station.psram = False
        await station.power_on()

        def broken():
            return next(row for row in all_stations(data, 0) if row.station == station.id)

        while broken().safe is None:
            await world.sleep(500)
        assert (broken().safe, broken().needs_image) == ("no_psram", "no_psram")
        assert broken().build == "ESP32_GENERIC-SPIRAM"
        await begun(data, tmp_path, made)
        told = await ended(world, data, "done")
        phases = {seat["s"]: (seat["phase"], seat["reason"]) for seat in told["seats"]}
        assert phases.pop(station.id) == ("passed", "no_psram")
        assert [*phases.values()] == [("good", None)]


async def test_micropython_itself_is_rolled_out_too(floor, key, tmp_path):
    def signed(version, image, made):
        return bundle.sign(image, key, board="sim", version=version, made=made,
                           what="micropython", chip=0, mpy="6.3",
                           build="ESP32_GENERIC-SPIRAM", psram="quad")  # fmt: skip

    now, noise = int(time.time()), bytes(range(256)) * 20
    good = signed("1.29.0", app_image("1.29.0", noise), now)
    dead = signed("1.30.0", app_image(None, noise), now + 1)
    apps = {
        "otadata": b"\xff" * 0x2000,
        "ota_0": app_image("1.28.0", noise).ljust(0x8000, b"\xff"),
        "ota_1": b"\xff" * 0x8000,
    }
    async with floor(2, **apps) as (world, data):
        assert {row.micropython for row in all_stations(data, 0)} == {"1.28.0"}
        await begun(data, tmp_path, good)
        told = await ended(world, data, "done")
        assert [seat["phase"] for seat in told["seats"]] == ["good", "good"]
        assert {row.micropython for row in all_stations(data, 0)} == {"1.29.0"}

        await begun(data, tmp_path, dead)
        told = await ended(world, data, "stopped")
        (seat,) = told["seats"]
        assert (told["why"], seat["reason"]) == ("failures", "rolled_back: no_start")
        assert {row.micropython for row in all_stations(data, 0)} == {"1.29.0"}


async def test_over_the_air_it_goes_on_where_the_network_broke(floor, program, key, tmp_path):
    now, body = int(time.time()), program_body(program)
    made = bundle.sign(body, key, board="sim", version="0.2.0", made=now)
    async with floor(1, wifi=people.WIFI) as (world, data):
        (station,) = world.stations.values()
        station.cable.pull()
        while [row.ways for row in all_stations(data, 0)] != [["wifi"]]:
            await world.sleep(500)
        await begun(data, tmp_path, made)
        slot = station.slots["slot_b"]
        while slot.programmed < SLOT_BYTES // 10:
            await world.sleep(20)
        await station.set_access_points({})
        while all_stations(data, 0)[0].link != "lost":
            await world.sleep(500)
        await station.set_access_points(ACCESS_POINT)
        told = await ended(world, data, "done")
        assert [seat["phase"] for seat in told["seats"]] == ["good"]
        once = -(-len(body) // SECTOR) + 1  # and the trailer's
        assert slot.erased <= (once + 1) * SECTOR  # the one that was under way came again
        (row,) = all_stations(data, 0)
        assert (row.version, row.ways) == ("0.2.0", ["wifi"])


@pytest.mark.parametrize("link", ["usb", "wifi"])
async def test_a_program_that_cannot_prove_who_it_is_is_brought_up(
    floor, program, key, tmp_path, link
):
    """It says nothing of a key, and answers no question of one."""
    old = changed(program, tmp_path, "lib/app.py", "        self.uplink.proof = self._proof\n", "")
    made = bundle.sign(
        program_body(program), key, board="sim", version="0.2.0", made=int(time.time())
    )
    wifi = people.WIFI if link == "wifi" else None
    async with floor(1, wifi=wifi, body=old) as (world, data):
        (station,) = world.stations.values()
        if link == "wifi":
            station.cable.pull()
            while [row.ways for row in all_stations(data, 0)] != [["wifi"]]:
                await world.sleep(500)
            assert not all_stations(data, 0)[0].proves
        since = len(world.witness.events(station.id))
        await begun(data, tmp_path, made)
        told = await ended(world, data, "done")
        assert [seat["phase"] for seat in told["seats"]] == ["good"]
        if link == "wifi":
            station.cable.plug()
            while sorted(all_stations(data, 0)[0].ways) != ["usb", "wifi"]:
                await world.sleep(500)
        # it proves itself now, and hears commands by its cable
        await world.wait_event(
            station.id, lambda event: event["k"] == "station.clock", since=since, timeout_s=120
        )
        row = all_stations(data, 0)[0]
        assert (row.version, row.proves) == ("0.2.0", True)
