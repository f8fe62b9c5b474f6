"""A span of days of many agents at once, as the pages beside the floor show them: a row an agent,
the whole, and the half-hours.
"""

from collections.abc import Collection
from datetime import date

from msgspec import Struct, field

from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.figures.rows import Calls, Cut, Load, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.states import occupancy
from diadema.site.directory.people import People
from diadema.site.directory.reading import people as read_people


class AgentRow(Struct, kw_only=True):
    """Means in whole seconds, None where there is nothing; shares in percent."""

    agent: str
    name: str
    team: str
    handled: int
    missed: int
    n: int
    aside: int
    aht_s: int | None
    talk_s: int | None
    hold_s: int | None
    wrap_s: int | None
    occupancy: float | None
    logged_s: int
    not_ready_s: int


class HalfHour(Struct, kw_only=True):
    start_s: int
    calls: Calls
    load: Load


class Overview(Struct, kw_only=True):
    cut: Cut
    zone: str
    rows: list[AgentRow]
    total: Sums
    whole: AgentRow
    half_hours: list[HalfHour] = field(default_factory=list)
    targets: dict[str, float] = field(default_factory=dict)


def overview(
    data: DataDir,
    first: date,
    last: date,
    now_ms: int,
    agents: Collection[str],
    *,
    intervals: bool = False,
) -> Overview:
    """Of these agents; a row for each that has something in [first, last]."""
    people = read_people(data, first, last)
    figures = read(data, first, last, now_ms, intervals=intervals, agents=agents)
    by_agent: dict[str, Sums] = {}
    for day in figures.days:
        for agent, sums in day.agents.items():
            by_agent.setdefault(agent, Sums()).__iadd__(sums)
    total = Sums()
    for sums in by_agent.values():
        total += sums
    rows = [_row(agent, people, sums) for agent, sums in by_agent.items()]
    half_hours: dict[int, HalfHour] = {}
    for day in figures.days:
        for start, each in day.intervals.items():
            found = half_hours.setdefault(
                start, HalfHour(start_s=start, calls=Calls(), load=Load())
            )
            for sums in each.values():
                found.calls += sums.calls()
                found.load += sums.load
    names = ("aht_s", "occupancy")
    targets = {name: people.target(name) for name in names}
    targets["occupancy_most"] = people.most.get(("occupancy", ""))
    return Overview(
        cut=figures.cut,
        zone=figures.zone,
        rows=sorted(rows, key=lambda row: (row.name.casefold(), row.agent)),
        total=total,
        whole=_row("", people, total),
        half_hours=[half_hours[start] for start in sorted(half_hours)],
        targets={name: value for name, value in targets.items() if value is not None},
    )


def _row(agent: str, people: People, sums: Sums) -> AgentRow:
    calls, load = sums.calls(), sums.load
    return AgentRow(
        agent=agent,
        name=people.name(agent),
        team=people.team(agent),
        handled=of_calls.handled(calls),
        missed=calls.missed,
        n=calls.n,
        aside=of_calls.aside(calls),
        aht_s=of_calls.aht(calls),
        talk_s=of_calls.talk_mean(calls),
        hold_s=of_calls.hold_mean(calls),
        wrap_s=of_calls.wrap_mean(calls),
        occupancy=occupancy(load),
        logged_s=load.logged_s,
        not_ready_s=load.not_ready,
    )
