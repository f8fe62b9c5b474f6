"""What is exported says the same as the store, to those who read it."""

import json
from collections import Counter
from datetime import date
from itertools import pairwise

import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.exchange.queue_log_import import import_queue_log
from diadema.ingest.core import Ingest
from diadema.metrics.queue import Flow
from diadema.site import description as sites
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_reader, open_writer

from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, S, Script

T = T0 // 1000 - 1_795_000_000
DAY = date(2026, 11, 18)


@pytest.fixture
def data(tmp_path, site, clock):
    """A day of a station: calls that the switch told too, and some that it did not."""
    made = DataDir(tmp_path / "data")
    made.make()
    made.site.write_text(json.dumps(SITE))
    script = Script().boot().clock().mark("in", badge="0f" * 16).login().ready()
    script.call("c1", talk=60_000, hold=20_000, wrap=5000)
    script.presence("ready", "not_ready", "sshh").presence("not_ready", "not_ready", "refrigerio")
    script.ready(600_000).call("c2", talk=30_000)
    script.offer("c3").contact("missed", "c3", 20_000, cause="no_answer", ring_ms=20_000)
    script.offer("c4").contact("missed", "c4", 4000, cause="caller_gave_up", ring_ms=4000)
    script.offer("c5").contact("answered", "c5", 2000, via="key", ring_ms=2000)
    script.contact("transferred", "c5", 9000, via="key", kind="blind", target="reclamos",
                   completed=True)  # fmt: skip
    script.contact("ended", "c5", 0, by="transfer", on_hold=False).wrapup("started", "c5", 0)
    script.wrapup("ended", "c5", 9000, cause="agent").logout()
    writer = open_writer(made.store)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    return made


def with_the_switch(data, tmp_path):
    log = QueueLog().call(T - 4, "1.1", wait=10, talk=80, agent="Agent/a001", queue="ventas")
    log.abandon(T + 2000, "1.2").enter(T + 3000, "1.3")
    log.line(T + 3060, "1.3", "saldos", "NONE", "EXITWITHTIMEOUT", 1, 1, 60)
    log.enter(T + 4000, "1.4").connect(T + 4010, "1.4", 10)
    log.line(T + 4070, "1.4", "saldos", "SIP/9", "BLINDTRANSFER", "7", "areas", 10, 60, 1)
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["diadema", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return end.code or 0, *capsys.readouterr()
        return 0, *capsys.readouterr()

    return call


def calls_in(root, s=None):
    reader = open_reader(root.store)
    try:
        return [call for call in reader.queue_calls() if s in (None, call.station)]
    finally:
        reader.close()


def flow(calls):
    found = Flow()
    for call in calls:
        found.add(call, 20, 5)
    return found


def verbs(path):
    return Counter(line.split("|")[4] for line in path.read_text().splitlines())


def test_a_queue_log_taken_in_again_gives_the_same_counts(data, tmp_path, run):
    with_the_switch(data, tmp_path)
    out = tmp_path / "out.log"
    code, printed, _ = run("export", "queue-log", "-o", out, "--data", data.root, "--json")
    told = json.loads(printed)
    assert (code, told["calls"], told["joined"], told["contacts"]) == (0, 4, 1, 4)
    assert (told["first"], told["lines"]) == ("2026-11-18", len(out.read_text().splitlines()))
    lines = [int(line.split("|")[0]) for line in out.read_text().splitlines()]
    assert lines == sorted(lines)
    again = DataDir(tmp_path / "again")
    done = import_queue_log([out], again, SystemClock(), name="otra")
    assert (done.bad, done.unknown, done.unentered) == ([], {}, 0)
    found = calls_in(again)
    stations = Flow(received=3, answered=2, abandoned=1)
    expected = flow(calls_in(data))
    for name in ("received", "answered", "abandoned", "left", "waiting"):
        assert getattr(flow(found), name) == getattr(expected, name) + getattr(stations, name)
    talks = sorted((c.end_utc - c.connected_utc) // 1000 for c in found if c.connected_utc)
    assert talks == [9, 30, 60, 80]
    causes = Counter(call.cause for call in found)
    assert causes == {"completed": 2, "transferred": 2, "timeout": 1, None: 2}


def test_rings_transfers_and_cuts_leave_as_what_they_were(data, tmp_path, run, site, clock):
    """C: RINGNOANSWER, ATTENDEDTRANSFER and ring times of the switch; a station's miss is no lost
    caller; a call that a lost power ended talked only until then.
    """
    log = QueueLog().enter(T + 5000, "8.1")
    log.line(T + 5020, "8.1", "saldos", "SIP/7", "RINGNOANSWER", 20_000)
    log.line(T + 5021, "8.1", "saldos", "SIP/8", "RINGCANCELED", 900)
    log.connect(T + 5030, "8.1", 30, ring=4)
    log.line(T + 5090, "8.1", "saldos", "SIP/9", "ATTENDEDTRANSFER", "APP", "x", 30, 60, 1)
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())
    script = Script(s="DIA-0123456789ac", agent="a002").boot().clock(T0 + 9_000_000)
    script.login().ready().offer("d1").contact("answered", "d1", 2000, via="key", ring_ms=2000)
    script.contact("muted", "d1", 40_000, via="key")
    script.boot().clock(T0 + 30_000_000)
    script.contact("ended", "d1", by="interrupted", on_hold=False).wrapup("started", "d1", 0)
    script.wrapup("ended", "d1", 1000, cause="agent")
    writer = open_writer(data.store)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    out = tmp_path / "out.log"
    assert run("export", "queue-log", "-o", out, "--data", data.root)[0] == 0
    lines = [line.split("|")[1:] for line in out.read_text().splitlines()]
    of_it = [(agent, *more) for call, _, agent, *more in lines if call == "8.1"]
    assert of_it[1:] == [
        ("SIP/7", "RINGNOANSWER", "20000"),
        ("SIP/8", "RINGCANCELED", "900"),
        ("SIP/201", "CONNECT", "30", "8.1", "4"),
        ("SIP/201", "ATTENDEDTRANSFER", "APP", "", "30", "60", "1"),
    ]
    counted = verbs(out)
    assert (counted["RINGNOANSWER"], counted["RINGCANCELED"]) == (2, 2)
    assert (counted["EXITWITHTIMEOUT"], counted["ABANDON"]) == (0, 1)
    cut = next(more for _, _, agent, *more in lines if agent == "Agent/a002" and "COMP" in more[0])
    assert cut == ["COMPLETEAGENT", "2", "40", "1"]


def test_who_is_there(data, tmp_path, run):
    out = tmp_path / "out.log"
    assert run("export", "queue-log", "-o", out, "--data", data.root)[0] == 0
    told = [line.split("|")[3:] for line in out.read_text().splitlines() if "|NONE|NONE|" in line]
    stays = [(agent, verb, more[0]) for agent, verb, *more in told]
    assert stays == [
        ("Agent/a001", "AGENTLOGIN", S),
        ("Agent/a001", "PAUSEALL", "login"),
        ("Agent/a001", "UNPAUSEALL", "login"),
        ("Agent/a001", "PAUSEALL", "privado"),
        ("Agent/a001", "UNPAUSEALL", "privado"),
        ("Agent/a001", "PAUSEALL", "refrigerio"),
        ("Agent/a001", "UNPAUSEALL", "refrigerio"),
        ("Agent/a001", "AGENTLOGOFF", S),
    ]
    stayed = next(more[1] for _, verb, *more in told if verb == "AGENTLOGOFF")
    reader = open_reader(data.store)
    (session,) = reader.sessions()
    reader.close()
    assert int(stayed) == (session.close_utc - session.open_utc) // 1000
    assert verbs(out)["COMPLETECALLER"] == 2 and verbs(out)["BLINDTRANSFER"] == 1


def test_who_is_there_has_the_name_of_that_day(data, tmp_path, run):
    """It is another's since; by the name of today the days of two people would be one's."""
    given = [("a001", None, "SIP/201"), ("a001", "2026-11-19", "SIP/209"),
             ("a002", "2026-11-19", "SIP/201")]  # fmt: skip
    with Directory(data.directory) as book:
        begin(book, sites.load(data.site), 1)
        for code, since, name in given:
            body = book.entry("agents", code).body | {"switch_aliases": [name]}
            one = Change(kind="agents", code=code, body=body,
                         valid_from=since and date.fromisoformat(since))  # fmt: skip
            book.apply([one], by="Ana", reason="prueba", at_ms=2)
    out = tmp_path / "out.log"
    assert run("export", "queue-log", "-o", out, "--data", data.root)[0] == 0
    assert {line.split("|")[3] for line in out.read_text().splitlines()} == {"SIP/201", "NONE"}


def test_only_the_days_that_are_asked(data, tmp_path, run):
    out = tmp_path / "out"
    between = ("--from", "2026-11-19", "--to", "2026-11-20", "-o", out, "--data", data.root)
    for what in ("queue-log", "cloudevents"):
        assert run("export", what, *between)[0] == 0
        assert out.read_text() == ""
    assert run("export", "queue-log", "--from", DAY, "--to", "2026-01-01", "-o", out,
               "--data", data.root)[0] == 2  # fmt: skip
    code, _, said = run("export", "cloudevents", "--from", "ayer", "-o", out, "--data", data.root)
    assert (code, "2026-11-01" in said) == (2, True)
    code, _, said = run("export", "queue-log", "-o", tmp_path / "no" / "x", "--data", data.root)
    assert (code, "cannot write" in said) == (2, True)


def test_cloud_events(data, tmp_path, run):
    with_the_switch(data, tmp_path)
    out = tmp_path / "events.jsonl"
    code, printed, _ = run("export", "cloudevents", "-o", out, "--data", data.root, "--json")
    told = json.loads(printed)
    lines = out.read_bytes().splitlines()
    reader = open_reader(data.store)
    count = reader.count()
    reader.close()
    assert (code, told["events"], told["hourless"], told["unworked"]) == (0, count, 0, 0)
    assert len(lines) == count
    events = [JSONFormat().read(None, line) for line in lines]
    assert len({(event.get_source(), event.get_id()) for event in events}) == count
    ours = [event for event in events if event.get_source() == f"/diadema/v1/{S}"]
    assert [event.get_data()["seq"] for event in ours] == list(range(1, len(ours) + 1))
    for before, after in pairwise(ours):
        assert before.get_data()["current"] == after.get_data()["previous"]
    marked = next(one for one in ours if one.get_type() == "diadema.attendance.marked")
    assert "badge" not in marked.get_data()["event"] and "0f" * 16 not in out.read_text()
    assert marked.get_attributes()["subject"] == "a001"
    answered = next(one for one in ours if one.get_type() == "diadema.contact.answered")
    data_ = answered.get_data()
    assert (data_["station"], data_["epoch"], data_["boot"]) == (S, 7, 1)
    assert data_["t_utc"] == answered.get_attributes()["time"].timestamp() * 1000
    assert data_["t_mono_ms"] > 0 and data_["clock_err_ms"] >= 50
    assert (data_["previous"]["work"], data_["current"]["work"]) == ("offered", "talking")
    assert data_["current"] == {
        "agent": "a001", "presence": "ready", "reason": None, "work": "talking", "contact": "c1",
        "queue": "ventas",
    }  # fmt: skip
    assert '"sshh"' not in out.read_text() and '"privado"' in out.read_text()
    switch = next(event for event in events if event.get_type() == "diadema.queue.connected")
    assert switch.get_data()["previous"] is None
    assert switch.get_data()["event"]["wait_ms"] == 10_000


def test_what_nobody_can_place_has_no_time(tmp_path, site, clock, run):
    data = DataDir(tmp_path / "data")
    data.make()
    script = Script().boot().login()
    writer = open_writer(data.store)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    out = tmp_path / "events.jsonl"
    told = json.loads(run("export", "cloudevents", "-o", out, "--data", data.root, "--json")[1])
    assert (told["events"], told["hourless"]) == (3, 3)
    for line in out.read_bytes().splitlines():
        event = msgspec.json.decode(line)
        assert "time" not in event and event["data"]["t_utc"] is None


def test_nothing_to_export(tmp_path, run):
    out = tmp_path / "out"
    assert run("export", "queue-log", "-o", out, "--data", tmp_path)[0] == 2
    assert not out.exists()
