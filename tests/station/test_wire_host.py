"""The host that station tests stand on: it does not give a station up that was deaf for long."""

import pytest
from diadema_sim.world import World

from tests.support.station_bench import MONDAY_8_LIMA, STATION, Bench
from tests.support.wire_host import WireHost


@pytest.mark.parametrize("deaf_ms", [3_000, 14_000])
async def test_a_configuration_comes_however_long_the_station_was_deaf(
    tmp_path, image, site, deaf_ms
):
    world = World(tmp_path / "run", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=image)
    async with world:
        station = await world.add_station(STATION)
        host, numbers = WireHost(station, site), []
        configure = host.configure
        host.configure = lambda content: numbers.append(configure(content))
        bench = Bench(world, station, host, [], "")
        with world.actor():
            await station.power_on()
            await bench.event("station.booted")
            hears, host.sender.got = host.sender.got, lambda *_: None
            await world.sleep(deaf_ms)
            host.sender.got = hears
            assert (await host.answer(numbers[0]))["k"] == "station.config"
        host.close()
