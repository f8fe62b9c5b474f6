"""What a supervisor must come for: rules over the live rows, the people and the hour. Pure.

An alert is known by its rule, its agent and its `since`, so that one that was acknowledged stays
so until it is over and begins anew.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from msgspec import Struct, field

from diadema.site.directory.people import People
from diadema.wire.agent_states import IN_CALL, LIMITS_S
from diadema.wire.letters import LETTERS
from diadema.wire.live_rows import Row

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
        rule=rule, agent=row.agent, name=name, seat=row.seat, since=since, level=level,
        limit=limit,
        what=what,
    )  # fmt: skip


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
        told = base if limit > limits.aht_least_s else None
        yield Alert(
            rule="call", agent=row.agent, name=row.name or row.agent, seat=row.seat,
            since=row.answered_utc,
            level=2, limit=limit, what=row.queue, base=told,
        )  # fmt: skip


def _help(row: Row, moment: Moment) -> Iterator[Alert]:
    """She waits for help and nobody has said that he comes."""
    if row.help is None or row.help_by is not None:
        return
    since, limit = row.help or row.since or 0, moment.limits.help_s
    if moment.now - since > 1000 * limit:
        yield _alert(row, "help", since, 3, limit, row.help_topic)


def _missed(row: Row, moment: Moment) -> Iterator[Alert]:
    """So many calls in a row rang and she did not take them."""
    if row.in_a_row >= moment.limits.missed and row.in_a_row_utc is not None:
        limit, count = moment.limits.missed, str(row.in_a_row)
        yield _alert(row, "missed", row.in_a_row_utc, 2, limit, count)


def _lost(row: Row, moment: Moment) -> Iterator[Alert]:
    """`since` is when her station was last heard; the limit counts from when it was lost."""
    seen, limit = moment.lost.get(row.agent), moment.limits.link_s
    if seen is not None and moment.now - seen > 1000 * limit:
        yield _alert(row, "link", row.utc_ms or seen, 2, limit, None)


def _unfit(row: Row, moment: Moment) -> Iterator[Alert]:
    """Posición no operativa: by its self-test, by a part that fails, or as she reported."""
    since, limit = row.fault, moment.limits.fault_s
    if row.unfit is not None:
        since = row.unfit_utc
    elif row.fault is None or row.fault_by is not None:
        return
    since = since or row.since or 0
    if moment.now - since >= 1000 * limit:
        yield _alert(row, "unfit", since, 3, limit, row.unfit)


def _absent(row: Row, moment: Moment) -> Iterator[Alert]:
    """Planned now, and not logged in since her shift began."""
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
