"""What must be equal: each rule with both of its sides, and the rows that break it."""

from collections.abc import Callable, Iterable, Iterator

from diadema.figures.booking import UNCODED
from diadema.figures.rows import Calls, QueueSums, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.intervals import clock_words
from diadema.report.asked import Asked
from diadema.report.model import Cell, Column, Section

_SHOWN = 5  # rows of those that break a rule

type Sides = tuple[str, int, int]  # where, and what stands on both sides

_CALLS: tuple[tuple[str, Callable[[Calls], int], Callable[[Calls], int]], ...] = (
    ("in", lambda c: c.offered, lambda c: c.answered + c.missed + c.open),
    ("out", lambda c: c.dialed, lambda c: c.connected + c.not_answered + c.dialing),
    ("averages", of_calls.handled, lambda c: c.n + of_calls.aside(c)),
    ("codes", lambda c: c.typified,
     lambda c: sum(n for code, n in c.codes.items() if code not in UNCODED)),
    ("causes", lambda c: c.missed + c.not_answered, lambda c: sum(c.causes.values())),
)  # fmt: skip


def invariants(asked: Asked) -> Section:
    """Each row of the report's own kind: half-hours where it has them, else days."""
    rules: list[tuple[str, Iterable[Sides]]] = [
        (name, _of_calls(asked, one, other)) for name, one, other in _CALLS
    ]
    if asked.figures.days and asked.has_halves:
        rules += [
            ("day_calls", _days(asked, lambda sums: _count(sums.calls()))),
            ("day_load", _days(asked, lambda sums: sums.load.logged_s)),
        ]
    rules.append(("span", _span(asked)))
    if asked.scope.of in ("floor", "queue"):
        rules.append(("switch", _switch(asked)))
        if asked.has_halves:
            rules.append(("switch_day", _switch_days(asked)))
    rows: list[list[Cell]] = []
    for name, sides in rules:
        its = [*sides]
        left, right = sum(one for _, one, _ in its), sum(other for _, _, other in its)
        broken = [where for where, one, other in its if one != other]
        told = ", ".join(broken[:_SHOWN]) + (" …" if len(broken) > _SHOWN else "")
        off = sum(one - other for _, one, other in its) if broken else 0
        rows.append([asked.say(f"rule.{name}"), left, right, off or len(broken), told])
    word = "note.sums_equal" if not any(row[4] for row in rows) else "note.does_not_add_up"
    kinds = {"rule": "text", "where": "text"}
    return Section(
        key="sums",
        title=asked.say("table.sums"),
        columns=[
            Column(key=key, word=asked.say(f"col.{key}"), kind="text" if key in kinds else "count")
            for key in ("rule", "whole", "parts", "difference", "where")
        ],
        rows=rows,
        notes=[asked.say(word)],
    )


def _count(calls: Calls) -> int:
    return calls.offered + calls.dialed


def _parts(asked: Asked) -> Iterator[tuple[str, Sums]]:
    for day in asked.figures.days:
        if not asked.has_halves:
            yield day.day, day.total()
            continue
        its = day.half_hours()
        words = clock_words(its, asked.zone)
        for start, sums in its.items():
            yield f"{day.day} {words[start]}", sums


def _of_calls(
    asked: Asked, one: Callable[[Calls], int], other: Callable[[Calls], int]
) -> Iterator[Sides]:
    for where, sums in _parts(asked):
        calls = sums.calls(asked.queue)
        yield where, one(calls), other(calls)


def _days(asked: Asked, get: Callable[[Sums], int]) -> Iterator[Sides]:
    for day in asked.figures.days:
        yield day.day, get(day.total()), sum(map(get, day.half_hours().values()))


def _span(asked: Asked) -> Iterator[Sides]:
    """By agent, all days together, over by day, all agents together."""
    agents = sum(_count(sums.calls()) for sums in asked.by_agent.values())
    yield asked.period.word, agents, sum(_count(d.total().calls()) for d in asked.figures.days)


def _became(sums: QueueSums) -> int:
    return sums.answered + sums.abandoned + sums.left + sums.waiting


def _switch(asked: Asked) -> Iterator[Sides]:
    for day in asked.figures.days:
        for queue, sums in day.queues.items():
            if asked.queue in (None, queue):
                yield f"{day.day} {queue}", sums.received, _became(sums)


def _switch_days(asked: Asked) -> Iterator[Sides]:
    for day in asked.figures.days:
        for queue, sums in day.queues.items():
            if asked.queue in (None, queue):
                its = (half.get(queue) for half in day.queue_intervals.values())
                yield f"{day.day} {queue}", sums.received, sum(one.received for one in its if one)
