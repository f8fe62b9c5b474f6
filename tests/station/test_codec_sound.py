"""What is heard of the WM8960's and the ES8311's registers, on boards that have nothing else."""

import math
from array import array
from pathlib import Path

import pytest
from diadema_sim import sound
from diadema_sim.build import SimBoard
from diadema_sim.world import World

from tests.support.waveforms import db, level

STATION = "DIA-0200000000a1"
NOW = 1_770_037_200_000  # UTC ms
BOARD = """
NAME = "codec"
PINS = {"scl": 22, "sda": 21, "bck": 27, "ws": 25, "out": 26, "in": 35}
BUSES = {"i2c": ("I2C", 0, {"scl": "scl", "sda": "sda"}, {})}
PARTS = {
    "codec": ("CODEC", "", "i2c", (), {}),
    "audio": ("i2s_audio", "Audio", None, ("bck", "ws", "in", "out"), {}),
}
"""
WM8960 = """
import asyncio, machine
from time import ticks_ms
from machine import Pin
from drivers.wm8960 import WM8960
codec = WM8960(machine.I2C(0, scl=Pin(22), sda=Pin(21)), limit_db=0)
"""
ES8311 = """
import asyncio, machine, struct
from machine import Pin
from drivers.es8311 import ES8311
from drivers.i2s_audio import Audio
from lib.errors import PartError
from lib.tones import Tone
codec = ES8311(machine.I2C(0, scl=Pin(22), sda=Pin(21)), limit_db=0, line_in=True)
audio = Audio(27, 25, 35, 26)
if hasattr(codec, "clocked"):
    audio.watch(codec.clocked)
    audio.keep_clock()
def peaks(frame):
    samples = struct.unpack("<640h", frame)
    return [max(samples[at] for at in range(side, 640, 2)) for side in (0, 1)]
"""


def tone(hertz: float, level: float) -> "array[int]":
    turn = 2 * math.pi * hertz / sound.RATE_HZ
    return array("h", (round(32767 * level * math.sin(turn * at)) for at in range(2 * 16_000)))


def part(samples: "array[int]", begin_ms: int, end_ms: int) -> "array[int]":
    return samples[begin_ms * 16 : end_ms * 16]


@pytest.fixture
def hear(tmp_path: Path, image: Path):
    """`await hear(codec, source, loudness)`: a second from 400 ms after the start on, and what the
    console said; the agent hums 500 Hz, the caller 1 kHz.
    """

    async def run(codec: str, source: str, loudness: float = 0.1):
        board = tmp_path / "board"
        board.mkdir()
        (board / "board.py").write_text(BOARD.replace("CODEC", codec))
        folder = tmp_path / "program"
        folder.mkdir()
        for name in ("drivers", "lib"):
            (folder / name).symlink_to(image / name)
        (folder / "main.py").write_text(source)
        voices = {
            "microphone": sound.write(tmp_path / "agent.wav", tone(500, loudness)),
            "line": sound.write(tmp_path / "caller.wav", tone(1000, loudness)),
        }
        world = World(tmp_path / "w", start_utc_ms=NOW, mode="fast", image=folder)
        async with world:
            station = await world.add_station(STATION, board=SimBoard(str(board)))
            await station.power_on()
            with world.actor():
                await world.sleep(400)  # the WM8960 takes 350 ms to start
                async with sound.listen(station, **voices) as heard:
                    await world.sleep(1000)
            assert not station.crash, station.crash
            return heard, b"".join(station.console).decode().splitlines()

    return run


async def test_wm8960_mutes_within_a_frame_and_follows_its_levels(hear):
    heard, _ = await hear(
        "wm8960",
        WM8960
        + """
async def main():
    for percent, begin in ((20, 600), (100, 800)):
        await asyncio.sleep_ms(begin - ticks_ms())
        codec.set_sidetone(percent)
    await asyncio.sleep_ms(1000 - ticks_ms())
    codec.mute(True)
    await asyncio.sleep_ms(200)
    codec.mute(False)
    codec.set_volume(codec.volume - 24)
    await asyncio.sleep_ms(5000)
asyncio.run(main())
""",
    )
    at = [200, 400, 600, 800]  # 400 ms had gone before
    for samples in (heard.line_out, heard.headset):
        assert level(part(samples, at[1] + 20, at[2]), 500) > 0.01
        assert level(part(samples, at[2] + 20, at[3]), 500) < 1e-5
        assert level(part(samples, at[3] + 20, 1000), 500) > 0.01
    assert not any(part(heard.line_out, at[2] + 20, at[3]))
    off, low, high = (
        level(part(heard.headset, begin + 20, begin + 200), 500) for begin in (0, at[0], at[1])
    )
    assert off < 1e-4 and db(high / low) == pytest.approx(21, abs=0.1)  # its seven steps
    caller = [level(part(heard.headset, begin + 20, begin + 200), 1000) for begin in (0, at[2])]
    assert caller[0] == pytest.approx(caller[1], rel=0.01)  # muted, she hears on
    last = level(part(heard.headset, at[3] + 20, 1000), 1000)
    assert db(caller[0] / last) == pytest.approx(6, abs=0.1)


async def test_wm8960_keeps_the_limit_for_full_scale(hear):
    heard, _ = await hear(
        "wm8960",
        WM8960
        + """
codec.limit_db = -12
codec.start()
codec.set_volume(100)
codec.set_sidetone(100)
asyncio.run(asyncio.sleep(5))
""",
        1.0,
    )
    loudest = max(abs(value) for value in part(heard.headset, 200, 1000)) / 32767
    assert 10 ** (-18 / 20) < loudest < 10 ** (-12 / 20)


STORM = """
import random
CALLS = (
    ("set_volume", lambda: random.randint(-50, 200)),
    ("set_sidetone", lambda: random.randint(-50, 200)),
    ("set_microphone_gain", lambda: random.randint(-20, 80)),
    ("mute", lambda: random.randint(0, 1)),
    ("line_to_headset", lambda: random.randint(0, 1)),
    ("microphone_to_line", lambda: random.randint(0, 1)),
    ("power", lambda: random.choice(("on", "on", "on", "standby", "off"))),
)
class Square:
    def fill(self, buffer):
        for at in range(0, len(buffer), 4):
            struct.pack_into("<hh", buffer, at, *((32767,) * 2 if at & 128 else (-32767,) * 2))
        return True
async def main():
    random.seed(SEED)
    codec.limit_db = -12
    codec.start()
    asyncio.create_task(audio.play(Square()))
    await asyncio.sleep_ms(300)
    while True:
        for _ in range(random.randint(1, 6)):
            name, argument = random.choice(CALLS)
            try:
                getattr(codec, name)(argument())
            except PartError as error:
                assert error.code == "absent"
        await asyncio.sleep_ms(5)
asyncio.run(main())
"""
OTHERS = ES8311.replace(", line_in=True", "")
CODECS = {
    "es8388": OTHERS.replace("es8311", "es8388").replace("ES8311", "ES8388"),
    "wm8960": OTHERS.replace("es8311", "wm8960").replace("ES8311", "WM8960"),
    "es8311": ES8311,
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("codec", CODECS)
async def test_no_storm_of_commands_is_louder_than_the_limit(hear, codec, seed):
    """Agent, caller and tone at full scale all the time; each 5 ms up to six calls at random."""
    storm = STORM.replace("SEED", str(seed))
    heard, console = await hear(codec, CODECS[codec] + storm, 1.0)
    assert not console
    loudest = max(abs(value) for value in heard.headset)
    most = 10 ** (-12 / 20) * 32767
    assert most / 5 < loudest <= most + 2  # the mixing of the model rounds


async def test_es8311_hears_line_or_tones_and_mutes_the_microphone(hear):
    heard, console = await hear(
        "es8311",
        ES8311
        + """
async def main():
    codec.set_microphone_gain(6)
    await asyncio.sleep_ms(300)
    audio.listen()
    for muted in (False, True):
        codec.mute(muted)
        for _ in range(4):
            print(*peaks(await audio.frame()))
    audio.close()
    codec.line_to_headset(False)
    await audio.play(Tone("ring"))
    await asyncio.sleep_ms(5000)
asyncio.run(main())
""",
    )
    frames = [tuple(map(int, line.split())) for line in console[:8]]
    assert frames[3][0] == pytest.approx(6537, abs=20)
    assert [left for left, _ in frames[5:]] == [0, 0, 0]  # from the frame after mute on
    assert all(right == pytest.approx(3276, abs=20) for _, right in frames[3:])
    call, ringing = part(heard.headset, 20, 100), part(heard.headset, 600, 900)
    assert level(call, 1000) == pytest.approx(0.1 * 10 ** (-6 / 20), rel=0.02)  # volume 76
    assert level(ringing, 880) > 0.003 and level(ringing, 1000) < 3e-4
    assert level(heard.headset, 500) < 1e-3 and not any(heard.line_out)
