"""Calls that only the keys tell of, when nobody speaks; and rings that she could not hear."""

from lib.sound import Sound

from tests.support.deskbench import DeskBench


def by_key():
    bench = DeskBench().ready()
    bench.do("key4")
    bench.do("key3")
    return bench


def ask(bench, silent_ms=45_000):
    bench.u += silent_ms
    return bench.do("quiet", bench.u - silent_ms, after_ms=0)


def test_the_question_goes_unanswered():
    bench = by_key()
    voice = bench.u
    assert ask(bench) == []
    assert bench.station.menu.lines() == ["yes", "no"]
    assert bench.station.deadline() == bench.u + 30_000
    assert bench.do("tick", after_ms=30_000) == ["contact.ended", "wrapup.started"]
    ended = bench.last("contact.ended")
    assert (ended["estimated"], ended["by"]) == (True, "system")
    assert bench.u - ended["silent_ms"] == voice


def test_she_says_so():
    bench = by_key()
    ask(bench)
    assert bench.do("key3") == []
    assert bench.station.menu is None and bench.desk.work == "talking"
    ask(bench)
    assert bench.do("key4") == ["contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["silent_ms"] == 47_000


def test_somebody_speaks_again():
    bench = by_key()
    ask(bench)
    assert bench.do("quiet", None) == []
    assert bench.station.menu is None
    assert bench.do("tick", after_ms=60_000) == []


def test_a_call_of_the_switch_is_not_asked_about():
    bench = DeskBench().talking()
    ask(bench)
    assert bench.station.menu is None


def test_nothing_is_asked_over_a_list_or_on_hold():
    bench = by_key()
    bench.do("key6")
    menu = bench.station.menu
    ask(bench, 1000)
    assert bench.station.menu is menu
    bench.do("tick", after_ms=8000)
    ask(bench)
    bench.command("hold", contact=bench.desk.contact)
    assert bench.station.menu is None
    ask(bench)
    assert bench.station.menu is None


class Notes:
    """An application that takes notes."""

    def __init__(self):
        self.posted = []
        self.clock = self

    def now(self):
        return 100_000

    def post(self, name, u, details=None):
        self.posted.append((name, details))


class Ears(Sound):
    def __init__(self, app):
        self._app = app
        self._asking = False


def test_the_meter_asks_each_45_seconds_and_tells_a_voice():
    app = Notes()
    sound = Ears(app)
    for silent_ms in (0, 20, 44_980, 45_000, 45_020, 0, 20, 45_000, 90_000):
        sound._heed(silent_ms)
    assert app.posted == [
        ("quiet", 55_000), ("quiet", None), ("quiet", 55_000), ("quiet", 10_000)
    ]  # fmt: skip


def missed(change):
    bench = DeskBench().ready()
    bench.ring()
    change(bench)
    bench.do("tick", after_ms=20_000)
    return bench.last("contact.missed")["cause"], bench.desk.presence


def test_what_she_could_not_hear_is_technical():
    def unplugged(bench):
        bench.take([{"k": "headset.unplugged"}])

    def late(bench):
        bench.station.link = "late"

    def broken(bench):
        bench.take([{"k": "station.fault", "part": "codec", "code": "no_answer"}])

    for change in (unplugged, late, broken):
        assert missed(change) == ("technical", "ready")


def test_a_part_that_no_call_needs_is_no_excuse():
    def broken(bench):
        bench.take([{"k": "station.fault", "part": "wifi", "code": "no_answer"}])

    def plugged(bench):
        bench.take([{"k": "headset.unplugged"}, {"k": "headset.plugged"}])

    for change in (broken, plugged):
        assert missed(change) == ("no_answer", "not_ready")


def test_a_fault_that_she_reported_is_technical():
    bench = DeskBench().ready()
    bench.do("long5")
    bench.do("key1")
    bench.do("key3")
    bench.ring()
    bench.do("tick", after_ms=20_000)
    assert bench.last("contact.missed")["cause"] == "technical"
