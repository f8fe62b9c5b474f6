"""Where contacts stand: the running ones in their station's state, those that are over as rows."""

import sqlite3
from contextlib import closing

import pytest
from diadema.ingest.core import Ingest
from sqlalchemy import event

from tests.support.scripted_station import T0, S, Script


@pytest.fixture
def rows(tmp_path):
    """(c, talk_ms) of each row, in plain SQL."""
    path = tmp_path / "store.sqlite3"

    def read():
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT c, talk_ms FROM contact_fields ORDER BY start_utc"
            return connection.execute(query).fetchall()

    return read


@pytest.fixture
def plans(writer):
    """How SQLite finds what it is asked for."""
    asked = []

    def explain(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT") and "FROM contacts" in statement:
            plan = connection.connection.cursor()
            plan.execute("EXPLAIN QUERY PLAN " + statement, parameters)
            asked.append(" ".join(row[3] for row in plan.fetchall()))

    event.listen(writer.engine, "before_cursor_execute", explain)
    return asked


def take(ingest, script, first=1, last=None):
    ingest.take(script.messages(first, last), "stream", "server")


def test_a_running_contact_is_read_as_it_goes_on(ingest, reader, rows):
    script = Script().boot().clock().login().ready().offer("c1")
    take(ingest, script)
    assert rows() == []
    first = script.n + 1
    script.contact("answered", "c1", 900, via="key", ring_ms=900).contact("held", "c1", via="key")
    for n in range(first, script.n + 1):
        take(ingest, script, n, n)
        (contact,) = reader.contacts()
        assert contact == ingest.station(S).state.open[0]
    assert contact.phase == "held"
    assert reader.contacts(closed=True) == []
    assert reader.contacts(agent="a001", closed=False) == [contact]
    assert reader.contacts(agent="a002") == []
    assert reader.contacts(start_utc=contact.start_utc, end_utc=contact.start_utc + 1) == [contact]
    assert reader.contacts(end_utc=contact.start_utc) == []
    assert reader.status()["contacts"] == 1
    assert rows() == []


def test_one_that_is_over_is_a_row(ingest, reader, rows):
    script = Script().boot().clock().login().ready().call("c1", talk=60_000).call("c2", talk=5000)
    take(ingest, script)
    assert rows() == [("c1", 60_000), ("c2", 5000)]
    assert [contact.closed for contact in reader.contacts()] == [True, True]
    assert reader.contacts(closed=False) == []


def test_one_that_begins_again_is_counted_once_and_read_as_it_is(ingest, reader, rows):
    script = Script().boot().clock().login().ready().call("c1", wrap=1000)
    script.wrapup("started", "c1")
    take(ingest, script, 1, script.n - 1)
    take(ingest, script, script.n)
    (contact,) = reader.contacts()
    assert contact.phase == "wrapup"
    assert reader.status()["contacts"] == 1
    stored = script.n
    script.wrapup("ended", "c1", 7000, cause="typified")
    take(ingest, script, stored + 1)
    (contact,) = reader.contacts()
    assert (contact.closed, contact.wrap_ms, len(rows())) == (True, 7000, 1)


def test_the_days_figures_have_what_runs_when_the_ingest_begins_again(
    ingest, writer, reader, site, clock
):
    script = Script().boot().clock().login().ready().call("c1").offer("c2")
    script.contact("answered", "c2", via="key", ring_ms=900)
    take(ingest, script)
    before = reader.live()
    again = Ingest(writer, site, clock)
    again.save((), {"a001"})
    assert reader.live() == before
    assert before["a001"]["contacts"] == 2


def test_a_contact_that_ended_without_an_hour_gets_it_from_a_later_anchor(ingest, reader, plans):
    script = Script().boot().login().ready().call("c1")
    take(ingest, script)
    assert reader.contacts()[0].start_utc is None
    stored = script.n
    script.clock(T0)
    take(ingest, script, stored + 1)
    (contact,) = reader.contacts(start_utc=T0 - 200_000, end_utc=T0)
    assert any("contacts_hourless" in plan for plan in plans)
    assert contact.late
    assert None not in (contact.end_utc, contact.close_utc, contact.answered_utc)


def test_one_that_was_over_runs_again_and_is_not_lost(ingest, reader):
    """All of it in one batch, so that no row of it was written before."""
    script = Script().boot().clock().login().ready()
    script.contact("answered", "c1", via="key").offer("c2")  # nobody ended c1
    script.contact("answered", "c1", via="key")
    ingest.take(script.messages(), "stream", "server")
    assert {one.contact: (one.outcome, one.phase) for one in reader.contacts()} == {
        "c1": ("answered", "talking"), "c2": ("open", "offered"),
    }  # fmt: skip
