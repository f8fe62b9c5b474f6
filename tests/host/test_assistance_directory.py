"""Who helps with what and when, which area mends what by when, and which tools are asked for: from
the directory, from the site alone, and where neither says anything.
"""

import json
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from diadema.access.roles import PEOPLE_ROLES, PROVIDED_ROLES, RIGHTS, TOKEN_ROLES, Person
from diadema.site.description import SiteError, load, parse
from diadema.site.directory import people_of, publishing
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people import FaultTarget, Helper, People, Tool, Worker, of_site
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import changes_from
from diadema.site.example import EXAMPLE
from diadema.web.people.models import specs

from tests.host.test_directory_site import DAY, book, data, publish, put, retire

ADMIN = Person(id="jefa", name="Jefa", role="admin")
__all__ = ["book", "data"]  # fixtures

LIMA = ZoneInfo("America/Lima")
MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=LIMA)
RESULTS = ("resuelta", "parcial", "derivada", "no_procedia", "termino_antes", "sin_resultado")


def at(day, clock):
    return datetime.fromisoformat(f"2026-{day} {clock}").replace(tzinfo=LIMA)


def test_a_helper_with_no_hours_is_always_on():
    for moment in (at("11-30", "03:00"), at("12-06", "23:59")):
        assert Helper().on(moment, "sistema", "saldos")
        assert Helper().on(moment, "", "")


def test_a_helper_is_on_for_its_topics_and_queues():
    helper = Helper(topics=frozenset({"sistema"}), queues=frozenset({"saldos"}))
    assert helper.on(MONDAY, "sistema", "saldos")
    assert not helper.on(MONDAY, "procedimiento", "saldos")
    assert not helper.on(MONDAY, "sistema", "bloqueos")
    assert helper.on(MONDAY, "", ""), "what nobody knows yet excludes nobody"


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        (at("11-30", "07:59"), False), (at("11-30", "08:00"), True),
        (at("11-30", "15:59"), True), (at("11-30", "16:00"), False),
        (at("12-01", "10:00"), False),
    ],
)  # fmt: skip
def test_a_helper_is_on_in_its_hours_and_days(moment, on):
    assert Helper(start="08:00", end="16:00", days=frozenset({"mon"})).on(moment, "", "") is on


@pytest.mark.parametrize(
    ("moment", "on"),
    [
        (at("11-30", "03:00"), False), (at("11-30", "21:59"), False),
        (at("11-30", "22:00"), True), (at("12-01", "05:59"), True),
        (at("12-01", "06:00"), False), (at("12-01", "22:00"), False),
    ],
)  # fmt: skip
def test_hours_over_midnight_are_of_the_day_they_begin_on(moment, on):
    assert Helper(start="22:00", end="06:00", days=frozenset({"mon"})).on(moment, "", "") is on


def test_helpers_of_the_directory(book, data):
    put(book, "queues", code="saldos", name="Saldos")
    put(book, "helpers", account="nelly", topics="sistema | autorizacion", queues="saldos",
        start="8:00", end="16:00", days="lun, mar")  # fmt: skip
    put(book, "helpers", account="abel")
    helpers = people_of.people(data, DAY, DAY).helpers
    assert helpers == {
        "abel": Helper(),
        "nelly": Helper(
            topics=frozenset({"sistema", "autorizacion"}), queues=frozenset({"saldos"}),
            start="08:00", end="16:00", days=frozenset({"mon", "tue"}),
        ),
    }  # fmt: skip


def test_results_of_help_are_the_usual_ones_until_the_site_has_its_own(book, data):
    assert tuple(People().help_results) == RESULTS
    assert People().help_results["no_procedia"] == "No procedía"
    assert tuple(people_of.people(data, DAY, DAY).help_results) == RESULTS
    put(book, "help_results", code="escalada", label="Pasó a Lima", order=2)
    put(book, "help_results", code="resuelta", label="Lista", order=1)
    found = people_of.people(data, DAY, DAY).help_results
    assert found == {
        "resuelta": "Lista", "escalada": "Pasó a Lima",
        "termino_antes": "Terminó antes", "sin_resultado": "Sin resultado",
    }  # fmt: skip
    assert [*found][:2] == ["resuelta", "escalada"], "in their order, then what Diadema gives"


def test_results_are_called_as_the_site_speaks():
    described = json.loads(EXAMPLE) | {"language": "en"}
    assert of_site(parse(json.dumps(described).encode())).help_results["resuelta"] == "Solved"


def test_topics_with_their_limits(book, data):
    put(book, "help_topics", code="fraude", label="Fraude", urgent="sí", escalate_s=15, alert_s=40)
    put(book, "help_topics", code="viejo", label="Viejo")
    retire(book, "help_topics", "viejo", DAY)
    topics = people_of.people(data, DAY, DAY).topics
    fraud = topics["fraude"]
    assert (fraud.label, fraud.urgent, fraud.escalate_s, fraud.alert_s) == ("Fraude", True, 15, 40)
    plain = topics["procedimiento"]
    assert (plain.urgent, plain.escalate_s, plain.alert_s) == (False, None, None)
    assert topics["viejo"].label == "Viejo", "what was asked about under it is still called so"


DEFAULTS = {
    1: FaultTarget(5, 60),
    2: FaultTarget(15, 120),
    3: FaultTarget(15, 240),
    4: FaultTarget(60, 2 * 24 * 60, "working_days"),
}


def test_targets_of_faults(book, data):
    for severity, target in DEFAULTS.items():
        assert People().targets_of_fault("audio", severity) == target
    put(book, "fault_targets", severity=1, accept_min=3, solve_min=45)
    put(book, "fault_targets", severity=1, area="pc", accept_min=10, solve_min=90, clock="shift")
    people = people_of.people(data, DAY, DAY)
    assert people.targets_of_fault("pc", 1) == FaultTarget(10, 90, "shift")
    assert people.targets_of_fault("audio", 1) == FaultTarget(3, 45, "clock")
    assert people.targets_of_fault("pc", 3) == DEFAULTS[3]


def test_who_works_for_a_fault_area(book, data):
    put(book, "fault_areas", code="proveedor", label="Proveedor", external="sí",
        email="mesa@proveedor.pe", accounts="ciro | zoila", parts="enlace=Enlace")  # fmt: skip
    put(book, "fault_areas", code="sistemas", label="Sistemas", accounts="zoila")
    people = people_of.people(data, DAY, DAY)
    area = people.fault_areas["proveedor"]
    assert (area.label, area.external, area.email) == (
        "Proveedor", True, "mesa@proveedor.pe",
    )  # fmt: skip
    assert area.accounts == ["ciro", "zoila"] and area.parts == {"enlace": "Enlace"}
    assert people.areas_of("zoila") == {"proveedor", "sistemas"}
    assert people.areas_of("ciro") == {"proveedor"}
    assert people.areas_of("nadie") == frozenset()


def test_fault_areas_are_in_the_order_that_people_gave_them(book, data):
    for code, order in (("aaa", 99), ("zzz", 1)):
        put(book, "fault_areas", code=code, label=code, order=order)
    put(book, "fault_areas", code="bbb", label="bbb", order=98)
    retire(book, "fault_areas", "bbb")
    areas = [*people_of.people(data, DAY, DAY).fault_areas]
    assert areas.index("zzz") < areas.index("sistemas") < areas.index("aaa") < areas.index("bbb")


def test_a_fault_area_that_is_gone_keeps_its_name_and_nothing_else(book, data):
    put(book, "fault_areas", code="red", label="Red", email="a@b.pe", accounts="ciro")
    retire(book, "fault_areas", "red", DAY)
    people = people_of.people(data, DAY, DAY)
    area = people.fault_areas["red"]
    assert (area.label, area.in_use, area.email, area.accounts) == ("Red", False, "", [])
    assert people.areas_of("ciro") == frozenset()
    assert people.fault_areas["audio"].in_use


def test_a_tool_that_no_area_mends_is_of_an_area_of_their_own(book, data):
    """As a station reports it: `do_selftest._area_of`."""
    for found in (people_of.people(data, DAY, DAY), of_site(parse(EXAMPLE.encode()))):
        area = found.fault_areas["tools"]
        assert (area.label, area.parts) == ("Herramientas", {"usuario": "Usuario vigente"})
    put(book, "fault_areas", code="tools", label="Mesa", parts="usuario=Usuario | x=X")
    assert people_of.people(data, DAY, DAY).fault_areas["tools"].label == "Mesa"
    retire(book, "fault_areas", "tools")
    retire(book, "tools", "atencion/usuario")
    assert "Mesa" in people_of.people(data, DAY, DAY).fault_areas["tools"].label


def test_a_part_is_vital_by_a_tool_of_its_code(book, data):
    put(book, "tools", campaign="atencion", code="crm", label="CRM abre", vital="sí")
    put(book, "tools", campaign="cobranza", code="crm", label="CRM abre")
    people = people_of.people(data, DAY, DAY)
    assert people.is_vital("crm")
    assert not people.is_vital("usuario") and not people.is_vital(None)
    retire(book, "tools", "atencion/crm")
    assert not people_of.people(data, DAY, DAY).is_vital("crm")


async def test_what_only_the_host_knows_of_a_tool_hinders_no_publication(book, data):
    put(book, "tools", campaign="atencion", code="crm", label="CRM abre", vital="sí")
    await publish(book, data)
    assert {"campaign": "atencion", "code": "crm", "label": "CRM abre"} in json.loads(
        data.site.read_text()
    )["tools"]
    publishing.take_in(book, data, DAY, by="Ana", at_ms=4)
    assert people_of.people(data, DAY, DAY).is_vital("crm")


def test_the_owner_of_a_playbook(book, data):
    playbook = book.entry("playbooks", "1").body
    put(book, "playbooks", **playbook | {"owner": "rosa", "email": "Rosa@centro.pe"})
    people = people_of.people(data, DAY, DAY)
    assert people.owner_mails == {"CONSULTAS": "rosa@centro.pe"}
    assert people.playbooks_of("rosa") == {"CONSULTAS"}
    assert people.playbooks_of("nadie") == set()


def test_without_a_directory_there_is_what_the_site_says(data):
    people = people_of.people(data)
    assert not data.directory.exists()
    assert people.topics["autorizacion"].urgent and not people.topics["procedimiento"].urgent
    assert people.fault_areas["proveedor"].external
    assert not people.fault_areas["sistemas"].external
    assert people.fault_areas["audio"].parts["ruido"] == "Ruido"
    assert people.tools == [
        Tool("atencion", "crm", "CRM abre"),
        Tool("atencion", "usuario", "Usuario vigente"),
        Tool("cobranza", "vpn", "VPN conectada"),
    ]
    assert people.helpers == {}


@pytest.mark.parametrize(
    ("language", "usual", "working"),
    [("es", "3: 15 y 240 min", "4: 60 y 2880 min (Días hábiles)"),
     ("en", "3: 15 and 240 min", "4: 60 and 2880 min (Working days)")],
)  # fmt: skip
def test_the_page_says_which_targets_hold_without_a_row(language, usual, working):
    (spec,) = [one for one in specs(language, ADMIN) if one["name"] == "fault_targets"]
    assert usual in spec["about"] and working in spec["about"]


@pytest.mark.parametrize(
    ("kind", "given", "column", "word"),
    [
        ("helpers", {"account": "nelly", "start": "08:00"}, "end", "helper_hours"),
        ("helpers", {"account": "nelly", "end": "08:00"}, "start", "helper_hours"),
        ("helpers", {"account": "nelly", "start": "08:00", "end": "8:00"}, "end", "shift_empty"),
        ("helpers", {"account": "Nelly Tumbo"}, "account", "pattern"),
        ("help_topics", {"code": "t", "label": "T", "escalate_s": 60, "alert_s": 59}, "alert_s",
         "alert_first"),
        ("fault_targets", {"severity": 1, "accept_min": 0, "solve_min": 5}, "accept_min",
         "no_time"),
        ("fault_targets", {"severity": 1, "accept_min": 5, "solve_min": 0}, "solve_min",
         "no_time"),
        ("fault_targets", {"severity": 1, "accept_min": 5, "solve_min": 4}, "solve_min",
         "solve_first"),
        ("fault_targets", {"severity": 5, "accept_min": 5, "solve_min": 9}, "severity", "range"),
        ("fault_areas", {"code": "x", "label": "X", "email": "mesa"}, "email", "shape_mail"),
        ("fault_areas", {"code": "x", "label": "X", "email": "a@b.pe, c@d.pe"}, "email",
         "shape_mail"),
        ("fault_areas", {"code": "x", "label": "X", "accounts": "ciro | ciro"}, "accounts",
         "item_twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(kind, given, column, word):
    with pytest.raises(Wrong) as wrong:
        KINDS[kind].read(given)
    (problem,) = wrong.value.problems
    assert (problem.column, problem.word) == (column, word)
    for language in ("es", "en"):
        assert "{" not in problem.say(language)


def test_as_much_time_to_solve_as_to_take_is_a_target():
    body = KINDS["fault_targets"].read({"severity": "2", "accept_min": "15", "solve_min": 15})
    assert KINDS["fault_targets"].code(body) == "2/"


def test_an_address_of_an_area_is_kept_in_small_letters():
    given = {"code": "x", "label": "X", "email": "Mesa@Proveedor.pe"}
    assert KINDS["fault_areas"].read(given)["email"] == "mesa@proveedor.pe"


@pytest.mark.parametrize(
    ("kind", "given", "word"),
    [
        ("helpers", {"account": "nelly", "topics": "nada"}, "unknown_help_topics"),
        ("helpers", {"account": "nelly", "queues": "nada"}, "unknown_queues"),
        ("fault_targets", {"severity": 1, "area": "nada", "accept_min": 1, "solve_min": 2},
         "unknown_fault_areas"),
        ("tools", {"campaign": "nada", "code": "crm", "label": "CRM"}, "unknown_campaigns"),
    ],
)  # fmt: skip
def test_what_is_not_there_cannot_be_named(book, kind, given, word):
    with pytest.raises(Wrong) as wrong:
        put(book, kind, **given)
    assert [one.word for one in wrong.value.problems] == [word]
    assert "nada" in wrong.value.say("es") and "nada" in wrong.value.say("en")


def test_an_account_is_taken_as_a_supervisors_is(book, data):
    """The directory does not know the accounts: one is often written down before it is made."""
    put(book, "supervisors", account="todavia.no", teams="Tarde")
    put(book, "helpers", account="todavia.no")
    assert "todavia.no" in people_of.people(data, DAY, DAY).helpers


def test_what_a_helper_or_a_target_names_is_not_retired(book):
    put(book, "queues", code="saldos", name="Saldos")
    put(book, "helpers", account="nelly", topics="sistema", queues="saldos")
    put(book, "fault_targets", severity=1, area="audio", accept_min=5, solve_min=30)
    for kind, code in (("help_topics", "sistema"), ("queues", "saldos"), ("fault_areas", "audio")):
        with pytest.raises(Wrong) as wrong:
            retire(book, kind, code)
        assert [one.word for one in wrong.value.problems] == ["still_named"]


def test_a_topic_that_holds_no_longer_leaves_its_helper_without_it_not_with_all(book, data):
    body = KINDS["help_topics"].read({"code": "feria", "label": "Feria"})
    until = Change(kind="help_topics", code="feria", body=body, valid_until=date(2026, 11, 30))
    book.apply([until], by="Ana", reason="prueba", at_ms=2)
    put(book, "helpers", account="nelly", topics="feria")
    helper = people_of.people(data, DAY, DAY).helpers["nelly"]
    assert not helper.on(MONDAY, "sistema", "")


async def test_tools_are_put_in_force_in_their_order(book, data):
    put(book, "tools", campaign="ventas", code="correo", label="Correo", order=1)
    put(book, "tools", campaign="atencion", code="anexos", label="Anexos", order=2)
    retire(book, "tools", "cobranza/vpn")
    (found,) = (await publish(book, data)).differences
    assert (found.part, found.added, found.removed) == (
        "tools", ["ventas/correo", "atencion/anexos"], ["cobranza/vpn"],
    )  # fmt: skip
    assert [f"{one.campaign}/{one.code}" for one in load(data.site).tools] == [
        "atencion/crm", "ventas/correo", "atencion/anexos", "atencion/usuario",
    ]  # fmt: skip
    put(book, "tools", campaign="ventas", code="anexos", label="Anexos", order=9)
    put(book, "tools", **book.entry("tools", "atencion/anexos").body | {"label": "Guías"})
    (found,) = (await publish(book, data)).differences
    assert (found.added, found.changed) == (["ventas/anexos"], ["atencion/anexos"])


async def test_what_stations_are_not_told_stays_in_the_directory(book, data):
    put(book, "help_topics", **book.entry("help_topics", "fraude").body | {"alert_s": 40})
    area = book.entry("fault_areas", "proveedor").body
    put(book, "fault_areas", **area | {"email": "a@b.pe", "accounts": ["ciro"]})
    owned = {"owner": "rosa", "email": "rosa@centro.pe"}
    put(book, "playbooks", **book.entry("playbooks", "1").body | owned)
    assert publishing.differences(publishing.draft(book, data, DAY), data) == []
    assert [*changes_from(book, load(data.site), DAY)] == []
    assert "@" not in data.site.read_text()


def test_more_tools_than_a_shift_begins_with_are_refused(book, data):
    for at in range(11):
        put(book, "tools", campaign="atencion", code=f"t{at}", label=f"T {at}", order=at + 10)
    with pytest.raises(Wrong) as wrong:
        publishing.draft(book, data, DAY)
    (problem,) = wrong.value.problems
    assert (problem.kind, problem.code) == ("tools", "atencion/t10")
    assert "atencion" in problem.say("es") and "12" in problem.say("en")


@pytest.mark.parametrize(
    ("tools", "key"),
    [
        ([{"campaign": "nada", "code": "crm", "label": "CRM"}], "tools[0].campaign"),
        ([{"campaign": "ventas", "code": "crm", "label": "CRM"}] * 2, "tools[1].code"),
        ([{"campaign": "ventas", "code": f"t{at}", "label": "T"} for at in range(13)],
         "tools[12]"),
        ([{"campaign": "ventas", "code": "crm", "label": "CRM de un mandante"}],
         "tools[0].label"),
    ],
)  # fmt: skip
def test_tools_of_a_site_that_cannot_be_are_refused(tools, key):
    with pytest.raises(SiteError) as error:
        parse(json.dumps(json.loads(EXAMPLE) | {"tools": tools}).encode())
    assert error.value.key == key


RIGHTS_OF_HELP = {
    "agent": set(), "supervisor": {"help", "tickets"}, "monitor": {"help"},
    "quality_lead": {"help"}, "hr": set(),
    "technician": {"tickets"}, "admin": {"help", "tickets"}, "area": {"area"}, "switch": set(),
    "standby": set(), "service": {"help", "tickets"}, "nobody": set(),
}  # fmt: skip


def test_rights_of_help_and_tickets():
    assert {role: its & {"help", "tickets", "area"} for role, its in RIGHTS.items()} == (
        RIGHTS_OF_HELP
    )
    assert RIGHTS["area"] == {"area"}
    assert "area" in PEOPLE_ROLES and "area" in PROVIDED_ROLES
    assert "area" not in TOKEN_ROLES, "a person's"


@pytest.mark.parametrize("role", ["area", "technician"])
def test_neither_an_area_nor_a_technician_sees_anybody(role):
    people = People(
        workers={"a1": Worker(id="a1", name="a1", team="V")}, supervised={"ciro": ["V"]}
    )
    person = Person(id="ciro", name="", role=role, teams=frozenset({"V"}))
    assert person.scope(people) == frozenset() and not person.sees("a1", people)
    assert not person.may("figures", "floor", "attendance", "register", "own")
