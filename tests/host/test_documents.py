"""The site's papers: each of a morning that the test writes, in every format, by its command."""

import io
import json
import sys

import openpyxl
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

from tests.support.assisted import DAY, LONE, MASS, VOID, Desk, assisted
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
    """One who is guided in two calls, by who comes and by a message; tests of three sessions."""
    place = Centre(tmp_path_factory.mktemp("morning") / "data")
    for code in ("uno", "dos"):
        place.entry("campaigns", code=code, label=f"Campaña {code}", steps=["need"])
    for order, campaign, code, label in ((1, "uno", "crm", "CRM"), (2, "dos", "crm", "CRM"),
                                         (3, "dos", "correo", "Correo")):  # fmt: skip
        place.entry("tools", campaign=campaign, code=code, label=label, order=order)
    site = json.loads(place.data.site.read_text())
    site["materials"] = [{"code": "anexos", "label": "Anexos"}]
    site["campaigns"] = [{"code": code, "label": f"Campaña {code}"} for code in ("uno", "dos")]
    place.data.site.write_text(json.dumps(site))
    at = place.at(DAY, 9)
    place.roster((a, DAY, "M", None) for a in AGENTS[:3])
    seats = [Desk(SEATS[4 * k]).start(at).enter(a).show("ready") for k, a in enumerate(AGENTS[:3])]
    first, second, _ = seats
    tested = {"checks": {"keys": "ok", "headset": "failed"}, "fit": False, "reason": "headset",
              "missing": ["anexos"], "tools": ["crm"]}  # fmt: skip
    first.add("station.selftest", checks={"keys": "ok"}, fit=True)
    first.add("station.selftest", checks={"keys": "failed"}, fit=False)
    second.add("station.selftest", **tested)
    said = []
    for name, taken in (("c1", True), ("c2", False)):
        first.offer(name).contact("answered", name, via="key")
        first.add("help.requested", 0, a=first.agent, c=name)
        of = [first.s, first.e, first.n]
        if taken:
            first.answer("accepted", of, 10)
        else:
            said.append({"k": "supervision.acted", "t": first.power + first.u, "by": "luz",
                         "action": "message", "of": of, "a": first.agent})  # fmt: skip
        first.contact("ended", name, 30_000, by="caller", on_hold=False).wrapup("started", name, 0)
        first.wrapup("ended", name, 5000, cause="agent")
    of = first.ask()
    first.answer("accepted", of, 5)
    now = at + 7200
    place.take(now * 1000, seats, said)
    return place, now


def test_who_was_guided_in_a_call(morning):
    made = document(morning, "orientado")
    (agent,) = rows(made, "guided")
    assert (agent["code"], agent["guided_calls"], agent["guided_came"], agent["guided_wrote"]) == (
        "a001", 2, 1, 1,
    )  # fmt: skip
    calls = [(row["contact"], row["helper"], row["guided_how"])
             for row in rows(made, "guided_calls")]  # fmt: skip
    assert calls == [("c1", "Ana", "acudió"), ("c2", "luz", "mensaje")]


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
        place = section.at("tool_works")
        assert {shown(section, row, place, made)[0] for row in section.rows} == {"—"}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_each_is_the_same_in_every_format(centre, kind):
    made = document(centre, kind)
    told = json.loads(made_as("json", made))
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", made)))
    sheets = [one for one in book.worksheets if one.title not in ("Gráficos", "Notas y fórmulas")]
    assert made_as("pdf", made).startswith(b"%PDF")
    for section, its, sheet in zip(made.sections, told["sections"], sheets, strict=True):
        assert len(its["rows"]) == len(section.rows)
        cells = {cell.value for row in sheet.iter_rows() for cell in row}
        csv = made_as("csv", made, section.key).decode("utf-8-sig")
        for row in section.rows:
            words = [plain(cell) for cell in row if isinstance(plain(cell), str)]
            assert {*words} <= cells or section.columns[0].kind == "day"
            assert all(word in csv for word in words)


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
