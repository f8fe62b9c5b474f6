"""The periods of plans in the site's zone, and the secrets that are committed to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.commitments import SecretLost, prepare, secret_of, secret_path
from diadema.quality.periods import (
    days_of,
    draw_ms,
    due_ms,
    midnights,
    period_at,
    period_named,
    period_of,
)
from diadema.quality.sampling import commitment
from hypothesis import given
from hypothesis import strategies as st

LIMA, MADRID = ZoneInfo("America/Lima"), ZoneInfo("Europe/Madrid")


def at(text, zone=LIMA):
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def test_a_week_is_from_monday_to_monday_and_drawn_at_three():
    found = period_of("week", date(2026, 11, 26), LIMA, 7)
    assert (found.word, found.days, found.committed_ms) == ("2026-W48", 7, 7)
    assert (found.start_ms, found.end_ms) == (at("2026-11-23"), at("2026-11-30"))
    assert draw_ms(found, LIMA) == at("2026-11-30 03:00")
    assert days_of(found, LIMA) == (date(2026, 11, 23), date(2026, 11, 29))
    assert [*midnights(found, LIMA)][:2] == [at("2026-11-22"), at("2026-11-23")]


def test_weeks_have_the_year_of_their_thursday_and_days_have_their_own_length():
    assert period_of("week", date(2027, 1, 1), LIMA).word == "2026-W53"
    long_day = period_of("day", date(2026, 10, 25), MADRID)
    assert long_day.end_ms - long_day.start_ms == 25 * 3_600_000
    assert draw_ms(period_of("day", date(2026, 3, 28), MADRID), MADRID) == at(
        "2026-03-29 03:00", MADRID
    )
    assert due_ms(at("2026-11-30 03:00"), 5, LIMA) == at("2026-12-05")


@given(
    st.sampled_from(["day", "week", "month"]),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from([LIMA, MADRID]),
)
def test_a_period_is_found_again_by_its_word_and_by_what_its_event_says(grain, day, zone):
    found = period_of(grain, day, zone, 5)
    first, last = days_of(found, zone)
    assert first <= day <= last
    assert period_named(found.word, zone, 5) == found
    assert period_at(found.start_ms, found.end_ms, zone, 5) == found


@pytest.mark.parametrize("word", ["", "2026", "2026-W54", "2026-13", "2026-11-31", "2026-W48-1x"])
def test_what_is_no_period_is_told_how_one_is_written(word):
    with pytest.raises(DiademaError) as found:
        period_named(word, LIMA)
    assert "2026-W48" in found.value.say("es")


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    return made


def test_a_secret_is_one_for_its_period_and_nobody_reads_it_in_its_file(data):
    secret = prepare(data, "semanal", "2026-W48")
    assert len(secret) == 32
    assert prepare(data, "semanal", "2026-W48") == secret, "of a hub that died before it said it"
    assert secret_of(data, "semanal", "2026-W48", commitment(secret)) == secret
    assert prepare(data, "semanal", "2026-W49") != secret
    path = secret_path(data, "semanal", "2026-W48")
    assert path.stat().st_mode & 0o077 == 0 and data.samples.stat().st_mode & 0o077 == 0
    assert secret not in path.read_bytes() and secret.hex().encode() not in path.read_bytes()


def test_a_secret_that_was_lost_altered_or_swapped_is_none(data):
    secret, other = prepare(data, "a", "2026-W48"), prepare(data, "b", "2026-W48")
    path, theirs = (secret_path(data, plan, "2026-W48") for plan in "ab")
    whole = path.read_bytes()

    def read():
        return secret_of(data, "a", "2026-W48", commitment(secret))

    for broken in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-3], b"", theirs.read_bytes()):
        path.write_bytes(broken)
        with pytest.raises(SecretLost) as found:
            read()
        assert "copia de seguridad" in found.value.say("es")
    path.unlink()
    with pytest.raises(SecretLost):
        read()
    path.write_bytes(whole)
    assert read() == secret
    with pytest.raises(SecretLost):
        secret_of(data, "a", "2026-W48", commitment(other))
