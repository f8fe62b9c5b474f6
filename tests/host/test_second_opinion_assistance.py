"""Each counted and timed cell of `ayudas` and `fallas` is worked out twice: by Diadema, and by
`tests/support/second_opinion` from the journals that Diadema gives out.
"""

import random
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from diadema.report.period import around
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.assisted import assisted
from tests.support.examples import examples
from tests.support.given_out import give_out
from tests.support.second_opinion import faults, help_requests, raw
from tests.support.second_opinion.asked import Asked, Whole
from tests.support.second_opinions import differences
from tests.support.troubled import ADOPTED, DAY, SAID, STEPS, troubled

KINDS = ("ayudas", "fallas")
SCOPES = (("floor", ""), ("agent", "a001"), ("team", "Norte"), ("team", "Sur"))
SPANS = (("month", 0), ("day", 0), ("day", 1))
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def compared(centre, now_s, folder, spans=SPANS, scopes=SCOPES):
    """What differs, of each kind, scope and span."""
    given_out, found = raw.read(give_out(centre.data, folder, [DAY])), []
    for grain, later in spans:
        span = around(grain, DAY + timedelta(later))
        whole = Whole(given_out, span.last)
        for kind in KINDS:
            for of, code in scopes:
                differ = differences(centre.data, whole, kind, span, now_s * 1000, of, code)
                found += [(kind, span.word, of, *one) for one in differ]
    return found


@settings(deadline=None, max_examples=examples(10), suppress_health_check=SLOW)
@given(st.lists(STEPS, min_size=1, max_size=3), ADOPTED, SAID, st.sampled_from(SCOPES))
def test_any_help_and_faults(lives, chosen, steps, scope):
    with tempfile.TemporaryDirectory() as root:
        centre, now_s = troubled(Path(root) / "data", lives, chosen, steps)
        scopes = {SCOPES[0], scope}
        assert compared(centre, now_s, Path(root) / "given", SPANS[:2], scopes) == []


@pytest.fixture(scope="module")
def morning(tmp_path_factory):
    root = tmp_path_factory.mktemp("assisted")
    return (*assisted(root / "data"), root / "given")


def test_a_morning_that_is_known_by_hand(morning):
    assert compared(*morning) == []


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """Long days, so that there is no comparison of nothing with nothing."""
    root, draw = tmp_path_factory.mktemp("rich"), random.Random(2)
    lives = [
        [(draw.randint(0, 15), draw.choice([1, 20, 300, 900]), draw.randint(0, 999))
         for _ in range(60)]
        for _ in range(3)
    ]  # fmt: skip
    steps = [(draw.randint(0, 7), draw.randint(0, 2), draw.randint(0, 999)) for _ in range(12)]
    return (*troubled(root / "data", lives, [0, 1, 2, 3, 0], steps), root / "given")


def test_long_days_have_it_all(rich):
    centre, now_s, folder = rich
    whole = Whole(raw.read(give_out(centre.data, folder, [DAY])), DAY)
    found = faults.Found(Asked(whole, DAY, DAY, now_s * 1000))
    assert {one.outcome for one in found.tickets.values()} >= {"confirmed", None}
    assert any(one.again for one in found.tickets.values())
    _, total = found.cost(lambda one: found.of.get(one.press.key, ""))
    assert min(total.values()) > 0, "seconds that tickets share, and calls that were missed"
    its = help_requests.cells(found.asked, help_requests.read(whole.given).values())
    assert min(its[name] for name in ("help_taken", "help_never", "help_wait_n", "due")) > 0
    assert 0 < its["help_met"] < 100 and its["help_solve_p90_s"] > its["help_solve_p50_s"]


def test_long_days(rich):
    assert compared(*rich) == []


def test_a_difference_is_seen(morning):
    """The comparison itself: a second and a call for help that somebody else had."""
    centre, now_s, folder = morning
    given_out = raw.read(give_out(centre.data, folder, [DAY]))
    for events in given_out.stations().values():
        at = next((n for n, one in enumerate(events) if one.k == "fault.resolved"), None)
        if at is not None:
            events[at] = events[at]._replace(utc=events[at].utc + 1000)
    events = next(iter(given_out.stations().values()))
    at = next(n for n, one in enumerate(events) if one.k == "help.accepted")
    events[at] = events[at]._replace(f=events[at].f | {"by": "Otra"})
    span = around("month", DAY)
    whole = Whole(given_out, span.last)
    for kind, tables in (("ayudas", {"helpers"}), ("fallas", {"summary", "tickets", "faults_areas",
                         "faults_parts", "faults_boards", "faults_firmware", "faults_teams",
                         "faults_agents"})):  # fmt: skip
        found = differences(centre.data, whole, kind, span, now_s * 1000)
        assert {table for table, *_ in found} == tables
