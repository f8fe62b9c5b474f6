"""Attendance: what a tap marks, whatever else happens; and how a session ends or is corrected."""

from lib.desk import Desk
from lib.marks import learn
from lib.start import restore
from lib.timekeeping import date_back

from tests.support.deskbench import NORMA, ROSA, STRANGER, DeskBench, name_of

MORNING = 1770037200000  # 2026-02-02 08:00 in Lima
HOUR = 3_600_000
LOGIN = ["attendance.marked", "session.opened", "presence.changed"]
LOGOUT = ["session.closed", "presence.changed"]


def at_eight():
    bench = DeskBench()
    bench.utc_at_0 = MORNING
    return bench


def marks(bench):
    return [
        (e["a"], e["direction"], e["u"]) for e in bench.events if e["k"] == "attendance.marked"
    ]


def test_the_first_tap_marks_and_then_opens_the_session():
    bench = at_eight()
    assert bench.do("badge", ROSA, 120_000) == LOGIN
    mark = bench.last("attendance.marked")
    assert (mark["a"], mark["direction"], mark["method"]) == ("a001", "in", "badge")
    assert mark["badge"] == ROSA[0]
    assert bench.last("session.opened")["of"] == name_of(mark["n"])
    assert bench.station.notice == ("marked_in", "08:02")


def test_marked_in_and_logged_out_the_tap_only_logs_in():
    bench = at_eight()
    bench.do("badge", ROSA)
    bench.do("badge", ROSA)
    assert bench.do("key4") == LOGOUT
    assert bench.do("badge", ROSA) == LOGIN[1:]
    assert "of" not in bench.last("session.opened")
    assert bench.station.notice == ("hello", "QUISPE R.")


def test_the_own_badge_asks_and_nothing_chosen_changes_nothing():
    bench = at_eight()
    bench.do("badge", ROSA)
    assert bench.do("badge", ROSA) == []
    assert bench.station.menu.kind == "session"
    assert bench.do("badge", ROSA, 5000) == []  # asks anew
    bench.do("tick", after_ms=7999)
    assert bench.station.menu
    bench.do("tick", after_ms=1)
    assert bench.station.menu is None
    bench.do("badge", ROSA)
    assert bench.do("key6") == [] and bench.station.menu is None
    bench.do("badge", ROSA)
    bench.do("key3")
    assert bench.station.menu.kind == "reasons"
    assert bench.do("key3") == ["presence.changed"]
    assert len(marks(bench)) == 1


def test_salida_marks_with_the_time_of_the_tap():
    bench = at_eight().ready()
    bench.do("badge", ROSA, 9 * HOUR)
    tapped = bench.u
    assert bench.do("key5", after_ms=7000) == ["attendance.marked"] + LOGOUT  # noqa: RUF005
    assert marks(bench)[-1] == ("a001", "out", tapped)
    assert bench.last("session.closed")["reason"] == "agent"
    assert bench.station.notice == ("marked_out", "17:00")
    assert bench.do("badge", ROSA, after_ms=5000) == LOGIN


def test_salida_in_a_call_closes_when_the_call_and_its_wrapup_are_over():
    bench = at_eight().talking()
    bench.do("badge", ROSA)
    assert bench.do("key5") == ["attendance.marked"]
    assert bench.desk.open and bench.desk.leaving == "agent"
    assert bench.do("badge", ROSA) == []  # no mark in
    assert bench.do("key5") == ["attendance.marked"]
    assert bench.station.notice == ("mark_repeated", "")
    bench.do("key1")
    assert bench.ring("c2") == ["command.refused"]
    assert bench.do("tick", after_ms=60_000)[-2:] == LOGOUT
    assert bench.desk.leaving is None and not bench.desk.open


def test_salida_outlives_a_cut_of_power():
    bench = at_eight().talking()
    bench.do("badge", ROSA)
    bench.do("key5")
    bench.do("key1")
    bench.reboot()
    assert bench.desk.leaving == "agent"
    assert bench.do("tick", after_ms=60_000)[-2:] == LOGOUT


def test_closing_the_session_in_a_call_waits_for_its_end_and_marks_nothing():
    bench = at_eight().talking()
    bench.do("badge", ROSA)
    assert bench.do("key4") == ["presence.intended"]
    bench.do("key1")
    assert bench.do("tick", after_ms=60_000)[-2:] == LOGOUT
    assert len(marks(bench)) == 1
    assert bench.do("badge", ROSA) == LOGIN[1:]


def test_auxiliar_in_a_call_asks_for_later():
    bench = at_eight().talking()
    bench.do("badge", ROSA)
    bench.do("key3")
    assert bench.station.menu.kind == "intend"


def test_another_badge_in_a_call_marks_and_no_more():
    bench = at_eight().talking()
    assert bench.do("badge", NORMA) == ["attendance.marked", "session.denied"]
    assert bench.last("session.denied")["reason"] == "in_call"
    assert bench.station.notice[1][:5] == "08:00" and bench.station.notice[1][6:8] == "ÑA"
    bench.command("hangup", contact="c1", by="caller")
    assert bench.do("badge", NORMA) == ["session.denied"]  # in the wrap-up too
    bench.do("tick", after_ms=60_000)
    assert bench.do("badge", NORMA) == LOGOUT + LOGIN[1:]
    assert bench.last("session.closed")["reason"] == "relieved"
    assert bench.station.notice[0] == "relief"
    assert [row[:2] for row in marks(bench)] == [("a001", "in"), ("a002", "in")]


def test_a_badge_nobody_knows_is_marked_by_its_hash():
    bench = at_eight()
    assert bench.do("badge", STRANGER) == ["attendance.marked", "session.denied"]
    mark = bench.last("attendance.marked")
    assert (mark["a"], mark["badge"], mark["direction"]) == (None, STRANGER[0], "in")
    assert bench.station.notice == ("marked_unknown", "08:00")
    assert bench.do("badge", STRANGER) == []
    assert bench.do("key3") == []
    assert bench.do("key5") == ["attendance.marked"]  # SALIDA is all that it can do
    assert bench.last("attendance.marked")["direction"] == "out"
    for _ in range(2):
        bench.do("badge", STRANGER)
    assert bench.do("key6") == [] and bench.station.menu is None


def test_in_a_call_a_stranger_gets_none_of_her_keys():
    bench = at_eight().talking()
    bench.do("badge", STRANGER)
    assert bench.do("badge", STRANGER) == ["session.denied"]
    assert bench.last("session.denied")["reason"] == "in_call"
    assert bench.station.menu is None
    bench.command("hangup", contact="c1", by="caller")
    bench.do("badge", STRANGER)
    assert bench.station.menu.kind == "tree"


def test_what_proves_nothing_marks_nobody():
    bench = at_eight()
    for name, details in (
        ("badge", (ROSA[0], None, "not_genuine")), ("badge", (None, None)), ("bad_read", None),
    ):  # fmt: skip
        assert bench.do(name, details) == ["session.denied"]


def test_a_mark_says_nothing_of_the_next_shift():
    bench = at_eight()
    bench.do("badge", ROSA)
    bench.do("badge", ROSA)
    bench.do("key4")
    assert bench.do("badge", ROSA, 15 * HOUR) == LOGIN[1:]
    bench.do("badge", ROSA)
    bench.do("key4")
    assert bench.do("badge", ROSA, HOUR) == LOGIN


def test_marks_of_other_desks_count():
    bench = at_eight()
    bench.u = HOUR
    assert learn(
        bench.station, [["a001", "in", MORNING], ["a002", "out", MORNING], ["x", "in", 1]]
    )
    assert "x" not in bench.station.marks
    assert bench.do("badge", ROSA) == LOGIN[1:]
    bench.do("badge", ROSA)
    bench.do("key5")
    assert learn(bench.station, [["a001", "in", MORNING]])  # an old one again
    assert bench.do("badge", ROSA, after_ms=5000) == LOGIN
    assert learn(bench.station, [["a001", "out", MORNING + bench.u + 5000]])
    bench.u += 5000
    bench.do("badge", ROSA)
    assert bench.events[-1]["k"] == "attendance.marked"
    assert learn(bench.station, [["a002", "in", MORNING + 30 * HOUR]])  # no clock is so far off
    assert bench.do("badge", NORMA)[0] == "attendance.marked"
    for rows in (None, {}, [5], [["a001", "in"]], [["a001", "on", 1]], [["a", "in", "1"]],
                 [[1, "in", 1]], [["a", "in", True]]):  # fmt: skip
        assert not learn(bench.station, rows)


def test_without_the_hour_a_mark_of_this_boot_counts_and_an_older_one_does_not():
    bench = DeskBench()
    assert bench.do("badge", ROSA) == LOGIN
    assert bench.station.notice == ("marked_in", "")
    assert bench.do("badge", ROSA) == []
    bench.do("key4")
    bench.reboot()
    assert bench.do("badge", ROSA) == LOGIN  # twice rather than never
    date_back(bench.desk, bench.u, MORNING)
    assert bench.desk.marks["a001"] > 1


def test_the_snapshot_keeps_marks_as_far_as_it_can():
    bench = at_eight()
    for count in range(40):
        bench.do("badge", ("0" * 30 + str(10 + count), None), 1000)
    assert len(bench.desk.marks) == 24
    assert len(bench.desk.snapshot()) <= 512
    other = Desk()
    restore(other, bench.desk.snapshot())
    assert 0 < len(other.marks) < 24 and "0" * 30 + "49" in other.marks


def test_the_host_confirms():
    bench = at_eight()
    assert bench.command("session", agent="a001", verdict="confirm") == ["command.refused"]
    bench.do("badge", ROSA)
    assert bench.command("session", agent="a001", verdict="confirm") == ["session.confirmed"]
    assert bench.command("session", agent="a002", verdict="confirm") == ["command.refused"]
    assert bench.command("session", agent="a001", verdict="x") == ["command.refused"]
    assert bench.desk.open


def test_the_host_closes_and_the_reason_stays_until_it_was_seen():
    bench = at_eight().ready()
    kinds = bench.command("session", agent="a001", verdict="close", reason="moved")
    assert kinds == ["session.corrected"] + LOGOUT  # noqa: RUF005
    closed, changed = bench.last("session.closed"), bench.last("presence.changed")
    assert (closed["reason"], closed["by"]) == ("moved", "system")
    assert (changed["to"], changed["reason"], changed["by"]) == ("logged_out", "moved", "system")
    bench.reboot()
    assert bench.station.action("key6") == "seen"
    assert bench.do("key6") == ["notice.acknowledged"]
    assert bench.station.action("key6") is None


def test_the_host_closes_after_the_call():
    bench = at_eight().talking()
    kinds = bench.command("session", agent="a001", verdict="close", reason="pin_required")
    assert kinds == ["session.corrected"]
    bench.do("key1")
    bench.reboot()
    assert bench.do("tick", after_ms=60_000)[-2:] == LOGOUT
    assert bench.last("session.closed")["reason"] == "corrected"
    assert bench.last("presence.changed")["reason"] == "pin_required"


def test_the_host_closes_while_it_rings():
    bench = at_eight().ready()
    bench.ring()
    bench.command("session", agent="a001", verdict="close", reason="supervisor")
    assert bench.do("tick", after_ms=20_000) == ["contact.missed"] + LOGOUT  # noqa: RUF005
    assert bench.last("session.closed")["by"] == "supervisor"


def test_a_badge_that_swings_past_the_reader_after_salida_does_nothing():
    bench = DeskBench().ready()
    bench.do("badge", ROSA)
    bench.do("key5")
    assert bench.last("attendance.marked")["direction"] == "out"
    assert bench.do("badge", ROSA, after_ms=4_900) == []
    assert bench.do("badge", ROSA, after_ms=200)[0] == "attendance.marked"
