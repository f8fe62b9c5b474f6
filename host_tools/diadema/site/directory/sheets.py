"""Tables that people bring: the first sheet of an XLSX book, or a CSV file in whatever encoding
and with whatever separator their program wrote it.

Which encoding a text file is in, where that can be known.

Dates as people and spreadsheets write them.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from diadema.base.sanitize import from_cell
from diadema.site.directory.problems import Problem, Wrong

# beyond ASCII, what Spanish has and Office adds; other signs betray another encoding
_SPANISH = re.compile("[\x00-\x7fÀ-ÖØ-öø-ÿªº°¿¡«»“”‘’–—…•·€´\u00a0]*\\Z")
_INSIDE = re.compile(r"[A-Za-zÀ-ÿ][¡¿ªº°«»\u00a0´–—][A-Za-zÀ-ÿ]")
_SAMPLE = 4096


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding. Raises Wrong when it cannot be told for sure."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _as(data, "utf-16"), "UTF-16"
    if (guess := _utf_16(data[:_SAMPLE])) is not None:
        return _as(data, guess), "UTF-16"
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        text = _as(data, "cp1252")
    if not _SPANISH.match(text) or _INSIDE.search(text):
        raise _unknown()
    return text, "Windows-1252"


def _utf_16(sample: bytes) -> str | None:
    """Without a mark in front: every second byte of plain text is zero."""
    if len(sample) < 4:
        return None
    zeros = [sample[start::2].count(0) / len(sample[start::2]) for start in (0, 1)]
    if zeros[1] > 0.6 and zeros[0] < 0.1:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.6 and zeros[1] < 0.1 else None


def _as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _unknown() from error


def _unknown() -> Wrong:
    return Wrong(Problem(word="file_encoding"))


MOST_BYTES = 40_000_000
MOST_ROWS = 250_000
ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#N/D",
                    "#¡REF!", "#¡VALOR!", "#¡DIV/0!", "#¿NOMBRE?", "#¡NUM!"})  # fmt: skip
_MOST_TABLE = 400_000_000  # bytes of the sheets, which are read a row at a time
_MOST_WHOLE = 32_000_000  # and of the parts that are read whole: texts, styles
_MOST_CELLS = 20_000_000
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384  # of a spreadsheet
_OLD_BOOK = b"\xd0\xcf\x11\xe0"  # XLS, and books with a password
_SEPARATORS = (";", ",", "\t")
_HINTED = (*_SEPARATORS, "|", ":")
_FIELD = 100_000
type Cells = Sequence[Any]


class Sheet(Struct, kw_only=True):
    """`rows`: each with its number as a spreadsheet counts. `encoding`: of a text file."""

    header: list[str]
    rows: Iterator[tuple[int, Cells]]
    encoding: str = ""


def read_sheet(data: bytes) -> Sheet:
    """Raises Wrong for what is no table."""
    if len(data) > MOST_BYTES:
        size = f"{len(data) / 1e6:.0f}"
        raise Wrong(
            Problem(word="file_big", values={"size": size, "most": MOST_BYTES // 1_000_000})
        )
    if data.startswith(_OLD_BOOK):
        raise Wrong(Problem(word="file_old"))
    if data.startswith(b"PK"):
        return _titled(_book(data))
    text, encoding = decode(data)
    return _titled(_lines(text), encoding)


def _titled(rows: Iterator[tuple[int, Cells]], encoding: str = "") -> Sheet:
    for _, cells in rows:
        header = ["" if cell is None else str(cell).strip() for cell in cells]
        while header and not header[-1]:
            header.pop()
        return Sheet(header=header, rows=rows, encoding=encoding)
    raise Wrong(Problem(word="file_empty"))


def _filled(rows: Iterator[Cells]) -> Iterator[tuple[int, Cells]]:
    """Rows with anything in them."""
    count = cell_count = 0
    for number, cells in enumerate(rows, 1):
        cell_count += len(cells)
        if number > _LAST_ROW or len(cells) > _LAST_COLUMN or cell_count > _MOST_CELLS:
            raise Wrong(Problem(word="file_cells"))
        if any(cell is not None and cell != "" for cell in cells):
            count += 1
            if count > MOST_ROWS:
                raise Wrong(Problem(word="file_rows", values={"most": MOST_ROWS}))
            yield number, cells


def _book(data: bytes) -> Iterator[tuple[int, Cells]]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            _look_at_sizes(packed)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        yield from _filled(book.worksheets[0].iter_rows(values_only=True))
        book.close()
    except Wrong:
        raise
    except Exception as error:  # a broken book breaks its reader anywhere
        raise Wrong(Problem(word="file_zip")) from error


def _look_at_sizes(packed: zipfile.ZipFile) -> None:
    """Nothing is unpacked beyond the size that stands with it. Raises Wrong."""
    table = whole = 0
    for one in packed.infolist():
        if one.filename.startswith("xl/worksheets/"):
            table += one.file_size
        elif one.filename.endswith((".xml", ".rels")):  # pictures are not read
            whole += one.file_size
    if table > _MOST_TABLE or whole > _MOST_WHOLE:
        raise Wrong(Problem(word="file_cells"))


def _lines(text: str) -> Iterator[tuple[int, Cells]]:
    first = text.lstrip("\r\n").partition("\n")[0]
    hint = first.rstrip("\r").lower()
    if len(hint) == 5 and hint.startswith("sep=") and hint[4] in _HINTED:  # Excel's own hint
        separator, text = first[4], text.lstrip("\r\n").partition("\n")[2]
        shift = 1
    else:
        separator, shift = max(_SEPARATORS, key=first.count), 0
    if text.count(separator) > _MOST_CELLS:
        raise Wrong(Problem(word="file_cells"))
    csv.field_size_limit(_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    unguarded = ([from_cell(cell) if cell[:1] == "'" else cell for cell in row] for row in reader)
    try:
        for number, cells in _filled(unguarded):
            yield number + shift, cells
    except csv.Error as error:
        raise Wrong(Problem(word="file_quote", row=reader.line_num)) from error


_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?\Z")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\Z")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}\Z")
_SERIAL = re.compile(r"\d{5}(?:\.0+)?\Z")
_EPOCH = date(1899, 12, 30)  # of day 0 of a spreadsheet, as it counts after February 1900
_FIRST, _LAST = date(1990, 1, 1), date(2099, 12, 31)
_SERIALS = range(29_221, 73_051)  # 1980 to 2099


def read_date(column: str, raw: Any) -> date:
    """From a date, a serial number of a spreadsheet, ISO, or day/month/year as in Peru. Raises
    Wrong.
    """
    found = raw.date() if isinstance(raw, datetime) else raw
    if not isinstance(found, date):
        found = _read(column, raw)
    if not _FIRST <= found <= _LAST:
        raise _wrong("date_far", column, raw)
    return found


def _read(column: str, raw: Any) -> date:
    text = str(raw).strip() if not isinstance(raw, bool) else ""
    if _SERIAL.match(text) and int(float(text)) in _SERIALS:
        return _EPOCH + timedelta(int(float(text)))
    try:
        if found := _ISO.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _DAY_FIRST.match(text):
            day, month, year = map(int, found.groups())
            if month > 12 and day <= 12:
                raise _wrong("date_month_first", column, raw)
            return date(year, month, day)
    except ValueError:
        raise _wrong("date_never", column, raw) from None
    raise _wrong("date_short_year" if _SHORT_YEAR.match(text) else "date", column, raw)


def is_ambiguous(raw: Any) -> bool:
    """Whether it could also be month/day/year."""
    if not isinstance(raw, str) or not (found := _DAY_FIRST.match(raw.strip())):
        return False
    return int(found[1]) <= 12 and int(found[2]) <= 12 and found[1] != found[2]


def _wrong(word: str, column: str, raw: Any) -> Wrong:
    return Wrong(Problem(word=word, column=column, value=str(raw)))
