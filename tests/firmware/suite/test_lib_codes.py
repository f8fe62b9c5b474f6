"""Tipificación: the codes used most, what waits for its code, and a code taken back."""

from lib.desk import Desk
from lib.start import restore

from tests.support.deskbench import NORMA, ROSA, DeskBench


def wrapup(bench, contact):
    bench.ring(contact)
    bench.do("key1")
    bench.command("hangup", contact=contact, by="caller")
    bench.do("tick", after_ms=1000)
    return bench.station.menu.lines()


def typify(bench, *labels):
    kinds = []
    for label in labels:
        kinds = bench.pick(label)
    return kinds


def test_the_codes_used_most_come_first():
    bench = DeskBench().ready()
    assert wrapup(bench, "c1") == ["Consulta", "Reclamo"]
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    assert bench.last("contact.typified")["how"] == "agent"
    assert wrapup(bench, "c2") == ["Duplicado", "Consulta", "Reclamo"]
    typify(bench, "Consulta", "Saldo", "¿Cuánto debo?")
    assert wrapup(bench, "c3") == ["¿Cuánto debo?", "Duplicado", "Consulta", "Reclamo"]
    assert bench.do("key4") == ["contact.typified", "wrapup.ended"]  # one press
    typified = bench.last("contact.typified")
    assert (typified["code"], typified["how"]) == ("211", "favourite")
    assert wrapup(bench, "c4")[:2] == ["Duplicado", "¿Cuánto debo?"]
    bench.do("badge", NORMA)
    bench.do("tick", after_ms=60_000)


def test_below_the_motive_only_its_own():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    bench.ring("c2")
    bench.do("key1")
    bench.do("key6")
    bench.pick("motive")
    bench.do("key3")
    bench.do("key1")
    assert bench.station.menu.lines() == ["Saldo"]
    bench.do("key3")
    assert bench.do("key3") == ["contact.typified", "wrapup.ended"]


def test_her_codes_are_hers():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    assert bench.desk.recent == ["211"]
    bench.reboot()
    assert bench.desk.recent == ["211"]
    bench.do("badge", NORMA)
    assert (bench.desk.keeper, bench.desk.recent) == ("a002", [])


def test_a_code_is_taken_back_for_five_seconds():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    first = bench.last("contact.typified")
    assert bench.station.action("key1") == "codes.undo"
    assert bench.station.deadline() == bench.u + 5000 - 0
    assert bench.do("key1", after_ms=4999) == []
    assert typify(bench, "Consulta", "Saldo", "¿Cuánto debo?") == ["contact.retypified"]
    again = bench.last("contact.retypified")
    assert (again["c"], again["code"], again["author"]) == ("c1", "113", "a001")
    assert again["of"][2] == first["n"]
    bench.do("key1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    assert bench.last("contact.retypified")["of"][2] == again["n"]
    bench.do("tick", after_ms=5000)
    assert bench.station.action("key1") is None
    assert bench.do("key1") == []


def test_a_call_takes_the_chance_to_take_back():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    bench.ring("c2")
    bench.command("withdraw", contact="c2", cause="withdrawn")
    assert bench.do("key1", after_ms=500) == []


def test_a_call_in_the_wrapup_leaves_its_code_for_later():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    assert bench.ring("c2") == ["wrapup.ended", "contact.offered"]
    assert bench.desk.pending[0][0] == "c1"
    bench.do("key1")
    bench.do("key1")
    typify(bench, "Reclamo", "Cobro", "Duplicado")
    bench.do("tick", after_ms=6000)
    bench.do("key6")
    bench.pick("pending")
    assert len(bench.station.menu.lines()) == 1
    bench.do("key3")
    assert typify(bench, "Duplicado") == ["contact.typified"]
    assert bench.last("contact.typified")["c"] == "c1"
    assert bench.desk.pending == []
    assert bench.station.action("key1") == "codes.undo"


def test_at_most_three_wait():
    bench = DeskBench().ready()
    for at in range(4):
        wrapup(bench, "c" + str(at))
    assert [row[0] for row in bench.desk.pending] == ["c0", "c1", "c2"]
    assert bench.ring("c4") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "pending"
    assert bench.do("tick", after_ms=60_000) == ["contact.typified", "wrapup.ended"]
    assert [row[0] for row in bench.desk.pending] == ["c0", "c1", "c2"]


def test_what_the_limit_flagged_can_still_get_its_code():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    bench.do("tick", after_ms=60_000)
    flagged = bench.last("contact.typified")
    assert (flagged["code"], flagged["how"]) == ("SIN_TIPIFICAR", "timeout")
    bench.do("key6")
    bench.pick("pending")
    bench.do("key3")
    assert typify(bench, "Reclamo", "Cobro", "Duplicado") == ["contact.retypified"]
    assert bench.last("contact.retypified")["of"][2] == flagged["n"]
    assert bench.desk.pending == []


def test_the_end_of_the_session_flags_what_waits():
    bench = DeskBench().ready()
    wrapup(bench, "c1")
    wrapup(bench, "c2")
    bench.do("badge", ROSA)
    kinds = bench.pick("close_session")
    assert kinds[:5] == [
        "contact.typified", "wrapup.ended", "contact.typified", "session.closed",
        "presence.changed",
    ]  # fmt: skip
    flagged = [event for event in bench.events if event["k"] == "contact.typified"]
    assert [(event["c"], event["code"]) for event in flagged] == [
        ("c2", "SIN_TIPIFICAR"), ("c1", "SIN_TIPIFICAR")
    ]  # fmt: skip
    assert [row[3] > 0 for row in bench.desk.pending] == [True, True]
    bench.do("badge", ROSA)
    assert len(bench.desk.pending) == 2  # the same day, the same agent
    bench.do("badge", NORMA)
    assert bench.desk.pending == []


def test_the_list_says_when_it_was_and_about_what():
    bench = DeskBench()
    bench.utc_at_0 = 1769990400000 + 13 * 3_600_000  # 08:00 in Lima
    bench.ready()
    bench.ring("c1")
    bench.do("key1")
    bench.do("key6")
    bench.pick("motive")
    bench.do("key4")
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    bench.do("key6")
    bench.pick("pending")
    assert bench.station.menu.lines() == ["08:01 Reclamo"]
    bench.do("key3")
    assert bench.station.menu.lines() == ["Cobro"]


def test_no_snapshot_is_too_long_for_what_waits():
    desk = Desk()
    desk.pending = [["c" * 64, 29_500_000, "m" * 24, 1_000_000]] * 3
    desk.recent = ["t" * 24] * 8
    desk.contact = "d" * 64
    desk.queue = "ñ" * 32
    desk.campaign = desk.motive = desk.keeper = desk.agent = "k" * 24
    desk.foreign = [1_000_000, "r" * 24, "w" * 32]
    desk.faults = {"wifi": "wrong_password"}
    assert len(desk.snapshot()) <= 512
    other = Desk()
    restore(other, desk.snapshot())
    assert (other.contact, other.agent) == (desk.contact, desk.agent)
