"""The hour on its whole way: the hub's clock, the cable, the station's anchor, back to the API."""

import asyncio

import httpx
from diadema_sim import people
from diadema_sim.centre import open_centre

from tests.support.supervisor import bearer

MONDAY_8_LIMA = 1_770_037_200_000


async def test_a_station_knows_the_hour_and_the_hub_how_well(tmp_path):
    desks = people.desks(1)
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=MONDAY_8_LIMA,
        data=tmp_path / "data",
        mode="fast",
    ) as centre:
        await centre.switch_on()
        (station,) = centre.world.stations.values()
        seen = await centre.world.wait_event(
            station.id, lambda event: event["k"] == "station.clock", running=True
        )
        anchor = seen.event
        assert abs(anchor["utc"] - seen.at_ms) <= anchor["uncertainty_ms"]
        assert anchor["uncertainty_ms"] < 50  # the way of hello and answer is known, not assumed
        async with (
            asyncio.timeout(300),
            httpx.AsyncClient(base_url=centre.web, headers=bearer(centre), timeout=300) as client,
        ):
            told = {}
            while not told.get("source"):
                told = (await client.get(f"/api/v1/stations/{station.id}/clock")).json()
            status = (await client.get("/api/v1/status")).json()
        assert (told["source"], told["anchored_utc"]) == ("host", anchor["utc"])
        assert told["offset_ms"] == anchor["utc"] - anchor["u"]
        assert status["hub"]["clocks"]["known"] == 1
