"""Every table of every kind, over a stored month: JSON, CSV, XLSX as written, XLSX as LibreOffice
works it out, filtered too, and PDF say the same, to the second.
"""

import csv
import io
import itertools
import json
import shutil
import subprocess

import openpyxl
import pytest
from diadema.access.roles import Person
from diadema.base import sanitize
from diadema.report.formats import made_as
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope, is_unknown, plain, totalled
from diadema.report.period import around, period
from diadema.report.writing import shown, written_total

from tests.support import made_report, read_back, reported_day
from tests.support.assisted import DAY as ASSISTED
from tests.support.assisted import MASS, assisted, guided
from tests.support.evaluated_month import FIRST, evaluated_month
from tests.support.listened import morning as listened
from tests.support.scripted_station import T0
from tests.support.whole_centre import DAY, STARTS, Place, by_chance


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """All kinds of a place with stations and a switch that has everything in it, of one with
    stations alone, and of one with a switch alone.
    """
    worked = reported_day.stations(tmp_path_factory.mktemp("stations"))
    switched = tmp_path_factory.mktemp("switch")
    reported_day.switch(switched)
    now = T0 + 2 * 86_400_000
    made = [make(worked, kind, period("month", "2026-11"), Scope(), now) for kind in KINDS]
    place = reported_day.DataDir(switched)
    for kind in ("servicio", "llamadas", "tmo"):
        made.append(make(place, kind, period("month", "1999-02"), Scope(), now))
    rich = Place(tmp_path_factory.mktemp("rich"), *STARTS[0]).live(by_chance(0, 500), 3, 9 * DAY)
    span = around("month", rich.day)
    made += [make(rich.data, kind, span, Scope(), rich.now) for kind in KINDS]
    helped, now_s = assisted(tmp_path_factory.mktemp("assisted") / "data")
    span = around("month", ASSISTED)
    made += [make(helped.data, k, span, Scope(), now_s * 1000) for k in ("ayudas", "fallas")]
    return made


PAPERS = [kind for kind, its in KINDS.items() if its.document or kind in ("ayudas", "fallas")]
EMPTY = {("orientado", "assisted"), ("consultas", "guided"), ("constancia", "guided")}
CHIEF = Person(id="jefa", name="Jefa", role="admin")
LEAD = Person(id="luz", name="Luz", role="quality_lead")


@pytest.fixture(scope="module")
def mornings(tmp_path_factory):
    return {
        "assisted": assisted(tmp_path_factory.mktemp("assisted") / "data"),
        "guided": guided(tmp_path_factory.mktemp("guided") / "data"),
        "listened": listened(tmp_path_factory.mktemp("listened") / "data"),
    }


@pytest.fixture
def paper(request, mornings):
    kind, whose = request.param
    place, now_s = mornings[whose]
    one = KINDS[kind].of_ticket and whose == "assisted"
    scope = Scope(of="ticket", code=MASS) if one else Scope()
    reader = CHIEF if CHIEF.may(KINDS[kind].right) else LEAD
    return make(place.data, kind, around("day", ASSISTED), scope, now_s * 1000, person=reader)


@pytest.mark.parametrize(
    "paper",
    [*itertools.product(PAPERS, ("assisted", "guided")), ("escuchas", "listened")],
    indirect=True,
    ids="-".join,
)
def test_each_cell_of_help_and_faults_is_read_back_from_every_format(paper, request):
    meant = read_back.cells(paper)
    assert any(meant) == (request.node.callspec.params["paper"] not in EMPTY)
    labelled = _labelled(paper, meant)
    assert read_back.from_json(paper) == meant
    assert read_back.from_csv(paper) == labelled
    assert read_back.from_xlsx(paper) == labelled
    assert read_back.from_screen(paper) == labelled
    if shutil.which("pdftotext") is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    assert read_back.missing_in_pdf(made_as("pdf", paper), paper) == []


def _labelled(paper, meant):
    return [
        [*rows[:-1], [(section.label or "total", None), *rows[-1][1:]]]
        if section.total is not None and section.rows else rows
        for section, rows in zip(paper.sections, meant, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Of enough people that they are compared, who have few calls and who have many."""
    return evaluated_month(tmp_path_factory.mktemp("evaluated") / "data", agents=18, seed=3)


SAMPLED = ("calidad", "speech", "personal", "incentivo")
ASKED = (Scope(), Scope(of="agent", code="a002"), Scope(of="agent", code="a017"),
         Scope(of="team", code="Tarde"), Scope(of="queue", code="ventas"))  # fmt: skip


@pytest.mark.parametrize("scope", ASKED, ids=lambda one: one.word)
@pytest.mark.parametrize("kind", SAMPLED)
def test_each_cell_of_quality_is_read_back_from_every_format(evaluated, kind, scope):
    made = make(evaluated.data, kind, around("month", FIRST), scope, evaluated.now_ms)
    meant = read_back.cells(made)
    assert any(bounds and len(bounds) == 4 for rows in meant for row in rows for _, bounds in row)
    labelled = _labelled(made, meant)
    assert read_back.from_json(made) == meant
    assert read_back.from_csv(made) == labelled
    assert read_back.from_xlsx(made) == labelled
    assert read_back.from_screen(made) == labelled
    if shutil.which("pdftotext") is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    assert read_back.missing_in_pdf(made_as("pdf", made), made) == []


@pytest.mark.parametrize("paper", [("ayudas", "assisted")], indirect=True)
def test_one_cell_that_is_another_is_seen_in_every_format(paper):
    meant, printed = read_back.cells(paper), made_as("pdf", paper)
    readers = (read_back.from_json, read_back.from_csv, read_back.from_xlsx, read_back.from_screen)
    section = paper.section("topics")
    before = [read(paper) for read in readers]
    row, at = section.rows[1], section.at("help_wait_p90_s")
    row[at] += 1
    assert read_back.cells(paper) != meant
    for read, was in zip(readers, before, strict=True):
        ((place, now),) = (
            (place, now)
            for place, (one, now) in enumerate(zip(was, read(paper), strict=True)) if one != now
        )  # fmt: skip
        assert paper.sections[place] is section and now[1][at] == (row[at], None)
    if shutil.which("pdftotext") is not None:
        ((key, words),) = read_back.missing_in_pdf(printed, paper)
        assert (key, words[0]) == ("topics", row[0])


def totals(report):
    """(table, column) → figure, of every total there is."""
    return {
        (section.key, column.key): plain(cell)
        for section in report.sections
        if section.total is not None and section.rows
        for column, cell in zip(section.columns, section.total, strict=True)
        if column.total is not None
    }


def bounds(cell):
    within = getattr(cell, "within", None)
    return [str(one) for one in (within.low, within.high, within.n)] if within else [""] * 3


def test_an_interval_stands_in_every_format(reports):
    made = reports[-2]
    section = made.section("topics")
    words = shown(section, section.total, section.at("help_met"), made)[0]
    assert words == "85.7 % (60.1–96.0; n\u00a014)"
    head, *_, last = csv.reader(
        io.StringIO(made_as("csv", made, "topics").decode("utf-8-sig")), delimiter=";"
    )
    place = head.index("Dentro de la meta")
    assert head[place + 1 : place + 4] == ["desde %", "hasta %", "de cuántos"]
    assert last[place : place + 4] == ["85.7", "60.1", "96.0", "14"]
    sheet = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", made)))["Ayudas por tema"]
    (cell,) = (one for row in sheet.iter_rows() for one in row if "60.1–96.0" in one.number_format)
    assert cell.value == 0.857 and cell.number_format == '0.0%" (60.1–96.0; n\u00a014)"'
    assert b"PDF" in made_as("pdf", made)[:8]


def test_json_and_csv(reports):
    for report in reports:
        told = {one["section"]: one for one in json.loads(made_as("json", report))["sections"]}
        for (table, key), value in totals(report).items():
            cell = told[table]["total"][key]
            assert (cell["value"] if isinstance(cell, dict) else cell) == value
        for section in report.sections:
            content = made_as("csv", report, section.key).decode("utf-8-sig")
            lines = list(csv.reader(io.StringIO(content), delimiter=";"))
            assert len(lines) == 1 + len(section.rows) + (section.total is not None)
            if section.total is None or not section.rows:
                continue
            fields = iter(lines[-1])
            for column, cell, field in zip(section.columns, section.total, fields, strict=False):
                value = plain(cell)
                if column.interval:
                    its = [next(fields) for _ in range(3)]
                    assert its == bounds(cell), (section.key, column.key)
                if column.total is None or value is None:
                    continue
                match column.kind:
                    case "seconds":
                        hours, minutes, seconds = map(int, field.split(":"))
                        assert 3600 * hours + 60 * minutes + seconds == value
                    case "percent":
                        assert float(field) == value
                    case _:
                        assert int(field) == value


def tables(book):
    """The sheets of the sections, which stand after that of the charts."""
    return [sheet for sheet in book.worksheets if sheet.title != "Gráficos"]


def totals_of_sheets(path, report):
    """(table, column) → figure, as that workbook has it."""
    book = openpyxl.load_workbook(path, data_only=True)
    found = {}
    for section, sheet in zip(report.sections, tables(book), strict=False):
        if section.total is None or not section.rows:
            continue
        label = section.label or "total"
        row = next(row for row in sheet.iter_rows() if row[0].value == label)
        for column, cell in zip(section.columns, row, strict=False):
            if column.total is None:
                continue
            value = cell.value if cell.value != "" else None
            if value is not None and column.kind == "seconds":
                value = made_report.in_seconds(value)
            elif value is not None and column.kind == "percent":
                value = round(1000 * value) / 10
            found[section.key, column.key] = value
    return found


@pytest.fixture(scope="module")
def books(reports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("books")
    paths = [folder / f"{number}.xlsx" for number in range(len(reports))]
    for path, report in zip(paths, reports, strict=True):
        path.write_bytes(made_as("xlsx", report))
    return paths


def test_xlsx_as_it_is_written(reports, books):
    for path, report in zip(books, reports, strict=True):
        assert totals_of_sheets(path, report) == totals(report), report.kind


def test_xlsx_as_libreoffice_works_it_out(reports, books):
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("the program soffice is missing (Debian: apt install libreoffice-calc)")
    folder = books[0].parent
    worked_out(office, folder, books)
    for path, report in zip(books, reports, strict=True):
        assert totals_of_sheets(folder / "done" / path.name, report) == totals(report), report.kind


def worked_out(office, folder, books):
    command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless",
               "--convert-to", "xlsx", "--outdir", folder / "done", *books]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=200)


def test_xlsx_filtered_as_libreoffice_works_it_out(reports, books, tmp_path):
    """Every other row is hidden: the totals are those of the rest."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("the program soffice is missing (Debian: apt install libreoffice-calc)")
    reports, books = reports[-len(KINDS) :], books[-len(KINDS) :]
    for path, report in zip(books, reports, strict=True):
        book = openpyxl.load_workbook(path)
        for section, sheet in zip(report.sections, tables(book), strict=False):
            last = next(
                (
                    row[0].row
                    for row in sheet.iter_rows()
                    if row[0].value == (section.label or "total")
                ),
                0,
            )
            for row in range(last - len(section.rows), last, 2) if section.total else ():
                sheet.row_dimensions[row].hidden = True
        book.save(tmp_path / path.name)
    worked_out(office, tmp_path, [tmp_path / path.name for path in books])
    for path, report in zip(books, reports, strict=True):
        found = totals_of_sheets(tmp_path / "done" / path.name, report)
        for section in report.sections:
            kept = section.rows[1::2]
            if section.total is None or not kept:
                continue
            for column, cell in zip(section.columns, totalled(section.columns, kept), strict=True):
                at = section.at(column.key)
                if column.total in (None, "given") or is_unknown(kept, at):
                    continue
                assert found[section.key, column.key] == plain(cell), (section.key, column.key)


def said(report, section, place):
    """Words of a total, with the sign of one that misses its target."""
    return (
        shown(section, section.total, place, report, written_total)[0].replace("\xa0", " ").split()
    )


def test_pdf(reports, tmp_path):
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    for number, report in enumerate(reports):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(made_as("pdf", report))
        done = subprocess.run([program, "-layout", path, "-"], check=True, capture_output=True)
        printed = done.stdout.decode()
        lines = [line.split() for line in printed.splitlines() if line.strip().startswith("total")]
        expected = [
            [said(report, section, place) for place in range(len(section.columns))]
            for section in report.sections
            if section.total is not None and section.rows and not section.label
        ]  # fmt: skip
        assert [line[1:] for line in lines] == [
            [word for cell in row[1:] for word in cell] for row in expected
        ], report.kind
        for section in report.sections:
            assert sanitize.visible(section.title) in printed
