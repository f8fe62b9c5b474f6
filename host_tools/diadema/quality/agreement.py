"""How far two monitors agree who evaluated the same calls without knowing of each other.

Most items of a good operation are «cumple», so Cohen's κ condemns monitors who agree in nearly
all; AC1 does not, and stands beside the plain share.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct

from diadema.metrics.rounding import percent, round_half_up
from diadema.quality.estimates import LEAST, mean_interval
from diadema.quality.scoring import NOT_APPLICABLE, OPTIONS, Item, Scorecard, evaluate

type Pair = tuple[str, str]  # the answers of two monitors to one item of one call
type Level = Literal["nominal", "ordinal", "interval"]
type _Distance = Callable[[int, int], float]

LEAST_CALLS = 10  # of which more than counts are told
REVIEW_BELOW = 0.60  # AC1
_APART = 100  # tenths of a percent: more than 10 points
_MONTHS = 2  # of a bias before it is an alert


class ItemAgreement(Struct, frozen=True):
    """Of one item: `same` of `n` calls; what follows is None under `LEAST_CALLS`. `alpha` is None
    too where all values are the same. `review`: its guide should be looked at.
    """

    item: str
    n: int
    same: int
    percent: float | None
    ac1: float | None
    alpha: float | None
    review: bool


class Bias(Struct, frozen=True):
    """By how many points a monitor scores higher than the co-raters, on average of `n` calls."""

    value: float
    low: float
    high: float
    n: int

    @property
    def is_zero_outside(self) -> bool:
        return self.low > 0 or self.high < 0


def item_agreement(item: Item, pairs: Sequence[Pair]) -> ItemAgreement:
    """That it does not apply is an answer like another to the share and to AC1; α, which orders
    the options, takes it for a gap.
    """
    n, same = len(pairs), sum(one == other for one, other in pairs)
    if n < LEAST_CALLS:
        return ItemAgreement(item.code, n, same, None, None, None, False)
    found = gwet_ac1(pairs, len(OPTIONS[item.scale]) + item.na)
    values = [[int(one) for one in pair if one != NOT_APPLICABLE] for pair in pairs]
    level: Level = "nominal" if item.scale == "yes_no" else "ordinal"
    alpha = krippendorff_alpha(values, level)
    return ItemAgreement(item.code, n, same, percent(same, n), found, alpha, found < REVIEW_BELOW)


def gwet_ac1(pairs: Sequence[tuple[object, object]], categories: int) -> float:
    """(p_a - p_e) / (1 - p_e), with p_e = Σ π_k·(1 - π_k) / (K - 1) of the mean shares π_k of the
    K categories that there are to choose from (Gwet, Br. J. Math. Stat. Psychol. 61:29, 2008).
    Raises ValueError of none.
    """
    if not pairs or categories < 2:
        raise ValueError("no pair, or nothing to choose from")
    n = len(pairs)
    same = sum(one == other for one, other in pairs) / n
    shares = Counter(one for pair in pairs for one in pair)
    chance = sum(c / (2 * n) * (1 - c / (2 * n)) for c in shares.values()) / (categories - 1)
    return (same - chance) / (1 - chance)


def krippendorff_alpha(units: Iterable[Sequence[int]], level: Level) -> float | None:
    """α = 1 - D_o/D_e, from the values that each unit was given by any number of raters; a gap is
    left out (Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011). None where no unit
    has two values, or all values are the same.
    """
    pairable = [Counter(unit) for unit in units if len(unit) > 1]
    totals: Counter[int] = Counter()
    for unit in pairable:
        totals.update(unit)
    n = totals.total()
    distance = _distance(level, totals)
    expected = _disagreement(totals, distance)
    if not expected:
        return None
    observed = sum(_disagreement(unit, distance) / (unit.total() - 1) for unit in pairable)
    return 1 - (n - 1) * observed / expected


def _disagreement(counts: Counter[int], distance: _Distance) -> float:
    """Σ n_c·n_k·δ²(c, k) of each two values, once."""
    values = sorted(counts)
    return sum(
        counts[one] * counts[other] * distance(one, other)
        for place, one in enumerate(values)
        for other in values[place + 1 :]
    )


def _distance(level: Level, totals: Counter[int]) -> _Distance:
    """δ² of two values, the lesser first."""
    if level == "nominal":
        return lambda one, other: 1.0
    if level == "interval":
        return lambda one, other: float((one - other) ** 2)
    below: dict[int, float] = {}  # values under this one, and half of its own
    seen = 0
    for value in sorted(totals):
        below[value] = seen + totals[value] / 2
        seen += totals[value]
    return lambda one, other: (below[other] - below[one]) ** 2


def bias(differences: Sequence[int]) -> Bias | None:
    """«Desvío por monitor»: the mean of own score - co-rater's, in tenths of a percent each, with
    its t interval of 95 %, in points with one decimal. None under `LEAST` calls.
    """
    n = len(differences)
    if n < LEAST:
        return None
    low, high = (round_half_up(round(1000 * one), 1000) / 10 for one in mean_interval(differences))
    return Bias(round_half_up(sum(differences), n) / 10, low, high, n)


def is_biased(months: Sequence[Bias | None]) -> bool:
    """Whether 0 was in none of the newest two months' intervals, the oldest first."""
    last = months[-_MONTHS:]
    return len(last) == _MONTHS and all(one and one.is_zero_outside for one in last)


def needs_decision(scorecard: Scorecard, first: str, second: str) -> bool:
    """Whether a pair goes to the coordinator: more than 10 points apart, or in any critical item,
    or in whether anything applies. Raises WrongAnswers.
    """
    one, other = evaluate(scorecard, first).raw, evaluate(scorecard, second).raw
    critical = any(
        item.kind != "normal" and a != b
        for item, a, b in zip(scorecard.items, first, second, strict=True)
    )
    if one is None or other is None:
        return critical or one != other
    return critical or abs(one - other) > _APART
