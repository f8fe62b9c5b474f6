"""Monitors: what each did of the calls assigned in the span, whether they agree on the items of a
scorecard, and who scores higher or lower than the others. For the coordinator of quality alone.

Agreement and «desvío» are of whole months, so that they are the same in each report of one.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from diadema.metrics.rounding import percent, whole_seconds
from diadema.quality import monitors
from diadema.quality.monitors import (
    HEARD_LEAST_MS,
    MonitorMonth,
    Month,
    Replaced,
    Task,
    Twice,
)
from diadema.report.context import ReportContext
from diadema.report.model import Figure, Interval, Kind, Ratio, Section
from diadema.report.tables import Line, Part, Stated, summary, table
from diadema.store import open_reader


class Work(Struct):
    """Of one monitor or of all: calls by state, and what was heard of those that are done, each
    call in whole seconds.
    """

    assigned: int = 0
    done: int = 0
    late: int = 0
    waiting: int = 0
    heard_s: int = 0
    call_s: int = 0

    def add(self, task: Task, now_ms: int) -> None:
        state = task.state(now_ms)
        self.assigned += 1
        self.late += state == "late"
        self.waiting += state == "waiting"
        if state == "done":
            self.done += 1
            self.heard_s += whole_seconds(task.heard_ms)
            self.call_s += whole_seconds(task.call_ms)


PARTS: list[Part[Work]] = [
    Part("assigned_calls", lambda its: its.assigned),
    Part("evaluated_calls", lambda its: its.done),
    Part("late_calls", lambda its: its.late),
    Part("waiting_calls", lambda its: its.waiting),
    Part("heard_s", lambda its: its.heard_s, "seconds"),
    Part("recorded_s", lambda its: its.call_s, "seconds"),
    Part(
        "heard_share", lambda its: percent(its.heard_s, its.call_s), "percent",
        Ratio(["heard_s"], ["recorded_s"]),
    ),
]  # fmt: skip
REPLACED: list[Part[list[Replaced]]] = [
    Part("replaced_calls", len),
    Part(
        "replaced_heard", lambda its: sum(one.call.heard_ms >= HEARD_LEAST_MS for one in its)
    ),
]  # fmt: skip
_MONITOR: tuple[tuple[str, Kind], ...] = (("monitor", "text"),)
_REASON: tuple[tuple[str, Kind], ...] = (*_MONITOR, ("replaced_why", "text"))
_BIAS: tuple[tuple[str, Kind], ...] = (("monitor", "text"), ("month", "text"))
_ITEMS: tuple[tuple[str, Kind], ...] = (
    ("month", "text"), ("scorecard", "text"), ("item", "text"), ("item_text", "text"),
)  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    of_span, pairs, months, replaced = _read(context)
    found = monitors.biases(pairs)
    alerts = {month: monitors.biased(found, month) for month in months}
    shown = [one for one in pairs if one.month in months]
    return [
        summary(context, _stated(context, of_span, shown), _notes(context, alerts)),
        _work(context, of_span),
        _replaced(context, replaced),
        _bias(context, found, alerts),
        _agreement(context, shown),
    ]


def _read(
    context: ReportContext,
) -> tuple[list[Task], list[Twice], list[Month], list[Replaced]]:
    """The tasks of the span; the pairs of its months and of the one before; those months; what was
    replaced in the span.
    """
    zone, scorecards = context.zone, context.people.scorecards
    start, end = context.bounds_ms
    months = [*dict.fromkeys(monitors.month_of(one, zone) for one in (start, end - 1))]
    first, _ = monitors.bounds_of(monitors.month_before(months[0]), zone)
    last = monitors.bounds_of(months[-1], zone)[1]
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        every = [one for one in monitors.tasks(tx, first, last) if _is_of(context, one)]
        found = monitors.replacements(tx, start, end)
    of_span = [one for one in every if start <= one.given.assignment.utc < end]
    replaced = [one for one in found if _is_of(context, one.call)]
    return of_span, monitors.twice(every, scorecards, zone), months, replaced


def _is_of(context: ReportContext, task: Task) -> bool:
    """By the call's agent, whose team is that of then, and its queue."""
    agent, contact = task.given.assignment.agent, task.contact
    if context.queue is not None:
        named = contact.queue if contact else None
        return context.people.queue(named or "", task.began_utc) == context.queue
    return context.agents is None or context.has_at(agent, task.began_utc)


def _stated(context: ReportContext, tasks: Sequence[Task], pairs: Sequence[Twice]) -> list[Stated]:
    whole = _all(tasks, context.now_ms)
    return [
        Stated("evaluated_share", "percent", percent(whole.done, whole.assigned), whole.assigned),
        Stated("late_calls", "count", whole.late, whole.assigned),
        Stated("heard_share", "percent", percent(whole.heard_s, whole.call_s), whole.done),
        Stated("pairs", "count", len(pairs)),
    ]


def _all(tasks: Iterable[Task], now_ms: int) -> Work:
    whole = Work()
    for task in tasks:
        whole.add(task, now_ms)
    return whole


def _notes(context: ReportContext, alerts: dict[Month, list[str]]) -> list[str]:
    """What is an alert first."""
    said = [
        context.say("note.biased", monitor=one, month=month, before=monitors.month_before(month))
        for month, those in alerts.items()
        for one in those
    ]
    return [*said, context.say("note.monitors")]


def _work(context: ReportContext, tasks: Sequence[Task]) -> Section:
    found: defaultdict[str, Work] = defaultdict(Work)
    for task in tasks:
        found[task.monitor].add(task, context.now_ms)
    lines: list[Line[Work]] = [([monitor], found[monitor]) for monitor in sorted(found)]
    return table(context, "monitors", _MONITOR, PARTS, lines)


def _replaced(context: ReportContext, replaced: Iterable[Replaced]) -> Section:
    """By who asked, and why."""
    found: defaultdict[tuple[str, str], list[Replaced]] = defaultdict(list)
    for one in replaced:
        found[one.by, one.reason].append(one)
    lines: list[Line[list[Replaced]]] = [
        ([by, context.known("replaced", reason)], found[by, reason])
        for by, reason in sorted(found)
    ]
    notes = [context.say("note.replaced", seconds=HEARD_LEAST_MS // 1000)]
    return table(context, "replaced", _REASON, REPLACED, lines, total=False, notes=notes)


def _bias(
    context: ReportContext, found: Sequence[MonitorMonth], alerts: dict[Month, list[str]]
) -> Section:
    def value(its: MonitorMonth) -> Figure:
        if (one := its.bias) is None:
            return Figure("score", None)
        return Figure("score", one.value, within=Interval(one.low, one.high, one.n))

    def alert(its: MonitorMonth) -> str | None:
        return context.say("alert.biased") if its.monitor in alerts.get(its.month, ()) else None

    parts: list[Part[MonitorMonth]] = [
        Part("pairs", lambda its: its.pairs, "count", None),
        Part("bias", value, "score", None, interval=True),
        Part("alert", alert, "text", None),
    ]
    lines: list[Line[MonitorMonth]] = [([its.monitor, its.month], its) for its in found]
    return table(
        context, "bias", _BIAS, parts, lines, notes=[context.say("note.bias")], total=False
    )


def _agreement(context: ReportContext, pairs: Sequence[Twice]) -> Section:
    parts: list[Part[monitors.ItemMonth]] = [
        Part("pairs", lambda its: its.agreement.n, "count", None),
        Part("same_answers", lambda its: its.agreement.same, "count", None),
        Part("agreement", lambda its: its.agreement.percent, "percent", None),
        Part("ac1", lambda its: _rounded(its.agreement.ac1), "coefficient", None),
        Part("alpha", lambda its: _rounded(its.agreement.alpha), "coefficient", None),
        Part(
            "alert",
            lambda its: context.say("alert.review") if its.agreement.review else None,
            "text",
            None,
        ),
    ]
    lines: list[Line[monitors.ItemMonth]] = [
        ([its.month, its.scorecard.label, its.item.code, its.item.text], its)
        for its in monitors.agreements(pairs)
    ]
    notes = [context.say("note.agreement")]
    return table(context, "agreement", _ITEMS, parts, lines, notes=notes, total=False)


def _rounded(value: float | None) -> float | None:
    """To two decimals, and never -0.00."""
    return None if value is None else round(value, 2) + 0.0
