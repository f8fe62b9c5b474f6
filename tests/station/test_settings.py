"""Ajustes on the whole station: kept for her over a cut of power, and not another's."""


async def test_her_volume_is_hers_at_this_desk(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.press(4, 1000)
        changed = await bench.event("audio.changed")
        await bench.world.sleep(5_000)
        cut = bench.since()
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("station.booted", cut)
        since = bench.since()
        await bench.world.sleep(2_000)
        await bench.station.press(4, 1000)
        louder = await bench.event("audio.changed", since)
        assert louder["volume"] == changed["volume"] + 6
        since = bench.since()
        await bench.station.tap(bench.badges[1])
        await bench.event("session.opened", since)
        await bench.world.sleep(500)
        await bench.station.press(3, 1000)
        lower = await bench.event("audio.changed", since)
        assert lower["volume"] == changed["volume"] - 12  # from what is usual at this desk
