"""The states of an agent, each typed once; browsers take them from `/static/wire.js`.

Shapes (`icons.js`), colours (`floor.css`) and words have an entry a state, which
`tests/host/test_agent_states.py` looks for.
"""

from typing import NamedTuple


class AgentState(NamedTuple):
    """One state. `rank`: of several things at once, the lowest is the state of a second (design
    §3). `work`: a contact puts the agent in it. `handling`: it counts as busy. `in_call`: somebody
    is on the line. `limit_s`: when the floor's alert speaks.
    """

    name: str
    rank: int
    work: bool = False
    handling: bool = False
    in_call: bool = False
    limit_s: int | None = None


LOGGED_OUT = "logged_out"
TABLE = (  # in the order in which the floor shows them
    AgentState("ready", 7),
    AgentState("offered", 5, work=True, limit_s=30),
    AgentState("dialing", 3, work=True, handling=True, limit_s=90),
    AgentState("talking", 0, work=True, handling=True, in_call=True),
    AgentState("held", 1, work=True, handling=True, in_call=True, limit_s=180),
    AgentState("consulting", 2, work=True, handling=True, in_call=True, limit_s=300),
    AgentState("wrapup", 4, work=True, handling=True, limit_s=180),
    AgentState("not_ready", 6, limit_s=1800),
    AgentState("off", 8),  # a session goes on while its station has no power
)

LOGGED_IN = tuple(state.name for state in TABLE)  # they partition the time logged in
SHOWN = (*(name for name in LOGGED_IN if name != "off"), LOGGED_OUT)
RANK = {state.name: state.rank for state in TABLE}
WORK = tuple(state.name for state in TABLE if state.work)
HANDLING = tuple(state.name for state in TABLE if state.handling)
IN_CALL = frozenset(state.name for state in TABLE if state.in_call)
LIMITS_S = {state.name: state.limit_s for state in TABLE if state.limit_s is not None}
