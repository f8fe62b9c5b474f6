"""The one rounding of every figure."""

from collections.abc import Sequence


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


def quantile(ordered: Sequence[int], percent_of: int) -> int | None:
    """The smallest of these values that at least so many percent of them do not exceed (nearest
    rank). None when there is none.
    """
    rank = -(-percent_of * len(ordered) // 100)
    return ordered[rank - 1] if ordered else None
