"""Whose a name at the switch was: from the day on which somebody gets it until it is another's or
nobody's. Who is the first of all to have it has it for the days before too, as they may have come
in before anybody wrote down whose it is.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from operator import itemgetter

type Turns = list[tuple[int, str]]  # since when (UTC ms) whose; empty: nobody's
type Held = dict[str, Turns]  # by name
type Span = tuple[int, str, date, date, date]  # see `turns_of`


def whose(turns: Turns, utc_ms: int | None) -> str:
    """Empty where it was nobody's; at no known hour, whose it is last."""
    if not turns:
        return ""
    at = len(turns) if utc_ms is None else bisect_right(turns, utc_ms, key=itemgetter(0))
    return turns[max(at - 1, 0)][1]


def queue_of(names: Held, told: str, utc_ms: int | None) -> str:
    """The queue that the switch calls so; one that nobody knows is its own."""
    return whose(names.get(told, []), utc_ms) or told


def merged(spellings: Sequence[Turns]) -> Turns:
    """Of one name: at each moment the first of its spellings that is somebody's."""
    moments = sorted({since for turns in spellings for since, _ in turns})
    return [
        (at, next((who for one in spellings if one[0][0] <= at and (who := whose(one, at))), ""))
        for at in moments
    ]


def turns_of(spans: Iterable[Span]) -> list[tuple[date, str]]:
    """From which day on whose, from the number of the change by which somebody has the name, who
    it is, the days [first, end) on which he has it, and until when it stays his where it is
    nobody's. Of two that have it on one day it is whose it was told to be before: to the other it
    was given for when it is free.
    """
    held = sorted(spans)
    days = sorted({day for _, _, *days in held for day in days if day < date.max})
    found: list[tuple[date, str]] = []
    for day in days:
        its = [who for _, who, first, end, _ in held if first <= day < end]
        its += [who for _, who, _, end, until in held if end <= day < until]
        owner = its[0] if its else ""
        if not found or found[-1][1] != owner:
            found.append((day, owner))
    return found
