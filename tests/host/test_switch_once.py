"""A call that a station has counts for who sat there, and never again for what the switch calls
her, in whatever order both come in."""

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_import import import_queue_log
from diadema.figures.read import _Query, read
from diadema.figures.roll import roll
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site.context import zone_of
from diadema.site.description import parse
from diadema.site.directory.book import Directory
from diadema.site.directory.publishing import begin
from diadema.store import open_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, Script
from tests.support.targeted import put

DAY = date(2026, 11, 18)
NOW = T0 + 7_200_000
MIDNIGHT = T0 + 64_400_000


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


def _told_twice(data, tmp_path, site, clock, name):
    """Of a station that was not told the switch's number of the call."""
    script = Script().boot().clock().login().ready().call("c1")
    writer = open_writer(data.store)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    at = T0 // 1000 - 1_795_000_000
    log = QueueLog().call(at, "1.1", wait=2, talk=60, agent=name)
    import_queue_log([log.write(tmp_path / "queue_log")], data, clock)


@pytest.mark.parametrize("name", ["SIP/a001", "a001", "Local/a001@from-queue/n"])
def test_an_agents_own_id_at_the_switch_is_the_agent(data, tmp_path, site, clock, name):
    """Without «Nombres en la central» such a call counted for two people."""
    _told_twice(data, tmp_path, site, clock, name)
    for _ in range(2):
        figures = read(data, DAY, DAY, NOW)
        assert {a: sums.calls().answered for a, sums in figures.agents().items()} == {"a001": 1}
        while not roll(data, NOW).done:
            pass


@pytest.mark.parametrize("kind", ["llamadas", "tmo", "consolidado"])
def test_a_name_that_nobody_has_is_a_warning_until_it_is_mapped(data, tmp_path, site, clock, kind):
    _told_twice(data, tmp_path, site, clock, "SIP/201")

    def warnings():
        report = make(data, kind, around("day", DAY), Scope(), NOW)
        return [note for note in report.section("summary").notes if "SIP/201" in note]

    (warning,) = warnings()
    assert "«Nombres en la central»" in warning and "Personal › Asesores" in warning
    with Directory(data.directory) as book:
        begin(book, parse(data.site.read_bytes()), 1)
    rosa = {name: SITE["agents"][0][name] for name in ("name", "short", "alias", "team")}
    put(data, "agents", code="a001", switch_aliases=["SIP/201"], **rosa)
    assert warnings() == []


CALLS = st.lists(
    st.tuples(
        st.integers(0, 40),  # half-minutes between one and the next
        st.sampled_from(["a001", "a002", "SIP/9", None]),  # who took it, by the switch
        st.sampled_from(["station", "switch", "both", "both, by its id", "at another's desk"]),
        st.booleans(),  # it is taken, or rings in vain
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None, max_examples=10, suppress_health_check=[*HealthCheck])
@given(calls=CALLS, start=st.sampled_from([T0, MIDNIGHT - 400_000]), order=st.randoms())
def test_in_whatever_order_it_comes_the_days_are_the_same(calls, start, order):
    """Roll-ups that were kept all along, and made anew from the store, and no roll-ups at all."""
    with tempfile.TemporaryDirectory() as root:
        data = DataDir(Path(root))
        data.make()
        data.site.write_text(json.dumps(SITE))
        clock = SimpleNamespace(now_ms=lambda: NOW + 86_400_000)
        writer = open_writer(data.store)
        ingest = Ingest(writer, parse(json.dumps(SITE).encode()), clock)
        scripts, switch = told(calls, start)
        parts = [[(s, one) for one in script.messages()] for s, script in enumerate(scripts)]
        parts.append([("switch", one) for one in switch])
        while any(parts):
            its = order.choice([part for part in parts if part])
            taken = [its.pop(0) for _ in range(min(len(its), order.randint(1, 12)))]
            for whose, message in taken:
                if whose == "switch":
                    ingest.take_file([message])
                else:
                    ingest.take([message], "stream", "server")
            if order.random() < 0.3:
                roll(data, clock.now_ms())
        days = DAY, DAY + timedelta(days=2)
        kept = cells(read(data, *days, clock.now_ms()))
        question = data, *days, clock.now_ms(), zone_of(data), False, None, False
        plain = _Query(*question)
        with writer.engine.connect() as tx:
            expected = cells(plain.of(None, tx))
        assert kept == expected
        for name in ("", "-wal", "-shm"):
            data.rollups.with_name(data.rollups.name + name).unlink(missing_ok=True)
        assert cells(read(data, *days, clock.now_ms())) == expected
        writer.close()


def cells(figures):
    return {
        (day.day, name): sums
        for day in figures.days
        for its in (day.agents, day.queues)
        for name, sums in its.items()
    }


def told(calls, start):
    scripts = [
        Script(s=s, agent=a).boot().clock(start - 60_000).login(0).ready(0)
        for s, a in (("DIA-0123456789ab", "a001"), ("DIA-0123456789ac", "a002"))
    ]
    switch, utc = [], start
    for number, (gap, agent, sides, taken) in enumerate(calls):
        utc += 30_000 * gap
        pbx = f"1.{number}" if "id" in sides or "desk" in sides else None
        a = agent if agent in ("a001", "a002") else "a001"
        if "desk" in sides:
            a = "a002"
        script = scripts[a == "a002"]
        if sides != "switch":
            script.u = max(script.u, utc - (script.offset or 0) - 5000)
            utc = script.u + script.offset + 5000
            offered = {"via": "host", "direction": "in", "queue": "ventas", "pbx": pbx}
            script.contact("offered", f"c{number}", 0, **offered)
            if taken:
                script.contact("answered", f"c{number}", 5000, via="key", ring_ms=5000)
                script.contact("ended", f"c{number}", 60_000, by="caller", on_hold=False)
                script.wrapup("started", f"c{number}", 0)
                script.wrapup("ended", f"c{number}", 4000, cause="agent")
            else:
                script.contact("missed", f"c{number}", 5000, cause="no_answer", ring_ms=5000)
        if sides != "station":
            told_pbx = pbx or f"9.{number}"
            events = [("entered", utc - 9000, {})]
            if taken:
                events += [
                    ("connected", utc + 500, {"agent": agent, "wait_ms": 9500}),
                    ("left", utc + 60_500, {"cause": "completed", "talk_ms": 60_000}),
                ]
            else:
                rang = {"agent": agent or "SIP/9", "ring_ms": 5000}
                events += [("offered", utc + 700, rang), ("abandoned", utc + 900, {"wait_ms": 9})]
            for k, t, more in events:
                switch.append((t, k, {"pbx": told_pbx, **more}))
    bodies = []
    for n, (t, k, more) in enumerate(sorted(switch, key=lambda one: one[0]), 1):
        event = {"s": "PBX-x", "e": 1, "n": n, "b": 0, "u": 0, "t": t, "k": f"queue.{k}"}
        body = json.dumps(event | {"queue": "ventas"} | more).encode()
        bodies.append(Message(0, subject_of("PBX-x"), body))
    return scripts, bodies
