"""What stations and callers did while the bridge was away is so at the exchange once it is back:
the real bridge and its exchange's driver, between stations and an exchange that are played.
"""

import asyncio

import pytest
from diadema.base.paths import DataDir

from tests.support.played_centre import played
from tests.support.skipping_loop import skipping

HOLDS = {"music"}
ME, AREA = "PJSIP/101", "PJSIP/104"


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    return made


async def talking(centre, queue="ventas", **more):
    """The first agent talks with whoever called; the others have gone."""
    for desk in centre.desks[1:]:
        desk.presence = "not_ready"
        desk.say("presence.changed", to="not_ready", reason="refrigerio")
    await centre.settled()
    desk = centre.desks[0]
    caller = centre.peer.call(queue, number="999000111", **more)
    await until(centre, lambda: desk.work == "offered")
    desk.answer()
    await until(centre, lambda: caller.hears == {ME})
    return desk, caller


async def until(centre, true):
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.05)


async def away(centre, *deeds, seconds=3):
    """The bridge ends, that is done, and a bridge begins anew."""
    await centre.stop_bridge()
    for deed in deeds:
        deed()
        await asyncio.sleep(seconds)
    await centre.start_bridge()
    await centre.settled()


def hears(peer, name):
    return set(peer.telephone(name).hears)


def consults(desk):
    return lambda: desk.consult("soporte")


MEANWHILE = {
    "held": (lambda d: [d.hold], HOLDS, set()),
    "held and resumed": (lambda d: [d.hold, d.hold], {ME}, {"999000111"}),
    "muted": (lambda d: [d.mute], set(), {"999000111"}),
    "consulted": (lambda d: [consults(d)], HOLDS, {AREA}),
    "consulted and swapped": (lambda d: [consults(d), d.swap], {ME}, {"999000111"}),
    "consulted and back": (lambda d: [consults(d), d.drop], {ME}, {"999000111"}),
    "nothing": (lambda d: [], {ME}, {"999000111"}),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_the_keys_did_meanwhile_is_heard(data, what):
    deeds, caller_hears, agent_hears = MEANWHILE[what]

    async def run():
        async with played(data, 1) as centre:
            desk, caller = await talking(centre)
            centre.peer.telephone(AREA).mode = "always"
            await away(centre, *deeds(desk))
            assert (set(caller.hears), hears(centre.peer, ME)) == (caller_hears, agent_hears)
            desk.hang_up()
            await until(centre, lambda: not caller.there)
            await until(centre, lambda: not centre.peer.channels)

    skipping(run)


BEFORE = {
    "hold, and resumed meanwhile": (lambda d: [d.hold], lambda d: [d.hold], {ME}),
    "mute, and unmuted meanwhile": (lambda d: [d.mute], lambda d: [lambda: d.mute(False)], {ME}),
    "consult, and back meanwhile": (lambda d: [consults(d)], lambda d: [d.drop], {ME}),
    "consult, and swapped meanwhile": (lambda d: [consults(d)], lambda d: [d.swap], {ME}),
    "consult, and joined meanwhile": (lambda d: [consults(d)], lambda d: [d.confer], {ME, AREA}),
    "consult, all the while": (lambda d: [consults(d)], lambda d: [], HOLDS),
    "conference, all the while": (
        lambda d: [consults(d), d.confer], lambda d: [], {ME, AREA}
    ),
    "hold, all the while": (lambda d: [d.hold], lambda d: [], HOLDS),
}  # fmt: skip


@pytest.mark.parametrize("what", BEFORE)
def test_what_was_so_before_goes_on_from_there(data, what):
    before, meanwhile, caller_hears = BEFORE[what]

    async def run():
        async with played(data, 2) as centre:
            desk, caller = await talking(centre)
            centre.peer.telephone(AREA).mode = "always"
            for deed in before(desk):
                deed()
                await asyncio.sleep(3)
            await away(centre, *meanwhile(desk))
            assert set(caller.hears) == caller_hears
            desk.hang_up()
            await asyncio.sleep(3)
            centre.peer.telephone(AREA).hang_up()
            await until(centre, lambda: not centre.peer.channels)

    skipping(run)


@pytest.mark.parametrize("mode", ["busy", "silent"])
def test_a_consultation_begun_meanwhile_that_cannot_be_had_is_told(data, mode):
    async def run():
        async with played(data, 3) as centre:
            desk, caller = await talking(centre)
            centre.peer.telephone(AREA).mode = mode
            await away(centre, consults(desk))
            await until(centre, lambda: desk.work == "held")
            assert set(caller.hears) == HOLDS, "who waits waits on, as the screen says"
            desk.hold()
            await until(centre, lambda: caller.hears == {ME})

    skipping(run)


ENDS = {
    "hung up": (lambda d: [d.hang_up], None, "COMPLETEAGENT"),
    "handed over blind": (lambda d: [lambda: d.transfer("soporte")], {AREA}, "BLINDTRANSFER"),
}


@pytest.mark.parametrize("what", ENDS)
def test_a_call_that_the_station_ended_meanwhile_is_ended(data, what):
    deeds, caller_hears, verb = ENDS[what]

    async def run():
        async with played(data, 4) as centre:
            desk, caller = await talking(centre)
            centre.peer.telephone(AREA).mode = "always"
            await away(centre, *deeds(desk))
            await until(centre, lambda: (set(caller.hears) or None) == caller_hears)
            assert not hears(centre.peer, ME)
            assert any(f"|{verb}|" in line for line in centre.peer.queue_log())

    skipping(run)


def test_a_consultation_handed_over_meanwhile_leaves_them_to_each_other(data):
    """And they stay so, however often the bridge comes and goes, until one of them ends it."""

    async def run():
        async with played(data, 5) as centre:
            desk, caller = await talking(centre)
            centre.peer.telephone(AREA).mode = "always"
            desk.consult("soporte")
            await asyncio.sleep(3)
            await away(centre, desk.hand_over)
            await away(centre)
            assert set(caller.hears) == {AREA}
            assert desk.work == "idle", "and nobody is rung for it"
            second = centre.peer.call("ventas", number="999000222")
            await until(centre, lambda: desk.work == "offered")
            desk.answer()
            await until(centre, lambda: second.hears == {ME})
            await away(centre)
            assert set(caller.hears) == {AREA}
            centre.peer.telephone(AREA).hang_up()
            await until(centre, lambda: not caller.there)
            assert second.hears == {ME}

    skipping(run)


def test_a_caller_who_went_meanwhile_ends_it_at_the_station(data):
    async def run():
        async with played(data, 6) as centre:
            desk, caller = await talking(centre)
            await away(centre, caller.hang_up)
            await until(centre, lambda: desk.work == "idle")
            await until(centre, lambda: not centre.peer.channels)

    skipping(run)


@pytest.mark.parametrize("key", [True, False])
def test_what_rang_before_can_still_be_answered(data, key):
    """With the key pressed meanwhile, or after."""

    async def run():
        async with played(data, 7) as centre:
            caller = centre.peer.call("soporte", number="999000111")
            await until(centre, lambda: "offered" in [one.work for one in centre.desks])
            (desk,) = [one for one in centre.desks if one.work == "offered"]
            await away(centre, *([desk.answer] if key else []), seconds=1)
            if not key:
                assert desk.work == "offered"
                desk.answer()
            await until(centre, lambda: caller.hears == {desk.phone})
            assert sum("RINGNOANSWER" in line for line in centre.peer.queue_log()) == 0

    skipping(run)


def test_a_recording_paused_meanwhile_is_muted_and_comes_back(data):
    async def run():
        async with played(data, 8) as centre:
            desk, caller = await talking(centre, recorded=True)
            await away(centre, lambda: desk.record(False))
            assert caller.channel.monitor == 1
            await away(centre, lambda: desk.record(True))
            assert caller.channel.monitor == 0
            assert not centre.bridge.report().troubles

    skipping(run)
