"""`diadema board check`: each rule is seen failing on a broken table, and none on ours.

They are broken in a copy of the files.
"""

import contextlib
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from diadema.base.errors import DiademaError
from diadema.cli import main
from diadema.stations.boards.check import (
    RULES,
    WARNINGS,
    check_board,
    reason,
    warn_of,
)
from diadema.stations.boards.table import (
    BOARDS,
    BoardError,
    board_names,
    load_board,
)

from tests.support.broken_boards import (
    AUDIOKIT,
    BROKEN,
    DEVKIT,
    FLASH,
    KORVO,
    LYRAT,
    TABLE,
    WIRING,
)


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of `boards/` beside the drivers, to break."""
    shutil.copytree(BOARDS, tmp_path / "boards", ignore=shutil.ignore_patterns("sim"))
    (tmp_path / "firmware").symlink_to(BOARDS.parent / "firmware")
    return tmp_path / "boards"


def break_file(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} has changed: {old}"
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", board_names())
def test_every_rule_holds_on_our_boards(name):
    assert check_board(load_board(name)) == []


@pytest.mark.parametrize(("rule", "name", "file", "old", "new", "told"), BROKEN)
def test_a_rule_fails_on_a_broken_table(tree, rule, name, file, old, new, told):
    path = tree / file.format(name)
    before = {finding.problem for finding in check_board(load_board(name, tree))}
    break_file(path, old, new)
    problems = [
        finding.problem
        for finding in check_board(load_board(name, tree))
        if finding.rule == rule and finding.problem not in before
    ]
    assert any(told in problem for problem in problems), problems


def test_each_rule_is_seen_failing_and_says_why():
    assert {rule.__name__ for rule in RULES} == {case[0] for case in BROKEN}
    assert all(len(reason(rule)) > 30 for rule in RULES)
    assert all(len(why.say("es")) > 30 for why in WARNINGS.values())


def test_keys_and_headset_on_pins_that_dip_are_warned_of():
    warned = {
        name: [str(found.problem) for found in warn_of(load_board(name))] for name in board_names()
    }
    assert [text.partition(": on")[0] for text in warned[LYRAT]] == ["key1", "key2"]
    dips, (strap,) = warned[AUDIOKIT][:-1], warned[AUDIOKIT][-1:]
    assert len(dips) == 2 and all("key1" in text for text in dips)  # with each of its modules
    assert strap.startswith("GPIO 12 hangs on the contact of the LINEIN socket: measure it")
    assert warned[DEVKIT] == warned[KORVO] == []


def test_a_headset_on_a_pin_that_dips_is_warned_of_too(tree):
    break_file(tree / TABLE.format(LYRAT), '"headset_detect": 12', '"headset_detect": 39')
    break_file(tree / TABLE.format(LYRAT), '"key2": 39', '"key2": 12')
    told = [str(found.problem) for found in warn_of(load_board(LYRAT, tree))]
    assert [text.partition(": on")[0] for text in told] == ["key1", "headset_detect"]


def test_pins_that_dip_are_the_esp32_s_alone(tree):
    break_file(tree / TABLE.format(KORVO), '"headset_detect": 7', '"headset_detect": 39')
    assert not warn_of(load_board(KORVO, tree))


def test_a_warning_is_printed_and_is_no_error(run):
    code, printed, _ = run("check", LYRAT)
    assert code == 0
    assert "nothing wrong" in printed and "warning: key1: on GPIO 36" in printed
    code, printed, _ = run("check", LYRAT, "--json")
    assert code == 0
    assert [found["rule"] for found in json.loads(printed)["warnings"]] == ["levels_that_dip"] * 2


def test_a_board_that_is_right_is_told_of_in_spanish(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["diadema", "--lang", "es", "board", "check", "--all"])
    with contextlib.suppress(SystemExit):
        main.main()
    printed = capsys.readouterr().out
    assert "X1: a lo más 101 dB SPL en el tímpano (112 sin su limitador), un usuario" in printed
    assert "advertencia: key1: en el GPIO 36" in printed and "levels_that_dip: Los GPIO" in printed
    assert "advertencia: el GPIO 12 está unido a «contact of the LINEIN socket»" in printed
    assert "straps_near_plugs: Un conector" in printed
    assert not re.search(r"\b(ear drum|without|what|where|measure)\b", printed)


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (TABLE, '"leds": 15', '"leds": LEDS', "literals only"),
        (TABLE, "PARTS = {", "PARTS = {{", "board.py: "),
        (TABLE, "BUSES = {", "BUS = {", "has no BUSES"),
        (WIRING, 'direction = "touch"', 'direction = "felt"', "Invalid enum value 'felt'"),
        (WIRING, "[audio]", "[sound]", "wiring.toml"),
        (WIRING, '"esp32"', '"esp32p4"', "no chip esp32p4"),
        (WIRING, FLASH, "partitions-2mb.csv", "partitions-2mb.csv: No such file"),
        (FLASH, "0x310000, 0x70000", "0x310000, 448K", "line 10 of the partition table"),
    ],
)
def test_a_table_that_cannot_be_read_is_told(tree, file, old, new, told):
    break_file(tree / file.format(LYRAT), old, new)
    with pytest.raises(DiademaError) as caught:
        load_board(LYRAT, tree)
    assert told in str(caught.value)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `diadema board` with these arguments here; gives (exit code, output, errors)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["diadema", "board", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return end.code or 0, *capsys.readouterr()
        return 0, *capsys.readouterr()

    return call


def test_the_command_checks_all_boards(run):
    code, printed, _ = run("check", "--all", "--json")
    report = json.loads(printed)
    assert (code, report["findings"], report["rules"]) == (0, [], len(RULES))
    assert report["boards"] == board_names() == sorted((AUDIOKIT, LYRAT, DEVKIT, KORVO))


def test_the_command_says_how_loud_each_socket_can_be(run):
    """Those that a head can be in, and no other."""
    _, printed, _ = run("check", LYRAT)
    assert (
        "  X1: at most 101 dB SPL at the ear drum (112 without its clipper), a caller at full "
        "volume 71\n  LINE: at most 101 dB SPL at the ear drum\n" in printed
    )
    assert "PHONES" not in printed and "SPEAKER" not in printed
    _, printed, _ = run("check", "--all", "--json")
    sound = json.loads(printed)["sound"]
    assert [level["socket"] for level in sound[DEVKIT]] == ["X1", "X4"]
    assert sound[KORVO][0]["loudest"] < 102 and sound[KORVO][0]["caller"] > 70


def test_the_command_tells_what_is_wrong_and_why(run, tree):
    break_file(tree / TABLE.format(LYRAT), '"key6": 27', '"key6": 33')
    code, printed, _ = run("check", LYRAT, "--boards", tree)
    assert code == 1
    assert "key6 and key4 are both on GPIO 33: give one of them another" in printed
    assert "no_pin_twice: Two wires on one GPIO short" in printed


def test_the_command_wants_a_board_that_there_is(run):
    assert run("check")[0::2] == (2, "diadema: name one board, or say --all\n")
    code, _, errors = run("check", "lyrat")
    assert code == 2
    assert "lyrat_v4_3" in errors


def test_the_list_names_chip_and_parts(run):
    code, printed, _ = run("list", "--json")
    rows = {row["name"]: row for row in json.loads(printed)}
    assert code == 0
    assert rows[KORVO]["chip"] == "esp32s3"
    assert rows[DEVKIT]["parts"]["badge_reader"] == "mfrc522"
    assert LYRAT in run("list")[1]


def test_the_simulators_own_board_says_why_it_is_not_checked(run):
    code, _, said = run("check", "sim")
    assert code == 2
    assert "sim has no wiring.toml: it is for the simulator alone" in said


def test_no_boards_is_an_error(tmp_path):
    assert board_names(tmp_path) == []
    with pytest.raises(BoardError, match="there are: none in"):
        load_board(LYRAT, tmp_path)
