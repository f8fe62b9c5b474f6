"""The score of an evaluation: known answers, auto-fails, and what its figures must be."""

from fractions import Fraction

import pytest
from diadema.metrics.rounding import percent
from diadema.quality.scoring import OPTIONS, Accuracy, WrongAnswers, by_scorecard, evaluate
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scorecards import scorecard

GENESYS = scorecard({"weight": 40}, {"weight": 40}, {"weight": 20})
CRITICAL = scorecard(
    {"weight": 40},
    {"weight": 20, "kind": "user"},
    {"weight": 20, "kind": "business", "section": "t", "auto_fail": "section"},
    {"weight": 20, "section": "t"},
    {"weight": 0, "kind": "compliance", "auto_fail": "evaluation"},
)


def test_the_known_answer():
    made = evaluate(GENESYS, "101")
    assert (made.raw, made.score, made.failed) == (600, 600, "none")


@pytest.mark.parametrize(
    ("answers", "raw"),
    [("111", 1000), ("000", 0), ("1-0", 667), ("-0-", 0), ("--1", 1000), ("---", None)],
)
def test_what_does_not_apply_leaves_both_sums(answers, raw):
    assert evaluate(GENESYS, answers).raw == raw


@pytest.mark.parametrize(
    ("scale", "scores"),
    [("yes_no", [0, 1000]), ("0_2", [0, 500, 1000]), ("1_5", [200, 400, 600, 800, 1000])],
)
def test_an_option_is_a_part_of_the_best_one(scale, scores):
    form = scorecard({"scale": scale, "weight": 7})
    assert [evaluate(form, option).raw for option in OPTIONS[scale]] == scores


def test_a_half_of_a_tenth_is_rounded_up_once():
    form = scorecard({"weight": 99, "scale": "0_2"}, {"weight": 1, "scale": "0_2"})
    assert evaluate(form, "21").raw == 995
    form = scorecard(*[{"weight": 1}] * 16)
    assert evaluate(form, "1" * 15 + "0").raw == 938  # 93.75 %


@pytest.mark.parametrize(
    ("answers", "raw", "score", "failed", "critical"),
    [
        ("11111", 1000, 1000, "none", (0, 0, 0)),
        ("10111", 800, 800, "none", (1, 0, 0)),
        ("11011", 800, 600, "section", (0, 1, 0)),
        ("11110", 1000, 0, "evaluation", (0, 0, 1)),
        ("11010", 800, 0, "evaluation", (0, 1, 1)),
        ("1-11-", 1000, 1000, "none", (None, 0, None)),
        ("----0", None, None, "evaluation", (None, None, 1)),
    ],
)
def test_an_error_in_a_critical_item_fails_what_it_says(answers, raw, score, failed, critical):
    made = evaluate(CRITICAL, answers)
    assert (made.raw, made.score, made.failed) == (raw, score, failed)
    assert (made.user, made.business, made.compliance) == critical


def test_a_failed_evaluation_is_not_told_as_a_failed_section():
    fails = [{"kind": "user", "auto_fail": one} for one in ("evaluation", "section", "none")]
    assert evaluate(scorecard(*fails), "000").failed == "evaluation"
    assert evaluate(scorecard(*reversed(fails)), "000").failed == "evaluation"


def test_sections_have_their_sums():
    made = evaluate(CRITICAL, "10011").sections
    assert {code: (one.reached, one.possible, one.score) for code, one in made.items()} == {
        "s": (400, 600, 667),
        "t": (200, 400, 0),  # an error fails it
    }
    assert evaluate(CRITICAL, "1---1").sections["t"].score is None


def test_below_the_best_option_is_an_error():
    form = scorecard({"kind": "user", "scale": "0_2"}, {"kind": "user", "scale": "1_5"}, {})
    assert [evaluate(form, one).user for one in ("251", "151", "140")] == [0, 1, 2]


def test_accuracies_are_of_those_where_an_error_could_be():
    made = by_scorecard(
        [
            evaluate(CRITICAL, one)
            for one in ("11111", "10111", "1-011", "01110", "--1-0")
        ]
    )  # fmt: skip
    tally = made["P1"]
    assert (tally.n, tally.failed) == (5, 3)
    assert tally.user == Accuracy(2, 3)
    assert tally.business == Accuracy(4, 5)
    assert tally.compliance == Accuracy(3, 5)
    assert tally.normal == [(2, 2), (2, 2), (2, 2), (1, 2), (0, 0)]


def test_different_scorecards_are_never_added_up():
    other = scorecard({"weight": 1}, code="P2")
    made = by_scorecard([evaluate(GENESYS, "111"), evaluate(other, "0"), evaluate(other, "1")])
    assert {code: one.n for code, one in made.items()} == {"P1": 1, "P2": 2}


@pytest.mark.parametrize("answers", ["", "11", "1111", "121", "1x1", "15-"])
def test_answers_that_are_none_are_refused(answers):
    with pytest.raises(WrongAnswers) as refused:
        evaluate(GENESYS, answers)
    for language in ("es", "en"):
        assert refused.value.say(language)


def test_what_always_applies_must_be_answered():
    form = scorecard({}, {"code": "saludo", "na": False})
    assert evaluate(form, "-1").raw == 1000
    with pytest.raises(WrongAnswers, match="saludo"):
        evaluate(form, "1-")


@st.composite
def answered(draw):
    kinds = st.sampled_from(["normal", "user", "business", "compliance"])
    items = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "weight": st.integers(0, 100),
                    "scale": st.sampled_from(sorted(OPTIONS)),
                    "kind": kinds,
                    "section": st.sampled_from("ab"),
                }
            ),
            min_size=1,
            max_size=60,
        )
    )
    fails = st.sampled_from(["none", "section", "evaluation"])
    for item in items:
        item["auto_fail"] = "none" if item["kind"] == "normal" else draw(fails)
    answers = [draw(st.sampled_from(OPTIONS[item["scale"]] + "-")) for item in items]
    return scorecard(*items), "".join(answers)


@given(answered())
def test_it_is_what_the_formula_says(given):
    form, answers = given
    best = {"yes_no": 1, "0_2": 2, "1_5": 5}
    met = [(item, int(a)) for item, a in zip(form.items, answers, strict=True) if a != "-"]
    whole = sum(item.weight for item, _ in met)
    sums = {code: Fraction() for code in "ab"}
    for item, answer in met:
        sums[item.section] += Fraction(item.weight * answer, best[item.scale])
    wrong = [item for item, answer in met if answer < best[item.scale] and item.kind != "normal"]
    made = evaluate(form, answers)
    assert made.user == (
        sum(item.kind == "user" for item in wrong)
        if any(item.kind == "user" for item, _ in met)
        else None
    )
    if not whole:
        assert made.raw is made.score is None
        return
    raw = sum(sums.values())
    assert made.raw / 10 == percent(raw.numerator, raw.denominator * whole)
    for item in wrong:
        if item.auto_fail == "section":
            sums[item.section] = Fraction()
    left = sum(sums.values())
    if any(item.auto_fail == "evaluation" for item in wrong):
        left = Fraction()
    assert made.score / 10 == percent(left.numerator, left.denominator * whole)
    assert 0 <= made.score <= made.raw <= 1000
    assert (made.failed == "none") == all(item.auto_fail == "none" for item in wrong)
