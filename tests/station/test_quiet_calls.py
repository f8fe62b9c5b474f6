"""A call that only the keys tell of, on the whole firmware: nobody speaks, nobody answers."""

from pathlib import Path

from diadema_sim import sound

from tests.support.waveforms import hiss, silence, tone


async def test_a_call_that_was_over_ends_at_its_last_voice(desk, tmp_path: Path):
    spoken = sound.write(tmp_path / "spoken.wav", hiss(tone(500, 0.4, 0.3) + silence(110)))
    line = sound.write(tmp_path / "line.wav", hiss(silence(110)))
    async with desk() as bench:
        await bench.ready()
        contact = (await bench.dial())["c"]
        await bench.keys(3)
        await bench.event("contact.answered", c=contact)
        await bench.world.sleep(1000)
        async with sound.listen(bench.station, microphone=spoken, line=line):
            await bench.world.sleep(50_000)
            await bench.shows("quiet_call")
            ended = await bench.event("contact.ended", c=contact)
        assert (ended["estimated"], ended["by"]) == (True, "system")
        assert 74_000 < ended["silent_ms"] < 77_000
