"""A shift of people who work by chance does all that a station can do, and loses nothing."""

from dataclasses import replace

import pytest
from diadema_sim import people
from diadema_sim.behaviour import ASSUMED
from diadema_sim.centre import open_centre
from diadema_sim.shift import Shift

MONDAY_9_LIMA = 1_770_040_800_000
# as ever, but what is rare comes often
BUSY = replace(
    ASSUMED,
    pauses=0.4,
    reason_weights=(("refrigerio", 1), ("sshh", 1)),
    closes_session=0.5,
    helped=0.4,
    topic_left_out=0.5,
    transferred=0.5,
    after_consult=0.4,
    conference=0.4,
    intended=0.2,
    tests_station=0.5,
)
KINDS = {
    "attendance.marked", "session.opened", "session.closed", "station.selftest",
    "presence.changed", "presence.intended", "contact.offered", "contact.answered", "contact.step",
    "contact.motive", "contact.playbook", "contact.held", "contact.resumed", "contact.consulted",
    "contact.consult_ended", "contact.transferred", "contact.typified", "contact.ended",
    "help.requested", "help.topic", "help.accepted", "help.resolved", "wrapup.ended",
}  # fmt: skip


async def test_a_shift_does_all_that_a_station_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diadema_sim.shift.ASSUMED", BUSY)
    async with open_centre(
        people.desks(3),
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=MONDAY_9_LIMA,
        selftest=True,
    ) as centre:
        await centre.switch_on()
        shift = Shift(centre, seed=5, zone="America/Lima")
        await shift.run(centre.world.now_ms() + 3_600_000, 0)
        assert await centre.drain() == 0
        found = centre.compare()
        events = list(centre.journaled().values())
        contacts = centre.contacts()
    assert (found.lost, found.doubled, shift.counts.undelivered) == ([], [], [])
    assert {event["k"] for event in events} >= KINDS
    transfers = {event["kind"] for event in events if event["k"] == "contact.transferred"}
    assert transfers == {"blind", "consulted", "conference"}
    marks = [event["direction"] for event in events if event["k"] == "attendance.marked"]
    assert sorted(marks) == ["in"] * 3 + ["out"] * 3
    assert not [event for event in events if event["k"] == "command.refused"]
    assert all(contact.code for contact in contacts if contact.outcome == "answered")
