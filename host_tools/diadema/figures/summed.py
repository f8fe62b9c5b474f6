"""Sums of sums, beside the cells: all agents of a day with its half-hours, and an agent's days of
a month so far. They are made when somebody asks, and forgotten when a cell of them changes.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import Connection, select

from diadema.figures import rollups
from diadema.figures.facts import day_sums
from diadema.figures.rows import Sums

type Whole = tuple[Sums, dict[int, Sums]]
type PackedWhole = tuple[Sums, bytes]  # the half-hours until somebody asks for them


def forget(rx: Connection, cells: Iterable[tuple[str, str]]) -> None:
    """These agents' days are others now."""
    rows = [*cells]
    if not rows:
        return
    days = [(day,) for day in {day for day, _ in rows}]
    rx.exec_driver_sql("DELETE FROM floor_days WHERE day = ?", days)
    of_month = [(day[:7], a, day) for day, a in rows]
    forgets = "DELETE FROM agent_months WHERE month = ? AND a = ? AND until > ?"
    rx.exec_driver_sql(forgets, of_month)


def floor_days(
    rx: Connection, first: str, last: str, today: str, *, keep: bool
) -> dict[str, Whole | PackedWhole]:
    """All agents of each day that has any and is over: today's are others in a moment."""
    row, cell = rollups.floor_days.c, rollups.agent_days.c
    query = select(row.day, row.total, row.halves).where(row.day.between(first, last))
    query = query.where(row.day < today)
    found: dict[str, Whole | PackedWhole] = {
        day: (rollups.sums_of(total), halves) for day, total, halves in rx.execute(query)
    }
    there = select(cell.day).where(cell.day.between(first, last), cell.day < today).distinct()
    made = {day: _floor(rx, day) for day in rx.execute(there).scalars().all() if day not in found}
    if keep and made:
        rows = [(day, *rollups.packed(*whole)) for day, whole in made.items()]
        rx.exec_driver_sql("INSERT OR REPLACE INTO floor_days VALUES (?, ?, ?)", rows)
    return found | made


def _floor(rx: Connection, day: str) -> Whole:
    cell = rollups.agent_days.c
    query = select(cell.halves).where(cell.day == day)
    parts: defaultdict[int, list[Sums]] = defaultdict(list)
    for body in rx.execute(query).scalars():
        for at, sums in rollups.halves_of(body).items():
            parts[at].append(sums)
    halves = {at: Sums.total(parts[at]) for at in sorted(parts)}
    return day_sums(halves), halves


def agent_months(
    rx: Connection, first: date, last: date, today: date, *, keep: bool
) -> dict[str, dict[str, tuple[str, Sums]]]:
    """By month and agent the sum of her days before the one that is named with it. Of the months
    that lie whole in first…last; other spans have none.
    """
    found: dict[str, dict[str, tuple[str, Sums]]] = {}
    month = first
    while first.day == 1 and month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        if following - timedelta(days=1) <= last:
            until = min(following, max(today, month)).isoformat()
            found[f"{month:%Y-%m}"] = _month(rx, f"{month:%Y-%m}", until, keep=keep)
        month = following
    return found


def _month(rx: Connection, month: str, until: str, *, keep: bool) -> dict[str, tuple[str, Sums]]:
    row, cell = rollups.agent_months.c, rollups.agent_days.c
    query = select(row.a, row.until, row.total).where(row.month == month, row.until <= until)
    known = {a: (to, rollups.sums_of(total)) for a, to, total in rx.execute(query)}
    of_month = (cell.day >= month) & (cell.day < until)
    short = [cell.a.not_in(select(row.a).where(row.month == month, row.until == until))]
    more: dict[str, tuple[str, Sums]] = {}
    query = select(cell.a, cell.day, cell.total).where(of_month, *short)
    for a, day, total in rx.execute(query):
        if a not in more:
            more[a] = until, known[a][1] if a in known else Sums()
        if a not in known or day >= known[a][0]:
            more[a][1].__iadd__(rollups.sums_of(total))
    if keep and more:
        for _, sums in more.values():
            sums.compact()
        rows = [(month, a, to, rollups.pack(sums)) for a, (to, sums) in more.items()]
        rx.exec_driver_sql("INSERT OR REPLACE INTO agent_months VALUES (?, ?, ?, ?)", rows)
    return known | more
