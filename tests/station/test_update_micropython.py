"""MicroPython itself, in two app partitions with a boot loader's otadata, in the VM: an update is
taken, tried, and counts; what does not come up is gone back from.
"""

# ruff: noqa: F811 - fixtures of another file
import asyncio
import random

import pytest
from diadema.stations.image.slots import selected_app
from diadema.stations.update import bundle, keys
from diadema_sim.flash import CutPlan

from tests.station.test_update import (  # noqa: F401 - three fixtures
    FIRMWARE,
    KEY,
    OLD,
    body,
    changed,
    compiled,
    parts,
    slots,
    vfs,
)
from tests.support.program_slots import program_slot
from tests.support.stock_image import esp_image

APP_BYTES = 0x10000
SECTOR = 4096
NOISE = random.Random(9).randbytes(20_000)
MPY = "6.3"
BUILD = {"build": "ESP32_GENERIC-SPIRAM", "psram": "quad"}


def app_image(
    version="1.29.0",
    chip="esp32",
    banner="MicroPython v{} on 2026-08-29; sim",
    noise=NOISE,
    build="\0ESP32_GENERIC-SPIRAM\0quad_psram",
):
    image = esp_image(chip, (banner.format(version) + build).encode() + noise)
    return image + b"\xff" * (-len(image) % 256)


def partition(image):
    return image.ljust(APP_BYTES, b"\xff")


APPS = {
    "otadata": b"\xff" * (2 * SECTOR),
    "ota_0": partition(app_image("1.28.0")),
    "ota_1": b"\xff" * APP_BYTES,
}


def micropython(image=None, version="1.29.0", **more):
    about = {"what": "micropython", "chip": 0, "mpy": MPY, **BUILD, **more}
    return parts(image or app_image(version), version=version, **about)


def commands(data):
    """Of a bundle that the host's own reader would refuse."""
    made = bundle.Bundle(data, None, b"", b"")
    return made.commands()


def starts(bench):
    """Which app partition the boot loader takes next, read with the host's own parser."""
    return selected_app(bytes(bench.station.slots["otadata"].image), 2)


async def test_a_newer_one_is_taken_tried_and_good(slots):
    async with slots(**APPS) as bench:
        assert (await bench.event("station.booted"))["micropython"] == "1.28.0"
        assert starts(bench) == (0, "good")
        since = bench.since()
        told = await bench.send(micropython())
        assert (told["phase"], told["what"], told["version"]) == (
            "verified", "micropython", "1.29.0",
        )  # fmt: skip
        booted = await bench.event("station.booted", since)
        assert (booted["micropython"], booted["cause"]) == ("1.29.0", "update")
        assert starts(bench) == (1, "on trial")
        good = await bench.event("station.update", since, phase="good")
        assert (good["what"], good["version"]) == ("micropython", "1.29.0")
        assert starts(bench) == (1, "good")
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        assert (await bench.event("station.booted", since))["micropython"] == "1.29.0"

        since = bench.since()
        await bench.send(micropython(version="1.29.1", made=2_000_000_001))
        await bench.event("station.update", since, phase="good", version="1.29.1")
        assert starts(bench) == (0, "good")
        assert not any(flash.violations for flash in bench.station.slots.values())


async def test_what_is_not_for_it_is_refused_and_changes_nothing(slots):
    cases = {
        "wrong_chip": micropython(app_image(chip="esp32s3"), chip=9),
        "downgrade": micropython(version="1.27.2"),
        "other_mpy": micropython(mpy="6.4"),
        "other_build": micropython(psram="none", build="ESP32_GENERIC-OTA"),
        "wrong_board": micropython(board="lyrat_v4_3"),
        "bad_signature": micropython(key=keys.generate()),
        "wrong_length": micropython(bytes(APP_BYTES - SECTOR + 256)),
    }
    async with slots(**APPS) as bench:
        for reason, made in cases.items():
            refused = await bench.send(made)
            assert (refused["phase"], refused["reason"]) == ("refused", reason)
        assert bench.station.slots["ota_1"].erased == 0 and starts(bench) == (0, "good")


async def test_where_there_is_one_app_partition_it_is_refused(slots):
    async with slots() as bench:
        refused = await bench.send(micropython())
        assert (refused["phase"], refused["reason"]) == ("refused", "no_slots")


async def test_a_body_that_is_not_what_was_signed_never_starts(slots):
    async with slots(**APPS) as bench:
        image = app_image()
        whole = bundle.sign(image, KEY, board="sim", version="1.29.0", made=2_000_000_000,
                            what="micropython", chip=0, mpy=MPY, **BUILD)  # fmt: skip
        corrupt = bytearray(whole)
        corrupt[-5000] ^= 0x10
        refused = await bench.send(commands(bytes(corrupt)))
        assert (refused["phase"], refused["reason"]) == ("refused", "bad_hash")
        assert starts(bench) == (0, "good")


async def test_what_the_boot_loader_would_not_start_is_never_chosen(slots):
    """Signed, but no image of this chip: nobody is told to start it."""
    async with slots(**APPS) as bench:
        for image in (bytes(5120), app_image()[:-2048], app_image(chip="esp32s3")):
            refused = await bench.send(micropython(image))
            assert (refused["phase"], refused["reason"]) == ("refused", "bad_image")
            assert starts(bench) == (0, "good")


async def test_one_that_never_comes_up_is_gone_back_from(slots):
    async with slots(**APPS) as bench:
        dead = app_image(banner="some other program, {}")
        since = bench.since()
        await bench.send(micropython(dead))
        told = await bench.event("station.update", since, phase="rolled_back")
        assert (told["what"], told["version"], told["reason"]) == (
            "micropython", "1.29.0", "no_start",
        )  # fmt: skip
        booted = await bench.event("station.booted", since)
        assert booted["micropython"] == "1.28.0" and starts(bench) == (0, "good")
        await bench.ready()


async def test_one_under_which_a_part_fails_is_gone_back_from(slots, image, tmp_path):
    """The same program, whose screen that MicroPython cannot drive."""
    fails = (
        "def __init__(self, *rest, **options):\n"
        "        import sys\n"
        "        if sys.implementation.version[1] == 29:\n"
        "            raise OSError(19)\n"
        "        Oled.__init__(self, *rest, **options)\n\n"
        "    _init = "
    )
    weak = changed(image, tmp_path, "drivers/ssd1306.py", "_init = ", fails)
    async with slots(a=program_slot(weak, "sim", "1", OLD), **APPS) as bench:
        since = bench.since()
        await bench.send(micropython())
        told = await bench.event("station.update", since, phase="rolled_back")
        assert (told["what"], told["reason"]) == ("micropython", "screen")
        assert starts(bench) == (0, "good")
        await bench.ready()


@pytest.fixture
def before_boot(tmp_path):
    """`before_boot(bench, source)`: what happens under 1.29 where the vfs's first module loads."""

    def put(bench, source):
        line = f"import sys\nif sys.implementation.version[1] == 29:\n    {source}\n"
        changed = (FIRMWARE / "slots.py").read_text().replace("import sys\n", line, 1)
        file = bench.station.folder / "files" / "slots.mpy"
        file.unlink()
        file.write_bytes(compiled(tmp_path, "slots.py", changed)["slots.mpy"])

    return put


async def test_one_that_cannot_load_our_files_is_gone_back_from(slots, before_boot):
    """Before there is a program that could tell: `boot.py` is text, and resets."""
    async with slots(**APPS) as bench:
        before_boot(bench, "raise ValueError('incompatible .mpy file')")
        since = bench.since()
        await bench.send(micropython())
        told = await bench.event("station.update", since, phase="rolled_back")
        assert told["reason"] == "no_start"
        assert b"incompatible .mpy file" in b"".join(bench.station.console)
        assert starts(bench) == (0, "good")


async def test_one_that_hangs_before_there_is_a_watchdog_waits_for_the_power(slots, before_boot):
    async with slots(**APPS) as bench:
        before_boot(bench, "while True: __import__('time').sleep(1)")
        since = bench.since()
        await bench.send(micropython())
        while starts(bench) != (1, "on trial"):  # the boot loader needs no clock
            await bench.world.sleep(10)
        await bench.world.sleep(120_000)
        assert "station.booted" not in bench.kinds(since)
        await bench.station.power_cut()
        await bench.station.power_on()
        told = await bench.event("station.update", since, phase="rolled_back")
        assert told["reason"] == "power" and starts(bench) == (0, "good")


async def test_power_that_goes_while_it_is_tried_goes_back(slots):
    async with slots(**APPS) as bench:
        since = bench.since()
        await bench.send(micropython())
        booted = await bench.event("station.booted", since)
        assert booted["micropython"] == "1.29.0"
        await bench.station.power_cut()
        await bench.station.power_on()
        told = await bench.event("station.update", since, phase="rolled_back")
        assert (told["what"], told["reason"]) == ("micropython", "power")
        since = bench.since()
        told = await bench.send(micropython())  # once more, from its beginning
        assert told["phase"] == "verified"
        await bench.event("station.update", since, phase="good")
        assert starts(bench) == (1, "good")


async def test_a_break_in_the_middle_goes_on_where_the_flash_has_it(slots):
    async with slots(**APPS) as bench:
        blocks = micropython()
        told = await bench.send(blocks, until=33)
        await bench.station.power_cut()
        since = bench.since()
        await bench.station.power_on()
        await bench.event("station.booted", since)
        number = next(bench.host._numbers)
        await bench.host.sent(blocks[0] | {"i": number})
        goes_on = await bench.event("station.update", since, i=number)
        assert told["next"] - 10 <= goes_on["next"] <= told["next"]
        assert (await bench.send(blocks))["phase"] == "verified"
        await bench.event("station.update", since, phase="good")


async def test_no_update_is_taken_while_another_has_to_prove_itself(slots, body):
    async with slots(**APPS) as bench:
        since = bench.since()
        await bench.send(micropython())
        await bench.event("station.booted", since)
        refused = await bench.send(parts(body, version="2"))
        assert (refused["phase"], refused["reason"]) == ("refused", "busy")
        await bench.event("station.update", since, phase="good")


async def test_a_cut_at_the_choice_leaves_the_old_one(slots):
    """In the writing of otadata, by the station and by the boot loader."""
    chance = random.Random(3)
    blocks = micropython(app_image(noise=NOISE[:1000]))
    async with slots(**APPS) as bench:
        for programmed in (0, 20, 32, 40, 64):  # erased, torn, chosen, nearly and all on trial
            since, number = bench.since(), next(bench.host._numbers)
            plan = CutPlan(programmed, chance, at_erase=programmed == 0)
            cut = asyncio.create_task(bench.station.power_cut_in_flash(plan, 60, only="otadata"))
            await asyncio.sleep(0)
            for block in blocks:
                await bench.host.sent(block | {"i": number})
            while not cut.done():
                await bench.world.sleep(1_000)
            assert await cut
            await bench.station.power_on()
            booted = await bench.event("station.booted", since, micropython="1.28.0")
            await bench.world.sleep(70_000)  # it counts as one that works
            assert booted["cause"] in ("power_on", "update")
        since = bench.since()
        await bench.send(micropython())
        await bench.event("station.update", since, phase="good")
        assert not any(flash.violations for flash in bench.station.slots.values())
