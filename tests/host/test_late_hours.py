"""What happened before its boot had an hour, or in one that never got any, and clocks that jump:
placed later, marked, and with how far the hour may be off.
"""

import json

import pytest
from diadema.hub.commanding import Commands
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild.compare import compare
from diadema.maintenance.rebuild.replay import replay

from tests.support.scripted_station import T0, Script

HOUR = 3_600_000
DAY = 24 * HOUR


def take(ingest, *scripts):
    """Everything that the scripts have and the ingest has not."""
    messages = []
    for script in scripts:
        station = ingest.stations.get(script.s)
        messages += script.messages(station.journals[script.e].position + 1 if station else 1)
    return ingest.take(messages, "stream", "server")


def within(uncertainty_ms, rest):
    """Half of what is left between the neighbours, and what they are not sure of themselves."""
    return (rest + 1) // 2 + 50 <= uncertainty_ms <= (rest + 1) // 2 + 65


@pytest.fixture(params=["one batch", "a batch a boot", "restarts"])
def batches(request, ingest, writer, site, clock):
    """`batches(script)`: take what is new now, or leave it for one batch with what follows."""

    def now(script, last=False):
        nonlocal ingest
        if last or request.param != "one batch":
            effects = take(ingest, script)
            if request.param == "restarts":
                ingest = Ingest(writer, site, clock)
            return effects
        return None

    return now


def test_a_boot_without_an_hour_lies_between_its_neighbours(batches, reader):
    script = Script().boot().clock(T0).login().call("c1")
    after = T0 - 15 + script.u
    batches(script)
    script.boot().call("c2").logout()
    c2_u, length = 1005, script.u
    batches(script)
    assert [c.start_utc for c in reader.contacts()[1:]] in ([], [None])
    script.boot().clock(after + length + HOUR)
    batches(script, last=True)
    before = after + length + HOUR - script.u  # power came then
    rest = before - after - length
    first, second = reader.contacts()
    (session,) = reader.sessions()
    assert not first.late and first.uncertainty_ms is None
    assert second.start_utc == after + rest // 2 + c2_u
    assert second.close_utc - second.start_utc == second.close_u - second.start_u
    assert second.late and within(second.uncertainty_ms, rest)
    assert not second.estimated  # nothing of it is missing, and its parts are measured
    assert session.close_utc == after + rest // 2 + length
    assert session.late and within(session.uncertainty_ms, rest)
    assert [a["source"] for a in reader.anchors()] == ["host", "between", "host"]


def test_several_such_boots_keep_their_order_and_lengths(batches, reader):
    script = Script().boot().clock(T0).login()
    after = T0 - 15 + script.u
    batches(script)
    lengths = []
    for name in ("c1", "c2"):
        script.boot().call(name)
        lengths.append(script.u)
        batches(script)
        script.boot()  # one in which nothing happens
        lengths.append(script.u)
        batches(script)
    script.boot().clock(after + DAY)
    batches(script, last=True)
    rest = after + DAY - script.u - after - sum(lengths)
    first, second = reader.contacts()
    assert first.start_utc == after + rest // 2 + 1005
    assert second.start_utc == after + rest // 2 + sum(lengths[:2]) + 1005
    assert within(first.uncertainty_ms, rest) and within(second.uncertainty_ms, rest)


def test_nothing_is_placed_after_no_hour_at_all(batches, reader):
    script = Script().boot().login().call("c1")
    batches(script)
    script.boot().clock(T0).call("c2").logout()
    batches(script, last=True)
    first, second = reader.contacts()
    assert (first.start_utc, first.late, first.uncertainty_ms) == (None, False, None)
    assert second.start_utc is not None


def test_a_boot_whose_anchor_comes_late_says_how_far_it_may_be_off(batches, reader):
    script = Script().boot().login().call("c1")
    batches(script)
    script.clock(T0, after=10 * HOUR)
    batches(script, last=True)
    (contact,) = reader.contacts()
    assert contact.late
    assert contact.start_utc == T0 - (script.u - contact.start_u)
    assert 50 + 1800 <= contact.uncertainty_ms <= 50 + 1805  # 50 ppm of ten hours


def test_what_the_floor_shows_since_is_placed_too(ingest):
    script = Script().boot().clock(T0).login()
    take(ingest, script)
    script.boot().ready()
    take(ingest, script)
    assert json.loads(ingest.floor.rows["a001"])["since"] is None
    script.boot().clock(T0 + HOUR)
    take(ingest, script)
    row = json.loads(ingest.floor.rows["a001"])
    assert row["state"] == "ready"
    assert T0 < row["since"] < T0 + HOUR


@pytest.mark.parametrize("day", [DAY, -DAY])
def test_a_jump_is_told_and_moves_nothing_before_it(ingest, reader, day):
    script = Script().boot().clock(T0).login().call("c1")
    take(ingest, script)
    before = reader.contacts()
    script.clock(T0 + HOUR + day, i=2, after=HOUR - script.u)
    effects = take(ingest, script)
    script.call("c2")
    take(ingest, script)
    assert reader.contacts()[0] == before[0]
    assert reader.contacts()[1].start_utc == T0 + HOUR + day + 1000
    first, second = reader.anchors()
    assert (first["jump_ms"], second["jump_ms"]) == (None, day + 15)
    assert len(effects.alarms) == 1
    assert "clock" in effects.alarms[0] and script.s in effects.alarms[0]
    assert ingest.stations[script.s].state.clock.jumps == 1


def test_drift_is_kept_stored_and_used(ingest, reader, writer, site, clock):
    script = Script().boot().clock(T0).login()
    anchored = T0 + 10 * HOUR + 1000 + 720  # 20 ppm slow
    script.clock(anchored, i=2, after=10 * HOUR)
    take(ingest, script)
    script.call("c1")
    again = Ingest(writer, site, clock)
    take(again, script)
    known = again.stations[script.s].state.clock
    assert known.drift_ppb == pytest.approx(20_000, abs=100)
    assert reader.anchors()[-1]["drift_ppb"] == known.drift_ppb
    script.offer("c2", after=10 * HOUR)
    take(again, script)
    contact = reader.contacts()[1]
    slow = anchored + contact.start_u - known.uptime_ms
    assert contact.start_utc - slow == pytest.approx(720, abs=4)


def test_an_events_own_t_serves_where_the_anchor_is_lost(ingest, reader):
    script = Script().boot().login()
    take(ingest, script)
    script.offset = T0
    take(ingest, script.call("c1"))
    (session,) = reader.sessions()
    assert (session.open_utc, session.late) == (T0 + session.open_u, True)
    assert session.uncertainty_ms >= 250
    assert not reader.contacts()[0].late
    assert [anchor["source"] for anchor in reader.anchors()] == ["event"]


def greet(ingest, commands, script, **more):
    hello = script.hello_message(**more)
    ingest.take([hello], "stream", "server")
    told = commands.greeted({script.s: ingest.stations[script.s].hello})
    frames = [json.loads(frame) for one in told for _, frame in commands.frames(one)]
    return [frame for frame in frames if frame["cmd"] == "time"]


def test_the_host_tells_its_hour_where_only_another_is_known(ingest):
    commands = Commands(ingest, None)
    script = Script().boot()
    script.add("station.clock", 10, utc=T0, source="sntp", uncertainty_ms=9)
    take(ingest, script)
    (told,) = greet(ingest, commands, script, u=123)
    assert (told["hello_u"], told["utc"]) == (123, T0)
    assert "hello_u" not in greet(ingest, commands, script)[0]  # an older firmware
    script.clock(T0 + 5, i=told["i"])
    take(ingest, script)
    commands.answered(script.s, told["i"])
    assert greet(ingest, commands, script, u=456) == []
    script.boot()
    take(ingest, script)
    assert greet(ingest, commands, script, u=7)[0]["hello_u"] == 7


def test_a_rebuild_gives_the_same_hours(ingest, tmp_path, site, clock):
    script = Script().boot().clock(T0).login().call("c1")
    take(ingest, script)
    take(ingest, script.boot().call("c2"))
    take(ingest, script.boot().clock(T0 + DAY).call("c3").clock(T0 + 3 * DAY, i=3).logout())
    ingest.writer.close()
    fresh = tmp_path / "fresh.sqlite3"
    done = replay(tmp_path / "store.sqlite3", fresh, site, clock, lambda *_: None)
    assert compare(tmp_path / "store.sqlite3", fresh, done.through) == []
