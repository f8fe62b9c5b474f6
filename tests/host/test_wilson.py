"""Known answers of the interval of a share, and what any of them must be."""

import pytest
from diadema.metrics.rounding import percent
from diadema.metrics.wilson import interval
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("part", "whole", "known"),
    [
        (5, 5, (56.6, 100.0)), (4, 5, (37.6, 96.4)), (18, 20, (69.9, 97.2)),
        (0, 8, (0.0, 32.4)), (27, 30, (74.4, 96.5)),
    ],
)  # fmt: skip
def test_known_answers(part, whole, known):
    assert interval(part, whole) == known


@given(st.integers(1, 5000), st.data())
def test_the_share_lies_in_it_and_more_cases_make_it_narrower(whole, data):
    part = data.draw(st.integers(0, whole))
    low, high = interval(part, whole)
    assert 0 <= low <= percent(part, whole) <= high <= 100
    assert interval(whole - part, whole) == (
        pytest.approx(100 - high, abs=0.11), pytest.approx(100 - low, abs=0.11),
    )  # fmt: skip
    wide = interval(10 * part, 10 * whole)
    assert wide[1] - wide[0] <= high - low + 0.1


def test_of_nothing_there_is_none():
    assert interval(0, 0) is None
