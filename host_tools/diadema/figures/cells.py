"""One agent's day, or one queue's, worked out whole from what there is of it. Half-hours in which
there is nothing are left out; the day is their sum.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from diadema.figures.booking import book_contact, book_ticket
from diadema.figures.days import DaySpan
from diadema.figures.facts import Facts
from diadema.figures.load import add, stretches, technical
from diadema.figures.queues import book_queue_call
from diadema.figures.rows import QueueSums, Sums
from diadema.figures.switch import book_rings, book_served
from diadema.metrics.contacts import doubtful
from diadema.metrics.intervals import Intervals
from diadema.site.directory.switch_names import Held
from diadema.store.kept_contacts import key_of
from diadema.store.rows import QueueCall


def agent_halves(
    facts: Facts,
    span: DaySpan,
    intervals: Intervals,
    ringing: Collection[str],
    queues: Held,
) -> dict[int, Sums]:
    """By the half-hour's first second in UTC. `ringing`: see `book_served`. `queues`: by the
    switch's names.
    """
    halves: defaultdict[int, Sums] = defaultdict(Sums)
    told = facts.switch
    book_served(halves, told.served, told.continued, ringing, span, intervals, queues)
    book_rings(halves, told.rings, told.told, intervals, queues)
    doubted = doubtful([*facts.before, *facts.contacts])
    for contact in facts.contacts:
        assert contact.start_utc is not None
        at = intervals.start_of(contact.start_utc // 1000)
        book_contact(halves[at], contact, queues, doubtful=key_of(contact) in doubted)
    for ticket in facts.tickets:
        if ticket.open_utc is not None and span.start_s <= ticket.open_utc // 1000 < span.end_s:
            book_ticket(halves[intervals.start_of(ticket.open_utc // 1000)], ticket)
    its = stretches(facts.trails)
    for one in its:
        start, end = max(one.start_s, span.start_s), min(one.end_s, span.end_s)
        for at, seconds in intervals.parts(start, end):
            add(halves[at].load, one, seconds)
    for begin, until in technical(facts.tickets, facts.trails, its):
        start, end = max(begin, span.start_s), min(until, span.end_s)
        for at, seconds in intervals.parts(start, end):
            halves[at].load.technical_s += seconds
    for sums in halves.values():
        sums.load.present = int(sums.load.logged_s > 0)
    return dict(sorted(halves.items()))


def queue_halves(
    calls: Iterable[QueueCall], again: Collection[int], intervals: Intervals
) -> dict[int, QueueSums]:
    """Of one queue's calls that began on that day. `again`: by `id`, those answered before."""
    halves: defaultdict[int, QueueSums] = defaultdict(QueueSums)
    for call in calls:
        at = intervals.start_of(call.start_utc // 1000)
        book_queue_call(halves[at], call, again=id(call) in again)
    return dict(sorted(halves.items()))


def day_sums(halves: dict[int, Sums]) -> Sums:
    total = Sums()
    for one in halves.values():
        total += one
    total.load.present = 0
    return total


def queue_day(halves: dict[int, QueueSums]) -> QueueSums:
    total = QueueSums()
    for one in halves.values():
        total += one
    return total
