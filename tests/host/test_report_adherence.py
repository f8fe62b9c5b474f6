"""Adherence, conformance and shrinkage over stored shifts; who excuses an exception."""

import io
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
import pytest
from diadema.base.paths import DataDir
from diadema.figures import agent_day
from diadema.ingest.messages import Message, subject_of
from diadema.report import context
from diadema.report.formats import made_as
from diadema.report.kinds import adherence
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site.directory.people import Planned

from tests.support.scripted_station import SITE, T0, Script
from tests.support.sections import rows

LIMA = ZoneInfo("America/Lima")
DAY = datetime.fromtimestamp(T0 / 1000, LIMA).date()
REASONS = [
    {"code": "refrigerio", "label": "Refrigerio", "limit_s": 3600},
    {"code": "break", "label": "Break", "paid": True, "limit_s": 600},
    {"code": "sshh", "label": "SS. HH.", "private": True, "paid": True},
    {"code": "topico", "label": "Tópico", "private": True, "paid": True},
    {"code": "lactancia", "label": "Lactancia", "private": True, "paid": True},
    {"code": "capacitacion", "label": "Capacitación", "paid": True, "productive": True},
]
AGENTS = [
    {"id": f"a00{k}", "name": f"Asesor {k}", "short": f"A{k}", "alias": f"A{k}", "badges": []}
    for k in (1, 2, 3)
]
STATIONS = [{"id": f"DIA-0123456789a{k}", "seat": f"A-0{k}"} for k in (1, 2, 3)]
DESCRIBED = SITE | {"reasons": REASONS, "agents": AGENTS, "stations": STATIONS}


def at(hour, minute=0, day=DAY):
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=LIMA).timestamp())


class Desk:
    """One agent's day at a station: she is in a state until the next moment."""

    def __init__(self, k, start_s, seat=None):
        self.script = Script(s=f"DIA-0123456789a{seat or k}", agent=f"a00{k}").boot()
        self.script.clock((start_s - 1) * 1000)
        self.script.login(1000).ready(0)
        self.was = "ready"

    def until(self, second):
        self.script.u = second * 1000 - self.script.offset
        return self

    def pause(self, reason, by="agent"):
        self.script.presence(self.was, "not_ready", reason, by=by, after=0)
        self.was = "not_ready"
        return self

    def ready(self):
        self.script.presence(self.was, "ready", after=0)
        self.was = "ready"
        return self

    def call(self, c, talk, wrap=10_000):
        self.script.call(c, talk=talk, wrap=wrap, ring=1000)
        return self

    def logout(self):
        self.script.add("session.closed", 0, a=self.script.agent, reason="agent", by="agent")
        self.script.presence(self.was, "logged_out", "logout", after=0)
        return self


@pytest.fixture
def place(tmp_path, ingest, monkeypatch):
    """`plan` fills the roster, `take` the store, `report` reads."""
    (tmp_path / "site.json").write_text(json.dumps(DESCRIBED))
    roster = {}
    plainly = context.read_people

    def known(*given):
        return msgspec.structs.replace(plainly(*given), roster=roster)

    monkeypatch.setattr(context, "read_people", known)
    monkeypatch.setattr(adherence, "read_people", known)
    monkeypatch.setattr(agent_day, "read_people", known)

    class Place:
        data = DataDir(tmp_path)

        def plan(self, k, start, end, pauses=(), absence=None, day=DAY):
            roster[f"a00{k}", day] = Planned(
                day=day, shift="M", start_s=start, end_s=end, pauses=list(pauses), absence=absence
            )

        def off(self, k, day):
            roster[f"a00{k}", day] = Planned(day=day, shift=None, absence="day_off")

        def take(self, *desks):
            for desk in desks:
                ingest.take(desk.script.messages(), "stream", "server")

        def say(self, n, **fields):
            event = {"s": "HUB-x", "e": 1, "n": n, "b": 0, "u": 0, "t": T0, "by": "ana",
                     "k": "attendance.justified"}  # fmt: skip
            body = json.dumps(event | fields).encode()
            ingest.take_file([Message(0, subject_of("HUB-x"), body)])

        def report(self, kind="adherencia", span="day", scope=None, now=None, **more):
            now = (now or at(23)) * 1000
            return make(self.data, kind, around(span, DAY), scope or Scope(), now, **more)

    place = Place()
    place.ingest = ingest
    return place


def figures(report):
    return {row["figure"]: (row["value"], row["n"]) for row in rows(report.section("summary"))}


def test_a_day_off_is_no_absence(place):
    """A15: Saturday and Sunday were two; it said 5, right are 2 (vacation, permission)."""
    monday = DAY - timedelta(days=DAY.weekday())
    for k in (1, 2, 3):
        for day in (monday + timedelta(days=5), monday + timedelta(days=6)):
            place.off(k, day)
    place.plan(2, at(8), at(16), absence="vacation")
    place.plan(3, at(8), at(16), absence="permission")
    place.take(Desk(1, at(8)).until(at(9)).logout())
    report = place.report(span="week", now=at(23) + 7 * 86_400)
    found = {row["code"]: row["absences"] for row in rows(report.section("adherence_agents"))}
    assert found == {"a002": 1, "a003": 1}


def test_shrinkage_is_on_one_basis_and_an_unpaid_pause_is_in_none_of_it(place):
    """A16a: an absent agent brought her unpaid refrigerio (8 h), a present one did not (7 h)."""
    lunch = [(at(12), at(13), "refrigerio")]
    place.plan(1, at(8), at(16), lunch)
    place.plan(2, at(8), at(16), lunch, absence="vacation")
    desk = Desk(1, at(8)).until(at(12)).pause("refrigerio").until(at(13)).ready()
    place.take(desk.until(at(16)).logout())
    assert figures(place.report())["shrinkage"] == (50.0, 2)


def test_leave_without_pay_stands_apart(place):
    """A16b: «paid absences» were all, leave without pay too."""
    place.plan(1, at(8), at(16))
    place.plan(2, at(8), at(16), absence="permission")
    place.plan(3, at(8), at(16), absence="unpaid_permission")
    place.take(Desk(1, at(8)).until(at(16)).logout())
    (total,) = rows_of_total(place.report().section("shrinkage_agents"))
    assert (total["paid_absence_s"], total["unpaid_absence_s"]) == (28_800, 28_800)
    assert (total["basis_s"], total["shrinkage"]) == (3 * 28_800, 66.7)


def rows_of_total(section):
    return [dict(zip([c.key for c in section.columns], section.total, strict=True))]


def test_who_did_not_come_is_unplanned_absence_beside_the_adherence(place):
    """A16c: one of two did not come; adherence said 100.0 %, and her shrinkage was 0."""
    place.plan(1, at(8), at(16))
    place.plan(2, at(8), at(16))
    place.take(Desk(1, at(8)).until(at(16)).logout())
    told = figures(place.report())
    assert told["adherencia"] == (100.0, 1)
    assert told["ausentismo no previsto"] == (50.0, 2)
    assert told["shrinkage"] == (50.0, 2)
    assert told["shrinkage fuera"][0] == 50.0


def fault(desk, **fields):
    desk.script.add("fault.reported", 0, a=desk.script.agent, **fields)
    return [desk.script.s, desk.script.e, desk.script.n]


def test_technical_time_is_excused_and_shown_by_agent_seat_and_cause(place):
    """A17: two hours of a fault were an adherence and a conformance of 75.0 %."""
    place.plan(1, at(8), at(16))
    desk = Desk(1, at(8)).until(at(10))
    of = fault(desk, area="audio", part="diadema")
    desk.pause("fault", by="system").until(at(12))
    desk.script.add("fault.resolved", 0, a="a001", of=of, i=5, by="Teo", cause="cable")
    place.take(desk.ready().until(at(16)).logout())
    report = place.report()
    assert figures(report)["adherencia"] == (100.0, 1)
    assert figures(report)["conformidad"] == (100.0, 1)
    (row,) = rows(report.section("adherence_agents"))
    assert (row["exception_s"], row["excused_s"]) == (7200, 7200)
    (told,) = rows(report.section("technical"))
    names = ("code", "seat", "cause", "technical_s")
    assert tuple(told[name] for name in names) == ("a001", "A-01", "audio, diadema, cable", 7200)
    assert rows(report.section("shrinkage_agents"))[0]["technical_part_s"] == 7200
    (load,) = rows(place.report("tmo").section("load_agents"))
    assert load["technical_s"] == 7200


def test_exceptions_are_listed_from_to_planned_did_and_short_ones_only_summed(place):
    place.plan(1, at(8), at(16), [(at(12), at(13), "refrigerio")])
    desk = Desk(1, at(8)).until(at(9)).pause("break").until(at(9, 4)).ready()
    desk.until(at(10)).pause("break").until(at(10, 20)).ready().until(at(15)).logout()
    place.take(desk)
    report = place.report()
    told = rows(report.section("exceptions"))
    assert [(row["from"] // 1000, row["to"] // 1000, row["planned"], row["did"], row["excused_by"])
            for row in told] == [
        (at(10), at(10, 20), "trabajo", "Break", None),
        (at(12), at(13), "Refrigerio", "trabajo", None),
        (at(15), at(16), "trabajo", "sin sesión", None),
    ]  # fmt: skip
    (row,) = rows(report.section("adherence_agents"))
    assert (row["exception_s"], row["short_s"], row["excused_s"]) == (8640, 240, 0)
    assert row["adherence"] == 70.0


def test_an_exception_is_excused_by_hand_with_reason_and_author(place):
    place.plan(1, at(8), at(16))
    place.take(Desk(1, at(8)).until(at(15)).logout())
    place.say(1, a="a001", reason="cita médica", time=at(15, 30) * 1000)
    place.say(2, a="a002", reason="otra", time=at(15, 30) * 1000)
    (row,) = rows(place.report().section("exceptions"))
    assert row["excused_by"] == "ana: cita médica"
    assert figures(place.report())["adherencia"] == (100.0, 1)


@pytest.mark.parametrize(
    ("reason", "by", "excused"),
    [
        ("capacitacion", "agent", "Capacitación"),
        ("break", "supervisor", "supervisor"),
        ("ready", "supervisor", "supervisor"),
        ("fault", "system", "técnica"),
        ("break", "agent", None),
    ],
)
def test_what_excuses_by_itself(place, reason, by, excused):
    """Of a planned pause in which she was in a training nobody asks why; likewise the rest."""
    pauses = [(at(10), at(10, 30), "break")] if reason in ("capacitacion", "ready") else []
    place.plan(1, at(8), at(12), pauses)
    desk = Desk(1, at(8)).until(at(10))
    if reason == "ready":
        desk.script.presence("ready", "ready", by=by, after=0)
    else:
        desk.pause(reason, by=by)
    desk.until(at(10, 30)).ready()
    place.take(desk.until(at(12)).logout())
    (row,) = rows(place.report().section("exceptions"))
    assert row["excused_by"] == excused
    assert figures(place.report())["adherencia"][0] == (100.0 if excused else 87.5)


@pytest.mark.parametrize(
    ("planned", "reason", "by"),
    [([], "lactancia", "agent"), ([], "topico", "supervisor"), (["lactancia"], None, "agent")],
)
def test_a_private_reason_is_excused_summed_and_never_listed(place, planned, reason, by):
    place.plan(1, at(8), at(12), [(at(10), at(10, 30), code) for code in planned])
    desk = Desk(1, at(8)).until(at(10))
    if reason:
        desk.pause(reason, by=by).until(at(10, 30)).ready()
    place.take(desk.until(at(12)).logout())
    report = place.report()
    assert rows(report.section("exceptions")) == []
    (row,) = rows(report.section("adherence_agents"))
    assert (row["excused_s"], row["adherence"]) == (1800, 100.0)


def test_a_pause_that_a_call_makes_late_slides_and_keeps_its_length(place):
    """«Por llamada»: planned 10:00-10:30, the wrap-up ends at 10:07, she is back at 10:37."""
    place.plan(1, at(8), at(12), [(at(10), at(10, 30), "break")])
    desk = Desk(1, at(8)).until(at(9, 59) - 2).call("c1", talk=7 * 60_000, wrap=60_000)
    end = (desk.script.u + desk.script.offset) // 1000
    desk.pause("break").until(end + 1800).ready().until(at(12)).logout()
    place.take(desk)
    report = place.report()
    (row,) = rows(report.section("adherence_agents"))
    assert (row["exception_s"], row["slid"], row["adherence"]) == (0, 1, 100.0)


def test_pauses_by_agent_and_reason_with_number_and_what_is_over_the_limit(place):
    desk = Desk(1, at(8))
    for hour, minutes in ((9, 8), (10, 15)):
        desk.until(at(hour)).pause("break").until(at(hour, minutes)).ready()
    for hour, reason in ((11, "sshh"), (12, "topico"), (13, "lactancia")):
        desk.until(at(hour)).pause(reason).until(at(hour, 5)).ready()
    place.take(desk.until(at(14)).logout())
    report = place.report()
    found = rows(report.section("pauses_agents"))
    assert [(row["reason"], row["seconds"], row["pauses"], row["over_n"], row["over_s"])
            for row in found if row["reason"] in ("Break", "auxiliar privada")] == [
        ("Break", 23 * 60, 2, 1, 5 * 60), ("auxiliar privada", 15 * 60, None, None, None),
    ]  # fmt: skip
    assert found[-1]["reason"] == "auxiliar privada", "its place says nothing"
    (lost,) = rows(report.section("shrinkage_agents"))
    assert lost["over_part_s"] == 300 and lost["auxiliary_part_s"] == (18 + 15) * 60


def test_private_reasons_are_told_apart_of_ten_people_together_and_of_fewer_never(place):
    def desks(ks):
        for k in ks:
            desk = Desk(1, at(8))
            desk.script.s, desk.script.agent = f"DIA-{k:012x}", f"x{k:03}"
            desk.script.bodies.clear()
            desk.script.n = 0
            desk.script.boot().clock((at(8) - 1) * 1000).login(1000).ready(0)
            yield desk.until(at(9)).pause("topico").until(at(9, 5)).ready().until(at(10)).logout()

    place.take(*desks(range(9)))
    report = place.report("tmo")
    names = {row["reason"] for row in rows(report.section("reasons"))}
    assert "Tópico" not in names and "auxiliar privada" in names
    place.take(*desks([9]))
    names = {row["reason"] for row in rows(place.report("tmo").section("reasons"))}
    assert "Tópico" in names and "auxiliar privada" not in names


def test_exceptions_are_in_every_format(place):
    place.plan(1, at(8), at(16))
    place.take(Desk(1, at(8)).until(at(15)).logout())
    place.say(1, a="a001", reason="cita médica", time=at(15, 30) * 1000)
    report = place.report()
    lines = made_as("csv", report, "exceptions").decode("utf-8-sig").splitlines()
    cells = "Asesor 1;a001;2026-11-18;2026-11-18 15:00:00;2026-11-18 16:00:00;trabajo;sin sesión"
    assert lines[1] == f"{cells};ana: cita médica;1:00:00"
    told = json.loads(made_as("json", report))
    section = next(one for one in told["sections"] if one["section"] == "exceptions")
    assert section["total"]["seconds"] == 3600
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report)), data_only=True)
    written = {cell.value for sheet in book.worksheets for row in sheet for cell in row}
    assert "ana: cita médica" in written
    assert made_as("pdf", report).startswith(b"%PDF")


# -- the agent's day


def drawn(place, k=1, now=None):
    page = agent_day.agent_page(place.data, f"a00{k}", DAY, (now or at(23)) * 1000)
    plan = [(one.start // 1000, one.end // 1000, one.state, one.reason) for one in page.plan]
    return plan, [
        (one.start // 1000, one.end // 1000, one.planned, one.did, one.excuse)
        for one in page.exceptions
    ]


def test_the_agents_day_has_its_plan_and_the_exceptions_that_the_report_lists(place):
    place.plan(1, at(8), at(16), [(at(12), at(13), "refrigerio")])
    desk = Desk(1, at(8)).until(at(9)).pause("break").until(at(9, 20)).ready()
    desk.until(at(9, 30)).pause("break").until(at(9, 32)).ready()  # short, so not listed
    desk.until(at(10)).pause("sshh").until(at(10, 20)).ready()  # private
    desk.until(at(10, 30)).pause("capacitacion").until(at(11)).ready()
    place.take(desk.until(at(12)).pause("refrigerio").until(at(13)).ready().until(at(15)).logout())
    plan, exceptions = drawn(place)
    assert plan == [
        (at(8), at(12), "planned", None), (at(12), at(13), "pause", "refrigerio"),
        (at(13), at(16), "planned", None),
    ]  # fmt: skip
    assert exceptions == [
        (at(9), at(9, 20), None, "break", None), (at(15), at(16), None, "logged_out", None),
    ]  # fmt: skip
    listed = rows(place.report().section("exceptions"))
    assert len(listed) == len(exceptions)


def test_a_planned_pause_that_a_call_made_late_is_drawn_late(place):
    place.plan(1, at(8), at(16), [(at(12), at(13), "refrigerio")])
    desk = Desk(1, at(8)).until(at(11, 58)).call("c1", talk=600_000, wrap=10_000)
    place.take(desk.pause("refrigerio").until(at(13, 10)).ready().until(at(16)).logout())
    plan, _ = drawn(place)
    start, end, state, _ = plan[1]
    assert state == "pause" and at(12, 8) <= start <= at(12, 9) and end - start == 3600


def test_an_absence_is_in_the_plan_and_a_day_without_a_roster_has_none(place):
    place.plan(1, at(8), at(16), absence="vacation")
    place.off(2, DAY)
    place.take(Desk(1, at(8)).until(at(9)).logout(), Desk(3, at(8)).until(at(9)).logout())
    assert drawn(place) == ([(at(8), at(16), "absence", "vacation")], [])
    midnight = at(0)
    assert drawn(place, 2) == ([(midnight, midnight + 86_400, "absence", "day_off")], [])
    assert drawn(place, 3) == ([], [])


def test_what_is_to_come_is_planned_and_no_exception(place):
    place.plan(1, at(8), at(16))
    place.take(Desk(1, at(8)).until(at(9)).pause("break"))
    plan, exceptions = drawn(place, now=at(9, 2))
    assert plan == [(at(8), at(16), "planned", None)]
    assert [one[3] for one in exceptions] in (["break"], ["logged_out"])  # it goes on


# -- in words


@pytest.mark.parametrize(("language", "word"), [("es", "descanso médico"), ("en", "medical rest")])
def test_an_absence_is_said_in_the_language_of_the_report(place, monkeypatch, language, word):
    """«vacation» stood in the Spanish register of attendance."""
    from diadema.figures import attendance

    known = context.read_people
    monkeypatch.setattr(attendance, "read_people", known)
    place.plan(1, at(8), at(16), absence="medical_rest")
    place.take(Desk(1, at(8)).until(at(9)).logout())
    report = place.report("asistencia", language=language)
    (row,) = rows(report.section("marks"))
    assert row["absence"] == word
    for form in ("csv", "json"):
        assert word.encode() in made_as(form, report, None)
        assert b"medical_rest" not in made_as(form, report, None)
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report, None)))
    cells = {cell.value for sheet in book for line in sheet.iter_rows() for cell in line}
    assert word in cells and "medical_rest" not in cells
