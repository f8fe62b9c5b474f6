"""The records prove themselves: a cut tail, a changed row with its chain worked out again and an
emptied file are found, by somebody who may write either file but has not the key.
"""

import hashlib
import json
import sqlite3

import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.hub.records_keeper import RecordsKeeper
from diadema.maintenance.rebuild import rebuild
from diadema.maintenance.records_keeping import audit_was_cut, check_audit, check_ledger, enter
from diadema.store import open_reader, open_writer
from typer.testing import CliRunner

from tests.support.scripted_station import T0, Script

ME = Person(id="jefa", name="", role="admin", address="127.0.0.1")


@pytest.fixture
def data(tmp_path):
    return DataDir(tmp_path)


@pytest.fixture
def accounts(data):
    opened = Accounts(data)
    for n in range(15):
        opened.audit.record(ME, "agents.day", [f"a{n:03}"])
    yield opened
    opened.close()


@pytest.fixture
async def kept(data, ingest, reader, clock, accounts):
    """Marks, one with an hour that came later, a correction; and the heads are kept."""
    script = Script().boot().mark("in").mark("out")
    ingest.take(script.messages(), "stream", "server")
    stored = script.n
    script.clock(T0)
    for direction in ("in", "out", "in", "out"):
        script.mark(direction)
    ingest.take(script.messages(first=stored + 1), "stream", "server")
    keeper = RecordsKeeper(data, ingest, reader, clock)
    await look(keeper)
    assert check_ledger(data) == check_audit(data) == []
    yield keeper
    keeper.close()


async def look(keeper):
    keeper._next = 0
    await keeper.look()


def write(file, *statements):
    with sqlite3.connect(file) as tx:
        for one in statements:
            tx.execute(one)
    tx.close()


def again(file, table, fields):
    """Work the chain out again as it was before it had a key: all that an intruder can do."""
    with sqlite3.connect(file) as tx:
        before = "0" * 64
        rows = tx.execute(f"SELECT rowid, {fields} FROM {table} ORDER BY number").fetchall()
        for place, (rowid, *content) in enumerate(rows, 1):
            if table == "audit":
                content[5:7] = json.loads(content[5]), json.loads(content[6])
            told = json.dumps([place, *content[1:]], separators=(",", ":"), ensure_ascii=False)
            before = hashlib.sha256((before + told).encode()).hexdigest()
            change = f"UPDATE {table} SET number = ?, hash = ? WHERE rowid = ?"
            tx.execute(change, (place, before, rowid))
    tx.close()


def found(faults):
    return [(one.ledger, one.what) for one in faults]


AUDIT = "number, at_ms, who, role, what, agents, detail, address"
MARK = "number, s, e, n, b, u, t, a, badge, direction, method"


@pytest.mark.parametrize(
    ("attack", "what"),
    [
        (["DELETE FROM audit WHERE number > (SELECT max(number) - 5 FROM audit)"], "cut"),
        (["DELETE FROM audit"], "cut"),
        (["UPDATE audit SET who = 'otra' WHERE number = 10"], "changed"),
        (["UPDATE audit SET who = 'otra' WHERE number = 10", "DELETE FROM audit WHERE number = 12",
          AUDIT], "cut"),
        (["UPDATE audit SET who = 'otra' WHERE number = 10", AUDIT], "other"),
    ],
)  # fmt: skip
async def test_an_audit_that_was_altered_is_found(kept, data, accounts, attack, what):
    fields = attack.pop() if attack[-1] == AUDIT else None
    write(data.accounts, *attack)
    if fields:
        again(data.accounts, "audit", fields)
    assert ("audit", what) in found(check_audit(data))
    accounts.audit.record(ME, "agents.day", ["a001"])  # life goes on over it
    await look(kept)
    assert kept.broken == ({"audit"} if what != "changed" else set())
    assert ("audit", what) in found(check_audit(data)) or what == "cut"
    assert check_audit(data)


@pytest.mark.parametrize(
    ("attack", "what"),
    [
        (["UPDATE marks SET utc = utc - 5400000 WHERE number = 4"], ("marks", "changed")),
        (["UPDATE marks SET utc = utc - 5400000 WHERE number = 1"], ("marks", "changed")),
        (["UPDATE marks SET utc = NULL WHERE number = 1", "DELETE FROM mark_hours"],
         ("hours", "cut")),
        (["UPDATE mark_hours SET utc = utc - 1 WHERE mark = 1",
          "UPDATE marks SET utc = utc - 1 WHERE number = 1"], ("hours", "changed")),
        (["DELETE FROM marks WHERE number > 4"], ("marks", "cut")),
        (["DELETE FROM marks", "DELETE FROM mark_hours"], ("marks", "cut")),
        (["UPDATE marks SET a = 'a002' WHERE number = 3", MARK], ("marks", "other")),
    ],
)  # fmt: skip
async def test_a_ledger_that_was_altered_is_found(kept, data, attack, what):
    fields = attack.pop() if attack[-1] == MARK else None
    write(data.store, *attack)
    if fields:
        again(data.store, "marks", fields)
    assert what in found(check_ledger(data))


async def test_what_the_other_file_keeps_can_be_neither_made_nor_taken_away_unseen(
    kept, data, accounts
):
    head = "UPDATE record_heads SET count = 2, hash = (SELECT hash FROM audit WHERE number = 2)"
    write(data.store, head.replace("(SELECT hash FROM audit WHERE number = 2)", "'0'"))
    assert found(check_audit(data)) == [("audit", "unsealed")]
    write(data.store, "DELETE FROM record_heads")
    assert found(check_audit(data)) == [("audit", "unkept")]
    await look(kept)
    assert found(check_audit(data)) == [("audit", "again")]


async def test_an_emptied_file_of_accounts_is_no_new_hub(kept, data, accounts):
    assert not audit_was_cut(data)
    accounts.close()
    for name in ("", "-wal", "-shm"):
        data.accounts.with_name(data.accounts.name + name).unlink(missing_ok=True)
    data.accounts.touch(0o600)
    assert found(check_audit(data)) == [("audit", "cut")]
    assert audit_was_cut(data)


async def test_a_restore_is_entered_in_both_and_told_from_a_cut(
    kept, data, ingest, writer, clock, accounts
):
    old = data.root / "backup.sqlite3"
    with sqlite3.connect(data.store) as source, sqlite3.connect(old) as copy:
        source.backup(copy)
    source.close(), copy.close()
    script = Script(s="DIA-0123456789ac", agent="a002").boot().clock().mark("in").mark("out")
    ingest.take(script.messages(), "stream", "server")
    await look(kept)
    assert check_ledger(data) == []
    writer.close()
    with sqlite3.connect(old) as source, sqlite3.connect(data.store) as copy:
        source.backup(copy)
    source.close(), copy.close()
    assert found(check_ledger(data)) == [("marks", "cut")]
    enter(data, clock, ME, "restored", "disco nuevo, copia del lunes")
    assert check_ledger(data) == check_audit(data) == []
    row = accounts.audit.rows(what="records.restored")[0]
    assert (row.who, row.detail["reason"]) == ("jefa", "disco nuevo, copia del lunes")
    assert (row.detail["was"]["marks"][:2], row.detail["now"]["marks"][:2]) == ("8:", "6:")
    with sqlite3.connect(data.store) as tx:
        ((what, by, detail),) = tx.execute("SELECT what, by, detail FROM record_entries")
    tx.close()
    assert (what, by) == ("restored", "jefa") and json.loads(detail) == row.detail


async def test_a_rebuild_makes_the_same_chain(kept, data, writer, clock, accounts):
    with sqlite3.connect(data.store) as tx:
        before = [tx.execute(f"SELECT * FROM {table}").fetchall()
                  for table in ("marks", "mark_hours")]  # fmt: skip
        tx.execute("DELETE FROM sessions")
    tx.close()
    writer.close()
    outcome = rebuild(data, clock, apply=True)
    assert {one.table for one in outcome.differences} <= {"sessions", "live"}
    with sqlite3.connect(data.store) as tx:
        assert [tx.execute(f"SELECT * FROM {table}").fetchall()
                for table in ("marks", "mark_hours")] == before  # fmt: skip
        tx.execute("DELETE FROM marks WHERE number > 3")
    tx.close()
    assert rebuild(data, clock, apply=True).applied
    assert check_ledger(data) == check_audit(data) == []
    assert accounts.audit.rows(what="records.rebuilt")


async def test_a_ledger_without_a_key_goes_on_under_one(kept, data, ingest, writer, clock, site):
    """As a hub of before left it: hours are in no chain, and the chain has no key."""
    writer.close()
    again(data.store, "marks", MARK)
    write(data.store, "DELETE FROM mark_hours")
    write(data.accounts, "DELETE FROM record_heads", "DELETE FROM audit WHERE what LIKE 'rec%'")
    opened = open_writer(data.store)
    opened.close()
    reader = open_reader(data.store)
    assert [one.utc is None for one in reader.marks()] == [False] * 6
    reader.close()
    assert found(check_ledger(data)) == [("marks", "unkept"), ("hours", "unkept")]
    enter(data, clock, ME, "restored")
    assert check_ledger(data) == []
    write(data.store, "UPDATE marks SET utc = utc - 5400000 WHERE number = 5")
    assert found(check_ledger(data)) == [("marks", "changed")]


async def test_a_printed_seal_tells_how_far_the_records_reached(kept, data, clock, tmp_path):
    from diadema.cli.main import app
    from diadema.report.make import make
    from diadema.report.model import Scope
    from diadema.report.period import any_period

    note = make(data, "asistencia", any_period("2026-11-18", "es"), Scope(), clock.now).notes[-1]
    marks, audit = (part.split()[0].strip(";.") for part in
                    (note.partition("marcas ")[2], note.partition("accesos ")[2]))  # fmt: skip
    assert marks.startswith("6:") and audit.startswith("19:")
    for command, seal in ((["ledger", "check"], marks), (["account", "audit", "--check"], audit)):
        for given, code in ((seal, 0), (seal[:-1] + "xy", 1), ("99:" + seal[3:], 1)):
            shell = CliRunner().invoke(app, [*command, "--seal", given, "--data", str(tmp_path)])
            assert shell.exit_code == code, (command, given, shell.output)
