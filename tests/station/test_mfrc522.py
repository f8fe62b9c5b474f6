"""The MFRC522's driver against its model: ids of each length, and what goes wrong in the field."""

import pytest

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
        await asyncio.sleep_ms(1500)
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


@pytest.mark.parametrize(
    "other", ["cafe0001", "deadbe00", "04a1b2c3d4e5f6"], ids=["unlike", "alike", "longer"]
)
async def test_of_two_cards_at_once_neither_is_told(chips, other):
    """Who stays when the other goes was there all along, and counts once it was away."""
    lines = await chips(
        READER
        + f"""
async def main():
    await reader.start()
    asyncio.create_task(read())
    model.tap(bytes.fromhex("deadbeef"), bytes.fromhex("{other}"))
    await asyncio.sleep(3)
    model.cards = model.cards[:1]
    await asyncio.sleep(1)
    print(reader.bad_reads, reader.cards)
    model.untap()
    await asyncio.sleep(2)
    model.tap(bytes.fromhex("deadbeef"))
    await asyncio.sleep(1)
"""
    )
    assert lines == ["iso14443a b'' 100", "0 0", "iso14443a deadbeef 100"]


@pytest.mark.parametrize("version", [0x12, 0x82, 0x88, 0x90, 0x91, 0x92, 0xB2])
async def test_any_version_is_driven(chips, version):
    lines = await chips(
        READER
        + f"""
async def main():
    model.version = {version}
    await reader.start()
    asyncio.create_task(read())
    model.tap(bytes.fromhex("deadbeef"))
    await asyncio.sleep(1)
    print(reader.version, reader.selftest())
"""
    )
    assert lines == ["iso14443a deadbeef 100", f"{version} True"]


@pytest.mark.parametrize("version", [0x00, 0xFF])
async def test_what_a_line_without_a_chip_says_is_no_version(chips, version):
    lines = await chips(
        READER
        + f"""
async def main():
    model.version = {version}
    try:
        await reader.start()
    except Exception as error:
        print(error.part, error.code, reader.selftest())
"""
    )
    assert lines == ["badge_reader no_answer False"]


async def test_how_long_it_was_away_makes_it_another_tap(chips):
    """Under 0.8 s never; from 2 s on always, told within 0.7 s; left lying it is one."""
    lines = await chips(
        READER
        + """
told = []
async def read():
    async for kind, identity, quality in reader:
        told.append(wire.now())
async def lies(ms=700):
    model.tap(bytes.fromhex("04a1b2c3d4e5f6"))
    since = wire.now()
    await asyncio.sleep_ms(ms)
    return since
async def main():
    await reader.start()
    asyncio.create_task(read())
    await asyncio.sleep_ms(200)
    await lies(120_000)
    for at in range(24):
        await asyncio.sleep_ms(17 * at)
        model.untap()
        await asyncio.sleep_ms((20, 400, 799)[at % 3])
        await lies()
    print(len(told))
    late = []
    for at in range(12):
        await asyncio.sleep_ms(17 * at)
        model.untap()
        await asyncio.sleep_ms((2000, 3100, 12000)[at % 3])
        since = await lies()
        late.append(told.pop() - since if len(told) == 2 else None)
    print(max(late))
"""
    )
    assert lines[0] == "1"
    assert int(lines[1]) <= 700


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
    for fault, uid in (("busy", "deadbeef"), ("stick", "cafe0001")):
        model.fault = fault
        model.tap(bytes.fromhex(uid))
        try:
            await read()
        except Exception as error:
            print(error.part, error.code)
        try:
            await reader.start()
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
    none, silent = "badge_reader no_answer", "badge_reader silent"
    assert lines == [none, *[silent] * 4, none]


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


async def test_the_model_refuses_what_the_data_sheet_forbids(chips):
    """A register that is reserved or read only, reserved bits, no such command, too many bytes."""
    lines = await chips(
        READER
        + """
async def main():
    await reader.start()
    reader._write(0x01, 0x00)
    for register, value in ((0x0F, 0), (0x06, 0), (0x37, 0x92), (0x15, 0x41), (0x11, 0x29),
                            (0x01, 0x05), (0x09, bytes(65)), (0x0D, 0x87)):
        try:
            reader._write(register, value)
            print("taken", hex(register))
        except ValueError as error:
            print("refused")
        reader._write(0x0A, 0x80)
"""
    )
    assert lines == ["refused"] * 8
