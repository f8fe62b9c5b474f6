"""What agents may dial: the site's patterns, and so many calls in an hour."""

import pytest
from diadema.switch.asterisk.files import NATIONAL
from diadema.switch.dialing import Guard, LimitReached
from diadema.switch.exchange import SwitchError
from diadema.switch.journal import Journal

from tests.support.scripted_station import FixedClock

PHONE, OTHER = "PJSIP/101", "PJSIP/102"
HOUR_MS = 3_600_000


@pytest.fixture
def make(tmp_path):
    """A guard, as another process of the bridge makes it again: by the journal that is there."""
    journals = []

    def make(allowed=NATIONAL, hourly=60, clock=None):
        journals.append(Journal(tmp_path / "switch.sqlite3", "central"))
        return Guard(allowed, hourly, (clock or FixedClock()).now_ms, journals[-1])

    yield make
    for journal in journals:
        journal.close()


@pytest.mark.parametrize("number", ["987654321", "4567890", "044234567", "084234567", "014567890"])
def test_within_the_country_is_allowed(make, number):
    make().take(PHONE, number)


@pytest.mark.parametrize(
    "number",
    ["0051987654321", "080812345", "080012345", "98765432", "", "98765432\n", "9" + "8" * 9,
     "٩87654321", "987654321&PJSIP/x", "*98", "#", "110", "200"],
)  # fmt: skip
def test_abroad_premium_inside_and_what_is_no_number_is_not(make, number):
    with pytest.raises(SwitchError, match="allow"):
        make().check(PHONE, number)


@pytest.mark.parametrize("number", ["105", "106", "116", "117", "911"])
def test_emergency_numbers_are_as_the_settings_say(make, number):
    """A telephone's own keys dial them all the same: here is only what programs have dialled."""
    with pytest.raises(SwitchError, match="allow"):
        make().check(PHONE, number)
    make([*NATIONAL, "105", "106", "11[67]", "911"]).take(PHONE, number)


@pytest.mark.parametrize("pattern", ["[9", "9-X", "[]", "(9)", "", "[9-1]"])
def test_a_pattern_that_no_dialplan_reads_allows_nothing(make, pattern):
    guard = make([pattern])
    for number in ("9", "", "91", "9-1", "5"):
        with pytest.raises(SwitchError):
            guard.check(PHONE, number)


def test_no_pattern_at_all_allows_nothing(make):
    for number in ("987654321", "105", ""):
        with pytest.raises(SwitchError, match="allow"):
            make([]).check(PHONE, number)


def test_a_pattern_that_ends_with_a_point_is_of_any_length(make):
    guard = make(["00[1-9]."])
    guard.take(PHONE, "0051987654321")
    for number in ("001", "000123"):
        with pytest.raises(SwitchError):
            guard.take(PHONE, number)


def test_of_each_telephone_so_many_go_out_in_an_hour(make):
    clock = FixedClock()
    guard = make(hourly=2, clock=clock)
    guard.take(PHONE, "987654321")
    clock.now += HOUR_MS // 2
    guard.take(PHONE, "987654321")
    for ask in (guard.take, guard.check):
        with pytest.raises(LimitReached, match="2"):
            ask(PHONE, "987654321")
    guard.take(OTHER, "987654321")
    clock.now += HOUR_MS // 2  # the first of them is an hour old
    guard.take(PHONE, "987654321")
    with pytest.raises(LimitReached):
        guard.take(PHONE, "987654321")


def test_what_was_only_asked_for_is_not_counted(make):
    guard = make(hourly=1)
    for _ in range(3):
        guard.check(PHONE, "987654321")
    guard.take(PHONE, "987654321")


def test_the_limit_outlives_the_bridge(make):
    make(hourly=1).take(PHONE, "987654321")
    with pytest.raises(LimitReached):
        make(hourly=1).take(PHONE, "987654321")


def test_a_clock_that_was_wrong_by_a_year_forbids_no_telephone_for_one(make):
    clock = FixedClock()
    guard = make(hourly=1, clock=clock)
    clock.now += 366 * 24 * HOUR_MS
    guard.take(PHONE, "987654321")
    clock.now -= 366 * 24 * HOUR_MS
    guard.take(PHONE, "987654321")


def test_none_at_all_where_the_limit_is_nought(make):
    with pytest.raises(LimitReached, match="--an-hour"):
        make(hourly=0).check(PHONE, "987654321")


def test_the_number_is_not_what_is_kept(make, tmp_path):
    make().take(PHONE, "987654321")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert PHONE.encode() in kept and b"987654321" not in kept
