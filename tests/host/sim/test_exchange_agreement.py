"""A log beside a store that says otherwise on purpose."""

from pathlib import Path

from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_import import import_queue_log
from diadema.store import open_reader
from diadema_sim.exchange.agreement import calls_of_log, differences

from tests.support.queue_logs import QueueLog, T


async def test_each_call_of_which_they_differ_is_found(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.make()
    log = QueueLog().enter(0, "1.1").connect(10, "1.1", 10)
    log.complete(70, "1.1", 10, 60, by="AGENT").call(100, "1.2").abandon(200, "1.3")
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())
    with open_reader(data.store) as reader:
        assert await differences(log.lines, reader, 0, 0) == {}
        other = QueueLog().call(0, "1.1").call(100, "1.2").call(300, "1.4")
        found = await differences(other.lines, reader, 0, 0)
        assert found.keys() == {"1.1", "1.3", "1.4"}
        log_has, store_has = found["1.1"]
        assert log_has == ("answered", "caller", "SIP/201")
        assert store_has is not None and store_has[:2] == ("answered", "agent")
        assert found["1.4"] == (calls_of_log(other.lines)["1.4"], None)
        late = await differences(log.lines[3:], reader, 1000 * (T + 50), 0)
        assert late == {}, "of calls before it nothing is asked"
