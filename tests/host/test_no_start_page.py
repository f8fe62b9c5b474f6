"""The page for a board that does not start: what its console says is what the code knows, and what
it tells people to type can be typed.
"""

import re
from pathlib import Path

import pytest
from diadema.cli.main import app
from diadema.gateway.console import TEXTS, kind_of, meaning
from diadema.stations.boards.table import board_names, load_board
from diadema.words import LANGUAGES
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "hardware" / "no_arranca.md").read_text()
ROWS = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ")][1:]
SAID = {
    text: row for row in ROWS if (text := row[0].strip("| ").strip("`")) and "`" in row[0]
}  # fmt: skip
COMMANDS = sorted(set(re.findall(r"`(diadema [^`]+)`", PAGE)))


def test_it_has_all_that_a_console_says_and_no_more() -> None:
    kinds = {kind_of(f"…{text} …".encode()) for text in SAID if text != '"safe":true'}
    assert kinds == TEXTS.keys()
    assert '"safe":true' in SAID


@pytest.mark.parametrize("kind", TEXTS)
def test_the_words_say_the_same_way_out(kind: str) -> None:
    (row,) = [row for text, row in SAID.items() if kind_of(text.encode()) == kind]
    for language in LANGUAGES:
        assert ("diadema flash" in (meaning(kind, language) or "")) == ("**" in row[2])


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_it_is_one(line: str) -> None:
    done = CliRunner().invoke(app, [*line.split()[1:], "--help"])
    assert done.exit_code == 0 and "Usage" in done.output, line


def test_readers_find_it() -> None:
    for page in ("README.md", "hardware/README.md"):
        assert "no_arranca.md" in (ROOT / page).read_text(), page


@pytest.mark.parametrize("name", board_names())
def test_each_board_says_how_its_boot_loader_answers(name: str) -> None:
    assert re.search("let (BOOT|Boot) go", load_board(name).wiring.board.loader)
