"""What stations tell of new programs is a table, which a rebuild makes again."""

import json

import pytest
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands, New
from diadema.hub.outbox import Routes
from diadema.hub.updates import Updates
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.ingest.proof import Proofs
from diadema.maintenance.rebuild import rebuild
from diadema.site.station_keys import StationKeys
from diadema.stations.update import bundle, keys
from diadema.store import open_reader, tables
from sqlalchemy import select

from tests.support.scripted_station import Script


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


def bench(tmp_path):
    """A data directory, and a bundle that its stations would take."""
    key = keys.generate()
    data = DataDir(tmp_path / "data")
    data.make()
    data.update_key.write_text(key.public.text)
    return data, bundle.sign(bytes(9000), key, board="sim", version="0.2.0", made=1_800_000_000)


def test_what_was_stored_and_not_acted_on_is_acted_on_after_a_restart(ingest, tmp_path):
    """The ingest was killed between the two: the station will not tell it again."""
    data, body = bench(tmp_path)
    told = Script().boot().clock()
    told.add("station.update", phase="good", version="0.2.0")  # of long ago
    ingest.take([told.hello_message(), *told.messages()], "stream", "server")
    before = told.n

    def updates():
        return Updates(data, ingest, Commands(ingest, None), lambda s: False)

    now = updates()
    now.start({"sha256": now.add(body).sha256, "stages": ["all"]})
    now.tick()
    assert [seat.phase for seat in now.rollouts[1].seats.values()] == ["sending"]
    told.add("station.update", phase="verified", version="0.2.0", i=9)
    ingest.take(told.messages(before + 1), "stream", "server")
    now = updates()
    assert [seat.phase for seat in now.rollouts[1].seats.values()] == ["trial"]
    told.boot("update").add("station.update", phase="rolled_back", version="0.2.0", reason="codec")
    ingest.take(told.messages(before + 2), "stream", "server")
    (seat,) = updates().rollouts[1].seats.values()
    assert (seat.phase, seat.reason) == ("failed", "rolled_back: codec")
    assert [seat.phase for seat in updates().rollouts[1].seats.values()] == ["failed"]


def test_who_has_nothing_to_say_is_asked_after_a_restart_of_the_hub(
    ingest, writer, site, clock, tmp_path
):
    """All that it told is in; it would speak next with its health, in a quarter of an hour."""
    data, body = bench(tmp_path)
    told = Script().boot().clock()
    ingest.take([told.hello_message(), *told.messages()], "stream", "server")
    again = Ingest(writer, site, clock)
    updates = Updates(data, again, Commands(again, None), lambda s: False)
    updates.start({"sha256": updates.add(body).sha256, "stages": ["all"]})
    assert updates.tick()
    assert [seat.phase for seat in updates.rollouts[1].seats.values()] == ["sending"]


def test_a_configuration_comes_before_a_program(ingest, tmp_path):
    """It may bring the key by which that is checked."""
    data, body = bench(tmp_path)
    told = Script().boot().clock()
    ingest.take([told.hello_message(), *told.messages()], "stream", "server")
    commands = Commands(ingest, None)
    updates = Updates(data, ingest, commands, lambda s: False)
    i, _ = commands.order(New(told.s, "config", {"generation": 2}))
    updates.start({"sha256": updates.add(body).sha256, "stages": ["all"]})
    assert updates.tick() == []
    commands.answered(told.s, i)
    assert updates.tick()


@pytest.mark.parametrize("link", ["usb", "wifi"])
def test_a_configuration_that_cannot_go_there_holds_no_program_back(ingest, tmp_path, link):
    """A program that shows no key gets none, and is to be replaced by one that does."""
    data, body = bench(tmp_path)
    told = Script().boot().clock()
    where = {"usb": f"gw-test.{told.s}.st", "wifi": f"{told.s}.st.wifi"}[link]
    hello = Message(1, PREFIX + where, json.dumps(told.hello(keyed=None)).encode())
    ingest.proofs = Proofs(StationKeys(tmp_path / "keys.json"))
    ingest.take([hello, *told.messages()], "stream", "server")
    commands = Commands(ingest, None)
    updates = Updates(data, ingest, commands, lambda s: False)
    updates.configures = Routes(ingest, lambda s: None).configures
    commands.order(New(told.s, "config", {"generation": 2}))
    updates.start({"sha256": updates.add(body).sha256, "stages": ["all"]})
    assert updates.tick()


def test_it_does_not_begin_again_before_it_has_heard_how_it_went(ingest, tmp_path):
    """A station restarted into it; what it told of that is on its way to the disk."""
    data, body = bench(tmp_path)
    told = Script().boot().clock()
    ingest.take([told.hello_message(), *told.messages()], "stream", "server")
    updates = Updates(data, ingest, Commands(ingest, None), lambda s: False)
    updates.start({"sha256": updates.add(body).sha256, "stages": ["all"]})
    updates.tick()
    before = told.n
    told.add("station.update", phase="verified", version="0.2.0", i=9).boot("update")
    effects = ingest.take([told.hello_message(), *told.messages(before + 1)], "stream", "server")
    (seat,) = updates.rollouts[1].seats.values()
    assert (updates.tick(), seat.phase) == ([], "waiting")
    updates.heard(effects.updates, effects.acks)
    assert (updates.tick(), seat.phase) == ([], "trial")
