"""What a supervisor must attend to: pure rules over the live rows, the people and the time. When
each speaks, the directory says (`site.directory.alert_limits`).

An alert is known by its rule, its agent and its `since`, so that one that was acknowledged stays
so until it is over and begins anew. `Watch` applies the rules once a second, those of queues too
(`queue_alerts`), and knows who has acknowledged which.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.alert_limits import OF_STATE, limit_of, limit_of_reason
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.web.floor.feed import Floor, Pace
from diadema.web.floor.queue_alerts import Alert, Key, QueueWatch
from diadema.wire.agent_states import IN_CALL
from diadema.wire.live_rows import Row

log = logging.getLogger(__name__)
EVERY_S = 1.0
MOST_SEEN = 10_000
_DAY_MS = 86_400_000
_AGAIN_S = 5.0
_AHT_S = 300  # where there is no target


class Moment(Struct, frozen=True, kw_only=True):
    """What the rules look at besides the row. `lost`: since when each link is seen lost."""

    now: int
    today: date
    people: People
    lost: Mapping[str, int]

    def limit(self, rule: str, row: Row, *, called: bool = False) -> int:
        """`called`: by the queue of the running call too."""
        queue = self.people.queue(row.queue or "", row.since) if called else ""
        return limit_of(self.people.alert_limits, rule, self.people.team(row.agent), queue)


def alerts(rows: Iterable[Row], moment: Moment) -> list[Alert]:
    """Those that hold now, the most urgent first, and of those the longest."""
    found: list[Alert] = []
    for row in rows:
        if row.state == "logged_out":
            found += _absent(row, moment)
        else:
            for rule in _RULES:
                found += rule(row, moment)
    return sorted(found, key=_urgency)


def _urgency(one: Alert) -> tuple[int, int, str, str]:
    return -one.level, one.since, one.agent, one.queue or ""


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
    if row.since is None or row.state not in OF_STATE:
        return
    limit, rule, what = moment.limit(OF_STATE[row.state], row, called=True), "state", row.state
    if row.state == "not_ready" and not row.hides_reason:
        if (its := _limit_of_reason(row, moment)) is not None:
            limit, rule = its, "reason"
        if row.reason_label:
            what = row.reason_label
    if moment.now - row.since > 1000 * limit:
        yield _alert(row, rule, row.since, 1, limit, what)


def _limit_of_reason(row: Row, moment: Moment) -> int | None:
    people, code = moment.people, row.reason or ""
    limit = limit_of_reason(people.alert_limits, code, people.team(row.agent))
    if limit is None and (reason := people.reasons.get(code)) is not None:
        return reason.limit_s or None
    return limit


def _long_call(row: Row, moment: Moment) -> Iterator[Alert]:
    """A running call beyond so many times the TMO that is aimed at."""
    if row.state not in IN_CALL or row.answered_utc is None:
        return
    queue = moment.people.queue(row.queue or "", row.answered_utc)
    base = int(moment.people.target("aht_s", queue) or _AHT_S)
    least = moment.limit("call_s", row, called=True)
    limit = max(moment.limit("call_times", row, called=True) * base, least)
    if moment.now - row.answered_utc > 1000 * limit:
        shown = base if limit > least else None
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
    since, limit = row.help or row.since or 0, moment.limit("help_s", row)
    if moment.now - since > 1000 * limit:
        yield _alert(row, "help", since, 3, limit, row.help_topic)


def _missed(row: Row, moment: Moment) -> Iterator[Alert]:
    """So many calls in a row rang and the agent did not take them."""
    if not row.in_a_row or row.in_a_row_utc is None:
        return
    limit = moment.limit("missed_in_a_row", row)
    if row.in_a_row >= limit:
        yield _alert(row, "missed", row.in_a_row_utc, 2, limit, str(row.in_a_row))


def _lost(row: Row, moment: Moment) -> Iterator[Alert]:
    """`since`: when the agent's station was last heard; the limit counts from when it was lost."""
    seen = moment.lost.get(row.agent)
    if seen is None:
        return
    limit = moment.limit("link_s", row)
    if moment.now - seen > 1000 * limit:
        yield _alert(row, "link", row.utc_ms or seen, 2, limit, None)


def _unfit(row: Row, moment: Moment) -> Iterator[Alert]:
    """Posición no operativa: by its self-test, by a part that fails, or as the agent reported."""
    since = row.fault
    if row.unfit is not None:
        since = row.unfit_utc
    elif row.fault is None or row.fault_by is not None:
        return
    since, limit = since or row.since or 0, moment.limit("fault_s", row)
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
    """`alerts` hold now, seen to or not; `seen` is by whom. `on_change` when either changes.
    `others` give what holds beside the rows and the queues.
    """

    def __init__(
        self,
        floor: Floor,
        pace: Pace,
        people: Callable[[], People],
        today: Callable[[], date],
        down: Callable[[], int | None],
    ) -> None:
        self.alerts: list[Alert] = []
        self.queues = QueueWatch()
        self.seen: dict[Key, str] = {}
        self.others: list[Callable[[], list[Alert]]] = []  # that are not of the live rows
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
        rows = self._floor.rows.values()
        found = alerts(rows, moment)
        ready = self.queues.count(rows, moment.people)
        found += self.queues.look(self._floor.queues, moment.people, moment.now, self.seen)
        found += [one for others in self.others for one in others()]
        found.sort(key=_urgency)
        if found != self.alerts or ready:
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
            ((act.rule, act.agent or "", act.since_utc), act.who or act.by)
            for act in (one.act for one in reader.acts(start_utc=since_ms))
            if act.rule is not None and act.target is None and act.since_utc is not None
        ]
