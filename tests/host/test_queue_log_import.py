"""A switch's queue_log into the store: every verb, every trap; all rows or none, each once."""

import asyncio
import gzip
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.base.clock import SystemClock
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_events import caller_reference
from diadema.exchange.queue_log_import import import_queue_log
from diadema.maintenance.rebuild import rebuild
from diadema.store import open_reader
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.broker_fixtures import IngestProcess
from tests.support.queue_logs import QueueLog, T
from tests.support.scripted_station import SITE

S = "PBX-central"


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    made.site.write_text(json.dumps(SITE))
    return made


@pytest.fixture
def bring(data, clock):
    return lambda *files, **more: import_queue_log(files, data, clock, **more)


def stored(data):
    reader = open_reader(data.store)
    try:
        return reader.queue_calls(), list(reader.events_of(S)), reader.status()
    finally:
        reader.close()


def told(call):
    """What a call came to: its outcome, and its hours in seconds after T."""
    hours = (call.start_utc, call.connected_utc, call.end_utc)
    return (
        call.pbx, call.queue, call.outcome, call.cause, call.agent,
        *(None if utc is None else utc // 1000 - T for utc in hours), call.wait_ms,
        call.estimated,
    )  # fmt: skip


def every_verb():
    log = QueueLog().line(0, "NONE", "NONE", "NONE", "QUEUESTART").line(
        1, "MANAGER", "saldos", "SIP/201", "ADDMEMBER", "PAUSED")  # fmt: skip
    for queue in ("saldos", "reclamos"):  # one pause, told once for each queue
        log.line(2, "NONE", queue, "SIP/201", "PAUSE", "refrigerio")
    log.line(2, "NONE", "NONE", "SIP/201", "PAUSEALL", "refrigerio")
    log.enter(10, "1.1").line(13, "1.1", "saldos", "SIP/202", "RINGNOANSWER", 3000)
    log.line(14, "1.1", "saldos", "SIP/203", "RINGCANCELED", 800)
    log.connect(20, "1.1", 10).complete(80, "1.1", 10, 60, by="AGENT")
    log.abandon(100, "1.2", 30, agent="SIP/201")
    log.enter(200, "1.3").line(260, "1.3", "saldos", "NONE", "EXITWITHTIMEOUT", 1, 1, 60)
    log.enter(260, "1.3", "reclamos")  # the same call id in the next queue
    log.line(270, "1.3", "reclamos", "NONE", "EXITEMPTY", 1, 1, 10)
    log.enter(300, "1.4").line(305, "1.4", "saldos", "NONE", "EXITWITHKEY", 2, 1, 1, 5)
    log.enter(310, "1.5").line(317, "1.5", "saldos", "NONE", "WITHDRAW", 1, 1, 7, "vip")
    log.enter(400, "1.6").connect(404, "1.6", 4)
    log.line(450, "1.6", "saldos", "SIP/201", "BLINDTRANSFER", "300", "areas", 4, 46, 1)
    log.complete(460, "1.6", 4, 56)  # what was transferred ended: told already
    log.enter(500, "1.7").connect(503, "1.7", 3)
    log.line(530, "1.7", "saldos", "SIP/201", "ATTENDEDTRANSFER", "BRIDGE", "b-1", 3, 27, 1)
    log.enter(600, "1.8").connect(602, "1.8", 2)
    log.line(640, "1.8", "saldos", "SIP/201", "ATTENDEDTRANSFER", "LINK", "c/1", "c/2", 2, 38, 1)
    log.enter(700, "1.9").line(702, "1.9", "saldos", "SIP/201", "SYSCOMPAT")
    log.line(710, "1.10", "saldos", "SIP/201", "CALLBACKED", 7)
    return log.enter(720, "1.11")


CALLS = [
    ("1.1", "saldos", "answered", "completed", "SIP/201", 10, 20, 80, 10_000, False),
    ("1.2", "saldos", "abandoned", None, None, 100, None, 130, 30_000, False),
    ("1.3", "saldos", "left", "timeout", None, 200, None, 260, 60_000, False),
    ("1.3", "reclamos", "left", "empty", None, 260, None, 270, 10_000, False),
    ("1.4", "saldos", "left", "key", None, 300, None, 305, 5000, False),
    ("1.5", "saldos", "left", "withdrawn", None, 310, None, 317, 7000, False),
    ("1.6", "saldos", "answered", "transferred", "SIP/201", 400, 404, 450, 4000, False),
    ("1.7", "saldos", "answered", "transferred", "SIP/201", 500, 503, 530, 3000, False),
    ("1.8", "saldos", "answered", "transferred", "SIP/201", 600, 602, 640, 2000, False),
    ("1.9", "saldos", "left", "incompatible", None, 700, None, 702, None, False),
    ("1.11", "saldos", "waiting", None, None, 720, None, None, None, False),
]


def test_every_verb_of_a_caller_tells_of_her_call(data, bring, tmp_path):
    done = bring(every_verb().write(tmp_path / "queue_log"))
    assert (done.imported, done.bad, done.unfinished, done.days) == (True, [], [], ["2026-11-18"])
    assert done.calls == {
        "answered": 4, "abandoned": 1, "timeout": 1, "empty": 1, "key": 1, "withdrawn": 1,
        "incompatible": 1, "waiting": 1,
    }  # fmt: skip
    assert done.other == {"QUEUESTART": 1, "ADDMEMBER": 1, "PAUSE": 2, "PAUSEALL": 1}
    assert (done.unknown, done.repeated, done.unentered) == ({"CALLBACKED": 1}, 1, 0)
    calls, events, status = stored(data)
    assert [told(call) for call in calls] == CALLS
    assert calls[0].offers == 2 and calls[0].ended_by == "agent"
    rung = [event.event["ring_ms"] for event in events if event.k == "queue.offered"]
    assert rung == [3000, 800]
    assert [event.sequence for event in events] == list(range(1, done.events + 1))
    assert status["dead_letters"] == status["conflicts"] == status["unknown"] == 0


def test_a_dump_of_the_table_says_the_same(data, bring, tmp_path):
    log = every_verb()
    lima = ZoneInfo("America/Lima")
    forms = {
        "epoch": str,
        "fraction": lambda t: f"{t}.25",
        "local": lambda t: f"{datetime.fromtimestamp(t, lima):%Y-%m-%d %H:%M:%S.%f}",
        "offset": lambda t: datetime.fromtimestamp(t, UTC).isoformat(),
        "utc": lambda t: f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M:%S} UTC",
        "ms": lambda t: str(t * 1000),
    }
    for number, (name, form) in enumerate(forms.items()):
        more = {"header": number % 2 == 0, "delimiter": ",;\t"[number % 3], "number": number > 2}
        file = log.dump(tmp_path / f"{name}.csv", time=form, **more)
        done = bring(file, name=name)
        assert (done.imported, done.bad, done.unknown) == (True, [], {"CALLBACKED": 1}), name
    reader = open_reader(data.store)
    found = reader.queue_calls()
    reader.close()
    for name in forms:
        assert [told(call) for call in found if call.station == f"PBX-{name}"] == CALLS


def test_the_newest_first_and_columns_by_other_names(bring, data, tmp_path):
    rows = [
        "uid,date_time,callid,queue_name,type,event,param1,param2,param3,entpos,expos,htime,ttime,"
        "time",
        f'5,{T + 70},1.1,saldos,Agent/7,COMPLETECALLER,099000001,,,1,0,10,60,"2026-11-18"',
        f'4,{T + 10},1.1,saldos,Agent/7,CONNECT,,1.2,3,0,0,10,0,"2026-11-18 06:06:50"',
        f'3,{T + 10},1.1,saldos,Agent/8,RINGNOANSWER,099000001,,,1,1,9000,0,"2026"',
        f'2,{T},1.1,saldos,NONE,ENTERQUEUE,099000001,,,1,0,0,0,"2026-11-18 06:06:40"',
        f"1,{T - 5},NONE,NONE,NONE,CONFIGRELOAD,,,,0,0,0,0,",
    ]
    (tmp_path / "dump.csv").write_text("\r\n".join(rows) + "\r\n")
    assert bring(tmp_path / "dump.csv").calls == {"answered": 1}
    (call,) = stored(data)[0]
    assert (told(call)[2:], call.offers) == (
        ("answered", "completed", "Agent/7", 0, 10, 70, 10_000, False), 1)  # fmt: skip


def test_an_sql_dump_says_the_same(data, bring, tmp_path):
    rows = []
    for at, line in enumerate(every_verb().lines, 1):
        cells = line.split("|")
        cells = [*cells[:9], "|".join(cells[9:])] + [""] * (10 - len(cells))
        cells[0] = f"{datetime.fromtimestamp(int(cells[0]), ZoneInfo('America/Lima')):%F %T.%f}"
        values = ",".join("'" + cell.replace("'", "\\'") + "'" for cell in cells)
        rows.append(f"({at},{values})")
    names = ["id", "time", "callid", "queuename", "agent", "event"]
    names += [f"data{number}" for number in range(1, 6)]
    made = "".join(f"  `{name}` varchar(32),\n" for name in names)
    texts = {
        "mysqldump": f"CREATE TABLE `queue_log` (\n{made} KEY `k` (`id`)\n) ENGINE=InnoDB;\n"
        f"INSERT INTO `queue_log` VALUES {','.join(rows)};\n",
        "phpmyadmin": f"-- dump\nINSERT INTO `queue_log` ({', '.join(names)}) VALUES\n"
        + ",\n".join(rows) + ";\n",
        "rows": "".join(f"INSERT INTO public.queue_log VALUES {row};\n" for row in rows),
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.sql").write_text(text)
        assert bring(tmp_path / f"{name}.sql", name=name).bad == []
    reader = open_reader(data.store)
    found = reader.queue_calls()
    reader.close()
    for name in texts:
        assert [told(call) for call in found if call.station == f"PBX-{name}"] == CALLS
    (tmp_path / "cut.sql").write_text(texts["phpmyadmin"][:-9])
    assert [bad.line for bad in bring(tmp_path / "cut.sql", name="cut").bad] == [2 + len(rows)]


def test_no_number_is_kept(data, bring, tmp_path):
    log = QueueLog().call(0, "1.1", caller="+51 99000001").call(100, "1.2", caller="099000001")
    log.call(200, "1.3", caller="anonymous").enter(300, "1.4", caller='"Sol" <990 000 001>')
    log.line(310, "1.4", "saldos", "SIP/201", "BLINDTRANSFER", "990000001", "out", 4, 6, 1)
    bring(log.write(tmp_path / "queue_log"))
    calls, events, _ = stored(data)
    assert b"99000" not in data.store.read_bytes() and b"Luna" not in data.store.read_bytes()
    assert len({event.event.get("reference") for event in events}) == 4  # one is nobody's
    first, second, third, fourth = (call.reference for call in calls)
    assert third is None and len(first) == 32 and first != second != fourth


def test_a_caller_is_known_again_with_or_without_the_prefix():
    assert caller_reference("k", "+51 990-000-001") == caller_reference("k", "990000001")
    assert caller_reference("k", "Sol <sip:luna>") == caller_reference("k", "SIP:LUNA")
    assert caller_reference("k", "990000001") != caller_reference("other", "990000001")
    assert caller_reference("k", " <anonymous>") is None
    assert caller_reference("k", "") is caller_reference("k", "+") is None


def test_the_same_log_again_changes_nothing(data, bring, tmp_path, clock):
    file = every_verb().write(tmp_path / "queue_log")
    assert bring(file).new == bring(file, dry_run=True).events
    before = stored(data)
    assert (bring(file, file).new, stored(data)) == (0, before)
    assert rebuild(data, clock).differences == []


def test_a_log_that_has_grown_goes_on_where_it_was(data, bring, tmp_path):
    whole = every_verb()
    early = QueueLog()
    for cut in range(1, len(whole.lines) + 1, 3):
        early.lines = whole.lines[:cut]
        bring(early.write(tmp_path / "queue_log"))
    done = bring(whole.write(tmp_path / "queue_log"))
    assert bring(early.write(tmp_path / "older")).new == 0
    calls, events, _ = stored(data)
    assert [told(call) for call in calls] == CALLS
    assert len(events) == done.events


def test_calls_go_on_in_the_rotated_log(data, bring, tmp_path):
    whole = every_verb()
    old, new = QueueLog(), QueueLog()
    at = next(at for at, line in enumerate(whole.lines) if "|1.6|saldos|SIP/201|BLIND" in line)
    old.lines, new.lines = whole.lines[:at], whole.lines[at:]
    (tmp_path / "queue_log.1.gz").write_bytes(gzip.compress(old.text().encode()))
    done = bring(new.write(tmp_path / "queue_log"), tmp_path / "queue_log.1.gz")  # any order
    assert (done.imported, done.unentered) == (True, 1)
    assert [told(call) for call in stored(data)[0]] == CALLS
    assert rebuild(data, SystemClock()).differences == []


def test_what_is_in_from_another_log_is_refused(data, bring, tmp_path):
    whole = every_verb()
    bring(whole.write(tmp_path / "queue_log"))
    before = stored(data)
    part = QueueLog()
    part.lines = whole.lines[8:]
    with pytest.raises(DiademaError, match=r"rows came in from another log .* line"):
        bring(part.write(tmp_path / "part"))
    whole.lines[6] = whole.lines[6].replace("3000", "4000")
    with pytest.raises(DiademaError, match="events are never changed"):
        bring(whole.write(tmp_path / "changed"))
    assert stored(data) == before
    assert bring(part.write(tmp_path / "part"), name="otra").new > 0  # another switch


def test_a_file_cut_leaves_what_it_has(data, bring, tmp_path):
    log = QueueLog().complete(50, "1.1", 10, 30).connect(60, "1.2", 5).enter(70, "1.3")
    log.line(75, "1.4", "saldos", "NONE", "ABANDON", 1, 1, 20)
    done = bring(log.write(tmp_path / "queue_log"))
    told_of = {"answered": 1, "abandoned": 1, "talking": 1, "waiting": 1}
    assert (done.unentered, done.calls) == (3, told_of)
    assert sorted(told(call) for call in stored(data)[0]) == [
        ("1.1", "saldos", "answered", "completed", "SIP/201", 10, 20, 50, 10_000, True),
        ("1.2", "saldos", "answered", None, "SIP/201", 55, 60, None, 5000, True),
        ("1.3", "saldos", "waiting", None, None, 70, None, None, None, False),
        ("1.4", "saldos", "abandoned", None, None, 55, None, 75, 20_000, True),
    ]


def test_a_switch_that_began_anew_has_no_calls(data, bring, tmp_path):
    log = QueueLog().enter(0, "1.1").enter(1, "1.2").connect(5, "1.2", 4)
    log.line(60, "NONE", "NONE", "NONE", "QUEUESTART").call(70, "2.1")
    assert bring(log.write(tmp_path / "queue_log")).calls == {"answered": 2, "restarted": 1}
    assert [told(call)[2:] for call in stored(data)[0]] == [
        ("left", "restarted", None, 0, None, 60, None, True),
        ("answered", "restarted", "SIP/201", 1, 5, 60, 4000, True),
        ("answered", "completed", "SIP/201", 70, 80, 140, 10_000, False),
    ]


def test_what_became_of_calls_is_a_partition_of_the_entries(data, bring, tmp_path):
    """A14: two were told as answered and as open, 110 outcomes of 108 entries."""
    log = QueueLog().call(0, "1.1").abandon(100, "1.2").enter(200, "1.3").connect(210, "1.3", 10)
    log.enter(220, "1.4").enter(230, "1.5").line(
        250, "1.5", "saldos", "NONE", "EXITEMPTY", 1, 1, 9
    )
    log.enter(300, "1.6").enter(400, "1.6").connect(405, "1.6", 5)  # its first end was lost
    done = bring(log.write(tmp_path / "queue_log"))
    assert done.calls == {
        "answered": 1, "abandoned": 1, "talking": 2, "waiting": 2, "empty": 1,
    }  # fmt: skip
    assert sum(done.calls.values()) == done.verbs["ENTERQUEUE"] == 7


def test_lost_ends_are_not_waited_for_for_ever(data, bring, tmp_path):
    log = QueueLog()
    for number in range(20_000):
        log.enter(number * 30, f"1.{number}")  # a week of calls that nobody ended
    log.call(600_100, "2.1")
    done = bring(log.write(tmp_path / "queue_log"))
    assert (done.calls["answered"], done.calls["waiting"]) == (1, 20_000)
    calls = stored(data)[0]
    assert (len(calls), sum(call.outcome == "waiting" for call in calls)) == (20_001, 20_000)


def test_an_empty_field_is_not_nothing(data, bring, tmp_path):
    log = QueueLog().enter(0, "1.1").connect(7, "1.1", "").complete(20, "1.1", "", "")
    log.enter(30, "1.2").line(42, "1.2", "saldos", "NONE", "ABANDON", "", "", "")
    log.connect(50, "1.3", "")
    done = bring(log.write(tmp_path / "queue_log"), skip_bad=True)
    assert [(bad.line, "data1" in str(bad.what)) for bad in done.bad] == [(6, True)]
    assert [(call.outcome, call.wait_ms) for call in stored(data)[0]] == [
        ("answered", 7000),
        ("abandoned", 12_000),
    ]


def test_what_a_dump_has_twice_counts_once(data, bring, tmp_path):
    log = QueueLog().call(0, "1.1").call(100, "1.2")
    log.lines = [line for line in log.lines for _ in range(2)]
    done = bring(log.write(tmp_path / "queue_log"))
    assert (done.repeated, done.calls["answered"]) == (6, 2)
    assert [call.estimated for call in stored(data)[0]] == [False, False]


def test_bad_rows_refuse_all_or_are_left_out(data, bring, tmp_path):
    log = QueueLog()
    for number in range(25_000):
        log.call(number, f"1.{number}", talk=1)
    assert len(log.lines) == 75_000
    for number in range(25_000):
        log.line(40_000 + number, "NONE", "NONE", f"SIP/{number}", "PAUSEALL", "")
    log.lines[777] = "garbage"
    log.lines[49_999] = log.lines[49_999].replace("|SIP/201|CONNECT|10|", "|SIP/201|CONNECT|x|")
    log.lines[50_003] = log.lines[50_003].replace("|1.", "|1.\u202e")
    file = log.write(tmp_path / "queue_log")
    done = bring(file)
    assert (done.imported, data.store.exists()) == (False, False)
    assert (done.rows, [bad.line for bad in done.bad]) == (100_000, [778, 50_000, 50_004])
    said = " ".join(str(bad.what) for bad in done.bad)
    for part in ("at least 5", "'x' in data1 is not a number", "nobody sees"):
        assert part in said
    done = bring(file, skip_bad=True)
    assert (done.imported, len(done.bad), len(stored(data)[0])) == (True, 3, 25_000)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encodings_and_line_ends(data, bring, tmp_path, end):
    log = QueueLog().call(0, "1.1", agent="Agent/Peña", queue="atención")
    texts = {
        "utf8": log.text(end).encode(),
        "mark": b"\xef\xbb\xbf" + log.text(end).encode(),
        "cp1252": log.text(end).encode("cp1252"),
        "utf16": log.text(end).encode("utf-16"),
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
        assert bring(tmp_path / name, name=name).bad == []
    reader = open_reader(data.store)
    names = {(call.queue, call.agent) for call in reader.queue_calls()}
    reader.close()
    assert names == {("atención", "Agent/Peña")}


def test_a_line_without_its_end_waits(data, bring, tmp_path):
    log = QueueLog().call(0, "1.1").abandon(100, "1.2", 68)
    text = log.text()
    (tmp_path / "queue_log").write_text(text[:-2])  # …|6 of …|68
    done = bring(tmp_path / "queue_log")
    assert (done.imported, [one.line for one in done.unfinished]) == (True, [5])
    assert bring(log.write(tmp_path / "queue_log")).new == 1
    assert [call.wait_ms for call in stored(data)[0]] == [10_000, 68_000]


def test_only_some_queues(data, bring, tmp_path):
    log = QueueLog().call(0, "1.1").call(10, "1.2", queue="reclamos").call(20, "1.3", queue="otra")
    file = log.write(tmp_path / "queue_log")
    assert bring(file, queues=["saldos"]).calls["answered"] == 1
    assert bring(file, queues=["reclamos"]).calls["answered"] == 1
    assert sorted(call.queue for call in stored(data)[0]) == ["reclamos", "saldos"]
    with pytest.raises(DiademaError, match="another log"):
        bring(file)


def test_looking_only(data, bring, tmp_path):
    done = bring(every_verb().write(tmp_path / "queue_log"), dry_run=True)
    assert (done.imported, done.new, done.events > 0) == (False, done.events, True)
    assert not data.store.exists() and not data.secrets.exists()


def test_no_log(bring, tmp_path):
    (tmp_path / "log").write_text("nothing of a queue\n")
    for path in (tmp_path / "log", tmp_path / "absent", tmp_path):
        with pytest.raises(DiademaError, match=str(path)):
            bring(path)
    (tmp_path / "empty").write_text("\n")
    assert bring(tmp_path / "empty").events == 0


async def test_through_a_running_hub(broker, tmp_path, stack):
    broker.write_hub()
    await stack.enter_async_context(IngestProcess(broker))
    file = every_verb().write(tmp_path / "queue_log")

    def bring(path):
        with locked(broker.data.lock, note="diadema hub"):
            return import_queue_log([path], broker.data, SystemClock())

    done = await asyncio.to_thread(bring, file)
    assert (done.imported, done.new) == (True, done.events)
    assert (await asyncio.to_thread(bring, file)).new == 0
    assert [told(call) for call in stored(broker.data)[0]] == CALLS


CELL = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["NONE", "", "1.1", "saldos", "SIP/1", "ENTERQUEUE", "CONNECT", "ABANDON",
                     "COMPLETEAGENT", "ATTENDEDTRANSFER", "LINK", "QUEUESTART", "5"]),
    st.integers(-5, 10**13).map(str),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(CELL, max_size=12), max_size=8), dump=st.booleans())
def test_any_rows_are_refused_or_taken(tmp_path_factory, rows, dump):
    folder = tmp_path_factory.mktemp("rows")
    head = "time,callid,queuename,agent,event,data1,data2,data3\n" if dump else ""
    head += QueueLog().call(0, "0.1").text().replace("|", "," if dump else "|")
    lines = ("," if dump else "|").join
    text = head + "".join(lines([str(T), *row]) + "\n" for row in rows)
    (folder / "log").write_bytes(text.encode("utf-8", "replace"))
    data = DataDir(folder / "data")
    done = import_queue_log([folder / "log"], data, SystemClock(), skip_bad=True)
    reader = open_reader(data.store)
    status = reader.status()
    assert len(list(reader.events_of(S))) == done.events == done.new
    reader.close()
    assert status["dead_letters"] == status["conflicts"] == status["unknown"] == 0
