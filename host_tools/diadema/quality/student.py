"""Student's t, by which the interval of a mean of few cases is as wide as it must be."""

from functools import lru_cache
from math import copysign, exp, inf, lgamma, log, log1p, pi
from statistics import NormalDist

_MOST_DF = 100_000.0
_MOST_TERMS = 10_000


@lru_cache(maxsize=4096)
def t_quantile(probability: float, df: float) -> float:
    """Student's t below which that share lies, for `df` ≥ 1, whole or not; more than 100 000 count
    as so many. By Newton's method from the normal's quantile, which lies nearer to 0, so that each
    step stays on the same side (the tail is convex). Raises ValueError.
    """
    if not 0 < probability < 1 or df < 1:
        raise ValueError(f"no t of {probability} with {df} degrees of freedom")
    if probability == 0.5:
        return 0.0
    df, tail = min(df, _MOST_DF), min(probability, 1 - probability)
    scale = lgamma((df + 1) / 2) - lgamma(df / 2) - log(df * pi) / 2
    t, before = -NormalDist().inv_cdf(tail), -inf
    while t - before > 1e-14 * t:
        density = exp(scale - (df + 1) / 2 * log1p(t * t / df))
        before, t = t, t + (_t_tail(t, df) - tail) / density
    return copysign(t, probability - 0.5)


def _t_tail(t: float, df: float) -> float:
    """The share above t > 0: half the regularized incomplete beta function of df/(df + t²) with
    df/2 and 1/2 (DLMF 8.17).
    """
    a, b = df / 2, 0.5
    x, rest = df / (df + t * t), t * t / (df + t * t)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2):
        return front * _continued(x, a, b) / a / 2
    return (1 - front * _continued(rest, b, a) / b) / 2


def _continued(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    found, c, d = 1.0, 1.0, 0.0
    for term in range(1, _MOST_TERMS):
        m = term // 2
        if term % 2:
            step = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + step * x * d)
        c = 1 + step * x / c
        found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 / found
