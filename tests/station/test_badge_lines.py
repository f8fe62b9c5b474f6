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


async def test_a_wiegand_frame_that_a_stall_broke_is_a_bad_read_and_no_other_card(chips):
    """Of 37 bits 26 can be left, whose parities are right once in four; of 34 likewise."""
    lines = await chips(
        WIEGAND
        + """
import pins, wire
async def main():
    async def reads():
        while True:
            _, identity, _ = await reader.__anext__()
            seen.append(identity.hex() if identity else None)
    seen = []
    asyncio.create_task(reads())
    for erase in (True, False):
        rights = bads = others = 0
        for value, count, right in ((5, 37, "0000000005"), (0x7_F0F0_3301, 37, "07f0f03301"),
                                    (0x00C0_0105, 34, "00c00105"), (0x7B1234, 26, "7b1234")):
            for ms in (16, 20, 22, 24, 45):
                for late in range(-44, 80, 3):
                    seen.clear()
                    began = wire.now() + 50
                    wire.alarm(began, lambda: model.tap(value, count))
                    await asyncio.sleep_ms(50 + late)
                    pins.stall(ms, erase)
                    await asyncio.sleep_ms(200)
                    rights += seen == [right]
                    bads += any(read is None for read in seen)
                    others += any(read not in (right, None) for read in seen)
        print(erase, rights, bads, others)
"""
    )
    for line in lines:
        _, rights, bads, others = line.split()
        assert int(others) == 0, lines
        assert int(rights) > 100 and int(bads) > 300, lines


async def test_a_wiegand_frame_with_a_pulse_too_few_or_too_many_is_a_bad_read(chips):
    """By its times: its parities are right."""
    lines = await chips(
        WIEGAND
        + """
import wire
from models.wiegand import bits_of
def send(bits, times):
    for bit, ms in zip(bits, times):
        wire.alarm(wire.now() + ms, lambda bit=bit: model._pulse(bit))
async def main():
    task = asyncio.create_task(read(4))
    bits, steady = bits_of(0x7B1234, 26), [2 * at for at in range(1, 27)]
    hole = [ms if at < 9 else ms + 2 for at, ms in enumerate(steady)]
    crowd = [ms if at != 9 else ms - 2 for at, ms in enumerate(steady)]
    for times in (steady, hole, crowd, [4 * ms for ms in steady]):
        send(bits, times)
        await asyncio.sleep_ms(400)
    await task
"""
    )
    good, bad = "wiegand26 7b1234 100", "wiegand None 0"
    assert lines == [good, bad, bad, good]


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


async def test_how_long_it_was_away_from_an_rdm6300_makes_it_another_tap(chips):
    """Also after a fault: who lay there when it came is no other tap."""
    lines = await chips(
        RDM6300
        + """
async def main():
    asyncio.create_task(read())
    model.tap(bytes.fromhex("62e3086ced"))
    for away_ms in (300, 799, 2000):
        await asyncio.sleep_ms(1000)
        model.untap()
        await asyncio.sleep_ms(away_ms)
        print(away_ms)
        model.tap(bytes.fromhex("62e3086ced"))
    await asyncio.sleep_ms(1000)
    other = RDM6300(machine.UART(2, 9600, rx=Pin(4)))
    other.present = reader.present
    await other.start()
    task = asyncio.create_task(other.__anext__())
    await asyncio.sleep_ms(700)
    print(task.done())
    model.untap()
    await asyncio.sleep_ms(2000)
    model.tap(bytes.fromhex("62e3086ced"))
    await asyncio.sleep_ms(700)
    print(task.done())
"""
    )
    tap = "em4100 62e3086ced 100"
    assert [line for line in lines if line != tap] == ["300", "799", "2000", "False", "True"]
    assert lines[:5] == [tap, "300", "799", "2000", tap]
