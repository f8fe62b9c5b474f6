"""A store of an older layout gets what it lacks when the ingest opens it, and loses nothing."""

import sqlite3
from contextlib import closing
from typing import get_args, get_type_hints

import msgspec
import pytest
from diadema.base.errors import DiademaError
from diadema.ingest.core import Ingest
from diadema.store import Contact, open_reader, open_writer
from diadema.store.quality import evaluations
from diadema.store.station_state import StationState
from diadema.store.tables import QUALITY, VERSION
from diadema.wire.letters import encoded_fields
from msgspec.structs import astuple

from tests.support.monitored import Monitor
from tests.support.scripted_station import Script

COLUMN_OF = dict(zip(Contact.__struct_fields__, Contact.__struct_encode_fields__, strict=True))
OLD_FIELDS = [name for name in Contact.__struct_fields__ if name != "more"]
SINCE_11 = tuple(str(table.name) for table in QUALITY)
SINCE_10 = ("tickets", "ticket_steps", "help_steps", *SINCE_11)
KINDS = {str: "TEXT", int: "BIGINT", bool: "BOOLEAN"}


@pytest.fixture
def script():
    return Script().boot().clock().login().ready().call("c0").offer("c1")


@pytest.fixture
def before(tmp_path, site, clock, script):
    """The store, and its contacts, before it is made an older one."""
    path = tmp_path / "old.sqlite3"
    writer = open_writer(path)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    reader = open_reader(path)
    contacts = reader.contacts()
    reader.close()
    assert [contact.phase for contact in contacts] == ["closed", "offered"]
    return path, contacts


def named(state):
    """As it was: a name beside each value of contacts and sessions too."""
    state = msgspec.msgpack.decode(state, type=StationState)
    known = encoded_fields(state) | {"clock": encoded_fields(state.clock)}
    known |= {"session": encoded_fields(state.session), "last": encoded_fields(state.last)}
    for name in ("trail", "by", "who"):
        del known[name]
    return msgspec.msgpack.encode(
        known | {"open": [encoded_fields(contact) for contact in state.open]}
    )


def drop_what_came_with_6(connection):
    for table in ("marks", "badges", "presses", "queue_calls", "trails", *SINCE_10):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP INDEX sessions_mark")
    for column in ("mark_n", "verdict", "verdict_reason"):
        connection.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
    connection.execute("ALTER TABLE generations DROP COLUMN pin")


def forget_trails(connection):
    for s, state in connection.execute("SELECT s, state FROM stations").fetchall():
        known = msgspec.msgpack.decode(state)
        for name in ("trail", "by", "who"):
            known.pop(name, None)
        state = msgspec.msgpack.encode(known)
        connection.execute("UPDATE stations SET state = ? WHERE s = ?", [state, s])


def make_layout_9(path):
    """What people asked for at a station was called a ticket, and nobody kept what was done."""
    with closing(sqlite3.connect(path)) as connection:
        for table in SINCE_10:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX presses_open")
        connection.execute("ALTER TABLE presses RENAME TO tickets")
        connection.execute("CREATE INDEX tickets_open ON tickets (open_utc)")
        for column in (
            "over_b", "over_u", "over_utc", "answer", "answer_utc", "board", "firmware",
        ):  # fmt: skip
            connection.execute(f"ALTER TABLE tickets DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 9")
        connection.commit()


def make_layout_8(path):
    """Of the switch's calls less was kept, and none of its rings; trails began with it."""
    make_layout_9(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE queue_rings")
        connection.execute("DELETE FROM trails")
        for column in ("talk_ms", "ring_ms", "transfer"):
            connection.execute(f"ALTER TABLE queue_calls DROP COLUMN {column}")
        forget_trails(connection)
        connection.execute("PRAGMA user_version = 8")
        connection.commit()


def make_layout_7(path, layout=7):
    make_layout_9(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE trails")
        if layout == 6:
            connection.execute("DROP TABLE queue_calls")
        forget_trails(connection)
        connection.execute(f"PRAGMA user_version = {layout}")
        connection.commit()


def make_layout_5(path):
    """Contacts had no details, sessions no verdict; nobody's marks were kept."""
    with closing(sqlite3.connect(path)) as connection:
        drop_what_came_with_6(connection)
        forget_trails(connection)
        connection.execute("UPDATE contacts SET row = json_remove(row, '$[#-1]')")
        connection.execute("PRAGMA user_version = 5")
        connection.commit()


def make_old(path, contacts, layout):
    """Layout 4 had a row for each contact, and a column for each field; 3 had no anchors, and no
    uncertainty beside an hour."""
    with closing(sqlite3.connect(path)) as connection:
        columns = [
            f"{COLUMN_OF[name]} {KINDS[(get_args(hint) or (hint,))[0]]}"
            for name, hint in get_type_hints(Contact).items()
            if name in OLD_FIELDS
        ]
        key = "PRIMARY KEY (s, e, n)"
        connection.execute("DROP TABLE contacts")
        connection.execute(f"CREATE TABLE contacts ({', '.join(columns)}, {key}) WITHOUT ROWID")
        connection.execute("CREATE INDEX contacts_start ON contacts (start_utc)")
        values = ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT INTO contacts VALUES ({values})",
            [astuple(contact)[: len(OLD_FIELDS)] for contact in contacts],
        )
        for s, state in connection.execute("SELECT s, state FROM stations").fetchall():
            connection.execute("UPDATE stations SET state = ? WHERE s = ?", [named(state), s])
        connection.execute("DROP VIEW contact_fields")
        drop_what_came_with_6(connection)
        if layout == 3:
            connection.execute("DROP TABLE anchors")
            for table in ("contacts", "sessions"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN uncertainty_ms")
        connection.execute(f"PRAGMA user_version = {layout}")
        connection.commit()


@pytest.mark.parametrize("layout", [3, 4, 5, 6, 7, 8])
def test_the_ingest_brings_it_up_to_date(before, script, site, clock, layout, caplog):
    old, contacts = before
    if layout == 8:
        make_layout_8(old)
    elif layout >= 6:
        make_layout_7(old, layout)
    elif layout == 5:
        make_layout_5(old)
    else:
        make_old(old, contacts, layout)
    with pytest.raises(DiademaError, match=f"layout {layout}"):
        open_reader(old)
    writer = open_writer(old)
    assert "diadema rebuild --apply" in caplog.text
    assert ("times in each state" in caplog.text) == (layout < 8)
    assert "rings, talk and transfers" in caplog.text
    reader = open_reader(old)
    assert reader.contacts() == contacts
    assert reader.status()["contacts"] == 2
    ingest = Ingest(writer, site, clock)
    stored = script.n
    script.contact("answered", "c1", via="key", ring_ms=900).contact("held", "c1", via="key")
    ingest.take(script.messages(stored + 1), "stream", "server")
    assert [(c.contact, c.phase, c.closed) for c in reader.contacts()] == [
        ("c0", "closed", True),
        ("c1", "held", False),
    ]
    assert len(reader.sessions()) == 1
    (trail,) = reader.trails()  # of what was before there is none
    assert (trail.sequence, [span.state for span in trail.spans]) == (stored + 1, ["talking"])
    ingest.take(script.mark("in").messages(script.n), "stream", "server")
    assert [mark.agent for mark in reader.marks()] == ["a001"]
    assert reader.presses() == []
    assert reader.queue_calls() == []
    with closing(sqlite3.connect(old)) as connection:
        found = "SELECT count(*) FROM sqlite_master WHERE name = 'sessions_mark'"
        assert connection.execute(found).fetchone() == (1,)
    assert VERSION == 11
    reader.close()
    writer.close()


def test_what_was_asked_for_before_is_answered_after(before, script, site, clock, caplog):
    old, _ = before
    writer = open_writer(old)
    of = [script.s, script.e, script.n + 1]
    begun = script.n
    script.add("help.requested", a="a001")
    Ingest(writer, site, clock).take(script.messages(begun + 1), "stream", "server")
    writer.close()
    make_layout_9(old)
    writer = open_writer(old)
    assert "had layout 9: board and firmware of each report of a fault begin now" in caplog.text
    script.add("help.resolved", of=of, i=5, by="Ana", result="explicado")
    Ingest(writer, site, clock).take(script.messages(script.n), "stream", "server")
    with open_reader(old) as reader:
        assert [(one.sequence, one.outcome, one.estimated) for one in reader.presses()] == [
            (of[2], "resolved", False)
        ]
    writer.close()


def test_what_layout_10_had_no_place_for_begins_without_a_word(before, site, clock, caplog):
    old, contacts = before
    with closing(sqlite3.connect(old)) as connection, connection:
        for table in SINCE_11:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 10")
    with pytest.raises(DiademaError, match="layout 10"):
        open_reader(old)
    writer = open_writer(old)
    assert caplog.text == ""
    Monitor(Ingest(writer, site, clock).take_file).whole()
    writer.close()
    with open_reader(old) as reader, reader.engine.connect() as tx:
        assert reader.contacts() == contacts
        assert [one.score for one in evaluations(tx)] == [900, 0]


def test_a_store_of_this_layout_gets_tables_that_came_later(before):
    path, _ = before
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE updates")
        connection.execute("DROP TABLE rollouts")
    open_writer(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM updates").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM rollouts").fetchone() == (0,)
