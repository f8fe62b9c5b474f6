"""The named figures by hand-made sums, and all of them beside a plain computation."""

import tempfile
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.figures import shifts
from diadema.figures.booking import Stretch
from diadema.figures.rows import Calls, Load, QueueSums, Spread, Sums
from diadema.metrics import calls as of
from diadema.metrics import schedule, states
from diadema.metrics.contacts import impossible
from diadema.metrics.fcr import Visit, look, tally
from diadema.site.directory.people import Planned, Reason
from diadema.store import Contact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host.test_figures_properties import Told
from tests.support.examples import examples
from tests.support.scripted_station import T0, S, Script

DAY_MS = 86_400_000
STATES = ("ready", "not_ready", "offered", "talking", "held", "wrapup", "off")


def test_figures_of_calls():
    calls = Calls(
        offered=9, answered=8, unrung=1, missed=1, open=1, dialed=4, connected=3, not_answered=1,
        transferred=1, continued=2, by_key=13, n=8, switch_n=2, aside_open=1, aside_impossible=1,
        talk_s=100, hold_s=20, consult_s=5, wrap_s=44, ring_s=12, ring_n=5, dial_s=30, dial_n=7,
        typified=6, untyped=2,
        transfers={"blind x": 1},
    )  # fmt: skip
    calls.add_spread(Spread([10, 20, 10, 10]))
    calls.add_spread(Spread([26] * 4))
    assert (of.handled(calls), of.distinct(calls), of.aside(calls)) == (11, 9, 2)
    assert of.handle_s(calls) == 164
    assert of.aht(calls) == 21  # 20.5, halves up
    assert (of.talk_mean(calls), of.hold_mean(calls), of.wrap_mean(calls)) == (13, 3, 7)
    assert (of.consult_mean(calls), of.ring_mean(calls), of.dial_mean(calls)) == (1, 2, 4)
    assert (of.aht_median(calls), of.aht_p90(calls)) == (20, 26)
    assert of.pickup_rate(calls) == 77.8
    assert (of.connect_rate(calls), of.transfer_rate(calls)) == (75.0, 9.1)
    assert (of.transferred_to(calls, ["x"]), of.transferred_to(calls, ["y"])) == (1, 0)
    assert of.typified_rate(calls) == 75.0


def test_where_there_is_nothing_there_is_no_figure():
    none = Calls()
    for figure in (of.aht, of.talk_mean, of.pickup_rate, of.connect_rate, of.transfer_rate):
        assert figure(none) is None
    assert states.occupancy(Load()) is None
    assert states.utilisation(Load()) is None
    assert states.Shrinkage().total is None
    assert tally([]).rate is None


def test_occupancy_and_utilisation():
    load = Load(
        ready=300, not_ready=400, offered=50, dialing=50, talking=100, held=50, consulting=25,
        wrapup=25, off=0,
    )  # fmt: skip
    assert states.occupancy(load) == 45.5  # dialling is a part of what she does
    assert states.utilisation(load) == 55.0


def test_shrinkage_has_parts_on_one_basis():
    reasons = {
        "refrigerio": Reason(code="refrigerio", label="", limit_s=150),
        "capacitacion": Reason(code="capacitacion", label="", paid=True, productive=True),
    }
    shown = [
        Stretch(0, 500, "ready"), Stretch(500, 700, "not_ready", "refrigerio"),
        Stretch(700, 950, "not_ready", "capacitacion"), Stretch(950, 1000, "not_ready", "login"),
        Stretch(1000, 1040, "not_ready", "fault"), Stretch(1040, 1100, "off"),
    ]  # fmt: skip
    lost = shifts.lost(shown, shifts.pauses(shown), [(940, 960)], reasons, 0, 2000)
    assert (lost.basis_s, lost.technical_s, lost.training_s) == (950, 120, 240)
    assert (lost.over_s, lost.auxiliary_s) == (50, 40)
    lost.basis_s, lost.unplanned_s, lost.unpaid_absence_s = 1000, 30, 20
    assert (lost.total, lost.in_office, lost.out_office) == (50.0, 45.0, 5.0)


PLAN = Planned(
    day=date(2026, 11, 18),
    shift="m",
    start_s=1000,
    end_s=2000,
    pauses=[(1400, 1500, "refrigerio")],
    tolerance_s=60,
)


@pytest.mark.parametrize(
    ("work", "followed", "conformance"),
    [
        ([(1000, 1400), (1500, 2000)], 1000, 100.0),
        ([(1000, 2000)], 900, 111.1),  # through her pause
        ([(1000, 1300), (1400, 1500), (1600, 2000)], 700, 88.9),
        ([(500, 1000)], 100, 55.6),  # all of it before the shift
        ([], 100, 0.0),
    ],
)
def test_what_was_planned_beside_what_was_done(work, followed, conformance):
    shown = [Stretch(start, end, "ready") for start, end in work]
    assert schedule.followed(PLAN, schedule.deviations(PLAN, shown, {})) == (followed, 1000)
    done = schedule.length_s(schedule.worked(shown, {}))
    assert schedule.conformance(done, 0, schedule.scheduled_s(PLAN)) == conformance


def test_an_exception_says_what_was_planned_what_she_did_and_what_excuses_it():
    reasons = {
        "sshh": Reason(code="sshh", label="", private=True),
        "reunion": Reason(code="reunion", label="", productive=True),
        "break": Reason(code="break", label=""),
    }
    shown = [
        Stretch(900, 1100, "not_ready", "break", "agent"),
        Stretch(1100, 1200, "not_ready", "break", "supervisor"),
        Stretch(1200, 1300, "not_ready", "sshh", "agent"), Stretch(1300, 1380, "ready"),
        Stretch(1380, 1450, "not_ready", "reunion", "agent"), Stretch(1450, 1470, "talking"),
        Stretch(1470, 1600, "not_ready", "break", "agent"), Stretch(1700, 2100, "ready"),
    ]  # fmt: skip
    found = schedule.deviations(PLAN, shown, reasons, [(1550, 1580)])
    assert [(one.start_s, one.end_s, one.planned, one.did, one.excuse) for one in found] == [
        (1000, 1100, None, "break", None), (1100, 1200, None, "break", "supervisor"),
        (1200, 1300, None, "sshh", "private"), (1400, 1450, "refrigerio", "reunion", "productive"),
        (1450, 1470, "refrigerio", "work", None), (1500, 1550, None, "break", None),
        (1550, 1580, None, "break", "technical"), (1580, 1600, None, "break", None),
        (1600, 1700, None, "logged_out", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "due"),
    [
        ([(1000, 1390, "ready"), (1390, 1430, "busy"), (1430, 1500, "ready")], 1430),
        ([(1390, 1400, "busy"), (1400, 1430, "ready")], 1400),  # the call had ended
        ([(1390, 1410, "busy"), (1410, 1420, "ready"), (1420, 1500, "busy")], 1410),
        ([(1400, 1500, "busy")], 1400),  # it came when the pause was due
        ([(1390, 1410, "not_ready")], 1400),
    ],
)
def test_a_pause_slides_for_a_call_that_was_under_way(shown, due):
    pauses, count = schedule.slid(PLAN, [Stretch(*one) for one in shown])
    assert pauses == [(due, due + 100, "refrigerio")] and count == (due > 1400)


_SHOWN = st.lists(
    st.tuples(
        st.integers(0, 40), st.integers(1, 60),
        st.sampled_from(["ready", "busy", "off", "break", "sshh", "reunion", "fault"]),
        st.sampled_from(["agent", "supervisor", "system"]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    _SHOWN,
    st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=3),
    st.lists(st.tuples(st.integers(0, 220), st.integers(1, 50)), max_size=2),
)
def test_each_second_of_a_shift_is_judged_by_itself(told, pauses, faults):
    """Against a second-by-second computation; likewise what is lost adds up to no more than is."""
    reasons = {
        "break": Reason(code="break", label="", paid=True, limit_s=20),
        "sshh": Reason(code="sshh", label="", private=True, paid=True),
        "reunion": Reason(code="reunion", label="", productive=True, paid=True),
    }
    shown, at = [], 0
    for gap, length, what, by in told:
        state = what if what in ("ready", "busy", "off") else "not_ready"
        start, at = at + gap, at + gap + length
        shown.append(Stretch(start, at, state, None if state == what else what, by))
    planned, technical = [], []
    for times, found in ((sorted(pauses), planned), (sorted(faults), technical)):
        for start, length in times:
            start = max(start, found[-1][1] if found else 0)
            found.append((start, start + length))
    plan = Planned(
        day=PLAN.day, shift="m", start_s=0, end_s=220, pauses=[(*one, "break") for one in planned]
    )
    wrong, excused = set(), set()
    for second in range(220):
        one = next((s for s in shown if s.start_s <= second < s.end_s), None)
        works = one is not None and (one.state in ("ready", "busy") or one.reason == "reunion")
        if works == any(start <= second < end for start, end in planned):
            wrong.add(second)
            faulty = any(start <= second < end for start, end in technical)
            if faulty or (one and (one.by == "supervisor"
                                   or one.reason in ("fault", "sshh", "reunion"))):  # fmt: skip
                excused.add(second)
    its = schedule.deviations(plan, shown, reasons, technical)
    seconds = [second for one in its for second in range(one.start_s, one.end_s)]
    assert seconds == sorted(wrong)
    assert schedule.followed(plan, its) == (220 - len(wrong - excused), 220)
    lost = shifts.lost(shown, shifts.pauses(shown), technical, reasons, 0, 300)
    inside = [s for s in shown if s.start_s < 300]
    away_s = sum(min(s.end_s, 300) - s.start_s for s in inside if s.state in ("not_ready", "off"))
    assert lost.in_office_s == away_s <= lost.basis_s


def test_without_a_plan_there_is_nothing_to_keep():
    free = Planned(day=PLAN.day, shift=None)
    gone = Planned(day=PLAN.day, shift="m", start_s=1000, end_s=2000, absence="vacaciones")
    for plan in (free, gone):
        assert schedule.scheduled_s(plan) == 0
        assert schedule.deviations(plan, [Stretch(1000, 2000, "ready")], {}) == []
        assert schedule.followed(plan, []) is None
        assert schedule.lateness(plan, 5000) is None


def test_work_is_any_state_but_not_ready_for_what_produces_nothing():
    reasons = {"capacitacion": Reason(code="capacitacion", label="", productive=True)}
    its = [
        Stretch(0, 10, "ready"), Stretch(10, 30, "talking"), Stretch(30, 40, "not_ready", "sshh"),
        Stretch(40, 50, "not_ready", "capacitacion"), Stretch(50, 60, "off"),
        Stretch(60, 70, "wrapup"),
    ]  # fmt: skip
    assert schedule.worked(its, reasons) == [(0, 30), (40, 50), (60, 70)]


def test_lateness_has_a_tolerance_and_keeps_what_was_measured():
    assert schedule.lateness(PLAN, 1060).raw_s == 0
    late = schedule.lateness(PLAN, 1100, "paro de buses")
    assert (late.raw_s, late.unexplained_s) == (40, 0)
    assert schedule.lateness(PLAN, 1100).unexplained_s == 40
    assert schedule.lateness(PLAN, None) is None


def test_a_contact_is_resolved_when_nobody_asked_again_and_the_window_has_closed():
    visits = [
        Visit("h1", "saldo", 0), Visit("h1", "saldo", 7 * DAY_MS),
        Visit("h1", "saldo", 15 * DAY_MS), Visit("h2", "saldo", DAY_MS),
        Visit("h2", "pago", 2 * DAY_MS),
    ]  # fmt: skip
    found = tally(look(visits, {}, 0, 8 * DAY_MS, 15 * DAY_MS), unknown=3)
    assert (found.n, found.resolved, found.pending, found.unknown) == (4, 3, 0, 3)
    assert (found.rate, found.days) == (75.0, 7)
    early = tally(look(visits, {}, 0, 8 * DAY_MS, 8 * DAY_MS - 1))
    assert (early.n, early.pending) == (1, 3)


def contact(**fields):
    known = {
        "station": S, "epoch": 1, "sequence": 1, "contact": "c", "agent": "a",
        "phase": "closed", "outcome": "answered",
        "start_b": 1, "start_u": 0, "start_utc": T0, "answered_u": 1000, "answered_utc": T0 + 1000,
        "end_b": 1, "end_u": 61_000, "end_utc": T0 + 61_000, "close_b": 1, "close_u": 70_000,
        "close_utc": T0 + 70_000, "talk_ms": 60_000, "wrap_ms": 9000,
    }  # fmt: skip
    return Contact(**known | fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"talk_ms": -1}, True),
        ({"ring_ms": -1}, True),
        ({"end_utc": T0 + 500}, True),  # it ended before it was answered
        ({"close_utc": T0 + 70_000 + 60_000}, True),  # a clock was set in it
        ({"close_utc": T0 + 70_400}, False),  # a clock was put right by a little
        ({"talk_ms": 17 * 3_600_000}, True),
        ({"start_utc": None, "answered_utc": None}, False),
    ],
)
def test_what_cannot_be(fields, expected):
    assert impossible(contact(**fields)) is expected


def test_sums_add_up_whatever_is_in_them():
    one = Sums(queues={"a": Calls(offered=1, codes={"1": 2})}, load=Load(ready=3), help_n=1)
    one += Sums(queues={"a": Calls(offered=2, codes={"1": 1, "2": 1}), "b": Calls(offered=4)})
    assert one.calls("a") == Calls(offered=3, codes={"1": 3, "2": 1})
    assert one.calls() == Calls(offered=7, codes={"1": 3, "2": 1})
    assert (one.load.ready, one.help_n, bool(one.load), bool(QueueSums())) == (3, 1, True, False)


_MS = st.integers(1, 5_000_000)
_STEP = st.one_of(
    st.tuples(st.just("ready"), _MS),
    st.tuples(st.just("pause"), _MS),
    st.tuples(st.just("call"), _MS, st.integers(1, 90_000), _MS, st.integers(0, 90_000), _MS),
)


@settings(deadline=None, max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(
    st.lists(_STEP, min_size=1, max_size=12),
    st.sampled_from(("America/Lima", "America/New_York", "Asia/Kathmandu")),
    st.integers(-30, 30),
)
def test_figures_are_what_a_plain_computation_gives(steps, zone, hours):
    """The desk's day is noted here as it is written, second by second of its own bookkeeping."""
    script = Script().boot().clock(T0 + hours * 3_600_000)
    at = [script.offset + script.u]
    spent, calls = [], []  # (from, to, state) and what was expected of each call

    def go(state, ms):
        spent.append((at[0], at[0] + ms, state))
        at[0] += ms

    script.login(0)
    state = "not_ready"
    for number, (kind, first, *more) in enumerate(steps):
        if kind == "ready":
            go(state, first)
            script.presence(state, "ready", after=first)
            state = "ready"
        elif kind == "pause":
            go(state, first)
            script.presence(state, "not_ready", "refrigerio", after=first)
            state = "not_ready"
        else:
            ring, talk, hold, wrap = more
            go(state, first)
            calls.append((at[0], talk, hold, wrap))
            c = f"c{number}"
            script.offer(c, first).contact("answered", c, ring, via="key", ring_ms=ring)
            script.contact("held", c, talk, via="key").contact("resumed", c, hold, via="key")
            script.contact("ended", c, 0, by="caller", on_hold=False).wrapup("started", c, 0)
            script.wrapup("ended", c, wrap, cause="agent")
            for what, ms in (
                ("offered", ring),
                ("talking", talk),
                ("held", hold),
                ("wrapup", wrap),
            ):
                go(what, ms)
    go(state, 1000)
    script.logout()

    clock = ZoneInfo(zone)
    load, flow = defaultdict(Counter), defaultdict(Counter)
    for start, end, what in spent:
        for second in range(start // 1000, end // 1000):
            load[half_of(second, clock)][what] += 1
    for start, talk, hold, wrap in calls:
        booked = flow[half_of(start // 1000, clock)]
        booked.update(n=1, talk_s=rounded(talk), hold_s=rounded(hold), wrap_s=rounded(wrap))

    with tempfile.TemporaryDirectory() as root, Told(root, zone, T0 + 200 * 3_600_000) as told:
        told.ingest.take(script.messages(), "stream", "server")
        found_load, found_flow = {}, {}
        for day in told.figures().days:
            for start, agents in day.intervals.items():
                sums = agents["a001"]
                parts = {name: getattr(sums.load, name) for name in STATES}
                found_load[start] = {name: n for name, n in parts.items() if n}
                its = sums.calls()
                if its.offered:
                    names = ("n", "talk_s", "hold_s", "wrap_s")
                    found_flow[start] = {name: getattr(its, name) for name in names}
    assert {at: its for at, its in found_load.items() if its} == load
    assert found_flow == flow


def half_of(second, zone):
    """The first second of its half-hour by the clock on the wall there."""
    there = datetime.fromtimestamp(second, UTC).astimezone(zone)
    return second - (there.minute % 30) * 60 - there.second


def rounded(ms):
    return int(ms / 1000 + 0.5)
