"""One agent's calls from the badge to the tipificación, on the real firmware in the VM.

Each test is a scripted sequence: what a person does, the events it must leave, and the pictures
that the screen must show.
"""

from diadema_sim import menu_keys


async def test_a_call_by_the_host_from_the_badge_to_the_typified_contact(desk):
    async with desk() as bench:
        await bench.shows("logged_out")
        await bench.station.tap(bench.badges[0])
        await bench.world.sleep(4000)
        await bench.shows("not_ready")
        await bench.keys(3)
        await bench.event("presence.changed", to="ready")
        await bench.shows("ready")
        await bench.world.sleep(59_000)
        await bench.ring("C-1")
        await bench.world.sleep(2000)
        await bench.shows("offered")
        assert (await bench.station.lights())["ring"]
        await bench.keys(1)
        await bench.event("contact.answered", c="C-1", via="key")
        await bench.world.sleep(83_000)
        await bench.shows("talking")
        await bench.keys(4)
        await bench.world.sleep(5000)
        await bench.shows("held")
        await bench.keys(4, 2)
        await bench.world.sleep(1000)
        await bench.shows("muted")
        await bench.keys(2)
        await bench.shows("step")
        await bench.keys(3)
        await bench.event("contact.step", c="C-1", step="identity", how="key")
        await bench.shows("methods")
        await bench.keys(3)
        await bench.event("contact.step", c="C-1", method="dni_nacimiento")
        await bench.keys(6)
        await bench.shows("menu")
        await bench.keys(4)
        await bench.shows("motives")
        await bench.keys(4)
        await bench.event("contact.motive", c="C-1", motive="2")
        await bench.world.sleep(1000)
        await bench.shows("guide")
        await bench.keys(6, 6, 4)
        await bench.shows("intend")
        await bench.keys(4)
        await bench.shows("intended")
        await bench.keys(1)
        await bench.event("wrapup.started")
        await bench.shows("tree_2")  # under the motive
        await bench.keys(3, 3)
        await bench.event("contact.typified", c="C-1", code="211", how="agent")
        await bench.world.sleep(6000)
        await bench.shows("after")
        await bench.badge_and_choose(menu_keys.LEAVE)
        await bench.event("session.closed", reason="agent")
        assert bench.kinds()[3:] == [
            "attendance.marked",
            "session.opened",
            "presence.changed",
            "presence.changed",
            "contact.offered",
            "contact.answered",
            "contact.step",
            "contact.held",
            "contact.resumed",
            "contact.muted",
            "contact.unmuted",
            "contact.step",
            "contact.step",
            "contact.motive",
            "contact.playbook",
            "presence.intended",
            "contact.step",
            "contact.ended",
            "wrapup.started",
            "contact.typified",
            "wrapup.ended",
            "presence.changed",
            "attendance.marked",
            "session.closed",
            "presence.changed",
        ]
        assert [event["k"] for event in bench.host.events] == bench.kinds()
