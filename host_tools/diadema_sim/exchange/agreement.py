"""Whether the exchange's own log and the store say the same of its calls."""

import asyncio
import time
from collections.abc import Sequence

from diadema.store import Reader, tables
from sqlalchemy import select

_LOOK_S = 0.1
_ENDS = {
    "COMPLETEAGENT": ("answered", "agent"), "COMPLETECALLER": ("answered", "caller"),
    "BLINDTRANSFER": ("answered", "transfer"), "ABANDON": ("abandoned", None),
    "EXITWITHTIMEOUT": ("timeout", None),
}  # fmt: skip

type Ended = tuple[str | None, str | None, str | None]  # outcome, by whom, agent


def calls_of_log(lines: Sequence[str]) -> dict[str, Ended]:
    """Each call that is over, by its number at the exchange."""
    agents: dict[str, str] = {}
    calls: dict[str, Ended] = {}
    for line in lines:
        _, pbx, _, agent, verb, *_ = line.split("|")
        if verb == "CONNECT":
            agents[pbx] = agent
        elif verb in _ENDS:
            calls[pbx] = (*_ENDS[verb], agents.get(pbx))
    return calls


def calls_of_store(reader: Reader, since_ms: int = 0) -> dict[str, Ended]:
    """The same, of what the bridge told; of calls that began since then."""
    calls: dict[str, Ended] = {}
    row = tables.queue_calls.c
    query = select(tables.queue_calls).where(row.end_utc.is_not(None), row.start_utc >= since_ms)
    with reader.engine.connect() as connection:
        for one in connection.execute(query):
            outcome = one.outcome if one.outcome != "left" else one.cause
            calls[one.pbx] = outcome, "transfer" if one.transfer else one.ended_by, one.agent
    return calls


async def differences(
    lines: Sequence[str], reader: Reader, since_ms: int, limit_s: float
) -> dict[str, tuple[Ended | None, Ended | None]]:
    """Calls of which they do not say the same, once the bridge has told what it can: log, store.
    It is given `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    wanted = calls_of_log(lines)
    # the bridge's last events are on their way to another process, which tells nobody here
    while (found := calls_of_store(reader, since_ms)) != wanted:
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(_LOOK_S)
    pbx = wanted.keys() | found.keys()
    both = {one: (wanted.get(one), found.get(one)) for one in pbx}
    return {one: pair for one, pair in both.items() if pair[0] != pair[1]}
