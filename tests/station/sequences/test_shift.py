"""What is around the calls: the start of the shift, pauses, texts, a fault, settings, SALIDA."""

import pytest
from diadema_sim import sound

from tests.support import manual
from tests.support.station_bench import STATION
from tests.support.waveforms import PAUSE, SPOKEN, hiss, silence

MINUTE = 60_000
QUESTION_MS = 6_000  # after what is resolved was told, and nobody used a key
WORD = SPOKEN[0]


@pytest.fixture
def site(request):
    return manual.site(
        STATION, selftest=request.node.name == "test_the_shift_begins_with_the_self_test"
    )


async def test_the_shift_begins_with_the_self_test(desk, tmp_path):
    """Attendance first; then the PIN, the session, and whether the station is fit for the day."""
    voice = sound.write(tmp_path / "voice.wav", hiss(silence(1) + (WORD + PAUSE) * 3 + silence(3)))
    async with desk() as bench:
        since = bench.since()
        await bench.enter()
        await bench.keys(3, 1, 2, 3, 4, 5, 6)
        async with sound.listen(bench.station, microphone=voice):
            await bench.world.sleep(4000)
        assert await bench.station.lights() == {"ready": 1, "busy": 1, "ring": 1}
        await bench.keys(3)  # she sees all three
        await bench.keys(3)  # the first of her tools works
        await bench.keys(4, 3)  # the second does not, and is told
        await bench.keys(3)  # none of her materials is missing
        await bench.left(
            since,
            """
            attendance.marked  direction=in method=badge
            session.opened     method=badge_pin
            presence.changed   to=not_ready reason=login by=system
            fault.reported     a=a001 area=tools part=vpn
            station.selftest   fit=False reason=tools
            """,
        )
        told = await bench.event("station.selftest")
        assert told["tools"] == ["vpn"]
        assert set(told["checks"].values()) == {"ok"} and "headset" in told["checks"]


async def test_a_pause_says_why_who_and_how_long(desk):
    async with desk() as bench:
        since = await bench.ready()
        await bench.keys(3, 4)  # Break: fifteen minutes
        await bench.world.sleep(14 * MINUTE + 20_500)
        await bench.pictured("pause")
        await bench.keys(3)
        await bench.command("presence", to="not_ready", reason="reunion", who="Nelly T.")
        await bench.world.sleep(4000)
        await bench.pictured("set_by")
        await bench.keys(6)  # Visto
        await bench.left(
            since,
            """
            presence.changed     from=ready to=not_ready reason=break by=agent
            presence.changed     from=not_ready to=ready by=agent
            presence.changed     to=not_ready reason=reunion by=supervisor who='Nelly T.'
            notice.acknowledged
            """,
        )


async def test_texts_are_read_and_feedback_is_signed(desk):
    async with desk() as bench:
        since = await bench.ready()
        await bench.command("text", m="T-1", text="Reunión del turno a las 10:30.")
        await bench.keys(6)
        feedback = "Retroalimentación de hoy: confirme la identidad antes de dar saldos."
        await bench.command("text", m="T-2", text=feedback, sign=1)
        await bench.pictured("sign")
        await bench.tap()
        await bench.keys(3)
        await bench.left(
            since,
            """
            message.shown         m=T-1
            message.acknowledged  m=T-1 answer=read how=key
            message.shown         m=T-2
            message.acknowledged  m=T-2 answer=agree how=badge
            """,
        )


async def test_a_fault_is_told_with_one_key_and_is_not_her_time(desk):
    async with desk() as bench:
        since = await bench.ready()
        await bench.station.press(5, 1000)
        ticket = bench.number_of("fault.reported")  # it is sent already
        await bench.pictured("faults")
        await bench.keys(3, 4)  # Audio, No me oyen
        await bench.left(
            since,
            """
            fault.reported    a=a001 area=None
            presence.changed  to=not_ready reason=fault by=system
            fault.reported    area=audio part=no_me_oyen
            """,
        )
        since = bench.since()
        for state in ("accepted", "resolved"):
            await bench.command("fault", of=ticket, state=state, by="Soporte")
        await bench.left(
            since,
            """
            fault.accepted  by=Soporte
            fault.resolved  by=Soporte
            """,
        )
        since = bench.since()
        for key, answer in ((4, "no"), (3, "yes")):  # ¿Funciona?
            await bench.after("fault.resolved", QUESTION_MS)
            await bench.keys(key)
            await bench.event("fault.confirmed", since, answer=answer)
            if answer == "no":
                again = bench.number_of("fault.reported")
                await bench.command("fault", of=again, state="resolved", by="Soporte")
        await bench.left(
            since,
            """
            fault.confirmed  a=a001 answer=no
            fault.reported   a=a001 area=audio part=no_me_oyen
            fault.resolved   by=Soporte
            fault.confirmed  a=a001 answer=yes
            """,
        )


async def test_settings_and_volume_are_hers(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.press(6, 1000)
        await bench.keys(3, 4, 1, 1)  # a step louder, and out
        louder = await bench.event("audio.changed")
        since = await bench.settled()
        await bench.station.press(3, 1000)
        quieter = await bench.event("audio.changed", since)
        assert quieter["volume"] < louder["volume"]


async def test_the_shift_ends_with_salida(desk):
    """The mark has the tap's time, also in a call; the session ends with the wrap-up."""
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        await bench.answer("C-1")
        since = await bench.settled()
        await bench.tap()
        await bench.pictured("badge_asks")
        await bench.keys(5)
        await bench.world.sleep(5000)
        await bench.keys(1)
        await bench.typify("C-1")
        await bench.left(
            since,
            """
            attendance.marked  direction=out method=badge
            contact.step       step=closing
            contact.ended      c=C-1 by=agent
            wrapup.started     c=C-1
            contact.typified   c=C-1 code=111
            wrapup.ended       c=C-1
            session.closed     reason=agent by=agent
            presence.changed   to=logged_out reason=logout
            """,
        )
