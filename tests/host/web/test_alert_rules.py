"""The rules of the alerts, each at its edge: what begins one, what ends it, what it may name."""

from datetime import date

import pytest
from diadema.site.directory.people import (
    People,
    Planned,
    Reason,
    Worker,
)
from diadema.web.floor.alerts import Moment, alerts
from diadema.wire.agent_states import LIMITS_S
from diadema.wire.live_rows import Row

NOW = 1_795_000_000_000
TODAY = date(2026, 11, 18)


def moment(people=None, now=NOW, lost=()):
    return Moment(now=now, today=TODAY, people=people or People(), lost=dict(lost))


def row(**fields):
    kept = {"agent": "a001", "name": "Rosa", "seat": "A-01", "state": "ready", "since": NOW}
    return Row(**kept | fields)


def ago(seconds, ms=0):
    return NOW - 1000 * seconds - ms


def rules(one, people=None, **more):
    return [alert.rule for alert in alerts([one], moment(people, **more))]


@pytest.mark.parametrize(("state", "limit"), LIMITS_S.items())
def test_a_state_that_lasts_too_long(state, limit):
    assert rules(row(state=state, since=ago(limit))) == []
    (alert,) = alerts([row(state=state, since=ago(limit, 1))], moment())
    assert (alert.rule, alert.what, alert.limit) == ("state", state, limit)
    assert alert.key == ("state", "a001", ago(limit, 1))


def test_ready_and_talking_may_last():
    assert rules(row(since=ago(9999))) == rules(row(state="talking", since=ago(9999))) == []


def test_a_reason_has_its_own_limit_and_a_private_one_neither_limit_nor_name():
    people = People(
        reasons={
            "r": Reason(code="r", label="Refrigerio", limit_s=60),
            "p": Reason(code="p", label="SS. HH.", private=True, limit_s=60),
        }
    )
    shown = {"state": "not_ready", "since": ago(61)}
    public = row(reason="r", reason_label="Refrigerio", private=False, **shown)
    secret = row(reason="p", reason_label="SS. HH.", private=True, **shown)
    (alert,) = alerts([public], moment(people))
    assert (alert.rule, alert.what, alert.limit) == ("reason", "Refrigerio", 60)
    assert rules(secret, people) == []  # its limit would say which one it is
    (alert,) = alerts([secret], moment(people, now=NOW + 1_800_000))
    assert (alert.rule, alert.what, alert.limit) == ("state", "not_ready", 1800)
    assert rules(public, now=NOW - 1000, people=people) == []


@pytest.mark.parametrize(
    ("targets", "limit", "base"),
    [
        ({}, 900, 300),
        ({("aht_s", ""): 100}, 600, None),
        ({("aht_s", ""): 100, ("aht_s", "ventas"): 400.0}, 1200, 400),
    ],
)
@pytest.mark.parametrize("state", ["talking", "held", "consulting"])
def test_a_call_far_beyond_the_tmo_aimed_at(targets, limit, base, state):
    people = People(targets=targets)
    call = {"state": state, "queue": "ventas"}
    assert "call" not in rules(row(**call, answered_utc=ago(limit)), people)
    found = alerts([row(**call, answered_utc=ago(limit, 1))], moment(people))
    (alert,) = [one for one in found if one.rule == "call"]
    assert (alert.limit, alert.base, alert.what) == (limit, base, "ventas")


def test_help_that_nobody_has_accepted():
    asked = row(help=ago(61), help_topic="Procedimiento")
    (alert,) = alerts([asked], moment())
    assert (alert.rule, alert.level, alert.since, alert.what) == (
        "help", 3, ago(61), "Procedimiento",
    )  # fmt: skip
    assert rules(row(help=ago(60))) == rules(row(help=ago(99), help_by="Ana")) == []


def test_missed_calls_in_a_row():
    assert rules(row(in_a_row=2, in_a_row_utc=ago(60))) == []
    (alert,) = alerts([row(in_a_row=4, in_a_row_utc=ago(60))], moment())
    assert (alert.rule, alert.what, alert.since, alert.limit) == ("missed", "4", ago(60), 3)


def test_a_lost_link_counts_from_its_loss_and_is_known_by_what_was_heard_last():
    quiet = row(link="lost", utc_ms=ago(600))
    assert rules(quiet, lost={"a001": ago(30)}) == []
    (alert,) = alerts([quiet], moment(lost={"a001": ago(31)}))
    assert (alert.rule, alert.since) == ("link", ago(600))


def test_a_desk_that_is_not_fit():
    (alert,) = alerts([row(unfit="headset", unfit_utc=ago(5))], moment())
    assert (alert.rule, alert.what, alert.since, alert.level) == ("unfit", "headset", ago(5), 3)
    (alert,) = alerts([row(fault=ago(7))], moment())
    assert (alert.what, alert.since) == (None, ago(7))
    assert rules(row(fault=ago(7), fault_by="Teo")) == []


def test_absent_at_the_start_of_the_shift():
    start = NOW // 1000 - 600
    planned = Planned(day=TODAY, shift="M", start_s=start, end_s=start + 3600, tolerance_s=300)
    people = People(roster={("a001", TODAY): planned})
    out = {"state": "logged_out", "seat": None}
    (alert,) = alerts([row(**out, since=None)], moment(people))
    assert (alert.rule, alert.since, alert.what, alert.limit) == ("absent", 1000 * start, "M", 300)
    assert rules(row(**out, since=1000 * start - 1), people) == ["absent"]
    assert rules(row(**out, since=1000 * start + 1), people) == []  # was in and went
    assert rules(row(**out, since=None), people, now=1000 * (start + 300)) == []
    assert rules(row(**out, since=None), people, now=1000 * (start + 3600)) == []
    planned.absence = "vacation"
    assert rules(row(**out, since=None), people) == []


def test_the_most_urgent_come_first_and_of_those_the_longest():
    rows = [
        row(agent="a", state="held", since=ago(999)),
        row(agent="b", in_a_row=3, in_a_row_utc=ago(5)),
        row(agent="c", help=ago(70)),
        row(agent="d", help=ago(90)),
    ]
    people = People(workers={"a": Worker(id="a", name="A")})
    assert [one.agent for one in alerts(rows, moment(people))] == ["d", "c", "b", "a"]
