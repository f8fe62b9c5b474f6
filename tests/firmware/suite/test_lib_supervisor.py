"""What a supervisor does to a desk: it waits for the call, and she sees who did it and why."""

from tests.firmware.suite.test_lib_detail import detail
from tests.support.deskbench import NORMA, DeskBench, name_of
from tests.support.scenes import CONFIG

ELENA = {"who": "Elena Soto"}
PLAIN = dict(CONFIG, tree={"version": 1, "nodes": []})


def test_a_forced_pause_tells_who_and_why():
    bench = DeskBench(PLAIN).ready()
    bench.command("presence", to="not_ready", reason="refrigerio", note="cubre Luis", **ELENA)
    changed = bench.last("presence.changed")
    assert (changed["who"], changed["note"]) == ("Elena Soto", "cubre Luis")
    assert detail(bench) == "Lo puso Elena Soto\ncubre Luis"
    bench.reboot()
    assert detail(bench) == "Lo puso Elena Soto\ncubre Luis"
    assert bench.do("key6") == ["notice.acknowledged"]
    assert bench.last("notice.acknowledged")["of"] == name_of(changed["n"])


def test_in_a_call_it_waits_with_who_and_why():
    bench = DeskBench(PLAIN).talking()
    kinds = bench.command("presence", to="not_ready", reason="refrigerio", note="ya", **ELENA)
    assert kinds == ["presence.intended"]
    bench.reboot()
    assert bench.last("presence.intended")["note"] == "ya"
    bench.do("tick", after_ms=60_000)
    changed = bench.last("presence.changed")
    assert (changed["by"], changed["who"], changed["note"]) == ("supervisor", "Elena Soto", "ya")


def test_a_pause_meant_for_another_agent_is_refused():
    bench = DeskBench(PLAIN).ready()
    fields = {"to": "not_ready", "reason": "refrigerio", "agent": "a002"}
    assert bench.command("presence", **fields) == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "another_agent"
    assert bench.command("presence", **dict(fields, agent="a001")) == ["presence.changed"]


def test_a_log_out_names_its_author_and_why():
    bench = DeskBench(PLAIN).ready()
    close = {"agent": "a001", "verdict": "close", "reason": "supervisor", "note": "fin de turno"}
    assert bench.command("session", **dict(close, **ELENA)) == [
        "session.corrected", "session.closed", "presence.changed",
    ]  # fmt: skip
    corrected, closed = bench.last("session.corrected"), bench.last("session.closed")
    assert (corrected["who"], corrected["note"]) == ("Elena Soto", "fin de turno")
    assert (closed["reason"], closed["by"], closed["who"]) == (
        "supervisor", "supervisor", "Elena Soto",
    )  # fmt: skip
    assert detail(bench) == "La cerró Elena Soto\nfin de turno"
    bench.do("badge", NORMA)
    assert "fin de turno" not in detail(bench)


def test_a_log_out_waits_for_call_and_wrap_up():
    bench = DeskBench(PLAIN).talking()
    close = {"agent": "a001", "verdict": "close", "reason": "supervisor", "note": "fin"}
    assert bench.command("session", **dict(close, **ELENA)) == ["session.corrected"]
    assert detail(bench, 0) == "La cerró Elena Soto"
    assert detail(bench) == "Luego: Cerrar sesión\nfin"
    bench.do("key1")
    assert bench.desk.work == "wrapup"
    assert bench.do("key1")[-2:] == ["session.closed", "presence.changed"]
    assert bench.last("session.closed")["who"] == "Elena Soto"
    assert detail(bench) == "La cerró Elena Soto\nfin"


def test_who_is_moved_is_told_where_to():
    bench = DeskBench(PLAIN).ready()
    close = {"agent": "a001", "verdict": "close", "reason": "moved", "note": "Pase a B-07"}
    bench.command("session", **dict(close, **ELENA))
    closed = bench.last("session.closed")
    assert (closed["reason"], closed["by"], closed["who"]) == (
        "moved", "supervisor", "Elena Soto",
    )  # fmt: skip
    assert detail(bench) == "La cerró Elena Soto\nPase a B-07"


def test_without_an_author_all_is_as_before():
    bench = DeskBench(PLAIN).ready()
    bench.command("session", agent="a001", verdict="close", reason="moved")
    closed = bench.last("session.closed")
    assert (closed["reason"], closed["by"], "who" in closed) == ("moved", "system", False)
    assert detail(bench) == "Ingresó en otro puesto"


def test_a_wrap_up_that_a_supervisor_ends_can_get_its_code_later():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.command("wrapup", contact="c9", **ELENA) == ["command.refused"]
    kinds = bench.command("wrapup", contact="c1", **ELENA)
    assert kinds == ["contact.typified", "wrapup.ended"]
    ended = bench.last("wrapup.ended")
    assert (ended["cause"], ended["i"]) == ("supervisor", bench.number)
    assert detail(bench, 0) == "La cerró Elena Soto"
    assert [row[0] for row in bench.desk.pending] == ["c1"]
    assert bench.command("wrapup", contact="c1", **ELENA) == ["command.refused"]
