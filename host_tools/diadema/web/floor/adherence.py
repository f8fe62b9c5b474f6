"""Adherence in real time: since when each agent does not do as the roster has it for this moment,
by the rules of the report (`metrics/schedule.py`). Of whom the roster has nothing, or whose
station cannot be heard, nothing is said.

What was shown before this process began is not known here: only what runs is, since it began.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import msgspec
from msgspec import Struct, field

from diadema.figures.booking import Stretch
from diadema.metrics.schedule import BUSY, Deviation, Pause, deviations, slid
from diadema.site.directory.people import People, Planned
from diadema.web.floor.feed import Floor, Pace
from diadema.wire.agent_states import LOGGED_OUT, WORK
from diadema.wire.live_rows import Row

EVERY_S = 1.0

type _Doing = tuple[str, str | None, str | None]  # state, reason, by whom


class _Shown(Struct):
    """What was shown of one agent from `known_s` on, oldest first; `doing` runs since `start_s`.
    Calls that follow each other at once are one.
    """

    known_s: int

    past: list[Stretch] = field(default_factory=list)
    doing: _Doing | None = None
    start_s: int = 0
    faults: list[tuple[int, int]] = field(default_factory=list)
    fault_s: int | None = None

    def take(self, row: Row, now_s: int) -> None:
        doing: _Doing | None = row.state, row.reason, row.by
        if row.state == LOGGED_OUT:
            doing = None
        elif row.state in WORK:
            doing = BUSY, None, None
        if doing != self.doing:
            start_s = max(_since_s(row, now_s), self.start_s)
            self.past = self.until(start_s)
            self.doing, self.start_s = doing, start_s
        if row.fault is not None and self.fault_s is None:
            self.fault_s = (row.fault or row.since or 0) // 1000
        elif row.fault is None and self.fault_s is not None:
            self.faults = self.technical(now_s)
            self.fault_s = None

    def until(self, now_s: int) -> list[Stretch]:
        if self.doing is None or now_s <= self.start_s:
            return self.past
        return [*self.past, Stretch(self.start_s, now_s, *self.doing)]

    def technical(self, now_s: int) -> list[tuple[int, int]]:
        if self.fault_s is None or now_s <= self.fault_s:
            return self.faults
        return [*self.faults, (self.fault_s, now_s)]


class Adherence:
    """`since`: UTC ms, of who is out of the plan now; `on_change` with each whose is another."""

    def __init__(
        self,
        floor: Floor,
        pace: Pace,
        people: Callable[[], People],
        today: Callable[[], date],
        down: Callable[[], int | None],
    ) -> None:
        self.since: dict[str, int] = {}
        self.on_change: list[Callable[[str], None]] = []
        self._floor = floor
        self._pace = pace
        self._people = people
        self._today = today
        self._down = down
        self._known: People | None = None
        self._shown: dict[str, _Shown] = {}
        self._next: dict[str, float] = {}  # when time alone may change it
        floor.on_change.append(self._note)

    async def run(self) -> None:
        """Look, for ever; but not at what is known to be old."""
        while True:
            if self._down() is None:
                self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        people, now_s = self._people(), self._pace.now_ms() // 1000
        if people is not self._known:
            self._known, self._next = people, dict.fromkeys(self._shown, 0)
        for agent in [agent for agent, due in self._next.items() if due <= now_s]:
            self._judge(agent, people, now_s)

    def _note(self, agent: str) -> None:
        row, now_s = self._floor.rows.get(agent), self._pace.now_ms() // 1000
        if row is None:
            self._shown.pop(agent, None)
            self._next.pop(agent, None)
            self._say(agent, None)
            return
        if agent not in self._shown:
            self._shown[agent] = _Shown(_since_s(row, now_s))
        self._shown[agent].take(row, now_s)
        self._judge(agent, self._people(), now_s)

    def _judge(self, agent: str, people: People, now_s: int) -> None:
        shown, row = self._shown[agent], self._floor.rows[agent]
        plan, self._next[agent] = self._plan(agent, people, now_s)
        if plan is None:
            shown.past, shown.faults = [], []
            self._say(agent, None)
            return
        until_s, begins_s = now_s + 1, plan.start_s or 0  # whatever holds in this second
        its = shown.until(until_s)
        pauses, _ = slid(plan, its)
        plan = msgspec.structs.replace(plan, pauses=pauses)
        self._next[agent] = min(bound for bound in _bounds(plan) if bound > now_s)
        unheard = row.link == "lost" and row.state != LOGGED_OUT
        if unheard or (row.state == "not_ready" and row.private):
            self._say(agent, None)
            return
        plan.start_s, plan.end_s = max(begins_s, shown.known_s), until_s
        technical = shown.technical(until_s)
        found = deviations(plan, its, people.reasons, technical)
        since = _since(found, until_s, _missed(pauses, shown))
        if since == begins_s and now_s <= begins_s + plan.tolerance_s:
            since = None
        self._say(agent, None if since is None else since * 1000)

    def _plan(self, agent: str, people: People, now_s: int) -> tuple[Planned | None, float]:
        """The shift that runs, if one does, and when the next one begins."""
        today, following = self._today(), math.inf
        for day in (today - timedelta(days=1), today):
            plan = people.planned(agent, day)
            if plan is None or plan.absence is not None:
                continue
            if plan.start_s is None or plan.end_s is None:
                continue
            if plan.start_s <= now_s < plan.end_s:
                return plan, following
            if now_s < plan.start_s:
                following = min(following, plan.start_s)
        return None, following

    def _say(self, agent: str, since: int | None) -> None:
        if since == self.since.get(agent):
            return
        if since is None:
            del self.since[agent]
        else:
            self.since[agent] = since
        for call in self.on_change:
            call(agent)


def _bounds(plan: Planned) -> Iterator[int]:
    assert plan.start_s is not None and plan.end_s is not None
    yield plan.start_s + plan.tolerance_s + 1
    yield plan.end_s
    for start, end, _ in plan.pauses:
        yield from (start, end)


def _since_s(row: Row, now_s: int) -> int:
    """When what it shows began; of who never logged in, and nobody knows when not, always."""
    if row.since is None:
        return 0 if row.state == LOGGED_OUT else now_s
    return row.since // 1000


def _missed(pauses: list[Pause], shown: _Shown) -> dict[int, int]:
    """The beginnings, by their ends, of pauses of which who is logged out since before had none:
    that absence is one.
    """
    if shown.doing is not None:
        return {}
    return {end: start for start, end, _ in pauses if shown.start_s < start}


def _since(its: list[Deviation], now_s: int, missed: dict[int, int]) -> int | None:
    """The beginning of the exceptions without an excuse that reach until now."""
    since = None
    for one in reversed(its):
        reaches = now_s if since is None else missed.get(since, since)
        if one.excuse is not None or one.end_s != reaches:
            break
        since = one.start_s
    return since
