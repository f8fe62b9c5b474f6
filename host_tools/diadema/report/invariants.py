"""What must be equal: each rule with both of its sides, and the rows that break it.

What has no agent, no time or no end yet: how many that no table shows there are.

Where the records ended when a report was made: printed on it, so that paper tells of a cut.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import msgspec
from sqlalchemy import select

from diadema.figures.booking import UNCODED
from diadema.figures.rows import Calls, QueueSums, Sums
from diadema.metrics import calls as of_calls
from diadema.report.context import ReportContext
from diadema.report.kinds import KINDS
from diadema.report.model import Cell, Column, Section
from diadema.report.tables import Line, Part, table
from diadema.store import open_reader, tables
from diadema.store.record_heads import AUDIT, Head, end_of
from diadema.store.writer import position_of

_SHOWN = 5  # rows of those that break a rule

type Sides = tuple[str, int, int]  # where, and what stands on both sides

_CALLS: tuple[tuple[str, Callable[[Calls], int], Callable[[Calls], int]], ...] = (
    ("in", lambda c: c.offered,
     lambda c: c.answered - c.unrung + c.missed + c.excused + c.open),
    ("out", lambda c: c.dialed, lambda c: c.connected + c.not_answered + c.dialing),
    ("averages", of_calls.handled, lambda c: c.n + of_calls.aside(c)),
    ("codes", lambda c: c.typified,
     lambda c: sum(n for code, n in c.codes.items() if code not in UNCODED)),
    ("causes", lambda c: c.missed + c.excused + c.not_answered,
     lambda c: sum(c.causes.values())),
)  # fmt: skip


def invariants(context: ReportContext) -> Section:
    """Each row of the report's own kind: half-hours where agents have them, else days."""
    days = [(day.day, day.total()) for day in context.figures.days]
    parts = [*context.half_hours] if context.agents_by_half else days
    calls = [(where, _calls(sums, context.queue)) for where, sums in parts]
    rules: list[tuple[str, Iterable[Sides]]] = [
        (name, [(where, sum(map(one, its)), sum(map(other, its))) for where, its in calls])
        for name, one, other in _CALLS
    ]
    if context.agents_by_half:
        rules += [
            ("day_calls", _by_day(days, parts, _count)),
            ("day_load", _by_day(days, parts, lambda sums: sums.load.logged_s)),
        ]
    if KINDS[context.kind].of_agents:
        agents = sum(_count(sums) for sums in context.by_agent.values())
        all_days = sum(_count(sums) for _, sums in days)
        rules.append(("span", [(context.period.word, agents, all_days)]))
        if context.scope.of == "floor" and (shown := _floor(context)):
            rules.append(("floor", shown))
    if context.scope.of in ("floor", "queue"):
        rules.append(("switch", _switch(context)))
        if context.has_halves:
            rules.append(("switch_day", _switch_days(context)))
    if context.kind == "servicio" and context.scope.of == "floor":
        rules.append(("joined", _joined(context)))
    rows: list[list[Cell]] = []
    for name, sides in rules:
        its = [*sides]
        whole, parted = sum(one for _, one, _ in its), sum(other for _, _, other in its)
        broken = [where for where, one, other in its if one != other]
        places = ", ".join(broken[:_SHOWN]) + (" …" if len(broken) > _SHOWN else "")
        rows.append([context.say(f"rule.{name}"), whole, parted, whole - parted, places])
    word = "note.does_not_add_up" if any(row[4] for row in rows) else "note.sums_equal"
    text = ("rule", "where")
    return Section(
        key="sums",
        title=context.say("table.sums"),
        columns=[
            Column(key=key, word=context.heading(key), kind="text" if key in text else "count")
            for key in ("rule", "whole", "parts", "difference", "where")
        ],
        rows=rows,
        notes=[context.say(word)],
    )


def _calls(sums: Sums, queue: str | None) -> list[Calls]:
    """By queue: what is told of them adds up."""
    return [calls for name, calls in sums.queues.items() if queue in (None, name)]


def _count(sums: Sums) -> int:
    return sum(calls.offered + calls.dialed for calls in sums.queues.values())


def _by_day(
    days: Iterable[tuple[str, Sums]],
    halves: Iterable[tuple[str, Sums]],
    get: Callable[[Sums], int],
) -> Iterator[Sides]:
    summed: defaultdict[str, int] = defaultdict(int)
    for where, sums in halves:
        summed[where.partition(" ")[0]] += get(sums)
    for day, sums in days:
        yield day, get(sums), summed[day]


def _became(sums: QueueSums) -> int:
    return sums.answered + sums.abandoned + sums.left + sums.waiting


def _floor(context: ReportContext) -> list[Sides]:
    """Of each agent the contacts that the live floor counts today, and those that the station
    told here; none where the floor is of another day than these, or has gone on meanwhile.
    """
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        counted = tx.execute(select(tables.floor.c.utc)).scalar()
        position = position_of(tx)
        rows = {a: msgspec.json.decode(row) for a, row in tx.execute(select(tables.live))}
    if position != context.figures.cut.position:
        return []
    sides = []
    for day in context.figures.days:
        if day.start_ms != counted:
            continue
        for a in sorted(rows):
            if context.agents is None or a in context.agents:
                calls = day.agents[a].calls() if a in day.agents else Calls()
                here = of_calls.handled(calls) - calls.by_switch
                sides.append((f"{day.day} {a}", int(rows[a]["contacts"]), here))
    return sides


def _joined(context: ReportContext) -> Iterator[Sides]:
    """A pair over midnight is on its contact's day: the day before says how many were."""
    first, over = (
        context.period.first.isoformat(),
        {day.day: day.over_end for day in context.joined},
    )
    for day in context.joined:
        if day.day >= first:
            before = date.fromisoformat(day.day) - timedelta(days=1)
            crossed = day.over_end - over.get(before.isoformat(), 0)
            calls = day.calls - day.calls_alone + crossed
            yield day.day, day.contacts - day.contacts_alone, calls


def _switch(context: ReportContext) -> Iterator[Sides]:
    for day in context.figures.days:
        for queue, sums in day.queues.items():
            if context.queue in (None, queue):
                yield f"{day.day} {queue}", sums.received, _became(sums)


def _switch_days(context: ReportContext) -> Iterator[Sides]:
    for day in context.figures.days:
        halves: defaultdict[str, int] = defaultdict(int)
        for its in day.queue_intervals.values():
            for queue, sums in its.items():
                halves[queue] += sums.received
        for queue, sums in day.queues.items():
            if context.queue in (None, queue):
                yield f"{day.day} {queue}", sums.received, halves[queue]


def apart(context: ReportContext) -> Section:
    """A line each: calls that the switch says were answered and by nobody it names; contacts of
    stations that never knew the time, which are on no day; contacts that still ring, are dialled
    or are not closed; callers of whom no end is known, who wait or whose end the log lost.
    """
    calls, floor = context.total.calls(context.queue), context.scope.of == "floor"
    late = context.untimed
    counts = {"no_hour": late.offered + late.dialed}
    counts |= {"no_end": calls.open + calls.dialing + calls.aside_open}
    if floor or context.queue is not None:
        side = context.figures.queue(context.queue)
        counts = {"no_agent": side.no_agent, **counts, "no_end_queue": side.waiting}
    order = ("no_agent", "no_hour", "no_end", "no_end_queue")
    lines: list[Line[int]] = [
        ([context.say(f"apart.{name}")], counts[name]) for name in order if name in counts
    ]
    part = Part[int]("count", lambda n: n, total=None)
    return table(context, "apart", [("what", "text")], [part], lines, total=False)


def seals(context: ReportContext) -> list[str]:
    """One line for a report; none where nothing is recorded yet. Of the audit what the store keeps
    of it, some moments old.
    """
    heads = tables.record_heads.c
    with open_reader(context.data.store) as reader, reader.engine.connect() as tx:
        marks = end_of(tx, "marks", tables.marks)
        stored = tx.execute(select(heads.count, heads.hash).where(heads.ledger == AUDIT)).first()
    audit = Head(AUDIT, stored[0], stored[1]).short if stored else "—"
    if not (marks.count or stored):
        return []
    return [context.say("note.seals", marks=marks.short if marks.count else "—", audit=audit)]
