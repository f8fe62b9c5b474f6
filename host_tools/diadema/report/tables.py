"""Tables of sums: a row for each agent, queue, day or half-hour, a column for each figure.

Figures with and without new people: a row for each stage that somebody was at, held to the
targets of that stage, and the total of all.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import repeat
from typing import Literal

from msgspec import Struct

from diadema.figures.rows import Calls, Sums
from diadema.metrics import wilson
from diadema.metrics.rounding import mean, percent
from diadema.quality.estimates import AgentFigure, Estimate
from diadema.report.context import AT_MOST, ReportContext, capital
from diadema.report.model import (
    Cell,
    Chart,
    Column,
    Figure,
    Interval,
    Kind,
    Ratio,
    Section,
    Target,
    totalled,
)
from diadema.report.writing import target
from diadema.wire.live_rows import PRIVATE
from diadema.words import text
from diadema.words.formatting import score

_NAMED = 8  # of the switch's names, in a note


class Part[S](Struct):
    """A column of figures: its word is `col.<key>`, its target the people's of that name; see
    `Column` for the rest.
    """

    key: str
    get: Callable[[S], Cell]
    kind: Kind = "count"
    total: Literal["sum", "given"] | Ratio | None = "sum"
    target: str = ""
    interval: bool = False
    sampled: bool = False


type Line[S] = tuple[list[Cell], S]  # what stands before the figures, and their sums


def table[S](
    context: ReportContext,
    key: str,
    heads: Sequence[tuple[str, Kind]],
    parts: Sequence[Part[S]],
    lines: Iterable[Line[S]],
    *,
    notes: Sequence[str] = (),
    total: bool = True,
    given: Mapping[str, Cell] | None = None,
    queues: Sequence[str] | None = None,
    charts: Sequence[Chart] = (),
) -> Section:
    """`queues`: of which one each line is; a target that one of them has of its own then stands in
    a column beside the figure, and the total is held to the site's.
    """
    columns = [Column(key=name, word=context.heading(name), kind=kind) for name, kind in heads]
    made = [*lines]
    heads_of, sums_of = [before for before, _ in made], [sums for _, sums in made]
    cells: list[list[Cell]] = []  # of each column of figures
    given = dict(given or {})
    for part in parts:
        whole = context.target(part.target) if part.target else None
        column = Column(
            key=part.key, word=context.heading(part.key), kind=part.kind, total=part.total,
            target=whole, interval=part.interval, sampled=part.sampled,
        )  # fmt: skip
        columns.append(column)
        cells.append([*map(part.get, sums_of)])
        aims = [context.target(part.target, one) for one in queues or () if part.target]
        if any(aim != whole for aim in aims):
            column.target, column.goal = None, f"goal_{part.key}"
            column.at_most = any(aim.at_most for aim in (*aims, whole) if aim)
            word = capital(context.say("col.goal", figure=column.word))
            columns.append(Column(key=column.goal, word=word, kind=part.kind, total="given"))
            cells.append([None if aim is None else in_kind(part.kind, aim.value) for aim in aims])
            given[column.goal] = None if whole is None else in_kind(part.kind, whole.value)
    figures = zip(*cells, strict=True) if cells else repeat((), len(made))
    rows = [[*before, *its] for before, its in zip(heads_of, figures, strict=True)]
    return Section(
        key=key,
        title=context.say(f"table.{key}"),
        columns=columns,
        rows=rows,
        total=totalled(columns, rows, given) if total and rows else None,
        notes=list(notes),
        charts=list(charts),
    )


class Stated(Struct):
    """A figure of the summary: its formula is `formula.<key>`. `n` may be worked out only where it
    is shown. `about`: of what it is, where the summary has it of several.
    """

    key: str
    kind: Kind
    value: int | float | None
    n: int | Callable[[], int] | None = None
    target: str = ""
    within: Interval | None = None
    about: str = ""

    @property
    def count(self) -> int | None:
        return self.n() if callable(self.n) else self.n


def summary(
    context: ReportContext, stated: Iterable[Stated], notes: Sequence[str] = ()
) -> Section:
    """A figure a row, beside its target, with n and its formula."""
    heads: tuple[tuple[str, Kind], ...] = (
        ("figure", "text"), ("value", "figure"), ("target", "figure"), ("n", "count"),
        ("formula", "text"),
    )  # fmt: skip
    stated = [*stated]
    columns = [Column(key=name, word=context.heading(name), kind=kind) for name, kind in heads]
    columns[1].interval = any(one.within for one in stated)
    columns[1].sampled = any(one.within and one.within.of is not None for one in stated)
    rows: list[list[Cell]] = []
    for one in stated:
        aim = context.target(one.target) if one.target else None
        missed = aim is not None and falls_short(aim, one.value, one.within)
        rows.append(
            [
                context.say(f"col.{one.key}") + (f" · {one.about}" if one.about else ""),
                Figure(one.kind, one.value, missed, one.within),
                None if aim is None else goal_of(one.kind, aim),
                one.count,
                context.say(f"formula.{one.key}"),
            ]
        )
    return Section(
        key="summary",
        title=context.say("table.summary"),
        columns=columns,
        rows=rows,
        notes=list(notes),
    )


def share(part: int, whole: int) -> Figure:
    """In percent, with what it may be."""
    found = wilson.interval(part, whole)
    within = Interval(*found, whole) if found else None
    return Figure("percent", percent(part, whole), within=within)


def falls_short(aim: Target, value: float | None, within: Interval | None) -> bool:
    """Whether it stays behind what is aimed at; what a sample tells, when all that it may be
    does.
    """
    if value is None:
        return False
    end = None if within is None else within.low if aim.at_most else within.high
    return aim.missed(value if end is None or aim.ceiling is not None else end)


def estimate_cell(
    found: Estimate | None, kind: Kind = "score", aim: Target | None = None
) -> Figure:
    """A score or a percent that a sample tells, with what it may be."""
    if found is None:
        return Figure(kind, None)
    within = Interval(found.low, found.high, found.n, found.of)
    missed = aim is not None and falls_short(aim, found.value, within)
    return Figure(kind, found.value, missed, within)


def agent_cell(figure: AgentFigure, language: str) -> Figure:
    """The same of one agent; of too few calls the scores themselves."""
    if figure.estimate:
        return estimate_cell(figure.estimate)
    within = Interval(None, None, len(figure.scores), figure.of)
    if not figure.scores:
        return Figure("score", None, within=within)
    words = [*(score(tenths / 10) for tenths in figure.scores), text("reports.few", language)]
    return Figure("text", " · ".join(words), within=within)


def goal_of(kind: Kind, aim: Target) -> Figure:
    if aim.ceiling is not None:
        return Figure("text", target(aim, kind))
    return Figure(kind, in_kind(kind, aim.value))


def in_kind(kind: Kind, value: float) -> int | float:
    return value if kind in ("percent", "score") else round(value)


AGENT: tuple[tuple[str, Kind], ...] = (("agent", "text"), ("code", "text"), ("team", "text"))


def agent_lines[S](context: ReportContext, of: Callable[[Sums], S | None]) -> Iterable[Line[S]]:
    """Of each who has any, by name."""
    for agent, sums in context.by_agent.items():
        found = of(sums)
        if found:
            yield _agent(context, agent), found


def agent_calls(context: ReportContext, has: Callable[[Calls], object]) -> Iterable[Line[Calls]]:
    """The same of their calls, of those who have such."""
    for agent, calls in context.calls_by_agent.items():
        if has(calls):
            yield _agent(context, agent), calls


def unmapped(context: ReportContext) -> list[str]:
    """A warning where the switch names somebody whom the directory does not: a call of theirs may
    be one that a station told of too.
    """
    names = sorted(
        name
        for name, calls in context.calls_by_agent.items()
        if name and calls.by_switch and name not in context.people.workers
    )
    if not names:
        return []
    more = [f"+{len(names) - _NAMED}"] if len(names) > _NAMED else []
    return [context.say("note.unmapped", names=", ".join(names[:_NAMED] + more))]


def _agent(context: ReportContext, agent: str) -> list[Cell]:
    return [context.people.name(agent) or context.say("nobody"), agent, context.team_name(agent)]


def reason_name(context: ReportContext, code: str) -> str:
    """Of a reason not to be ready; all private ones of a person have one."""
    if code == PRIVATE:
        return context.say("reason.private")
    known = context.people.reasons.get(code)
    return known.label if known else context.known("reason", code or "none")


def queue_table(context: ReportContext, key: str, parts: Sequence[Part[Calls]]) -> Section:
    """Of each queue that has any, held to its own targets."""
    calls = context.total.queues
    queues = [queue for queue in sorted(calls) if context.queue in (None, queue)]
    lines: list[Line[Calls]] = [([queue_name(context, queue)], calls[queue]) for queue in queues]
    return table(context, key, [("queue", "text")], parts, lines, queues=queues)


def queue_name(context: ReportContext, queue: str) -> str:
    return context.people.queues.get(queue, queue) or context.say("no_queue")


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def heat_map(
    context: ReportContext, key: str, counts: Iterable[tuple[str, str, int | None]]
) -> list[Section]:
    """How many came at each hour of each weekday, from `(day, half-hour, n)`, on average of the
    days of which something is known; none of one day. Of what nobody told there is no figure.
    """
    if context.period.grain == "day":
        return []
    days_known: set[date] = set()
    found: dict[str, list[int | None]] = {}
    whole: list[int | None] = [None] * len(WEEKDAYS)
    unknown: set[tuple[str, int]] = set()
    for day, half, n in counts:
        weekday = (at := date.fromisoformat(day)).weekday()
        if n is None:
            unknown.add((f"{half[:2]}:00", weekday))
            continue
        days_known.add(at)
        for row in (found.setdefault(f"{half[:2]}:00", [None] * len(WEEKDAYS)), whole):
            row[weekday] = (row[weekday] or 0) + n
    days = Counter(one.weekday() for one in days_known)
    columns = [Column(key="hour", word=context.heading("hour"), kind="text")]
    columns += [
        Column(key=name, word=context.say("map.day", day=context.say(f"map.{name}"), n=days[n]),
               total="given")
        for n, name in enumerate(WEEKDAYS)
    ]  # fmt: skip

    def means(row: list[int | None], half: str = "") -> list[Cell]:
        """0 in an hour in which nobody came, of a day on which somebody did."""
        return [
            None if n is None and (half, place) in unknown else mean(n or 0, days[place])
            for place, n in enumerate(row)
        ]

    rows: list[list[Cell]] = [[name, *means(found[name], name)] for name in sorted(found)]
    return [
        Section(
            key=key,
            title=context.say(f"table.{key}"),
            columns=columns,
            rows=rows,
            total=[None, *means(whole)] if rows else None,
            label=context.say("map.total"),
            notes=[context.say("note.map")],
            heat=True,
        )
    ]


def day_lines[S](context: ReportContext, of: Callable[[Sums], S | None]) -> Iterable[Line[S]]:
    """Of each day that has any; none for a report of one day."""
    if context.period.grain == "day":
        return
    for day in context.figures.days:
        found = of(day.total())
        if found:
            yield [day.day], found


def half_hour_lines[S](
    context: ReportContext, of: Callable[[Sums], S | None]
) -> Iterable[Line[S]]:
    """Of each half-hour of the day that has any; those of several days together."""
    for half, sums in context.by_half_hour.items():
        found = of(sums)
        if found:
            yield [half], found


STAGES = ("", "nesting", "training")  # as a directory has them; the floor has no word there


def by_stage[S](
    context: ReportContext, key: str, parts: Sequence[Part[S]], of: Callable[[Sums], S | None]
) -> list[Section]:
    """None while nobody of them was new in these days. A row by the stage of each of the agent's
    days.
    """
    found: defaultdict[str, list[Sums]] = defaultdict(list)
    people = context.people
    if not any(people.is_new(agent) for agent in context.by_agent):
        return []
    for agent, sums in context.by_agent.items():
        if not people.is_new(agent):
            found[""].append(sums)
            continue
        for day in context.figures.days:
            if agent in day.agents:
                stage = people.on(agent, date.fromisoformat(day.day)).stage
                found[stage].append(day.agents[agent])
    sums_of = {
        stage: made
        for stage in STAGES
        if stage in found and (made := of(Sums.total(found[stage])))
    }
    return staged(context, key, parts, sums_of)


def staged[S](
    context: ReportContext, key: str, parts: Sequence[Part[S]], its: dict[str, S]
) -> list[Section]:
    """The same of what was summed up by stage."""
    if not its.keys() - {""}:
        return []
    lines: list[Line[S]] = [
        ([context.say(f"stage.{stage or 'floor'}")], its[stage])
        for stage in STAGES
        if stage in its
    ]
    section = table(context, key, [("stage", "text")], parts, lines)
    for part in parts:
        if part.target:
            _hold(context, section, part.key, part.target, [one for one in STAGES if one in its])
    return [section]


def _hold(
    context: ReportContext, section: Section, key: str, metric: str, stages: Sequence[str]
) -> None:
    """Each row to its own target, which stands beside it, where a stage has one."""
    aims = [context.people.target(metric, context.queue or "", stage) for stage in stages]
    if len(set(aims)) < 2:
        return
    column = section.columns[section.at(key)]
    word = capital(context.say("col.goal", figure=column.word))
    column.target, column.goal, column.at_most = None, f"goal_{key}", metric in AT_MOST
    section.columns.append(Column(key=column.goal, word=word, kind=column.kind))
    for row, aim in zip(section.rows, aims, strict=True):
        row.append(None if aim is None else in_kind(column.kind, aim))
    if section.total is not None:
        section.total.append(None)
