"""A backup is whole, sealed and made while the hub writes, by hand or by the clock."""

# ruff: noqa: F811 - fixtures of another file

import contextlib
import json
import sqlite3
import stat
import tarfile
import threading
from typing import IO, cast

import pytest
from diadema.access import Accounts
from diadema.base import credentials
from diadema.base.backups import read_backups
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir, Room
from diadema.base.sealed import SealBroken, Sealer, Unsealer, read_passphrase
from diadema.cli.main import app
from diadema.hub.backup_clock import BackupClock
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.maintenance import backup
from diadema.maintenance.backup import back_up, check
from diadema.maintenance.backup_schedule import make_due, next_due, order, outlived
from diadema.store import open_writer
from diadema.switch import settings as switch
from diadema.switch.journal import Journal
from diadema.wire.events import QueueEntered
from diadema.words.formatting import local_time
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner

from tests.support.backups import (
    LIMA,
    ME,
    NOW,
    WORDS,
    at,
    data,  # noqa: F401 - a fixture
    faults,
    flipped,
    made,  # noqa: F401
    ordered,
    place,  # noqa: F401
    put_back,
    raw,
    template,  # noqa: F401
)
from tests.support.scripted_station import T0, FixedClock, Script

# -- the seal


def sealed(path, content, secret=WORDS):
    with path.open("wb") as file:
        sealer = Sealer(file, secret)
        for at in range(0, len(content), 700_000):
            sealer.write(content[at : at + 700_000])
        sealer.end()


def opened(path, secret=WORDS):
    with path.open("rb") as file:
        unsealer = Unsealer(file, secret)
        parts = []
        while part := unsealer.read(300_000):
            parts.append(part)
    return b"".join(parts)


PIECE = (1 << 20) + 16
SIZES = (0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20, 3_500_000)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_is_read_again_and_by_nobody_else(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sealed(tmp_path / "a", content)
    assert opened(tmp_path / "a") == content
    assert b"\0\1\2\3\4\5" not in (tmp_path / "a").read_bytes()
    with pytest.raises(SealBroken, match="another passphrase"):
        opened(tmp_path / "a", b"otra frase de paso")


# -- the bridge to the switch

NOBODY = {"station": "", "epoch": 0, "sequence": 0, "boot": 0, "uptime_ms": 0}


def told_by_the_switch(data, count):
    """Its journal has that many, of which the store has two."""
    switch.write(data, switch.Settings())
    journal = Journal(data.switch_journal, "central")
    journal.append([QueueEntered(utc_ms=T0 + k, pbx=f"{k}.1", queue="ventas", **NOBODY)
                    for k in range(count)])  # fmt: skip
    bodies = journal.unsent(count)
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, None, NOW)
        ingest.take_file([Message(0, subject_of(journal.station), one) for one in bodies[:2]])
    finally:
        writer.close()
    return journal


def test_the_bridges_journal_goes_on_under_another_epoch_and_tells_nothing_twice(
    data, place, tmp_path
):
    journal = told_by_the_switch(data, 3)
    with credentials.changing(data) as known:
        known.exchange = {"ami": "una-clave-larga"}
    back_up(data, place / "b.backup", WORDS, NOW, ME)
    journal.append([QueueEntered(utc_ms=T0, pbx="9.1", queue="ventas", **NOBODY)])
    epoch = journal.epoch
    journal.close()
    new, _ = put_back(place / "b.backup", tmp_path)
    assert switch.read(new) == switch.Settings()
    assert credentials.load(new).exchange == {"ami": "una-clave-larga"}
    again = Journal(new.switch_journal, "central")
    told = [json.loads(body) for body in again.unsent(9)]
    again.close()
    assert [(one["pbx"], one["n"]) for one in told] == [("2.1", 1)]
    assert again.epoch != epoch and {one["e"] for one in told} == {again.epoch}


def line_of(path):
    return path.read_bytes().index(b"\n") + 1


@pytest.mark.parametrize("where", ["line", "first", "middle", "last"])
def test_a_flipped_byte_is_found_wherever_it_is(tmp_path, where):
    path = tmp_path / "a"
    sealed(path, b"x" * 3_500_000)
    size = path.stat().st_size
    at = {"line": 40, "first": line_of(path), "middle": size // 2, "last": size - 1}
    flipped(path, at[where])
    with pytest.raises(SealBroken):
        opened(path)


MOVED = ("cut", "cut at a piece", "none", "one out", "swapped", "foreign", "longer")


@pytest.mark.parametrize("pieces", MOVED)
def test_a_part_that_is_cut_off_moved_or_of_another_file_is_found(tmp_path, pieces):
    path, other = tmp_path / "a", tmp_path / "b"
    sealed(path, b"x" * 3_500_000)
    sealed(other, b"y" * 3_500_000)
    line, of_other = line_of(path), line_of(other)
    whole, foreign = path.read_bytes(), other.read_bytes()
    head, first, second = whole[:line], whole[line:][:PIECE], whole[line + PIECE :][:PIECE]
    rest = whole[line + 2 * PIECE :]
    path.write_bytes({
        "cut": whole[:-1],
        "cut at a piece": whole[: line + 2 * PIECE],
        "none": head,
        "one out": head + first + rest,
        "swapped": head + second + first + rest,
        "foreign": head + foreign[of_other:][:PIECE] + second + rest,
        "longer": whole + b"x",
    }[pieces])  # fmt: skip
    with pytest.raises(SealBroken, match="changed or cut off"):
        opened(path)


@pytest.mark.parametrize("line", [b"", b"\n", b"x" * 3000, b"[]\n", b"{}\n"])
def test_what_is_no_sealed_file_is_told(tmp_path, line):
    (tmp_path / "a").write_bytes(line)
    with pytest.raises(SealBroken, match="no file that Diadema sealed"):
        opened(tmp_path / "a")


def test_nobodys_first_line_makes_us_work_for_hours(tmp_path):
    path = tmp_path / "a"
    sealed(path, b"x")
    head, _, rest = path.read_bytes().partition(b"\n")
    for field in ("passes", "memory_kib", "lanes"):
        hard = json.dumps(json.loads(head) | {field: 1 << 30}).encode()
        path.write_bytes(hard + b"\n" + rest)
        with pytest.raises(SealBroken):
            opened(path)


def test_a_passphrase_is_a_line_of_a_file_that_is_its_owners_alone(tmp_path):
    file = tmp_path / "words"
    file.write_bytes(WORDS + b"\r\nmore\n")
    file.chmod(0o600)
    assert read_passphrase(file) == WORDS
    file.write_bytes(b"short\n")
    with pytest.raises(DiademaError, match="fewer than 12"):
        read_passphrase(file)
    file.chmod(0o644)
    with pytest.raises(DiademaError, match="chmod 600"):
        read_passphrase(file)
    with pytest.raises(DiademaError, match="cannot read"):
        read_passphrase(tmp_path / "none")


# -- making and checking


def test_a_backup_has_everything_but_what_is_made_again(data, made, tmp_path):
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert [path.name for path in made.parent.iterdir()] == ["a.backup"]
    found = check(made, WORDS)
    assert found.faults == [] and found.manifest.position == len(raw(data))
    names = found.manifest.files.keys()
    assert names >= {"store.sqlite3", "accounts.sqlite3", "secrets.json", "records.key",
                     "keys.json", "site.json", "tls/ca.key", "images/a.bin", "nats/ports.json",
                     "reports/schedules.json", "backups.json"}  # fmt: skip
    assert not [one for one in names if one.startswith(("logs", "nats/j", "rollups", ".", "lock"))]
    assert not list(data.root.glob(".backup-*"))
    new, done = put_back(made, tmp_path)
    assert raw(new) == raw(data) and done.manifest == found.manifest
    for name in names - {"accounts.sqlite3", "store.sqlite3", "backups.json"}:
        assert (new.root / name).read_bytes() == (data.root / name).read_bytes(), name
    open_to_others = {path.name for path in (new.root, *new.root.rglob("*"))
                      if path.stat().st_mode & 0o077}  # fmt: skip
    assert open_to_others <= {"lock", "ingest.lock", "backups.lock", "standing.lock"}
    assert credentials.load(new) == credentials.load(data)
    assert read_backups(new).last == read_backups(data).last is not None


def test_what_is_wrong_with_a_backup_is_found(made):
    assert faults(made) == ""
    whole = made.read_bytes()
    assert "another passphrase" in faults(made, b"otra frase de paso")
    for where in (line_of(made) + 5, len(whole) // 2, len(whole) - 3):
        flipped(made, where)
        assert "changed or cut off" in faults(made)
        made.write_bytes(whole)
    made.write_bytes(whole[:-1])
    assert "changed or cut off" in faults(made)
    made.write_bytes(b"no backup at all\n" * 9)
    assert "no file that Diadema sealed" in faults(made)


def again(file, change):
    """The same with another content, sealed rightly by whoever has the passphrase."""
    members = {}
    with file.open("rb") as raw_file:
        unsealer = cast(IO[bytes], Unsealer(raw_file, WORDS))
        with tarfile.open(fileobj=unsealer, mode="r|gz") as tar:
            for one in tar:
                members[one.name] = tar.extractfile(one).read()
    change(members)
    with file.open("wb") as raw_file:
        sealer = Sealer(raw_file, WORDS)
        with tarfile.open(fileobj=cast(IO[bytes], sealer), mode="w|gz") as tar:
            for name, content in members.items():
                path = file.with_name("member")
                path.write_bytes(content)
                tar.add(path, name)
        sealer.end()


def damaged(members):
    whole = bytearray(members["store.sqlite3"])
    whole[len(whole) // 2 :] = b"\xff" * (len(whole) - len(whole) // 2)
    members["store.sqlite3"] = bytes(whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda members: members.pop("keys.json"), "keys.json is missing"),
        (lambda members: members.pop("store.sqlite3"), "store.sqlite3 is missing"),
        (lambda members: members.pop("manifest.json"), "no list of its files"),
        (lambda members: members.update({"keys.json": b"{ }"}), "keys.json is another"),
        (lambda members: members.update({"more": b""}), "more is another"),
        (lambda members: members.update({"../out": b""}), "../out: no file of a backup"),
        (damaged, "its database is damaged"),
    ],
)
def test_a_backup_that_lacks_something_is_found_and_not_restored(made, tmp_path, change, said):
    again(made, lambda members: None)
    assert faults(made) == ""
    again(made, change)
    assert said in faults(made)
    with pytest.raises(DiademaError, match="nothing was restored"):
        put_back(made, tmp_path)
    assert {path.name for path in (tmp_path / "new").iterdir()} <= {"lock", "ingest.lock"}
    assert not (tmp_path / "out").exists()


def test_one_of_before_says_nothing_of_its_zone(made):
    def older(members):
        manifest = json.loads(members["manifest.json"])
        assert manifest.pop("zone") == "America/Lima"
        members["manifest.json"] = json.dumps(manifest).encode()

    again(made, older)
    found = check(made, WORDS)
    assert (found.faults, found.manifest.zone) == ([], "")


def test_a_damaged_database_is_no_backup_and_the_last_one_stays(data, made):
    before = made.read_bytes()
    with data.store.open("r+b") as file:
        file.seek(data.store.stat().st_size // 2)
        file.write(b"\xff" * 40_000)
    with pytest.raises(DiademaError, match=r"no backup was made.*diadema restore FILE"):
        back_up(data, made.with_name("b.backup"), WORDS, NOW, ME)
    assert made.read_bytes() == before
    assert [path.name for path in made.parent.iterdir()] == ["a.backup"]


def test_what_cannot_be_backed_up_is_refused(data, place, monkeypatch):
    with pytest.raises(DiademaError, match="would be lost with it"):
        back_up(data, data.root / "a.backup", WORDS, NOW, ME)
    with pytest.raises(DiademaError, match="cannot write"):
        back_up(data, place / "none" / "a.backup", WORDS, NOW, ME)
    with pytest.raises(DiademaError):
        back_up(DataDir(place), place.parent / "a.backup", WORDS, NOW, ME)
    with locked(data.root / ".backup.lock"), pytest.raises(DiademaError, match="in use"):
        back_up(data, place / "a.backup", WORDS, NOW, ME)
    monkeypatch.setattr(backup.Disk, "look", lambda _: Room(10, 10, low=False))
    with pytest.raises(DiademaError, match="no room"):
        back_up(data, place / "a.backup", WORDS, NOW, ME)
    assert not list(place.glob("*backup"))


def test_one_that_is_there_is_not_written_over(data, made):
    before = made.read_bytes()
    with pytest.raises(DiademaError, match="there already: give another name"):
        back_up(data, made, WORDS, NOW, ME)
    assert made.read_bytes() == before


def test_a_folder_in_which_none_came_to_be_is_not_remembered(data, place, made, monkeypatch):
    """Where one lies the list of erasures is left, whatever fails later."""
    with pytest.raises(DiademaError, match="cannot write"):
        back_up(data, place / "mistyped" / "b.backup", WORDS, NOW, ME)
    monkeypatch.setattr(backup.Disk, "look", lambda _: Room(10, 10, low=False))
    for folder in (place, place.parent):
        with pytest.raises(DiademaError, match="no room"):
            back_up(data, folder / "c.backup", WORDS, NOW, ME)
    assert read_backups(data).places == [str(place)]


def test_it_is_made_while_the_store_is_written_and_nothing_knows_more_than_it(
    tmp_path, tmp_path_factory, ingest, monkeypatch
):
    """Events come between any two copies; none of them makes a backup that is not whole."""
    data, place = DataDir(tmp_path), tmp_path_factory.mktemp("elsewhere")
    credentials.load_or_create(data)
    script = Script().boot().clock().mark("in").login().ready()
    ingest.take(script.messages(), "stream", "server")
    real, order_of = backup._copy, []

    def copy(path, into):
        order_of.append(path.name)
        before = script.n
        script.call(f"c{before}")
        ingest.take(script.messages(first=before + 1), "stream", "server")
        real(path, into)

    monkeypatch.setattr(backup, "_copy", copy)
    made = back_up(data, place / "a.backup", WORDS, NOW, ME)
    assert order_of[-1] == "store.sqlite3" and "accounts.sqlite3" in order_of
    assert made.position == script.n
    assert faults(place / "a.backup") == ""


def test_a_writer_goes_on_beside_it(data, place):
    """Each commit of another thread is whole in the copy, or not there."""
    ends, begun, count = threading.Event(), threading.Event(), 0

    def write():
        nonlocal count
        with contextlib.closing(sqlite3.connect(data.store, timeout=60)) as tx:
            while not ends.is_set():
                with tx:
                    tx.executemany("INSERT INTO unknown VALUES ('k', ?, 1)",
                                   [(f"{count}-{half}",) for half in range(2)])  # fmt: skip
                count += 1
                if count == 3:
                    begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert begun.wait(300)
        back_up(data, place / "a.backup", WORDS, NOW, ME)
    finally:
        ends.set()
        thread.join()
    new, _ = put_back(place / "a.backup", place.parent)
    with contextlib.closing(sqlite3.connect(new.store)) as tx:
        (copied,) = tx.execute("SELECT count(*) FROM unknown").fetchone()
    assert 6 <= copied <= 2 * count and copied % 2 == 0


def test_who_made_a_backup_is_recorded(data, made):
    accounts = Accounts(data)
    row = accounts.audit.rows(what="backup.made")[0]
    accounts.close()
    assert (row.who, row.detail) == ("shell:yo", {"file": str(made)})


# -- by the clock


def test_one_falls_due_each_day_late_ones_are_made_and_old_ones_go(data, place):
    clock = FixedClock(at("2027-01-10T12:00"))
    order(data, ordered(place, clock.now), WORDS)
    assert next_due(read_backups(data).schedule, clock.now, LIMA) == at("2027-01-11T03:00")
    assert make_due(data, clock) is None
    for day in ("2027-01-11T03:00", "2027-01-12T03:10", "2027-01-20T15:00"):
        clock.now = at(day)
        made = make_due(data, clock)
        assert made is not None and make_due(data, clock) is None, day
    found = sorted(path.name for path in place.glob("*.backup"))
    assert found == ["diadema-20270112-081000.backup", "diadema-20270120-200000.backup"]
    assert faults(place / found[-1], credentials.load(data).backup.encode()) == ""
    assert read_backups(data).last.file == str(place / found[-1])


def test_what_is_retained_by_number_and_by_days(tmp_path):
    now = at("2027-01-31T12:00")
    for day in range(1, 31):
        (tmp_path / f"diadema-202701{day:02}-080000.backup").touch()
    for other in ("diadema-mine.backup", "diadema-20270101-080000.backup.txt", "x.backup"):
        (tmp_path / other).touch()

    def left(number, days):
        gone = {path.name for path in outlived(tmp_path, ordered(tmp_path, 0, number=number,
                                                                  days=days), now)}  # fmt: skip
        assert not gone & {"diadema-mine.backup", "x.backup", "diadema-20270101-080000.backup.txt"}
        return 30 - len(gone)

    assert [left(3, 0), left(3, 10), left(20, 10), left(1, 0), left(99, 0)] == [3, 9, 20, 1, 30]


def test_one_that_fails_is_told_and_tried_again(data, place):
    clock = FixedClock(at("2027-01-10T12:00"))
    order(data, ordered(place, clock.now), WORDS)
    place.rename(place.with_name("away"))
    clock.now = at("2027-01-11T03:00")
    with pytest.raises(DiademaError, match="no folder"):
        make_due(data, clock)
    assert "no folder" in read_backups(data).reason
    place.with_name("away").rename(place)
    assert make_due(data, clock) is None
    clock.now += 15 * 60_000
    assert make_due(data, clock) is not None
    assert read_backups(data).reason is None


@pytest.mark.parametrize(
    "trouble",
    [OSError(5, "Input/output error"), sqlite3.OperationalError("disk I/O error"),
     OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))],
    ids=lambda one: type(one).__module__,
)  # fmt: skip
async def test_whatever_keeps_a_backup_from_being_made_does_not_end_its_clock(
    data, place, caplog, monkeypatch, trouble
):
    clock = FixedClock(at("2027-01-10T12:00"))
    order(data, ordered(place, clock.now), WORDS)
    clock.now = at("2027-01-11T03:00")

    def fail(*_):
        raise trouble

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_copy", fail)
        await BackupClock(data, clock).look()
    assert "the backup was not made" in caplog.text
    assert read_backups(data).reason
    clock.now += 15 * 60_000
    assert make_due(data, clock) is not None


async def test_the_running_hub_makes_it_and_a_failure_does_not_end_its_clock(data, place, caplog):
    clock = FixedClock(at("2027-01-10T12:00"))
    backups = BackupClock(data, clock)
    await backups.look()
    order(data, ordered(place, clock.now), WORDS)
    clock.now = at("2027-01-11T03:00")
    place.rename(place.with_name("away"))
    await backups.look()
    assert "the backup was not made" in caplog.text
    place.with_name("away").rename(place)
    clock.now += 15 * 60_000
    backups._ends = True  # the hub goes down meanwhile
    await backups.look()
    assert list(place.iterdir()) == [] and not list(data.root.glob(".backup-*"))
    backups._ends = False
    await backups.look()
    assert len(list(place.glob("*.backup"))) == 1


def test_what_cannot_be_ordered_is_refused(data, place):
    for wrong, said in (({"at": "24:00"}, "no time of day"), ({"folder": "/none"}, "no folder")):
        with pytest.raises(DiademaError, match=said):
            order(data, ordered(place, 0, **wrong), WORDS)
    assert read_backups(data).schedule is None and credentials.load(data).backup == ""


def test_a_gateways_new_credential_leaves_the_passphrase(data, place):
    known = credentials.load(data)
    order(data, ordered(place, 0), WORDS)
    credentials.change_gateway(data, known, "g1", revoke=False)
    assert credentials.load(data).backup == WORDS.decode()
    assert credentials.load(data).gateways == {"g1": 2}


# -- typed


def test_the_commands_say_what_they_did_in_both_languages(data, place, tmp_path):
    words = tmp_path / "frase"
    words.write_bytes(WORDS)
    words.chmod(0o600)
    new = tmp_path / "nueva"

    def typed(*command, language="es", root=data.root):
        words_typed = ["--lang", language, *map(str, command), "--data", str(root)]
        return CliRunner().invoke(app, words_typed)

    of = ("--passphrase-file", words)
    file = place / "lunes.backup"
    assert "falta la frase" in str(typed("backup", file).exception.say("es"))
    assert "eventos. Sin su frase" in typed("backup", file, *of).output
    assert "Está completa" in typed("backup", "check", file, *of).output
    assert "No hay ninguna programada" in typed("backup", "list").output
    assert "secrets.json: protege" in typed("backup", "schedule", place, *of).output
    assert "It is whole" in typed("backup", "check", file, language="en").output
    made = local_time(read_backups(data).last.made_ms, LIMA)
    for told in (
        typed("backup", "list"),
        typed("backup", "check", file, *of, root=tmp_path / "no"),
    ):
        assert f"{made} (America/Lima)" in told.output, "wherever it is read"
    assert "Se conservan las 14" in typed("backup", "list").output
    done = typed("restore", file, *of, root=new)
    assert done.exit_code == 0, done.output
    assert "registrada en ambos libros" in done.output and "lista de borrados" in done.output
    assert typed("backup", "unschedule").exit_code == 0
    flipped(file, file.stat().st_size // 2)
    broken = typed("backup", "check", file, *of)
    assert broken.exit_code == 1 and "cambiado o cortado" in broken.output
    seen = json.loads(typed("backup", "check", file, *of, "--json").output)
    assert seen["faults"]
