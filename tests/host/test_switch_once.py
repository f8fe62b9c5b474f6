"""A call that a station has counts for who sat there, and never again for what the switch calls
her, in whatever order both come in."""

import json
from datetime import date

import pytest
from diadema.figures.read import read
from diadema.figures.roll import roll
from diadema.imports.queue_log import import_queue_log
from diadema.ingest.core import Ingest
from diadema.paths import DataDir
from diadema.store import open_writer
from queue_logs import QueueLog
from scripted_station import SITE, T0, Script

DAY = date(2026, 11, 18)
NOW = T0 + 7_200_000


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    made.site.write_text(json.dumps(SITE))
    return made


@pytest.mark.parametrize("first", ["switch", "station"])
@pytest.mark.parametrize("rolled", [False, True])
def test_a_call_that_both_told_counts_once(data, tmp_path, site, clock, first, rolled):
    script = Script().boot().clock().login().ready()
    script.contact("offered", "c1", via="host", direction="in", queue="ventas", pbx="1.1").contact(
        "answered", "c1", 3000, via="key", ring_ms=3000
    )
    script.contact("ended", "c1", 60_000, by="caller", on_hold=False)
    script.wrapup("started", "c1", 0).wrapup("ended", "c1", 5000, cause="agent")
    at = T0 // 1000 - 1_795_000_000
    log = QueueLog().call(at, "1.1", wait=8, talk=60, agent="SIP/unknown")
    log.call(at + 300, "1.2", agent="SIP/unknown")

    def station():
        writer = open_writer(data.store)
        Ingest(writer, site, clock).take(script.messages(), "stream", "server")
        writer.close()

    def switch():
        import_queue_log([log.write(tmp_path / "queue_log")], data, clock)

    for tell in (switch, station) if first == "switch" else (station, switch):
        tell()
        if rolled:
            while not roll(data, NOW).done:
                pass
    figures = read(data, DAY, DAY, NOW)
    calls = {a: sums.calls().answered for a, sums in figures.agents().items()}
    assert calls == {"a001": 1, "SIP/unknown": 1}
    assert figures.total().calls().by_switch == 1
    assert figures.queue().answered == 2
