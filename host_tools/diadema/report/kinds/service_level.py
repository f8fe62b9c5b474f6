"""The queue side: how long callers waited, by the switch. All five service levels, by name."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from diadema.figures.joins import JoinedDay
from diadema.metrics import queue as of
from diadema.metrics.intervals import by_clock, clock_words
from diadema.metrics.queue import Flow
from diadema.report.context import ReportContext
from diadema.report.model import Chart, Kind, Ratio, Section
from diadema.report.tables import Line, Part, Stated, heat_map, queue_name, summary, table

_ENDED = ["answered", "abandoned"]


def _level(
    variant: str, get: Callable[[Flow], float | None], over: list[str], by: list[str]
) -> Part[Flow]:
    return Part(
        f"sl_{variant}", get, "percent", Ratio(over, by), target=f"service_level {variant}"
    )


_SOON = ["answered_within"]
PARTS: list[Part[Flow]] = [
    Part("received", lambda flow: flow.received),
    Part("answered", lambda flow: flow.answered),
    Part("abandoned", lambda flow: flow.abandoned),
    Part("left", lambda flow: flow.left),
    Part("waiting", lambda flow: flow.waiting),
    Part("answered_within", lambda flow: flow.answered_within),
    Part("abandoned_within", lambda flow: flow.abandoned_within),
    Part("short", lambda flow: flow.short),
    _level("offered", of.sl_offered, _SOON, _ENDED),
    _level("noshort", of.sl_noshort, _SOON, [*_ENDED, "-short"]),
    _level("answered", of.sl_answered, _SOON, ["answered"]),
    _level("removed", of.sl_removed, [*_SOON, "abandoned_within"], _ENDED),
    _level("all", of.sl_all, _SOON, ["received"]),
    Part("answer_rate", of.answer_rate, "percent", Ratio(["answered"], ["received"]),
         "answer_rate"),
    Part("wait_s", lambda flow: flow.wait_s, "seconds"),
    Part("asa_s", of.asa, "seconds", Ratio(["wait_s"], ["answered"]), "asa_s"),
    Part("abandonment", of.abandonment, "percent", Ratio(["abandoned"], _ENDED), "abandonment"),
    Part("abandonment_noshort", of.abandonment_noshort, "percent",
         Ratio(["abandoned", "-short"], [*_ENDED, "-short"])),
    Part("abandonment_received", of.abandonment_received, "percent",
         Ratio(["abandoned"], ["received"])),
]  # fmt: skip
JOINED: list[Part[JoinedDay]] = [
    Part("joined_contacts", lambda day: day.contacts),
    Part("joined_calls", lambda day: day.calls),
    Part("by_pbx", lambda day: day.by_pbx),
    Part("by_alias", lambda day: day.by_alias),
    Part("contacts_alone", lambda day: day.contacts_alone),
    Part("calls_alone", lambda day: day.calls_alone),
    Part("unnamed", lambda day: day.unnamed),
]


def make(context: ReportContext) -> list[Section]:
    flows = [(day.day, context.flow(day.queues)) for day in context.figures.days]
    total = Flow()
    for _, flow in flows:
        total += flow
    sections = [
        _summary(context, total),
        _queues(context),
        table(context, "service_halves", [("hour", "text")], PARTS, _halves(context),
              charts=[arrivals(context, "service_halves", "hour", total)]),
    ]  # fmt: skip
    if context.period.grain != "day":
        days: list[Line[Flow]] = [([day], flow) for day, flow in flows if flow.received]
        drawn = [arrivals(context, "service_days", "day", total)]
        heads: list[tuple[str, Kind]] = [("day", "day")]
        sections.insert(2, table(context, "service_days", heads, PARTS, days, charts=drawn))
    sections += heat_map(context, "service_map", entered(context))
    if context.scope.of == "floor":
        sections.append(_joined(context))
    return sections


def arrivals(context: ReportContext, key: str, x: str, flow: Flow) -> Chart:
    """What came, by what became of it, and the service level beside its target."""
    return Chart(
        title=context.say(f"chart.{key}"),
        x=x,
        bars=["answered", "abandoned", "left", "waiting"],
        lines=[f"sl_{context.people.variant(context.queue or '')}"],
        unit=context.say("unit.calls"),
        n=flow.received,
    )


def entered(context: ReportContext) -> Iterator[tuple[str, str, int]]:
    """Day, half-hour, and how many entered a queue then."""
    for day in context.figures.days:
        words = clock_words(day.queue_intervals, context.zone)
        for start, queues in day.queue_intervals.items():
            its = [sums for queue, sums in queues.items() if context.queue in (None, queue)]
            if received := sum(sums.received for sums in its):
                yield day.day, words[start], received


def _joined(context: ReportContext) -> Section:
    """Which calls the stations and the switch both told, by which method, and which only one."""
    first = context.period.first.isoformat()
    days = [day for day in context.joined if day.calls and day.day >= first]
    lines: list[Line[JoinedDay]] = [([day.day], day) for day in days]
    notes = [context.say("note.joined")]
    return table(context, "joined", [("day", "day")], JOINED, lines, notes=notes)


def stated(context: ReportContext) -> list[Stated]:
    flow = Flow()
    for day in context.figures.days:
        flow += context.flow(day.queues)
    levels = of.service_level(flow)
    found = [
        Stated(f"sl_{name}", "percent", level, of.BASES[name](flow), f"service_level {name}")
        for name, level in levels.items()
    ]
    n = flow.answered + flow.abandoned
    found += [
        Stated("answer_rate", "percent", of.answer_rate(flow), flow.received, "answer_rate"),
        Stated("asa_s", "seconds", of.asa(flow), flow.answered, "asa_s"),
        Stated("abandonment", "percent", of.abandonment(flow), n, "abandonment"),
        Stated(
            "abandonment_noshort", "percent", of.abandonment_noshort(flow), n - flow.short
        ),
        Stated(
            "abandonment_received", "percent", of.abandonment_received(flow), flow.received
        ),
    ]  # fmt: skip
    return found


def _summary(context: ReportContext, flow: Flow) -> Section:
    notes = [context.threshold_note]
    if not flow.received:
        notes.insert(0, context.say("note.no_switch"))
    if estimated := context.figures.queue(context.queue).estimated:
        notes.append(context.say("note.estimated", n=estimated))
    if context.scope.of in ("agent", "team"):
        notes.append(context.say("note.queues_of_all"))
    return summary(context, stated(context), notes)


def _queues(context: ReportContext) -> Section:
    names = sorted({queue for day in context.figures.days for queue in day.queues})
    flows = [
        (queue, context.flow({queue: context.figures.queue(queue)}))
        for queue in names
        if context.queue in (None, queue)
    ]
    shown = [(queue, flow) for queue, flow in flows if flow.received]
    lines: list[Line[Flow]] = [([queue_name(context, queue)], flow) for queue, flow in shown]
    its = [queue for queue, _ in shown]
    return table(context, "service_queues", [("queue", "text")], PARTS, lines, queues=its)


def _halves(context: ReportContext) -> list[Line[Flow]]:
    halves: defaultdict[str, Flow] = defaultdict(Flow)
    for day in context.figures.days:
        words = clock_words(day.queue_intervals, context.zone)
        for start, queues in day.queue_intervals.items():
            halves[words[start]] += context.flow(queues)
    return [
        ([half], halves[half]) for half in sorted(halves, key=by_clock) if halves[half].received
    ]
