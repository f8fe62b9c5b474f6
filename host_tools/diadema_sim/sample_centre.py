"""What the directory of the demo's centre has beside its site: shifts with pauses, a roster of the
past month and the week to come, queues with the switch's names, targets, and who helps and mends.

Its people are `people.desks` in their order. The first ones sit at the stations of the run; then
come the one whose station is out of reach, the one who has not come today, and the others of the
roster, who have gone home or are off. A past day is the same whatever the run is.
"""

import random
from dataclasses import dataclass
from datetime import date, timedelta

from diadema.base.paths import DataDir
from diadema.site.description import load
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.directory.publishing import begin

from diadema_sim import people
from diadema_sim import sample_assistance as assistance
from diadema_sim import sample_quality as quality
from diadema_sim.history import Shift, Worker

STAFF = 10  # people who worked in the month before
PAST_DAYS, DAYS_AHEAD = 31, 7
_NO_SHOW = 0.012
_H, _MIN = 3600, 60


def _shift(code: str, *pauses: tuple[float, int, str]) -> Shift:
    start = int(code[1:3]) * _H
    length = 7 if code == "T0500" else 9
    rests = tuple((int(at * _H), minutes * _MIN, reason) for at, minutes, reason in pauses)
    return Shift(code, start, start + length * _H, rests)


EARLY = _shift("T0500", (7.0, 15, "break"), (9.5, 15, "break"))  # gone home at any start
SHIFTS = (
    _shift("T0800", (10.0, 15, "break"), (13.0, 45, "refrigerio"), (15.5, 15, "break")),
    _shift("T1000", (12.25, 15, "break"), (14.75, 45, "refrigerio"), (17.0, 15, "break")),
    _shift("T1200", (14.0, 15, "break"), (16.5, 45, "refrigerio"), (19.0, 15, "break")),
)
_TARGETS: tuple[Body, ...] = (
    {"metric": "service_level", "value": 80, "threshold_s": 20},
    {"metric": "abandonment", "value": 8},
    {"metric": "asa_s", "value": 25},
    {"metric": "aht_s", "value": 210},
    {"metric": "occupancy", "value": 70, "most": 88},
    {"metric": "adherence", "value": 90},
)


def alias(number: int) -> str:
    """What the switch calls person `number` (from 0)."""
    return f"SIP/{201 + number}"


@dataclass(frozen=True)
class Roster:
    """Of a run with so many `stations`. `today` is the run's."""

    stations: int
    today: date

    @property
    def everybody(self) -> list[people.Desk]:
        """Everybody, each at a desk; only the first ones are those of the run."""
        return people.desks(min(max(STAFF, self.stations + 4), people.LIMIT))

    @property
    def unreachable(self) -> people.Desk:
        return self.everybody[self.stations]

    def shift(self, number: int, day: date) -> Shift | None:
        """What is planned for person `number`; None: a day off."""
        if day == self.today:
            if number <= self.stations:
                return SHIFTS[number % len(SHIFTS)]
            return {1: SHIFTS[1], 2: EARLY}.get(number - self.stations)
        off = (number + day.toordinal()) % 7 == 0
        return None if off or self.absence(number, day) else SHIFTS[number % len(SHIFTS)]

    def absence(self, number: int, day: date) -> str | None:
        if day >= self.today:
            return None
        if number == STAFF - 1 and day.isocalendar().week % 4 == 1:
            return "vacation"
        sick = random.Random(f"{day} {number} rest").random() < 0.008
        return "medical_rest" if sick else None

    def workers(self, day: date) -> list[tuple[Worker, Shift]]:
        """Who came that day, and to which station."""
        found = []
        for number, desk in enumerate(self.everybody):
            shift = self.shift(number, day)
            if shift is None or (day != self.today and number >= STAFF):
                continue
            if day != self.today:
                if random.Random(f"{day} {number} comes").random() < _NO_SHOW:
                    continue
            elif number == self.stations + 1:
                continue  # has not come
            found.append((Worker(desk.person, desk.station, alias(number)), shift))
        return found

    def idle(self) -> list[str]:
        """Stations at which nobody is today, not even before the run."""
        busy = {worker.station for worker, _ in self.workers(self.today)}
        return [desk.station for desk in self.everybody if desk.station not in busy]

    def rows(self) -> list[Body]:
        """The roster, a row a person and day."""
        rows: list[Body] = []
        for back in range(-DAYS_AHEAD, PAST_DAYS + 1):
            day = self.today - timedelta(days=back)
            for number, desk in enumerate(self.everybody):
                if back and number >= STAFF:
                    continue
                shift, absence = self.shift(number, day), self.absence(number, day)
                row: Body = {"day": day.isoformat(), "agent": desk.person.id}
                row |= {"shift": shift.code} if shift else {"absence": absence or "day_off"}
                rows.append(row)
        return rows


def write_directory(data: DataDir, roster: Roster, at_ms: int) -> None:
    """From the site of `data`, and all that is above."""
    with Directory(data.directory) as book:
        begin(book, load(data.site), at_ms)
        queues = {code: name for code, name in people.QUEUES.items()}
        wanted = [
            _change("queues", code=code, name=name, switch_names=[name])
            for code, name in queues.items()
        ]
        wanted += [_change("shifts", **_as_row(shift)) for shift in (EARLY, *SHIFTS)]
        wanted += [_change("targets", **row) for row in _TARGETS]
        wanted += [_change(kind, **row) for kind, row in assistance.NEW]
        wanted += [_with(book, kind, code, more) for kind, code, more in assistance.MORE]
        for number, desk in enumerate(roster.everybody):
            more: Body = {"switch_aliases": [alias(number)], "queues": [*queues]}
            wanted.append(_with(book, "agents", desk.person.id, more))
        wanted += [_change("roster", **row) for row in roster.rows()]
        wanted += quality.changes()
        book.apply(wanted, by="demo", reason="demo", at_ms=at_ms)
        quality.publish(book, at_ms)


def _as_row(shift: Shift) -> Body:
    pauses = [
        f"{_clock(start)}-{_clock(start + lasts)} {reason}"
        for start, lasts, reason in shift.pauses
    ]
    return {
        "code": shift.code,
        "name": f"{_clock(shift.start_s)} – {_clock(shift.end_s)}",
        "start": _clock(shift.start_s),
        "end": _clock(shift.end_s),
        "tolerance_min": 5,
        "pauses": pauses,
    }


def _clock(second: int) -> str:
    return f"{second // _H:02}:{second % _H // _MIN:02}"


def _with(book: Directory, kind: str, code: str, more: Body) -> Change:
    """An entry of the site, and more."""
    known = book.entry(kind, code)
    assert known is not None and known.body is not None
    return Change(kind=kind, code=code, body=known.body | more, seen=known.version)


def _change(kind: str, **given: object) -> Change:
    body = KINDS[kind].read(given)
    return Change(kind=kind, code=KINDS[kind].code(body), body=body)
