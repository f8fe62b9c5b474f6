"""What a sample of evaluated calls tells of all calls that it was drawn from.

Scores go in as tenths of a percent; figures come out in percent with one decimal, rounded once.
Under `LEAST` calls there is no figure. Means are of `raw`: a score of 0 that one auto-fail makes
leaves an interval of 95 % only some 90 (simulated), so auto-fails are a share of their own.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import lcm, sqrt, sumprod
from typing import Literal, NamedTuple

from msgspec import Struct

from diadema.metrics import wilson
from diadema.metrics.rounding import percent, round_half_up
from diadema.quality.student import t_quantile

LEAST = 5  # calls of which a mean is told
MONTHS = 3  # that are taken together where one has too few
FUNNEL_LEAST = 12  # people who are compared
_OTHERS = 5  # in a team, from which on an agent sees its figure
_LEVEL, _INNER, _OUTER = 0.95, 0.95, 0.998
_WHOLE = 1000  # tenths of a percent
_LEAST_DF = 2  # of a spread
_TOO_MANY = "more calls were evaluated than there are"

type Side = Literal["", "below", "above"]


class Stratum(NamedTuple):
    """The evaluated calls of one part of a draw, and how many it has in the frame."""

    scores: Sequence[int]
    of: int


class Part(NamedTuple):
    """Of a stratum the evaluated calls that are asked about, `n` that were evaluated of it in all,
    and how many it has in the frame.
    """

    scores: Sequence[int]
    n: int
    of: int


class Estimate(Struct, frozen=True):
    """A figure of `n` calls out of `of`. Without bounds where nothing can be said of its error.
    `uncovered`: percent of the frame that lies in strata of which no call was evaluated.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    of: int
    uncovered: float = 0.0


class Month(NamedTuple):
    """One agent's calls of a month, by draw and stratum."""

    first: date
    last: date
    strata: Sequence[Stratum]


class AgentFigure(Struct, frozen=True):
    """What is shown of one agent, of the span `first` to `last`: an estimate or, where the sample
    does not suffice, the scores themselves.
    """

    first: date
    last: date
    scores: list[int]
    of: int
    estimate: Estimate | None


class Point(Struct, frozen=True):
    """One agent of a funnel, with the limits at that many calls. `beyond` says on which side of
    the outer ones the value lies.
    """

    agent: str
    value: float
    n: int
    inner: tuple[float, float]
    outer: tuple[float, float]
    beyond: Side


class Funnel(Struct, frozen=True):
    """Agents by their code, around the mean of all."""

    centre: float
    points: list[Point]


class _Sum(NamedTuple):
    """The estimate before it is rounded, in tenths. `half`: of its interval; None where nothing
    can be said of its error.
    """

    value: Fraction
    half: float | None
    n: int
    of: int


def agent_interval(scores: Sequence[int], of: int) -> Estimate | None:
    """The mean of `n` calls drawn of `of`, with its t interval and the finite population
    correction, cut to 0-100: ȳ ± t(n-1)·√((1 - n/N)·s²/n) (Cochran, Sampling Techniques, 1977,
    §2.8). None under `LEAST`.
    """
    return stratified([Stratum(scores, of)])


def agent_figure(months: Sequence[Month]) -> AgentFigure:
    """The newest month's or, where that has too few calls, that of the last `MONTHS` together.
    `months`: the oldest first; raises ValueError of none.
    """
    if not months:
        raise ValueError("no month")
    newest, together = months[-1], months[-MONTHS:]
    found = _figure([newest])
    if found.estimate is None:
        longer = _figure(together)
        return found if longer.estimate is None else longer
    return found


def stratified(strata: Iterable[Stratum], *, bounds: bool = True) -> Estimate | None:
    """The mean of all calls from a sample by strata: Σ W_h·ȳ_h with W_h = N_h/N and variance
    Σ W_h²·(1 - n_h/N_h)·s_h²/n_h (Cochran 1977, §5.4), t with Satterthwaite's degrees of freedom
    (5.16). A month adds up its draws as strata in time. Strata of one or two calls have one
    spread with their neighbours (collapsed strata, §5A.12), as of their own the interval is far
    too wide; so neighbours should be alike: one agent's weeks, then the next agent's. None under
    `LEAST` calls in all.
    """
    given = list(strata)
    frame, n = sum(one.of for one in given), sum(len(one.scores) for one in given)
    found = _sum(given, bounds=bounds) if n >= LEAST else None
    if found is None:
        return None
    return _estimate(found, percent(frame - found.of, frame) or 0.0)


def domain(parts: Iterable[Part], *, bounds: bool = True) -> Estimate | None:
    """The mean of the calls of a part of the frame that cuts through strata, as a queue does: of
    each stratum N_h/n_h for every call of it, Σ (N_h/n_h)·y over Σ (N_h/n_h), a ratio whose error
    is that of the mean of z = y - ȳ in the part and 0 beside it (Cochran 1977, §5A.14; Särndal,
    Swensson and Wretman, Model Assisted Survey Sampling, 1992, §5.8). Of whole strata it is
    `stratified`. `of` is an estimate too. None under `LEAST` calls in all.
    """
    met = [one for one in parts if one.scores]
    if all(len(one.scores) == one.n for one in met):
        return stratified((Stratum(one.scores, one.of) for one in met), bounds=bounds)
    n = sum(len(one.scores) for one in met)
    if n < LEAST:
        return None
    if any(one.n > one.of for one in met):
        raise ValueError(_TOO_MANY)
    whole = _ratios((one.of * len(one.scores), one.n) for one in met)
    total = _ratios((one.of * sum(one.scores), one.n) for one in met)
    middle = float(total / whole)
    around: list[_Spread] = [
        ([*(y - middle for y in one.scores), *[0.0] * (one.n - len(one.scores))], one.of)
        for one in met
    ]
    spread, frame = _parts(around) if bounds else [], sum(one.of for one in met)
    half = _half(spread) if spread else 0.0
    scaled = None if half is None or not bounds else half * float(frame / whole)
    return _estimate(_Sum(total / whole, scaled, n, _rounded(whole)))


def size_of(counts: Iterable[tuple[int, int, int]]) -> int:
    """How many calls of the frame some stand for, of each stratum by those asked about, evaluated
    in all and in the frame.
    """
    return _rounded(_ratios((of * inside, n) for inside, n, of in counts))


def contract_grade(strata: Iterable[Stratum]) -> Estimate | None:
    """«Nota según contrato»: the same mean of `score`, auto-fails as zeros. It has no bounds, as
    t's do not hold for it. None under `LEAST`.
    """
    return stratified(strata, bounds=False)


def proportion(part: int, whole: int, of: int) -> Estimate | None:
    """A share of evaluations with its Wilson interval; None of nothing."""
    bounds, value = wilson.interval(part, whole), percent(part, whole)
    if bounds is None or value is None:
        return None
    return Estimate(value, *bounds, whole, of)


def item_share(items: Sequence[tuple[int, int]], of: int) -> Estimate | None:
    """The share of items that are right, from each evaluation's (right, possible): Σ right /
    Σ possible with the interval of a ratio, as items of one call are no independent cases
    (Cochran 1977, §2.11, §3.12). None under `LEAST` evaluations where any was possible.
    """
    met = [one for one in items if one[1]]
    n = len(met)
    if n > of:
        raise ValueError(_TOO_MANY)
    if n < LEAST:
        return None
    right, possible = sum(r for r, _ in met), sum(p for _, p in met)
    share = right / possible
    squares = sum((r - share * p) ** 2 for r, p in met) / (n - 1)
    error = _WHOLE * sqrt((1 - n / of) * squares / n) / (possible / n)
    half = t_quantile((1 + _LEVEL) / 2, n - 1) * error
    known = half or n == of  # what has no spread says nothing of its error
    return _estimate(_Sum(Fraction(_WHOLE * right, possible), half if known else None, n, of))


def funnel(agents: Mapping[str, Sequence[Stratum]]) -> Funnel | None:
    """Agents compared with all of them together, never ranked: limits of 95 and 99.8 % around the
    mean, from the spread of calls within agents and each one's own number (Spiegelhalter,
    Statistics in Medicine 24:1185, 2005), by t as that spread is estimated too. Who has under
    `LEAST` calls is not in it; None under `FUNNEL_LEAST` people.
    """
    sums = {code: _sum(agents[code]) for code in sorted(agents)}
    enough = {code: one for code, one in sums.items() if one and one.n >= LEAST}
    if len(enough) < FUNNEL_LEAST:
        return None
    of = sum(one.of for one in enough.values())
    centre = sum((one.value * one.of for one in enough.values()), Fraction()) / of
    parts = {code: _parts(agents[code]) for code in enough}
    every = [part for its in parts.values() for part in its]
    squares, df = sum(part.squares for part in every), sum(part.df for part in every)
    if not squares:
        return None
    points = []
    for code, one in enough.items():
        error = sqrt(squares / df * sum(part.weight for part in parts[code]))
        inner, outer = (
            _bounds(float(centre), t_quantile((1 + level) / 2, df) * error)
            for level in (_INNER, _OUTER)
        )
        value = _tenths(one.value)
        side: Side = "below" if value < outer[0] else "above" if value > outer[1] else ""
        points.append(Point(code, value, one.n, inner, outer, side))
    return Funnel(_tenths(centre), points)


def team_is_shown(agents: Iterable[str], agent: str) -> bool:
    """Whether an agent may see a figure of these: with five others in it, so that nobody's own is
    worked out from it.
    """
    return len({*agents} - {agent}) >= _OTHERS


def by_stratum[K: Hashable](
    frame: Mapping[K, int], scores: Iterable[tuple[K, int]]
) -> list[Stratum]:
    """The strata in the frame's order, those without an evaluated call too. Raises KeyError for a
    score that lies in none of them.
    """
    found: dict[K, list[int]] = {key: [] for key in frame}
    for key, score in scores:
        found[key].append(score)
    return [Stratum(found[key], frame[key]) for key in frame]


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Of the mean of values that are no sample of a finite number (Cochran 1977, §2.8 without the
    correction), unrounded. Raises ValueError under two.
    """
    n = len(values)
    if n < 2:
        raise ValueError("a spread takes two values")
    middle = sum(values) / n
    half = t_quantile((1 + _LEVEL) / 2, n - 1) * sqrt(_squares(values) / (n - 1) / n)
    return middle - half, middle + half


def _figure(months: Sequence[Month]) -> AgentFigure:
    strata = [stratum for month in months for stratum in month.strata]
    return AgentFigure(
        months[0].first,
        months[-1].last,
        [score for scores, _ in strata for score in scores],
        sum(stratum.of for stratum in strata),
        stratified(strata),
    )


class _Part(NamedTuple):
    """Strata that have one spread: Σ W_h²·(1 - n_h/N_h)/n_h, and Σ (y - ȳ_h)² with its degrees of
    freedom.
    """

    weight: float
    squares: float
    df: int


def _sum(strata: Sequence[Stratum], *, bounds: bool = True) -> _Sum | None:
    """None without a call."""
    if any(len(one.scores) > one.of for one in strata):
        raise ValueError(_TOO_MANY)
    met = [one for one in strata if one.scores]
    if not met:
        return None
    of = sum(one.of for one in met)
    by = lcm(*(len(one.scores) for one in met))
    total = sum(one.of * sum(one.scores) * (by // len(one.scores)) for one in met)
    parts = _parts(met) if bounds else []
    half = _half(parts) if parts else 0.0  # of all calls there is no error
    n = sum(len(one.scores) for one in met)
    return _Sum(Fraction(total, by * of), half if bounds else None, n, of)


type _Spread = tuple[Sequence[float], int]  # the scores of a stratum, and how many it has
type _Weighted = tuple[float, Sequence[float]]  # W_h²·(1 - n_h/N_h)/n_h, and the scores


def _parts(strata: Sequence[_Spread]) -> list[_Part]:
    """Those taken whole have no error and are left out."""
    of = sum(its for _, its in strata)
    parts: list[list[_Weighted]] = []
    few: list[_Weighted] = []
    df = alone = 0  # of the few: that of the calls that are alone is one less than there are
    for scores, its in strata:
        n = len(scores)
        if n in (0, its):
            continue
        few.append(((its / of) ** 2 * (1 - n / its) / n, scores))
        df, alone = (df, alone + 1) if n == 1 else (df + n - 1, alone)
        if df + max(alone - 1, 0) >= _LEAST_DF:
            parts.append(few)
            few, df, alone = [], 0, 0
    if few:
        parts = [*parts[:-1], [*parts[-1], *few]] if parts else [few]
    return [*map(_part, parts)]


def _part(strata: Sequence[_Weighted]) -> _Part:
    """Each stratum has a mean of its own; the calls that are alone in theirs have one together."""
    weight = squares = 0.0
    df = 0
    alone: list[float] = []
    for its, scores in strata:
        weight += its
        if len(scores) == 1:
            alone.append(scores[0])
        else:
            squares += _squares(scores)
            df += len(scores) - 1
    if alone:
        squares += _squares(alone)
        df += len(alone) - 1
    return _Part(weight, squares, df)


def _half(parts: Sequence[_Part]) -> float | None:
    """None where all scores are the same, or only one there: no spread says nothing of the
    error.
    """
    errors = [part.weight * part.squares / part.df for part in parts if part.df]
    variance = sum(errors)
    if not variance:
        return None
    below = sum(error**2 / part.df for error, part in zip(errors, parts, strict=True))
    return t_quantile((1 + _LEVEL) / 2, variance**2 / below) * sqrt(variance)


def _squares(values: Sequence[float]) -> float:
    """Σ (y - ȳ)² of one or more. From the first one on, so that of values that are the same it is
    0, and not what a float leaves over.
    """
    away = [one - values[0] for one in values]
    return sumprod(away, away) - sum(away) ** 2 / len(away)


def _estimate(found: _Sum, uncovered: float = 0.0) -> Estimate:
    value, half = float(found.value), found.half
    low, high = (None, None) if half is None else _bounds(value, half)
    return Estimate(_tenths(found.value), low, high, found.n, found.of, uncovered)


def _bounds(middle: float, half: float) -> tuple[float, float]:
    """Cut to 0-100, in percent with one decimal."""
    low, high = max(0.0, middle - half), min(float(_WHOLE), middle + half)
    return _tenths(Fraction(low)), _tenths(Fraction(high))


def _ratios(ratios: Iterable[tuple[int, int]]) -> Fraction:
    """Their sum; numerators of one denominator first, of which there are few."""
    sums: dict[int, int] = {}
    for over, under in ratios:
        sums[under] = sums.get(under, 0) + over
    return sum((Fraction(over, under) for under, over in sums.items()), Fraction())


def _rounded(number: Fraction) -> int:
    return round_half_up(number.numerator, number.denominator)


def _tenths(tenths_of_percent: Fraction) -> float:
    return round_half_up(tenths_of_percent.numerator, tenths_of_percent.denominator) / 10
