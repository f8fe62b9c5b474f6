"""Tables of quality by agent: under five calls the scores themselves, and nobody is ranked."""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, text

from diadema.quality import estimates
from diadema.report.context import ReportContext
from diadema.report.kinds.quality_group import (
    TARGET,
    Group,
    grouped,
    mean_cell,
    scores_cell,
)
from diadema.report.kinds.quality_read import Sample, Sampled, read_sample
from diadema.report.kinds.quality_tables import days_of, team_name
from diadema.report.model import Cell, Chart, Column, Figure, Kind, Section, Target
from diadema.report.tables import Line, Part, estimate_cell, table
from diadema.store import open_reader
from diadema.store.rows import Contact

_TOGETHER = estimates.MONTHS - 1  # months before the newest
_AFTER = text(
    """
    SELECT events.k, events.body FROM events
    WHERE events.s = :s AND events.e = :e AND events.n > :n
      AND events.k IN ('contact.retypified', 'contact.step')
      AND events.rowid > (SELECT rowid FROM events WHERE s = :by_s AND e = :by_e AND n = :by_n)
    """
).bindparams(*(bindparam(name) for name in ("s", "e", "n", "by_s", "by_e", "by_n")))


class _OfContact(Struct):
    c: str | None = None


_decode = msgspec.json.Decoder(_OfContact).decode


class AgentLine(Struct):
    """Of one agent and scorecard. `first` and `last`: of which days the figure is."""

    first: date
    last: date
    figure: Figure
    n: int
    grade: Figure
    changed: int


def agent_lines(context: ReportContext, sample: Sample) -> dict[tuple[str, str], AgentLine]:
    """By scorecard and agent, of whoever has a drawn call."""
    its = grouped(sample.inside, lambda one: one.call.agent)
    counted = {key: [one for one in calls if one.scored is not None] for key, calls in its.items()}
    few = {agent for (_, agent), calls in counted.items() if _scored(calls) < estimates.LEAST}
    earlier = _earlier(context, few)
    moved = {id(one) for one, _ in _changes(context, sample)}
    aim = context.target(TARGET)
    found = {}
    for key, calls in counted.items():
        line = _line(context, sample, calls, earlier.get(key, []), aim)
        line.changed = sum(id(one) in moved for one in calls)
        found[key] = line
    return found


def agents(context: ReportContext, sample: Sample) -> Section:
    its = agent_lines(context, sample)
    contract = {form for form, _ in its if sample.has_contract(form)}
    lines: list[Line[AgentLine]] = []
    for form, agent in sorted(its, key=lambda one: (one[0], *context.order(one[1]))):
        line = its[form, agent]
        if form not in contract:
            line.grade = Figure("score", None)
        before: list[Cell] = [
            sample.label(form), context.people.name(agent), agent, context.team_name(agent),
        ]  # fmt: skip
        lines.append((before, line))
    parts: list[Part[AgentLine]] = [
        Part("from_day", lambda one: one.first.isoformat(), "day", None),
        Part("to_day", lambda one: one.last.isoformat(), "day", None),
        Part("evaluated_n", lambda one: one.n, total=None),
        Part("raw_mean", lambda one: one.figure, "score", None, TARGET, True, True),
    ]
    if contract:
        parts.append(Part("contract_grade", lambda one: one.grade, "score", None, interval=True,
                          sampled=True))  # fmt: skip
    parts.append(Part("changed_n", lambda one: one.changed, total=None))
    heads: list[tuple[str, Kind]] = [
        ("scorecard", "text"), ("agent", "text"), ("code", "text"), ("team", "text"),
    ]  # fmt: skip
    notes = [context.say("note.quality_agents", least=estimates.LEAST)]
    return table(context, "quality_agents", heads, parts, lines, total=False, notes=notes)


def _scored(calls: Sequence[Sampled]) -> int:
    return sum(one.raw is not None for one in calls)


type ByAgent = dict[tuple[str, str], list[tuple[Sampled, Sample]]]


def _earlier(context: ReportContext, few: set[str]) -> ByAgent:
    """Their calls of the months before."""
    before = context.months_before(_TOGETHER) if few else None
    if before is None:
        return {}
    found: ByAgent = {}
    longer = read_sample(before, agents=few)
    for one in longer.counted:
        found.setdefault((one.call.form, one.call.agent), []).append((one, longer))
    return found


def _line(
    context: ReportContext,
    sample: Sample,
    calls: Sequence[Sampled],
    earlier: Sequence[tuple[Sampled, Sample]],
    aim: Target | None,
) -> AgentLine:
    """The span's own; of too few the last months together, if that is enough."""
    first, last = context.period.first, context.period.last
    group, strata = Group(sample, calls, aim), sample.strata
    if group.mean is None and earlier:
        longer = earlier[0][1]
        parts = longer.strata.raw([one for one, _ in earlier]) + strata.raw(calls)
        found = estimates.domain(parts)
        if found is not None:
            first = _first(context)
            grades = longer.strata.score([one for one, _ in earlier])
            grades += strata.score(calls)
            return AgentLine(first, last, estimate_cell(found, "score", aim), found.n,
                             _grade(estimates.domain(grades, bounds=False)), 0)  # fmt: skip
    if group.mean is None:
        cell = scores_cell(calls, group.of, context.language)
        return AgentLine(first, last, cell, _scored(calls), Figure("score", None), 0)
    return AgentLine(first, last, mean_cell(group), group.mean.n, _grade(group.contract), 0)


def _grade(found: estimates.Estimate | None) -> Figure:
    if found is None:
        return Figure("score", None)
    return estimate_cell(found)


def _first(context: ReportContext) -> date:
    before = context.months_before(_TOGETHER)
    assert before is not None
    return before.period.first


class _Point(Struct):
    label: str
    code: str
    point: estimates.Point


FUNNEL: list[Part[_Point]] = [
    Part("evaluated_n", lambda one: one.point.n, total=None),
    Part("raw_mean", lambda one: one.point.value, "score", None),
    Part("inner_low", lambda one: one.point.inner[0], "score", None),
    Part("inner_high", lambda one: one.point.inner[1], "score", None),
    Part("outer_low", lambda one: one.point.outer[0], "score", None),
    Part("outer_high", lambda one: one.point.outer[1], "score", None),
]


def funnel(context: ReportContext, sample: Sample) -> Iterator[Section]:
    """Of each scorecard with enough people: by their code, and by name only who lies beyond the
    outer limits, for the own supervisor.
    """
    if context.scope.of == "agent":
        return
    for form in sample.codes:
        by_agent: dict[str, list[Sampled]] = {}
        for one in sample.counted:
            if one.call.form == form:
                by_agent.setdefault(one.call.agent, []).append(one)
        found = estimates.funnel({a: sample.strata.whole(its) for a, its in by_agent.items()})
        if found is None:
            continue
        lines: list[Line[_Point]] = []
        for point in found.points:
            side = context.say(f"funnel.{point.beyond}") if point.beyond else None
            name = context.people.name(point.agent) if _labels(context, point) else None
            lines.append(([name, side], _Point(name or "", point.agent, point)))
        heads: list[tuple[str, Kind]] = [("agent", "text"), ("beyond", "text")]
        label = sample.label(form)
        chart = Chart(
            title=context.say("chart.quality_funnel"), x="agent",
            lines=["raw_mean", "inner_low", "inner_high", "outer_low", "outer_high"],
            n=len(found.points),
        )  # fmt: skip
        notes = [context.say("note.quality_funnel", centre=found.centre, n=len(found.points))]
        made = table(context, "quality_funnel", heads, FUNNEL, lines, total=False, notes=notes,
                     charts=[chart])  # fmt: skip
        if len(sample.codes) > 1:
            made.key, made.title = f"quality_funnel_{form}", f"{made.title} · {label}"
        yield made


def _labels(context: ReportContext, point: estimates.Point) -> bool:
    person = context.person
    return (
        bool(point.beyond)
        and person is not None
        and person.role == "supervisor"
        and person.sees(point.agent, context.people)
    )


def undone(context: ReportContext, sample: Sample) -> Section:
    """By stratum, what nobody had evaluated when it was due."""
    its: dict[tuple[str, str, str], list[Sampled]] = {}
    for one in sample.inside:
        its.setdefault(one.stratum, []).append(one)
    plans = {one.drawn.draw: one.planned for one in sample.draws if one.drawn and one.planned}
    lines: list[Line[list[Sampled]]] = []
    for (draw, agent, stratum), calls in its.items():
        if not any(one.call.state == "undone" for one in calls):
            continue
        planned = plans.get(draw)
        before: list[Cell] = [
            sample.label(calls[0].call.form),
            days_of(context, planned)[0] if planned else None,
            agent,
            team_name(context, calls[0].team),
            stratum or None,
        ]
        lines.append((before, calls))
    parts: list[Part[list[Sampled]]] = [
        Part("pool", lambda some: some[0].call.pool, total=None),
        Part("chosen_n", len),
        Part("evaluated_n", lambda some: sum(one.scored is not None for one in some)),
        Part("undone_n", lambda some: sum(one.call.state == "undone" for one in some)),
    ]
    heads: list[tuple[str, Kind]] = [
        ("scorecard", "text"), ("from_day", "day"), ("code", "text"), ("team", "text"),
        ("stratum", "text"),
    ]  # fmt: skip
    notes = [context.say("note.quality_undone")]
    return table(context, "quality_undone", heads, parts, lines, notes=notes)


def changed(context: ReportContext, sample: Sample) -> Section:
    """Evaluated calls of which the station told something afterwards; where the agent may read
    the evaluation.
    """
    heads: tuple[tuple[str, Kind], ...] = (
        ("at", "moment"), ("agent", "text"), ("code", "text"), ("scorecard", "text"),
        ("changed_what", "text"),
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            one.utc,
            context.people.name(one.call.agent),
            one.call.agent,
            sample.label(one.call.form),
            ", ".join(context.say(f"changed.{what}") for what in whats),
        ]
        for one, whats in _changes(context, sample)
        if one.scored is not None and one.scored.released_utc is not None
    ]
    return Section(
        key="quality_changed",
        title=context.say("table.quality_changed"),
        columns=[Column(key=key, word=context.heading(key), kind=kind) for key, kind in heads],
        rows=rows,
        notes=[context.say("note.quality_changed")],
    )


def _changes(context: ReportContext, sample: Sample) -> list[tuple[Sampled, list[str]]]:
    """What came after each evaluation, as it came in: a step, another code."""
    doubtful = [
        one for one in sample.counted if one.contact is not None and _may_have_changed(one.contact)
    ]
    found = []
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        for one in doubtful:
            assert one.contact is not None and one.scored is not None
            s, e, n = one.call.key
            by_s, by_e, by_n = one.scored.key
            keys = {"s": s, "e": e, "n": n, "by_s": by_s, "by_e": by_e, "by_n": by_n}
            whats = {
                kind.partition(".")[2]
                for kind, body in tx.execute(_AFTER, keys)
                if _decode(body).c == one.contact.contact
            }
            if whats:
                found.append((one, sorted(whats)))
    return found


def _may_have_changed(contact: Contact) -> bool:
    more = contact.more
    if more is None:
        return False
    closed = contact.close_b or 0, contact.close_u or 0
    return more.author is not None or any(
        (step.boot, step.uptime_ms) > closed for step in more.steps
    )
