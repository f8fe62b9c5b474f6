"""What the exchange says of its queues' callers, as events for the store. The messages are those
of a real one, without the fields that nobody reads.
"""

import itertools
import json

import msgspec
import pytest
from diadema.exchange.queue_log_events import caller_reference
from diadema.ingest.decode import decode_known
from diadema.switch.asterisk.queue_events import QueueEvents
from diadema.switch.exchange import Caller, Known, SwitchEvent
from diadema.wire.events import EVENT_LIMIT
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_station import T0, FixedClock

KEY = "ab" * 32
CALLER = {"Queue": "ventas", "Uniqueid": "1796.0", "Linkedid": "1796.0"}
MEMBER = {**CALLER, "MemberName": "a001", "Interface": "Local/a001@diadema/n"}


class Stage:
    def __init__(self, known=Known()):  # noqa: B008 - it is frozen
        self.heard, self.clock = [], FixedClock()
        self.queues = QueueEvents(self.heard.append, self.clock, KEY, known)

    def take(self, event, after_ms=0, **fields):
        self.clock.now += after_ms
        self.queues.take({"Event": event, **fields})

    @property
    def told(self):
        """Kind and own fields of each event."""
        bodies = [json.loads(msgspec.json.encode(one.event)) for one in self.heard]
        common = {"s", "e", "n", "b", "u", "t", "k", "pbx", "queue", "linked"}
        return [
            (
                body["k"],
                {
                    name: value
                    for name, value in body.items()
                    if name not in common and value is not False
                },
            )
            for body in bodies
        ]


@pytest.fixture
def stage():
    made = Stage()
    made.take("QueueCallerJoin", **CALLER, CallerIDNum="999000111", Position="1")
    return made


def test_whoever_calls_is_known_by_a_reference_and_never_by_a_number(stage):
    (told,) = stage.told
    reference = caller_reference(KEY, "999000111")
    assert told == ("queue.entered", {"reference": reference, "position": 1})
    assert "999000111" not in repr(stage.heard)


@pytest.mark.parametrize("reason", ["agent", "caller"])
def test_a_call_from_its_beginning_to_its_end(stage, reason):
    stage.take("AgentCalled", 1000, **MEMBER, DestUniqueid="1796.1")
    stage.take("QueueCallerLeave", 2000, **CALLER)
    stage.take("AgentConnect", 5, **MEMBER, HoldTime="3", RingTime="2")
    stage.take("AgentComplete", 60_000, **MEMBER, Reason=reason, TalkTime="60")
    assert stage.told[1:] == [
        ("queue.connected",
         {"agent": "a001", "wait_ms": 3005, "ring_ms": 2005}),
        ("queue.left",
         {"cause": "completed", "by": reason, "agent": "a001", "wait_ms": 3005,
          "talk_ms": 60_000}),
    ]  # fmt: skip
    times = [one.event.utc_ms for one in stage.heard]
    assert times == [T0, T0 + 3005, T0 + 63_005]


def test_an_end_that_names_no_leg_is_of_whom_its_member_talks_to(stage):
    """As a real one says it in about one of twelve calls whose caller hangs up."""
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentConnect", **MEMBER)
    other = CALLER | {"Uniqueid": "1796.9"}
    stage.take("QueueCallerJoin", **other, CallerIDNum="999000222")
    stage.take("HangupRequest", 5000, Uniqueid="1796.0")
    stage.take("Hangup", Uniqueid="1796.0")
    stage.take("AgentComplete", Queue="ventas", MemberName="a001", Reason="caller")
    kind, left = stage.told[-1]
    assert (kind, left["by"], left["talk_ms"]) == ("queue.left", "caller", 5000)
    assert stage.heard[-1].event.pbx == "1796.0"


def test_a_transfer_is_one(stage):
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentConnect", **MEMBER)
    stage.take("AgentComplete", 9000, **MEMBER, Reason="transfer")
    kind, left = stage.told[-1]
    assert (kind, left["cause"], left["transfer"], left["by"]) == (
        "queue.left", "transferred", "blind", "agent",
    )  # fmt: skip


def test_a_caller_who_hangs_up_while_it_rings_has_abandoned(stage):
    stage.take("AgentCalled", 1000, **MEMBER)
    stage.take("HangupRequest", 4000, Uniqueid="1796.0")
    stage.take("QueueCallerAbandon", **CALLER, HoldTime="5", Position="1")
    stage.take("QueueCallerLeave", **CALLER)
    stage.take("Hangup", Uniqueid="1796.0")
    assert stage.told[1:] == [
        ("queue.offered", {"agent": "a001", "ring_ms": 4000, "cause": "withdrawn"}),
        ("queue.abandoned", {"wait_ms": 5000, "position": 1}),
    ]


def test_a_queue_that_gives_up_was_not_abandoned(stage):
    """The same event is told, but nobody has hung up."""
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentRingNoAnswer", 3000, **MEMBER, RingTime="3000")
    stage.take("QueueCallerAbandon", **CALLER, HoldTime="3")
    stage.take("QueueCallerLeave", **CALLER)
    assert stage.told[1:] == [
        ("queue.offered", {"agent": "a001", "ring_ms": 3000}),
        ("queue.left", {"cause": "timeout", "wait_ms": 3000}),
    ]


RUNG = ("queue.offered", {"agent": "a001", "ring_ms": 7000, "cause": "withdrawn"})
LEFT = ("queue.left", {"cause": "key", "wait_ms": 7000})
THEN = [
    ("Hangup", 0, {}),
    ("Hangup", 60_000, {}),  # after a message that he left
    ("QueueCallerJoin", 0, {"Queue": "soporte"}),
    ("QueueCallerJoin", 0, {}),
    ("DeviceStateChange", 31_000, {}),  # whatever comes, long after he would have been connected
]


@pytest.mark.parametrize("then", THEN, ids=str)
@pytest.mark.parametrize("ringing", [False, True])
def test_a_key_that_leads_out_of_the_queue_is_no_abandonment(stage, ringing, then):
    """The same event is told before a connection; nothing says that none will follow."""
    event, after_ms, fields = then
    if ringing:
        stage.take("AgentCalled", **MEMBER)
    stage.take("QueueCallerLeave", 7000, **CALLER)
    left = stage.clock.now
    stage.take(event, after_ms, **CALLER | fields)
    told = [RUNG, LEFT] if ringing else [LEFT]
    assert stage.told[1 : 1 + len(told)] == told
    assert stage.heard[len(told)].event.utc_ms == left
    assert all(kind == "queue.entered" for kind, _ in stage.told[1 + len(told) :])


def test_whom_a_script_of_the_exchange_keeps_from_the_agent_is_answered(stage):
    stage.take("AgentCalled", **MEMBER)
    stage.take("QueueCallerLeave", 7000, **CALLER)
    stage.take("DeviceStateChange", 8000)
    stage.take("AgentConnect", **MEMBER)
    assert [kind for kind, _ in stage.told[1:]] == ["queue.connected"]
    stage.take("DeviceStateChange", 60_000)
    assert len(stage.told) == 2


SECOND = {**MEMBER, "MemberName": "a002", "Interface": "Local/a002@diadema/n"}


def test_of_two_who_ring_one_answers_after_the_other_did_not(stage):
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentCalled", **SECOND)
    stage.take("AgentRingNoAnswer", 3000, **MEMBER, RingTime="3000")
    stage.take("QueueCallerLeave", 1000, **CALLER)
    stage.take("AgentConnect", **SECOND)
    assert stage.told[1:] == [
        ("queue.offered", {"agent": "a001", "ring_ms": 3000}),
        ("queue.connected", {"agent": "a002", "wait_ms": 4000, "ring_ms": 4000}),
    ]


def test_each_of_two_who_ring_is_told_where_the_caller_hangs_up(stage):
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentCalled", 1000, **SECOND)
    stage.take("HangupRequest", 4000, Uniqueid="1796.0")
    stage.take("QueueCallerAbandon", **CALLER)
    assert stage.told[1:-1] == [
        ("queue.offered", {"agent": "a001", "ring_ms": 5000, "cause": "withdrawn"}),
        ("queue.offered", {"agent": "a002", "ring_ms": 4000, "cause": "withdrawn"}),
    ]


def test_a_call_back_into_the_queue_begins_anew_under_its_id(stage):
    stage.take("AgentCalled", **MEMBER)
    stage.take("AgentConnect", **MEMBER)
    stage.take("AgentComplete", **MEMBER, Reason="transfer")
    stage.take("QueueCallerJoin", **CALLER, CallerIDNum="", Position="1")
    assert stage.told[-1] == ("queue.entered", {"position": 1})


def test_a_recording_ends_with_its_call_though_nobody_says_so(stage):
    stage.take("MixMonitorStart", **CALLER)
    stage.take("MixMonitorMute", **CALLER, State="1")
    stage.take("MixMonitorMute", **CALLER, State="0")
    stage.take("Hangup", Uniqueid="1796.0")
    stage.take("Hangup", Uniqueid="1796.0")
    kinds = [kind for kind, _ in stage.told[1:]]
    assert [kind for kind in kinds if kind.startswith("recording")] == [
        "recording.started", "recording.muted", "recording.unmuted", "recording.stopped",
    ]  # fmt: skip


def test_what_happened_while_we_were_away(stage):
    stage.queues.found("ventas", "1796.0", 9, "999000111", 1)  # known
    stage.queues.found("ventas", "1796.7", 9, "999000222", 2)
    stage.queues.lost("start", {"1796.0", "1796.7"}, {"1796.7"})
    assert [kind for kind, _ in stage.told] == ["queue.entered", "queue.entered", "queue.left"]
    entered, left = stage.heard[1].event, stage.heard[2].event
    assert entered.utc_ms == T0 - 9000
    assert (left.pbx, left.cause, left.estimated) == ("1796.0", "unknown", True)


def test_a_caller_who_was_found_ringing_is_answered_and_did_not_leave_by_a_key(stage):
    """That it rang already was told before we came."""
    stage.queues.found("ventas", "1796.7", 9, "999000222", 2)
    its = {"Queue": "ventas", "Uniqueid": "1796.7"}
    stage.take("QueueCallerLeave", 1000, **its)
    stage.take("AgentConnect", 0, **its, MemberName="a001")
    assert [kind for kind, _ in stage.told[1:]] == ["queue.entered", "queue.connected"]
    assert stage.told[2][1] == {"wait_ms": 10_000, "agent": "a001"}


def talks():
    return Caller("1796.0", "ventas", T0 - 9000, {"": 0}, answered_ms=T0 - 5000, member="a001")


def waits():
    return Caller("1796.0", "ventas", T0 - 9000, {"": 0})


@pytest.fixture
def again():
    """A bridge that begins anew, in a call."""
    return Stage(Known((talks(),), {"1796.0": "1796.0"}, "start"))


def test_the_end_of_a_call_that_a_former_bridge_knew_is_told(again):
    again.queues.found("ventas", "1796.0", 9, "999000111", 1)
    again.queues.lost("start", {"1796.0"}, {"1796.0"})
    again.take("AgentComplete", 2000, **MEMBER, Reason="agent")
    again.take("Hangup", Uniqueid="1796.0")
    assert again.told == [
        ("queue.left", {"cause": "completed", "by": "agent", "agent": "a001", "wait_ms": 4000,
                        "talk_ms": 7000}),
        ("recording.stopped", {}),
    ]  # fmt: skip


def test_a_call_and_a_recording_that_ended_meanwhile_are_told_as_that(again):
    again.queues.lost("start", set(), set())
    assert again.told == [
        ("queue.left", {"cause": "unknown", "agent": "a001", "estimated": True}),
        ("recording.stopped", {}),
    ]


def test_a_caller_who_left_the_queue_and_is_there_still_is_not_in_it(again):
    again.queues.lost("start", {"1796.0"}, set())
    assert [kind for kind, _ in again.told] == ["queue.left"]


def test_of_an_exchange_that_began_anew_everybody_is_gone(again):
    again.queues.lost("another", set(), set())
    (left, _) = again.told
    assert left == ("queue.left", {"cause": "restarted", "agent": "a001", "estimated": True})


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (["QueueCallerLeave", "AgentConnect"], [("queue.connected", {"agent": "a001",
                                                                    "wait_ms": 9000})]),
        (["HangupRequest", "QueueCallerAbandon", "QueueCallerLeave"],
         [("queue.abandoned", {"wait_ms": 9000})]),
        (["AgentRingNoAnswer", "QueueCallerLeave", "Hangup"],
         [("queue.offered", {"agent": "a001"}), ("queue.left", {"cause": "key",
                                                                "wait_ms": 9000})]),
    ],
)  # fmt: skip
def test_who_rang_as_a_former_bridge_ended_is_not_made_up(events, told):
    stage = Stage(Known((waits(),)))
    for event in events:
        stage.take(event, **MEMBER)
    assert stage.told == told


@pytest.mark.parametrize("dest", [{}, {"DestUniqueid": "1796.1"}])
def test_who_was_answered_while_no_bridge_was_there_has_talked(dest):
    """Of the answer nobody told us; the end says that there was one."""
    stage = Stage(Known((waits(),)))
    more = {"Reason": "agent", "HoldTime": "9", "TalkTime": "4"}
    stage.take("AgentComplete", 5000, **MEMBER, **dest, **more)
    stage.take("Hangup", Uniqueid="1796.0")
    assert stage.told == [
        ("queue.left", {"cause": "completed", "by": "agent", "agent": "a001", "wait_ms": 10_000,
                        "talk_ms": 4000}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "event",
    [{}, {"Event": "Newexten"}, {"Event": "AgentConnect"}, {"Event": "AgentComplete"},
     {"Event": "QueueCallerJoin"}, {"Event": "AgentRingNoAnswer", "RingTime": "x"},
     {"Event": "QueueCallerAbandon", "Queue": "ventas"}, {"Event": "Hangup"},
     {"Event": "MixMonitorStop"}],
)  # fmt: skip
def test_what_is_not_understood_changes_nothing(stage, event):
    before = len(stage.heard)
    stage.queues.take(event)
    assert len(stage.heard) == before
    assert all(isinstance(one, SwitchEvent) for one in stage.heard)


# -- in another order, twice, and otherwise than it should be

OFFER = {**MEMBER, "DestUniqueid": "1796.1"}
JOIN = ("QueueCallerJoin", CALLER | {"CallerIDNum": "999000111", "Position": "1"})
CALLED, CONNECT = ("AgentCalled", OFFER), ("AgentConnect", OFFER | {"HoldTime": "0"})
LEAVE, HANGUP = ("QueueCallerLeave", CALLER), ("Hangup", CALLER)
ASKED, ABANDON = ("HangupRequest", CALLER), ("QueueCallerAbandon", CALLER | {"Position": "1"})
UNHEARD = ("AgentRingNoAnswer", OFFER | {"RingTime": "20000"})


def complete(reason):
    return "AgentComplete", OFFER | {"Reason": reason}


COURSES = {
    "agent": [JOIN, CALLED, LEAVE, CONNECT, complete("agent"), HANGUP],
    "caller": [JOIN, CALLED, LEAVE, CONNECT, ASKED, complete("caller"), HANGUP],
    "transfer": [JOIN, CALLED, LEAVE, CONNECT, complete("transfer")],
    "abandoned": [JOIN, CALLED, ASKED, ABANDON, LEAVE, HANGUP],
    "abandoned unrung": [JOIN, ASKED, ABANDON, LEAVE, HANGUP],
    "time-out": [JOIN, CALLED, UNHEARD, ABANDON, LEAVE],
    "key": [JOIN, LEAVE, HANGUP],
}
IN_ORDER = (  # as the caller's own thread tells them there; swapped they would mean another thing
    (CALLED, LEAVE), (UNHEARD, ABANDON), (ASKED, ABANDON), (ABANDON, LEAVE), (JOIN, ASKED),
)  # fmt: skip
SWAPPED = [
    pytest.param(course, at, id=f"{course}-{two[0]}-before-{one[0]}")
    for course, events in COURSES.items()
    for at, (one, two) in enumerate(itertools.pairwise(events))
    if (one, two) not in IN_ORDER
]


def course(events):
    """What is told of it, without lengths; nobody must be left in the queue."""
    stage = Stage()
    for name, fields in events:
        stage.take(name, **fields)
    assert not stage.queues.callers
    return stage.told


@pytest.mark.parametrize("which", COURSES)
def test_what_is_said_twice_is_told_once(which):
    events = COURSES[which]
    twice = [one for one in events for _ in range(2)]
    assert course(twice) == course(events)


@pytest.mark.parametrize(("which", "at"), SWAPPED)
def test_in_another_order_it_is_the_same_call(which, at):
    events = [*COURSES[which]]
    expected = course(events)
    events[at], events[at + 1] = events[at + 1], events[at]
    came = course(events)
    assert sorted(map(outcome, came), key=str) == sorted(map(outcome, expected), key=str)


def outcome(told):
    kind, fields = told
    return kind, {name: fields[name] for name in ("cause", "by", "agent") if name in fields}


@pytest.mark.parametrize(
    "events",
    [
        [JOIN, CALLED, LEAVE, complete("agent"), CONNECT, HANGUP],
        [LEAVE, JOIN, CALLED, CONNECT, complete("agent")],
        [CALLED, CONNECT, JOIN, LEAVE, complete("agent")],
        [CONNECT, complete("agent"), HANGUP],
    ],
)
def test_a_call_whose_beginning_comes_late_or_never_is_one_call_all_the_same(events):
    kinds = [kind for kind, _ in course(events)]
    assert kinds == ["queue.entered", "queue.connected", "queue.left"]


def test_a_call_whose_end_nobody_told_ends_when_its_agent_has_the_next(stage):
    for name, fields in (CALLED, CONNECT, ASKED, HANGUP):
        stage.take(name, **fields)
    other = {"Uniqueid": "1796.9"}
    stage.take("QueueCallerJoin", **CALLER | other)
    stage.take("AgentConnect", 5000, **MEMBER | other)
    kinds = [(kind, one.event.pbx) for (kind, _), one in zip(stage.told, stage.heard, strict=True)]
    assert kinds[2:] == [
        ("queue.entered", "1796.9"), ("queue.left", "1796.0"), ("queue.connected", "1796.9"),
    ]  # fmt: skip


@pytest.mark.parametrize("late", [False, True])
def test_a_call_that_comes_back_makes_two_visits_whichever_is_told_first(stage, late):
    """The end of the first is told by another thread than the caller's."""
    for name, fields in (CALLED, LEAVE, CONNECT):
        stage.take(name, **fields)
    order = [JOIN, complete("transfer")] if late else [complete("transfer"), JOIN]
    again = {**MEMBER, "DestUniqueid": "1796.7", "MemberName": "a002"}
    for name, fields in (*order, ("AgentCalled", again), ("AgentConnect", again)):
        stage.take(name, 1000, **fields)
    stage.take("AgentComplete", 1000, **again, Reason="agent")
    kinds = [(kind, told.get("cause"), told.get("agent")) for kind, told in stage.told]
    assert kinds == [
        ("queue.entered", None, None), ("queue.connected", None, "a001"),
        ("queue.left", "transferred", "a001"), ("queue.entered", None, None),
        ("queue.connected", None, "a002"), ("queue.left", "completed", "a002"),
    ]  # fmt: skip


def test_an_end_that_is_told_once_more_ends_no_later_visit(stage):
    end, again = complete("transfer"), {**MEMBER, "DestUniqueid": "1796.7"}
    for name, fields in (CALLED, CONNECT, end, JOIN, end, ("AgentConnect", again)):
        stage.take(name, **fields)
    assert [kind for kind, _ in stage.told][-2:] == ["queue.entered", "queue.connected"]


def test_a_key_pressed_while_it_rang_may_lead_back_into_the_queue(stage):
    """As of who presses one to go on waiting."""
    for name, fields in (CALLED, LEAVE, JOIN, CALLED, LEAVE, CONNECT, complete("agent")):
        stage.take(name, **fields)
    assert [(kind, told.get("cause")) for kind, told in stage.told] == [
        ("queue.entered", None), ("queue.offered", "withdrawn"), ("queue.left", "key"),
        ("queue.entered", None), ("queue.connected", None), ("queue.left", "completed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "number",
    ["", "anonymous", "Anonymous", "<unknown>", "unknown", "restricted", "private", "unavailable",
     '"Anónimo" <anonymous>', "asterisk", " ", "+", "()"],
)  # fmt: skip
def test_a_caller_without_a_number_is_nobody_and_not_one_who_calls_often(number):
    stage = Stage()
    stage.take("QueueCallerJoin", **CALLER, CallerIDNum=number)
    stage.queues.found("ventas", "1796.5", 3, number, 2)
    assert [fields for _, fields in stage.told] == [{}, {"position": 2}]
    assert stage.queues.reference(number) is None


def test_a_clock_that_is_put_back_makes_no_time_below_zero(stage):
    stage.take("AgentCalled", **OFFER)
    stage.take("AgentConnect", -600_000, **OFFER)
    stage.take("AgentComplete", -600_000, **OFFER, Reason="agent")
    for _, fields in stage.told:
        assert all(value >= 0 for name, value in fields.items() if name.endswith("_ms"))


def test_what_it_never_stops_beginning_is_bounded():
    stage = Stage()
    stage.queues._hear = lambda _: None
    for number in range(20_000):
        for name in ("QueueCallerJoin", "MixMonitorStart", "AgentCalled", "HangupRequest"):
            stage.take(name, Queue="ventas", Uniqueid=f"9.{number}")
    assert len(stage.queues.callers) <= 10_000
    assert len(stage.queues._recorded) <= 10_000
    assert len(stage.queues._hung_up) <= 10_000


ODD = st.text(max_size=300) | st.sampled_from(
    [
        "a|b",
        'ven"tas\\',
        "x;--",
        "ñ" * 300,
        "\x00" * 300,
        "",
        "ventas",
        "cola <1>",
        "\u2028",
        "9" * 40,
    ]
)
KINDS = sorted(Stage().queues._takes)
FIELDS = (
    "Queue", "Uniqueid", "Linkedid", "MemberName", "CallerIDNum", "Position", "RingTime",
    "HoldTime", "Reason", "State", "DestUniqueid",
)  # fmt: skip
SAID = st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), ODD))


@given(st.lists(SAID | st.sampled_from(COURSES["caller"]), max_size=30))
def test_whatever_it_says_the_store_can_read_what_we_make_of_it(said):
    stage = Stage()
    for name, fields in said:
        stage.take(name, **fields)
    stage.queues.found("x" * 300, "9" * 300, 10**9, "9" * 300, 10**9)
    for one in stage.heard:
        if isinstance(one, SwitchEvent):
            event = one.event
            event.station, event.epoch, event.sequence = "PBX-" + "x" * 32, 2**32 - 1, 10**9
            body = msgspec.json.encode(event)
            assert len(body) <= EVENT_LIMIT
            decode_known(body)
