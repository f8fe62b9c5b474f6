"""Whole call logs into the store: all calls or none, the same file again changes nothing."""

import json
import zlib
from zoneinfo import ZoneInfo

import pytest
from diadema.base.clock import SystemClock
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.exchange.bank_import import SOURCE, import_bank
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild
from diadema.store import open_reader, open_writer
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.at_the_door import asked
from tests.support.bank_files import DAY, HEADER, Log
from tests.support.broker_fixtures import IngestProcess
from tests.support.scripted_station import SITE, Script

NINE = 9 * 3600
MIDNIGHT = 917_845_200_000  # 1999-02-01 00:00 in Lima


def some_calls():
    log = Log().agent(NINE, "LUCUMA", wait=34, talk=100).agent(NINE + 5, "NISPERO", talk=0)
    log.hang(NINE + 20, wait=7).hang(NINE + 30).phantom(NINE + 40, wait=20)
    return log.agent(NINE + 60, "NO_SERVER", talk=5)


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    made.site.write_text(json.dumps(SITE))
    return made


@pytest.fixture
def bring(data, clock):
    return lambda *files, **more: import_bank(files, data, clock, **more)


def stored(data):
    reader = open_reader(data.store)
    try:
        return reader.queue_calls(), list(reader.events_of(SOURCE)), reader.status()
    finally:
        reader.close()


def seconds(utc):
    return None if utc is None else (utc - MIDNIGHT) // 1000 - NINE


def test_each_row_is_a_call_of_the_switch(data, bring, tmp_path):
    file = some_calls().write(tmp_path / "log.tsv")
    done = bring(file)
    assert (done.imported, done.rows, done.events, done.new) == (True, 6, 13, 13)
    assert done.calls == {"completed": 3, "abandoned": 1, "before_queue": 1, "phantom": 1}
    assert (done.days, done.zone, done.bad) == (["1999-02-01"], "America/Lima", [])
    assert [(row.line, row.reasons) for row in done.impossible] == [(7, ["no_server"])]
    calls, events, status = stored(data)
    assert [(event.epoch, event.sequence) for event in events] == [
        (zlib.crc32(file.read_bytes()), n) for n in range(1, 14)
    ]
    assert [
        (c.line, c.outcome, c.entered, c.agent, c.wait_ms, *map(seconds, (
            c.start_utc, c.connected_utc, c.end_utc)))
        for c in sorted(calls, key=lambda call: call.line)
    ] == [
        (2, "answered", True, "LUCUMA", 34_000, 10, 44, 144),
        (3, "answered", True, "NISPERO", 0, 15, 15, 15),
        (4, "abandoned", True, None, 7000, 30, None, 37),
        (5, "left", False, None, None, 40, None, 40),
        (6, "left", False, None, None, 50, None, 50),
        (7, "answered", True, None, 0, 70, 70, 75),
    ]  # fmt: skip
    assert status["dead_letters"] == status["conflicts"] == status["unknown"] == 0
    assert status["stream_sequence"] == 0


def test_the_same_file_again_changes_nothing(data, bring, tmp_path, clock):
    file = some_calls().write(tmp_path / "log.tsv")
    bring(file)
    before = stored(data)
    assert (bring(file, file).new, stored(data)) == (0, before)
    assert rebuild(data, clock).differences == []


def test_a_broken_off_import_is_completed(data, bring, tmp_path, monkeypatch):
    file = some_calls().write(tmp_path / "log.tsv")
    monkeypatch.setattr("diadema.exchange.bank_import._BATCH", 4)
    takes = []

    def fail(done, total):
        takes.append(done)
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(file, progress=fail)
    assert takes == [4, 8]
    assert bring(file).new == 5
    calls, events, _ = stored(data)
    assert (len(calls), [event.sequence for event in events]) == (6, list(range(1, 14)))


def test_bad_rows_refuse_all_or_are_left_out(data, bring, tmp_path):
    log = some_calls()
    log.agent(NINE, "A", wait=-3).agent(NINE, "A", ser_exit="9:61:00").row(NINE, "LOST")
    log.agent(NINE, "A", day=990230).agent(NINE, "").hang(NINE, q_time="x").hang(NINE, type="")
    log.agent(NINE, "A" * 600).agent(NINE, "A", call_id=1)
    file = log.write(tmp_path / "log.tsv")
    file.write_text(file.read_text() + "AA0101\t7\n")
    done = bring(file)
    assert (done.imported, done.new, data.store.exists()) == (False, 0, False)
    assert [row.line for row in done.bad] == list(range(8, 18))
    said = " ".join(str(reason) for row in done.bad for reason in row.reasons)
    for part in ("q_time", "'9:61:00'", "'LOST'", "990230", "server", "'x'", "type", "512 bytes",
                 "same call as line 2", "2 columns"):  # fmt: skip
        assert part in said
    done = bring(file, skip_bad=True)
    assert (done.imported, len(done.bad), len(stored(data)[0])) == (True, 10, 6)
    assert bring(file, skip_bad=True).new == 0
    head, *rows = file.read_text().splitlines(keepends=True)
    wrong = tmp_path / "wrong.tsv"
    wrong.write_text(head + rows[7])
    assert not bring(wrong, skip_bad=True).imported  # there is nothing else in it


def test_impossible_rows_are_taken_as_they_say_and_listed(bring, tmp_path):
    log = Log().agent(NINE, "LUCUMA", talk=100).agent(NINE + 50, "LUCUMA", talk=500)
    log.agent(NINE + 120, "LUCUMA", talk=9)  # only the one before it, itself in doubt, is in it
    log.agent(NINE, "A", wait=30, ser_start="0:00:00", ser_exit="0:00:00")
    log.agent(NINE, "B", wait=30, talk=60, ser_time=70)
    log.agent(NINE, "C", wait=300, talk=60, ser_start=f"9:{1:02}:10", ser_exit="9:02:10")
    log.hang(NINE, wait=30, q_exit="9:00:20").hang(NINE, vru_exit="8:59:10")
    found = bring(log.write(tmp_path / "log.tsv")).impossible
    assert [(row.line, [*map(str, row.reasons)]) for row in found] == [
        (3, ["overlaps line 2, which ends at 9:01:50"]),
        (5, ["no_service_time"]),
        (6, ["service_differs"]),
        (7, ["served_while_waiting"]),
        (8, ["wait_differs"]),
        (9, ["menu_backwards"]),
    ]


def test_a_call_over_midnight_has_its_length(data, bring, tmp_path):
    log = Log().agent(DAY - 20, "LUCUMA", wait=30, talk=90).hang(DAY - 15, wait=9)
    bring(log.write(tmp_path / "log.tsv"))
    answered, hung = stored(data)[0]
    assert answered.end_utc - answered.connected_utc == 90_000
    assert (answered.connected_utc - MIDNIGHT, answered.start_utc - MIDNIGHT) == (
        (DAY + 20) * 1000,
        (DAY - 10) * 1000,
    )
    assert hung.end_utc - hung.start_utc == 9000


def test_what_came_in_otherwise_is_refused(data, bring, tmp_path):
    bring(some_calls().write(tmp_path / "log.tsv"))
    before = stored(data)
    with pytest.raises(DiademaError, match="another --zone"):
        bring(tmp_path / "log.tsv", zone=ZoneInfo("Asia/Jerusalem"))
    more = some_calls().agent(NINE + 900, "LUCUMA").write(tmp_path / "more.tsv")
    with pytest.raises(DiademaError, match=r"6 of its calls .* line 2"):
        bring(more)
    assert stored(data) == before


def test_a_running_hub_keeps_its_store(data, bring, tmp_path):
    file = some_calls().write(tmp_path / "log.tsv")
    with locked(data.lock, note="diadema hub"), pytest.raises(DiademaError, match="end that hub"):
        bring(file)
    assert not data.store.exists()


async def test_a_hub_goes_on_with_what_was_imported(broker, tmp_path, stack):
    file = some_calls().write(tmp_path / "log.tsv")
    assert import_bank([file], broker.data, SystemClock()).new == 13
    await stack.enter_async_context(IngestProcess(broker))
    client = await broker.client()
    stack.push_async_callback(client.close)
    status = await asked(client, "hub.status")
    assert (status["events"], status["stations"]) == (13, 0)
    assert status["links"] == {"up": 0, "late": 0, "lost": 0}
    assert status["clocks"]["unknown"] == 0


def test_how_far_the_stream_is_in_stays(data, bring, tmp_path, site, clock):
    writer = open_writer(data.store)
    Ingest(writer, site, clock).take(Script().boot().clock().messages(), "stream", "server")
    writer.close()
    bring(some_calls().write(tmp_path / "log.tsv"))
    writer = open_writer(data.store)
    ingest = Ingest(writer, site, clock)
    assert ingest.stream == ("stream", 2, "server")
    ingest.doubt_links()
    ingest.settle_links()
    writer.close()


CELLS = st.dictionaries(
    st.sampled_from(HEADER),
    st.text(max_size=6) | st.integers(-90_000, 90_000) | st.sampled_from(
        ("0:00:00", "23:59:59", "12:30:00", "HANG", "AGENT", "PHANTOM", "690101", "680101")
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=40)
@given(rows=st.lists(CELLS, max_size=6), zone=st.sampled_from(("UTC", "Asia/Tokyo")))
def test_what_the_reader_takes_the_store_takes(tmp_path_factory, rows, zone):
    folder = tmp_path_factory.mktemp("cells")
    log = Log()
    for cells in rows:
        log.agent(NINE, "LUCUMA", wait=3, talk=9)
        log.rows[-1] |= cells
    try:
        file = log.write(folder / "log.tsv")
        data = DataDir(folder / "data")
        done = import_bank([file], data, SystemClock(), zone=ZoneInfo(zone), skip_bad=True)
    except (DiademaError, UnicodeEncodeError):
        return
    assert done.imported == (done.rows > len(done.bad) or not done.bad)
    if not done.imported:
        return
    calls, events, status = stored(data)
    assert len(calls) == done.rows - len(done.bad)
    assert (len(events), status["events"]) == (done.events, done.new)
    assert status["dead_letters"] == status["conflicts"] == status["unknown"] == 0


@settings(max_examples=30)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), head=st.booleans())
def test_any_content_is_refused_or_taken(tmp_path_factory, content, head):
    folder = tmp_path_factory.mktemp("any")
    header = Log().write(folder / "log.tsv").read_bytes()
    (folder / "log.tsv").write_bytes((header if head else b"") + content)
    data = DataDir(folder / "data")
    try:
        done = import_bank([folder / "log.tsv"], data, SystemClock())
    except DiademaError:
        return
    assert done.imported == (not done.bad)


def test_every_row_of_the_real_file(shared_data, data, bring):
    done = bring(shared_data / "anonymous_bank_1999_02.tsv")
    assert (done.rows, done.bad, len(done.days)) == (25_890, [], 21)
    calls, events, status = stored(data)
    assert len(calls) == 25_890
    assert len(events) == done.events == status["events"]
    assert status["dead_letters"] == status["conflicts"] == 0
