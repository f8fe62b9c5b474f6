"""Attendance is the tap's, a session the desk's: scripted days on the real firmware in the VM."""

HOUR = 3_600_000
MINUTE = 60_000
LOGIN = ["attendance.marked", "session.opened", "presence.changed"]
LOGOUT = ["session.closed", "presence.changed"]


async def tapped(bench, badge):
    """Tap, and let the reader see that the badge has left."""
    since = bench.since()
    await bench.station.tap(badge)
    await bench.world.sleep(2000)
    return bench.kinds(since)


async def test_a_day_of_marks_breaks_and_salida(desk):
    async with desk() as bench:
        rosa = bench.badges[0]
        since = bench.since()
        await bench.station.tap(rosa)
        await bench.event("attendance.marked", direction="in", method="badge")
        opened = await bench.event("session.opened", a="a001")
        mark = bench.world.witness.events(bench.station.id)[since]
        assert mark.event["k"] == "attendance.marked"
        assert opened["of"] == [bench.station.id, mark.epoch, mark.sequence]
        await bench.world.sleep(1000)
        await bench.shows("tap_entrada")
        assert bench.kinds(since) == LOGIN
        await bench.world.sleep(5000)
        assert await tapped(bench, rosa) == []
        await bench.shows("tap_asks")
        await bench.world.sleep(10_000)  # nothing chosen
        await bench.shows("tap_asks_no_more")
        await bench.world.sleep(4 * MINUTE)
        await tapped(bench, rosa)
        await bench.keys(4)
        await bench.event("session.closed", reason="agent")
        await bench.world.sleep(MINUTE)
        assert await tapped(bench, rosa) == LOGIN[1:]  # back from refrigerio: no mark
        await bench.world.sleep(4 * MINUTE)
        since = bench.since()
        await bench.station.tap(rosa)
        by_now = bench.world.now_ms()
        await bench.world.sleep(3000)
        await bench.keys(5)
        mark = await bench.event("attendance.marked", since, direction="out")
        assert abs(mark["t"] - by_now) < 1000  # the tap's time, not that of the key
        await bench.event("session.closed", since, reason="agent")
        await bench.world.sleep(500)
        await bench.shows("tap_salida")


async def test_salida_in_a_call_waits_for_its_wrapup(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.keys(1)
        await bench.event("contact.answered")
        await bench.world.sleep(30_000)
        since = bench.since()
        await tapped(bench, bench.badges[0])
        await bench.shows("tap_asks_in_call")
        await bench.keys(5)
        await bench.event("attendance.marked", since, direction="out")
        await bench.world.sleep(5000)
        await bench.shows("leaving_after_the_call")
        assert bench.kinds(since) == ["attendance.marked"]
        await bench.keys(1)
        await bench.event("wrapup.started", since)
        await bench.event("session.closed", since, reason="agent")
        await bench.event("presence.changed", since, to="logged_out")
        assert bench.kinds(since)[-2:] == LOGOUT


async def test_relief_and_a_badge_in_somebody_elses_call(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.keys(1)
        await bench.event("contact.answered")
        assert await tapped(bench, bench.badges[1]) == ["attendance.marked", "session.denied"]
        await bench.shows("tap_in_anothers_call")
        await bench.keys(1)
        await bench.event("wrapup.ended")
        since = bench.since()
        await bench.station.tap(bench.badges[1])
        await bench.event("session.opened", since, a="a002")
        await bench.world.sleep(500)
        await bench.shows("tap_relief")
        assert bench.kinds(since) == LOGOUT + LOGIN[1:]


async def test_a_badge_that_nobody_knows_is_marked_and_leaves(desk):
    async with desk() as bench:
        assert await tapped(bench, "DEADBEEF") == ["attendance.marked", "session.denied"]
        mark = await bench.event("attendance.marked")
        assert mark["a"] is None and len(mark["badge"]) == 32
        await bench.shows("tap_unknown")
        await bench.world.sleep(2000)
        await tapped(bench, "DEADBEEF")
        await bench.shows("tap_unknown_again")
        await bench.keys(5)
        await bench.event("attendance.marked", direction="out", a=None)


async def test_the_host_closes_a_session_and_the_screen_says_why(desk):
    async with desk() as bench:
        await bench.ready()
        number = bench.host.command(
            "session", agent="a001", verdict="close", reason="at_other_seat"
        )
        assert (await bench.host.answer(number))["k"] == "session.corrected"
        await bench.event("session.closed", reason="corrected")
        await bench.world.sleep(HOUR)
        await bench.shows("closed_by_the_host")
        since = bench.since()
        await bench.keys(6)
        await bench.event("notice.acknowledged", since)
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("station.booted", since)
        assert bench.kinds(since)[:2] == ["notice.acknowledged", "station.booted"]


async def test_a_cut_of_power_forgets_no_mark(desk):
    async with desk() as bench:
        await tapped(bench, bench.badges[0])
        await bench.keys(4)
        await bench.world.sleep(3000)
        await tapped(bench, bench.badges[0])
        since = bench.since()
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("station.clock", since)
        since = bench.since()
        await tapped(bench, bench.badges[0])
        await bench.keys(5)
        await bench.event("attendance.marked", since, direction="out")
        marks = [k for k in bench.kinds() if k == "attendance.marked"]
        assert len(marks) == 2
