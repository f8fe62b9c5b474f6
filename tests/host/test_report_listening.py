"""`escuchas`: who heard calls, of a morning that is known by hand, and of any against the second
opinion; who may have it.
"""

import tempfile
from pathlib import Path

import pytest
from diadema.access.roles import RIGHTS, Person
from diadema.report.context import NotYours
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.given_out import give_out
from tests.support.listened import DAY, heard, morning, place, refused
from tests.support.second_opinion import raw
from tests.support.second_opinion.asked import Whole
from tests.support.second_opinions import differences

SCOPES = (("floor", ""), ("agent", "a001"), ("team", "Norte"), ("team", "Sur"))
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return morning(tmp_path_factory.mktemp("listened") / "data")


def report(known, of="floor", code="", **more):
    centre, now_s = known
    span = around("day", DAY)
    return make(centre.data, "escuchas", span, Scope(of=of, code=code), now_s * 1000, **more)


def rows(made, key):
    section = made.section(key)
    names = [column.key for column in section.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in section.rows]


def test_of_a_morning_that_is_known_by_hand(known):
    made = report(known)
    values = {row["figure"]: (row["value"], row["n"]) for row in rows(made, "summary")}
    assert values == {
        "escuchas": (6, None),
        "tiempo escuchado": (40 + 20 + 45 + 15 + 5, 6),
        # 30 and 60 s of Norte, 30 and 60 of Sur: 125 s heard of 180
        "escuchado de la conversación": (69.4, 4),
        "no permitidas": (2, 8),
        "fuera de Diadema": (1, 2),
    }
    by = {row["listener"]: row for row in rows(made, "listeners")}
    assert [*by] == ["(no se sabe quién)", "ana", "elena", "luz"]
    luz = by["luz"]
    assert (luz["listen_started"], luz["listen_calls"], luz["listen_heard_s"]) == (3, 2, 105)
    assert (luz["listen_call_s"], luz["listen_share"]) == (90, 116.7), "one was heard twice"
    assert by["elena"]["listen_live"] == 1 and by["elena"]["listen_refused"] == 1
    assert by["(no se sabe quién)"]["listen_outside"] == 1
    purposes = {row["purpose"]: row["listen_started"] for row in rows(made, "listen_purposes")}
    assert purposes == {"apelación": 1, "evaluación": 1, "orientación": 3, "reclamo": 0,
                        "sin propósito": 1}  # fmt: skip
    assert [row["why"] for row in rows(made, "listen_refusals")] == [
        "esta llamada no tiene grabación, o ya no está", "este asesor no es de sus equipos",
    ]  # fmt: skip
    teams = {row["team"]: row["listen_started"] for row in rows(made, "listen_teams")}
    assert teams == {"Norte": 3, "Sur": 3}


def test_of_a_team_or_an_agent_alone(known):
    assert [row["code"] for row in rows(report(known, "team", "Norte"), "listen_agents")] == [
        "a001"
    ]
    (summed, *_) = rows(report(known, "agent", "a002"), "summary")
    assert summed["value"] == 3


def test_who_may_have_it(known):
    for role, rights in RIGHTS.items():
        person = Person(id="x", name="x", role=role, teams=frozenset({"Norte"}))
        if "listen" in rights:
            made = report(known, person=person)
            assert [row["code"] for row in rows(made, "listen_agents")] == ["a001"]
        else:
            with pytest.raises(NotYours):
                report(known, person=person)


def compared(centre, now_s, folder):
    given_out, found = raw.read(give_out(centre.data, folder, [DAY])), []
    span = around("day", DAY)
    whole = Whole(given_out, span.last)
    for of, code in SCOPES:
        differ = differences(centre.data, whole, "escuchas", span, now_s * 1000, of, code)
        found += [(of, code, *one) for one in differ]
    return found


def test_the_second_opinion_of_that_morning(known, tmp_path):
    assert compared(*known, tmp_path / "given") == []


ENTRY = st.fixed_dictionaries(
    {
        "seat": st.integers(0, 1), "call": st.integers(0, 1),
        "by": st.sampled_from(["luz", "elena", "rule:listening"]),
        "refused": st.booleans(), "source": st.sampled_from(["live", "recording"]),
        "why": st.sampled_from(["coaching", "help", None]),
        "via": st.sampled_from(["browser", "switch", "outside"]),
        "ms": st.none() | st.integers(0, 90_000), "later": st.integers(0, 90_000),
    }
)  # fmt: skip


@settings(deadline=None, max_examples=12, suppress_health_check=SLOW)
@given(st.lists(ENTRY, max_size=12))
def test_any_register_is_summed_up_as_the_second_opinion_does(drawn):
    def entries(seats, calls, at):
        said = []
        for one in drawn:
            seat, call = seats[one["seat"]], calls[one["seat"]][one["call"]]
            when = at + one["later"]
            if one["refused"]:
                said += refused(when, seat, call, by=one["by"], reason="no_switch")
            else:
                more = {name: one[name] for name in ("by", "source", "why", "via", "ms")}
                said += heard(when, seat, call, len(said) + 1, **more)
        return said

    with tempfile.TemporaryDirectory() as root:
        made = place(Path(root) / "data", entries)
        assert compared(*made, Path(root) / "given") == []
