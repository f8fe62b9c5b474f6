"""Which steps of the protocol agents ticked, over the calls whose campaign has that step."""

from collections.abc import Sequence

from msgspec import Struct

from diadema.figures.rows import Sums
from diadema.site.work import Campaign


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

    def of(told: str) -> str:
        return told if told in known else first

    calls: dict[str, int] = {}
    for told, n in sums.campaigns.items():
        calls[of(told)] = calls.get(of(told), 0) + n
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
            told, _, step = key.rpartition(" ")
            ticks = found.setdefault((of(told), step), Ticks())
            setattr(ticks, name, getattr(ticks, name) + n)
    for (campaign, step), ticks in found.items():
        whole = calls.get(campaign, 0) - ticks.automatic
        ticks.possible = whole if (campaign, step) in by_key else ticks.ticked
    return found
