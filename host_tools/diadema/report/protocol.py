"""Protocol: which steps agents ticked, by campaign; those «en bloque» say little, so they stand
apart.
"""

from msgspec import Struct

from diadema.figures.rows import Sums
from diadema.metrics.rounding import percent
from diadema.report.asked import Asked
from diadema.report.model import Kind, Ratio, Section
from diadema.report.tables import AGENT, Line, Part, Stated, agent_lines, summary, table

_STEPS: tuple[tuple[str, Kind], ...] = (("campaign", "text"), ("step", "text"))


class Ticks(Struct):
    """Of one step, or of all: of so many that could have been ticked."""

    possible: int = 0
    ticked: int = 0
    block: int = 0

    def __bool__(self) -> bool:
        return bool(self.possible)


PARTS: list[Part[Ticks]] = [
    Part("possible", lambda ticks: ticks.possible),
    Part("ticked", lambda ticks: ticks.ticked),
    Part("block", lambda ticks: ticks.block),
    Part(
        "ticked_share", lambda ticks: percent(ticks.ticked, ticks.possible), "percent",
        Ratio(["ticked"], ["possible"]),
    ),
    Part(
        "one_by_one_share", lambda ticks: percent(ticks.ticked - ticks.block, ticks.possible),
        "percent", Ratio(["ticked", "-block"], ["possible"]),
    ),
]  # fmt: skip


def make(asked: Asked) -> list[Section]:
    known = _steps(asked)

    def of(sums: Sums) -> Ticks:
        whole = Ticks()
        for campaign, step in known:
            ticks = _ticks(sums, campaign, step)
            whole.possible += ticks.possible
            whole.ticked += ticks.ticked
            whole.block += ticks.block
        return whole

    total = of(asked.total)
    stated = [
        Stated("ticked_share", "percent", percent(total.ticked, total.possible), total.possible),
        Stated(
            "one_by_one_share", "percent",
            percent(total.ticked - total.block, total.possible), total.possible,
        ),
    ]  # fmt: skip
    lines: list[Line[Ticks]] = [
        ([campaign or asked.say("no_campaign"), asked.known("step", step)], ticks)
        for campaign, step in known
        if (ticks := _ticks(asked.total, campaign, step))
    ]
    notes = [asked.say("note.block")]
    if asked.queue is not None:
        notes.append(asked.say("note.not_of_queue"))
    return [
        summary(asked, stated, notes),
        table(asked, "steps", _STEPS, PARTS, lines),
        table(asked, "steps_agents", AGENT, PARTS, agent_lines(asked, of)),
    ]


def _steps(asked: Asked) -> list[tuple[str, str]]:
    """Campaign and step: those of the site, in its order, then others that were ticked."""
    found = [(campaign.code, one.step) for campaign in asked.campaigns for one in campaign.steps]
    ticked = (name.rpartition(" ") for name in sorted(asked.total.steps))
    return list(dict.fromkeys([*found, *((campaign, step) for campaign, _, step in ticked)]))


def _ticks(sums: Sums, campaign: str, step: str) -> Ticks:
    name = f"{campaign} {step}"
    return Ticks(
        sums.campaigns.get(campaign, 0), sums.steps.get(name, 0), sums.steps_block.get(name, 0)
    )
