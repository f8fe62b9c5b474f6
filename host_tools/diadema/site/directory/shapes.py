"""What the items of a list look like; each function gives the one way to write it, or raises
ValueError.
"""

import re
from collections.abc import Callable
from datetime import date

from diadema.site.badges import KEPT, is_id
from diadema.site.work import DAYS

STEPS = ("greeting", "identity", "need", "information", "doubts", "closing")
_PAUSE = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s+([A-Za-z0-9_.-]{1,24})\Z")
_PART = re.compile(r"([A-Za-z0-9_.-]{1,24})\s*=\s*(\S.{0,15})\Z")


def badge(text: str) -> str:
    """`iso14443a:04A1B2C3`, or as it is kept"""
    if KEPT.match(text):
        return text
    kind, colon, uid = text.partition(":")
    if not is_id(told := f"{kind}{colon}{uid.upper()}"):
        raise ValueError(text)
    return told


def day_badge(text: str) -> str:
    """A badge and the day it is lent for: `iso14443a:04A1B2C3 2026-12-01`."""
    card, _, day = text.rpartition(" ")
    return f"{badge(card.strip())} {date.fromisoformat(day).isoformat()}"


def pause(text: str) -> str:
    """`10:00-10:15 break`"""
    found = _match(_PAUSE, text)
    times = [f"{_below(found[at], 24)}:{_below(found[at + 1], 60)}" for at in (1, 3)]
    if times[0] == times[1]:
        raise ValueError(text)
    return f"{times[0]}-{times[1]} {found[5]}"


def part(text: str) -> str:
    """`no_oigo=No oigo`"""
    found = _match(_PART, text)
    return f"{found[1]}={found[2].strip()}"


def step(text: str) -> str:
    """`greeting`; with a `*` it ticks itself."""
    name, star = text.rstrip("* "), "*" if text.endswith("*") else ""
    if name not in STEPS:
        raise ValueError(text)
    return name + star


def weekday(text: str) -> str:
    if text not in DAYS:
        raise ValueError(text)
    return text


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.match(text)
    if found is None:
        raise ValueError(text)
    return found


def _below(text: str, limit: int) -> str:
    if int(text) >= limit:
        raise ValueError(text)
    return f"{int(text):02}"


SHAPES: dict[str, Callable[[str], str]] = {
    "badge": badge,
    "day_badge": day_badge,
    "pause": pause,
    "part": part,
    "step": step,
    "weekday": weekday,
}
