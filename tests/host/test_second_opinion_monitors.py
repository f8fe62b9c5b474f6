"""What the report of monitors says, and the tables that stand beside declared steps and codes, is
worked out twice: by Diadema, and from the raw events of months whose calls were evaluated.
"""

import random

import pytest
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from msgspec.structs import replace

from tests.support.evaluated_month import (
    CODES,
    DAY_MS,
    LAST,
    LEAD,
    MONDAYS,
    PLAN,
    evaluated_month,
    week,
)
from tests.support.given_out import give_out
from tests.support.second_opinion import raw
from tests.support.second_opinion.asked import Whole
from tests.support.second_opinions import differences

KINDS = ("monitores", "protocolo", "tipificacion")
SCOPES = (("floor", ""), ("agent", "a003"), ("team", "Tarde"), ("queue", "ventas"))


def troubled(folder, seed):
    """A month in which something of all that can be happened to some calls."""
    chance = random.Random(seed)
    month = evaluated_month(folder, agents=8, calls=8, seed=seed)
    pair_up(month, chance)
    done = [one for one in month.given if one.key in month.submitted]
    notes = []
    for one in done:
        if chance.random() < 0.6:
            notes.append(noted(month, one, chance.choice([*CODES, "111"])))
    notes.append(noted(month, done[0], "112"))
    month.say(*notes)
    for one in chance.sample(done, 40):
        name, why = (
            f"{chance.getrandbits(48):012x}",
            chance.choice((*["evaluation"] * 2, "coaching")),
        )
        by = chance.choice((one.to, one.to, LEAD))
        heard(
            month, one, name, by, chance.randrange(900_000) if chance.random() < 0.9 else None, why
        )
    for one in chance.sample(done, 4):
        month.annul(one)
    open_ones = [one for one in month.given if one.key not in month.submitted and not one.second]
    for one, ms, reason in zip(
        open_ones, (41_000, 9_999), ("unplayable", "nobodys"), strict=False
    ):
        heard(month, one, f"{ms:012x}", one.to, ms)
        twin = Twin(one, one.to, False)
        month.assign([twin], one.due, one.draw, of=one.key, reason=reason, by=one.to)
    month.assign(
        [Twin(done[0], "mara", False)], done[0].due - 9 * DAY_MS, "f" * 12
    )  # nobody does it
    _, drawn, given = month.draw(week(1), replace(PLAN, code="otro"))
    month.submit((given[0], month.answers(given[0])))
    month.annul_draw(drawn)
    return month


def pair_up(month, chance):
    """More calls that two evaluate, some of them assigned in the month before."""
    for one in [one for one in month.given if not one.second and one.key in month.submitted][:60]:
        at = one.due - chance.choice((5, 5, 40)) * DAY_MS
        if (one.draw, one.call) in {(its.draw, its.call) for its in month.given if its.second}:
            continue
        code = f"{chance.getrandbits(48):012x}"
        pair = [Twin(one, to, second) for to, second in (("mara", False), ("nilo", True))]
        given = month.assign(pair, at, code)
        month.submit(*((its, month.answers(its, 0.8)) for its in given))


class Twin:
    def __init__(self, one, to, second):
        self.key, self.agent, self.stratum = one.call, one.agent, one.stratum
        self.rank, self.pool, self.to, self.second = one.rank, one.pool, to, second


def noted(month, one, code):
    return "evaluation.noted", one.due, {
        "evaluation": month.evaluations[one.key], "about": "code", "text": code, "by": one.to,
    }  # fmt: skip


def heard(month, one, name, by, ms, purpose="evaluation"):
    """`ms` is None while it goes on."""
    told = {
        "listening": name, "a": one.agent, "call": one.call,
        "source": "recording", "purpose": purpose, "via": "browser", "announced": False, "by": by,
    }  # fmt: skip
    (started,) = month.say(("listening.started", one.due, told))
    if ms is not None:
        ended = {"of": started, "heard_ms": ms, "cause": "closed", "by": by}
        month.say(("listening.ended", one.due + 1, ended))


@pytest.fixture(scope="module", params=range(2))
def month(request, tmp_path_factory):
    return troubled(tmp_path_factory.mktemp("month") / "data", request.param)


@pytest.fixture(scope="module")
def told(month, tmp_path_factory):
    folder = tmp_path_factory.mktemp("given") / "out"
    return Whole(raw.read(give_out(month.data, folder, [LAST])), LAST)


@pytest.mark.parametrize("kind", KINDS)
def test_a_month_with_all_that_can_happen(month, told, kind):
    found = []
    for span in (around("month", LAST), around("week", MONDAYS[1])):
        for of, code in SCOPES:
            differ = differences(month.data, told, kind, span, month.now_ms, of, code)
            found += [(span.word, of, *one) for one in differ]
    assert found == []


def test_it_has_it_all(month):
    """No comparison of nothing with nothing."""

    def table(kind, key):
        report = make(month.data, kind, around("month", LAST), Scope(), month.now_ms)
        section = report.section(key)
        return [dict(zip((c.key for c in section.columns), map(plain, row), strict=True))
                for row in section.rows]  # fmt: skip

    work = table("monitores", "monitors")
    assert {one["monitor"] for one in work} >= {"mara", "nilo"}
    for name in ("late_calls", "waiting_calls", "heard_s", "recorded_s"):
        assert any(one[name] for one in work), name
    replaced = table("monitores", "replaced")
    assert {one["replaced_why"] for one in replaced} == {
        "no se puede oír", "no hay una conversación",
    }  # fmt: skip
    assert sum(one["replaced_calls"] for one in replaced) == 2
    assert sum(one["replaced_heard"] for one in replaced) == 1
    assert {one["month"] for one in table("monitores", "bias")} == {"2026-10", "2026-11"}
    assert any(one["bias"] for one in table("monitores", "bias"))
    items = table("monitores", "agreement")
    assert all(one["ac1"] is not None for one in items)
    assert any(one["alpha"] is not None for one in items)
    assert {one["alert"] for one in items} == {None, "revisar la guía"}
    (greets, *_) = table("protocolo", "steps_confirmed")
    assert greets["confirmed_both"] and greets["only_declared"]
    assert len(table("tipificacion", "codes_confirmed")) == 3
    assert {one["code"] for one in table("tipificacion", "codes_confused")} >= {None, "111"}
