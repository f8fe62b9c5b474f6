"""The rows of an Asterisk queue_log: its text, or a dump of its database table as CSV or SQL.

Text: `epoch|callid|queue|agent|EVENT|data…`, as it was written. CSV: any of the usual delimiters,
with or without a header. SQL: the INSERTs of a MySQL dump, or as pg_dump writes them.
Dumps are brought into the order of time. A row is known by its line.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from diadema.base.errors import DiademaError
from diadema.ingest.time_window import LAST_MS, OLDEST_FILE_MS
from diadema.words import Sentence

_INSERT = re.compile(
    r"^[ \t]*INSERT\s+INTO\s+[^\s(]*queue_?log[^\s(]*\s*(?:\(([^)]*)\))?\s*VALUES", re.I | re.M
)
_CREATE = re.compile(r"^[ \t]*CREATE\s+TABLE\s+[^(]*queue_?log[^(]*\(", re.I | re.M)
_COLUMN = re.compile(r"^\s*[`\"](\w+)[`\"]\s+\w", re.M)
_OPEN = re.compile(r"[\s,]*\(")
_VALUE = re.compile(r"\s*(?:'((?:[^'\\]|\\.|'')*)'|([^,()']*?))\s*([,)])", re.S)
_ESCAPED = re.compile(r"\\(.)|''", re.S)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "0": ""}
_COLUMNS = {  # as dumps call them
    "time": "time", "date_time": "time", "time_id": "time", "eventdate": "time",
    "datetime": "time", "epoch": "time", "created": "time",
    "callid": "callid", "call_id": "callid", "uniqueid": "callid",
    "queuename": "queue", "queue_name": "queue", "queue": "queue", "qname": "queue",
    "agent": "agent", "qagent": "agent", "type": "agent", "membername": "agent",
    "event": "event", "qevent": "event", "verb": "event",
    "data1": "data1", "data2": "data2", "data3": "data3", "data4": "data4", "data5": "data5",
    "param1": "data1", "param2": "data2", "param3": "data3", "param4": "data4",
    "param5": "data5", "info1": "data1", "info2": "data2", "info3": "data3", "info4": "data4",
    "info5": "data5", "entpos": "entpos", "expos": "expos", "htime": "htime", "ttime": "ttime",
}  # fmt: skip
_APART = {  # a table that has columns of their own for positions and times, in the log's order
    "ENTERQUEUE": ("", "data1", "entpos"),
    "CONNECT": ("htime", "data2", "data3"),
    "COMPLETEAGENT": ("htime", "ttime", "entpos"),
    "COMPLETECALLER": ("htime", "ttime", "entpos"),
    "ABANDON": ("expos", "entpos", "htime"),
    "EXITEMPTY": ("expos", "entpos", "htime"),
    "EXITWITHTIMEOUT": ("expos", "entpos", "htime"),
    "EXITWITHKEY": ("data1", "expos", "entpos", "htime"),
    "WITHDRAW": ("expos", "entpos", "htime"),
    "RINGNOANSWER": ("htime",),
    "RINGCANCELED": ("htime",),
    "BLINDTRANSFER": ("data1", "data2", "htime", "ttime", "entpos"),
    "TRANSFER": ("data1", "data2", "htime", "ttime", "entpos"),
}
_ORDER = ("time", "callid", "queue", "agent", "event", "data1", "data2", "data3", "data4", "data5")
_EPOCH = re.compile(r"(\d{9,10})(?:[.,](\d{1,9}))?")
_EPOCH_MS = re.compile(r"\d{12,13}")
_VERB = re.compile(r"[A-Z][A-Z0-9_]{2,40}")
_NOTHING = {"", "none", "null", "\\n"}
MOST_BYTES = 512 << 20  # of a log, unpacked
_GZIP = b"\x1f\x8b"
type _Cells = tuple[int, str, list[str] | None]  # line, the row as it stands, its cells
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


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


@dataclass(frozen=True, slots=True)
class Row:
    """`t`: UTC milliseconds. Where the switch wrote NONE there is an empty text."""

    line: int
    utc_ms: int
    pbx: str
    queue: str
    agent: str
    verb: str
    data: tuple[str, ...]

    def text(self, at: int) -> str:
        return self.data[at] if at < len(self.data) else ""


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    why: Sentence


@dataclass
class Rows:
    """A file's. `first`: its first row as bytes, by which the file is known as it grows.
    `unfinished`: the last line of a text, when it has no end yet; it is not among `rows`.
    """

    first: bytes
    rows: list[Row | BadRow] = field(default_factory=list)
    unfinished: int | None = None


class LogError(DiademaError):
    """The file cannot be used."""


def read_rows(path: Path, zone: ZoneInfo) -> Rows:
    """`zone`: of local times, which only dumps have. Raises LogError."""
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as log:
            content = log.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise LogError(
            Sentence("errors.exchange.cannot_read_path_error_give", path=path, error=error)
        ) from error
    if len(content) > MOST_BYTES:
        most = f"{MOST_BYTES >> 20} MiB"
        raise LogError(Sentence("errors.exchange.path_has_more_than_most", path=path, most=most))
    if (kind := _MARKS.get(content[:2])) is not None:
        content = content.decode(kind, "replace").encode()
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    at = next((at for at, one in enumerate(lines) if one.strip()), None)
    if at is None:
        return Rows(b"")
    if is_text(lines[at]):
        found = Rows(lines[at].strip())
        if lines[-1].strip():
            found.unfinished = len(lines)
        for number, line in enumerate(lines[:-1], 1):
            if line.strip():
                found.rows.append(text_row(number, line))
        return found
    text = decoded(content)
    if is_sql(text):
        return _dump(path, columns(text), rows(text), zone)
    head = decoded(lines[at])
    delimiter = max(",;\t|", key=head.count)
    return _dump(path, None, _csv(lines, delimiter), zone)


def is_text(line: bytes) -> bool:
    """Whether it is one of a text log, not of a dump."""
    return line.count(b"|") >= 4 and line.lstrip()[:1].isdigit() and b'"' not in line[:12]


def text_row(number: int, line: bytes) -> Row | BadRow:
    """One line of a text log."""
    cells = decoded(line).rstrip("\r\n").split("|")
    if len(cells) < 5:
        return BadRow(number, Sentence("errors.row.fields", count=len(cells)))
    return _row(number, cells, cells[5:], None)


def decoded(line: bytes) -> str:
    """Callers' names come in whatever their switch sends."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _csv(lines: Sequence[bytes], delimiter: str) -> Iterator[_Cells]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            text = decoded(line).rstrip("\r\n")
            try:
                yield number, text, next(csv.reader([text], delimiter=delimiter), [])
            except csv.Error:
                yield number, text, None


def _dump(path: Path, names: list[str] | None, table: Iterator[_Cells], zone: ZoneInfo) -> Rows:
    """`names` of the columns; None: they stand in the first row, or nowhere."""
    found = Rows(b"")
    texts: dict[int, str] = {}
    places = None if names is None else _places(names)
    for line, text, cells in table:
        if places is None and cells is not None and not found.rows:
            places = _places(cells)
            if places is not None:
                continue
            places = _by_verb(cells)
        if places is None:
            raise LogError(
                Sentence("errors.exchange.path_line_line_neither_queue_log", path=path, line=line)
            )
        row = _dump_row(line, cells, places, zone)
        if isinstance(row, Row):
            texts[id(row)] = text
        found.rows.append(row)
    found.rows = _in_order(found.rows)
    for row in found.rows:
        if isinstance(row, Row):
            found.first = texts[id(row)].strip().encode()
            break
    return found


def _places(header: Sequence[str]) -> dict[str, int] | None:
    """Where each column is, by the header; None when it is none. Of two times, the one of the
    switch (as the dumps of `date_time` and `time`) is the first.
    """
    names = [name.strip().strip('"`').lower() for name in header]
    known = [_COLUMNS.get(name) for name in names]
    if not {"time", "callid", "queue", "agent", "event"} <= {*known}:
        return None
    places: dict[str, int] = {}
    for at, name in enumerate(known):
        if name is not None:
            places.setdefault(name, at)
    if "agent" in names:
        places["agent"] = names.index("agent")
    return places


def _by_verb(cells: Sequence[str]) -> dict[str, int] | None:
    """Without a header: the verb is the fifth column, or the sixth after a number of the row."""
    for shift in (0, 1):
        row_cells = [cell.strip() for cell in cells[shift:]]
        if len(row_cells) < 5 or _time(row_cells[0], ZoneInfo("UTC")) is None:
            continue
        if _VERB.fullmatch(row_cells[4]) and row_cells[4] != "NONE":
            return {name: at + shift for at, name in enumerate(_ORDER) if at + shift < len(cells)}
    return None


def _dump_row(
    number: int, cells: Sequence[str] | None, places: dict[str, int], zone: ZoneInfo
) -> Row | BadRow:
    if cells is None:
        return BadRow(number, Sentence("errors.row.quotation"))
    if len(cells) <= max(places[name] for name in _ORDER[:5]):
        return BadRow(number, Sentence("errors.row.verb_beyond", count=len(cells)))

    def cell(name: str) -> str:
        at = places.get(name)
        return cells[at] if at is not None and at < len(cells) else ""

    apart = _APART.get(cell("event").strip().upper()) if "htime" in places else None
    data = [cell(name) for name in apart or _ORDER[5:]]
    return _row(number, [cell(name) for name in _ORDER[:5]], data, zone)


def _row(
    number: int, row_cells: Sequence[str], data: Sequence[str], zone: ZoneInfo | None
) -> Row | BadRow:
    when, pbx, queue, agent, verb = (cell.strip() for cell in row_cells[:5])
    t = _time(when, zone)
    if t is None:
        word = "no_local_time" if zone else "no_time"
        return BadRow(number, Sentence(f"errors.row.{word}", value=when[:40]))
    verb = verb.upper()
    if not _VERB.fullmatch(verb):
        return BadRow(number, Sentence("errors.row.no_verb", value=verb[:40]))
    if hidden := next((cell for cell in (pbx, queue, agent) if not cell.isprintable()), None):
        return BadRow(number, Sentence("errors.row.hidden", value=hidden[:40]))
    data = tuple(_some(cell.strip()) for cell in data)
    return Row(number, t, _some(pbx), _some(queue), _some(agent), verb, data)


def _some(cell: str) -> str:
    return "" if cell.lower() in _NOTHING else cell


def _time(text: str, zone: ZoneInfo | None) -> int | None:
    """Seconds or milliseconds since 1970, or, in a dump, a date with its time; 1990 to 2100."""
    utc = _any_time(text, zone)
    return utc if utc is not None and OLDEST_FILE_MS <= utc <= LAST_MS else None


def _any_time(text: str, zone: ZoneInfo | None) -> int | None:
    if (seconds := _EPOCH.fullmatch(text)) is not None:
        return int(seconds[1]) * 1000 + int((seconds[2] or "0").ljust(3, "0")[:3])
    if zone is None:
        return None
    if _EPOCH_MS.fullmatch(text):
        return int(text)
    if len(text) < 14:  # a date without an hour
        return None
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC") + "Z" * text.endswith(" UTC"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return int(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _in_order(rows: list[Row | BadRow]) -> list[Row | BadRow]:
    """Of time: a dump may have the newest first, or be in no order. Bad rows stay first."""
    bad = [one for one in rows if isinstance(one, BadRow)]
    good = [one for one in rows if isinstance(one, Row)]
    if good and good[0].utc_ms > good[-1].utc_ms:
        good.reverse()
    return [*bad, *sorted(good, key=lambda row: row.utc_ms)]
