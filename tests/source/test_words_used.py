"""Every word of the host's catalogues is asked for by some code, and what is asked for by its
whole name is there in each language.
"""

import ast
import json
from pathlib import Path

import diadema
import pytest
from diadema.words import LANGUAGES

from tests.support.word_keys import Asked

HOST = Path(diadema.__file__).parents[1]
WORDS = Path(diadema.__file__).parent / "words"
AREAS = sorted(path.stem for path in (WORDS / LANGUAGES[0]).glob("*.json"))
OF_TWO_PARTS = {  # both parts of the key are worked out
    "desk": ("command.",),  # `diadema_sim.desk.said`: the field, then its value
    "fleet": ("stopped.",),  # `web.fleet.page`: the status of a rollout, then why
    "trouble": ("cause.", "safe."),  # `stations.fleet.reading.word`
}


def catalogue(language, area):
    return json.loads((WORDS / language / f"{area}.json").read_text())


@pytest.fixture(scope="module")
def asked():
    return Asked(HOST)


def unused(asked, area, keys):
    of_parts = OF_TWO_PARTS.get(area, ())
    return sorted(
        key
        for key in keys
        if not key.startswith(of_parts) and not asked.has(key) and not asked.has(f"{area}.{key}")
    )


@pytest.mark.parametrize("area", AREAS)
def test_each_word_is_asked_for(asked, area):
    assert unused(asked, area, catalogue(LANGUAGES[0], area)) == []


def test_a_word_that_nothing_asks_for_is_found(asked):
    assert unused(asked, "people", ["week.nobody_" + "reads", "publish.title"]) == [
        "week.nobody_" + "reads"
    ]


@pytest.mark.parametrize("area", AREAS)
def test_each_word_is_there_in_each_language(area):
    first, *others = (catalogue(language, area).keys() for language in LANGUAGES)
    for other in others:
        assert sorted(first ^ other) == []


def test_keys_of_two_parts_are_there():
    for area, prefixes in OF_TWO_PARTS.items():
        for prefix in prefixes:
            assert any(key.startswith(prefix) for key in catalogue(LANGUAGES[0], area))


def test_what_is_asked_for_by_its_whole_name_is_there():
    missing, found = [], 0
    for path in sorted(HOST.rglob("*.py")):
        tree = ast.parse(path.read_text())
        imported = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "diadema.words"
            and any(one.name == "text" and one.asname is None for one in node.names)
            for node in ast.walk(tree)
        )
        for node in ast.walk(tree):
            if not (imported and isinstance(node, ast.Call)):
                continue
            if getattr(node.func, "id", "") != "text" or not node.args:
                continue
            key = node.args[0]
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                found += 1
                area, _, rest = key.value.partition(".")
                missing += [
                    f"{path.name}: {key.value} ({language})"
                    for language in LANGUAGES
                    if area not in AREAS or rest not in catalogue(language, area)
                ]
    assert found > 50
    assert missing == []
