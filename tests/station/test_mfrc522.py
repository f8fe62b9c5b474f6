"""The MFRC522's driver against its model: ids of each length, and what goes wrong in the field."""

READER = """
from drivers.mfrc522 import MFRC522
from models.mfrc522 import Card, MFRC522 as Model
model = Model()
machine.attach(("spi", 14), 15, model)
reader = MFRC522(machine.SPI(1, sck=Pin(14), mosi=Pin(12), miso=Pin(25)), 15)
async def read():
    async for kind, identity, quality in reader:
        print(kind, identity.hex() if identity else identity, quality)
"""


async def test_reads_each_length_once(chips):
    lines = await chips(
        READER
        + """
async def main():
    await reader.start()
    print(hex(reader.version), reader.selftest())
    asyncio.create_task(read())
    for uid in ("deadbeef", "04a1b2c3d4e5f6", "04112233445566778899"):
        model.tap(bytes.fromhex(uid))
        await asyncio.sleep_ms(1500)
        print(reader.present.hex())
        model.untap()
        await reader.gone()
    print(reader.cards, reader.bad_reads)
"""
    )
    assert lines == [
        "0x92 True",
        "iso14443a deadbeef 100",
        "deadbeef",
        "iso14443a 04a1b2c3d4e5f6 100",
        "04a1b2c3d4e5f6",
        "iso14443a 04112233445566778899 100",
        "04112233445566778899",
        "3 0",
    ]


async def test_one_card_after_the_other(chips):
    lines = await chips(
        READER
        + """
async def main():
    await reader.start()
    asyncio.create_task(read())
    for uid in ("deadbeef", "cafe0001", "deadbeef"):
        model.tap(bytes.fromhex(uid))
        await asyncio.sleep_ms(400)
"""
    )
    assert [line.split()[1] for line in lines] == ["deadbeef", "cafe0001", "deadbeef"]


async def test_bad_reads_are_told_once_and_the_next_good_one_counts(chips):
    for_each = """
async def main():
    await reader.start()
    asyncio.create_task(read())
    for fault in ("bit", "torn", "gone"):
        model.fault = fault
        model.tap(bytes.fromhex("04a1b2c3d4e5f6"))
        await asyncio.sleep_ms(250)
        model.untap()
        await asyncio.sleep_ms(600)
        print(fault, reader.bad_reads > 0)
        reader.bad_reads = 0
    model.fault = None
    model.tap(bytes.fromhex("04a1b2c3d4e5f6"))
    await asyncio.sleep_ms(250)
"""
    lines = await chips(READER + for_each)
    bad = "iso14443a None 0"
    assert lines == [
        bad, "bit True", bad, "torn True", bad, "gone True", "iso14443a 04a1b2c3d4e5f6 100",
    ]  # fmt: skip


async def test_two_cards_at_once_are_a_bad_read_told_once(chips):
    lines = await chips(
        READER
        + """
async def main():
    await reader.start()
    asyncio.create_task(read())
    model.cards = [Card(bytes.fromhex("deadbeef")), Card(bytes.fromhex("cafe0001"))]
    await asyncio.sleep(3)
    model.cards = model.cards[:1]
    await asyncio.sleep(1)
    print(reader.bad_reads > 3)
"""
    )
    assert lines == ["iso14443a None 0", "iso14443a deadbeef 20", "True"]


async def test_no_chip_and_a_chip_that_hangs_are_faults(chips):
    lines = await chips(
        READER
        + """
async def main():
    model.fault = "nack"
    try:
        await reader.start()
    except Exception as error:
        print(error.part, error.code)
    model.fault = None
    await reader.start()
    model.fault = "busy"
    try:
        await read()
    except Exception as error:
        print(error.part, error.code)
    model.fault = None
    await reader.start()
    model.fault = "nack"  # its lines float: every answer would be a collision
    try:
        print(await read())
    except Exception as error:
        print(error.part, error.code)
"""
    )
    assert lines == ["badge_reader no_answer", "badge_reader silent", "badge_reader no_answer"]


async def test_waiting_leaves_the_bus_free(chips):
    """At 4 MHz a register's two bytes take 4 µs: a tenth of a second is 25 000 of them."""
    lines = await chips(
        READER
        + """
async def main():
    await reader.start()
    asyncio.create_task(read())
    before = model.transfers
    await asyncio.sleep(10)
    print((model.transfers - before) // 10)
"""
    )
    assert int(lines[0]) < 250
