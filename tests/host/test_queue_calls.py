"""The switch's events become its calls, in any batches; what a station says of one does not."""

import json
from itertools import pairwise

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.maintenance.rebuild import rebuild
from diadema.store import QueueCall, open_reader, open_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.scripted_station import SITE, T0, S

PBX = "PBX-central"


def told(*events, s=PBX, e=9):
    """Messages of (kind, milliseconds after T0, call, more)."""
    messages = []
    for n, (kind, after, pbx, *more) in enumerate(events, 1):
        event = {"s": s, "e": e, "n": n, "b": 0, "u": 0, "t": T0 + after, "k": "queue." + kind}
        event |= {"pbx": pbx, "queue": "saldos", **(more[0] if more else {})}
        messages.append(Message(n, subject_of(s), json.dumps(event).encode()))
    return messages


def take(ingest, messages):
    return ingest.take(messages, "stream", "server")


COURSE = (
    ("entered", 0, "p1", {"line": 2}),
    ("entered", 1000, "p2"),
    ("left", 1500, "p3", {"cause": "phantom"}),
    ("offered", 2000, "p1", {"agent": "LUCUMA"}),
    ("offered", 3000, "p1", {"agent": "NISPERO"}),
    ("connected", 4000, "p1", {"agent": "NISPERO", "wait_ms": 4000}),
    ("abandoned", 6000, "p2", {"wait_ms": 5000}),
    ("left", 9000, "p1", {"cause": "completed"}),
    ("entered", 9500, "p1"),
)


def row(n, pbx, start, **fields):
    return QueueCall(
        station=PBX, epoch=9, sequence=n, pbx=pbx, queue="saldos", start_utc=T0 + start, **fields
    )


EXPECTED = [
    row(1, "p1", 0, line=2, offers=2, agent="NISPERO", connected_utc=T0 + 4000, wait_ms=4000,
        outcome="answered", cause="completed", end_utc=T0 + 9000),
    row(2, "p2", 1000, wait_ms=5000, outcome="abandoned", end_utc=T0 + 6000),
    row(3, "p3", 1500, entered=False, outcome="left", cause="phantom", end_utc=T0 + 1500),
    row(9, "p1", 9500),
]  # fmt: skip


def test_a_call_is_worked_out_of_its_events(ingest, reader):
    take(ingest, told(*COURSE))
    assert reader.queue_calls() == EXPECTED
    assert reader.queue_calls(start_utc=T0 + 6000, end_utc=T0 + 9500) == EXPECTED[:1]
    assert reader.dead_letters() == [] and reader.unknown() == [] and reader.anchors() == []
    assert reader.status()["stations"] == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(cuts=st.lists(st.integers(0, len(COURSE)), max_size=4), order=st.randoms())
def test_batches_doubles_and_arrival_change_nothing(tmp_path_factory, site, clock, cuts, order):
    path = tmp_path_factory.mktemp("store") / "store.sqlite3"
    writer = open_writer(path)
    messages = told(*COURSE)
    arriving = messages + messages[: len(cuts)]
    order.shuffle(arriving)
    bounds = [0, *sorted(cuts), len(arriving)]
    for first, last in pairwise(bounds):
        if first < last:
            take(Ingest(writer, site, clock), arriving[first:last])
    reader = open_reader(path)
    assert reader.queue_calls() == EXPECTED
    reader.close()
    writer.close()


def test_what_nothing_led_up_to_is_estimated(ingest, reader):
    take(ingest, told(("connected", 8000, "p1", {"wait_ms": 3000}), ("left", 9000, "p2", {
        "cause": "timeout"})))  # fmt: skip
    first, second = reader.queue_calls()
    assert (first.start_utc, first.outcome, first.estimated) == (T0 + 5000, "answered", True)
    assert (second.entered, second.outcome, second.estimated) == (True, "left", True)


DAY = 86_400_000


def test_a_call_goes_on_in_the_next_log(ingest, reader):
    take(ingest, told(("entered", 0, "p1", {"reference": "f0" * 16}), ("entered", 50, "p2")))
    answered = {"agent": "LUCUMA", "wait_ms": 4000}
    ended = {"cause": "completed", "by": "caller"}
    take(ingest, told(("connected", 4000, "p1", answered), ("left", 9000, "p1", ended), e=10))
    take(ingest, told(("left", DAY + 51, "p2", {"cause": "timeout"}), e=11))
    first, second, third = reader.queue_calls()
    assert (first.epoch, first.outcome, first.estimated, first.ended_by, first.reference) == (
        9, "answered", False, "caller", "f0" * 16)  # fmt: skip
    assert (second.epoch, second.outcome, second.end_utc) == (
        9,
        "waiting",
        None,
    )  # a day is enough
    assert (third.epoch, third.outcome, third.estimated) == (11, "left", True)


def test_an_end_tells_of_the_course_that_nobody_heard(ingest, reader):
    told_of_it = {"agent": "LUCUMA", "wait_ms": 3000, "talk_ms": 5000, "cause": "transferred"}
    take(ingest, told(("left", 9000, "p1", told_of_it), ("entered", 9000, "p2"),
                      ("left", 12_000, "p2", {"cause": "empty", "wait_ms": 0})))  # fmt: skip
    first, second = reader.queue_calls()
    assert (first.start_utc, first.connected_utc, first.wait_ms) == (T0 + 1000, T0 + 4000, 3000)
    assert (first.outcome, first.agent, first.estimated) == ("answered", "LUCUMA", True)
    assert (second.outcome, second.wait_ms, second.estimated) == ("left", 0, False)


def test_the_switch_that_began_anew_ended_its_calls(ingest, reader):
    restart = {"cause": "restarted", "estimated": True}
    take(ingest, told(("entered", 0, "p1"), ("left", 90_000, "p1", restart)))
    (call,) = reader.queue_calls()
    assert (call.outcome, call.cause, call.estimated) == ("left", "restarted", True)


def test_a_station_cannot_make_calls_of_the_switch(ingest, reader):
    take(ingest, told(("entered", 0, "p1"), s=S))
    assert reader.queue_calls() == []
    assert reader.count("queue.entered") == 1


@pytest.mark.parametrize("apply", [False, True])
def test_a_rebuild_makes_them_again(tmp_path, ingest, reader, clock, apply):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    take(ingest, told(*COURSE))
    assert rebuild(data, clock).differences == []
    with ingest.writer.transaction() as tx:
        tx.exec_driver_sql("UPDATE queue_calls SET wait_ms = 1 WHERE n = 2")
    found = rebuild(data, clock, apply=apply).differences
    assert [(one.table, one.field, one.stands, one.rebuilt) for one in found] == [
        ("queue_calls", "wait_ms", 1, 5000)
    ]
    assert (reader.queue_calls() == EXPECTED) == apply


def recorded(n, after, what, **more):
    event = {"s": PBX, "e": 9, "n": n, "b": 0, "u": 0, "t": T0 + after, "k": "recording." + what}
    event |= {"pbx": "p1", "linked": "p0", "agent": "NISPERO", **more}
    return Message(n, subject_of(PBX), json.dumps(event).encode())


def test_what_is_recorded_is_kept_beside_the_calls(ingest, reader):
    messages = told(*COURSE)
    more = [
        recorded(len(messages) + at, 9600 + at, what, codec="opus")  # of a newer bridge
        for at, what in enumerate(("started", "muted", "unmuted", "stopped"), 1)
    ]
    take(ingest, [*messages, *more])
    assert reader.queue_calls() == EXPECTED
    assert reader.dead_letters() == [] and reader.anchors() == []
    assert {row["field"] for row in reader.unknown()} == {"codec"}
    stored = [one.event for one in reader.events_of(PBX)][-4:]
    assert [one["k"] for one in stored] == [
        f"recording.{what}" for what in ("started", "muted", "unmuted", "stopped")
    ]
    assert all((one["linked"], one["codec"]) == ("p0", "opus") for one in stored)
    assert ingest.stations[PBX].journals[9].position == len(messages) + 4
