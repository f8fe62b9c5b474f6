"""An agent's calls as the switch alone tells of them: those that are no contact of a station. It
knows of no wrap-up, no hold and no presence: a contact's talk, and no load but that; and of rings
that nobody took only where its log tells of any.
"""

from collections.abc import Collection, Iterable, MutableMapping

from diadema.figures.booking import book_talk, book_transfer
from diadema.figures.days import DaySpan
from diadema.figures.joins import Aliases
from diadema.figures.rows import Calls, Sums
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import overlapping, talk_ms
from diadema.metrics.rounding import whole_seconds
from diadema.site.directory.people import People
from diadema.site.directory.switch_names import Held, queue_of
from diadema.store.kept_contacts import LONGEST_MS
from diadema.store.rows import QueueCall, QueueRing

NOBODY = ""  # whom the switch did not name


class Names:
    """Whose name at the switch is which; one that nobody knows stands for itself."""

    def __init__(self, aliases: Held) -> None:
        self._aliases = Aliases(People(aliases=aliases))

    def agent(self, told: str | None, utc_ms: int | None) -> str:
        return NOBODY if told is None else self._aliases.agent(told, utc_ms) or told

    def ever(self, told: str) -> set[str]:
        """All that it stood for on some day."""
        return {who or told for _, who in self._aliases.turns(told)} or {told}


def book_served(
    halves: MutableMapping[int, Sums],
    served: Iterable[QueueCall],
    continued: Collection[int],
    ringing: Collection[str],
    span: DaySpan,
    intervals: Intervals,
    queues: Held,
) -> None:
    """A contact where she took it; its conversation split. `continued`: by `id`, those whose call
    another answer began. `ringing`: switches that tell of rings that nobody took. `queues`: by the
    switch's names.
    """
    calls = [call for call in served if call.connected_utc is not None]
    doubted = {id(later) for later, _ in overlapping(calls)}
    for call in calls:
        assert call.connected_utc is not None
        start_s = call.connected_utc // 1000
        if span.start_s <= start_s < span.end_s:
            sums = halves[intervals.start_of(start_s)]
            queue = queue_of(queues, call.queue, call.start_utc)
            calls_of = sums.queues.setdefault(queue, Calls())
            _book(calls_of, call, id(call) in doubted)
            calls_of.continued += id(call) in continued
            if call.s in ringing:
                calls_of.offered += 1
            else:
                calls_of.unrung += 1
        if call.end_utc is not None:
            begin, until = max(start_s, span.start_s), min(call.end_utc // 1000, span.end_s)
            for at, seconds in intervals.parts(begin, until):
                halves[at].load.switch_talk_s += seconds


def book_rings(
    halves: MutableMapping[int, Sums],
    rings: Iterable[QueueRing],
    told: Collection[int],
    intervals: Intervals,
    queues: Held,
) -> None:
    """Where it stopped ringing. `told`: by `id`, those that her station told too. `queues`: by the
    switch's names.
    """
    for ring in rings:
        sums = halves[intervals.start_of(ring.utc // 1000)]
        calls = sums.queues.setdefault(queue_of(queues, ring.queue, ring.utc), Calls())
        calls.rung_out += not ring.withdrawn
        if id(ring) in told:
            continue
        calls.offered += 1
        cause = "withdrawn" if ring.withdrawn else "no_answer"
        calls.causes[cause] = calls.causes.get(cause, 0) + 1
        if ring.withdrawn:
            calls.excused += 1
        else:
            calls.missed += 1
            calls.missed_ring_s += whole_seconds(ring.ring_ms or 0)


def _book(calls: Calls, call: QueueCall, doubted: bool) -> None:
    calls.answered += 1
    calls.by_switch += 1
    if call.ring_ms is not None:
        calls.ring_n += 1
        calls.ring_s += whole_seconds(call.ring_ms)
    if call.cause == "transferred":
        book_transfer(calls, call.transfer, None)
    talked = talk_ms(call)
    if talked is None:
        calls.aside_open += 1
    elif call.agent is None:
        calls.aside_unnamed += 1
    elif call.estimated:
        calls.aside_estimated += 1
    elif doubted or not 0 <= talked <= LONGEST_MS:
        calls.aside_impossible += 1
    else:
        book_talk(calls, "", whole_seconds(talked))
        calls.switch_n += 1
