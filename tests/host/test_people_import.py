"""Tables that people bring: row by row what is wrong and what to do, or all of it taken in."""

import csv
import io
import pickle
from datetime import date, datetime, timedelta

import openpyxl
import pytest
from diadema.site.description import parse
from diadema.site.directory import exporting
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.importing import plan_import, run_import
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import begin
from diadema.site.directory.scorecard_template import template
from diadema.site.directory.sheets import decode, read_sheet
from diadema.site.example import EXAMPLE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DAY = date(2026, 12, 1)
HEAD = "Código;Nombre;Nombre en pantalla;Alias;Equipo;Tipo de documento;Documento\n"
GOOD = "e010;Nueva Inventada;NUEVA;E10;Mañana;DNI;01234567\n"


@pytest.fixture
def book(tmp_path):
    with Directory(tmp_path / "directory.sqlite3") as made:
        begin(made, parse(EXAMPLE.encode()), 1)
        put(made, "shifts", code="m", name="Mañana", start="08:00", end="16:00")
        put(made, "shifts", code="007", name="Siete", start="07:00", end="15:00")
        yield made


def put(book, kind, /, **given):
    body = KINDS[kind].read(given)
    one = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    book.apply([one], by="Ana", reason="prueba", at_ms=2)


def plan(book, kind, data, **more):
    data = data.encode("utf-8-sig") if isinstance(data, str) else data
    return plan_import(book, kind, read_sheet(data), DAY, **more)


def load(book, kind, data, **more):
    done = plan(book, kind, data, **more)
    skip = more.get("skip_bad", False)
    return run_import(book, done, by="Ana", reason="prueba", at_ms=3, skip_bad=skip)


def xlsx(*rows):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def told(done):
    return [(one.row, one.column, one.word) for one in done.problems]


def test_a_row_is_added(book):
    done = load(book, "agents", HEAD + GOOD)
    assert (done.added, done.changed, done.unchanged, done.problems) == (1, 0, 0, [])
    assert book.entry("agents", "e010").body["document"] == "01234567"


def test_what_is_wrong_is_told_by_row_and_column_and_nothing_is_done(book):
    rows = GOOD + "e011;;X;E;Nadie;DNI;1\ne010;A;B;C;Tarde;;\ne 12;A;B;C;;DNI;12345678\n"
    done = load(book, "agents", HEAD + rows)
    assert not done.done and book.entry("agents", "e010") is None
    assert told(done) == [
        (3, "name", "missing"),
        (4, "code", "code_twice"),
        (5, "code", "code"),
    ]
    assert "fila 3, Nombre: falta" in done.problems[0].whole("es")


def test_the_rest_is_taken_when_told_to(book):
    rows = GOOD + "e011;A;B;C;Nadie;;\ne012;Otra;O;E12;Tarde;DNI;87654321\n"
    done = load(book, "agents", HEAD + rows, skip_bad=True)
    assert done.done and told(done) == [(3, "team", "unknown_teams")]
    assert [one.code for one in book.entries("agents")] == ["e001", "e002", "e010", "e012"]


def test_a_column_that_is_not_there_changes_nothing(book):
    done = load(book, "agents", "code,team\ne001,Tarde\ne002,Tarde\n")
    assert (done.changed, done.unchanged) == (1, 1)
    edit = done.edits[0]
    assert (edit.row, edit.code, edit.column, edit.old, edit.new) == (
        2, "e001", "team", "Mañana", "Tarde",
    )  # fmt: skip
    newest = book.entry("agents", "e001")
    assert newest.body["badges"] and newest.valid_from == DAY
    assert book.entry("agents", "e001", date(2026, 11, 30)).body["team"] == "Mañana"


def test_a_dry_run_changes_nothing(book):
    before = book.last_change()
    assert plan(book, "agents", HEAD + GOOD).added == 1
    assert book.last_change() == before


def test_a_whole_list_retires_what_it_lacks(book):
    done = load(book, "areas", "Código;Etiqueta\nreclamos;Reclamos\n", whole=True)
    assert (done.retired, done.unchanged) == (2, 1)
    assert [one.code for one in book.entries("areas", DAY)] == ["reclamos"]


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("Código;Nombre;Sueldo\n", "columns_unknown"),
        ("Código;Codigo\n", "column_twice"),
        ("Nombre;Alias\n", "columns_missing"),
    ],
)
def test_columns(book, head, word):
    with pytest.raises(Wrong) as error:
        plan(book, "agents", head)
    assert [one.word for one in error.value.problems] == [word]


def test_a_table_of_another_kind_is_told_once(book):
    head = ";".join(field.name for field in KINDS["roster"].fields)
    with pytest.raises(Wrong) as refused:
        plan(book, "agents", f"{head}\n")
    (problem,) = pickle.loads(pickle.dumps(refused.value)).problems
    assert problem.word == "other_table" and "people import roster" in problem.say("en")
    assert "Programación" in problem.say("es")


def test_wrong_columns_are_told_once_with_those_there_are(book):
    with pytest.raises(Wrong) as refused:
        plan(book, "agents", "Código;Nombre;Sueldo;Talla\n")
    (problem,) = pickle.loads(pickle.dumps(refused.value)).problems
    assert "Sueldo, Talla" in problem.say("es") and "Code" in problem.say("en")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le"])
def test_encodings_that_are_known(encoding):
    text = HEAD + "e010;José Ñahui «¿qué?»;NUEVA;E10;Mañana;DNI;01234567\n"
    assert decode(text.encode(encoding))[0] == text


@pytest.mark.parametrize("encoding", ["cp850", "mac_roman"])
def test_encodings_that_are_not(encoding):
    text = HEAD + "e010;José Máximo"
    with pytest.raises(Wrong) as error:
        decode(text.encode(encoding))
    assert error.value.problems[0].word == "file_encoding"
    assert "CSV UTF-8" in str(error.value)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "file_empty"),
        (b"\n\n;;\n", "file_empty"),
        (b"PK\x03\x04 broken", "file_zip"),
        (b"\xd0\xcf\x11\xe0" + bytes(64), "file_old"),
        (b'code;name\na;"b\n', "file_quote"),
    ],
)
def test_files_that_are_no_tables(book, data, word):
    with pytest.raises(Wrong) as error:
        plan(book, "agents", data)
    assert error.value.problems[0].word == word


def test_what_spreadsheets_make_of_dates(book):
    sheet = xlsx(
        ["Día", "Asesor", "Turno"],
        [datetime(2026, 12, 1), "e001", "m"],
        [46358, "e001", "m"],
        ["2026-12-03", "e001", "m"],
        ["04/12/2026", "e001", "m"],
    )
    done = load(book, "roster", sheet)
    assert done.added == 4 and told(done) == []
    assert [one.word for one in done.notes] == ["date"]
    assert [one.code[:10] for one in book.entries("roster")] == [
        "2026-12-01", "2026-12-02", "2026-12-03", "2026-12-04",
    ]  # fmt: skip


def test_month_first_makes_the_others_doubtful(book):
    rows = "12/31/2026;e001;m\n12/02/2026;e001;m\n2026-12-05;e001;m\n"
    done = plan(book, "roster", "Día;Asesor;Turno\n" + rows)
    assert told(done) == [(2, "day", "date_month_first"), (3, "day", "date_mixed")]


def test_zeros_that_a_spreadsheet_took_are_repaired_only_when_that_is_certain(book):
    done = load(book, "roster", xlsx(["Día", "Asesor", "Turno"], ["2026-12-01", "e001", 7]))
    assert told(done) == [] and [one.word for one in done.notes] == ["zeros"]
    assert book.entries("roster")[0].body["shift"] == "007"
    load(book, "agents", HEAD + GOOD)
    head = ["Código", "Tipo de documento", "Documento"]
    again = load(book, "agents", xlsx(head, ["e010", "DNI", 1234567]))
    assert (again.unchanged, [one.word for one in again.notes]) == (1, ["zeros"])
    other = plan(book, "agents", xlsx(head, ["e001", "DNI", 1234568]))
    assert told(other) == [(2, "document", "dni_short")]
    assert "01234568" in other.problems[0].say("es")


def test_cells_that_say_an_error(book):
    done = plan(book, "areas", xlsx(["Código", "Etiqueta"], ["x1", "#N/A"]))
    assert told(done) == [(2, "label", "cell_error")]


def test_hostile_names(book):
    rows = "e010;=cmd|' /C calc'!A0;<script>;E10\ne011;Ana\u202eisoR;A;E11\n"
    done = load(book, "agents", "code;name;short;alias\n" + rows, skip_bad=True)
    assert told(done) == [(3, "name", "hidden")]
    text = exporting.as_csv("agents", exporting.rows_of(book, "agents", DAY), "es").decode()
    assert ";'=cmd|' /C calc'!A0;" in text
    made = exporting.as_xlsx("agents", exporting.rows_of(book, "agents", DAY), "es")
    cells = openpyxl.load_workbook(io.BytesIO(made)).active["B"]
    assert ("=cmd|' /C calc'!A0", "s") in [(one.value, one.data_type) for one in cells]
    assert load(book, "agents", text.encode("utf-8")).unchanged == 3


def test_a_retired_code_comes_not_back_by_a_file(book):
    one = Change(kind="agents", code="e002", body=None)
    book.apply([one], by="Ana", reason="se fue", at_ms=3)
    done = plan(book, "agents", "code;name;short;alias\ne002;Otra;O;O\n")
    assert told(done) == [(2, "code", "code_retired")]


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("write", [exporting.as_csv, exporting.as_xlsx])
def test_there_and_back_nothing_changes(book, language, write):
    put(book, "queues", code="q1", name="Consultas", switch_names="600 | 601")
    put(book, "employers", code="x", name="=Empresa; «Inventada»", ruc="20100070970")
    put(book, "supervisors", account="sofia", teams="Mañana | Tarde")
    put(book, "targets", metric="service_level", queue="q1", value=80.5, threshold_s=20)
    put(book, "alert_limits", rule="held_s", queue="q1", team="Tarde", value=90)
    put(book, "roster", day="2026-12-01", agent="e001", shift="m", pauses="10:00-10:15 break")
    put(book, "roster", day="2026-12-02", agent="e001", absence="medical_rest")
    put(book, "helpers", account="abel", topics="sistema | autorizacion", queues="q1",
        start="22:00", end="06:00", days="lun, sáb")  # fmt: skip
    put(book, "help_results", code="escalada", label="Pasó a Lima", order=1)
    put(book, "fault_targets", severity=4, accept_min=60, solve_min=2880, clock="working_days")
    put(book, "fault_targets", severity=1, area="audio", accept_min=5, solve_min=30)
    put(book, "help_topics", code="vip", label="VIP", urgent=True, escalate_s=20, alert_s=50)
    put(book, "fault_areas", code="red", label="Red", external=True, email="red@aqui.pe",
        accounts="ciro | zoila.a", parts="enlace=Enlace")  # fmt: skip
    put(book, "playbooks", **book.entry("playbooks", "1").body | {"owner": "rosa"})
    put(book, "notices", code="graba", name="Grabación", side="caller", spoken="agent",
        text="Esta llamada se graba; «para cuidar su calidad».", queues="q1")  # fmt: skip
    book.apply(template("atencion", "es"), by="Ana", reason="prueba", at_ms=2)
    put(book, "scorecard_items", scorecard="atencion", code="voz", section="actitudes",
        text="Modula la voz", weight=5, scale="1_5", kind="user", comment="always",
        auto_fail="section", playbook="CONSULTAS")  # fmt: skip
    put(book, "sample_plans", code="s", name="Semanal", scorecard="atencion", total=90, least=1,
        most=4, strata="motive | half", monitors="noe | luz", teams="Mañana | Tarde")  # fmt: skip
    put(book, "conflicts", account="noe", agent="e001")
    put(book, "sample_exclusions", agent="e002", why="leave")
    for kind in KINDS:
        entries = exporting.rows_of(book, kind, DAY)
        assert entries
        done = plan(book, kind, write(kind, entries, language), whole=True)
        assert (told(done), done.added, done.changed, done.retired) == ([], 0, 0, 0), kind
        assert done.unchanged == len(entries)


def test_a_hundred_thousand_rows_with_three_bad_ones(book):
    people = [
        {"code": f"x{n:04}", "name": f"I {n}", "short": "I", "alias": "I"} for n in range(1000)
    ]
    changes = [Change(kind="agents", code=str(one["code"]), body=one) for one in people]
    book.apply(changes, by="Ana", reason="prueba", at_ms=2)
    rows = [
        f"{date(2026, 9, 1) + timedelta(day)};{one['code']};m\n"
        for day in range(100)
        for one in people
    ]
    rows[500] = "2026-09-01;nadie;m\n"
    rows[50_000] = "31/09/2026;x0001;m\n"
    rows[99_999] = "2026-12-09;x0999;z\n"
    table = "Día;Asesor;Turno\n" + "".join(rows)
    bad = [(502, "agent"), (50_002, "day"), (100_001, "shift")]
    done = load(book, "roster", table)
    assert [(one.row, one.column) for one in done.problems] == bad
    assert not done.done and book.count("roster") == 0
    done = load(book, "roster", table, skip_bad=True)
    assert [(one.row, one.column) for one in done.problems] == bad
    assert (done.added, book.count("roster")) == (99_997, 99_997)


_CELLS = st.one_of(
    st.text(max_size=12), st.sampled_from(["e001", "2026-12-01", "1/2/2026", "m", "=1", "7", "sí"])
)
_FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FEW
@given(rows=st.lists(st.lists(_CELLS, max_size=6), max_size=6), kind=st.sampled_from(list(KINDS)))
def test_any_table_is_taken_or_refused_with_words(book, rows, kind):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow([field.name for field in KINDS[kind].fields])
    writer.writerows(rows)
    try:
        done = plan(book, kind, out.getvalue().encode("utf-8", "surrogatepass"))
    except Wrong as error:
        assert error.say("es")
        return
    assert done.rows >= len(done.changes)
    for problem in done.problems:
        assert problem.row and problem.whole("es")


@_FEW
@given(data=st.binary(max_size=200))
def test_any_file_is_taken_or_refused_with_words(book, data):
    try:
        plan(book, "areas", data)
    except Wrong as error:
        assert error.say("es")
