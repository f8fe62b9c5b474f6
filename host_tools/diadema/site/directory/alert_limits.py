"""When an alert speaks: the rules that have a limit, what each is where nobody says otherwise, and
of whom one can be.

A private reason has none: who is alerted by it, and when, would tell which one it is.
"""

from collections.abc import Mapping

from msgspec import Struct

from diadema.wire.agent_states import LIMITS_S

OF_STATE: Mapping[str, str] = {state: f"{state}_s" for state in LIMITS_S}
REASON = OF_STATE["not_ready"]  # the rule that may be of a reason


class AlertRule(Struct, frozen=True):
    """`default`: seconds, how many, or how many times. `of`: the columns that may narrow it."""

    default: int
    of: tuple[str, ...]


ALERT_RULES: Mapping[str, AlertRule] = {
    **{
        rule: AlertRule(LIMITS_S[state], ("team", "aux_reason" if rule == REASON else "queue"))
        for state, rule in OF_STATE.items()
    },
    "call_times": AlertRule(3, ("team", "queue")),  # against the TMO that is aimed at
    "call_s": AlertRule(600, ("team", "queue")),  # and not before
    "help_s": AlertRule(60, ("team",)),
    "fault_s": AlertRule(0, ("team",)),
    "missed_in_a_row": AlertRule(3, ("team",)),
    "link_s": AlertRule(30, ("team",)),
    "queue_waiting": AlertRule(5, ("queue",)),
    "queue_wait_s": AlertRule(120, ("queue",)),
    "queue_level_s": AlertRule(600, ("queue",)),  # so long under its target
    "queue_ready_s": AlertRule(60, ("queue",)),  # so long with callers and nobody ready
}

type Limits = Mapping[tuple[str, str, str, str], int]  # by rule, team, queue, reason; "" is any


def limit_of(limits: Limits, rule: str, team: str = "", queue: str = "") -> int:
    """The queue's own, else the team's, else everybody's."""
    for key in ((team, queue), ("", queue), (team, ""), ("", "")):
        if (found := limits.get((rule, *key, ""))) is not None:
            return found
    return ALERT_RULES[rule].default


def limit_of_reason(limits: Limits, reason: str, team: str) -> int | None:
    """The team's own for that reason, else everybody's for it."""
    return limits.get((REASON, team, "", reason), limits.get((REASON, "", "", reason)))
