"""Figures: rounded once, half up; averages leave out what was not measured whole."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from diadema import metrics
from diadema.store import Contact
from hypothesis import given
from hypothesis import strategies as st


def contact(**fields):
    fields = {"phase": "closed", "outcome": "answered", "talk_ms": 60_000, **fields}
    return Contact(
        station="DIA-0123456789ab", epoch=1, sequence=1, contact="c", agent="a", **fields
    )


@given(st.integers(0, 10**9), st.integers(1, 10**5))
def test_rounding_is_half_up(dividend, divisor):
    exact = Decimal(dividend) / Decimal(divisor)
    assert metrics.round_half_up(dividend, divisor) == exact.quantize(Decimal(1), ROUND_HALF_UP)


@pytest.mark.parametrize(("ms", "seconds"), [(499, 0), (500, 1), (1499, 1), (1500, 2), (2500, 3)])
def test_whole_seconds(ms, seconds):
    assert metrics.whole_seconds(ms) == seconds


def test_no_contacts_no_mean():
    assert metrics.mean(0, 0) is None
    with pytest.raises(ValueError, match="positive"):
        metrics.round_half_up(1, 0)


def test_tmo_is_whole_seconds_over_contacts():
    contacts = [
        contact(talk_ms=60_499, hold_ms=5_500, wrap_ms=10_000),  # 60 + 6 + 10
        contact(talk_ms=30_000, hold_ms=0, wrap_ms=499),  # 30
        contact(talk_ms=1, wrap_ms=500),  # 1
    ]
    assert [metrics.handle_s(c) for c in contacts] == [76, 30, 1]
    handled = sum(map(metrics.handle_s, contacts))
    assert metrics.mean(handled, len(contacts)) == 36  # 107 / 3 = 35.67


def test_averages_leave_out_what_flow_counts():
    contacts = [
        contact(),
        contact(interrupted=True, talk_ms=10**7),
        contact(estimated=True, talk_ms=10**7),
        contact(phase="wrapup", talk_ms=10**7),
        contact(outcome="missed"),
        contact(outcome="not_answered", direction="out"),
    ]
    assert [metrics.averaged(one) for one in contacts] == [True] + [False] * 5
