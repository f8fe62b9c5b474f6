"""What is kept of a person can be handed over, and is erased after its time with a record of it;
counts, times and the rebuild stay.
"""

import json
import os
import re
import sqlite3
import zipfile
from datetime import date, datetime, timedelta

import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.figures.read import read
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message, subject_of
from diadema.maintenance.erase import clear_files, erase, obey
from diadema.maintenance.personal_export import export
from diadema.maintenance.rebuild import rebuild
from diadema.report import schedule
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.report.schedule import Schedule, run_due
from diadema.site.badges import keys_of
from diadema.site.pins import make_verifier
from diadema.store import open_reader, open_writer, tables
from diadema.store.assistance import help_cases, is_mass, ticket_cases
from diadema.store.erased import check_obeyed
from diadema.store.quality import (
    assigned_calls,
    cases,
    draws,
    evaluations,
    listenings,
    notes,
    signatures,
)
from diadema.store.quality import recordings as quality_recordings
from diadema.store.tables import QUALITY
from diadema.wire.scrub import Names, scrubbed
from sqlalchemy import select

from tests.support import targeted
from tests.support.assisted import DAY as ASSISTED
from tests.support.assisted import LEARNT, MASS, assisted
from tests.support.broker_fixtures import IngestProcess, running_broker
from tests.support.monitored import LEARNT as HEARD_LEARNT
from tests.support.monitored import Monitor
from tests.support.reported_day import stations
from tests.support.scripted_station import SITE, T0, FixedClock, Script

ME = Person(id="shell:yo", name="Yo", role="service")
ROSA = Schedule(name="rosa", kind="tmo", every="day", at="06:00", form="csv",
                scope=Scope(of="agent", code="a001"), since_ms=T0)  # fmt: skip
DAY_MS = 86_400_000
YEARS = 365 * DAY_MS
DAY = datetime.fromtimestamp(T0 / 1000).date()


def events(data):
    reader = open_reader(data.store)
    try:
        return [one.event for s in reader.stations() for one in reader.events_of(s)]
    finally:
        reader.close()


def figures(data, now_ms):
    span = read(data, DAY - timedelta(days=1), DAY + timedelta(days=3), now_ms)
    return span.total()


def audit(data):
    accounts = Accounts(data)
    try:
        assert accounts.audit.check() is None
        return accounts.audit.rows()
    finally:
        accounts.close()


def test_a_person_gets_everything_and_nobody_elses(tmp_path):
    data = stations(tmp_path)
    accounts = Accounts(data)
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "agents.day", ["a001"])
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "agents.day", ["a002"])
    accounts.close()
    out = tmp_path / "rosa.zip"
    counts = export(data, "a001", out, ME)
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as made:
        parts = {name: made.read(name).decode() for name in made.namelist()}
    assert "a002" not in "".join(parts.values())
    reader = open_reader(data.store)
    assert counts["contacts"] == len(reader.contacts(agent="a001")) > 0
    assert counts["marks"] == len(reader.marks(agent="a001")) > 0
    assert counts["sessions"] == len(reader.sessions(agent="a001")) > 0
    reader.close()
    hers = [one for one in events(data) if one.get("a") == "a001"]
    assert len(json.loads(parts["events.json"])) == len(hers)
    assert json.loads(parts["contacts.json"])[0]["a"] == "a001"
    (seen,) = json.loads(parts["reads.json"])
    assert (seen["who"], seen["what"]) == ("jefa", "agents.day")
    assert audit(data)[0].what == "privacy.export"
    with pytest.raises(DiademaError, match="there already"):
        export(data, "a001", out, ME)
    with pytest.raises(DiademaError, match="nothing is kept"):
        export(data, "a999", tmp_path / "none.zip", ME)


def test_nobody_has_no_export_and_whoever_left_or_was_erased_has_one(tmp_path):
    data = stations(tmp_path)
    accounts = Accounts(data)
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "floor", ["*"])
    accounts.audit.record(Person(id="jefa", name="", role="admin"), "agents.day", ["a001"])
    accounts.close()
    data.log("web").write_text("GET /ui/agents/a099\n")
    with pytest.raises(DiademaError, match="nothing is kept of a099: look at the id, or") as said:
        export(data, "a099", tmp_path / "none.zip", ME)
    assert "Personal" in said.value.say("es") and "erased" not in str(said.value)
    assert not (tmp_path / "none.zip").exists()
    described = json.loads(data.site.read_text())
    described["agents"] = []
    data.site.write_text(json.dumps(described))
    assert export(data, "a002", tmp_path / "left.zip", ME)["events"]
    now = T0 + 6 * YEARS
    erase(data, FixedClock(now), ME, now - YEARS)
    told = export(data, "a001", tmp_path / "erased.zip", ME)
    assert (told["events"], told["reads"] > 0) == (0, True)
    with pytest.raises(DiademaError, match=r"what was before 2031-1\d-\d\d was erased"):
        export(data, "a099", tmp_path / "none.zip", ME)


def test_what_is_past_its_time_loses_its_people_and_keeps_its_sums(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    before = figures(data, now)
    marks = [one for one in events(data) if one["k"] == "attendance.marked"]
    for folder in (data.reports, data.journals):
        folder.mkdir()
        for name, age in (("old", 3), ("new", 1)):
            (folder / name).touch()
            os.utime(folder / name, times=2 * ((now - age * YEARS) / 1000,))
    done = erase(data, FixedClock(now), ME, now - 2 * YEARS)
    kept = {path.name for folder in (data.reports, data.journals) for path in folder.iterdir()}
    assert (kept, done.files) == ({"new"}, 2)
    assert (done.people, done.events > 20, done.before_ms) == (2, True, now - 2 * YEARS)
    after = events(data)
    assert [one for one in after if one["k"] == "attendance.marked"] == marks
    names = {one["a"] for one in after if one.get("a") and one["k"] != "attendance.marked"}
    assert len(names) == 2 and all(name.startswith("erased-") for name in names)
    assert figures(data, now) == before
    assert rebuild(data, FixedClock(now)).differences == []
    told = audit(data)[0]
    assert (told.what, told.who, told.detail["events"]) == ("privacy.erase", ME.id, done.events)


def test_what_a_switch_recorded_loses_its_agent_and_a_fault_is_nobodys_name(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    script = Script(s="DIA-0123456789ac", e=9, agent="a002").boot().clock(T0 + DAY_MS).login()
    script.ready().offer("z1").contact("answered", "z1", 3000, via="key", ring_ms=3000)
    script.contact("ended", "z1", 8000, by="technical", on_hold=False)
    told = {"s": "PBX-central", "e": 5, "n": 1, "b": 0, "u": 0, "t": T0 + DAY_MS}
    told |= {"k": "recording.started", "pbx": "1.1", "linked": "1.0", "agent": "SIP/201"}
    writer = open_writer(data.store)
    ingest = Ingest(writer, None, FixedClock(T0 + DAY_MS))
    ingest.take_file(script.logout().messages())
    ingest.take_file([Message(0, subject_of("PBX-central"), json.dumps(told).encode())])
    writer.close()
    erase(data, FixedClock(now), ME, now - 2 * YEARS)
    (ended,) = [one for one in events(data) if one.get("by") == "technical"]
    assert (ended["c"], ended["a"].startswith("erased-")) == ("z1", True)
    recorded = next(json.loads(body) for body in raw(data) if b"recording.started" in body)
    assert recorded["agent"].startswith("erased-") and recorded["pbx"] == "1.1"


def test_attendance_goes_after_five_years_and_the_chain_says_from_what_to_what(tmp_path):
    data = stations(tmp_path)
    now = T0 + 6 * YEARS
    reader = open_reader(data.store)
    head = reader.marks()[-1].hash
    bodies = [one.body for one in reader.events_of("DIA-0123456789ab") if one.event.get("a")]
    reader.close()
    done = erase(data, FixedClock(now), ME, now - 2 * YEARS)
    held = json.dumps(events(data))
    assert '"a001"' not in held and '"a002"' not in held and '"badge":' not in held
    reader = open_reader(data.store)
    assert all(mark.agent.startswith("erased-") for mark in reader.marks())
    assert done.chain == (head, reader.marks()[-1].hash) and done.chain[0] != done.chain[1]
    reader.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("store.sqlite3*"))
    assert not [body for body in bodies if body in raw]
    assert rebuild(data, FixedClock(now)).differences == []


def test_only_whole_sessions_before_the_limit_go_and_a_second_time_changes_nothing(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    done = erase(data, FixedClock(now), ME, T0 + DAY_MS - 3_600_000)
    assert done.events > 0
    for s in ("DIA-0123456789ab", "DIA-0123456789ac"):
        whose = [one for one in events(data) if one["s"] == s and one.get("a")]
        whose = [one["a"].startswith("erased-") for one in whose if "attendance" not in one["k"]]
        assert whose == sorted(whose, reverse=True) and len(set(whose)) == 2
    again = erase(data, FixedClock(now), ME, T0 + DAY_MS - 3_600_000)
    assert (again.events, again.people) == (0, 0)


def test_what_may_not_be_is_refused_and_nothing_changes(tmp_path):
    data = stations(tmp_path)
    stood = events(data)
    with pytest.raises(DiademaError, match="5 years"):
        erase(data, FixedClock(T0 + YEARS), ME, T0 + DAY_MS, T0 + DAY_MS)
    with pytest.raises(DiademaError, match="in the past"):
        erase(data, FixedClock(T0), ME, T0 + DAY_MS)
    with locked(data.lock), pytest.raises(DiademaError, match="end that hub first"):
        erase(data, FixedClock(T0 + 9 * YEARS), ME, T0 + 3 * YEARS)
    with pytest.raises(DiademaError, match="no store"):
        erase(DataDir(tmp_path / "none"), FixedClock(T0 + 9 * YEARS), ME, T0)
    assert events(data) == stood
    assert date.fromtimestamp(T0 / 1000) == DAY


def unread(data):
    """Dead letters and conflicts, with and without a number that could be read."""
    old = b'{"s":"DIA-0123456789ab","e":7,"n":"?","t":%d,"a":"a001"}' % T0
    new = b'{"s":"DIA-0123456789ab","e":7,"n":"?","t":%d,"a":"a001"}' % (T0 + 3 * YEARS)
    rows = [(old, None, None), (new, None, None), (b"a001 no JSON", None, None),
            (b'{"a":"a001","s":"X"}', 9, 5)]  # fmt: skip
    with sqlite3.connect(data.store) as tx:
        tx.execute("INSERT INTO conflicts VALUES ('DIA-0123456789ab', 7, 3, ?)", (old,))
        for place, (body, e, n) in enumerate(rows):
            told = ("x", body, "DIA-0123456789ff", e, n, "unreadable", place)
            tx.execute("INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?, ?, ?)", told)
    tx.close()
    return new


def test_an_erasure_reaches_stream_logs_dead_letters_and_scheduled_files(tmp_path):
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    new = unread(data)
    stream = data.nats / "jetstream" / "DIADEMA" / "streams" / "$MQTT_msgs" / "msgs"
    stream.mkdir(parents=True)
    (stream / "1.blk").write_bytes(b"a001")
    data.log("ingest").write_text("agent a001 is logged in at A-01\nagent a0011, a009\n")
    os.utime(data.log("ingest"), times=2 * (now / 1000,))
    data.log("old").write_text("a001 at A-01")
    os.utime(data.log("old"), times=2 * ((now - 3 * YEARS) / 1000,))
    schedule.add(data, ROSA, "es")
    assert run_due(data, T0 + 2 * DAY_MS)
    os.utime(data.reports / "schedules.json", times=2 * ((now - 3 * YEARS) / 1000,))
    erase(data, FixedClock(now), ME, now - 2 * YEARS)
    assert not list(data.nats.rglob("*.blk"))
    left = "agent erased is logged in at A-01\nagent a0011, a009\n"
    assert data.log("ingest").read_text() == left
    assert not data.log("old").exists()
    assert not list(data.reports.rglob("*.csv"))
    assert [one.name for one in schedule.schedules(data)] == ["rosa"]
    assert {one.scope.code for one in schedule.runs(data)} == {"erased"}
    with sqlite3.connect(data.store) as tx:
        assert tx.execute("SELECT body FROM dead_letters").fetchall() == [(new,)]
        assert tx.execute("SELECT count(*) FROM conflicts").fetchone() == (0,)
    tx.close()


async def test_a_broker_whose_stream_was_erased_makes_it_anew(tmp_path):
    topic = "diadema/v1/gw-test/DIA-0123456789ab/ev"
    async with running_broker(tmp_path) as broker:
        admitting = await broker.admit_gateways()
        async with broker.mqtt() as gateway:
            await gateway.publish(topic, b"a001 was here", qos=1)
        await admitting.close()
        await broker.stop()
        assert b"a001 was here" in everything(broker.data.nats)
        clear_files(broker.data, T0, [])
        assert b"a001 was here" not in everything(broker.data.nats)
        await broker.start()
        async with IngestProcess(broker), broker.mqtt() as gateway:
            await gateway.publish(topic, b"{}", qos=1)


def everything(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_what_was_erased_does_not_come_back(tmp_path):
    """Neither with a backup of the store, nor with a journal that is read from a board again."""
    data = stations(tmp_path)
    now = T0 + 3 * YEARS
    with sqlite3.connect(data.store) as source, sqlite3.connect(tmp_path / "backup") as copy:
        source.backup(copy)
    source.close(), copy.close()
    bodies = [one for one in raw(data) if b'"a":"a001"' in one and b"attendance" not in one]
    erase(data, FixedClock(now), ME, now - 2 * YEARS)
    check_obeyed(data)
    held = (tmp_path / "erased.sqlite3").read_bytes()
    assert b"a001" not in held and not [one for one in bodies if one in held]
    journal = [Message(0, f"{PREFIX}DIA-0123456789ab.ev", one) for one in bodies]

    def come_again():
        writer = open_writer(data.store)
        effects = Ingest(writer, None, FixedClock(now)).take_file(journal)
        writer.close()
        return effects

    stood = raw(data)
    assert come_again().alarms == []
    assert raw(data) == stood
    with sqlite3.connect(tmp_path / "backup") as source, sqlite3.connect(data.store) as copy:
        source.backup(copy)
    source.close(), copy.close()
    with pytest.raises(DiademaError, match="diadema privacy obey"):
        check_obeyed(data)
    obey(data, FixedClock(now), ME)
    check_obeyed(data)
    assert not [one for one in bodies if one in raw(data)]
    with sqlite3.connect(data.store) as tx:  # of a store that was begun anew
        tx.execute("DELETE FROM events")
        tx.execute("DELETE FROM positions")
        tx.execute("DELETE FROM stations")
    tx.close()
    come_again()
    assert len(raw(data)) == len(bodies)
    assert not [one for one in bodies if one in raw(data)]


def raw(data):
    with sqlite3.connect(data.store) as tx:
        found = [body for (body,) in tx.execute("SELECT body FROM events ORDER BY s, e, n")]
        found += [body for (body,) in tx.execute("SELECT body FROM conflicts")]
    tx.close()
    return found


def test_an_export_is_whole_without_a_directory(tmp_path):
    site = json.loads(json.dumps(SITE))
    site["agents"][0] |= {"pin": make_verifier("415263"), "badges": ["iso14443a:04A1B2C3D4E5F6"]}
    data = stations(tmp_path, site=site)
    with sqlite3.connect(data.store) as tx:
        tx.execute("INSERT INTO badges VALUES ('abcd', 'a001', 5, NULL), ('ef', 'a002', 5, NULL)")
        tx.execute("INSERT INTO commands VALUES ('DIA-0123456789ab', 5, 'presence', ?, 1, NULL, "
                   "'open', NULL, NULL)", (b'{"agent":"a001","to":"not_ready"}',))  # fmt: skip
    tx.close()
    data.log("ingest").write_text("agent a001 is logged in at A-01\nagent a002 too\n")
    schedule.add(data, ROSA, "es")
    run_due(data, T0 + 2 * DAY_MS)
    accounts = Accounts(data)
    accounts.book.add(ME, "rosa", "Rosa", "agent", agent="a001")
    accounts.close()
    counts = export(data, "a001", tmp_path / "rosa.zip", ME)
    with zipfile.ZipFile(tmp_path / "rosa.zip") as made:
        parts = {name: made.read(name) for name in made.namelist()}
    site_entry = json.loads(parts["directory.json"])[0]
    kept = keys_of(data).stored("iso14443a:04A1B2C3D4E5F6")
    assert (site_entry["name"], site_entry["badges"]) == ("Rosa Quispe Huamán", [kept])
    assert "pin" not in site_entry
    assert [one["badge"] for one in json.loads(parts["badges.json"])] == ["abcd"]
    assert json.loads(parts["commands.json"])[0]["cmd"] == "presence"
    assert {one["a"] for one in json.loads(parts["trails.json"])} == {"a001"}
    assert counts["trails"] > 0
    assert json.loads(parts["logs.json"]) == [
        {"file": "ingest.log", "line": "agent a001 is logged in at A-01"}
    ]
    assert json.loads(parts["account.json"])[0]["id"] == "rosa"
    assert [name for name in parts if name.startswith("reports/rosa/")]
    assert b"argon2" not in b"".join(parts.values())


def exported(data, agent, path):
    export(data, agent, path, ME)
    with zipfile.ZipFile(path) as made:
        return {name: made.read(name).decode() for name in made.namelist()}


def test_what_was_done_about_a_persons_presses_is_handed_over(tmp_path):
    centre, _ = assisted(tmp_path / "data")
    parts = exported(centre.data, "a001", tmp_path / "hers.zip")
    steps = json.loads(parts["help_steps.json"])
    assert [one["kind"] for one in steps] == ["assigned", "noted", "noted", "noted", "noted"]
    assert "".join(one["text"] or "" for one in steps) == LEARNT
    (mass,) = json.loads(parts["tickets.json"])
    assert (mass["ticket"]["ticket"], mass["ticket"]["title"]) == (MASS, "Sin enlace")
    assert [one["kind"] for one in mass["steps"]] == [
        "opened", "taken", "resolved", "closed",
    ]  # fmt: skip
    assert [one["a"] for one in mass["reports"]] == ["a001"]
    kinds = {one["k"] for one in json.loads(parts["events.json"])}
    assert kinds >= {"help.accepted", "help.assigned", "help.noted", "help.rated",
                     "ticket.opened", "fault.resolved"}  # fmt: skip
    told = "".join(parts.values())
    assert not [word for word in ("a002", "a003", "llamó al proveedor") if word in told]
    assert "servidor" in parts["LEAME.txt"] and "help_steps.json" in parts["LEAME.txt"]
    other = exported(centre.data, "a002", tmp_path / "another.zip")
    assert json.loads(other["help_steps.json"]) == []
    assert [one["kind"] for one in json.loads(other["tickets.json"])[0]["steps"]] == [
        "linked", "taken", "resolved", "closed",
    ]  # fmt: skip


def test_help_and_faults_lose_their_people_and_their_words_and_keep_their_sums(tmp_path):
    centre, now_s = assisted(tmp_path / "data")
    data, later = centre.data, now_s * 1000 + 3 * YEARS
    before = {kind: totals_of(data, kind, now_s * 1000) for kind in ("ayudas", "fallas")}
    erase(data, FixedClock(later), ME, later - 2 * YEARS)
    told = [one for one in events(data) if one["k"].startswith(("help.", "fault.", "ticket."))]
    said = json.dumps([*told, *stored_words(data)], ensure_ascii=False)
    for word in ("a001", "a002", "a003", "ana", "luz", "teo", "Ana", "Luz", "Teo", "llam", "Sin ",
                 "CRM", "switch", "puerto", "sabe", "no hay", "banco", "sha256"):  # fmt: skip
        assert f'"{word}' not in said and (len(word) < 5 or word not in said), word
    (given,) = (one for one in told if one["k"] == "help.assigned")
    came = [one["by"] for one in events(data)
            if one["k"] == "supervision.acted" and one["of"] == given["of"]]  # fmt: skip
    assert came == [given["to"]] and given["to"].startswith("erased-"), "who came is still known"
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        cases = {one.ticket.ticket: one for one in ticket_cases(tx)}
        (learnt,) = [one for one in help_cases(tx) if one.note is not None]
    mass = cases[MASS]
    assert (mass.ticket.by, mass.ticket.external, mass.ticket.title) == ("rule:mass", "INC-7", "—")
    assert is_mass(mass.ticket) and mass.texts == [] and len(mass.reports) == 3
    assert learnt.text is None and learnt.note.gap == "missing"
    assert learnt.result(seated=False) == "sin_resultado"
    assert {kind: totals_of(data, kind, now_s * 1000) for kind in before} == before
    assert rebuild(data, FixedClock(later)).differences == []


def totals_of(data, kind, now_ms):
    """Of every table that names nobody."""
    made = make(data, kind, around("month", ASSISTED), Scope(), now_ms)
    return {
        one.key: one.total
        for one in made.sections
        if one.key not in ("helpers", "help_teams", "faults_teams", "gaps")
    } | {"gaps": made.section("gaps").rows if kind == "ayudas" else []}


def stored_words(data):
    with sqlite3.connect(data.store) as tx:
        tables = ("presses", "tickets", "ticket_steps", "help_steps")
        found = [row for one in tables for row in tx.execute(f"SELECT * FROM {one}")]
    tx.close()
    return found


def monitored(folder):
    """The centre of two days, whose first calls a monitor then works on."""
    data = stations(folder)
    with open_reader(data.store) as reader:
        hers, other = (reader.contacts(agent=one)[0] for one in ("a001", "a002"))
    writer = open_writer(data.store)
    ingest = Ingest(writer, None, FixedClock(T0 + 2 * DAY_MS))
    calls = {name: (one.station, one.epoch, one.sequence)
             for name, one in (("call", hers), ("other", other))}  # fmt: skip
    Monitor(ingest.take_file, **calls).whole()
    writer.close()
    return data


def test_what_a_monitor_did_about_a_person_is_handed_over_and_nobody_elses(tmp_path):
    data = monitored(tmp_path / "data")
    parts = exported(data, "a001", tmp_path / "hers.zip")
    (evaluated,) = json.loads(parts["evaluations.json"])
    assert (evaluated["submitted"]["score"], evaluated["score"]) == (0, 900)
    assert [one["text"] for one in json.loads(parts["evaluation_notes.json"])] == [HEARD_LEARNT]
    (assigned,) = json.loads(parts["assignments.json"])
    assert assigned["assignment"]["stratum"] == "1" and assigned["annulled"]
    (heard,) = json.loads(parts["listenings.json"])
    assert (heard["began"]["by"], heard["ended"]["heard_ms"]) == ("ana", 71_000)
    (recorded,) = json.loads(parts["recordings.json"])
    assert [one["kind"] for one in recorded["acts"]] == ["held", "released"]
    (opened,) = json.loads(parts["cases.json"])
    assert (opened["opened"]["number"], opened["closed"]["reason"]) == ("RH-12", "ya la oyó Teo")
    (signed,) = json.loads(parts["signatures.json"])
    assert (signed["document"], len(json.loads(parts["notices.json"]))) == ("RH-9", 1)
    said = json.loads(parts["events.json"])
    own = [one["k"] for one in said if one["s"] == "HUB-main"]
    assert own == [
        "sample.assigned", "notice.signed", "recording.linked", "recording.held",
        "recording.released", "listening.started", "listening.ended",
        *["evaluation.noted"] * 3, "evaluation.submitted", "evaluation.revised",
        "evaluation.released", "case.opened", "case.closed",
    ]  # fmt: skip
    told = "".join(parts.values())
    others = ("a002", "RH-8", "RH-13", "no era de Teo", "0" * 12, "Sol Vera", "no_recording")
    assert not [word for word in others if word in told]
    for name in ("evaluations", "evaluation_notes", "assignments", "listenings", "recordings",
                 "signatures", "notices", "cases"):  # fmt: skip
        assert f"{name}.json" in parts["LEAME.txt"]
    other = exported(data, "a002", tmp_path / "another.zip")
    assert json.loads(other["evaluations.json"])[0]["annulled"]["reason"] == "no era de Teo"
    assert json.loads(other["signatures.json"])[0]["witnesses"] == "Teo Paz\nSol Vera"
    assert json.loads(other["evaluation_notes.json"]) == []


def test_a_monitors_work_loses_its_people_and_its_words_and_keeps_its_counts(tmp_path):
    data = monitored(tmp_path / "data")
    before = quality_counts(data)
    now = T0 + 3 * YEARS
    erase(data, FixedClock(now), ME, now - 2 * YEARS)
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        (hers,) = signatures(tx, agent="a001")
        assert hers.document == "RH-9", "that she was informed is kept as long as her marks"
    now = T0 + 6 * YEARS
    assert erase(data, FixedClock(now), ME, now - 2 * YEARS).people == 2
    held = [json.dumps(one, ensure_ascii=False) for one in events(data) if one["s"] == "HUB-main"]
    with sqlite3.connect(data.store) as tx:
        for table in QUALITY:
            held += map(str, tx.execute(f"SELECT * FROM {table.name}").fetchall())
    tx.close()
    said = "\n".join(held)
    for word in ("a001", "a002", "ana", "luz", "Ana", "Teo", "Sol", "RH-", "Cierra", "Volver",
                 "pidió", "reclamo", "audio"):  # fmt: skip
        assert not re.search(rf"\b{word}", said), word
    for stays in ("0e" * 32, "no_recording", "not_found", "semanal", "atencion", "sample.assigned",
                  '"by": "rule:sample"', "evaluation.noted", '"cause": "pair"'):  # fmt: skip
        assert stays in said, stays
    assert quality_counts(data) == before
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        first, second = evaluations(tx)
        assert (first.score, first.answers, first.revised.reason) == (900, "111-2", "")
        assert first.submitted.agent.startswith("erased-")
        assert second.submitted.agent not in (first.submitted.agent, "a002")
        assert notes(tx, [first.submitted.evaluation]) == {}
        (assigned, _) = assigned_calls(tx)
        assert assigned.assignment.assignee == first.submitted.by != "ana", "still the same one"
        assert assigned.assignment.agent == first.submitted.agent
        (hers, _) = signatures(tx)
        assert (hers.document, hers.how) == (None, "paper")
        assert [one.opened.reason for one in cases(tx)] == ["", ""]
        assert cases(tx)[0].opened.agent == first.submitted.agent
    assert rebuild(data, FixedClock(now)).differences == []


@pytest.mark.parametrize("days", [180, 1200])
def test_who_heard_a_call_is_known_two_years_and_as_long_as_a_recording(tmp_path, days):
    data = monitored(tmp_path / "data")
    targeted.put(data, "queues", code="ventas", name="Ventas", retention_days=days)
    kept = max(730.5, days)

    def heard_by(now):
        erase(data, FixedClock(now), ME, now - 100 * DAY_MS)
        with open_reader(data.store) as reader, reader.engine.connect() as tx:
            found = [(one.began.agent, one.began.by) for one in listenings(tx)]
            opened = [one.opened.agent for one in cases(tx)]
            (released,) = [
                act.receiver
                for its in quality_recordings(tx, [*_calls(tx)]).values()
                for act in its.acts
                if act.kind == "released"
            ]
        return found, released, opened

    found, receiver, opened = heard_by(T0 + round((kept - 1) * DAY_MS))
    assert found == [("a001", "ana"), ("a002", "ana")] and receiver == "Ana Ríos"
    assert opened == ["a001", "a002"]
    assert next(one.submitted.agent for one in evaluated(data)).startswith("erased-")
    found, receiver, opened = heard_by(T0 + round((kept + 1) * DAY_MS))
    assert all(agent.startswith("erased-") for agent, _ in found) and receiver != "Ana Ríos"
    assert all(agent.startswith("erased-") for agent in opened)


def evaluated(data):
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return evaluations(tx)


def _calls(tx):
    row = tables.recording_acts.c
    return {tuple(one) for one in tx.execute(select(row.call_s, row.call_e, row.call_n))}


def quality_counts(data):
    """What is counted of it, without whose it is."""
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        rated = [(one.score, one.raw, one.failed, one.critical_user, one.answers,
                  one.annulled is None, one.released_utc) for one in evaluations(tx)]  # fmt: skip
        heard = [(one.began.kind, one.began.purpose, one.ended and one.ended.heard_ms)
                 for one in listenings(tx)]  # fmt: skip
        assigned = [(one.assignment.rank, one.assignment.pool, one.submitted)
                    for one in assigned_calls(tx)]  # fmt: skip
        drawn = [(one.drawn.frame, one.drawn.chosen, one.excluded, one.annulled is None)
                 for one in draws(tx)]  # fmt: skip
        opened = [(one.opened.until_utc, one.closed is None, one.evaluation)
                  for one in cases(tx)]  # fmt: skip
        return rated, heard, assigned, drawn, len(signatures(tx)), opened


def test_what_came_of_a_press_is_a_code_and_stays():
    names = Names()
    event = {"k": "supervision.acted", "by": "ana", "a": "a001", "reason": "parcial"}
    assert scrubbed(event | {"action": "help"}, names)["reason"] == "parcial"
    assert scrubbed(event | {"action": "note"}, names)["reason"] == ""
    assert scrubbed({"k": "ticket.opened", "by": "rule:mass"}, names)["by"] == "rule:mass"
    gone = scrubbed({"k": "fault.resolved", "by": "Teo", "cause": "cable"}, names)
    assert gone["by"].startswith("erased-") and gone["cause"] == "cable"
