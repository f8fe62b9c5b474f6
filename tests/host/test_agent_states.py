"""The states of an agent stand once in `wire/agent_states.py`; every other list agrees with it."""

import json
import re
from pathlib import Path

import pytest
from diadema.figures.rows import Load
from diadema.web.floor.alerts import Limits
from diadema.wire.agent_states import IN_CALL, LIMITS_S, LOGGED_IN, RANK, SHOWN, TABLE, WORK
from diadema_sim.station_user import _WORK as USER

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "host_tools/diadema/web/static"
WORDS = ROOT / "host_tools/diadema/words"
AT_STATION = {"idle", "closing"}  # no states of an agent: nothing to do, and a wrap-up to come


def test_the_ranks_are_an_order():
    assert sorted(RANK.values()) == [*range(len(TABLE))]
    by_rank = sorted(RANK, key=RANK.__getitem__)
    assert by_rank[: len(WORK)] == [
        "talking",
        "held",
        "consulting",
        "dialing",
        "wrapup",
        "offered",
    ]
    assert by_rank[len(WORK) :] == ["not_ready", "ready", "off"]


def test_what_is_summed_and_watched_is_in_the_table():
    assert {*LOGGED_IN} <= {*Load.__struct_fields__}
    assert Limits().states == LIMITS_S and {*LIMITS_S} <= {*LOGGED_IN}
    assert IN_CALL < {*WORK} < {*LOGGED_IN}


def test_the_browser_has_the_same_states():
    totals = (STATIC / "totals.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"export const STATES = \[(.*?)\];", totals, re.DOTALL)
    assert tuple(re.findall(r'"(\w+)"', listed)) == SHOWN
    icons = (STATIC / "icons.js").read_text(encoding="utf-8")
    (shapes,) = re.findall(r"const SHAPES = \{(.*?)\n\};", icons, re.DOTALL)
    assert {*SHOWN} <= {*re.findall(r"^  (\w+):", shapes, re.MULTILINE)}
    colours = (STATIC / "floor.css").read_text(encoding="utf-8")
    coloured = {*re.findall(r'\[data-state="(\w+)"\]', colours)}
    assert {*SHOWN} >= coloured >= {*WORK}


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_state_has_a_word(language):
    floor = json.loads((WORDS / language / "floor.json").read_text(encoding="utf-8"))
    day = json.loads((WORDS / language / "agent_day.json").read_text(encoding="utf-8"))
    assert {f"state.{name}" for name in SHOWN} <= {*floor}
    assert {f"state.{name}" for name in LOGGED_IN} <= {*day}


def test_stations_and_their_simulator_have_the_same_work():
    desk = (ROOT / "firmware/lib/desk.py").read_text(encoding="utf-8")
    (work,) = re.findall(r"^_WORK = \{(.*?)^\}", desk, re.DOTALL | re.MULTILINE)
    for states in ({*re.findall(r': "(\w+)"', work)}, {*USER.values()}):
        assert states - AT_STATION == {*WORK}
