"""Which calls each rule names for «dirigidas», and which it does not."""

import json
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.quality.targeted import LONG_MS, RULES, SILENCE_MS, pointed
from diadema.site import description as sites
from diadema.site.directory.people import of_site
from diadema.store import open_reader, open_writer

from tests.support.monitored import Monitor
from tests.support.scripted_station import SITE, T0, S, Script

DAY_MS = 86_400_000
LIMA = ZoneInfo("America/Lima")


class Place:
    def __init__(self, root, clock):
        self.data = DataDir(root)
        self.data.make()
        site = sites.parse(json.dumps(SITE).encode())
        self.writer = open_writer(self.data.store)
        self.ingest = Ingest(self.writer, site, clock)
        self.people = of_site(site)

    def take(self, script):
        self.ingest.take(script.messages(), "stream", "server")

    def named(self, *rules, start=T0, end=T0 + DAY_MS):
        with open_reader(self.data.store) as reader, reader.engine.connect() as tx:
            found = pointed(tx, self.people, LIMA, start, end, rules or RULES)
        return {one.contact.contact: one.rules for one in found}


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


def begun(**more):
    return Script(**more).boot().clock().login().ready()


def spoken(script, c, silence):
    """A call with what the station measured of its voices."""
    script.offer(c).contact("answered", c, 3000, via="key", ring_ms=3000)
    script.contact("ended", c, 60_000, by="caller", on_hold=False).wrapup("started", c, 0)
    script.add(
        "voice.summary", 0, a=script.agent, c=c, agent_ms=1, caller_ms=1, both_ms=0, silence_ms=9,
        longest_silence_ms=silence, interruptions=0, clipping=0, agent_db=-20, caller_db=-20,
    )  # fmt: skip
    script.contact("typified", c, 100, code="111", version=1, how="agent")
    script.wrapup("ended", c, 0, cause="typified")


def test_a_plain_call_is_named_by_none(place):
    place.take(begun().call("1").call("2"))
    assert place.named() == {}


def test_a_long_call_counts_conversation_and_hold(place):
    place.take(
        begun().call("1", talk=LONG_MS - 1000).call("2", talk=LONG_MS - 60_000, hold=60_000)
    )
    assert place.named() == {"2": ("long_call",)}
    assert place.named("silence") == {}


def test_only_calls_of_that_time_are_named(place):
    place.take(begun().call("1", talk=LONG_MS))
    assert place.named(start=T0 - DAY_MS, end=T0) == {}


def test_one_without_a_code_a_complaint_and_one_that_was_handed_over(place):
    script = begun()
    script.offer("1").contact("answered", "1", via="key", ring_ms=1000)
    script.contact("ended", "1", 10_000, by="caller", on_hold=False).wrapup("started", "1", 0)
    script.contact("typified", "1", 100, code="SIN_TIPIFICAR", version=1, how="timeout")
    script.wrapup("ended", "1", 0, cause="timeout")
    script.call("2", code="112")
    script.offer("3").contact("answered", "3", via="key", ring_ms=1000)
    script.contact("transferred", "3", 5000, how="blind", target="caja", completed=True)
    script.contact("ended", "3", 10, by="transfer", on_hold=False).wrapup("started", "3", 0)
    script.contact("typified", "3", 100, code="111", version=1, how="agent")
    script.wrapup("ended", "3", 0, cause="typified")
    place.take(script)
    place.people.flags = {"112": "reclamo"}
    assert place.named() == {"1": ("untyped",), "2": ("complaint",), "3": ("transfer",)}


def test_a_caller_who_calls_again_in_a_week_is_a_repeated_one(place):
    script = begun()
    for c, reference, pbx in (
        ("1", "a" * 32, "1.1"), ("2", "b" * 32, "1.2"), ("3", "a" * 32, "1.3"),
        ("4", "b" * 32, "1.2"),
    ):  # fmt: skip
        script.offer(c, pbx=pbx, reference=reference)
        script.contact("answered", c, via="key", ring_ms=1000)
        script.contact("ended", c, 10_000, by="caller", on_hold=False).wrapup("started", c, 0)
        script.contact("typified", c, 100, code="111", version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified")
    place.take(script)
    # the fourth is a later segment of the second call
    assert place.named() == {"3": ("repeated",)}


def test_a_long_silence_is_what_the_station_measured_in_that_call(place):
    script = begun()
    spoken(script, "1", SILENCE_MS - 1)
    spoken(script, "2", SILENCE_MS)
    place.take(script)
    assert place.named() == {"2": ("silence",)}


def test_new_people_and_those_whom_an_error_failed_before(place):
    script = begun()
    script.call("1", talk=2000).call("2", talk=2000)
    place.take(script)
    place.people.workers["a001"].stage = "nesting"
    assert place.named() == {"1": ("nesting",), "2": ("nesting",)}
    assert place.named("auto_fail") == {}
    monitor = Monitor(place.ingest.take_file, call=(S, 7, 4))
    monitor.submitted(monitor.assigned((S, 7, 4)))  # at T0, before both
    assert place.named("auto_fail") == {"1": ("auto_fail",), "2": ("auto_fail",)}
