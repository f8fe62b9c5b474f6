"""The intraday table: every half-hour of every date by itself, the switch's side and the agents'
beside each other and beside their targets; and how the waits were spread.

Flow of the switch is booked where the caller entered the queue, contacts where they began, and
seconds of states where they passed. A queue has no load; an agent or a team no callers.
"""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec import Struct

from diadema.figures.rows import Calls, Load, QueueSums, Sums
from diadema.figures.shifts import around
from diadema.metrics import calls as of_calls
from diadema.metrics import queue as of_queue
from diadema.metrics import states
from diadema.metrics.intervals import Intervals, clock_words
from diadema.metrics.queue import Flow
from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.kinds import service_level
from diadema.report.model import Cell, Chart, Kind, Ratio, Section
from diadema.report.tables import Line, Part, Stated, heat_map, summary, table
from diadema.site.directory.people_of import people as read_people

BUCKETS = (5, 10, 20, 30, 60, 120, 300, None)  # seconds, the last of each; None: longer
_HEADS: tuple[tuple[str, Kind], ...] = (("day", "day"), ("hour", "text"))


class Half(Struct):
    """One half-hour, or all. `flow` or `load` None: there is none of whom is asked about.
    `waits`: of each queue. `planned`: agents with a shift in it; None where no roster is known.
    """

    flow: Flow | None
    waits: list[QueueSums]
    calls: Calls
    load: Load | None
    planned: int | None = None

    @property
    def longest(self) -> int | None:
        return of_queue.longest_wait(
            waits
            for its in self.waits
            for waits in (its.answered_waits, its.abandoned_waits, its.left_waits)
        )


def make(context: ReportContext) -> list[Section]:
    halves: list[tuple[list[Cell], Half]] = []
    roster = _planned(context)
    for day in context.figures.days:
        agents = day.half_hours()
        queues = day.queue_intervals
        starts = range(day.start_ms // 1000, day.end_ms // 1000)
        due = {at: n for at, n in roster.items() if at in starts}
        words = clock_words({*agents, *queues, *due}, context.zone)
        for start in sorted(words):
            one = _half(context, agents.get(start, Sums()), queues.get(start, {}))
            if due and one.load is not None:
                one.planned = due.get(start, 0)
            if (
                one.calls or one.planned
                or (one.load and one.load.logged_s) or (one.flow and one.flow.received)
            ):  # fmt: skip
                halves.append(([day.day, words[start]], one))
    whole = _whole(context)
    if whole.flow is None:
        for _, one in halves:
            one.flow = None
    variant = context.people.variant(context.queue or "")
    given: dict[str, Cell] = {"longest_wait_s": _longest(whole)}
    made = table(context, "intraday", _HEADS, _parts(variant), halves, given=given)
    if context.period.grain == "day":
        made.charts = _charts(context, whole)
    sections = [_summary(context, whole, [one for _, one in halves]), made]
    if whole.flow is not None:
        sections.append(_waits(context, QueueSums.total(whole.waits)))
        sections += heat_map(context, "intraday_map", service_level.entered(context))
    return sections


def _whole(context: ReportContext) -> Half:
    """Of the span. Without a flow where no switch told of its days."""
    names = {queue for day in context.figures.days for queue in day.queues}
    whole = _half(context, context.total, {one: context.figures.queue(one) for one in names})
    if whole.flow is not None and not whole.flow.received:
        whole.flow = None
    return whole


def _planned(context: ReportContext) -> dict[int, int]:
    """By half-hour that has begun, how many of these have a shift at some moment of it."""
    if context.queue is not None:
        return {}
    first, last = context.period.first, context.period.last
    roster = read_people(context.data, *around(first, last)).roster
    start_s, end_s = (at // 1000 for at in context.bounds_ms)
    hours = Counter(
        (max(plan.start_s, start_s), min(plan.end_s, end_s, context.now_ms // 1000))
        for (agent, day), plan in roster.items()
        if not plan.absence and plan.start_s is not None and plan.end_s is not None
        if context.has(agent, day)
    )
    cut_by, found = Intervals(context.zone), Counter[int]()
    for shift, agents in hours.items():
        for at, _ in cut_by.parts(*shift):
            found[at] += agents
    return dict(found)


def _charts(context: ReportContext, whole: Half) -> list[Chart]:
    """What came and how soon it was taken; how busy those were who took it, and how many they
    were beside the plan.
    """
    people = None if whole.load is None else context.logged_in
    charts = [service_level.arrivals(context, "intraday", "hour", whole.flow or Flow())]
    for name, bars, lines, unit, n in (
        ("present", ["planned_agents"], ["present"], "agents", people),
        ("occupancy", [], ["occupancy"], "agents", people),
        ("intraday_aht", ["n"], ["aht_s"], "contacts", whole.calls.n),
    ):
        title, of = context.say(f"chart.{name}"), context.say(f"unit.{unit}")
        charts.append(Chart(title=title, x="hour", bars=bars, lines=lines, unit=of, n=n))
    return charts


def _half(context: ReportContext, sums: Sums, queues: Mapping[str, QueueSums]) -> Half:
    waits = [its for queue, its in queues.items() if context.queue in (None, queue)]
    callers = context.scope.of in ("floor", "queue")
    return Half(
        flow=context.flow(queues) if callers else None,
        waits=waits,
        calls=sums.calls(context.queue),
        load=sums.load if context.queue is None else None,
    )


def _of_flow(get: Any) -> Any:
    return lambda half: None if half.flow is None else get(half.flow)


def _of_load(get: Any) -> Any:
    return lambda half: None if half.load is None else get(half.load)


def _parts(variant: str) -> list[Part[Half]]:
    """With the columns that the total of the service level's variant is made of."""
    of_service = {part.key: part for part in service_level.PARTS}
    level = of_service[f"sl_{variant}"]
    assert isinstance(level.total, Ratio)
    names = ["received", "answered", "abandoned", "left", "waiting", "answered_within"]
    names += [name.lstrip("-") for name in (*level.total.over, *level.total.by)]
    shown = [*dict.fromkeys(names), level.key, "abandonment", "wait_s", "asa_s"]
    parts = [
        Part(one.key, _of_flow(one.get), one.kind, one.total, one.target)
        for one in (of_service[key] for key in shown)
    ]
    return [
        *parts,
        Part("longest_wait_s", _longest, "seconds", "given"),
        Part("n", lambda half: half.calls.n),
        Part("handle_s", lambda half: of_calls.handle_s(half.calls), "seconds"),
        Part(
            "aht_s", lambda half: of_calls.aht(half.calls), "seconds",
            Ratio(["handle_s"], ["n"]), "aht_s",
        ),
        Part("busy_s", _of_load(lambda load: load.handling_s), "seconds"),
        Part("ready", _of_load(lambda load: load.ready), "seconds"),
        Part(
            "occupancy", _of_load(states.occupancy), "percent",
            Ratio(["busy_s"], ["busy_s", "ready"]), "occupancy",
        ),
        Part("present", _of_load(lambda load: load.present), total=None),
        Part("planned_agents", lambda half: half.planned, total=None),
    ]  # fmt: skip


def _longest(half: Half) -> int | None:
    return None if half.flow is None else half.longest


def stated(context: ReportContext) -> list[Stated]:
    """But for what is of single half-hours."""
    return [one for one in _stated(context, _whole(context), []) if one.key != "halves_met"]


def _stated(context: ReportContext, whole: Half, halves: list[Half]) -> list[Stated]:
    found: list[Stated] = []
    variant = context.people.variant(context.queue or "")
    if (flow := whole.flow) is not None:
        level = of_queue.service_level(flow)[variant]
        name, waits = f"sl_{variant}", QueueSums.total(whole.waits)
        aim = context.target(f"service_level {variant}")
        levels = [of_queue.service_level(one.flow)[variant] for one in halves if one.flow]
        met = None if aim is None else of_queue.halves_met(levels, aim.missed)
        ended = sum(map(_count, (waits.answered_waits, waits.abandoned_waits, waits.left_waits)))
        n, base = flow.answered, of_queue.BASES[variant](flow)
        found = [
            Stated(name, "percent", level, base, f"service_level {variant}"),
            Stated("halves_met", "percent", met, sum(one is not None for one in levels)),
            Stated("asa_s", "seconds", of_queue.asa(flow), n, "asa_s"),
            Stated("wait_p50_s", "seconds", of_queue.wait_percentile(waits.answered_waits, 50), n),
            Stated("wait_p90_s", "seconds", of_queue.wait_percentile(waits.answered_waits, 90), n),
            Stated("longest_wait_s", "seconds", whole.longest, ended),
            Stated(
                "abandonment", "percent", of_queue.abandonment(flow),
                flow.answered + flow.abandoned, "abandonment",
            ),
        ]  # fmt: skip
    found.append(Stated("aht_s", "seconds", of_calls.aht(whole.calls), whole.calls.n, "aht_s"))
    if whole.load is not None:
        people = partial(getattr, context, "logged_in")
        occupied = states.occupancy(whole.load)
        found.append(Stated("occupancy", "percent", occupied, people, "occupancy"))
    return found


def _summary(context: ReportContext, whole: Half, halves: list[Half]) -> Section:
    notes = [context.threshold_note, context.say("note.intraday")]
    if whole.flow is None:
        callers = context.scope.of in ("floor", "queue")
        notes.append(context.say("note.no_switch" if callers else "note.switch_of_all"))
    if whole.load is None:
        notes.append(context.say("note.no_load_of_queue"))
    return summary(context, _stated(context, whole, halves), notes)


def _count(waits: Mapping[int, int]) -> int:
    return sum(waits.values())


class Bucket(Struct):
    """Calls whose wait lies in it; `until`: answered so soon or sooner, of `whole` answered."""

    answered: int
    abandoned: int
    left: int
    until: int
    whole: int


_BUCKET: list[Part[Bucket]] = [
    Part("answered", lambda one: one.answered),
    Part("abandoned", lambda one: one.abandoned),
    Part("left", lambda one: one.left),
    Part("cumulated", lambda one: percent(one.until, one.whole), "percent", None),
]


def _waits(context: ReportContext, waits: QueueSums) -> Section:
    lines: list[Line[Bucket]] = []
    low, until, whole = 0, 0, _count(waits.answered_waits)
    for last in BUCKETS:
        answered, abandoned, left = (
            sum(n for s, n in its.items() if s >= low and (last is None or s <= last))
            for its in (waits.answered_waits, waits.abandoned_waits, waits.left_waits)
        )
        until += answered
        word = f"> {low - 1} s" if last is None else f"{low} – {last} s"
        lines.append(([word], Bucket(answered, abandoned, left, until, whole)))
        low = (last or 0) + 1
    notes = [context.say("note.waits")]
    return table(context, "waits", [("bucket", "text")], _BUCKET, lines, notes=notes)
