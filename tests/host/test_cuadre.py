"""«Cuadre»: what must be equal is compared in each report, and what has no agent, no hour or no
end yet is told in lines of its own."""

import json
import sqlite3
from contextlib import closing
from datetime import date

import msgspec
import pytest
from diadema.figures.rows import Calls
from diadema.ingest.core import Ingest
from diadema.ingest.queues import QueueBoard
from diadema.report import context as asking
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site import description as sites
from diadema.store import open_reader, open_writer
from diadema.words import text

from tests.support import reported_day
from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import T0, FixedClock, Script
from tests.support.targeted import bring_stations, centre

DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
KINDS = ("intradia", "llamadas", "tmo", "servicio", "tipificacion", "protocolo", "consolidado")


def made(data, kind, span="day", scope=None):
    return make(data, kind, around(span, DAY), scope or Scope(), NOW)


def rows(section):
    names = [column.key for column in section.columns]
    return [dict(zip(names, row, strict=True)) for row in section.rows]


def apart(report):
    return {row["what"]: row["count"] for row in rows(report.section("apart"))}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return reported_day.stations(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("span", ["day", "month"])
def test_every_report_compares_what_must_be_equal(data, kind, span):
    sums = rows(made(data, kind, span).section("sums"))
    assert sums and all(row["difference"] == 0 and row["where"] == "" for row in sums)
    assert all(row["whole"] == row["parts"] for row in sums)
    found = {row["rule"] for row in sums}
    assert "timbres = contestados + no contestados + no imputables + abiertos" in found
    assert any(row["whole"] > 0 for row in sums)


def test_rings_that_are_not_hers_and_those_that_no_log_tells_of_break_no_sum(tmp_path):
    """A caller who gave up at her desk, a fault; and calls of a switch without RINGNOANSWER."""
    data = centre(tmp_path, QueueLog().call(0, "1.1", agent="a002", queue="ventas"))
    script = Script().boot().clock().login().ready().call("c1")
    for c, cause in (("c2", "caller_gave_up"), ("c3", "technical"), ("c4", "no_answer")):
        script.offer(c).contact("missed", c, cause=cause, ring_ms=3000)
    bring_stations(data, script)
    sums = rows(made(data, "llamadas").section("sums"))
    assert [row for row in sums if row["difference"] or row["where"]] == []
    told = {row["rule"]: row["whole"] for row in sums}
    assert told["timbres = contestados + no contestados + no imputables + abiertos"] == 4
    assert told["no contestados, no imputables y sin respuesta = suma de las causas"] == 3


FLOOR = "atenciones de hoy en el piso = las de las estaciones aquí"


def test_the_floor_of_today_is_the_report_of_today(tmp_path):
    """And the agent whom they do not agree on is named; of another day nothing is said."""
    script = Script().boot().clock().login().ready().call("c1").call("c2").offer("c3")
    data = reported_day.stored(tmp_path, script, now=T0 + 3_600_000)
    with closing(open_writer(data.store)) as writer:
        clock = FixedClock(T0 + 3_600_000)
        ingest = Ingest(writer, sites.load(data.site), clock)
        ingest.save((), ingest.floor.agents())
    for kind in ("llamadas", "tmo", "tipificacion", "consolidado"):
        told = {row["rule"]: row for row in rows(made(data, kind).section("sums"))}
        assert (told[FLOOR]["whole"], told[FLOOR]["parts"], told[FLOOR]["where"]) == (2, 2, "")
    other = make(data, "llamadas", around("day", date(2026, 11, 17)), Scope(), NOW)
    assert FLOOR not in {row["rule"] for row in rows(other.section("sums"))}
    with sqlite3.connect(data.store) as store:
        (row,) = store.execute("SELECT row FROM live WHERE a = 'a001'").fetchone()
        row = json.dumps(json.loads(row) | {"contacts": 3}).encode()
        store.execute("UPDATE live SET row = ? WHERE a = 'a001'", (row,))
    told = {row["rule"]: row for row in rows(made(data, "llamadas").section("sums"))}
    assert (told[FLOOR]["difference"], told[FLOOR]["where"]) == (1, "2026-11-18 a001")


JOINED = "atenciones con llamada de la central = llamadas con atención"


def test_stations_and_switch_are_equal_where_they_are_joined(tmp_path, monkeypatch):
    """Also one that rang before midnight and was answered after it; the day that breaks it is
    named.
    """
    log = QueueLog().call(4, "1.1", wait=2, agent="a001", queue="ventas")
    data = centre(tmp_path, log.call(64_390, "1.2", wait=11, agent="a001", queue="ventas"))
    script = Script().boot().clock().login().ready(0).call("c1").call("c2")
    bring_stations(data, script.clock(T0 + 64_397_000).call("c3"))

    def told():
        section = make(data, "servicio", around("month", DAY), Scope(), NOW).section("sums")
        (row,) = [row for row in rows(section) if row["rule"] == JOINED]
        return row["whole"], row["parts"], row["where"]

    assert told() == (2, 2, "")
    own = make(data, "servicio", around("day", DAY), Scope(of="queue", code="ventas"), NOW)
    assert JOINED not in {row["rule"] for row in rows(own.section("sums"))}
    plainly = asking.joined_days

    def broken(*given):
        first, *others = plainly(*given)
        return [msgspec.structs.replace(first, calls_alone=first.calls_alone + 1), *others]

    monkeypatch.setattr(asking, "joined_days", broken)
    assert told() == (2, 1, "2026-11-18")


def test_the_floor_has_the_stations_alone_and_both_places_say_so(tmp_path):
    """What only the switch told is the report's and the queues', and no tile's."""
    log = QueueLog().call(4, "1.1", wait=2, agent="a001", queue="ventas")
    log.call(400, "1.2", wait=5, agent="a001", queue="ventas")
    log.line(900, "1.3", "ventas", "a001", "RINGNOANSWER", 9000)
    data = centre(tmp_path, log)
    clock = FixedClock(T0 + 1_200_000)
    with closing(open_writer(data.store)) as writer, closing(open_reader(data.store)) as reader:
        ingest = Ingest(writer, sites.load(data.site), clock)
        ingest.take(Script().boot().clock().login().ready(0).call("c1").messages(), "s", "server")
        ingest.save((), ingest.floor.agents())
        tile = json.loads(ingest.floor.rows["a001"])
        board = QueueBoard(reader, clock, data)
        board.hear(next(call.station for call in reader.queue_calls()), ingest.site, {})
        queues = json.loads(board.news(ingest.site))
    report = make(data, "llamadas", around("day", DAY), Scope(), clock.now)
    (hers,) = rows(report.section("calls_agents"))
    assert (tile["contacts"], tile["missed"]) == (1, 0)
    assert (hers["answered"], hers["missed"]) == (2, 1)
    assert queues["total"]["answered"] == 2
    (floor,) = [row for row in rows(report.section("sums")) if row["rule"] == FLOOR]
    assert (floor["whole"], floor["parts"], floor["where"]) == (1, 1, "")
    alone = [note for one in report.sections for note in one.notes if "solo habla" in note]
    assert alone and all("el piso en vivo no las tiene" in note for note in alone)
    assert text("floor.today.stations", "es") == "solo de estaciones"


def test_what_does_not_add_up_is_shown_with_the_rows_that_break_it(data, monkeypatch):
    """One call too many in one half-hour of one day, and in nothing else."""
    plainly = asking.read

    def broken(*given, **more):
        figures = plainly(*given, **more)
        if not more.get("intervals"):
            return figures
        day = figures.days[0]
        total, halves = day.total(), day.half_hours()
        first = min(halves)
        halves[first].queues["ventas"] += Calls(offered=1)
        figures.days[0] = msgspec.structs.replace(day, whole=(total, halves))
        return figures

    monkeypatch.setattr(asking, "read", broken)
    section = made(data, "llamadas").section("sums")
    wrong = [row for row in rows(section) if row["difference"]]
    assert [(row["rule"], row["difference"], row["where"]) for row in wrong] == [
        (
            "timbres = contestados + no contestados + no imputables + abiertos",
            1,
            "2026-11-18 06:00",
        ),
        ("llamadas del día = las de sus medias horas", -1, "2026-11-18"),
    ]
    assert section.notes[0].startswith("NO CUADRA")


@pytest.mark.parametrize("kind", KINDS)
def test_a_ring_that_was_not_hers_breaks_no_sum(tmp_path, kind):
    """A17: what a fault, the switch or the caller ended is apart, and still has its place."""
    script = Script().boot().clock().login().ready().call("c0")
    for at, cause in enumerate(("technical", "caller_gave_up", "withdrawn", "no_answer")):
        script.offer(f"m{at}", 60_000).contact("missed", f"m{at}", 9000, cause=cause, ring_ms=9000)
    report = made(reported_day.stored(tmp_path, script), kind)
    sums = {row["rule"]: row for row in rows(report.section("sums"))}
    assert {row["difference"] for row in sums.values()} == {0}
    whole = sums["timbres = contestados + no contestados + no imputables + abiertos"]["whole"]
    assert whole == 5


def test_what_has_no_agent_no_hour_or_no_end_has_a_line_of_its_own(tmp_path):
    """A18, B7, B13: each report says what is in none of its tables."""
    log = QueueLog().call(0, "1.1", agent="").call(60, "1.2").enter(70, "1.3").enter(80, "1.4")
    data = centre(tmp_path, log)
    hourless = Script(s="DIA-0123456789ac", agent="a002").boot().login().ready().call("c9")
    rings = Script().boot().clock().login().ready().offer("c1")
    bring_stations(data, hourless, rings)
    for kind in KINDS:
        assert apart(made(data, kind)) == {
            "atendidas según la central, sin asesor": 1,
            "llamadas de estaciones sin hora conocida, en ningún día": 1,
            "llamadas de asesores sin fin todavía": 1,
            "en cola sin fin conocido": 2,
        }, kind
    own = made(data, "llamadas", scope=Scope(of="agent", code="a001"))
    assert apart(own) == {
        "llamadas de estaciones sin hora conocida, en ningún día": 0,
        "llamadas de asesores sin fin todavía": 1,
    }


def test_tmo_is_told_by_motive_and_by_disposition(tmp_path):
    script = Script().boot().clock().login().ready()
    script.call("c1", talk=60_000, wrap=10_000, code="111").call("c2", talk=20_000, wrap=10_000)
    script.call("c3", talk=30_000, wrap=5_000, code="112")
    script.call("c4", talk=40_000, wrap=5_000, code="SIN_TIPIFICAR")
    data = reported_day.stored(tmp_path, script)
    report = made(data, "tmo")
    codes = {row["code"]: row for row in rows(report.section("aht_codes"))}
    assert (codes["111"]["n"], codes["111"]["aht_s"], codes["111"]["level3"]) == (2, 50, "Ahorro")
    assert (codes["112"]["talk_s"], codes["112"]["wrap_s"]) == (30, 5)
    assert (codes[""]["n"], codes[""]["aht_s"], codes[""]["level1"]) == (1, 45, "(sin código)")
    motives = rows(report.section("aht_motives"))
    assert [(row["level1"], row["n"], row["aht_s"]) for row in motives] == [
        ("Consulta", 3, 45), ("(sin código)", 1, 45)]  # fmt: skip
    whole = report.section("aht_agents")
    for section in (report.section("aht_codes"), report.section("aht_motives")):
        for key in ("n", "talk_s", "hold_s", "wrap_s", "aht_s"):
            assert section.total[section.at(key)] == whole.total[whole.at(key)]
