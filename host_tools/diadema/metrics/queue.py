"""Figures of the switch's side: what callers waited for, and who served them.

Received = answered + abandoned + left + waiting; each is booked where it entered the queue (flow).
A call that hung up before the queue, or that was a phantom, is none of them. A wait is measured by
the switch. T is the threshold; a short abandon is one that waited no longer than a few seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from diadema.metrics.rounding import mean, percent, whole_seconds
from diadema.store.rows import QueueCall

VARIANTS = {  # of the service level, for who reads the figure
    "offered": "answered<=T / (answered + abandoned)",
    "noshort": "answered<=T / (answered + abandoned - short)",
    "answered": "answered<=T / answered",
    "removed": "(answered<=T + abandoned<=T) / (answered + abandoned)",
    "all": "answered<=T / received",
}


@dataclass(slots=True)
class Flow:
    """Calls of an interval by what became of them. `wait_s`: of the answered ones, each wait in
    whole seconds.
    """

    received: int = 0
    answered: int = 0
    abandoned: int = 0
    left: int = 0
    waiting: int = 0
    answered_within: int = 0
    abandoned_within: int = 0
    short: int = 0
    wait_s: int = 0

    def add(self, call: QueueCall, threshold_s: int, short_s: int) -> None:
        """Book a call that stood in the queue."""
        wait_ms = call.wait_ms or 0
        within = wait_ms <= threshold_s * 1000
        self.received += 1
        match call.outcome:
            case "answered":
                self.answered += 1
                self.answered_within += within
                self.wait_s += whole_seconds(wait_ms)
            case "abandoned":
                self.abandoned += 1
                self.abandoned_within += within
                self.short += wait_ms <= short_s * 1000
            case "left":
                self.left += 1
            case _:
                self.waiting += 1

    def __iadd__(self, other: "Flow") -> "Flow":
        self.received += other.received
        self.answered += other.answered
        self.abandoned += other.abandoned
        self.left += other.left
        self.waiting += other.waiting
        self.answered_within += other.answered_within
        self.abandoned_within += other.abandoned_within
        self.short += other.short
        self.wait_s += other.wait_s
        return self


def sl_offered(flow: Flow) -> float | None:
    """answered<=T / (answered + abandoned). Who left otherwise (timed out, pressed a key, an empty
    queue) or still waits is in neither part: QueueMetrics counts those as unanswered (`sl_all`).
    """
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


def sl_all(flow: Flow) -> float | None:
    """answered<=T / received: whoever abandoned, was thrown out, left by a key or still waits
    counts as not served in time. The strictest. Genesys has flow-outs in it by a switch;
    QueueMetrics counts time-outs as unanswered calls.
    """
    return percent(flow.answered_within, flow.received)


BASES: Mapping[str, Callable[[Flow], int]] = {  # how many calls each variant is a share of
    "offered": lambda flow: flow.answered + flow.abandoned,
    "noshort": lambda flow: flow.answered + flow.abandoned - flow.short,
    "answered": lambda flow: flow.answered,
    "removed": lambda flow: flow.answered + flow.abandoned,
    "all": lambda flow: flow.received,
}


def service_level(flow: Flow) -> dict[str, float | None]:
    """All five by their names."""
    return {
        "offered": sl_offered(flow),
        "noshort": sl_noshort(flow),
        "answered": sl_answered(flow),
        "removed": sl_removed(flow),
        "all": sl_all(flow),
    }


def answer_rate(flow: Flow) -> float | None:
    """Nivel de atención = callers served / callers received, as the switch counts them: each stay
    in a queue is one, those that left and those that still wait included (Genesys' Answer %). The
    agents' side, each desk that rang, is `calls.pickup_rate`.
    """
    return percent(flow.answered, flow.received)


def asa(flow: Flow) -> int | None:
    """ASA = Σ whole seconds of wait of the answered / answered (Amazon Connect's «average queue
    answer time»); who abandoned, left or still waits is not in it.
    """
    return mean(flow.wait_s, flow.answered)


def abandonment(flow: Flow) -> float | None:
    """Abandoned / (answered + abandoned), short ones included: of the calls that an answer or an
    abandon ended. This is the one that a target is of. Genesys divides by offered, see
    `abandonment_received`.
    """
    return percent(flow.abandoned, flow.answered + flow.abandoned)


def abandonment_received(flow: Flow) -> float | None:
    """Abandoned / received: of all that stood in the queue, with who left otherwise and who still
    waits (Amazon Connect: of contacts queued; Genesys: of offered, with flow-outs).
    """
    return percent(flow.abandoned, flow.received)


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


def longest_wait(waits: Iterable[Mapping[int, int]]) -> int | None:
    """The longest of these waits, in seconds, parts of one counted as one. Who still waits, and
    who left without a word of how long, is not among them.
    """
    return max((seconds for each in waits for seconds in each), default=None)


def wait_percentile(waits: Mapping[int, int], percentile: int) -> int | None:
    """The wait at rank ⌈percentile · n / 100⌉ of the n, from the shortest on (nearest rank): one
    that really was, in seconds, parts of one counted as one. 50 is the median.
    """
    rank = -(-percentile * sum(waits.values()) // 100)
    for seconds in sorted(waits):
        rank -= waits[seconds]
        if rank <= 0:
            return seconds
    return None


def halves_met(levels: Iterable[float | None], missed: Callable[[float], bool]) -> float | None:
    """Half-hours whose service level is at its target / those that have one."""
    known = [level for level in levels if level is not None]
    return percent(sum(not missed(level) for level in known), len(known))


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
    return call.connected_utc or 0, call.station, call.epoch, call.sequence
