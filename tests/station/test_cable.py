"""What the host says over the cable, while the chip stands and keeps 259 bytes of it at most."""

import random

LONG = "x" * 500  # with it a command is three pieces


async def stdin(bench):
    return (await bench.station.dump())["stdin"]


async def stall(bench, ms):
    """The chip stands, as in an erase."""
    await bench.station.ask({"do": "stall", "ms": ms})


async def stalls(bench, chance, until):
    """The chip stands for 45 to 400 ms, again and again, until `until()`."""
    while not until():
        await bench.world.sleep(chance.randrange(200))
        await stall(bench, chance.randrange(45, 401))


async def test_a_stall_of_400_ms_at_any_byte_loses_nothing(desk):
    async with desk() as bench:
        for at_ms in range(75):
            number = bench.host.command("fly", to=LONG)
            await bench.world.sleep(at_ms)
            await stall(bench, 400)
            refused = await bench.host.answer(number)
            assert refused["k"] == "command.refused"
        assert (await stdin(bench))["lost"] == 0
        assert bench.host.sender.counts["again"] == 0


async def test_a_configuration_comes_through_stalls_without_a_piece_lost(desk):
    async with desk() as bench:
        since = bench.since()
        number = bench.host.configure(bench.host.configuration())
        kinds = bench.world.witness.events
        await stalls(
            bench,
            random.Random(45),
            lambda: any(one.event.get("i") == number for one in kinds(bench.station.id)[since:]),
        )
        assert (await bench.host.answer(number))["k"] == "station.config"
        assert (await stdin(bench))["lost"] == 0
        assert bench.host.sender.counts["again"] == 0
        assert bench.host.again == 0
