"""What a centre gives out, as plain structures: its events (`diadema export cloudevents`), the
switch's queue_log as the switch wrote it, people and places by date (`diadema people export`).

A folder has `events.jsonl`, `queue_log` where there is a switch, and `people/DAY/KIND.csv`, of
each day on which something is other than on the day before.
"""

import csv
import json
from collections import defaultdict
from datetime import UTC, date, datetime
from math import sqrt
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

HALF_HOUR_S = 1800


class Event(NamedTuple):
    """`utc`: where its hour lies, in milliseconds, None where nobody knows; `u`: milliseconds
    since boot `b`; `f`: the kind's own fields, with agent `a` and contact `c`.
    """

    s: str
    e: int
    n: int
    b: int
    u: int
    t: int | None
    utc: int | None
    k: str
    f: dict


class Line(NamedTuple):
    """Of a queue_log; `t` in whole seconds of UTC, `number` from 1 on."""

    number: int
    t: int
    pbx: str
    queue: str
    agent: str
    verb: str
    data: list[str]


class Given(NamedTuple):
    """`journals`: events by station and epoch, in their order. `people`: by the day from which on
    it holds, by kind, rows by the words of their columns.
    """

    journals: dict[tuple[str, int], list[Event]]
    log: list[Line]
    people: dict[date, dict[str, list[dict[str, str]]]]

    def on(self, day, kind):
        """Rows of that kind in force on a day."""
        known = [one for one in sorted(self.people) if one <= day] or sorted(self.people)[:1]
        return self.people[known[-1]].get(kind, []) if known else []

    def stations(self):
        """Journals of stations, without those of the switch, the hub and the pages."""
        return {key: events for key, events in self.journals.items() if key[0][:4] == "DIA-"}

    def told(self, *kinds):
        """All events of these kinds, wherever they are from, by their hour; without one, last."""
        found = [one for events in self.journals.values() for one in events if one.k in kinds]
        return sorted(found, key=lambda one: (one.utc is None, one.utc, one.s, one.e, one.n))

    @property
    def zone(self):
        settings = self.on(max(self.people), "settings") if self.people else []
        return ZoneInfo(settings[0]["Zona horaria"] if settings else "UTC")


def read(folder):
    folder = Path(folder)
    people = {
        date.fromisoformat(day.name): {table.stem: rows(table) for table in day.glob("*.csv")}
        for day in sorted((folder / "people").iterdir())
    }
    log = folder / "queue_log"
    return Given(
        events(folder / "events.jsonl"), lines(log) if log.exists() else [], people
    )  # fmt: skip


def events(path):
    found = defaultdict(list)
    for line in path.read_text().splitlines():
        told = json.loads(line)
        data = told["data"]
        k = told["type"].removeprefix("diadema.")
        one = Event(
            data["station"], data["epoch"], data["seq"], data["boot"], data["t_mono_ms"],
            data["event"].get("t"), data["t_utc"], k, data["event"],
        )  # fmt: skip
        found[one.s, one.e].append(one)
    return {key: sorted(its, key=lambda one: one.n) for key, its in found.items()}


def lines(path):
    found = []
    for number, text in enumerate(path.read_text().splitlines(), 1):
        t, pbx, queue, agent, verb, *data = text.split("|")
        found.append(Line(number, int(t), pbx, queue, agent, verb, data))
    return found


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def several(cell):
    """The words of a cell that has several."""
    return [word.strip() for word in cell.split("|") if word.strip()]


def seconds(ms):
    """Whole seconds of one part of one contact, halves up."""
    return (ms + 500) // 1000


def rounded(part, whole, times=1):
    """times · part / whole to the nearest whole, halves up; None where there is nothing."""
    return None if not whole else (2 * times * part + whole) // (2 * whole)


def percent(part, whole):
    tenths = rounded(part, whole, 1000)
    return None if tenths is None else tenths / 10


def within(part, whole):
    """Between which shares, in percent, what was seen is no surprise at 95 %, and of how many:
    each end is a share p from which part / whole lies 1.96 standard deviations away.
    """
    if not whole:
        return None

    def end(inside, outside):
        for _ in range(80):
            p = (inside + outside) / 2
            far = abs(part / whole - p) > 1.959964 * sqrt(p * (1 - p) / whole)
            inside, outside = (inside, p) if far else (p, outside)
        return percent(round(1_000_000 * inside), 1_000_000)

    return end(part / whole, 0.0), end(part / whole, 1.0), whole


def local(utc_s, zone):
    return datetime.fromtimestamp(utc_s, UTC).astimezone(zone)


def day_of(utc_s, zone):
    return local(utc_s, zone).date()


def half_of(utc_s, zone):
    """The first second of the half-hour of the local clock in which that second lies. Clocks go
    by whole quarters of an hour; a half-hour that a change cuts begins or ends there.
    """
    here = local(utc_s, zone)
    begun = utc_s - (here.minute % 30) * 60 - here.second
    while local(begun, zone).utcoffset() != here.utcoffset():
        begun += 900
    return begun


def split(start_s, end_s, zone):
    """[start, end) by half-hour: (first second of it, seconds)."""
    while start_s < end_s:
        half = half_of(start_s, zone)
        until = next_half(half, zone)
        yield half, min(until, end_s) - start_s
        start_s = until


def next_half(half, zone):
    for quarter in (half + 900, half + 1800):
        if half_of(quarter, zone) != half:
            return quarter
    return half + HALF_HOUR_S
