"""Every formula of the call centre once, with its source.

Three bases, never mixed: *flow* counts contacts where they began; *averages* take whole seconds of
contacts whose end is known over their number; *load* splits seconds across intervals.
`contacts` are the stations', `queue` is the switch's side, `intervals` cuts time.
"""

from diadema.metrics.contacts import (
    EXCUSED,
    averaged,
    consult_s,
    handle_s,
    hold_s,
    talk_of,
    talk_s,
    wrapup_s,
)
from diadema.metrics.rounding import mean, percent, round_half_up, whole_seconds

__all__ = [
    "EXCUSED",
    "averaged",
    "consult_s",
    "handle_s",
    "hold_s",
    "mean",
    "percent",
    "round_half_up",
    "talk_of",
    "talk_s",
    "whole_seconds",
    "wrapup_s",
]
