"""The state machine: who may do what when, and the events it leaves, in their order."""

from lib.commands import TABLE as COMMANDS
from lib.desk import Desk
from lib.start import restore
from lib.states import Station
from lib.transitions import SITUATIONS, TABLE

from tests.support.deskbench import NORMA, ROSA, STRANGER, DeskBench, name_of
from tests.support.scenes import CONFIG

SMALL = dict(CONFIG)
SMALL["tree"] = {"version": 7, "nodes": [["1", "Uno", [["11", "Once", [["111", "Ciento"]]]]]]}


def test_every_row_of_the_table_names_methods():
    for name, row in dict(TABLE, **COMMANDS).items():
        cells = row
        assert len(cells) in (1, len(SITUATIONS)), name
        for cell in cells:
            room, _, action = cell.rpartition(".")
            place = __import__("lib.do_" + room, None, None, ("x",)) if room else Station
            known = hasattr(place, action if room else "_" + action)
            assert cell == "." or cell[0] == "!" or known, (name, cell)


def test_login_begins_not_ready():
    bench = DeskBench()
    assert bench.do("badge", ROSA) == ["attendance.marked", "session.opened", "presence.changed"]
    changed = bench.last("presence.changed")
    assert (changed["from"], changed["to"]) == ("logged_out", "not_ready")
    assert (changed["reason"], changed["by"]) == ("login", "system")
    assert bench.last("session.opened")["provisional"] is False
    assert bench.last("session.opened")["method"] == "badge"
    assert bench.do("key3") == ["presence.changed"]
    assert bench.desk.presence == "ready"


def test_logins_that_are_denied():
    bench = DeskBench()
    assert bench.do("badge", STRANGER) == ["attendance.marked", "session.denied"]
    assert bench.last("session.denied")["reason"] == "unknown_badge"
    assert bench.do("badge", (None, None)) == ["session.denied"]
    assert bench.last("session.denied")["reason"] == "no_roster"
    assert bench.do("bad_read") == ["session.denied"]
    assert bench.last("session.denied")["reason"] == "bad_read"
    assert bench.desk.presence == "logged_out"


def test_badges_that_prove_themselves():
    bench = DeskBench()
    assert bench.do("badge", (STRANGER[0], None, "not_genuine")) == ["session.denied"]
    denied = bench.last("session.denied")
    assert (denied["reason"], denied["badge"]) == ("not_genuine", STRANGER[0])
    proven = (ROSA[0], ROSA[1], "badge_secure")
    assert bench.do("badge", proven) == [
        "attendance.marked", "session.opened", "presence.changed"
    ]  # fmt: skip
    assert bench.last("attendance.marked")["method"] == "badge_secure"
    assert bench.last("session.opened")["method"] == "badge_secure"


def test_logout_when_idle():
    bench = DeskBench().ready()
    assert bench.do("badge", ROSA) == []
    assert bench.do("key4") == ["session.closed", "presence.changed"]
    assert bench.last("session.closed")["reason"] == "agent"
    assert bench.last("presence.changed")["to"] == "logged_out"
    assert bench.desk.agent is None


def test_nobody_takes_a_desk_in_a_call():
    bench = DeskBench().talking()
    assert bench.do("badge", NORMA) == ["attendance.marked", "session.denied"]
    assert bench.do("badge", NORMA) == ["session.denied"]
    assert bench.last("session.denied")["reason"] == "in_call"
    assert bench.desk.work == "talking"


def test_logout_out_of_wrapup_closes_it():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.do("badge", NORMA)[-1] == "session.denied"
    assert bench.do("badge", ROSA) == []
    assert bench.do("key4") == [
        "contact.typified", "wrapup.ended", "session.closed", "presence.changed"
    ]  # fmt: skip
    assert bench.last("wrapup.ended")["cause"] == "session_closed"


def test_a_snapshot_always_fits_a_record():
    """Without its faults, if need be: a part that still fails is found again at the next boot."""
    bench = DeskBench().ready()
    assert bench.ring("c" * 64, queue="ñ" * 32) == ["contact.offered"]
    desk = bench.desk
    desk.command = desk.boot = 0x3FFFFFFF
    desk.since_utc = 1770037200000
    for part in ("badge_reader", "codec", "screen", "keys", "headset", "lights", "audio", "wifi",
                 "journal", "uplink", "config", "telephone", "switch"):  # fmt: skip
        desk.faults[part] = "wrong_password"
        assert len(desk.snapshot()) <= 512
    other = Desk()
    restore(other, desk.snapshot())
    assert (other.contact, other.work, other.command) == ("c" * 64, "offered", desk.command)


def test_another_badge_relieves():
    bench = DeskBench().ready()
    assert bench.do("badge", NORMA) == [
        "attendance.marked",
        "session.closed",
        "presence.changed",
        "session.opened",
        "presence.changed",
    ]
    assert [e["a"] for e in bench.events[-4:]] == ["a001", "a001", "a002", "a002"]
    assert bench.last("session.closed")["reason"] == "relieved"
    assert bench.desk.agent == "a002"


def test_a_call_of_the_host_answered_by_key():
    bench = DeskBench().ready()
    assert bench.ring(queue="Banca", pbx="p9") == ["contact.offered"]
    offered = bench.last("contact.offered")
    assert (offered["i"], offered["queue"], offered["pbx"]) == (1, "Banca", "p9")
    assert bench.do("key1", after_ms=4000) == ["contact.answered"]
    answered = bench.last("contact.answered")
    assert (answered["ring_ms"], answered["via"]) == (4000, "key")
    assert bench.do("key1") == ["contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["by"] == "agent"


def test_a_call_run_by_the_host():
    bench = DeskBench().ready()
    bench.ring()
    assert bench.command("answer", contact="c1") == ["contact.answered"]
    assert bench.last("contact.answered")["via"] == "host"
    assert bench.command("hold", contact="c1") == ["contact.held"]
    assert bench.command("resume", contact="c1") == ["contact.resumed"]
    assert bench.command("hold", contact="c1") == ["contact.held"]
    assert bench.command("hangup", contact="c1", by="caller") == [
        "contact.ended", "wrapup.started"
    ]  # fmt: skip
    ended = bench.last("contact.ended")
    assert (ended["by"], ended["on_hold"], ended["i"]) == ("caller", True, 6)


def test_refusals():
    bench = DeskBench()

    def reason(kinds):
        assert kinds == ["command.refused"]
        return bench.events[-1]["reason"]

    assert reason(bench.ring()) == "logged_out"
    assert reason(bench.command("presence", to="not_ready", reason="x")) == "logged_out"
    bench.do("badge", ROSA)
    assert reason(bench.ring()) == "not_ready"
    bench.do("key3")
    assert reason(bench.command("hangup", contact="c1", by="caller")) == "no_such_contact"
    bench.ring("c1")
    assert reason(bench.ring("c2")) == "busy"
    assert reason(bench.command("answer", contact="c2")) == "no_such_contact"
    assert reason(bench.command("text", m="m", text="t")) == "busy"
    assert reason(bench.command("ring", contact="c3", direction="up")) == "bad_command"
    assert reason(bench.command("ring", contact="", direction="in")) == "bad_command"
    assert reason(bench.command("ring", contact="x" * 65, direction="in")) == "bad_command"
    assert reason(bench.command("ring", contact=5, direction="in")) == "bad_command"
    assert reason(bench.command("ring", contact="a\nb", direction="in")) == "bad_command"
    assert reason(bench.command("presence", to="ready", reason="x")) == "bad_command"
    assert bench.desk.work == "offered"


def test_a_key_pressed_as_the_ring_came_answers_it_after_no_time():
    """It is stamped at its edge, and the ring was worked off before it."""
    bench = DeskBench().ready()
    bench.ring()
    assert bench.do("key1", after_ms=-12) == ["contact.answered"]
    answered = bench.last("contact.answered")
    assert (answered["ring_ms"], answered["u"]) == (0, bench.last("contact.offered")["u"])


def test_a_ring_not_answered():
    bench = DeskBench().ready()
    bench.ring()
    assert bench.do("tick", after_ms=19_999) == []
    assert bench.station.deadline() == bench.u + 1
    assert bench.do("tick", after_ms=1) == ["contact.missed", "presence.changed"]
    assert bench.last("contact.missed")["cause"] == "no_answer"
    assert bench.last("contact.missed")["ring_ms"] == 20_000
    changed = bench.last("presence.changed")
    assert (changed["reason"], changed["by"]) == ("no_answer", "system")


def test_a_ring_withdrawn_leaves_the_agent_ready():
    bench = DeskBench().ready()
    bench.ring()
    assert bench.command("withdraw", contact="c1", cause="caller_gave_up") == ["contact.missed"]
    assert (bench.desk.work, bench.desk.presence) == ("idle", "ready")


def test_key_two_silences_a_ring_and_mutes_a_call():
    bench = DeskBench().ready()
    bench.ring()
    assert bench.do("key2") == []
    assert bench.station.silenced
    bench.do("key1")
    assert not bench.station.silenced
    assert bench.do("key2") == ["contact.muted"]
    assert bench.desk.muted
    assert bench.do("key2") == ["contact.unmuted"]
    bench.do("key2")
    bench.do("key1")
    assert bench.do("key2") == []


def test_a_call_by_key():
    bench = DeskBench().ready()
    assert bench.do("key4") == ["contact.dialed"]
    dialed = bench.last("contact.dialed")
    assert (dialed["c"], dialed["via"], dialed["direction"]) == ("k1", "key", "out")
    assert bench.do("key3") == ["contact.answered"]
    assert bench.do("key1") == ["contact.ended", "wrapup.started"]


def test_a_call_by_key_that_nobody_answers():
    bench = DeskBench().ready()
    bench.do("key4")
    assert bench.do("key1") == ["contact.ended"]
    assert bench.last("contact.ended")["dial_result"] == "no_answer"
    assert (bench.desk.work, bench.desk.contact) == ("idle", None)


def test_the_tree_opens_with_the_wrapup():
    bench = DeskBench(SMALL).talking()
    bench.do("key1")
    assert bench.station.menu.lines() == ["Uno"]
    assert bench.do("key1") == []  # nothing above the root, and no way around the code
    bench.do("key3")
    bench.do("key3")
    assert bench.do("key1") == []
    assert bench.station.menu.lines() == ["Once"]
    bench.do("key3")
    assert bench.do("key3") == ["contact.typified", "wrapup.ended"]
    typified = bench.last("contact.typified")
    assert (typified["code"], typified["version"], typified["how"]) == ("111", 7, "agent")
    assert bench.last("wrapup.ended")["cause"] == "typified"
    assert (bench.desk.work, bench.desk.presence) == ("idle", "ready")


def test_typified_in_the_call_waits_for_listo():
    bench = DeskBench(SMALL).talking()
    assert bench.station.action("key3") == "typify"
    for _ in range(4):
        kinds = bench.do("key3")
    assert kinds == ["contact.typified"]
    assert bench.station.action("key3") is None
    bench.do("key1")
    assert bench.station.menu is None
    assert bench.do("key1") == ["wrapup.ended"]
    assert bench.last("wrapup.ended")["cause"] == "agent"


def test_a_list_in_a_call_closes_by_itself():
    bench = DeskBench(SMALL).talking()
    bench.do("key3")
    bench.do("key3", after_ms=7000)
    assert bench.do("tick", after_ms=7999) == [] and bench.station.menu
    assert bench.do("tick", after_ms=1) == [] and bench.station.menu is None
    assert bench.do("key4") == ["contact.held"]


def test_a_tree_open_at_the_hang_up_stays_where_it_is():
    bench = DeskBench(SMALL).talking()
    bench.do("key3")
    bench.do("key3")
    bench.command("hangup", contact="c1", by="caller")
    assert bench.station.menu.lines() == ["Once"]
    bench.do("tick", after_ms=20_000)
    assert bench.station.menu.lines() == ["Once"]


def test_the_wrapup_limit_is_never_a_silent_code():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.do("tick", after_ms=60_000) == ["contact.typified", "wrapup.ended"]
    typified = bench.last("contact.typified")
    assert (typified["code"], typified["how"]) == ("SIN_TIPIFICAR", "timeout")
    assert bench.last("wrapup.ended")["cause"] == "timeout"


def test_the_wrapup_limit_after_a_code():
    bench = DeskBench(SMALL).talking()
    for _ in range(4):
        bench.do("key3")
    bench.do("key1")
    assert bench.do("tick", after_ms=60_000) == ["wrapup.ended"]


def test_the_next_contact_ends_the_wrapup():
    bench = DeskBench().talking()
    bench.do("key1")
    assert bench.ring("c2") == ["wrapup.ended", "contact.offered"]
    ended, offered = bench.events[-2:]
    assert (ended["c"], ended["cause"], "i" in ended) == ("c1", "next_contact", False)
    assert (offered["c"], offered["i"]) == ("c2", bench.number)


def test_an_intention_takes_effect_after_the_wrapup():
    bench = DeskBench(SMALL).talking()
    bench.intend()
    assert bench.station.menu.lines()[:2] == ["Disp.", "Refrigerio"]
    assert bench.do("key4") == ["presence.intended"]
    bench.do("key1")
    kinds = [bench.do("key3") for _ in range(3)][-1]
    assert kinds == ["contact.typified", "wrapup.ended", "presence.changed"]
    changed = bench.last("presence.changed")
    assert (changed["to"], changed["by"]) == ("not_ready", "agent")
    assert changed["reason"] == "refrigerio"
    assert bench.desk.intended is None


def test_an_intention_is_taken_back():
    bench = DeskBench(SMALL).talking()
    bench.intend()
    bench.do("key4")
    bench.intend()
    assert bench.do("key3") == ["presence.intended"]
    assert bench.desk.intended is None
    bench.do("key1")
    kinds = [bench.do("key3") for _ in range(3)][-1]
    assert kinds == ["contact.typified", "wrapup.ended"]


def test_a_break_that_was_asked_for_goes_before_the_next_contact():
    bench = DeskBench().talking()
    bench.intend()
    bench.do("key4")
    bench.do("key1")
    assert bench.ring("c2") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "not_ready"


def test_the_supervisor_sets_not_ready_now_or_after_the_call():
    bench = DeskBench().ready()
    assert bench.command("presence", to="not_ready", reason="reunion") == ["presence.changed"]
    assert bench.last("presence.changed")["by"] == "supervisor"
    bench.do("key3")
    bench.ring()
    assert bench.command("presence", to="not_ready", reason="reunion") == ["presence.intended"]
    assert bench.command("withdraw", contact="c1", cause="withdrawn") == [
        "contact.missed", "presence.changed"
    ]  # fmt: skip
    assert bench.last("presence.changed")["by"] == "supervisor"


def test_reasons_over_four_turn_pages():
    bench = DeskBench().ready()
    bench.do("key3")
    assert bench.station.menu.lines() == ["Refrigerio", "SS. HH.", "Pausa activa", "more"]
    bench.do("key6")
    assert bench.station.menu.lines() == ["Capacitación", "Retroalimentac.", "", "more"]
    assert bench.do("key5") == []
    bench.do("key6")
    bench.do("key6")
    assert bench.do("key3") == ["presence.changed"]
    assert bench.desk.reason == "capacitacion"
    bench.do("key4")
    assert bench.do("key4") == ["presence.changed"]
    assert (bench.desk.presence, bench.desk.reason) == ("not_ready", "sshh")


def kinds_of_lists(bench, presses):
    """The list that is open after each press of key 1; none of them does anything else."""
    found = []
    for _ in range(presses):
        assert bench.do("key1") == []
        found.append(bench.station.menu and bench.station.menu.kind)
    return found


def test_key_one_goes_a_level_up_and_hangs_up_only_without_a_list():
    bench = DeskBench().talking()
    bench.do("key3")
    bench.do("key3")
    assert kinds_of_lists(bench, 2) == ["tree", None]
    bench.intend()
    assert kinds_of_lists(bench, 2) == ["menu", None]
    bench.do("key6")
    bench.do("key3")  # to which area
    bench.do("key3")  # the question
    assert kinds_of_lists(bench, 3) == ["areas", "menu", None]
    bench.do("key5")
    assert kinds_of_lists(bench, 1) == [None]
    bench.do("key4")
    bench.do("key6")
    assert kinds_of_lists(bench, 1) == [None] and bench.desk.work == "held"
    bench.do("key4")
    assert bench.do("key1") == ["contact.ended", "wrapup.started"]
    for _ in range(3):
        assert bench.do("key1") == []  # the code is owed
    assert bench.station.menu.lines() == ["Consulta", "Reclamo"]
    bench = DeskBench().ready()
    bench.do("badge", ROSA)
    bench.do("key3")
    assert kinds_of_lists(bench, 2) == ["session", None]


def test_a_list_gone_back_to_has_its_own_time():
    bench = DeskBench().ready()
    bench.do("badge", ROSA)
    bench.do("key3")
    bench.do("tick", after_ms=60_000)
    assert bench.station.deadline() is None
    bench.do("key1")
    assert bench.station.menu.kind == "session"
    bench.do("tick", after_ms=bench.station.deadline() - bench.u)
    assert bench.station.menu is None
    bench = DeskBench().talking()
    bench.do("key6")
    bench.do("key3", after_ms=7000)
    bench.do("key1", after_ms=7000)
    assert bench.station.deadline() == bench.u + 8000


def test_a_second_press_of_the_key_that_opened_or_closed_a_list_does_nothing():
    bench = DeskBench().talking()
    bench.do("key6")
    bench.do("key6", after_ms=399)
    assert bench.station.menu.lines()[0] == "transfer"
    bench.do("key3", after_ms=0)  # another key is meant
    assert bench.station.menu.lines() == ["Tarjetas", "Reclamos"]
    bench.do("key3", after_ms=399)
    assert bench.station.menu.lines() == ["Tarjetas", "Reclamos"]
    bench.do("key1", after_ms=0)
    bench.do("key1", after_ms=400)
    assert bench.station.menu is None
    assert bench.do("key1", after_ms=399) == []
    assert bench.do("key1", after_ms=1)[:1] == ["contact.ended"]
    bench = DeskBench().ready()
    bench.do("key3")
    assert bench.do("key3", after_ms=399) == []
    assert bench.do("key3", after_ms=1) == ["presence.changed"]
    assert bench.do("key3", after_ms=399) == []
    bench.do("key4", after_ms=0)
    bench.do("key6", after_ms=100)  # another page of it
    assert bench.do("key4", after_ms=100) == ["presence.changed"]  # no double press any more


def test_who_goes_back_as_the_list_closes_does_not_hang_up():
    bench = DeskBench().talking()
    bench.do("key6")
    bench.do("tick", after_ms=8000)
    assert bench.station.menu is None
    assert bench.do("key1", after_ms=399) == []
    assert bench.do("key1", after_ms=1)[:1] == ["contact.ended"]
    bench = DeskBench().talking()
    bench.do("key6")
    bench.command("text", m="m1", text="Venga")  # it lies over the list
    assert bench.do("key1") == [] and bench.station.menu is None
    assert bench.do("key1")[:1] == ["contact.ended"]


def test_a_ring_is_answered_at_once_and_mute_works_beside_a_list():
    bench = DeskBench().ready()
    bench.do("key6")
    bench.ring()
    assert bench.do("key1", after_ms=0) == ["contact.answered"]
    bench.do("key6")
    assert bench.do("key2") == ["contact.muted"] and bench.station.menu


def test_a_call_just_answered_is_not_hung_up_by_the_same_key():
    bench = DeskBench().ready()
    bench.ring()
    bench.do("key1")
    assert bench.do("key1", after_ms=1499) == []
    assert bench.do("key1", after_ms=1) == ["contact.ended", "wrapup.started"]


def test_a_screen_that_changed_by_itself_takes_no_soft_key_at_once():
    bench = DeskBench().talking()
    bench.command("hangup", contact="c1", by="caller")
    assert bench.do("key3", after_ms=399) == []
    assert bench.station.menu.lines() == ["Consulta", "Reclamo"]
    bench.do("key3", after_ms=1)
    assert bench.station.menu.lines() == ["Saldo"]


def test_a_message_waits_for_its_reader():
    bench = DeskBench().talking()
    assert bench.command("text", m="m1", text="Venga") == ["message.shown"]
    assert bench.station.action("key3") is None
    assert bench.station.action("key6") == "message.acknowledge"
    assert bench.do("key6") == ["message.acknowledged"]
    read = bench.last("message.acknowledged")
    assert (read["m"], read["answer"], read["how"]) == ("m1", "read", "key")
    assert bench.station.action("key6") == "menu.show"


def test_the_newest_text_lies_on_top():
    bench = DeskBench().ready()
    for name in ("m1", "m2", "m3", "m4"):
        assert bench.command("text", m=name, text="Venga") == ["message.shown"]
    assert bench.command("text", m="m5", text="Venga") == ["command.refused"]
    assert bench.events[-1]["reason"] == "too_many"
    for name in ("m4", "m3", "m2", "m1"):
        bench.do("key6")
        assert bench.last("message.acknowledged")["m"] == name
    assert bench.station.message is None


def test_a_text_in_a_call_leaves_hold_where_it_is():
    bench = DeskBench().talking()
    bench.command("text", m="m1", text="Venga")
    assert bench.do("key4") == ["contact.held"]
    assert bench.do("key4") == ["contact.resumed"]
    assert bench.do("key3") == []
    assert bench.do("key6") == ["message.acknowledged"]


def test_a_text_for_somebody_else_is_not_shown():
    bench = DeskBench().ready()
    assert bench.command("text", m="m1", text="Venga", agent="a002") == ["command.refused"]
    assert bench.events[-1]["reason"] == "another_agent"
    assert bench.command("text", m="m1", text="Venga", agent="a001") == ["message.shown"]


def test_an_acuse_is_signed_by_her_own_badge():
    bench = DeskBench().ready()
    bench.command("text", m="m1", text="Retroalimentación del 12", sign=1)
    assert bench.do("key6") == []  # later
    assert bench.station.message is None
    bench.do("key6")
    bench.pick("messages")
    assert bench.station.message.name == "m1"
    bench.do("key6")
    assert "session.closed" not in bench.do("badge", ROSA)
    assert bench.station.message.signed
    assert bench.station.action("key3") == "message.agree"
    assert bench.do("key4") == ["message.acknowledged"]
    signed = bench.last("message.acknowledged")
    assert (signed["answer"], signed["how"]) == ("observe", "badge")
    assert bench.station.texts == []
    bench.do("badge", ROSA)
    assert bench.station.menu.kind == "session"


def test_power_comes_back_in_a_call():
    bench = DeskBench().talking()
    bench.intend()
    bench.do("key4")
    assert bench.reboot() == ["contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["by"] == "interrupted"
    assert bench.desk.agent == "a001"
    assert bench.do("tick", after_ms=60_000) == [
        "contact.typified", "wrapup.ended", "presence.changed"
    ]  # fmt: skip


def test_power_comes_back_in_any_state():
    bench = DeskBench().ready()
    assert bench.reboot() == []
    assert bench.desk.presence == "ready"
    bench.ring()
    assert bench.reboot() == ["contact.missed"]
    assert bench.last("contact.missed")["cause"] == "technical"
    bench.do("key4")
    assert bench.reboot() == ["contact.ended"]
    bench.ring()
    bench.do("key1")
    bench.do("key1")
    assert bench.reboot() == []
    assert bench.desk.work == "wrapup"
    assert bench.station.menu is not None


def test_power_cut_between_two_events_of_one_input():
    """Whatever prefix of an input's events is on flash, the next boot finishes or leaves it."""

    def cut_after(bench, count, name, details=None):
        bench.u += 2000
        bench.take(bench.station.handle(name, bench.u, details)[:count])
        return bench.reboot()

    assert cut_after(DeskBench(), 1, "badge", ROSA) == []
    assert cut_after(DeskBench(), 2, "badge", ROSA) == ["presence.changed"]
    bench = DeskBench().ready()
    bench.do("badge", ROSA)
    assert cut_after(bench, 1, "key4") == ["presence.changed"]
    bench = DeskBench().ready()
    bench.do("badge", ROSA)
    assert cut_after(bench, 1, "key5") == ["session.closed", "presence.changed"]
    assert cut_after(DeskBench().talking(), 1, "key1") == ["wrapup.started"]
    bench = DeskBench().ready()
    bench.ring()
    bench.u += 20_000
    assert cut_after(bench, 1, "tick") == ["presence.changed"]
    assert bench.desk.reason == "no_answer"
    bench = DeskBench().talking()
    bench.intend()
    bench.do("key4")
    bench.do("key1")
    bench.u += 60_000
    assert cut_after(bench, 2, "tick") == ["presence.changed"]
    assert bench.desk.reason == "refrigerio"


def test_only_endings_use_the_reserve():
    bench = DeskBench().talking()
    station = bench.station
    station.full = True
    assert bench.do("key4") == [] and station.notice[0] == "journal_full"
    assert bench.command("hold", contact="c1") == []
    assert bench.do("key1") == ["contact.ended", "wrapup.started"]
    assert bench.ring("c2") == []
    assert bench.do("tick", after_ms=60_000) == ["contact.typified", "wrapup.ended"]
    assert bench.ring("c3") == []
    assert bench.do("key3") == []
    assert bench.do("badge", NORMA) == ["attendance.marked", "session.closed", "presence.changed"]
    assert bench.do("badge", ROSA) == []
    station.full = False
    assert bench.do("badge", ROSA) == ["session.opened", "presence.changed"]
    station.full = True
    bench.do("badge", ROSA)
    assert bench.do("key5") == ["attendance.marked", "session.closed", "presence.changed"]


def test_volume_is_asked_for_by_long_presses():
    bench = DeskBench().talking()
    bench.do("long4")
    bench.do("long4")
    bench.do("long3")
    assert bench.station.volume == 1


def test_a_station_without_configuration_can_finish_what_it_began():
    bench = DeskBench().talking()
    bench.station.config = type(bench.station.config)()
    bench.do("key1")
    assert bench.station.menu is None
    assert bench.do("key1") == ["wrapup.ended"]


def test_a_change_that_she_did_not_make_stays_until_she_saw_it():
    bench = DeskBench().ready()
    bench.command("presence", to="not_ready", reason="capacitacion", who="Ana P.")
    changed = bench.last("presence.changed")
    assert (changed["by"], changed["who"]) == ("supervisor", "Ana P.")
    assert bench.desk.foreign == [changed["n"], "capacitacion", "Ana P.", None]
    bench.reboot()
    assert bench.station.action("key6") == "seen"
    assert bench.do("key6") == ["notice.acknowledged"]
    assert bench.last("notice.acknowledged")["of"] == name_of(changed["n"])
    assert bench.station.action("key6") is None or bench.station.action("key6") != "seen"
    bench.command("presence", to="not_ready", reason="reunion")
    assert bench.do("key3") == ["notice.acknowledged", "presence.changed"]


def test_who_wanted_it_is_told_when_it_takes_effect():
    bench = DeskBench(SMALL).talking()
    bench.command("presence", to="not_ready", reason="reunion", who="Ana P.")
    bench.do("key1")
    bench.do("key3")
    bench.do("key3")
    assert bench.do("key3")[-1] == "presence.changed"
    changed = bench.last("presence.changed")
    assert (changed["by"], changed["who"], changed["reason"]) == (
        "supervisor", "Ana P.", "reunion",
    )  # fmt: skip


def test_a_limit_warns_before_it_is_over():
    limited = dict(
        CONFIG, reasons=[["refrigerio", "Refrigerio", 2, 2700], ["break", "Break", 2, 90]]
    )
    bench = DeskBench(limited).ready()
    bench.do("tick")
    bench.do("key3")
    bench.do("key3")
    since = bench.u
    assert bench.station.deadline() == since + 2_640_000
    bench.do("tick", after_ms=2_640_000)
    assert bench.station.notice[0] == "limit_near"
    bench.do("tick", after_ms=3000)
    assert bench.station.deadline() is None
    bench.do("key4")
    bench.do("key4")
    assert bench.station.deadline() == bench.u + 45_000


def test_a_reported_fault_is_technical_time():
    bench = DeskBench().ready()
    assert bench.do("long5") == ["fault.reported", "presence.changed"]
    changed = bench.last("presence.changed")
    assert (changed["reason"], changed["by"]) == ("fault", "system")
    assert bench.desk.foreign is None  # her own key did it
    bench = DeskBench(SMALL).talking()
    assert bench.do("long5") == ["fault.reported", "presence.intended"]
    bench.do("tick", after_ms=8000)
    bench.do("key1")
    bench.do("key3")
    bench.do("key3")
    assert bench.do("key3")[-1] == "presence.changed"
    assert (bench.desk.reason, bench.last("presence.changed")["by"]) == ("fault", "system")
