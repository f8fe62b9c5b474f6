"""Attendance by the business day of the shift: marks, sessions and what was planned."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from diadema.directory.people import People, Planned
from diadema.figures import attendance as module
from diadema.figures.attendance import attendance
from diadema.ingest.messages import Message, subject_of
from scripted_station import Script
from test_figures_read import Place

LIMA = ZoneInfo("America/Lima")
DAY = date(2026, 11, 18)


def at(hour, minute=0, day=DAY):
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=LIMA).timestamp())


@pytest.fixture
def people(monkeypatch):
    """A roster that the test fills."""
    known = People()
    monkeypatch.setattr(module, "read_people", lambda data, first, last: known)

    def plan(day, start_s, end_s, tolerance_s=300):
        known.roster["a001", day] = Planned(
            day=day, shift="x", start_s=start_s, end_s=end_s, tolerance_s=tolerance_s
        )

    return plan


@pytest.fixture
def place(tmp_path, writer, clock):
    return Place(tmp_path, writer, clock)


def worked(come_s, go_s, s="DIA-0123456789ab", e=7):
    """Comes, logs in 60 s later, logs out 90 s before she goes."""
    script = Script(s=s, e=e).boot().clock(come_s * 1000).mark("in", 0)
    script.login(60_000).ready()
    script.u += (go_s - come_s) * 1000 - 60_000 - 1000 - 1000 - 90_000
    return script.logout().mark("out", 90_000)


def days(place, first=DAY, last=None):
    now = place.clock.now_ms()
    return attendance(place.data, first, last or first, now, ["a001"])


def test_marks_and_sessions_stand_beside_each_other(place, people):
    people(DAY, at(8), at(16))
    place.take(worked(at(8, 12), at(16, 30)))
    (one,) = days(place)
    assert (one.day, one.agent) == ("2026-11-18", "a001")
    assert one.first_in == at(8, 12) * 1000
    assert one.last_out == at(16, 30) * 1000
    assert [mark.direction for mark in one.marks] == ["in", "out"]
    assert len(one.sessions) == 1 and not one.open and not one.orphans and not one.impossible
    assert one.late.raw_s == 12 * 60 - 300
    assert one.late_login.raw_s == 12 * 60 + 60 - 300
    assert (one.mark_to_login_s, one.logout_to_mark_s) == (60, 90)
    assert one.stay_s == at(16, 30) - at(8, 12)
    assert one.outside_s == 30 * 60


def test_a_night_belongs_to_the_day_on_which_it_starts(place, people):
    people(DAY, at(22), at(6, day=DAY + timedelta(days=1)))
    place.take(worked(at(21, 50), at(6, 20, DAY + timedelta(days=1))))
    first, second = DAY, DAY + timedelta(days=1)
    found = days(place, first, second)
    assert [(one.day, len(one.marks), len(one.sessions)) for one in found] == [
        ("2026-11-18", 2, 1)
    ]
    assert found[0].late.raw_s == 0
    assert days(place, second) == []


def test_without_a_roster_the_calendar_says(place, people):
    place.take(worked(at(21, 50), at(6, 20, DAY + timedelta(days=1))))
    found = days(place, DAY, DAY + timedelta(days=1))
    assert [(one.day, [m.direction for m in one.marks]) for one in found] == [
        ("2026-11-18", ["in"]), ("2026-11-19", ["out"]),
    ]  # fmt: skip
    assert found[0].late is None and found[0].stay_s is None


def test_who_did_not_come_is_there_and_not_late(place, people):
    people(DAY, at(8), at(16))
    (one,) = days(place)
    assert one.marks == [] and one.late is None and one.stay_s is None


def test_two_sessions_at_once_and_one_unheard_are_counted(place, people):
    people(DAY, at(8), at(16))
    place.take(worked(at(8), at(16)))
    other = Script(s="DIA-0123456789ac", e=9).boot().clock(at(10) * 1000).login(0)
    other.agent = "a002"
    place.take(other.login())  # the first one here ends unheard
    (one,) = days(place)
    assert (len(one.sessions), one.orphans, one.impossible) == (2, 1, 1)


def said(n, k, **fields):
    event = {"s": "HUB-x", "e": 1, "n": n, "b": 0, "u": 0, "t": at(18) * 1000, "by": "ana"}
    body = json.dumps(event | {"k": f"attendance.{k}", "a": "a001", **fields}).encode()
    return Message(0, subject_of("HUB-x"), body)


def test_a_correction_stands_beside_the_mark_and_changes_no_lateness(place, people):
    people(DAY, at(8), at(16))
    script = worked(at(8, 30), at(16))
    place.take(script)
    mark = [script.s, script.e, 3]
    place.ingest.take_file(
        [
            said(1, "corrected", direction="in", time=at(8) * 1000, reason="lector", of=mark),
            said(2, "corrected", direction="out", time=at(17) * 1000, reason="olvidó"),
            said(3, "justified", reason="paro de buses", day="2026-11-18"),
        ]
    )
    (one,) = days(place)
    assert [fix.kind for fix in one.corrections] == ["corrected", "corrected", "justified"]
    assert (one.first_in, one.last_out) == (at(8, 30) * 1000, at(16) * 1000)
    assert (one.corrected_in, one.corrected_out) == (at(8) * 1000, at(17) * 1000)
    assert (one.entry, one.exit, one.outside_s) == (at(8) * 1000, at(17) * 1000, 3600)
    assert (one.late.raw_s, one.late.unexplained_s) == (25 * 60, 0)
    assert one.late.explained == "paro de buses"
