"""Whatever one station's credential sends, well-formed or hostile: nobody else's figures change,
nothing stops, and what it leaves is bounded by what it sent.
"""

import contextlib
import json
import random
import tempfile
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from diadema.base.paths import DataDir
from diadema.figures.agent_day import agent_page
from diadema.figures.roll import roll
from diadema.ingest.core import Ingest
from diadema.ingest.intake import LETTERS, STRANGERS
from diadema.ingest.messages import PREFIX, Message
from diadema.ingest.proof import Proofs
from diadema.site.station_keys import StationKeys
from diadema.store import open_reader, open_writer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from msgspec import structs

from tests.host.test_history_properties import DESCRIBED, empty_store
from tests.support.histories import _ANY, AGENTS, STATIONS, Desk, Rogue
from tests.support.scripted_station import SITE, T0, FixedClock, Script

GOOD, BAD = STATIONS
DAY = 86_400_000
MOST = 2**53 - 1
_FAR = st.sampled_from([0, 1, 2**31, 2**40, T0, T0 + 400 * DAY, T0 - 400 * DAY, MOST])
_OF_HOST = {
    "attendance.corrected": {"by": "adma", "direction": "in", "time": T0, "reason": "x"},
    "attendance.justified": {"by": "adma", "day": "2026-11-18", "reason": "x"},
    "supervision.acted": {"by": "adma", "action": "logout", "reason": "x"},
    "message.sent": {"by": "adma", "m": "m1", "text": "x"},
    "queue.entered": {"pbx": "p1", "queue": "ventas"},
    "queue.abandoned": {"pbx": "p1", "queue": "ventas", "wait_ms": MOST},
}
_ANSWERS = ("help.accepted", "help.resolved", "help.cancelled", "fault.resolved", "fault.accepted")


class OneCredential(RuleBasedStateMachine):
    """A desk that works, and one whose credential somebody else has."""

    @initialize(far=st.integers(-3, 3))
    def begin(self, far):
        self.desk, self.rogue = Desk(GOOD, T0), Rogue(BAD, T0 + far * DAY)
        self.desk.boot()
        self.desk.clock()
        self.told = 0  # of the desk's events
        self.waiting, self.good, self.bad = [], [], []
        self.stack = contextlib.ExitStack()
        self.data, self.ingest = self._place()

    def _place(self):
        data = DataDir(Path(self.stack.enter_context(tempfile.TemporaryDirectory())))
        data.site.write_text(json.dumps(SITE))
        data.store.write_bytes(empty_store())
        writer = open_writer(data.store)
        self.stack.callback(writer.close)
        return data, Ingest(writer, DESCRIBED, FixedClock())

    def _hear(self):
        """What the desk said since."""
        for event in self.desk.events[self.told :]:
            self._say(self.good, GOOD, event)
        self.told = len(self.desk.events)

    def _say(self, whose, s, body, leaf="ev"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        message = Message(1, f"{PREFIX}{s}.{leaf}", data)
        whose.append(message)
        self.waiting.append(message)

    # -- the desk

    @rule(choice=st.integers(0, 59), after=st.integers(0, 400_000), which=st.integers(0, 20))
    def works(self, choice, after, which):
        self.desk.lose = lambda _: None  # it would take back what was heard already
        self.desk.step(choice, after, which)
        self._hear()

    # -- the other

    @rule(kind=_ANY, after=st.integers(0, DAY), which=st.integers(0, 20), back=st.booleans())
    def acts(self, kind, after, which, back):
        before = len(self.rogue.events)
        self.rogue.step(kind, after, which, back)
        for event in self.rogue.events[before:]:
            if event.get("a") in AGENTS:
                event["a"] = "x1"
            self._say(self.bad, BAD, event)

    @rule(
        changes=st.dictionaries(
            st.sampled_from(["e", "n", "b", "u", "t", "i", "utc", "to"]), _FAR, max_size=3
        ),
        kind=_ANY,
    )
    def exaggerates(self, changes, kind):
        self.rogue.add(kind if "." in kind else "station.clock", a="x1", c="c1", source="host",
                       utc=T0, uncertainty_ms=1, via="key", direction="in")  # fmt: skip
        self._say(self.bad, BAD, self.rogue.events[-1] | changes)

    @rule(kind=st.sampled_from(sorted(_OF_HOST)), a=st.sampled_from([*AGENTS, "x1"]))
    def plays_the_hub(self, kind, a):
        of = [GOOD, 1, 1 + self.told // 2]
        self.rogue.add(kind, a=a, of=of, **_OF_HOST[kind])
        self.rogue.events[-1]["t"] = T0
        self._say(self.bad, BAD, self.rogue.events[-1])

    @rule(kind=st.sampled_from(_ANSWERS), n=st.integers(1, 40))
    def answers_for_others(self, kind, n):
        self.rogue.add(kind, a="x1", of=[GOOD, 1, n], by="x", result="ok", cause="x")
        self._say(self.bad, BAD, self.rogue.events[-1])

    @rule(s=st.sampled_from([GOOD, "HUB-main", "PBX-central", "DIA-ffffffffffff"]))
    def says_it_is_another(self, s):
        self.rogue.add("attendance.marked", a="a001", direction="in", method="badge")
        self._say(self.bad, BAD, self.rogue.events[-1] | {"s": s})

    @rule(link=st.sampled_from(["st.usb", "st.wifi"]), up=st.booleans(), **{
        name: _FAR for name in ("e", "first", "last", "acked", "b", "u", "generation")
    })  # fmt: skip
    def greets(self, link, up, **told):
        self._say(self.bad, BAD, {"s": BAD, "up": up, "gw": "test", **told}, link)

    @rule(data=st.one_of(st.binary(max_size=80), st.sampled_from(
        [b"", b"{" * 500, b"[" * 1024, b'{"s":"' + b"x" * 900, b"\xff" * 20]
    )), leaf=st.sampled_from(["ev", "st.usb", "st.wifi"]))  # fmt: skip
    def sends_noise(self, data, leaf):
        self._say(self.bad, BAD, data, leaf)

    @rule()
    def take(self):
        if self.waiting:
            self.ingest.take(self.waiting, "stream", "server")
            self.waiting = []

    # -- what must hold

    def teardown(self):
        if not hasattr(self, "stack"):
            return
        with self.stack:
            self.take()
            alone_data, alone = self._place()
            if self.good:
                alone.take(self.good, "stream", "server")
            assert others(self.data) == others(alone_data)
            assert set(self.ingest.stations) <= {GOOD, BAD}
            if self.good:
                assert self.ingest.stations[GOOD].state == alone.stations[GOOD].state
            if BAD in self.ingest.stations:
                assert len(self.ingest.stations[BAD].journals) <= 11
            for now_ms in (T0, T0 + 2 * DAY):
                while roll(self.data, now_ms).left:
                    pass
            day = date(2026, 11, 18)
            ours, alike = (
                agent_page(data, "a001", day, T0 + DAY) for data in (self.data, alone_data)
            )
            assert structs.replace(ours, cut=alike.cut) == alike


def others(data):
    """What the store says of all but the one station and its agent."""
    reader = open_reader(data.store)
    try:
        rows = {
            "contacts": [one for one in reader.contacts() if one.station != BAD],
            "sessions": [one for one in reader.sessions() if one.station != BAD],
            "trails": [one for one in reader.trails() if one.station != BAD],
            "marks": [
                (one.station, one.sequence, one.utc)
                for one in reader.marks()
                if one.station != BAD
            ],
            "presses": [one for one in reader.presses() if one.station != BAD],
            "corrections": reader.corrections(),
            "acts": reader.acts(),
            "queues": reader.queue_calls(),
            "losses": [one for one in reader.losses() if one["s"] != BAD],
            "live": {a: row for a, row in reader.live().items() if a in AGENTS},
        }
    finally:
        reader.close()
    return rows


TestOneCredential = OneCredential.TestCase
TestOneCredential.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def size_of(data):
    return sum(path.stat().st_size for path in data.root.glob("store.sqlite3*"))


def _numbered(n):
    """A letter that stands for n."""
    return b'{"s":"%b","e":5,"n":%d,"k":1}' % (BAD.encode(), n)


def _of_new_fields(n):
    told = b",".join(b'"%x":0' % (n * 35 + at) for at in range(35))
    place = b'"e":5,"n":%d,"b":1,"u":%d' % (n, n)
    return b'{"s":"%b",%b,"k":"headset.plugged",%b}' % (BAD.encode(), place, told)


@pytest.mark.parametrize("what", ["noise", "greetings", "events", "numbered", "new fields"])
def test_it_leaves_no_more_than_twice_what_it_sent(tmp_path, what):
    """`noise` and `greetings` that are none: beyond some of them, nothing."""
    data = DataDir(tmp_path)
    data.store.write_bytes(empty_store())
    writer = open_writer(data.store)
    ingest, before, sent, alarms = Ingest(writer, DESCRIBED, FixedClock()), size_of(data), 0, 0
    script = Script(s=BAD, agent="x1").boot().clock().login()
    for batch in range(20):
        if what in ("numbered", "new fields"):
            body = _numbered if what == "numbered" else _of_new_fields
            messages = [
                Message(1, f"{PREFIX}{BAD}.ev", body(n))
                for n in range(500 * batch + 1, 500 * batch + 501)
            ]
        elif what == "events":
            for _ in range(500):
                script.add("station.health", heap=90_000, journal=1, discards=0, bad_frames=0)
            messages = script.messages(script.n - 499)
        else:
            leaf = "ev" if what == "noise" else "st.wifi"
            messages = [
                Message(1, f"{PREFIX}{BAD}.{leaf}", b"%08d" % random.getrandbits(26) * 25)
                for _ in range(500)
            ]
        alarms += len(ingest.take(messages, "stream", "server").alarms)
        sent += sum(len(one.data) + len(BAD) + 15 for one in messages)
    writer.close()
    assert alarms <= 40
    left = size_of(data) - before
    assert left <= 2 * sent, (left, sent)


def _of_gateway(what, n):
    """What a gateway sends in the name of the n-th station that it invents."""
    s = f"DIA-{n:012x}"
    hello = {"up": True, "s": s, "e": 1, "last": 0, "b": 1, "firmware": "1", "board": "sim"}
    hello |= {"keyed": 1, "port": 0, "at": "/dev/x"}
    safe = {"up": False, "s": s, "safe": True, "cause": "crashes"}
    event = {"s": s, "e": 1, "n": 1, "b": 1, "u": 1, "k": "presence.changed", "a": "a001"}
    told = {
        "greetings": [(f"{s}.st", hello)],
        "safe": [(f"{s}.st", safe), (f"{s}.st", {"up": False})],
        "events": [(f"{s}.st", hello), (f"{s}.ev", event)],
        "subjects": [(f"x{n:x}.ev", {})],
        "no greetings": [(f"{s}.st", {}), (f"{s}.ev", 1)],
        "letters": [(f"{s}.st", hello), (f"{s}.ev", {"s": s, "e": 1, "n": 1, "k": 1})],
    }
    return [
        Message(2 * n + at + 1, f"{PREFIX}gw-evil.{leaf}", json.dumps(body).encode())
        for at, (leaf, body) in enumerate(told[what])
    ]


@pytest.mark.parametrize(
    "what", ["greetings", "safe", "events", "subjects", "no greetings", "letters"]
)
def test_a_gateway_brings_so_many_strangers_and_no_more(tmp_path, what):
    """And letters for all of them as one sends them; its own stations are heard all the same."""
    data = DataDir(tmp_path)
    data.store.write_bytes(empty_store())
    keys = StationKeys(data.keys)
    keys.make([GOOD])
    writer = open_writer(data.store)
    ingest, before, sent, alarms = Ingest(writer, DESCRIBED, FixedClock()), size_of(data), 0, 0
    ingest.proofs = Proofs(keys)
    tracemalloc.start()
    try:
        for batch in range(40):
            numbers = range(500 * batch + 1, 500 * batch + 501)
            messages = [one for n in numbers for one in _of_gateway(what, n)]
            effects = ingest.take(messages, "stream", "server")
            alarms += len(effects.alarms)
            assert len(effects.challenged) <= STRANGERS
            sent += sum(len(one.data) + len(one.subject) for one in messages)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    script = Script(s=GOOD).boot()
    ingest.take([script.hello_message(gw="evil")], "stream", "server")
    assert ingest.stations[GOOD].link == "up"
    rows = {table: count(data, table) for table in ("stations", "dead_letters", "positions")}
    writer.close()
    assert rows["stations"] <= STRANGERS + 1 and rows["dead_letters"] <= LETTERS
    assert len(ingest._letters) <= 3 and len(ingest._names) <= STRANGERS + 1
    assert alarms <= 40 * 3
    assert left <= 8 << 20
    assert size_of(data) - before <= 2 * sent


def count(data, table):
    reader = open_reader(data.store)
    try:
        with reader.engine.connect() as tx:
            return tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
    finally:
        reader.close()


def test_letters_of_a_credential_are_counted_on_after_a_restart(tmp_path):
    data = DataDir(tmp_path)
    data.store.write_bytes(empty_store())
    writer = open_writer(data.store)
    for first in (0, LETTERS):
        numbers = range(first, first + LETTERS)
        messages = [one for n in numbers for one in _of_gateway("subjects", n)]
        Ingest(writer, DESCRIBED, FixedClock()).take(messages, "stream", "server")
    assert count(data, "dead_letters") == LETTERS
    writer.close()
