"""Each board soldered from its page alone: the rows of «Hilo por hilo» and the DIP switches, by
what the pins of a part are for and where the board's own headers lead. A wire that goes elsewhere
is told or does nothing.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from diadema.stations.boards.table import Board, board_names, load_board
from diadema_sim import sound
from diadema_sim.build import SimBoard

from tests.support.waveforms import hiss, silence, tone

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"
BOUGHT = [
    (name, number)
    for name in board_names()
    for number in range(len(load_board(name).variants) or 1)
]
# what a part's pin is for: the keyword of its bus, or the number of its driver's wire
PINS: dict[str, dict[str, str | int]] = {
    "ssd1309": {"DIN": "sda", "CLK": "scl"},
    "pn532": {"SDA": "sda", "SCL": "scl", "IRQ": 0},
    "mfrc522": {"SDA (NSS)": 0, "SCK": "sck", "MOSI": "mosi", "MISO": "miso"},
    "lights_neopixel": {"DIN": 0},
    "headset": {"contact": 0, "tip switch": 0},
    "wm8960": {"SDA": "sda", "SCL": "scl"},
    "i2s_audio": {"BCLK": 0, "DLRC": 1, "ADAT": 2, "DDAT": 3},
    "keys": {f"KEY{number}": number - 1 for number in range(1, 7)},
}
PARTS = {"screen": ("A2",), "badge_reader": ("A3",), "lights": ("A4",), "codec": ("A5",),
         "audio": ("A5",), "headset": ("S7", "X1-S"), "keys": ("S1-S6", "S4-S6")}  # fmt: skip
# without these it is dead, or answers elsewhere
NEEDS = {
    "ssd1309": {"VCC": "3V3", "GND": "GND", "DC": "GND", "RES": "3V3"},
    "pn532": {"3.3V": "3V3", "GND": "GND"},
    "mfrc522": {"3.3V": "3V3", "GND": "GND", "RST": "3V3"},
    "lights_neopixel": {"VDC": "5V", "GND": "GND"},
    "wm8960": {"VIN": "5V", "3V3": "3V3", "GND": "GND"},
    "headset": {"common": "GND"},
    "keys": {"common": "GND"},
}
OPEN = -1


def soldered(board: Board, number: int, page: str) -> dict[str, dict[str, int]]:
    """role → {wire: GPIO}, as the simulated board takes it."""
    wires = page.split("## Hilo por hilo")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\S+) (.+?) \| (\S+) (.+?) \| .*? \| \S+ \|$", wires, re.MULTILINE)
    on = re.findall(r"^\| \d \| GPIO (.+?) – (\w+) \| ON \|", page, re.MULTILINE)
    joined = {(int(gpio), to) for gpios, to in on for gpio in gpios.split(", ")}
    ends: dict[tuple[str, str], list[int | str]] = {}
    for begin, label, part, pin in rows:
        if part == "S4-S6" and not number:
            continue
        header = board.wiring.headers.get(begin.partition("-")[0])
        if header:
            at = begin.partition("-")[2]
            lead = header.pins[int(at) - 1] if at else next(
                one for one in header.pins if header.label(one).partition(",")[0] == label
            )  # fmt: skip
            ends.setdefault((part, pin), []).append(lead)
    built: dict[str, dict[str, int]] = {}
    for role, (driver, _, bus, names, _) in board.parts.items():
        at_part = {pin: found for ref in PARTS.get(role, ()) for (part, pin), found in ends.items()
                   if part == ref}  # fmt: skip
        if not at_part:
            continue  # it is on the board
        for pin, use in PINS[driver].items():
            found = next((one for name, one in at_part.items() if name.startswith(pin)), None)
            if found is None:
                continue  # on the board, or none of this kind
            gpio = next((one for one in found if isinstance(one, int)), OPEN)
            wire = names[use] if isinstance(use, int) else board.buses[bus or ""][2][use]
            led = OPEN if dead(driver, at_part) else switched(board, joined, gpio)
            built.setdefault(role, {})[wire] = led
    return built


def dead(driver: str, at_part: dict[str, list[int | str]]) -> bool:
    """Whether a supply that it needs is not soldered."""
    needs = NEEDS.get(driver, {})
    if "tip switch" in at_part:  # a socket's own contact, to what is plugged
        needs = {}
    return any(supply not in map(kind, at_part.get(pin, ())) for pin, supply in needs.items())


def kind(lead: int | str) -> str:
    return "GND" if str(lead).startswith("GND") else "3V3" if lead == "VCC" else str(lead)


def switched(board: Board, joined: set[tuple[int, str]], gpio: int) -> int:
    """Over a DIP switch it comes to the header only where that is ON."""
    over = [one for one in board.wiring.switches
            if gpio in one.gpios and one.to in board.wiring.headers]  # fmt: skip
    led = [one for one in over if gpio in board.wiring.headers[one.to].pins]
    return OPEN if led and not any((gpio, one.to) in joined for one in led) else gpio


def bought(folder: Path, name: str, number: int, *changes: tuple[str, str]):
    """The board as somebody built it by the page, with these mistakes or none."""
    page = (HARDWARE / f"{name}.md").read_text()
    for change in changes:
        assert change[0] in page
        page = page.replace(*change)
    made = folder / "boards" / name
    shutil.copytree(SimBoard(name).folder, made)
    built = soldered(load_board(name), number, page)
    (made / "as_built.json").write_text(json.dumps(built))
    return SimBoard(name, number, boards=folder / "boards"), built


@pytest.mark.parametrize(("name", "number"), BOUGHT)
async def test_what_was_soldered_by_the_page_works(desk, tmp_path, name, number):
    board, built = bought(tmp_path, name, number)
    assert {"screen", "badge_reader", "lights", "headset"} <= built.keys()
    layout = [*load_board(name).layouts()][number]
    assert all(layout.pins[wire] == gpio for wires in built.values()
               for wire, gpio in wires.items())  # fmt: skip
    async with desk(board) as bench:
        await bench.ready()
        assert any((await bench.station.lights()).values())
        await bench.ring("p1")
        await bench.answer("p1")
        await bench.station.unplug()
        await bench.event("headset.unplugged")
        await bench.station.plug()
        await bench.event("headset.plugged")
        assert any(await bench.station.screen())
        assert "station.fault" not in bench.kinds()


WRONG = [
    ("aithinker_audiokit", ("| 5 | GPIO 15 – JTAG | ON |", "| 5 | GPIO 15 – JTAG | OFF |"),
     {"screen", "badge_reader"}),
    ("aithinker_audiokit", ("| JTAG MTDO IO15 | A2 DIN |", "| JTAG MTCK IO13 | A2 DIN |"),
     {"screen"}),
    ("lyrat_v4_3", ("| JP7-4 MTMS IO14 | A3 IRQ |", "| JP7-3 MTDI IO12 | A3 IRQ |"),
     {"badge_reader"}),
    ("lyrat_v4_3", ("| JP5-3 GND | A2 DC |", "| JP2-1 3V3 | A2 DC |"), {"screen"}),
    ("devkitc_wm8960", ("| J3-9 IO18 | A3 SCK |", "| J3-8 IO19 | A3 SCK |"), {"badge_reader"}),
    ("devkitc_wm8960", ("| J3-2 IO23 | A3 MOSI |", "| J3-9 IO18 | A3 MOSI |"), {"badge_reader"}),
    ("devkitc_wm8960", ("| J3-8 IO19 | A3 MISO |", "| J3-2 IO23 | A3 MISO |"), {"badge_reader"}),
    ("devkitc_wm8960", ("| J2-1 3V3 | A3 RST |", "| J3-7 GND | A3 RST |"), {"badge_reader"}),
    ("devkitc_wm8960", ("| J3-6 IO21 | A5 SDA |", "| J3-3 IO22 | A5 SDA |"), {"codec"}),
    ("s3_korvo2", ("| J18-2 CLK IO18 | A2 CLK |", "| J18-3 SDA IO17 | A2 CLK |"), {"screen"}),
]  # fmt: skip


EXCHANGED = [
    ("devkitc_wm8960", {"A2 DIN", "A5 SDA"}, "J3-6 IO21", "J3-3 IO22", {"A2 CLK", "A5 SCL"},
     {"screen", "codec"}),
    ("s3_korvo2", {"A3 IRQ"}, "SD DAT0 IO4", "SD CMD IO7", {"S7 contact"}, {"badge_reader"}),
    ("s3_korvo2", {"A2 DIN", "A3 SDA"}, "J18-3 SDA IO17", "J18-2 CLK IO18", {"A2 CLK", "A3 SCL"},
     {"screen", "badge_reader"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "ones", "begin", "other", "others", "dead"), EXCHANGED)
async def test_two_exchanged_wires_are_told_as_the_page_says(
    desk, tmp_path, name, ones, begin, other, others, dead
):
    changes = [(f"| {begin} | {end} |", f"| {other} | {end} |") for end in ones]
    changes += [(f"| {other} | {end} |", f"| {begin} | {end} |") for end in others]
    board, _ = bought(tmp_path, name, 0, *changes)
    async with desk(board) as bench:
        for part in dead:
            await bench.event("station.fault", part=part)
        events = [one.event for one in bench.world.witness.events(bench.station.id)]
        assert {one["part"] for one in events if one["k"] == "station.fault"} == dead


@pytest.mark.parametrize(("name", "change", "dead"), WRONG)
async def test_a_wrong_wire_is_told_as_the_part_at_its_end(desk, tmp_path, name, change, dead):
    board, _ = bought(tmp_path, name, 0, change)
    async with desk(board) as bench:
        for part in dead:
            await bench.event("station.fault", part=part)
        events = bench.world.witness.events(bench.station.id)
        assert {
            seen.event["part"] for seen in events if seen.event["k"] == "station.fault"
        } == dead


SWITCHES = [
    (name, switch.number)
    for name in board_names()
    for switch in load_board(name).wiring.switches
    if switch.to in load_board(name).wiring.headers and switch.position == "ON"
]


@pytest.mark.parametrize(("name", "number"), SWITCHES)
async def test_a_dip_switch_in_the_wrong_position_is_seen_as_the_page_says(
    desk, tmp_path, name, number
):
    page = (HARDWARE / f"{name}.md").read_text()
    row, seen = re.search(
        rf"^(\| {number} \| GPIO .+? \| )ON \| \w+ \| (.+) \|$", page, re.M
    ).groups()
    board, _ = bought(tmp_path, name, 0, (f"{row}ON |", f"{row}OFF |"))
    faults = set(re.findall(r"falla `(\w+)`", seen))
    assert faults or "sin falla" in seen
    async with desk(board) as bench:
        for part in faults:
            await bench.event("station.fault", part=part)
        await bench.station.unplug()
        await bench.world.sleep(3000)
        events = [one.event for one in bench.world.witness.events(bench.station.id)]
        assert {one["part"] for one in events if one["k"] == "station.fault"} == faults
        pulled = any(one["k"] == "headset.unplugged" for one in events)
        assert pulled != ("pulling the headset is never told" in seen)
        if "lights dark" in seen:
            await bench.station.plug()
            await bench.ready()
            assert not any((await bench.station.lights()).values())


SOUND = [  # changes, whether tones are heard, whether the agent is
    ((), True, True),
    ((("| J2-9 IO25 | A5 DLRC |", "| J2-6 IO35 | A5 DLRC |"),), False, False),
    ((("| J2-10 IO26 | A5 DDAT |", "| J2-11 IO27 | A5 DDAT |"),), False, True),
    ((("| J2-6 IO35 | A5 ADAT |", "| J2-5 IO34 | A5 ADAT |"),), True, False),
    ((("| J2-11 IO27 | A5 BCLK |", "| J2-12 IO14 | A5 BCLK |"),), False, False),
]


@pytest.mark.parametrize(("changes", "tones", "agent"), SOUND)
async def test_a_wrong_wire_of_sound_is_silence_and_no_fault(
    desk, tmp_path, changes, tones, agent
):
    board, _ = bought(tmp_path, "devkitc_wm8960", 0, *changes)
    voice = hiss(silence(1) + tone(500, 2, 0.03))
    async with desk(board) as bench:
        await bench.ready()
        async with sound.listen(bench.station) as heard:
            await bench.ring("p1")
            await bench.world.sleep(1500)
        assert bool(max(heard.headset, default=0) > 100) == tones
        await bench.answer("p1")
        spoken = sound.write(tmp_path / "agent.wav", voice)
        async with sound.listen(bench.station, microphone=spoken):
            await bench.world.sleep(3000)
        await bench.keys(1)
        told = await bench.event("voice.summary", c="p1")
        assert (told["agent_ms"] > 1000) == agent
        assert "station.fault" not in bench.kinds()


async def test_wires_of_keys_lights_and_contact_that_are_exchanged_show(desk, tmp_path):
    key = ("| J2-7 IO32 | S1-S6 KEY1 LLAMADA |", "| J2-8 IO33 | S1-S6 KEY1 LLAMADA |")
    board, _ = bought(tmp_path, "devkitc_wm8960", 0, key)
    async with desk(board) as bench:
        await bench.ready()
        await bench.ring("p1")
        await bench.keys(1)
        await bench.world.sleep(1000)
        assert "contact.answered" not in bench.kinds()
    contact = ("| JP7-3 MTDI IO12 | S7 contact |", "| JP7-2 MTCK IO13 | S7 contact |")
    board, _ = bought(tmp_path / "2", "lyrat_v4_3", 0, contact)
    async with desk(board) as bench:
        await bench.station.unplug()
        await bench.world.sleep(3000)
        assert "headset.unplugged" not in bench.kinds()
