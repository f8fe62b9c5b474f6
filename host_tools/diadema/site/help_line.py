"""Calls for help in the order in which somebody comes, and how long each may wait: what the hub
goes by, and pages alike.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from diadema.site.directory.people import People
from diadema.store.assistance import Key

HELD_S = (30, 75)  # with a caller on hold: until the next group is told, and until the alert
WAIT_S = (60, 150)  # the others


class HelpCall(Struct, frozen=True, kw_only=True):
    """One who waits for help. `since`: UTC milliseconds; `held`: a caller is on hold meanwhile;
    `queue`: of that call.
    """

    of: Key
    since: int
    agent: str = ""
    topic: str = ""
    queue: str = ""
    held: bool = False


def in_order(calls: Iterable[HelpCall], people: People) -> list[HelpCall]:
    """A caller on hold first, then topics that are marked urgent, then by the wait."""
    return sorted(
        calls,
        key=lambda one: (not one.held, not _is_urgent(one, people), one.since, one.of),
    )


def _is_urgent(call: HelpCall, people: People) -> bool:
    topic = people.topics.get(call.topic)
    return topic is not None and topic.urgent


def before(ordered: Sequence[HelpCall], people: People) -> dict[Key, int]:
    """How many are before each of those, in that order, who wait for the same people: with an
    agent of the same team, or a call of the same queue.
    """
    teams: Counter[str] = Counter()
    queues: Counter[str] = Counter()
    both: Counter[tuple[str, str]] = Counter()
    found = {}
    for one in ordered:
        team, queue = people.team(one.agent), one.queue
        ahead = teams[team]
        if queue:
            ahead += queues[queue] - both[team, queue]
            queues[queue] += 1
            both[team, queue] += 1
        teams[team] += 1
        found[one.of] = ahead
    return found


def limits_s(call: HelpCall, people: People) -> tuple[int, int]:
    """After how many seconds the next group is told, and when there is an alert. A topic's own
    limits never let a caller on hold wait longer.
    """
    topic = people.topics.get(call.topic)
    own = (topic.escalate_s, topic.alert_s) if topic is not None else (None, None)
    if call.held:
        first, alert = (
            least if mine is None else min(mine, least)
            for mine, least in zip(own, HELD_S, strict=True)
        )
    else:
        first, alert = (
            usual if mine is None else mine for mine, usual in zip(own, WAIT_S, strict=True)
        )
    return first, max(first, alert)
