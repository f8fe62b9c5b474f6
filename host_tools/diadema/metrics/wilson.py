"""The interval in which a share lies that was seen in some cases only (Wilson, 1927; Brown, Cai
and DasGupta, Statistical Science 16:101, 2001).
"""

from math import sqrt

from diadema.metrics.rounding import percent

_Z = 1.959964  # of 95 %, on both sides


def interval(part: int, whole: int) -> tuple[float, float] | None:
    """[low, high] of part / whole at 95 %, in percent with one decimal; None of nothing."""
    if not whole:
        return None
    share, spread = part / whole, _Z * _Z / whole
    middle = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / whole + spread / (4 * whole))
    low, high = ((one / (1 + spread)) for one in (middle - half, middle + half))
    return _tenths(max(0.0, low)), _tenths(min(1.0, high))


def _tenths(share: float) -> float:
    return percent(round(1_000_000 * share), 1_000_000) or 0.0
