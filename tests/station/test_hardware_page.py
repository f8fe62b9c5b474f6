"""The pages that people solder and buy by say what the boards' data says."""

import csv
import re
import runpy
from dataclasses import replace
from itertools import product
from pathlib import Path

import msgspec
import pytest
from diadema.cli.main import app
from diadema.stations.boards.drawing import (
    nets,
    rows,
    sockets,
)
from diadema.stations.boards.sound import (
    CALLER_DB_SPL,
    MOST_DB_SPL,
    Loudness,
    headsets,
    loudness,
)
from diadema.stations.boards.table import Board, board_names, build_for, load_board
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = ROOT / "hardware"


def pin_rows(text: str) -> list[tuple[str, int]]:
    """(wire, GPIO) of every row of a page's pin tables."""
    rows = re.findall(r"^\|[^|]*\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    return [(wire, int(gpio)) for wire, gpio in rows]


def test_the_simulated_board_s_table_equals_its_data():
    board = runpy.run_path(str(ROOT / "boards" / "sim" / "board.py"))
    assert dict(pin_rows((HARDWARE / "README.md").read_text())) == board["PINS"]


@pytest.mark.parametrize("name", board_names())
def test_a_board_s_page_has_its_wires_and_those_of_each_variant(name):
    board = load_board(name)
    expected = list(board.pins.items())
    for pins in board.variants:
        expected += [wire for wire in pins.items() if wire not in board.pins.items()]
    assert sorted(pin_rows((HARDWARE / f"{name}.md").read_text())) == sorted(expected)


@pytest.mark.parametrize("name", board_names())
def test_what_answers_on_its_buses_is_what_the_page_expects(name):
    board = load_board(name)
    answers = {}
    for _, _, bus, _, options in board.parts.values():
        found = [value for option, value in options.items() if option.endswith("address")]
        answers.setdefault(bus, set()).update(found)
    page = (HARDWARE / f"{name}.md").read_text()
    scans = re.findall(
        r"I2C\((\d), scl=Pin\((\d+)\), sda=Pin\((\d+)\)\)\.scan\(\)` \| (.+?) \(0x", page
    )
    told = {tuple(map(int, at)): re.findall(r"`(\[\d[\d, ]*\])`", found) for *at, found in scans}
    expected = {}
    for layout in board.layouts():
        for bus_name, (kind, number, wires, _) in board.buses.items():
            others = [at for _, on, at in board.others.values() if on == bus_name]
            if kind == "I2C":  # each batch of the board answers otherwise
                at = number, layout.pins[wires["scl"]], layout.pins[wires["sda"]]
                expected[at] = [str(sorted(answers[bus_name].union(one)))
                                for one in product(*others)]  # fmt: skip
    assert told == expected
    assert f"on {board.name}, DIA-" in page


@pytest.mark.parametrize("name", board_names())
def test_what_a_page_tells_to_type_can_be_typed_in_its_order(name):
    page = (HARDWARE / f"{name}.md").read_text().split("## Primer encendido")[1]
    commands = re.findall(r"`(diadema [^`]+)`", page)
    about = load_board(name).wiring.board
    file = f"{build_for(about.chip, about.psram)}.bin"
    assert commands == [
        f"diadema image build --board {name} --micropython {file} -o station.bin",
        "diadema flash --image station.bin --port /dev/ttyUSB0",
        "diadema provision --port /dev/ttyUSB0 --seat A-01",
        "diadema selftest run A-01 --port /dev/ttyUSB0",
    ]
    for command in commands:
        done = CliRunner().invoke(app, [*command.split()[1:], "--help"])
        assert done.exit_code == 0, command
    steps = ["diode test", "3.2 – 3.4 V", "console at boot", ".scan()",
             "keys and lights", commands[-1]]  # fmt: skip
    assert [page.index(step) for step in steps] == sorted(page.index(step) for step in steps)
    assert page.index(commands[1]) < page.index("console at boot")


@pytest.mark.parametrize("name", board_names())
def test_a_board_s_page_names_the_micropython_that_drives_its_psram(name):
    about = load_board(name).wiring.board
    build = build_for(about.chip, about.psram)
    assert f"({build})`, o uno más nuevo" in (HARDWARE / f"{name}.md").read_text()
    row = next(line for line in (HARDWARE / "README.md").read_text().splitlines()
               if line.startswith(f"| [{name}]"))  # fmt: skip
    assert f" {build} |" in row


def places(board):
    """What the board's own headers and pads are, as far as a wire begins there."""
    begins = {net.begin.partition(" ")[0].partition("-")[0]
              for layout in board.layouts() for net in nets(board, layout)}  # fmt: skip
    titles = [f"`{name}`: {header.title}" for name, header in board.wiring.headers.items()
              if name in begins]  # fmt: skip
    return "; ".join(titles) + "."


@pytest.mark.parametrize("name", board_names())
def test_a_board_s_page_has_every_wire_and_no_other(name):
    board = load_board(name)
    page = (HARDWARE / f"{name}.md").read_text().split("## Hilo por hilo")[1].split("\n## ")[0]
    assert " ".join(places(board).split()) in " ".join(page.split())
    tables = [
        re.findall(r"^\| .+ \|$", part, re.MULTILINE) for part in page.split("| de · from |")[1:]
    ]
    plain, *others = [rows(board, layout) for layout in board.layouts()]
    own = [[row for row in other if row not in plain] for other in others]
    assert tables == [plain, *own]


@pytest.mark.parametrize("name", board_names())
def test_a_board_s_page_draws_its_sockets_and_sets_its_switches(name):
    board = load_board(name)
    page = (HARDWARE / f"{name}.md").read_text()
    assert f"```\n{sockets(board)}```" in page
    told = re.findall(r"^\| (\d) \| (.+) \| (ON|OFF) \| (ON|OFF) \| .+ \|$", page, re.MULTILINE)
    assert told == [
        (str(one.number), f"GPIO {', '.join(map(str, one.gpios))} – {one.to}",
         one.position, one.delivered)
        for one in board.wiring.switches
    ]  # fmt: skip


@pytest.mark.parametrize("name", board_names())
def test_what_can_be_soldered_the_wrong_way_round_says_which_way(name):
    for layout in (board := load_board(name)).layouts():
        for net in nets(board, layout):
            assert ("band at" in net.through) == bool(re.search(r"\bD\d", net.through)), net
            assert ("plus at" in net.through) == ("220 µF" in net.through), net


def ohms(wires: list[tuple[str, str, float]], begin: str, end: str) -> float:
    """Between two points of a network: Kirchhoff, with 1 A from one to the other."""
    points = sorted({point for one, other, _ in wires for point in (one, other)} - {end})
    matrix = [[0.0] * (len(points) + 1) for _ in points]
    for one, other, value in wires:
        for here, there in ((one, other), (other, one)):
            if here != end:
                row = matrix[points.index(here)]
                row[points.index(here)] += 1 / value
                if there != end:
                    row[points.index(there)] -= 1 / value
    matrix[points.index(begin)][-1] = 1
    for at, row in enumerate(matrix):
        row[:] = [value / (row[at] + 1e-12) for value in row]
        for other in matrix:
            if other is not row:
                other[:] = [x - other[at] * y for x, y in zip(other, row, strict=True)]
    return matrix[points.index(begin)][-1]


@pytest.mark.parametrize("name", board_names())
def test_the_resistances_of_a_board_s_first_power_are_those_of_its_wires(name):
    wires = []
    for net in nets(board := load_board(name), next(board.layouts())):
        found = re.findall(r"\bR\d+ ([\d.]+) (k?)Ω", net.through)
        if found or not net.through:  # what has a capacitor or a diode in it is open
            value = sum(float(one) * (1000 if kilo else 1) for one, kilo in found) or 1e-3
            if not re.search(r"\b[CD]\d", net.through):
                wires.append((net.begin, f"{net.part} {net.pin}", value))
    page = (HARDWARE / f"{name}.md").read_text().split("## Primer encendido")[1]
    told = re.findall(r"^\| (\w\d \w+) ↔ (\w\d \w+), .+ \| (\d+) Ω \|$", page, re.MULTILINE)
    assert len(told) >= 2
    assert [int(one[2]) for one in told] == [
        round(ohms(wires, begin, end)) for begin, end, _ in told
    ]


@pytest.mark.parametrize("name", board_names())
def test_everything_that_is_drawn_is_on_the_bill(name):
    board = load_board(name)
    with (HARDWARE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bill = {row["ref"] for row in rows}
    assert len(bill) == len(rows)
    assert all(row["quantity"].isdigit() and row["manufacturer"] and row["number"] for row in rows)
    drawn = {"A1"}
    for part in board.wiring.parts.values():
        first, _, last = part.ref.partition("-")
        if last[1:].isdigit():
            drawn |= {f"{first[0]}{n}" for n in range(int(first[1:]), int(last[1:]) + 1)}
        else:
            drawn.add(first)
        texts = [part.note, *(end.through for end in part.wires)]
        drawn.update(re.findall(r"\b[RCD]\d+\b", " ".join(texts)))
    assert drawn <= bill, drawn - bill
    page = (HARDWARE / f"{name}.md").read_text()
    assert set(re.findall(r"\bR\d+\b", page)) == {ref for ref in bill if ref[0] == "R"}


def heard(board: Board, headset: str) -> dict[str, Loudness]:
    """{socket: how loud} with that headset, and the resistor that its row asks for, in X1."""
    pad = headsets()[headset].pad_ohms
    audio = msgspec.structs.replace(board.wiring.audio, headset=headset)
    sockets = [
        msgspec.structs.replace(socket, pad_ohms=pad) if socket.ref == "X1" else socket
        for socket in board.wiring.sockets
    ]
    wiring = msgspec.structs.replace(board.wiring, audio=audio, sockets=sockets)
    return {level.socket: level for level in loudness(replace(board, wiring=wiring))}


def test_the_acoustic_page_has_how_loud_each_board_is():
    page = (HARDWARE / "acoustics.md").read_text()
    for name in board_names():
        board = load_board(name)
        level = {told.socket: told for told in loudness(board)}["X1"]
        limit = board.parts["codec"][4]["limit_db"]
        row = f"`{name}` | {limit} | {level.loudest:.0f} | {level.unclipped:.0f}"
        assert f"| {row} | {level.caller:.0f} |" in page
    past_the_lead = loudness(load_board("lyrat_v4_3"))
    (phones,) = (level for level in past_the_lead if level.socket == "PHONES")
    assert f"hasta {phones.loudest:.0f} dB SPL: cierre la caja" in page


@pytest.mark.parametrize("headset", headsets())
def test_each_headset_of_the_table_is_safe_and_loud_enough_on_each_board(headset):
    levels = [heard(load_board(name), headset)["X1"] for name in board_names()]
    assert all(level.loudest <= MOST_DB_SPL for level in levels)
    assert all(level.caller >= CALLER_DB_SPL for level in levels)
    most = max(level.loudest for level in levels)
    least, loud = (pick(f"{level.caller:.0f}" for level in levels) for pick in (min, max))
    callers = loud if least == loud else f"{least} – {loud}"
    row = f"| `{headset}` | {headsets()[headset].pad_ohms:.0f} Ω | {most:.0f} | {callers} |"
    assert row in (HARDWARE / "acoustics.md").read_text()
