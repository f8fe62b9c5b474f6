"""Protocol: which steps agents ticked, by campaign; those «en bloque» say little, and those that
came by themselves say nothing of the agent, so both stand apart.
"""

from diadema.figures.overview import Ticks, ticks_of
from diadema.figures.rows import Sums
from diadema.metrics.rounding import percent
from diadema.quality.confirmed import Confirmed, Judged, judged, steps
from diadema.report.context import ReportContext
from diadema.report.model import Chart, Figure, Kind, Ratio, Section
from diadema.report.tables import AGENT, Line, Part, Stated, agent_lines, share, summary, table
from diadema.store import open_reader
from diadema.store.rows import Contact

_STEPS: tuple[tuple[str, Kind], ...] = (("campaign", "text"), ("step", "text"))
PARTS: list[Part[Ticks]] = [
    Part("possible", lambda ticks: ticks.possible),
    Part("ticked", lambda ticks: ticks.ticked),
    Part("block", lambda ticks: ticks.block),
    Part("automatic", lambda ticks: ticks.automatic),
    Part(
        "ticked_share", lambda ticks: percent(ticks.ticked, ticks.possible), "percent",
        Ratio(["ticked"], ["possible"]),
    ),
    Part(
        "one_by_one_share", lambda ticks: percent(ticks.ticked - ticks.block, ticks.possible),
        "percent", Ratio(["ticked", "-block"], ["possible"]),
    ),
]  # fmt: skip


def make(context: ReportContext) -> list[Section]:
    def of(sums: Sums) -> Ticks:
        return all_steps(context, sums)

    total, names = of(context.total), {one.code: one.label for one in context.campaigns}
    lines: list[Line[Ticks]] = [
        (
            [
                names.get(campaign, campaign) or context.say("no_campaign"),
                context.known("step", step),
            ],
            ticks,
        )
        for (campaign, step), ticks in ticks_of(context.total, context.campaigns).items()
        if ticks
    ]
    notes = [context.say("note.block")]
    if context.queue is not None:
        notes.append(context.say("note.not_of_queue"))
    charts = []
    if len({before[0] for before, _ in lines}) == 1:  # else the same step stands there twice
        charts.append(Chart(
        title=context.say("chart.steps"), x="step", bars=["ticked_share"],
        unit=context.say("unit.possible"), n=total.possible,
        ))  # fmt: skip
    return [
        summary(context, stated(context), notes),
        table(context, "steps", _STEPS, PARTS, lines, charts=charts),
        _confirmed(context),
        table(context, "steps_agents", AGENT, PARTS, agent_lines(context, of)),
    ]


def _confirmed(context: ReportContext) -> Section:
    """Beside what was declared, what whoever evaluated the call heard."""
    lines: list[Line[Confirmed]] = [
        ([context.known("step", step)], its) for step, its in steps(judged_calls(context)).items()
    ]
    whole = Confirmed()
    for _, its in lines:
        whole += its
    return table(
        context, "steps_confirmed", [("step", "text")], CONFIRMED, lines,
        notes=[context.say("note.confirmed")], given={"confirmed_share": _share(whole)},
    )  # fmt: skip


def _share(its: Confirmed) -> Figure:
    return share(its.both, its.declared)


CONFIRMED: list[Part[Confirmed]] = [
    Part("judged_calls", lambda its: its.n, "count", None),
    Part("confirmed_both", lambda its: its.both),
    Part("only_declared", lambda its: its.only_declared),
    Part("only_heard", lambda its: its.only_heard),
    Part("confirmed_share", _share, "percent", "given", interval=True),
]


def judged_calls(context: ReportContext, queue: str | None = None) -> list[Judged]:
    """The drawn and evaluated calls that the report covers."""
    start, end = context.bounds_ms
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        found = judged(tx, context.people, context.now_ms, start, end)
    return [one for one in found if _is_of(context, one.contact, queue)]


def _is_of(context: ReportContext, contact: Contact, queue: str | None) -> bool:
    start = contact.start_utc or 0
    named = queue is None or context.people.queue(contact.queue or "", start) == queue
    return named and context.has_at(contact.agent, start)


def all_steps(context: ReportContext, sums: Sums) -> Ticks:
    whole = Ticks()
    for ticks in ticks_of(sums, context.campaigns).values():
        whole += ticks
    return whole


def stated(context: ReportContext) -> list[Stated]:
    total = all_steps(context, context.total)
    return [
        Stated("ticked_share", "percent", percent(total.ticked, total.possible), total.possible),
        Stated(
            "one_by_one_share", "percent",
            percent(total.ticked - total.block, total.possible), total.possible,
        ),
        Stated("automatic", "count", total.automatic),
    ]  # fmt: skip
