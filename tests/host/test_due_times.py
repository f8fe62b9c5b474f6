"""Until when a fault is taken and solved, against a count minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from diadema.site.directory.due_times import Calendar, due, site_calendar
from diadema.site.directory.people import FAULT_TARGETS, FaultTarget
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.host.test_directory_site import DAY, book, data, put, retire

__all__ = ["book", "data"]  # fixtures

LIMA = ZoneInfo("America/Lima")
MINUTE_MS = 60_000
# by their changes of clock: none; at 2:00; at 24:00 to 23:00 and to 1:00; at 1:00 to 0:00
ZONES = ["America/Lima", "America/New_York", "Europe/Madrid", "America/Santiago", "America/Havana"]
DAY_MIN = 24 * 60


def ms(text, zone=LIMA):
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def said(utc_ms, zone=LIMA):
    return datetime.fromtimestamp(utc_ms / 1000, zone).strftime("%m-%d %H:%M")


def on_duty(shifts, local):
    """By the clock on the wall, which shows the hours of no shift twice."""
    clock = f"{local:%H:%M}"
    return any(s <= clock < e if s < e else clock >= s for s, e in shifts[local.date()]) or any(
        s >= e and clock < e for s, e in shifts[local.date() - timedelta(1)]
    )


def counted(from_ms, minutes, counts):
    """The naive way: each minute of UTC that counts, one by one."""
    at = from_ms
    while minutes:
        if counts(datetime.fromtimestamp(at / 1000, UTC)):
            minutes -= 1
        at += MINUTE_MS
    return at


moments = st.integers(0, 730 * DAY_MIN).map(
    lambda minute: ms("2026-01-01 00:00", UTC) + minute * MINUTE_MS
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
few_days = st.integers(1, 3 * DAY_MIN)


@given(moments, zones, few_days, st.booleans())
def test_by_the_clock_every_minute_counts(from_ms, zone, minutes, accept):
    target = FaultTarget(minutes, minutes, "clock")
    which = "accept" if accept else "solve"
    assert due(target, from_ms, which, Calendar(zone=zone)) == from_ms + minutes * MINUTE_MS


@settings(deadline=None, max_examples=60)
@given(moments, zones, few_days, st.sets(st.integers(-3, 9), max_size=6))
def test_neither_sundays_nor_holidays_are_working_days(from_ms, zone, minutes, offs):
    first = datetime.fromtimestamp(from_ms / 1000, zone).date()
    holidays = frozenset(first + timedelta(off) for off in offs)

    def counts(moment):
        day = moment.astimezone(zone).date()
        return day.weekday() != 6 and day not in holidays

    target = FaultTarget(1, minutes, "working_days")
    found = due(target, from_ms, "solve", Calendar(zone=zone, holidays=holidays))
    assert found == counted(from_ms, minutes, counts)


# hours that no change of clock touches
clocks = st.integers(4 * 2, 22 * 2).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
shift_hours = st.tuples(clocks, clocks).filter(lambda one: one[0] != one[1])
hours_of_a_day = st.lists(shift_hours, max_size=2)


@settings(deadline=None, max_examples=60)
@given(
    moments,
    zones,
    few_days,
    st.lists(shift_hours, min_size=1, max_size=2),
    st.lists(hours_of_a_day, max_size=5),
)
def test_only_minutes_of_a_shift_count(from_ms, zone, minutes, usual, rostered):
    first = datetime.fromtimestamp(from_ms / 1000, zone).date() - timedelta(1)
    roster = {first + timedelta(at): hours for at, hours in enumerate(rostered)}

    class Shifts(dict):
        def __missing__(self, _day):
            return usual

    shifts = Shifts(roster)
    target = FaultTarget(1, minutes, "shift")
    found = due(target, from_ms, "solve", Calendar(zone=zone, shifts=usual, roster=roster))
    assert found == counted(from_ms, minutes, lambda at: on_duty(shifts, at.astimezone(zone)))


def test_which_of_the_two_is_asked_for():
    calendar = Calendar(zone=LIMA)
    target = FAULT_TARGETS[1]
    assert due(target, 0, "accept", calendar) == 5 * MINUTE_MS
    assert due(target, 0, "solve", calendar) == 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("reported", "accept", "solve"),
    [
        ("2026-12-02 10:00", "12-02 11:00", "12-04 10:00"),
        ("2026-12-05 10:00", "12-05 11:00", "12-10 10:00"),  # over a Sunday and two holidays
        ("2026-12-06 10:00", "12-07 01:00", "12-11 00:00"),  # on a Sunday
    ],
)
def test_two_working_days(reported, accept, solve):
    calendar = Calendar(zone=LIMA, holidays=frozenset({date(2026, 12, 8), date(2026, 12, 9)}))
    its = [due(FAULT_TARGETS[4], ms(reported), which, calendar) for which in ("accept", "solve")]
    assert [said(one) for one in its] == [accept, solve]


def test_a_target_ends_with_its_last_minute_of_a_shift():
    calendar = Calendar(zone=LIMA, shifts=[("08:00", "16:00")])
    target = FaultTarget(60, 120, "shift")
    reported = ms("2026-12-01 14:00")
    assert said(due(target, reported, "solve", calendar)) == "12-01 16:00"
    assert said(due(target, reported + 1, "solve", calendar)) == "12-02 08:00"


def test_without_any_shift_every_hour_counts():
    reported = ms("2026-12-01 14:00")
    target = FaultTarget(60, 120, "shift")
    assert said(due(target, reported, "solve", Calendar(zone=LIMA))) == "12-01 16:00"


def test_the_calendar_of_the_directory(book, data):
    put(book, "shifts", code="m", name="Mañana", start="08:00", end="16:00")
    put(book, "shifts", code="n", name="Noche", start="22:00", end="06:00")
    put(book, "shifts", code="viejo", name="Viejo", start="01:00", end="02:00")
    retire(book, "shifts", "viejo", DAY)
    put(book, "roster", day="2026-12-01", agent="e001", shift="m")
    put(book, "roster", day="2026-12-01", agent="e002", shift="m", absence="vacation")
    put(book, "roster", day="2026-12-03", agent="e001", shift="n", absence="medical_rest")
    put(book, "roster", day="2026-12-03", agent="e002", absence="day_off")
    assert site_calendar(data, DAY).roster == {}, "nothing counts shifts"
    put(book, "fault_targets", severity=3, accept_min=15, solve_min=240, clock="shift")
    calendar = site_calendar(data, DAY)
    assert calendar.zone == LIMA
    assert calendar.holidays == {
        date(2026, 12, 8), date(2026, 12, 9), date(2026, 12, 25), date(2027, 1, 1),
    }  # fmt: skip
    hours = {day: [*calendar.hours(date(2026, 12, day))] for day in range(1, 5)}
    assert hours == {
        1: [("08:00", "16:00")],
        2: [],  # the roster goes on after it: nobody works
        3: [],
        4: [("08:00", "16:00"), ("22:00", "06:00")],
    }
    put(book, "roster", day="2026-12-02", agent="e001", shift="n")
    assert site_calendar(data, DAY).hours(date(2026, 12, 2)) == [("22:00", "06:00")]


def test_the_calendar_of_a_site_without_a_directory(data):
    calendar = site_calendar(data, DAY)
    assert not data.directory.exists()
    assert date(2026, 12, 8) in calendar.holidays
    assert calendar.hours(DAY) == [("00:00", "00:00")]
