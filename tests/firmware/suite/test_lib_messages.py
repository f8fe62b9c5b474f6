"""Texts and feedback: whose they are, and that none is in the way of another or of the way out."""

from tests.support.deskbench import NORMA, ROSA, DeskBench


def with_feedback():
    bench = DeskBench().ready()
    bench.utc_at_0 = 1770037200000
    bench.command("text", m="m1", text="Retroalimentación del 12", sign=1)
    return bench


def test_what_was_sent_to_her_is_not_for_who_comes_after():
    bench = with_feedback()
    bench.do("key6")
    bench.do("badge", NORMA)
    assert bench.desk.agent == "a002" and bench.station.texts == []
    bench.do("badge", NORMA)
    assert bench.station.menu.kind == "session"
    assert "message.acknowledged" not in [event["k"] for event in bench.events]


def test_nor_does_it_stay_on_the_screen_when_she_goes():
    bench = with_feedback()
    bench.command("session", agent="a001", verdict="close", reason="moved")
    assert bench.station.message is None and bench.station.texts == []


def test_a_text_to_an_empty_desk_is_for_who_comes():
    bench = DeskBench()
    bench.command("text", m="m1", text="Venga")
    bench.do("badge", ROSA)
    assert bench.station.message.name == "m1"


def test_a_signature_may_wait_and_is_not_in_the_way_of_salida():
    bench = with_feedback()
    bench.do("badge", ROSA)
    assert bench.station.message.signed and bench.station.action("key6") == "message.aside"
    bench.do("badge", ROSA)
    assert bench.station.menu.kind == "session"
    bench.do("key6")  # cancel: the question is there again
    assert bench.station.reading and bench.station.message.signed
    assert bench.do("key6") == []
    assert not bench.station.texts[0].signed  # it wants her badge again
    bench.do("badge", ROSA)
    bench.do("badge", ROSA)
    assert bench.do("key5")[0] == "attendance.marked"
    assert bench.desk.agent is None


def test_what_was_set_aside_lies_below_what_was_not_read():
    bench = DeskBench().ready()
    bench.command("text", m="m1", text="Venga")
    bench.command("text", m="m2", text="Retroalimentación", sign=1)
    bench.do("key6")
    bench.do("key6")
    bench.pick("messages")
    assert bench.station.message.name == "m1"
    assert bench.do("key6") == ["message.acknowledged"]
    assert [text.name for text in bench.station.texts] == ["m2"]
