"""Which call of the switch a station's contact is: by the switch's own id where the station was
told it, else by the agent and the moment of the answer, within 30 s; each once, the nearest first.
"""

from collections import defaultdict

from tests.support.second_opinion.centre import grouped
from tests.support.second_opinion.switch import served

WINDOW_MS = 30_000


def join(contacts, stays, centre):
    """Marks each contact with its `call`, and each call with its `contact`."""
    ours = [
        one for one in contacts if one.answered and not one.out and one.answered_utc is not None
    ]
    calls = served(stays)
    by_id = grouped(calls, lambda one: one.pbx)
    near = [
        (one.agent != call.agent, abs(one.answered_utc - 1000 * call.connected), one, call)
        for one in ours
        if one.pbx
        for call in by_id.get(one.pbx, [])
    ]
    _take(near, "pbx")
    by_agent = grouped((one for one in calls if not one.contact), lambda one: one.agent)
    near = []
    for one in ours:
        if one.call is None:
            for call in by_agent.get(one.agent, []):
                off = abs(one.answered_utc - 1000 * call.connected)
                if off <= WINDOW_MS and centre.knows(call.name, call.connected):
                    near.append((False, off, one, call))
    _take(near, "alias")


def _take(near, by):
    for _, _, one, call in sorted(near, key=lambda it: (*it[:2], it[2].key, it[3].number)):
        if one.call is None and call.contact is None:
            one.call, call.contact = (call, by), one


def join_rings(rings, contacts):
    """Marks the rings that are a contact which her station missed: by the switch's id, else by
    the moment at which it stopped ringing.
    """
    missed = [one for one in contacts if one.cause and not one.out and one.stopped is not None]
    near = []
    for ring in rings:
        for one in missed:
            off = abs(one.stopped - 1000 * ring.t)
            if one.agent == ring.agent:
                if one.pbx and one.pbx == ring.pbx:
                    near.append((0, off, ring, one))
                elif not one.pbx and off <= WINDOW_MS:
                    near.append((1, off, ring, one))
    taken = set()
    for _, _, ring, one in sorted(near, key=lambda it: (*it[:2], it[2].t, it[3].key)):
        if not ring.told and one.key not in taken:
            ring.told = True
            taken.add(one.key)


def by_day(asked):
    centre, rows = asked.centre, defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    for one in asked.contacts:
        if one.answered and not one.out and one.utc_s is not None:
            row = rows[centre.day(one.utc_s).isoformat()]
            row["joined_contacts"] += 1
            row[f"by_{one.call[1]}" if one.call else "contacts_alone"] += 1
    for call in served(asked.all_stays):
        day = centre.day(call.connected)
        if day in asked.days:
            row = rows[day.isoformat()]
            row["joined_calls"] += 1
            if not call.contact:
                row["calls_alone"] += 1
                row["unnamed"] += not centre.knows(call.name, call.connected)
    rows = {day: row for day, row in rows.items() if row["joined_calls"]}  # else nothing to join
    total = {name: sum(row[name] for row in rows.values()) for name in COLUMNS}
    return rows | {None: total}


COLUMNS = (
    "joined_contacts", "joined_calls", "by_pbx", "by_alias", "contacts_alone", "calls_alone",
    "unnamed",
)  # fmt: skip
