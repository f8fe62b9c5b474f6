"""The draw of a sample: how many calls of whom, which ones, and who evaluates them."""

import hashlib
import hmac
from collections import Counter
from fractions import Fraction

import pytest
from diadema.base.errors import DiademaError
from diadema.quality.assigning import Bars, assign, twice_of
from diadema.quality.sampling import (
    Earlier,
    SamplePeriod,
    check_over,
    commitment,
    draw,
    new_secret,
    overlap,
    replacement,
)
from diadema.site.directory.quality import SamplePlan
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = bytes(range(32))
START, END = 1_000_000, 2_000_000


def a_week(committed_ms):
    return SamplePeriod("2026-W48", START, END, 7, committed_ms)


WEEK = a_week(900_000)


def plan(**more):
    return SamplePlan(**{"code": "P1", "label": "Semanal", "scorecard": "F1", **more})


def row(n, agent="A1", stratum="", s="DIA-000000000001", e=1):
    return f"{s},{e},{n},{agent},{stratum}".encode()


def rows_of(**counts):
    """So many calls of each agent; the numbers go on from one to the next."""
    each = [agent for agent, count in counts.items() for _ in range(count)]
    return [row(n, agent) for n, agent in enumerate(each, 1)]


def taken(found):
    return {call.key for stratum in found.strata for call in stratum.calls}


def secrets(count):
    return [hashlib.sha256(f"secret {at}".encode()).digest() for at in range(count)]


def test_a_commitment_is_of_a_secret_of_32_bytes_and_no_two_are_alike():
    assert len(new_secret()) == 32 and new_secret() != new_secret()
    assert commitment(bytes(32)) == (
        "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
    )


def test_of_each_agent_as_many_as_the_plan_asks_by_the_order_of_the_hmac():
    rows = rows_of(A1=30, A2=30)
    found = draw(plan(per_agent=2), rows, SECRET)
    assert [(one.agent, one.size, one.taken) for one in found.strata] == [
        ("A1", 30, 2), ("A2", 30, 2),
    ]  # fmt: skip

    def order(n):
        return hmac.new(SECRET, f"DIA-000000000001|1|{n}".encode(), "sha256").digest()

    least = sorted(range(1, 31), key=order)[:2]
    assert [call.key for call in found.strata[0].calls] == [
        ("DIA-000000000001", 1, n) for n in least
    ]
    assert [call.rank for call in found.strata[0].calls] == [1, 2]
    assert found.short == {}


def test_a_stratum_smaller_than_asked_is_taken_whole_and_said():
    found = draw(plan(per_agent=4), rows_of(A1=3, A2=9), SECRET)
    assert [(one.agent, one.taken) for one in found.strata] == [("A1", 3), ("A2", 4)]
    assert found.short == {"A1": (4, 3)}


def test_an_agents_calls_are_parted_by_their_share_and_the_largest_remainder():
    parts = {"ventas": 50, "soporte": 30, "otros": 20}
    names = [name for name, count in parts.items() for _ in range(count)]
    rows = [row(n, "A1", name) for n, name in enumerate(names, 1)]

    def sizes(per_agent):
        found = draw(plan(per_agent=per_agent, strata=("motive",)), rows, SECRET)
        return {one.stratum: one.taken for one in found.strata}

    assert sizes(10) == {"ventas": 5, "soporte": 3, "otros": 2}
    assert sizes(2) == {"ventas": 1, "soporte": 1, "otros": 0}  # 1.0, 0.6, 0.4
    assert sizes(3) == {"ventas": 1, "soporte": 1, "otros": 1}  # 1.5, 0.9, 0.6
    assert sum(sizes(100).values()) == 100


def test_of_equal_remainders_the_secret_decides_and_none_is_always_left_out():
    rows = [row(n, "A1", name) for n, name in enumerate("abc" * 10, 1)]
    left = Counter()
    for secret in secrets(300):
        found = draw(plan(per_agent=2, strata=("motive",)), rows, secret)
        assert sorted(one.taken for one in found.strata) == [0, 1, 1]
        left.update(one.stratum for one in found.strata if not one.taken)
    assert min(left[name] for name in "abc") > 60


def test_a_total_goes_by_calls_within_least_and_most():
    rows = rows_of(A1=500, A2=300, A3=150, A4=50)

    def taken_of(**more):
        found = draw(plan(per_agent=None, **more), rows, SECRET)
        return [one.taken for one in found.strata]

    assert taken_of(total=20) == [10, 6, 3, 1]
    assert taken_of(total=20, least=3) == [9, 5, 3, 3]  # 8.75 and 5.25 of the 14 left
    assert taken_of(total=19, most=7) == [7, 7, 4, 1]  # 3.75 and 1.25 of the 5 left
    assert taken_of(total=2, least=1) == [1, 1, 1, 1]
    assert taken_of(total=5000) == [500, 300, 150, 50]


@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=12),
    total=st.integers(1, 200),
    least=st.integers(0, 6),
    band=st.integers(0, 10),
)
def test_a_total_is_kept_to_and_so_are_its_bounds(sizes, total, least, band):
    rows = rows_of(**{f"A{at:02}": size for at, size in enumerate(sizes)})
    asked = plan(per_agent=None, total=total, least=least, most=least + band)
    found = draw(asked, rows, SECRET)
    lows = [min(least, size) for size in sizes]
    highs = [min(least + band, size) for size in sizes]
    takes = [one.taken for one in found.strata]
    assert all(a <= n <= b for a, n, b in zip(lows, takes, highs, strict=True))
    assert sum(takes) == min(max(total, sum(lows)), sum(highs))
    free = [
        Fraction(n, size)
        for a, n, b, size in zip(lows, takes, highs, sizes, strict=True)
        if a < n < b
    ]
    spread = max(free, default=0) - min(free, default=0)
    assert spread <= Fraction(2, min(sizes))  # alike, but for what rounding does


agents = st.sampled_from(["A1", "A2", "A3"])
contacts = st.dictionaries(
    st.tuples(st.sampled_from(["DIA-000000000001", "DIA-000000000002"]), st.integers(1, 400)),
    st.tuples(agents, st.sampled_from(["", "x", "y"])),
    min_size=2, max_size=60,
)  # fmt: skip


def written(found):
    return [row(n, agent, stratum, s) for (s, n), (agent, stratum) in found.items()]


@given(contacts, st.randoms(use_true_random=False), st.integers(1, 5), st.binary(min_size=32))
def test_the_order_of_the_rows_is_nothing(found, order, per_agent, secret):
    rows = written(found)
    first = draw(plan(per_agent=per_agent), rows, secret)
    order.shuffle(rows)
    assert draw(plan(per_agent=per_agent), rows, secret) == first


@given(contacts, st.data(), st.integers(1, 5), st.binary(min_size=32))
def test_one_contact_less_moves_no_other(found, data, per_agent, secret):
    """Of one who is not parted further: all others that were drawn are, and one more at most."""
    found = {key: (agent, "") for key, (agent, _) in found.items()}
    rows = written(found)
    gone = data.draw(st.sampled_from(rows))
    before = taken(draw(plan(per_agent=per_agent), rows, secret))
    rest = [one for one in rows if one != gone]
    after = taken(draw(plan(per_agent=per_agent), rest, secret)) if rest else set()
    s, e, n = gone.decode().split(",")[:3]
    key = s, int(e), int(n)
    assert before - {key} <= after
    assert len(after - before) <= (key in before)


@given(contacts, st.data(), st.binary(min_size=32))
def test_whatever_is_taken_one_less_leaves_the_order_of_the_others(found, data, secret):
    """However the calls are shared out, each stratum's are the first of one and the same order."""
    rows = written(found)
    asked = plan(per_agent=None, total=data.draw(st.integers(1, 20)), strata=("motive",))
    gone = data.draw(st.sampled_from(rows))
    every = draw(plan(per_agent=1000, strata=("motive",)), rows, secret)
    whole = {(one.agent, one.stratum): [call.key for call in one.calls] for one in every.strata}
    s, e, n = gone.decode().split(",")[:3]
    rest = [one for one in rows if one != gone]
    for one in draw(asked, rest, secret).strata if rest else ():
        line = [key for key in whole[one.agent, one.stratum] if key != (s, int(e), int(n))]
        assert [call.key for call in one.calls] == line[: one.taken]


def test_no_contact_is_favoured_over_2000_secrets():
    """Chi-square, corrected for drawing without putting back: 19 degrees of freedom, p 0.001."""
    size, take, turns = 20, 3, 2000
    rows = rows_of(A1=size, A2=7)
    hits = Counter(
        call.key[2]
        for secret in secrets(turns)
        for call in draw(plan(per_agent=take), rows, secret).strata[0].calls
    )
    expected = turns * take / size
    chi = sum((hits[n] - expected) ** 2 / expected for n in range(1, size + 1))
    chi *= (size - 1) / (size - take)
    assert 4.9 < chi < 43.8  # both tails: too even would be no chance either


def test_who_replaces_one_is_the_next_by_the_same_order():
    rows = rows_of(A1=6, A2=6)
    order = [call.key for call in draw(plan(per_agent=6), rows, SECRET).strata[0].calls]
    found = draw(plan(per_agent=2), rows, SECRET).strata[0]
    assert [call.key for call in found.calls] == order[:2]
    third = replacement(rows, SECRET, found.agent, found.stratum, 2)
    assert (third.key, third.rank) == (order[2], 3)
    assert replacement(rows, SECRET, found.agent, found.stratum, 5).key == order[5]
    assert replacement(rows, SECRET, found.agent, found.stratum, 6) is None


def test_of_those_that_came_later_only_what_an_agent_still_lacks_is_drawn():
    first = draw(plan(per_agent=2), rows_of(A1=30, A2=1), SECRET)
    earlier = Earlier.of(first)
    late = [row(n, agent) for n, agent in enumerate(["A1"] * 5 + ["A2"] * 5 + ["A3"] * 5, 500)]
    found = draw(plan(per_agent=2), late, SECRET, earlier)
    assert [(one.agent, one.size, one.taken) for one in found.strata] == [
        ("A1", 5, 0), ("A2", 5, 1), ("A3", 5, 2),
    ]  # fmt: skip
    assert found.short == {}


def test_an_empty_frame_is_no_draw_and_says_why_it_is_empty():
    with pytest.raises(DiademaError, match=r"P1.*no call"):
        draw(plan(), [], SECRET)


def test_a_period_that_goes_on_is_not_drawn():
    check_over(plan(), WEEK, END)
    with pytest.raises(DiademaError, match=r"2026-W48.*not over"):
        check_over(plan(), WEEK, END - 1)


def test_a_plan_made_in_the_middle_takes_what_began_after_its_commitment():
    assert WEEK.from_ms == START
    assert a_week(1_500_000).from_ms == 1_500_000
    with pytest.raises(DiademaError, match="committed"):
        check_over(plan(), a_week(END), 3_000_000)


def test_plans_over_the_same_calls_are_named():
    here = plan(teams=("T1",))
    others = [
        plan(code="P2", teams=("T1", "T2")), plan(code="P3", teams=("T3",)),
        plan(code="P4", queues=("ventas",)), plan(code="P5"), here,
    ]  # fmt: skip
    assert overlap(here, others) == ["P2", "P4", "P5"]


# who evaluates

NOBODY = Bars()


def chosen(**counts):
    return draw(plan(per_agent=1000), rows_of(**counts), SECRET)


def firsts(found):
    return Counter(one.to for one in found.calls if not one.second)


def test_calls_go_in_turn_by_the_same_order():
    asked = plan(monitors=("m1", "m2", "m3"), twice_share=0, twice_least=0)
    found = assign(asked, WEEK, chosen(A1=10), SECRET, NOBODY)
    assert [one.to for one in found.calls] == ["m1", "m2", "m3"] * 3 + ["m1"]
    assert [one.key for one in found.calls] == [one.key for one in chosen(A1=10).strata[0].calls]
    assert found.left == []
    one = found.calls[0]
    assert (one.agent, one.stratum, one.rank, one.pool, one.second) == ("A1", "", 1, 10, False)


def test_nobody_evaluates_oneself_ones_team_or_whom_a_conflict_names():
    bars = Bars(
        own={"m1": "A1"}, supervised={"m2": {"T1"}}, conflicts={"m3": {"A3"}},
        teams_of=lambda agent: ["T1"] if agent == "A2" else ["T2"],
    )  # fmt: skip
    asked = plan(monitors=("m1", "m2", "m3"), twice_share=0, twice_least=0, cap_per_day=100)
    found = assign(asked, WEEK, chosen(A1=20, A2=20, A3=20), SECRET, bars)
    pairs = {(one.to, one.agent) for one in found.calls}
    assert pairs == {("m1", "A2"), ("m1", "A3"), ("m2", "A1"), ("m2", "A3"),
                     ("m3", "A1"), ("m3", "A2")}  # fmt: skip
    assert max(firsts(found).values()) - min(firsts(found).values()) <= 1


def test_nobody_has_more_than_the_cap_of_all_days():
    asked = plan(monitors=("m1", "m2"), cap_per_day=3, days=2, twice_share=0, twice_least=0)
    found = assign(asked, WEEK, chosen(A1=15), SECRET, NOBODY)
    assert firsts(found) == {"m1": 6, "m2": 6}
    assert [one.why for one in found.left] == ["full"] * 3
    assert len({one.key for one in found.left} | {one.key for one in found.calls}) == 15


def test_an_agent_whom_all_are_barred_from_is_left_and_named():
    bars = Bars(conflicts={"m1": {"A1"}, "m2": {"A1"}})
    asked = plan(monitors=("m1", "m2"), twice_share=0, twice_least=0)
    found = assign(asked, WEEK, chosen(A1=3, A2=3), SECRET, bars)
    assert {(one.agent, one.why) for one in found.left} == {("A1", "barred")}
    assert len(found.calls) == 3


@pytest.mark.parametrize("monitors", [(), ("m1", "m2")])
def test_a_plan_whose_monitors_are_all_barred_is_refused(monitors):
    bars = Bars(conflicts={"m1": {"A1", "A2"}, "m2": {"A1", "A2"}})
    with pytest.raises(DiademaError, match=r"P1.*monitor"):
        assign(plan(monitors=monitors), WEEK, chosen(A1=3, A2=3), SECRET, bars)


def test_the_share_seen_twice_is_at_least_so_many_a_month():
    assert twice_of(plan(), WEEK, 2000) == 100
    assert twice_of(plan(), WEEK, 40) == 5  # 20 a month of four weeks
    assert twice_of(plan(), WEEK, 3) == 3
    month = SamplePeriod("2026-11", START, END, 30, START)
    assert twice_of(plan(), month, 100) == 20
    day = SamplePeriod("2026-11-25", START, END, 1, START)
    assert twice_of(plan(), day, 10) == 1
    assert twice_of(plan(twice_share=0, twice_least=0), WEEK, 100) == 0


def test_what_is_seen_twice_goes_to_another_monitor_each():
    asked = plan(monitors=("m1", "m2", "m3"), twice_share=25, cap_per_day=1000)
    found = assign(asked, WEEK, chosen(A1=100), SECRET, NOBODY)
    first = {one.key: one.to for one in found.calls if not one.second}
    second = {one.key: one.to for one in found.calls if one.second}
    assert (len(first), len(second)) == (100, 25)
    assert all(first[key] != to for key, to in second.items())
    assert max(Counter(second.values()).values()) < 20
    assert found.alone == 0


def test_with_one_monitor_the_coordinator_is_the_second():
    asked = plan(monitors=("m1",), twice_share=50, twice_least=0, cap_per_day=1000)
    found = assign(asked, WEEK, chosen(A1=10), SECRET, NOBODY, coordinators=("q1",))
    assert {one.to for one in found.calls if one.second} == {"q1"}
    barred = Bars(own={"q1": "A1"})
    alone = assign(asked, WEEK, chosen(A1=10), SECRET, barred, coordinators=("q1",))
    assert not any(one.second for one in alone.calls)
    assert alone.alone == 5


def test_which_are_seen_twice_does_not_follow_from_the_size_of_a_stratum():
    """The least of many is smaller than the least of few: the same order would favour it."""
    hits = Counter()
    for secret in secrets(300):
        found = draw(plan(per_agent=1), rows_of(A1=1000 // 10, A2=2), secret)
        asked = plan(monitors=("m1", "m2"), twice_share=50, twice_least=0)
        both = assign(asked, WEEK, found, secret, NOBODY)
        hits.update(one.agent for one in both.calls if one.second)
    assert 110 < hits["A1"] < 190


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 10), st.randoms())
def test_nothing_is_lost_and_nobody_is_over_the_cap(count, monitors, cap, order):
    names = tuple(f"m{at}" for at in range(monitors))
    asked = plan(monitors=names, cap_per_day=cap, days=1, twice_share=10)
    bars = Bars(conflicts={name: {order.choice(["A1", "A2", "A3"])} for name in names})
    drawn = chosen(A1=count, A2=count, A3=count)
    found = assign(asked, WEEK, drawn, SECRET, bars)
    assert max(Counter(one.to for one in found.calls).values(), default=0) <= cap
    keys = [one.key for one in found.calls if not one.second] + [one.key for one in found.left]
    assert sorted(keys) == sorted(taken(drawn))
    assert not any(bars.bars(one.to, one.agent) for one in found.calls)
