"""Every format of one report is read back: the same figures to the second, and nothing bites."""

import csv
import io
import json
import shutil
import subprocess
from datetime import datetime

import openpyxl
import pytest
from diadema.base import sanitize
from diadema.report.formats import as_csv, as_json, as_pdf, as_xlsx, on_screen
from diadema.report.model import plain
from diadema.report.writing import pending_line, written
from diadema.web.page_parts import cut_line
from rich.console import Console

from tests.support import made_report


def seconds_of(clock):
    hours, minutes, seconds = map(int, clock.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def total_of(section):
    return dict(zip([c.key for c in section.columns], section.total, strict=True))


def test_a_total_adds_up_and_its_means_are_over_the_sums():
    total = total_of(made_report.section())
    n, talk, hold = 66, sum(400 * k + 101 for k in range(11)), sum(37 * k + 1 for k in range(11))
    assert (total["n"], total["talk_s"], total["hold_s"]) == (n, talk, hold)
    assert total["aht_s"] == (2 * (talk + hold) + n) // (2 * n)
    assert total["people"] == 17 and total["agent"] is None and total["at"] is None
    nothing = total_of(made_report.section(rows=[]))
    assert nothing["n"] == 0 and nothing["aht_s"] is None and nothing["share"] is None


def test_json_has_plain_numbers_under_their_keys():
    report = made_report.report()
    told = json.loads(as_json.content(report))
    section = told["sections"][1]
    assert section["total"] == total_of(report.sections[1])
    assert section["rows"][0]["agent"] == made_report.NASTY[0]
    assert told["cut_off"]["position"] == 48213
    assert told["cut_off"]["at"] == "2026-11-18 06:06:40"
    assert [one["seat"] for one in told["cut_off"]["owing"]] == ["A-01", "=A-02"]
    assert told["sections"][0]["rows"][0]["value"] == {"kind": "seconds", "value": 90_061}


def test_csv_says_the_same_in_hours_minutes_and_seconds():
    report = made_report.report()
    content = as_csv.content(report, "agents")
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    head, *rows, last = lines
    assert head[0] == "asesor" and len(rows) == 12
    total = dict(zip([c.key for c in report.sections[1].columns], last, strict=True))
    expected = total_of(report.sections[1])
    for key in ("talk_s", "hold_s", "aht_s"):
        assert seconds_of(total[key]) == expected[key]
    assert total["n"] == str(expected["n"]) and total["share"] == f"{expected['share']:.1f}"
    assert rows[0][9] == "2026-11-18 06:06:40", "a second that has begun is not rounded up"
    for row, name in zip(rows, made_report.NASTY, strict=False):
        assert row[0] == sanitize.cell(name)
        assert row[0][0] not in "=+-@\t\r"


def test_csv_of_all_tables_has_the_cut_off_and_who_owes():
    lines = as_csv.content(made_report.report()).decode("utf-8-sig").split("\r\n")
    assert any("evento 48,213" in line for line in lines)
    assert any(line.startswith("Faltan 2 posiciones desde 05:06: A-01") for line in lines)
    assert "Resumen" in lines


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("xlsx") / "report.xlsx"
    path.write_bytes(as_xlsx.content(made_report.report()))
    return path


def row_of(sheet, first):
    return next(row for row in sheet.iter_rows() if row[0].value == first)


def test_xlsx_has_real_numbers_and_the_right_value_beside_each_formula(book):
    stored = openpyxl.load_workbook(book, data_only=True)
    formulas = openpyxl.load_workbook(book)
    assert stored.sheetnames == ["Resumen", "Asesores   todos    piso", "Notas y fórmulas"]
    sheet, total = stored.worksheets[1], total_of(made_report.section())
    values = dict(zip(total, row_of(sheet, "total"), strict=True))
    assert values["n"].value == total["n"] and values["people"].value == 17
    for key in ("talk_s", "hold_s", "aht_s"):
        held = values[key].value
        sign = '" !"' if key == "aht_s" else ""  # it misses its target
        assert values[key].number_format == f"[h]:mm:ss{sign}"
        assert made_report.in_seconds(held) == total[key], key
    assert values["share"].value == pytest.approx(total["share"] / 100, abs=1e-9)
    written_as = dict(zip(total, row_of(formulas.worksheets[1], "total"), strict=True))
    assert written_as["talk_s"].value.startswith("=SUBTOTAL(109,C")
    assert "ROUND" in written_as["aht_s"].value
    assert sheet.freeze_panes.startswith("B")
    first = row_of(sheet, made_report.NASTY[0])
    assert first[9].value == datetime(2026, 11, 18, 6, 6, 40)
    assert first[9].is_date and made_report.in_seconds(first[2].value) == 101


def test_xlsx_takes_no_name_for_a_formula_or_a_link(book):
    sheet = openpyxl.load_workbook(book).worksheets[1]
    names = [row[0] for row in sheet.iter_rows(min_row=1) if row[0].value is not None]
    shown = {cell.value for cell in names}
    assert {sanitize.visible(name, lines=True) for name in made_report.NASTY} <= shown
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in names)


def test_xlsx_is_the_same_file_for_the_same_report(book):
    assert as_xlsx.content(made_report.report()) == book.read_bytes()


@pytest.fixture(scope="module")
def recalculated(book):
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("the program soffice is missing (Debian: apt install libreoffice-calc)")
    done = book.parent / "done"
    profile = f"-env:UserInstallation=file://{book.parent}/profile"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", done, book]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return openpyxl.load_workbook(done / "report.xlsx", data_only=True)


def test_libreoffice_comes_to_the_same_totals(recalculated):
    total = total_of(made_report.section())
    values = dict(zip(total, row_of(recalculated.worksheets[1], "total"), strict=True))
    for key in ("talk_s", "hold_s", "aht_s"):
        assert made_report.in_seconds(values[key].value) == total[key], key
    for key in ("share", "net"):
        assert values[key].value == pytest.approx(total[key] / 100, abs=1e-9)
    assert values["n"].value == total["n"]


def test_pdf_prints_the_same_with_the_cut_off_on_every_page(tmp_path):
    program = shutil.which("pdftotext")
    if program is None:
        pytest.skip("the program pdftotext is missing (Debian: apt install poppler-utils)")
    many = made_report.section()
    row = many.rows[0]
    many.rows = [[f"Asesor {k}", *row[1:]] for k in range(150)]
    report = made_report.report(sections=[made_report.section(), many])
    path = tmp_path / "report.pdf"
    path.write_bytes(as_pdf.content(report))
    done = subprocess.run([program, "-layout", path, "-"], check=True, capture_output=True)
    pages = done.stdout.decode().removesuffix("\f").split("\f")
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"página {number} de {len(pages)}" in page
        assert "evento 48,213" in page
        assert "conversación" in page, "each page has the table's header"
    first = "\n".join(pages[:1])
    for column, cell in zip(many.columns, report.sections[0].total, strict=True):
        if cell is not None:
            assert written(column, cell, report) in first
    assert "<script>" in first and "⟨U+202E⟩" not in first  # the face has no such brackets
    assert "\u202e" not in first and "Asesor 149" in done.stdout.decode()


def test_the_screen_says_the_same_and_no_name_is_markup():
    report = made_report.report()
    console = Console(record=True, width=240, file=io.StringIO(), color_system=None)
    on_screen.show(console, report)
    shown = console.export_text()
    section = report.sections[1]
    for column, cell in zip(section.columns, section.total, strict=True):
        if plain(cell) is not None:
            assert written(column, cell, report) in shown
    assert "\x1b" not in shown and "\u202e" not in shown
    assert "Faltan 2 posiciones" in shown and "evento 48,213" in shown


def test_who_owes_since_another_day_is_said_with_the_date():
    report = made_report.report()
    report.cut.pending_stations[0].since_utc -= 86_400_000
    assert pending_line(report) == "Faltan 2 posiciones desde el 17/11 05:06: A-01, =A-02."
    assert "faltan 2 posiciones desde el 17/11 05:06" in cut_line(report.cut, report.zone, "es")


def test_nobody_owing_is_not_said():
    report = made_report.report(owing=False)
    assert b"Falta" not in as_csv.content(report)
