"""A report's cells and lines as people read them: the same on a screen, on paper and on a page."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from diadema.base import sanitize
from diadema.figures.rows import Cutoff
from diadema.report.kinds import KINDS
from diadema.report.model import (
    Cell,
    Column,
    Figure,
    Kind,
    Report,
    Section,
    Target,
    kind_of,
    plain,
)
from diadema.words import formatting, text
from diadema.words.formatting import (
    NOTHING,
    clock,
    coefficient,
    grouped,
    local_time,
    long_clock,
    percent,
    score,
)

SIGN = "!"  # of what stays behind its target
NUMBERS: frozenset[Kind] = frozenset(
    {"count", "seconds", "percent", "score", "coefficient", "figure"}
)


def written(column: Column, cell: Cell, report: Report) -> str:
    return _written(column, cell, report) + interval(cell, report.language)


def _written(column: Column, cell: Cell, report: Report) -> str:
    value = plain(cell)
    if value is None:
        return NOTHING
    match kind_of(column, cell):
        case "seconds":
            say = long_clock if KINDS[report.kind].of_hours else clock
            return say(int(value))
        case "percent":
            return percent(float(value))
        case "score":
            return score(float(value))
        case "coefficient":
            return coefficient(float(value))
        case "count":
            return grouped(int(value))
        case "moment" | "hour" | "minute" as kind:
            return local_time(int(value), report.zone, kind)
        case _:
            return sanitize.visible(str(value))


def interval(cell: Cell, language: str) -> str:
    """What stands behind a cell that has one."""
    its = cell.within if isinstance(cell, Figure) else None
    return formatting.interval(its.low, its.high, its.n, its.of, language) if its else ""


def written_total(column: Column, cell: Cell, report: Report) -> str:
    """Of a column that has no total, nothing: no dash as where one is lacking."""
    return "" if column.total is None else written(column, cell, report)


def shown(
    section: Section,
    row: list[Cell],
    place: int,
    report: Report,
    say: Callable[[Column, Cell, Report], str] = written,
) -> tuple[str, bool]:
    """A cell, and whether it stays behind its target: then it has a sign too, for who sees no
    colour.
    """
    words, missed = say(section.columns[place], row[place], report), is_missed(section, row, place)
    return (f"{words} {SIGN}" if missed else words), missed


def local(utc_ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(utc_ms // 1000, ZoneInfo(zone))


def is_missed(section: Section, row: list[Cell], place: int) -> bool:
    """Whether a cell stays behind its own target, its row's or its column's."""
    cell = row[place]
    if isinstance(cell, Figure):
        return cell.missed
    aim = section.target(row, place)
    return aim is not None and isinstance(cell, int | float) and aim.missed(cell)


def target(goal: Target, kind: Kind, duration: Callable[[int], str] = clock) -> str:
    """As `≤ 5:00`, a band as `75.0 % – 88.0 %`."""

    def said(value: float) -> str:
        if kind == "seconds":
            return duration(round(value))
        if kind == "score":
            return score(value)
        return percent(value) if kind == "percent" else grouped(round(value))

    if goal.ceiling is not None:
        return f"{said(goal.value)} – {said(goal.ceiling)}"
    return f"{'≤' if goal.at_most else '≥'}\u00a0{said(goal.value)}"


def cut_line(report: Report) -> str:
    """Until when it is known: by the clock, and by the number of events taken in."""
    return text(
        "reports.cut",
        report.language,
        at=local_time(report.cut.at_ms, report.zone),
        zone=report.zone,
        position=grouped(report.cut.position),
    )


def pending_line(report: Report) -> str:
    """Who still owes events, and since when; empty when nobody does."""
    owing = report.cut.pending_stations
    if not owing:
        return ""
    words = {"n": len(owing), "seats": ", ".join(sanitize.visible(one.seat) for one in owing)}
    since = owing_since(report.cut, report.zone, report.language)
    if since is None:
        return text("reports.owing_never", report.language, **words)
    name = "reports.owing_one" if len(owing) == 1 else "reports.owing"
    return text(name, report.language, since=since, **words)


def owing_since(cut: Cutoff, zone: str, language: str) -> str | None:
    """Since when they owe, with the date unless it is that of the cut-off; None where nobody
    knows.
    """
    heard = [one.since_utc for one in cut.pending_stations if one.since_utc is not None]
    if not heard:
        return None
    oldest = min(heard)
    if local(oldest, zone).date() == local(cut.at_ms, zone).date():
        return local_time(oldest, zone, "minute")
    return text("floor.since_day", language, time=local_time(oldest, zone, "day_minute"))


def span_line(report: Report) -> str:
    days = report.first if report.first == report.last else f"{report.first} – {report.last}"
    return f"{report.scope_name} · {days}"


def file_name(report: Report, extension: str) -> str:
    """Nothing in it that a file system or a header takes for more than a name."""
    code = "".join(one if one.isalnum() and one.isascii() else "-" for one in report.scope.code)
    scope = f"-{report.scope.of}-{code}" if report.scope.of != "floor" else ""
    return f"diadema-{report.kind}-{report.span}{scope}.{extension}"
