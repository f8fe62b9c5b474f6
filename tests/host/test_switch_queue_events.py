"""What the exchange says of its queues' callers, as events for the store. The messages are those
of a real one, without the fields that nobody reads.
"""

import json

import msgspec
import pytest
from diadema.exchange.queue_log_events import caller_reference
from diadema.switch.asterisk.queue_events import QueueEvents
from diadema.switch.exchange import Caller, Known, Listening, SwitchEvent

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


@pytest.mark.parametrize("ringing", [False, True])
def test_a_key_that_leads_out_of_the_queue_is_no_abandonment(stage, ringing):
    if ringing:
        stage.take("AgentCalled", **MEMBER)
    stage.take("QueueCallerLeave", 7000, **CALLER)
    stage.take("Hangup", Uniqueid="1796.0")
    assert stage.told[1:] == [("queue.left", {"cause": "key", "wait_ms": 7000})]


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


def test_who_listens_in_is_told_whoever_began_it(stage):
    stage.take("ChanSpyStart", SpyerChannel="PJSIP/900-00000003", SpyeeLinkedid="1796.0")
    stage.take("ChanSpyStop", SpyerChannel="PJSIP/900-00000003", SpyeeLinkedid="1796.0")
    assert stage.heard[1:] == [
        Listening("1796.0", "PJSIP/900", True, T0), Listening("1796.0", "PJSIP/900", False, T0)
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
    return Caller("1796.0", "ventas", T0 - 9000, ("", 0), T0 - 5000, "a001")


def waits():
    return Caller("1796.0", "ventas", T0 - 9000, ("", 0))


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
        (["AgentRingNoAnswer", "QueueCallerLeave"],
         [("queue.offered", {"agent": "a001"}), ("queue.left", {"cause": "key",
                                                                "wait_ms": 9000})]),
    ],
)  # fmt: skip
def test_who_rang_as_a_former_bridge_ended_is_not_made_up(events, told):
    stage = Stage(Known((waits(),)))
    for event in events:
        stage.take(event, **MEMBER)
    assert stage.told == told


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
