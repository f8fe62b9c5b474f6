"""A data directory that the commit 94723356 made works with today's program, once `diadema
upgrade` has brought it up to date.

`tests/former` has its files: the databases as SQL, and what its reports of the day said. Its
people and its secrets are invented.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from itertools import zip_longest
from pathlib import Path

import pytest
from diadema.access import Accounts
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.site import description
from diadema.site.directory.book import Directory
from diadema.store import open_writer
from diadema.store.tables import VERSION
from typer.testing import CliRunner

from tests.support.scripted_station import T0, S, Script

pytestmark = pytest.mark.usefixtures("site_language")

FORMER = Path(__file__).resolve().parents[1] / "former"
FORMERLY = {  # what a figure is called today, and then
    "NS sobre atendidas y abandonadas": "NS offered",
    "NS sin abandonos cortos": "NS noshort",
    "NS sobre atendidas": "NS answered",
    "NS con los abandonos a tiempo": "NS removed",
    "NS sobre todas las recibidas": "NS all",
}
EXPECTED = json.loads((FORMER / "expected.json").read_text(encoding="utf-8"))


class Clock:
    def now_ms(self):
        return T0 + 2 * 86_400_000


@pytest.fixture
def data(former):
    with closing(sqlite3.connect(former.store)) as database:
        assert database.execute("PRAGMA user_version").fetchone()[0] < VERSION
    done = command("upgrade", "--without-backup", "--data", str(former.root))
    assert done.exit_code == 0, done.output
    return former


@pytest.fixture
def former(tmp_path):
    data = DataDir(tmp_path / "data")
    data.make()
    for file in FORMER.iterdir():
        if file.suffix == ".sql":
            with sqlite3.connect(data.root / f"{file.stem}.sqlite3") as database:
                database.executescript(file.read_text(encoding="utf-8"))
            database.close()
        elif file.is_file() and file.name != "expected.json":
            shutil.copy(file, data.root)
    for file in data.root.iterdir():
        if file.is_file():
            file.chmod(0o600)
    return data


def command(*words):
    from diadema.cli.main import app

    return CliRunner().invoke(app, [*words])


def reported(data, kind):
    asked = ["report", "day", "--day", "2026-11-18", "--kind", kind, "--json"]
    done = command(*asked, "--data", str(data.root))
    assert done.exit_code == 0, done.output
    sections = {one["section"]: one["rows"] for one in json.loads(done.stdout)["sections"]}
    return {name: matching(rows, sections[name]) for name, rows in EXPECTED[kind].items()}


def matching(former, today):
    """The former rows' cells as they are today. A figure of a summary is found by its name, as
    today's may have more. Other tables' rows stand in the same places, and one too many is shown
    whole.
    """
    if former and "figure" in former[0]:
        today = [row | {"figure": FORMERLY.get(row["figure"], row["figure"])} for row in today]
        named = {row["figure"]: row for row in today}
        today = [named.get(row["figure"], {}) for row in former]
    pairs = zip_longest(former, today, fillvalue={})
    return [{key: row.get(key) for key in known or row} for known, row in pairs]


def test_a_figure_that_is_new_is_no_difference_and_a_row_too_many_is():
    former = [{"figure": "TMO", "n": 1}]
    assert matching(former, [{"figure": "new", "n": 2}, {"figure": "TMO", "n": 1}]) == former
    assert matching(former, [{"figure": "new", "n": 1}]) != former
    agents = [{"code": "a001", "n": 1}]
    assert matching(agents, [{"code": "a001", "n": 1, "new": 0}]) == agents
    assert matching(agents, [*agents, {"code": "a002"}]) == [*agents, {"code": "a002"}]
    assert matching(agents, []) != agents


@pytest.mark.parametrize("kind", EXPECTED)
def test_its_reports_say_the_same(data, kind):
    assert reported(data, kind) == EXPECTED[kind]


def test_as_it_is_a_report_says_what_to_type(former):
    asked = ["report", "day", "--day", "2026-11-18", "--kind", "tmo"]
    done = command(*asked, "--data", str(former.root))
    assert done.exit_code == 1 and "diadema upgrade" in done.exception.say("es")


def test_a_rebuild_of_it_says_the_same(data):
    done = command("rebuild", "--data", str(data.root))
    assert done.exit_code == 0, done.output
    assert reported(data, "tmo") == EXPECTED["tmo"]


def test_a_station_goes_on_where_it_was(data):
    def stored():
        with sqlite3.connect(data.store) as database:
            found = database.execute("SELECT count(*), max(n) FROM events WHERE s = ?", (S,))
            return found.fetchone()

    count, last = stored()
    assert count == last
    again = Script().boot().clock().mark("in").login(mark=True)  # its first events once more
    after = Script()
    after.b, after.u, after.n, after.offset = 1, 3_600_000, last, T0
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, description.load(data.site), Clock())
        for script in (again, after.login()):
            ingest.take(script.messages(), "stream", "server")
    finally:
        writer.close()
    assert stored() == (count + 2, last + 2)


def test_its_people_log_in_with_their_passwords(data):
    accounts = Accounts(data)
    try:
        assert accounts.book.proves("ana", "una frase larga de ejemplo 7")
        assert accounts.book.proves("sol", "otra frase larga de ejemplo 8")
        assert accounts.book.proves("sol", "una frase larga de ejemplo 7") is None
    finally:
        accounts.close()


def test_its_directory_is_read(data):
    with Directory(data.directory) as book:
        teams = [entry.code for entry in book.entries("teams", date(2026, 11, 18))]
    assert "ventas" in teams
