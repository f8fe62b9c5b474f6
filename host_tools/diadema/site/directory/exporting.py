"""Writes the entries of a kind as a table that `importing` takes back unchanged."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from diadema.base.sanitize import cell, visible
from diadema.site.directory.book import Directory, Entry
from diadema.site.directory.kinds import Kind, kind_of
from diadema.site.directory.labels import VALIDITY, choice_label, columns
from diadema.words import section

_WIDTH = 22


def rows_of(
    book: Directory, kind: str, day: date, first: date | None = None, last: date | None = None
) -> list[Entry]:
    """What an export has: the entries of that day; of a roster the days [first, last]."""
    described = kind_of(kind)
    if not described.many:
        found = book.entries(kind, day)
        return sorted(found, key=lambda one: (_order(one), one.code))
    begin = first.isoformat() if first else ""
    end = (last + timedelta(1)).isoformat() if last else None
    return book.entries(kind, first=begin, last=end)


def as_csv(kind: str, entries: Iterable[Entry], language: str) -> bytes:
    """UTF-8 with its mark, separated by `;` as spreadsheets in Peru expect."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    described = kind_of(kind)
    writer.writerow(columns(kind, _names(described), language))
    for row in _table(described, entries, language):
        writer.writerow([cell(one) if isinstance(one, str) else _plain(one) for one in row])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(kind: str, entries: Iterable[Entry], language: str) -> bytes:
    """Texts are texts: no formula, no number made of a code."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    described = kind_of(kind)
    sheet = book.add_worksheet(section("people", language)[f"kind.{kind}"][:31])
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    names = _names(described)
    sheet.set_column(0, len(names) - 1, _WIDTH, text)
    sheet.freeze_panes(1, len(described.key))
    for at, name in enumerate(columns(kind, names, language)):
        sheet.write_string(0, at, name, head)
    for number, row in enumerate(_table(described, entries, language), 1):
        for at, value in enumerate(row):
            if isinstance(value, str):
                if value:
                    sheet.write_string(number, at, visible(value, lines=True), text)
            elif isinstance(value, date):
                sheet.write_datetime(number, at, value)
            elif isinstance(value, int | float):
                sheet.write_number(number, at, value)
    book.close()
    return out.getvalue()


def _names(kind: Kind) -> tuple[str, ...]:
    names = tuple(field.name for field in kind.fields)
    return names + VALIDITY if kind.dated else names


def _table(kind: Kind, entries: Iterable[Entry], language: str) -> Iterator[list[Any]]:
    yes = {True: "sí" if language == "es" else "yes", False: ""}
    for entry in entries:
        body = entry.body or {}
        row: list[Any] = []
        for field in kind.fields:
            value: Any = field.show(body.get(field.name), language)
            if isinstance(value, bool):
                value = yes[value]
            elif field.type == "choice" and isinstance(value, str):
                value = choice_label(value, language, field.name)
            elif field.type == "date" and isinstance(value, str):
                value = date.fromisoformat(value)
            row.append("" if value is None else value)
        if kind.dated:
            row += [entry.valid_from or "", entry.valid_until or ""]
        yield row


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else f"{value}"


def _order(entry: Entry) -> int:
    order = (entry.body or {}).get("order")
    return order if isinstance(order, int) else 10_000
