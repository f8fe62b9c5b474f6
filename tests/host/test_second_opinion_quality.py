"""Each cell of `calidad` is worked out twice: by Diadema, and by `tests/support/second_opinion`
from the events that Diadema gives out, on any history of draws and evaluations.
"""

import random
import tempfile
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from diadema.quality.sampling import SamplePeriod
from diadema.report.period import around
from diadema.site.directory.quality import SamplePlan
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.evaluated_month import (
    DAY_MS,
    FIRST,
    LAST,
    MONDAYS,
    PLAN,
    Month,
    at,
    evaluated_month,
    week,
)
from tests.support.given_out import give_out
from tests.support.second_opinion import raw
from tests.support.second_opinion.asked import Whole
from tests.support.second_opinions import differences

SCOPES = (("floor", ""), ("agent", "a001"), ("agent", "a005"), ("team", "Tarde"),
          ("queue", "ventas"))  # fmt: skip
MONTH, WEEK = around("month", FIRST), around("week", MONDAYS[1])
ONCE = (Phase.explicit, Phase.reuse, Phase.generate)  # a smaller number is no smaller history
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def compared(month, folder, spans=(MONTH,), scopes=SCOPES):
    """What differs, of each scope and span."""
    given_out, found = raw.read(give_out(month.data, folder, [LAST])), []
    for span in spans:
        whole = Whole(given_out, LAST)
        for of, code in scopes:
            differ = differences(month.data, whole, "calidad", span, month.now_ms, of, code)
            found += [(span.word, of, code, *one) for one in differ]
    return found


def test_a_month_of_enough_people(tmp_path):
    month = evaluated_month(tmp_path / "data", agents=18, seed=1)
    later = month.stations["a002"]
    one = next(one for one in month.given if one.agent == "a002" and one.key in month.submitted)
    number = next(n for n in range(1, 40) if later.key_of(f"a002-{n}") == one.call)
    later.boot().clock(one.due)
    later.contact("retypified", f"a002-{number}", 1000, code="112", version=1, author="luz")
    month.take(later)
    assert compared(month, tmp_path / "given") == []
    assert compared(month, tmp_path / "given", (WEEK,), SCOPES[:1]) == []


class History:
    """What a random number says that people did with a month's draws."""

    def __init__(self, root, seed):
        self.rng = random.Random(seed)
        self.month = Month(root, agents=self.rng.choice((5, 6, 14)), calls=4, seed=seed)
        if self.rng.random() < 0.3:
            self.month.form("cobranza")
        for number in range(4):
            self._week(number)

    def _week(self, number):
        rng, month = self.rng, self.month
        strata = rng.choice(((), ("motive",), ("duration",)))
        form = "cobranza" if "cobranza" in self._forms() and number % 2 else "atencion"
        plan = replace(PLAN, per_agent=rng.randint(1, 4), strata=strata, scorecard=form,
                       twice_share=rng.choice((0, 10, 60)))  # fmt: skip
        period = week(number)
        if number == 3 and rng.random() < 0.5:  # into the next month
            end = at(date(2026, 12, 2))
            period = SamplePeriod("w", period.start_ms, end, 9, period.start_ms)
        _, drawn, calls = month.draw(period, plan)
        calls = self._replaced(calls, period) if calls and rng.random() < 0.4 else calls
        done = [one for one in calls if rng.random() < 0.8]
        month.submit(*((one, month.answers(one, rng.choice((0.6, 0.9, 1.0)))) for one in done))
        for one in done:
            match rng.randrange(9):
                case 0:
                    month.annul(one)
                case 1 | 2:
                    month.revise(one, month.answers(one), rng.choice(("pair", "error")))
                case 3 | 4 | 5:
                    month.release(one)
        if rng.random() < 0.15:
            month.annul_draw(drawn)
        self._directed(calls)

    def _forms(self):
        return {code for code, _ in self.month.people().scorecards}

    def _replaced(self, calls, period):
        """One by a contact of its stratum that was not drawn, for all who have it."""
        one = self.rng.choice(calls)
        taken = {its.call for its in self.month.given}
        keys = [key for key in self._begun(one, period) if key not in taken]
        drawn = {its.call for its in calls if (its.agent, its.stratum) == (one.agent, one.stratum)}
        if not keys or len(drawn) >= one.pool:
            return calls
        key, same = self.rng.choice(keys), [its for its in calls if its.call == one.call]
        others = [its for its in calls if its not in same]
        for its in same:
            next_one = SimpleNamespace(
                key=key, agent=its.agent, stratum=its.stratum, rank=9, pool=its.pool, to=its.to,
                second=its.second,
            )  # fmt: skip
            more = {"of": its.key, "reason": "unplayable"}
            due = its.due - 5 * DAY_MS
            others += self.month.assign([next_one], due, its.draw, its.form, **more)
        return others

    def _begun(self, one, period):
        return self.month.stations[one.agent].begun(period.start_ms, period.end_ms)

    def _directed(self, calls):
        if calls:
            one = self.rng.choice(calls)
            its = SimpleNamespace(key=one.call, agent=one.agent, stratum="", rank=None, pool=None,
                                  to=one.to, second=False)  # fmt: skip
            (made,) = self.month.assign([its], one.due, None, one.form)
            self.month.submit((made, self.month.answers(made, 0.2)))


@example(3954, ("floor", ""))  # a section in which all reach the same
@settings(deadline=None, max_examples=3, suppress_health_check=SLOW, phases=ONCE)
@given(st.integers(0, 10_000), st.sampled_from(SCOPES))
def test_any_draws_and_evaluations(seed, scope):
    with tempfile.TemporaryDirectory() as root:
        month = History(Path(root) / "data", seed).month
        assert compared(month, Path(root) / "given", scopes={SCOPES[0], scope}) == []


@pytest.mark.parametrize("weeks", [(3, 4), (2, 3, 4, 5, 6, 7)])
def test_an_agent_with_few_calls_has_the_last_months_together(tmp_path, weeks):
    """Two calls in November, and those of some weeks before."""
    month = Month(tmp_path / "data", agents=4, calls=3)
    desk = month.stations["a001"]
    for back in sorted(weeks, reverse=True):
        monday = MONDAYS[0]
        start = at(monday) - back * 7 * DAY_MS
        month.older("a001", start + DAY_MS)
        period = SamplePeriod(f"b{back}", start, start + 7 * DAY_MS, 7, start)
        plan = SamplePlan(code="antes", label="", scorecard="atencion", monitors=("mara",))
        _, _, calls = month.draw(period, plan)
        month.submit(*((one, month.answers(one)) for one in calls))
    _, _, calls = month.draw(week(0))
    month.submit(*((one, month.answers(one)) for one in calls))
    assert desk.begun()
    assert compared(month, tmp_path / "given", scopes=SCOPES[:2]) == []
