"""Identifiers are the field's words: none is or has in it `told`, `asked` or `kept`, nor `hour`
but for hours. Wire names, JSON keys and texts are no identifiers.
"""

import ast
import re
from pathlib import Path

import diadema
import pytest

ROOT = Path(diadema.__file__).parents[2]
WORDS = frozenset({"told", "asked", "kept", "hour"})
HOURS = re.compile(r"(half|busiest)_?hour|^_?HOUR_(S|MS)$|^_?hour$", re.IGNORECASE)
HOURS_OF_A_DAY = ("diadema_sim/shift.py", "diadema_sim/demo.py", "diadema_sim/behaviour.py")
# programs and start files of other versions call each other by these
OF_THE_FLASH = {"TOLD", "kept_key"}


def identifiers(tree):
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.alias(name=name, asname=other):
                yield from name.split(".")
                yield other or ""


def parts(name):
    """`_keptBy_hour2` → kept, by, hour."""
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def private(text, path=""):
    """Its identifiers that a stranger would have to look up."""
    found = {name for name in identifiers(ast.parse(text)) if parts(name) & WORDS}
    hours = {name for name in found if parts(name) & WORDS == {"hour"} and HOURS.search(name)}
    if not path.endswith(HOURS_OF_A_DAY):
        hours -= {"hour", "_hour"}
    return found - hours


def test_a_private_word_is_found():
    text = "def told_of(kept): self._asked = hour(half_hour, HOUR_S, sHour=1)"
    assert private(text) == {"told_of", "kept", "_asked", "hour", "sHour"}


@pytest.mark.parametrize("folder", ["firmware", "boards", "host_tools"])
def test_no_identifier_is_a_private_word(folder):
    left = {}
    for path in (ROOT / folder).rglob("*.py"):
        where = path.relative_to(ROOT).parts
        known = set() if folder == "host_tools" else OF_THE_FLASH
        if found := private(path.read_text(encoding="utf-8"), str(path)) - known:
            left["/".join(where)] = sorted(found)
    assert left == {}
