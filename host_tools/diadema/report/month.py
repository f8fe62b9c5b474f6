"""A month of the switch's calls: how long callers waited, and who served them.

Flow is booked where the call entered the queue, a contact where an agent took it, and seconds of
conversation are split across the half-hours in which they passed. What cannot be is in flow and
in load, left out of means, and counted beside them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.metrics import queue
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import Flow
from diadema.metrics.rounding import mean, whole_seconds
from diadema.site.directory.people import People
from diadema.store import QueueCall, Reader
from diadema.store import reader as switch_calls
from diadema.wire.live_rows import SHORT_S

type Agent = str | None  # the switch named nobody


class Served(Struct):
    """An agent's contacts (atenciones) and seconds of conversation; `n` of them, of `n_talk_s`,
    are in the mean.
    """

    contacts: int = 0
    talk_s: int = 0
    n: int = 0
    n_talk_s: int = 0
    aside: Counter[str] = field(default_factory=Counter)

    @property
    def mean_talk_s(self) -> int | None:
        """Seconds of conversation over contacts, of those that can be."""
        return mean(self.n_talk_s, self.n)


class Cut(Struct):
    """When it was read: by the clock, and by the number of events taken in until then."""

    at: str
    position: int


class Month(Struct):
    """Intervals are known by their first second in UTC. `thresholds`: T of the queues that have
    another one than `threshold_s`. A call `at_once` waited no second.
    """

    month: str
    zone: str
    threshold_s: int
    short_s: int
    cut: Cut
    sources: list[str]
    days: tuple[str, str] | None  # of the first and the last call in the store
    total: Flow
    served: Served
    outside: Counter[str]  # calls that never stood in the queue, by cause
    agents: dict[Agent, Served]
    flow: dict[int, Flow]
    load: dict[tuple[int, Agent], Served]
    thresholds: dict[str, int]
    at_once: Counter[str]  # answered and abandoned without a wait


def month_report(
    reader: Reader,
    month: str,
    zone: ZoneInfo,
    now_ms: int,
    people: People,
    threshold_s: int | None = None,
    short_s: int = SHORT_S,
) -> Month:
    """`threshold_s` None: each queue's as the targets have it. Raises DiademaError for what is no
    month.
    """
    start_s, end_s = bounds(month, zone)
    with reader.engine.connect() as connection:  # one state of the store
        calls = switch_calls.calls(connection, start_s * 1000, end_s * 1000)
        position = switch_calls.position(connection)
        days = switch_calls.days(connection, zone)
    now = datetime.fromtimestamp(now_ms / 1000, zone).isoformat(timespec="seconds")
    its: dict[str, int] = {}
    if threshold_s is None:
        threshold_s = people.threshold_s()
        its = {name: t for name, t in people.thresholds.items() if t != threshold_s}
    for call in calls:
        call.queue = people.queue(call.queue, call.start_utc)
    return work_out(calls, month, zone, Cut(now, position), days, threshold_s, short_s, its)


def work_out(
    calls: Sequence[QueueCall],
    month: str,
    zone: ZoneInfo,
    cut: Cut,
    days: tuple[str, str] | None,
    threshold_s: int,
    short_s: int,
    thresholds: Mapping[str, int] = {},
) -> Month:
    """The same from its calls; what of them is outside of the month is left out."""
    made = Month(
        month=month,
        zone=zone.key,
        threshold_s=threshold_s,
        short_s=short_s,
        cut=cut,
        sources=sorted({call.station for call in calls}),
        days=days,
        total=Flow(),
        served=Served(),
        outside=Counter(),
        agents=defaultdict(Served),
        flow=defaultdict(Flow),
        load=defaultdict(Served),
        thresholds=dict(thresholds),
        at_once=Counter(),
    )
    start_s, end_s = bounds(month, zone)
    intervals = Intervals(zone)
    doubtful = {id(later) for later, _ in queue.overlapping(calls)}
    for call in calls:
        if start_s * 1000 <= call.start_utc < end_s * 1000:
            _book(made, call, intervals)
        if call.connected_utc is not None:
            _serve(made, call, intervals, (start_s, end_s), id(call) in doubtful)
    return made


def bounds(month: str, zone: ZoneInfo) -> tuple[int, int]:
    """First second of the month in that zone, and of the next one. Raises DiademaError."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
        following = (first + timedelta(days=31)).replace(day=1)
        return round(first.timestamp()), round(following.timestamp())
    except (ValueError, OverflowError):
        raise DiademaError(f"{month!r} is no month; write one like 1999-02") from None


def _book(made: Month, call: QueueCall, intervals: Intervals) -> None:
    if not call.entered:
        made.outside[call.cause or ""] += 1
        return
    if call.outcome in ("answered", "abandoned") and not call.wait_ms:
        made.at_once[call.outcome] += 1
    threshold_s = made.thresholds.get(call.queue, made.threshold_s)
    interval = intervals.start_of(call.start_utc // 1000)
    for flow in (made.total, made.flow[interval]):
        flow.add(call, threshold_s, made.short_s)


def _serve(
    made: Month, call: QueueCall, intervals: Intervals, month: tuple[int, int], doubtful: bool
) -> None:
    assert call.connected_utc is not None
    start_s, agent = call.connected_utc // 1000, call.agent
    if month[0] <= start_s < month[1]:
        talked = queue.talk_ms(call)
        why = _aside(call, doubtful)
        for row in (
            made.served,
            made.agents[agent],
            made.load[intervals.start_of(start_s), agent],
        ):
            row.contacts += 1
            if why:
                row.aside[why] += 1
            elif talked is not None:
                row.n += 1
                row.n_talk_s += whole_seconds(talked)
    if call.end_utc is None:
        return
    begin, until = max(start_s, month[0]), min(call.end_utc // 1000, month[1])
    if begin < until:
        made.served.talk_s += until - begin
        made.agents[agent].talk_s += until - begin
        for interval, seconds in intervals.parts(begin, until):
            made.load[interval, agent].talk_s += seconds


def _aside(call: QueueCall, doubtful: bool) -> str:
    """Why no mean takes this conversation."""
    if call.end_utc is None:
        return "open"
    if call.connected_utc is not None and call.end_utc < call.connected_utc:
        return "ends_before_start"
    if call.agent is None:
        return "no_agent"
    if call.estimated:
        return "estimated"
    return "overlapping" if doubtful else ""


def by_agent(rows: Mapping[Agent, Served]) -> list[tuple[Agent, Served]]:
    """By name; nobody comes last."""
    return sorted(rows.items(), key=lambda row: _name(row[0]))


def as_json(made: Month) -> dict[str, Any]:
    """For a script. Service levels and abandonment in percent; a mean that has nothing is null."""
    local = Intervals(ZoneInfo(made.zone)).local
    by_interval: defaultdict[int, Served] = defaultdict(Served)
    for (interval, _), row in made.load.items():
        by_interval[interval].contacts += row.contacts
        by_interval[interval].talk_s += row.talk_s
    starts = {start: local(start).isoformat() for start in {*made.flow, *by_interval}}
    return {
        "report": "month",
        "month": made.month,
        "zone": made.zone,
        "sources": made.sources,
        "cut_off": {"at": made.cut.at, "position": made.cut.position},
        "threshold_s": made.threshold_s,
        "thresholds": made.thresholds,
        "short_s": made.short_s,
        **_figures(made.total),
        "formulas": queue.VARIANTS,
        "outside_queue": dict(made.outside),
        "no_agent": made.agents[None].contacts if None in made.agents else 0,
        "at_once": {name: made.at_once[name] for name in ("answered", "abandoned")},
        **_served(made.served),
        "agents": [{"agent": agent, **_served(row)} for agent, row in by_agent(made.agents)],
        "intervals": [
            {
                "start": starts[start],
                **_figures(made.flow.get(start, Flow())),
                "contacts": by_interval[start].contacts,
                "talk_s": by_interval[start].talk_s,
            }
            for start in sorted(starts)
        ],
        "agent_intervals": [
            {"start": starts[start], "agent": a, "contacts": row.contacts, "talk_s": row.talk_s}
            for (start, a), row in sorted(
                made.load.items(), key=lambda one: (one[0][0], _name(one[0][1]))
            )
        ],
    }


def _figures(flow: Flow) -> dict[str, Any]:
    return {
        "service_level": queue.service_level(flow),
        "asa_s": queue.asa(flow),
        "abandonment": queue.abandonment(flow),
        "abandonment_noshort": queue.abandonment_noshort(flow),
        "abandonment_received": queue.abandonment_received(flow),
        "n": {**asdict(flow), "service_level": {v: n(flow) for v, n in queue.BASES.items()}},
    }


def _served(row: Served) -> dict[str, Any]:
    return {
        "contacts": row.contacts,
        "talk_s": row.talk_s,
        "mean_talk_s": row.mean_talk_s,
        "mean_n": row.n,
        "aside": dict(row.aside),
    }


def _name(agent: Agent) -> tuple[bool, str]:
    return agent is None, agent or ""
