"""The start of a shift: what is looked at, what needs her, and what is told of it."""

import json

from tests.support.deskbench import ROSA, WITH_PIN, DeskBench
from tests.support.scenes import CONFIG

SHIFT = dict(CONFIG, materials=[["guia", "Guía"], ["agua", "Agua"]])


def begun(config=SHIFT, **facts):
    bench = DeskBench(config)
    station = bench.station
    station.link = "up"
    station.utc = lambda u: 1770037200000 + u
    station.hears = True
    for name, value in facts.items():
        setattr(station, name, value)
    bench.ready()
    bench.do("key3")
    bench.do("key3")
    bench.desk.plugged = True
    bench.do("key6")
    bench.pick("selftest")
    return bench


def keys(bench):
    for key in (1, 2, 3, 4, 5, 6):
        assert bench.do("key" + str(key), after_ms=300) == []


def test_a_seat_in_order():
    bench = begun()
    bench.do("key3")
    keys(bench)
    assert bench.station.menu.hears
    bench.do("level", -30)
    assert bench.station.menu.lit
    bench.do("key3")
    assert bench.station.menu.lines() == ["Nada falta", "Guía", "Agua"]
    assert bench.do("key3") == ["station.selftest"]
    told = bench.last("station.selftest")
    assert told["fit"] and "reason" not in told and told["a"] == "a001"
    assert set(told["checks"].values()) == {"ok"}
    assert {"keys", "microphone", "lights", "link", "clock", "headset"} < set(told["checks"])
    assert bench.station.notice[0] == "fit"


def test_what_does_not_work_makes_it_not_fit():
    bench = begun()
    bench.do("key3")
    keys(bench)
    bench.do("level", -70)
    bench.do("key4")
    bench.do("key5")
    assert bench.do("key3") == ["station.selftest"]
    told = bench.last("station.selftest")
    assert told["checks"]["microphone"] == told["checks"]["lights"] == "failed"
    assert (told["fit"], told["reason"], told["missing"]) == (False, "lights", ["agua"])


def test_only_a_missing_material_is_a_reason_too():
    bench = begun(hears=False)
    bench.do("key3")
    keys(bench)
    bench.do("key3")
    bench.do("key4")
    assert bench.station.menu.lines() == ["Nada más", "Agua"]
    bench.do("key3")
    told = bench.last("station.selftest")
    assert (told["fit"], told["reason"], told["missing"]) == (False, "materials", ["guia"])
    assert told["checks"]["microphone"] == "skipped"


def test_who_does_not_answer_is_done_in_twenty_seconds():
    bench = begun(dict(CONFIG))
    bench.do("key3")
    begin = bench.u
    while bench.station.menu:
        bench.do("tick", after_ms=bench.station.deadline() - bench.u)
    told = bench.last("station.selftest")
    assert told["u"] - begin <= 20_000
    assert told["checks"]["keys"] == told["checks"]["lights"] == "failed"


def test_another_firmware_than_the_site_wants_is_not_in_order():
    for wanted, verdict in (("0.1.0", "ok"), ("0.2.0", "failed")):
        bench = begun(dict(CONFIG, firmware=wanted), firmware="0.1.0")
        bench.do("key4")
        bench.do("key3")
        assert bench.last("station.selftest")["checks"]["firmware"] == verdict


def test_it_can_be_left_out_with_a_reason():
    bench = begun(link="late")
    bench.do("key4")
    assert bench.do("key3") == ["station.selftest"]
    told = bench.last("station.selftest")
    assert (told["skipped"], told["fit"], told["reason"]) == ("call_waits", False, "link")
    assert "keys" not in told["checks"]


def test_the_host_asks_for_it():
    bench = begun(dict(CONFIG))
    bench.do("key1")
    assert bench.command("selftest") == []
    keys(bench)
    bench.do("level", -30)
    assert bench.do("key3") == ["station.selftest"]
    assert bench.last("station.selftest")["i"] == bench.number


def test_the_first_login_of_a_shift_begins_it_where_the_site_says_so():
    bench = DeskBench(dict(SHIFT, selftest=1))
    badge = ("0" * 32, "a001")
    bench.do("badge", badge)
    assert bench.station.menu.kind == "selftest"
    bench.do("key4")
    bench.do("key3")  # a call waits
    assert bench.last("station.selftest")["skipped"] == "call_waits"
    bench.do("badge", badge)
    bench.do("key4")  # the session is closed, the shift goes on
    assert bench.do("badge", badge) == ["session.opened", "presence.changed"]
    assert bench.station.menu is None
    bench = DeskBench(SHIFT)
    bench.do("badge", badge)
    assert bench.station.menu is None


def test_a_pin_typed_too_late_is_no_way_around_it():
    bench = DeskBench(dict(WITH_PIN, selftest=1))
    bench.utc_at_0 = 1770037200000
    bench.do("badge", ROSA)
    assert bench.do("tick", after_ms=10_000) == ["session.denied"]
    bench.do("badge", ROSA)
    assert bench.type("123455")[0] == "session.opened"
    assert bench.station.menu.kind == "selftest"


TOOLS = [["crm", "CRM abre"], ["vpn", "VPN"], ["correo", "Correo"]]
EQUIPPED = dict(CONFIG, tools=TOOLS, faults=[["sistemas", "Sistemas", [["vpn", "VPN"]]]])


def tried(config=EQUIPPED):
    """The station is in order; the tools are next."""
    bench = begun(config, hears=False)
    bench.do("key3")
    keys(bench)
    bench.do("key3")
    return bench


def test_tools_that_work_take_a_key_each():
    bench = tried()
    for _, label in TOOLS:
        assert bench.station.menu.title == "¿" + label + "?"
        assert bench.station.menu.lines() == ["yes", "no"]
        kinds = bench.do("key3")
    assert kinds == ["station.selftest"]
    told = bench.last("station.selftest")
    assert told["fit"] and "tools" not in told


def test_a_tool_that_does_not_work_is_a_fault_with_one_more_key():
    bench = tried(dict(EQUIPPED, materials=[["guia", "Guía"]]))
    assert bench.do("key4") == []
    assert bench.station.menu.kind == "tool_fault"
    assert bench.do("key3") == ["fault.reported"]
    told = bench.last("fault.reported")
    assert (told["a"], told["area"], told["part"]) == ("a001", "tools", "crm")
    bench.do("key4")
    assert bench.do("key3") == ["fault.reported"]  # of the area that has it among its parts
    told = bench.last("fault.reported")
    assert (told["area"], told["part"]) == ("sistemas", "vpn")
    bench.do("key4")
    assert bench.do("key4") == []  # known, and not told
    assert bench.station.menu.kind == "materials"
    assert bench.do("key3") == ["station.selftest"]
    told = bench.last("station.selftest")
    assert told["tools"] == ["crm", "vpn", "correo"]
    assert (told["fit"], told["reason"]) == (False, "tools")
    assert [row[2:] for row in bench.desk.reports] == [["tools", "crm"], ["sistemas", "vpn"]]
    assert bench.desk.presence == "not_ready"


def test_a_tool_told_wrongly_is_told_again():
    bench = tried()
    bench.do("key4")
    bench.do("key3")
    bench.do("key1")  # back to whether it is to be told
    bench.do("key1")  # and to whether it works
    assert bench.station.menu.title == "¿CRM abre?"
    assert bench.do("key4") == [], "it is a fault already"
    assert bench.station.menu.title == "¿VPN?"
    bench.do("key3")
    bench.do("key3")
    assert bench.last("station.selftest")["tools"] == ["crm"]


def test_who_leaves_the_test_out_is_asked_about_no_tool():
    bench = begun(EQUIPPED)
    bench.do("key4")
    assert bench.do("key3") == ["station.selftest"]
    assert "tools" not in bench.last("station.selftest")


def test_a_supervisor_leaves_it_out_wherever_it_is():
    equipped = dict(EQUIPPED, materials=[["guia", "Guía"]])
    for keys in ((), ("4",), ("3",), ("tools",), ("tools", "4"), ("tools", "3", "3", "3")):
        bench = tried(equipped) if keys[:1] == ("tools",) else begun(equipped)
        for key in keys:
            if key != "tools":
                bench.do("key" + key)
        assert bench.station.menu
        assert bench.command("selftest", skip=1) == ["station.selftest"]
        told = bench.last("station.selftest")
        assert (told["skipped"], told["i"]) == ("supervisor", bench.number)
        assert "tools" not in told and bench.station.menu is None
        assert bench.command("selftest", skip=1) == ["command.refused"]
        assert bench.last("command.refused")["reason"] == "no_selftest"


def test_what_a_supervisor_left_out_is_not_asked_again_in_that_shift():
    bench = DeskBench(dict(EQUIPPED, selftest=1))
    bench.do("badge", ROSA)
    assert bench.station.menu.kind == "selftest"
    bench.command("selftest", skip=1)
    bench.do("badge", ROSA)
    bench.do("key4")  # the session is closed, the shift goes on
    assert bench.do("badge", ROSA) == ["session.opened", "presence.changed"]
    assert bench.station.menu is None


def test_a_tool_that_works_again_is_named():
    bench = tried()
    bench.do("key4")
    bench.do("key3")
    bench.do("key3")
    bench.do("key3")
    bench.command("fault", of=bench.desk.ticket, state="resolved", by="Mesa")
    bench.do("tick", after_ms=3_000)
    bench.do("tick", after_ms=2_000)
    assert bench.station.menu.about == "CRM abre"


def test_what_is_told_of_it_always_fits_an_event():
    many = [["m" * 23 + str(at), "M"] for at in range(9)]
    for wrong in (False, True):
        site = dict(EQUIPPED, tools=many, materials=many, firmware="9")
        bench = begun(site, hears=False, firmware="9")
        station = bench.station
        if wrong:
            station.menu = None
            station.firmware = "8"
            station.link = "lost"
            station.utc = lambda u: None
            bench.desk.plugged = False
            bench.desk.agent = "a" * 24
            for part in ("badge_reader", "codec", "screen", "lights", "journal", "config"):
                bench.desk.faults[part] = "x"
            bench.do("key6")
            bench.pick("selftest")
        bench.do("key3")
        keys(bench)
        bench.do("key4" if wrong else "key3")
        for _ in many:
            bench.do("key4")
            bench.do("key4")
        for _ in many:
            assert station.menu.kind == "materials"
            bench.do("key4")
        assert bench.do("key3") == ["station.selftest"]
        told = bench.last("station.selftest")
        assert told["tools"] == [row[0] for row in many[: 1 if wrong else 3]]
        assert "missing" not in told and told["fit"] is False
        told = dict(told, b=99_999, u=2**33, t=1_795_000_000_000, i=2**31)
        del told["n"]
        assert len(json.dumps(told, separators=(",", ":")).encode()) <= 448
