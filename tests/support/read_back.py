"""Reads a report's cells back from what each of its formats wrote, without the code that wrote
them: by section, by row with the total last, (value, bounds), as `cells` has them of the report.
Bounds are (low, high, n) or, of a sample, (low, high, n, of).
"""

import csv
import io
import json
import re
import subprocess
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import openpyxl
from diadema.base import sanitize
from diadema.report.formats import made_as, on_screen
from diadema.report.model import kind_of, plain
from rich.console import Console

from tests.support.made_report import in_seconds

# as `(81.2–91.6; n 12)`, below zero `(−5.1 a −1.3; n 12)`, of a sample `(81.2–91.6; n 12 de 310)`
_BOUNDS = re.compile(
    r" ?\((?:(−?[\d.]+)(?:–| a | to )(−?[\d.]+); )?n\s([\d,]+)(?: (?:de|of) ([\d,]+))?\)$"
)
_SHARES = ("percent", "score", "text")


def cells(report):
    """What was meant. A moment is told by its second."""
    found = []
    for section in report.sections:
        rows = [[_meant(c, one) for c, one in _zip(section, row)] for row in section.rows]
        if section.total is not None and section.rows:
            rows.append([_total(c, one) for c, one in _zip(section, section.total)])
        found.append(rows)
    return found


def _zip(section, row):
    return zip(section.columns, row, strict=True)


def _meant(column, cell):
    value, within = plain(cell), getattr(cell, "within", None)
    match kind_of(column, cell):
        case "moment" if value is not None:
            value = value // 1000
        case "text" | "day" if value is not None:
            value = sanitize.visible(str(value))
    return value, within and _bounds(within.low, within.high, within.n, within.of)


def _number(words):
    return float(words.replace(",", "").replace("−", "-"))


def _bounds(low, high, n, of):
    its = (low, high, n)
    return its if of is None else (*its, of)


def _bounded(words):
    """What stands behind a figure there, and the words without it."""
    found = _BOUNDS.search(words)
    if found is None:
        return None, words
    low, high, n, of = found.groups()
    low, high = (None if one is None else _number(one) for one in (low, high))
    n, of = (None if one is None else int(one.replace(",", "")) for one in (n, of))
    return _bounds(low, high, n, of), words[: found.start()]


def _total(column, cell):
    return _meant(column, cell) if column.total is not None else (None, None)


def _rows(report):
    """Each section with the kinds of its rows' cells, that of the total last."""
    for section in report.sections:
        kinds = [[kind_of(c, one) for c, one in _zip(section, row)] for row in section.rows]
        if section.total is not None and section.rows:
            kinds.append([
                kind_of(c, one) if c.total is not None else None
                for c, one in _zip(section, section.total)
            ])  # fmt: skip
        yield section, kinds


def from_json(report):
    told = json.loads(made_as("json", report))
    assert [one["section"] for one in told["sections"]] == [one.key for one in report.sections]
    found = []
    for (_, kinds), its in zip(_rows(report), told["sections"], strict=True):
        keys = [one["key"] for one in its["columns"]]
        rows = [*its["rows"], *([its["total"]] if len(kinds) > len(its["rows"]) else [])]
        found.append([
            [_of_json(row[key], kind) for key, kind in zip(keys, kinds_of, strict=True)]
            for row, kinds_of in zip(rows, kinds, strict=True)
        ])  # fmt: skip
    return found


def _of_json(cell, kind):
    bounds = None
    if isinstance(cell, dict):
        if "low" in cell:
            bounds = _bounds(cell["low"], cell["high"], cell["n"], cell.get("of"))
        cell = cell["value"]
    return cell // 1000 if kind == "moment" and cell is not None else cell, bounds


def from_csv(report):
    return [
        _of_csv(made_as("csv", report, section.key), section, kinds, report.zone)
        for section, kinds in _rows(report)
    ]


def _of_csv(content, section, kinds, zone):
    _, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
    if not section.rows:
        return []
    rows = []
    for line, kinds_of in zip(lines, kinds, strict=True):
        fields, row = iter(line), []
        for column, kind in zip(section.columns, kinds_of, strict=True):
            words, bounds = next(fields), None
            if column.interval:
                low, high, n, *of = [next(fields) for _ in range(4 if column.sampled else 3)]
                bounds = None
                if n:
                    its = (float(one) if one else None for one in (low, high))
                    bounds = _bounds(*its, int(n), int(of[0]) if of and of[0] else None)
            row.append((_of_words(kind, words, zone), bounds))
        rows.append(row)
    return rows


def from_xlsx(report):
    book = openpyxl.load_workbook(io.BytesIO(made_as("xlsx", report)), data_only=True)
    sheets = [one for one in book.worksheets if one.title not in ("Gráficos", "Notas y fórmulas")]
    found = []
    for (section, kinds), sheet in zip(_rows(report), sheets, strict=True):
        lines = iter(sheet.iter_rows())
        words = [column.word for column in section.columns]
        for line in lines:
            if [str(one.value or "").split("\n")[0] for one in line[: len(words)]] == words:
                break
        found.append([
            [_of_sheet(one, kind, report.zone)
             for one, kind in zip(next(lines), its, strict=False)]
            for its in kinds
        ])  # fmt: skip
    return found


def _of_sheet(cell, kind, zone):
    value, form = cell.value, cell.number_format
    behind = re.search(r'"( \([^"]*\))"', form)
    bounds, _ = _bounded(behind[1]) if behind else (None, "")
    match kind:
        case _ if value in (None, ""):
            value = None
        case "seconds":
            value = in_seconds(value)
        case "percent":
            value = round(1000 * value) / 10
        case "moment":
            value = int(value.replace(tzinfo=ZoneInfo(zone)).timestamp())
        case "day":
            value = value.date().isoformat()
    return value, bounds


def screen(report):
    """By section, by row, the words of each cell."""
    console = Console(record=True, width=4000, file=io.StringIO(), color_system=None)
    on_screen.show(console, report)
    lines = [
        [words.strip() for words in line.split("│")[1:-1]]
        for line in console.export_text().splitlines()
        if line.startswith("│")
    ]
    lines = iter(lines)
    found = []
    for section, kinds in _rows(report):
        if not section.rows:
            next(lines)  # that there is nothing
        found.append([next(lines) for _ in kinds])
    assert not [*lines]
    return found


def from_screen(report):
    found = []
    for (_, kinds), rows in zip(_rows(report), screen(report), strict=True):
        found.append([
            [_of_screen(kind, words, report.zone)
             for kind, words in zip(its, row, strict=True)]
            for its, row in zip(kinds, rows, strict=True)
        ])  # fmt: skip
    return found


def _of_screen(kind, words, zone):
    words = words.removesuffix(" !")
    bounds, words = _bounded(words) if kind in _SHARES else (None, words)
    if kind == "percent":
        words = words.removesuffix(" %")
    return _of_words(kind, "" if words == "—" else words, zone), bounds


def _of_words(kind, words, zone):
    if words == "":
        return None
    match kind:
        case "seconds":
            sign = -1 if words[0] in "-−" else 1
            whole = 0
            for part in words.lstrip("-−").split(":"):
                whole = 60 * whole + int(part)
            return sign * whole
        case "percent" | "score" | "coefficient":
            return _number(words)
        case "count":
            return int(words.replace(",", ""))
        case "moment":
            at = datetime.strptime(words, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(zone))
            return int(at.astimezone(UTC).timestamp())
    return words


def missing_in_pdf(content, report):
    """Rows of the report's screen that do not stand in that PDF, cell after cell, in their order;
    a page breaks words where it likes.
    """
    command = ["pdftotext", "-raw", "-", "-"]
    done = subprocess.run(command, check=True, capture_output=True, input=content)
    printed, at = "".join(done.stdout.decode().split()), 0
    missing = []
    for section, rows in zip(report.sections, screen(report), strict=True):
        at = max(at, printed.find("".join(section.title.split()), at))
        for row in rows:
            words = "".join("".join(row).split())
            if (place := printed.find(words, at)) < 0:
                missing.append((section.key, row))
            else:
                at = place + len(words)
    return missing
