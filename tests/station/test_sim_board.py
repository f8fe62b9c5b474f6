"""The simulated board itself: clock, flash, buses, reset, seen by small MicroPython programs."""

import asyncio
import json

import pytest
from diadema.base.errors import DiademaError

PRELUDE = """
import asyncio, esp32, machine, sys, time
from machine import I2C, Pin
bus = I2C(0, scl=Pin(32), sda=Pin(33))
"""


async def said(station, text, limit_s=60):
    """Wait until the console holds `text`; returns the whole console."""
    async with asyncio.timeout(limit_s):
        while text not in (console := b"".join(station.console).decode()):
            await asyncio.sleep(0.005)
    return console


async def test_hours_pass_at_once_and_in_order(program):
    station = await program(
        PRELUDE
        + """
async def sleeper(name, seconds):
    await asyncio.sleep(seconds)
    print(name, time.ticks_ms() // 1000)
async def main():
    await asyncio.gather(sleeper("b", 7200), sleeper("a", 3600), sleeper("c", 36000))
    print("end")
asyncio.run(main())
"""
    )
    console = await said(station, "end")
    assert console.split() == ["a", "3600", "b", "7200", "c", "36000", "end"]


async def test_flash_only_clears_bits_until_the_sector_is_erased(program):
    station = await program(
        PRELUDE
        + """
p = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
b = bytearray(2)
p.writeblocks(1, b"\\xf0\\x0f", 4094)
p.writeblocks(1, b"\\x3c\\xff", 4094)
p.readblocks(1, b, 4094); print(b.hex())
p.ioctl(6, 1)
p.readblocks(1, b, 4094); print(b.hex(), p.ioctl(4), p.ioctl(5))
try:
    p.writeblocks(128, b)
except OSError:
    print("beyond")
"""
    )
    console = await said(station, "beyond")
    assert console.split() == ["300f", "ffff", "128", "4096", "beyond"]
    assert station.flash.erased == 4096
    assert station.flash.programmed == 4


async def test_nvs_keeps_what_was_committed_over_a_reset(program):
    station = await program(
        PRELUDE
        + """
n = esp32.NVS("d")
try:
    print("found", n.get_i32("b"), machine.reset_cause() == machine.HARD_RESET)
    try:
        n.get_i32("lost")
    except OSError:
        print("gone")
except OSError:
    n.set_i32("b", 7)
    n.commit()
    n.set_i32("lost", 1)
    machine.reset()
"""
    )
    console = await said(station, "gone")
    assert console.split() == ["found", "7", "True", "gone"]
    assert station.restarts == ["hard"]


async def test_watchdog_and_timer_follow_the_clock(program):
    station = await program(
        PRELUDE
        + """
if machine.reset_cause() == machine.WDT_RESET:
    print("bitten")
else:
    dog = machine.WDT(timeout=5000)
    beats = []
    begin = time.ticks_ms()
    def beat(t):
        beats.append(time.ticks_ms() - begin)
        if len(beats) < 4:
            dog.feed()
        print(beats[-1])
    machine.Timer(0, period=1000, callback=beat)
"""
    )
    console = await said(station, "bitten")
    assert console.split() == [str(n * 1000) for n in range(1, 8)] + ["bitten"]


async def test_keys_interrupt_and_bounce(program):
    station = await program(
        PRELUDE
        + """
flag = asyncio.ThreadSafeFlag()
edges = []
def edge(pin):
    edges.append((time.ticks_ms(), pin.value()))
    flag.set()
Pin(4, Pin.IN).irq(edge)
async def main():
    await asyncio.sleep(1)
    while len(edges) < 10:
        await flag.wait()
    print(edges)
asyncio.run(main())
"""
    )
    world = station._world
    with world.actor():
        await world.sleep(2000)
        await station.press(1, ms=50, bounce=3)
    console = await said(station, "]")
    edges = json.loads(console.replace("(", "[").replace(")", "]"))
    assert [level for _, level in edges] == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert [edges[0][0], edges[5][0]] == [2000, 2050]


async def test_a_press_is_no_longer_than_asked_though_its_host_is_late(program, monkeypatch):
    station = await program(
        PRELUDE
        + """
edges = []
def edge(pin):
    edges.append((time.ticks_ms(), pin.value()))
Pin(4, Pin.IN).irq(edge)
async def main():
    while len(edges) < 2:
        await asyncio.sleep_ms(10)
    print(edges)
asyncio.run(main())
"""
    )
    world, ask = station._world, station.ask

    async def late(command):
        if command["do"] == "release":
            await world.sleep(1200)
        return await ask(command)

    monkeypatch.setattr(station, "ask", late)
    with world.actor():
        await world.sleep(2000)
        await station.press(1)
    console = await said(station, "]")
    (fell, _), (rose, _) = json.loads(console.replace("(", "[").replace(")", "]"))
    assert rose - fell == 80


async def test_dead_part_does_not_acknowledge(program):
    station = await program(
        PRELUDE
        + """
print(bus.scan())
async def main():
    await asyncio.sleep(1)
    print(bus.scan())
    try:
        bus.readfrom(0x10, 1)
    except OSError as error:
        print(error.errno)
asyncio.run(main())
"""
    )
    with station._world.actor():
        await station._world.sleep(500)
        await station.ask({"do": "fault", "part": "codec", "kind": "nack"})
        await station._world.sleep(1500)
    console = await said(station, "19")
    assert console.splitlines() == ["[16, 36, 60]", "[36, 60]", "19"]


async def test_program_that_ends_the_vm_is_a_crash_with_its_last_words(program):
    station = await program("import sys\nprint('last words')\nsys.exit(3)\n")
    with pytest.raises(DiademaError, match="last words"):
        await station._world.wait_event(station.id, lambda event: True)


@pytest.mark.parametrize("lets_through", [False, True])
async def test_a_byte_3_interrupts_unless_the_program_lets_it_through(program, lets_through):
    station = await program(
        PRELUDE
        + f"""
import micropython
if {lets_through}:
    micropython.kbd_intr(-1)
print("ready")
async def main():
    print("got", await asyncio.StreamReader(sys.stdin.buffer).read(1))
asyncio.run(main())
"""
    )
    await said(station, "ready")
    with open(station.port, "wb", buffering=0) as port:  # noqa: PTH123 - no regular file
        port.write(b"\3")
    console = await said(station, "got" if lets_through else "KeyboardInterrupt")
    assert ("got b'\\x03'" in console) == lets_through


async def test_power_cut_ends_the_vm_and_flash_stays(program):
    station = await program(
        PRELUDE
        + """
p = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
b = bytearray(1)
p.readblocks(0, b, 0)
p.writeblocks(0, bytes([b[0] >> 1]), 0)
print("now", b[0] >> 1)
"""
    )
    await said(station, "now 127")
    await station.power_cut()
    assert not station.powered
    with pytest.raises(DiademaError, match="no power"):
        await station.press(1)
    await station.power_on()
    await said(station, "now 63")


async def test_world_channel_answers_and_explains(program):
    station = await program("print('up')\n")
    await said(station, "up")
    reader, writer = await asyncio.open_unix_connection(station._world.channel.path)

    async def ask(text):
        writer.write(text.encode() + b"\n")
        return json.loads(await reader.readline())

    try:
        screen = await ask(json.dumps({"do": "screen", "station": station.id, "id": 1}))
        assert screen["ok"] and screen["id"] == 1 and len(screen["ram"]) == 2048
        lights = await ask(json.dumps({"do": "lights", "station": station.id, "id": 2}))
        assert lights["lights"] == {"ready": False, "busy": False, "ring": False}
        assert "DIA-0200000000a1" in (await ask('{"do": "tap", "station": "DIA-x"}'))["error"]
        assert (
            "no command" in (await ask(json.dumps({"do": "fly", "station": station.id})))["error"]
        )
        assert "one JSON object" in (await ask("nonsense"))["error"]
        assert "lacks" in (await ask(json.dumps({"do": "press", "station": station.id})))["error"]
    finally:
        writer.close()
        await writer.wait_closed()


async def test_pulled_cable_comes_back_under_the_same_path(program):
    station = await program(
        "import asyncio, sys\n"
        "async def main():\n"
        "    while True:\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    path = station.cable.path
    assert path.exists()
    station.cable.pull()
    assert not path.exists()
    station.cable.plug()
    assert path.exists()


async def test_a_long_answer_needs_no_second_place_in_a_scattered_heap(program):
    station = await program(
        PRELUDE
        + """
import wire
text = '{"id": -1, "pad": "%s"}' % ("x" * 20000)
taken = []
try:
    while True:
        taken.append(bytearray(8192))
except MemoryError:
    pass
wire.say(text)
taken.clear()
print("said")
"""
    )
    await said(station, "said")


async def test_a_span_that_the_counter_cannot_hold_is_refused(program):
    station = await program(
        PRELUDE
        + """
import time
half = 1 << 29
for delta in (half - 1, half, 1 - half, -half):
    try:
        time.ticks_add(5, delta)
        print("added")
    except OverflowError:
        print("refused")
print("said")
"""
    )
    await said(station, "said")
    lines = b"".join(station.console).decode().split()
    assert lines[-5:] == ["added", "refused", "added", "refused", "said"]
