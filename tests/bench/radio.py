"""How soon a station is met over Wi-Fi again, after its access point or the hub was away.

In its own time, from the moment that it is there again; the manners of its radio are those of
`boards/sim/manners.py`, and each figure is the longest of some.
"""

import json
import tempfile
import time
from pathlib import Path

from diadema.site.description import parse
from diadema_sim import people
from diadema_sim.build import build_firmware
from diadema_sim.world import World

from tests.bench.figure import Figure

STATION = "DIA-0200000000a1"
_BUDGET_S = 20
_STEP_MS = 100
_AWAY_S = (7, 20, 45, 100, 103, 106, 300)


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        found = await _measure(Path(folder))
    return [
        Figure(f"back after {what} that was away, longest", max(times), "s", _BUDGET_S, "budget")
        for what, times in found.items()
    ]


async def _measure(folder: Path) -> dict[str, list[float]]:
    from tests.station.test_wifi import PASSWORD, SSID, TwoWays
    from tests.support.mqtt_bench import Authority, running_server

    content = people.site(
        people.desks(4), name="Centro", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    site = parse(json.dumps(content).encode())
    image, nats = folder / "image", folder / "nats"
    image.mkdir()
    nats.mkdir()
    build_firmware(image)
    found: dict[str, list[float]] = {"an access point": [], "a hub": []}
    now_ms = int(time.time() * 1000)
    async with (
        running_server(nats, Authority(folder)) as server,
        World(folder / "w", start_utc_ms=now_ms, mode="fast", image=image) as world,
    ):
        station = await world.add_station(STATION)
        host = TwoWays(station, site, server)
        await host.open()

        async def met(before: int) -> float:
            since = world.now_ms()
            while sum("way" in hello for hello in host.hellos) <= before:
                await world.sleep(_STEP_MS)
            return (world.now_ms() - since) / 1000

        with world.actor():
            await station.power_on()
            await station.set_access_points({SSID: PASSWORD})
            await world.sleep(5000)
            host.with_wifi()
            await met(0)
            for away_s in _AWAY_S:
                await world.sleep(30_000)
                before = sum("way" in hello for hello in host.hellos)
                await station.set_access_points({})
                await world.sleep(away_s * 1000)
                await station.set_access_points({SSID: PASSWORD})
                found["an access point"].append(await met(before))
            for away_s in _AWAY_S:
                await world.sleep(30_000)
                before = sum("way" in hello for hello in host.hellos)
                await host._client.close()
                host._client = None
                await server.kill()
                await world.sleep(away_s * 1000)
                await server.start()
                await host.open()
                found["a hub"].append(await met(before))
        await host.shut()
    return found
