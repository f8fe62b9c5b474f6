"""The intraday table: each date and half-hour by itself, beside its targets."""

import json
from datetime import date

import pytest
from diadema.figures.days import start_of
from diadema.report.formats import made_as
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.report.writing import is_missed
from diadema.web.reports.html import page_of

from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, Script
from tests.support.sections import rows
from tests.support.targeted import a_day, bring, centre, put

DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
FLOOR = Scope()


def made(data, span=None, scope=FLOOR, now=NOW, **more):
    return make(data, "intradia", span or around("day", DAY), scope, now, **more)


def summary(report):
    return {row[0]: (row[1].value, row[3]) for row in report.section("summary").rows}


@pytest.fixture
def data(tmp_path):
    """A switch's half-hour, 06:00 to 06:30 in Lima, and two agents of stations in it."""
    from diadema.ingest.core import Ingest
    from diadema.site import description as sites
    from diadema.store import open_writer

    from tests.support.targeted import Clock

    log = QueueLog()
    nobody = {"agent": "", "talk": 30}  # so that contacts are of stations alone
    log.call(0, "1.1", wait=5, **nobody).call(60, "1.2", wait=40, **nobody)
    log.abandon(70, "1.3", 95).call(2000, "2.1", wait=1, **nobody)
    log.enter(100, "1.4").line(400, "1.4", "saldos", "NONE", "EXITWITHTIMEOUT", 1, 1, 300)
    log.enter(110, "1.5")
    found = centre(tmp_path, log)
    writer = open_writer(found.store)
    ingest = Ingest(writer, sites.load(found.site), Clock())
    for k, agent in enumerate(("a001", "a002")):
        script = Script(s=f"DIA-0123456789a{'bc'[k]}", agent=agent).boot().clock(T0 + 1000)
        script.login().ready(0)
        if not k:
            script.call("c1", talk=60_000, wrap=40_000)
        ingest.take(script.presence("ready", "not_ready", "refrigerio").logout().messages(),
                    "stream", "server")  # fmt: skip
    writer.close()
    return found


def test_each_half_hour_has_the_switchs_side_and_the_agents(data):
    put(data, "targets", metric="service_level", value=50, threshold_s=20)
    put(data, "targets", metric="asa_s", value=20)
    report = made(data)
    section = report.section("intraday")
    first, second = rows(section)
    assert (first["day"], first["hour"], second["hour"]) == ("2026-11-18", "06:00", "06:30")
    told = ("received", "answered", "abandoned", "left", "waiting", "asa_s", "longest_wait_s")
    assert [first[one] for one in told] == [5, 2, 1, 1, 1, 23, 300]
    assert [second[one] for one in told] == [1, 1, 0, 0, 0, 1, 1]
    assert (first["sl_offered"], second["sl_offered"]) == (33.3, 100.0)
    assert (first["n"], first["aht_s"], first["present"]) == (1, 100, 2)
    assert (second["n"], second["aht_s"], second["present"], second["occupancy"]) == (
        0, None, 0, None)  # fmt: skip
    missed = [
        [column.key for at, column in enumerate(section.columns) if is_missed(section, row, at)]
        for row in section.rows
    ]
    assert missed == [["sl_offered", "asa_s"], []]
    total = dict(zip([column.key for column in section.columns], section.total, strict=True))
    assert (total["received"], total["sl_offered"], total["asa_s"]) == (6, 50.0, 15)
    assert total["longest_wait_s"] == 300 and total["present"] is None


def test_waits_have_buckets_a_median_a_90th_and_a_longest(data):
    put(data, "targets", metric="service_level", value=50, threshold_s=20)
    report = made(data)
    found = summary(report)
    assert found["espera mediana"] == (5, 3) and found["espera, percentil 90"] == (40, 3)
    assert found["espera más larga"] == (300, 5)
    assert found["medias horas que cumplieron"] == (50.0, 2)
    buckets = {row["bucket"]: row for row in rows(report.section("waits"))}
    assert buckets["0 – 5 s"]["answered"] == 2 and buckets["31 – 60 s"]["answered"] == 1
    assert buckets["61 – 120 s"]["abandoned"] == 1 and buckets["121 – 300 s"]["left"] == 1
    assert buckets["31 – 60 s"]["cumulated"] == 100.0
    assert len(buckets) == 8


def test_days_are_apart_and_a_queue_has_no_load(data):
    bring(data, a_day().call(86_400, "9.1", queue="saldos"))
    week = rows(made(data, around("week", DAY)).section("intraday"))
    assert {row["day"] for row in week} == {"2026-11-18", "2026-11-19"}
    ours = made(data, around("week", DAY), Scope(of="queue", code="saldos"))
    assert [row["received"] for row in rows(ours.section("intraday"))] == [5, 1, 1]
    assert {row["occupancy"] for row in rows(ours.section("intraday"))} == {None}
    assert {row["present"] for row in rows(ours.section("intraday"))} == {None}


def test_a_half_hour_that_comes_twice_is_two_rows_with_their_offsets(tmp_path):
    """Bad input, section C: on the night the clocks go back, «23:00» had an hour in it."""
    site = SITE | {"zone": "America/Santiago"}
    night = date(2026, 4, 4)
    from zoneinfo import ZoneInfo

    from diadema.ingest.core import Ingest
    from diadema.site import description as sites
    from diadema.store import open_writer

    from tests.support.targeted import Clock

    start = start_of(night, ZoneInfo("America/Santiago")) + 22 * 3600 + 1800
    data = centre(tmp_path)
    data.site.write_text(json.dumps(site))
    script = Script().boot().clock(start * 1000).login().ready(0)
    script.presence("ready", "not_ready", "sshh", after=2 * 3_600_000).logout()
    writer = open_writer(data.store)
    Ingest(writer, sites.load(data.site), Clock()).take(script.messages(), "stream", "server")
    writer.close()
    report = made(data, around("day", night))
    halves = [row["hour"] for row in rows(report.section("intraday"))]
    assert halves == ["22:30", "23:00 −03", "23:30 −03", "23:00 −04", "23:30 −04"]
    load = make(data, "tmo", around("day", night), FLOOR, NOW).section("load_halves")
    found = {row["hour"]: row["logged_s"] for row in rows(load)}
    assert found["23:00 −03"] == found["23:00 −04"] == 1800
    assert max(found.values()) == 1800


def test_what_is_missed_has_a_sign_beside_its_colour_in_every_format(data):
    put(data, "targets", metric="service_level", value=50, threshold_s=20)
    report = made(data)
    assert "33.3 % !</td>" in page_of(report).html and "100.0 % !" not in page_of(report).html
    told = json.loads(made_as("json", report, None))
    (section,) = (one for one in told["sections"] if one["section"] == "intraday")
    assert section["rows"][0]["sl_offered"] == 33.3
    assert ";33.3;" in made_as("csv", report, "intraday").decode("utf-8-sig")
    assert made_as("xlsx", report, None) and made_as("pdf", report, None)


def test_what_is_read_from_roll_ups_is_what_the_store_says(data):
    once = rows(made(data).section("intraday"))
    assert rows(made(data).section("intraday")) == once
    data.rollups.unlink()
    assert rows(made(data).section("intraday")) == once


def test_what_no_switch_told_is_not_known(tmp_path):
    """A centre of stations alone, or a day without its log: «—», not nobody who called."""
    from tests.support import reported_day

    report = made(reported_day.stations(tmp_path))
    section = report.section("intraday")
    halves = rows(section)
    total = dict(zip([one.key for one in section.columns], section.total, strict=True))
    for row in (*halves, total):
        assert {row[one] for one in ("received", "answered", "abandoned", "waiting")} == {None}
        assert row["sl_offered"] is None and row["n"] is not None
    assert (
        "NS sobre atendidas y abandonadas" not in summary(report) and summary(report)["TMO"][1] > 0
    )
    assert any("Sin datos de central" in one for one in report.section("summary").notes)
    assert "waits" not in {one.key for one in report.sections}
