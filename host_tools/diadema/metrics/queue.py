"""Figures of the switch's side: what callers waited for, and who served them.

Received = answered + abandoned + left + waiting; each is booked where it entered the queue (flow).
A call that hung up before the queue, or that was a phantom, is none of them. A wait is measured by
the switch. T is the threshold; a short abandon is one that waited no longer than a few seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from diadema.metrics.rounding import mean, percent
from diadema.store.rows import QueueCall

VARIANTS = {  # of the service level, for who reads the figure
    "offered": "answered<=T / (answered + abandoned)",
    "noshort": "answered<=T / (answered + abandoned - short)",
    "answered": "answered<=T / answered",
    "removed": "(answered<=T + abandoned<=T) / (answered + abandoned)",
}


@dataclass(slots=True)
class Flow:
    """Calls of an interval by what became of them; milliseconds of the answered ones' waits."""

    received: int = 0
    answered: int = 0
    abandoned: int = 0
    left: int = 0
    waiting: int = 0
    answered_within: int = 0
    abandoned_within: int = 0
    short: int = 0
    wait_ms: int = 0

    def add(self, call: QueueCall, threshold_s: int, short_s: int) -> None:
        """Book a call that stood in the queue."""
        wait_ms = call.wait_ms or 0
        within = wait_ms <= threshold_s * 1000
        self.received += 1
        match call.outcome:
            case "answered":
                self.answered += 1
                self.answered_within += within
                self.wait_ms += wait_ms
            case "abandoned":
                self.abandoned += 1
                self.abandoned_within += within
                self.short += wait_ms <= short_s * 1000
            case "left":
                self.left += 1
            case _:
                self.waiting += 1

    def __iadd__(self, other: "Flow") -> "Flow":
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def sl_offered(flow: Flow) -> float | None:
    """Service level over all that ended by an answer or an abandon: the strictest."""
    return percent(flow.answered_within, flow.answered + flow.abandoned)


def sl_noshort(flow: Flow) -> float | None:
    """The same without the short abandons (Genesys with its switch for them)."""
    return percent(flow.answered_within, flow.answered + flow.abandoned - flow.short)


def sl_answered(flow: Flow) -> float | None:
    """Over the answered alone (Asterisk's SL, Wazo's QoS): abandons do not touch it."""
    return percent(flow.answered_within, flow.answered)


def sl_removed(flow: Flow) -> float | None:
    """Whose wait ended in time, by an answer or an abandon (Amazon Connect, Asterisk's SL2)."""
    within = flow.answered_within + flow.abandoned_within
    return percent(within, flow.answered + flow.abandoned)


BASES: Mapping[str, Callable[[Flow], int]] = {  # how many calls each variant is a share of
    "offered": lambda flow: flow.answered + flow.abandoned,
    "noshort": lambda flow: flow.answered + flow.abandoned - flow.short,
    "answered": lambda flow: flow.answered,
    "removed": lambda flow: flow.answered + flow.abandoned,
}


def service_level(flow: Flow) -> dict[str, float | None]:
    """All four by their names."""
    return {
        "offered": sl_offered(flow),
        "noshort": sl_noshort(flow),
        "answered": sl_answered(flow),
        "removed": sl_removed(flow),
    }


def answer_rate(flow: Flow) -> float | None:
    """Nivel de atención = callers served / callers received, as the switch counts them: each stay
    in a queue is one, those that left and those that still wait included (Genesys' Answer %). The
    agents' side, each desk that rang, is `calls.pickup_rate`.
    """
    return percent(flow.answered, flow.received)


def asa(flow: Flow) -> int | None:
    """ASA = wait of the answered / answered, in seconds (Amazon Connect's «average queue answer
    time»); who abandoned is not in it.
    """
    return mean(flow.wait_ms, 1000 * flow.answered) if flow.answered else None


def abandonment(flow: Flow) -> float | None:
    """Abandoned / (answered + abandoned), short ones included, as Genesys does."""
    return percent(flow.abandoned, flow.answered + flow.abandoned)


def abandonment_noshort(flow: Flow) -> float | None:
    """(abandoned - short) / (answered + abandoned - short)."""
    abandoned = flow.abandoned - flow.short
    return percent(abandoned, flow.answered + abandoned)


def talk_ms(call: QueueCall) -> int | None:
    """Of its conversation: as the switch measured it (queue_log's calltime, as QueueMetrics shows
    it), else from its answer to its end. None while it goes on.
    """
    if call.connected_utc is None or call.end_utc is None:
        return None
    return call.end_utc - call.connected_utc if call.talk_ms is None else call.talk_ms


def overlapping(calls: Iterable[QueueCall]) -> Iterator[tuple[QueueCall, QueueCall]]:
    """Conversations that cannot be, each with the one during which it began: nobody serves two at
    once. Of two, the later one is in doubt, and then contradicts nothing itself; nor do estimated
    hours. So it counts less than consecutive pairs would where one long call spans several.
    """
    last: dict[str, QueueCall] = {}
    served = [
        call
        for call in calls
        if call.agent is not None and call.connected_utc is not None and not call.estimated
    ]
    for call in sorted(served, key=_order):
        before = last.get(str(call.agent))
        if before is not None and (call.connected_utc or 0) < (before.end_utc or 0):
            yield call, before
        else:
            last[str(call.agent)] = call


def _order(call: QueueCall) -> tuple[int, str, int, int]:
    return call.connected_utc or 0, call.s, call.e, call.n
