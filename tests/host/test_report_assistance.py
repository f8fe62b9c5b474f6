"""The reports of help and of faults, of a morning whose figures are known by hand."""

import json

import pytest
from diadema.access.roles import Person
from diadema.report.context import NotYours
from diadema.report.formats import made_as
from diadema.report.make import make
from diadema.report.model import Figure, Interval, Scope, plain
from diadema.report.period import around
from diadema.report.writing import shown

from tests.support.assisted import DAY, LONE, MASS, VOID, assisted
from tests.support.peopled import AGENTS, SEATS, Centre, Seat

SPAN = around("month", DAY)
CHIEF = Person(id="jefa", name="Jefa", role="supervisor", teams=frozenset({"Norte", "Sur"}))
LUZ = Person(id="luz", name="Luz", role="monitor")
ANA = Person(id="ana", name="Ana", role="monitor")
TECHNICIAN = Person(id="teo", name="Teo", role="technician")


@pytest.fixture(scope="module")
def centre(tmp_path_factory):
    return assisted(tmp_path_factory.mktemp("assisted") / "data")


@pytest.fixture
def report(centre):
    def made(kind, person=None, scope=None):
        place, now = centre
        return make(place.data, kind, SPAN, scope or Scope(), now * 1000, person=person)

    return made


def rows(report, key):
    section = report.section(key)
    names = [column.key for column in section.columns]
    return [dict(zip(names, map(plain, row), strict=True)) for row in section.rows]


def total(report, key):
    section = report.section(key)
    return dict(zip([one.key for one in section.columns], map(plain, section.total), strict=True))


def stated(report):
    section = report.section("summary")
    return {row[0]: (row[1].value, row[3]) for row in section.rows}


def test_help_is_told_by_topic_helper_team_and_half_hour(report):
    made = report("ayudas")
    assert stated(made) == {
        "pedidos": (15, None), "dentro de la meta": (85.7, 14),
        "espera mediana de la ayuda": (20, 13), "espera p90 de la ayuda": (20, 13),
        "de acudir a resolver, mediana": (100, 13), "de acudir a resolver, p90": (100, 13),
        "sin atender": (2, 15), "pedidos por cada 100 atenciones": (750.0, 2),
    }  # fmt: skip
    topics = {row["topic"]: row for row in rows(made, "topics")}
    assert topics["Saldos"]["help_asked"] == 12 and topics["Saldos"]["help_met"] == 100.0
    assert topics["Fraude"]["help_met"] == 0.0 and topics["Fraude"]["help_wait_p50_s"] == 90
    assert topics["(sin tema)"]["help_never"] == 2 and topics["(sin tema)"]["help_met"] == 0.0
    helpers = {row["helper"]: row["help_taken"] for row in rows(made, "helpers")}
    assert helpers == {"Ana": 12, "Luz": 1, "(nadie acudió)": 0}
    assert [row["team"] for row in rows(made, "help_teams")] == ["Norte"]
    halves = {row["half"]: row["help_asked"] for row in rows(made, "help_halves")}
    assert halves == {"09:00": 10, "09:30": 5}
    (gap,) = rows(made, "gaps")
    assert (gap["playbook"], gap["version"], gap["gap_missing"], gap["gap_unclear"]) == (
        "fraudes", "2", 1, 0,
    )  # fmt: skip
    for key in ("topics", "helpers", "help_teams", "help_halves"):
        its = total(made, key)
        assert (its["help_asked"], its["help_taken"], its["help_never"]) == (15, 13, 2)
        assert (its["help_met"], its["help_wait_p90_s"]) == (85.7, 20)


def test_a_share_says_within_what_it_lies(report):
    made = report("ayudas")
    section = made.section("topics")
    cell = section.total[section.at("help_met")]
    assert cell == Figure("percent", 85.7, within=Interval(60.1, 96.0, 14))
    told = json.loads(made_as("json", made))
    (met,) = (row for row in told["sections"][0]["rows"] if row["figure"] == "dentro de la meta")
    assert met["value"] == {
        "kind": "percent", "value": 85.7, "low": 60.1, "high": 96.0, "n": 14,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("person", "shown"), [(None, None), (LUZ, None), (ANA, 90.0), (CHIEF, 90.0)]
)
def test_how_a_helper_was_rated_is_the_helpers_own_and_the_chiefs(report, person, shown):
    helpers = {row["helper"]: row["help_served"] for row in rows(report("ayudas", person),
                                                                 "helpers")}  # fmt: skip
    assert helpers == {"Ana": shown, "Luz": None, "(nadie acudió)": None}


def test_faults_cost_what_was_counted_by_hand(report):
    made = report("fallas")
    lost_s = 600 + 200 + 900 + 300  # the first agent's second report goes on for 200 s more
    shifts_s = 3 * 6 * 3600  # from 8:00 to 14:00, when it is known until
    assert stated(made) == {
        "fallas": (3, None), "tomadas a tiempo": (50.0, 2), "resueltas a tiempo": (100.0, 1),
        "tiempo perdido": (lost_s, 3), "llamadas perdidas": (1, None),
        "operativa": (round(1000 * (shifts_s - lost_s) / shifts_s) / 10, 3),
    }  # fmt: skip
    tickets = {row["ticket"]: row for row in rows(made, "tickets")}
    mass = tickets[MASS]
    assert (mass["area"], mass["part"], mass["severity"]) == ("Red", "Enlace", 2)
    assert (mass["stopped"], mass["lost_s"], mass["lost_calls"]) == (3, 1800, 1)
    assert mass["ticket_state"] == "cerrada, confirmada"
    assert tickets[LONE]["ticket_state"] == "reportada, vencida"
    assert tickets[VOID]["ticket_state"] == "rechazada"
    assert tickets["(sin falla)"]["lost_s"] == 400
    assert total(made, "tickets")["lost_s"] == lost_s
    areas = {row["area"]: row for row in rows(made, "faults_areas")}
    red, desk = areas["Red"], areas["Equipo"]
    assert (red["tickets"], red["accept_p50_s"], red["solve_p50_s"]) == (1, 120, 900)
    assert (desk["tickets"], desk["tickets_void"], desk["tickets_late"]) == (2, 1, 1)
    assert (red["lost_s"], red["lost_alone_s"], red["lost_shared_s"]) == (1800, 1600, 200)
    assert (desk["lost_s"], desk["lost_alone_s"], desk["lost_shared_s"]) == (400, 200, 200)
    its = total(made, "faults_areas")
    assert its["lost_s"] == its["lost_alone_s"] + its["lost_shared_s"] == lost_s
    agents = {row["code"]: row["lost_s"] for row in rows(made, "faults_agents")}
    assert agents == {"a001": 800, "a002": 900, "a003": 300}
    teams = {row["team"]: row["lost_s"] for row in rows(made, "faults_teams")}
    assert teams == {"Norte": 1100, "Sur": 900}
    (board,) = rows(made, "faults_boards")
    assert (board["board"], board["lost_s"]) == ("sim", lost_s)


def test_what_a_station_says_of_itself_has_a_label(tmp_path):
    centre = Centre(tmp_path / "data")
    at = centre.at(DAY, 9)
    said = [
        {"k": "ticket.opened", "t": at * 1000, "ticket": LONE, "area": "estacion", "severity": 4,
         "part": "badge_reader", "title": "Lector", "by": "rule:station"},
    ]  # fmt: skip
    centre.take((at + 60) * 1000, [Seat(SEATS[0]).start(at)], said)
    made = make(centre.data, "fallas", around("day", DAY), Scope(), (at + 60) * 1000)
    (ticket,) = rows(made, "tickets")
    assert (ticket["area"], ticket["part"]) == ("Estación", "lector de fotocheck")
    assert [row["area"] for row in rows(made, "faults_areas")] == ["Estación"]


def test_the_technician_sees_what_faults_cost_and_nobody_by_name(report):
    made = report("fallas", TECHNICIAN)
    assert total(made, "faults_areas")["lost_s"] == 2000
    assert "faults_agents" not in {one.key for one in made.sections}
    assert b"Asesor" not in made_as("json", made).replace(b"Asesores", b"")
    with pytest.raises(NotYours):
        report("fallas", TECHNICIAN, Scope(of="agent", code="a001"))
    with pytest.raises(NotYours):
        report("ayudas", TECHNICIAN)


def test_a_team_has_what_its_own_lost(report):
    made = report("fallas", scope=Scope(of="team", code="Norte"))
    assert stated(made)["tiempo perdido"] == (1100, 2)
    assert {row["ticket"] for row in rows(made, "tickets")} == {MASS, "(sin falla)"}
    assert stated(report("ayudas", scope=Scope(of="team", code="Sur")))["pedidos"] == (0, None)


def test_where_nothing_is_known_there_is_no_zero_in_its_place(tmp_path):
    place = Centre(tmp_path / "data")
    at = place.at(DAY, 9)
    place.take((at + 600) * 1000, [Seat(SEATS[0]).start(at).enter(AGENTS[0]).show("ready")])
    for kind, known in (("ayudas", {"pedidos": "0", "sin atender": "0"}),
                        ("fallas", {"fallas": "0", "tiempo perdido": "0:00:00",
                                    "llamadas perdidas": "0"})):  # fmt: skip
        made = make(place.data, kind, SPAN, Scope(), (at + 600) * 1000)
        section = made.section("summary")
        found = {row[0]: shown(section, row, section.at("value"), made)[0] for row in section.rows}
        assert found == dict.fromkeys(found, "—") | known
        assert [len(one.rows) for one in made.sections[1:]] == [0] * len(made.sections[1:])
