"""A call out in Asterisk's hands: our client of it, and an exchange that answers as a recorded one
does. Telephone first, then the far end by the one context of the site.
"""

import asyncio
from contextlib import asynccontextmanager

import pytest
from diadema.base.credentials import Secrets
from diadema.switch.asterisk.exchange import Asterisk
from diadema.switch.exchange import (
    Consulted,
    Dialed,
    Ended,
    Known,
    Phone,
    PhoneFailed,
    SwitchRefused,
    Up,
)
from diadema.switch.settings import Settings

from tests.support.asterisk_peer import SECRET, AsteriskPeer
from tests.support.scripted_station import FixedClock

CALL, NUMBER, PHONE = "dial-1", "987654321", Phone("PJSIP/101")
TOLD = (Dialed, Ended, PhoneFailed, Consulted)


class Stage:
    def __init__(self, peer):
        self.peer, self.heard, self._more = peer, [], asyncio.Event()
        self.telephone, self.area = peer.telephone("PJSIP/101"), peer.telephone("PJSIP/104")

    @property
    def far(self):
        return self.peer.trunk

    def hear(self, heard):
        self.heard.append(heard)
        self._more.set()

    @property
    def told(self):
        return [one for one in self.heard if isinstance(one, TOLD)]

    async def hears(self, *wanted):
        async with asyncio.timeout(300):
            while [*wanted] != self.told:
                assert self.told == [*wanted][: len(self.told)], self.told
                self._more.clear()
                await self._more.wait()

    async def until(self, true):
        await self.peer.until(true)

    async def is_up(self):
        async with asyncio.timeout(300):
            while not any(isinstance(one, Up) for one in self.heard):
                self._more.clear()
                await self._more.wait()

    @asynccontextmanager
    async def bridge(self):
        """Our client, as one process of the bridge has it."""
        self.heard.clear()
        settings = Settings(ami_port=self.peer.ami_port, ari_port=self.peer.ari_port)
        secrets = Secrets(
            host="", gateway="", api="", badge_key="00" * 32,
            exchange={"ami": SECRET, "ari": SECRET},
        )  # fmt: skip
        exchange = Asterisk(settings, secrets, self.hear, FixedClock(), Known())
        running = asyncio.create_task(exchange.run())
        try:
            await exchange.take_calls(True)
            await self.is_up()
            yield exchange
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def nothing_stays(self):
        await self.until(lambda: not self.peer.channels and not self.peer.core.bridges)


@pytest.fixture
async def stage():
    async with AsteriskPeer.start() as peer:
        yield Stage(peer)


async def talking(stage, exchange):
    await exchange.dial(CALL, PHONE, NUMBER)
    await stage.hears(Dialed(CALL, "answered"))
    await stage.until(lambda: stage.telephone.hears == {"PJSIP/troncal"})
    stage.heard.clear()


async def test_the_telephone_first_then_the_far_end_by_the_one_context(stage):
    stage.far.mode = "ring"
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == "RINGING")
        assert stage.telephone.hears == {"tone"} and stage.telephone.state == "INUSE"
        (local,) = [one for one in stage.peer.channels if one.id == f"out-{CALL}"]
        assert (local.context, local.exten) == ("diadema-salida", NUMBER)
        (far,) = stage.far.device.channels
        assert (far.connected, local.caller_name) == ("101", "101"), "it is who calls"
        assert not stage.told
        stage.far.lift()
        await stage.hears(Dialed(CALL, "answered"))
        assert stage.telephone.hears == {"PJSIP/troncal"}
        assert stage.far.hears == {"PJSIP/101"}
        await exchange.hang_up(CALL)
        await stage.nothing_stays()
        assert stage.told == [Dialed(CALL, "answered")], "we did it ourselves"


@pytest.mark.parametrize(
    ("mode", "number", "result"),
    [("busy", NUMBER, "busy"), ("silent", NUMBER, "no_answer"), ("always", "105", "failed")],
)
async def test_who_is_not_reached(stage, mode, number, result):
    stage.far.mode, stage.peer.core.second_s = mode, 0.02
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, number)
        await stage.hears(Dialed(CALL, result))
        await stage.nothing_stays()


async def test_a_trunk_that_is_away(stage):
    stage.far.unregister()
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.hears(Dialed(CALL, "failed"))
        await stage.nothing_stays()


async def test_the_far_end_refuses(stage):
    stage.far.mode = "ring"
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == "RINGING")
        stage.far.hang_up()
        await stage.hears(Dialed(CALL, "busy"))
        await stage.nothing_stays()


async def test_a_telephone_that_is_not_registered(stage):
    stage.telephone.unregister()
    async with stage.bridge() as exchange:
        with pytest.raises(SwitchRefused):
            await exchange.dial(CALL, PHONE, NUMBER)
        await stage.nothing_stays()
        stage.telephone.register()
        await talking(stage, exchange)  # and the next call is none the worse


@pytest.mark.parametrize("mode", ["silent", "busy", "ring"])
async def test_a_telephone_that_does_not_answer_has_nobody_dialled(stage, mode):
    stage.telephone.mode, stage.peer.core.second_s = mode, 0.02
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.hears(PhoneFailed(CALL))
        assert not stage.peer.core.custom, "of no member at all"
        await stage.nothing_stays()


async def test_the_far_end_hangs_up(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
        stage.far.hang_up()
        await stage.hears(Ended(CALL, "caller"))
        await stage.nothing_stays()


@pytest.mark.parametrize("far", ["ring", "always"])
async def test_the_agent_lays_the_telephone_down(stage, far):
    stage.far.mode = far
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == ("RINGING" if far == "ring" else "INUSE"))
        if far == "always":
            await stage.hears(Dialed(CALL, "answered"))
            stage.heard.clear()
        stage.telephone.hang_up()
        await stage.hears(Ended(CALL, "agent"))
        await stage.nothing_stays()


async def test_the_key_ends_it_while_it_rings(stage):
    stage.far.mode = "ring"
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == "RINGING")
        await exchange.hang_up(CALL)
        await stage.nothing_stays()
        assert not stage.told


async def test_the_key_ends_it_at_once(stage):
    """At whatever point of the way its telephone is."""
    async with stage.bridge() as exchange:
        for wait in range(12):
            call = f"dial-{wait}"
            await exchange.dial(call, PHONE, NUMBER)
            for _ in range(wait * 3):
                await asyncio.sleep(0)
            await exchange.hang_up(call)
            await stage.nothing_stays()
            assert all(one == Dialed(call, "answered") for one in stage.told)
            stage.heard.clear()


async def test_hold_consult_swap_confer_and_hand_over(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
        await exchange.hold(CALL)
        await stage.until(lambda: stage.far.hears == {"music"} and not stage.telephone.hears)
        await exchange.resume(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/101"})
        await exchange.mute(CALL, True)
        await stage.until(lambda: not stage.far.hears)
        await exchange.mute(CALL, False)
        await exchange.consult(CALL, "104")
        await stage.hears(Consulted(CALL, "answered"))
        await stage.until(lambda: stage.telephone.hears == {"PJSIP/104"})
        assert stage.far.hears == {"music"}
        await exchange.swap(CALL)
        await stage.until(lambda: stage.telephone.hears == {"PJSIP/troncal"})
        await exchange.confer(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/101", "PJSIP/104"})
        await exchange.hand_over(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/104"} and not stage.telephone.hears)
        stage.area.hang_up()
        await stage.nothing_stays()


async def test_a_consultation_that_is_dropped_brings_the_far_end_back(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
        await exchange.consult(CALL, "104")
        await stage.until(lambda: stage.telephone.hears == {"PJSIP/104"})
        await exchange.drop(CALL)
        await exchange.resume(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/101"} and not stage.area.hears)


async def test_a_blind_transfer_goes_on_without_us(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
        await exchange.transfer(CALL, "104")
        await stage.until(lambda: stage.far.hears == {"PJSIP/104"} and not stage.telephone.hears)
        assert not stage.told
    async with stage.bridge():  # nor does another process of ours end it
        assert stage.far.hears == {"PJSIP/104"}
        stage.far.hang_up()
        await stage.nothing_stays()


# -- a bridge that begins anew


def up(stage):
    return next(one for one in stage.heard if isinstance(one, Up)).calls


async def test_one_that_talks_goes_on(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
    assert stage.far.hears == {"PJSIP/101"}
    async with stage.bridge() as exchange:
        assert up(stage) == {CALL} and stage.far.hears == {"PJSIP/101"}
        await exchange.hold(CALL)
        await stage.until(lambda: stage.far.hears == {"music"})
    async with stage.bridge() as exchange:
        assert up(stage) == {CALL} and stage.far.hears == {"music"}, "who waits is not heard"
        await exchange.resume(CALL)
        await exchange.consult(CALL, "104")
        await stage.until(lambda: stage.telephone.hears == {"PJSIP/104"})
    async with stage.bridge() as exchange:
        assert up(stage) == {CALL} and stage.telephone.hears == {"PJSIP/104"}
        await exchange.drop(CALL)
        await exchange.resume(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/101"} and not stage.area.hears)
        stage.far.hang_up()
        await stage.hears(Ended(CALL, "caller"))
        await stage.nothing_stays()


async def test_one_that_still_rings_is_answered_later(stage):
    stage.far.mode = "ring"
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == "RINGING")
    async with stage.bridge() as exchange:
        assert up(stage) == {CALL} and not stage.told
        stage.far.lift()
        await stage.hears(Dialed(CALL, "answered"))
        await exchange.hang_up(CALL)
        await stage.nothing_stays()


@pytest.mark.parametrize("far", ["ring", "always"])
async def test_a_connection_that_is_lost_ends_nothing(stage, far):
    stage.far.mode = far
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == ("RINGING" if far == "ring" else "INUSE"))
        if far == "always":
            await stage.hears(Dialed(CALL, "answered"))
        stage.heard.clear()
        stage.peer.stop_in_the_middle_of_an_event(close=True)
        await stage.is_up()
        assert up(stage) == {CALL}
        if far == "ring":
            stage.far.lift()
            await stage.hears(Dialed(CALL, "answered"))
        assert stage.far.hears == {"PJSIP/101"}
        stage.heard.clear()
        stage.far.hang_up()
        await stage.hears(Ended(CALL, "caller"))
        await stage.nothing_stays()


async def test_one_that_was_answered_while_nobody_was_there_is_joined(stage):
    """The exchange keeps whom we called, and repeats nothing."""
    stage.far.mode = "ring"
    async with stage.bridge() as exchange:
        await exchange.dial(CALL, PHONE, NUMBER)
        await stage.until(lambda: stage.far.state == "RINGING")
    application = stage.peer.core.applications["diadema"]
    async with asyncio.timeout(300):
        while application.send is not None:
            await asyncio.sleep(0)
    stage.far.lift()
    async with stage.bridge() as exchange:
        assert up(stage) == {CALL}
        await stage.hears(Dialed(CALL, "answered"))
        assert stage.far.hears == {"PJSIP/101"} and stage.telephone.hears == {"PJSIP/troncal"}
        await exchange.hang_up(CALL)
        await stage.nothing_stays()


async def test_one_that_was_handed_over_is_left_to_those_who_talk(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
        await exchange.consult(CALL, "104")
        await stage.hears(Consulted(CALL, "answered"))
        await exchange.hand_over(CALL)
        await stage.until(lambda: stage.far.hears == {"PJSIP/104"})
    async with stage.bridge():
        assert not up(stage) and stage.far.hears == {"PJSIP/104"}
        stage.far.hang_up()
        await stage.nothing_stays()


async def test_a_far_end_whose_telephone_is_gone_is_ended(stage):
    async with stage.bridge() as exchange:
        await talking(stage, exchange)
    stage.telephone.hang_up()
    async with stage.bridge():
        assert not up(stage)
        await stage.nothing_stays()
