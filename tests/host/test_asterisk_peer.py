"""The exchange that tests play: what it does by hand, and that it does what a recorded one did."""

import asyncio
from typing import Any

import pytest
from diadema.switch.asterisk.ami import Ami, Message
from diadema.switch.asterisk.ari import Ari
from diadema.switch.asterisk.login import Login

from tests.support.asterisk import transcripts
from tests.support.asterisk.player import Player
from tests.support.asterisk.transcripts import read, sorted_out, without_echoes
from tests.support.asterisk_peer import SECRET, USER, AsteriskPeer, Caller, member

AUTO = {"variables": {"PJSIP_HEADER(add,Call-Info)": "<sip:diadema>;answer-after=0"}}


class Bridge:
    """The bridge's part, by hand; `events` of ARI, `told` of AMI."""

    def __init__(self, peer: AsteriskPeer, user: str = USER) -> None:
        self.peer = peer
        self.events: list[dict[str, Any]] = []
        self.told: list[Message] = []
        self.up, self.lost = asyncio.Event(), asyncio.Event()
        self.more = asyncio.Event()
        login = Login("127.0.0.1", peer.ami_port, user, SECRET)
        self.ami = Ami(login, lambda one: self._take(self.told, one), self._rise, self._fall)
        here = Login("127.0.0.1", peer.ari_port, USER, SECRET)
        self.ari = Ari(here, lambda one: self._take(self.events, one), self._rise, self._fall)

    def _take(self, to: list[Any], one: Any) -> None:
        to.append(one)
        self.more.set()

    async def _rise(self) -> None:
        self.up.set()

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
                if one["type"] == kind and channel in ("", one["channel"]["id"]):
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
        return (await self.heard("StasisStart"))["channel"]["id"]

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
        task = asyncio.create_task(client.run())
        stack.push_async_callback(asyncio.wait, [task])
        stack.callback(task.cancel)
        await bridge.up.wait()
    return bridge


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


def prepare(peer: AsteriskPeer) -> None:
    """As the exchange was that the transcripts are of, but for its time-outs."""
    peer.queue("ventas-corta", timeout_s=0.2)
    for agent in ("a101", "a102", "a103"):
        peer.core.custom[f"Custom:diadema-{agent}"] = "NOT_INUSE"


RECORDED = sorted(path.stem for path in transcripts.FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("name", RECORDED)
async def test_the_peer_does_what_the_recorded_one_did(name, stack):
    peer = await stack.enter_async_context(AsteriskPeer.start(second_s=0.1))
    prepare(peer)
    rows = read(name)
    players = Player(peer.ami_port, peer.ari_port, USER, SECRET, PeerHands(peer))
    async with players as player:
        peer.queues.written = player.line
        await player.play(rows)
        came = player.came
    found = without_echoes([came.names.said(row) for row in came.rows])
    assert sorted_out(found) == sorted_out(rows)
