"""A real call out: a program asks, real firmware in the VM dials, and an exchange that speaks AMI
and ARI as a recorded Asterisk does calls the agent's telephone, and then the number.
"""

import os
import signal
from contextlib import asynccontextmanager, closing

import httpx
import nats
import pytest
from diadema.base import credentials
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_events import caller_reference
from playwright.async_api import async_playwright, expect

from tests.support.broker_fixtures import until
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.supervisor import bearer
from tests.support.switched_centre import shown, switched_centre
from tests.system.test_switch import CODE, CONSULTED, coded, ready

CALLED = "987654321"


async def ask(centre, agent, number=CALLED, **more):
    headers = bearer(centre) | {"Accept-Language": "en"}
    async with httpx.AsyncClient(base_url=centre.web, headers=headers, timeout=300) as api:
        return await api.post(
            "/api/v1/switch/calls", json={"agent": agent.desk.person.id, "number": number} | more
        )


async def dialling(centre, agent, peer, *, rings=True):
    """Asked for once the bridge knows that the agent is free; gives its contact."""

    async def accepted():
        answer = await ask(centre, agent)
        assert answer.status_code in (202, 409), answer.text
        return answer.json().get("c")

    contact = await until(accepted)
    await until(lambda: agent.happened("contact.dialed", contact))
    if rings:
        await peer.until(lambda: peer.trunk.state == "RINGING")
    return contact


def chain(centre, agent, contact):
    return [
        one.event for one in centre.world.witness.events(agent.desk.station)
        if one.event.get("c") == contact
    ]  # fmt: skip


def far_ends(peer):
    return [one for one in peer.channels if one.id.startswith("out-")]


def contact_of(centre, contact):
    with closing(centre.reader()) as reader:
        return next((one for one in reader.contacts() if one.contact == contact), None)


@asynccontextmanager
async def overheard(centre):
    """All that passes the broker meanwhile."""
    hub = DataDir(centre.data.root).read_hub()
    password = credentials.load(centre.data).host
    client = await nats.connect(hub.nats, user="host", password=password)
    heard = []

    async def hear(message):
        heard.append(message.data + message.subject.encode() + str(message.headers).encode())

    await client.subscribe(">", cb=hear)
    await client.flush()
    try:
        yield heard
    finally:
        await client.close()


async def test_from_a_program_to_the_wrapup_on_the_floor(tmp_path, system_program):
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with (
        switched_centre(tmp_path) as (centre, peer),
        async_playwright() as playwright,
        overheard(centre) as heard,
    ):
        (agent,) = centre.agents
        me, phone = agent.desk.person.id, peer.telephone("PJSIP/101")
        peer.trunk.mode = "ring"
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        expect.set_options(timeout=300_000)
        page = await browser.new_page()
        await page.goto(centre.entry_link())
        tile = page.locator(f'[data-a="{me}"]')

        async def shows(state):
            await expect(tile).to_have_attribute("data-state", state)

        await ready(agent, peer)
        contact = await dialling(centre, agent, peer)
        await shows("dialing")
        assert phone.hears == {"tone"}
        refused = await ask(centre, agent)
        assert refused.status_code == 409 and "in a call" in refused.json()["detail"]
        peer.trunk.lift()
        await shows("talking")
        await peer.until(lambda: peer.trunk.hears == {"PJSIP/101"})
        waits = peer.call("ventas", number="999000222")
        await agent.hold(contact)
        await shows("held")
        await peer.until(lambda: "PJSIP/101" not in peer.trunk.hears)
        await agent.resume(contact)
        await agent.transfer(contact, CONSULTED)
        await shows("consulting")
        await peer.until(lambda: phone.hears == {"PJSIP/104"})
        await agent.come_back(contact)
        await peer.until(lambda: "PJSIP/101" in peer.trunk.hears)
        await agent.hang_up(contact)
        await shows("wrapup")
        await peer.until(lambda: phone.state == "NOT_INUSE" and not far_ends(peer))
        assert waits.there and not agent.history.kinds_since(0) & {"contact.offered"}, (
            "no queue rang"
        )
        await coded(agent, contact)
        await shows("offered")  # who waited comes now
        waits.hang_up()

        events = chain(centre, agent, contact)
        kinds = [one["k"] for one in events if one["k"] != "contact.step"]
        assert kinds == [
            "contact.dialed", "contact.answered", "contact.held", "contact.resumed",
            "contact.consulted", "contact.consult_ended", "contact.ended", "wrapup.started",
            "contact.typified", "wrapup.ended",
        ]  # fmt: skip
        reference = caller_reference(credentials.load(centre.data).badge_key, CALLED)
        assert (events[0]["via"], events[0]["reference"]) == ("host", reference)
        assert events[1]["via"] == "host" and "dial_result" not in events[-4]
        await until(lambda: (one := contact_of(centre, contact)) and one.wrap_ms is not None)
        stored = contact_of(centre, contact)
        assert (stored.direction, stored.outcome, stored.ended_by) == ("out", "answered", "agent")
        assert stored.code == CODE and stored.dial_ms is not None
        assert not [line for line in peer.queue_log() if "|CONNECT|" in line], "none of a queue"
        (row,) = centre.accounts.audit.rows(what="switch.call")
        assert row.detail == {"contact": contact, "reference": reference} and row.agents == [me]
        assert not (await shown(centre))["report"]["troubles"]

        kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        shows_it = (await page.content()).encode() + repr(await shown(centre)).encode()
        assert any(contact.encode() in one for one in kept)
        assert any(contact.encode() in one for one in heard)
        for told in (*kept, *heard, shows_it):
            assert CALLED.encode() not in told
        await browser.close()


async def test_each_ending_is_told_as_it_was(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        phone, far = peer.telephone("PJSIP/101"), peer.trunk
        await ready(agent, peer)

        async def over(contact):
            await until(lambda: agent.happened("contact.ended", contact))
            (ended,) = [
                one for one in chain(centre, agent, contact) if one["k"] == "contact.ended"
            ]
            await until(lambda: not far_ends(peer))
            return ended["by"], ended.get("dial_result")

        far.mode = "busy"
        contact = await dialling(centre, agent, peer, rings=False)
        assert await over(contact) == ("system", "busy")
        await until(lambda: contact_of(centre, contact).cause == "busy")

        far.mode = "ring"
        contact = await dialling(centre, agent, peer)
        await agent.hang_up(contact)
        assert await over(contact) == ("agent", "no_answer")

        contact = await dialling(centre, agent, peer)
        phone.hang_up()
        assert await over(contact) == ("agent", "no_answer")

        far.unregister()
        contact = await dialling(centre, agent, peer, rings=False)
        assert await over(contact) == ("system", "failed")
        far.register()

        far.mode = "always"
        contact = await dialling(centre, agent, peer, rings=False)
        await until(lambda: agent.happened("contact.answered", contact))
        far.hang_up()
        assert await over(contact) == ("caller", None)
        await coded(agent, contact)

        contact = await dialling(centre, agent, peer, rings=False)
        await until(lambda: agent.happened("contact.answered", contact))
        phone.hang_up()
        assert await over(contact) == ("agent", None)
        await coded(agent, contact)

        since = agent.seen
        phone.mode = "busy"
        contact = await dialling(centre, agent, peer, rings=False)
        assert await over(contact) == ("technical", "failed")
        await agent.expect("presence.changed", since, to="not_ready", reason="fault", by="system")

        async def away():
            """The hub knows that the call is over, too."""
            refused = await ask(centre, agent)
            return refused.status_code == 409 and "not ready" in refused.json()["detail"]

        await until(away)
        phone.mode = "auto"
        await agent.get_ready()

        async def free():
            """The hub knows it, so that the number alone can be refused."""
            return "not ready" not in (await ask(centre, agent, "105")).json()["detail"]

        await until(free)
        for number in ("0051987654321", "105", "080812345"):
            refused = await ask(centre, agent, number)
            assert refused.status_code == 409 and "--allow" in refused.json()["detail"]
        rung = agent.seen
        caller = peer.call("ventas", number="999000222")
        offered = await agent.expect("contact.offered", rung)  # free for the queue after all that
        caller.hang_up()
        await until(lambda: agent.happened("contact.missed", offered.event["c"]))


@pytest.mark.parametrize("when", ["rings", "talks"])
async def test_a_bridge_that_is_killed_cuts_no_call_out(tmp_path, when):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        peer.trunk.mode = "ring"
        contact = await dialling(centre, agent, peer)
        if when == "talks":
            peer.trunk.lift()
            await until(lambda: agent.happened("contact.answered", contact))
        pid = centre.data.read_hub().children["switch"]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: (centre.data.read_hub().children.get("switch") or pid) != pid)
        if when == "rings":
            peer.trunk.lift()  # before the bridge is there again, or just as it is
            await until(lambda: agent.happened("contact.answered", contact))
        await peer.until(lambda: peer.trunk.hears == {"PJSIP/101"})
        await agent.hang_up(contact)
        await peer.until(lambda: peer.trunk.state == "NOT_INUSE")
        await coded(agent, contact)
