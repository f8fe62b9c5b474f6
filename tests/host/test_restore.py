"""What is restored goes on: nothing that was erased comes back, stations are heard, and the
records say that it was restored.
"""

# ruff: noqa: F811 - fixtures of another file

import contextlib
import json
import shutil
import sqlite3
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from diadema.access import Accounts
from diadema.access.provider import Grant, Provider
from diadema.base import credentials, mail, webhooks
from diadema.base.backups import read_backups
from diadema.base.certificates import Certificates
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.base.sealed import SealBroken
from diadema.base.standing import Standing, read_standing
from diadema.cli.hub import show
from diadema.cli.main import app
from diadema.hub.commanding import Commands
from diadema.hub.own_journal import OwnJournal, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.maintenance.backup import ERASURES, back_up, check, leave_erasures
from diadema.maintenance.backup_schedule import make_due, order
from diadema.maintenance.erase import erase
from diadema.maintenance.records_keeping import check_audit, check_ledger
from diadema.maintenance.restore import put_in_force, restore
from diadema.store import open_writer
from diadema.store.erased import check_obeyed, last_erasure
from typer.testing import CliRunner

from tests.support.backups import (
    ME,
    NOW,
    WORDS,
    YEARS,
    at,
    data,  # noqa: F401 - a fixture
    flipped,
    made,  # noqa: F401
    ordered,
    place,  # noqa: F401
    put_back,
    raw,
    template,  # noqa: F401
)
from tests.support.reported_day import stations
from tests.support.scripted_station import FixedClock


def test_what_goes_outside_is_restored_with_its_secrets(data, place, tmp_path):
    """Mail, webhooks, the provider of sign-on, and the backups' own order."""
    ca = Certificates(tmp_path / "tls")
    ca.make(["localhost"])
    server = mail.Server(host="smtp.centro.pe", port=587, security="starttls",
                         sender="reportes@centro.pe", ca=ca.ca_pem().decode())  # fmt: skip
    mail.set_server(data, server, "clave")
    mail.allow(data, "rrhh@centro.pe", True)
    hook = webhooks.Hook(name="avisos", url="https://avisos.centro.pe/", networks=["10.0.0.0/8"])
    secret = webhooks.add(data, hook)
    given = {"issuer": "https://id.example", "client_id": "diadema", "name": "Intranet",
             "claim": "groups", "grants": {"rrhh": Grant(role="hr")}}  # fmt: skip
    provider = Provider(**given, ca=server.ca)
    accounts = Accounts(data)
    accounts.providers.set(ME, provider)
    shown = {"name": "Rosa", "role": "hr", "agent": None, "teams": ()}
    provided = accounts.book.provided(ME, provider.issuer, "s-1", **shown)
    accounts.close()
    credentials.change_provider(data, "of the client")
    order(data, ordered(place, 0), WORDS)
    back_up(data, place / "a.backup", WORDS, NOW, ME)
    shutil.rmtree(data.root)
    new, _ = put_back(place / "a.backup", tmp_path)
    assert mail.load(new) == mail.Mail(server=server, addresses={"rrhh@centro.pe": True})
    assert webhooks.hooks(new) == [hook]
    found = credentials.load(new)
    assert (found.mail, found.webhooks) == ("clave", {"avisos": secret})
    assert (found.provider, found.backup.encode()) == ("of the client", WORDS)
    assert read_backups(new).schedule == ordered(place, 0)
    restored = Accounts(new)
    assert restored.providers.get() == provider
    again = restored.book.provided(ME, provider.issuer, "s-1", **shown)
    assert again == provided and again in restored.book.all()
    restored.close()
    assert not [name for name in check(place / "a.backup", WORDS).manifest.files if "lock" in name]


def test_a_used_directory_is_refused_and_a_restore_that_was_cut_is_not(data, made, tmp_path):
    used = tmp_path / "used"
    used.mkdir()
    used.chmod(0o755)
    (used / "somebody's").touch()
    for one in (data, DataDir(used)):
        with pytest.raises(DiademaError, match="in use already"):
            restore(made, WORDS, one, NOW, ME)
    assert [path.name for path in used.iterdir()] == ["somebody's"]
    assert used.stat().st_mode & 0o777 == 0o755
    with pytest.raises(DiademaError, match="passphrase does not open"):
        restore(made, b"otra frase de paso", DataDir(tmp_path / "new"), NOW, ME)
    left = tmp_path / "new" / ".restoring-cut"
    left.mkdir()
    (left / "store.sqlite3").write_text("half")
    new, _ = put_back(made, tmp_path)
    assert raw(new) == raw(data) and not left.exists()
    with pytest.raises(DiademaError, match="in use already"):
        put_back(made, tmp_path)


def test_the_restore_is_in_both_records_and_sessions_are_over(data, place, tmp_path):
    accounts = Accounts(data)
    accounts.book.add(ME, "ana", "Ana", "admin", password="una frase de prueba")
    accounts.sessions.begin("ana", "127.0.0.1", "x")
    assert accounts.sessions.all("ana")
    file = place / "a.backup"
    back_up(data, file, WORDS, NOW, ME)
    accounts.close()
    new, _ = put_back(file, tmp_path)
    assert check_ledger(new) == check_audit(new) == []
    restored = Accounts(new)
    row = restored.audit.rows(what="records.restored")[0]
    assert (row.who, row.detail["reason"]) == ("shell:yo", "a.backup")
    assert row.detail["made_ms"] == NOW.now_ms()
    with contextlib.closing(sqlite3.connect(new.store)) as tx:
        ((detail,),) = tx.execute("SELECT detail FROM record_entries WHERE what = 'restored'")
    assert json.loads(detail) == row.detail
    assert restored.book.get("ana") is not None
    assert restored.sessions.all("ana") == []
    restored.close()


def act(data):
    """A supervisor's act, as the hub stores it; its (s, e, n)."""
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, None, NOW)
        journal = OwnJournal(ingest, Commands(ingest, None))
        fields = {"action": "note", "note": "x", "a": "a001", "by": "ana"}
        recorded = journal.record([SupervisorAction([("supervision.acted", fields)])])
        return recorded.of[0], recorded.messages
    finally:
        writer.close()


def test_the_hubs_own_journal_begins_another_epoch_and_the_old_ones_events_still_come(
    data, place, tmp_path
):
    """What it said after the backup has numbers that are never given again."""
    first, _ = act(data)
    file = place / "a.backup"
    back_up(data, file, WORDS, NOW, ME)
    second, lost = act(data)
    assert (first[1], first[2] + 1) == second[1:]
    new, _ = put_back(file, tmp_path)
    after, _ = act(new)
    assert after[1] != first[1] and after[2] == 1
    assert act(new)[0] == (after[0], after[1], 2)
    writer = open_writer(new.store)
    ingest = Ingest(writer, None, NOW)
    ingest.take(lost, "stream", "server")
    writer.close()
    assert lost[0].data in raw(new)
    assert act(new)[0] == (after[0], after[1], 3)
    again_after, _ = act(DataDir(put_back(file, tmp_path, "other")[0].root))
    assert again_after[1] not in (first[1], after[1])


def erased_events(data):
    bodies = [one for one in raw(data) if b'"a":"a001"' in one and b"attendance" not in one]
    assert bodies
    return bodies


def test_a_backup_of_before_an_erasure_does_not_bring_anybody_back(data, made, tmp_path):
    """The list of erasures lies beside the backup: the directory and its disk are gone."""
    bodies = erased_events(data)
    erase(data, NOW, ME, NOW.now_ms() - 2 * YEARS)
    assert leave_erasures(data) == []
    assert b"SQLite" not in (made.parent / ERASURES).read_bytes()
    assert stat.S_IMODE((made.parent / ERASURES).stat().st_mode) == 0o600
    shutil.rmtree(data.root)
    new, done = put_back(made, tmp_path)
    assert done.erased.events and done.knew_erasures
    assert not [one for one in bodies if one in raw(new)]
    check_obeyed(new)
    assert check_ledger(new) == check_audit(new) == []


def test_the_old_directory_knows_too_and_a_list_that_was_changed_is_refused(data, made, tmp_path):
    bodies = erased_events(data)
    erase(data, NOW, ME, NOW.now_ms() - 2 * YEARS)
    new, done = put_back(made, tmp_path, "by old", old=data)
    assert done.erased.events and not [one for one in bodies if one in raw(new)]
    assert last_erasure(new).before_ms == last_erasure(data).before_ms
    leave_erasures(data)
    kept = (made.parent / ERASURES).rename(tmp_path / "list")
    _, done = put_back(made, tmp_path, "unknowing")
    assert not done.knew_erasures and done.erased is None
    new, done = put_back(made, tmp_path, "by list", erasures=kept)
    assert done.erased.events and not [one for one in bodies if one in raw(new)]
    flipped(kept, kept.stat().st_size // 2)
    with pytest.raises(SealBroken):
        put_back(made, tmp_path, "by a changed list", erasures=kept)
    kept.rename(made.parent / ERASURES)
    with pytest.raises(SealBroken):
        put_back(made, tmp_path, "by one beside")
    other = stations(tmp_path / "other hub")
    erase(other, NOW, ME, NOW.now_ms() - 2 * YEARS)
    with pytest.raises(DiademaError, match="of another hub"):
        put_back(made, tmp_path, "by another", old=other)
    with pytest.raises(DiademaError, match="check --old"):
        put_back(made, tmp_path, "by none", old=DataDir(tmp_path / "none"))


def test_an_erasure_leaves_its_list_where_backups_lie_and_says_where_it_could_not(
    data, place, tmp_path
):
    gone = tmp_path / "gone"
    gone.mkdir()
    back_up(data, gone / "a.backup", WORDS, NOW, ME)
    back_up(data, place / "a.backup", WORDS, NOW, ME)
    shutil.rmtree(gone)
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(NOW.now_ms(), 1)
    words = ["privacy", "erase", "--clock", clock, "--data", data.root]
    done = CliRunner().invoke(app, ["--lang", "en", *map(str, words)])
    assert f"{gone} cannot be reached" in done.output, (done.output, done.exception)
    assert str(place) not in done.output and (place / ERASURES).exists()


def test_the_old_stream_goes_on_and_a_running_hub_is_not_robbed_of_it(data, made, tmp_path):
    with locked(data.lock, note="a hub"), pytest.raises(DiademaError, match="in use"):
        put_back(made, tmp_path, old=data)
    new, done = put_back(made, tmp_path, old=data)
    assert done.stream and (new.nats / "jetstream" / "1.blk").read_text() == "event"
    assert (data.nats / "jetstream" / "1.blk").exists()
    assert not put_back(made, tmp_path, "without")[1].stream


# -- beside the hub that it was made of


def test_what_was_put_back_makes_no_backups_and_lets_none_go_until_it_is_in_force(
    data, place, tmp_path
):
    """Both have the folder of the living one; what fell due meanwhile is one backup."""
    clock = FixedClock(at("2027-01-10T12:00"))
    order(data, ordered(place, clock.now, number=1), WORDS)
    clock.now = at("2027-01-11T03:00")
    file = make_due(data, clock).file
    new, _ = put_back(Path(file), tmp_path)
    clock.now = at("2027-01-14T09:00")
    erase(new, clock, ME, clock.now - 86_400_000)
    assert make_due(new, clock) is None and leave_erasures(new) == []
    assert [path.name for path in place.iterdir()] == [Path(file).name]
    put_in_force(new, clock, ME)
    assert (place / ERASURES).exists()
    made = make_due(new, clock)
    assert made is not None and make_due(new, clock) is None
    assert sorted(path.name for path in place.glob("*.backup")) == [Path(made.file).name]
    assert make_due(data, FixedClock(at("2027-01-12T03:00"))) is not None, "of itself it goes on"


def test_who_put_it_in_force_is_recorded_and_nobody_does_it_twice(data, made, tmp_path):
    new, _ = put_back(made, tmp_path)
    for one in (data, DataDir(tmp_path / "none")):
        with pytest.raises(DiademaError):
            put_in_force(one, NOW, ME)
    put_in_force(new, NOW, ME)
    assert read_standing(new) == Standing(in_force_ms=NOW.now_ms())
    with pytest.raises(DiademaError, match="nothing is held back"):
        put_in_force(new, NOW, ME)
    accounts = Accounts(new)
    assert [row.who for row in accounts.audit.rows(what="restore.in_force")] == ["shell:yo"]
    accounts.close()
    back_up(new, made.with_name("b.backup"), WORDS, NOW, ME)
    again, _ = put_back(made.with_name("b.backup"), tmp_path, "again")
    assert read_standing(again).trial


def test_it_is_said_at_its_restore_at_each_start_and_where_its_orders_are_listed(
    made, tmp_path, capsys
):
    new, words = tmp_path / "nueva", tmp_path / "frase"
    words.write_bytes(WORDS)
    words.chmod(0o600)

    def typed(*command):
        done = CliRunner().invoke(app, ["--lang", "es", *map(str, command), "--data", str(new)])
        assert done.exception is None, done.exception
        return done.output

    def started():
        """What the hub says once it is up."""
        running = SimpleNamespace(
            url="http://127.0.0.1:8600", mqtt=("127.0.0.1", 8883), data=DataDir(new),
            set_up_code=None, accounts_lost=False, pages_ca=None, pages_ca_is_new=False,
        )  # fmt: skip
        show(running)
        return capsys.readouterr().out

    way = f"diadema resume --data {new}"
    lists = (("backup", "list"), ("webhook", "list"), ("report", "schedule", "list"))
    assert way in typed("restore", made, "--passphrase-file", words)
    assert way in started()
    assert [command for command in lists if way not in typed(*command)] == []
    assert "se envía" in typed("resume")
    assert [command for command in lists if "diadema resume" in typed(*command)] == []
    assert "diadema resume" not in started()
