"""`consolidado`: different users, what came of their calls, and whether they had to call again."""

from collections import Counter, defaultdict

from tests.support.second_opinion import raw
from tests.support.second_opinion.booked import handled, summed
from tests.support.second_opinion.calls import counted, tables
from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import ABANDONED, served

WINDOW_MS = 7 * 86_400_000
FLAGS = ("resuelto", "seguimiento", "reclamo", "negativa", "")


class Call:
    """One call with a conversation, its segments joined, of who took it first."""

    def __init__(self, contact):
        self.utc, self.queue, self.agent = contact.utc, contact.queue, contact.agent
        self.utc_s, self.reference, self.motive = contact.utc_s, contact.reference, None


def calls_of(contacts, centre):
    """Segments that name their parent, or have the switch's id of an earlier one, go on with it;
    where that one has no reference they are no call of their own.
    """
    found, by_contact, by_pbx = [], {}, {}
    taken = [one for one in contacts if one.answered and one.utc is not None]
    for one in sorted(taken, key=lambda one: (one.utc, one.key)):
        known = by_contact.get(one.parent) if one.parent else None
        known = known or (by_pbx.get(one.pbx) if one.pbx else None)
        if known is None:
            if one.parent or not one.reference:
                continue
            known = Call(one)
            found.append(known)
        by_contact[one.c] = known
        if one.pbx:
            by_pbx[one.pbx] = known
        if known.motive is None:
            known.motive = motive(one, centre)
    return found


def motive(contact, centre):
    if contact.motive:
        return contact.motive
    row = centre.tree.get(contact.code)
    return row["Código nivel 1"] if row else None


def resolved(call, calls, abandons, now_ms):
    """None while the window is open."""
    if now_ms < call.utc + WINDOW_MS:
        return None
    return not (
        any(
            one.reference == call.reference
            and one.motive == call.motive
            and call.utc < one.utc <= call.utc + WINDOW_MS
            for one in calls
        )
        or any(call.utc < utc <= call.utc + WINDOW_MS for utc in abandons[call.reference])
    )


def fcr(looked):
    n = Counter(looked)
    over = n[True] + n[False]
    return {
        "fcr_n": over,
        "resolved": n[True],
        "pending": n[None],
        "fcr": raw.percent(n[True], over),
    }


def make(asked):
    made = {}
    flags = Counter({word(flag): 0 for flag in FLAGS})
    for one in asked.booked:
        if one.code:
            flags[word(flag_of(asked.centre, one.code))] += 1
    made["flags"] = counted(flags, share=True)

    def cells(items):
        n, its = (
            summed(items),
            Counter(flag_of(asked.centre, one.code) for one in items if one.code),
        )
        return {
            "handled": handled(n),
            "distinct": handled(n) - n["continued"],
            **{f"flag_{flag or 'none'}": its[flag] for flag in FLAGS},
        }

    items = [one for one in asked.booked if handled(one.n) or one.n["typified"]]
    made["consolidated_agents"] = tables(asked, cells, "x", items)["x_agents"]
    if asked.is_floor:
        made |= _fcr_tables(asked)
    return made


def flag_of(centre, code):
    return centre.tree[code]["Resultado"].lower() if code in centre.tree else ""


def word(flag):
    return flag or "sin marca"


def _visits(asked):
    """(call, whether it resolved) of the days asked for."""
    whole, abandons = asked.whole, defaultdict(list)
    for stay in whole.stays:
        if stay.outcome == ABANDONED and stay.reference:
            abandons[stay.reference].append(1000 * stay.entered)
    calls = [one for one in calls_of(whole.contacts, asked.centre) if one.motive]
    return [
        (call, resolved(call, calls, abandons, asked.now_ms))
        for call in calls
        if asked.centre.day(call.utc_s) in asked.days
    ]


def _fcr_tables(asked):
    centre, visits = asked.centre, _visits(asked)
    motives = {row["Código nivel 1"]: row["Nivel 1"] for row in centre.tree.values()}
    keys = {
        "fcr_queues": lambda call: centre.queue_name(call.queue),
        "fcr_teams": lambda call: centre.team(call.agent, centre.day(call.utc_s)),
        "fcr_motives": lambda call: motives.get(call.motive, call.motive),
    }
    made = {}
    for key, of in keys.items():
        its = grouped(visits, lambda visit, of=of: of(visit[0]))
        made[key] = {at: fcr(ok for _, ok in some) for at, some in its.items()}
        made[key][None] = fcr(ok for _, ok in visits)
    return made


def summary(asked):
    n = summed(asked.booked)
    referred = [one.reference for one in asked.booked if handled(one.n) and one.reference]
    told = {
        "handled": (handled(n), None),
        "distinct": (handled(n) - n["continued"], None),
        "referred": (len(referred), handled(n)),
        "users": (len(set(referred)), len(referred)),
    }
    if asked.is_floor:
        its = fcr(ok for _, ok in _visits(asked))
        times = again(asked)
        back = sum(count > 1 for count in times.values())
        told |= {
            "fcr": (its["fcr"], its["fcr_n"]),
            "again": (back, len(times)),
            "again_share": (raw.percent(back, len(times)), len(times)),
        }
    return told


def again(asked):
    """Of each caller the distinct calls of these days, taken or given up."""
    times, in_days = Counter(), asked.days
    for call in calls_of(asked.whole.contacts, asked.centre):
        if asked.centre.day(call.utc_s) in in_days:
            times[call.reference] += 1
    for stay in served(asked.all_stays):
        first = not stay.contact and not stay.again
        if first and stay.reference and asked.centre.day(stay.connected) in in_days:
            times[stay.reference] += 1
    for stay in asked.stays:
        if stay.outcome == ABANDONED and stay.reference:
            times[stay.reference] += 1
    return times
