"""Reports that are made by themselves: on time, late, again after a failure, and never twice."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from diadema.base.errors import DiademaError
from diadema.report import schedule
from diadema.report.model import Scope
from diadema.report.schedule import Schedule, add, due, next_due, remove, runs, schedules

from tests.support import reported_day

LIMA = ZoneInfo("America/Lima")


def at(text, zone=LIMA):
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def order(name="diario", **more):
    given = {"kind": "llamadas", "every": "day", "at": "06:00", "form": "json"}
    return Schedule(name=name, since_ms=at("2026-11-18T12:00"), **given | more)


@pytest.fixture
def data(tmp_path):
    return reported_day.stations(tmp_path)


def test_when_each_falls_due():
    day, week = order(), order(every="week")
    month = order(every="month", at="23:59")
    until = at("2026-12-02T00:00")
    assert [span.word for _, span in due(day, 0, at("2026-11-20T06:00"), LIMA)] == [
        "2026-11-18", "2026-11-19",
    ]  # fmt: skip
    assert [span.word for _, span in due(week, 0, until, LIMA)] == ["2026-W47", "2026-W48"]
    assert [(when, span.word) for when, span in due(month, 0, until, LIMA)] == [
        (at("2026-12-01T23:59"), "2026-11")
    ]
    assert due(order(running=True), 0, at("2026-11-19T06:00"), LIMA)[0][1].word == "2026-11-19"
    assert next_due(day, at("2026-11-19T06:00"), LIMA) == at("2026-11-20T06:00")


def test_an_hour_that_the_clocks_leave_out_comes_all_the_same():
    madrid = ZoneInfo("Europe/Madrid")
    one = order(at="02:30")
    one = Schedule(**{f: getattr(one, f) for f in one.__struct_fields__} | {"since_ms": 0})
    found = due(one, at("2027-03-27T12:00", madrid), at("2027-03-28T12:00", madrid), madrid)
    assert len(found) == 1
    twice = due(one, at("2026-10-24T12:00", madrid), at("2026-10-25T12:00", madrid), madrid)
    assert len(twice) == 1, "an hour that comes twice makes one report"


def test_it_is_made_once_with_its_cut_off(data):
    add(data, order(form="xlsx", scope=Scope(of="team", code="Mañana")), "es")
    assert not schedule.pending(data, at("2026-11-19T05:59"))
    now = at("2026-11-19T06:00") + 20_000
    assert schedule.pending(data, now)
    (run,) = schedule.run_due(data, now)
    assert (run.state, run.span, run.late_s) == ("done", "2026-11-18", 0)
    assert run.file == "diario/20261119-0600-diadema-llamadas-2026-11-18-team-Ma-ana.xlsx"
    book = openpyxl.load_workbook(data.reports / run.file)
    lines = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row]
    assert any("Corte: 2026-11-19 06:00:20" in str(line) for line in lines)
    assert any("previsto para 2026-11-19 06:00:00" in str(line) for line in lines)
    assert run.position and not schedule.pending(data, now)
    assert schedule.run_due(data, now + 60_000) == []
    assert [one.file for one in runs(data)] == [run.file]


def test_what_fell_due_while_nothing_ran_is_made_late_and_says_so(data):
    add(data, order(), "es")
    made = schedule.run_due(data, at("2026-11-21T09:12"))
    assert [(run.span, run.state) for run in made] == [
        ("2026-11-18", "late"), ("2026-11-19", "late"), ("2026-11-20", "late"),
    ]  # fmt: skip
    assert made[-1].late_s == 3 * 3600 + 12 * 60
    assert "Hecho tarde, 3:12:00" in (data.reports / made[-1].file).read_text()


def test_after_a_long_pause_the_oldest_are_counted_and_left_out(data):
    add(data, order(), "es")
    made = schedule.run_due(data, at("2027-01-31T07:00"))
    assert len(made) == schedule.CATCH_UP and made[-1].span == "2027-01-30"
    assert made[0].skipped == 74 - schedule.CATCH_UP and made[1].skipped == 0


def test_a_run_that_fails_says_why_and_is_tried_again(data):
    add(data, order(scope=Scope(of="team", code="Mañana")), "es")
    add(data, order("otro"), "es")
    data.site.write_text(data.site.read_text().replace("Ma\\u00f1ana", "Noche"))
    now = at("2026-11-19T06:00")
    made = schedule.run_due(data, now)
    failed = made[0]
    assert [run.state for run in made] == ["failed", "done"], "the other one is made"
    assert "hay: Noche" in failed.reason and failed.tries == 1
    assert not schedule.pending(data, now + 59_000) and schedule.pending(data, now + 60_000)
    (again,) = schedule.run_due(data, now + 60_000)
    assert again.tries == 2 and not schedule.pending(data, now + 60_000 + 119_000)
    for step in range(1, 40):
        schedule.run_due(data, now + step * 3_600_000 // 2)
    tried = [run for run in runs(data) if run.span == "2026-11-18" and run.name == "diario"]
    assert [run.tries for run in tried] == [schedule.TRIES]


def test_a_report_of_nobody_is_not_ordered(data):
    with pytest.raises(DiademaError, match="No hay un equipo 'Nohce'; hay: Mañana"):
        add(data, order(scope=Scope(of="team", code="Nohce")), "es")
    with pytest.raises(DiademaError, match="There is no agent 'a099'"):
        add(data, order(scope=Scope(of="agent", code="a099")), "en")
    assert schedules(data) == []


def test_a_failure_inside_keeps_nothing_else_from_being_made(data, monkeypatch):
    add(data, order("a-malo"), "es")
    add(data, order("b-bueno"), "es")
    right = schedule.make

    def make(place, *given):
        if not getattr(make, "failed", False):
            make.failed = True
            raise ZeroDivisionError
        return right(place, *given)

    monkeypatch.setattr(schedule, "make", make)
    made = schedule.run_due(data, at("2026-11-19T06:00"))
    assert [run.state for run in made] == ["failed", "done"]
    assert "ZeroDivisionError" in made[0].reason
    (again,) = schedule.run_due(data, at("2026-11-19T06:20"))
    assert again.state == "late" and again.reason is None


def test_runs_and_their_files_are_bounded(data, monkeypatch):
    monkeypatch.setattr(schedule, "RETAINED", 2)
    add(data, order(), "es")
    schedule.run_due(data, at("2026-11-22T07:00"))
    assert [run.span for run in runs(data)] == ["2026-11-21", "2026-11-20"]
    assert len([*(data.reports / "diario").iterdir()]) == 2


def test_a_schedule_taken_away_is_made_no_more_and_its_files_stay(data):
    add(data, order(), "es")
    (run,) = schedule.run_due(data, at("2026-11-19T06:00"))
    remove(data, "diario", "es")
    assert schedules(data) == [] and not schedule.pending(data, at("2026-11-30T06:00"))
    assert (data.reports / run.file).exists() and len(runs(data)) == 1


def test_lists_that_cannot_be_read_say_so(data):
    data.reports.mkdir()
    (data.reports / "schedules.json").write_text("{")
    with pytest.raises(DiademaError, match=r"schedules\.json"):
        schedule.run_due(data, 0)


def test_the_span_of_a_run_is_the_one_over_by_then():
    assert order(every="month").span(date(2026, 3, 1)).word == "2026-02"
    assert order(every="week").span(date(2027, 1, 4)).word == "2026-W53"
