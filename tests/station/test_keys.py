"""Keys in each wiring: contacts that bounce, pads that drift, a ladder in noise, a knob, and what
is pressed while flash is erased.
"""

import pytest

PRINT = """
said = []
async def read(keys):
    async for name, ticks in keys:
        said.append(name)
def told():
    names, said[:] = " ".join(said), []
    return names
async def press(model, key, ms=80, bounce=0):
    model.press(key, bounce)
    await asyncio.sleep_ms(ms)
    model.release(key, bounce)
    await asyncio.sleep_ms(100)
"""

CONTACTS = (
    PRINT
    + """
from models.panel import Buttons
from drivers.keys import Keys
panel = Buttons([machine.net(gpio) for gpio in (25, 26, 14, 4, 2, 12)])
"""
)


async def test_short_long_double_and_chord(chips):
    lines = await chips(
        CONTACTS
        + """
async def main():
    keys = Keys(25, 26, 14, 4, 2, 12, long_keys=(3, 4), double_keys=(2,), chords=((1, 6),))
    task = asyncio.create_task(read(keys))
    for bounce in (0, 5):
        await press(panel, 1, 80, bounce)
        await press(panel, 3, 80, bounce)
        await press(panel, 3, 900, bounce)
        print(told())
        await press(panel, 2, 50, bounce)
        await press(panel, 2, 50, bounce)
        print(told())
        await press(panel, 2, 50, bounce)
        print(told(), "waits")
        await asyncio.sleep_ms(300)
        print(told())
        await press(panel, 2, 400, bounce)
        print(told())
        panel.press(6, bounce)
        await asyncio.sleep_ms(40)
        await press(panel, 1, 900, bounce)
        panel.release(6, bounce)
        await asyncio.sleep_ms(100)
        print(told())
        panel.press(6, bounce)
        await asyncio.sleep_ms(80)
        await press(panel, 1, 80, bounce)
        panel.release(6, bounce)
        await asyncio.sleep_ms(100)
        print(told())
    print(list(keys._down), keys.selftest())
    panel.press(6)
    print(keys.selftest(), keys.down(6), keys.down(1))
"""
    )
    once = ["key1 key3 long3", "double2", " waits", "key2", "key2", "chord16", "key6 key1"]
    assert lines[:-2] == once * 2
    assert lines[-2:] == ["[0, 0, 0, 0, 0, 0] True", "False True False"]


ERASE = (
    CONTACTS
    + """
import esp32, manners, wire
flash = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="journal")[0]
manners.erase_ms = 400
def erase():
    before = wire.now()
    flash.ioctl(6, 0)
    return wire.now() - before
def later(ms, action, *arguments):
    wire.alarm(wire.now() + ms, lambda: action(*arguments))
"""
)


async def test_nothing_is_lost_while_a_sector_is_erased(chips):
    lines = await chips(
        ERASE
        + """
async def main():
    keys = Keys(25, 26, 14, 4, 2, 12)
    task = asyncio.create_task(read(keys))
    await asyncio.sleep_ms(100)
    for at, act, key in ((50, panel.press, 1), (130, panel.release, 1),    # within
                         (300, panel.press, 2),                            # lasts longer
                         (100, panel.press, 3), (180, panel.release, 3)):  # within; has a long one
        later(at, act, key)
    later(450, panel.release, 2)
    print(erase())
    await asyncio.sleep_ms(200)
    print(" ".join(sorted(said)))
    told()
    panel.press(6)
    await asyncio.sleep_ms(100)
    later(200, panel.release, 6)
    later(300, panel.press, 6)
    erase()
    await asyncio.sleep_ms(100)
    panel.release(6)
    await asyncio.sleep_ms(100)
    print(told())
"""
    )
    # the last: let go and pressed again within one erasing looks as if it had been held
    assert lines == ["400", "key1 key2 key3", "key6"]


async def test_an_edge_without_a_stall_is_a_glitch(chips):
    lines = await chips(
        ERASE
        + """
async def main():
    keys = Keys(25, 26)
    task = asyncio.create_task(read(keys))
    await asyncio.sleep_ms(100)
    machine.net(25).handler(machine.net(25).pin)  # an interrupt, and the line is high again
    await asyncio.sleep_ms(100)
    erase()  # a later one
    await asyncio.sleep_ms(100)
    print(len(said))
"""
    )
    assert lines == ["0"]


STALLS = """
import pins
from drivers.keys import Keys
from models.panel import Buttons
panel = Buttons([machine.net(gpio) for gpio in (25, 26, 14, 4, 2, 12)])
def hand(*edges):
    # at a time of the stall that begins now: key, negative when it is let go
    for ms, key in edges:
        act = panel.press if key > 0 else panel.release
        wire.alarm(wire.now() + ms, lambda act=act, key=key: act(abs(key), 2 if bouncing else 0))
bouncing = False
async def somebody(ms, erase):
    # any task of the program, such as one that connects
    pins.stall(ms, erase)
async def stall(ms, erase=False):
    # what is heard of it
    await asyncio.create_task(somebody(ms, erase))
    await asyncio.sleep_ms(200)
    return told()
async def ready():
    keys = Keys(25, 26, 14, 4, 2, 12)
    asyncio.create_task(read(keys))
    await asyncio.sleep_ms(100)
    return keys
"""


@pytest.mark.parametrize(("ms", "erase"), [(60, True), (400, True), (1500, False), (5000, False)])
async def test_a_key_counts_once_in_anybodys_stall(chips, ms, erase):
    lines = await chips(
        PRINT
        + STALLS
        + f"""
async def main():
    global bouncing
    keys = await ready()
    for bouncing in (False, True):
        for key in range(1, 7):
            hand(({ms} - 56, key), ({ms} - 8, -key))
            print(await stall({ms}, {erase}))
    print(list(keys._down))
"""
    )
    assert lines == [f"key{key}" for key in range(1, 7)] * 2 + ["[0, 0, 0, 0, 0, 0]"]


async def test_several_keys_of_a_call_come_in_the_order_of_their_edges(chips):
    lines = await chips(
        PRINT
        + STALLS
        + """
async def main():
    keys = await ready()
    hand((100, 6), (200, -6), (300, 1), (400, -1), (500, 3), (600, -3))
    print(await stall(700))
    hand((100, 4), (200, 2), (300, -4), (400, -2))
    print(await stall(700))
    hand((100, 5), (180, -5), (300, 2))  # the second one is held
    print(await stall(400))
    panel.release(2)
    await asyncio.sleep_ms(100)
    hand((100, 2), (150, -2), (300, 2), (350, -2), (400, 1), (450, -1))
    print(await stall(700))
    panel.press(3)
    await asyncio.sleep_ms(50)
    hand((100, -3), (200, 1), (300, -1))
    print(await stall(400))
    await asyncio.sleep_ms(1000)
    print(told(), list(keys._down))
"""
    )
    # twice the same one in a stall may be its bounce
    assert lines == [
        "key6 key1 key3", "key4 key2", "key5 key2", "key2 key1", "key1 key3",
        " [0, 0, 0, 0, 0, 0]",
    ]  # fmt: skip


async def test_eight_edges_in_one_batch_may_be_more(chips):
    lines = await chips(
        PRINT
        + STALLS
        + """
async def main():
    keys = await ready()
    for count in (3, 4, 5):
        hand(*[(100 * at + half, key) for at in range(1, count + 1)
               for half, key in ((0, at), (50, -at))])
        print(await stall(900))
    hand((100, 1), (150, -1))
    print(await stall(400))
    for at in range(10):  # nobody's stall
        hand((10 * at, 6 if at & 1 else -6))
    await asyncio.sleep_ms(300)
    print(told())
"""
    )
    assert lines == [
        "key1 key2 key3", "key1 key2 key3 key4 inputs_unsure", "key1 key2 key3 key4 inputs_unsure",
        "key1", "key6",
    ]  # fmt: skip


async def test_other_lines_may_push_a_key_out(chips):
    """Bits of a Wiegand reader, or of a PN532 the line itself: its card is asked for at once."""
    lines = await chips(
        PRINT
        + STALLS
        + """
from models.wiegand import Wiegand as Model
from models.pn532 import PN532 as Chip
from drivers.wiegand import Wiegand
from drivers.pn532 import PN532
async def main():
    keys = await ready()
    model = Model(machine.net(32), machine.net(33))
    reader = Wiegand(32, 33)
    wire.alarm(wire.now() + 50, lambda: model.tap(0x123456))
    hand((200, 1), (300, -1))
    print(await stall(400))
    chip = Chip(machine.net(35))
    machine.attach(("i2c", 22, 21), 0x24, chip)
    reader = PN532(machine.I2C(0, scl=Pin(22), sda=Pin(21)), 35)
    await reader.start()
    async def tell():
        async for kind, identity, quality in reader:
            said.append("card")
    asyncio.create_task(tell())
    await asyncio.sleep(1)
    hand(*[(100 * at + half, key) for at in range(1, 5) for half, key in ((0, at), (50, -at))])
    card = {"uid": b"\\x04\\xa1\\xb2\\xc3", "atqa": b"\\x00\\x04", "sak": 8}
    wire.alarm(wire.now() + 600, lambda: chip.tap(card))
    print(sorted((await stall(900)).split()))
"""
    )
    assert lines == [
        "inputs_unsure", "['card', 'inputs_unsure', 'key1', 'key2', 'key3', 'key4']",
    ]  # fmt: skip


DIPS = """
from drivers.keys import Keys
from models.panel import Buttons
panel = Buttons([machine.net(gpio) for gpio in (36, 39, 25)])
import network, pins
def asleep():
    radio = network.WLAN()
    radio.active(True)
"""


async def test_nothing_is_made_of_a_dip(chips):
    """Not in a stall either, nor when a look falls into it; a finger is seen in 10 ms."""
    lines = await chips(
        PRINT
        + DIPS
        + """
async def main():
    keys = Keys(36, 39, 25, long_keys=())
    task = asyncio.create_task(read(keys))
    asleep()
    for ms in (400, 100, 45):
        for erase in (True, False):
            for _ in range(20):
                await asyncio.sleep_ms(50)
                pins.stall(ms, erase)
    await asyncio.sleep_ms(100)
    print(len(said))
    class Dips:
        looks = 0
        def value(self):
            self.looks += 1
            return self.looks % 7 > 0
    keys._pins[0], pin = Dips(), keys._pins[0]
    await asyncio.sleep(1)
    print(len(said), keys._pins[0].looks > 50)
    keys._pins[0] = pin
    for key in (1, 2, 3):
        for later_ms in (1, 4, 9):
            wire.alarm(wire.now() + later_ms, lambda key=key: panel.press(key))
            await asyncio.sleep_ms(20)
            print(told())
            panel.release(key)
            await asyncio.sleep_ms(100)
        await asyncio.sleep_ms(100)
    print(told(), keys.selftest())
"""
    )
    assert lines == ["0", "0 True", *["key1"] * 3, *["key2"] * 3, *["key3"] * 3, " True"]


async def test_the_headset_contact_settles_by_its_level(chips):
    lines = await chips(
        DIPS
        + """
from drivers.headset import Headset
told = []
async def hear(headset):
    async for plugged in headset:
        told.append((plugged, wire.now() - since))
async def main():
    global since
    for gpio in (39, 25):
        line = machine.net(gpio)
        line.drive(1)
        headset = Headset(gpio)
        task = asyncio.create_task(hear(headset))
        asleep()
        for level in (0, 1):
            since = wire.now()
            for rattle in range(21):
                line.drive(level ^ rattle & 1)
                await asyncio.sleep_ms(20)
            await asyncio.sleep_ms(900)
            print(len(told))
            await asyncio.sleep_ms(1000)
            plugged, after = told.pop()
            print(plugged, 1300 <= after <= 1700, len(told), headset.selftest())
        line.drive(0)  # half a second is nothing
        await asyncio.sleep_ms(500)
        line.drive(1)
        await asyncio.sleep_ms(2000)
        print(len(told))
        task.cancel()
"""
    )
    once = ["0", "True True 0 True", "0", "False True 0 True", "0"]
    assert lines == once * 2


TOUCH = (
    PRINT
    + """
from models.panel import Buttons
from models.touch import Pad
from drivers.keys_touch import TouchKeys
panel = Buttons([machine.net(25), machine.net(26)])
"""
)


async def test_pads_beside_buttons(chips):
    lines = await chips(
        TOUCH
        + """
async def touch(pad, ms=100):
    pad.touched = True
    await asyncio.sleep_ms(ms)
    pad.touched = False
    await asyncio.sleep_ms(100)
async def main():
    pads = [Pad(machine.net(gpio)) for gpio in (14, 12, 15, 27)]
    keys = TouchKeys(25, 26, 14, 12, 15, 27, buttons=2, chords=((2, 6),))
    task = asyncio.create_task(read(keys))
    print(keys.selftest())
    await press(panel, 1)
    await touch(pads[0])
    await touch(pads[1], 900)
    await touch(pads[3])
    panel.press(2)
    await touch(pads[3])
    panel.release(2)
    await asyncio.sleep_ms(100)
    print(told())
    pads[2].fault = "noise"
    await asyncio.sleep(60)
    print(told(), "noise")
    for pad in pads:
        pad.fault = None
    print(keys.selftest())
    pads[2].fault = "gone"
    await touch(pads[2])
    await touch(pads[0])
    print(told(), keys.selftest(), keys.dump()["reading"][2])
    for pad in pads:
        pad.fault = "gone"
    try:
        TouchKeys(14, 12, 15, 27)
    except Exception as error:
        print(error.part, error.code)
"""
    )
    assert lines == [
        "True", "key1 key3 long4 key6 chord26", " noise", "True", "key3 False 0",
        "keys no_answer",
    ]  # fmt: skip


async def test_a_pad_let_go_in_a_stall_was_not_held(chips):
    lines = await chips(
        TOUCH
        + """
import pins
async def main():
    pad = Pad(machine.net(14))
    keys = TouchKeys(14, long_keys=(1,))
    task = asyncio.create_task(read(keys))
    for ms in (250, 200, 900):
        await asyncio.sleep_ms(100)
        pad.touched = True
        await asyncio.sleep_ms(600)
        wire.alarm(wire.now() + 100, lambda: setattr(pad, "touched", ms > 500))
        pins.stall(ms)
        await asyncio.sleep_ms(100)
        pad.touched = False
        await asyncio.sleep_ms(100)
        print(told())
"""
    )
    assert lines == ["key1", "key1", "long1"]


async def test_a_touch_on_an_s3_raises_its_reading(chips):
    lines = await chips(
        TOUCH
        + """
import pins
pins.chip = "esp32s3"
async def main():
    pad = Pad(machine.net(5), rest=30000, rises=True)
    keys = TouchKeys(5, rises=True)
    task = asyncio.create_task(read(keys))
    pad.drift(3000)
    for _ in range(2):
        await asyncio.sleep(5)
        pad.touched = True
        await asyncio.sleep_ms(100)
        pad.touched = False
    await asyncio.sleep_ms(100)
    print(told(), list(keys._down))
"""
    )
    assert lines == ["key1 key1 [0]"]


LADDER = (
    PRINT
    + """
import pins
pins.chip = "esp32s3"
from models.ladder import Ladder
from drivers.keys_ladder import LadderKeys
LEVELS = (2410, 1980, 1650, 1110, 820, 380)
model = Ladder(machine.net(5), LEVELS)
keys = LadderKeys(5, millivolts=LEVELS)
"""
)


async def test_a_ladder_tells_its_keys_in_noise(chips):
    lines = await chips(
        LADDER
        + """
async def main():
    task = asyncio.create_task(read(keys))
    for fault in (None, "noise"):
        model.fault = fault
        for key in range(1, 7):
            await press(model, key, 80, 4)
        await press(model, 3, 900, 4)
        print(told())
    await asyncio.sleep(60)
    print(told(), keys.selftest(), keys.refused)
    model.fault = "stuck"
    print(keys.selftest())
"""
    )
    each = "key1 key2 key3 key4 key5 key6 long3"
    assert lines == [each, each, " True 0", "False"]


async def test_two_keys_of_a_ladder_are_nothing(chips):
    lines = await chips(
        LADDER
        + """
async def main():
    task = asyncio.create_task(read(keys))
    for first in range(1, 7):
        for second in range(1, 7):
            if first == second:
                continue
            for gap_ms in (30, 60):
                model.press(first)
                await asyncio.sleep_ms(gap_ms)
                model.press(second)
                await asyncio.sleep_ms(80)
                model.release(first)
                await asyncio.sleep_ms(80)
                model.release(second)
                await asyncio.sleep_ms(80)
                names = told()
                if names not in ("", "key%d" % first) or (names and first in (3, 4)):
                    print(first, second, gap_ms, names)
    await press(model, 2)
    print(told(), list(keys._down))
    try:
        LadderKeys(5, millivolts=(1000, 1150))
    except ValueError as error:
        print(error)
"""
    )
    assert lines == ["key2 [0, 0, 0, 0, 0, 0]", "keys at 1000 and 1150 mV are too near"]


async def test_a_knob(chips):
    lines = await chips(
        CONTACTS
        + """
import pins
from models.encoder import Encoder
from drivers.encoder import EncoderKeys
model = Encoder(machine.net(0), machine.net(2))
async def turn(detents, **options):
    model.turn(detents, **options)
    await asyncio.sleep_ms(400)
    return told()
async def main():
    keys = EncoderKeys(0, 2, 25, 26, long_keys=())
    task = asyncio.create_task(read(keys))
    await asyncio.sleep_ms(10)
    print(await turn(3))
    print(await turn(-2))
    print(await turn(2, bounce=3))
    print(await turn(-3, bounce=3))
    await press(panel, 1)
    await press(panel, 2)
    print(told())
    print(keys.lost, keys.selftest())
    model.fault = "lost"
    print(await turn(1), keys.lost)
    model.fault = None
    model.turn(1, step_ms=100)
    pins.stall(250)  # two steps at once
    await asyncio.sleep_ms(300)
    print(told(), keys.lost)
    print(await turn(1))
    machine.net(2).drive(0)
    print(keys.selftest())
"""
    )
    assert lines == [
        "long4 long4 long4", "long3 long3", "long4 long4", "long3 long3 long3", "key1 key2",
        "0 True", " 0", " 1", "long4", "False",
    ]  # fmt: skip


async def test_a_ladder_that_goes_wrong_after_a_week_with_a_key_that_does_not_count_is_told(chips):
    lines = await chips(
        LADDER
        + """
import manners
async def watched():
    try:
        await read(keys)
    except Exception as error:
        print(type(error).__name__, error.code)
async def main():
    asyncio.create_task(watched())
    model.press(5)
    await asyncio.sleep_ms(100)
    model.press(6)
    await asyncio.sleep_ms(100)
    model.release(5)
    for _ in range(7):
        manners.ticks_from += 86_400_000
        await asyncio.sleep_ms(1000)
    print(told())
    model.fault = "stuck"
    await asyncio.sleep(20)
"""
    )
    assert lines == ["", "PartError stuck"]
