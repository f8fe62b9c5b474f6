"""A station's hours: anchors, measured drift, growing doubt, jumps, boots without any anchor."""

import pytest
from diadema.store.station_state import Adrift, BootClock, between, clock_fields, summary
from hypothesis import given
from hypothesis import strategies as st

T0 = 1_795_000_000_000
HOUR = 3_600_000


def anchored(*anchors, ppm=0, uncertainty_ms=50):
    """A clock with anchors at these u, of a crystal that is so many ppm slow."""
    clock = BootClock()
    for u in anchors:
        clock.anchor(u, T0 + u + round(u * ppm / 1e6), "host", uncertainty_ms)
    return clock


def test_an_hour_goes_on_from_the_anchor_and_doubt_grows():
    clock = anchored(1000)
    assert clock.utc_at(1000) == T0 + 1000
    assert clock.utc_at(500) == T0 + 500
    assert clock.uncertainty_at(1000) == 50
    assert clock.uncertainty_at(1000 + HOUR) == 50 + 180  # 50 ppm of an hour
    assert clock.uncertainty_at(1000 + 72 * HOUR) == 50 + 12_960
    assert clock.uncertainty_at(1000) <= clock.uncertainty_at(0) <= 51


def test_drift_is_measured_once_the_anchors_tell_more_than_the_assumption():
    clock = anchored(0, HOUR // 4, ppm=20)
    assert (clock.drift_ppb, clock.drift_error_ppb) == (0, 50_000)  # ±100 ms in a quarter
    clock = anchored(0, HOUR, 10 * HOUR, ppm=20)
    assert clock.drift_ppb == pytest.approx(20_000, abs=30)
    assert clock.drift_error_ppb == pytest.approx(2778, abs=1)  # ±100 ms in ten hours
    true = T0 + 82 * HOUR + round(82 * HOUR * 20 / 1e6)
    assert abs(clock.utc_at(82 * HOUR) - true) <= 10
    assert clock.uncertainty_at(82 * HOUR) < 1000


def test_the_next_boot_knows_its_crystal_and_no_hour():
    clock = anchored(0, 10 * HOUR, ppm=-12).next_boot()
    assert (clock.source, clock.utc) == ("", 0)
    assert clock.drift_ppb == pytest.approx(-12_000, abs=30)
    assert clock.drift_error_ppb == pytest.approx(3778, abs=1)
    for _ in range(100):
        clock = clock.next_boot()
    assert clock.drift_error_ppb == 50_000


@pytest.mark.parametrize("day", [86_400_000, -86_400_000])
def test_a_jump_is_told_and_drift_is_not_measured_over_it(day):
    clock = anchored(0, 10 * HOUR, ppm=20)
    drift = clock.drift_ppb
    at = 11 * HOUR
    jump = clock.anchor(at, clock.utc_at(at) + day, "host", 50)
    assert jump == day
    assert (clock.jumps, clock.drift_ppb) == (1, drift)
    assert clock.anchor(12 * HOUR, clock.utc_at(12 * HOUR), "host", 50) is None
    assert abs(clock.drift_ppb - drift) < 30_000
    assert clock.jumps == 1


def test_a_late_frame_is_no_jump_and_an_impossible_crystal_is_not_believed():
    clock = anchored(0, HOUR)
    assert clock.anchor(2 * HOUR, T0 + 2 * HOUR + 900, "host", 50) is None
    assert clock.drift_ppb == 0  # 125 ppm no crystal has
    assert clock.utc_at(2 * HOUR) == T0 + 2 * HOUR + 900


def test_boots_without_an_hour_lie_in_the_middle_of_where_they_can():
    boots = [Adrift(7, 2, 60_000), Adrift(7, 3, 20_000)]
    first, second = between(boots, T0, T0 + 100_000, 7)
    assert (first.utc, second.utc) == (T0 + 10_000, T0 + 70_000)
    assert (first.uncertainty_ms, first.source) == (10_007, "between")
    assert first.utc_at(60_000) == second.utc_at(0)


def test_where_there_is_no_room_they_end_at_the_later_hour():
    (clock,) = between([Adrift(7, 2, 60_000)], T0 + 86_400_000, T0, 0)
    assert clock.utc_at(60_000) == T0
    assert clock.uncertainty_ms == 86_460_000


@given(
    gaps=st.lists(st.integers(0, 10**8), min_size=2, max_size=6),
    lengths=st.lists(st.integers(0, 10**7), min_size=5, max_size=5),
)
def test_wherever_they_truly_were_the_doubt_covers_it(gaps, lengths):
    """`gaps`: before, between and after the boots; each truth is within the uncertainty."""
    at, boots, truth = T0, [], []
    for b, (gap, ms) in enumerate(zip(gaps[:-1], lengths, strict=False), 2):
        at += gap
        truth.append(at)
        boots.append(Adrift(7, b, ms))
        at += ms
    clocks = between(boots, T0, at + gaps[-1], 0)
    for true, clock in zip(truth, clocks, strict=True):
        assert abs(clock.utc - true) <= clock.uncertainty_ms
    ends = [clock.utc_at(boot.ms) for clock, boot in zip(clocks, boots, strict=True)]
    assert all(end <= after.utc for end, after in zip(ends, clocks[1:], strict=False))


@given(
    ppm=st.floats(-25, 25),
    anchors=st.lists(
        st.tuples(st.integers(1, 20 * HOUR), st.integers(0, 400), st.floats(-1, 1)),
        min_size=1,
        max_size=12,
    ),
    later=st.integers(0, 72 * HOUR),
)
def test_the_truth_is_within_the_doubt_for_any_crystal_and_any_honest_anchors(ppm, anchors, later):
    def true(u):
        return T0 + u + u * ppm / 1e6

    clock, u = BootClock(), 0
    for span, uncertainty_ms, off in anchors:
        u += span
        utc = round(true(u) + off * uncertainty_ms)
        assert clock.anchor(u, utc, "host", uncertainty_ms + 1) is None
        for at in (u, u + later, max(u - later, 0)):
            assert abs(clock.utc_at(at) - true(at)) <= clock.uncertainty_at(at) + 1


def test_clocks_in_numbers_and_one_in_words():
    young, old = anchored(0), anchored(0, 10 * HOUR, ppm=20)
    old.jumps = 3
    now = T0 + 11 * HOUR
    assert summary([young, old, BootClock()], now) == {
        "known": 2, "unknown": 1, "worst_ms": young.uncertainty_at(11 * HOUR), "jumps": 3,
    }  # fmt: skip
    assert summary([], now)["worst_ms"] is None
    words = clock_fields(old, now)
    assert words["drift_ppm"] == pytest.approx(20, abs=0.1)
    assert words["uncertainty_ms"] == pytest.approx(60, abs=1)
    assert words["offset_ms"] == old.utc - old.uptime_ms
    assert clock_fields(young, now)["drift_ppm"] is None
    assert clock_fields(BootClock(), now)["uncertainty_ms"] is None
