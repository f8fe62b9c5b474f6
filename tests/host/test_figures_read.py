"""Figures of a day: each edge by itself, each beside what a person would count."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema import site as sites
from diadema.figures.read import read
from diadema.ingest.core import Ingest
from diadema.metrics import calls as of
from diadema.paths import DataDir
from scripted_station import SITE, T0, Script

S2 = "DIA-0123456789ac"


class Place:
    """A data directory with its ingest; `read` reads its figures."""

    def __init__(self, root, writer, clock, zone="America/Lima"):
        described = SITE | {"zone": zone}
        self.data = DataDir(root)
        self.data.site.write_text(json.dumps(described))
        self.zone = ZoneInfo(zone)
        self.clock = clock
        self.ingest = Ingest(writer, sites.parse(json.dumps(described).encode()), clock)

    def take(self, *scripts):
        for script in scripts:
            self.ingest.take(script.messages(), "stream", "server")
        return self

    def day_of(self, utc_ms):
        return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(self.zone).date()

    def read(self, first=None, last=None, **more):
        first = first or self.day_of(T0)
        return read(self.data, first, last or first, self.clock.now_ms(), **more)


@pytest.fixture
def place(tmp_path, writer, clock):
    return Place(tmp_path, writer, clock)


def begun(utc=T0, **more):
    return Script(**more).boot().clock(utc)


def test_a_day_of_two_calls(place):
    script = begun().login().ready()
    script.call("c1", talk=60_000, wrap=10_000, ring=3000)
    script.call("c2", talk=61_000, hold=5_400, wrap=9_000, ring=2000).logout()
    place.take(script)
    figures = place.read()
    sums = figures.agent("a001")
    calls = sums.calls()
    assert (calls.offered, calls.answered, calls.missed, calls.open, calls.n) == (2, 2, 0, 0, 2)
    assert (calls.talk_s, calls.hold_s, calls.wrap_s, calls.ring_s) == (121, 5, 19, 5)
    assert of.aht(calls) == (121 + 5 + 19 + 1) // 2
    assert calls.codes == {"111": 2} and calls.typified == 2 and calls.untyped == 0
    load = sums.load
    assert (load.talking, load.held, load.wrapup, load.offered) == (121, 5, 19, 5)
    assert load.logged_s == load.ready + load.not_ready + load.handling_s + load.offered
    assert figures.cut.position == script.n
    assert figures.cut.at_ms == place.clock.now_ms()
