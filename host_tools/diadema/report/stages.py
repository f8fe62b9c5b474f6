"""Figures with and without new people: a row for each stage that somebody was at, held to the
targets of that stage, and the total of all.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from diadema.figures.rows import Sums
from diadema.report.asked import AT_MOST, Asked
from diadema.report.model import Column, Section
from diadema.report.tables import Line, Part, in_kind, table

STAGES = ("", "nesting", "training")  # as a directory has them; the floor has no word there


def by_stage[S](
    asked: Asked, key: str, parts: Sequence[Part[S]], of: Callable[[Sums], S | None]
) -> list[Section]:
    """None while nobody of them was new in these days. A row by the stage of each of her days."""
    found: defaultdict[str, list[Sums]] = defaultdict(list)
    people = asked.people
    if not any(people.is_new(agent) for agent in asked.by_agent):
        return []
    for agent, sums in asked.by_agent.items():
        if not people.is_new(agent):
            found[""].append(sums)
            continue
        for day in asked.figures.days:
            if agent in day.agents:
                stage = people.on(agent, date.fromisoformat(day.day)).stage
                found[stage].append(day.agents[agent])
    sums_of = {
        stage: made
        for stage in STAGES
        if stage in found and (made := of(Sums.total(found[stage])))
    }
    return staged(asked, key, parts, sums_of)


def staged[S](
    asked: Asked, key: str, parts: Sequence[Part[S]], its: dict[str, S]
) -> list[Section]:
    """The same of what was summed up by stage."""
    if not its.keys() - {""}:
        return []
    lines: list[Line[S]] = [
        ([asked.say(f"stage.{stage or 'floor'}")], its[stage]) for stage in STAGES if stage in its
    ]
    section = table(asked, key, [("stage", "text")], parts, lines)
    for part in parts:
        if part.target:
            _hold(asked, section, part.key, part.target, [one for one in STAGES if one in its])
    return [section]


def _hold(asked: Asked, section: Section, key: str, metric: str, stages: Sequence[str]) -> None:
    """Each row to its own target, which stands beside it, where a stage has one."""
    aims = [asked.people.target(metric, asked.queue or "", stage) for stage in stages]
    if len(set(aims)) < 2:
        return
    column = section.columns[section.at(key)]
    word = asked.say("col.goal", figure=column.word)
    column.target, column.goal, column.at_most = None, f"goal_{key}", metric in AT_MOST
    section.columns.append(Column(key=column.goal, word=word, kind=column.kind))
    for row, aim in zip(section.rows, aims, strict=True):
        row.append(None if aim is None else in_kind(column.kind, aim))
    if section.total is not None:
        section.total.append(None)
