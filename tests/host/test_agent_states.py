"""The states of an agent stand once in `wire/agent_states.py`; what else has one each has all."""

import ast
import json
import re
from pathlib import Path

import pytest
from diadema.figures.rows import Load
from diadema.site.directory.alert_limits import ALERT_RULES, OF_STATE
from diadema.web.assets import STATIC, source_of
from diadema.wire.agent_states import (
    HANDLING,
    IN_CALL,
    LIMITS_S,
    LOGGED_IN,
    RANK,
    SHOWN,
    TABLE,
    WORK,
)
from diadema_sim.station_user import _WORK as USER

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "host_tools"
WORDS = HOST / "diadema/words"
WITH_STATES = {
    "diadema/wire/agent_states.py",
    "diadema/web/static/icons.js",  # the shape of each
    "diadema_sim/station_user.py",  # to which of them an event leads
    "diadema_sim/torture/live_centre.py",  # what an agent may press in each
}
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
    defaults = {state: ALERT_RULES[rule].default for state, rule in OF_STATE.items()}
    assert defaults == LIMITS_S and {*LIMITS_S} <= {*LOGGED_IN}
    assert IN_CALL < {*HANDLING} < {*WORK} < {*LOGGED_IN}


def listed(path: Path) -> int:
    """The most states of an agent that one list, set or object of a source file names."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        groups = [re.findall(r"\w+", one) for one in re.findall(r"[\[{]([^\[\]{}]*)", source)]
    else:
        groups = [
            [str(one.value) for one in ast.walk(node) if isinstance(one, ast.Constant)]
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict)
        ]
    return max((len({*SHOWN, *LOGGED_IN}.intersection(group)) for group in groups), default=0)


def test_no_other_list_of_states_stands_in_the_host():
    found = {
        path.relative_to(HOST).as_posix()
        for suffix in ("py", "js")
        for path in HOST.rglob(f"*.{suffix}")
        if listed(path) > 3
    }
    assert found == WITH_STATES


def test_the_browser_takes_them_from_the_wire():
    assert f"export const STATES = {json.dumps(SHOWN)};" in source_of("wire.js")
    icons = (STATIC / "icons.js").read_text(encoding="utf-8")
    (shapes,) = re.findall(r"const SHAPES = \{(.*?)\n\};", icons, re.DOTALL)
    assert {*SHOWN} <= {*re.findall(r"^  (\w+):", shapes, re.MULTILINE)}
    colours = (STATIC / "floor.css").read_text(encoding="utf-8")
    coloured = {*re.findall(r'\[data-state="(\w+)"\]', colours)}
    assert {*SHOWN} >= coloured >= {*WORK}


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_state_has_a_word(language):
    floor = json.loads((WORDS / language / "floor.json").read_text(encoding="utf-8"))
    assert {f"state.{name}" for name in (*SHOWN, *LOGGED_IN)} <= {*floor}


def test_stations_and_their_simulator_have_the_same_work():
    desk = (ROOT / "firmware/lib/desk.py").read_text(encoding="utf-8")
    (work,) = re.findall(r"^_WORK = \{(.*?)^\}", desk, re.DOTALL | re.MULTILINE)
    for states in ({*re.findall(r': "(\w+)"', work)}, {*USER.values()}):
        assert states - AT_STATION == {*WORK}
