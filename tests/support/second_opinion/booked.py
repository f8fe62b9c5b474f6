"""What counts of each contact of a station, of each call that only the switch told of and of each
ring that nobody took: booked whole where it began, with its outcome (flow), its seconds where
means take it (averages). All tables of agents' calls add these up.
"""

from collections import Counter

from tests.support.second_opinion import raw
from tests.support.second_opinion.contacts import EXCUSED
from tests.support.second_opinion.switch import served

UNCODED = (None, "SIN_TIPIFICAR")


class Booked:
    """`n`: what it adds. `handle`: its whole seconds where means take it. `code`: of the tree.
    `transfer`: (kind, area). `cause`: of what was not taken.
    """

    def __init__(self, utc_s, agent, queue):
        self.utc_s, self.agent, self.queue = utc_s, agent, queue
        self.n, self.handle, self.code = Counter(), None, None
        self.transfer = self.cause = self.reference = None
        self.by_station = False


def of_contact(one):
    its = Booked(one.utc_s, one.agent, one.queue)
    n, its.by_station = its.n, True
    n["dialed" if one.out else "offered"] += 1
    if one.answered:
        n["connected" if one.out else "answered"] += 1
        if one.parent is not None:
            n["continued"] += 1
    elif one.out:
        n["not_answered" if one.closed else "dialing"] += 1
    elif one.cause:
        n["excused" if one.cause in EXCUSED else "missed"] += 1
    else:
        n["open"] += 1
    if not one.answered and one.closed:
        its.cause = one.cause or ""
        n["failed"] += one.ended_by == "technical"
    _seconds(one, n)
    if one.answered:
        its.reference = one.reference
        n["consults"] += one.consults
        n["left_on_hold"] += one.left_on_hold
        if one.transfer and one.ended_by == "transfer":
            n["transferred"] += 1
            its.transfer = one.transfer
        if one.aside:
            n["aside"] += 1
            n[f"aside_{one.aside}"] += 1
        else:
            _average(its, one.talk, one.hold, one.wrap)
            n["consult_s"] += one.consult
    coded = one.code not in UNCODED
    if coded:
        n["typified"] += 1
        n["retyped"] += one.author not in (None, one.agent)
        its.code = one.code
    elif one.answered and one.closed:
        n["untyped"] += 1
    return its


def _seconds(one, n):
    """Of ringing and dialling, which are beside the TMO."""
    if one.out:
        if (one.answered or one.closed) and not one.interrupted:
            n["dial_n"] += 1
            n["dial_s"] += raw.seconds(one.ring)
    elif one.ring is not None:
        if one.answered:
            n["ring_n"] += 1
            n["ring_s"] += raw.seconds(one.ring)
        elif n["missed"]:
            n["missed_ring_s"] += raw.seconds(one.ring)


def _average(its, talk, hold, wrap):
    its.n["n"] += 1
    its.n["talk_s"] += talk
    its.n["hold_s"] += hold
    its.n["wrap_s"] += wrap
    its.handle = talk + hold + wrap


def of_call(stay, rings_known):
    """That only the switch told of: where she took it."""
    its = Booked(stay.connected, stay.agent, stay.queue)
    its.reference = stay.reference
    n = its.n
    n["answered"] += 1
    n["by_switch"] += 1
    n["offered" if rings_known else "unrung"] += 1
    n["continued"] += stay.again
    if stay.ring is not None:
        n["ring_n"] += 1
        n["ring_s"] += stay.ring
    if stay.transfer:
        n["transferred"] += 1
        its.transfer = stay.transfer, ""
    aside = (
        "unnamed" if not stay.agent
        else "open" if not stay.is_over
        else "impossible" if stay.doubtful
        else None
    )  # fmt: skip
    if aside:
        n["aside"] += 1
        n[f"aside_{aside}"] += 1
    else:
        n["switch_n"] += 1
        _average(its, stay.talk, 0, 0)
    return its


def of_ring(ring):
    its = Booked(ring.t, ring.agent, ring.queue)
    its.n["rung_out"] += not ring.withdrawn
    if not ring.told:
        its.n["offered"] += 1
        its.n["excused" if ring.withdrawn else "missed"] += 1
        its.cause = "withdrawn" if ring.withdrawn else "no_answer"
        if not ring.withdrawn and ring.ms is not None:
            its.n["missed_ring_s"] += raw.seconds(ring.ms)
    return its


def book(contacts, stays, rings):
    known = bool(rings)
    return [
        *map(of_contact, contacts),
        *(of_call(one, known) for one in served(stays) if not one.contact),
        *map(of_ring, rings),
    ]


def summed(items):
    total = Counter()
    for one in items:
        total += one.n
    return total


def handled(n):
    """Segments with a conversation."""
    return n["answered"] + n["connected"]
