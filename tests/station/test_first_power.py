"""The first-power tables of the boards' pages, against the simulation of each board: what it says,
shows and answers before any host has spoken to it.
"""

import re
import shutil
from pathlib import Path

import pytest
from diadema.stations.boards.table import board_names, load_board
from diadema_sim.build import SIM, SimBoard
from diadema_sim.world import World

HARDWARE = Path(__file__).resolve().parents[2] / "hardware"
FIRMWARE = HARDWARE.parent / "firmware"
STATION = "DIA-0200000000a1"
NOW = 1_770_037_200_000  # UTC ms
BOUGHT = [
    (name, number)
    for name in board_names()
    for number in range(len(load_board(name).variants) or 1)
]
SCAN = re.compile(
    r"^`(from machine import I2C, Pin; "
    r"(I2C\((\d), scl=Pin\((\d+)\), sda=Pin\((\d+)\)\)\.scan\(\)))`"
)


def first_power(name: str) -> dict[str, str]:
    """step, in English where it is said in both languages → expected, of a board's page."""
    text = (HARDWARE / f"{name}.md").read_text().split("## Primer encendido")[1].split("## Qué")[0]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE)
    return {re.sub(r".* · \*(.+)\*$", r"\1", step): expected for step, expected in rows[1:]}


def words(key: str) -> str:
    text = "".join(path.read_text() for path in (FIRMWARE / "lib").glob("words_es*.py"))
    found = re.search(rf"^{key} = (.+)$", text, re.MULTILINE)
    assert found
    return found[1]


async def fresh(tmp_path, image, board):
    """(console, screen, lights, events, screen after a card) of a station without a host."""
    world = World(tmp_path / board.name, start_utc_ms=NOW, mode="fast", image=image)
    async with world:
        station = await world.add_station(STATION, board=board)
        with world.actor():
            await station.power_on()
            await world.sleep(3000)
            shown, lights = await station.screen(), await station.lights()
            await station.tap("04DEADBEEF0102", ms=600)
            tapped = await station.screen()
        assert not station.crash
        console = b"".join(station.console).decode()
        events = [seen.event for seen in world.witness.events(STATION)]
        return console, shown, lights, events, tapped


@pytest.mark.parametrize(("name", "number"), BOUGHT)
async def test_it_says_and_shows_what_the_page_expects(tmp_path, image, name, number):
    table = first_power(name)
    _, plain, _, _, plain_tapped = await fresh(tmp_path, image, SIM)
    console, shown, lights, events, tapped = await fresh(tmp_path, image, SimBoard(name, number))
    lines = [
        line.replace("DIA-…", STATION) for line in re.findall(r"`(.+?)`", table["console at boot"])
    ]
    for line in lines:
        assert line.replace("variant 0", f"variant {number}") in console
    assert shown == plain and any(shown) and not any(lights.values())
    assert tapped == plain_tapped != shown
    for key in ("logged_out", "no_config"):
        assert f"`{words(key)}`" in table["screen"]
    assert f"`{words('no_roster')}`" in table["any card at the reader"]
    told = [(event["k"], event.get("reason")) for event in events]
    assert told == [("station.booted", None), ("session.denied", "no_roster")]


@pytest.mark.parametrize(("name", "number"), BOUGHT)
async def test_its_buses_answer_as_the_page_expects(program, name, number):
    """The page's own commands, typed; with another module than theirs nothing answers."""
    board = load_board(name)
    pins = [*board.layouts()][number].pins
    led = {
        (bus, pins[wires["scl"]], pins[wires["sda"]])
        for kind, bus, wires, _ in board.buses.values()
        if kind == "I2C"
    }
    typed, expected, asked = "", [], set()
    for step, reading in first_power(name).items():
        assert not re.search(r"I2C\(\d\)", step)  # a stock image's own pins are others
        if scan := SCAN.match(step):
            command, call, *at = scan.groups()
            asked.add(where := tuple(map(int, at)))
            typed += command.replace(call, f"print({call})") + "\n"
            answer = re.search(r"`(\[\d.*?\])`", reading)[1] if where in led else "[]"
            assert f"`{answer}`" in reading
            expected.append(answer)
    assert led <= asked
    station = await program(typed, SimBoard(name, number))
    with station._world.actor():
        await station._world.sleep(1000)
    assert not station.crash, station.crash
    assert b"".join(station.console).decode().splitlines() == expected


@pytest.mark.parametrize(("name", "number"), BOUGHT)
async def test_keys_and_lights_one_by_one(tmp_path, image, program, name, number):
    """The page's own lines, pasted."""
    (pasted,) = re.findall(r"```python\n(.+?)```", (HARDWARE / "README.md").read_text(), re.DOTALL)
    shutil.copytree(image, tmp_path / "program", dirs_exist_ok=True)
    station = await program(pasted.replace("[0]", f"[{number}]"), SimBoard(name, number))
    world = station._world
    with world.actor():
        await world.sleep(1000)
        assert all((await station.lights()).values())
        for key in range(1, 7):
            await station.press(key)
            await world.sleep(300)
    assert not station.crash, station.crash
    assert b"".join(station.console).decode().split() == [f"key{key}" for key in range(1, 7)]
