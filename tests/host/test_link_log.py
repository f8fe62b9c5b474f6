"""When a link came and went is known, over restarts and a rebuild."""

from diadema.hub.link_log import LinkLog
from diadema.ingest.core import Ingest
from diadema.store import open_writer
from diadema.store.interval_rows import stretches

from tests.support.scripted_station import T0, FixedClock

S = "DIA-0123456789ab"
MINUTE = 60_000


def open_ingest(tmp_path, clock):
    writer = open_writer(tmp_path / "store.sqlite3")
    return writer, Ingest(writer, None, clock)


def test_each_change_is_a_row_and_a_restart_forgets_none(tmp_path) -> None:
    clock = FixedClock(T0)
    writer, ingest = open_ingest(tmp_path, clock)
    log = LinkLog(ingest)
    station = ingest.station(S)
    assert log.look() == 0  # never heard: nothing came and nothing went
    station.hello.up = True
    assert log.look() == 1 and log.look() == 0
    clock.now = T0 + 5 * MINUTE
    station.hello.up = False
    assert log.look() == 1
    again = LinkLog(ingest)
    assert again.look() == 0
    clock.now = T0 + 7 * MINUTE
    station.hello.up = True
    assert again.look() == 1
    with writer.transaction() as tx:
        assert stretches(tx, S, T0 + MINUTE, T0 + 10 * MINUTE) == [
            (T0 + MINUTE, T0 + 5 * MINUTE, True),
            (T0 + 5 * MINUTE, T0 + 7 * MINUTE, False),
            (T0 + 7 * MINUTE, T0 + 10 * MINUTE, True),
        ]
        assert stretches(tx, S, T0 - MINUTE, T0) == []
        assert stretches(tx, "DIA-0123456789ff", T0, T0 + MINUTE) == []
    writer.close()


def test_the_hub_and_the_switch_have_no_link(tmp_path) -> None:
    writer, ingest = open_ingest(tmp_path, FixedClock(T0))
    for s in ("HUB-main", "PBX-central"):
        ingest.station(s).hello.up = True
    assert LinkLog(ingest).look() == 0
    writer.close()
