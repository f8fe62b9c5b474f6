"""What a station tells of the MicroPython that it runs on, and of its two memories."""

import pytest
from diadema.sim.build import SIM, SimBoard

MB = 1 << 20
BUILDS = {
    "sim": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "lyrat_v4_3": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "aithinker_audiokit": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "devkitc_wm8960": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "s3_korvo2": ("ESP32_GENERIC_S3-SPIRAM_OCT", 8 * MB),
}


@pytest.mark.parametrize("name", BUILDS)
async def test_a_boot_tells_build_psram_and_start_files(desk, name):
    async with desk(SimBoard(name)) as bench:
        booted = await bench.event("station.booted")
        assert (booted["build"], booted["psram"]) == BUILDS[name]
        assert booted["start"] >= 0


async def test_another_image_or_psram_that_is_gone(desk):
    async with desk(SIM) as bench:
        cases = (("ESP32_GENERIC-OTA", True), ("ESP32_GENERIC-SPIRAM", False))
        for bench.station.build, bench.station.psram in cases:
            await bench.station.power_cut()
            since = bench.since()
            await bench.station.power_on()
            booted = await bench.event("station.booted", since)
            assert (booted["build"], booted["psram"]) == (bench.station.build, 0)


async def test_health_tells_both_memories(desk):
    async with desk(SIM) as bench:
        await bench.world.sleep(900_000)
        health = await bench.event("station.health")
        assert health["heap"] >= health["gc_free"] >= 0
        assert health["idf"] >= health["idf_largest"] > 0
        assert health["idf"] >= health["idf_least"] > 0
