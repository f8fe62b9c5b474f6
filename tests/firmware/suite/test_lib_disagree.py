"""What the host says of a call against what the keys said: neither is swallowed."""

from tests.support.deskbench import NORMA, DeskBench


def said(bench):
    event = bench.last("contact.disagreed")
    assert event["i"] == bench.number
    return event["c"], event["station"], event["host"], event["a"]


def test_a_hang_up_after_she_hung_up():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.command("hangup", contact="c1", by="caller") == ["contact.disagreed"]
    assert said(bench) == ("c1", "wrapup", "idle", "a001")
    assert bench.desk.command == bench.number


def test_both_hung_up_at_once():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.command("hangup", contact="c1", by="agent") == ["command.refused"]


def test_an_answer_of_what_rang_too_long():
    bench = DeskBench().ready()
    bench.ring()
    bench.do("tick", after_ms=20_000)
    assert bench.command("answer", contact="c1") == ["contact.disagreed"]
    assert said(bench) == ("c1", "idle", "talking", "a001")
    bench.do("badge", NORMA)
    assert bench.command("hold", contact="c1") == ["contact.disagreed"]
    assert said(bench)[3] == "a001"


def test_a_withdrawal_of_what_she_answered():
    bench = DeskBench().talking()
    assert bench.command("withdraw", contact="c1", cause="caller_gave_up") == ["contact.disagreed"]
    assert said(bench) == ("c1", "talking", "idle", "a001")
    assert bench.desk.work == "talking"


def test_both_say_the_same():
    bench = DeskBench().talking()
    assert bench.command("answer", contact="c1") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "wrong_state"
    assert bench.command("hold", contact="c0") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "no_such_contact"
    assert bench.command("recording", contact="c1", state="off") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "bad_command"


def test_a_ring_that_no_event_could_repeat():
    bench = DeskBench().ready()
    most = {"queue": "q" * 60, "pbx": "p" * 60, "campaign": "k" * 24, "reference": "r" * 32}
    assert bench.ring("c" * 64, parent="x", **most) == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "bad_command"
    assert bench.ring("c" * 64, **most) == ["contact.offered"]
