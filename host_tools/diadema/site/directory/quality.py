"""How calls are sampled for evaluation: a plan of the directory, as of one moment."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

type Count = Annotated[int, Meta(ge=0)]
type SampleGrain = Literal["day", "week", "month"]
type Stratum = Literal["motive", "half", "duration"]


class SamplePlan(Struct, kw_only=True, frozen=True):
    """`teams`, `queues`: of which contacts; none named: of all. So many calls of each agent, or
    `total` in all, of each agent `least` to `most` of them; the other way's are None. `strata`:
    what an agent's calls are parted by. `least_talk_s`: shorter ones are left out.

    `twice_share`: percent of the chosen that two monitors evaluate, and at least `twice_least` a
    month. `monitors`: accounts, who have `days` days for it and `cap_per_day` calls on each.
    `audit`: only such a plan may go over a month.
    """

    code: str
    label: str
    scorecard: str
    period: SampleGrain = "week"
    teams: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    per_agent: Count | None = 2
    total: Count | None = None
    least: Count | None = None
    most: Count | None = None
    strata: tuple[Stratum, ...] = ()
    least_talk_s: Count = 0
    twice_share: Count = 5
    twice_least: Count = 20
    monitors: tuple[str, ...] = ()
    cap_per_day: Count = 14
    days: Count = 5
    audit: bool = False
