"""Supervisors' actions, commands and their limits stand once, in `wire/`: the hub, the API and the
browser take them from there, and the words name each.
"""

import json
import re
from pathlib import Path

import diadema
import pytest
from diadema.web.actions.models import Action, StationAction
from diadema.web.assets import WIRE_JS
from diadema.web.fleet.api import Command
from diadema.wire import actions
from diadema.wire.commands import ON_REQUEST
from diadema.wire.letters import tag_of
from diadema.words import LANGUAGES, section
from pydantic import TypeAdapter, ValidationError

HOST = Path(diadema.__file__).parents[1]
SOURCES = {
    path.relative_to(HOST).as_posix(): path.read_text(encoding="utf-8")
    for suffix in ("py", "js")
    for path in HOST.rglob(f"*.{suffix}")
}
TAGS = [tag_of(kind) for kind in actions.ACTIONS]


def naming(pattern: str) -> list[str]:
    return sorted(name for name, text in SOURCES.items() if re.search(pattern, text))


def test_the_kinds_of_notes_stand_in_one_source():
    kinds = actions.NOTE_KINDS
    found = [name for name, text in SOURCES.items() if sum(one in text for one in kinds) > 1]
    assert found == ["diadema/wire/actions.py"]
    assert f"NOTE_KINDS = {json.dumps(kinds)};" in WIRE_JS


def test_how_long_a_message_may_be_stands_in_one_source():
    assert naming(r"(length|LETTERS|CHARACTERS|LIMIT) ?[=(] ?84\b") == ["diadema/wire/actions.py"]
    assert f"MESSAGE_CHARACTERS = {actions.MESSAGE_CHARACTERS};" in WIRE_JS


def test_the_api_takes_each_action_with_the_bounds_of_its_struct():
    schema = TypeAdapter(Action).json_schema()
    assert list(schema["discriminator"]["mapping"]) == sorted(TAGS)
    whole = {"action": "message", "text": "x" * actions.MESSAGE_CHARACTERS, "reason": "aviso"}
    body = TypeAdapter(Action).validate_python(whole)
    assert body.model_dump(exclude_none=True) == whole | {"sign": False}
    for wrong in (
        whole | {"text": whole["text"] + "x"},
        whole | {"by": "luis"},
        whole | {"agents": ["a002"]},
        {"action": "note", "kind": "novedad"},
        {"action": "help", "state": "rejected"},
        {"action": "presence", "reason": "almuerzo\n"},
    ):
        with pytest.raises(ValidationError):
            TypeAdapter(Action).validate_python(wrong)
    with pytest.raises(ValidationError):
        TypeAdapter(StationAction).validate_python(whole)


def test_the_api_takes_every_command_that_can_be_requested_and_no_other():
    (listed,) = [one["enum"] for one in Command.model_json_schema()["properties"].values()]
    assert listed == [tag_of(kind) for kind in ON_REQUEST]
    assert naming(r'"consult_end",\s*"transfer"') == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_name_each_action_and_each_answer(language):
    reports, panel = section("reports", language), section("panel", language)
    assert {f"action.{name}" for name in (*TAGS, *actions.NOTE_KINDS)} <= {*reports}
    answers = {
        f"panel.{kind}.{answer}" for kind, its in actions.PRESS_ANSWERS.items() for answer in its
    }
    assert answers | {f"kind.{name}" for name in actions.NOTE_KINDS} <= {*panel}
