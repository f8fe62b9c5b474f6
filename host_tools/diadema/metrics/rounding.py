"""The one rounding of every figure."""

from collections.abc import Mapping


def round_half_up(dividend: int, divisor: int = 1) -> int:
    """dividend / divisor to the nearest whole, halves up, in whole numbers only.

    The one rounding of every figure: Python's own `round` takes halves to the even number.
    """
    if divisor <= 0:
        raise ValueError("divisor must be positive")
    return (2 * dividend + divisor) // (2 * divisor)


def whole_seconds(ms: int) -> int:
    """Milliseconds of one contact's part as whole seconds; asked for each part of each contact,
    so it does without `round_half_up` what that does.
    """
    return (ms + 500) // 1000


def mean(total: int, n: int) -> int | None:
    """total / n, rounded once; None when there is nothing to divide by (never 0)."""
    return round_half_up(total, n) if n else None


def percent(part: int, whole: int) -> float | None:
    """part / whole in percent with one decimal, rounded once; None when there is nothing."""
    return round_half_up(1000 * part, whole) / 10 if whole else None


def quantile(counts: Mapping[int, int], percent_of: int) -> int | None:
    """The smallest value that at least so many percent do not exceed (nearest rank); `counts`: how
    many have each. None when there is none.
    """
    rank, seen = -(-percent_of * sum(counts.values()) // 100), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= rank:
            return value
    return None
