"""`diadema doctor`: a line for each thing that is wrong, and no byte of the directory changed."""

import asyncio
import json
import os
import re
import shutil
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import certificates, credentials, webhooks
from diadema.base.backups import changing_backups
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir, Hub, Room
from diadema.base.standing import changing_standing
from diadema.cli.main import app
from diadema.hub import doctor
from diadema.hub.hub import Hub as RunningHub
from diadema.hub.standby import Credential, State
from diadema.maintenance.records_keeping import enter
from diadema.maintenance.standbys import Heard, Standbys
from diadema.report import schedule
from diadema.report.model import Scope
from diadema.site.directory.publishing import open_directory
from diadema.stations.fleet import StationRow
from typer.testing import CliRunner

from tests.host.test_directory_site import put
from tests.host.test_report_schedules import order
from tests.support.backups import remember_backup
from tests.support.reported_day import stations
from tests.support.scripted_station import T0

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
    remember_backup(data, at_ms)


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


def test_what_another_user_owns_is_a_line(data, monkeypatch):
    copy = shutil.copyfile

    def refusing(file, to):
        if file == data.secrets:
            raise PermissionError(13, "Permission denied")
        return copy(file, to)

    monkeypatch.setattr(shutil, "copyfile", refusing)
    assert [str(data.secrets) in one and "chown" in one for one in wrong(data)] == [True]


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
    data.backups.unlink()
    return ["no backup is known"]


def unreadable_backups(data):
    data.backups.write_text("{")
    return ["backups.json"]


def backup_that_failed(data):
    with changing_backups(data) as known:
        known.reason = "its disk is gone"
    return ["its disk is gone"]


def webhook_that_takes_nothing(data):
    for name in ("avisos", "otro"):
        webhooks.add(data, webhooks.Hook(name=name, url="https://a.pe/"))
    for now_ms in (1, webhooks.DAY_MS + 1):
        webhooks.note(data, "avisos", "answered 503", now_ms)
    webhooks.note(data, "otro", "answered 500", 1)
    return ["avisos is off (answered 503)", "otro takes no alerts (answered 500)"]


def report_that_stopped(data):
    schedule.add(data, order(name="diario"), "es")
    schedule.stop(data, "diario", "disabled")
    return ["«diario» is stopped"]


def put_back_for_a_trial(data):
    with changing_standing(data) as standing:
        standing.trial = True
    (data.root / "standing.lock").chmod(0o600)
    return [f"`diadema resume --data {data.root}`"]


def reports_that_failed(data):
    team = {"scope": Scope(of="team", code="Mañana")}
    for name, every in (("diario", "day"), ("semanal", "week"), ("mensual", "month")):
        schedule.add(data, order(name=name, every=every, **team), "es")
    runs = [
        run(name="diario", done_ms=3 * 86_400_000, tries=2, reason="no such team"),
        run(name="diario", due_ms=T0 - 1, file="x", tries=1),
        run(name="semanal", span="2026-W46", tries=schedule.TRIES, reason="no room"),
        run(name="mensual", tries=1, file="x", sendings=3, unsent="it took nothing"),
    ]
    schedule.write_runs(data, runs)
    return [
        "«diario» of 2026-11-17 failed at 1970-01-03 19:00, 2 times (no such team)",
        "`diadema report week --week 2026-W46 --kind llamadas --team 'Mañana'`",
        "«mensual» of 2026-11-17 was made and not sent (it took nothing)",
    ]


def run(**more):
    given = {"due_ms": T0 + 86_400_000, "span": "2026-11-17", "kind": "llamadas", "scope": Scope()}
    return schedule.Run(**given | more)


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
        no_backup, unreadable_backups, backup_that_failed, webhook_that_takes_nothing,
        report_that_stopped, reports_that_failed, put_back_for_a_trial, flipped, older, newer,
        changed_mark, no_key, bad_site, hub_that_was_killed,
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


def row(**more):
    known = {"station": "DIA-0123456789ab", "seat": "A-01", "board": "sim", "generation": 1}
    known |= {"version": doctor.program_version(), "wanted": 1, "link": "up", "ways": []}
    return StationRow(**{**known, "seen_utc": None, "clock_ms": 60_000, "journal": 80, **more})


@pytest.fixture
def runs(data, monkeypatch):
    """A hub that seems to run there, whose ports are those of a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = listener.getsockname()
        hub = Hub(1, {}, f"http://127.0.0.1:{here[1]}", "nats://127.0.0.1:1", here)
        monkeypatch.setattr(doctor, "running", lambda _: hub)

        async def answer(*_):
            return {"paused": False}

        monkeypatch.setattr(doctor, "ask_hub", answer)
        monkeypatch.setattr(doctor, "all_stations", lambda *_: [row()])
        yield hub


@pytest.mark.parametrize(
    ("station", "part"),
    [
        ({}, None),
        ({"link": "lost"}, "without a link (A-01)"),
        ({"link": "lost", "seat": None}, None),
        ({"clock_ms": None}, "whose hour is not known"),
        ({"clock_ms": 60_001}, "off by more than a minute (A-01)"),
        ({"journal": 81}, "journal is nearly full (A-01)"),
        ({"needs_image": "old"}, "need another image (A-01)"),
        ({"version": "0.0.1"}, None),
    ],
)
def test_what_stations_are_to_be_looked_at(data, runs, monkeypatch, station, part):
    monkeypatch.setattr(doctor, "all_stations", lambda *_: [row(**station)])
    found = wrong(data)
    assert len(found) == (part is not None), found
    assert part is None or part in found[0]
    old = "with another program than" in call(data).stdout
    assert old == ("version" in station)


def test_a_port_that_is_silent_and_a_hub_that_takes_nothing(data, runs, monkeypatch):
    async def paused(*_):
        return {"paused": True}

    monkeypatch.setattr(doctor, "ask_hub", paused)
    monkeypatch.setattr(doctor, "_listens", lambda host, port: False)
    web, mqtt, hub = wrong(data)
    assert web.startswith("web does not answer") and mqtt.startswith("mqtt does not answer")
    assert "takes no events" in hub


def allowed(data, *names):
    """Credentials of standbys; their numbers."""
    with closing(Accounts(data)) as accounts:
        for name in names:
            accounts.tokens.add(TESTER, name, "standby")
        return {one.name: one.number for one in accounts.tokens.all()}


def heard(data, name, *, ago_s=1, backup_ago_s=900, **said):
    now_ms = SystemClock().now_ms()
    with closing(Accounts(data)) as accounts:
        usual = {"stored": 90, "last": 90, "every_s": 900}
        usual |= {"seen_ms": now_ms - ago_s * 1000, "backup_ms": now_ms - backup_ago_s * 1000}
        made = Heard(**usual | said)
        Standbys(data, accounts.tokens).note(name, made)


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({}, []),
        ({"ago_s": 900}, ["standby reserva has not asked for 0:15"]),
        ({"last": 1090}, []),
        ({"last": 1091}, ["standby reserva lacks 1001 messages"]),
        ({"last": None}, []),
        ({"backup_ago_s": 3600}, ["backup of the standby reserva is 1:00"]),
        ({"backup_ms": 0}, ["backup of the standby reserva is — old"]),
        ({"backup_ms": 0, "every_s": 0}, []),  # of a program that does not say
    ],
)
def test_a_standby_of_this_hub(data, runs, said, parts):
    allowed(data, "reserva")
    heard(data, "reserva", **said)
    found = wrong(data)
    assert len(found) == len(parts), found
    assert all(part in one for part, one in zip(parts, found, strict=True))
    assert "note  the standby reserva asked 0:" in call(data).stdout


def test_a_standby_that_nobody_started_and_one_that_was_revoked(data, runs):
    numbers = allowed(data, "nueva", "retirada")
    heard(data, "retirada", ago_s=900)
    assert ["retirada" in one for one in wrong(data)] == [True]
    with closing(Accounts(data)) as accounts:
        accounts.tokens.revoke(TESTER, numbers["retirada"])
    assert wrong(data) == []
    said = call(data).stdout
    assert "retirada" not in said
    assert f"--revoke {numbers['nueva']}`" in said


def test_of_a_hub_that_has_ended_no_standby_is_silent(data):
    allowed(data, "reserva")
    heard(data, "reserva", ago_s=900)
    assert wrong(data) == []


def test_whom_the_directory_names_and_who_has_no_account_is_a_note(data):
    named = [
        ("helpers", {"account": "nelly"}), ("helpers", {"account": "abel"}),
        ("supervisors", {"account": "sofia", "teams": ["T"]}),
        ("fault_areas", {"code": "red", "label": "Red", "accounts": ["ciro", "flor"]}),
        ("playbooks", {"motive": "1", "id": "A", "version": "1", "owner": "rosa"}),
        ("scorecards", {"code": "c", "name": "Atención"}),
        ("sample_plans", {"code": "semana", "name": "S", "scorecard": "c", "per_agent": 2,
                          "monitors": ["noe"]}),
    ]  # fmt: skip
    with closing(open_directory(data, 1)) as book:
        put(book, "teams", code="T")
        for kind, given in named:
            put(book, kind, **given)
    with closing(Accounts(data)) as accounts:
        for account, role in (
            ("jefa", "admin"),
            ("abel", "monitor"),
            ("ciro", "area"),
            ("edwin", "area"),
        ):
            accounts.book.add(TESTER, account, account, role)
        accounts.book.add(TESTER, "sofia", "Sofía", "supervisor")
        accounts.book.disable(TESTER, "sofia")
    assert wrong(data) == []
    notes = call(data).stdout
    for kind, account in (
        ("Helpers", "nelly"), ("Supervisors", "sofia"), ("Fault areas", "flor"),
        ("Playbooks", "rosa"), ("Sample plans", "noe"),
    ):  # fmt: skip
        assert re.search(rf"«{kind}» names [^:]*: {account};", notes), (kind, notes)
    assert "semana uses scorecard c, which was never published" in notes
    assert "edwin" in notes and "ciro" not in notes and "abel" not in notes


def test_what_standbys_said_that_cannot_be_read(data, runs):
    data.standbys.write_text("{")
    data.standbys.chmod(0o600)
    assert ["standbys.json" in one for one in wrong(data)] == [True]


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A standby's own folder, and what it has: the hub's clock is an hour ahead of ours."""
    monkeypatch.setattr(doctor, "is_synchronised", lambda: True)
    data = DataDir(tmp_path / "mirror")
    data.standby.mkdir(parents=True, mode=0o700)
    data.root.chmod(0o700)

    def has(ago_s=0, **known):
        now_ms = SystemClock().now_ms()
        hub_ms = now_ms + 3_600_000
        usual = {"stored": 90, "last": 90, "heard_ms": now_ms - 1000, "hub_ms": hub_ms - 1000}
        usual |= {"backup_ms": hub_ms - 600_000, "every_s": 900}
        for name in ("heard_ms", "hub_ms"):
            usual[name] -= ago_s * 1000
        state = State(
            of="https://a:8600", here="https://b:8600",
            credential=Credential(token="dia_x", ca=""), **usual | known,
        )  # fmt: skip
        file = data.standby / "state.json"
        file.write_bytes(msgspec.json.encode(state))
        file.chmod(0o600)
        return data

    return has


@pytest.mark.parametrize(
    ("known", "parts"),
    [
        ({}, []),
        ({"heard_ms": 0}, ["https://a:8600 was never heard"]),
        ({"ago_s": 300}, ["has not been heard for 0:05"]),
        ({"last": 1091}, ["1001 messages of https://a:8600 are missing"]),
        ({"every_s": 60}, ["backup of https://a:8600 is 0:10"]),
        ({"backup_ms": 0}, ["is — old and is taken each 15 min"]),
    ],
)
def test_a_standbys_own_folder(mirror, known, parts):
    data = mirror(**known)
    before = as_it_is(data.root)
    found = wrong(data)
    assert as_it_is(data.root) == before
    assert len(found) == len(parts), found
    assert all(part in one for part, one in zip(parts, found, strict=True))


def test_a_standbys_folder_says_what_would_be_lost_now(mirror):
    said = call(mirror(last=97)).stdout
    assert "7 messages were missing; its backup is 0:10:0" in said


def test_a_standbys_credential_that_others_can_read(mirror):
    data = mirror()
    (data.standby / "state.json").chmod(0o644)
    assert ["state.json" in one for one in wrong(data)] == [True]


def test_a_state_that_cannot_be_read_is_a_line(mirror):
    data = mirror()
    (data.standby / "state.json").write_text("{")
    assert ["state.json" in one for one in wrong(data)] == [True]


def test_nobody_listens_at_a_port_that_is_closed():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = listener.getsockname()
        assert doctor._listens(*here)
    assert not doctor._listens(*here)


DOWN = "the bridge to the switch does not work"


def bridge(*, up=True, ages_s=(), times=1, first_s=0):
    """As the hub shows it; `ages_s`: of its troubles, each so many times, from that age on."""
    troubles = [
        {"utc_ms": 7_200_000 - 1000 * age, "sentence": ["x", {}], "times": times,
         "first_utc_ms": 7_200_000 - 1000 * max(age, first_s)}
        for age in ages_s
    ]  # fmt: skip
    return {"up": up, "age_s": 1, "report": {"name": "central", "utc_ms": 7_200_000,
                                             "troubles": troubles}}  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (bridge(), ""),
        (bridge(up=False), DOWN),
        ({"up": False, "age_s": None, "report": None}, DOWN),
        (None, DOWN),  # the hub has not looked since it was set up
        (bridge(ages_s=range(10)), ""),
        (bridge(ages_s=range(11)), "had 11 troubles in the last hour"),
        (bridge(ages_s=[4000] * 11), ""),
        (bridge(ages_s=[60], times=11), "had 11 troubles in the last hour"),
        (bridge(ages_s=[60], times=11, first_s=4000), ""),  # not all of them within it
    ],
)
def test_the_bridge_to_the_switch_is_asked_about(data, monkeypatch, shown, told):
    async def ask_hub(_, subject, __):
        return {"hub.status": {"paused": False}, "hub.switch.shown": {"switch": shown}}[subject]

    hub = Hub(pid=1, children={}, web="http://127.0.0.1:1", nats="", mqtt=("127.0.0.1", 1))
    monkeypatch.setattr(doctor, "running", lambda _: hub)
    monkeypatch.setattr(doctor, "_listens", lambda *_: True)
    monkeypatch.setattr(doctor, "ask_hub", ask_hub)
    assert [one for one in wrong(data) if "switch" in one] == []  # none is set up
    data.switch.write_text("{}")
    data.switch.chmod(0o600)
    found = [one for one in wrong(data) if "bridge" in one]
    assert len(found) == bool(told) and all(told in one for one in found)


def test_a_bridges_journal_that_is_damaged_is_a_line(data):
    data.switch_journal.write_bytes(b"no database" * 100)
    data.switch_journal.chmod(0o600)
    assert any("switch.sqlite3 is damaged" in one for one in wrong(data))


async def test_a_hub_that_runs_is_found_and_asked(data):
    async with RunningHub(data.root, port=0) as hub:
        found = await asyncio.to_thread(doctor.examine, data, SystemClock(), lambda: True)
    said = [str(one.said) for one in found if not one.wrong]
    assert f"the hub runs at {hub.url}" in said
    seen = [str(one.said) for one in found if one.wrong]
    assert [one for one in seen if "without a link" not in one] == []
