"""What the real firmware makes of limits, refusals, bad input and lost power, in the VM."""

import json

from diadema.wire.frames import encode

from tests.support.screen_words import find


async def answered(bench, contact="C-1"):
    await bench.ready()
    await bench.ring(contact)
    await bench.answer(contact)


async def test_unknown_badge_is_denied_by_its_hash_and_nobody_is_logged_in(desk):
    async with desk() as bench:
        await bench.station.tap("DEADBEEF")
        denied = await bench.event("session.denied", reason="unknown_badge")
        assert len(denied["badge"]) == 32 and "DEADBEEF" not in json.dumps(denied).upper()
        assert "session.opened" not in bench.kinds()


async def test_badge_taken_away_half_way_asks_for_another_tap(desk):
    async with desk() as bench:
        await bench.station.tap(bench.badges[0], torn=True)
        denied = await bench.event("session.denied", reason="bad_read")
        assert denied.get("badge") is None
        await bench.world.sleep(1000)
        await bench.station.tap(bench.badges[0])
        await bench.event("session.opened")


async def test_nobody_answers_and_the_desk_goes_to_auxiliar(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.ring("C-1")
        missed = await bench.event("contact.missed", cause="no_answer")
        changed = await bench.event("presence.changed", reason="no_answer", by="system")
        assert 20_000 <= missed["ring_ms"] < 20_020  # a tick's worth late
        assert changed["to"] == "not_ready"


async def test_a_headset_pulled_in_a_call_is_told_and_nothing_of_the_call_is_lost(desk):
    async with desk() as bench:
        await answered(bench)
        since = bench.since()
        await bench.station.unplug()
        await bench.event("headset.unplugged", since)
        await bench.world.sleep(100)
        assert find(await bench.station.screen(), "Conecte su diadema")
        await bench.keys(2)  # mute works as before
        await bench.event("contact.muted", since)
        await bench.station.plug()
        await bench.event("headset.plugged", since)
        await bench.world.sleep(100)
        shown = await bench.station.screen()
        assert find(shown, "Micrófono en silencio") and not find(shown, "Conecte su diadema")
        await bench.keys(2, 1)
        ended = await bench.event("contact.ended", since, c="C-1")
        assert ended["by"] == "agent"
        await bench.typify("C-1")
        kinds = bench.kinds(since)
        assert kinds[:4] == [
            "headset.unplugged", "contact.muted", "headset.plugged", "contact.unmuted"
        ]  # fmt: skip
        await bench.caught_up()
        numbers = [event["n"] for event in bench.host.events]
        assert sorted({*numbers}) == [*range(1, max(numbers) + 1)] and "station.fault" not in kinds


async def test_wrapup_limit_leaves_no_silent_default(desk):
    async with desk() as bench:
        await answered(bench)
        await bench.keys(1)
        typified = await bench.event("contact.typified")
        assert (typified["code"], typified["how"]) == ("SIN_TIPIFICAR", "timeout")
        assert (await bench.event("wrapup.ended"))["cause"] == "timeout"


async def test_next_offer_ends_the_wrapup_without_a_code(desk):
    async with desk() as bench:
        await answered(bench)
        await bench.keys(1)
        await bench.event("wrapup.started")
        await bench.ring("C-2")
        assert (await bench.event("wrapup.ended"))["cause"] == "next_contact"
        assert "contact.typified" not in bench.kinds()


async def test_code_keyed_in_the_call_waits_for_ready(desk):
    async with desk() as bench:
        await answered(bench)
        await bench.keys(6, 6, 5, 3, 3, 3)  # Menú, Más, Tipificar
        assert (await bench.event("contact.typified"))["code"] == "111"
        await bench.keys(1)
        await bench.event("wrapup.started")
        await bench.keys(1)
        assert (await bench.event("wrapup.ended"))["cause"] == "agent"


async def test_call_by_keys_alone(desk):
    async with desk() as bench:
        await bench.ready()
        dialed = await bench.dial()
        assert (dialed["via"], dialed["direction"]) == ("key", "out")
        await bench.world.sleep(9000)
        await bench.keys(3)
        call = await bench.event("contact.answered", c=dialed["c"])
        await bench.world.sleep(60_000)
        await bench.keys(1)
        ended = await bench.event("contact.ended", c=dialed["c"], by="agent")
        assert (ended["u"] - call["u"] + 500) // 1000 == 60


async def test_anothers_tap_in_a_call_marks_and_no_more(desk):
    async with desk() as bench:
        await answered(bench)
        await bench.world.sleep(2000)
        since = bench.since()
        await bench.station.tap(bench.badges[1])
        await bench.event("session.denied", since, reason="in_call")
        assert bench.kinds(since) == ["attendance.marked", "session.denied"]


async def test_another_badge_at_an_idle_desk_relieves(desk):
    async with desk() as bench:
        await bench.ready()
        since = bench.since()
        await bench.station.tap(bench.badges[1])
        opened = await bench.event("session.opened", since)
        assert bench.kinds(since)[:4] == [
            "attendance.marked", "session.closed", "presence.changed", "session.opened"
        ]  # fmt: skip
        assert (await bench.event("session.closed", since))["reason"] == "relieved"
        assert opened["a"] != (await bench.event("session.closed", since))["a"]


async def test_ring_is_refused_when_not_ready_and_a_seen_number_is_not_done_again(desk):
    async with desk() as bench:
        number = bench.host.command("ring", contact="C-1", direction="in")
        refused = await bench.host.answer(number)
        assert (refused["k"], refused["reason"]) == ("command.refused", "logged_out")
        await bench.ready()
        since = bench.since()
        bench.host.send({"cmd": "ring", "i": number, "contact": "C-1", "direction": "in"})
        await bench.ring("C-2")
        assert bench.kinds(since) == ["contact.offered"]


async def test_configuration_that_does_not_validate_is_refused_with_key_and_reason(desk):
    async with desk() as bench:
        bad = json.loads(bench.host.configuration())
        bad["generation"] = 2
        bad["agents"][2] = ["x", "NADIE", ["no-hash"]]
        refused = await bench.host.answer(bench.host.configure(json.dumps(bad).encode()))
        assert refused["reason"] == "bad_config"
        assert refused["detail"].startswith("agents[2]")
        await bench.station.power_cut()
        await bench.station.power_on()
        await bench.event("station.booted", bench.since())
        await bench.ready()  # the configuration before it is still in force


async def test_spoilt_frames_change_nothing_and_the_next_whole_one_counts(desk):
    async with desk() as bench:
        await bench.ready()
        since = bench.since()
        ring = encode(b'{"cmd":"ring","i":900,"contact":"C-9","direction":"in"}')
        bench.host.send_raw(ring[:-5] + b"0000\n")  # corrupt
        bench.host.send_raw(ring[:20])  # truncated by the next
        bench.host.send_raw(b"\x1e" + b"x" * 5000 + b"\n")  # oversized
        bench.host.send_raw(encode(b'{"cmd":"fly","i":899}'))  # unknown
        bench.host.send_raw(encode(b"[1,2") + encode(b'"text"') + b"noise\r\n")
        refused = await bench.host.answer(899)
        assert refused["reason"] == "unknown_command"
        bench.host.send_raw(ring)
        await bench.host.answer(900)
        assert bench.kinds(since) == ["command.refused", "contact.offered"]


async def test_power_cut_in_a_call_ends_it_as_interrupted_and_the_session_goes_on(desk):
    async with desk() as bench:
        await answered(bench)
        await bench.world.sleep(30_000)
        since = bench.since()
        await bench.station.power_cut()
        await bench.world.sleep(5000)
        await bench.station.power_on()
        ended = await bench.event("contact.ended", since)
        assert (ended["c"], ended["by"]) == ("C-1", "interrupted")
        await bench.event("wrapup.started", since, c="C-1")
        assert bench.kinds(since)[:3] == ["station.booted", "contact.ended", "wrapup.started"]
        await bench.typify("C-1")
        await bench.ring("C-2")


async def test_without_a_host_the_day_goes_on_and_arrives_later_in_order(desk):
    async with desk() as bench:
        await bench.ready()
        bench.host.answering = False
        for call in range(5):
            await bench.ring(f"C-{call}")
            since = bench.since()
            await bench.keys(1)
            await bench.event("contact.answered", since)
            await bench.world.sleep(20_000)
            await bench.keys(1)
            await bench.typify(f"C-{call}")
        bench.host.answering = True
        bench.host.send({"hello": {}})
        await bench.until(lambda: [e["k"] for e in bench.host.events] == bench.kinds())
        assert bench.host.again > 0  # resent while nobody answered, kept once


async def test_dead_badge_reader_is_one_fault_and_stops_nothing(desk):
    async with desk() as bench:
        await bench.ready()
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": "nack"})
        await bench.station.tap(bench.badges[0])
        await bench.event("station.fault", part="badge_reader")
        await bench.ring("C-1")
        await bench.world.sleep(300_000)
        assert bench.kinds().count("station.fault") == 1
        await bench.station.ask({"do": "fault", "part": "badge_reader", "kind": None})
        await bench.event("station.fault_cleared", part="badge_reader")


async def test_a_telephone_that_was_not_there_and_one_that_is_not_registered(desk):
    async with desk() as bench:
        since = await bench.talking()
        await bench.command("failed", contact="C-1")
        ended = await bench.event("contact.ended", since, by="technical")
        assert ended["c"] == "C-1"
        await bench.event("presence.changed", since, reason="fault", by="system")
        assert "wrapup.started" not in bench.kinds()
        await bench.world.sleep(100)
        assert find(await bench.station.screen(), "Su teléfono no contestó")
        since = bench.since()
        await bench.command("telephone", state="no_switch")
        await bench.event("station.fault", since, part="switch", code="no_switch")
        await bench.world.sleep(4000)
        assert find(await bench.station.screen(), "Sin central")
        await bench.keys(3)  # which is no reason not to work
        await bench.event("presence.changed", since, to="ready")
        since = bench.since()
        await bench.command("telephone", state="no_phone")
        await bench.event("presence.changed", since, reason="fault", by="system")
        assert "station.fault_cleared" in bench.kinds()
        await bench.world.sleep(4000)
        assert find(await bench.station.screen(), "Sin teléfono")
        await bench.keys(3)
        await bench.world.sleep(100)
        assert find(await bench.station.screen(), "Su teléfono no se registró")
        since = bench.since()
        await bench.command("telephone", state="ok")
        await bench.event("station.fault_cleared", since, part="telephone")
        await bench.keys(3)
        await bench.event("presence.changed", since, to="ready")
