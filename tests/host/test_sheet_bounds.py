"""Tables from outside that are made to be endless are refused within moments."""

import contextlib
import gzip
import io
import zipfile
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from diadema.exchange.queue_log_rows import LogError, read_rows
from diadema.site.directory.problems import Wrong
from diadema.site.directory.sheets import read_sheet

_SHEET = (
    '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
    'main"><sheetData>{rows}</sheetData></worksheet>'
)
_ROW = '<row r="{r}"><c r="{at}{r}" t="inlineStr"><is><t>Código</t></is></c></row>'


def book(rows="", **others):
    """A sound workbook whose first sheet has these rows, and other parts instead of its own."""
    sound = io.BytesIO()
    openpyxl.Workbook().save(sound)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(sound) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        parts = {"xl/worksheets/sheet1.xml": _SHEET.format(rows=rows), **others}
        for name in {*before.namelist(), *parts}:
            packed.writestr(name, parts.get(name) or before.read(name))
    return out.getvalue()


def refused(data):
    with pytest.raises(Wrong) as error:
        for _ in read_sheet(data).rows:
            pass
    return error.value.problems[0].word


def test_a_row_beyond_the_last_row_of_a_spreadsheet():
    first = _ROW.format(r=1, at="A")
    for far in (1_048_577, 5_000_000_000):
        assert refused(book(first + _ROW.format(r=far, at="A"))) == "file_cells"
    assert len(book(first + _ROW.format(r=5_000_000_000, at="A"))) < 10_000


def test_a_column_beyond_the_last_column_of_a_spreadsheet():
    first = _ROW.format(r=1, at="A")
    assert refused(book(first + _ROW.format(r=2, at="XFE"))) == "file_cells"
    assert refused(book(first + _ROW.format(r=2, at="ZZZ"))) == "file_cells"


def test_rows_as_wide_as_a_spreadsheet_can_be():
    rows = "".join(_ROW.format(r=at, at="XFD") for at in range(1, 20_000))
    assert refused(book(rows)) == "file_cells"


@pytest.mark.parametrize("part", ["sharedStrings", "styles", "workbook"])
def test_parts_that_are_read_whole(part):
    large = "<sst>" + "<si><t>a</t></si>" * 3_000_000 + "</sst>"
    assert refused(book(_ROW.format(r=1, at="A"), **{f"xl/{part}.xml": large})) == "file_cells"


def test_a_line_of_separators_alone():
    assert refused(b"codigo\n" + b";" * 21_000_000) == "file_cells"


@pytest.mark.parametrize("first", ['sep="', "sep=\r", "sep=a", "sep= "])
def test_a_hint_that_is_no_separator(first):
    data = f"{first}\ncodigo;nombre\na;b\n".encode()
    with contextlib.suppress(Wrong):
        list(read_sheet(data).rows)


def test_excels_hint_still_holds():
    sheet = read_sheet(b"sep=|\ncodigo|nombre\na|b\n")
    assert sheet.header == ["codigo", "nombre"] and [*sheet.rows] == [(3, ["a", "b"])]


def test_a_log_that_unpacks_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("diadema.exchange.queue_log_rows.MOST_BYTES", 1_000_000)
    path = tmp_path / "queue_log.gz"
    path.write_bytes(gzip.compress(b"1795000000|1|q|a|ENTERQUEUE|\n" * 100_000))
    with pytest.raises(LogError, match="split"):
        read_rows(path, ZoneInfo("UTC"))
    path.write_bytes(b"1795000000|1|q|a|ENTERQUEUE|\n" * 100_000)
    with pytest.raises(LogError, match="split"):
        read_rows(path, ZoneInfo("UTC"))
    path.write_bytes(gzip.compress(b"1795000000|1|q|a|ENTERQUEUE|\n" * 100))
    assert len(read_rows(path, ZoneInfo("UTC")).rows) == 100
