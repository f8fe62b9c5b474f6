"""Parts get there whatever is lost on the way, and few of them twice."""

from types import SimpleNamespace

import pytest
from diadema.stations.update.bundle import GROUP, Sending
from hypothesis import given, settings
from hypothesis import strategies as st

PARTS = 150
MANIFEST = 2


def station(parts=PARTS, has=0):
    """As `firmware/update.py`: what it answers to a part, `next` after it."""
    told = None
    taken = has

    def take(part):
        nonlocal told, taken
        if part != taken + 1:
            again = told == taken
            told = taken
            return None if again else taken + 1
        told, taken = None, part
        if part == parts:
            return 0
        return part + 1 if part == MANIFEST or part % GROUP == 0 else None

    return take


def sending(parts=PARTS):
    manifest = SimpleNamespace(length=parts * 480 - 700)
    bundle = SimpleNamespace(data=bytes(parts * 480), manifest=manifest, parts=parts)
    return Sending(bundle, 1, 0.0)


def delivered(one, take, lost=lambda count: False):
    """How many parts were sent until the station had all."""
    now, count = 0.0, 0
    waiting = list(one.begin())
    while count < 50 * PARTS:
        answers = []
        while waiting:
            part = waiting.pop(0)
            count += 1
            answer = None if lost(count) else take(part)
            if answer == 0:
                return count
            if answer is not None:
                answers.append(answer)
        for answer in answers:
            waiting += one.heard(answer, now)
        if not waiting:
            now += 1.0
            waiting += one.due(now)
    raise AssertionError("it does not get there")


def test_without_a_loss_each_part_is_sent_once():
    assert delivered(sending(), station()) == PARTS


@pytest.mark.parametrize("has", [1, 2, 33, 64, PARTS - 1])
def test_it_goes_on_where_the_station_is(has):
    count = delivered(sending(), station(has=has))
    assert count <= PARTS - has + MANIFEST


@settings(max_examples=150, deadline=None)
@given(lost=st.sets(st.integers(1, 200), max_size=40))
def test_it_gets_there_whatever_is_lost(lost):
    count = delivered(sending(), station(), lost=lost.__contains__)
    assert count <= PARTS + (len(lost) + 1) * GROUP


def test_what_was_only_late_is_not_sent_over_and_over():
    one, take = sending(), station()
    late = list(one.begin()) + list(one.due(100.0))  # all on their way
    answers = [answer for part in late if (answer := take(part))]
    waiting = [part for answer in answers for part in one.heard(answer, 101.0)]
    assert waiting == [*range(3, 33)]
