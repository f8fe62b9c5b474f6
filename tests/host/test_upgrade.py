"""`diadema upgrade` on a directory of each layout that ever landed.

`tests/former/layouts` has a small database of each, made by the program of that time.
"""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from diadema.access.database import VERSION as ACCOUNTS
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.base.locks import alone
from diadema.base.paths import DataDir
from diadema.cli.main import app
from diadema.ingest.core import Ingest
from diadema.site.directory.book import Directory
from diadema.site.directory.tables import VERSION as DIRECTORY
from diadema.store import open_reader, open_writer
from diadema.store.assistance import ticket_cases
from diadema.store.quality import evaluations
from diadema.store.tables import VERSION as STORE
from diadema.switch.journal import VERSION as SWITCH
from diadema.switch.journal import Journal
from typer.testing import CliRunner

from tests.support.backups import remember_backup
from tests.support.scripted_station import SITE, T0, Script

LAYOUTS = Path(__file__).resolve().parents[1] / "former" / "layouts"
FILES = sorted(file.stem for file in LAYOUTS.glob("*.sql"))
BADGE = b"04A1B2C3D4E5F6"


def lay(data, stem):
    """Put the database of that layout there, under its present name."""
    data.make()
    path = data.root / f"{stem.partition('_')[0]}.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript((LAYOUTS / f"{stem}.sql").read_text(encoding="utf-8"))
    path.chmod(0o600)
    return path


def former(path):
    """How many events it has, and the presses, which older layouts call tickets."""
    with closing(sqlite3.connect(path)) as database:
        (events,) = database.execute("SELECT count(*) FROM events").fetchone()
        there = "SELECT name FROM sqlite_master WHERE name IN ('presses', 'tickets') ORDER BY name"
        for (table,) in database.execute(there).fetchmany(1):
            named = f"SELECT s, e, n, kind, outcome FROM {table} ORDER BY s, e, n"
            return events, database.execute(named).fetchall()
        return events, []


def key(press):
    return press.station, press.epoch, press.sequence, press.kind, press.outcome


def layout_of(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA user_version").fetchone()[0]


@pytest.fixture
def data(tmp_path):
    return DataDir(tmp_path / "data")


@pytest.fixture
def upgrade(data):
    def call(*words):
        command = ["--lang", "en", "upgrade", *words, "--data", str(data.root)]
        done = CliRunner().invoke(app, command)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return call


def test_there_is_one_of_each_layout_before_this():
    assert {f"store_{n}" for n in range(1, STORE)} < {*FILES}
    assert {f"directory_{n}" for n in range(1, DIRECTORY)} < {*FILES}
    assert len(FILES) == STORE - 1 + DIRECTORY - 1 + ACCOUNTS - 1


@pytest.mark.parametrize("stem", [stem for stem in FILES if stem.startswith("store")])
def test_a_store_of_each_layout_is_brought_here(data, upgrade, stem):
    path = lay(data, stem)
    data.site.write_text(json.dumps(SITE))
    has = int(stem.partition("_")[2])
    before, events, presses = path.read_bytes(), *former(path)
    said = upgrade("--dry-run").stdout
    assert f"store.sqlite3: from layout {has} to {STORE};" in said
    assert ("rebuild --apply" in said) == (has < 10)  # since then nothing of the past is lacking
    assert path.read_bytes() == before
    with pytest.raises(DiademaError, match="diadema upgrade"):
        open_reader(path)
    assert f"from layout {has} to {STORE}" in upgrade("--without-backup").stdout
    with open_reader(path) as reader:
        assert [contact.contact for contact in reader.contacts()] == ["c0"]
        assert reader.count() == events >= 11
        assert len(reader.sessions()) == 1
        assert [key(one) for one in reader.presses()] == presses
        with reader.engine.connect() as tx:
            assert ticket_cases(tx) == [] == evaluations(tx)
    assert upgrade().stdout == "There is nothing to bring up to date.\n"
    rebuilt = CliRunner().invoke(app, ["rebuild", "--apply", "--data", str(data.root)])
    assert rebuilt.exit_code in (0, 1), rebuilt.output
    again = CliRunner().invoke(app, ["rebuild", "--data", str(data.root)])
    assert again.exit_code == 0, again.output
    with open_reader(path) as reader:
        assert [key(one) for one in reader.presses()] == presses
        assert {(one.board, one.firmware) for one in reader.presses()} <= {("sim", "0.1.0")}


def test_an_open_fault_of_the_layout_before_is_answered_in_this_one(data, upgrade):
    path = lay(data, "store_9")
    upgrade("--without-backup")
    journal = Script()
    journal.b, journal.u, journal.n, journal.offset = 1, 192_015, 19, T0 - 15
    of = [journal.s, journal.e, 17]
    journal.add("fault.resolved", 60_000, of=of, i=5, by="Teo", cause="cable")
    with closing(open_writer(path)) as writer:
        ingest = Ingest(writer, None, SharedClock(data.root / "clock", create=True))
        ingest.take(journal.messages(), "stream", "server")
        assert ingest.deferred == 0
    with open_reader(path) as reader:
        help_, fault = reader.presses()
    assert (help_.kind, help_.outcome, help_.topic) == ("help", "resolved", "saldo")
    assert (fault.outcome, fault.accepted_by, fault.technical_ms) == ("resolved", "Teo", 92_000)


def test_a_directory_of_the_first_layout_has_no_badge_in_clear_afterwards(data, upgrade):
    path = lay(data, "directory_1")
    assert BADGE in path.read_bytes()
    upgrade("--without-backup")
    assert layout_of(path) == DIRECTORY
    assert not [
        file for file in data.root.iterdir() if file.is_file() and BADGE in file.read_bytes()
    ]
    with Directory(path) as book:
        (entry,) = book.entries("agents")
        assert entry.body["name"] == "Rosa Quispe Huamán"


def test_a_directory_of_the_second_layout_keeps_what_it_has_and_takes_scorecards(data, upgrade):
    path = lay(data, "directory_2")
    upgrade("--without-backup")
    assert layout_of(path) == DIRECTORY
    with Directory(path) as book:
        (entry,) = book.entries("agents")
        assert entry.body["name"] == "Rosa Quispe Huamán"
        assert book.published().generation == 3
        assert book.frozen("scorecard.") == []


def test_it_wants_a_backup_of_the_last_day(data, upgrade, tmp_path):
    path, file = lay(data, "store_8"), tmp_path / "clock"
    SharedClock(file, create=True).set(T0, 0)
    with pytest.raises(DiademaError, match="--without-backup"):
        upgrade("--clock", str(file))

    def made(age_ms):
        remember_backup(data, T0 - age_ms)

    made(90_000_000)
    with pytest.raises(DiademaError, match="--without-backup"):
        upgrade("--clock", str(file))
    assert layout_of(path) == 8
    made(80_000_000)
    upgrade("--clock", str(file))
    assert layout_of(path) == STORE


def test_it_refuses_while_a_hub_runs(data, upgrade):
    path = lay(data, "store_8")
    with alone(data, "hub"), pytest.raises(DiademaError, match="end that hub first"):
        upgrade("--without-backup")
    assert layout_of(path) == 8


@pytest.mark.parametrize(
    ("name", "version", "opened"),
    [
        ("store", STORE, lambda data: open_writer(data.store)),
        ("directory", DIRECTORY, lambda data: Directory(data.directory)),
    ],
)
def test_what_a_newer_program_wrote_is_refused_with_the_way_back(
    data, upgrade, name, version, opened
):
    path = lay(data, f"{name}_1")
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {version + 1}")
    before = path.read_bytes()
    for call in (lambda: upgrade("--without-backup"), lambda: opened(data)):
        with pytest.raises(DiademaError, match=r"newer program.+restore the backup"):
            call()
    planned = upgrade("--dry-run")
    assert planned.exit_code == 1
    assert re.search(f"layout {version + 1}, of a newer program", planned.stdout)
    assert path.read_bytes() == before


def test_the_journal_of_the_bridge_to_the_switch_has_a_layout_too(data, upgrade):
    data.make()
    Journal(data.switch_journal, "central").close()
    assert "switch.sqlite3" in upgrade("--dry-run").stdout
    with closing(sqlite3.connect(data.switch_journal)) as database:
        database.execute(f"PRAGMA user_version = {SWITCH + 1}")
    with pytest.raises(DiademaError, match=r"newer program"):
        upgrade("--without-backup")
    with pytest.raises(DiademaError, match=r"newer program"):
        Journal(data.switch_journal, "central")


def test_what_is_no_database_is_said(data, upgrade):
    data.make()
    data.store.write_bytes(b"no database at all" * 100)
    with pytest.raises(DiademaError, match=r"cannot read .*store\.sqlite3"):
        upgrade("--dry-run")


def test_a_directory_without_any_has_nothing_to_do(upgrade):
    assert upgrade("--dry-run").stdout == "There is nothing to bring up to date.\n"
    assert upgrade().stdout == "There is nothing to bring up to date.\n"
