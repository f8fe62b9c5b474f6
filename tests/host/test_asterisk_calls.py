"""Calls in Asterisk's hands, and a bridge that is killed in the middle of one: the next one takes
it again as it is, and cuts nobody off.
"""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from diadema.base.clock import SystemClock
from diadema.base.credentials import Secrets
from diadema.switch.asterisk.calls import _SETTLES_S
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Ended,
    Joined,
    Known,
    Listening,
    Offered,
    Phone,
    PhoneFailed,
    Standing,
    SwitchError,
    Up,
)
from diadema.switch.settings import Settings
from diadema.words import Sentence

from tests.support.asterisk_peer import SECRET, AsteriskPeer, member
from tests.support.broker_fixtures import until

PHONE, AREA = "PJSIP/101", "PJSIP/104"
SECRETS = Secrets(
    host="", gateway="", api="", badge_key="00" * 32, exchange={"ami": SECRET, "ari": SECRET}
)


class Process:
    """A bridge's exchange, and what it heard of it."""

    def __init__(self, peer):
        self.peer, self.heard = peer, []
        settings = Settings(ami_port=peer.ami_port, ari_port=peer.ari_port)
        self.exchange = Asterisk(settings, SECRETS, self.heard.append, SystemClock(), Known())

    @asynccontextmanager
    async def run(self):
        await self.exchange.take_calls(True)
        running = asyncio.create_task(self.exchange.run())
        try:
            self.up = await self.hears(Up)
            yield self
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def hears(self, kind):
        found = []

        def said():
            found[:] = [one for one in self.heard if isinstance(one, kind)]
            return found

        await until(said)
        return found[-1]


@pytest.fixture
async def peer():
    async with AsteriskPeer.start() as peer:
        peer.console.add("ventas", member("a101"), "a101")
        yield peer


async def talking(process):
    """A call of the queue that the agent has taken."""
    caller = process.peer.call("ventas", number="999000111")
    call = (await process.hears(Offered)).call
    await process.exchange.answer(call, Phone(PHONE))
    await process.hears(Joined)
    return call, caller


async def consulting(process):
    call, caller = await talking(process)
    await process.exchange.consult(call, "104")
    assert (await process.hears(Consulted)).result == "answered"
    return call, caller


def heard_by(peer, caller):
    return caller.hears, peer.telephone(PHONE).hears, peer.telephone(AREA).hears


NOBODY, MUSIC, A, AGENT = frozenset(), {"music"}, {AREA}, {PHONE}
CALLER = {"PJSIP/troncal"}


async def test_a_caller_waits_on_when_the_area_hangs_up(peer):
    async with Process(peer).run() as process:
        call, caller = await consulting(process)
        peer.telephone(AREA).hang_up()
        await until(lambda: Consulted(call, "dropped") in process.heard)
        assert heard_by(peer, caller) == (MUSIC, NOBODY, NOBODY)
        await process.exchange.resume(call)
        await until(lambda: caller.hears == AGENT)


@pytest.mark.parametrize("way", ["auto_answer", "nailed"])
async def test_a_telephone_that_comes_up_when_its_call_is_over(peer, way):
    """It was dialled so late that nobody waits for it; one that stays up is for the next call."""
    telephone = peer.telephone(PHONE)
    telephone.mode = "ring"
    async with Process(peer).run() as process:
        peer.call("ventas", number="999000111")
        call = (await process.hears(Offered)).call
        await process.exchange.answer(call, Phone(PHONE, way))
        phone = process.exchange._calls.legs.pop(call).phone
        await until(lambda: telephone.state == "RINGING")
        telephone.lift()
        if way == "auto_answer":
            await until(lambda: all(one.id != phone for one in peer.channels))
        else:
            await asyncio.sleep(0.3)
            assert any(one.id == phone for one in peer.channels)


async def test_a_caller_who_goes_as_the_exchange_takes_the_call_was_talked_to(peer, monkeypatch):
    """The queue has it so; our request to take it is answered only after the caller went."""
    async with Process(peer).run() as process:
        caller = peer.call("ventas", number="999000111")
        call = (await process.hears(Offered)).call
        calls = process.exchange._calls
        leg, post = calls.legs[call], calls._ari.post

        async def slow(*path, **query):
            answer = await post(*path, **query)
            if path[-1] == "answer":
                caller.hang_up()
                await until(lambda: leg.over)
                await asyncio.sleep(2 * _SETTLES_S)
            return answer

        monkeypatch.setattr(calls._ari, "post", slow)
        await process.exchange.answer(call, Phone(PHONE))
        await process.hears(Ended)
        ends = [one for one in process.heard if isinstance(one, Joined | Ended | PhoneFailed)]
        assert ends == [Joined(call), Ended(call, "caller")]
        await until(lambda: not calls.legs and len(peer.channels) == 0)


async def test_whoever_was_dialled_and_goes_as_soon_as_he_answers_has_answered(peer, monkeypatch):
    async with Process(peer).run() as process:
        trunk = peer.telephone("PJSIP/troncal")
        trunk.mode = "always"
        calls = process.exchange._calls
        post = calls._ari.post

        async def late(*path, **query):
            leg = calls.legs.get("dial-1")
            if leg and path[-1] == "addChannel" and query["channel"] == leg.leg:
                trunk.hang_up()
                await until(lambda: leg.over)
                await asyncio.sleep(2 * _SETTLES_S)
            return await post(*path, **query)

        monkeypatch.setattr(calls._ari, "post", late)
        await process.exchange.dial("dial-1", Phone(PHONE), "999000222")
        await process.hears(Ended)
        ends = [one for one in process.heard if isinstance(one, Dialed | Ended | PhoneFailed)]
        assert ends == [Dialed("dial-1", "answered"), Ended("dial-1", "caller")]
        await until(lambda: not calls.legs and len(peer.channels) == 0)


async def test_an_area_that_left_a_conference_does_not_keep_the_caller(peer):
    async with Process(peer).run() as process:
        call, caller = await consulting(process)
        await process.exchange.confer(call)
        peer.telephone(AREA).hang_up()
        await until(lambda: Consulted(call, "dropped") in process.heard)
        assert caller.hears == AGENT
        await process.exchange.hand_over(call)
        await until(lambda: not caller.there)


async def test_the_next_bridge_goes_on_with_a_consultation(peer):
    async with Process(peer).run() as process:
        call, caller = await consulting(process)
    async with Process(peer).run() as process:
        exchange = process.exchange
        assert call in process.up.calls
        assert exchange.standing(call) == Standing(hears="area", area=True)
        await exchange.swap(call)
        await until(lambda: heard_by(peer, caller)[0] == AGENT)
        await exchange.drop(call)
        await exchange.consult(call, "104")
        await until(lambda: heard_by(peer, caller)[:2] == (MUSIC, A))


async def test_the_next_bridge_leaves_alone_whom_an_agent_handed_over(peer):
    async with Process(peer).run() as process:
        call, caller = await consulting(process)
        await process.exchange.hand_over(call)
        await until(lambda: caller.hears == A)
    async with Process(peer).run() as process:
        assert process.heard[-1] == process.up and call not in process.up.calls
        assert not [one for one in process.heard if isinstance(one, Offered)]
        assert caller.hears == A
        peer.telephone(AREA).hang_up()
        await until(lambda: not caller.there)


async def test_a_telephone_that_was_laid_down_while_no_bridge_was_there(peer):
    async with Process(peer).run() as process:
        call, caller = await talking(process)
    peer.telephone(PHONE).hang_up()
    async with Process(peer).run() as process:
        assert call not in process.up.calls
        assert Ended(call, "agent") in process.heard
        await until(lambda: not caller.there)
    assert "COMPLETEAGENT" in peer.queue_log()[-1]


async def test_what_could_not_be_ended_is_ended_later(peer, monkeypatch):
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(Process(peer).run())
        call, caller = await talking(process)

        async def away(*_, **__):
            raise SwitchError(Sentence("errors.switch.away"))

        with monkeypatch.context() as patch:
            patch.setattr(process.exchange._ari, "delete", away)
            with pytest.raises(SwitchError):
                await process.exchange.hang_up(call)
        assert caller.there
        await process.exchange._ari_is_up()
        await until(lambda: not caller.there)


# -- who listens


ID, LISTENER = "abcdefghijkl", "PJSIP/103"


def listening(process):
    """Whether it rings or is heard, of whoever is not over."""
    found = [one for one in process.exchange.listeners() if one.until_ms is None]
    return [(one.listening, one.call, one.by, one.since_ms is not None) for one in found]


async def listened(process, mode):
    """The listener's telephone has rung and was lifted."""
    call, caller = await talking(process)
    await process.exchange.listen(ID, call, LISTENER, mode)
    telephone = process.peer.telephone(LISTENER)
    await until(lambda: telephone.state == "RINGING")
    assert listening(process) == [(ID, call, LISTENER, False)]
    telephone.lift()
    await until(lambda: listening(process) == [(ID, call, LISTENER, True)])
    return call, caller, telephone


@pytest.mark.parametrize(
    ("mode", "by_agent", "by_caller"),
    [
        ("silent", {"999000111"}, {PHONE}),
        ("whisper", {"999000111", LISTENER}, {PHONE}),
        ("joined", {"999000111", LISTENER}, {PHONE, LISTENER}),
    ],
)
async def test_whoever_listens_hears_both_and_is_heard_by_whom_the_mode_says(
    peer, mode, by_agent, by_caller
):
    async with Process(peer).run() as process:
        _, caller, telephone = await listened(process, mode)
        assert telephone.hears == {"999000111", PHONE}
        assert (peer.telephone(PHONE).hears, caller.hears) == (by_agent, by_caller)
        await process.exchange.end_listening(ID)
        await until(lambda: not listening(process))
        assert (peer.telephone(PHONE).hears, caller.hears) == ({"999000111"}, {PHONE})
        said = [one for one in process.heard if isinstance(one, Listening)]
        assert [(one.by, one.begun) for one in said] == [(LISTENER, True), (LISTENER, False)]


async def test_what_an_agent_says_who_is_muted_or_holds_is_not_heard(peer):
    async with Process(peer).run() as process:
        call, _, telephone = await listened(process, "silent")
        await process.exchange.mute(call, True)
        assert telephone.hears == {"999000111"}
        await process.exchange.mute(call, False)
        await process.exchange.hold(call)
        assert PHONE not in telephone.hears
        await process.exchange.consult(call, "104")
        await process.hears(Consulted)
        assert not telephone.hears & {PHONE, AREA}


async def test_a_telephone_that_is_not_lifted_or_is_laid_down_is_over(peer):
    async with Process(peer).run() as process:
        call, _, telephone = await listened(process, "silent")
        telephone.hang_up()
        await until(lambda: not listening(process))
        await process.exchange.listen("mnopqrstuvwx", call, LISTENER, "silent")
        await until(lambda: telephone.state == "RINGING")
        telephone.hang_up()
        await until(lambda: not listening(process))
        first, second = process.exchange.listeners()
        assert first.since_ms is not None and second.since_ms is None
        with pytest.raises(SwitchError):
            await process.exchange.listen("yzabcdefghij", call, "PJSIP/999", "silent")
        assert len(process.exchange.listeners()) == 2


async def test_it_ends_with_its_call(peer):
    async with Process(peer).run() as process:
        call, caller, telephone = await listened(process, "joined")
        caller.hang_up()
        await until(lambda: not listening(process))
        await until(lambda: telephone.state == "NOT_INUSE")
        with pytest.raises(SwitchError):
            await process.exchange.listen(ID, call, LISTENER, "silent")
        await process.exchange.end_listening(ID)


async def test_a_call_that_was_asked_to_be_heard_and_ends_before_is_not_heard(peer):
    async with Process(peer).run() as process:
        call, caller = await talking(process)
        telephone = peer.telephone(LISTENER)
        await process.exchange.listen(ID, call, LISTENER, "silent")
        await until(lambda: telephone.state == "RINGING")
        caller.hang_up()
        await process.hears(Ended)
        telephone.lift()
        await until(lambda: telephone.state == "NOT_INUSE" and not listening(process))
        assert not telephone.hears


async def test_whoever_listens_by_other_ways_is_told_with_the_call(peer):
    async with Process(peer).run() as process:
        caller = peer.call("ventas", number="999000111")
        call = (await process.hears(Offered)).call
        peer.console.listen(LISTENER, caller)
        await until(lambda: listening(process) == [("", "", LISTENER, True)])
        await process.exchange.answer(call, Phone(PHONE))
        await process.hears(Joined)
        assert listening(process) == [("", call, LISTENER, True)]
        peer.telephone(LISTENER).hang_up()
        await until(lambda: not listening(process))
        assert process.exchange.listeners()[0].call == call


async def test_the_next_bridge_ends_what_was_ours_and_finds_the_others(peer):
    async with Process(peer).run() as process:
        call, caller, telephone = await listened(process, "silent")
        peer.console.listen("PJSIP/102", caller)
        await until(lambda: len(listening(process)) == 2)
    async with Process(peer).run() as process:
        await until(lambda: telephone.state == "NOT_INUSE")
        await until(lambda: listening(process) == [("", call, "PJSIP/102", True)])


async def test_a_call_out_is_heard_too(peer):
    async with Process(peer).run() as process:
        trunk, telephone = peer.telephone("PJSIP/troncal"), peer.telephone(LISTENER)
        trunk.mode = "always"
        await process.exchange.dial("dial-1", Phone(PHONE), "999000222")
        assert (await process.hears(Dialed)).result == "answered"
        await process.exchange.listen(ID, "dial-1", LISTENER, "whisper")
        await until(lambda: telephone.state == "RINGING")
        telephone.lift()
        await until(lambda: listening(process) == [(ID, "dial-1", LISTENER, True)])
        assert telephone.hears == {PHONE, "PJSIP/troncal"}
        assert LISTENER in peer.telephone(PHONE).hears and LISTENER not in trunk.hears
