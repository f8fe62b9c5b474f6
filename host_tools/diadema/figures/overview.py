"""A span of days of many agents at once, as the pages beside the floor show them: a row an agent,
the whole, and the half-hours.

Which steps of the protocol agents ticked, over the calls whose campaign has that step.
"""

from collections.abc import Collection, Sequence
from datetime import date

from msgspec import Struct, field

from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.figures.rows import Calls, Cutoff, Load, Sums
from diadema.metrics import calls as of_calls
from diadema.metrics.states import occupancy
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as read_people
from diadema.site.work import Campaign


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
    cut: Cutoff
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


class Ticks(Struct):
    """Of one step of a campaign. `ticked`: declared done by the agent's own key; `block`: of
    those, en bloque. `automatic`: the station ticked it by itself, as the call took its course;
    those are nobody's, and in no share. `possible`: calls with a conversation of that campaign,
    less the automatic ones; of a step that comes by itself, or that the campaign has not, what
    was ticked by key all the same.
    """

    possible: int = 0
    ticked: int = 0
    block: int = 0
    automatic: int = 0

    def __bool__(self) -> bool:
        return bool(self.possible or self.automatic)

    def __iadd__(self, other: "Ticks") -> "Ticks":
        self.possible += other.possible
        self.ticked += other.ticked
        self.block += other.block
        self.automatic += other.automatic
        return self


def ticks_of(sums: Sums, campaigns: Sequence[Campaign]) -> dict[tuple[str, str], Ticks]:
    """By campaign and step: those of the site in its order, then others that were ticked. A call
    of no campaign, or of one that the site has not, follows the site's first, as at the station.
    """
    first = campaigns[0].code if campaigns else ""
    known = {one.code for one in campaigns}

    def of(campaign: str) -> str:
        return campaign if campaign in known else first

    calls: dict[str, int] = {}
    for campaign, n in sums.campaigns.items():
        calls[of(campaign)] = calls.get(of(campaign), 0) + n
    steps = [(one.code, step) for one in campaigns for step in one.steps]
    found: dict[tuple[str, str], Ticks] = {(code, step.step): Ticks() for code, step in steps}
    by_key = {(campaign, step.step) for campaign, step in steps if not step.automatic}
    parts = (
        (sums.steps, "ticked"),
        (sums.steps_block, "block"),
        (sums.steps_automatic, "automatic"),
    )
    for counted, name in parts:
        for key, n in sorted(counted.items()):
            campaign, _, step = key.rpartition(" ")
            ticks = found.setdefault((of(campaign), step), Ticks())
            setattr(ticks, name, getattr(ticks, name) + n)
    for (campaign, step), ticks in found.items():
        whole = calls.get(campaign, 0) - ticks.automatic
        ticks.possible = whole if (campaign, step) in by_key else ticks.ticked
    return found
