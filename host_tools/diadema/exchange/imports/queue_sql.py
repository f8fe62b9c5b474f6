"""The rows of a queue_log table in an SQL dump, by its INSERTs: of MySQL, or as pg_dump writes."""

import re
from collections.abc import Iterator

_INSERT = re.compile(
    r"^[ \t]*INSERT\s+INTO\s+[^\s(]*queue_?log[^\s(]*\s*(?:\(([^)]*)\))?\s*VALUES", re.I | re.M
)
_CREATE = re.compile(r"^[ \t]*CREATE\s+TABLE\s+[^(]*queue_?log[^(]*\(", re.I | re.M)
_COLUMN = re.compile(r"^\s*[`\"](\w+)[`\"]\s+\w", re.M)
_OPEN = re.compile(r"[\s,]*\(")
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|([^,()']*?))\s*([,)])", re.S)
_ESCAPED = re.compile(r"\\(.)|''", re.S)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": ""}


def is_sql(text: str) -> bool:
    """Whether it inserts into such a table."""
    return _INSERT.search(text) is not None


def columns(text: str) -> list[str] | None:
    """Their names, by the first INSERT or the table's definition."""
    insert = _INSERT.search(text)
    if insert is not None and insert[1]:
        return [name.strip(' `"\n\r\t') for name in insert[1].split(",")]
    create = _CREATE.search(text)
    if create is None:
        return None
    end = text.find(";", create.end())
    return _COLUMN.findall(text, create.end(), end if end > 0 else len(text)) or None


def rows(text: str) -> Iterator[tuple[int, str, list[str] | None]]:
    """Line, the row as it stands, and its cells; None where it has no end or cannot be read."""
    line, counted = 1, 0
    for insert in _INSERT.finditer(text):
        at = insert.end()
        while (opened := _OPEN.match(text, at)) is not None:
            line += text.count("\n", counted, opened.end())
            counted = opened.end()
            cells, at = _tuple(text, opened.end())
            yield line, text[opened.end() - 1 : at], cells
            if cells is None:
                break


def _tuple(text: str, at: int) -> tuple[list[str] | None, int]:
    cells: list[str] = []
    while (value := _VALUE.match(text, at)) is not None:
        at = value.end()
        quoted = value[1]
        cells.append(value[2] if quoted is None else _ESCAPED.sub(_plain, quoted))
        if value[3] == ")":
            return cells, at
    end = text.find("\n", at)
    return None, end if end > 0 else len(text)


def _plain(escaped: re.Match[str]) -> str:
    return "'" if escaped[1] is None else _LETTERS.get(escaped[1], escaped[1])
