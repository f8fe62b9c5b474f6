"""The whole firmware with sound: what the agent hears, and how her calls are measured."""

import shutil
from array import array
from pathlib import Path

import pytest
from diadema_sim import sound
from diadema_sim.build import SimBoard

from tests.support.waveforms import PAUSE, SPOKEN, db, hiss, level, silence, tone


@pytest.fixture
def talk(tmp_path: Path) -> dict[str, Path]:
    """Both silent for two seconds, then the agent speaks for three, then the caller."""
    agent, caller = ((word + PAUSE) * 6 for word in SPOKEN)
    return {
        "microphone": sound.write(tmp_path / "agent.wav", hiss(silence(2) + agent + silence(5))),
        "line": sound.write(tmp_path / "caller.wav", hiss(silence(5.5) + caller + silence(1.5))),
    }


async def test_a_call_is_measured_and_told_once(desk, talk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.keys(1)
        await bench.event("contact.answered")
        await bench.world.sleep(1000)
        async with sound.listen(bench.station, **talk):
            await bench.world.sleep(10_500)
        await bench.keys(1)
        since = bench.since()
        told = await bench.event("voice.summary", c="C-1")
        assert bench.kinds().count("voice.summary") == 1
        assert told["a"] == (await bench.event("contact.ended"))["a"]
        assert told["agent_ms"] == pytest.approx(2900, abs=300)
        assert told["caller_ms"] == pytest.approx(2900, abs=300)
        assert told["both_ms"] < 200 and told["interruptions"] == told["clipping"] == 0
        assert told["silence_ms"] == pytest.approx(10_200 - 5_800, abs=600)
        assert told["longest_silence_ms"] == pytest.approx(1900, abs=400)
        await bench.caught_up()
        assert since == bench.since()


async def test_nothing_is_measured_while_held_or_muted(desk, talk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.keys(1)
        await bench.event("contact.answered")
        await bench.world.sleep(1000)
        async with sound.listen(bench.station, **talk):
            await bench.world.sleep(1500)
            await bench.keys(2)  # muted while the agent speaks
            await bench.event("contact.muted")
            await bench.world.sleep(3500)
            await bench.keys(2, 4)  # heard again, then held while the caller speaks
            await bench.event("contact.held")
            await bench.world.sleep(5000)
            await bench.keys(1)
        told = await bench.event("voice.summary")
        assert told["agent_ms"] == told["caller_ms"] == 0
        assert told["silence_ms"] == pytest.approx(1500, abs=400)


async def test_a_call_without_sound_has_no_summary(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.answer("C-1")
        await bench.keys(4, 4, 1)
        await bench.event("wrapup.started")
        await bench.typify("C-1")
        await bench.caught_up()
        assert "voice.summary" not in bench.kinds()
        assert not bench.station.crash


async def test_tones_of_a_call(desk):
    async with desk() as bench:
        await bench.ready()
        async with sound.listen(bench.station) as heard:
            begun = bench.world.now_ms()
            await bench.ring("C-1")
            rang = bench.world.now_ms() - begun
            await bench.world.sleep(3000)
            await bench.keys(1)
            answered = bench.world.now_ms() - begun
            await bench.world.sleep(2000)
            await bench.keys(4)
            held = bench.world.now_ms() - begun
            await bench.world.sleep(33_000)
            await bench.keys(4, 1)
            ended = bench.world.now_ms() - begun
            await bench.world.sleep(58_000)
        samples = heard.headset

        def part(from_ms: int, to_ms: int) -> "array[int]":
            return samples[from_ms * 16 : to_ms * 16]

        assert level(part(rang, rang + 500), 880) > 0.003  # it rings at once
        assert level(part(rang + 1500, rang + 2900), 880) > 0.001  # and again
        assert level(part(answered - 200, answered + 300), 659) > 0.001  # the answer's own tone
        assert not any(part(answered + 500, answered + 1500))  # no ring after it
        assert not any(part(held + 500, held + 29_000))
        assert level(part(held + 29_500, held + 31_000), 587) > 0.0003
        assert not any(part(ended + 500, ended + 49_000))
        assert level(part(ended + 49_500, ended + 51_000), 784) > 0.0003
        assert max(map(abs, samples)) / 32767 < 10 ** (-24 / 20)


async def test_where_line_and_tones_do_not_mix_the_line_makes_room(desk, tmp_path):
    """The ES8311 with the telephone's line on its own input: a tone is heard, then she again."""
    shutil.copytree(SimBoard("s3_korvo2").folder, tmp_path / "boards" / "wired")
    table = tmp_path / "boards" / "wired" / "board.py"
    wired = table.read_text().replace('"limit_db": 3', '"limit_db": 3, "line_in": True')
    table.write_text(wired)
    caller = sound.write(tmp_path / "caller.wav", tone(1000, 40, 0.3))
    async with desk(SimBoard("wired", boards=tmp_path / "boards")) as bench:
        await bench.ready()
        async with sound.listen(bench.station, line=caller) as heard:
            begun = bench.world.now_ms()
            await bench.world.sleep(1000)
            await bench.ring("C-1")
            rang = bench.world.now_ms() - begun
            await bench.world.sleep(2500)
            await bench.keys(1)
            await bench.event("contact.answered")
            answered = bench.world.now_ms() - begun
            await bench.world.sleep(2000)
            await bench.keys(4)  # the reminder comes after half a minute
            on_hold = bench.world.now_ms() - begun
            await bench.world.sleep(31_500)
            await bench.keys(4, 1)

        def part(from_ms: int, to_ms: int) -> "array[int]":
            return heard.headset[from_ms * 16 : to_ms * 16]

        assert level(part(200, 900), 1000) > 0.02  # idle, the line is open
        ringing = [part(at, at + 40) for at in range(rang - 100, rang + 1900, 40)]
        rung = [at for at, piece in enumerate(ringing) if level(piece, 880) > 0.03]
        rung = [at for at in rung if level(ringing[at], 1000) < level(ringing[at], 880) / 3]
        assert len(rung) > 3  # the line is silent from the first tone until she answers
        assert max(level(piece, 1000) for piece in ringing[rung[0] : rung[0] + 30]) < 0.01
        assert level(part(answered + 900, answered + 1700), 1000) > 0.02  # in the call
        minder = range(on_hold + 27_400, on_hold + 31_400, 100)
        held = [part(at, at + 100) for at in minder]
        reminder = [piece for piece in held if level(piece, 1000) < 3e-4]
        assert 0 < len(reminder) < 6 and any(level(piece, 587) > 0.003 for piece in reminder)
        assert level(held[0], 1000) > 0.02 < level(held[-5], 1000)
        assert "station.fault" not in bench.kinds()


@pytest.mark.parametrize(
    ("name", "table", "heard"),
    [
        ("lyrat_v4_3", '{"mclk": 0}', True),
        ("lyrat_v4_3", "{}", False),
        ("s3_korvo2", '{"mclk": 16}', True),
        ("s3_korvo2", '{"mclk": 6}', False),
    ],
)
async def test_no_tone_comes_out_of_a_codec_that_gets_no_mclk(desk, tmp_path, name, table, heard):
    """The clock is looked for at the pin where the board's copper leads it to the codec."""
    shutil.copytree(SimBoard(name).folder, tmp_path / "boards" / "wired")
    board = tmp_path / "boards" / "wired" / "board.py"
    usual = '{"mclk": 0}' if name == "lyrat_v4_3" else '{"mclk": 16}'
    source = board.read_text()
    assert usual in source
    board.write_text(source.replace(usual, table))
    async with desk(SimBoard("wired", boards=tmp_path / "boards")) as bench:
        await bench.ready()
        async with sound.listen(bench.station) as found:
            await bench.ring("C-1")
            await bench.world.sleep(500)
        assert any(found.headset) == heard


async def test_keys_silence_the_ring_and_a_bad_read_is_heard(desk):
    async with desk() as bench:
        await bench.ready()
        async with sound.listen(bench.station) as heard:
            began = bench.world.now_ms()
            await bench.ring("C-1")
            await bench.world.sleep(500)
            await bench.keys(2)
            silenced = (bench.world.now_ms() - began + 500) * sound.RATE_HZ // 1000
            await bench.world.sleep(4000)
        assert any(heard.headset[:silenced]) and not any(heard.headset[silenced:])
        await bench.answer("C-1")
        await bench.keys(1)
        await bench.world.sleep(70_000)
        async with sound.listen(bench.station) as heard:
            await bench.station.tap("04FFFFFFFFFFFF", torn=True)
            await bench.event("session.denied")
            await bench.world.sleep(2000)
        error = db(level(heard.headset, 196) / level(heard.headset, 880))
        assert error > 20


async def test_a_port_that_fails_is_one_fault_and_tried_again(desk, talk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.ask({"do": "fault", "part": "audio", "kind": "memory"})
        await bench.ring("C-1")
        assert (await bench.event("station.fault", part="audio"))["code"] == "no_port"
        await bench.keys(1)
        await bench.event("contact.answered")
        await bench.world.sleep(15_000)
        assert bench.kinds().count("station.fault") == 1
        await bench.station.ask({"do": "fault", "part": "audio", "kind": None})
        async with sound.listen(bench.station, **talk):
            await bench.world.sleep(20_000)
            await bench.keys(1)
        await bench.event("voice.summary", c="C-1")
        await bench.event("station.fault_cleared", part="audio")


async def test_volume_keys_are_told(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.press(4, ms=900)
        told = await bench.event("audio.changed")
        assert (told["volume"], told["mute"], told["sidetone"]) == (82, False, 0)
        await bench.station.press(3, ms=900)
        await bench.event("audio.changed", volume=76)
