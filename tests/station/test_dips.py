"""GPIO 36 and 39 dip five times a second, flash is erased again and again: nobody's key is heard.

Keys 1 and 2 of the LyraT lie there, key 1 and the headset's contact of the AudioKit.
"""

import shutil
from pathlib import Path

import pytest
from diadema_sim import menu_keys, people
from diadema_sim.build import SimBoard
from diadema_sim.station_user import StationHistory

from tests.support.station_bench import JUST_ANSWERED_MS, SETTLED_MS

# laid before main.py: the radio sleeps between beacons, and what time alone brings to the app's
# loop takes the erasing of a sector, at most each other second
_WORN = """
def _wear():
    import manners, pins, wire
    from lib.app import App

    timed, stalls = App._timed, []
    pins.sleep_modem(True)

    def worn(app, now):
        timed(app, now)
        if not stalls or now - stalls[-1] >= 2_000:
            stalls.append(now)
            pins.stall(400 if len(stalls) % 3 else manners.erase_ms, erase=True)

    App._timed = worn
    wire.on("worn", lambda command: {"stalls": len(stalls)})


_wear()

"""
_HOLD_MS = 600  # a person sees that the light does not follow, and stays on the key
_STALL_MS = 400
_CALLS = 4
_BY_THEMSELVES = {"station.health", "station.clock", "voice.summary", "contact.step"}


@pytest.fixture
def image(image: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "worn"
    shutil.copytree(image, folder)
    main = folder / "main.py"
    main.write_text(_WORN + main.read_text())
    return folder


@pytest.mark.parametrize("name", ["lyrat_v4_3", "aithinker_audiokit"])
async def test_no_key_and_no_call_answered_or_ended_by_nobody(desk, name):
    async with desk(SimBoard(name)) as bench:
        station, world = bench.station, bench.world

        async def nobody(ms: int, *meanwhile: str) -> None:
            """Nobody touches anything; only `meanwhile` happens."""
            since = bench.since()
            await world.sleep(ms)
            assert [one for one in bench.kinds(since) if one not in _BY_THEMSELVES] == [*meanwhile]

        async def press(*keys: int) -> None:
            for key in keys:
                await station.press(key, _HOLD_MS)
                await world.sleep(_STALL_MS)  # let go and pressed again in one, it was never up

        await bench.badge_and_choose(3)
        await bench.event("session.opened")
        await world.sleep(SETTLED_MS)
        if (await bench.event("presence.changed"))["to"] == "not_ready":
            await press(3)
        for number in range(_CALLS):
            await nobody(30_000)
            since, contact = bench.since(), f"C-{number}"
            await bench.ring(contact)
            await nobody(9_000)
            await press(1)
            await bench.event("contact.answered", since, c=contact)
            await world.sleep(JUST_ANSWERED_MS)
            await nobody(40_000)
            if number % 3 == 0:
                await press(2)
                await bench.event("contact.muted", since)
                await nobody(9_000)
                await press(2)
                await bench.event("contact.unmuted", since)
            await press(1)
            await bench.event("wrapup.started", since, c=contact)
            await nobody(9_000)
            history = StationHistory(world.witness.events(station.id))
            await press(
                *menu_keys.code_keys(
                    people.LIMA_TREE, "111", history.recent_codes(), history.motive(contact)
                )
            )
            await bench.event("wrapup.ended", since, c=contact, cause="typified")
        since = bench.since()
        await station.unplug()
        await bench.event("headset.unplugged", since)
        await station.plug()
        await bench.event("headset.plugged", since)
        await nobody(180_000)
        assert (await station.ask({"do": "worn"}))["stalls"] > 50 * _CALLS // 2
