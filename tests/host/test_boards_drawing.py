"""The drawings of the boards' wiring: each says what the table says, and is a picture."""

import html
import re
import shutil

import pytest
from diadema.cli import main
from diadema.stations.boards.nets import drawings
from diadema.stations.boards.table import board_names, load_board
from PIL import Image
from wireviz import wireviz

from tests.support.broken_boards import AUDIOKIT, DEVKIT, LYRAT


@pytest.mark.parametrize("name", board_names())
def test_every_wire_that_is_not_soldered_yet_is_drawn_from_its_gpio(name):
    board = load_board(name)
    layouts = list(board.layouts())
    drawn = list(drawings(board))
    assert len(drawn) == len(layouts)
    for layout, (_, drawing) in zip(layouts, drawn, strict=True):
        begins = {}
        for begin, cable, _ in drawing["connections"]:
            (connector, (pin,)), (bundle, (number,)) = *begin.items(), *cable.items()
            header = drawing["connectors"][connector]
            label = header["pinlabels"][pin - 1] if "pinlabels" in header else pin
            wire = drawing["cables"][bundle]["wirelabels"][number - 1].split(",")[0]
            begins.setdefault(wire, set()).add(label)
        for wire, described in layout.wires.items():
            if not described.at:
                (label,) = begins[wire]
                assert re.search(r"IO(\d+)$", label)[1] == str(layout.pins[wire])


@pytest.mark.parametrize("name", board_names())
def test_wireviz_takes_each_drawing(name):
    for _, drawing in drawings(load_board(name)):
        drawn = wireviz.parse(drawing, return_types=("harness",)).graph.source
        assert all(ref in drawn for ref in drawing["connectors"])


def test_a_part_can_feed_another():
    (_, drawing) = next(drawings(load_board(DEVKIT)))
    assert [{"A5": ["HPL"]}, {"W-A9": [1]}, {"A9": ["in"]}] in drawing["connections"]
    assert [{"A9": ["in"]}, {"W-X1": [1]}, {"X1": ["tip"]}] in drawing["connections"]
    assert drawing["cables"]["W-A9"]["wirelabels"][0] == "HPL, C2 220 µF, plus at HPL, R5 33 Ω"


@pytest.mark.parametrize("name", board_names())
def test_what_is_soldered_within_a_part_stands_in_it_and_is_no_wire(name):
    (_, drawing) = next(drawings(load_board(name)))
    for (begin,), _, (end,) in drawing["connections"]:
        assert begin != end
    assert not {"D2", "D3"} & set(str(drawing["cables"]).replace(",", " ").split())
    notes = drawing["connectors"]["A9"]["notes"]
    assert "in to common: D2 1N5817, band at common" in notes
    assert "in to common: D3 1N5817, band at in" in notes


def test_only_the_variant_that_needs_it_gets_the_extra_keys():
    first, second = (drawing for _, drawing in drawings(load_board(AUDIOKIT)))
    assert "S4-S6" not in first["connectors"]
    assert second["connectors"]["S4-S6"]["pins"] == ["KEY4", "KEY5", "KEY6", "common"]


def test_make_hardware_draws_pictures(monkeypatch, tmp_path, capsys):
    if shutil.which("dot") is None:
        pytest.skip("Graphviz's dot is not installed")
    monkeypatch.setattr("sys.argv", ["diadema", "board", "draw", LYRAT, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert not end.value.code
    assert capsys.readouterr().out.split() == [
        str(tmp_path / f"{LYRAT}.{ending}")
        for ending in ("nets.csv", "yml", "svg", "png", "bom.tsv")
    ]
    svg = html.unescape((tmp_path / f"{LYRAT}.svg").read_text())
    for shown in ("Espressif ESP32-LyraT V4.3", "MTDO IO15", "R1 10 kΩ"):
        assert shown in svg
    with Image.open(tmp_path / f"{LYRAT}.png") as picture:
        assert min(picture.size) > 800
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 8  # wires in their colours


def test_without_graphviz_it_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["diadema", "board", "draw", LYRAT, "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 2
    assert "apt install graphviz" in capsys.readouterr().err
