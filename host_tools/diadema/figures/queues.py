"""Books the switch's calls into the sums of a queue, whole, where they entered it (flow)."""

from diadema.figures.rows import QueueSums
from diadema.metrics.rounding import whole_seconds
from diadema.store.rows import QueueCall


def book_queue_call(sums: QueueSums, call: QueueCall, *, again: bool) -> None:
    """`again`: the same call was answered before."""
    if not call.entered:
        cause = call.cause or ""
        sums.outside[cause] = sums.outside.get(cause, 0) + 1
        return
    sums.received += 1
    sums.estimated += call.estimated
    wait_ms = call.wait_ms or 0
    wait_s = -(-wait_ms // 1000)
    match call.outcome:
        case "answered":
            sums.answered += 1
            sums.again += again
            sums.no_agent += call.agent is None
            sums.wait_s += whole_seconds(wait_ms)
            sums.answered_waits[wait_s] = sums.answered_waits.get(wait_s, 0) + 1
        case "abandoned":
            sums.abandoned += 1
            sums.abandoned_waits[wait_s] = sums.abandoned_waits.get(wait_s, 0) + 1
        case "left":
            sums.left += 1
            if call.wait_ms is not None:
                sums.left_waits[wait_s] = sums.left_waits.get(wait_s, 0) + 1
        case _:
            sums.waiting += 1
