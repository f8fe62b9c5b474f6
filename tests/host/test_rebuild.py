"""What is worked out again from the raw events is what stands; what was changed is told."""

import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys

import pytest
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.ingest.intake import LETTERS
from diadema.ingest.messages import Message
from diadema.maintenance.rebuild import rebuild
from diadema.store import Contact, open_reader

from tests.support.assisted import assisted
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import SITE, T0, FixedClock, S, Script

S2 = "DIA-0123456789ac"
LATER = T0 + 3 * 24 * 3600 * 1000


def take(ingest, messages):
    return ingest.take(messages, "stream", "server")


def busy_day(ingest):
    """Two stations with all that can happen to a journal, in small batches, mixed."""
    first = Script().boot().login().ready().call("c1").add("wheel.turned", volume=3)
    first.clock().call("c2", hold=5000).boot("watchdog").clock(T0 + 600_000).offer("c3")
    first.contact("answered", "c3", via="key", ring_ms=900)
    other = Script(s=S2, agent="a002").boot().clock().login().ready().call("d1").logout()
    formatted = Script(s=S2, e=3, agent="a002").boot().clock(T0 + 900_000).login().call("d2")
    bad = first.bodies[3].replace(b'"to":"ready"', b'"to":5')
    messages = first.messages()
    messages[3] = Message(4, first.topic, bad)
    mixed = [one for pair in zip(messages, other.messages(), strict=False) for one in pair]
    mixed += messages[other.n :]
    random.Random(7).shuffle(mixed)  # beyond gaps, and back
    gone = formatted.messages(1, 4) + formatted.messages(7, 8)
    hello = formatted.hello_message(first=10)
    wrong = [first.bodies[5][:-1] + b',"volume":3}', first.bodies[6].replace(b'"u":', b'"u":-')]
    late = [Message(0, first.topic, body) for body in wrong]  # a conflict and a dead letter
    for batch in (mixed[:9], mixed[9:], mixed[3:12], gone, [hello], formatted.messages(10), late):
        take(ingest, batch)
    assert ingest.deferred == 0
    return first, other, formatted


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path)
    made.site.write_text(json.dumps(SITE))
    return made


def change(data, statement, *values):
    with contextlib.closing(sqlite3.connect(data.store)) as connection, connection:
        assert connection.execute(statement, values).rowcount == 1


def found(outcome):
    return [(one.table, one.field, one.stands, one.rebuilt) for one in outcome.differences]


def test_what_stands_is_what_follows_from_the_events(data, ingest, clock):
    scripts = busy_day(ingest)
    ingest.save((), ingest.floor.agents())
    clock.now = LATER  # the day's figures stay those of the day that stands
    outcome = rebuild(data, clock)
    assert outcome.differences == []
    assert outcome.events == sum(script.n for script in scripts) - 1 - 3
    assert outcome.came_back == 2
    assert not list(data.root.glob(".rebuild*"))


TALK, OUTCOME = map(Contact.__struct_fields__.index, ("talk_ms", "outcome"))
TAMPERED = [
    (
        f"UPDATE contacts SET row = json_set(row, '$[{TALK}]', 1) WHERE row ->> 3 = 'c1'",
        "contacts",
        "talk_ms",
    ),
    ("DELETE FROM contacts WHERE row ->> 3 = 'd1'", "contacts", "row"),
    ("UPDATE sessions SET close_utc = 5 WHERE a = 'a002' AND e = 7", "sessions", "close_utc"),
    ("UPDATE positions SET position = 2 WHERE e = 3", "positions", "position"),
    ("UPDATE unknown SET times = 9", "unknown", "times"),
    (
        "UPDATE live SET row = replace(row, '\"contacts\":2', '\"contacts\":7') WHERE a = 'a002'",
        "live",
        "contacts",
    ),
]


@pytest.mark.parametrize(("statement", "table", "field"), TAMPERED)
def test_one_row_changed_by_hand_is_told_and_put_right(
    data, ingest, clock, statement, table, field
):
    busy_day(ingest)
    ingest.save((), ingest.floor.agents())
    ingest.writer.close()
    change(data, statement)
    outcome = rebuild(data, clock)
    assert [(one.table, one.field) for one in outcome.differences] == [(table, field)]
    assert not outcome.applied
    sums = [data.rollups.with_name(data.rollups.name + end) for end in ("", "-wal", "-shm")]
    for file in sums:
        file.touch()
    assert rebuild(data, clock, apply=True).applied
    assert not any(file.exists() for file in sums)
    assert rebuild(data, clock).differences == []


def test_an_event_that_came_back_is_worked_in(data, ingest, clock, reader):
    script = Script().boot().clock().login().ready().call("c1")
    take(ingest, script.messages(1, 6))
    take(ingest, [script.hello_message(first=script.n + 1)])
    take(ingest, script.messages(7))
    assert not reader.contacts()[0].closed
    outcome = rebuild(data, clock, apply=True)
    assert outcome.came_back == script.n - 6
    assert outcome.applied
    assert reader.contacts()[0].closed
    assert rebuild(data, clock).differences == []
    again = Ingest(ingest.writer, ingest.site, clock)
    assert take(again, script.messages()).acks == {S: (7, script.n)}


def test_it_makes_the_trails_that_an_older_store_has_not(data, ingest, clock):
    busy_day(ingest)
    ingest.save((), ingest.floor.agents())
    ingest.writer.close()
    with contextlib.closing(sqlite3.connect(data.store)) as connection, connection:
        connection.execute("DROP TABLE trails")
        connection.execute("DROP TABLE tickets")
        connection.execute("ALTER TABLE presses RENAME TO tickets")  # as they were called
        connection.execute("PRAGMA user_version = 7")
    outcome = rebuild(data, clock, apply=True)
    assert {one.table for one in outcome.differences} == {"trails"}
    made = open_reader(data.store)
    assert len(made.trails()) > 3
    made.close()
    assert rebuild(data, clock).differences == []


def rows_of(data, table):
    with contextlib.closing(sqlite3.connect(data.store)) as connection:
        return sorted(connection.execute(f"SELECT * FROM {table}").fetchall())


def test_help_and_tickets_follow_from_the_events_too(tmp_path):
    place, now_s = assisted(tmp_path / "data")
    data, clock = place.data, FixedClock(now_s * 1000)
    assert rebuild(data, clock).differences == []
    changed = {
        "presses": "answer = 'no' WHERE topic = 'saldo' AND answer = 'yes'",
        "help_steps": "assignee = 'otra' WHERE kind = 'assigned'",
        "tickets": "severity = 4 WHERE external = 'INC-7'",
        "ticket_steps": "text = 'otro' WHERE kind = 'noted'",
    }
    stood = {table: rows_of(data, table) for table in changed}
    assert all(stood.values())
    with contextlib.closing(sqlite3.connect(data.store)) as connection, connection:
        for table, change_of in changed.items():
            connection.execute(f"UPDATE {table} SET {change_of}")
    told = {(one.table, one.field) for one in rebuild(data, clock, apply=True).differences}
    assert told == {
        ("presses", "answer"), ("help_steps", "assignee"), ("tickets", "severity"),
        ("ticket_steps", "text"),
    }  # fmt: skip
    assert {table: rows_of(data, table) for table in changed} == stood
    assert rebuild(data, clock).differences == []


def test_what_could_not_be_read_and_is_not_kept_stays_a_loss(data, ingest, clock, reader):
    script = Script().boot().clock().login()
    place = b'{"s":"%b","e":7,"n":%d,"k":1}'
    bad = [place % (S.encode(), n) for n in range(script.n + 1, script.n + LETTERS + 4)]
    script.bodies += bad
    script.n += len(bad)
    script.ready().call("c1")
    take(ingest, script.messages())
    ingest.save((), ingest.floor.agents())
    assert [one["source"] for one in reader.losses()] == ["unreadable"]
    assert rebuild(data, clock).differences == []


def command(data, *more):
    return subprocess.run(
        [sys.executable, "-m", "diadema", "rebuild", "--data", str(data.root), *more],
        capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip


async def test_a_store_that_went_through_the_ingest(broker, stack):
    script = Script().boot().login().ready().clock().call("c1").call("c2", hold=5000)
    script.boot("hard").clock(T0 + 300_000).login().add("wheel.turned", volume=4)
    ingest = await stack.enter_async_context(IngestProcess(broker))
    async with broker.mqtt() as mqtt:
        topic = f"diadema/v1/gw-test/{S}/"
        await mqtt.publish(topic + "st", json.dumps(script.hello()), qos=1, retain=True)
        for body in (*script.bodies[:9], *script.bodies[4:]):
            await mqtt.publish(topic + "ev", body, qos=1)
        await mqtt.publish(topic + "ev", b"poison", qos=1)
    reader = open_reader(broker.data.store)
    stack.callback(reader.close)
    await until(lambda: reader.dead_letters() and reader.position(S, 7) == script.n)
    refused = command(broker.data)
    assert (refused.returncode, "in use" in refused.stderr) == (2, True)
    await ingest.stop()
    said = command(broker.data)
    assert (said.returncode, said.stderr) == (0, ""), said.stdout
    assert "stands right" in said.stdout
    missed = f"UPDATE contacts SET row = json_set(row, '$[{OUTCOME}]', 'missed')"
    change(broker.data, missed + " WHERE row ->> 3 = 'c2'")
    said = command(broker.data)
    assert said.returncode == 1
    assert "missed" in said.stdout and "answered" in said.stdout
    said = command(broker.data, "--json", "--apply")
    told = json.loads(said.stdout or said.stderr)
    assert [(one["stands"], one["rebuilt"]) for one in told["differences"]] == [
        ("missed", "answered")
    ]
    assert told["applied"]
    assert command(broker.data).returncode == 0


def test_it_refuses_while_a_hub_runs_and_without_a_store(data, ingest):
    with locked(data.lock, note="pid 5"):
        refused = command(data)
    assert (refused.returncode, "pid 5" in refused.stderr) == (2, True)
    ingest.writer.close()
    data.store.unlink()
    refused = command(data)
    assert (refused.returncode, "no store" in refused.stderr) == (2, True)
    assert not data.store.exists()
