"""The whole firmware and badges that must prove themselves: genuine, copied, torn away."""

import json

import pytest
from diadema.site.badges import OWNER_KEY, card_key
from diadema.site.description import parse
from diadema_sim import menu_keys, people

from tests.support.wire_host import CARD_KEY

UID = "04782E21801D80"
SITE_KEY = bytes.fromhex(CARD_KEY)
KEY = card_key(SITE_KEY, bytes.fromhex(UID))


@pytest.fixture
def site():
    """As ever, but the first agent's badge is a DESFire."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = "DIA-0200000000a1"
    content["agents"][0]["badges"] = [f"desfire:{UID}"]
    return parse(json.dumps(content).encode())


async def test_a_genuine_card_logs_in_and_out(desk):
    async with desk() as bench:
        await bench.station.tap(UID, key=KEY)
        opened = await bench.event("session.opened")
        assert opened["method"] == "badge_secure"
        await bench.world.sleep(2500)
        await bench.station.tap(UID, key=KEY)
        await bench.world.sleep(1000)
        await bench.keys(menu_keys.CLOSE_SESSION)
        await bench.event("session.closed", reason="agent")
        await bench.station.tap(bench.badges[1])
        assert (await bench.event("session.opened", method="badge"))["a"] != opened["a"]


@pytest.mark.parametrize(
    "key",
    [
        None,
        bytes(16),
        card_key(SITE_KEY, bytes(7)),
        card_key(SITE_KEY, bytes.fromhex(UID), OWNER_KEY),
    ],
    ids=["plain", "blank", "another card's", "its other key"],
)
async def test_a_copied_number_is_refused(desk, key):
    async with desk() as bench:
        await bench.station.tap(UID, key=key)
        denied = await bench.event("session.denied")
        assert denied["reason"] == "not_genuine"
        assert len(denied["badge"]) == 32
        await bench.world.sleep(2500)
        await bench.station.tap(UID, key=KEY)
        await bench.event("session.opened")


async def test_a_copy_does_not_end_anothers_session(desk):
    async with desk() as bench:
        await bench.station.tap(bench.badges[1])
        await bench.event("session.opened")
        await bench.world.sleep(2500)
        await bench.station.tap(UID)
        await bench.event("session.denied", reason="not_genuine")
        assert "session.closed" not in bench.kinds()


async def test_a_card_that_leaves_half_way_is_a_bad_read_and_may_come_back(desk):
    async with desk() as bench:
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "gone"})
        await bench.station.tap(UID, ms=100, key=KEY)
        denied = await bench.event("session.denied")
        assert (denied["reason"], denied.get("badge")) == ("bad_read", None)
        await bench.station.ask({"do": "fault", "part": "badge_reader"})
        await bench.world.sleep(300)
        since = bench.since()
        await bench.station.tap(UID, key=KEY)
        await bench.event("session.opened", since)
        assert bench.kinds(since).count("session.denied") == 0


async def test_nothing_that_the_station_says_holds_a_key(desk):
    async with desk() as bench:
        await bench.station.tap(UID, key=KEY)
        await bench.event("session.opened")
        await bench.world.sleep(16 * 60_000)  # a health report with all that it dumps
        await bench.event("station.health")
        said = b"".join(bench.station.console).decode().lower()
        said += json.dumps(bench.host.events).lower()
        assert "badge_reader" in said
        for secret in (KEY.hex(), CARD_KEY, UID.lower()):
            assert secret not in said


async def test_a_reader_whose_bus_is_stuck_is_told_and_the_rest_works(desk):
    async with desk() as bench:
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "stuck"})
        await bench.station.tap(UID, ms=3000, key=KEY)
        fault = await bench.event("station.fault", part="badge_reader")
        assert fault["code"] in ("no_answer", "silent")
        assert any(await bench.station.screen())
        await bench.station.ask({"do": "fault", "part": "badge_reader"})
        await bench.event("station.fault_cleared", part="badge_reader")
        await bench.world.sleep(500)
        await bench.station.tap(UID, key=KEY)
        await bench.event("session.opened", method="badge_secure")
