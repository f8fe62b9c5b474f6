"""A whole station's panel: the screen at rest, and keys pressed while flash is erased."""


async def screen(bench):
    """(lit, contrast) of the screen's chip."""
    await bench.world.sleep(50)
    shown = (await bench.station.dump())["screen"]
    return shown["on"], shown["contrast"]


async def test_the_screen_rests_when_nobody_needs_it(desk):
    async with desk() as bench:
        assert await screen(bench) == (True, 0xCF)
        await bench.world.sleep(31_000)
        assert (await screen(bench))[0] is False
        since = bench.since()
        await bench.keys(5)
        assert await screen(bench) == (True, 0xCF)
        assert bench.kinds(since) == []  # a key that only wakes it
        await bench.world.sleep(31_000)
        await bench.ready()
        assert await screen(bench) == (True, 0xCF)
        await bench.world.sleep(125_000)
        assert await screen(bench) == (True, 0x08)
        await bench.ring("C-1")
        assert await screen(bench) == (True, 0xCF)


async def test_a_dark_screen_shows_a_fault_that_comes(desk):
    async with desk() as bench:
        await bench.world.sleep(31_000)
        assert (await screen(bench))[0] is False
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "nack"})
        await bench.station.tap(bench.badges[0])
        await bench.event("station.fault", part="badge_reader")
        assert await screen(bench) == (True, 0xCF)
        await bench.world.sleep(240_000)
        assert await screen(bench) == (True, 0x08)
        await bench.station.ask({"do": "fault", "part": "badge_reader"})
        await bench.event("station.fault_cleared", part="badge_reader")
        await bench.world.sleep(31_000)
        assert (await screen(bench))[0] is False


async def test_a_press_within_the_erasing_of_a_sector_counts(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.manners(erase_ms=400)
        before = bench.station.flash.erased
        to = "not_ready"
        while bench.station.flash.erased == before:  # the next sector, once the desk is quiet
            since = bench.since()
            await bench.keys(*((3, 3) if to == "not_ready" else (3,)))
            await bench.event("presence.changed", since, to=to)
            to = "ready" if to == "not_ready" else "not_ready"
            for _ in range(75):
                if bench.station.flash.erased == before:
                    await bench.world.sleep(20)
        since = bench.since()
        await bench.station.press(3, ms=80)
        assert bench.kinds(since) == []  # the chip stands still
        if to == "not_ready":
            await bench.world.sleep(500)
            await bench.keys(3)  # the list of reasons is open
        changed = await bench.event("presence.changed", since)
        assert (changed["to"], changed["by"]) == (to, "agent")
