"""Attendance by the business day of the shift: marks, sessions and what was planned."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from diadema.figures import attendance as module
from diadema.figures.attendance import attendance
from diadema.ingest.messages import Message, subject_of
from diadema.site.directory.people import People, Planned

from tests.host.test_figures_read import Place
from tests.support.scripted_station import Script

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


def test_without_a_roster_a_night_belongs_to_the_calendar_day_of_its_entry(place, people):
    place.take(worked(at(21, 50), at(6, 20, DAY + timedelta(days=1))))
    (one,) = days(place, DAY, DAY + timedelta(days=1))
    assert (one.day, [m.direction for m in one.marks]) == ("2026-11-18", ["in", "out"])
    assert one.late is None and one.stay_s == one.outside_s == 8 * 3600 + 30 * 60


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


@pytest.mark.parametrize(("policy", "impossible"), [("move", 1), ("allow", 0)])
def test_two_sessions_at_once_are_possible_where_the_site_allows_them(place, policy, impossible):
    """C: they were «imposibles» also where `multi_login: allow` permits them."""
    told = json.loads(place.data.site.read_text()) | {"multi_login": policy}
    place.data.site.write_text(json.dumps(told))
    place.take(worked(at(8), at(16)))
    other = Script(s="DIA-0123456789ac", e=9).boot().clock(at(10) * 1000).login(0)
    other.u += 3_600_000
    place.take(other.logout())
    assert days(place)[0].impossible == impossible


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


def nights(place, *hours):
    """Her marks alone, in order: (direction, second)."""
    script = Script().boot().clock(hours[0][1] * 1000 - 10_000)
    for direction, second in hours:
        script.mark(direction, second * 1000 - script.offset - script.u)
    place.take(script)


TENTH, ELEVENTH, TWELFTH = (date(2026, 11, day) for day in (10, 11, 12))


def test_nights_without_a_roster_are_eight_hours_outside_of_any_shift(place, people):
    """A7: two nights 22:00-06:00 said 0:00:00 and «sin marca de salida»."""
    nights(
        place,
        ("in", at(22, day=TENTH)), ("out", at(6, day=ELEVENTH)),
        ("in", at(22, day=ELEVENTH)), ("out", at(6, day=TWELFTH)),
    )  # fmt: skip
    found = days(place, TENTH, TWELFTH)
    assert [(one.day, one.stay_s, one.outside_s) for one in found] == [
        ("2026-11-10", 28_800, 28_800), ("2026-11-11", 28_800, 28_800),
    ]  # fmt: skip
    assert found[1].first_in == at(22, day=ELEVENTH) * 1000
    assert found[1].last_out == at(6, day=TWELFTH) * 1000
    assert [stay.state for one in found for stay in one.stays] == ["", ""]


def test_an_exit_before_its_entry_is_to_be_settled_and_not_zero(place, people):
    """A7: the entry of the night of the 10th was forgotten."""
    nights(place, ("out", at(6, day=ELEVENTH)), ("in", at(22, day=ELEVENTH)),
           ("out", at(6, day=TWELFTH)))  # fmt: skip
    (one,) = days(place, ELEVENTH)
    assert [(stay.entry, stay.exit, stay.state) for stay in one.stays] == [
        (None, at(6, day=ELEVENTH) * 1000, "no_entry"),
        (at(22, day=ELEVENTH) * 1000, at(6, day=TWELFTH) * 1000, ""),
    ]
    assert one.stay_s == 28_800 and one.entry == at(22, day=ELEVENTH) * 1000


def test_a_forgotten_exit_leaves_the_next_day_whole(place, people):
    nights(place, ("in", at(8, day=TENTH)), ("in", at(8, day=ELEVENTH)),
           ("out", at(17, day=ELEVENTH)))  # fmt: skip
    first, second = days(place, TENTH, ELEVENTH)
    assert [stay.state for stay in first.stays] == ["no_exit"] and first.stay_s is None
    assert (second.stay_s, [stay.state for stay in second.stays]) == (9 * 3600, [""])


def test_a_second_turn_is_a_stay_of_its_own_outside_of_the_shift(place, people):
    people(TENTH, at(8, day=TENTH), at(12, day=TENTH))
    nights(place, ("in", at(8, day=TENTH)), ("out", at(12, day=TENTH)),
           ("in", at(14, day=TENTH)), ("out", at(18, day=TENTH)))  # fmt: skip
    (one,) = days(place, TENTH)
    assert (len(one.stays), one.stay_s, one.outside_s) == (2, 8 * 3600, 4 * 3600)
    assert (one.entry, one.exit) == (at(8, day=TENTH) * 1000, at(18, day=TENTH) * 1000)


def test_a_forgotten_exit_between_two_turns_does_not_take_the_second_one(place, people):
    nights(place, ("in", at(6, day=TENTH)), ("in", at(22, day=TENTH)),
           ("out", at(6, day=ELEVENTH)))  # fmt: skip
    (one,) = days(place, TENTH, ELEVENTH)
    assert [(stay.entry, stay.state) for stay in one.stays] == [
        (at(6, day=TENTH) * 1000, "no_exit"), (at(22, day=TENTH) * 1000, ""),
    ]  # fmt: skip
    assert one.stay_s == 28_800


def test_a_tap_more_in_the_same_direction_takes_nothing_away(place, people):
    nights(place, ("in", at(8, day=TENTH)), ("in", at(8, 1, TENTH)), ("out", at(17, day=TENTH)),
           ("out", at(17, 2, TENTH)))  # fmt: skip
    (one,) = days(place, TENTH)
    assert [(one.entry, one.exit, stay.state) for stay in one.stays] == [
        (at(8, day=TENTH) * 1000, at(17, 2, TENTH) * 1000, "")
    ]
    assert len(one.marks) == 4


def test_who_has_come_and_not_gone_is_there_while_her_shift_goes_on(place, people):
    people(TENTH, at(8, day=TENTH), at(16, day=TENTH))
    nights(place, ("in", at(8, day=TENTH)))
    for now, state in ((at(12, day=TENTH), "going"), (at(17, day=TENTH), "no_exit")):
        place.clock.now = now * 1000
        assert [stay.state for stay in days(place, TENTH)[0].stays] == [state]


@pytest.mark.parametrize("zone", ["America/Santiago"])
def test_a_shift_across_a_change_of_the_clock_has_its_hours(tmp_path, writer, clock, people, zone):
    """A7: the night of 4 April 2026 has nine hours in Santiago."""
    place, there = Place(tmp_path, writer, clock, zone), ZoneInfo(zone)
    day = date(2026, 4, 4)
    start, end = (
        int(datetime(2026, 4, on, hour, tzinfo=there).timestamp())
        for on, hour in ((4, 22), (5, 6))
    )
    people(day, start, end)
    nights(place, ("in", start), ("out", end))
    (one,) = days(place, day)
    assert (one.stay_s, one.outside_s) == (9 * 3600, 0)


def test_who_comes_on_a_day_of_vacation_is_outside_of_any_shift(place, people):
    people(TENTH, at(8, day=TENTH), at(16, day=TENTH))
    module.read_people(None, None, None).roster["a001", TENTH].absence = "vacation"
    nights(place, ("in", at(8, day=TENTH)), ("out", at(16, day=TENTH)))
    assert days(place, TENTH)[0].outside_s == 8 * 3600


def test_a_corrected_hour_justifies_nothing(place, people):
    """A8: a forgotten mark, corrected to 08:30, was taken for a reason of the lateness."""
    people(DAY, at(8), at(16), tolerance_s=600)
    nights(place, ("out", at(16)))
    place.ingest.take_file([said(1, "corrected", direction="in", time=at(8, 30) * 1000,
                                 reason="olvidó")])  # fmt: skip
    (one,) = days(place)
    assert (one.late.raw_s, one.late.unexplained_s) == (20 * 60, 20 * 60)
    assert (one.late.whole_s, one.late.explained) == (30 * 60, None)
    assert [(stay.state, stay.made_in) for stay in one.stays] == [("", None)]
    place.ingest.take_file([said(2, "justified", reason="se fue antes",
                                 of=["DIA-0123456789ab", 7, 3])])  # fmt: skip
    assert days(place)[0].late.explained is None, "that is of her exit"


def test_a_correction_of_a_mark_of_another_person_changes_neither(place, people):
    people(DAY, at(8), at(16))
    other = Script(s="DIA-0123456789ac", e=9, agent="a002").boot().clock(at(8) * 1000 - 1000)
    place.take(other.mark("in"), worked(at(8), at(16)))
    place.ingest.take_file([said(1, "corrected", direction="in", time=at(12) * 1000,
                                 reason="?", of=[other.s, other.e, 3])])  # fmt: skip
    now = place.clock.now_ms()
    first, second = attendance(place.data, DAY, DAY, now, ["a001", "a002"])
    assert first.corrected_in is None and len(first.corrections) == 1
    assert second.corrected_in is None and second.corrections == []


@pytest.mark.parametrize(
    ("hour", "said_so"), [((8, 5), False), ((8, 12), True)]
)  # the tolerance is ten minutes
def test_lateness_is_whole_and_beyond_the_tolerance(place, people, hour, said_so):
    """Section 2: 08:12:30 with a tolerance of 10 min is 2:30, and 12:30 for the payroll."""
    people(DAY, at(8), at(16), tolerance_s=600)
    nights(place, ("in", at(*hour) + 30), ("out", at(16)))
    (one,) = days(place)
    assert (one.late.raw_s, one.late.whole_s) == ((150, 750) if said_so else (0, 0))


def test_nobody_is_absent_from_a_shift_that_has_not_begun_or_of_which_an_hour_is_known(
    place, people
):
    """A6: on Wednesday noon the shifts of Thursday and Friday were «sin marca con turno»."""
    tomorrow = DAY + timedelta(days=1)
    for day in (DAY - timedelta(days=1), DAY, tomorrow):
        people(day, at(8, day=day), at(16, day=day))
    place.ingest.take_file([said(1, "corrected", direction="in", time=at(8) * 1000,
                                 reason="olvidó")])  # fmt: skip
    now = at(12) * 1000
    found = attendance(place.data, DAY - timedelta(days=1), tomorrow, now, ["a001"])
    assert [one.absent(now) for one in found] == [True, False, None]


def test_who_came_twice_is_late_by_the_first_entry_that_counts(place, people):
    """A forgotten mark, entered for 08:00, and her own of a second turn: it said 5:55:00 late."""
    people(DAY, at(8), at(16))
    nights(place, ("out", at(12)), ("in", at(14)), ("out", at(16)))
    forgot = {"direction": "in", "time": at(8) * 1000, "reason": "olvidó"}
    place.ingest.take_file([said(1, "corrected", **forgot)])
    (one,) = days(place)
    assert (one.entry, one.first_in) == (at(8) * 1000, at(14) * 1000)
    assert (one.late.raw_s, one.late.whole_s) == (0, 0)


def test_a_tap_that_was_an_exit_makes_nobody_late(place, people):
    people(DAY, at(8), at(16))
    nights(place, ("in", at(12)))
    wrong = {"direction": "out", "time": at(12) * 1000, "reason": "tecla equivocada"}
    place.ingest.take_file([said(1, "corrected", of=["DIA-0123456789ab", 7, 3], **wrong)])
    (one,) = days(place)
    assert [stay.state for stay in one.stays] == ["no_entry"]
    assert one.late is None


def test_an_exit_without_its_entry_is_the_last_one_all_the_same(place, people):
    """It said «salida corregida 01:00», which nobody had entered."""
    nights(place, ("in", at(0, 10)), ("out", at(1)), ("out", at(17)))
    (one,) = days(place)
    assert [stay.state for stay in one.stays] == ["", "no_entry"]
    assert (one.exit, one.corrected_out) == (at(17) * 1000, None)
