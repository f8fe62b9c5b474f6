"""What a sample of evaluated calls tells: known answers, and what any estimate must be."""

import asyncio
import random
from datetime import date
from itertools import pairwise
from math import pi, sqrt, tan

import pytest
from diadema.metrics.rounding import percent
from diadema.quality import estimates
from diadema.quality.estimates import (
    AgentFigure,
    Estimate,
    Month,
    Part,
    Stratum,
    agent_figure,
    agent_interval,
    by_stratum,
    contract_grade,
    domain,
    funnel,
    item_share,
    mean_interval,
    stratified,
    t_quantile,
    team_is_shown,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.bench import evaluations


@pytest.mark.parametrize(
    ("share", "df", "known"),
    [
        # by the incomplete beta function with 30 digits; three decimals of them are printed in
        # every table of Student's t
        (0.975, 1, 12.706204736174693), (0.975, 2, 4.302652729911275),
        (0.975, 3, 3.1824463052837084), (0.975, 4, 2.7764451051977935),
        (0.975, 5, 2.5705818356363148), (0.975, 10, 2.2281388519862742),
        (0.975, 30, 2.0422724563012379), (0.975, 120, 1.9799304050824405),
        (0.95, 5, 2.0150483733330235), (0.95, 1000, 1.6463788172854643),
        (0.999, 1, 318.30883898555016), (0.999, 3, 10.214531852407383),
        (0.999, 10, 4.1437004940465891), (0.999, 120, 3.1595387433171104),
        (0.975, 2.7, 3.392148383173751), (0.999, 33.3, 3.3537594801478649),
        (0.975, 100_000, 1.9599877075346093),
    ],
)  # fmt: skip
def test_t_is_the_published_one(share, df, known):
    assert t_quantile(share, df) == pytest.approx(known, abs=1e-9)
    assert t_quantile(1 - share, df) == pytest.approx(-known, abs=1e-9)


@pytest.mark.parametrize("share", [0.6, 0.9, 0.975, 0.995])
def test_t_is_what_its_closed_forms_say(share):
    """Of 1 degree of freedom Cauchy's, of 2: (2p - 1)·√(1 / (2p(1 - p)))."""
    assert t_quantile(share, 1) == pytest.approx(tan(pi * (share - 0.5)), abs=1e-9)
    two = (2 * share - 1) * sqrt(1 / (2 * share * (1 - share)))
    assert t_quantile(share, 2) == pytest.approx(two, abs=1e-9)


@given(st.floats(0.001, 0.999), st.floats(1, 2000))
def test_t_has_a_sign_and_gets_shorter_with_more_freedom(share, df):
    t = t_quantile(share, df)
    assert t == pytest.approx(-t_quantile(1 - share, df), abs=1e-7)
    assert abs(t_quantile(share, df + 1)) <= abs(t) + 1e-12


def test_t_of_what_is_none_is_refused():
    for share, df in ((0, 5), (1, 5), (0.5, 0.9)):
        with pytest.raises(ValueError, match="no t"):
            t_quantile(share, df)
    assert t_quantile(0.5, 7) == 0
    assert t_quantile(0.975, 1e9) == t_quantile(0.975, 1e5)


# --- one agent

FIVE = [900, 800, 1000, 700, 850]  # mean 850, s² 12 500


def test_an_agent_has_a_t_interval_with_the_finite_correction():
    """2.7764 · √((1 - 5/50) · 12 500/5) = 131.7 tenths."""
    assert agent_interval(FIVE, 50) == Estimate(85.0, 71.8, 98.2, 5, 50)
    assert agent_interval(FIVE, 100_000) == Estimate(85.0, 71.1, 98.9, 5, 100_000)


def test_of_all_calls_there_is_no_error():
    assert agent_interval(FIVE, 5) == Estimate(85.0, 85.0, 85.0, 5, 5)
    assert agent_interval([700] * 5, 5) == Estimate(70.0, 70.0, 70.0, 5, 5)


def test_it_is_cut_to_what_a_score_can_be():
    made = agent_interval([1000, 1000, 1000, 1000, 600], 310)
    assert made.high == 100.0 and made.low > 60
    assert agent_interval([0, 0, 0, 0, 300], 310).low == 0.0


def test_scores_without_a_spread_say_nothing_of_the_error():
    assert agent_interval([1000] * 5, 310) == Estimate(100.0, None, None, 5, 310)


def test_alike_within_strata_they_have_no_spread_either():
    parts = [Part([526] * 5, 5, 11), Part([975] * 8, 8, 14), Part([800], 3, 3)]
    assert domain(parts) == Estimate(77.8, None, None, 14, 26)


def test_under_five_there_is_no_mean():
    assert agent_interval(FIVE[:4], 310) is None
    assert agent_interval([], 310) is None


def test_more_calls_than_there_are_is_a_mistake():
    with pytest.raises(ValueError, match="more calls"):
        agent_interval(FIVE, 4)


def month(number, *scores, of=100):
    first = date(2026, number, 1)
    return Month(first, date(2026, number, 28), [Stratum(scores, of)])


def test_a_month_with_too_few_is_told_with_the_two_before():
    made = agent_figure([month(8, 0, 0), month(9, 900), month(10, 800, 1000), month(11, 700, 850)])
    assert (made.first, made.last) == (date(2026, 9, 1), date(2026, 11, 28))
    assert (made.estimate.n, made.estimate.of, made.of) == (5, 300, 300)
    assert made.scores == [900, 800, 1000, 700, 850]
    assert made.estimate.value == percent(900 * 2 + 1800 + 1550, 6000)


def test_a_month_with_enough_is_told_alone():
    made = agent_figure([month(10, 0, 0, 0, 0, 0), month(11, *FIVE)])
    assert made == AgentFigure(
        date(2026, 11, 1), date(2026, 11, 28), FIVE, 100, agent_interval(FIVE, 100)
    )


def test_where_three_months_are_too_few_the_newest_scores_stand_alone():
    made = agent_figure([month(9, 900), month(10, 800), month(11, 700, 850)])
    assert made == AgentFigure(date(2026, 11, 1), date(2026, 11, 28), [700, 850], 100, None)
    with pytest.raises(ValueError, match="no month"):
        agent_figure([])


def test_five_calls_of_a_span_count_whatever_draws_they_came_from():
    weeks = [Stratum([one], 25) for one in FIVE[:4]]
    assert agent_figure([Month(date(2026, 11, 1), date(2026, 11, 28), weeks)]).estimate is None
    weeks.append(Stratum([850], 25))
    assert agent_figure([Month(date(2026, 11, 1), date(2026, 11, 28), weeks)]).estimate.n == 5


# --- strata


def plainly(strata):
    """Cochran's §5.4 and (5.16), as the book has them: mean, half of the interval."""
    whole = sum(of for _, of in strata)
    mean = sum(of / whole * (sum(y) / len(y)) for y, of in strata)
    parts = []
    for y, of in strata:
        middle = sum(y) / len(y)
        s2 = sum((one - middle) ** 2 for one in y) / (len(y) - 1)
        parts.append((of * (of - len(y)) / len(y), s2, len(y)))
    variance = sum(g * s2 for g, s2, _ in parts) / whole**2
    freedom = sum(g * s2 for g, s2, _ in parts) ** 2
    freedom /= sum(g**2 * s2**2 / (n - 1) for g, s2, n in parts)
    return mean, t_quantile(0.975, freedom) * sqrt(variance)


def cut(tenths):
    return round(min(1000.0, max(0.0, tenths))) / 10


WEEKS = [
    Stratum([900, 800, 1000], 70),
    Stratum([700, 850, 950, 990], 90),
    Stratum([1000, 400, 800], 20),
    Stratum([880, 870, 860], 130),
]


def test_a_month_of_four_weekly_draws_has_the_interval_of_the_stratified_estimate():
    made = stratified(WEEKS)
    mean, half = plainly(WEEKS)
    assert (made.n, made.of, made.uncovered) == (13, 310, 0.0)
    assert (made.value, made.low, made.high) == (cut(mean), cut(mean - half), cut(mean + half))
    assert (made.value, made.low, made.high) == (86.9, 80.9, 92.8)
    together = agent_interval([one for scores, _ in WEEKS for one in scores], 310)
    assert together.value != made.value  # a week counts as it has calls, not as it was drawn


scores = st.lists(st.integers(0, 1000), min_size=3, max_size=9)
many = st.lists(st.tuples(scores, st.integers(10, 400)), min_size=2, max_size=12)


@given(many)
def test_strata_of_three_and_more_follow_the_book(strata):
    assume(any(len({*y}) > 1 for y, _ in strata))
    made = stratified([Stratum(*one) for one in strata])
    mean, half = plainly(strata)
    assert made.value == pytest.approx(mean / 10, abs=0.051)
    assert made.low == pytest.approx(max(0, mean - half) / 10, abs=0.051)
    assert made.high == pytest.approx(min(1000, mean + half) / 10, abs=0.051)
    assert made.low <= made.value <= made.high
    double = stratified([Stratum(y, of * 2) for y, of in strata])
    assert double.value == made.value


@given(st.lists(st.tuples(scores, st.integers(10, 400)), min_size=1, max_size=5), st.data())
def test_the_mean_is_exact(strata, data):
    """Rounded once, halves up."""
    strata = [Stratum(y[:5], of) for y, of in strata]
    assume(sum(len(y) for y, _ in strata) >= 5)
    over = sum(of * sum(y) * (60 // len(y)) for y, of in strata)
    assert stratified(strata).value == percent(over, 60_000 * sum(of for _, of in strata))


def test_a_stratum_of_few_calls_has_the_spread_of_its_neighbours():
    """Three and three by their own; two, two and one together, one around no mean of its own."""
    strata = [
        *(Stratum(y, 50) for y in ([900, 800, 700], [600, 800, 1000])),
        *(Stratum(y, 50) for y in ([900, 700], [500, 700], [650])),
    ]
    made = stratified(strata)
    weight = (1 / 5) ** 2 * (1 - 3 / 50) / 3
    errors = [(weight * 10_000, 2), (weight * 40_000, 2)]
    few = (1 / 5) ** 2 * (2 * (1 - 2 / 50) / 2 + (1 - 1 / 50))
    errors.append((few * (20_000 + 20_000) / 2, 2))
    variance = sum(error for error, _ in errors)
    freedom = variance**2 / sum(error**2 / df for error, df in errors)
    half = t_quantile(0.975, freedom) * sqrt(variance)
    mean = (800 + 800 + 800 + 600 + 650) / 5
    assert (made.value, made.low, made.high) == (73.0, cut(mean - half), cut(mean + half))


def test_calls_alone_in_their_weeks_have_the_spread_around_their_mean():
    """Five weeks of one call are as five calls of one stratum, in parts of three and of two that
    join them.
    """
    made = stratified([Stratum([one], 62) for one in FIVE])
    assert made == agent_interval(FIVE, 310)


def test_a_stratum_taken_whole_adds_no_error():
    sampled = Stratum([900, 700, 800], 100)
    made = stratified([sampled, Stratum([500, 600], 2)])
    half = t_quantile(0.975, 2) * sqrt((100 / 102) ** 2 * 0.97 * 10_000 / 3)
    mean = (100 * 800 + 2 * 550) / 102
    assert (made.low, made.high) == (cut(mean - half), cut(mean + half))
    one_left = stratified([Stratum(FIVE, 5), Stratum([700], 100)])
    assert (one_left.n, one_left.low, one_left.high) == (6, None, None)


def test_what_no_call_was_evaluated_of_is_told_as_uncovered():
    made = stratified([Stratum(FIVE, 60), Stratum([], 20)])
    assert (made.of, made.uncovered) == (60, 25.0)
    assert made.value == 85.0
    assert stratified([Stratum([], 20)]) is None


def test_strata_are_those_of_the_frame():
    made = by_stratum({"w1": 40, "w2": 30}, [("w1", 900), ("w1", 800)])
    assert made == [([900, 800], 40), ([], 30)]
    with pytest.raises(KeyError):
        by_stratum({"w1": 40}, [("w3", 900)])


def test_the_note_of_a_contract_has_its_zeros_and_no_bounds():
    assert contract_grade([Stratum([900, 800, 0, 700, 850], 310)]) == Estimate(
        65.0, None, None, 5, 310
    )
    assert contract_grade([Stratum(FIVE[:4], 310)]) is None


# --- shares of items


def test_items_of_one_call_are_one_case():
    """Right 8, 10, 6, 9, 7 of 10: the share is 80 %, s² of the residuals 2.5."""
    made = item_share([(8, 10), (10, 10), (6, 10), (9, 10), (7, 10), (0, 0)], 50)
    half = t_quantile(0.975, 4) * sqrt(0.9 * 2.5 / 5) / 10 * 1000
    assert (made.value, made.n, made.of) == (80.0, 5, 50)
    assert (made.low, made.high) == (cut(800 - half), cut(800 + half))
    assert item_share([(8, 10)] * 4 + [(0, 0)], 50) is None
    assert item_share([(10, 10)] * 5, 50).low is None
    assert item_share([(8, 10), (10, 10), (6, 10), (9, 10), (7, 10)], 5).low == 80.0
    with pytest.raises(ValueError, match="more calls"):
        item_share([(1, 1)] * 6, 5)


# --- people compared


def agents(n, level=800, of=100):
    return {f"a{k:02}": [Stratum([level - 50, level, level + 50, level + 20, level - 20], of)]
            for k in range(n)}  # fmt: skip


def test_a_funnel_takes_twelve_people_with_five_calls():
    assert funnel(agents(11)) is None
    few = {"few": [Stratum([100, 200], 50)], "none": [Stratum([], 50)]}
    assert funnel(agents(11) | few) is None
    made = funnel(agents(12) | few)
    assert [one.agent for one in made.points] == [f"a{k:02}" for k in range(12)]
    assert made.centre == 80.0 and {one.beyond for one in made.points} == {""}


def test_its_limits_are_those_of_the_spread_within_agents():
    made = funnel(agents(12))
    error = sqrt(5800 / 4 * 0.95 / 5)
    for limits, share in ((made.points[3].inner, 0.975), (made.points[3].outer, 0.999)):
        half = t_quantile(share, 48) * error
        assert limits == (cut(800 - half), cut(800 + half))


def test_only_who_is_beyond_the_outer_limits_is_named_so():
    off = {"low": [Stratum([500, 510, 490, 505, 495], 100)],
           "high": [Stratum([990, 1000, 980, 985, 995], 100)]}  # fmt: skip
    made = {one.agent: one for one in funnel(agents(14) | off).points}
    assert {agent for agent, one in made.items() if one.beyond} == {"low", "high"}
    assert (made["low"].beyond, made["high"].beyond) == ("below", "above")
    near = funnel(agents(14) | {"near": [Stratum([845, 855, 835, 850, 840], 100)]})
    (one,) = (one for one in near.points if one.agent == "near")
    assert one.inner[1] < one.value < one.outer[1] and one.beyond == ""


def test_limits_are_wider_for_who_has_fewer_calls():
    more = {"more": [Stratum([750, 800, 850, 820, 780] * 4, 100)]}
    made = {one.agent: one for one in funnel(agents(12) | more).points}
    assert made["more"].outer[0] > made["a00"].outer[0]


def test_people_whose_scores_have_no_spread_are_not_compared():
    assert funnel({f"a{k}": [Stratum([700 + k] * 5, 100)] for k in range(12)}) is None


def test_an_agent_sees_a_team_with_five_others():
    team = ["a", "b", "c", "d", "e"]
    assert not team_is_shown([*team, "e"], "a")
    assert team_is_shown([*team, "f"], "a")
    assert team_is_shown(team, "z")


def test_a_mean_of_no_finite_number_has_its_interval():
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 4.302652729911275 / sqrt(3), 4.484137))
    with pytest.raises(ValueError, match="two values"):
        mean_interval([1.0])


# --- how often it is right


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of the simulated agents of `make bench`, fewer and always the same ones."""
    for what, value in evaluations.covered(3, samples=1000, agents=40).items():
        low = 90 if "98" in what else 92.5  # of so few samples
        assert low <= value <= 97.5, what


def test_a_report_of_a_thousand_agents_is_made_of_them():
    rng = random.Random(5)
    given = {f"a{n:02}": [evaluations.answers(rng, 0.87) for _ in range(8)] for n in range(20)}
    made = evaluations.report(given, given["a00"])
    assert [len(one.rows) for one in made.sections][:3] == [20, 10, 20]
    values = [row[1].value for row in made.section("agents").rows]
    assert all(60 < one < 100 for one in values) and len({*values}) > 10
    assert any(a > b for a, b in pairwise(values))  # by code, never a list by score


def test_the_bench_has_its_figures(monkeypatch):
    monkeypatch.setattr(evaluations, "_SAMPLES", 20)
    monkeypatch.setattr(evaluations, "_POOL", 20)
    monkeypatch.setattr(evaluations, "_AGENTS", 20)
    monkeypatch.setattr(evaluations, "_TWICE", 50)
    made = asyncio.run(evaluations.figures())
    assert len(made) == 12 and {one.unit for one in made} == {"%", "ms"}


def test_a_part_of_whole_strata_is_the_stratified_estimate():
    strata = [Stratum([900, 800], 40), Stratum([700, 1000, 900], 60), Stratum([850], 10)]
    parts = [estimates.Part(scores, len(scores), of) for scores, of in strata]
    assert estimates.domain(parts) == estimates.stratified(strata)
    assert estimates.size_of((len(one.scores), one.n, one.of) for one in parts) == 110


def test_a_queue_that_cuts_through_strata_counts_each_call_for_as_many_as_its_stratum_has():
    parts = [estimates.Part([900, 800], 4, 40), estimates.Part([700, 1000, 900], 3, 60)]
    found = estimates.domain(parts)
    assert (found.value, found.n, found.of) == (86.3, 5, 80)  # (20·85 + 60·86.67) / 80
    assert found.low < 86.3 < found.high
    assert estimates.domain(parts[:1]) is None, "two are too few"


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_of_a_part_holds_the_truth(seed):
    """Of a queue that has a part of each agent's calls."""
    rng, held, turns = random.Random(seed), 0, 400
    agents = [[(rng.random() < 0.4, int(rng.gauss(860, 60))) for _ in range(60)]
              for _ in range(15)]  # fmt: skip
    inside = [score for calls in agents for ours, score in calls if ours]
    truth = sum(inside) / len(inside) / 10
    for _ in range(turns):
        parts = []
        for calls in agents:
            drawn = rng.sample(calls, 6)
            parts.append(estimates.Part([score for ours, score in drawn if ours], 6, 60))
        found = estimates.domain(parts)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / turns <= 0.98
