"""The data directory: whole files, secrets that stay secret, one owner."""

import json
import os
import stat
import subprocess
import sys

import pytest
from diadema.base import credentials, mail, webhooks
from diadema.base.backups import Schedule
from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir, write_whole
from diadema.cli.main import app
from diadema.hub.hub import Hub
from diadema.maintenance.backup_schedule import order
from typer.testing import CliRunner

from tests.support.broker_fixtures import IngestProcess, running_broker
from tests.support.scripted_station import SITE


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path):
    data = DataDir(tmp_path)
    first = credentials.load_or_create(data)
    assert stat.S_IMODE(data.secrets.stat().st_mode) == 0o600
    assert len({first.host, first.gateway, first.api, first.system}) == 4
    assert len(bytes.fromhex(first.badge_key)) == 32
    assert credentials.load_or_create(data) == first
    names = {
        "host", "gateway", "gateways", "api", "badge_key", "issuer", "bridge", "card_key",
        "system", "backup", "mail", "webhooks", "provider", "switch", "exchange",
    }  # fmt: skip
    kept = json.loads(data.secrets.read_bytes())
    assert kept.keys() == names
    del kept["issuer"], kept["card_key"], kept["system"]  # as an older version left it
    data.secrets.write_text(json.dumps(kept))
    second = credentials.load_or_create(data)
    assert len(bytes.fromhex(second.issuer)) == 32
    assert len(bytes.fromhex(second.card_key)) == len(bytes.fromhex(first.card_key)) == 16
    assert credentials.load_or_create(data) == second
    assert (second.host, second.badge_key) == (first.host, first.badge_key)
    assert stat.S_IMODE(data.secrets.stat().st_mode) == 0o600


def as_mail(data):
    server = mail.Server(host="a.pe", port=25, security="starttls", sender="a@a.pe")
    mail.set_server(data, server, "of the mail")


def as_webhook(data):
    webhooks.add(data, webhooks.Hook(name="avisos", url="https://a.pe/"))


def as_backup(data):
    order(data, Schedule(folder=str(data.root), at="03:00", number=1, days=0, since_ms=0), WORDS)


def as_provider(data):
    credentials.change_provider(data, "of the client")


def as_exchange(data):
    with credentials.changing(data) as known:
        known.exchange = {"ami": "of the manager", "ari": "of the REST interface"}


def as_hub(data):
    before = credentials.Secrets(host="", gateway="", api="", badge_key="")  # read long ago
    credentials.change_gateway(data, before, "norte", revoke=False)


def as_older(data):
    """An older program has left it; this one completes it."""
    kept = json.loads(data.secrets.read_bytes())
    data.secrets.write_text(json.dumps(kept | {"system": ""}))
    credentials.load_or_create(data)


WORDS = b"cinco palabras que nadie adivina"
WRITERS = {
    "mail": as_mail, "webhooks": as_webhook, "backup": as_backup, "provider": as_provider,
    "exchange": as_exchange,
    "gateways": as_hub, "system": as_older,
}  # fmt: skip


@pytest.mark.parametrize("last", WRITERS)
def test_whoever_writes_a_secret_keeps_the_others(tmp_path, last):
    data = DataDir(tmp_path)
    credentials.load_or_create(data)
    for name, write in WRITERS.items():
        if name != last:
            write(data)
    before = json.loads(data.secrets.read_bytes())
    WRITERS[last](data)
    after = json.loads(data.secrets.read_bytes())
    assert after.pop(last) and after == {key: one for key, one in before.items() if key != last}
    assert stat.S_IMODE(data.secrets.stat().st_mode) == 0o600


HOOKS = """
import sys
from pathlib import Path
from diadema.base import credentials
from diadema.base.paths import DataDir
sys.stdin.readline()
for number in range(20):
    with credentials.changing(DataDir(Path(sys.argv[1]))) as known:
        known.webhooks[f"{sys.argv[2]}{number}"] = "secret"
"""


def test_processes_that_write_secrets_at_once_lose_none(tmp_path):
    """The first of them makes the file."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HOOKS, str(tmp_path), name], stdin=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    for one in running:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in running:
        one.communicate()
        assert one.returncode == 0
    found = credentials.load(DataDir(tmp_path))
    assert found.webhooks.keys() == {f"{name}{number}" for name in "abc" for number in range(20)}
    assert len(bytes.fromhex(found.badge_key)) == 32


def of_others(root):
    """What anybody but its owner may do something with."""
    return [path for path in (root, *root.rglob("*")) if path.lstat().st_mode & 0o077]


@pytest.fixture
def common_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_folder_that_others_may_read_is_closed(tmp_path, common_umask):
    root = tmp_path / "data"
    root.mkdir(0o755)
    DataDir(root).make()
    assert of_others(root) == []
    write_whole(root / "site.json", b"{}")
    assert of_others(root) == []


def test_what_a_command_writes_is_its_owners(tmp_path, common_umask):
    root = tmp_path / "data"
    described = tmp_path / "site.json"
    described.write_text(json.dumps(SITE))
    for command in (["account", "add", "rosa", "--role", "admin"], ["site", str(described)]):
        done = [sys.executable, "-m", "diadema", *command, "--data", str(root)]
        subprocess.run(done, check=True, capture_output=True)
    assert {"accounts.sqlite3", "site.json"} <= {path.name for path in root.iterdir()}
    assert of_others(root) == []


async def test_what_the_ingest_writes_is_its_owners(tmp_path, common_umask):
    """The store above all: every name, mark and call is in it."""
    async with running_broker(tmp_path) as broker, IngestProcess(broker):
        assert [path for path in of_others(tmp_path) if "store" in path.name] == []
        assert broker.data.store.exists()


def test_secrets_that_others_can_read_are_refused(tmp_path):
    data = DataDir(tmp_path)
    credentials.load_or_create(data)
    data.secrets.chmod(0o644)
    with pytest.raises(DiademaError, match="chmod 600"):
        credentials.load(data)


@pytest.mark.parametrize("content", [None, b"{", b'{"host":"x"}'])
def test_secrets_that_are_not_there_are_not_made_up(tmp_path, content):
    data = DataDir(tmp_path)
    if content is not None:
        data.secrets.write_bytes(content)
        data.secrets.chmod(0o600)
    with pytest.raises(DiademaError, match=r"diadema hub|backup"):
        credentials.load(data)


def test_a_file_is_written_whole_or_not(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_one_owner_at_a_time(tmp_path):
    path = tmp_path / "lock"
    with locked(path, note="pid 1"), pytest.raises(AlreadyLocked, match="pid 1"), locked(path):
        pass
    with locked(path):
        pass


def test_hub_file_of_another_shape_is_no_hub(tmp_path):
    data = DataDir(tmp_path)
    assert data.read_hub() is None
    data.hub.write_bytes(b'{"pid":1')
    assert data.read_hub() is None


async def test_among_somebodys_papers_neither_a_hub_nor_an_account_begins(tmp_path):
    """And their folder is not closed to others."""
    root = tmp_path / "papeles"
    (root / "images").mkdir(parents=True)
    (root / "tesis.odt").write_text("x")
    root.chmod(0o755)
    words = ["account", "add", "rosa", "--role", "admin", "--data", str(root)]
    assert "none of a hub" in str(CliRunner().invoke(app, words).exception)
    with pytest.raises(DiademaError, match="none of a hub"):
        async with Hub(root, port=0):
            pass
    assert sorted(path.name for path in root.iterdir()) == ["images", "tesis.odt"]
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "names",
    [
        [],
        ["lost+found", ".bashrc"],
        ["images"],
        ["run.lock"],
        ["site.json", "a.txt"],
        ["nats", "a.txt"],
    ],
    ids=str,
)
def test_a_folder_that_is_empty_or_of_a_hub_is_taken(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    DataDir(tmp_path).check_own()
