"""Tables of sums: a row for each agent, queue, day or half-hour, a column for each figure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from diadema.directory.people import PRIVATE
from diadema.figures.rows import Calls, Sums
from diadema.report.asked import Asked
from diadema.report.model import (
    Cell,
    Column,
    Figure,
    Kind,
    Ratio,
    Section,
    Target,
    totalled,
)

AT_MOST = frozenset({"aht_s", "asa_s", "abandonment"})  # targets that are a ceiling


class Part[S](Struct):
    """A column of figures: its word is `col.<key>`, its target the people's of that name."""

    key: str
    get: Callable[[S], Cell]
    kind: Kind = "count"
    total: Literal["sum", "given"] | Ratio | None = "sum"
    target: str = ""


type Line[S] = tuple[list[Cell], S]  # what stands before the figures, and their sums


def table[S](
    asked: Asked,
    key: str,
    heads: Sequence[tuple[str, Kind]],
    parts: Sequence[Part[S]],
    lines: Iterable[Line[S]],
    *,
    notes: Sequence[str] = (),
    total: bool = True,
    given: Mapping[str, Cell] | None = None,
) -> Section:
    columns = [Column(key=name, word=asked.say(f"col.{name}"), kind=kind) for name, kind in heads]
    columns += [
        Column(
            key=part.key,
            word=asked.say(f"col.{part.key}"),
            kind=part.kind,
            total=part.total,
            target=goal(asked, part.target),
        )
        for part in parts
    ]
    rows: list[list[Cell]] = [
        [*before, *(part.get(sums) for part in parts)] for before, sums in lines
    ]
    return Section(
        key=key,
        title=asked.say(f"table.{key}"),
        columns=columns,
        rows=rows,
        total=totalled(columns, rows, dict(given or {})) if total else None,
        notes=list(notes),
    )


def goal(asked: Asked, metric: str) -> Target | None:
    value = asked.target(metric) if metric else None
    return None if value is None else Target(value, metric in AT_MOST)


class Stated(Struct):
    """A figure of the summary: its formula is `formula.<key>`."""

    key: str
    kind: Kind
    value: int | float | None
    n: int | None = None
    target: str = ""


def summary(asked: Asked, stated: Iterable[Stated], notes: Sequence[str] = ()) -> Section:
    """A figure a row, beside its target, with n and its formula."""
    heads: tuple[tuple[str, Kind], ...] = (
        ("figure", "text"), ("value", "figure"), ("target", "figure"), ("n", "count"),
        ("formula", "text"),
    )  # fmt: skip
    columns = [Column(key=name, word=asked.say(f"col.{name}"), kind=kind) for name, kind in heads]
    rows: list[list[Cell]] = []
    for one in stated:
        aim = goal(asked, one.target)
        missed = aim is not None and one.value is not None and aim.missed(one.value)
        rows.append(
            [
                asked.say(f"col.{one.key}"),
                Figure(one.kind, one.value, missed),
                None if aim is None else Figure(one.kind, _in_kind(one.kind, aim.value)),
                one.n,
                asked.say(f"formula.{one.key}"),
            ]
        )
    return Section(
        key="summary",
        title=asked.say("table.summary"),
        columns=columns,
        rows=rows,
        notes=list(notes),
    )


def _in_kind(kind: Kind, value: float) -> int | float:
    return value if kind == "percent" else round(value)


AGENT: tuple[tuple[str, Kind], ...] = (("agent", "text"), ("code", "text"), ("team", "text"))


def agent_lines[S](asked: Asked, of: Callable[[Sums], S | None]) -> Iterable[Line[S]]:
    """Of each who has any, by name."""
    for agent, sums in asked.by_agent.items():
        found = of(sums)
        if found:
            yield _agent(asked, agent), found


def agent_calls(asked: Asked, has: Callable[[Calls], object]) -> Iterable[Line[Calls]]:
    """The same of their calls, of those who have such."""
    for agent, calls in asked.calls_by_agent.items():
        if has(calls):
            yield _agent(asked, agent), calls


def _agent(asked: Asked, agent: str) -> list[Cell]:
    return [asked.people.name(agent) or asked.say("nobody"), agent, asked.team_name(agent)]


def reason_name(asked: Asked, code: str) -> str:
    """Of a reason not to be ready; all private ones of a person have one."""
    if code == PRIVATE:
        return asked.say("reason.private")
    known = asked.people.reasons.get(code)
    return known.label if known else asked.known("reason", code or "none")


def queue_lines(asked: Asked) -> Iterable[Line[Calls]]:
    calls = asked.total.queues
    for queue in sorted(calls):
        if asked.queue in (None, queue):
            yield [queue_name(asked, queue)], calls[queue]


def queue_name(asked: Asked, queue: str) -> str:
    return asked.people.queues.get(queue, queue) or asked.say("no_queue")


def day_lines[S](asked: Asked, of: Callable[[Sums], S | None]) -> Iterable[Line[S]]:
    """Of each day that has any; none for a report of one day."""
    if asked.period.grain == "day":
        return
    for day in asked.figures.days:
        found = of(day.total())
        if found:
            yield [day.day], found


def half_hour_lines[S](asked: Asked, of: Callable[[Sums], S | None]) -> Iterable[Line[S]]:
    """Of each half-hour of the day that has any; those of several days together."""
    for half, sums in asked.by_half_hour.items():
        found = of(sums)
        if found:
            yield [half], found
