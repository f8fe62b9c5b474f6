"""What a supervisor must attend to: pure rules over the live rows, the people and the time.

An alert is known by its rule, its agent and its `since`, so that one that was acknowledged stays
so until it is over and begins anew. `Watch` applies the rules once a second and knows who has
acknowledged which.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct, field
from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.web.floor.feed import Floor, Pace
from diadema.wire.agent_states import IN_CALL, LIMITS_S
from diadema.wire.letters import LETTERS
from diadema.wire.live_rows import Row

log = logging.getLogger(__name__)
EVERY_S = 1.0
MOST_SEEN = 10_000
_DAY_MS = 86_400_000
_AGAIN_S = 5.0

type Key = tuple[str, str, int]


class Limits(Struct, frozen=True, kw_only=True):
    """When each rule speaks. A reason's own limit goes before that of `not_ready`."""

    states: Mapping[str, int] = field(default_factory=LIMITS_S.copy)
    aht_times: int = 3  # a running call against the target of its queue, or of the site
    aht_s: int = 300  # the target where there is none
    aht_least_s: int = 600
    help_s: int = 60
    fault_s: int = 0
    missed: int = 3
    link_s: int = 30


LIMITS = Limits()


class Alert(Struct, frozen=True, kw_only=True, rename=LETTERS):
    """`since`: when that began which lasts too long (UTC ms). `level` 3 is for at once. `limit`:
    seconds or a number, and `base` the TMO of which it is a multiple. `what`: a state, a
    reason's name, a part, or how many.
    """

    rule: str
    agent: str
    name: str
    seat: str | None
    since: int
    level: int
    limit: int
    what: str | None = None
    base: int | None = None

    @property
    def key(self) -> Key:
        return self.rule, self.agent, self.since


class Moment(Struct, frozen=True, kw_only=True):
    """What the rules look at besides the row. `lost`: since when each link is seen lost."""

    now: int
    today: date
    people: People
    lost: Mapping[str, int]
    limits: Limits = LIMITS


def alerts(rows: Iterable[Row], moment: Moment) -> list[Alert]:
    """Those that hold now, the most urgent first, and of those the longest."""
    found: list[Alert] = []
    for row in rows:
        if row.state == "logged_out":
            found += _absent(row, moment)
        else:
            for rule in _RULES:
                found += rule(row, moment)
    return sorted(found, key=lambda one: (-one.level, one.since, one.agent))


def _alert(row: Row, rule: str, since: int, level: int, limit: int, what: str | None) -> Alert:
    name = row.name or row.agent
    return Alert(
        rule=rule,
        agent=row.agent,
        name=name,
        seat=row.seat,
        since=since,
        level=level,
        limit=limit,
        what=what,
    )


def _too_long(row: Row, moment: Moment) -> Iterator[Alert]:
    """In a state, or not ready for a reason that has a limit. A private reason has neither name
    nor limit here: its limit would say which one it is.
    """
    if row.since is None:
        return
    limit, rule, what = moment.limits.states.get(row.state), "state", row.state
    if row.state == "not_ready" and not row.hides_reason:
        reason = moment.people.reasons.get(row.reason or "")
        if reason is not None and reason.limit_s:
            limit, rule = reason.limit_s, "reason"
        if row.reason_label:
            what = row.reason_label
    if limit is not None and moment.now - row.since > 1000 * limit:
        yield _alert(row, rule, row.since, 1, limit, what)


def _long_call(row: Row, moment: Moment) -> Iterator[Alert]:
    """A running call beyond so many times the TMO that is aimed at."""
    if row.state not in IN_CALL or row.answered_utc is None:
        return
    limits = moment.limits
    queue = moment.people.queue(row.queue or "", row.answered_utc)
    base = int(moment.people.target("aht_s", queue) or limits.aht_s)
    limit = max(limits.aht_times * base, limits.aht_least_s)
    if moment.now - row.answered_utc > 1000 * limit:
        shown = base if limit > limits.aht_least_s else None
        yield Alert(
            rule="call",
            agent=row.agent,
            name=row.name or row.agent,
            seat=row.seat,
            since=row.answered_utc,
            level=2,
            limit=limit,
            what=row.queue,
            base=shown,
        )


def _help(row: Row, moment: Moment) -> Iterator[Alert]:
    """The agent waits for help and nobody has accepted the request."""
    if row.help is None or row.help_by is not None:
        return
    since, limit = row.help or row.since or 0, moment.limits.help_s
    if moment.now - since > 1000 * limit:
        yield _alert(row, "help", since, 3, limit, row.help_topic)


def _missed(row: Row, moment: Moment) -> Iterator[Alert]:
    """So many calls in a row rang and the agent did not take them."""
    if row.in_a_row >= moment.limits.missed and row.in_a_row_utc is not None:
        limit, count = moment.limits.missed, str(row.in_a_row)
        yield _alert(row, "missed", row.in_a_row_utc, 2, limit, count)


def _lost(row: Row, moment: Moment) -> Iterator[Alert]:
    """`since`: when the agent's station was last heard; the limit counts from when it was lost."""
    seen, limit = moment.lost.get(row.agent), moment.limits.link_s
    if seen is not None and moment.now - seen > 1000 * limit:
        yield _alert(row, "link", row.utc_ms or seen, 2, limit, None)


def _unfit(row: Row, moment: Moment) -> Iterator[Alert]:
    """Posición no operativa: by its self-test, by a part that fails, or as the agent reported."""
    since, limit = row.fault, moment.limits.fault_s
    if row.unfit is not None:
        since = row.unfit_utc
    elif row.fault is None or row.fault_by is not None:
        return
    since = since or row.since or 0
    if moment.now - since >= 1000 * limit:
        yield _alert(row, "unfit", since, 3, limit, row.unfit)


def _absent(row: Row, moment: Moment) -> Iterator[Alert]:
    """Planned now, and not logged in since the agent's shift began."""
    planned = moment.people.planned(row.agent, moment.today)
    if planned is None or planned.absence or planned.start_s is None or planned.end_s is None:
        return
    start, limit = 1000 * planned.start_s, planned.tolerance_s
    late = start + 1000 * limit < moment.now < 1000 * planned.end_s
    if late and (row.since is None or row.since < start):
        yield _alert(row, "absent", start, 2, limit, planned.shift)


_RULES: tuple[Callable[[Row, Moment], Iterator[Alert]], ...] = (
    _too_long,
    _long_call,
    _help,
    _missed,
    _lost,
    _unfit,
)


class Watch:
    """`alerts` hold now, seen to or not; `seen` is by whom. `on_change` when either changes."""

    def __init__(
        self,
        floor: Floor,
        pace: Pace,
        people: Callable[[], People],
        today: Callable[[], date],
        down: Callable[[], int | None],
    ) -> None:
        self.alerts: list[Alert] = []
        self.seen: dict[Key, str] = {}
        self.on_change: list[Callable[[], None]] = []
        self._floor = floor
        self._pace = pace
        self._people = people
        self._today = today
        self._down = down
        self._lost: dict[str, int] = {}
        floor.on_change.append(self._note_link)

    async def remember(self, data: DataDir) -> None:
        """Take from the register what was seen to in the last day, before this process began."""
        while data.store.exists():
            try:
                known = await asyncio.to_thread(acknowledged, data, self._pace.now_ms() - _DAY_MS)
            except (DiademaError, SQLAlchemyError) as error:
                log.info("the register cannot be read yet: %s", error)
                await asyncio.sleep(_AGAIN_S)
            else:
                self.see([*known, *self.seen.items()])
                return

    async def run(self) -> None:
        """Look, for ever; but not at what is known to be old."""
        while True:
            if self._down() is None:
                self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        moment = Moment(
            now=self._pace.now_ms(), today=self._today(), people=self._people(), lost=self._lost
        )
        found = alerts(self._floor.rows.values(), moment)
        if found != self.alerts:
            self.alerts = found
            self._changed()

    def see(self, seen: Iterable[tuple[Key, str]]) -> None:
        """These were acknowledged, by whom; the oldest are forgotten."""
        self.seen |= seen
        for key in list(self.seen)[: len(self.seen) - MOST_SEEN]:
            del self.seen[key]
        self._changed()

    def _note_link(self, agent: str) -> None:
        row = self._floor.rows.get(agent)
        if row is not None and row.link == "lost":
            self._lost.setdefault(agent, self._pace.now_ms())
        else:
            self._lost.pop(agent, None)

    def _changed(self) -> None:
        for call in self.on_change:
            call()


def acknowledged(data: DataDir, since_ms: int) -> list[tuple[Key, str]]:
    """The alerts that were seen to since then, and by whom. Raises DiademaError."""
    with open_reader(data.store) as reader:
        return [
            ((act.rule, act.agent, act.since_utc), act.who or act.by)
            for act in (one.act for one in reader.acts(start_utc=since_ms))
            if act.rule is not None and act.agent is not None and act.since_utc is not None
        ]
