"""Who evaluates which of the drawn calls, and which of them two do."""

import hmac
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from msgspec import Struct, field

from diadema.base.errors import DiademaError
from diadema.quality.sampling import Call, Draw, SamplePeriod, StratumDraw
from diadema.site.directory.quality import SamplePlan
from diadema.store.contact_rows import Key
from diadema.words import Sentence

_MONTH_DAYS = 28  # four weeks, which are a month's draws


class Bars(Struct, frozen=True):
    """Whom an account may not evaluate. `own`: the agent that it is; `supervised`: its teams;
    `conflicts`: agents, by the directory. `teams_of`: all of an agent's teams in the period.
    """

    own: Mapping[str, str] = field(default_factory=dict)
    supervised: Mapping[str, Collection[str]] = field(default_factory=dict)
    conflicts: Mapping[str, Collection[str]] = field(default_factory=dict)
    teams_of: Callable[[str], Collection[str]] = lambda _: ()

    def bars(self, account: str, agent: str) -> bool:
        return (
            self.own.get(account) == agent
            or agent in self.conflicts.get(account, ())
            or any(team in self.supervised.get(account, ()) for team in self.teams_of(agent))
        )


class Assignment(Struct, frozen=True):
    """`pool`: the size of its stratum. `second`: another one evaluates it too, and neither of
    them is told.
    """

    key: Key
    agent: str
    stratum: str
    rank: int
    pool: int
    to: str
    second: bool


class Left(Struct, frozen=True):
    """`why`: barred, all monitors from this agent, or full, those who are not."""

    key: Key
    agent: str
    why: str


class Assigned(Struct, frozen=True):
    """In the order in which they are evaluated. `alone`: how many were to be seen twice, and had
    nobody else.
    """

    calls: list[Assignment]
    left: list[Left]
    alone: int


def twice_of(plan: SamplePlan, period: SamplePeriod, chosen: int) -> int:
    """How many of the chosen two evaluate: the plan's share, at least the period's part of the
    least of a month.
    """
    share = -(-plan.twice_share * chosen // 100)
    least = -(-plan.twice_least * min(period.days, _MONTH_DAYS) // _MONTH_DAYS)
    return min(max(share, least), chosen)


def assign(
    plan: SamplePlan,
    period: SamplePeriod,
    drawn: Draw,
    secret: bytes,
    bars: Bars,
    coordinators: Sequence[str] = (),
) -> Assigned:
    """In turn by the order of the draw: each to whoever of those that may has fewest, and of
    equals to who is named first. A coordinator is the second where no other monitor can be.

    Raises DiademaError where no monitor may evaluate any of them.
    """
    line = sorted(
        ((call, of) for of in drawn.strata for call in of.calls), key=lambda one: one[0].order
    )
    twice = _twice(plan, period, (call.key for call, _ in line), secret)
    turns = _Turns(plan, bars)
    calls: list[Assignment] = []
    left: list[Left] = []
    alone = 0
    for call, of in line:
        first = turns.take(plan.monitors, of.agent)
        if first is None:
            barred = all(bars.bars(one, of.agent) for one in plan.monitors)
            left.append(Left(call.key, of.agent, "barred" if barred else "full"))
            continue
        calls.append(_assignment(call, of, first, second=False))
        if call.key in twice:
            others = [one for one in plan.monitors if one != first]
            second = turns.take(others, of.agent)
            if second is None:
                leads = [one for one in coordinators if one != first]
                second = turns.take(leads, of.agent, capped=False)
            if second is None:
                alone += 1
            else:
                calls.append(_assignment(call, of, second, second=True))
    if line and not calls and all(one.why == "barred" for one in left):
        raise DiademaError(Sentence("errors.quality.all_barred", plan=plan.code))
    return Assigned(calls, left, alone)


def _assignment(call: Call, of: StratumDraw, to: str, *, second: bool) -> Assignment:
    return Assignment(call.key, of.agent, of.stratum, call.rank, of.size, to, second)


def _twice(
    plan: SamplePlan, period: SamplePeriod, keys: Iterable[Key], secret: bytes
) -> frozenset[Key]:
    """By an order of its own: by that of the draw, calls of large strata would come first."""
    line = sorted(keys, key=lambda key: hmac.digest(secret, _second(key), "sha256"))
    return frozenset(line[: twice_of(plan, period, len(line))])


def _second(key: Key) -> bytes:
    s, e, n = key
    return f"{s}|{e}|{n}|2".encode()


class _Turns:
    def __init__(self, plan: SamplePlan, bars: Bars) -> None:
        self._most, self._bars = plan.cap_per_day * plan.days, bars
        self._given: Counter[str] = Counter()

    def take(self, accounts: Sequence[str], agent: str, *, capped: bool = True) -> str | None:
        """Whose turn it is, which counts as given."""
        may = [
            one
            for one in accounts
            if not (capped and self._given[one] >= self._most) and not self._bars.bars(one, agent)
        ]
        if not may:
            return None
        found = min(may, key=self._given.__getitem__)
        self._given[found] += 1
        return found
