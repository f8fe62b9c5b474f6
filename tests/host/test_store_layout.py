"""A store of an older layout gets what it lacks when the ingest opens it, and loses nothing."""

import sqlite3
from contextlib import closing

import pytest
from diadema.errors import DiademaError
from diadema.ingest.core import Ingest
from diadema.store import open_reader, open_writer
from diadema.store.tables import VERSION
from scripted_station import Script


@pytest.fixture
def old(tmp_path, site, clock):
    """A store as layout 3 was: no anchors, and no uncertainty beside an hour."""
    path = tmp_path / "old.sqlite3"
    writer = open_writer(path)
    script = Script().boot().clock().login().call("c1").logout()
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE anchors")
        for table in ("contacts", "sessions"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN uncertainty_ms")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    return path


def test_the_ingest_brings_it_up_to_date(old, site, clock):
    with pytest.raises(DiademaError, match="layout 3"):
        open_reader(old)
    writer = open_writer(old)
    ingest = Ingest(writer, site, clock)
    script = Script(e=8).boot().clock().login().call("c2")
    ingest.take(script.messages(), "stream", "server")
    reader = open_reader(old)
    assert [contact.c for contact in reader.contacts()] == ["c1", "c2"]
    assert len(reader.sessions()) == 2
    assert VERSION > 3
    reader.close()
    writer.close()
