"""What is heard and measured: the codec's paths in the recorded sound, I2S in both directions."""

from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema_sim import sound

from tests.support.waveforms import db, level, tone

FRAME = 320  # samples in 20 ms
CODEC = """
import asyncio, machine
from machine import Pin
from drivers.es8388 import ES8388
bus = machine.I2C(0, scl=Pin(32), sda=Pin(33))
codec = ES8388(bus, limit_db=0)
async def at(ms):
    from time import ticks_ms
    await asyncio.sleep_ms(ms - ticks_ms())
"""


@pytest.fixture
def voices(tmp_path: Path) -> dict[str, Path]:
    """The agent hums 500 Hz, the caller 1 kHz."""
    return {
        "microphone": sound.write(tmp_path / "agent.wav", tone(500, 4, 0.1)),
        "line": sound.write(tmp_path / "caller.wav", tone(1000, 4, 0.1)),
    }


@pytest.fixture
def hear(program, image, tmp_path, voices):
    """`await hear(source)`: what a second of sound gave after the program had said `ready`, and
    was told to go on every 200 ms; the station is returned with it.
    """

    async def run(source: str, ms: int = 1000):
        (tmp_path / "program").mkdir()
        for folder in ("drivers", "lib"):
            (tmp_path / "program" / folder).symlink_to(image / folder)
        station = await program(CODEC + source)
        world = station._world
        with world.actor():
            await world.sleep(100)
            async with sound.listen(station, **voices) as heard:
                await world.sleep(ms)
        assert not station.crash, station.crash
        return heard, b"".join(station.console).decode()

    return run


async def test_hardware_mute_silences_the_agent_within_a_frame(hear):
    heard, _ = await hear(
        """
codec.set_sidetone(100)
async def main():
    await at(600)
    codec.mute(True)
    await at(900)
    codec.mute(False)
    await asyncio.sleep_ms(5000)
asyncio.run(main())
"""
    )
    at, back = 500 * 16, 800 * 16  # 100 ms had gone before the recording began
    for samples in (heard.line_out, heard.headset):
        assert len(samples) == 16_000
        assert level(samples[at - FRAME : at], 500) > 0.01
        muted = samples[at + FRAME : back]
        assert level(muted, 500) < 1e-5
        assert level(samples[back + FRAME :], 500) > 0.01
    assert not any(heard.line_out[at + FRAME : back])
    # VMID was charging at first
    before, after = heard.headset[100 * 16 : at], heard.headset[at:back]
    assert level(after, 1000) == pytest.approx(level(before, 1000), rel=0.01)  # she hears on


async def test_sidetone_and_volume_follow_their_level(hear):
    heard, _ = await hear(
        """
async def main():
    for percent, until in ((0, 400), (40, 700), (100, 1000)):
        codec.set_sidetone(percent)
        await at(until)
    codec.set_volume(codec.volume - 24)
    await asyncio.sleep_ms(5000)
asyncio.run(main())
"""
    )
    parts = [heard.headset[at * 16 + FRAME : (at + 300) * 16] for at in (0, 300, 600)]
    off, low, high = (level(part, 500) for part in parts)
    assert off < 1e-4
    assert db(high / low) == pytest.approx(15, abs=1.6)
    louder, last = level(parts[2], 1000), level(heard.headset[900 * 16 + FRAME :], 1000)
    assert db(louder / last) == pytest.approx(6, abs=0.1)


async def test_the_limit_holds_for_full_scale_on_both_sources(hear, voices):
    for path in voices.values():
        sound.write(path, tone(500, 2, 1.0))
    heard, _ = await hear(
        """
codec.limit_db = -12
codec.start()
codec.set_volume(100)
codec.set_sidetone(100)
asyncio.run(asyncio.sleep(5))
"""
    )
    peak = max(abs(value) for value in heard.headset) / 32767
    assert 10 ** (-20 / 20) < peak < 10 ** (-12 / 20)


async def test_only_sound_of_the_right_kind_plays(program, tmp_path):
    station = await program("print('up')\n")
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(b"RIFF1234AIFF")
    with pytest.raises(DiademaError, match="no WAV file"):
        async with sound.listen(station, line=wrong):
            pass


AUDIO = """
from drivers.i2s_audio import Audio
audio = Audio(14, 25, 35, 26, mclk=0)
def peak(frame, side):
    import struct
    samples = struct.unpack("<640h", frame)
    return max(samples[at] for at in range(side, 640, 2))
"""


async def test_i2s_receives_the_microphone_left_and_the_line_right(hear):
    _, console = await hear(
        AUDIO
        + """
async def main():
    codec.set_microphone_gain(6)
    audio.listen()
    for _ in range(3):
        frame = await audio.frame()
    print(len(frame), peak(frame, 0), peak(frame, 1), audio.frames, audio.state)
    for register, value in sorted(machine.mem32.items()):
        print("%x %x" % (register, value))
    try:
        Audio(14, 25, 35, 26).listen()
    except Exception as error:
        print(error.part, error.code)
    codec.mute(True)
    for _ in range(4):  # what was there before
        await audio.frame()
    frame = await audio.frame()
    print(peak(frame, 0), peak(frame, 1))
    audio.close()
    print(audio.selftest(), audio.state)
asyncio.run(main())
""",
    )
    size, left, right, *counted = console.splitlines()[0].split(maxsplit=3)
    assert int(size) == 1280
    assert int(left) == pytest.approx(6537, abs=20) and int(right) == pytest.approx(3276, abs=20)
    assert counted == ["3 receive"]
    assert console.splitlines()[1:] == [
        "3ff49000 0", "3ff49044 1000",  # CLK_OUT1 carries I2S 0, GPIO 0 carries CLK_OUT1
        "audio no_port", "0 0", "True None",
    ]  # fmt: skip


async def test_i2s_plays_a_tone_to_the_headset_only(hear):
    heard, console = await hear(
        AUDIO
        + """
from lib.tones import Tone
async def main():
    await at(300)
    await audio.play(Tone("hold"))
    print("played", audio.tones)
    codec.line_to_headset(False)
    await audio.play(Tone("ring"))
asyncio.run(main())
""",
        ms=1500,
    )
    assert "played 1" in console
    # of the 120 ms that a note of «hold» has, once the ring's silence is out
    first = heard.headset[360 * 16 : 420 * 16]
    assert level(first, 587) > 0.01
    ringing = heard.headset[1000 * 16 : 1400 * 16]
    assert level(ringing, 880) > 0.003 and level(ringing, 1000) < 3e-4  # no line
    assert level(heard.line_out[1000 * 16 : 1400 * 16], 880) < 1e-4


async def test_a_tone_lets_everybody_else_go_on(hear):
    """A write of I2S stands, and all else with it, unless the port was polled before."""
    _, console = await hear(
        AUDIO
        + """
from time import ticks_ms
from lib.tones import Tone
async def main():
    await at(300)
    task = asyncio.create_task(audio.play(Tone("error")))
    longest, last = 0, ticks_ms()
    while not task.done():
        await asyncio.sleep_ms(1)
        now = ticks_ms()
        longest, last = max(longest, now - last), now
    print("longest", longest, "in", last - 300, audio.state)
asyncio.run(main())
""",
        ms=1500,
    )
    (line,) = console.splitlines()
    _, longest, _, whole, state = line.split()
    assert int(longest) < 16  # a sleep of asyncio may take 10
    # 500 ms of it, behind a ring of silence, and until the last is out of that
    assert 600 < int(whole) < 800 and state == "None"


async def test_a_read_or_write_that_nobody_polled_stands_until_it_is_done(hear):
    _, console = await hear(
        """
from time import ticks_ms
from machine import I2S
def port(mode):
    return I2S(0, sck=Pin(14), ws=Pin(25), sd=Pin(26), mode=mode, bits=16, format=I2S.STEREO,
               rate=16_000, ibuf=8_192)
async def main():
    await at(200)
    sends = port(I2S.TX)
    took = []
    for _ in range(4):
        began = ticks_ms()
        assert sends.write(bytes(1_280)) == 1_280
        took.append(ticks_ms() - began)
    sends.deinit()
    hears, began = port(I2S.RX), ticks_ms()
    assert hears.readinto(bytearray(1_280)) == 1_280
    print(took, ticks_ms() - began)
asyncio.run(main())
"""
    )
    took, reading = console.strip().rsplit(maxsplit=1)
    took = [int(ms) for ms in took.strip("[]").split(",")]
    assert 70 <= sum(took) <= 100 and min(took) >= 16  # 80 ms of sound, and none is ahead
    assert 20 <= int(reading) <= 36


@pytest.mark.parametrize(("ms", "lost_ms"), [(100, 0), (200, 96)])
async def test_an_erase_of_flash_loses_no_frame_that_the_ring_can_hold(hear, ms, lost_ms):
    """Seven buffers of 16 ms wait, and the eighth is being filled; what is over is told."""
    _, console = await hear(
        AUDIO
        + f"""
import pins
from buses import devices
async def main():
    await at(200)
    audio.listen()
    await audio.frame()
    pins.stall({ms}, erase=True)
    await audio.frame()
    print(devices[("i2s", 14)][0]._receiver.lost // 64)
asyncio.run(main())
"""
    )
    assert int(console) == pytest.approx(lost_ms, abs=16)


async def test_i2s_stands_still_while_nobody_listens(program, image, tmp_path):
    (tmp_path / "program").mkdir()
    for folder in ("drivers", "lib"):
        (tmp_path / "program" / folder).symlink_to(image / folder)
    station = await program(
        CODEC
        + AUDIO
        + """
from lib.tones import Tone
async def main():
    audio.listen()
    for wait in (audio.frame(), audio.play(Tone("ring"))):
        try:
            await asyncio.wait_for_ms(wait, 60_000)
        except asyncio.TimeoutError:
            print("nothing")
asyncio.run(main())
"""
    )
    with station._world.actor():
        await station._world.sleep(150_000)
    assert b"".join(station.console).split() == [b"nothing", b"nothing"]


async def test_mclk_of_the_s3_goes_through_the_gpio_matrix(chips):
    lines = await chips(
        """
from drivers.i2s_audio import Audio
from models.audio import Audio as Model
from models.es8388 import ES8388
machine.attach(("i2s", 4), 0, Model(ES8388(), wire))
async def main():
    Audio(4, 2, 35, 15, mclk=12).listen()
    print(["%x %x" % item for item in machine.mem32.items()])
"""
    )
    assert lines == [f"['{0x60004000 + 0x554 + 4 * 12:x} {23 | 1 << 10:x}']"]
