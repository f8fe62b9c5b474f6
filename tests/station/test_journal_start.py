"""A journal partition with something else on it, and the two orders that keys give at power-on."""

import asyncio
import json

from diadema.wire.journal import walk

FOREIGN = b"\x7fELF" + bytes(2000)


async def hold_at_power_on(bench, *keys, ms):
    """Cut the power, and hold keys while it comes back."""
    await bench.station.power_cut()
    await bench.station.power_on()
    await asyncio.gather(*(bench.station.ask({"do": "press", "key": key}) for key in keys))
    await bench.world.sleep(ms)
    for key in keys:
        await bench.station.ask({"do": "release", "key": key})


async def overwritten(bench):
    """Somebody writes to the raw partition while the station has no power."""
    await bench.station.power_cut()
    for sector in range(128):
        bench.station.flash.erase(sector * 4096)
    bench.station.flash.program(5 * 4096, FOREIGN)
    return bytes(bench.station.flash.image)


async def test_somebody_elses_data_is_kept_until_the_command_confirms(desk):
    async with desk() as bench:
        before = bench.host.hellos[-1]["e"]
        image = await overwritten(bench)
        await bench.station.power_on()
        await bench.until(lambda: bench.host.hellos[-1]["e"] != before)
        first = bench.host.hellos[-1]["e"]
        await bench.until(
            lambda: any(event["k"] == "station.fault" for event in bench.host.events)
        )
        told = [event for event in bench.host.events if event["e"] == first]
        faults = [event for event in told if event["k"] == "station.fault"]
        assert [(event["part"], event["code"]) for event in faults] == [("journal", "unreadable")]
        await bench.station.tap(bench.badges[0])
        bench.host.command("format_journal", confirm="DIA-0200000000a2")
        await bench.world.sleep(1000)
        assert bytes(bench.station.flash.image) == image
        number = bench.host.command("format_journal", confirm=bench.station.id)

        def cleared_at_host(number):
            return any(event.get("i") == number for event in bench.host.events)

        cleared = await bench.host.answer(number)
        assert (cleared["k"], cleared["part"]) == ("station.fault_cleared", "journal")
        await bench.until(lambda: cleared_at_host(number))
        content = walk(bytes(bench.station.flash.image))
        assert content.unreadable == 0
        events = list(content.events())
        assert json.loads(events[0].payload)["i"] == number
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert events[0].epoch != first


async def test_keys_1_and_6_held_for_ten_seconds_format_the_journal(desk):
    async with desk() as bench:
        image = await overwritten(bench)
        await hold_at_power_on(bench, 1, 6, ms=9_500)
        await bench.world.sleep(2_000)
        assert bytes(bench.station.flash.image) == image
        since = bench.since()
        await hold_at_power_on(bench, 1, 6, ms=11_500)
        await bench.event("station.booted", since)
        assert walk(bytes(bench.station.flash.image)).unreadable == 0


async def test_keys_2_and_5_held_for_ten_seconds_forget_the_configuration(desk):
    async with desk() as bench:
        bench.host.answering = False
        since = bench.since()
        await hold_at_power_on(bench, 2, 5, ms=9_500)
        await bench.event("station.booted", since)
        assert "station.config" not in bench.kinds(since)
        since = bench.since()
        await hold_at_power_on(bench, 2, 5, ms=11_500)
        assert (await bench.event("station.config", since))["generation"] == 0
        await bench.until(lambda: bench.host.hellos[-1]["generation"] == 0)
