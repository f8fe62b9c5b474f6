"""Agreement of two monitors: known answers, and the same α as another package's."""

import random

import krippendorff
import numpy as np
import pytest
from diadema.metrics.rounding import percent
from diadema.quality.agreement import (
    Bias,
    bias,
    gwet_ac1,
    is_biased,
    item_agreement,
    krippendorff_alpha,
    needs_decision,
)

from tests.support.scorecards import scorecard

# Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011: four observers, twelve units
OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
TABLE = {(0, 0): 13, (1, 1): 20, (1, 2): 7, (2, 1): 4, (2, 2): 56}


def pairs(table):
    return [pair for pair, n in table.items() for _ in range(n)]


def units(rows):
    columns = zip(*(row.split() for row in rows), strict=True)
    return [[int(one) for one in column if one != "."] for column in columns]


def test_known_answers_of_the_share_and_of_ac1():
    made = pairs(TABLE)
    assert percent(sum(one == other for one, other in made), len(made)) == 89.0
    assert f"{gwet_ac1(made, 3):.4f}" == "0.8493"
    skewed = {(1, 1): 130, (1, 0): 56, (0, 1): 9, (0, 0): 5}
    assert f"{gwet_ac1(pairs(skewed), 2):.3f}" == "0.533"


def test_where_nearly_all_is_right_ac1_does_not_condemn():
    made = {(1, 1): 92, (1, 0): 3, (0, 1): 4, (0, 0): 1}
    assert f"{gwet_ac1(pairs(made), 2):.3f}" == "0.923"
    assert gwet_ac1([(1, 1)] * 7, 2) == 1


@pytest.mark.parametrize(
    ("level", "known"), [("nominal", "0.743"), ("ordinal", "0.815"), ("interval", "0.849")]
)
def test_known_answers_of_alpha(level, known):
    assert f"{krippendorff_alpha(units(OBSERVERS), level):.3f}" == known


def table(rng):
    """Raters by units, with gaps: some agree, some guess; at times one value alone."""
    raters, cases = rng.randint(2, 6), rng.randint(1, 30)
    values = rng.sample(range(6), rng.choice((1, 2, 3, 5, 6)))
    truth = [rng.choice(values) for _ in range(cases)]
    honest, gaps = rng.random(), rng.choice((0, 0.1, 0.5))
    return [
        [
            None if rng.random() < gaps else one if rng.random() < honest else rng.choice(values)
            for one in truth
        ]
        for _ in range(raters)
    ]


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_the_package_on_random_tables(level):
    rng, known = random.Random(f"alpha {level}"), 0
    for _ in range(500):
        rows = table(rng)
        made = krippendorff_alpha(
            [[one for one in unit if one is not None] for unit in zip(*rows, strict=True)], level
        )
        data = np.array([[np.nan if one is None else one for one in row] for row in rows], float)
        columns = data[:, (~np.isnan(data)).sum(axis=0) > 1]
        if len(np.unique(columns[~np.isnan(columns)])) < 2:
            assert made is None
            continue
        known += 1
        theirs = krippendorff.alpha(reliability_data=data, level_of_measurement=level)
        assert made == pytest.approx(theirs, abs=1e-9)
    assert known > 350


def test_of_nothing_to_compare_there_is_no_alpha():
    assert krippendorff_alpha([], "nominal") is None
    assert krippendorff_alpha([[1], [2], []], "nominal") is None
    assert krippendorff_alpha([[1, 1], [1, 1]], "interval") is None
    with pytest.raises(ValueError, match="no pair"):
        gwet_ac1([], 2)


ITEM = scorecard({"code": "saludo"}).items[0]


def test_of_few_calls_only_counts_are_told():
    made = item_agreement(ITEM, [("1", "1")] * 5 + [("1", "0")] * 4)
    assert (made.item, made.n, made.same) == ("saludo", 9, 5)
    assert made.percent is made.ac1 is made.alpha is None and not made.review


def test_an_item_on_which_monitors_part_has_its_guide_reviewed():
    agreed = item_agreement(ITEM, [("1", "1")] * 17 + [("-", "-")] * 2 + [("1", "0")])
    assert (agreed.n, agreed.same, agreed.percent) == (20, 19, 95.0)
    assert agreed.ac1 > 0.9 and not agreed.review
    apart = item_agreement(ITEM, [("1", "1")] * 5 + [("1", "0")] * 5 + [("0", "0")] * 2)
    assert apart.ac1 < 0.6 and apart.review


def test_that_it_does_not_apply_is_an_answer_but_has_no_place_in_an_order():
    both = [("2", "2")] * 8 + [("0", "0")] * 8
    item = scorecard({"scale": "0_2"}).items[0]
    whole, gaps = item_agreement(item, both), item_agreement(item, [*both, *[("-", "2")] * 4])
    assert whole.alpha == gaps.alpha == 1
    assert (whole.percent, gaps.percent) == (100.0, 80.0) and gaps.ac1 < 1
    assert gaps.ac1 == pytest.approx(
        (0.8 - (expected := (0.5 * 0.5 + 0.4 * 0.6 + 0.1 * 0.9) / 3)) / (1 - expected)
    )


def test_the_order_of_a_scale_counts():
    near, far = (
        item_agreement(scorecard({"scale": "1_5"}).items[0], [*[("1", "1"), ("5", "5")] * 5, one])
        for one in (("4", "5"), ("1", "5"))
    )
    assert near.percent == far.percent and near.alpha > far.alpha


def test_the_bias_of_a_monitor_has_its_interval():
    """Of 20, 40, 60, 80, 100: mean 60, s² 1000, t(4) = 2.776."""
    assert bias([20, 40, 60, 80, 100]) == Bias(6.0, 2.1, 9.9, 5)
    assert bias([-20, -40, -60, -80, -100]) == Bias(-6.0, -9.9, -2.1, 5)
    assert bias([20, 40, 60, 80]) is None
    assert bias([0] * 5) == Bias(0.0, 0.0, 0.0, 5)


def test_two_months_without_zero_are_an_alert():
    off, on = Bias(6.0, 2.1, 9.9, 5), Bias(1.0, -2.0, 4.0, 5)
    assert is_biased([on, off, off]) and is_biased([off, Bias(-6.0, -9.9, -2.1, 5)])
    for months in ([off], [off, on], [on, off], [off, None], [off, off, on], []):
        assert not is_biased(months)


FORM = scorecard({"weight": 80}, {"weight": 10}, {"weight": 10}, {"weight": 0, "kind": "user"})


@pytest.mark.parametrize(
    ("first", "second", "decided"),
    [
        ("1111", "1111", False),
        ("1111", "1101", False),  # ten points apart are not more than ten
        ("1111", "1001", True),
        ("1111", "1110", True),
        ("111-", "1111", True),
        ("----", "---1", True),
        ("----", "----", False),
        ("----", "1---", True),
    ],
)
def test_a_pair_that_is_apart_goes_to_the_coordinator(first, second, decided):
    assert needs_decision(FORM, first, second) is decided
    assert needs_decision(FORM, second, first) is decided
