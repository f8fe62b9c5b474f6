"""In which order calls for help stand, how long each may wait, and whose they are."""

from datetime import datetime

import pytest
from diadema.access.roles import Person
from diadema.site.directory.people import Helper, People, Topic, Worker
from diadema.site.help_line import HelpCall, before, in_order, limits_s
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_station import S

MOMENT = datetime(2026, 11, 30, 10, 0)
PEOPLE = People(
    workers={
        "a001": Worker(id="a001", name="Rosa", team="norte"),
        "a002": Worker(id="a002", name="Luis", team="sur"),
    },
    topics={
        "sistema": Topic(label="Sistema", urgent=True),
        "saldo": Topic(label="Saldo", escalate_s=20, alert_s=90),
        "otro": Topic(label="Otro", escalate_s=400),
    },
    supervised={"sara": ["norte"]},
    helpers={
        "mia": Helper(topics=frozenset({"saldo"}), queues=frozenset({"ventas"})),
        "leo": Helper(start="22:00", end="06:00"),
        "ida": Helper(),
    },
)


def call(n, **more):
    return HelpCall(of=(S, 7, n), **{"since": 1000, "agent": "a001", **more})


def test_a_caller_on_hold_is_first_then_what_is_urgent_then_who_waits_longest():
    calls = [
        call(1, since=10),
        call(2, since=30, topic="sistema"),
        call(3, since=50, held=True),
        call(4, since=40, held=True),
        call(5, since=90, held=True, topic="sistema"),
        call(6, since=20, topic="nobody knows this one"),
    ]
    assert [one.of[2] for one in in_order(calls, PEOPLE)] == [5, 4, 3, 2, 1, 6]


_CALLS = st.lists(
    st.builds(
        dict,
        agent=st.sampled_from(["a001", "a002", "", "a999"]),
        queue=st.sampled_from(["", "ventas", "saldos"]),
        since=st.integers(0, 5),
        held=st.booleans(),
        topic=st.sampled_from(["", "sistema", "saldo"]),
    ),
    max_size=12,
)


@given(_CALLS)
def test_those_are_before_one_who_wait_for_the_same_people(given_calls):
    calls = in_order([call(n, **one) for n, one in enumerate(given_calls)], PEOPLE)
    told = before(calls, PEOPLE)
    for at, one in enumerate(calls):
        same = [
            other
            for other in calls[:at]
            if PEOPLE.team(other.agent) == PEOPLE.team(one.agent)
            or (one.queue and other.queue == one.queue)
        ]
        assert told[one.of] == len(same)


@pytest.mark.parametrize(
    ("more", "limits"),
    [
        ({}, (60, 150)),
        ({"held": True}, (30, 75)),
        ({"topic": "sistema"}, (60, 150)),
        ({"topic": "saldo"}, (20, 90)),
        ({"topic": "saldo", "held": True}, (20, 75)),
        ({"topic": "otro"}, (400, 400)),
        ({"topic": "otro", "held": True}, (30, 75)),
    ],
)
def test_how_long_one_may_wait(more, limits):
    assert limits_s(call(1, **more), PEOPLE) == limits


def person(id, role="monitor", teams=()):
    return Person(id=id, name=id, role=role, teams=frozenset(teams))


@pytest.mark.parametrize(
    ("who", "more", "level", "may"),
    [
        (person("sara", "supervisor"), {}, 0, True),
        (person("sara", "supervisor"), {"agent": "a002"}, 0, False),
        (person("sara", "supervisor"), {"agent": "a002"}, 2, False),
        (person("ana", "admin"), {"agent": "a002"}, 0, True),
        (person("quim", teams=["norte"]), {}, 0, True),
        (person("quim", teams=["norte"]), {"agent": "a002"}, 0, False),
        (person("quim"), {"agent": "a002"}, 0, True),
        (person("mia", teams=["x"]), {"topic": "saldo", "queue": "ventas"}, 0, True),
        (person("mia", teams=["x"]), {"topic": "otro", "queue": "ventas"}, 0, False),
        (person("mia", teams=["x"]), {"topic": "otro", "queue": "ventas"}, 1, True),
        (person("mia", teams=["x"]), {"topic": "otro", "queue": "saldos"}, 1, False),
        (person("mia", teams=["x"]), {"topic": "otro"}, 1, False),
        (person("leo", teams=["x"]), {"topic": "saldo", "queue": "ventas"}, 1, False),
        (person("ida", teams=["x"]), {"topic": "otro", "queue": "saldos"}, 0, True),
        (person("ida", "agent"), {"topic": "otro", "queue": "saldos"}, 0, False),
        (person("ida", "technician"), {}, 2, False),
        (person("ida", "hr"), {}, 2, False),
    ],
)
def test_whose_a_call_for_help_is(who, more, level, may):
    assert who.helps(call(1, **more), PEOPLE, MOMENT, level) is may
