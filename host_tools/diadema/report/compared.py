"""A report's figures beside those of the span before and of its target, and over the last spans.

Each is what the report of that span says in its summary: it is worked out by the same function.
"""

from collections.abc import Callable, Sequence

from diadema.metrics.rounding import percent
from diadema.report.context import ReportContext
from diadema.report.model import Cell, Chart, Column, Figure, Kind, Section
from diadema.report.period import Grain
from diadema.report.tables import Stated, goal_of

type Tell = Callable[[ReportContext], Sequence[Stated]]

SPANS: dict[Grain, int] = {"day": 7, "week": 8, "month": 6}  # of a trend, with the last one
_HEADS: tuple[tuple[str, Kind], ...] = (
    ("figure", "text"), ("value", "figure"), ("target", "figure"), ("n", "count"),
    ("before", "figure"), ("n_before", "count"), ("change", "percent"), ("points", "percent"),
)  # fmt: skip


def compared(context: ReportContext, tell: Tell, keys: Sequence[str]) -> list[Section]:
    """`keys`: the figures of the trend, the first of which says of how many it is. None where
    nothing is known of a span before.
    """
    former = context.former(SPANS[context.period.grain] - 1)
    if not former:
        return []
    summaries = [tell(one) for one in (*former, context)]
    return [
        _beside(context, summaries[-1], summaries[-2]),
        trend(context, keys, former, summaries),
    ]


def _beside(context: ReportContext, stated: Sequence[Stated], before: Sequence[Stated]) -> Section:
    known = {one.key: one for one in before}
    rows: list[list[Cell]] = []
    for one in stated:
        was = known.get(one.key)
        value = was.value if was else None
        aim = context.target(one.target) if one.target else None
        missed = aim is not None and one.value is not None and aim.missed(one.value)
        is_share = one.kind == "percent"
        rows.append(
            [
                context.say(f"col.{one.key}"),
                Figure(one.kind, one.value, missed),
                None if aim is None else goal_of(one.kind, aim),
                one.count,
                Figure(one.kind, value),
                was.count if was else None,
                None if is_share else change(one.value, value),
                points(one.value, value) if is_share else None,
            ]
        )
    notes = [context.say("note.compared", span=context.period.before.word), *_running(context)]
    return Section(
        key="compared",
        title=context.say("table.compared", span=context.period.before.word),
        columns=[Column(key=k, word=context.heading(k), kind=kind) for k, kind in _HEADS],
        rows=rows,
        notes=notes,
    )


def _running(context: ReportContext) -> list[str]:
    going = context.now_ms < context.bounds_ms[1]
    return [context.say("note.compared_running")] if going else []


def change(value: float | None, before: float | None) -> float | None:
    """In percent of what it was before."""
    if value is None or not before:
        return None
    return percent(round(value) - round(before), round(before))


def points(value: float | None, before: float | None) -> float | None:
    """Between two percents."""
    if value is None or before is None:
        return None
    return (round(10 * value) - round(10 * before)) / 10


def trend(
    context: ReportContext,
    keys: Sequence[str],
    former: Sequence[ReportContext],
    summaries: Sequence[Sequence[Stated]],
) -> Section:
    """A row each of the last spans; `summaries` of those before and of this one."""
    level = f"sl_{context.people.variant(context.queue or '')}"
    keys = [level if key == "sl" else key for key in keys]
    words = [one.period.word for one in (*former, context)]
    spans = [
        (word, {one.key: one for one in its}) for word, its in zip(words, summaries, strict=True)
    ]
    last = {key: one for _, its in spans for key, one in its.items()}
    shown = [key for key in keys if key in last]
    columns = [
        Column(key="span", word=context.heading("span"), kind="text"),
        Column(key="n", word=context.heading("n")),
    ]
    for key in shown:
        aim = context.target(last[key].target) if last[key].target else None
        columns.append(Column(key=key, word=context.heading(key), kind=last[key].kind, target=aim))
    rows: list[list[Cell]] = []
    for word, its in spans:
        of = its.get(shown[0])
        values = [one.value if (one := its.get(key)) else None for key in shown]
        rows.append([word, of.count if of else None, *values])
    return Section(
        key="trend",
        title=context.say(f"table.trend_{context.period.grain}", n=len(rows)),
        columns=columns,
        rows=rows,
        notes=[context.say("note.trend"), *_running(context)],
        charts=_charts(context, columns[2:], rows),
    )


def _charts(
    context: ReportContext, columns: Sequence[Column], rows: Sequence[list[Cell]]
) -> list[Chart]:
    """One of each unit; the first one with how many it is of."""
    kinds: dict[Kind, list[str]] = {}
    for column in columns:
        kinds.setdefault(column.kind, []).append(column.key)
    counted = sum(row[1] for row in rows if isinstance(row[1], int))
    return [
        Chart(
            title=context.say("chart.trend", figures=_listed(columns, keys)),
            x="span",
            bars=[] if number else ["n"],
            lines=keys,
            unit=context.say("unit.cases"),
            n=counted,
        )
        for number, keys in enumerate(kinds.values())
    ]


def _listed(columns: Sequence[Column], keys: Sequence[str]) -> str:
    return ", ".join(one.word for one in columns if one.key in keys)
