"""The states of an agent, each typed once.

Browsers have their own copies, `web/static/totals.js` and `icons.js`, and so have the colours in
`floor.css`; `tests/host/test_agent_states.py` compares them with this table.
"""

from typing import NamedTuple


class AgentState(NamedTuple):
    """One state. `rank`: of several things at once, the lowest is the state of a second (design
    §3). `work`: a contact puts the agent in it. `in_call`: somebody is on the line. `limit_s`:
    when the floor's alert speaks.
    """

    name: str
    rank: int
    work: bool = False
    in_call: bool = False
    limit_s: int | None = None


LOGGED_OUT = "logged_out"
TABLE = (  # in the order in which the floor shows them
    AgentState("ready", 7),
    AgentState("offered", 5, work=True, limit_s=30),
    AgentState("dialing", 3, work=True, limit_s=90),
    AgentState("talking", 0, work=True, in_call=True),
    AgentState("held", 1, work=True, in_call=True, limit_s=180),
    AgentState("consulting", 2, work=True, in_call=True, limit_s=300),
    AgentState("wrapup", 4, work=True, limit_s=180),
    AgentState("not_ready", 6, limit_s=1800),
    AgentState("off", 8),  # a session goes on while its station has no power
)

LOGGED_IN = tuple(state.name for state in TABLE)  # they partition the time logged in
SHOWN = (*(name for name in LOGGED_IN if name != "off"), LOGGED_OUT)
RANK = {state.name: state.rank for state in TABLE}
WORK = tuple(state.name for state in TABLE if state.work)
IN_CALL = frozenset(state.name for state in TABLE if state.in_call)
LIMITS_S = {state.name: state.limit_s for state in TABLE if state.limit_s is not None}
