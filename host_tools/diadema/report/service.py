"""The queue side: how long callers waited, by the switch. All four service levels, by name."""

from collections import defaultdict

from diadema.figures.joined_days import JoinedDay, joined_days
from diadema.figures.rows import QueueSums
from diadema.metrics import queue as of
from diadema.metrics.intervals import Intervals, by_clock
from diadema.metrics.queue import Flow
from diadema.report.asked import Asked
from diadema.report.model import Ratio, Section
from diadema.report.tables import Line, Part, Stated, queue_name, summary, table

_ENDED = ["answered", "abandoned"]
PARTS: list[Part[Flow]] = [
    Part("received", lambda flow: flow.received),
    Part("answered", lambda flow: flow.answered),
    Part("abandoned", lambda flow: flow.abandoned),
    Part("left", lambda flow: flow.left),
    Part("waiting", lambda flow: flow.waiting),
    Part("answered_within", lambda flow: flow.answered_within),
    Part("abandoned_within", lambda flow: flow.abandoned_within),
    Part("short", lambda flow: flow.short),
    Part(
        "sl_offered", of.sl_offered, "percent", Ratio(["answered_within"], _ENDED),
        "service_level",
    ),
    Part("sl_noshort", of.sl_noshort, "percent",
         Ratio(["answered_within"], [*_ENDED, "-short"])),
    Part("sl_answered", of.sl_answered, "percent", Ratio(["answered_within"], ["answered"])),
    Part("sl_removed", of.sl_removed, "percent",
         Ratio(["answered_within", "abandoned_within"], _ENDED)),
    Part("answer_rate", of.answer_rate, "percent", Ratio(["answered"], ["received"]),
         "answer_rate"),
    Part("asa_s", of.asa, "seconds", "given", "asa_s"),
    Part("abandonment", of.abandonment, "percent", Ratio(["abandoned"], _ENDED), "abandonment"),
    Part("abandonment_noshort", of.abandonment_noshort, "percent",
         Ratio(["abandoned", "-short"], [*_ENDED, "-short"])),
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


def make(asked: Asked) -> list[Section]:
    total = _flow(asked, asked.figures.queue(asked.queue))
    given = {"asa_s": of.asa(total)}
    sections = [
        _summary(asked, total),
        table(asked, "service_queues", [("queue", "text")], PARTS, _queues(asked), given=given),
        table(asked, "service_halves", [("hour", "text")], PARTS, _halves(asked), given=given),
    ]
    if asked.period.grain != "day":
        days = _days(asked)
        made = table(asked, "service_days", [("day", "day")], PARTS, days, given=given)
        sections.insert(2, made)
    if asked.scope.of == "floor":
        sections.append(_joined(asked))
    return sections


def _joined(asked: Asked) -> Section:
    """Which calls the stations and the switch both told, by which method, and which only one."""
    span = asked.period
    days = joined_days(asked.data, span.first, span.last, asked.zone, asked.people)
    lines: list[Line[JoinedDay]] = [([day.day], day) for day in days if day.calls]
    notes = [asked.say("note.joined")]
    return table(asked, "joined", [("day", "day")], JOINED, lines, notes=notes)


def _flow(asked: Asked, sums: QueueSums) -> Flow:
    return sums.flow(asked.threshold_s, asked.short_s)


def _summary(asked: Asked, flow: Flow) -> Section:
    levels = of.service_level(flow)
    stated = [
        Stated(
            f"sl_{name}", "percent", level, of.BASES[name](flow),
            "service_level" if name == "offered" else "",
        )
        for name, level in levels.items()
    ]  # fmt: skip
    n = flow.answered + flow.abandoned
    stated += [
        Stated("answer_rate", "percent", of.answer_rate(flow), flow.received, "answer_rate"),
        Stated("asa_s", "seconds", of.asa(flow), flow.answered, "asa_s"),
        Stated("abandonment", "percent", of.abandonment(flow), n, "abandonment"),
        Stated(
            "abandonment_noshort", "percent", of.abandonment_noshort(flow), n - flow.short
        ),
    ]  # fmt: skip
    notes = [asked.say("note.threshold", threshold=asked.threshold_s, short=asked.short_s)]
    if not flow.received:
        notes.insert(0, asked.say("note.no_switch"))
    if asked.scope.of in ("agent", "team"):
        notes.append(asked.say("note.queues_of_all"))
    return summary(asked, stated, notes)


def _queues(asked: Asked) -> list[Line[Flow]]:
    names = {queue for day in asked.figures.days for queue in day.queues}
    flows = [
        (queue, _flow(asked, asked.figures.queue(queue)))
        for queue in sorted(names)
        if asked.queue in (None, queue)
    ]
    return [([queue_name(asked, queue)], flow) for queue, flow in flows if flow.received]


def _days(asked: Asked) -> list[Line[Flow]]:
    lines: list[Line[Flow]] = []
    for day in asked.figures.days:
        total = QueueSums()
        for queue, sums in day.queues.items():
            if asked.queue in (None, queue):
                total += sums
        if total.received:
            lines.append(([day.day], _flow(asked, total)))
    return lines


def _halves(asked: Asked) -> list[Line[Flow]]:
    label = Intervals(asked.zone).label
    halves: defaultdict[str, QueueSums] = defaultdict(QueueSums)
    for day in asked.figures.days:
        for start, queues in day.queue_intervals.items():
            for queue, sums in queues.items():
                if asked.queue in (None, queue):
                    halves[label(start)] += sums
    return [
        ([half], _flow(asked, halves[half]))
        for half in sorted(halves, key=by_clock)
        if halves[half]
    ]
