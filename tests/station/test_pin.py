"""The second factor on the real firmware: page, wrong PINs, lock-out, and a badge forgotten."""

import json

import pytest
from diadema.site.description import Site, parse
from diadema_sim import people

from tests.support.station_bench import STATION

PEOPLE = people.desks(4)
ROSA, JULIO = PEOPLE[0].person, PEOPLE[1].person


@pytest.fixture
def site() -> Site:
    content = people.site(
        PEOPLE, name="Centro", zone="America/Lima", tree=people.LIMA_TREE, pins=True
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


async def test_the_mark_then_the_pin_that_ten_idle_seconds_cancel_then_the_session(desk):
    async with desk() as bench:
        await bench.station.tap(ROSA.badge)
        await bench.event("attendance.marked", direction="in")
        await bench.world.sleep(1000)
        await bench.shows("pin_asked")
        assert "session.opened" not in bench.kinds()
        await bench.type(ROSA.pin[:4])
        await bench.shows("pin_four_digits")
        await bench.type(ROSA.pin[4])
        await bench.event("session.denied", reason="pin_cancelled")
        await bench.shows("pin_cancelled")
        await bench.station.tap(ROSA.badge)
        await bench.world.sleep(1000)
        await bench.type(ROSA.pin)
        await bench.event("session.opened", method="badge_pin")
        assert_no_pin(bench, ROSA.pin)


def assert_no_pin(bench, pin):
    told = json.dumps([seen.event for seen in bench.world.witness.events(STATION)])
    console = b"".join(bench.station.console).decode(errors="replace")
    assert pin not in told and pin not in console


async def test_wrong_pins_lock_out_and_a_cut_does_not_help(desk):
    wrong = "666666"
    async with desk() as bench:
        await bench.station.tap(ROSA.badge)
        await bench.event("attendance.marked")
        for left in (4, 3, 2, 1, 0):
            since = bench.since()
            await bench.type(wrong)
            await bench.event("session.denied", since, reason="wrong_pin", a=ROSA.id)
            await bench.world.sleep(500)
            if left in (4, 0):
                await bench.shows(f"pin_wrong_{left}")
        since = bench.since()
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("station.clock", since)
        await bench.station.tap(ROSA.badge)
        await bench.event("session.denied", since, reason="locked")
        await bench.station.tap(JULIO.badge)
        await bench.event("attendance.marked", since, a=JULIO.id)
        await bench.type(JULIO.pin)
        await bench.event("session.opened", since, a=JULIO.id)
        await bench.world.sleep(30_000)
        await bench.station.tap(ROSA.badge)  # relieves him, once her PIN is right
        await bench.world.sleep(1000)
        await bench.type(ROSA.pin)
        await bench.event("session.closed", since, reason="relieved")
        await bench.event("session.opened", since, a=ROSA.id, method="badge_pin")
        assert_no_pin(bench, ROSA.pin)


async def test_code_and_pin_for_a_badge_forgotten(desk):
    async with desk() as bench:
        await bench.world.sleep(1000)
        await bench.shows("code_offered")
        await bench.keys(6)
        await bench.type(ROSA.code[:2])
        await bench.shows("code_asked")
        await bench.type(ROSA.code[2:] + ROSA.pin)
        mark = await bench.event("attendance.marked", method="code_pin", a=ROSA.id)
        assert mark["badge"] is None
        await bench.event("session.opened", method="code_pin")
        assert_no_pin(bench, ROSA.pin)
