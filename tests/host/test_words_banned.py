"""One name for each thing in what people read in Spanish; English that reads as English.

Each of these was there, under two or three names, or was nobody's word in Peru.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import diadema
import pytest

WORDS = Path(diadema.__file__).parent / "words"
ROOT = WORDS.parents[2]
COMMAND = re.compile(
    r"[«`]?diadema [a-z][^«»`\n]*[»`]?|DIADEMA_\w+"
)  # a command is typed as it is
SPANISH = {
    r"\bhubs?\b": "servidor",
    r"\bconcentrador(es)?\b": "servidor",
    r"\baud[ií]fonos?\b": "diadema",
    r"\bvinchas?\b": "diadema",
    r"\bauricular(es)?\b": "diadema",
    r"\bidentificación\b": "identidad, the step",
    r"\bdespedida\b": "cierre, the step",
    r"\bañad(ir|e|a|ido|ida)\b": "agregar",
    r"\ben la memoria de la estación\b": "diario",
    r"\bencogimiento\b": "shrinkage",
    r"\boída (a las|por última vez)\b": "última señal",
    r"\bdebe[n]? datos\b": "con datos pendientes",
    r"^dejar$": "Cancelar",
    r"\bllevar el día a\b": "Exportar",
    r"\bqué fue de lo enviado\b": "Resultado",
    r"\btome antes lo que vale\b": "say what is lost, and the way to keep it",
    r"\bhora tardía\b": "hora confirmada después",
    r"^lo hizo$": "Creado por",
}
ENGLISH = {
    r"\bhis/her\b|\bhe/she\b|\bhis or her\b": "their",
    r"\b(it|this|that|\{\w+(!r)?\}[\"»”]?|«\w+») is no [a-z]": "is not a",
    r"\blet (it|him|her|somebody) in no more\b": "revoke, disable",
    r"\bno more$": "no longer",
    r"\bthe day to$": "Export",
    r"\bnot hers\b": "excused",
}
LANGUAGES = {"es": SPANISH, "en": ENGLISH}


def found_in(text: str, banned: dict[str, str]) -> list[tuple[str, str]]:
    """(what stands there, what should) of each."""
    left = COMMAND.sub("", text)
    return [
        (hit[0], better)
        for pattern, better in banned.items()
        for hit in re.finditer(pattern, left, re.IGNORECASE)
    ]


@pytest.mark.parametrize(
    ("language", "text", "n"),
    [
        ("es", "El hub no responde", 1),
        ("es", "Inicie «diadema hub»", 0),
        ("es", "Júntele el audífono", 1),
        ("es", "Dejar", 1),
        ("es", "Dejar de seguir", 0),
        ("en", "it is no image", 1),
        ("en", "Let it in no more", 2),
        ("en", "There is no image", 0),
    ],
)
def test_what_is_looked_for_is_found(language, text, n):
    assert len(found_in(text, LANGUAGES[language])) == n


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_has_one(language):
    wrong = {
        f"{path.stem}.{key}": found
        for path in (WORDS / language).glob("*.json")
        for key, text in json.loads(path.read_text("utf-8")).items()
        if (found := found_in(text, LANGUAGES[language]))
    }
    assert wrong == {}


def said_by(tree: ast.Module, helps: bool) -> Iterator[ast.Constant]:
    """The strings of a module; of the docstrings those that are the help of a command."""
    quiet = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and not (helps and node not in tree.body):
            quiet.add(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node not in quiet:
            yield node


def test_no_command_or_route_has_one():
    """Their helps and summaries stand in the code."""
    wrong = {}
    for folder in ("cli", "web", "stations"):
        for path in (WORDS.parent / folder).rglob("*.py"):
            for node in said_by(ast.parse(path.read_text("utf-8")), folder == "cli"):
                if isinstance(node.value, str):
                    for line in node.value.splitlines():
                        if found := found_in(line.rstrip(".;"), ENGLISH):
                            wrong[f"{path.name}:{node.lineno}"] = found
    assert wrong == {}


def test_neither_does_a_station():
    text = (ROOT / "firmware/lib/words_es.py").read_text("utf-8")
    lines = [line.partition(": ")[2] for line in text.splitlines()]
    assert [found for line in lines if (found := found_in(line, SPANISH))] == []


def test_each_step_and_the_journal_have_one_name():
    """On the station's screen, at the desk, on the agent's page, and in reports."""
    station = dict(
        line.split(" = ", 1)
        for line in (ROOT / "firmware/lib/words_es.py").read_text("utf-8").splitlines()
        if " = " in line
    )
    said = {
        area: json.loads((WORDS / f"es/{area}.json").read_text("utf-8"))
        for area in ("desk", "agent_day", "reports", "alerts", "trouble")
    }
    for step in ("greeting", "identity", "need", "information", "doubts", "closing"):
        names = {said[area][f"step.{step}"] for area in ("desk", "agent_day", "reports")}
        assert names == {station[step].casefold()}
    for part in ("journal", "headset"):
        names = {its[f"part.{part}"] for its in said.values() if f"part.{part}" in its}
        assert names == {station[part]}
