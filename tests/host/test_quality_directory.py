"""Scorecards, plans of samples and notices in the directory, and who may do quality's work."""

import hashlib
import json
from datetime import date
from itertools import chain

import msgspec
import pytest
from diadema.access.roles import PEOPLE_ROLES, PROVIDED_ROLES, RIGHTS, TOKEN_ROLES, Person
from diadema.base.errors import DiademaError
from diadema.site.directory import freezing, people_of, publishing
from diadema.site.directory.importing import plan_import, run_import
from diadema.site.directory.people import People
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import take_in
from diadema.site.directory.quality import SamplePlan
from diadema.site.directory.scorecards import MOST_ITEMS, Item, Section
from diadema.site.directory.sheets import read_sheet
from diadema.wire.actions import ANY_RECORD

from tests.host.test_directory_site import DAY, book, data, put, retire

__all__ = ["book", "data"]  # fixtures

QUALITY = {
    "supervisor": {"listen"}, "monitor": {"evaluate"},
    "quality_lead": {"listen", "evaluate", "quality"},
}  # fmt: skip
ITEM = {"scorecard": "atencion", "section": "trato", "text": "Saluda con su nombre", "weight": 10}


def test_rights_of_quality():
    """To administrate is not to listen, and human resources see no scores."""
    its = {role: rights & {"listen", "evaluate", "quality"} for role, rights in RIGHTS.items()}
    assert {role: rights for role, rights in its.items() if rights} == QUALITY
    assert RIGHTS["monitor"] < RIGHTS["quality_lead"]
    assert "quality_lead" in PEOPLE_ROLES and "quality_lead" in PROVIDED_ROLES
    assert "quality_lead" not in TOKEN_ROLES, "a person's"


@pytest.mark.parametrize("role", TOKEN_ROLES)
def test_no_program_hears_or_judges(role):
    program = Person(id="token:bi", name="", role=role)
    assert not program.may("listen", "evaluate", "quality", "cases")
    assert program.rights == RIGHTS[role] - {"cases", *chain(*QUALITY.values())}


class Hub:
    """Notes what it is asked, and takes of it what the real one would."""

    def __init__(self):
        self.asked = []

    async def __call__(self, subject, body):
        assert subject == "hub.record"
        self.asked.append(msgspec.to_builtins(msgspec.convert(body, ANY_RECORD)))
        return {}


@pytest.fixture
def hub():
    return Hub()


@pytest.fixture
def form(book):
    put(book, "scorecards", code="atencion", name="Atención", contract=True)
    put(book, "scorecard_sections", scorecard="atencion", code="cierre", name="Cierre", order=2)
    put(book, "scorecard_sections", scorecard="atencion", code="trato", name="Trato", order=1)
    put(book, "scorecard_items", **ITEM, code="despide", order=1)
    put(book, "scorecard_items", **ITEM | {"section": "cierre"}, code="cierra")
    put(book, "scorecard_items", **ITEM, code="saluda", order=0, kind="user", scale="0_2",
        na=True, comment="below_full", auto_fail="section", step="greeting", guide="Con su nombre",
        playbook="CONSULTAS", checks="disposition")  # fmt: skip
    return book


async def publish(book, hub, kind="scorecards", codes=(), at_ms=10):
    found = await freezing.publish_quality(book, kind, by="luz", at_ms=at_ms, ask=hub, codes=codes)
    return [(one.code, one.version) for one in found]


def words(refused):
    return [(one.word, one.column) for one in refused.value.problems]


async def test_a_scorecard_is_frozen_whole(form, data, hub):
    assert people_of.people(data, DAY, DAY).scorecards == {}, "what is not published is no one's"
    assert await publish(form, hub) == [("atencion", 1)]
    assert await publish(form, hub) == [], "nothing is other than it was"
    first = people_of.people(data, DAY, DAY).scorecard("atencion")
    assert (first.code, first.label, first.version, first.contract) == (
        "atencion", "Atención", 1, True,
    )  # fmt: skip
    assert first.sections == (
        Section(code="trato", label="Trato", order=1),
        Section(code="cierre", label="Cierre", order=2),
    )
    assert [item.code for item in first.items] == ["saluda", "despide", "cierra"]
    assert first.items[0] == Item(
        code="saluda", text="Saluda con su nombre", section="trato", guide="Con su nombre",
        kind="user", weight=10, scale="0_2", na=True, comment="below_full", auto_fail="section",
        step="greeting", playbook="CONSULTAS", checks="disposition", order=0,
    )  # fmt: skip
    put(form, "scorecard_items", **ITEM | {"weight": 30}, code="despide", order=1)
    retire(form, "scorecard_items", "atencion/cierra")
    assert await publish(form, hub) == [("atencion", 2)]
    people = people_of.people(data, DAY, DAY)
    assert people.scorecard("atencion").version == 2
    assert people.scorecard("atencion").item("despide").weight == 30
    assert people.scorecard("atencion").item("cierra") is None
    assert people.scorecard("atencion", 1) == first, "as it was"
    hashes = [one.hash for one in form.frozen("scorecard.")]
    assert hub.asked == [
        {"k": "catalogue.published", "by": "luz", "catalogue": "scorecard.atencion",
         "version": at, "hash": digest}
        for at, digest in enumerate(hashes, 1)
    ]  # fmt: skip
    bodies = [one.body for one in form.frozen("scorecard.")]
    assert hashes == [hashlib.sha256(body).hexdigest() for body in bodies]


async def test_only_the_named_ones_are_published(form, hub):
    put(form, "scorecards", code="ventas", name="Ventas")
    with pytest.raises(Wrong) as refused:
        await publish(form, hub)
    assert words(refused) == [("form_empty", "")]
    assert form.frozen("scorecard.") == [] == hub.asked, "all of them or none"
    assert await publish(form, hub, codes=["atencion"]) == [("atencion", 1)]
    with pytest.raises(Wrong, match="nada"):
        await publish(form, hub, codes=["nada"])


async def test_what_no_hub_has_noted_is_not_published(form):
    async def silent(subject, body):
        raise DiademaError("nobody there")

    with pytest.raises(DiademaError, match="nobody there"):
        await publish(form, silent)
    assert form.frozen("scorecard.") == []


async def test_a_form_with_weights_of_zero_is_not_published(form, hub):
    for code in ("despide", "cierra", "saluda"):
        body = form.entry("scorecard_items", f"atencion/{code}").body
        put(form, "scorecard_items", **body | {"weight": 0})
    with pytest.raises(Wrong) as refused:
        await publish(form, hub)
    assert words(refused) == [("weights_zero", "")]


def test_stations_are_told_nothing_of_it_and_the_site_takes_none_away(form, data):
    settings = form.entry("settings", "site").body
    policies = {"retention_days": 90, "announce": "register", "announce_random": "station"}
    put(form, "settings", **settings | policies)
    put(form, "queues", code="saldos", name="Saldos", retention_days=30)
    assert publishing.differences(publishing.draft(form, data, DAY), data) == []
    assert take_in(form, data, DAY, by="Ana", at_ms=9) == 0
    people = people_of.people(data, DAY, DAY)
    assert (people.announce, people.announce_random) == ("register", "station")
    assert (people.retention_days(), people.retention_days("saldos")) == (90, 30)
    usual = People()
    assert (usual.announce, usual.announce_random) == ("station", "register")
    assert usual.retention_days("saldos") == 180


def test_an_item_that_nobody_has_scored_by_may_change_its_scale(form):
    put(form, "scorecard_items", **ITEM, code="despide", scale="1_5")


async def test_a_published_item_changes_neither_kind_nor_scale(form, hub):
    await publish(form, hub)
    put(form, "scorecard_items", **ITEM | {"text": "Se despide por su nombre"}, code="despide")
    for change in ({"scale": "1_5"}, {"kind": "business"}):
        with pytest.raises(Wrong) as refused:
            put(form, "scorecard_items", **ITEM | change, code="despide")
        assert words(refused) == [("meaning", *change)]


@pytest.mark.parametrize(
    ("given", "word", "column"),
    [
        ({"auto_fail": "evaluation"}, "auto_fail_idle", "auto_fail"),
        ({"auto_fail": "section", "kind": "normal"}, "auto_fail_idle", "auto_fail"),
        ({"checks": "recording_notice"}, "notice_critical", "kind"),
        ({"checks": "disposition", "code": "otro"}, "checks_twice", "checks"),
        ({"weight": 101}, "range", "weight"),
        ({"weight": -1}, "range", "weight"),
        ({"scale": "1_9"}, "choice", "scale"),
        ({"section": "nada"}, "unknown_scorecard_sections", "section"),
        ({"scorecard": "nada"}, "unknown_scorecard_sections", "section"),
        ({"playbook": "NADA"}, "unknown_playbook", "playbook"),
        ({"code": "c" * 17}, "too_long", "code"),
    ],
)
def test_items_that_cannot_be(form, given, word, column):
    with pytest.raises(Wrong) as refused:
        put(form, "scorecard_items", **{"code": "nuevo"} | ITEM | given)
    assert (word, column) in words(refused)


def test_a_61st_item_is_refused_with_its_row(form):
    rows = "".join(f"atencion;i{at};trato;Ítem {at};1\n" for at in range(MOST_ITEMS))
    sheet = read_sheet(("scorecard;code;section;text;weight\n" + rows).encode())
    plan = plan_import(form, "scorecard_items", sheet, DAY)
    assert {(one.row, one.word) for one in plan.problems} == {
        (row, "items_many") for row in (MOST_ITEMS - 1, MOST_ITEMS, MOST_ITEMS + 1)
    }
    assert "60" in plan.problems[0].say("es")
    run_import(form, plan, by="luz", reason="prueba", at_ms=3, skip_bad=False)
    assert not plan.done
    sheet = read_sheet(("scorecard;code;section;text;weight\n" + rows).encode())
    plan = plan_import(form, "scorecard_items", sheet, DAY, skip_bad=True)
    run_import(form, plan, by="luz", reason="prueba", at_ms=3, skip_bad=True)
    assert plan.done and form.count("scorecard_items") == MOST_ITEMS


def test_twice_a_code_in_a_table_is_refused_with_its_row(form):
    head = "Planilla;Código;Sección;Ítem;Tipo;Peso;Escala;Anula;Paso del protocolo\n"
    row = "atencion;voz;trato;Modula la voz;Crítico de usuario;5;0-1-2;La sección;Saludo\n"
    plan = plan_import(form, "scorecard_items", read_sheet((head + row + row).encode()), DAY)
    assert [(one.row, one.word) for one in plan.problems] == [(3, "code_twice")]
    plan = plan_import(form, "scorecard_items", read_sheet((head + row).encode()), DAY)
    assert plan.changes[0].body == {
        "scorecard": "atencion", "code": "voz", "section": "trato", "text": "Modula la voz",
        "kind": "user", "weight": 5, "scale": "0_2", "auto_fail": "section", "step": "greeting",
    }  # fmt: skip
    assert form.entry("scorecard_items", "atencion/voz") is None, "a look changes nothing"


def test_a_scorecard_is_retired_with_its_parts(form):
    with pytest.raises(Wrong) as refused:
        retire(form, "scorecard_sections", "atencion/trato")
    assert words(refused) == [("still_named", "")]
    put(form, "sample_plans", code="s", name="S", scorecard="atencion", per_agent=2,
        monitors="noe")  # fmt: skip
    with pytest.raises(Wrong) as refused:
        retire(form, "scorecards", "atencion")
    assert refused.value.problems[0].values["users"] == "s"
    retire(form, "sample_plans", "s")
    retire(form, "scorecards", "atencion")


PLAN = {"code": "semana", "name": "Semanal", "scorecard": "atencion", "monitors": "noe | luz"}


def test_a_plan_says_what_is_not_given_by_itself(form, data):
    put(form, "queues", code="saldos", name="Saldos")
    put(form, "sample_plans", **PLAN, per_agent=2)
    put(form, "sample_plans", **PLAN | {"code": "total"}, total=200, least=1, most=6,
        teams="Mañana", queues="saldos", period="mes", audit="sí", strata="Motivo | duration",
        least_talk_s=30, twice_share=10, twice_least=30, cap_per_day=8, plan_days=10)  # fmt: skip
    plans = people_of.people(data, DAY, DAY).sample_plans
    common = {"scorecard": "atencion", "monitors": ("noe", "luz")}
    assert plans == {
        "semana": SamplePlan(code="semana", label="Semanal", **common),
        "total": SamplePlan(
            code="total", label="Semanal", period="month", teams=("Mañana",), queues=("saldos",),
            per_agent=None, total=200, least=1, most=6, strata=("motive", "duration"),
            least_talk_s=30, twice_share=10, twice_least=30, cap_per_day=8, days=10, audit=True,
            **common,
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "word", "column"),
    [
        ({}, "one_amount", "per_agent"),
        ({"per_agent": 2, "total": 9}, "one_amount", "total"),
        ({"per_agent": 2, "least": 1}, "amount_idle", "least"),
        ({"total": 90, "least": 5, "most": 4}, "range", "most"),
        ({"per_agent": 2, "period": "month"}, "month_audit", "period"),
        ({"per_agent": 2, "twice_share": 101}, "range", "twice_share"),
        ({"per_agent": 2, "scorecard": "nada"}, "unknown_scorecards", "scorecard"),
        ({"per_agent": 2, "monitors": ""}, "missing", "monitors"),
        ({"per_agent": 2, "teams": "Mañana"}, "monitors_barred", "monitors"),
        ({"per_agent": 2, "teams": "Noche"}, "unknown_teams", "teams"),
    ],
)
def test_plans_that_cannot_be(form, given, word, column):
    put(form, "supervisors", account="noe", teams="Mañana")
    put(form, "supervisors", account="luz", teams="Mañana | Tarde")
    with pytest.raises(Wrong) as refused:
        put(form, "sample_plans", **PLAN | given)
    assert words(refused) == [(word, column)]


def test_one_monitor_who_may_is_enough(form):
    put(form, "supervisors", account="noe", teams="Mañana")
    put(form, "sample_plans", **PLAN, per_agent=2, teams="Mañana")
    put(form, "supervisors", account="luz", teams="Mañana")
    put(form, "sample_plans", **PLAN, per_agent=2, teams="Mañana | Tarde")


def test_who_is_barred_from_whom_and_who_is_left_out(book, data):
    put(book, "conflicts", account="noe", agent="e001")
    put(book, "sample_exclusions", agent="e002", why="Nesting")
    people = people_of.people(data, DAY, DAY)
    assert people.conflicts == {("noe", "e001")}
    assert people.left_out("e002", DAY) == "nesting" and people.left_out("e001", DAY) is None
    with pytest.raises(Wrong) as refused:
        put(book, "conflicts", account="noe", agent="nadie")
    assert words(refused) == [("unknown_agents", "agent")]


def test_an_exclusion_holds_on_its_days(book, data):
    sheet = "agent;why;valid_from;valid_until\ne001;leave;2026-11-03;2026-11-09\n"
    plan = plan_import(book, "sample_exclusions", read_sheet(sheet.encode()), DAY)
    run_import(book, plan, by="luz", reason="prueba", at_ms=3)
    people = people_of.people(data, DAY, DAY)
    on = [people.left_out("e001", date(2026, 11, day)) for day in (2, 3, 9, 10)]
    assert on == [None, "leave", "leave", None]


NOTICE = {"code": "graba", "name": "Grabación", "side": "caller", "text": "Esta llamada se graba."}


async def test_a_notice_is_published_with_its_side_and_hash(book, hub, data):
    put(book, "notices", **NOTICE)
    put(book, "notices", **NOTICE | {"code": "asesor", "side": "agent"})
    assert await publish(book, hub, "notices") == [("asesor", 1), ("graba", 1)]
    assert [(one["k"], one["notice"], one["side"], one["version"]) for one in hub.asked] == [
        ("notice.published", "asesor", "agent", 1), ("notice.published", "graba", "caller", 1),
    ]  # fmt: skip
    (its,) = people_of.people(data, DAY, DAY).notices.versions["graba"]
    assert its.hash == hub.asked[1]["hash"]
    assert json.loads(book.frozen("notice.graba")[0].body) == NOTICE
    put(book, "notices", **NOTICE | {"text": "Su llamada se graba."})
    assert await publish(book, hub, "notices") == [("graba", 2)]


def test_the_agents_notice_is_spoken_by_nobody(book):
    with pytest.raises(Wrong) as refused:
        put(book, "notices", **NOTICE | {"side": "agent", "spoken": "agent"})
    assert words(refused) == [("spoken_idle", "spoken")]
