"""The pages that people solder and buy by say what the boards' data says."""

import csv
import re
import runpy
from pathlib import Path

import pytest
from diadema.boards.builds import build_for
from diadema.boards.rules_parts import tone_db_spl
from diadema.boards.table import board_names, load_board

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
    for other in board.wiring.others:
        answers[other.bus].add(other.address)
    page = (HARDWARE / f"{name}.md").read_text()
    scans = re.findall(r"`I2C\((\d)\).scan\(\)` \| `\[([\d, ]+)\]`", page)
    expected = {
        bus[1]: sorted(answers[bus_name])
        for bus_name, bus in board.buses.items()
        if bus[0] == "I2C"
    }
    assert {int(bus): [int(n) for n in found.split(",")] for bus, found in scans} == expected
    assert f"on {board.name}, DIA-" in page


@pytest.mark.parametrize("name", board_names())
def test_a_board_s_page_names_the_micropython_that_drives_its_psram(name):
    about = load_board(name).wiring.board
    build = build_for(about.chip, about.psram)
    assert f"({build})`, or a newer one" in (HARDWARE / f"{name}.md").read_text()
    row = next(line for line in (HARDWARE / "README.md").read_text().splitlines()
               if line.startswith(f"| [{name}]"))  # fmt: skip
    assert f" {build} |" in row


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


def test_the_acoustic_page_has_each_board_s_loudest_tone():
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \| (-?\d+) \| (\d+) \|$",
        (HARDWARE / "acoustics.md").read_text(),
        re.MULTILINE,
    )
    expected = []
    for name in board_names():
        board = load_board(name)
        limit = board.parts["codec"][4]["limit_db"]
        level = round(tone_db_spl(board, limit))
        expected.append((name, f"{board.wiring.audio.full_scale_v_rms}", f"{limit}", f"{level}"))
    assert sorted(rows) == sorted(expected)
