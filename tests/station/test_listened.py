"""Who hears a call is on the screen in the turn that keeps it, and stays until it is over."""

from tests.station.test_press_first import Trace, image  # noqa: F401 - the firmware that is traced
from tests.support import screen_words

SIGN, MARK = "Escucha: calidad", "Ω"


async def tell(bench, state, contact="C-1"):
    await bench.command("listened", contact=contact, state=state, who="quality")


async def shown(bench):
    """Whether the sign is on the screen, and the mark on top."""
    ram = await bench.station.screen()
    return tuple(screen_words.find(ram, text) is not None for text in (SIGN, MARK))


async def test_the_sign_comes_in_the_turn_of_its_own_append_and_stays_until_off(desk):
    async with desk() as bench:
        trace = Trace(bench)
        since = await bench.talking()
        for state in ("on", "off"):
            await trace.look()
            await tell(bench, state)
            told = await trace.look()
            turn = told[told.index("take listened") + 1 :]
            assert turn[: turn.index("turn")] == ["append", "screen"]
            assert await shown(bench) == (state == "on", state == "on")
        await tell(bench, "on")
        await bench.world.sleep(600_000)
        await bench.says("2/6", SIGN, MARK)
        await bench.keys(6)  # a list covers the line of detail
        assert await shown(bench) == (False, True)
        await bench.keys(1, 4)
        await bench.world.sleep(1000)
        assert await shown(bench) == (True, True)
        await tell(bench, "off")
        assert await shown(bench) == (False, False)
        await bench.left(
            since,
            """
            contact.listened  c=C-1 state=on who=quality
            contact.listened  c=C-1 state=off who=quality
            contact.listened  c=C-1 state=on who=quality
            contact.held      c=C-1 via=key
            contact.listened  c=C-1 state=off who=quality
            """,
        )


async def test_it_goes_with_the_call_and_with_a_start(desk):
    async with desk() as bench:
        await bench.talking()
        await tell(bench, "on")
        assert await shown(bench) == (True, True)
        await bench.keys(1)
        await bench.event("wrapup.started")
        assert await shown(bench) == (False, False)
        await bench.typify("C-1")
        await bench.ring("C-2")
        await bench.answer("C-2")
        assert await shown(bench) == (False, False)
        await tell(bench, "on", "C-2")
        assert await shown(bench) == (True, True)
        since = bench.since()
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("contact.ended", since, c="C-2", by="interrupted")
        await bench.world.sleep(1000)
        assert await shown(bench) == (False, False)
