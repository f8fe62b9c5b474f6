"""A real call by a station's keys: real firmware in the VM, hub, bridge, and an exchange that
speaks AMI and ARI as a recorded Asterisk does.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter, defaultdict
from contextlib import asynccontextmanager, closing, suppress

import httpx
import nats
from diadema.base import credentials
from diadema.store import tables
from diadema.wire.ask_hub import ask_hub
from diadema_sim import people
from diadema_sim.station_user import NoResponse
from playwright.async_api import async_playwright, expect
from sqlalchemy import func, select

from tests.support.asterisk_peer import AsteriskPeer
from tests.support.broker_fixtures import until
from tests.support.chromium import CHROMIUM, FLAGS
from tests.support.informed import LEAD, inform
from tests.support.made_up_numbers import Search, make, planted
from tests.support.switched_centre import (
    NUMBER,
    centre_of,
    imported,
    is_up,
    pauses,
    plug_in,
    settled,
    shown,
    switched_centre,
    told_by_the_log,
    told_by_the_store,
    way_to,
)

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
    chromium = system_program(CHROMIUM, CHROMIUM)
    async with switched_centre(tmp_path) as (centre, peer), async_playwright() as playwright:
        (agent,) = centre.agents
        phone, area = peer.telephone("PJSIP/101"), peer.telephone("PJSIP/104")
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
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
        assert "0 nuevas, 0 distintas" in await imported(centre, written(peer, tmp_path))


def written(peer, tmp_path):
    log = tmp_path / "queue_log"
    log.write_text("\n".join(peer.queue_log()) + "\n")
    return log


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
        named = Counter(
            "private" if reason["private"] else reason["code"] for reason in people.REASONS
        )
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
        assert pauses(peer.queue_log()) == named, "and none for the wrap-up"


async def test_an_exchange_without_states_of_its_own_is_given_a_pause_that_is_no_reason(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await agent.log_in()
        await agent.get_ready()
        peer.core.has_custom_states = False
        await peer.restart()
        await until(lambda: is_member(agent, peer))
        contact, _ = await talking(agent, peer)
        await until(lambda: is_member(agent, peer, paused=True))
        await agent.hang_up(contact)
        assert is_member(agent, peer, paused=True), "until it is coded"
        await coded(agent, contact)
        await until(lambda: is_member(agent, peer))
        await agent.pause(people.REASONS[0]["code"])
        await until(lambda: is_member(agent, peer, paused=True))
        assert pauses(peer.queue_log()) == {"diadema": 1, people.REASONS[0]["code"]: 1}

        async def as_wanted():
            members = (await shown(centre))["report"]["members"]
            return not [one for one in members if one.get("wanted")]

        await until(as_wanted)


async def test_what_somebody_changes_at_the_exchange_is_told(tmp_path):
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)
        interface = f"Local/{agent.desk.person.id}@diadema/n"

        async def wanted():
            members = (await shown(centre))["report"]["members"]
            return [one for one in members if one.get("wanted")]

        async def told():
            return (await shown(centre))["report"]["troubles"] and await wanted()

        peer.console.pause(interface, "ventas", "Supervisor")
        await until(wanted)
        if not await told():  # it fell into a change of ours, and is shown without being told
            peer.console.unpause(interface, "ventas")
            peer.console.pause(interface, "ventas", "Supervisor")
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


class Day:
    """Calls to agents who work, while somebody does mischief; who ended each, as it was done."""

    def __init__(self, centre, peer, rng):
        self.centre, self.peer, self.rng = centre, peer, rng
        self.ended = defaultdict(set)  # pbx → who did; with no bridge between them, both
        self.callers = []

    async def work(self, agent, calls):
        for _ in range(calls):
            await self.one_call(agent)
        if agent.work[0] == "wrapup":
            await coded(agent, agent.work[1])

    async def one_call(self, agent):
        """However it goes: until it is over at both ends."""
        await until(lambda: self.peer.is_up)
        caller = self.peer.call("ventas", number=NUMBER)
        self.callers.append(caller)
        now = asyncio.get_running_loop().time
        patience = now() + self.rng.uniform(4, 15)
        while caller.there and now() < patience:
            with suppress(NoResponse):  # the screen had just changed by itself: a key for nothing
                await self.next_key(agent)
            await asyncio.sleep(0.2)
        if caller.there:
            self.ended[caller.uniqueid].add("caller")
            caller.hang_up()

    async def next_key(self, agent):
        work, contact = agent.work
        if work == "offered":
            await agent.answer(contact)
        elif work == "talking" and self.rng.random() < 0.3:
            self.ended[offered_pbx(self.centre, agent, contact)].add("agent")
            await agent.hang_up(contact)
        elif work == "wrapup":
            await coded(agent, contact)
        elif work == "idle" and agent.presence != "ready":
            await agent.get_ready()

    async def over(self):
        """All are over at both ends, and nothing is left of them anywhere."""
        await until(lambda: is_up(self.centre))
        for agent in self.centre.agents:
            await until(lambda agent=agent: agent.work[0] in ("idle", "wrapup"))
        left = ("Local/", "PJSIP/1")
        await until(lambda: not [one for one in self.peer.channels if one.name.startswith(left)])
        await settled(self.centre, self.peer)

        async def quiet():
            report = (await shown(self.centre))["report"]
            return (report["calls"], report["unsent"]) == (0, 0)

        await until(quiet)

    def contacts(self):
        """pbx → how each of its contacts ended at its station."""
        found = {}
        for agent in self.centre.agents:
            mine = {}
            for one in self.centre.world.witness.events(agent.desk.station):
                event = one.event
                if event["k"] == "contact.offered":
                    mine[event["c"]] = event["pbx"]
                    found.setdefault(event["pbx"], []).append(None)
                elif event["k"] in ("contact.ended", "contact.missed"):
                    ends = found[mine[event["c"]]]
                    assert ends[-1] is None, "ended once"
                    ends[-1] = event.get("by") or event["cause"]
        return found


def offered_pbx(centre, agent, contact):
    (found,) = [
        one.event["pbx"] for one in centre.world.witness.events(agent.desk.station)
        if one.event["k"] == "contact.offered" and one.event["c"] == contact
    ]  # fmt: skip
    return found


@asynccontextmanager
async def mischief(do, rng, count):
    """`do` so often at random moments while the body runs, and to the end of them."""

    async def all_of_them():
        for _ in range(count):
            await asyncio.sleep(rng.uniform(0.3, 3))
            await do()

    doing = asyncio.create_task(all_of_them())
    try:
        yield doing
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


async def test_killed_at_any_moment_no_call_is_cut_and_none_stays(tmp_path):
    """The bridge, fifteen times in ten calls."""
    rng = random.Random(1)
    async with switched_centre(tmp_path, 2, seed=1) as (centre, peer):
        for agent in centre.agents:
            await ready(agent, peer)
        day = Day(centre, peer, rng)

        def killed():
            hub = centre.data.read_hub()
            if hub is None or "switch" not in hub.children:
                return False
            with suppress(ProcessLookupError):  # it is being started again
                os.kill(hub.children["switch"], signal.SIGKILL)
                return True
            return False

        async def kill():
            await until(killed)
            await until(lambda: is_up(centre))

        async with mischief(kill, rng, 15) as killing:
            while not killing.done():
                await asyncio.gather(*(day.work(agent, 5) for agent in centre.agents))
            await killing
        await day.over()
        log, stored = told_by_the_log(peer.queue_log()), told_by_the_store(centre)
        away = log.keys() - stored.keys()  # whoever came and went while no bridge was there
        assert stored and stored.keys() <= log.keys() == {one.uniqueid for one in day.callers}
        said = await imported(centre, written(peer, tmp_path))
        assert f"{len(away)} nuevas" in said, said
        stored = told_by_the_store(centre)
        for pbx, (outcome, by, agent) in log.items():
            if outcome == "answered":
                assert by in day.ended[pbx], "whoever did not hang up was not cut"
            assert stored[pbx] == (outcome, by, agent) or stored[pbx][1] is None, "or not known"
        for pbx, ends in day.contacts().items():
            assert None not in ends
            assert not {"agent", "caller"} & {*ends} - day.ended[pbx], "its true cause"


async def test_an_exchange_that_begins_anew_at_any_moment_leaves_nothing(tmp_path):
    """Ten times, in an orderly way or not, in calls, at rings, and with callers who wait."""
    rng = random.Random(2)
    async with switched_centre(tmp_path, 2, seed=2) as (centre, peer):
        for agent in centre.agents:
            await ready(agent, peer)
        day = Day(centre, peer, rng)

        async def begin_anew():
            await peer.restart(kill=rng.random() < 0.5)
            await until(lambda: is_up(centre))

        async with mischief(begin_anew, rng, 10) as beginning:
            while not beginning.done():
                await asyncio.gather(*(day.work(agent, 3) for agent in centre.agents))
            await beginning
        await day.over()
        for agent in centre.agents:
            if agent.presence != "ready":
                await agent.get_ready()
            await until(lambda agent=agent: is_member(agent, peer))
        stored = told_by_the_store(centre)
        calls = {one.uniqueid for one in day.callers}
        assert stored.keys() <= calls, "but those who came and went before we were back"
        said = await imported(centre, written(peer, tmp_path))
        assert f"{len(calls - stored.keys())} nuevas" in said, said
        for pbx, told in told_by_the_log(peer.queue_log()).items():
            assert pbx not in stored or stored[pbx] == told or stored[pbx][1] is None
        for ends in day.contacts().values():
            assert None not in ends


def calls_over(centre):
    row = tables.queue_calls.c
    with closing(centre.reader()) as reader, reader.engine.connect() as tx:
        return tx.execute(select(func.count()).where(row.end_utc.is_not(None))).scalar_one()


async def test_a_call_is_heard_while_its_station_says_so(tmp_path):
    """By the telephone of an account, until the agent pauses the recording."""
    async with AsteriskPeer.start() as peer:
        plug_in(peer, 1)
        way = way_to(peer, listeners={LEAD: "PJSIP/103"})
        before_ms = int(time.time() * 1000) - 60_000
        prepare = lambda data, agents: inform(data, before_ms, agents)  # noqa: E731
        async with centre_of(tmp_path, way, 1, prepare) as centre:
            (agent,), listener = centre.agents, peer.telephone("PJSIP/103")
            listener.mode = "always"
            await ready(agent, peer)
            contact, caller = await talking(agent, peer)
            await peer.until(lambda: caller.hears == {"PJSIP/101"})
            ask = {"by": LEAD, "a": agent.desk.person.id, "mode": "whisper", "purpose": "coaching"}

            async def listen(**body):
                return (await ask_hub(centre.data, "hub.listen", body))["listening"]

            async def heard():
                """A machine that is busy may need another try: two seconds are a limit."""
                if not (live := await listen()):
                    await listen(do="begin", **ask)
                return live and live[0]["confirmed"] and listener.hears

            await until(heard)
            assert listener.hears == {NUMBER, "PJSIP/101"}
            assert "PJSIP/103" in peer.telephone("PJSIP/101").hears
            assert caller.hears == {"PJSIP/101"}
            assert agent.happened("contact.listened", contact)
            paused = {"cmd": "recording", "contact": contact, "state": "paused"}
            await ask_hub(centre.data, "hub.command", {"s": agent.desk.station, **paused})
            await peer.until(lambda: not listener.hears)

            async def over():
                return not await listen()

            await until(over)
            with closing(centre.reader()) as reader:
                said = [one.event for one in reader.events_of("HUB-main")]
            causes = [one["cause"] for one in said if one["k"] == "listening.ended"]
            assert causes[-1] == "recording_paused" and {*causes[:-1]} <= {"not_confirmed"}
            await agent.hang_up(contact)
            await coded(agent, contact)


async def test_no_number_of_a_caller_is_anywhere(tmp_path):
    """In no file, with logs, database and the broker's own; in nothing that the broker carries; on
    no page.
    """
    rng = random.Random(7)
    numbers = make(2_500 if os.environ.get("CI") else 10_000, rng)
    search, heard = Search(numbers), []
    async with switched_centre(tmp_path) as (centre, peer):
        (agent,) = centre.agents
        await ready(agent, peer)

        async def note(message):
            heard.append(f"{message.subject} {message.data!r} {message.headers}")

        hub = centre.data.read_hub()
        listener = await nats.connect(
            hub.nats, user="host", password=credentials.load(centre.data).host
        )
        await listener.subscribe(">", cb=note)
        pending = [*numbers.values()]
        spoken = [pending.pop() for _ in range(3)]
        for number in spoken:
            since = agent.seen
            caller = peer.call("ventas", number=number)
            contact = (await agent.expect("contact.offered", since)).event["c"]
            await agent.answer(contact)
            await until(lambda caller=caller: caller.agent == agent.desk.person.id)
            await agent.hang_up(contact)
            await coded(agent, contact)
        while pending:
            for number in (batch := [pending.pop() for _ in range(min(len(pending), 50))]):
                peer.call("ventas", number=number).hang_up()
            await asyncio.sleep(0.002 * len(batch))
        await until(lambda: calls_over(centre) == len(numbers), 900)
        assert not search.json(await shown(centre))
        async with httpx.AsyncClient(follow_redirects=True, timeout=60) as browser:
            for path in ("/ui/switch", "/ui/", "/api/v1/reports/colas"):
                page = await browser.get(centre.entry_link(path))
                assert page.status_code == 200, path
                assert not search.text(page.text), path
        await listener.drain()
        subjects = {one.split()[0] for one in heard}
        assert {"hub.queue", "hub.switch", "switch.events"} <= subjects
        assert not search.text("\n".join(heard))
        planted(centre.data.root / "planted.log", spoken[0], "a log")
        found = {path.name: search.file(path) for path in centre.data.root.rglob("*")
                 if path.is_file()}  # fmt: skip
        assert "store.sqlite3-wal" in found or "store.sqlite3" in found
        assert [name for name, its in found.items() if its] == ["planted.log"], found
