"""A real call by a station's keys: real firmware in the VM, hub, bridge, and an exchange that
speaks AMI and ARI as a recorded Asterisk does.
"""

import asyncio
import os
import random
import re
import signal

import pytest
from diadema_sim import people
from playwright.async_api import async_playwright, expect

from tests.support.broker_fixtures import until
from tests.support.switched_centre import (
    NUMBER,
    imported,
    is_up,
    pauses,
    settled,
    shown,
    switched_centre,
    told_by_the_log,
    told_by_the_store,
)

_FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
CODE = people.leaves(people.LIMA_TREE)[0]
CONSULTED = next(area["code"] for area in people.AREAS if area["consulted"])
BLIND = next(area["code"] for area in people.AREAS if not area["consulted"])


async def ready(agent, peer):
    """Logged in and ready, and the queue knows it."""
    await agent.log_in()
    await agent.get_ready()
    await until(lambda: is_member(agent, peer))


def is_member(agent, peer, *, paused=False):
    (found,) = [
        one for one in peer.queues.queues["ventas"].members.values()
        if one.name == agent.desk.person.id
    ] or [None]  # fmt: skip
    return found is not None and found.paused == paused


async def offered(agent, peer, **more):
    """A call of the queue rings at the station; its contact, and who calls."""
    since = agent.seen
    caller = peer.call("ventas", number=NUMBER, **more)
    rung = await agent.expect("contact.offered", since)
    return rung.event["c"], caller


async def talking(agent, peer, **more):
    contact, caller = await offered(agent, peer, **more)
    await agent.answer(contact)
    await until(lambda: caller.agent == agent.desk.person.id)
    return contact, caller


async def coded(agent, contact):
    """To the end of the wrap-up."""
    await agent.typify_after(contact, CODE)


async def test_from_the_queue_to_the_wrapup_on_the_floor(tmp_path, system_program):
    chromium = system_program("chromium", "chromium")
    async with switched_centre(tmp_path) as (centre, peer), async_playwright() as playwright:
        (agent,) = centre.agents
        phone, area = peer.telephone("PJSIP/101"), peer.telephone("PJSIP/104")
        browser = await playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
        expect.set_options(timeout=300_000)
        page = await browser.new_page()
        await page.goto(centre.entry_link())
        tile = page.locator(f'[data-a="{agent.desk.person.id}"]')

        async def shows(state):
            await expect(tile).to_have_attribute("data-state", state)

        await ready(agent, peer)
        contact, caller = await offered(agent, peer)
        await shows("offered")
        await agent.answer(contact)
        await shows("talking")
        await peer.until(lambda: caller.hears == {"PJSIP/101"})
        await agent.hold(contact)
        await shows("held")
        await peer.until(lambda: caller.hears == {"music"} and not phone.hears)
        await agent.resume(contact)
        await peer.until(lambda: caller.hears == {"PJSIP/101"})
        await agent.transfer(contact, CONSULTED)
        await shows("consulting")
        await peer.until(lambda: phone.hears == {"PJSIP/104"} and caller.hears == {"music"})
        await agent.swap(contact)
        await peer.until(lambda: caller.hears == {"PJSIP/101"} and area.hears == {"music"})
        await agent.confer(contact)
        await peer.until(lambda: caller.hears == {"PJSIP/101", "PJSIP/104"})
        await agent.hang_up(contact)
        await shows("wrapup")
        await peer.until(lambda: caller.hears == {"PJSIP/104"} and not phone.hears)
        await coded(agent, contact)
        await shows("ready")
        area.hang_up()
        await peer.until(lambda: not caller.there)
        told = await settled(centre, peer)
        assert told == told_by_the_log(peer.queue_log())
        assert [*told.values()] == [("answered", "agent", agent.desk.person.id)]
        assert not (await shown(centre))["report"]["troubles"]
        await browser.close()


async def test_each_ending_is_the_same_in_the_log_and_in_the_store(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        me = agent.desk.person.id
        phone, area = peer.telephone("PJSIP/101"), peer.telephone("PJSIP/104")
        await ready(agent, peer)

        async def over(contact, **fields):
            await until(lambda: agent.happened("contact.ended", contact))
            ended = [
                one.event for one in centre.world.witness.events(agent.desk.station)
                if one.event["k"] == "contact.ended" and one.event["c"] == contact
            ]  # fmt: skip
            assert fields.items() <= ended[-1].items()

        contact, caller = await talking(agent, peer)
        await agent.hang_up(contact)
        await peer.until(lambda: not caller.there)
        await coded(agent, contact)

        contact, caller = await talking(agent, peer)
        caller.hang_up()
        await over(contact, by="caller")
        await coded(agent, contact)

        contact, caller = await talking(agent, peer)
        phone.hang_up()
        await over(contact, by="agent")
        await peer.until(lambda: not caller.there)
        await coded(agent, contact)

        contact, caller = await offered(agent, peer)
        caller.hang_up()
        await until(lambda: agent.happened("contact.missed", contact))

        contact, caller = await talking(agent, peer)
        await agent.transfer(contact, BLIND)
        await over(contact, by="transfer")
        await peer.until(lambda: caller.hears == {"PJSIP/104"})
        area.hang_up()
        await coded(agent, contact)

        contact, caller = await talking(agent, peer)
        await agent.transfer(contact, CONSULTED)
        await peer.until(lambda: phone.hears == {"PJSIP/104"})
        await agent.come_back(contact)
        await peer.until(lambda: caller.hears == {"PJSIP/101"} and not area.hears)
        await agent.mute(contact)
        await peer.until(lambda: not caller.hears)
        await agent.unmute(contact)
        await peer.until(lambda: caller.hears == {"PJSIP/101"})
        await agent.hang_up(contact)
        await peer.until(lambda: not caller.there)
        await coded(agent, contact)

        told = await settled(centre, peer)
        assert told == told_by_the_log(peer.queue_log())
        assert sorted(map(str, told.values())) == sorted(
            map(str, [
                ("answered", "agent", me), ("answered", "caller", me), ("answered", "agent", me),
                ("abandoned", None, None), ("answered", "transfer", me), ("answered", "agent", me),
            ])
        )  # fmt: skip
        assert not [one for one in peer.channels if "Local/" in one.name]
        log = tmp_path / "queue_log"
        log.write_text("\n".join(peer.queue_log()) + "\n")
        assert "0 nuevas, 0 distintas" in await imported(centre, log)


async def test_a_telephone_that_is_not_there_keeps_the_callers_place(tmp_path):
    async with switched_centre(tmp_path, 2) as (centre, peer):
        first, second = centre.agents
        await ready(first, peer)
        peer.telephone("PJSIP/101").mode = "silent"
        contact, caller = await offered(first, peer)
        behind = peer.call("ventas", number="999000222")
        since = first.seen
        await first.answer(contact)
        await first.expect("contact.ended", since, c=contact, by="technical")
        await first.expect("presence.changed", since, to="not_ready", reason="fault", by="system")
        assert caller.there
        since = second.seen
        await second.log_in()
        await second.get_ready()
        rung = await second.expect("contact.offered", since)
        assert rung.event["pbx"] == caller.uniqueid, "the one who came first"
        await second.answer(rung.event["c"])
        await until(lambda: caller.agent == second.desk.person.id)
        behind.hang_up()
        await second.hang_up(rung.event["c"])
        await settled(centre, peer)
        assert told_by_the_store(centre) == told_by_the_log(peer.queue_log())


async def test_a_telephone_that_is_gone_is_told_and_refuses_to_be_ready(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        since = agent.seen
        peer.telephone("PJSIP/101").unregister()
        await agent.expect("station.fault", since, part="telephone", code="no_phone")
        await agent.expect("presence.changed", since, to="not_ready", by="system")
        await until(lambda: is_member(agent, peer, paused=True))
        peer.telephone("PJSIP/101").register()
        await agent.expect("station.fault_cleared", since, part="telephone")
        await agent.get_ready()
        await until(lambda: is_member(agent, peer))


async def test_each_pause_of_the_log_is_a_reason_of_the_store(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        reasons = [reason["code"] for reason in people.REASONS]
        for reason in reasons:
            await agent.pause(reason)
            await until(lambda: is_member(agent, peer, paused=True))
            await agent.get_ready()
            await until(lambda: is_member(agent, peer))
        contact, _ = await talking(agent, peer)
        await agent.hang_up(contact)
        await coded(agent, contact)
        await agent.log_out()
        await until(lambda: not peer.queues.queues["ventas"].members)
        assert pauses(peer.queue_log()) == dict.fromkeys(reasons, 1), "and none for the wrap-up"


async def test_what_somebody_changes_at_the_exchange_is_told(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        peer.console.pause(f"Local/{agent.desk.person.id}@diadema/n", "ventas", "Supervisor")

        async def told():
            report = (await shown(centre))["report"]
            wanted = [one for one in report["members"] if one.get("wanted")]
            return report["troubles"] and wanted

        (member,) = await until(told)
        assert (member["paused"], member["wanted"]) == (True, "ready")


async def test_without_the_bridge_telephones_ring_and_what_talks_goes_on(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        contact, caller = await talking(agent, peer)
        pid = centre.data.read_hub().children["switch"]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: (centre.data.read_hub().children.get("switch") or pid) != pid)
        await until(lambda: is_up(centre))
        assert caller.hears == {"PJSIP/101"}
        await agent.hang_up(contact)
        await peer.until(lambda: not caller.there)
        await coded(agent, contact)
        contact, caller = await talking(agent, peer)
        caller.hang_up()
        await until(lambda: agent.happened("contact.ended", contact))
        await settled(centre, peer)
        assert told_by_the_store(centre) == told_by_the_log(peer.queue_log())


@pytest.mark.parametrize("seed", range(2))
async def test_killed_at_any_moment_no_call_is_cut_and_none_stays(tmp_path, seed):
    """The bridge, or the exchange: every contact ends, and with its true cause."""
    rng = random.Random(seed)
    async with switched_centre(tmp_path, 2, seed=seed) as (centre, peer):
        for agent in centre.agents:
            await ready(agent, peer)

        async def kill():
            while True:
                await asyncio.sleep(rng.uniform(0.5, 3))
                hub = centre.data.read_hub()
                pid = hub.children.get("switch") if hub is not None else 0
                if pid:
                    os.kill(pid, signal.SIGKILL)
                await until(lambda: is_up(centre))

        async def work(agent):
            for _ in range(5):
                await one_call(agent, peer, rng)

        killer = asyncio.create_task(kill())
        try:
            await asyncio.gather(*(work(agent) for agent in centre.agents))
        finally:
            killer.cancel()
            await asyncio.gather(killer, return_exceptions=True)
        await until(lambda: is_up(centre))
        for agent in centre.agents:
            await until(lambda agent=agent: agent.work[0] in ("idle", "wrapup"))
        await until(lambda: not [one for one in peer.channels if "Local/" in one.name])
        answered = told_by_the_log(peer.queue_log())
        await settled(centre, peer)
        stored = told_by_the_store(centre)
        for pbx, told in stored.items():
            if told[0] == "answered" and told[1] is not None:
                assert answered[pbx][2] == told[2], "nobody else talked"


async def one_call(agent, peer, rng):
    """However it goes: a call for whoever is free, until it is over at both ends."""
    caller = peer.call("ventas", number=NUMBER)
    deadline = asyncio.get_running_loop().time() + 60
    while caller.there and asyncio.get_running_loop().time() < deadline:
        work, contact = agent.work
        if work == "offered":
            await agent.answer(contact)
        elif work == "talking" and rng.random() < 0.3:
            await agent.hang_up(contact)
        elif work == "wrapup":
            await coded(agent, contact)
        elif work == "idle" and agent.presence != "ready":
            await agent.get_ready()
        await asyncio.sleep(0.2)
    caller.hang_up()
    if agent.work[0] == "wrapup":
        await coded(agent, agent.work[1])


async def test_no_number_of_a_caller_is_anywhere(tmp_path):
    rng = random.Random(7)
    numbers = {f"9{rng.randrange(10**8):08}" for _ in range(300)}
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        contact, _ = await talking(agent, peer)
        for number in numbers - {NUMBER}:
            peer.call("ventas", number=number).hang_up()
        await agent.hang_up(contact)
        await settled(centre, peer)
        page = repr(await shown(centre))
        found = [page]
        for path in centre.data.root.rglob("*"):
            if path.is_file():
                found.append(path.read_bytes().decode("latin-1"))
        digits = re.compile(r"9\d{8}")
        seen = {one for text in found for one in digits.findall(text)}
        assert not seen & (numbers | {NUMBER})
