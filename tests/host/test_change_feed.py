"""Whoever remembers the highest rowid of a table finds all that was written since beyond it."""

import pytest
from sqlalchemy import text

from tests.support.scripted_station import Script


@pytest.fixture
def since(reader):
    """The rows of a table since the last question."""
    last = {}

    def ask(table):
        query = text(f"SELECT rowid, n FROM {table} WHERE rowid > :last ORDER BY rowid")
        with reader.engine.connect() as connection:
            rows = connection.execute(query, {"last": last.get(table, 0)}).all()
        if rows:
            last[table] = rows[-1][0]
        return [n for _, n in rows]

    return ask


def take(ingest, script, first):
    ingest.take(script.messages(first), "stream", "server")


def test_a_row_that_is_written_again_comes_again(ingest, since):
    script = Script().boot().login().call("c1").call("c2").call("c3").call("c4")
    script.add("help.requested", a="a001")
    press = script.n
    take(ingest, script, 1)
    before = {name: since(name) for name in ("contacts", "trails", "sessions", "presses")}
    assert all(before.values())
    assert not any(since(name) for name in before)
    script.contact("typified", "c4", code="112", version=1, how="agent")  # the newest row of all
    take(ingest, script, script.n)
    assert since("contacts") == before["contacts"][3:]
    script.clock()
    take(ingest, script, script.n)
    assert {name: sorted(since(name)) for name in before} == before  # each has its hour now
    of = ["DIA-0123456789ab", 7, press]
    script.add("help.accepted", a="a001", of=of, i=2, by="Ana")
    take(ingest, script, script.n)
    assert since("presses") == before["presses"]
