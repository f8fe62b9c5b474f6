"""What the whole station does when a part fails: the table of drivers and of what goes wrong on
the way to their chips. Each is one `station.fault`, tried again until it is back, and calls go on.
What each driver does by itself, and faults that are no more than a bad read, is in its own test.
"""

import json

import pytest
from diadema.site.description import parse
from diadema_sim import people

from tests.support.other_board import BADGES, READERS, other_board

LEVELS = (2150, 1800, 1450, 1100, 750, 400)
KEYS = ("keys", "Keys", None, ("a", "b", "push", "red", "amber", "white"), {})
TOUCH = ("keys_touch", "TouchKeys", None, ("a", "b", "push", "amber", "white", "d0"), {})
LADDER = ("keys_ladder", "LadderKeys", None, ("d0",), {"millivolts": LEVELS})
SCREEN = ("ssd1306", "SSD1306", "i2c", (), {})
BUS = {"nack": "no_answer", "stuck": "no_answer", "stretch": "no_answer"}
FRAMES = {"bit": "bad_frame", "torn": "bad_frame"}
UART = {"nack": "silent", "busy": "silent", **FRAMES}
OF_READERS = {  # any other fails by FRAMES alone
    "pn532": {"nack": "no_answer", "stuck": "no_answer", "busy": "silent", **FRAMES},
    "pn532_spi": UART | {"nack": "no_answer"},
    "pn532_hsu": UART,
    "mfrc522": {"nack": "no_answer", "busy": "silent"},
    "wiegand": {},  # a bad read of its is never a fault
}

# driver → its role, the board's entry, {what goes wrong: code of the fault}
TABLE = {
    "es8388": ("codec", ("es8388", "ES8388", "i2c", (), {}), BUS),
    "wm8960": ("codec", ("wm8960", "WM8960", "i2c", (), {}), BUS),
    "es8311": ("codec", ("es8311", "ES8311", "i2c", (), {}), BUS),
    "ssd1306": ("screen", SCREEN, BUS),
    "ssd1309": ("screen", ("ssd1309", "SSD1309", "i2c", (), {}), BUS),
    "sh1106": ("screen", ("sh1106", "SH1106", "i2c", (), {}), BUS),
    "keys_touch": ("keys", TOUCH, {"gone": "no_answer"}),
    "keys_ladder": ("keys", LADDER, {"stuck": "stuck"}),
}
for _driver, _reader in READERS.items():
    if _faults := OF_READERS.get(_driver, FRAMES):
        TABLE[_driver] = "badge_reader", _reader.row, _faults
EM4100 = BADGES["em4100"]
TRIED_AGAIN_MS = 65_000  # however often it failed before
STATION = "DIA-0200000000a1"


@pytest.fixture
def site():
    """As ever; the first agent has a badge of the other kind as well."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    content["agents"][0]["badges"].append(f"em4100:{EM4100}")
    return parse(json.dumps(content).encode())


@pytest.fixture
def board(tmp_path):
    """`board(role, entry)`: one with this part, keys and a screen."""

    def make(role, entry):
        parts = {"keys": KEYS, "screen": SCREEN, "badge_reader": READERS["pn532"].row}
        return other_board(tmp_path, parts | {role: entry})

    return make


async def use(bench, driver, role):
    """What makes the station need the part."""
    if role == "badge_reader":
        await bench.station.tap(bench.badges[1], ms=3000)
    elif role == "codec":
        await bench.station.press(4, ms=900)  # volume
    else:
        await bench.world.sleep(61_000)  # the clock on the screen; keys are looked at anyway


async def call(bench, name, role):
    """One comes in, is answered and ended; nobody answers it while the keys are dead."""
    since = bench.since()
    await bench.ring(name)
    if role == "keys":
        await bench.event("contact.missed", since, c=name, cause="technical")
        return
    await bench.keys(1)
    await bench.event("contact.answered", since, c=name)
    await bench.world.sleep(2000)
    await bench.keys(1)
    await bench.event("wrapup.started", since, c=name)
    await bench.typify(name)


@pytest.mark.parametrize("driver", TABLE)
async def test_a_part_that_fails_is_one_fault_tried_again_and_the_rest_goes_on(
    desk, board, driver
):
    role, entry, faults = TABLE[driver]
    async with desk(board(role, entry)) as bench:
        since = bench.since()
        bench.badges[1] = BADGES["iso14443a"]  # of nobody who would relieve the agent
        if role == "badge_reader" and READERS[driver].kind == "em4100":
            bench.badges[:2] = EM4100, "0504030201"
        await bench.ready()
        for kind, code in faults.items():
            since = bench.since()
            await bench.station.ask({"do": "fault", "part": role, "kind": kind})
            await use(bench, driver, role)
            assert (await bench.event("station.fault", since, part=role))["code"] == code
            await call(bench, f"C-{kind}", role)
            await bench.world.sleep(TRIED_AGAIN_MS)
            told = [seen.event for seen in bench.world.witness.events(bench.station.id)[since:]]
            mine = [event for event in told if event.get("part") == role]
            assert [event["k"] for event in mine] == ["station.fault"], kind
            await bench.station.ask({"do": "fault", "part": role, "kind": None})
            await use(bench, driver, role)
            await bench.event("station.fault_cleared", since, part=role)
            await bench.world.sleep(1000)  # its set-up may stand still: no key is timed in it
            if role == "keys":  # nobody is blamed: she is ready as before
                assert "presence.changed" not in bench.kinds(since)
