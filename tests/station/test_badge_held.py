"""How badges are held to the reader, the whole firmware: two in one wallet, one left lying, one
that lies there while the reader is away.
"""

import json

import pytest
from diadema.site.badges import card_key
from diadema.site.description import parse
from diadema_sim import people

from tests.support.wire_host import CARD_KEY

UID = "04782E21801D80"
KEY = card_key(bytes.fromhex(CARD_KEY), bytes.fromhex(UID))


@pytest.fixture
def language():
    return "es"


@pytest.fixture
def site(language):
    """As ever, but the first agent has a DESFire."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = "DIA-0200000000a1"
    content["agents"][0]["badges"] = [f"desfire:{UID}"]
    content["language"] = language
    return parse(json.dumps(content).encode())


@pytest.mark.parametrize("language", ["es", "en"])
async def test_of_two_in_a_wallet_neither_is_taken_and_the_screen_says_why(desk, language):
    async with desk() as bench:
        for key in (None, KEY):
            since = bench.since()
            await bench.station.tap(UID, key=key, beside=bench.badges[1], ms=None)
            assert (await bench.event("session.denied", since))["reason"] == "two_badges"
            if key:
                await bench.shows(f"two_badges_{language}")
            await bench.world.sleep(2000)
            await bench.station.untap()
            await bench.world.sleep(3000)
            assert bench.kinds(since) == ["session.denied"]
        await bench.station.tap(UID, key=KEY)
        await bench.event("session.opened", method="badge_secure")


async def test_one_left_lying_is_one_tap_also_while_the_reader_is_unplugged(desk):
    """A copy of a card, as each tap of it is an event."""
    async with desk() as bench:
        since = bench.since()
        await bench.station.tap(UID, ms=None)
        await bench.event("session.denied", since, reason="not_genuine")
        await bench.world.sleep(120_000)
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "nack"})
        await bench.event("station.fault", since, part="badge_reader")
        await bench.station.ask({"do": "replug", "part": "badge_reader"})
        await bench.event("station.fault_cleared", since, part="badge_reader")
        await bench.world.sleep(5_000)
        assert bench.kinds(since) == ["session.denied", "station.fault", "station.fault_cleared"]
        since = bench.since()
        await bench.station.untap()
        await bench.world.sleep(2_000)
        await bench.station.tap(UID)
        await bench.event("session.denied", since, reason="not_genuine")
