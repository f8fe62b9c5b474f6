"""What `diadema prove` asks of the radio, with a Wi-Fi in the configuration and without, and of a
station by itself: a badge that lies there, a codec without a clock.
"""

from diadema_sim.build import SimBoard

from tests.station.test_wifi import PASSWORD, SSID, air, authority, begin, server  # noqa: F401 - two fixtures


async def asked(bench, step, **fields):
    known = len(bench.host.proofs)
    number = bench.host.command("prove", step=step, **fields)
    await bench.until(lambda: len(bench.host.proofs) > known)
    answer = bench.host.proofs[-1]
    assert (answer["i"], answer["step"]) == (number, step)
    return answer


async def test_a_station_with_wifi_says_how_long_its_connection_took(desk, site, server):  # noqa: F811
    async with desk() as bench:
        host = await begin(bench, site, server)
        assert (await asked(bench, "radio"))["wifi"] == "not_configured"
        await asked(bench, "end")
        await air(bench, {})
        assert (await host.answer(host.with_wifi()))["k"] == "station.config"
        answer = await asked(bench, "radio")
        assert (answer["wifi"], answer["opened_ms"]) == ("not_joined", None)
        await air(bench, {SSID: PASSWORD})
        await bench.until(lambda: any(hello.get("way") for hello in host.hellos))
        answer = await asked(bench, "radio")
        assert answer["wifi"] == "joined" and answer["opened_ms"] >= 0


async def test_falls_of_the_two_pins_are_counted_and_no_others(desk):
    async with desk(SimBoard("lyrat_v4_3")) as bench:
        known = len(bench.host.proofs)
        bench.host.command("prove", step="dips")
        await bench.world.sleep(1_000)
        await bench.keys(1, 2, 3, 1)  # of which 1 and 2 lie on GPIO 36 and 39
        await bench.until(lambda: len(bench.host.proofs) > known)
        assert bench.host.proofs[-1]["dips"] == 3
        pressing = bench.host.command("prove", step="key", key=1)
        while bench.host.proofs[-1]["i"] != pressing:
            await bench.world.sleep(200)
            await bench.keys(1)  # which it looks at by now
        assert bench.host.proofs[-1]["light_ms"] >= 0
    async with desk(SimBoard("s3_korvo2")) as bench:
        assert (await asked(bench, "dips"))["dips"] is None


async def test_a_badge_left_for_two_minutes_is_told_once_and_a_codec_without_a_clock_is_told(desk):
    async with desk() as bench:
        known = len(bench.host.proofs)
        bench.host.command("prove", step="badges", seconds=120)
        await bench.world.sleep(2_000)
        await bench.station.tap(bench.badges[0], ms=None)
        await bench.until(lambda: len(bench.host.proofs) > known)
        answer = bench.host.proofs[-1]
        assert (answer["taps"], answer["unread"]) == (1, 0)
        noise = await asked(bench, "noise")  # nothing clocks it while nobody listens
        assert "failed" in noise and "microphone" not in noise
        assert (await asked(bench, "end"))["step"] == "end"
        assert "session.opened" not in bench.kinds()
