"""What a page of the virtual desk may ask, and the sentence it gets for anything else."""

import json
import re

import pytest
from diadema.words import LANGUAGES
from diadema_sim.desk import commands
from diadema_sim.desk.commands import ACTIONS, Refused, parse
from hypothesis import given
from hypothesis import strategies as st

GOOD = [
    ({"do": "down", "key": 1}, commands.Down(1)),
    ({"do": "up", "key": 6}, commands.Up(6)),
    ({"do": "press", "key": 3}, commands.Press(3)),
    ({"do": "tap", "badge": "a001"}, commands.Tap("a001")),
    ({"do": "headset", "plugged": False}, commands.Headset(False)),
    ({"do": "cable", "plugged": True}, commands.Cable(True)),
    ({"do": "power", "on": False}, commands.Power(False)),
    ({"do": "ring"}, commands.Ring()),
    ({"do": "withdraw"}, commands.Withdraw()),
    ({"do": "hangup"}, commands.HangUp()),
    ({"do": "text", "text": "Venga, por favor"}, commands.Message("Venga, por favor")),
]
BAD = [
    ("{", "bad_json", {}),
    ("", "bad_json", {}),
    ("[" * 5000, "bad_action", {}),
    ("[]", "bad_action", {}),
    ('"ring"', "bad_action", {}),
    ("{}", "bad_action", {}),
    ('{"do":1}', "bad_action", {}),
    ('{"do":"dance"}', "bad_action", {}),
    ('{"do":"down"}', "bad_field", {"where": "key"}),
    ('{"do":"down","key":0}', "bad_field", {"where": "key"}),
    ('{"do":"down","key":7}', "bad_field", {"where": "key"}),
    ('{"do":"down","key":"1"}', "bad_field", {"where": "key"}),
    ('{"do":"down","key":1,"ms":5}', "bad_field", {"where": "ms"}),
    ('{"do":"power","on":null}', "bad_field", {"where": "on"}),
    (json.dumps({"do": "tap", "badge": "1" * 25}), "bad_field", {"where": "badge"}),
    ('{"do":"text","text":""}', "bad_field", {"where": "text"}),
    (json.dumps({"do": "text", "text": "x" * 85}), "bad_field", {"where": "text"}),
    (json.dumps({"do": "text", "text": "a\nb"}), "bad_field", {"where": "text"}),
]


@pytest.mark.parametrize(("said", "request_"), GOOD)
def test_each_action_is_read(said: dict[str, object], request_: commands.Request) -> None:
    assert parse(json.dumps(said)) == request_


def test_the_list_of_actions_is_complete() -> None:
    assert {str(said["do"]) for said, _ in GOOD} == {*ACTIONS}


@pytest.mark.parametrize(("said", "word", "values"), BAD)
def test_anything_else_is_refused_with_what_to_mend(
    said: str, word: str, values: dict[str, str]
) -> None:
    with pytest.raises(Refused) as refusal:
        parse(said)
    assert refusal.value.word == word
    assert values.items() <= refusal.value.values.items()
    for language in LANGUAGES:
        sentence = refusal.value.sentence(language)
        assert not re.search(r"[{}]", sentence)
        assert all(value in sentence for value in values.values())
    if word == "bad_action":
        assert "ring" in refusal.value.sentence("es")


@given(st.text() | st.binary())
def test_no_message_does_more_than_be_refused(said: str | bytes) -> None:
    with pytest.raises(Refused):
        parse(said)
