"""Papers that agents signed, as human resources keep them: a table of them in, with what is wrong
in which row, and a sheet to fill out.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, cast

from msgspec import Struct, field

from diadema.base.sanitize import cell, visible
from diadema.quality.informing import How, Informed, is_there, wrong_signature
from diadema.site.directory.fields import Field, Value
from diadema.site.directory.importing import problem_row
from diadema.site.directory.labels import choice_label, column_of, columns
from diadema.site.directory.people import People
from diadema.site.directory.problems import Problem, Wrong, called
from diadema.site.directory.sheets import Cells, Sheet, is_ambiguous
from diadema.store.quality_rows import Signature
from diadema.words import Listed, section

KIND = "signatures"  # as the words call its columns; it is no kind of people and places
MOST_AGENTS = 500  # of one request to the hub
_FIELDS = (
    Field(name="agent", required=True, most=24),
    Field(name="name"),
    Field(name="date", type="date", required=True),
    Field(name="document", most=32),
    Field(name="how", type="choice", choices=("paper", "refused")),
    Field(name="witnesses", many=True, most=32),
)
_NAMES = tuple(one.name for one in _FIELDS)
_WIDTH = 24


class Batch(Struct, frozen=True, kw_only=True):
    """Agents who have the same paper."""

    how: How
    date: str
    document: str | None
    witnesses: tuple[str, ...]
    agents: tuple[str, ...]


class SignedRows(Struct, kw_only=True):
    """What a table says. `added` rows are new, `unchanged` ones were noted before."""

    rows: int = 0
    added: int = 0
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def summary(self, language: str, *, done: bool = False) -> dict[str, Any]:
        """For a page or a script."""
        counts = {name: getattr(self, name) for name in ("rows", "added", "unchanged")}
        problems = [problem_row(one, language) for one in self.problems]
        return counts | {"problems": problems, "done": done}


def read_signed(
    sheet: Sheet, notice: str, people: People, before: Sequence[Signature], today: date
) -> SignedRows:
    """Every row looked at; `before`: what is noted already. Raises Wrong for a table that has not
    the columns.
    """
    heads = _heads(sheet.header)
    found = SignedRows()
    grouped: dict[tuple[How, str, str | None, tuple[str, ...]], list[str]] = {}
    doubtful: list[Problem] = []
    for number, cells in sheet.rows:
        found.rows += 1
        doubtful += [
            _at(Problem(word="date_mixed", column="date", value=str(raw)), number)
            for one, raw in zip(heads, cells, strict=False)
            if one is not None and one.type == "date" and is_ambiguous(raw)
        ]
        try:
            agent, key = _row(heads, cells, people, today)
        except Wrong as error:
            found.problems += [_at(one, number) for one in error.problems]
            continue
        its = grouped.setdefault(key, [])
        if agent in its or is_there(before, notice, agent, *key):
            found.unchanged += 1
            continue
        its.append(agent)
        found.added += 1
    if any(one.word == "date_month_first" for one in found.problems):
        found.problems += doubtful
        found.problems.sort(key=lambda one: (one.row or 0, one.column))
    found.batches = [
        Batch(how=how, date=day, document=document, witnesses=witnesses,
              agents=tuple(agents[start : start + MOST_AGENTS]))
        for (how, day, document, witnesses), agents in grouped.items()
        for start in range(0, len(agents), MOST_AGENTS)
    ]  # fmt: skip
    return found


def _heads(header: Sequence[str]) -> list[Field | None]:
    """Each column's field; the name is there for people alone. Raises Wrong."""
    found: list[Field | None] = []
    problems = []
    for head in header:
        name = column_of(KIND, _NAMES, head) if head else None
        if head and name is None:
            listed = Listed(called(KIND, one) for one in _NAMES)
            problems.append(
                Problem(word="columns_unknown", value=head, values={"columns": listed})
            )
        if name is not None and any(one is not None and one.name == name for one in found):
            problems.append(Problem(word="column_twice", value=head))
        found.append(next((one for one in _FIELDS if one.name == name), None))
    there = {one.name for one in found if one is not None}
    problems += [
        Problem(word="columns_missing", values={"column": called(KIND, one.name)})
        for one in _FIELDS
        if one.required and one.name not in there
    ]
    if problems:
        raise Wrong(*problems)
    return found


def _row(
    heads: Sequence[Field | None], cells: Cells, people: People, today: date
) -> tuple[str, tuple[How, str, str | None, tuple[str, ...]]]:
    """The agent, and how, when, document and witnesses. Raises Wrong."""
    given: dict[str, Value] = {}
    problems: list[Problem] = []
    if any(one not in (None, "") for one in cells[len(heads) :]):
        problems.append(Problem(word="row_long"))
    for at, one in enumerate(heads):
        if one is None or one.name == "name":
            continue
        try:
            given[one.name] = one.read(cells[at] if at < len(cells) else None)
        except Wrong as error:
            problems += error.problems
    agent = str(given.get("agent") or "")
    if agent and agent not in people.workers:
        problems.append(Problem(word="signed_agent", column="agent", value=agent))
    if problems:
        raise Wrong(*problems)
    how = cast("How", given.get("how") or "paper")
    day, document = str(given["date"]), given.get("document")
    said = given.get("witnesses")
    witnesses = tuple(" ".join(one.split()) for one in said) if isinstance(said, list) else ()
    number = str(document) if document else None
    if wrong := wrong_signature(how, day, number, witnesses, today):
        name, word = wrong
        value = {"date": day, "witnesses": ", ".join(witnesses)}.get(name, "")
        raise Wrong(Problem(word=f"signed_{word}", column=name, value=value))
    if people.name(agent).casefold() in map(str.casefold, witnesses):
        raise Wrong(Problem(word="signed_own_witness", column="witnesses", value=witnesses[0]))
    return agent, (how, day, number, witnesses)


def _at(problem: Problem, number: int) -> Problem:
    return Problem(
        word=problem.word, values=problem.values, kind=KIND, row=number, column=problem.column,
        value=problem.value,
    )  # fmt: skip


# -- a sheet to fill out


def blank(agents: Iterable[Informed], language: str, form: str) -> bytes:
    """With the agents who have yet to sign: CSV, separated by `;` as spreadsheets in Peru expect,
    or XLSX.
    """
    rows = [*_rows(agents)]
    return _as_xlsx(rows, language) if form == "xlsx" else _as_csv(rows, language)


def _rows(agents: Iterable[Informed]) -> Iterator[tuple[str, str]]:
    for one in agents:
        if one.state != "informed":
            yield one.agent, one.name


def _as_csv(rows: Iterable[tuple[str, str]], language: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns(KIND, _NAMES, language))
    for agent, name in rows:
        writer.writerow([cell(agent), cell(name), *[""] * (len(_NAMES) - 2)])
    return out.getvalue().encode("utf-8-sig")


def _as_xlsx(rows: Iterable[tuple[str, str]], language: str) -> bytes:
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet(section("people", language)[f"kind.{KIND}"][:31])
    head = book.add_format({"bold": True, "bottom": 1})
    text = book.add_format({"num_format": "@"})
    sheet.set_column(0, len(_NAMES) - 1, _WIDTH, text)
    sheet.set_column(_NAMES.index("date"), _NAMES.index("date"), _WIDTH,
                     book.add_format({"num_format": "yyyy-mm-dd"}))  # fmt: skip
    sheet.freeze_panes(1, 1)
    for at, name in enumerate(columns(KIND, _NAMES, language)):
        sheet.write_string(0, at, name, head)
    for number, (agent, name) in enumerate(rows, 1):
        sheet.write_string(number, 0, agent, text)
        sheet.write_string(number, 1, visible(name), text)
    how = [choice_label(one, language, "how") for one in ("paper", "refused")]
    at = _NAMES.index("how")
    sheet.data_validation(1, at, 10_000, at, {"validate": "list", "source": how})
    book.close()
    return out.getvalue()
