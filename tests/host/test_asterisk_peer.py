"""The exchange that tests play: what it does by hand, and that it does what a recorded one did."""

import asyncio
import ssl
from typing import Any

import httpx
import pytest
from diadema.base.certificates import Certificates
from diadema.switch.asterisk.ami import Ami, Message
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.login import Login
from diadema.switch.exchange import SwitchRefused
from diadema_sim.exchange.played import USER

from tests.support.asterisk import real, transcripts
from tests.support.asterisk.player import Player
from tests.support.asterisk.real import RealAsterisk
from tests.support.asterisk.transcripts import read, sorted_out, without_echoes
from tests.support.asterisk_peer import SECRET, AsteriskPeer, Caller, member
from tests.support.trust import trusting

AUTO = {"variables": {"PJSIP_HEADER(add,Call-Info)": "<sip:diadema>;answer-after=0"}}


def _channel(event: dict[str, Any]) -> str:
    found: str = event.get("channel", {}).get("id", "")
    return found


class Bridge:
    """The bridge's part, by hand; `events` of ARI, `told` of AMI."""

    def __init__(
        self, peer: AsteriskPeer, user: str = USER, tls: ssl.SSLContext | None = None
    ) -> None:
        self.peer = peer
        self.events: list[dict[str, Any]] = []
        self.told: list[Message] = []
        self.up, self.lost = asyncio.Event(), asyncio.Event()
        self.more, self.ups = asyncio.Event(), 0
        host = "127.0.0.1" if tls is None else "localhost"
        login = Login(host, peer.ami_port, user, SECRET, tls)
        self.ami = Ami(login, lambda one: self._take(self.told, one), self._rise, self._fall)
        here = Login(host, peer.ari_port, USER, SECRET, tls)
        self.ari = Ari(here, lambda one: self._take(self.events, one), self._rise, self._fall)

    def _take(self, to: list[Any], one: Any) -> None:
        to.append(one)
        self.more.set()

    async def _rise(self) -> None:
        self.ups += 1
        self.up.set()
        self.more.set()

    def _fall(self, error: Exception) -> None:
        self.lost.set()

    async def until(self, true) -> Any:
        async with asyncio.timeout(300):
            while not (found := true()):
                self.more.clear()
                await self.more.wait()
        return found

    async def heard(self, kind: str, channel: str = "") -> dict[str, Any]:
        def find() -> Any:
            for one in self.events:
                if one["type"] == kind and channel in ("", _channel(one)):
                    return one
            return None

        return await self.until(find)

    async def seen(self, kind: str, **fields: str) -> Message:
        def find() -> Any:
            for one in self.told:
                if one["Event"] == kind and fields.items() <= one.items():
                    return one
            return None

        return await self.until(find)

    async def add(self, agent: str, queue: str = "ventas") -> None:
        await self.ami.act(
            "QueueAdd", Queue=queue, Interface=member(agent), MemberName=agent,
            StateInterface=f"Custom:diadema-{agent}", Penalty="0", Paused="false",
        )  # fmt: skip

    async def offer(self) -> str:
        """The leg that rings."""

        def find() -> str:
            starts = (one for one in self.events if one["type"] == "StasisStart")
            return next((_channel(one) for one in starts if one["args"][:1] == ["oferta"]), "")

        found: str = await self.until(find)
        return found

    async def answer(self, leg: str, telephone: str = "PJSIP/101") -> None:
        await self.ari.post(
            "channels", body=AUTO, endpoint=telephone, app="diadema", appArgs=f"telefono,{leg}",
            channelId=f"tel-{leg}", originator=leg, timeout="4", callerId="Diadema <200>",
        )  # fmt: skip
        await self.heard("StasisStart", f"tel-{leg}")
        await self.ari.post("bridges", type="mixing", bridgeId=f"b-{leg}")
        channels = f"{leg},tel-{leg}"
        await self.ari.post("bridges", f"b-{leg}", "addChannel", channel=channels)
        await self.ari.post("channels", leg, "answer")
        await self.seen("AgentConnect")


@pytest.fixture
async def peer(stack):
    return await stack.enter_async_context(AsteriskPeer.start())


@pytest.fixture
async def bridge(stack, peer):
    return await connected(stack, peer)


async def connected(stack, peer: AsteriskPeer, user: str = USER) -> Bridge:
    bridge = Bridge(peer, user)
    await stack.enter_async_context(bridge.ari)
    for client in (bridge.ami, bridge.ari):
        bridge.up.clear()
        run(stack, client)
        await bridge.up.wait()
    return bridge


def run(stack, client: Ami | Ari) -> asyncio.Task[None]:
    task = asyncio.create_task(client.run())
    stack.push_async_callback(asyncio.wait, [task])
    stack.callback(task.cancel)
    return task


def verbs(peer: AsteriskPeer) -> list[str]:
    return [line.split("|")[4] for line in peer.queue_log()]


async def test_a_call_is_offered_answered_and_ended_by_the_agent(peer, bridge):
    await bridge.add("a101")
    caller = peer.call("ventas", number="999000111")
    leg = await bridge.offer()
    assert caller.hears == {"music"}
    await bridge.answer(leg)
    assert caller.agent == "a101"
    assert caller.hears == {"PJSIP/101"}
    assert peer.telephone("PJSIP/101").hears == {"999000111"}
    await bridge.ari.delete("channels", leg)
    assert (await bridge.seen("AgentComplete"))["Reason"] == "agent"
    await peer.until(lambda: not caller.there)
    await bridge.ari.delete("channels", f"tel-{leg}")
    await bridge.heard("ChannelDestroyed", f"tel-{leg}")
    assert peer.channels == []
    assert verbs(peer) == ["QUEUESTART", "ADDMEMBER", "ENTERQUEUE", "CONNECT", "COMPLETEAGENT"]


async def test_a_call_that_the_caller_ends_leaves_the_telephone_to_the_bridge(peer, bridge):
    await bridge.add("a101")
    caller = peer.call("ventas", number="999000111")
    leg = await bridge.offer()
    await bridge.answer(leg)
    caller.hang_up()
    assert (await bridge.seen("AgentComplete"))["Reason"] == "caller"
    await bridge.heard("StasisEnd", leg)
    assert [one.id for one in peer.channels] == [f"tel-{leg}"]
    assert verbs(peer)[-1] == "COMPLETECALLER"


@pytest.mark.parametrize("how", ["telephone", "caller"])
async def test_without_a_bridge_the_dialplan_rings_the_telephone(how, peer, stack):
    bridge = Bridge(peer)
    run(stack, bridge.ami)
    await bridge.up.wait()
    await bridge.add("a101")
    await bridge.ami.act("Setvar", Variable="DIADEMA_TEL_a101", Value="101")
    telephone = peer.telephone("PJSIP/101")
    telephone.mode = "always"
    caller = peer.call("ventas", number="999000111")
    await peer.until(lambda: caller.agent)
    assert (caller.hears, telephone.hears) == ({"PJSIP/101"}, {"999000111"})
    (telephone if how == "telephone" else caller).hang_up()
    await peer.until(lambda: not peer.channels)
    assert verbs(peer)[-1] == ("COMPLETEAGENT" if how == "telephone" else "COMPLETECALLER")


async def test_without_bridge_and_telephone_the_caller_waits_on(peer):
    peer.queue("ventas", retry_s=0.01)
    peer.console.add("ventas", member("a101"), "a101")
    caller = peer.call("ventas")
    await peer.until(lambda: verbs(peer).count("RINGNOANSWER") == 3)
    assert (caller.agent, caller.hears) == (None, {"music"})


async def test_a_second_bridge_takes_the_application_over(peer, bridge, stack):
    second = Bridge(peer)
    await stack.enter_async_context(second.ari)
    run(stack, second.ari)
    await second.up.wait()
    assert await bridge.heard("ApplicationReplaced")
    await bridge.add("a101")
    peer.call("ventas")
    await second.offer()
    assert {one["type"] for one in bridge.events} == {"ApplicationReplaced"}
    assert not bridge.lost.is_set()


async def test_a_bridge_that_comes_back_hears_its_channels_and_nothing_of_the_past(peer, stack):
    first = Bridge(peer)
    await stack.enter_async_context(first.ari)
    tasks = [run(stack, client) for client in (first.ami, first.ari)]
    await first.until(lambda: first.ups == 2)
    await first.add("a101")
    caller = peer.call("ventas")
    leg = await first.offer()
    await first.answer(leg)
    for task in tasks:
        task.cancel()
    application = peer.core.applications["diadema"]
    await peer.until(lambda: application.send is None)
    peer.telephone("PJSIP/101").hang_up()  # nobody is there to hear it
    second = Bridge(peer)
    await stack.enter_async_context(second.ari)
    run(stack, second.ari)
    await second.up.wait()
    found = await second.ari.get("bridges", f"b-{leg}")
    assert (found["channels"], caller.hears) == ([leg], frozenset())
    await second.ari.delete("channels", leg)
    await second.heard("StasisEnd", leg)
    assert [one["type"] for one in second.events if one["type"].startswith("Stasis")] == [
        "StasisEnd"
    ]
    assert verbs(peer)[-1] == "COMPLETEAGENT"


async def test_a_telephone_that_is_watched_tells_of_itself_and_of_its_channels_twice(peer, bridge):
    source = {"eventSource": "endpoint:PJSIP/101"}
    await bridge.ari.post("applications", "diadema", "subscription", **source)
    telephone = peer.telephone("PJSIP/101")
    telephone.unregister()
    telephone.register()
    await bridge.seen("DeviceStateChange", Device="PJSIP/101", State="NOT_INUSE")
    await bridge.until(lambda: len(bridge.events) >= 6)
    assert [one["contact_info"]["contact_status"] for one in bridge.events[2::3]] == [
        "Removed", "NonQualified"]  # fmt: skip
    await bridge.add("a101")
    peer.call("ventas")
    leg = await bridge.offer()
    await bridge.answer(leg)
    ups = [
        one for one in bridge.events
        if one["type"] == "ChannelStateChange" and one["channel"]["id"] == f"tel-{leg}"
        and one["channel"]["state"] == "Up"
    ]  # fmt: skip
    assert len(ups) == 2


REFUSED = ("Originate", "Command", "GetConfig", "ModuleCheck", "MixMonitor", "PJSIPNotify")


async def test_what_a_class_may_not_do_is_refused(peer, bridge, stack):
    for action in REFUSED:
        with pytest.raises(SwitchRefused, match="lacks a class"):
            await bridge.ami.act(action)
    with pytest.raises(SwitchRefused, match="Invalid/unknown command: NoExiste"):
        await bridge.ami.act("NoExiste")
    everything = Bridge(peer, "todo")
    run(stack, everything.ami)
    await everything.up.wait()
    for action in REFUSED:
        with pytest.raises(SwitchRefused) as error:
            await everything.ami.act(action)
        assert error.value.reason != "Permission denied"


async def test_only_what_the_filter_lets_through_is_heard(peer, bridge, stack):
    other = Bridge(peer, "sin_filtro")
    run(stack, other.ami)
    await other.up.wait()
    await bridge.add("a101")
    await bridge.ami.act("Setvar", Variable="DEVICE_STATE(Custom:otra)", Value="INUSE")
    await bridge.ami.act("Setvar", Variable="DEVICE_STATE(Custom:diadema-a101)", Value="INUSE")
    await bridge.seen("DeviceStateChange")
    await other.seen("QueueMemberStatus")
    assert [one["Device"] for one in bridge.told if "Device" in one] == ["Custom:diadema-a101"]
    assert "QueueMemberStatus" not in {one["Event"] for one in bridge.told}


async def test_whoever_is_not_who_he_says_is_not_let_in(peer):
    peer.manager.refused_s = 0
    login = Login("127.0.0.1", peer.ami_port, USER, "otra")
    with pytest.raises(SwitchRefused, match="Authentication failed"):
        await Ami(login, print, Bridge(peer)._rise, print).once()
    peer.manager.silent_s = 0.1
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.ami_port)
    writer.write(b"Action: QueueStatus\r\nActionID: 1\r\n\r\n")
    text = await reader.read()  # to the end: nobody has logged in
    assert text.endswith(b"ActionID: 1\r\nMessage: Permission denied\r\n\r\n")
    writer.close()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{peer.ari_port}/ari") as client:
        assert (await client.get("/channels", auth=(USER, "otra"))).status_code == 401
        reads = ("solo_leer", SECRET)
        assert (await client.get("/channels", auth=reads)).status_code == 200
        answer = await client.post("/bridges", auth=reads)
        assert (answer.status_code, answer.json()) == (403, {"message": "Write access denied"})


async def test_a_connection_that_asks_for_nothing_is_closed(peer):
    peer.rest.idle_s = 0.01
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.ari_port)
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize("kill", [False, True])
async def test_stopped_it_ends_its_calls_killed_it_loses_them(kill, stack):
    peer = await stack.enter_async_context(AsteriskPeer.start(clock=lambda: 1_796_000_000.0))
    bridge = await connected(stack, peer)
    await bridge.add("a101")
    peer.call("ventas", number="999000111")
    leg = await bridge.offer()
    await bridge.answer(leg)
    device = "DEVICE_STATE(Custom:diadema-a101)"
    await bridge.ami.act("Setvar", Variable=device, Value="INUSE")
    waiting = peer.call("ventas", number="999000222")
    await peer.stop(kill=kill)
    if not kill:
        await bridge.seen("AgentComplete")
    await bridge.lost.wait()
    ends = {"ABANDON", "COMPLETEAGENT", "COMPLETECALLER"}
    assert sum(one in ends for one in verbs(peer)) == (0 if kill else 2)
    await peer.restart()
    assert (peer.channels, peer.queues.queues["ventas"].members) == ([], {})
    assert not waiting.there
    assert kill is not ("AgentComplete" in {one["Event"] for one in bridge.told})
    # killed, it has lost a state that was younger than a second
    assert peer.core.device_state("Custom:diadema-a101") == ("UNKNOWN" if kill else "INUSE")
    assert verbs(peer)[-1] == "QUEUESTART"


async def test_a_state_that_was_just_set_is_lost_with_the_machine(stack):
    now = [1_796_000_000.0]
    start = AsteriskPeer.start(clock=lambda: now[0], persistent=True)
    peer = await stack.enter_async_context(start)
    peer.manager.set_custom("Custom:diadema-a101", "INUSE")
    now[0] += 2
    peer.manager.set_custom("Custom:diadema-a101", "ONHOLD")
    peer.console.add("ventas", member("a101"), "a101")
    await peer.restart(kill=True)
    assert peer.core.device_state("Custom:diadema-a101") == "INUSE"
    assert [*peer.queues.queues["ventas"].members] == [member("a101")]


async def test_the_log_counts_in_whole_seconds_and_a_cancelled_ring_in_ms(stack):
    now = [1_796_000_000.9]
    peer = await stack.enter_async_context(AsteriskPeer.start(clock=lambda: now[0]))
    bridge = await connected(stack, peer)
    await bridge.add("a101")
    caller = peer.call("ventas", number="999000111")
    leg = await bridge.offer()
    now[0] += 0.2  # the second has changed
    await bridge.ami.act(
        "Setvar", Variable="DEVICE_STATE(Custom:diadema-a101)", Value="UNAVAILABLE"
    )
    await bridge.ari.delete("channels", leg)
    await bridge.seen("AgentRingNoAnswer", RingTime="1000")
    caller.hang_up()
    await bridge.ami.act("Setvar", Variable="DEVICE_STATE(Custom:diadema-a101)", Value="NOT_INUSE")
    caller = peer.call("ventas", number="999000111")
    await bridge.until(lambda: sum(one["type"] == "StasisStart" for one in bridge.events) == 2)
    now[0] += 1.25
    caller.hang_up()
    lines = [line.split("|", 4)[4] for line in peer.queue_log()]
    assert lines[3:5] == ["RINGNOANSWER|1000", "ABANDON|1|1|1"]
    assert lines[6:] == ["RINGCANCELED|1250", "ABANDON|1|1|1"]


async def test_the_end_of_a_call_lacks_the_agents_leg_now_and_then(peer, stack):
    bridge = Bridge(peer)  # without its application the telephones ring
    run(stack, bridge.ami)
    await bridge.up.wait()
    peer.telephone("PJSIP/101").mode = "always"
    peer.core.globals["DIADEMA_TEL_a101"] = "101"
    await bridge.add("a101")
    for number in range(60):
        caller = peer.call("ventas", number=f"9990{number:05d}")
        await peer.until(lambda caller=caller: caller.agent)
        caller.hang_up()
        await peer.until(lambda: not peer.channels)

    def ends() -> list[Message]:
        return [one for one in bridge.told if one["Event"] == "AgentComplete"]

    await bridge.until(lambda: len(ends()) == 60)
    lacking = sum("DestUniqueid" not in one for one in ends())
    assert 0 < lacking < 30


async def test_the_end_of_a_call_may_lack_even_its_caller(peer, bridge):
    peer.queues.lost_caller = 1.0
    await bridge.add("a101")
    caller = peer.call("ventas", number="999000111")
    await bridge.answer(await bridge.offer())
    caller.hang_up()
    end = await bridge.seen("AgentComplete")
    assert ("Uniqueid" in end, end["MemberName"], end["Reason"]) == (False, "a101", "caller")


async def test_a_flood_comes_whole(peer, bridge):
    await peer.flood(20_000)
    await bridge.until(lambda: len(bridge.told) == 20_000)


async def test_an_event_may_stop_in_its_middle(peer, bridge):
    peer.say(Event="NuncaVisto", Queue="ventas")
    assert (await bridge.seen("NuncaVisto"))["Queue"] == "ventas"
    peer.stop_in_the_middle_of_an_event(close=True)
    await bridge.lost.wait()
    assert "QueueCallerJoin" not in {one["Event"] for one in bridge.told}


async def test_both_interfaces_may_be_had_by_tls_only(stack, tmp_path):
    certificates = Certificates(tmp_path)
    certificates.make(["localhost", "127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    peer = await stack.enter_async_context(AsteriskPeer.start(tls=context))
    trusted = trusting(certificates)
    bridge = Bridge(peer, tls=trusted)
    await stack.enter_async_context(bridge.ari)
    for client in (bridge.ami, bridge.ari):
        bridge.up.clear()
        run(stack, client)
        await bridge.up.wait()
    assert await bridge.ari.get("channels") == []


async def test_who_hears_whom(peer, bridge):
    await bridge.add("a101")
    caller, telephone = peer.call("ventas", number="999000111"), peer.telephone("PJSIP/101")
    leg = await bridge.offer()
    await bridge.answer(leg)
    await bridge.ari.post("channels", f"tel-{leg}", "mute", direction="in")
    assert (caller.hears, telephone.hears) == (frozenset(), {"999000111"})
    await bridge.ari.delete("channels", f"tel-{leg}", "mute", direction="in")
    await bridge.ari.post("bridges", f"b-{leg}", "removeChannel", channel=leg)
    assert (caller.hears, telephone.hears) == (frozenset(), frozenset())
    await bridge.ari.post("channels", leg, "moh")
    assert (caller.hears, telephone.hears) == ({"music"}, frozenset())
    await bridge.ari.post("bridges", f"b-{leg}", "addChannel", channel=leg)
    assert caller.hears == {"music", "PJSIP/101"}
    await bridge.ari.delete("channels", leg, "moh")
    area = {"endpoint": "Local/104@diadema-areas/n", "app": "diadema", "channelId": "area"}
    await bridge.ari.post("channels", **area, appArgs="area", originator=leg)
    await bridge.heard("StasisStart", "area")
    await bridge.ari.post("bridges", f"b-{leg}", "addChannel", channel="area")
    assert caller.hears == {"PJSIP/101", "PJSIP/104"}
    assert peer.telephone("PJSIP/104").hears == {"PJSIP/101", "999000111"}
    telephone.press_hold(True)
    await bridge.heard("ChannelHold", f"tel-{leg}")
    assert "music" in caller.hears
    telephone.press_hold(False)
    peer.console.listen("PJSIP/103", caller)
    assert (await bridge.seen("ChanSpyStart"))["SpyeeUniqueid"] == caller.uniqueid
    assert peer.telephone("PJSIP/103").hears == {"999000111", "PJSIP/101", "PJSIP/104"}


async def test_a_telephone_rings_until_its_user_lifts_it(peer, bridge):
    telephone = peer.telephone("PJSIP/101")
    telephone.mode = "ring"
    await bridge.ari.post(
        "channels", body=AUTO, endpoint="PJSIP/101", app="diadema", channelId="tel", timeout="9"
    )
    await peer.until(lambda: telephone.state == "RINGING")
    telephone.lift()
    await bridge.heard("StasisStart", "tel")
    telephone.hang_up()
    assert (await bridge.heard("ChannelDestroyed", "tel"))["cause"] == 16


async def test_a_telephones_own_transfer_is_no_offer_and_leaves_the_leg_to_the_bridge(
    peer, bridge
):
    await bridge.add("a101")
    caller = peer.call("ventas", number="999000111")
    leg = await bridge.offer()
    await bridge.answer(leg)
    peer.telephone("PJSIP/101").transfer("104")
    blind = await bridge.heard("BridgeBlindTransfer")
    assert (blind["exten"], blind["replace_channel"]["name"][:10]) == ("104", "Local/104@")
    await bridge.seen("BlindTransfer", Result="Success")
    await peer.until(lambda: caller.hears == {"PJSIP/104"})
    starts = [one for one in bridge.events if one["type"] == "StasisStart"]
    assert starts[-1]["args"] == []
    peer.telephone("PJSIP/104").hang_up()
    await bridge.heard("StasisEnd", starts[-1]["channel"]["id"])
    assert (caller.there, caller.hears) == (True, frozenset())


async def test_a_bridge_gives_all_the_linkedid_of_its_oldest(peer, bridge):
    """So a leg that joins a telephone that stayed up loses its caller's."""
    await bridge.ari.post(
        "channels", body=AUTO, endpoint="PJSIP/101", app="diadema", channelId="cla", timeout="9"
    )
    await bridge.heard("StasisStart", "cla")
    await bridge.add("a101")
    caller = peer.call("ventas")
    leg = await bridge.offer()
    linked = {"variable": "CHANNEL(linkedid)"}
    found = await bridge.ari.get("channels", leg, "variable", **linked)
    assert found == {"value": caller.uniqueid}
    await bridge.ari.post("bridges", type="mixing", bridgeId="b")
    await bridge.ari.post("bridges", "b", "addChannel", channel=f"{leg},cla")
    found = await bridge.ari.get("channels", leg, "variable", **linked)
    assert (found, caller.channel.linked) == ({"value": "cla"}, caller.uniqueid)


async def test_what_somebody_does_at_the_console_is_told(peer, bridge):
    await bridge.add("a101")
    peer.console.pause(member("a101"), reason="Supervisor")
    told = await bridge.seen("QueueMemberPause", Paused="1")
    assert told["PausedReason"] == "Supervisor"
    caller = peer.call("ventas")
    peer.console.unpause(member("a101"), "ventas")
    peer.console.set_penalty(member("a101"), 3)
    assert (await bridge.seen("QueueMemberPenalty"))["Penalty"] == "3"
    await bridge.offer()
    peer.console.remove("ventas", member("a101"))
    await bridge.seen("QueueMemberRemoved")
    assert caller.there


class PeerHands:
    """The people of the transcripts, at the played exchange."""

    def __init__(self, peer: AsteriskPeer) -> None:
        self._peer = peer
        self._callers: dict[str, list[Caller]] = {}

    async def phones(self, *numbers: str) -> None:
        for number in ("101", "102", "103", "104"):
            telephone = self._peer.telephone(f"PJSIP/{number}")
            (telephone.register if number in numbers else telephone.unregister)()

    async def do(self, what: str, *more: str) -> None:
        peer = self._peer
        if what == "call":
            number, queue, *option = more
            recorded = option == ["recorded"]
            # a queue that gives up after 3 s need not be waited for; one after 30 s is not
            gives_up_s = {"3": 0.1, "30": 30.0}.get(option[0]) if option else None
            caller = peer.call(queue, number, recorded, gives_up_s)
            self._callers.setdefault(number, []).append(caller)
        elif what == "next":
            queue, agent = more
            members = [*peer.queues.queues[queue].members]
            peer.queues.queues[queue].last = members[members.index(member(agent)) - 1]
        elif what == "mode":
            number, mode = more
            self._telephone(number).mode = mode
        elif what == "transfer":
            self._telephone(more[0]).transfer(more[1])
        elif what == "reject":
            self._telephone(more[0]).hang_up(1)
        elif what == "console":
            self._console(more[0].split())
        elif more[0] in self._callers:
            for caller in self._callers[more[0]]:
                caller.hang_up()
        else:
            self._telephone(more[0]).hang_up()

    def _telephone(self, number: str) -> Any:
        return self._peer.trunk if number == "pstn" else self._peer.telephone(f"PJSIP/{number}")

    def _console(self, words: list[str]) -> None:
        console, verb = self._peer.console, words[1]
        named = dict(zip(words[2::2], words[3::2], strict=False))
        match verb:
            case "pause":
                console.pause(named["member"], named.get("queue", ""), named.get("reason", ""))
            case "unpause":
                console.unpause(named["member"], named.get("queue", ""))
            case "add":
                penalty = int(named.get("penalty", 0))
                console.add(named["to"], named["member"], named.get("as", ""), penalty)
            case "remove":
                console.remove(named["from"], named["member"])
            case "set" if words[2] == "ringinuse":
                self._peer.queues.set_ringinuse(words[5], words[3] == "yes", words[7])


def prepare(peer: AsteriskPeer, name: str) -> None:
    """As the exchange was that the transcripts are of, but for its times: what was waited for is
    soon, and what was not does not come in between, however slow the machine.
    """
    peer.queue("ventas-corta", timeout_s=0.2, retry_s=60)
    peer.queue("ventas", retry_s=_RETRIES_S.get(name, 1))
    for agent in ("a101", "a102", "a103"):
        peer.core.custom[f"Custom:diadema-{agent}"] = "NOT_INUSE"


_RETRIES_S = {"device_state": 60, "telephone_not_registered": 3}
_WAITS_FOR_A_TELEPHONE = ("telephone_silent", "telephone_rings_on")
RECORDED = sorted(path.stem for path in transcripts.FOLDER.glob("*.jsonl"))


def differences(name: str, player: Player) -> tuple[object, object]:
    """What came, and what should have, sorted out alike."""
    came = player.came
    found = without_echoes([came.names.said(row) for row in came.rows])
    return sorted_out(found), sorted_out(read(name))


@pytest.mark.parametrize("name", RECORDED)
async def test_the_peer_does_what_the_recorded_one_did(name, stack):
    second_s = 0.1 if name in _WAITS_FOR_A_TELEPHONE else 1.0
    peer = await stack.enter_async_context(AsteriskPeer.start(second_s=second_s))
    prepare(peer, name)
    ports = peer.ami_port, peer.ari_port
    async with Player(ports, USER, SECRET, PeerHands(peer)) as player:
        peer.queues.written = player.line
        await player.play(read(name))
    came, recorded = differences(name, player)
    assert came == recorded


@pytest.fixture(scope="module")
def real_asterisk(tmp_path_factory):
    at = real.folder()
    if at is None:
        pytest.skip(f"{real.VARIABLE} is not set")
    asterisk = RealAsterisk(at, tmp_path_factory.mktemp("asterisk"))
    asterisk.start()
    yield asterisk
    asterisk.stop()


OF_THIS_PEER_ONLY = {
    "telephone_not_registered": "whose turn it is depends on all calls since the start",
    "device_state": "a retry comes between",
    "blind_transfer_fails": "a race in it: the log says now that the caller left, now a transfer",
    "listening": "our telephones send no sound, and ChanSpy ends with the next that it hears",
}
OF_ANY_EXCHANGE = sorted({*RECORDED} - {*OF_THIS_PEER_ONLY})


@pytest.mark.parametrize("name", OF_ANY_EXCHANGE)
async def test_a_real_one_does_what_the_recorded_one_did(name, real_asterisk):
    rows = read(name)
    async with real.player(real_asterisk, rows[0][1:]) as player:
        await player.play(rows)
    came, recorded = differences(name, player)
    assert came == recorded
