"""`diadema doctor`: a line for each thing that is wrong, and no byte of the directory changed."""

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from diadema.access.roles import Person
from diadema.base import certificates, credentials
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir, Room
from diadema.cli.main import app
from diadema.hub import doctor
from diadema.maintenance.records_keeping import enter
from typer.testing import CliRunner

from tests.support.reported_day import stations

TESTER = Person(id="tester", name="Prueba", role="service")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A directory in which nothing is wrong, whose hub has ended."""
    monkeypatch.setattr(doctor, "is_synchronised", lambda: True)
    data = stations(tmp_path / "data")
    credentials.load_or_create(data)
    certificates.Certificates(data.tls).make(["localhost"])
    backed_up(data)
    enter(data, SystemClock(), TESTER, "rebuilt")
    for file in data.root.rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o600)
    data.root.chmod(0o700)
    return data


def backed_up(data, days=0):
    at_ms = SystemClock().now_ms() - days * 86_400_000
    data.last_backup.write_text(json.dumps({"at_ms": at_ms, "file": "/b", "bytes": 1}))


def call(data, *words):
    return CliRunner().invoke(app, ["--lang", "en", "doctor", "--data", str(data.root), *words])


def wrong(data):
    """What it says that is to be done."""
    done = call(data, "--json")
    found = [one["said"] for one in json.loads(done.stdout) if one["wrong"]]
    assert done.exit_code == (1 if found else 0), done.output
    return found


def as_it_is(root):
    """Bytes, mode and time of each file and folder."""
    found = {}
    for path in (root, *sorted(root.rglob("*"))):
        known = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        found[path] = (content, known.st_mode, known.st_mtime_ns, known.st_size)
    return found


def test_where_nothing_is_wrong_it_says_so(data):
    assert wrong(data) == []
    said = call(data).stdout.splitlines()
    assert said[-1] == "Nothing to be done."
    assert all(line.startswith("note  ") for line in said[:-1])
    assert any("the hub does not run" in line for line in said)


def test_it_changes_nothing(data):
    before = as_it_is(data.root)
    wrong(data)
    assert as_it_is(data.root) == before


def test_it_changes_nothing_of_what_a_hub_left_that_was_killed(data):
    held = sqlite3.connect(data.store)
    held.execute("PRAGMA wal_autocheckpoint = 0")
    held.execute("CREATE TABLE more (n INTEGER)")
    held.commit()
    assert data.store.with_name("store.sqlite3-wal").stat().st_size > 0
    before = as_it_is(data.root)
    wrong(data)
    assert as_it_is(data.root) == before
    held.close()


def test_a_folder_that_is_not_there(tmp_path):
    (said,) = wrong(DataDir(tmp_path / "none"))
    assert "there is no folder" in said
    assert not (tmp_path / "none").exists()


def open_to_others(data):
    data.root.chmod(0o755)
    data.secrets.chmod(0o644)
    return ["other users can enter", "other users can read secrets"]


def damaged_secrets(data):
    data.secrets.write_text("{")
    return ["secrets.json"]


def damaged_certificate(data):
    (data.tls / "server.pem").write_text("no")
    return ["cannot read the certificate"]


def certificate_that_ends(data):
    ends = datetime.now(UTC) + timedelta(days=29)
    file = data.tls / "ca.pem"
    certificates._write_ca(file, data.tls / "ca.key", "x", (ends - timedelta(days=9), ends))
    return [f"ends on {ends.date()}"]


def old_backup(data):
    backed_up(data, 3)
    return ["is 3 days old"]


def no_backup(data):
    data.last_backup.unlink()
    return ["no backup is known"]


def flipped(data):
    with data.directory.open("wb") as file:
        file.write(os.urandom(8192))
    data.directory.chmod(0o600)
    return ["directory.sqlite3 is damaged"]


def older(data):
    set_layout(data.accounts, 0)
    set_layout(data.store, 8)
    return ["`diadema upgrade`"]


def newer(data):
    set_layout(data.store, 99)
    return ["install the newer program"]


def set_layout(path, version):
    with closing(sqlite3.connect(path)) as tx:
        tx.execute(f"PRAGMA user_version = {version}")


def changed_mark(data):
    with closing(sqlite3.connect(data.store)) as tx, tx:
        tx.execute("UPDATE marks SET a = 'a099' WHERE number = 1")
    return ["`diadema ledger restored`"]


def no_key(data):
    (data.root / "records.key").unlink()
    return ["records.key is missing"]


def bad_site(data):
    data.site.write_text("{")
    return ["site.json"]


def hub_that_was_killed(data):
    known = {"pid": 1, "children": {"nats": 2**30}, "web": "http://localhost:1"}
    data.hub.write_text(json.dumps({**known, "nats": "x", "mqtt": ["localhost", 1]}))
    return ["ended out of order"]


@pytest.mark.parametrize(
    "spoil",
    [
        open_to_others, damaged_secrets, damaged_certificate, certificate_that_ends, old_backup,
        no_backup, flipped, older, newer, changed_mark, no_key, bad_site, hub_that_was_killed,
    ],
    ids=lambda spoil: spoil.__name__,
)  # fmt: skip
def test_each_thing_that_is_wrong_is_a_line(data, spoil):
    expected = spoil(data)
    before = as_it_is(data.root)
    found = wrong(data)
    assert as_it_is(data.root) == before
    assert len(found) == len(expected), found
    for said, part in zip(found, expected, strict=True):
        assert part in said


@pytest.mark.parametrize(
    ("synchronised", "is_wrong", "part"),
    [(False, True, "timedatectl set-ntp true"), (None, False, "it is not known whether")],
)
def test_the_clock_of_this_machine(data, synchronised, is_wrong, part):
    found = doctor.examine(data, SystemClock(), lambda: synchronised)
    assert any(one.wrong == is_wrong and part in str(one.said) for one in found)


def test_the_system_tells_of_its_clock():
    assert doctor.is_synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("room", "part"),
    [(Room(5, 6, True), "nothing is taken in;"), (Room(11, 6, False), "any more"),
     (Room(12, 6, False), None)],
)  # fmt: skip
def test_a_disk_that_fills_up(data, monkeypatch, room, part):
    monkeypatch.setattr(doctor.Disk, "look", lambda _: room)
    found = wrong(data)
    assert len(found) == (part is not None)
    assert part is None or part in found[0]
