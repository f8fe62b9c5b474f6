"""Each public name of the firmware is read by it or named by a board; each of its words is shown.

Drivers are made by the name that a board's table has. What a part counts is read by `dump()`.
"""

import ast
import re
import runpy
from pathlib import Path

import diadema
import pytest

from tests.support.other_board import ROLES
from tests.support.source_names import Sources

ROOT = Path(diadema.__file__).parents[2]
FIRMWARE = ROOT / "firmware"
LANGUAGES = ("es", "en")
OF_TWO_PARTS = (  # both parts of the key are worked out
    "keys.", "wifi.", "telephone.", "switch.",  # `screens`: a part, and its fault
    "help_", "fault_",  # what was asked for, and what became of it
    "tones_", "brightness_", "language_",  # `do_settings`: a setting, and its value
)  # fmt: skip


@pytest.fixture(scope="module")
def sources():
    return Sources(FIRMWARE, readers=ROOT / "boards")


def words(language):
    """{key: word} of the catalogue's one text."""
    tree = ast.parse((FIRMWARE / "lib" / f"words_{language}.py").read_text())
    (text,) = (
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "catalogue"
    )
    lines = (line.partition(" = ") for line in text.split("\n"))
    return {key: word for key, mark, word in lines if mark}


def used(key, whole, parts):
    """Written whole, or begun or ended by a part that stands alone in the code."""
    return (
        key in whole
        or key.startswith(OF_TWO_PARTS)
        or any(key.startswith(one) if one[-1] in "_." else key.endswith(one) for one in parts)
    )


def quoted():
    whole, parts = set(), set()
    for path in FIRMWARE.rglob("*.py"):
        if path.stem.startswith("words"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.update(re.findall(r"[\w.]+", node.value))
                if re.fullmatch(r"[a-z]\w*[_.]|_[a-z]\w*", node.value):
                    parts.add(node.value)
                elif one := re.fullmatch(r"([a-z]\w*[_.])(%s|\{\})", node.value):
                    parts.add(one[1])
    return whole, parts


def for_other_boards():
    """Drivers that the contracts name and no board of the repository has."""
    boards = (ROOT / "boards").glob("*/board.py")
    used = {driver for path in boards for driver, *_ in runpy.run_path(path)["PARTS"].values()}
    return {driver for drivers in ROLES.values() for driver in drivers} - used


def test_every_name_of_the_firmware_is_read(sources):
    ours = tuple(f"drivers.{driver}." for driver in for_other_boards())
    left = [one for one in sources.unread_names() if not one.startswith(ours)]
    assert len(sources.alive) > 1_000
    assert left == [], (
        "nothing of the firmware reads these: delete them. A driver that none of the boards has is"
        " wanted as soon as firmware/drivers/README.md names it in the line of its role"
    )


def test_every_method_of_the_firmware_is_called(sources):
    assert sources.unread_members(stored=False) == []


def test_every_word_of_the_station_is_shown():
    whole, parts = quoted()
    assert [key for key in words("es") if not used(key, whole, parts)] == []
    assert not used("nobody_" + "shows", whole, parts)


def test_every_word_of_the_station_is_there_in_each_language():
    first, *others = (words(language).keys() for language in LANGUAGES)
    assert len(first) > 100
    for other in others:
        assert sorted(first ^ other) == []
