"""The second factor: who is asked for it, what a wrong one costs, and the code of who forgot her
badge.
"""

import asyncio

from lib.pin import check, derive

from tests.support.deskbench import NORMA, PINS, ROSA, WITH_PIN, DeskBench, name_of

LOGIN = ["session.opened", "presence.changed"]
SECURE = (ROSA[0], ROSA[1], "badge_secure")


def bench_with(policy="clonable"):
    return DeskBench(dict(WITH_PIN, pin=policy))


def denied(bench, kinds, reason):
    assert kinds == ["session.denied"], kinds
    assert bench.last("session.denied")["reason"] == reason
    assert bench.last("session.denied")["a"] == "a001"


def test_pbkdf2_is_that_of_the_host():
    found = asyncio.run(derive(b"123455", b"\x00\x01\x02\x03\x04\x05\x06\x07"))
    assert found == bytes.fromhex("27c30e0db36a264a2a9355f506480d31")


def test_a_check_posts_its_answer_and_leaves_no_digits():
    from binascii import a2b_base64, b2a_base64

    class Page:
        details = ("0", "a001")
        first = None

        def __init__(self, digits):
            self.digits = digits

        def wipe(self):
            self.digits = None

    class App:
        crowded = False

        def __init__(self):
            self.posted = []

        def post(self, *what):
            self.posted.append(what)

    class Object:
        pass

    app = App()
    app.machine = app.clock = Object()
    app.clock.now = lambda: 7
    app.machine.config = Object()
    salt = b"saltsalt"
    right = b2a_base64(salt + asyncio.run(derive(b"123455", salt))).decode().strip()
    assert len(a2b_base64(right)) == 24
    for verifier, digits, answer in (
        (right, b"123455", True), (right, b"123456", False), ("", b"123455", False),
    ):  # fmt: skip
        app.machine.config.verifier = lambda agent, verifier=verifier: verifier
        page = Page(digits)
        asyncio.run(check(app, page))
        assert app.posted.pop() == ("pin_checked", 7, (page, answer))
        assert page.digits is None


def test_the_mark_of_who_relieves_is_told_by_its_time_beside_the_pin():
    bench = DeskBench(WITH_PIN)
    bench.utc_at_0 = 1_770_037_200_000
    bench.ready()
    assert bench.do("badge", NORMA) == ["attendance.marked"]
    page = bench.station.menu
    assert (page.mark, page.title) == ("08:00", "ÑAÚPA Á. É. Í. Ó")
    assert bench.station.notice[1] == "08:00\nÑAÚPA Á. É. Í. Ó"


def test_the_mark_comes_first_and_the_session_after_the_pin():
    bench = bench_with()
    assert bench.do("badge", ROSA) == ["attendance.marked"]
    mark = bench.last("attendance.marked")
    assert bench.type("12345") == [] and bench.station.menu.count == 5
    assert bench.type("5") == LOGIN
    opened = bench.last("session.opened")
    assert (opened["method"], opened["of"]) == ("badge_pin", name_of(mark["n"]))
    assert bench.station.menu is None


def test_who_is_asked():
    for policy, badge, asked in (
        ("none", ROSA, False), ("none", SECURE, False), ("clonable", ROSA, True),
        ("clonable", SECURE, False), ("always", ROSA, True), ("always", SECURE, True),
    ):  # fmt: skip
        bench = bench_with(policy)
        bench.do("badge", badge)
        assert bench.desk.open != asked, (policy, badge)


def test_a_wrong_pin_may_be_typed_again_until_there_were_five():
    bench = bench_with()
    bench.do("badge", ROSA)
    for left in (4, 3, 2, 1):
        denied(bench, bench.type("111111"), "wrong_pin")
        assert bench.station.menu.left == left
    denied(bench, bench.type("111111"), "wrong_pin")
    assert bench.station.menu is None and bench.station.notice == ("wait", "30")
    denied(bench, bench.do("badge", ROSA, 1000), "locked")
    assert bench.station.notice == ("wait", "29")
    assert bench.do("badge", ROSA, 29_000) == []
    denied(bench, bench.type("111111"), "wrong_pin")
    for wait_s in (60, 120, 300, 900, 900):
        denied(bench, bench.do("badge", ROSA, wait_s * 1000 - 1), "locked")
        assert bench.do("badge", ROSA, 1) == []
        denied(bench, bench.type("222222"), "wrong_pin")
    assert bench.do("badge", ROSA, 900_000) == []
    assert bench.type("123455") == LOGIN
    assert bench.desk.wrong == {}


def test_a_lock_out_outlives_a_cut_of_power_and_locks_nobody_else():
    bench = bench_with()
    bench.do("badge", ROSA)
    bench.type("111111" * 5)
    bench.reboot()
    assert bench.do("badge", ROSA)[-1] == "session.denied"
    assert bench.last("session.denied")["reason"] == "locked"
    assert bench.do("badge", NORMA) == ["attendance.marked"]
    assert bench.type("654322") == LOGIN


def test_ten_idle_seconds_cancel():
    bench = bench_with()
    bench.do("badge", ROSA)
    bench.type("123")
    assert bench.do("tick", after_ms=9_999) == []
    denied(bench, bench.do("tick", after_ms=1), "pin_cancelled")
    assert bench.station.menu is None and not bench.desk.open


def test_a_new_tap_begins_anew():
    bench = bench_with()
    bench.do("badge", ROSA)
    bench.type("123")
    assert bench.do("badge", ROSA) == []
    assert bench.type("123455") == LOGIN
    bench.do("badge", NORMA)
    bench.type("123")
    bench.do("badge", ("2" * 32, None))  # one that nobody knows ends it
    assert bench.station.menu is None


def test_a_badge_that_swings_by_unread_takes_no_digit_away():
    bench = bench_with()
    bench.do("badge", ROSA)
    bench.type("123")
    assert bench.do("bad_read") == []
    assert bench.type("455") == LOGIN


def test_an_answer_that_comes_too_late_opens_nothing():
    bench = bench_with()
    bench.do("badge", ROSA)
    page = bench.station.menu
    bench.do("badge", NORMA)
    assert bench.do("pin_checked", (page, True)) == []


def test_relief_waits_for_the_pin_and_a_call_goes_before_it():
    bench = bench_with().ready()
    bench.do("badge", NORMA)
    assert bench.desk.agent == "a001"
    assert bench.type("654322") == ["session.closed", "presence.changed"] + LOGIN  # noqa: RUF005
    bench.do("key3")
    bench.do("badge", ROSA)
    bench.type("12")
    assert bench.ring() == ["contact.offered"]
    assert bench.station.menu is None


def test_code_and_pin_stand_for_a_badge_forgotten():
    bench = bench_with("none")
    assert bench.station.action("key6") == "pin.code"
    assert bench.do("key6") == []
    assert bench.type("1111") == [] and bench.station.menu.kind == "pin"
    assert bench.type("123455") == ["attendance.marked"] + LOGIN  # noqa: RUF005
    mark, opened = bench.last("attendance.marked"), bench.last("session.opened")
    assert (mark["method"], mark["badge"], mark["a"]) == ("code_pin", None, "a001")
    assert (opened["method"], opened["of"]) == ("code_pin", name_of(mark["n"]))


def test_a_wrong_code_looks_like_a_wrong_pin_and_is_counted():
    bench = bench_with("none")
    bench.do("key6")
    bench.type("3333")
    for _ in range(5):
        assert bench.type("123455") == ["session.denied"]
        assert "a" not in bench.last("session.denied")
    bench.do("key6")
    assert bench.type("3333") == ["session.denied"]
    assert bench.last("session.denied")["reason"] == "locked"
    bench.do("key6")
    bench.type("1111")
    assert bench.type("123455")[0] == "attendance.marked"


def test_no_code_no_key_for_it():
    assert DeskBench().station.action("key6") is None


def test_salida_by_code_is_marked_so():
    bench = bench_with("none").ready()
    bench.do("key6")
    menu = bench.station.menu
    bench.do("key%d" % (3 + menu.lines().index("with_code")))  # noqa: UP031
    bench.type("1111123455")
    assert bench.station.menu.kind == "session"
    assert bench.do("key5")[0] == "attendance.marked"
    mark = bench.last("attendance.marked")
    assert (mark["method"], mark["direction"]) == ("code_pin", "out")


def test_a_pin_is_in_no_event_and_in_no_snapshot():
    import json

    bench = bench_with("always")
    bench.do("badge", ROSA)
    bench.type("123455")
    bench.do("badge", NORMA)
    bench.type("65432")
    told = json.dumps(bench.events).encode() + bench.desk.snapshot()
    assert not any(pin in told for pin in PINS.values())
    bench.type("2")
    assert bench.desk.agent == "a002"
