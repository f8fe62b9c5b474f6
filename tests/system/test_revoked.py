"""A station whose credential was revoked while it was away: the broker does not let it in, it says
so itself, and the fleet too; a new credential, over its cable, lets it in again.
"""

import asyncio

from diadema.hub import enrolment
from diadema.stations.fleet import all_stations
from diadema_sim import people
from diadema_sim.centre import ACCESS_POINT, open_centre

from tests.support.screen_words import find

MONDAY_8_LIMA = 1_770_037_200_000
SPEED = 4.0


async def test_who_is_revoked_says_so_and_comes_back_with_another(tmp_path):
    async with open_centre(
        people.desks(1),
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=MONDAY_8_LIMA,
        mode=SPEED,
        data=tmp_path / "data",
        wifi=True,
    ) as centre:
        await centre.switch_on()
        (desk,), (station,) = centre.agents, centre.world.stations.values()

        async def row(**wanted):
            while True:
                (found,) = all_stations(centre.data, 0)
                if all(getattr(found, name) == value for name, value in wanted.items()):
                    return found
                await centre.world.sleep(500)

        station.cable.pull()
        await station.set_access_points({})
        await row(link="lost")
        await asyncio.to_thread(enrolment.enrol, centre.data, station.id, revoke=True)
        await station.set_access_points(ACCESS_POINT)
        await desk.expect("station.fault", 0, part="wifi", code="refused")
        while find(await station.screen(), "Credencial no válida") is None:
            await centre.world.sleep(500)
        await row(link="lost", revoked=True)
        await asyncio.to_thread(enrolment.enrol, centre.data, station.id, renew=True)
        await centre.allow_provisioning()  # as `diadema provision` does
        station.cable.plug()
        await desk.expect("station.fault_cleared", 0, part="wifi")
        await row(ways=["usb", "wifi"], revoked=False, faults=[])
