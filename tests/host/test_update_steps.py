"""What stations tell of new programs is a table, which a rebuild makes again."""

from diadema.paths import DataDir
from diadema.rebuild import rebuild
from diadema.store import open_reader, tables
from scripted_station import Script
from sqlalchemy import select


def script():
    told = Script().boot().clock()
    told.add("station.update", phase="receiving", next=33, i=9)
    told.add("station.update", phase="verified", version="0.2.0", i=9)
    told.boot("update").add("station.update", phase="rolled_back", version="0.2.0", reason="codec")
    told.clock()
    return told.add("command.refused", command="update", reason="unknown", i=12).add(
        "command.refused", command="ring", reason="busy", i=13
    )


def test_it_is_kept_and_told(ingest, writer, reader):
    effects = ingest.take(script().messages(), "stream", "server")
    assert [step.phase for step in effects.updates] == [
        "receiving", "verified", "rolled_back", "refused",
    ]  # fmt: skip
    with reader.engine.connect() as tx:
        rows = tx.execute(select(tables.updates).order_by(tables.updates.c.n)).all()
    assert [(row.phase, row.version, row.next, row.reason) for row in rows] == [
        ("receiving", None, 33, None),
        ("verified", "0.2.0", None, None),
        ("rolled_back", "0.2.0", None, "codec"),
        ("refused", None, None, "unknown"),
    ]
    assert rows[0].utc is not None and rows[2].utc is None  # before the host told the hour


def test_a_rebuild_makes_it_again(ingest, writer, tmp_path, clock, site):
    ingest.take(script().messages(), "stream", "server")
    ingest.save((), ingest.floor.agents())
    with writer.transaction() as tx:
        writer.put(tx, tables.rollouts, [(1, b"{}")])
        tx.execute(tables.updates.delete().where(tables.updates.c.phase == "verified"))
    writer.close()
    data = DataDir(tmp_path)
    done = rebuild(data, clock, apply=True)
    assert {one.table for one in done.differences} == {"updates"}
    stands = open_reader(data.store)
    with stands.engine.connect() as tx:
        assert len(tx.execute(select(tables.updates)).all()) == 4
        assert len(tx.execute(select(tables.rollouts)).all()) == 1  # nothing of the events
    stands.close()
