"""What a supervisor must attend to in a queue of the switch, and who is ready for each.

The switch tells how its queues stand and not since when: `QueueWatch` looks once a second, and
keeps since when each rule holds. What is not known keeps nothing up for longer than its limit.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from diadema.site.directory.alert_limits import limit_of
from diadema.site.directory.people import People
from diadema.wire.actions import alert_rule
from diadema.wire.letters import LETTERS
from diadema.wire.live_rows import SILENT_S, Queues, Row, Waiting

type Key = tuple[str, str, int]
type _Held = tuple[str, str]  # rule and queue

_SAME_MS = 3_600_000
_LASTS = {"queue_level_s", "queue_ready_s"}  # their limit is how long it has held
_LEVELS = {"queue_level_s": 1}  # of the others: 2


class Alert(Struct, frozen=True, kw_only=True, rename=LETTERS):
    """`since`: when that began which lasts too long (UTC ms). `level` 3 is for at once. `limit`:
    seconds or a number, and `base` the TMO of which it is a multiple, or the target that is
    missed. `what`: a state, a reason's name, a part, how many, or a percent. One of a queue has no
    agent, and the queue's name.
    """

    rule: str
    agent: str = ""
    name: str
    seat: str | None = None
    since: int
    level: int
    limit: int
    what: str | None = None
    base: float | None = None
    queue: str | None = None

    @property
    def key(self) -> Key:
        return alert_rule(self.rule, self.queue), self.agent, self.since


def is_for(alert: Alert, teams: frozenset[str] | None, people: People) -> bool:
    """Whether who sees these teams (None: all) is to attend to it."""
    if alert.queue is not None:
        return is_queue_for(alert.queue, teams, people)
    return teams is None or people.team(alert.agent) in teams


def is_queue_for(queue: str, teams: frozenset[str] | None, people: People) -> bool:
    """Whether one of their agents is given to it, or nobody is at all."""
    of_it = people.teams_of_queue(queue)
    return teams is None or not of_it or not of_it.isdisjoint(teams)


class QueueWatch:
    """`ready`: how many agents of each queue are ready, of those that agents are given to."""

    def __init__(self) -> None:
        self.ready: dict[str, int] = {}
        self._since: dict[_Held, int] = {}
        self._last: dict[_Held, int] = {}  # when it was last seen to hold
        self._began = False

    def count(self, rows: Iterable[Row], people: People) -> bool:
        """Count anew; whether any number is another now."""
        active = (one for one in people.workers.values() if one.active)
        ready = dict.fromkeys((queue for one in active for queue in one.queues), 0)
        for row in rows:
            if row.state == "ready" and (worker := people.workers.get(row.agent)) is not None:
                for queue in worker.queues:
                    ready[queue] = ready.get(queue, 0) + 1
        changed = ready != self.ready
        self.ready = ready
        return changed

    def look(
        self, board: Queues | None, people: People, now: int, seen: Iterable[Key]
    ) -> list[Alert]:
        """The alerts that hold. Where nobody tells (any more) there are none. `seen`: what was
        seen to; what holds at the first look of all may be of them, and goes on.
        """
        fresh = board is not None and now - board.heard <= 1000 * SILENT_S
        queues = board.queues if board is not None and fresh else {}
        found: list[Alert] = []
        holding: set[_Held] = set()
        for queue, one in queues.items():
            for rule, holds, since in self._rules(queue, one, people, now):
                limit = limit_of(people.alert_limits, rule, queue=queue)
                key = rule, queue
                if holds:
                    self._last[key] = now
                elif holds is not None or now - self._last.get(key, 0) > 1000 * limit:
                    continue
                holding.add(key)
                if key not in self._since:
                    before = None if self._began else _newest(seen, rule, queue, now)
                    self._since[key] = since if before is None else before
                if rule not in _LASTS or now - self._since[key] >= 1000 * limit:
                    found.append(_alert(rule, queue, one, people, self._since[key], limit))
        self._began |= bool(queues)
        for key in self._since.keys() - holding:
            del self._since[key], self._last[key]
        return found

    def _rules(
        self, queue: str, one: Waiting, people: People, now: int
    ) -> Iterable[tuple[str, bool | None, int]]:
        """Rule, whether it holds (None: nobody can say yet), and since when if it begins to."""
        limits, longest = people.alert_limits, one.longest_since
        yield "queue_waiting", one.waiting > limit_of(limits, "queue_waiting", queue=queue), now
        wait_ms = 1000 * limit_of(limits, "queue_wait_s", queue=queue)
        yield "queue_wait_s", longest is not None and now - longest > wait_ms, longest or now
        level, target = _level_of(one), people.target("service_level", queue)
        under = None if level is None else target is not None and level < target
        yield "queue_level_s", under, now
        yield "queue_ready_s", one.waiting > 0 and self.ready.get(queue) == 0, now


def _level_of(one: Waiting) -> float | None:
    """The service level that its target is of."""
    return one.service_level.get(one.variant)


def _newest(seen: Iterable[Key], rule: str, queue: str, now: int) -> int | None:
    """Since when the alert holds that was seen to last, if that may still be this one."""
    known = alert_rule(rule, queue)
    times = (since for name, _, since in seen if name == known and now - since <= _SAME_MS)
    return max(times, default=None)


def _alert(rule: str, queue: str, one: Waiting, people: People, since: int, limit: int) -> Alert:
    level = _level_of(one)
    what: Mapping[str, str | None] = {
        "queue_waiting": str(one.waiting),
        "queue_level_s": None if level is None else str(level),
    }
    return Alert(
        rule=rule,
        name=people.queues.get(queue, queue),
        since=since,
        level=_LEVELS.get(rule, 2),
        limit=limit,
        what=what.get(rule),
        base=people.target("service_level", queue) if rule == "queue_level_s" else None,
        queue=queue,
    )
