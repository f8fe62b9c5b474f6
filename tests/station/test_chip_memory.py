"""What a station tells of the MicroPython that it runs on, and of its two memories."""

import asyncio
import base64
import json
from dataclasses import dataclass

import pytest
from diadema_sim.build import SIM, SimBoard
from diadema_sim.station import Station

from tests.support.mqtt_bench import Authority

MB = 1 << 20
OTA = "ESP32_GENERIC-OTA"
BUILDS = {
    "sim": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "lyrat_v4_3": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "aithinker_audiokit": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "devkitc_wm8960": ("ESP32_GENERIC-SPIRAM", 4 * MB),
    "s3_korvo2": ("ESP32_GENERIC_S3-SPIRAM_OCT", 8 * MB),
}


async def said(station: Station, last: str) -> str:
    """Its console, up to what it says last."""
    text = ""
    async with asyncio.timeout(300):
        while last not in text:
            await asyncio.sleep(0.005)
            text = b"".join(station.console).decode()
            assert "Traceback" not in text, text
    return text


@pytest.mark.parametrize("name", BUILDS)
async def test_a_boot_tells_build_psram_and_start_files(desk, name):
    async with desk(SimBoard(name)) as bench:
        booted = await bench.event("station.booted")
        assert (booted["build"], booted["psram"]) == BUILDS[name]
        assert booted["start"] >= 0


@pytest.mark.parametrize(("build", "psram"), [(OTA, True), ("ESP32_GENERIC-SPIRAM", False)])
async def test_another_image_or_psram_that_is_gone(program, build, psram):
    source = "import esp32, sys\nprint(sys.implementation._build, esp32.idf_heap_info(1 << 10), 1)"
    console = await said(await program(source, SIM, build, psram), " 1")
    assert console.startswith(f"{build} [] 1")


async def test_health_tells_both_memories(desk):
    async with desk(SIM) as bench:
        await bench.world.sleep(900_000)
        health = await bench.event("station.health")
        assert health["heap"] >= health["gc_free"] >= 0
        assert health["idf"] >= health["idf_largest"] > 0
        assert health["idf"] >= health["idf_least"] > 0


# a program that holds so much, makes the radio and a TLS connection, and tells of both memories
HOLDS = """
import esp32, gc, json, network, socket, ssl
def told(name, more=None):
    internal = esp32.idf_heap_info(1 << 11 | 1 << 2)
    print("told", json.dumps([name, more, gc.mem_free(), gc.mem_alloc(),
        sum(one[1] for one in internal), max(one[2] for one in internal),
        sum(one[3] for one in internal)]))
def tried(name, function):
    try:
        function()
        told(name)
    except Exception as error:
        told(name, repr(error))
authority = bytes.fromhex("AUTHORITY")
told("prompt")
own = gc.mem_alloc() - 2448  # of this program
held = [bytearray(992) for _ in range(int((HELD - own) / 0.7 / 1032))]
told("held")
air = []
tried("radio", lambda: air.append(network.WLAN(network.STA_IF)))
if air:
    air[0].active(True)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.verify_mode = ssl.CERT_NONE
tried("authority", lambda: context.load_verify_locations(cadata=authority))
def connect():
    air.append(context.wrap_socket(socket.socket(), do_handshake_on_connect=False))
tried("tls", connect)
if hasattr(air and air[-1], "close"):
    air.pop().close()
told("closed")
"""
REFUSED = "RuntimeError('Wifi Unknown Error 0x0101',)"
NOT_READ, ENOMEM = "ValueError('invalid cert',)", "OSError(12,)"


@dataclass
class Told:
    """At one step: how it failed, and bytes; `heap` and `held` are Python's."""

    failed: str | None
    heap: int
    held: int
    idf: int
    largest: int
    least: int


@pytest.fixture
def holding(program, tmp_path):
    """What a chip tells at each step, by name, when Python holds so many of its bytes."""
    authority = base64.b64decode(Authority(tmp_path).base64).hex()

    async def look(held: int, build: str = "", board: SimBoard = SIM) -> dict[str, Told]:
        source = HOLDS.replace("HELD", str(held)).replace("AUTHORITY", authority)
        text = await said(await program(source, board, build), '["closed"')
        lines = [line[5:] for line in text.splitlines() if line.startswith("told ")]
        return {found[0]: Told(*found[1:]) for found in map(json.loads, lines)}

    return look


# what a chip without PSRAM did, and what gc.mem_free() said there before; KB = 1000
@pytest.mark.parametrize(
    ("held", "free", "radio", "authority", "tls"),
    [
        (0, 164_000, None, None, None),
        (60_000, 103_000, None, None, None),
        (100_000, 62_000, None, None, None),
        (102_000, None, None, NOT_READ, ENOMEM),
        (106_000, None, REFUSED, None, ENOMEM),
        (112_000, 63_000, REFUSED, None, ENOMEM),
        (124_000, 50_000, REFUSED, None, ENOMEM),
    ],
)
async def test_without_psram_it_refuses_what_a_chip_refused(
    holding, held, free, radio, authority, tls
):
    told = await holding(held, OTA)
    assert told["prompt"].heap == pytest.approx(164_144, rel=0.05)
    assert (told["prompt"].idf, told["prompt"].largest) == (143_484, 110_592)
    if free:
        assert told["held"].heap == pytest.approx(free, rel=0.1)
    assert [told[step].failed for step in ("radio", "authority", "tls")] == [radio, authority, tls]
    if radio:
        assert told["held"].largest == 14_336  # the third area took the largest block
        assert told["held"].idf == pytest.approx(29_628, rel=0.05)


async def test_with_psram_it_has_what_a_chip_had(holding):
    told = await holding(149_216)
    prompt, tls = told["prompt"], told["tls"]
    assert prompt.heap + prompt.held == pytest.approx(4_182_544 + 2_224, rel=0.01)
    assert (prompt.idf, prompt.largest) == (199_000, 110_592)
    assert tls.heap == pytest.approx(4_006_944, rel=0.01)
    assert (tls.idf, tls.largest, tls.least) == (136_303, 110_592, 130_767)
    assert told["closed"].idf == 199_000 - 42_000


async def test_a_driver_for_other_psram_finds_none(holding):
    told = await holding(0, "ESP32_GENERIC-SPIRAM", SimBoard("s3_korvo2"))
    assert told["prompt"].heap < 200_000
