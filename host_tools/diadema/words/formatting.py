"""How times, durations, percents and counts are written on every page, screen and file.

A duration is `m:ss` and from an hour on `h:mm:ss`. Where `0:26` would be read as hours it is
always `h:mm:ss`: working time (attendance, adherence), which stands beside hours of the day, and
whatever a spreadsheet opens (CSV, XLSX).
"""

from datetime import datetime, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from diadema.words import text

NOTHING = "—"

type TimeForm = Literal[
    "day", "moment", "moment_minute", "hour", "minute", "day_minute", "date_minute", "date_second"
]
_FORMS: dict[TimeForm, str] = {
    "day": "%Y-%m-%d",
    "moment": "%Y-%m-%d %H:%M:%S",
    "moment_minute": "%Y-%m-%d %H:%M",
    "hour": "%H:%M:%S",
    "minute": "%H:%M",
    "day_minute": "%d/%m %H:%M",
    "date_minute": "%d/%m/%Y %H:%M",
    "date_second": "%d/%m/%Y %H:%M:%S",
}


def local_time(utc_ms: int, zone: str | tzinfo, form: TimeForm = "moment") -> str:
    """A moment by the clock of that zone, to the second or minute it stands in and never rounded
    up: 08:00:59.9 is no 08:01.
    """
    at = datetime.fromtimestamp(utc_ms // 1000, ZoneInfo(zone) if isinstance(zone, str) else zone)
    return at.strftime(_FORMS[form])


def clock(seconds: int | None) -> str:
    """`m:ss`, from an hour on `h:mm:ss`; `—` for what there is not."""
    if seconds is None:
        return NOTHING
    if abs(seconds) >= 3600:
        return long_clock(seconds)
    return f"{'−' if seconds < 0 else ''}{abs(seconds) // 60}:{abs(seconds) % 60:02}"


def long_clock(seconds: int | None, minus: str = "−") -> str:
    """Always `h:mm:ss`; `—` for what there is not."""
    if seconds is None:
        return NOTHING
    whole = abs(seconds)
    sign = minus if seconds < 0 else ""
    return f"{sign}{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def percent(value: float | None) -> str:
    """`94.4 %`, as in es-PE and in English; `—` for what there is not."""
    return NOTHING if value is None else f"{value:,.1f} %".replace("-", "−")


def score(value: float | None) -> str:
    """`86.4`, points of 100; `—` for what there is not."""
    return NOTHING if value is None else f"{value:.1f}".replace("-", "−")


def coefficient(value: float | None) -> str:
    """`0.82`, of how far some agree; `—` for what there is not."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", "−")


def interval(low: float | None, high: float | None, n: int, of: int | None, language: str) -> str:
    """What stands behind a figure, as ` (69.9–97.2; n 20)` or, of some out of all, ` (81.2–91.6;
    n 12 de 310)`; below 0 as ` (−5.1 a −1.3; n 12)`. Without bounds n alone.
    """
    name, values = "reports.interval.some", {"n": grouped(n)}
    if of is not None:
        name, values = "reports.interval.sampled", values | {"of": grouped(of)}
    words = text(name, language, **values)
    if low is None or high is None:
        return f" ({words})"
    if low < 0:  # a dash would read as another minus
        between = text("reports.interval.between", language, low=score(low), high=score(high))
        return f" ({between}; {words})"
    return f" ({low}–{high}; {words})"


def grouped(value: int) -> str:
    """`6,821`, as in es-PE and in English."""
    return f"{value:,}".replace("-", "−")
