"""What the simulated chip does that a kind simulation would not: flash that takes its time, waits
that end at a tick, ticks that wrap.
"""

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


