"""Programs in slots, in the VM: start, update, trial, rollback, safe mode."""

import asyncio
import json
import random
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from diadema.base.errors import UpdateError
from diadema.stations.image.files import (
    PACKED,
    SLOT_BLOCK,
    pack_slot,
    unpack,
    unpack_slot,
)
from diadema.stations.update import bundle, keys
from diadema.stations.update.cable import bring
from diadema_sim.build import SIM, compile_mpy
from diadema_sim.flash import CutPlan
from diadema_sim.world import World

from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.support.station_bench import MONDAY_8_LIMA, STATION, Bench
from tests.support.wire_host import WireHost

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
KEY = keys.generate()
OLD = 1_000
BLANK = b"\xff" * SLOT_BYTES
_AGAIN_S = 5


def parts(body, key=KEY, board="sim", version="2", made=2_000_000_000, **more):
    """The commands that bring a program, without their number."""
    signed = bundle.sign(body, key, board=board, version=version, made=made, **more)
    return bundle.read(signed).commands()


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
            "update_key": KEY.public.text
        }).encode()  # fmt: skip


class UpdateBench(Bench):
    async def send(self, blocks, until=None):
        """As a hub does: the lines, then what the station waits for, and again what it does not
        answer. The event that ended it, or the first whose `next` is at least `until`.
        """
        number = next(self.host._numbers)
        since, told, last = self.since(), 1, 2
        while True:
            for block in blocks[told - 1 : last]:
                await self.host.sent(block | {"i": number})
            try:
                async with asyncio.timeout(_AGAIN_S):
                    event = await self.event("station.update", since, i=number)
            except TimeoutError:
                continue
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
    async def open_slots(a=None, b=BLANK, configured=True, board=SIM, **more):
        content = {"slot_a": a or program_slot(body, "sim", "1", OLD), "slot_b": b, **more}
        world = World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=vfs)
        async with world:
            station = await world.add_station(STATION, slots=content, board=board)
            host = KeyedHost(station, site)
            badges = [agent.badges[0].partition(":")[2] for agent in site.agents]
            bench = UpdateBench(world, station, host, badges)
            with world.actor():
                await station.power_on()
                if configured:
                    await bench.event("station.clock")
                    await bench.event("station.config")
                yield bench
            bench.host.close()

    return open_slots


def compiled(tmp_path, name, source):
    (tmp_path / "changed.py").write_text(source)
    out = tmp_path / "changed.mpy"
    compile_mpy(tmp_path / "changed.py", out, name)
    return {name.replace(".py", ".mpy"): out.read_bytes()}


def changed(image, tmp_path, name, old, new):
    """The body of a program in which one line is another."""
    source = (FIRMWARE / name).read_text()
    assert old in source
    return program_body(image, compiled(tmp_path, name, source.replace(old, new, 1)))


def tiny(tmp_path, source):
    """The body of a program that is one file."""
    return pack_slot(compiled(tmp_path, "start.py", source), SLOT_BYTES)


def untried(body):
    return program_slot(body, "sim", "2", 2_000, good=False)


CRASHES = "def main():\n    raise ValueError('out of ideas')\n"
HANGS = "import time\ndef main():\n    while True:\n        time.sleep(1)\n"


async def test_an_update_is_taken_tried_and_good_and_told_as_its_trailer_says(slots, body):
    async with slots() as bench:
        assert bench.host.hellos[-1]["firmware"] == "1"
        since = bench.since()
        told = await bench.send(parts(body, version="0.2.0"))
        assert told["phase"] == "verified"
        booted = await bench.event("station.booted", since)
        assert (booted["firmware"], booted["cause"]) == ("0.2.0", "update")
        good = await bench.event("station.update", since, phase="good")
        assert good["version"] == bench.host.hellos[-1]["firmware"] == "0.2.0"
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        booted = await bench.event("station.booted", since)
        assert (booted["firmware"], booted["cause"]) == ("0.2.0", "power_on")
        assert not bench.station.slots["slot_a"].violations
        assert not bench.station.slots["slot_b"].violations


async def test_a_break_of_power_costs_a_sector_at_most(slots, body):
    blocks = parts(body, version="2")
    async with slots() as bench:
        told = await bench.send(blocks, until=97)
        assert told["next"] >= 97
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.booted", since)
        number = next(bench.host._numbers)
        await bench.host.sent(blocks[0] | {"i": number})
        goes_on = await bench.event("station.update", since, i=number)
        assert goes_on["phase"] == "receiving"
        assert told["next"] - 10 <= goes_on["next"] <= told["next"] + 40


async def test_nothing_comes_in_while_somebody_works(slots, body):
    async with slots() as bench:
        await bench.ready()
        refused = await bench.send(parts(body))
        assert (refused["phase"], refused["reason"]) == ("refused", "busy")
        assert set(bench.station.slots["slot_b"].image) == {0xFF}


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [({"board": "lyrat_v4_3"}, "wrong_board"), ({"made": OLD}, "downgrade")],
)
async def test_what_is_not_for_it_is_refused_and_changes_nothing(slots, body, manifest, reason):
    async with slots() as bench:
        refused = await bench.send(parts(body, **manifest))
        assert (refused["phase"], refused["reason"]) == ("refused", reason)
        assert bench.station.slots["slot_b"].erased == 0


async def test_another_key_is_refused(slots, body):
    async with slots() as bench:
        refused = await bench.send(parts(body, keys.generate()))
        assert refused["reason"] == "bad_signature"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (CRASHES, "crash"),
        ("raise ValueError('out of ideas')", "crash"),
        ("import nothing_of_ours", "crash"),
        ("def main():\n    pass", "end"),
        (HANGS, "watchdog"),
    ],
    ids=["crashes", "at_import", "without_a_module", "ends", "hangs"],
)
async def test_a_program_that_does_not_come_to_work_is_rolled_back(
    slots, tmp_path, program, reason
):
    async with slots(b=untried(tiny(tmp_path, program))) as bench:
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", reason)
        booted = await bench.event("station.booted")
        assert booted["firmware"] == "1"
        if reason == "crash":
            assert booted["cause"] == "crash"
            assert "out of ideas" in booted["text"] or "nothing_of_ours" in booted["text"]


@pytest.mark.parametrize("damaged", [None, "lib/app.mpy", "drivers/ssd1306.mpy"])
async def test_a_program_whose_files_are_damaged_is_rolled_back(slots, body, damaged):
    if damaged is None:  # the index of them all
        worse = bytearray(body)
        at = int(unpack(body, SLOT_BLOCK)[PACKED])
        worse[at : at + 64] = bytes(64)
    else:
        files = unpack_slot(body)
        worse = pack_slot(files | {damaged: bytes(64) + files[damaged][64:]}, SLOT_BYTES)
    async with slots(b=untried(bytes(worse))) as bench:
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", "crash")


async def test_a_driver_that_fails_in_the_new_program_alone_is_its_end(slots, image, tmp_path):
    ends = "def __init__(self, *rest, **options):\n        raise OSError(19)\n    _init = "
    worse = changed(image, tmp_path, "drivers/ssd1306.py", "_init = ", ends)
    async with slots(b=untried(worse)) as bench:
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", "screen")
        await bench.ready()


async def test_whatever_a_cut_of_power_leaves_the_old_program_comes_back(slots, tmp_path):
    chance = random.Random(5)
    blocks = parts(tiny(tmp_path, CRASHES), version="2")
    async with slots() as bench:
        for programmed in (0, 60, 900, 1_300, 2_100):
            since = bench.since()
            number = next(bench.host._numbers)
            plan = CutPlan(programmed, chance, at_erase=programmed == 0)
            cut = asyncio.create_task(bench.station.power_cut_in_flash(plan, 3))
            await asyncio.sleep(0)
            for block in blocks:
                await bench.host.sent(block | {"i": number})
            await bench.world.sleep(40_000)
            await cut
            await bench.station.power_on()
            booted = await bench.event("station.booted", since)
            assert booted["firmware"] == "1"
            await bench.world.sleep(70_000)  # it counts as one that works
        for flash in bench.station.slots.values():
            assert not flash.violations
        numbers = [seen.sequence for seen in bench.world.witness.events(STATION)]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_program_that_ends_again_and_again_leads_to_safe_mode(slots, tmp_path, body):
    dead = program_slot(tiny(tmp_path, CRASHES), "sim", "1", OLD)
    async with slots(a=dead, configured=False) as bench:
        await bench.until(lambda: any(hello.get("safe") for hello in bench.host.hellos))
        hello = bench.host.hellos[-1]
        assert (hello["cause"], hello["board"], hello["up"]) == ("crashes", "sim", False)
        assert bench.station.restarts.count("hard") >= 3
        assert not bench.kinds()  # the journal is as it was


async def without_a_program(bench):
    """To safe mode: what a configured station has in slot_a is found to be bad."""
    await bench.station.power_cut()
    bench.station.slots["slot_a"].program(SLOT_BYTES - 4096 + 88 + 3, b"\0")
    await bench.station.power_on()
    await bench.until(lambda: any(hello.get("safe") for hello in bench.host.hellos[-1:]))


async def test_safe_mode_takes_an_update(slots, body):
    async with slots() as bench:
        await without_a_program(bench)
        assert any(await bench.station.screen())
        since = bench.since()
        blocks = parts(body, version="3")
        told = 1
        while told:
            last = 2 if told == 1 else told + 32 - told % 32
            seen = len(bench.host.hellos)
            for block in blocks[told - 1 : last]:
                await bench.host.sent(block | {"i": 1})
            while not any("update" in hello for hello in bench.host.hellos[seen:]):
                await bench.world.sleep(10)
            answer = [h["update"] for h in bench.host.hellos[seen:] if "update" in h][-1]
            told = answer.get("next")
        assert answer == {"phase": "restarting"}
        good = await bench.event("station.update", since, phase="good")
        assert good["version"] == "3"


async def over_its_cable(bench, site, content, say=lambda _: None):
    """The command has the cable, and the clock goes on meanwhile."""
    bench.host.close()
    bringing = asyncio.create_task(bring(content, bench.station.port, say))
    while not bringing.done():
        await bench.world.sleep(50)
    bench.host = KeyedHost(bench.station, site)
    return await bringing


async def test_a_bundle_comes_over_the_cable_to_safe_mode_alone(slots, body, site):
    def signed(key=KEY):
        made = 2_000_000_000
        return bundle.read(bundle.sign(body, key, board="sim", version="3", made=made))

    said = []
    async with slots() as bench:
        with pytest.raises(UpdateError, match="is not in safe mode, it runs 1"):
            await over_its_cable(bench, site, signed())
        await without_a_program(bench)
        with pytest.raises(UpdateError, match="refuses it: not signed by the key"):
            await over_its_cable(bench, site, signed(keys.generate()))
        hello = await over_its_cable(bench, site, signed(), said.append)
        assert (hello.station, hello.firmware) == (STATION, "3")
        assert any(" %" in str(line) for line in said) and "starts it" in str(said[-1])


async def test_a_program_that_ends_at_once_is_told_by_the_one_who_brought_it(
    slots, tmp_path, site
):
    dead = bundle.sign(tiny(tmp_path, CRASHES), KEY, board="sim", version="3", made=2_000_000_000)
    async with slots() as bench:
        await without_a_program(bench)
        with pytest.raises(UpdateError, match="is in safe mode again: it has no program"):
            await over_its_cable(bench, site, bundle.read(dead))


async def test_safe_mode_forgets_the_configuration_when_told_whose(slots, body):
    async with slots() as bench:
        told = await bench.event("station.config")
        await without_a_program(bench)
        files = bench.station.folder / "files"
        kept = sorted(path.name for path in files.glob("config.*"))
        assert kept
        (files / "wifi.json").write_text("{}")  # as a browser's is kept

        hellos = len(bench.host.hellos)
        await bench.host.sent({"cmd": "factory_reset", "i": 1, "confirm": "DIA-0200000000a2"})
        await bench.host.sent({"hello": {}})
        await bench.until(lambda: len(bench.host.hellos) > hellos)
        assert "done" not in bench.host.hellos[-1]
        assert sorted(path.name for path in files.glob("config.*")) == kept

        restarts = len(bench.station.restarts)
        await bench.host.sent({"cmd": "factory_reset", "i": 2, "confirm": STATION})
        await bench.until(lambda: len(bench.station.restarts) > restarts)
        await bench.until(lambda: any("done" in hello for hello in bench.host.hellos))
        assert [hello["done"] for hello in bench.host.hellos if "done" in hello] == [
            "factory_reset"
        ]
        assert not list(files.glob("config.*")) and not (files / "wifi.json").exists()

        await bench.station.power_cut()
        flash = bench.station.slots["slot_a"]  # somebody brings its program back
        flash.erase(SLOT_BYTES - 4096)
        flash.program(SLOT_BYTES - 4096, program_slot(body, "sim", "1", OLD)[-4096:])
        since, hellos = bench.since(), len(bench.host.hellos)
        bench.host.forget()
        await bench.station.power_on()
        again = await bench.event("station.config", since)
        assert next(hello["generation"] for hello in bench.host.hellos[hellos:]) == 0
        assert again["hash"] == told["hash"]
        numbers = [seen.sequence for seen in bench.world.witness.events(STATION)]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    ("safe", "restart"),
    [("raise OSError(19)", "hard"), (HANGS.replace("main()", "run(why)"), "watchdog")],
    ids=["fails", "hangs"],
)
async def test_a_safe_mode_that_fails_starts_again(slots, tmp_path, safe, restart):
    async with slots() as bench:
        file = bench.station.folder / "files" / "safe.mpy"
        whole = file.resolve()
        file.unlink()
        file.write_bytes(compiled(tmp_path, "safe.py", safe)["safe.mpy"])
        await bench.station.power_cut()
        bench.station.slots["slot_a"].program(SLOT_BYTES - 4096 + 88 + 3, b"\0")
        restarts = len(bench.station.restarts)
        await bench.station.power_on()
        await bench.until(lambda: len(bench.station.restarts) > restarts)
        assert bench.station.restarts[restarts] == restart
        file.unlink()
        file.symlink_to(whole)
        await bench.until(lambda: bench.host.hellos[-1].get("safe"))


async def test_safe_mode_feeds_the_watchdog(slots):
    async with slots() as bench:
        await without_a_program(bench)
        restarts, hellos = len(bench.station.restarts), len(bench.host.hellos)
        await bench.until(lambda: len(bench.host.hellos) > hellos + 15)
        assert len(bench.station.restarts) == restarts
