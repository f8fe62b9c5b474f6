"""What the simulated chip does that a kind simulation would not: flash that takes its time, waits
that end at a tick, ticks that wrap.
"""

DAYS_3 = 3 * 86_400_000
PARTITION = """
import esp32, manners, time, wire
journal = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
def lasted(function, *arguments):
    since = wire.now()
    function(*arguments)
    return wire.now() - since
"""


async def test_flash_takes_its_time(chips):
    lines = await chips(
        PARTITION
        + """
def read(count):
    page = bytearray(128)
    for block in range(count):
        journal.readblocks(0, page, 128 * block % 4096)
async def main():
    print(lasted(journal.ioctl, 6, 0), lasted(read, 1000))
    print(lasted(journal.writeblocks, 1, bytes(4096)), lasted(journal.writeblocks, 0, bytes(8192)))
    manners.erase_ms = 400
    print(lasted(journal.ioctl, 6, 0))
"""
    )
    erased, read = map(int, lines[0].split())
    assert (erased, read) == (45, 80)
    one, two = map(int, lines[1].split())  # with their erases, and gathered to whole steps
    assert 45 + 11 <= one <= 45 + 15 and 2 * (45 + 11) <= two <= 2 * (45 + 11) + 5
    assert lines[2] == "400"


async def test_a_wait_ends_at_a_tick_and_a_delay_when_it_is_over(chips):
    lines = await chips(
        PARTITION
        + """
async def main():
    time.sleep_ms(7)
    print(lasted(time.sleep_ms, 3))
    for ms in (1, 10, 15, 20):
        print(await waited(ms))
    flag = asyncio.ThreadSafeFlag()
    for ms in (4, 13, 20):
        wire.alarm(wire.now() + ms, flag.set)
        since = wire.now()
        await flag.wait()
        print((wire.now() - wire.born()) % 10, ms <= wire.now() - since < ms + 10)
async def waited(ms):
    await asyncio.sleep_ms(ms)
    return (wire.now() - wire.born()) % 10
"""
    )
    assert lines == ["3", *["0"] * 4, *["0 True"] * 3]


async def test_files_take_their_time_too(chips):
    lines = await chips(
        PARTITION
        + """
import os
def write(size):
    with open("x.new", "wb") as file:
        file.write(bytes(size))
    os.rename("x.new", "x")
def read():
    with open("x", "rb") as file:
        file.read()
async def main():
    print(lasted(write, 100), lasted(write, 5000), lasted(read), lasted(os.stat, "x"))
"""
    )
    small, large, read, looked = map(int, lines[0].split())
    assert small < 45  # in its folder's own block
    assert large >= 2 * 45 + 32  # two blocks, and what is read to put it in place
    assert 0 < read < 45 and looked <= 5


async def test_what_a_station_erases_is_done_while_the_clock_stands_for_its_answer(program):
    station = await program(
        PARTITION
        + """
def erase(command):
    return {"ms": lasted(journal.ioctl, 6, 0)}
wire.on("erase", erase)
wire.wait(None)
"""
    )
    world = station._world
    with world.actor():
        await world.sleep(1000)
        before = world.timeline.now()
        assert (await station.ask({"do": "erase"}))["ms"] == 45
        assert world.timeline.now() - before == 45
        await station.manners(erase_ms=400)
        await station.power_cut()
        await station.power_on()  # a changed chip stays changed
        await world.sleep(1000)
        assert (await station.ask({"do": "erase"}))["ms"] == 400


async def test_alone_it_moves_the_clock_as_far_as_nobody_sees(program):
    station = await program(
        """
import asyncio, time, wire
async def main():
    while True:
        await asyncio.sleep_ms(20)
        if time.ticks_ms() % 5000 == 0:
            print(time.ticks_ms())
asyncio.run(main())
"""
    )
    world, said = station._world, []

    def listen(data):
        said.extend((world.timeline.now(), int(line)) for line in data.split())

    station._vm._on_console = listen
    with world.actor():
        steps = world.timeline.steps
        await world.sleep(60_000)
        assert world.timeline.now() == 60_000
    born = said[0][0] - said[0][1]
    assert [now - born for now, _ in said] == [ticks for _, ticks in said]
    assert len(said) >= 11 and world.timeline.steps - steps < 100  # of 3 000 deadlines


async def test_days_pass_at_once_and_who_sleeps_sleeps_on(program):
    station = await program(
        """
import asyncio, json, time, wire
slept = []
async def sleeper():
    while True:
        began = wire.now()
        await asyncio.sleep_ms(1000)
        slept.append(wire.now() - began)
async def main():
    asyncio.create_task(sleeper())
    began = time.ticks_ms()
    def told(command):
        ticks = time.ticks_ms()
        return {"since": time.ticks_diff(ticks, began), "slept": slept, "ticks": ticks}
    wire.on("told", told)
    while True:
        await asyncio.sleep(3600)
asyncio.run(main())
"""
    )
    world = station._world
    with world.actor():
        await world.sleep(10_500)
        for _ in range(3):
            world.jump(DAYS_3)
            await world.sleep(10_000)
        assert world.timeline.now() == 3 * DAYS_3 + 40_500
        told = await station.ask({"do": "told"})
    assert len([ms for ms in told["slept"] if ms > DAYS_3]) == 3
    assert len(told["slept"]) == 40
    assert told["since"] < 0  # nine days look like three and a half to come
    assert told["ticks"] < 1 << 30
