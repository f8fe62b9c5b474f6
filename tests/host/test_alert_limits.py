"""«Alertas»: when an alert speaks stands in the directory, by team, queue and reason; today's
numbers are what holds where there is no row. A private reason has no limit.
"""

from datetime import date

import pytest
from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.site.directory import exporting
from diadema.site.directory.alert_limits import ALERT_RULES, limit_of, limit_of_reason
from diadema.site.directory.book import Change
from diadema.site.directory.importing import plan_import, run_import
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people_of import CachedPeople
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import open_directory, publish
from diadema.site.directory.sheets import read_sheet
from diadema.site.example import EXAMPLE
from diadema.web.floor.alerts import Moment, alerts
from diadema.web.people.models import specs
from diadema.wire.live_rows import Row
from hypothesis import given
from hypothesis import strategies as st

ADMIN = Person(id="jefa", name="Jefa", role="admin")
NOW = 1_795_000_000_000
TODAY = date(2026, 11, 18)
KIND = KINDS["alert_limits"]
AGENT = {"code": "x1", "name": "Una", "short": "U", "alias": "U1", "team": "Norte"}


@pytest.fixture
def data(tmp_path):
    data = DataDir(tmp_path)
    data.site.write_text(EXAMPLE)
    return data


@pytest.fixture
def book(data):
    with open_directory(data, 1) as made:
        for code in ("Norte", "Sur"):
            put(made, "teams", code=code)
        put(made, "queues", code="ventas", name="Ventas", switch_names=["601"])
        put(made, "agents", **AGENT)
        put(made, "reasons", code="charla", label="Charla", limit_s=900)
        put(made, "reasons", code="medico", label="Médico", private=True)
        yield made


def put(book, kind, **given):
    body = KINDS[kind].read(given)
    change = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    book.apply([change], by="Ana", reason="prueba", at_ms=2)
    return change.code


def limit(book, rule, value, **narrowed):
    return put(book, "alert_limits", rule=rule, value=value, **narrowed)


def wrong(error):
    return [(one.word, one.column) for one in error.value.problems]


def row(**fields):
    return Row(**{"agent": "x1", "name": "Una", "state": "ready", "since": NOW} | fields)


def found(data, **fields):
    """Rule and limit of what speaks an hour after it began; a lost link is lost since then."""
    people = CachedPeople(data).read(TODAY)
    lost = {"x1": NOW} if fields.get("link") else {}
    moment = Moment(now=NOW + 3_600_000, today=TODAY, people=people, lost=lost)
    return [(one.rule, one.limit) for one in alerts([row(**fields)], moment)]


def test_todays_numbers_hold_where_there_is_no_row():
    assert {name: rule.default for name, rule in ALERT_RULES.items()} == {
        "offered_s": 30, "dialing_s": 90, "held_s": 180, "consulting_s": 300, "wrapup_s": 180,
        "not_ready_s": 1800, "call_times": 3, "call_s": 600, "help_s": 60, "fault_s": 0,
        "missed_in_a_row": 3, "link_s": 30, "queue_waiting": 5, "queue_wait_s": 120,
        "queue_level_s": 600, "queue_ready_s": 60,
    }  # fmt: skip
    assert all(limit_of({}, name) == rule.default for name, rule in ALERT_RULES.items())


_rows = st.dictionaries(
    st.tuples(
        st.just("held_s"),
        st.sampled_from(["", "Norte"]),
        st.sampled_from(["", "ventas"]),
        st.just(""),
    ),
    st.integers(0, 999),
)


@given(_rows)
def test_a_queues_row_goes_before_a_teams_and_a_teams_before_the_general_one(limits):
    ranked = [("Norte", "ventas"), ("", "ventas"), ("Norte", ""), ("", "")]
    its = [limits[key] for one in ranked if (key := ("held_s", *one, "")) in limits]
    assert limit_of(limits, "held_s", "Norte", "ventas") == (its or [180])[0]


def test_each_rule_takes_its_limit_from_the_directory(data, book):
    assert found(data, state="held", queue="601") == [("state", 180)]
    limit(book, "held_s", 100)
    limit(book, "held_s", 90, team="Norte")
    limit(book, "held_s", 5000, queue="ventas")
    assert found(data, state="held") == [("state", 90)]
    assert found(data, state="held", queue="601") == []  # the queue, by its name at the switch
    for rule, fields in (
        ("help_s", {"help": NOW}),
        ("link_s", {"link": "lost", "utc_ms": NOW}),
        ("fault_s", {"fault": NOW}),
        ("missed_in_a_row", {"in_a_row": 4, "in_a_row_utc": NOW}),
        ("call_s", {"state": "talking", "answered_utc": NOW}),
    ):
        before = [name for name, _ in found(data, **fields)]
        limit(book, rule, 9999, team="Sur")
        assert before and [name for name, _ in found(data, **fields)] == before
        limit(book, rule, 9999, team="Norte")
        after = [name for name, _ in found(data, **fields)]
        assert len(before) - len(after) == 1, rule


def test_a_long_call_is_so_many_times_the_tmo(data, book):
    call = {"state": "talking", "answered_utc": NOW}
    limit(book, "call_s", 60)
    assert found(data, **call) == [("call", 900)]
    limit(book, "call_times", 2, team="Norte")
    assert ("call", 600) in found(data, **call)


def test_a_reasons_row_goes_before_the_limit_of_the_reason(data, book):
    aux = {"state": "not_ready", "reason": "charla", "reason_label": "Charla", "private": False}
    assert ("reason", 900) in found(data, **aux)
    limit(book, "not_ready_s", 1200)
    assert ("reason", 900) in found(data, **aux)
    limit(book, "not_ready_s", 600, aux_reason="charla")
    assert ("reason", 600) in found(data, **aux)
    limit(book, "not_ready_s", 700, aux_reason="charla", team="Norte")
    assert ("reason", 700) in found(data, **aux)
    secret = {"state": "not_ready", "reason": "medico", "private": True}
    assert ("state", 1200) in found(data, **secret)
    assert limit_of_reason(CachedPeople(data).read(TODAY).alert_limits, "medico", "Norte") is None


def test_no_limit_can_be_of_a_private_reason_and_none_with_a_limit_becomes_private(book):
    with pytest.raises(Wrong) as error:
        limit(book, "not_ready_s", 60, aux_reason="medico")
    assert wrong(error) == [("private_alert", "aux_reason")]
    said = error.value.say("es")
    assert "Alertas" in said and "es un auxiliar privado y no lleva límite" in said
    code = limit(book, "not_ready_s", 60, aux_reason="charla")
    secret = {"code": "charla", "label": "Charla", "private": True}
    with pytest.raises(Wrong) as error:
        put(book, "reasons", **secret)
    assert wrong(error) == [("private_has_alert", "private")]
    gone = Change(kind="alert_limits", code=code, body=None)
    made = Change(kind="reasons", code="charla", body=KINDS["reasons"].read(secret))
    book.apply([gone, made], by="Ana", reason="prueba", at_ms=3)
    with pytest.raises(Wrong) as error:
        limit(book, "not_ready_s", 60, aux_reason="charla")
    assert wrong(error) == [("private_alert", "aux_reason")]


@pytest.mark.parametrize(
    ("given_", "column"),
    [
        ({"rule": "help_s", "queue": "ventas"}, "queue"),
        ({"rule": "queue_waiting", "team": "Norte"}, "team"),
        ({"rule": "wrapup_s", "aux_reason": "charla"}, "aux_reason"),
    ],
)
def test_a_column_that_the_rule_does_not_go_by_is_refused(given_, column):
    with pytest.raises(Wrong) as error:
        KIND.read(given_ | {"value": 5})
    assert wrong(error) == [("limit_idle", column)]


@pytest.mark.parametrize("value", [-1, 86_401, 1.5, None])
def test_a_limit_is_a_number_of_a_day_at_most(value):
    with pytest.raises(Wrong):
        KIND.read({"rule": "help_s", "value": value})


def test_who_is_named_stays(book):
    limit(book, "held_s", 60, queue="ventas")
    with pytest.raises(Wrong, match="1 use it"):
        book.apply([Change(kind="queues", code="ventas", body=None)], by="A", reason="b", at_ms=3)


def test_every_version_stays_and_holds_on_its_days(data, book):
    code = limit(book, "held_s", 60)
    body = KIND.read({"rule": "held_s", "value": 90})
    later = Change(kind="alert_limits", code=code, body=body, valid_from=date(2027, 1, 1))
    book.apply([later], by="Ana", reason="campaña", at_ms=3)
    assert [one.body["value"] for one in book.history("alert_limits", code)] == [90, 60]
    known = CachedPeople(data)
    days = (TODAY, date(2027, 1, 1))
    assert [limit_of(known.read(day).alert_limits, "held_s") for day in days] == [60, 90]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_table_of_them_goes_out_and_comes_back(book, form):
    codes = [
        limit(book, "held_s", 60, team="Norte", queue="ventas"),
        limit(book, "not_ready_s", 700, aux_reason="charla"),
        limit(book, "queue_waiting", 9),
    ]
    write = exporting.as_csv if form == "csv" else exporting.as_xlsx
    table = write("alert_limits", exporting.rows_of(book, "alert_limits", TODAY), "es")
    before = [*book.bodies("alert_limits")]
    gone = [Change(kind="alert_limits", code=code, body=None) for code in codes]
    book.apply(gone, by="Ana", reason="prueba", at_ms=3)
    plan = plan_import(book, "alert_limits", read_sheet(table), TODAY)
    run_import(book, plan, by="Ana", reason="tabla", at_ms=4)
    assert [*book.bodies("alert_limits")] == before and len(before) == 3


async def test_they_are_published_as_all_of_the_directory(data, book):
    asked = []

    async def ask(subject, body):
        asked.append(body.get("catalogue"))
        return {"generation": 7}

    await publish(book, data, TODAY, by="ana", at_ms=9, ask=ask)
    asked.clear()
    limit(book, "held_s", 60)
    await publish(book, data, TODAY, by="ana", at_ms=10, ask=ask)
    assert asked == [None, "alert_limits"]


def test_the_page_says_what_holds_without_a_row():
    for language, title in (("es", "Alertas"), ("en", "Alerts")):
        (spec,) = [one for one in specs(language, ADMIN) if one["name"] == "alert_limits"]
        assert spec["label"] == title
        rules = dict(next(one for one in spec["fields"] if one["name"] == "rule")["choices"])
        for name, rule in ALERT_RULES.items():
            assert f"{rules[name]}: {rule.default}" in spec["about"]
        told = {one["name"] for one in specs(language, ADMIN) if one["about"]}
        assert told == {
            "alert_limits", "helpers", "help_results", "fault_targets", "tools", "notices",
        }  # fmt: skip
