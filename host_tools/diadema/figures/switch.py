"""An agent's calls as the switch alone tells of them: for a day on which no station does, so that
nothing is counted twice. It knows of no wrap-up and no presence: a contact's talk, and no load but
that.
"""

from collections.abc import Iterable, Mapping, MutableMapping

from diadema.directory.people import People
from diadema.figures.days import DaySpan
from diadema.figures.joins import Aliases
from diadema.figures.rows import Calls, Sums
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import overlapping
from diadema.metrics.rounding import whole_seconds
from diadema.store.kept_contacts import LONGEST_MS
from diadema.store.rows import QueueCall


class Names:
    """Whose name at the switch is which; one that nobody knows stands for itself."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = Aliases(People(aliases=dict(aliases)))
        self._known: dict[str, str] = {}

    def agent(self, told: str) -> str:
        known = self._known.get(told)
        if known is None:
            known = self._known[told] = self._aliases.agent(told) or told
        return known


def book_served(
    halves: MutableMapping[int, Sums],
    served: Iterable[QueueCall],
    span: DaySpan,
    intervals: Intervals,
    queues: Mapping[str, str],
) -> None:
    """A contact where she took it; its conversation split. `queues`: by the switch's names."""
    calls = [call for call in served if call.connected_utc is not None]
    doubted = {id(later) for later, _ in overlapping(calls)}
    for call in calls:
        assert call.connected_utc is not None
        start_s = call.connected_utc // 1000
        if span.start_s <= start_s < span.end_s:
            sums = halves[intervals.start_of(start_s)]
            queue = queues.get(call.queue, call.queue)
            _book(sums.queues.setdefault(queue, Calls()), call, id(call) in doubted)
        if call.end_utc is not None:
            begin, until = max(start_s, span.start_s), min(call.end_utc // 1000, span.end_s)
            for at, seconds in intervals.parts(begin, until):
                halves[at].load.switch_talk_s += seconds


def _book(calls: Calls, call: QueueCall, doubted: bool) -> None:
    assert call.connected_utc is not None
    calls.offered += 1
    calls.answered += 1
    calls.by_switch += 1
    if call.end_utc is None:
        calls.aside_open += 1
        return
    talk_ms = call.end_utc - call.connected_utc
    if call.estimated:
        calls.aside_estimated += 1
    elif doubted or not 0 <= talk_ms <= LONGEST_MS:
        calls.aside_impossible += 1
    else:
        calls.n += 1
        calls.talk_s += whole_seconds(talk_ms)
        for counts, value in ((calls.code_n, 1), (calls.code_talk_s, whole_seconds(talk_ms))):
            counts[""] = counts.get("", 0) + value
