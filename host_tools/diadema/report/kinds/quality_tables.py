"""Tables of quality without people: by draw, section, item, critical kind, team, queue, motive."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Literal

from msgspec import Struct, field

from diadema.figures.days import day_at
from diadema.metrics.rounding import percent
from diadema.quality import estimates, sampling
from diadema.quality.scoring import NOT_APPLICABLE, OPTIONS
from diadema.report.context import ReportContext
from diadema.report.kinds.quality_group import (
    CONTRACT,
    CRITICAL,
    FAILED,
    MEAN,
    TARGET,
    UNCOVERED,
    Group,
    N,
    grouped,
)
from diadema.report.kinds.quality_read import Sample, Sampled, items_of, uncovered
from diadema.report.model import Cell, Chart, Figure, Kind, Section
from diadema.report.tables import Line, Part, estimate_cell, queue_name, table
from diadema.site.directory.scorecards import Item
from diadema.store.quality import Draw
from diadema.store.quality_rows import DrawStep

type By = Literal["team", "queue", "motive"]

_FORM: tuple[str, Kind] = ("scorecard", "text")


def team_name(context: ReportContext, code: str) -> str:
    return context.people.teams.get(code, code) or context.say("no_team_of")


def by(context: ReportContext, sample: Sample, key: str, head: By) -> Section:
    names: Mapping[By, Callable[[str], str]] = {
        "team": lambda code: team_name(context, code),
        "queue": lambda code: queue_name(context, code),
        "motive": lambda code: context.people.motives.get(code, code) or context.say("no_motive"),
    }

    given = grouped(sample.inside, attrgetter(head))
    aim = context.target(TARGET)
    lines: list[Line[Group]] = []
    for form, code in sorted(given, key=lambda one: (one[0], names[head](one[1]))):
        its = given[form, code]
        counted = [one for one in its if one.scored is not None]
        missing = uncovered(context, sample, its) if head == "team" else (0, 0)
        group = Group(sample, counted, aim, missing)
        lines.append(([sample.label(form), names[head](code)], group))
    parts = [N, MEAN, FAILED]
    if head == "team":
        parts.append(UNCOVERED)
    if head == "queue" and any(map(sample.has_contract, sample.codes)):
        parts.append(CONTRACT)
    heads: list[tuple[str, Kind]] = [_FORM, (head, "text")]
    return table(context, key, heads, parts, lines, total=False)


def sections(context: ReportContext, sample: Sample, groups: Mapping[str, Group]) -> Section:
    """`groups`: all of each scorecard."""
    lines: list[Line[tuple[Group, str]]] = []
    for form, group in groups.items():
        for code, label in items_of(sample, form).sections.items():
            lines.append(([sample.label(form), label], (group, code)))
    parts: list[Part[tuple[Group, str]]] = [
        Part("section_mean", lambda its: estimate_cell(its[0].section(its[1])), "score", None,
             interval=True, sampled=True),
    ]  # fmt: skip
    heads: list[tuple[str, Kind]] = [_FORM, ("section", "text")]
    notes = [context.say("note.quality_sections")]
    return table(context, "quality_sections", heads, parts, lines, total=False, notes=notes)


class Answered(Struct):
    """Of one item: the evaluations in which it applied, those without an error in it, and those in
    which it did not apply.
    """

    item: Item
    applied: list[Sampled] = field(default_factory=list)
    of: int = 0
    right: int = 0
    aside: int = 0


def _right(its: Answered) -> Figure:
    n = len(its.applied)
    enough = n >= estimates.LEAST
    found = estimates.proportion(its.right, n, max(its.of, n)) if enough else None
    return estimate_cell(found, "percent")


ITEMS: list[Part[Answered]] = [
    Part("item_applied", lambda its: len(its.applied), total=None),
    Part("item_aside", lambda its: its.aside, total=None),
    Part("item_wrong", lambda its: len(its.applied) - its.right, total=None),
    Part("item_right", _right, "percent", None, interval=True, sampled=True),
]


def answers(sample: Sample, form: str) -> dict[str, Answered]:
    """By item, in the form's order; of those alone that were asked."""
    found = {code: Answered(item) for code, item in items_of(sample, form).items.items()}
    versions = {
        version: [(found[item.code], OPTIONS[item.scale][-1]) for item in known.items]
        for (code, version), known in sample.forms.items()
        if code == form
    }
    calls = [one for one in sample.counted if one.call.form == form]
    strata = sample.strata
    whole = strata.of(calls)
    for one in calls:
        assert one.scored is not None
        items = versions.get(one.call.version, [])
        for (its, best), answer in zip(items, one.scored.answers, strict=False):
            if answer == NOT_APPLICABLE:
                its.aside += 1
            else:
                its.applied.append(one)
                its.right += answer == best
    for its in found.values():
        its.of = whole if len(its.applied) == len(calls) else strata.of(its.applied)
    return {code: its for code, its in found.items() if its.applied or its.aside}


def items(context: ReportContext, sample: Sample) -> Section:
    lines: list[Line[Answered]] = []
    forms = sample.codes
    for form in forms:
        labels = items_of(sample, form).sections
        for code, its in answers(sample, form).items():
            item = its.item
            lines.append((
                [sample.label(form), labels.get(item.section, item.section), item.text, code,
                 context.say(f"item_kind.{item.kind}")], its,
            ))  # fmt: skip
    heads: list[tuple[str, Kind]] = [
        _FORM, ("section", "text"), ("item", "text"), ("item_code", "text"), ("item_kind", "text"),
    ]  # fmt: skip
    charts = []
    if len(forms) == 1 and lines:
        charts.append(Chart(
            title=context.say("chart.quality_items"), x="item_code", bars=["item_right"],
            unit=context.say("unit.evaluations"), n=len(sample.counted),
        ))  # fmt: skip
    return table(context, "quality_items", heads, ITEMS, lines, total=False, charts=charts)


def critical(context: ReportContext, sample: Sample, groups: Mapping[str, Group]) -> Section:
    """PECUF, PECN and PECC of each scorecard; PENC, of its other items, has no evaluations that
    are without an error or with one. `groups`: all of each scorecard.
    """
    lines: list[Line[tuple[Group, str]]] = []
    for form, group in groups.items():
        lines += [
            ([sample.label(form), context.say(f"col.{word}")], (group, kind))
            for kind, word in CRITICAL.items()
        ]
        lines.append(([sample.label(form), context.say("col.penc")], (group, "")))
    parts: list[Part[tuple[Group, str]]] = [
        Part("critical_of", lambda its: its[0].accuracy(its[1]).of if its[1] else None,
             total=None),
        Part("critical_with", lambda its: _with_error(*its), total=None),
        Part("accuracy",
             lambda its: estimate_cell(its[0].right(its[1]) if its[1] else its[0].penc, "percent"),
             "percent", None, interval=True, sampled=True),
    ]  # fmt: skip
    heads: list[tuple[str, Kind]] = [_FORM, ("critical", "text")]
    notes = [context.say("note.quality_critical")]
    return table(context, "quality_critical", heads, parts, lines, total=False, notes=notes)


def _with_error(group: Group, kind: str) -> int | None:
    if not kind:
        return None
    its = group.accuracy(kind)
    return its.of - its.without


class OfDraw(Struct):
    draw: Draw
    calls: list[Sampled]

    def many(self, *states: str) -> int:
        return sum(one.call.state in states for one in self.calls)

    @property
    def excluded(self) -> int:
        return sum(self.draw.excluded.values())


DRAWS: list[Part[OfDraw]] = [
    Part("frame", lambda its: its.draw.drawn.frame if its.draw.drawn else None, total=None),
    Part("excluded", lambda its: its.excluded, total=None),
    Part("chosen_n", lambda its: its.draw.drawn.chosen if its.draw.drawn else None, total=None),
    Part("evaluated_n", lambda its: sum(one.scored is not None for one in its.calls), total=None),
    Part("undone_n", lambda its: its.many("undone"), total=None),
    Part("undone_share", lambda its: percent(its.many("undone"), len(its.calls)), "percent", None),
    Part("open_n", lambda its: its.many("open", "pair"), total=None),
]


def days_of(context: ReportContext, planned: DrawStep) -> list[Cell]:
    """The first and the last of its period."""
    start, end = planned.start_utc or 0, planned.end_utc or 0
    return [day_at(utc // 1000, context.zone).isoformat() for utc in (start, end - 1)]


def draws(context: ReportContext, sample: Sample) -> Section:
    """Each draw of these days whole, whoever the report is of; annulled ones too, with why."""
    people = context.people
    its: dict[str, list[Sampled]] = {}
    for one in sample.calls:
        its.setdefault(one.call.draw, []).append(one)
    lines: list[Line[OfDraw]] = []
    for draw in sample.draws:
        planned, drawn = draw.planned, draw.drawn
        if planned is None or drawn is None:
            continue
        plan = people.sample_plans.get(planned.plan or "")
        beside = sampling.overlap(plan, people.sample_plans.values()) if plan else []
        annulled = draw.annulled
        before: list[Cell] = [
            plan.label if plan else planned.plan,
            *days_of(context, planned),
            ", ".join(beside) or None,
            None if annulled is None else context.say("annulled_why", why=annulled.reason or "—"),
        ]
        lines.append((before, OfDraw(draw, its.get(drawn.draw or "", []))))
    heads: list[tuple[str, Kind]] = [
        ("sample_plan", "text"), ("from_day", "day"), ("to_day", "day"),
        ("beside_plans", "text"), ("annulled", "text"),
    ]  # fmt: skip
    notes = [context.say("note.quality_draws")]
    return table(context, "quality_draws", heads, DRAWS, lines, total=False, notes=notes)
