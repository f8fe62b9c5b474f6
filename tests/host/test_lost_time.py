"""Lost time: what a fault costs each agent, a second in which several stop her once."""

import tempfile
from datetime import date
from pathlib import Path

import pytest
from diadema.figures.lost_time import costs, stops
from diadema.figures.read import read
from diadema.store import open_reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.given_out import give_out
from tests.support.peopled import AGENTS, SEATS, Centre, Seat
from tests.support.second_opinion import desks, raw
from tests.support.second_opinion import lost_time as second
from tests.support.troubled import ADOPTED, DAY, SAID, STEPS, troubled

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@settings(deadline=None, max_examples=examples(15), suppress_health_check=SLOW)
@given(st.lists(STEPS, min_size=1, max_size=3), ADOPTED, SAID)
def test_any_faults_cost_what_is_worked_out_apart(lives, chosen, steps):
    with tempfile.TemporaryDirectory() as root:
        centre, now = troubled(Path(root) / "data", lives, chosen, steps)
        first, last = centre.at(DAY, 0), centre.at(DAY, 48)
        with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
            ours = stops(tx, first * 1000, last * 1000, now * 1000)
        given_out = raw.read(give_out(centre.data, Path(root) / "given", [DAY]))
        theirs = second.stops(given_out, first, last)
        assert {key_of(one.press): seconds_of(one) for one in ours} == {
            one.press.key: one.seconds for one in theirs
        }
        check_sums(centre, ours, theirs, given_out, now)


def key_of(press):
    """Of ours, or of one of the second opinion."""
    return press.key if hasattr(press, "key") else (press.station, press.epoch, press.sequence)


def seconds_of(stop):
    return {second for start, end in stop.times for second in range(start, end)}


def told(cost):
    return cost.agents, cost.lost_s, cost.alone_s, cost.shared_s, cost.calls


def check_sums(centre, ours, theirs, given_out, now):
    """By ticket, area and seat: the parts alone and what they share are the agents' seconds, each
    once; beside it what adherence and handling times call technical, within what is logged in.
    """
    tickets = second.tickets(given_out)
    by_agent, everybody = costs(ours, lambda one: one.agent)
    assert everybody.shared_s == 0
    for of in (
        lambda one: tickets.get(key_of(one.press), ""),
        lambda one: one.press.area,
        lambda one: key_of(one.press)[0],
    ):
        parts, whole = costs(ours, of)
        mine, total = second.costs(theirs, of)
        assert {name: told(cost) for name, cost in parts.items()} == mine
        assert told(whole) == total
        assert whole.lost_s == sum(cost.alone_s for cost in parts.values()) + whole.shared_s
        assert whole.lost_s == sum(cost.lost_s for cost in by_agent.values())
    shown = desks.by_agent(desks.read(given_out))
    assert sum(cost.lost_s for cost in by_agent.values()) == whole.lost_s
    figures = read(centre.data, DAY, date(2026, 11, 19), now * 1000)
    for agent, sums in figures.agents().items():
        lost = by_agent[agent].lost_s if agent in by_agent else 0
        logged = {
            second
            for start, end, *_ in shown[agent]
            for second in range(start, end)
            if centre.at(DAY, 0) <= second < centre.at(DAY, 48)
        }
        assert lost == sums.load.technical_s <= sums.load.logged_s == len(logged)


@pytest.fixture
def centre(tmp_path):
    return Centre(tmp_path / "data", multi_login="allow")


def seated(centre, k, at, agent=0):
    return Seat(SEATS[k]).start(at).enter(AGENTS[agent]).show("ready")


def lost(centre, now, *seats):
    """(agent, seconds) of each report, in order."""
    centre.take(now * 1000, seats)
    with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
        found = stops(tx, centre.at(DAY, 0) * 1000, centre.at(DAY, 24) * 1000, now * 1000)
    figures = read(centre.data, DAY, DAY, now * 1000).total()
    assert figures.load.technical_s == costs(found, lambda one: "")[1].lost_s
    return [(one.agent, sum(end - start for start, end in one.times)) for one in found]


def test_a_fault_costs_time_until_its_answer_the_next_seat_or_the_log_out(centre):
    at = centre.at(DAY, 9)
    mended = seated(centre, 0, at).to(at + 100)
    mended.fault().to(at + 700).mended().to(at + 900)
    left = seated(centre, 1, at, 1).to(at + 100)
    left.fault().to(at + 400).leave()
    left.to(at + 3600).mended()
    moved = seated(centre, 2, at, 2).to(at + 100)
    moved.fault().to(at + 5000).mended("rejected").to(at + 5100)
    other = seated(centre, 3, at + 350, 2).to(at + 360)
    other.fault().to(at + 800).show("not_ready", "break")
    third = seated(centre, 4, at + 500, 2).to(at + 6000)
    assert lost(centre, at + 6000, mended, left, moved, other, third) == [
        ("a001", 600), ("a002", 300), ("a003", 250), ("a003", 140),
    ]  # fmt: skip


def test_a_rejected_fault_costs_until_the_rejection_and_one_in_a_call_from_its_end(centre):
    at = centre.at(DAY, 9)
    rejected = seated(centre, 0, at).to(at + 100)
    rejected.fault().to(at + 400).mended("rejected").to(at + 900)
    talking = seated(centre, 1, at, 1).to(at + 100)
    talking.served(talk=60_000, faulty=True)
    ended = talking.second - 10  # the wrap-up
    talking.to(at + 400).mended().to(at + 900)
    assert lost(centre, at + 900, rejected, talking) == [("a001", 300), ("a002", at + 400 - ended)]


def test_who_comes_back_to_the_seat_that_is_mended_has_lost_nothing_more(centre):
    at = centre.at(DAY, 9)
    seat = seated(centre, 0, at).to(at + 100)
    seat.fault().to(at + 160).leave()
    seat.to(at + 300).enter(AGENTS[0]).to(at + 900)
    seat.mended().to(at + 1000)
    assert lost(centre, at + 1000, seat) == [("a001", 60)]


@pytest.mark.parametrize("jump_s", [3600, -3600, 86_400, -86_400])
def test_a_clock_that_jumps_in_a_stretch_costs_no_time_that_did_not_pass(centre, jump_s):
    at = centre.at(DAY, 9)
    seat = seated(centre, 0, at).to(at + 100)
    seat.fault().to(at + 400)
    seat.power += 1000 * jump_s
    seat.anchor().to(at + 700 + jump_s).mended().to(at + 900 + jump_s)
    now = at + 900 + max(jump_s, 0)
    centre.take(now * 1000, [seat])
    with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
        first, last = centre.at(DAY, -48), centre.at(DAY, 72)
        (stop,) = stops(tx, first * 1000, last * 1000, now * 1000)
    assert len(seconds_of(stop)) == 600 if jump_s > 0 else len(seconds_of(stop)) <= 600


def test_two_at_once_cost_her_one_time_and_are_shared_by_their_parts(centre):
    at = centre.at(DAY, 9)
    seat = seated(centre, 0, at).to(at + 100)
    seat.fault().to(at + 200).fault()
    seat.to(at + 500).mended().to(at + 900).mended().to(at + 950)
    assert lost(centre, at + 950, seat) == [("a001", 400), ("a001", 700)]
    with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
        its = stops(tx, at * 1000, (at + 950) * 1000, (at + 950) * 1000)
    parts, whole = costs(its, lambda one: one.press.sequence)
    assert (whole.lost_s, whole.alone_s, whole.shared_s) == (800, 500, 300)
    assert sorted((one.lost_s, one.alone_s, one.shared_s) for one in parts.values()) == [
        (400, 100, 300), (700, 400, 300),
    ]  # fmt: skip
    assert whole.lost_s == sum(one.alone_s for one in parts.values()) + whole.shared_s


def test_a_call_that_was_missed_for_it_is_its_own(centre):
    at = centre.at(DAY, 9)
    seat = seated(centre, 0, at).to(at + 50).rang(2000, "technical").to(at + 100)
    seat.fault().to(at + 200).rang(3000, "technical").to(at + 300).rang(3000, "caller_gave_up")
    seat.to(at + 500).mended().to(at + 600).rang(1000, "technical").to(at + 700)
    centre.take((at + 700) * 1000, [seat])
    with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
        (one,) = stops(tx, at * 1000, (at + 700) * 1000, (at + 700) * 1000)
    assert [utc // 1000 - at for utc in one.calls.values()] == [200]
    assert (one.press.board, one.press.firmware) == ("sim", "0.1.0")
