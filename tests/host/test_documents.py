"""The site's papers: each of a morning that the test writes, in every format, by its command."""

import json
import sys

import pytest
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.cli import main
from diadema.report.context import NotYours
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope, plain
from diadema.report.period import around
from diadema.report.writing import shown
from diadema.store import open_reader

from tests.support.assisted import DAY, LONE, MASS, VOID, Desk, assisted, guided
from tests.support.peopled import AGENTS, SEATS, Centre

pytestmark = pytest.mark.usefixtures("site_language")

SPAN = around("day", DAY)
DOCUMENTS = [name for name, kind in KINDS.items() if kind.document]
TECHNICIAN = Person(id="teo", name="Teo", role="technician")
HR = Person(id="rh", name="RR. HH.", role="hr")


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    return assisted(tmp_path_factory.mktemp("assisted") / "data")


def scope_of(kind):
    return Scope(of="ticket", code=MASS) if KINDS[kind].of_ticket else Scope()


def document(centre, kind, scope=None, person=None):
    place, now = centre
    scope = scope or scope_of(kind)
    return make(place.data, kind, SPAN, scope, now * 1000, person=person)


def rows(report, key):
    section = report.section(key)
    names = [column.key for column in section.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in section.rows]


def test_questions_answered(centre):
    made = document(centre, "consultas")
    its = rows(made, "answered")
    assert len(its) == 13 and made.section("answered").notes == [
        "13 consultas absueltas de 15 pedidos de ayuda."
    ]
    first, last = its[0], its[-1]
    assert (first["code"], first["seat"], first["topic"], first["helper"]) == (
        "a001", "P-00", "Saldos", "Ana",
    )  # fmt: skip
    assert (first["help_wait_s"], first["help_solve_s"], first["help_result"]) == (
        20, 100, "Resuelta",
    )  # fmt: skip
    assert (last["topic"], last["helper"], last["gap"]) == ("Fraude", "Luz", "no lo dice")


def test_an_incident_is_told_without_its_people(centre):
    made = document(centre, "constancia")
    (start,) = (row["value"] for row in rows(made, "incident") if row["incident_item"] == "Inicio")
    said = {row["incident_item"]: row["value"] for row in rows(made, "incident")}
    assert said["Fin"] - start == 960_000 and said["Duración"] == 960
    assert (said["Posiciones que reportaron"], said["Tiempo perdido"]) == (3, 1800)
    assert (said["Llamadas perdidas"], said["Medida"]) == (1, "puerto nuevo")
    assert (said["Número externo"], said["Área"], said["Causa"]) == ("INC-7", "Red", "switch")
    seats = {row["seat"]: (row["lost_s"], row["lost_calls"])
             for row in rows(made, "incident_seats")}  # fmt: skip
    assert seats == {"P-00": (600, 0), "P-04": (900, 1), "P-08": (300, 0)}
    assert [row["what"] for row in rows(made, "incident_course")] == [
        "reportada", "en atención", "resuelta", "cerrada",
    ]  # fmt: skip
    told = made_as("json", made).decode()
    assert not any(name in told for name in ("Asesor", "a001", "teo", "Se llamó"))


def test_an_incident_is_one_ticket_and_no_other_paper_is(centre):
    choice = document(centre, "constancia", Scope())
    assert [row["ticket"] for row in rows(choice, "incidents")] == [LONE, VOID, MASS]
    assert "--ticket" in choice.section("incidents").notes[0]
    with pytest.raises(DiademaError, match="reporte fallas"):
        document(centre, "constancia", Scope(of="ticket", code="000000000000"))
    with pytest.raises(DiademaError, match="constancia"):
        document(centre, "consultas", scope_of("constancia"))


def test_who_may_have_which(centre):
    assert document(centre, "constancia", person=TECHNICIAN).sections
    assert document(centre, "operatividad", person=TECHNICIAN).sections
    for kind, person in (("consultas", TECHNICIAN), ("orientado", TECHNICIAN),
                         ("constancia", HR), ("operatividad", HR)):  # fmt: skip
        with pytest.raises(NotYours):
            document(centre, kind, person=person)


@pytest.fixture(scope="module")
def morning(tmp_path_factory):
    return guided(tmp_path_factory.mktemp("morning") / "data")


def test_who_was_guided_in_a_call(morning):
    made = document(morning, "orientado")
    (agent,) = rows(made, "guided")
    assert (agent["code"], agent["guided_calls"], agent["guided_came"], agent["guided_wrote"]) == (
        "a001", 2, 1, 1,
    )  # fmt: skip
    calls = [(row["contact"], row["helper"], row["guided_how"])
             for row in rows(made, "guided_calls")]  # fmt: skip
    assert calls == [("c1", "Ana", "acudió"), ("c2", "luz", "mensaje")]


@pytest.mark.parametrize("anchored", [True, False])
def test_who_comes_or_writes_after_the_call_has_guided_nobody_in_it(tmp_path, anchored):
    """Also where the station does not know the hour until later."""
    place = Centre(tmp_path / "data")
    at = place.at(DAY, 9)
    seat = Desk(SEATS[0]).start(at, anchored=anchored).enter(AGENTS[0]).show("ready")
    said, ends = [], []
    for name in ("c1", "c2", "c3"):
        seat.offer(name).contact("answered", name, via="key")
        seat.add("help.requested", 0, a=seat.agent, c=name)
        of = [seat.s, seat.e, seat.n]
        if name == "c3":
            seat.answer("accepted", of, 10)
        seat.contact("ended", name, 30_000, by="caller", on_hold=False)
        ends.append(seat.power + seat.u)
        seat.wrapup("started", name, 0)
        if name == "c1":
            seat.answer("accepted", of, 10)
        else:
            t = seat.power + seat.u + 2000
            said.append({"k": "supervision.acted", "t": t, "by": "luz", "action": "message",
                         "of": of, "a": seat.agent})  # fmt: skip
        seat.wrapup("ended", name, 5000, cause="agent")
    if not anchored:
        seat.anchor()
    now = at + 3600
    place.take(now * 1000, [seat], said)
    (came,) = rows(document((place, now), "orientado"), "guided_calls")
    assert (came["contact"], came["helper"], came["guided_how"]) == ("c3", "Ana", "acudió")
    told = document((place, now), "ayudas")
    assert rows(told, "topics")[0]["help_never"] == 1
    with open_reader(place.data.store) as reader:
        overs = [one.over_utc for one in reader.presses()]
    assert overs == [*ends[:2], None]


def test_what_works_at_the_seats(morning):
    made = document(morning, "operatividad")
    teams = {(row["shift"], row["team"]): row for row in rows(made, "operational")}
    north = teams["M", "Norte"]
    assert (north["test_sessions"], north["test_fit"], north["test_none"]) == (2, 1, 1)
    assert teams["M", "Sur"]["test_unfit"] == 1
    seats = {row["seat"]: row for row in rows(made, "operational_seats")}
    assert seats["P-00"]["outcome"] == "operativa" and seats["P-08"]["outcome"] == "sin prueba"
    wrong = seats["P-04"]
    assert (wrong["outcome"], wrong["test_failed"], wrong["why"]) == (
        "no operativa", "Diadema", "Diadema",
    )  # fmt: skip
    assert (wrong["tools_missing"], wrong["materials_missing"]) == ("CRM", "Anexos")
    assert "Asesor" not in made_as("json", made).decode()


@pytest.mark.parametrize("between", [0, 40])
def test_a_test_is_that_of_the_session_in_which_it_was_made(tmp_path, between):
    """Also where much happened before it was done."""
    place = Centre(tmp_path / "data")
    at = place.at(DAY, 9)
    seat = Desk(SEATS[0]).start(at).enter(AGENTS[0]).to(at + 60).leave().to(at + 120)
    seat.enter(AGENTS[1])
    seat.add("station.selftest", checks={"keys": "ok"}, fit=True, skipped="no_time")
    for _ in range(between):
        seat.anchor()
    seat.add("station.selftest", checks={"keys": "ok"}, fit=True)
    place.take((at + 3600) * 1000, [seat])
    made = document((place, at + 3600), "operatividad")
    found = [(row["team"], row["outcome"]) for row in rows(made, "operational_seats")]
    assert found == [("Norte", "sin prueba"), ("Sur", "operativa")]


def test_each_tool_and_material_of_a_shift_is_told_with_how_often_it_worked(morning):
    made = document(morning, "operatividad")
    names = ("tool_asked", "tool_works", "tool_fails", "tool_share")
    found = {
        (row["shift"], row["team"], row["tool"]): tuple(row[name] for name in names)
        for row in rows(made, "operational_tools")
    }
    assert found == {
        ("M", "Norte", "CRM"): (1, 1, 0, 100.0), ("M", "Norte", "Correo"): (1, 1, 0, 100.0),
        ("M", "Norte", "Anexos"): (1, 1, 0, 100.0), ("M", "Sur", "CRM"): (1, 0, 1, 0.0),
        ("M", "Sur", "Correo"): (1, 1, 0, 100.0), ("M", "Sur", "Anexos"): (1, 0, 1, 0.0),
    }  # fmt: skip
    campaigns = {row["tool"]: row["campaign"] for row in rows(made, "operational_tools")}
    assert campaigns == {"CRM": "Campaña uno, Campaña dos", "Correo": "Campaña dos",
                         "Anexos": None}  # fmt: skip


def test_a_tool_that_nobody_was_asked_for_is_not_known_to_work(morning):
    place, now = morning
    for scope, heads in ((Scope(of="agent", code="a003"), ("M", "Norte")),
                         (Scope(of="agent", code="a004"), (None, None))):  # fmt: skip
        made = make(place.data, "operatividad", SPAN, scope, now * 1000)
        its = rows(made, "operational_tools")
        assert [row["tool"] for row in its] == ["CRM", "Correo", "Anexos"]
        for row in its:
            assert (row["shift"], row["team"]) == heads
            assert [row[name] for name in ("tool_asked", "tool_works", "tool_fails")] == [
                0, None, None,
            ]  # fmt: skip
            assert row["tool_share"] is None
        section = made.section("operational_tools")
        at = section.at("tool_works")
        assert {shown(section, row, at, made)[0] for row in section.rows} == {"—"}


@pytest.fixture
def command(monkeypatch, capfdbinary, centre):
    place, _ = centre

    def call(*arguments):
        given = ["diadema", "document", *map(str, arguments), "--data", str(place.data.root)]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as end:
            main.main()
            raise SystemExit(0)
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return end.value.code or 0, out, err.decode()

    return call


def test_the_command_writes_them(command, tmp_path):
    code, out, _ = command("consultas", "--period", DAY, "--json")
    told = json.loads(out)
    assert code == 0 and told["report"] == "consultas"
    assert len(told["sections"][0]["rows"]) == 13
    path = tmp_path / "constancia.pdf"
    code, _, err = command("constancia", "--ticket", MASS, "-o", path)
    assert code == 0 and str(path) in err and path.read_bytes().startswith(b"%PDF")
    code, _, err = command("consultas", "--ticket", MASS)
    assert code == 2 and "diadema document constancia" in err
