"""A site of 120 agents with PINs: its configuration comes, is changed in a session, and what is
refused leaves the one before.
"""

import json

import pytest
from diadema.site.description import Site, parse
from diadema.site.station_config import ConfigMaker
from diadema_sim import people

from tests.support.station_bench import STATION
from tests.support.wire_host import BADGE_KEY, CARD_KEY

PEOPLE = people.desks(120)
LAST = PEOPLE[-1].person


@pytest.fixture
def site() -> Site:
    content = people.site(
        PEOPLE, name="Centro", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


async def test_a_large_site_changes_in_a_session(desk, site):
    def config(generation: int) -> bytes:
        return ConfigMaker(site, BADGE_KEY, -300, generation, card_key=CARD_KEY).build(STATION)

    async with desk() as bench:
        await bench.station.tap(bench.badges[-1])
        await bench.event("attendance.marked", a=LAST.id)
        await bench.type(LAST.pin)
        await bench.event("session.opened", a=LAST.id)
        for generation in (2, 3):
            told = await bench.host.answer(bench.host.configure(config(generation)))
            assert (told["k"], told.get("generation")) == ("station.config", generation)
        wrong = config(4).replace(b'"ring_limit_s":20', b'"ring_limit_s":0')
        told = await bench.host.answer(bench.host.configure(wrong))
        assert told["detail"] == "ring_limit_s: a whole number from 1 to 600"
        since = bench.since()
        await bench.station.tap(bench.badges[0])
        await bench.event("attendance.marked", since, a=PEOPLE[0].person.id)
