"""The app with parts that only note what is asked of them: order, faults, commands, boots."""

import asyncio
import json
import sys
from binascii import hexlify, unhexlify

from lib import updating
from lib.app import App
from lib.chip import about
from lib.config import Config
from lib.config_store import ConfigStore
from lib.errors import PartError
from lib.frames import Decoder, encode
from lib.journal import Journal, JournalFull
from lib.parts import Parts
from lib.report import health
from lib.seal import hmac_sha256
from lib.timekeeping import Clock

from tests.firmware.suite.test_lib_config import GOOD, Folder, commands
from tests.support.nor import Nor
from tests.support.scenes import CONFIG

STATION = "DIA-0200000000a1"
UTC = 1770037200000


class Store:
    """A configuration that is there; blocks are not looked at."""

    broken = 0

    def __init__(self, data=CONFIG):
        self.data = data

    def load(self):
        return Config(self.data)

    def erase(self):
        self.data = None


class Serial:
    def __init__(self):
        self.sent = []
        self.logged = []
        self.incoming = []
        self.guarded = False
        self._decoder = Decoder()

    async def read(self):
        return self.incoming.pop(0) if self.incoming else b""

    async def write(self, data):
        self.sent += [json.loads(message) for message in self._decoder.feed(bytes(data))]

    def guard(self):
        self.guarded = True

    def stops(self, data):
        return False

    def log(self, text):
        self.logged.append(text)

    def dump(self):
        return {}


class Part:
    """A light, a screen or a codec; notes what it is told with the journal's last n."""

    volume = 50
    muted = False
    sidetone = 20
    microphone_gain_db = 24

    def __init__(self, bench):
        self._bench = bench
        self.shown = []

    def show(self, what, whole=False):
        if self._bench.broken:
            raise PartError("screen", "no_answer", "check its cable")
        self.shown.append((self._bench.app.journal.last, bytes(what)))

    def scroll(self, rows):
        pass

    def contrast(self, value):
        self.level = value

    def power(self, on):
        self.lit = on

    def set_volume(self, volume):
        self.volume = volume

    def mute(self, muted):
        self.muted = muted

    def dump(self):
        return {}


class NotedParts(Parts):
    """Makes a Part for whatever role the bench names."""

    def __init__(self, bench):
        super().__init__({role: None for role in bench.names}, {}, None)
        self._bench = bench

    def _build(self, role):
        part = self._bench.made[role] = Part(self._bench)
        return part


class Bench:
    def __init__(self, nor=None, parts=("lights", "screen", "codec")):
        self.nor = nor or Nor(8)
        self.ticks = 0
        self.broken = False
        self.made = {}
        self.names = parts
        self.number = 0
        self.store = Store()
        self.boot()

    def boot(self, faults=(), order=None, cause="power_on", text="", board="test"):
        self.serial = Serial()
        self.ticks = 0
        self.app = App(
            STATION, board, Journal(self.nor), lambda: self.store, Clock(lambda: self.ticks),
            self.serial, NotedParts(self),
        )  # fmt: skip
        before = self.app.journal
        self.app.start(cause, faults, order, text)
        self.first = before.first
        return self

    def step(self, name, details=None, after_ms=None):
        if after_ms is None:
            after_ms = 100 if name == "command" else 2000
        self.ticks += after_ms
        before = self.app.journal.last
        self.app._step(name, self.app.clock.now(), details)
        return self.since(before)

    def command(self, name, number=None, **fields):
        self.number = number or self.number + 1
        fields["cmd"] = name
        fields["i"] = self.number
        return self.step("command", fields)

    def since(self, n):
        """Events after `n` as they stand on flash."""
        found = []
        while True:
            n += 1
            read = self.app.journal.read(n)
            if read is None:
                return found
            found.append(json.loads(read[1]))

    def kinds(self, n=0):
        return [event["k"] for event in self.since(n)]


ROSA = ("0" * 32, "a001")


def test_a_boot_says_so_and_counts():
    bench = Bench()
    booted = bench.since(0)[0]
    assert booted == {
        "k": "station.booted", "cause": "power_on", "firmware": "0.1.0", "board": "test",
        "micropython": "{}.{}.{}".format(*sys.implementation.version[:3]), "torn": 0,
        "build": getattr(sys.implementation, "_build", ""), "psram": 0, "start": about()["start"],
        "b": 1, "u": 0, "t": None,
    }  # fmt: skip
    bench.boot()
    assert [event["b"] for event in bench.since(0)] == [1, 2]


def test_the_end_of_the_longest_crash_is_told():
    import lib.chip

    about = {"build": "ESP32_GENERIC_S3-SPIRAM_OCT", "psram": 8 << 20, "start": 12}
    text = '  File "lib/app.py"\n' * 12 + "OSError: 5"
    bench = Bench()
    real, lib.chip.about = lib.chip.about, lambda: about
    try:
        bench.boot(cause="crash", text=text, board="b" * 24)
    finally:
        lib.chip.about = real
    booted = bench.since(0)[-1]
    assert booted["k"] == "station.booted" and booted["build"] == about["build"]
    assert len(booted["text"]) > 100 and text.endswith(booted["text"])


def test_journal_first_then_lights_and_screen():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("key3")
    n = bench.app.journal.last
    bench.command("ring", contact="c1", direction="in")
    for part in ("lights", "screen"):
        seen, _ = bench.made[part].shown[-1]
        assert seen == n + 1
    assert bench.made["lights"].shown[-1][1] == b"\x00\x00\x01"


def test_time_is_anchored_where_the_frame_arrived():
    bench = Bench()
    bench.ticks = 700
    assert bench.command("time", utc="soon")[0]["reason"] == "bad_command"
    assert bench.command("time", utc=5)[0]["reason"] == "bad_command"
    clock = bench.command("time", utc=UTC)[0]
    assert clock == {
        "k": "station.clock", "utc": UTC, "source": "host", "uncertainty_ms": 250, "i": 3,
        "b": 1, "u": 1000, "t": UTC,
    }  # fmt: skip
    assert bench.step("badge", ROSA, after_ms=50)[0]["t"] == UTC + 50


def test_the_way_of_hello_and_answer_bounds_the_hosts_time():
    bench = Bench()
    bench.ticks = 20_700
    clock = bench.command("time", utc=UTC, hello_u=20_769)[0]  # the answer is there at 20 800
    assert (clock["utc"], clock["uncertainty_ms"], clock["u"]) == (UTC + 15, 16, 20_800)
    clock = bench.command("time", utc=UTC, hello_u=19_900)[0]  # it waited for another message
    assert (clock["utc"], clock["uncertainty_ms"], clock["u"]) == (UTC + 500, 501, 20_900)
    for hello_u in (1_000_000, 0, -5, "x", None, 700.5):  # not yet said, too long ago, none
        clock = bench.command("time", utc=UTC, hello_u=hello_u)[0]
        assert (clock["utc"], clock["uncertainty_ms"]) == (UTC, 250)
    assert bench.command("time", utc=None, hello_u=bench.ticks)[0]["reason"] == "bad_command"


def test_an_hour_of_another_source_gives_way_to_the_hosts():
    bench = Bench()
    app = bench.app
    bench.ticks = 5_000
    before = app.journal.last
    assert not app.anchor(5, 4_000, "sntp", 9)
    assert app.clock.utc(0) is None
    assert app.anchor(UTC, 4_000, "sntp", 9)
    (event,) = bench.since(before)
    assert event == {
        "k": "station.clock", "utc": UTC, "source": "sntp", "uncertainty_ms": 9,
        "b": 1, "u": 4_000, "t": UTC,
    }  # fmt: skip
    assert app.dump()["clock"] == {"u": 5_000, "source": "sntp", "uncertainty_ms": 9}
    bench.command("time", utc=UTC + 7_000)
    assert app.clock.utc(5_100) == UTC + 7_000
    assert app.dump()["clock"]["source"] == "host"


def test_an_anchor_older_than_the_last_event_is_told_at_the_events_u():
    bench = Bench()
    bench.ticks = 1_900
    bench.step("badge", ROSA)  # at 2000
    before = bench.app.journal.last
    bench.app.anchor(UTC, 1_990, "sntp", 9)
    (event,) = bench.since(before)
    assert event["utc"] - event["u"] == UTC - 1_990
    assert bench.app.clock.utc(1_990) == UTC


def test_a_command_is_executed_once_also_over_a_boot():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("key3")
    assert bench.command("ring", contact="c1", direction="in")
    assert bench.command("ring", number=1, contact="c1", direction="in") == []
    bench.boot()
    assert bench.command("ring", number=1, contact="c1", direction="in") == []
    assert bench.command("ring", number=2, contact="c1", direction="in")


def test_an_unknown_command_is_refused():
    refused = Bench().command("dance" * 9)[0]
    assert refused["reason"] == "unknown_command"
    assert len(refused["command"]) == 24
    for name in ("tick", "key1", "long4", "badge", "quiet"):  # inputs, but no commands
        assert Bench().command(name)[0]["reason"] == "unknown_command"


def test_a_session_goes_on_over_a_boot():
    bench = Bench()
    bench.command("time", utc=UTC)
    bench.step("badge", ROSA)
    bench.step("key3")
    bench.command("ring", contact="c1", direction="in")
    bench.step("key1")
    last = bench.app.journal.last
    bench.boot()
    assert bench.kinds(last) == ["station.booted", "contact.ended", "wrapup.started"]
    assert bench.since(last)[1]["by"] == "interrupted"
    assert bench.app.desk.agent == "a001"


def test_the_age_of_a_state_outlives_a_boot():
    bench = Bench()
    bench.command("time", utc=UTC)
    bench.step("badge", ROSA, after_ms=0)
    bench.boot()
    bench.ticks = 5000
    bench.command("time", utc=UTC + 600_000)
    assert bench.app.desk.since == 5000 + 100 - 600_000


def test_a_part_that_fails_is_a_fault_until_it_works():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.broken = True
    n = bench.app.journal.last
    bench.step("key3")
    assert "station.fault" in bench.kinds(n)
    faults = bench.app.desk.faults
    assert faults["screen"] == "no_answer"
    n = bench.app.journal.last
    bench.step("key3")
    assert "station.fault" not in bench.kinds(n)
    bench.broken = False
    bench.step("key1", after_ms=10_000)
    assert "screen" not in faults
    assert "station.fault_cleared" in bench.kinds(n)


def test_a_fault_of_the_boot_before_is_cleared():
    bench = Bench()
    bench.boot({"journal": "no_partition"})
    assert bench.since(0)[-1]["code"] == "no_partition"
    bench.boot()
    assert bench.since(0)[-1]["k"] == "station.fault_cleared"


def test_volume_and_mute_reach_the_codec():
    bench = Bench()
    (changed,) = bench.step("long4")
    assert bench.made["codec"].volume == changed["volume"] == 56
    assert (changed["k"], changed["mute"], changed["sidetone"]) == ("audio.changed", False, 20)
    bench.step("badge", ROSA)
    bench.step("key3")
    bench.command("ring", contact="c1", direction="in")
    bench.step("key1")
    bench.step("key2")
    assert bench.made["codec"].muted
    bench.step("key1")
    assert not bench.made["codec"].muted


def test_a_board_without_parts_still_works():
    bench = Bench(parts=())
    bench.step("badge", ROSA)
    assert bench.app.desk.agent == "a001"


def test_who_marked_elsewhere_is_state_and_no_command():
    bench = Bench()
    app = bench.app
    last = app.journal.last
    app.host.take(
        b'{"cmd":"marks","i":0,"marks":[["a001","in",%d],["x","in",%d]]}' % (UTC, UTC), 0
    )
    assert list(app.machine.marks) == ["a001"]
    assert app.journal.last == last and app.host.decoder.bad == 0
    app.host.take(b'{"cmd":"marks","i":0,"marks":[["a001"]]}', 0)
    assert app.host.decoder.bad == 1


def test_how_far_a_request_is_is_state_and_no_command():
    bench = Bench()
    app = bench.app
    last = app.journal.last
    app.host.take(b'{"cmd":"turn","i":0,"of":7,"ahead":2}', 0)
    assert app.machine.turn == (7, 2, None)
    app.host.take('{"cmd":"turn","i":0,"of":7,"ahead":0,"to":"Ana Ñ."}'.encode(), 0)
    assert app.machine.turn == (7, 0, "Ana Ñ.")
    assert app.journal.last == last and app.host.decoder.bad == 0
    for wrong in (b'"ahead":2', b'"of":"7","ahead":2', b'"of":7,"ahead":2,"to":"a\\n"',
                  b'"of":7,"ahead":2,"to":"' + b"n" * 33 + b'"'):  # fmt: skip
        app.host.take(b'{"cmd":"turn","i":0,' + wrong + b"}", 0)
    assert app.host.decoder.bad == 4 and app.machine.turn == (7, 0, "Ana Ñ.")


def test_a_mark_has_the_time_of_its_tap_where_nothing_came_between():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("badge", ROSA)
    tapped = bench.app.clock.now()
    marked = bench.step("key5", after_ms=3000)[0]
    assert (marked["direction"], marked["u"]) == ("out", tapped)


def test_a_full_journal_tells_and_recovers():
    bench = Bench(Nor(6))
    bench.step("badge", ROSA)
    bench.step("key3")
    for _ in range(2000):
        bench.step("long3")
        bench.step("bad_read")
        if bench.app.journal.reserve:
            break
    assert bench.app.desk.faults["journal"] == "full"
    n = bench.app.journal.last
    assert bench.command("ring", contact="c9", direction="in") == []
    bench.step("badge", ROSA)
    assert [e["k"] for e in bench.step("key5")[:2]] == ["attendance.marked", "session.closed"]
    try:
        while True:
            bench.app.journal.append(b'{"k":"x"}')
    except JournalFull:
        pass
    discards = bench.app.discards
    health(bench.app, bench.app.clock.now())
    assert bench.app.discards == discards + 1
    bench.app.uplink.on_ack(bench.app.journal.epoch, n)
    bench.app.check_room()
    assert "journal" not in bench.app.desk.faults


def fill(app):
    """Not a byte more goes into the journal."""
    for size in (300, 20):
        try:
            while True:
                app.journal.append(b'{"k":"x"}' + b" " * size)
        except JournalFull:
            pass


def tries(bench, for_ms):
    """At which ticks the loop did something while time goes on, 50 ms at a time."""
    found = []
    end = bench.ticks + for_ms
    while bench.ticks < end:
        bench.ticks += 50
        now, discards = bench.app.clock.now(), bench.app.discards
        if bench.app._due() <= now:
            bench.app._timed(now)
            if bench.app.discards > discards:
                found.append(now)
    return found


def limit_without_room(begin, expected, limit_ms):
    bench = Bench(Nor(6))
    bench.step("badge", ROSA)
    bench.step("key3")
    since = begin(bench)
    app = bench.app
    app.uplink._late_at = None  # the host was there a moment ago
    fill(app)
    n = app.journal.last
    found = tries(bench, 600_000)
    assert since + limit_ms <= found[0] <= since + limit_ms + 50
    pauses = [later - earlier for earlier, later in zip(found, found[1:])]  # noqa: B905, RUF007
    assert pauses[:6] == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]
    assert set(pauses[6:]) == {60_000}
    assert app.machine.notice[0] == "journal_full"
    bench.step("key4")  # a key is heard, and changes nothing
    assert app.journal.last == n
    app.uplink.on_ack(app.journal.epoch, n)
    app.acknowledged()
    assert app._due() <= app.clock.now()
    app._timed(app.clock.now())
    events = bench.since(n)
    assert [event["k"] for event in events[: len(expected)]] == expected
    assert {event["u"] for event in events[: len(expected)]} == {since + limit_ms}
    assert "journal" not in app.desk.faults
    assert app._due() > app.clock.now()
    return events


def test_a_ring_that_ends_while_the_journal_is_full_is_told_when_there_is_room():
    def begin(bench):
        bench.command("ring", contact="c9", direction="in")
        return bench.app.desk.offered_at

    expected = ["contact.missed", "presence.changed"]
    missed, _ = limit_without_room(begin, expected, 20_000)[:2]
    assert missed["ring_ms"] == 20_000


def test_a_wrapup_that_ends_while_the_journal_is_full_is_told_when_there_is_room():
    def begin(bench):
        bench.command("ring", contact="c9", direction="in")
        bench.step("key1")
        bench.step("key1")
        return bench.app.desk.since

    limit_without_room(begin, ["contact.typified", "wrapup.ended"], 60_000)


def test_an_act_that_is_half_on_flash_is_brought_to_its_end():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("key3")
    bench.command("ring", contact="c9", direction="in")
    bench.step("key1")
    app, append = bench.app, bench.app.journal.append
    left = [1]

    def full(payload, low_value=False):
        if not left[0]:
            raise JournalFull("no sector is free")
        left[0] -= 1
        return append(payload, low_value)

    app.journal.append = full
    ended = bench.step("key1")
    assert [event["k"] for event in ended] == ["contact.ended"]
    n, u = app.journal.last, ended[0]["u"]
    left[0] = 1  # for something small: it must not come in between
    assert bench.step("key1") == bench.step("badge", ROSA) == []
    app.journal.append = append
    bench.ticks += 10_000
    app.acknowledged()
    (started,) = bench.since(n)
    assert (started["k"], started["u"]) == ("wrapup.started", u)
    assert app.desk.work == "wrapup" and app.machine.notice[0] == "journal_full"
    bench.ticks += 60_000
    app._timed(app.clock.now())
    assert bench.kinds(n) == ["wrapup.started", "contact.typified", "wrapup.ended"]


def test_headset_and_health():
    bench = Bench()
    assert bench.step("headset", True)[0]["k"] == "headset.plugged"
    assert bench.step("headset", False)[0]["k"] == "headset.unplugged"
    bench.ticks = 900_000
    n = bench.app.journal.last
    bench.app._timed(bench.app.clock.now())
    assert bench.kinds(n) == ["station.health"] and "rssi" not in bench.since(n)[0]

    class Air:
        connected = True

        def dump(self):
            return {"rssi": -61}

    bench.app.parts.made["wifi"] = Air()
    health(bench.app, bench.app.clock.now())
    assert bench.since(n)[-1]["rssi"] == -61


def test_what_a_radio_raises_takes_no_new_program_back():
    bench = Bench(parts=("wifi",))
    app = bench.app
    way = {"wifi": {"ssid": "x", "password": ""}, "broker": {"host": "h", "ca": "AAAA"}}
    app.adopt(Config(dict(CONFIG, **way)))
    assert updating.judge(app, set()) is None, "a radio that could not be made"
    for code in ("no_memory", "radio", "wrong_password"):
        app.fault("wifi", code)
        assert updating.judge(app, set()) is None
    app.fault("codec", "no_answer")
    assert updating.judge(app, set()) == "codec"


def test_frames_of_the_host_and_nonsense():
    bench = Bench()
    app = bench.app
    epoch = app.journal.epoch
    bench.serial.incoming = [
        b"noise" + encode(b'{"hello":{}}'),
        encode(b"[1]") + encode(b"{") + encode(b'{"cmd":5,"i":1}') + encode(b'{"cmd":"x"}'),
        encode(b'{"ack":[1]}'),
        encode(('{"ack":[%d,1]}' % epoch).encode()),  # noqa: UP031
        encode(b'{"cmd":"time","i":1,"utc":1770037200000}'),
    ]
    asyncio.run(app.host.listen())
    assert app.host.decoder.bad == 5
    assert bench.serial.guarded
    assert app.journal.acked == 1
    assert not app.machine.provisional
    name, _, details = app._inputs.popleft()
    assert (name, details["cmd"]) == ("command", "time")


def test_too_many_inputs_are_counted():
    bench = Bench()
    for _ in range(20):
        bench.app.post("key1", 0)
    assert bench.app.discards == 4
    assert len(bench.app._inputs) == 16


def test_the_health_report_tells_all_on_the_console():
    bench = Bench()
    health(bench.app, 900_000)
    told = json.loads(bench.serial.logged[-1])
    assert sorted(told) == [
        "clock", "crashes", "foreign", "journal", "late", "links", "memory", "parts",
        "serial", "uplink",
    ]  # fmt: skip
    assert sorted(told["parts"]) == ["codec", "lights", "screen"]


def test_names_of_calls_begun_here_differ():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.step("key3")
    names = set()
    for _ in range(3):
        names.add(bench.step("key4")[0]["c"])
        bench.step("key1")
    assert len(names) == 3


def foreign():
    nor = Nor(8)
    nor.image[: len(b"somebody's data")] = b"somebody's data"
    return nor


def test_a_partition_with_something_else_is_told_and_left_alone():
    nor = foreign()
    before = bytes(nor.image)
    bench = Bench(nor)
    assert bench.app.desk.faults == {"journal": "unreadable"}
    assert bench.step("badge", ROSA)[0]["k"] == "attendance.marked"
    assert nor.image == before
    for confirm in (None, True, "DIA-0200000000a2"):
        assert bench.command("format_journal", confirm=confirm)[0]["reason"] == "bad_command"
    assert nor.image == before


def test_the_journal_is_formatted_by_command_when_the_host_has_the_old_one():
    nor = foreign()
    before = bytes(nor.image)
    bench = Bench(nor)
    bench.step("badge", ROSA)
    app = bench.app
    epoch, last = app.journal.epoch, app.journal.last
    assert bench.command("format_journal", confirm=STATION) == []
    assert nor.image == before
    app.uplink.on_ack(epoch, last)
    app.host.take(('{"ack":[%d,%d]}' % (epoch, last)).encode(), 0)  # noqa: UP031
    assert app.journal.epoch != epoch
    cleared = bench.since(0)
    assert [(event["k"], event["code"], event["i"]) for event in cleared] == [
        ("station.fault_cleared", "unreadable", 1)
    ]
    epoch = app.journal.epoch
    bench.boot()
    assert (bench.app.journal.epoch, bench.app.desk.agent) == (epoch, "a001")
    assert bench.command("format_journal", number=1, confirm=STATION) == []
    assert bench.app.journal.epoch == epoch


def test_a_format_that_the_flash_refuses_leaves_the_station_working():
    bench = Bench(foreign())

    def worn(command, argument=0):
        if command == 6:
            raise OSError(5)
        return Nor.ioctl(bench.nor, command, argument)

    bench.nor.ioctl = worn
    app = bench.app
    app.uplink.on_ack(app.journal.epoch, app.journal.last)
    bench.command("format_journal", confirm=STATION)
    told = bench.since(0)[-1]
    assert (told["k"], told["code"], told["i"]) == ("station.fault", "unreadable", 1)
    assert bench.step("badge", ROSA)[0]["k"] == "attendance.marked"


def test_keys_at_boot_format_the_journal():
    nor = foreign()
    bench = Bench(nor)
    bench.boot(order="format_journal")
    assert bench.app.desk.faults == {}
    epoch = bench.app.journal.epoch
    bench.boot()
    assert bench.app.journal.epoch == epoch


def test_the_configuration_is_forgotten_only_when_that_is_confirmed():
    bench = Bench()
    assert bench.command("factory_reset", confirm="yes")[0]["reason"] == "bad_command"
    assert bench.app.machine.config.generation == 1
    told = bench.command("factory_reset", confirm=STATION)[0]
    assert (told["k"], told["generation"], told["i"]) == ("station.config", 0, 2)
    assert bench.app.machine.config.generation == 0


def test_keys_at_boot_forget_the_configuration():
    bench = Bench()
    n = bench.app.journal.last
    bench.boot(order="factory_reset")
    assert bench.app.machine.config.generation == 0
    assert bench.kinds(n)[:2] == ["station.booted", "station.config"]


KEY = "7b" * 32
HELLO = b'{"hello":{}}'


def with_h(body, boot=1, key=KEY, station=STATION):
    """The text with its `h`, as the contract says."""
    text = json.dumps(body, separators=(",", ":")).encode()
    seal = hmac_sha256(unhexlify(key), ("%s\n%d\n" % (station, boot)).encode() + text)  # noqa: UP031
    return text[:-1] + b',"h":"' + hexlify(seal[:8]) + b'"}'


class Sealed(Bench):
    """A station whose configuration has a key."""

    def __init__(self):
        self.keyed = dict(CONFIG, key=KEY)
        super().__init__()
        self.store.data = self.keyed
        self.boot()
        self.epoch = self.app.journal.epoch

    def hear(self, text):
        self.app.host.take(text, self.app.clock.now())
        while self.app._inputs:
            self.app._step(*self.app._inputs.popleft())


def test_only_what_the_hub_sealed_for_this_boot_is_obeyed():
    bench = Sealed()
    app = bench.app
    last = app.journal.last
    ack = {"ack": [bench.epoch, 1]}
    time = {"cmd": "time", "i": 1, "utc": UTC}
    whole = with_h(time, 2)
    bent = whole[:-3] + bytes([whole[-3] ^ 1]) + b'"}'
    for text in (
        json.dumps(ack).encode(), json.dumps(time).encode(), with_h(ack, 0), with_h(ack, 3),
        with_h(ack, 2, key="7c" * 32), with_h(ack, 2, station="DIA-0200000000a2"),
        whole.replace(b"177", b"178"), bent, whole[:-1] + b',"x":1}',
        b'{"h":"0"}', b'{"ack":[1,1],"h":""}',
    ):  # fmt: skip
        bench.hear(text)
    assert app.journal.acked == 0
    assert app.machine.provisional
    assert app.host.foreign == 11
    assert bench.kinds(last) == ["station.fault"]
    told = bench.since(last)[0]
    assert (told["part"], told["code"]) == ("uplink", "bad_mac")
    bench.hear(with_h(time, 2))
    assert bench.since(last)[-1]["utc"] == UTC
    bench.hear(with_h(ack, 2))
    assert app.journal.acked == 1 and not app.machine.provisional
    assert bench.kinds(last)[-1] == "station.fault_cleared"


def test_nobody_but_the_hub_says_who_hears_a_call():
    bench = Sealed()
    told = {"cmd": "listened", "i": 1, "contact": "c1", "state": "on", "who": "quality"}
    last = bench.app.journal.last
    bench.hear(json.dumps(told).encode())
    bench.hear(with_h(told, 2, key="7c" * 32))
    assert bench.kinds(last) == ["station.fault"]
    bench.hear(with_h(told, 2))
    assert bench.kinds(last)[-1] == "command.refused"  # there is no call


def test_what_was_on_its_way_over_a_restart_changes_nothing_and_is_no_fault():
    bench = Sealed()
    app = bench.app
    last = app.journal.last
    bench.hear(with_h({"ack": [bench.epoch, 1]}, 1))
    bench.hear(with_h({"cmd": "time", "i": 1, "utc": UTC}, 1))
    assert (app.journal.acked, app.journal.last) == (0, last)
    assert app.machine.provisional
    assert (app.host.late, app.host.foreign) == (2, 0)
    bench.hear(with_h({"ack": [bench.epoch, 1]}, 1, key="7c" * 32))
    assert (app.host.late, app.host.foreign) == (2, 1)


def test_a_replay_within_a_boot_changes_nothing():
    bench = Sealed()
    time = with_h({"cmd": "time", "i": 1, "utc": UTC}, 2)
    ack = with_h({"ack": [bench.epoch, 2]}, 2)
    asyncio.run(bench.app.uplink._say_hello())
    bench.hear(time)
    bench.hear(ack)
    last = bench.app.journal.last
    for text in (time, ack, with_h({"ack": [bench.epoch, 1]}, 2)):
        bench.hear(text)
    assert (bench.app.journal.last, bench.app.journal.acked) == (last, 2)


def test_an_older_configuration_of_the_same_boot_changes_nothing():
    """Who took it down cannot bring back an agent or a password that was taken away."""
    bench = Sealed()
    with Folder() as folder:
        bench.app.open_store = lambda: ConfigStore(STATION, folder + "/")

        def blocks(number, generation):
            data = dict(GOOD, generation=generation, key=KEY, station=STATION)
            return [with_h(block, 2) for block in commands(data, number)]

        for text in blocks(5, 3) + blocks(7, 4):
            bench.hear(text)
        assert bench.app.machine.config.generation == 4
        last = bench.app.journal.last
        for text in blocks(5, 3) + blocks(7, 4):
            bench.hear(text)
        assert bench.app.machine.config.generation == 4
        assert bench.app.journal.last == last
        for text in blocks(8, 5)[:1] + blocks(5, 3) + blocks(8, 5)[1:]:
            bench.hear(text)
        assert bench.app.machine.config.generation == 5
        time = [with_h({"cmd": "time", "i": 10, "utc": UTC}, 2)]
        for text in blocks(9, 6)[:1] + time + blocks(9, 6)[1:]:
            bench.hear(text)
        assert ConfigStore(STATION, folder + "/").load().generation == 6
        assert bench.app.intake is None


def test_a_hello_needs_no_seal_and_says_nothing_of_who_asks():
    bench = Sealed()
    bench.hear(HELLO)
    assert bench.app.host.foreign == 0
    assert bench.app.machine.provisional


def test_a_station_without_a_key_obeys_also_what_is_sealed():
    bench = Bench()
    bench.app.host.take(with_h({"ack": [bench.app.journal.epoch, 1]}), 0)
    assert bench.app.journal.acked == 1


def test_a_screen_goes_dark_without_anybody_and_any_key_lights_it():
    bench = Bench()
    app, screen = bench.app, bench.made["screen"]
    bench.step("tick", after_ms=31_000)
    assert app._due() > app.clock.now() and not screen.lit
    bench.step("key2")
    assert screen.lit and bench.kinds()[-1] == "station.booted"  # it does nothing else
    bench.step("tick", after_ms=31_000)
    bench.step("badge", ROSA)
    assert screen.lit
    bench.step("tick", after_ms=5_000)  # the greeting ends: something changed
    bench.step("tick", after_ms=119_000)
    assert screen.level == 207
    bench.step("tick", after_ms=1_000)
    assert screen.lit and screen.level == 8
    app.fault("codec", "no_answer")
    app._output()
    assert screen.level == 207


def test_her_language_outlives_another_configuration():
    bench = Bench()
    bench.step("badge", ROSA)
    bench.app.machine.prefer("language", "en")
    bench.app._output()
    assert bench.app.machine.words["go_ready"] == "Ready"
    bench.app.adopt(bench.app.machine.config)
    assert bench.app.machine.words["go_ready"] == "Ready"
