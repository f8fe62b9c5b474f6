"""Calls in Asterisk's hands, and a bridge that is killed in the middle of one: the next one takes
it again as it is, and cuts nobody off.
"""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from diadema.base.clock import SystemClock
from diadema.base.credentials import Secrets
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.exchange import (
    Consulted,
    Ended,
    Joined,
    Known,
    Offered,
    Phone,
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
