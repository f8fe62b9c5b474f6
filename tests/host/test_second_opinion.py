"""Each counted and timed cell of the reports of calls is worked out twice: by Diadema, and by
`tests/support/second_opinion` from what Diadema gives out and from the definitions alone.
"""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from diadema.report.period import around
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.second_opinion import raw
from tests.support.second_opinion.asked import Whole
from tests.support.second_opinions import FAMILIES, differences
from tests.support.whole_centre import DAY, STARTS, STEPS, Place, by_chance

SCOPES = (("floor", ""), ("agent", "a001"), ("team", "Norte"), ("queue", "soporte"))
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)


class GivenOut:
    """What a place gives out, read once; and all of it worked out as of each last day, once."""

    def __init__(self, place):
        self.read = raw.read(place.give_out())
        self._wholes = {}

    def whole(self, last):
        if last not in self._wholes:
            self._wholes[last] = Whole(self.read, last)
        return self._wholes[last]


def compared(place, kinds, scopes, spans=("month", "day"), days=(0,), given_out=None):
    """What differs, of each kind, scope and span."""
    given_out, found = given_out or GivenOut(place), []
    for span in [around(grain, place.day + timedelta(n)) for grain in spans for n in days]:
        whole = given_out.whole(span.last)
        for kind in kinds:
            for of, code in scopes:
                at = kind, span.word, of
                differ = differences(place.data, whole, kind, span, place.now, of, code)
                found += [(*at, *one) for one in differ]
    return found


@settings(deadline=None, max_examples=examples(25), suppress_health_check=SLOW)
@given(
    start=st.sampled_from(STARTS), steps=STEPS, late=st.sampled_from((0, 0, 4)),
    lull=st.sampled_from((0, 9 * DAY)), kinds=st.sets(st.sampled_from([*FAMILIES]), min_size=2,
    max_size=2), scope=st.sampled_from(SCOPES),
)  # fmt: skip
def test_any_history(start, steps, late, lull, kinds, scope):
    with tempfile.TemporaryDirectory() as root:
        place = Place(Path(root), *start).pass_on().live(steps, late, lull)
        if scope[0] == "queue" and not any("|IT|" in line for line in place.lines):
            scope = ("floor", "")
        assert compared(place, kinds, (("floor", ""), scope), spans=("month",)) == []


@pytest.fixture(scope="module", params=range(2))
def rich(request, tmp_path_factory):
    """Days of a centre with all that there is in them, in a zone each."""
    root = tmp_path_factory.mktemp("rich")
    return Place(root, *STARTS[request.param]).pass_on().live(by_chance(0, 500), 3, 9 * DAY)


def test_a_rich_history_has_it_all(rich):
    """No comparison of nothing with nothing."""
    given_out = raw.read(rich.give_out())
    whole = Whole(given_out, rich.day + timedelta(30))
    kinds = {event.k for events in given_out.journals.values() for event in events}
    assert kinds >= {
        "contact.transferred", "contact.consulted", "contact.held", "contact.retypified",
        "contact.missed", "fault.reported", "station.booted", "session.closed",
        "help.requested", "supervision.acted",
    }  # fmt: skip
    n = sum((one.n for one in whole.booked), start=whole.booked[0].n.__class__())
    for what in ("answered", "missed", "excused", "connected", "not_answered", "transferred",
                 "consults", "continued", "by_switch", "switch_n", "rung_out", "aside_interrupted",
                 "aside_estimated", "aside_impossible", "typified", "untyped", "retyped",
                 "left_on_hold", "dial_n", "missed_ring_s", "failed"):  # fmt: skip
        assert n[what], what
    assert {one.outcome for one in whole.stays} >= {"answered", "abandoned", "left"}
    ticks = [tick for one in whole.contacts for tick in one.ticks.values() if tick.done]
    assert {(one.automatic, one.block) for one in ticks} == {(0, 0), (0, 1), (1, 0)}
    assert {call.call[1] for call in whole.contacts if call.call} == {"pbx", "alias"}
    assert {one.queue for one in whole.stays if one.told == "IT"} == {"soporte", "ventas"}


@pytest.fixture(scope="module")
def given_out(rich):
    return GivenOut(rich)


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_rich_history(rich, given_out, kind):
    assert compared(rich, [kind], SCOPES, days=(0, 1), given_out=given_out) == []


def test_a_difference_is_seen(rich):
    """The comparison itself: one second more in one call shows."""
    given_out = raw.read(rich.give_out())
    span = around("month", rich.day)
    whole = Whole(given_out, span.last)
    next(one for one in whole.booked if one.handle is not None).n["talk_s"] += 1
    found = differences(rich.data, whole, "tmo", span, rich.now)
    assert {table for table, *_ in found} >= {"aht_agents", "aht_queues", "aht_halves", "aht_days"}
