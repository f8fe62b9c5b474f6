"""A month's report against a plain computation over the file, and its sums in any zone."""

import csv
import json
import sys
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.exchange.bank_import import import_bank
from diadema.figures.days import spans
from diadema.figures.facts import queue_halves
from diadema.figures.rows import QueueSums, Sums
from diadema.figures.switch import book_served
from diadema.metrics.calls import aside
from diadema.metrics.intervals import Intervals
from diadema.metrics.queue import Flow
from diadema.store import QueueCall
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bank_files import DAY, Log
from tests.support.scripted_station import SITE

ZONES = ("America/Lima", "America/New_York", "Europe/Madrid", "Australia/Lord_Howe",
         "Asia/Kathmandu", "UTC")  # fmt: skip
HALF = 1800


@pytest.fixture
def report(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["diadema", "report", "month", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            code = end.code or 0
        else:
            code = 0
        return code, *capsys.readouterr()

    return call


def invented(folder):
    """Two days; each outcome, each trap, midnight and half-hours crossed."""
    log = Log()
    for at, wait, talk in ((0, 0, 40), (30, 20, 900), (61, 21, 2), (500, 3, 4000), (1700, 400, 7)):
        for day in (990201, 990202):
            for agent in ("LUCUMA", "NISPERO", "NO_SERVER"):
                log.agent(8 * 3600 + at, agent, day=day, wait=wait, talk=talk)
            log.hang(9 * 3600 + at, day=day, wait=wait).phantom(9 * 3600 + at, day=day, wait=wait)
    log.agent(DAY - 70, "LUCUMA", wait=5, talk=600).agent(DAY - 30, "NISPERO", wait=90, talk=3000)
    log.hang(DAY - 30, wait=90)
    log.agent(9 * 3600, "NISPERO", wait=9, ser_start="0:00:00", ser_exit="0:00:00")
    return log.write(folder / "log.tsv")


def one_decimal(part, whole):
    exact = Decimal(100 * part) / Decimal(whole)
    return float(exact.quantize(Decimal("0.1"), ROUND_HALF_UP))


def plain(path, threshold, short):
    """By hand: lists, and each second of talk by itself."""

    def clock(text):
        hours, minutes, seconds = map(int, text.split(":"))
        return 3600 * hours + 60 * minutes + seconds

    answered, abandoned = [], []
    contacts, talk, half_contacts, half_talk = Counter(), Counter(), Counter(), Counter()
    half_entered = Counter()
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            midnight = datetime.strptime(row["date"], "%y%m%d").replace(tzinfo=UTC)
            wait, seconds = int(row["q_time"]), int(row["ser_time"])

            noon = clock(row["vru_entry"]) - DAY // 2

            def after(text, noon=noon):
                return clock(text) + DAY * (clock(text) < noon)

            def half(second, midnight=midnight):
                return (midnight + timedelta(seconds=second // HALF * HALF)).isoformat()

            if row["outcome"] == "HANG" and (wait > 0 or (not wait and clock(row["q_start"]))):
                abandoned.append(wait)
                half_entered[half(after(row["q_start"]))] += 1
            if row["outcome"] != "AGENT":
                continue
            answered.append(wait)
            agent = None if row["server"] == "NO_SERVER" else row["server"]
            contacts[agent] += 1
            talk[agent] += seconds
            start = after(row["ser_start"])
            if row["ser_start"] == row["ser_exit"] == "0:00:00" and not seconds:
                start = after(row["q_exit"] if wait else row["vru_exit"])
            half_contacts[half(start)] += 1
            half_entered[half(after(row["q_start"]) if wait else start)] += 1
            for second in range(start, start + seconds):
                half_talk[half(second // HALF * HALF)] += 1
    n, lost = len(answered), len(abandoned)
    soon, gone = (sum(wait <= threshold for wait in waits) for waits in (answered, abandoned))
    brief = sum(wait <= short for wait in abandoned)
    asa = (Decimal(sum(answered)) / n).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "service_level": {
            "offered": one_decimal(soon, n + lost),
            "noshort": one_decimal(soon, n + lost - brief),
            "answered": one_decimal(soon, n),
            "removed": one_decimal(soon + gone, n + lost),
            "all": one_decimal(soon, n + lost),
        },
        "asa_s": int(asa),
        "abandonment": one_decimal(lost, n + lost),
        "abandonment_noshort": one_decimal(lost - brief, n + lost - brief),
        "abandonment_received": one_decimal(lost, n + lost),
        "no_agent": contacts[None],
        "at_once": {"answered": answered.count(0), "abandoned": abandoned.count(0)},
        "contacts": dict(contacts),
        "talk": dict(talk),
        "half_contacts": dict(half_contacts),
        "half_talk": dict(half_talk),
        "half_entered": dict(half_entered),
    }


def reported(made):
    halves = made["intervals"]
    names = ("service_level", "asa_s", "abandonment", "abandonment_noshort",
             "abandonment_received", "no_agent", "at_once")  # fmt: skip
    return {name: made[name] for name in names} | {
        "contacts": {row["agent"]: row["contacts"] for row in made["agents"]},
        "talk": {row["agent"]: row["talk_s"] for row in made["agents"]},
        "half_contacts": {h["start"]: h["contacts"] for h in halves if h["contacts"]},
        "half_talk": {h["start"]: h["talk_s"] for h in halves if h["talk_s"]},
        "half_entered": {h["start"]: h["n"]["received"] for h in halves if h["n"]["received"]},
    }


def check(report, path, data, *, threshold=20, short=5):
    assert import_bank([path], DataDir(data), SystemClock()).imported
    options = ("--month", "1999-02", "--data", data, "--threshold", threshold, "--short", short)
    code, printed, _ = report(*options, "--json")
    assert code == 0
    made = json.loads(printed)
    assert reported(made) == plain(path, threshold, short)
    return made


@pytest.mark.parametrize(("threshold", "short"), [(20, 5), (0, 0), (3, 60), (1000, 3)])
def test_an_invented_file_says_what_is_plainly_counted(report, tmp_path, threshold, short):
    made = check(report, invented(tmp_path), tmp_path / "data", threshold=threshold, short=short)
    assert (made["threshold_s"], made["short_s"], made["zone"]) == (threshold, short, "UTC")
    assert made["sources"] == ["PBX-anonymous-bank"]
    assert made["cut_off"]["position"] > 0 and made["cut_off"]["at"].endswith("+00:00")
    assert made["outside_queue"] == {"before_queue": 2, "phantom": 10}
    assert made["aside"]["no_agent"] == 10 and made["aside"]["estimated"] == 1
    assert made["mean_n"] + sum(made["aside"].values()) == made["contacts"]


def test_who_hung_up_as_she_joined_the_queue_abandoned_it(report, tmp_path):
    """A19: a row with the hour of the queue and no wait was filed as hung up in the menu."""
    nine = 9 * 3600
    log = Log().agent(nine, "LUCUMA", wait=3, talk=9).hang(nine, q_start="9:00:10")
    log.hang(nine + 30).hang(nine + 40, wait=7)
    made = check(report, log.write(tmp_path / "log.tsv"), tmp_path / "data")
    assert (made["n"]["abandoned"], made["n"]["short"]) == (2, 1)
    assert made["outside_queue"] == {"before_queue": 1}
    assert made["abandonment"] == 66.7


def test_the_real_file_says_what_is_plainly_counted(report, shared_data, tmp_path):
    made = check(report, shared_data / "anonymous_bank_1999_02.tsv", tmp_path / "data")
    assert made["service_level"] == {
        "offered": 52.5,
        "noshort": 52.9,
        "answered": 60.3,
        "removed": 56.7,
        "all": 52.5,
    }
    assert made["contacts"] == 20_899
    assert (made["no_agent"], made["at_once"]) == (384, {"answered": 10_079, "abandoned": 25})
    told = report("--month", "1999-02", "--data", tmp_path / "data")[1]
    for word, n in (("answered without an agent", 384), ("answered without a wait", 10_079)):
        (line,) = (one for one in told.splitlines() if word in one)
        assert f"{n:,}" in line


@st.composite
def switch_calls(draw):
    """Around the clock changes of March 2026 and of the month's ends."""
    calls = []
    for n in range(draw(st.integers(0, 12))):
        start = draw(st.integers(1_772_000_000_000, 1_775_500_000_000))
        call = QueueCall(
            station="PBX-x", epoch=1, sequence=n, pbx=str(n), queue="q", start_utc=start
        )
        kind = draw(st.sampled_from(("answered", "abandoned", "left", "waiting", "phantom")))
        wait = draw(st.integers(0, 9_000_000))
        call.outcome, call.entered = ("left", False) if kind == "phantom" else (kind, True)
        if kind == "answered":
            call.agent = draw(st.sampled_from(("A", "B", None)))
            call.connected_utc, call.wait_ms = start + wait, wait
            call.end_utc = draw(st.none() | st.integers(0, 90_000_000).map((start + wait).__add__))
            call.estimated = draw(st.booleans())
        elif kind != "waiting":
            call.wait_ms, call.end_utc = wait, start + wait
        calls.append(call)
    return calls


def booked(calls, zone):
    """Each month's half-hours of the queue and of the agent's conversations, as roll-ups have
    them; every agent is one here.
    """
    zone, months = ZoneInfo(zone), {}
    intervals = Intervals(zone)
    for span in spans(date(2026, 2, 1), date(2026, 4, 30), zone):
        begun = [c for c in calls if span.start_s <= c.start_utc // 1000 < span.end_s]
        served = defaultdict(Sums)
        book_served(served, calls, (), (), span, intervals, {})
        flow = queue_halves(begun, (), intervals)
        for at in (*flow, *served):
            assert span.start_s - HALF < at < span.end_s
        months.setdefault(span.day.month, []).append((flow, dict(served)))
    return months


@given(calls=switch_calls(), zone=st.sampled_from(ZONES))
def test_intervals_and_months_sum_to_the_total(calls, zone):
    days = [day for month in booked(calls, zone).values() for day in month]
    queue = QueueSums.total(sums for flow, _ in days for sums in flow.values())
    parts = queue.answered + queue.abandoned + queue.left + queue.waiting
    assert queue.received == parts == sum(call.entered for call in calls)
    served = Sums.total([sums for _, halves in days for sums in halves.values()] or [Sums()])
    answered = [call for call in calls if call.outcome == "answered"]
    whole = [call for call in answered if call.end_utc is not None]
    talk = sum(call.end_utc // 1000 - call.connected_utc // 1000 for call in whole)
    assert served.load.switch_talk_s == talk
    assert served.calls().answered == len(answered)
    assert served.calls().n + aside(served.calls()) == len(answered)


@given(calls=switch_calls(), order=st.randoms())
def test_the_order_of_the_calls_changes_nothing(calls, order):
    before = booked(calls, "Europe/Madrid")
    order.shuffle(calls)
    assert booked(calls, "Europe/Madrid") == before


def test_the_month_is_the_sites(report, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "site.json").write_text(json.dumps(SITE))
    log = Log().agent(30, "LUCUMA", talk=60).agent(DAY - 30, "LUCUMA", day=990228, talk=60)
    import_bank([log.write(tmp_path / "log.tsv")], DataDir(data), SystemClock())
    found = json.loads(report("--month", "1999-02", "--data", data, "--json")[1])
    assert (found["zone"], found["contacts"], found["talk_s"]) == ("America/Lima", 2, 80)
    assert [row["start"] for row in found["intervals"]] == [
        "1999-02-01T00:00:00-05:00",
        "1999-02-28T23:30:00-05:00",
    ]
    found = json.loads(report("--month", "1999-03", "--data", data, "--json")[1])
    assert (found["contacts"], found["talk_s"], found["n"]["received"]) == (0, 40, 0)
    assert found["service_level"]["offered"] is None and found["asa_s"] is None


def test_a_queue_that_is_not_there_is_told_with_those_that_are(report, tmp_path):
    data = tmp_path / "data"
    log = Log().agent(9 * 3600, "AVI", wait=34, talk=100).write(tmp_path / "log.tsv")
    import_bank([log], DataDir(data), SystemClock())
    words = ("--month", "1999-02", "--kind", "servicio", "--data", data)
    code, _, said = report(*words, "--queue", "Nada")
    assert code == 2
    (queue,) = said.rpartition("there are: ")[2].strip().rstrip(".").split(", ")
    assert report(*words, "--queue", queue)[0] == 0


def test_people_read_it_in_their_language(report, tmp_path, monkeypatch):
    monkeypatch.delenv("DIADEMA_LANG")
    monkeypatch.setenv("LC_ALL", "es_PE.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")
    data = tmp_path / "data"
    log = Log().agent(9 * 3600, "[red]LÚCUMA\x1b[2J\u202e", wait=34, talk=100)
    import_bank([log.hang(9 * 3600, wait=3).write(tmp_path / "log.tsv")], DataDir(data),
                SystemClock())  # fmt: skip
    code, printed, _ = report("--month", "1999-02", "--data", data)
    assert code == 0
    for part in ("nivel de servicio, t = 20 s", "atendidas ≤ t", "atendidas sin asesor",
                 "atendidas sin espera (0 s)", "sobre atendidas y abandonadas",
                 "sin abandonos cortos", "con los abandonos a tiempo", "recibidas", "(≤ 5 s)",
                 "corte:",
                 "pbx-anonymous-bank", "1:40", "[red]lúcuma�[2j�", "utc",
                 "50.0 %"):  # fmt: skip
        assert part in printed.lower()
    assert "\x1b" not in printed and "\u202e" not in printed
    (data / "site.json").write_text(json.dumps(SITE | {"language": "en"}))
    assert "Service level" in report("--month", "1999-02", "--data", data)[1]
    empty = report("--month", "2026-01", "--data", data)[1]
    assert "no calls" in empty and "1999-02-01" in empty


@pytest.mark.parametrize("month", ["1999-13", "febrero", "0000-01", "9999-12"])
def test_what_is_no_month_is_refused(report, tmp_path, month):
    code, _, said = report("--month", month, "--data", tmp_path)
    assert code == 2 and repr(month) in said and "2026-11" in said


def test_there_must_be_a_store(report, tmp_path):
    code, _, said = report("--month", "1999-02", "--data", tmp_path)
    assert code == 2 and "no store" in said


def test_where_only_a_switch_reports_the_month_is_the_one_of_the_kinds(report, tmp_path):
    """`servicio` and `llamadas` have the same totals; nobody is named in one row."""
    data = DataDir(tmp_path / "data")
    data.make()
    data.site.write_text(json.dumps(SITE))
    import_bank([invented(tmp_path)], data, SystemClock())
    span = ("--month", "1999-02", "--data", data.root, "--json")
    made = json.loads(report(*span)[1])
    tables = {}
    for kind in ("servicio", "llamadas", "tmo"):
        told = json.loads(report(*span, "--kind", kind)[1])
        tables |= {one["section"]: one for one in told["sections"]}
    total = tables["service_days"]["total"]
    assert {name: total[name] for name in asdict(Flow())} == {
        name: made["n"][name] for name in asdict(Flow())
    }
    levels = {name: total[f"sl_{name}"] for name in made["service_level"]}
    assert levels == made["service_level"]
    assert tables["calls_agents"]["total"]["answered"] == made["contacts"]
    assert tables["aht_agents"]["total"]["n"] == made["mean_n"]
    assert None in {row["agent"] for row in made["agents"]}
    assert sum(row["talk_s"] for row in made["agent_intervals"]) == made["talk_s"]
    assert sum(row["talk_s"] for row in made["intervals"]) == made["talk_s"]
