"""The agent's telephone at the switch: it was not there to talk, and how the host says it is."""

from tests.support.deskbench import DeskBench


def failed(bench, contact="c1"):
    return bench.command("failed", contact=contact)


def told(bench, state):
    return bench.command("telephone", state=state)


def as_now(bench):
    return bench.desk.work, bench.desk.presence, bench.desk.reason


def test_a_telephone_that_was_not_there():
    bench = DeskBench().talking()
    assert bench.desk.today["a001"][1] == 1
    assert failed(bench) == ["contact.ended", "presence.changed"]
    ended, changed = bench.events[-2:]
    assert (ended["c"], ended["by"], ended["i"]) == ("c1", "technical", bench.number)
    assert (changed["to"], changed["reason"], changed["by"]) == ("not_ready", "fault", "system")
    assert as_now(bench) == ("idle", "not_ready", "fault")
    assert bench.station.notice[0] == "phone_failed"
    assert bench.desk.today["a001"][1] == 0 and bench.desk.contact is None
    assert bench.station.menu is None and not bench.desk.pending  # no code is asked for
    assert bench.do("key3") == ["presence.changed"]
    assert as_now(bench) == ("idle", "ready", None)


def test_it_goes_in_the_middle_of_a_hold_or_a_consult():
    bench = DeskBench().talking()
    bench.do("key4")
    assert failed(bench) == ["contact.ended", "presence.changed"]
    bench = DeskBench().talking()
    bench.command("consult", contact="c1", area="reclamos")
    assert failed(bench) == ["contact.consult_ended", "contact.ended", "presence.changed"]
    assert as_now(bench) == ("idle", "not_ready", "fault")


def test_a_call_out_that_had_no_telephone():
    bench = DeskBench().ready()
    bench.command("dial", contact="c1")
    assert failed(bench) == ["contact.ended", "presence.changed"]
    ended = bench.last("contact.ended")
    assert (ended["by"], ended["dial_result"]) == ("technical", "failed")
    assert as_now(bench) == ("idle", "not_ready", "fault")


def test_a_call_out_says_what_became_of_it():
    for result, said in ((None, "no_answer"), ("busy", "busy"), ("failed", "failed")):
        bench = DeskBench().ready()
        assert bench.command("dial", contact="c1", reference="ab" * 16) == ["contact.dialed"]
        assert bench.last("contact.dialed")["reference"] == "ab" * 16
        more = {"result": result} if result else {}
        assert bench.command("hangup", contact="c1", by="system", **more) == ["contact.ended"]
        ended = bench.last("contact.ended")
        assert (ended["by"], ended["dial_result"]) == ("system", said)
        assert as_now(bench) == ("idle", "ready", None)


def test_a_call_that_was_answered_has_no_such_result():
    bench = DeskBench().talking()
    bench.command("hangup", contact="c1", by="system", result="busy")
    assert "dial_result" not in bench.last("contact.ended")
    bench = DeskBench().ready()
    bench.command("dial", contact="c1")
    assert bench.command("hangup", contact="c1", by="system", result="x") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "bad_command"


def test_it_failed_nowhere_else():
    bench = DeskBench()

    def reason(kinds):
        assert kinds == ["command.refused"]
        return bench.last("command.refused")["reason"]

    assert reason(failed(bench)) == "no_such_contact"
    bench.ready()
    assert reason(failed(bench)) == "no_such_contact"
    bench.ring()
    assert reason(failed(bench)) == "wrong_state"
    bench.do("key1")
    assert reason(failed(bench, "c2")) == "no_such_contact"
    assert reason(bench.command("failed")) == "bad_command"
    bench.do("key1")
    assert reason(failed(bench)) == "wrong_state"
    assert bench.desk.work == "wrapup"


def test_what_she_asked_for_after_the_call_comes_all_the_same():
    bench = DeskBench().talking()
    bench.command("presence", to="not_ready", reason="reunion")
    failed(bench)
    assert as_now(bench) == ("idle", "not_ready", "reunion")
    bench = DeskBench().talking()
    bench.command("session", agent="a001", verdict="close", reason="moved")
    assert failed(bench) == ["contact.ended", "session.closed", "presence.changed"]
    assert bench.desk.presence == "logged_out"


def test_a_cut_of_power_owes_the_rest():
    bench = DeskBench().talking()
    events = bench.station.handle("failed", bench.u, {"cmd": "failed", "i": 9, "contact": "c1"})
    bench.take(events[:1])
    assert bench.reboot() == ["presence.changed"]
    assert as_now(bench) == ("idle", "not_ready", "fault")


def test_the_switch_is_away():
    bench = DeskBench().ready()
    assert told(bench, "no_switch") == ["station.fault"]
    fault = bench.last("station.fault")
    assert (fault["part"], fault["code"], fault["i"]) == ("switch", "no_switch", bench.number)
    assert as_now(bench) == ("idle", "ready", None)
    assert bench.ring() == ["contact.offered"]  # keys go on as ever
    assert bench.do("key1") == ["contact.answered"]
    bench.reboot()
    assert bench.desk.faults == {"switch": "no_switch"}
    assert told(bench, "no_switch") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "no_change"
    assert told(bench, "ok") == ["station.fault_cleared"]
    assert bench.desk.faults == {}
    assert told(bench, "ok") == ["command.refused"]
    assert told(bench, "gone") == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "bad_command"


def test_without_a_telephone_nobody_is_ready():
    bench = DeskBench().ready()
    assert told(bench, "no_phone") == ["station.fault", "presence.changed"]
    fault, changed = bench.events[-2:]
    assert (fault["part"], fault["code"], fault["i"]) == ("telephone", "no_phone", bench.number)
    assert (changed["reason"], changed["by"]) == ("fault", "system")
    bench.station.notice = None
    assert bench.do("key3") == []
    assert bench.station.notice[0] == "no_phone"
    bench.reboot()
    assert bench.do("key3") == []
    assert as_now(bench) == ("idle", "not_ready", "fault")
    assert bench.ring() == ["command.refused"]
    assert told(bench, "ok") == ["station.fault_cleared"]
    assert bench.last("station.fault_cleared")["code"] == "no_phone"
    assert bench.do("key3") == ["presence.changed"]
    assert bench.desk.presence == "ready"


def test_the_telephone_goes_in_a_call():
    for work in ("offered", "talking", "wrapup"):
        bench = DeskBench().ready()
        bench.ring()
        if work != "offered":
            bench.do("key1")
        if work == "wrapup":
            bench.do("key1")
        assert bench.desk.work == work
        assert told(bench, "no_phone") == ["station.fault"], work
        if work == "offered":
            bench.command("withdraw", contact="c1", cause="technical")
        elif work == "talking":
            bench.intend()
            bench.pick(bench.station.words["go_ready"])
            bench.do("key1")
        else:
            assert bench.ring("c2") == ["command.refused"]
            assert bench.last("command.refused")["reason"] == "not_ready"
        if work != "offered":
            assert bench.do("tick", after_ms=60_000)[-1] == "presence.changed"
        assert as_now(bench) == ("idle", "not_ready", "fault"), work


def test_a_ring_that_no_telephone_could_take_is_not_hers_to_have_missed():
    bench = DeskBench().ready()
    bench.ring()
    told(bench, "no_phone")
    assert bench.do("tick", after_ms=20_000) == ["contact.missed", "presence.changed"]
    assert bench.last("contact.missed")["cause"] == "technical"
    assert as_now(bench) == ("idle", "not_ready", "fault")


def test_a_telephone_that_is_back_before_the_call_ends():
    bench = DeskBench().talking()
    told(bench, "no_phone")
    told(bench, "ok")
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    assert as_now(bench) == ("idle", "ready", None)


def test_who_is_not_ready_stays_as_she_is():
    bench = DeskBench()
    assert told(bench, "no_phone") == ["station.fault"]  # also where nobody sits
    bench.ready()
    assert as_now(bench) == ("idle", "not_ready", "login")
    bench.command("presence", to="not_ready", reason="reunion")
    told(bench, "ok")
    assert told(bench, "no_phone") == ["station.fault"]
    assert bench.desk.reason == "reunion"


def test_the_newest_word_is_the_truth():
    bench = DeskBench().ready()
    told(bench, "no_switch")
    kinds = told(bench, "no_phone")  # so the switch is there
    assert kinds == ["station.fault", "station.fault_cleared", "presence.changed"]
    assert bench.desk.faults == {"telephone": "no_phone"}
    assert [event.get("i") for event in bench.events[-3:]] == [bench.number, None, None]
    assert told(bench, "no_switch") == ["station.fault"]  # of her telephone nothing new is known
    assert bench.do("key3") == []
    assert told(bench, "ok") == ["station.fault_cleared", "station.fault_cleared"]
    assert bench.desk.faults == {}


def test_what_the_host_told_stays_in_a_snapshot_that_is_too_long():
    bench = DeskBench().ready()
    told(bench, "no_phone")
    told(bench, "no_switch")
    for part in ("badge_reader", "codec", "screen", "keys", "lights", "audio", "wifi", "journal"):
        bench.desk.faults[part] = "wrong_password" * 3
    bench.reboot()
    assert bench.desk.faults == {"telephone": "no_phone", "switch": "no_switch"}


def test_a_cut_of_power_before_she_was_set_not_ready():
    bench = DeskBench().ready()
    command = {"cmd": "telephone", "i": 9, "state": "no_phone"}
    bench.take(bench.station.handle("telephone", bench.u, command)[:1])
    assert bench.reboot() == ["presence.changed"]
    assert as_now(bench) == ("idle", "not_ready", "fault")


def test_with_only_the_reserve_left_a_call_can_still_fail():
    bench = DeskBench().talking()
    bench.station.full = True
    assert failed(bench) == ["contact.ended", "presence.changed"]
    assert told(bench, "no_phone") == []  # it is told again when there is room
