"""The switch's figures: each variant of the service level by its formula, and time cut whole."""

from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

import pytest
from diadema.metrics import percent, queue
from diadema.metrics.intervals import HALF_HOUR_S, Intervals
from diadema.store import QueueCall
from hypothesis import assume, given
from hypothesis import strategies as st

ZONES = ("America/Lima", "America/New_York", "Europe/Madrid", "Australia/Lord_Howe",
         "Asia/Kathmandu", "UTC")  # fmt: skip
WAITS = st.lists(st.integers(0, 60_000), max_size=30)


def call(n, outcome, wait_ms=None, **fields):
    fields = {
        "station": "PBX-x",
        "epoch": 1,
        "pbx": str(n),
        "queue": "q",
        "start_utc": 0,
        **fields,
    }
    return QueueCall(sequence=n, outcome=outcome, wait_ms=wait_ms, **fields)


def flow_of(answered, abandoned, threshold_s, short_s):
    flow = queue.Flow()
    for n, wait in enumerate(answered):
        flow.add(call(n, "answered", wait), threshold_s, short_s)
    for n, wait in enumerate(abandoned):
        flow.add(call(n, "abandoned", wait), threshold_s, short_s)
    return flow


def tenths(part, whole):
    return floor(Fraction(1000 * part, whole) + Fraction(1, 2)) / 10 if whole else None


@given(WAITS, WAITS, st.integers(0, 60), st.integers(0, 60))
def test_each_variant_is_its_formula(answered, abandoned, threshold, short):
    flow = flow_of(answered, abandoned, threshold, short)
    soon = len([wait for wait in answered if wait <= 1000 * threshold])
    gone = len([wait for wait in abandoned if wait <= 1000 * threshold])
    brief = len([wait for wait in abandoned if wait <= 1000 * short])
    n, lost = len(answered), len(abandoned)
    assert queue.service_level(flow) == {
        "offered": tenths(soon, n + lost),
        "noshort": tenths(soon, n + lost - brief),
        "answered": tenths(soon, n),
        "removed": tenths(soon + gone, n + lost),
        "all": tenths(soon, n + lost),
    }
    assert queue.service_level(flow).keys() == queue.VARIANTS.keys() == queue.BASES.keys()
    assert queue.abandonment(flow) == tenths(lost, n + lost)
    assert queue.abandonment_noshort(flow) == tenths(lost - brief, n + lost - brief)
    if answered:
        whole = sum((wait + 500) // 1000 for wait in answered)
        assert queue.asa(flow) == floor(Fraction(whole, n) + Fraction(1, 2))
    else:
        assert queue.asa(flow) is None


@given(WAITS, WAITS, st.integers(0, 60), st.integers(0, 60))
def test_the_variants_keep_their_order(answered, abandoned, threshold, short):
    assume(answered and abandoned)
    level = queue.service_level(flow_of(answered, abandoned, threshold, short))
    assert level["offered"] <= level["noshort"] <= level["answered"]
    assert level["all"] <= level["offered"] <= level["removed"]


def test_what_neither_was_answered_nor_abandoned_is_received_alone():
    flow = queue.Flow()
    flow.add(call(1, "left"), 20, 5)
    flow.add(call(2, "waiting"), 20, 5)
    assert (flow.received, flow.left, flow.waiting) == (2, 1, 1)
    assert queue.sl_offered(flow) is None and queue.abandonment(flow) is None
    assert queue.sl_all(flow) == 0.0 and queue.abandonment_received(flow) == 0.0


@pytest.mark.parametrize(("part", "whole", "told"), [(1, 2000, 0.1), (1, 2001, 0.0), (2, 2, 100)])
def test_percent_is_rounded_half_up_once(part, whole, told):
    assert percent(part, whole) == told
    assert percent(0, 0) is None


@given(st.integers(1_700_000_000, 1_800_000_000), st.integers(0, 100_000), st.sampled_from(ZONES))
def test_time_is_cut_without_gap_or_overlap(start, length, zone):
    intervals = Intervals(ZoneInfo(zone))
    parts = list(intervals.parts(start, start + length))
    assert sum(seconds for _, seconds in parts) == length
    at = start
    for interval, seconds in parts:
        assert 0 < seconds <= HALF_HOUR_S
        assert intervals.start_of(at) == intervals.start_of(at + seconds - 1) == interval
        local = intervals.local(interval)
        assert (local.minute % 30, local.second) == (0, 0)
        at += seconds


TALKS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 50), st.integers(0, 20)), max_size=15
)


@given(TALKS, st.randoms())
def test_who_serves_two_at_once_is_in_doubt(talks, order):
    calls = [
        call(n, "answered", 0, agent=agent, connected_utc=start, end_utc=start + length)
        for n, (agent, start, length) in enumerate(talks)
    ]
    doubtful = {later.sequence for later, _ in queue.overlapping(calls)}
    kept = [one for one in calls if one.sequence not in doubtful]
    for one in kept:
        for other in kept:
            if one.sequence < other.sequence and one.agent == other.agent:
                both = min(one.end_utc, other.end_utc) - max(
                    one.connected_utc, other.connected_utc
                )
                assert both <= 0
    for later, before in queue.overlapping(calls):
        assert before.sequence not in doubtful
        assert before.connected_utc <= later.connected_utc < before.end_utc
    order.shuffle(calls)
    assert {later.sequence for later, _ in queue.overlapping(calls)} == doubtful
    loose = [call(9, "answered", 0, agent="A", connected_utc=5, end_utc=9, estimated=True)]
    assert [*queue.overlapping(loose * 2)] == []
