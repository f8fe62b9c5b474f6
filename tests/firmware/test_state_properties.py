"""The state machine under any sequence of inputs, cuts of power included: what always holds."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lib import commands, transitions

from tests.support import state_walk
from tests.support.deskbench import ROSA
from tests.support.examples import examples
from tests.support.state_walk import Walk, check_stream

inputs = st.one_of(
    st.just(("cut",)),
    *(
        st.tuples(*(st.sampled_from(options) for options in choices))
        for often, choices in state_walk.INPUTS
        for _ in range(often)
    ),
)
_MOST = 20_000  # steps until a broken table must have shown itself


@given(
    steps=st.lists(inputs, min_size=5, max_size=60),
    cuts=st.lists(st.integers(0, 3), max_size=60),
    pins=st.booleans(),
    rich=st.booleans(),
)
@settings(max_examples=examples(300), deadline=None)
def test_any_day_at_any_desk(
    steps: list[tuple[Any, ...]], cuts: list[int], pins: bool, rich: bool
) -> None:
    walk = Walk(pins, rich)
    walk.ready()
    cuts = list(cuts)
    for name, *arguments in steps:
        if name == "cut":  # power goes while the next input's events are being written
            walk.keep = cuts.pop() if cuts else 1
            walk.u += 500
            walk.take(walk.station.handle("badge", walk.u, ROSA))
            walk.reboot()
            walk.check()
            continue
        walk.step(name, *arguments)
    walk.leave()
    check_stream(walk.events)


@given(
    steps=st.lists(inputs, max_size=40),
    cut=st.integers(0, 3),
    last=inputs,
    pins=st.booleans(),
    rich=st.booleans(),
)
@settings(max_examples=examples(300), deadline=None)
def test_a_cut_inside_any_input(
    steps: list[tuple[Any, ...]], cut: int, last: tuple[Any, ...], pins: bool, rich: bool
) -> None:
    walk = Walk(pins, rich)
    walk.ready()
    for name, *arguments in steps:
        if name != "cut":
            walk.step(name, *arguments)
    walk.keep = cut
    name, *arguments = last
    if name not in ("cut", "reboot", "full"):
        walk.check = lambda: None  # type: ignore[method-assign]  # half an input is no state
        walk.step(name, *arguments)
        del walk.check
    walk.keep = None
    walk.reboot()
    walk.check()
    walk.leave()
    check_stream(walk.events)


def test_twenty_thousand_steps_from_one_seed():
    rng, done = random.Random(7), 0
    while done < 20_000:
        done += state_walk.day(rng, 200)


@pytest.mark.parametrize(
    ("row", "situation", "action"),
    [
        ("key4", "held", "."),  # held for ever
        ("hangup", "talking", "miss"),
        ("key1", "wrapup", "hang_up"),
        ("power_back", "talking", "."),
        ("badge", "talking", "session.log_in"),
        ("key1", "consulting", "hang_up"),
    ],
)
def test_a_broken_cell_of_the_table_is_found(monkeypatch, row, situation, action):
    table = commands.TABLE if row in commands.TABLE else transitions.TABLE
    cells = table[row][:]
    cells[transitions.SITUATIONS.index(situation)] = action
    monkeypatch.setitem(table, row, cells)
    rng, done = random.Random(7), 0
    with pytest.raises((AssertionError, KeyError, TypeError)):
        while done < _MOST:
            done += state_walk.day(rng, 200)
