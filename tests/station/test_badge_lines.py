"""Readers that only send: Wiegand's two lines and the RDM6300's bytes, with what goes wrong."""

WIEGAND = """
from drivers.wiegand import Wiegand
from models.wiegand import Wiegand as Model
model = Model(machine.net(25), machine.net(26))
reader = Wiegand(25, 26)
async def read(count):
    for _ in range(count):
        kind, identity, quality = await reader.__anext__()
        print(kind, identity.hex() if identity else identity, quality)
"""

RDM6300 = """
from drivers.rdm6300 import RDM6300
from models.rdm6300 import RDM6300 as Model
model = Model()
machine.attach(("uart", 4), 0, model)
reader = RDM6300(machine.UART(2, 9600, rx=Pin(4)))
async def read():
    async for kind, identity, quality in reader:
        print(kind, identity.hex() if identity else identity, quality)
"""


async def test_wiegand_reads_each_length(chips):
    lines = await chips(
        WIEGAND
        + """
async def main():
    task = asyncio.create_task(read(3))
    for value, count in ((0x7B1234, 26), (0xDEADBEEF, 34), (0x7_FFFF_0001, 37)):
        model.tap(value, count)
        await asyncio.sleep_ms(200)
    await task
    print(reader.bad_reads, reader.cards, reader.selftest())
"""
    )
    assert lines == [
        "wiegand26 7b1234 100",
        "wiegand34 deadbeef 100",
        "wiegand37 07ffff0001 100",
        "0 3 True",
    ]


async def test_wiegand_counts_what_does_not_check(chips):
    lines = await chips(
        WIEGAND
        + """
async def main():
    task = asyncio.create_task(read(4))
    for fault in ("bit", "torn", None):
        model.fault = fault
        model.tap(0x7B1234)
        await asyncio.sleep_ms(200)
    model.send([1] * 200)
    await asyncio.sleep_ms(1000)
    await task
    print(reader.bad_reads)
"""
    )
    bad = "wiegand None 0"
    assert lines == [bad, bad, "wiegand26 7b1234 100", bad, "3"]


async def test_a_wiegand_line_that_lies_on_ground_is_found(chips):
    lines = await chips(
        WIEGAND
        + """
async def main():
    for gpio in (25, 26):
        machine.net(gpio).drive(0)
        await asyncio.sleep_ms(100)
        print(reader.selftest())
        machine.net(gpio).drive(1)
    print(reader.selftest())
"""
    )
    assert lines == ["False", "False", "True"]


async def test_wiegand_keypad(chips):
    lines = await chips(
        WIEGAND
        + """
async def main():
    keys = []
    reader.on_key = keys.append
    task = asyncio.create_task(read(1))
    for key, whole in (("1", False), ("9", True), ("#", False), ("*", True)):
        model.press(key, whole)
        await asyncio.sleep_ms(100)
    model.send([1, 1, 1, 1, 0, 0, 0, 1])
    await asyncio.sleep_ms(100)
    model.tap(5)
    await task
    print("".join(keys), reader.bad_reads)
"""
    )
    assert lines == ["wiegand26 000005 100", "19#* 1"]


async def test_rdm6300_tells_a_card_once_and_when_it_leaves(chips):
    lines = await chips(
        RDM6300
        + """
async def main():
    asyncio.create_task(read())
    model.tap(bytes.fromhex("62e3086ced"))
    await asyncio.sleep_ms(2000)
    print(reader.present.hex())
    model.untap()
    await reader.gone()
    print("gone", reader.present)
    model.tap(bytes.fromhex("62e3086ced"))
    await asyncio.sleep_ms(200)
    model.tap(bytes.fromhex("0000000001"))
    await asyncio.sleep_ms(200)
    print(reader.bad_reads, reader.cards, reader.present.hex())
"""
    )
    assert lines == [
        "em4100 62e3086ced 100",
        "62e3086ced",
        "gone None",
        "em4100 62e3086ced 100",
        "em4100 0000000001 100",
        "0 3 0000000001",
    ]


async def test_rdm6300_survives_broken_frames(chips):
    lines = await chips(
        RDM6300
        + """
async def main():
    asyncio.create_task(read())
    for fault in ("bit", "torn"):
        model.fault = fault
        model.tap(bytes.fromhex("62e3086ced"))
        await asyncio.sleep_ms(190)
    print(reader.bad_reads > 3)
    model.fault = None
    model.port.deliver(b"noise\\x0d\\x0a")
    await asyncio.sleep_ms(70)
    print(reader.present.hex())
"""
    )
    assert lines[0] == "em4100 None 0"
    assert lines[1] == "True"
    assert lines[2].startswith("em4100 62e3086ced ")
    assert lines[3] == "62e3086ced" and len(lines) == 4


async def test_rdm6300_that_only_sends_rubbish_is_a_fault(chips):
    lines = await chips(
        RDM6300
        + """
async def main():
    model.fault = "bit"
    model.tap(bytes(5))
    try:
        await read()
    except Exception as error:
        print(type(error).__name__, error.part, error.code)
"""
    )
    assert lines == ["em4100 None 0", "PartError badge_reader bad_frame"]
