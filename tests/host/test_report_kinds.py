"""Each kind of report over stored days: what it says, that it adds up, and who may have it."""

from datetime import date

import msgspec
import pytest
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.metrics import calls as of_calls
from diadema.metrics import states
from diadema.report.context import NotYours
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Figure, Ratio, Scope, plain
from diadema.report.period import around, period

from tests.support import reported_day
from tests.support.scripted_station import T0, Script

DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
FLOOR = Scope()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return reported_day.stations(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bank")
    reported_day.switch(folder)
    return reported_day.DataDir(folder)


def made(data, kind, span=None, scope=FLOOR, **more):
    return make(data, kind, span or around("month", DAY), scope, NOW, **more)


def totals(section):
    return dict(zip([c.key for c in section.columns], section.total, strict=True))


def figures(report):
    """Of the summary: by the column's word."""
    section = report.section("summary")
    return {row[0]: plain(row[section.at("value")]) for row in section.rows}


def column(section, key):
    return [row[section.at(key)] for row in section.rows]


def test_handling_has_the_three_parts_and_the_time_logged_in(data):
    report = made(data, "tmo")
    agents = report.section("aht_agents")
    assert column(agents, "code") == ["a002", "a001"], "by name"
    assert column(agents, "n") == [8, 6]
    rosa = dict(zip([c.key for c in agents.columns], agents.rows[1], strict=True))
    assert rosa["talk_s"] == 2 * (62 + 69 + 76), "each call in whole seconds"
    assert rosa["hold_s"] == 2 * 9 and rosa["wrap_s"] == 2 * 36
    assert rosa["aht_s"] == round((414 + 18 + 72 + 0) / 6)
    assert figures(report)["TMO"] == totals(agents)["aht_s"]
    load = report.section("load_agents")
    for row in load.rows:
        cells = dict(zip([c.key for c in load.columns], row, strict=True))
        parts = ("ready", "offered_s", "dialing_s", "talking", "held", "consulting", "wrapup",
                 "not_ready", "off")  # fmt: skip
        assert sum(cells[part] for part in parts) == cells["logged_s"] > 0
    reasons = report.section("reasons")
    assert set(column(reasons, "reason")) >= {"Refrigerio", "auxiliar privada"}
    assert totals(reasons)["seconds"] == totals(load)["not_ready"]


@pytest.mark.parametrize("kind", ["tmo", "llamadas"])
def test_agents_queues_days_and_half_hours_come_to_one_total(data, kind):
    report = made(data, kind)
    by = ("agents", "queues", "days", "halves")
    tables = [one for one in report.sections if one.key.startswith(("aht_", "calls_"))]
    tables = [one for one in tables if one.key.endswith(by)]
    assert len(tables) == 4
    sums = [
        {c.key: cell for c, cell in zip(one.columns, one.total, strict=True) if c.total}
        for one in tables
    ]
    assert all(one == sums[0] for one in sums)


def test_a_total_is_what_the_named_metric_says_of_the_sums(data):
    from diadema.figures.read import read

    total = read(data, date(2026, 11, 1), date(2026, 11, 30), NOW).total()
    tmo, calls = made(data, "tmo"), made(data, "llamadas")
    assert totals(tmo.section("aht_agents"))["aht_s"] == of_calls.aht(total.calls())
    load = totals(tmo.section("load_agents"))
    assert load["occupancy"] == states.occupancy(total.load)
    assert load["utilisation"] == states.utilisation(total.load)
    its = totals(calls.section("calls_agents"))
    assert its["pickup_rate"] == of_calls.pickup_rate(total.calls())
    assert its["transfer_rate"] == of_calls.transfer_rate(total.calls())


def test_the_count_of_calls_adds_up_and_says_so(data):
    report = made(data, "llamadas")
    check = report.section("check")
    assert column(check, "difference") == [0, 0] and check.notes[0].startswith("Cuadra")
    assert column(check, "received")[0] == 14 + 4
    assert figures(report)["atenciones"] == 14
    assert any("Sin datos de central" in note for note in report.section("summary").notes)
    causes = report.section("causes")
    assert (column(causes, "cause"), totals(causes)["count"]) == (["no contestó"], 4)


def test_one_day_one_agent_one_queue(data):
    day = made(data, "llamadas", around("day", DAY), Scope(of="agent", code="a001"))
    assert figures(day)["atenciones"] == 3
    assert day.scope_name == "Rosa Quispe Huamán (a001)"
    assert [one.key for one in day.sections if one.key.endswith("days")] == []
    queue = made(data, "llamadas", scope=Scope(of="queue", code="ventas"))
    assert figures(queue)["atenciones"] == 14
    none = made(data, "llamadas", around("day", date(2027, 1, 17)))
    assert figures(none)["atenciones"] == 0 and figures(none)["nivel de atención"] is None
    with pytest.raises(DiademaError, match="otra"):
        made(data, "llamadas", scope=Scope(of="queue", code="otra"))
    team = made(data, "llamadas", around("week", DAY), Scope(of="team", code="Mañana"))
    assert figures(team)["atenciones"] == 6
    with pytest.raises(DiademaError, match="Mañana"):
        made(data, "llamadas", scope=Scope(of="team", code="Noche"))


def test_dispositions_from_the_most_frequent_on(data):
    report = made(data, "tipificacion")
    pareto = report.section("pareto")
    assert column(pareto, "code") == ["111", "112"]
    assert column(pareto, "count") == [10, 4]
    assert column(pareto, "cumulated") == [71.4, 100.0]
    assert pareto.rows[0][1:4] == ["Consulta", "Saldo", "Ahorro"]
    assert totals(pareto)["share"] == 100.0
    assert column(report.section("level2"), "level2") == ["Saldo"]
    assert totals(report.section("codes_agents"))["typified"] == 14


def test_what_has_no_code_is_in_no_share_of_codes(tmp_path):
    """B10: the total said 5 «tipificaciones» with SIN_TIPIFICAR, the summary 4."""
    untyped = Script().boot().clock().login().ready()
    for at, code in enumerate(("111", "111", "112", "112", "SIN_TIPIFICAR")):
        untyped.call(f"c{at}", code=code)
    data = reported_day.stored(tmp_path, untyped)
    report = made(data, "tipificacion")
    pareto = report.section("pareto")
    assert column(pareto, "code") == ["111", "112"] and totals(pareto)["count"] == 4
    assert pareto.notes == ["Sin tipificar: 1, fuera de esta tabla."]
    rows = {row[0]: (row[1].value, row[3]) for row in report.section("summary").rows}
    assert rows["tipificadas"][0] == 4 and rows["negativas de contacto"][1] == 4
    flags = made(data, "consolidado").section("flags")
    assert totals(flags)["count"] == 4


def test_what_only_the_switch_tells_is_not_said_to_be_of_stations(bank):
    """B11: «estaciones, entrantes 26 671» where no station exists."""
    report = make(bank, "llamadas", period("month", "1999-02"), FLOOR, NOW)
    assert column(report.section("check"), "side") == ["estaciones, salientes", "central, cola"]


def test_the_queue_side_has_four_levels_by_name(bank):
    report = make(bank, "servicio", period("month", "1999-02"), FLOOR, NOW)
    values = figures(report)
    assert (
        values["NS sobre atendidas y abandonadas"] == 33.3 and values["NS sobre atendidas"] == 60.0
    )
    assert values["ASA"] == round((0 + 20 + 21 + 3 + 40) / 5)
    queues, halves = report.section("service_queues"), report.section("service_halves")
    assert totals(queues)["received"] == totals(halves)["received"] == 9
    for key in ("sl_offered", "sl_noshort", "sl_answered", "sl_removed", "asa_s", "abandonment"):
        assert totals(queues)[key] == totals(halves)[key]
    assert any("T = 20 s" in note for note in report.section("summary").notes)


def test_each_figure_stands_beside_its_target(data, monkeypatch):
    from diadema.report import context

    plainly = context.read_people

    def aimed(*given):
        targets = {("aht_s", ""): 60.0, ("answer_rate", ""): 50.0}
        return msgspec.structs.replace(plainly(*given), targets=targets)

    monkeypatch.setattr(context, "read_people", aimed)
    report = made(data, "tmo")
    agents = report.section("aht_agents")
    aim = agents.columns[agents.at("aht_s")].target
    assert (aim.value, aim.at_most) == (60.0, True)
    first = report.section("summary").rows[0]
    assert isinstance(first[1], Figure) and first[1].missed and first[2] == Figure("seconds", 60)
    rate = made(data, "llamadas").section("summary")
    row = next(one for one in rate.rows if one[0] == "nivel de atención")
    assert row[1] == Figure("percent", None) and row[2].value == 50.0


def test_every_ratio_names_columns_of_its_table(data, bank):
    for kind in KINDS:
        for section in made(data, kind).sections:
            keys = {column.key for column in section.columns}
            assert len(keys) == len(section.columns)
            for one in section.columns:
                if isinstance(one.total, Ratio):
                    assert {n.removeprefix("-") for n in one.total.over + one.total.by} <= keys


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_kind_in_both_languages_with_and_without_anything_in_it(data, kind, language):
    for span in (around("month", DAY), around("week", DAY), period("day", "2020-02-29")):
        report = made(data, kind, span, language=language)
        assert report.sections and report.cut.position > 0
        for section in report.sections:
            assert all(len(row) == len(section.columns) for row in section.rows)


def person(role, **more):
    return Person(id="p", name="P", role=role, **more)


def test_a_supervisor_has_her_teams_alone(data):
    hers = person("supervisor", teams=frozenset({"Mañana"}))
    report = made(data, "llamadas", person=hers)
    assert column(report.section("calls_agents"), "code") == ["a001"]
    assert report.scope_name == "equipos Mañana"
    with pytest.raises(NotYours):
        made(data, "llamadas", scope=Scope(of="agent", code="a002"), person=hers)
    none = made(data, "llamadas", person=person("supervisor"))
    assert none.section("calls_agents").rows == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_needs_its_right(data, kind):
    for role in ("hr", "technician", "monitor", "agent"):
        asking = person(role, agent="a001" if role == "agent" else None)
        if asking.may(KINDS[kind].right):
            made(data, kind, person=asking)
        else:
            with pytest.raises(NotYours):
                made(data, kind, person=asking)


@pytest.fixture
def rostered(data, monkeypatch):
    """A shift of an hour from the login on, its second half a pause; the other one is absent."""
    from datetime import timedelta

    from diadema.report import context
    from diadema.report.kinds import adherence
    from diadema.site.directory.people import Planned

    plainly = context.read_people

    def planned(*given):
        roster = {}
        for k in range(2):
            start, day = T0 // 1000 + k * 86_400, DAY + timedelta(days=k)
            pause = (start + 1800, start + 3600, "refrigerio")
            roster["a001", day] = Planned(
                day=day, shift="M", start_s=start, end_s=start + 3600, pauses=[pause]
            )
        roster["a002", DAY] = Planned(
            day=DAY, shift="M", start_s=T0 // 1000, end_s=T0 // 1000 + 3600, absence="vacaciones"
        )
        return msgspec.structs.replace(plainly(*given), roster=roster)

    monkeypatch.setattr(context, "read_people", planned)
    monkeypatch.setattr(adherence, "read_people", planned)
    return data


def test_adherence_is_over_the_seconds_of_shifts(rostered):
    report = made(rostered, "adherencia")
    agents = report.section("adherence_agents")
    rosa = dict(zip([c.key for c in agents.columns], agents.rows[1], strict=True))
    assert (rosa["code"], rosa["shifts"], rosa["idle"], rosa["absences"]) == ("a001", 2, 0, 0)
    assert rosa["shift_s"] == 7200 and rosa["scheduled_s"] == 3600
    assert 0 < rosa["followed_s"] < 7200 and rosa["worked_s"] > 0
    total = totals(agents)
    assert total["absences"] == 1 and total["adherence"] == rosa["adherence"]
    assert totals(report.section("adherence_days"))["adherence"] == total["adherence"]
    assert figures(report)["adherencia"] == total["adherence"]
    assert figures(report)["shrinkage"] is not None


def test_without_a_roster_there_is_no_adherence_and_it_says_so(data):
    report = made(data, "adherencia")
    assert figures(report)["adherencia"] is None
    assert "turnos" in report.section("summary").notes[0]


def test_what_is_read_in_several_goes_is_read_again_when_events_came_in_meanwhile():
    from types import SimpleNamespace

    from diadema.report import make as making

    positions = [7, 9, 9, 9]
    reads = []
    asked = SimpleNamespace(
        kind="asistencia",
        forget=lambda: None,
        cut=lambda: SimpleNamespace(position=positions.pop(0)),
        position=lambda: positions.pop(0),
    )
    sections, cut = making._settled(asked, lambda _: reads.append(1) or reads[:])
    assert (len(sections), cut.position, positions) == (2, 9, [])
