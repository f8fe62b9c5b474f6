"""Help and faults: who waited how long, what was technical time, and what the floor shows."""

import json

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild

from tests.support.scripted_station import SITE, T0, S, Script

HOUR = 3_600_000


def take(ingest, script):
    station = ingest.stations.get(script.s)
    journal = station.journals.get(script.e) if station else None
    first = journal.position + 1 if journal else 1
    return ingest.take(script.messages(first), "stream", "server")


def shown(effects, *names):
    row = json.loads(effects.rows["a001"])
    return tuple(row[name] for name in names)


def started():
    return Script().boot().clock().login().ready()


def press(script, kind, **fields):
    """The press; gives what answers it."""
    script.add("help.requested" if kind == "help" else "fault.reported", a="a001", **fields)
    return [script.s, script.e, script.n]


def test_help_is_asked_accepted_and_resolved(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    of = press(script, "help", c="c1")
    since = T0 - 15 + script.u
    assert shown(take(ingest, script), "help", "help_by", "help_topic") == (since, None, None)
    script.add("help.topic", 3000, of=of, topic="otro")
    assert shown(take(ingest, script), "help", "help_topic") == (since, "otro")
    script.add("help.accepted", 40_000, of=of, i=5, by="Ana Ruiz")
    assert shown(take(ingest, script), "help", "help_by") == (since, "Ana Ruiz")
    script.add("help.accepted", 1000, of=of, i=6, by="Luz Rey")
    script.add("help.resolved", 60_000, of=of, i=7, by="Luz Rey", result="explicado")
    assert shown(take(ingest, script), "help", "help_by") == (None, None)
    (row,) = reader.presses(start_utc=since, end_utc=since + 1)
    assert (row.kind, row.agent, row.contact, row.topic) == (
        "help",
        "a001",
        "c1",
        "otro",
    )
    assert (row.outcome, row.wait_ms, row.accepted_by) == ("resolved", 43_000, "Luz Rey")
    assert (row.closed_by, row.result, row.technical_ms) == ("Luz Rey", "explicado", None)
    assert row.closed_utc - row.open_utc == 104_000
    assert reader.presses(end_utc=since) == []


def test_help_that_was_cancelled_was_never_accepted(ingest, reader):
    script = started()
    of = press(script, "help")
    take(ingest, script.add("help.cancelled", 9000, of=of))
    (row,) = reader.presses()
    assert (row.outcome, row.wait_ms, row.closed_by) == ("cancelled", None, "a001")


def test_technical_time_begins_with_the_end_of_the_call(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    of = press(script, "fault", c="c1")
    script.add("fault.reported", 2000, of=of, area="equipo", part="diadema")
    assert shown(take(ingest, script), "fault", "fault_by") == (T0 - 15 + script.u - 2000, None)
    script.contact("ended", "c1", 8000, by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", 10_000, cause="agent")
    script.presence("ready", "not_ready", "fault", by="system", after=0)
    script.add("fault.accepted", 5000, of=of, i=4, by="Teo")
    script.add("fault.resolved", 30_000, of=of, i=5, by="Teo", cause="cable")
    take(ingest, script)
    (row,) = reader.presses()
    assert (row.area, row.part, row.result) == ("equipo", "diadema", "cable")
    assert (row.wait_ms, row.technical_ms) == (25_000, 45_000)


@pytest.mark.parametrize("outcome", ["resolved", "rejected"])
def test_a_fault_outside_of_a_call_and_one_that_was_over_before_it(ingest, reader, outcome):
    script = started()
    of = press(script, "fault")
    answer = {"i": 5, "by": "Teo", "reason": "no hay"}
    script.add(f"fault.{outcome}", 20_000, of=of, **answer)
    script.offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    of = press(script, "fault", c="c1")
    script.add(f"fault.{outcome}", 20_000, of=of, **answer)
    take(ingest, script.contact("ended", "c1", by="caller", on_hold=False))
    assert [one.technical_ms for one in reader.presses()] == [20_000, 0]
    assert {(one.outcome, one.result) for one in reader.presses()} == {(outcome, "no hay")}


def test_a_fault_reported_by_nobody_and_over_a_power_cut(ingest, reader, writer, site, clock):
    script = Script().boot().clock()
    script.add("fault.reported", part="keys")
    of = [S, 7, script.n]
    take(ingest, script)
    ingest = Ingest(writer, site, clock)
    script.boot().clock(T0 + HOUR)
    take(ingest, script.add("fault.accepted", of=of, i=3, by="Teo"))
    (row,) = reader.presses()
    assert (row.agent, row.wait_ms) == (None, HOUR)


def test_a_press_that_was_lost_leaves_a_row_that_says_so(ingest, reader):
    script = started()
    take(ingest, script.add("help.accepted", of=[S, 7, 2], i=5, by="Ana"))
    (row,) = reader.presses()
    assert (row.sequence, row.estimated, row.kind, row.wait_ms) == (2, True, "help", 0)


def test_hours_come_later_and_a_rebuild_finds_the_same(tmp_path, ingest, reader, clock):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    script = Script().boot().login()
    for _ in range(12):
        of = press(script, "help")
        script.add("help.cancelled", of=of)
    take(ingest, script)
    script.boot().clock(T0 + HOUR)
    script.add("help.requested", a="a001")
    take(ingest, script.add("station.health", heap=1, journal=1))
    presses = reader.presses()
    assert len(presses) == 13
    assert [one.late for one in presses] == [False] * 13
    script = Script(s="DIA-0123456789ac", agent="a002").boot().login()
    for _ in range(12):
        script.add("fault.resolved", of=press(script, "fault"), i=1, by="Teo")
    take(ingest, script)
    take(ingest, script.clock(T0 + 60_000))
    presses = reader.presses()[13:]
    assert all(one.late and one.open_utc and one.closed_utc for one in presses)
    assert len(ingest.station(script.s).state.presses) <= 13
    ingest.save((), ingest.floor.agents())
    assert rebuild(data, clock).differences == []


def test_only_some_closed_ones_are_kept_in_mind(ingest, reader):
    script = started()
    for _ in range(20):
        script.add("help.cancelled", of=press(script, "help"))
    take(ingest, script)
    press(script, "help")
    take(ingest, script)
    assert len(ingest.station(S).state.presses) == 9
    assert len(reader.presses()) == 21
