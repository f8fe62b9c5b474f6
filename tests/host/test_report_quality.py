"""What `calidad` says of months that the tests write, and who reads what of it."""

import sys
from types import SimpleNamespace

import pytest
from diadema.access.roles import Person
from diadema.cli import main
from diadema.quality.counted import drawn_calls
from diadema.quality.estimates import Stratum, stratified
from diadema.report.context import NotYours
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Interval, Scope, kind_of
from diadema.report.period import around
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS as PEOPLE
from diadema.store import open_reader
from msgspec.structs import replace

from tests.support.evaluated_month import (
    DAY_MS,
    FIRST,
    FORM,
    LEAD,
    MONDAYS,
    PLAN,
    Month,
    evaluated_month,
    week,
)
from tests.support.sections import rows

SPAN = around("month", FIRST)
BOSS = Person(id="eva", name="Eva", role="supervisor", teams=frozenset({"Tarde"}))
MONITOR = Person(id="mara", name="Mara", role="monitor")
COORDINATOR = Person(id=LEAD, name="Luz", role="quality_lead")


ALONE = replace(PLAN, twice_share=0)


def report(month, kind="calidad", scope=None, person=None, span=SPAN):
    return make(month.data, kind, span, scope or Scope(), month.now_ms, person=person)


def cell(made, section, key, **where):
    its = made.section(section)
    places = {name: its.at(name) for name in where}
    for row in its.rows:
        if all(row[place] == where[name] for name, place in places.items()):
            return row[its.at(key)]
    raise KeyError(where)


def stated(made, name):
    return cell(made, "summary", "value", figure=name)


def of_agent(made, agent, key="raw_mean"):
    return cell(made, "quality_agents", key, code=agent)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    return evaluated_month(tmp_path_factory.mktemp("month") / "data", agents=18, seed=3)


@pytest.fixture
def small(tmp_path):
    """Six agents, of whom four worked in the first week, and nothing drawn."""
    return Month(tmp_path / "data", agents=6, calls=4)


def states(month):
    with open_reader(month.data.store) as reader, reader.engine.connect() as tx:
        draws = {one.draw for one in month.given if one.draw}
        return drawn_calls(tx, draws, month.people().scorecards, month.now_ms)


def test_a_month_of_four_weekly_draws_is_the_stratified_estimate(month):
    strata = {}
    for one in sorted(states(month), key=lambda one: one.agent):
        its = strata.setdefault((one.agent, one.draw), ([], one.pool))[0]
        if one.scored is not None:
            its.append(one.scored.raw)
    frames = sum(of for _, of in strata.values())
    assert len({draw for _, draw in strata}) == 4 and frames == len(month.agents) * 24 - 5 * 6
    found = stratified(Stratum(*one) for one in strata.values())
    figure = stated(report(month), "nota media")
    assert figure.value == found.value
    assert figure.within == Interval(found.low, found.high, found.n, found.of)
    assert stated(report(month), "% del marco sin evaluar").value == found.uncovered


def test_what_was_directed_annulled_or_drawn_in_vain_never_counts(small):
    _, drawn, calls = small.draw(week(0), ALONE)
    small.submit(*((one, small.best(one)) for one in calls))
    full = stated(report(small), "nota media")
    assert full.value == 100.0 and full.within.n == 8
    one = calls[0]
    its = SimpleNamespace(key=one.call, agent=one.agent, stratum="", rank=None, pool=None,
                          to="mara", second=False)  # fmt: skip
    (directed,) = small.assign([its], one.due, None)
    small.submit((directed, small.best(directed, saludo="0", cierre="0")))
    assert stated(report(small), "nota media").within.n == 8
    small.annul(one)
    made = report(small)
    assert stated(made, "nota media").within.n == 7
    assert stated(made, "evaluadas").value == 7 and stated(made, "sorteadas").value == 8
    small.annul_draw(drawn)
    made = report(small)
    assert stated(made, "sorteadas").value == 0
    words = cell(made, "quality_draws", "annulled", sample_plan="semanal")
    assert words == "anulado: planilla equivocada"


def test_what_is_revised_counts_as_it_was_revised(small):
    _, _, calls = small.draw(week(0), ALONE)
    small.submit(*((one, small.best(one)) for one in calls))
    small.revise(calls[0], small.best(calls[0], informacion="0"), "error")
    made = report(small)
    assert stated(made, "PECUF").value == 87.5 and stated(made, "nota media").value < 100


def test_one_that_was_replaced_is_not_among_the_drawn(small):
    code, _, calls = small.draw(week(0), ALONE)
    one = calls[0]
    free = [key for key in small.stations[one.agent].begun(week(0).start_ms, week(0).end_ms)
            if key not in {its.call for its in calls}]  # fmt: skip
    its = SimpleNamespace(key=free[0], agent=one.agent, stratum="", rank=3, pool=one.pool,
                          to=one.to, second=False)  # fmt: skip
    more = {"of": one.key, "reason": "unplayable"}
    (new,) = small.assign([its], one.due - 5 * DAY_MS, code, **more)
    small.submit((new, small.best(new)))
    made = report(small)
    assert (stated(made, "sorteadas").value, stated(made, "evaluadas").value) == (8, 1)


def pair_of(small):
    plan = replace(PLAN, twice_share=20)
    _, _, calls = small.draw(week(0), plan)
    second = next(one for one in calls if one.second)
    first = next(one for one in calls if one.call == second.call and not one.second)
    return first, second


def state_of(small, one):
    return next((its.state, its.scored) for its in states(small) if its.key == one.call)


def test_of_a_pair_the_first_score_stands_once_both_agree(small):
    first, second = pair_of(small)
    small.submit((first, small.best(first, saludo="0")))
    small.now_ms = first.due - 1
    assert state_of(small, first) == ("pair", None), "the second may still come"
    small.submit((second, small.best(second)))
    state, scored = state_of(small, first)
    assert state == "counted" and scored.raw == 950


def test_a_pair_that_differs_counts_when_it_is_decided(small):
    first, second = pair_of(small)
    small.submit((first, small.best(first, informacion="0")), (second, small.best(second)))
    assert state_of(small, first) == ("pair", None)
    assert stated(report(small), "pares por resolver").value == 1
    small.revise(first, small.best(first), "error")
    assert state_of(small, first)[0] == "pair", "they are compared as they were submitted"
    small.revise(first, small.best(first, informacion="0", saludo="0"), "pair")
    state, scored = state_of(small, first)
    assert state == "counted" and (scored.raw, scored.user) == (800, 1)


def test_a_pair_that_agreed_counts_when_an_error_in_it_is_revised(small):
    first, second = pair_of(small)
    small.submit((first, small.best(first)), (second, small.best(second)))
    small.revise(first, small.best(first, informacion="0"), "error")
    state, scored = state_of(small, first)
    assert state == "counted" and scored.user == 1


def test_where_one_of_a_pair_is_not_done_in_time_the_other_one_counts(small):
    first, second = pair_of(small)
    small.submit((second, small.best(second)))
    state, scored = state_of(small, first)
    assert state == "counted" and scored.evaluation == small.evaluations[second.key]
    small.annul(second)
    assert state_of(small, first) == ("annulled", None)


def test_what_nobody_did_in_time_stands_by_its_stratum(small):
    _, _, calls = small.draw(week(0), replace(PLAN, strata=("motive",)))
    small.submit(*((one, small.best(one)) for one in calls[1:]))
    (row,) = rows(report(small).section("quality_undone"))
    one = calls[0]
    assert (row["code"], row["stratum"], row["pool"]) == (one.agent, one.stratum, one.pool)
    assert row["from_day"] == "2026-11-02" and row["undone_n"] >= 1
    small.now_ms = one.due - 1
    made = report(small)
    assert made.section("quality_undone").rows == []
    assert stated(made, "por evaluar").value == 1


def test_scores_of_different_scorecards_are_never_averaged(small):
    small.form("cobranza")
    for number, code in enumerate((FORM, "cobranza")):
        _, _, calls = small.draw(week(number), replace(ALONE, scorecard=code))
        wrong = {} if code == FORM else {"saludo": "0", "cierre": "0"}
        small.submit(*((one, small.best(one, **wrong)) for one in calls))
    made = report(small)
    name = "Atención al cliente"
    assert stated(made, f"nota media · {name} (atencion)").value == 100.0
    assert stated(made, f"nota media · {name} (cobranza)").value == 90.0
    means = {figure.value for figure in made.section("quality_teams").rows
             for figure in [figure[made.section("quality_teams").at("raw_mean")]]}  # fmt: skip
    assert means == {None}, "four of each team are too few"
    assert "Las notas de planillas distintas no se promedian." in made.section("summary").notes
    names = [row[0] for row in made.section("summary").rows]
    assert sum(one.startswith("nota según contrato") for one in names) == 1, "one asks for it"


def test_of_too_few_calls_there_is_no_mean_colour_rank_or_target(small):
    body = PEOPLE["targets"].read({"metric": "quality", "value": 95})
    small.put(Change(kind="targets", code=PEOPLE["targets"].code(body), body=body))
    for number in range(3):
        _, _, calls = small.draw(week(number))
        own = [one for one in calls if one.agent == "a001" or number == 0]
        small.submit(*((one, small.best(one, escucha="1", trato="1")) for one in own))
    made = report(small)
    few, enough = of_agent(made, "a002"), of_agent(made, "a001")
    assert few.kind == "text" and few.value == "90.0 · 90.0 · muestra insuficiente"
    assert few.within == Interval(None, None, 2, 4) and not few.missed
    assert enough.value == 90.0 and enough.within.n == 6
    assert made.section("quality_agents").column("raw_mean").target.value == 95
    codes = [row["code"] for row in rows(made.section("quality_agents"))]
    assert codes == sorted(codes), "and never by their figures"
    its = report(small, scope=Scope(of="agent", code="a002"))
    assert stated(its, "nota media").value is None and stated(its, "PECUF").value is None


def test_a_figure_misses_its_target_when_all_that_it_may_be_does(month):
    for aim, missed in ((80, False), (99, True)):
        body = PEOPLE["targets"].read({"metric": "quality", "value": aim})
        month.put(Change(kind="targets", code=PEOPLE["targets"].code(body), body=body))
        figure = stated(report(month), "nota media")
        assert figure.missed is missed and figure.value < 99


def test_another_code_after_the_evaluation_marks_it(small):
    _, _, calls = small.draw(week(0))
    small.submit(*((one, small.best(one)) for one in calls))
    one = next(one for one in calls if one.agent == "a001")
    desk = small.stations["a001"]
    c = next(c for c in (f"a001-{n}" for n in range(1, 20)) if desk.key_of(c) == one.call)
    desk.boot().clock(one.due)
    desk.contact("retypified", c, 1000, code="112", version=1, author="luz")
    desk.contact("step", c, 1000, step="closing", result="done", how="key")
    small.take(desk)
    assert of_agent(report(small), "a001", "changed_n") == (1 if one.call else 0)
    assert report(small).section("quality_changed").rows == [], "its agent may not read it yet"
    small.release(one)
    (row,) = rows(report(small).section("quality_changed"))
    assert row["code"] == "a001" and "se cambió la tipificación" in row["changed_what"]


def test_a_monitor_sees_what_the_agents_may_read(month):
    released = sum(one.scored.released_utc is not None for one in states(month) if one.scored)
    made = report(month, person=MONITOR)
    assert stated(made, "evaluadas").value == released > 0
    assert any("ya puede leer" in note for note in made.section("summary").notes)
    whole = report(month, person=COORDINATOR)
    assert stated(whole, "evaluadas").value > released


@pytest.mark.parametrize("role", ["hr", "technician", "agent", "area"])
def test_who_reads_no_figures_reads_no_scores(month, role):
    for kind in ("calidad", "speech", "personal", "incentivo"):
        with pytest.raises(NotYours):
            report(month, kind, person=Person(id="x", name="", role=role, agent="a001"))


def test_a_supervisor_reads_of_the_own_teams(month):
    made = report(month, person=BOSS)
    assert {row["team"] for row in rows(made.section("quality_teams"))} == {"Tarde"}
    codes = {row["code"] for row in rows(made.section("quality_agents"))}
    assert codes == {a for a, team in month.team.items() if team == "Tarde"}
    with pytest.raises(NotYours):
        report(month, scope=Scope(of="agent", code="a001"), person=BOSS)


def test_people_are_compared_by_a_funnel_with_names_for_their_own_supervisor(tmp_path):
    month = Month(tmp_path / "data", agents=14, calls=6, seed=5)
    bad = "a002"
    for number in range(4):
        _, _, calls = month.draw(week(number), ALONE)
        skills = [0.3 if one.agent == bad else 0.85 for one in calls]
        month.submit(*((one, month.answers(one, skill))
                       for one, skill in zip(calls, skills, strict=True)))  # fmt: skip
    boss = replace(BOSS, teams=frozenset({"Tarde", "Mañana"}))
    other = replace(BOSS, teams=frozenset({"Mañana"}))
    for person in (boss, None, COORDINATOR):
        its = report(month, person=person).section("quality_funnel")
        assert len(its.rows) == 12, "two have too few calls"
        beyond = {row[0]: row[1] for row in its.rows if row[1]}
        if person is boss:
            assert beyond["Asesor 002"] == "por debajo de 99.8 %"
        assert [row[0] for row in its.rows if row[0]] == ([*beyond] if person is boss else [])
    made = report(month, person=other)
    assert all(not one.key.startswith("quality_funnel") for one in made.sections), "too few people"


# -- the export and the documents


def test_the_export_for_incentives_says_what_may_still_change(small):
    _, _, calls = small.draw(week(0), replace(PLAN, per_agent=3, twice_share=0))
    small.submit(*((one, small.best(one)) for one in calls))
    small.release(*(one for one in calls if one.agent == "a002"))
    its = {row["code"]: row for row in rows(report(small, "incentivo").section("incentive"))}
    assert [row["under_review"] for row in its.values()] == ["pendiente", None] or (
        its["a002"]["under_review"] is None and its["a001"]["under_review"] == "pendiente"
    )
    assert {row["raw_mean"] for row in its.values()} == {"muestra insuficiente"}
    assert KINDS["incentivo"].right == "quality"
    with pytest.raises(NotYours):
        report(small, "incentivo", person=BOSS)
    assert report(small, "incentivo", person=COORDINATOR).sections


def test_the_export_has_the_report_s_figures(month):
    made, export = report(month), report(month, "incentivo").section("incentive")
    for row in export.rows:
        code, figure = row[export.at("code")], row[export.at("raw_mean")]
        if figure.kind == "score":
            assert figure == of_agent(made, code)
        else:
            assert figure.within == of_agent(made, code).within


def cells_of(section):
    return [
        [(kind_of(column, one), one) for column, one in zip(section.columns, row, strict=True)]
        for row in section.rows
    ]


SCOPES = (Scope(), Scope(of="team", code="Tarde"), Scope(of="agent", code="a002"))


@pytest.mark.parametrize("scope", SCOPES, ids=lambda one: one.word)
def test_the_evaluation_of_the_speech_is_the_report_s(month, scope):
    made, paper = report(month, scope=scope), report(month, "speech", scope)
    same = [one.key for one in paper.sections if one.key != "quality_calls"]
    assert same == ["summary", "quality_draws", "quality_sections", "quality_items",
                    "quality_critical", "quality_undone"]  # fmt: skip
    for key in same:
        assert cells_of(paper.section(key)) == cells_of(made.section(key))
    calls = paper.section("quality_calls")
    assert len(calls.rows) == stated(made, "evaluadas").value > 0
    days = [row[calls.at("at")] for row in calls.rows]
    assert days == sorted(days)


def test_the_report_on_the_staff_is_the_other_reports(month):
    paper = report(month, "personal")
    its = paper.section("staff")
    tables = {"llamadas": "calls_agents", "tmo": "aht_agents", "tipificacion": "codes_agents",
              "protocolo": "steps_agents"}  # fmt: skip
    for kind, key in tables.items():
        section = report(month, kind).section(key)
        shared = [c.key for c in section.columns if c.key in {one.key for one in its.columns}]
        assert len(shared) > 3
        both = zip([*its.rows, its.total], [*section.rows, section.total], strict=True)
        for one, other in both:
            assert [one[its.at(k)] for k in shared] == [other[section.at(k)] for k in shared]
    made = report(month)
    for key in ("quality_agents", "quality_teams"):
        assert cells_of(paper.section(key)) == cells_of(made.section(key))


def test_the_sheet_of_an_agent_has_all_of_it_on_one_page(month):
    scope = Scope(of="agent", code="a002")
    paper = report(month, "personal", scope)
    its = paper.section("staff_sheet")
    assert list(dict.fromkeys(row[0] for row in its.rows)) == [
        "Volúmenes", "TMO y sus partes", "Tipificación", "Protocolo", "Voz", "Calidad",
    ]  # fmt: skip
    known = {}
    for kind in ("llamadas", "tmo", "tipificacion", "protocolo", "calidad"):
        summary = report(month, kind, scope).section("summary")
        for row in summary.rows:
            known.setdefault(row[summary.at("figure")], row[summary.at("value")])
    voice = paper.section("quality_auto")
    known |= {row[0]: row[voice.at("of_all")] for row in voice.rows if row[0] not in known}
    for row in its.rows:
        assert row[its.at("value")] == known[row[its.at("figure")]], row
    (silence,) = (row for row in voice.rows if row[0] == "silencio más largo")
    assert silence[voice.at("of_all")].value > 0
    assert [one.key for one in paper.sections] == [
        "staff_sheet", "quality_agents", "quality_sections", "quality_auto",
    ]  # fmt: skip
    assert MONDAYS[0].isoformat() > of_agent(paper, "a002", "from_day")


@pytest.mark.parametrize("words", [["quality", "document"], ["document"]], ids=" ".join)
@pytest.mark.parametrize(("name", "ending"), [("speech", "pdf"), ("personal", "xlsx")])
def test_a_document_is_made_by_its_command(month, words, name, ending, tmp_path, monkeypatch):
    path = tmp_path / f"papel.{ending}"
    monkeypatch.setattr(sys, "argv", ["diadema", *words, name, "--period", "2026-11", "--data",
                                      str(month.data.root), "-o", str(path)])  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert not ended.value.code
    assert path.read_bytes()[:4] in (b"%PDF", b"PK\x03\x04")
