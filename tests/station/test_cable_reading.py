"""What the station makes of the bytes of its cable, one by one: how much memory they take, and a
byte 3 while it starts.
"""

from tests.station.test_update import body, slots, vfs  # noqa: F401 - three fixtures

READS = """
from drivers.usb_serial import UsbSerial
from memory import gc  # the VM's own
class Chip:  # what is C there: neither a look nor a read takes memory
    waiting = 0
    def ipoll(self, ms):
        return (1,) if self.waiting else ()
    def readinto(self, buffer):
        buffer[0] = self.waiting & 0x7F
        self.waiting -= 1
        return len(buffer)
class Reader:
    async def readinto(self, buffer):
        return chip.readinto(buffer)
chip = Chip()
async def main():
    gc.disable()
    serial = UsbSerial()
    serial._in = serial._poll = chip
    serial._reader = Reader()
    for size in (1, 8, 40, 72, 200):
        chip.waiting = size
        before = gc.mem_alloc()
        data = await serial.read()
        after = gc.mem_alloc()
        assert len(data) == size and chip.waiting == 0
        print(after - before - (size + 31) // 32 * 32)  # what it hands on, in whole blocks
"""


async def test_reading_takes_no_memory_a_byte(chips):
    taken = [int(line) for line in await chips(READS)]
    assert len(set(taken)) == 1, taken  # as much for one byte as for two hundred


async def test_a_byte_3_in_the_first_moments_of_a_start_stops_no_program(slots):  # noqa: F811
    async with slots() as bench:
        await bench.station.power_cut()
        since = bench.since()
        bench.station.console.clear()
        await bench.station.power_on()
        for _ in range(60):
            bench.host.send_raw(b"~\x03~")  # by itself a person typed it, and it is kept for later
            await bench.world.sleep(1)
        booted = await bench.event("station.booted", since)
        assert booted["cause"] == "power_on"
        assert not (await bench.station.dump())["stdin"]["lost"]
        await bench.world.sleep(10_000)
        assert bench.kinds(since).count("station.booted") == 1
        console = b"".join(bench.station.console)
        assert b"Interrupt" not in console and b"Traceback" not in console
