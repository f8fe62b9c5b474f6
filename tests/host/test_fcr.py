"""First contact resolution: one key, distinct calls, and the abandon of who called again."""

import json
from datetime import date

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.metrics.fcr import Visit, look, tally
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from diadema.site import description as sites
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_writer

from tests.support.scripted_station import SITE, T0, Script
from tests.support.targeted import put

DAY_MS = 86_400_000
LATER = T0 + 9 * DAY_MS
S2 = "DIA-0123456789ac"


class Place:
    def __init__(self, root, clock):
        self.data = DataDir(root)
        self.data.make()
        self.data.site.write_text(json.dumps(SITE))
        self.writer = open_writer(self.data.store)
        self.ingest = Ingest(self.writer, sites.parse(json.dumps(SITE).encode()), clock)
        self.told = 0

    def take(self, *scripts):
        for script in scripts:
            self.ingest.take(script.messages(), "stream", "server")
        return self

    def switch(self, at, k, pbx, **more):
        self.told += 1
        event = {"s": "PBX-x", "e": 1, "n": self.told, "b": 0, "u": 0, "t": at, "k": f"queue.{k}"}
        body = json.dumps(event | {"pbx": pbx, "queue": "ventas"} | more).encode()
        self.ingest.take_file([Message(0, subject_of("PBX-x"), body)])
        return self

    def report(self, kind="consolidado", now=LATER, span="day", day=date(2026, 11, 18), **more):
        return make(self.data, kind, around(span, day), more.pop("scope", Scope()), now, **more)


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


def stated(report, key):
    """Value and n of a figure of the summary."""
    section = report.section("summary")
    word = next(row for row in section.rows if row[0] == key)
    return plain(word[section.at("value")]), word[section.at("n")]


def rows(report, key):
    section = report.section(key)
    names = [column.key for column in section.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in section.rows]


def begun(**more):
    return Script(**more).boot().clock().login(0).ready(0)


def called(script, c, reference, motive=None, code=None, after=60_000, **more):
    script.offer(c, after, reference=reference, **more)
    script.contact("answered", c, 3000, via="key", ring_ms=3000)
    if motive:
        script.contact("motive", c, motive=motive, version=1)
    script.contact("ended", c, 60_000, by="caller", on_hold=False)
    script.wrapup("started", c, 0)
    if code:
        script.contact("typified", c, 5000, code=code, version=1, how="agent")
    return script.wrapup("ended", c, 0, cause="typified" if code else "agent")


def test_a_motive_and_a_code_below_it_are_one_matter(place):
    """A1: one call has the level-1 motive, the next one only a code of the same branch."""
    script = begun()
    called(script, "c1", "r1", motive="1")
    called(script, "c2", "r1", code="112")
    called(script, "c3", "r2", code="111")
    called(script, "c4", "r2", code="112")
    report = place.take(script).report()
    assert stated(report, "FCR") == (50.0, 4)


def test_a_call_that_was_handed_over_is_one(place):
    """A2: one caller, one call, a blind transfer."""
    script = begun()
    script.offer("c1", reference="r1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    script.contact(
        "transferred", "c1", 30_000, via="key", kind="blind", target="x", completed=True
    )
    script.contact("ended", "c1", 0, by="transfer", on_hold=False)
    script.wrapup("started", "c1", 0)
    script.contact("typified", "c1", 3000, code="111", version=1, how="agent")
    script.wrapup("ended", "c1", 0, cause="typified")
    other = Script(s=S2, agent="a002").boot().clock(T0 + 34_000).login(0).ready(0)
    called(other, "c9", "r1", code="111", parent="c1", after=4000)
    report = place.take(script, other).report()
    assert stated(report, "FCR") == (100.0, 1)
    assert stated(report, "llamadas atendidas")[0] == 1


def test_who_calls_again_and_hangs_up_in_the_queue_was_not_resolved(place):
    """§2: the switch gives her hash. Of two callers one comes back in vain a day later."""
    script = begun()
    called(script, "c1", "r1", code="111")
    called(script, "c2", "r2", code="111")
    place.take(script)
    place.switch(T0 + DAY_MS, "entered", "9.1", reference="r1")
    place.switch(T0 + DAY_MS + 30_000, "abandoned", "9.1", wait_ms=30_000)
    assert stated(place.report(), "FCR") == (50.0, 2)
    week = place.report(span="week")
    assert stated(week, "usuarios que volvieron a llamar") == (1, 2)


def test_by_queue_team_and_motive_with_its_n(place):
    script = begun()
    called(script, "c1", "r1", code="111")
    called(script, "c2", "r1", code="112", queue="saldos")
    called(script, "c3", "r2", motive="1", queue="saldos")
    report = place.take(script).report()
    cells = [(row["queue"], row["fcr_n"], row["fcr"]) for row in rows(report, "fcr_queues")]
    assert cells == [("saldos", 2, 100.0), ("ventas", 1, 0.0)]
    (team,) = rows(report, "fcr_teams")
    assert (team["team"], team["fcr_n"], team["resolved"], team["fcr"]) == ("Mañana", 3, 2, 66.7)
    (motive,) = rows(report, "fcr_motives")
    assert (motive["motive"], motive["fcr_n"], motive["fcr"]) == ("Consulta", 3, 66.7)


def test_a_queue_is_one_by_whatever_name_the_switch_has_for_it(place):
    data = place.data
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), 1)
    put(data, "queues", code="soporte", name="Soporte", switch_names=["IT"])
    script = begun()
    called(script, "c1", "r1", code="111", queue="IT")
    called(script, "c2", "r1", code="112", queue="soporte")
    (row,) = rows(place.take(script).report(), "fcr_queues")
    assert (row["queue"], row["fcr_n"], row["resolved"]) == ("Soporte", 2, 1)


def test_an_abandon_long_after_or_before_says_nothing():
    visits = [Visit("r1", "1", 8 * DAY_MS)]
    edges = (8 * DAY_MS, 1), (8 * DAY_MS + 1, 0), (15 * DAY_MS, 0), (15 * DAY_MS + 1, 1)
    for at, resolved in edges:
        found = tally(look(visits, {"r1": [at]}, 0, 9 * DAY_MS, 30 * DAY_MS))
        assert (found.n, found.resolved) == (1, resolved), at
