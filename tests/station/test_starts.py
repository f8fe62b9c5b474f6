"""Starts that lose their power, that crash, and that find no PSRAM: what runs next, and why."""

# ruff: noqa: F811 - fixtures of another file
import json
import random

import pytest
from diadema.stations.image.files import pack
from diadema.stations.update import bundle
from diadema_sim.build import SimBoard

from tests.station.test_update import (  # noqa: F401 - three fixtures
    CRASHES,
    KEY,
    OLD,
    body,
    changed,
    over_its_cable,
    slots,
    tiny,
    untried,
    vfs,
)
from tests.station.test_update_micropython import APPS, BUILD, app_image, micropython, partition
from tests.support.program_slots import program_slot, start_files
from tests.support.station_bench import STATION

START_MS = 70_000  # longer than it takes to count as one that works


def safe(bench):
    return [hello["cause"] for hello in bench.host.hellos if hello.get("safe")]


async def start(bench, for_ms=0):
    """With the power, for so long; the boot that it told, or None."""
    since = bench.since()
    await bench.station.power_on()
    await bench.world.sleep(for_ms)
    told = [seen.event for seen in bench.world.witness.events(STATION)[since:]]
    return next((event for event in told if event["k"] == "station.booted"), None)


async def test_no_cut_of_power_ends_in_safe_mode(slots):
    """Sixty, at any second of a start: the loose plug of one desk."""
    chance = random.Random(21)
    causes = []
    async with slots() as bench:
        for _ in range(60):
            await bench.station.power_cut()
            booted = await start(
                bench, chance.choice((500, 2_000, 9_000, START_MS)) * chance.random()
            )
            causes.append(booted["cause"] if booted else None)
        assert not safe(bench)
        assert set(causes) <= {"power_on", "power_unsteady", None}
        await bench.station.power_cut()
        await start(bench, START_MS)
        await bench.ready()
        numbers = [seen.sequence for seen in bench.world.witness.events(STATION)]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_ten_starts_without_work_make_one_without_the_radio(slots):
    """A supply that breaks down when the radio starts looks the same, and works meanwhile."""
    broker = {"host": "127.0.0.1", "port": 1, "ca": "AAAA", "user": "u", "password": "p"}
    wifi = {"ssid": "Piso 3", "password": "una clave larga"}
    async with slots() as bench:
        content = json.loads(bench.host.configuration()) | {"wifi": wifi, "broker": broker}
        number = bench.host.configure(json.dumps(content).encode())
        assert (await bench.host.answer(number))["k"] == "station.config"
        found = []
        for _ in range(12):
            await bench.station.power_cut()
            booted = await start(bench, 5_000)
            modules = (await bench.station.dump())["modules"]
            found.append((booted["cause"], "drivers.wifi" in modules))
        works = ("power_on", True)
        assert found == [*[works] * 9, ("power_unsteady", False), works, works]
        await bench.world.sleep(START_MS)
        for _ in range(9):
            await bench.station.power_cut()
            assert (await start(bench, 1_000))["cause"] == "power_on"


async def test_a_program_that_dies_at_once_is_in_safe_mode_within_three_starts(slots, tmp_path):
    """Whatever happens to the power between them."""
    dead = program_slot(tiny(tmp_path, CRASHES), "sim", "1", OLD)
    async with slots(a=dead, configured=False) as bench:
        for _ in range(2):
            await bench.until(lambda: safe(bench))
            assert set(safe(bench)) == {"crashes"}
            assert bench.station.restarts == ["hard"] * 3
            await bench.station.power_cut()
            bench.host.hellos.clear()
            await bench.station.power_on()  # which is no way out by itself
            await bench.until(lambda: safe(bench))


@pytest.fixture(scope="session")
def crashing(image, tmp_path_factory):
    """A whole program, with its drivers, that ends at once."""
    folder = tmp_path_factory.mktemp("crashing")
    source = "    memory.begin()\n"
    return changed(image, folder, "start.py", source, "    raise ValueError('out of ideas')\n")


@pytest.mark.parametrize(  # plain buttons, one that is looked at, a touch pad, a ladder
    ("board", "key"), [("sim", 1), ("lyrat_v4_3", 1), ("lyrat_v4_3", 4), ("s3_korvo2", 4)]
)
async def test_a_key_held_for_three_seconds_leaves_safe_mode(slots, crashing, board, key):
    dead = program_slot(crashing, "sim", "1", OLD)
    async with slots(a=dead, configured=False, board=SimBoard(board)) as bench:
        await bench.until(lambda: safe(bench))
        lit = []
        for _ in range(6):
            lit.append(set((await bench.station.lights()).values()))
            await bench.world.sleep(300)
        assert {True} in lit and {False} in lit and len(lit) == 6
        assert any(await bench.station.screen())
        before = len(bench.station.restarts)
        await bench.station.press(key, 1_500)
        await bench.world.sleep(2_000)
        assert len(bench.station.restarts) == before
        await bench.station.ask({"do": "press", "key": key, "bounce": 0})
        await bench.until(lambda: len(bench.station.restarts) > before)
        bench.host.hellos.clear()
        await bench.until(lambda: safe(bench))
        assert bench.station.restarts[before:] == ["hard"] * 4  # the program is tried three times


async def test_the_host_has_safe_mode_start_again(slots, crashing, site):
    dead = program_slot(crashing, "sim", "1", OLD)
    async with slots(a=dead, configured=False) as bench:
        await bench.until(lambda: safe(bench))
        before = len(bench.station.restarts)
        bench.host.command("restart")
        await bench.until(lambda: len(bench.station.restarts) >= before + 4)
        assert any(hello.get("done") == "restart" for hello in bench.host.hellos)


async def test_after_five_minutes_safe_mode_starts_again_by_itself(slots, crashing):
    dead = program_slot(crashing, "sim", "1", OLD)
    async with slots(a=dead, configured=False) as bench:
        await bench.until(lambda: safe(bench))
        before = len(bench.station.restarts)
        await bench.until(lambda: len(bench.station.restarts) > before)
        assert 55 <= len(safe(bench)) <= 65, "it greets each five seconds, or a little later"


# ---------------------------------------------------------------------- a program on trial


async def test_three_starts_of_a_trial_may_lose_their_power(slots, body):
    async with slots(b=untried(body)) as bench:
        for _ in range(3):
            await bench.station.power_cut()
            assert (await start(bench, 3_000))["firmware"] == "2"
        good = await bench.event("station.update", phase="good")
        assert good["version"] == "2"


async def test_the_fourth_counts_as_its_fault(slots, body):
    async with slots(b=untried(body)) as bench:
        for _ in range(3):
            await bench.station.power_cut()
            assert (await start(bench, 3_000))["firmware"] == "2"
        await bench.station.power_cut()
        assert (await start(bench, 3_000))["firmware"] == "1"
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", "power")


async def test_what_crashes_has_no_second_start(slots, tmp_path):
    """Also when the power goes right after it."""
    async with slots(b=untried(tiny(tmp_path, CRASHES)), configured=False) as bench:
        await bench.until(lambda: bench.station.restarts)
        await bench.station.power_cut()
        assert (await start(bench, 3_000))["firmware"] == "1"


# ---------------------------------------------------------------------- without PSRAM

GONE = {"no_psram": ("", False), "old_image": ("ESP32_GENERIC-OTA", True)}


@pytest.mark.parametrize("cause", GONE)
async def test_a_good_program_without_psram_goes_into_safe_mode(slots, body, cause):
    async with slots() as bench:
        await bench.station.power_cut()
        bench.station.build, bench.station.psram = GONE[cause]
        since = bench.since()
        await start(bench, 10_000)
        hello = bench.host.hellos[-1]
        assert (hello["safe"], hello["cause"], hello["board"]) == (True, cause, "sim")
        assert hello["build"] == (bench.station.build or "ESP32_GENERIC-SPIRAM")
        assert any(await bench.station.screen())
        assert not bench.kinds(since)
        dump = await bench.station.dump()
        assert "drivers.wifi" not in dump["modules"] and "lib.app" not in dump["modules"]
        await bench.station.power_cut()
        bench.station.build, bench.station.psram = "", True
        assert (await start(bench, START_MS))["cause"] == "power_on"
        numbers = [seen.sequence for seen in bench.world.witness.events(STATION)]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_a_program_on_trial_without_psram_goes_back(slots, body):
    async with slots(b=untried(body), configured=False) as bench:
        await bench.station.power_cut()
        bench.station.psram = False
        await start(bench, 10_000)
        await bench.until(lambda: safe(bench))
        assert set(safe(bench)) == {"no_psram"}
        await bench.station.power_cut()
        bench.station.psram = True
        assert (await start(bench, 1_000))["firmware"] == "1"
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", "no_psram")


OLD_IMAGE = "\0ESP32_GENERIC-OTA\0"


async def test_a_micropython_on_trial_without_psram_goes_back(slots):
    """Signed for this station, and with no driver in spite of what its manifest says."""
    async with slots(**APPS) as bench:
        since = bench.since()
        await bench.send(micropython(app_image(build=OLD_IMAGE)))
        told = await bench.event("station.update", since, phase="rolled_back")
        assert (told["what"], told["reason"]) == ("micropython", "old_image")
        booted = await bench.event("station.booted", since)
        assert (booted["micropython"], booted["psram"]) == ("1.28.0", 4 << 20)


async def test_safe_mode_takes_the_micropython_that_it_lacks(slots, site):
    """Over the cable, and the same program runs."""
    old = APPS | {"ota_0": partition(app_image("1.28.0", build=OLD_IMAGE))}
    async with slots(**old, configured=False) as bench:
        await bench.until(lambda: safe(bench))
        assert set(safe(bench)) == {"old_image"}
        (bench.station.folder / "files" / "update.key").write_text(KEY.public.text)
        image = app_image("1.29.0")
        about = {"what": "micropython", "chip": 0, "mpy": "6.3", **BUILD}
        made = bundle.sign(image, KEY, board="sim", version="1.29.0", made=2_000_000_000, **about)
        hello = await over_its_cable(bench, site, bundle.read(made))
        assert (hello.firmware, hello.micropython) == ("1", "1.29.0")
        good = await bench.event("station.update", phase="good")
        assert (good["what"], good["version"]) == ("micropython", "1.29.0")


# ---------------------------------------------------------------------- the watchdog's feeder


def failing(image, tmp_path, file, name):
    fails = f"def {name}(*_):\n    raise MemoryError\n\n\ndef _{name}("
    return changed(image, tmp_path, file, f"def {name}(", fails)


@pytest.mark.parametrize(
    ("file", "name"), [("lib/updating.py", "tell_news"), ("lib/start_files.py", "renew")]
)
async def test_whatever_fails_in_it_the_watchdog_is_fed(slots, image, tmp_path, file, name):
    program = failing(image, tmp_path, file, name)
    async with slots(a=program_slot(program, "sim", "1", OLD)) as bench:
        await bench.world.sleep(200_000)
        assert not bench.station.restarts
        await bench.ready()


async def test_a_trial_that_cannot_be_judged_has_failed(slots, image, tmp_path):
    program = failing(image, tmp_path, "lib/updating.py", "judge")
    async with slots(b=untried(program)) as bench:
        told = await bench.event("station.update", phase="rolled_back")
        assert (told["version"], told["reason"]) == ("2", "crash")


# ---------------------------------------------------------------------- what a start reads

IMPORTS = """
import esp32
def main():
    names = "array binascii collections errno hashlib io json machine os random re select socket"
    for name in (names + " struct time").split():
        before = esp32.reads
        __import__(name)
        if esp32.reads != before:
            print("READS", name, esp32.reads - before)
    print("COUNTED")
    import time
    time.sleep(1000)
"""


async def test_no_built_in_is_looked_for_in_a_file_system(slots, image, tmp_path):
    """Each import of one by the program would cost a search through slot and vfs."""
    files = pack(start_files(image), 0x1C000, 4096)
    program = program_slot(tiny(tmp_path, IMPORTS), "sim", "1", OLD)
    async with slots(a=program, vfs=files, configured=False) as bench:
        await bench.world.sleep(5_000)
        console = b"".join(bench.station.console).decode()
        assert "COUNTED" in console and "READS" not in console
