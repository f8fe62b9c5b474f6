"""Hours that cannot be: a station may say them, and they change nothing for anybody else."""

import json
from zoneinfo import ZoneInfo

import pytest
from diadema.base.paths import DataDir
from diadema.exchange.cloud_events_export import Export
from diadema.figures.days import LocalDays
from diadema.figures.roll import roll
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild
from diadema.site import description as sites
from diadema.store import open_writer, tables
from sqlalchemy import select

from tests.support.scripted_station import SITE, T0, S, Script

MOST = 2**53 - 1
YEAR = 366 * 86_400_000
ABSURD = [MOST - 10**8, 0, T0 + 2 * YEAR, T0 - 2 * YEAR, 4_102_444_800_001]


@pytest.fixture
def data(tmp_path):
    found = DataDir(tmp_path)
    found.site.write_text(json.dumps(SITE))
    return found


def take(ingest, *scripts):
    messages = [message for script in scripts for message in script.messages()]
    return ingest.take(messages, "stream", "server")


def seven(t, s="DIA-0123456789ac"):
    """A call of a station that says `t` of each of its events, and never asked for the hour."""
    script = Script(s=s, agent="a002").boot()
    script.offset = t - 1005
    script.login(after=1000).ready(0).call("x", talk=0, wrap=0, ring=0).logout()
    for at, body in enumerate(script.bodies):
        told = json.loads(body)
        if told["t"] is not None:
            script.bodies[at] = json.dumps(told | {"t": t}).encode()
    return script


def untimed(writer):
    with writer.transaction() as tx:
        return [tuple(row) for row in tx.execute(select(tables.untimed))]


@pytest.mark.parametrize("t", ABSURD)
def test_an_hour_that_cannot_be_is_none_and_is_told(ingest, reader, writer, data, t):
    good = Script().boot().clock().login().ready().call("c1")
    take(ingest, good)
    before = reader.contacts(agent="a001")
    bad = seven(t)
    effects = take(ingest, bad)
    assert effects.acks[bad.s] == (7, bad.n)
    (told,) = [alarm for alarm in effects.alarms if "hour" in alarm]
    assert bad.s in told
    (contact,) = reader.contacts(agent="a002")
    assert (contact.start_utc, contact.close_utc) == (None, None)
    assert reader.contacts(agent="a001") == before
    assert roll(data, T0 + 3_600_000).left == 0
    assert untimed(writer) == [(bad.s, 7, 2, bad.n)]


@pytest.mark.parametrize("utc", ABSURD)
def test_an_anchor_that_cannot_be_is_none(ingest, reader, data, utc):
    bad = Script().boot().clock(utc).login().ready().call("c1").logout()
    assert any("hour" in alarm for alarm in take(ingest, bad).alarms)
    assert reader.anchors() == []
    assert [contact.start_utc for contact in reader.contacts()] == [None]
    late = bad.clock(T0, i=2)
    ingest.take(late.messages(bad.n), "stream", "server")
    (contact,) = reader.contacts()
    assert contact.late and contact.start_utc < T0
    assert [trail.start_utc is not None for trail in reader.trails()] == [True]
    roll(data, T0 + 3_600_000)


@pytest.mark.parametrize("anchored", [True, False])
def test_a_boot_that_lasts_for_ages_stands_still(ingest, reader, data, anchored):
    script = Script().boot()
    if anchored:
        script.clock()
    script.login().ready()
    script.offset = None
    script.call("c1", talk=MOST - 10_000_000).logout()
    effects = take(ingest, script)
    assert any("hour" in alarm for alarm in effects.alarms)
    (contact,) = reader.contacts()
    assert contact.close_u - contact.start_u < 60_000
    if not anchored:
        script.u = 3_600_000
        script.clock()
        ingest.take(script.messages(script.n), "stream", "server")
    for trail in reader.trails():
        assert trail.end_utc - trail.start_utc < 2 * YEAR
    assert roll(data, T0 + 3_600_000).left == 0
    (session,) = reader.sessions()
    assert session.close_utc < T0 + YEAR


def test_boots_without_an_hour_do_not_reach_back_over_ages(ingest, reader, data):
    script = Script().boot().clock()
    for _ in range(40):
        script.boot().login().add("station.health", YEAR - 100_000, heap=1, journal=1).logout()
    script.boot().clock(T0 + 1000)
    take(ingest, script)
    roll(data, T0 + 3_600_000)
    assert all(one["utc"] > 1_577_836_800_000 for one in reader.anchors())


@pytest.mark.parametrize("t", ABSURD)
def test_years_later_a_rebuild_says_the_same(ingest, data, writer, clock, t):
    take(ingest, Script().boot().clock().login().ready().call("c1"), seven(t))
    writer.close()
    clock.now += 3 * YEAR
    found = rebuild(data, clock).differences
    assert [one for one in found if one.table != "live"] == []  # that is another day's


def test_a_rebuild_mends_a_store_that_believed_such_hours(data, monkeypatch, clock):
    writer = open_writer(data.store)
    monkeypatch.setattr("diadema.ingest.time_window.LAST_MS", MOST)
    monkeypatch.setattr("diadema.ingest.time_window.YEAR_MS", MOST)
    site = sites.parse(json.dumps(SITE).encode())
    take(Ingest(writer, site, clock), seven(ABSURD[0]))
    monkeypatch.undo()
    writer.close()
    roll(data, T0)  # until then nobody's pages break by it
    assert rebuild(data, clock, apply=True).applied
    assert roll(data, T0).left == 0
    assert rebuild(data, clock).differences == []


def test_days_are_not_walked_for_ages():
    year_9999 = 253_402_300_799_000
    zone = ZoneInfo("America/Lima")
    assert len([*LocalDays(zone).over(T0, year_9999)]) < 3700
    assert [*LocalDays(zone).over(year_9999, MOST)] == [LocalDays(zone).of(MOST)]
    assert [*LocalDays(zone).over(T0, T0 + 86_400_000)] == ["2026-11-18", "2026-11-19"]


def test_marks_are_kept_without_such_an_hour(ingest, reader):
    script = Script().boot()
    script.offset = MOST - 1005
    take(ingest, script.mark("in"))
    (mark,) = reader.marks()
    assert (mark.utc, mark.station) == (None, S)


def test_an_export_leaves_such_hours_out(ingest, writer, data, tmp_path):
    from diadema.site.directory.people import People

    take(ingest, *map(seven, ABSURD[:1]))
    with (tmp_path / "events.jsonl").open("wb") as file:
        done = Export(data, People()).write(file)
    assert done.events == done.hourless == seven(MOST).n
