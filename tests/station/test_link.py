"""What the desk shows and tells of its link while the host is away, over the cable and Wi-Fi."""

import asyncio
import contextlib

import pytest

from tests.station.test_wifi import PASSWORD, SSID, TwoWays, air, authority, begin, server  # noqa: F401

# the lower eight of their ten rows, on the screen's first page
MARKS = {"up": "00c0f0c000", "late": "00c030c000", "lost": "10a040a010"}


async def mark(bench) -> str:
    """What the status line says of the link; over a list and everything else."""
    await bench.world.sleep(30)
    top = (await bench.station.screen())[:128]
    (seen,) = (name for name, mark in MARKS.items() if bytes.fromhex(mark) in top)
    return seen


async def back(bench, seconds):
    """The link is up again after so long at most; a busy machine is given time, not the clock."""
    for _ in range(seconds):
        if await mark(bench) == "up":
            return
        await bench.world.sleep(970)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bench.host.heard.wait(), 0.2)
    raise AssertionError("the link is not up")


async def test_an_idle_desk_sees_that_its_host_is_dead_and_that_it_is_back(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.caught_up()
        assert await mark(bench) == "up"
        bench.host.answering = False
        hellos, events = len(bench.host.hellos), bench.since()
        await bench.world.sleep(25_000)
        assert await mark(bench) == "up"
        await bench.world.sleep(10_000)
        assert await mark(bench) == "late"
        assert bench.since() == events
        async with asyncio.timeout(300):  # what was sent may not have been read yet
            while len(bench.host.hellos) < hellos + 3:
                await bench.host.heard.wait()
        await bench.world.sleep(80_000)
        assert await mark(bench) == "lost"
        await bench.world.sleep(600_000)
        assert await mark(bench) == "lost"
        bench.host.answering = True
        await back(bench, 20)


async def test_events_that_wait_are_seen_at_once_and_all_arrive(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.caught_up()
        bench.host.answering, since = False, bench.since()
        await bench.keys(3, 3)
        await bench.event("presence.changed", since, to="not_ready")
        await bench.world.sleep(6_000)
        assert await mark(bench) == "late"
        await bench.world.sleep(75_000)
        assert await mark(bench) == "lost"
        bench.host.answering = True
        await back(bench, 20)
        assert [e["k"] for e in bench.host.events] == bench.kinds()


@pytest.mark.parametrize("heard", [False, True])
async def test_a_call_that_rings_when_the_host_falls_is_not_charged_to_the_agent(desk, heard):
    """`heard`: that it rings the host still learns, and says so; then nothing is left to say."""
    async with desk() as bench:
        await bench.ready()
        await bench.caught_up()
        bench.host.answering = heard
        await bench.ring("C-1")
        if heard:
            await bench.caught_up()
            bench.host.answering = False
        missed = await bench.event("contact.missed", c="C-1")
        assert (missed["cause"], missed["ring_ms"]) == ("technical", 20_000)
        await bench.world.sleep(1_000)
        assert "no_answer" not in [
            seen.event.get("reason") for seen in bench.world.witness.events(bench.station.id)
        ]
        assert await mark(bench) == "late"


async def test_the_self_test_says_what_the_screen_says(desk):
    async with desk() as bench:
        await bench.station.tap(bench.badges[0])
        await bench.event("presence.changed", to="not_ready")
        await bench.caught_up()
        for link, answering in (("failed", False), ("ok", True)):
            bench.host.answering = answering
            await bench.world.sleep(40_000)
            number = bench.host.command("selftest")
            await bench.caught_up()  # it has read that
            await bench.world.sleep(20_000)
            await bench.keys(3)
            told = await bench.event("station.selftest", i=number)
            assert told["checks"]["link"] == link
            assert (await mark(bench) == "up") == answering


async def test_a_broker_that_is_gone_is_seen_with_nothing_to_say(desk, site, server):  # noqa: F811
    async with desk() as bench:
        host = await begin(bench, site, server)
        await air(bench, {SSID: PASSWORD})
        host.with_wifi()
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        host.cable = False
        await bench.ready()
        await bench.until(lambda: "presence.changed" in host.over("wifi"))
        await bench.world.sleep(2_000)
        assert await mark(bench) == "up"
        await host._client.close()
        host._client = None
        await server.kill()
        events = bench.since()
        await bench.world.sleep(35_000)
        assert await mark(bench) == "late"
        await bench.world.sleep(75_000)
        assert await mark(bench) == "lost" and bench.since() == events
        await server.start()
        await host.open()
        await back(bench, 70)
        await host.shut()
