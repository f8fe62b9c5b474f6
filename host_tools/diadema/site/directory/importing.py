"""Takes a table into the directory: reads every row, says what is wrong with which, shows what
would change, and does it whole or, on request, without the rows that are wrong.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import Struct, field

from diadema.site.directory.book import Directory, Entry
from diadema.site.directory.fields import Field, Value
from diadema.site.directory.kinds import KINDS, Body, Kind, kind_of
from diadema.site.directory.labels import VALIDITY, column_of, label
from diadema.site.directory.problems import Problem, Wrong, called
from diadema.site.directory.sheets import ERRORS, Sheet, is_ambiguous
from diadema.site.directory.tables import Change
from diadema.words import Listed, Sentence

_SHOWN = 50
_DATES = {name: Field(name=name, type="date") for name in VALIDITY}


class Edit(Struct, frozen=True, kw_only=True):
    """One field of one entry, before and after."""

    row: int
    code: str
    column: str
    old: Value = None
    new: Value = None


class Plan(Struct, kw_only=True):
    """What a table would do, or has done. `changes` are ready to be applied; `edits` are some of
    what they change; `new`: the rows that add; `bad`: those that are wrong.
    """

    kind: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    retired: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    new: set[int] = field(default_factory=set)
    done: bool = False

    @property
    def bad(self) -> list[int]:
        return sorted({problem.row for problem in self.problems if problem.row is not None})

    def summary(self, language: str) -> dict[str, Any]:
        """Without the changes themselves, for a script or a page."""
        counts = {
            name: getattr(self, name)
            for name in ("kind", "rows", "added", "changed", "unchanged", "retired", "done")
        }
        return counts | {
            "problems": [problem_row(one, language) for one in self.problems],
            "notes": [problem_row(one, language) for one in self.notes],
        }


def problem_row(problem: Problem, language: str) -> dict[str, Any]:
    return {
        "row": problem.row,
        "column": label(problem.kind, problem.column, language) if problem.column else "",
        "value": problem.shown,
        "detail": problem.say(language),
    }


def plan_import(
    book: Directory,
    kind: str,
    sheet: Sheet,
    day: date,
    *,
    whole: bool = False,
    skip_bad: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Plan:
    """Changes hold from `day` on, unless a row says otherwise. `whole`: the table has everything,
    so what it lacks is retired (of a roster: on the days that it has). Raises Wrong for a table
    that has not the right columns.
    """
    reading = _Reading(book, kind_of(kind), sheet, day)
    plan = reading.plan
    for number, cells in sheet.rows:
        reading.take(number, cells)
        if progress is not None and plan.rows % 1000 == 0:
            progress(plan.rows)
    reading.settle_dates()
    reading.compare()
    if whole:
        reading.retire_missing()
    _check(book, plan, skip_bad=skip_bad)
    plan.problems.sort(key=lambda one: (one.row or 0, one.column))
    return plan


def run_import(
    book: Directory, plan: Plan, *, by: str, reason: str, at_ms: int, skip_bad: bool = False
) -> Plan:
    """Do what was planned, unless rows are wrong and that is not allowed. Raises Wrong."""
    if not plan.problems or skip_bad:
        book.apply(plan.changes, by=by, reason=reason, at_ms=at_ms)
        plan.done = True
    return plan


def _check(book: Directory, plan: Plan, *, skip_bad: bool) -> None:
    """Of all rows together; without the bad ones others may be wrong in their turn."""
    while found := book.problems(plan.changes):
        plan.problems += found
        bad = {problem.row for problem in found}
        if not skip_bad or None in bad:
            break
        plan.changes = [one for one in plan.changes if one.row not in bad]
    if plan.problems:
        bad = {problem.row for problem in plan.problems}
        left = [one for one in plan.changes if one.row not in bad]
        plan.changes = left
        plan.edits = [one for one in plan.edits if one.row not in bad]
    plan.added = sum(one.row in plan.new for one in plan.changes)
    plan.retired = sum(one.row is None for one in plan.changes)
    plan.changed = len(plan.changes) - plan.added - plan.retired


class _Row(Struct):
    number: int
    given: dict[str, Value]
    validity: dict[str, Value]
    code: str = ""


def _table_of(header: list[str]) -> str | None:
    """The kind whose columns these are, all of them, when it is the only one."""
    heads = [head for head in header if head]
    found = [
        kind.name
        for kind in KINDS.values()
        if all(
            column_of(kind.name, (*(one.name for one in kind.fields), *VALIDITY), head)
            for head in heads
        )
    ]
    return found[0] if heads and len(found) == 1 else None


def _is_other(name: str) -> Problem:
    """A whole table of another kind was given."""
    table = Sentence(f"people.kind.{name}")
    return Problem(word="other_table", values={"table": table, "name": name})


class _Reading:
    """One table on its way in."""

    def __init__(self, book: Directory, kind: Kind, sheet: Sheet, day: date) -> None:
        self.plan = Plan(kind=kind.name)
        self._book = book
        self._kind = kind
        self._day = day
        self._columns = self._head(sheet.header)
        self._given = {one.name for one in self._columns if one is not None}
        self._memo: list[dict[Any, Any]] = [{} for _ in self._columns]
        self._refs = [one for one in kind.fields if one.type == "ref" and not one.many]
        self._zeros: dict[str, dict[int, str]] = {}
        self._codes: dict[str, set[str]] = {}
        self._rows: list[_Row] = []
        self._ambiguous: dict[str, list[tuple[int, str, str]]] = {}
        self._month_first: set[str] = set()
        if sheet.encoding not in ("", "UTF-8"):
            self.plan.notes.append(Problem(word="encoding", value=sheet.encoding))

    def _head(self, header: list[str]) -> list[Field | None]:
        """Each column's field; None for one without a head."""
        kind = self._kind
        names = tuple(one.name for one in kind.fields) + (VALIDITY if kind.dated else ())
        found: list[Field | None] = []
        problems, strange = [], []
        for head in header:
            if not head:
                found.append(None)
                continue
            name = column_of(kind.name, names, head)
            if name is None:
                strange.append(head)
            elif any(one is not None and one.name == name for one in found):
                problems.append(Problem(word="column_twice", value=head))
            else:
                found.append(_DATES[name] if name in VALIDITY else kind.field(name))
        there = {one.name for one in found if one is not None}
        missing = [name for name in kind.key if name not in there and kind.field(name).required]
        if (strange or missing) and (other := _table_of(header)) not in (None, kind.name):
            raise Wrong(_is_other(other or ""))
        if strange:
            columns = Listed(called(kind.name, one) for one in names)
            value = ", ".join(strange)
            problems.append(
                Problem(word="columns_unknown", value=value, values={"columns": columns})
            )
        for name in missing:
            values = {"column": called(kind.name, name)}
            problems.append(Problem(word="columns_missing", values=values))
        if problems:
            raise Wrong(*problems)
        return found

    def take(self, number: int, cells: Any) -> None:
        self.plan.rows += 1
        given: dict[str, Value] = {}
        validity: dict[str, Value] = {}
        wrong: list[Problem] = []
        if any(cell not in (None, "") for cell in cells[len(self._columns) :]):
            wrong.append(Problem(word="row_long", row=number, kind=self._kind.name))
        for column, memo, cell in zip(self._columns, self._memo, cells, strict=False):
            if column is None:
                continue
            key = (cell.__class__, cell)
            value = memo.get(key, memo)
            if value is memo:
                value = memo[key] = self._read(column, cell)
            if isinstance(value, Wrong):
                wrong += [self._at(one, number) for one in value.problems]
                continue
            if column.type == "date" and isinstance(cell, str | int | float):
                self._note_date(column.name, number, cell, value)
            if value is not None:
                (validity if column.name in _DATES else given)[column.name] = value
        if wrong:
            self.plan.problems += wrong
            return
        self._rows.append(_Row(number, given, validity))

    def _read(self, column: Field, cell: Any) -> Value | Wrong:
        if isinstance(cell, str) and cell.strip().upper() in ERRORS:
            return column.wrong("cell_error", cell)
        try:
            value = column.read(cell)
        except Wrong as error:
            if any(one.word == "date_month_first" for one in error.problems):
                self._month_first.add(column.name)
            return error
        return value

    def _at(self, problem: Problem, number: int, code: str = "") -> Problem:
        return Problem(
            word=problem.word, values=problem.values, kind=self._kind.name, row=number, code=code,
            column=problem.column, value=problem.value,
        )  # fmt: skip

    def _note_date(self, name: str, number: int, cell: Any, value: Value) -> None:
        if is_ambiguous(cell):
            self._ambiguous.setdefault(name, []).append((number, cell, str(value)))

    def settle_dates(self) -> None:
        """Where a column has dates that can only be month/day, the others are in doubt."""
        doubtful: set[int] = set()
        for name, those in self._ambiguous.items():
            if name not in self._month_first:
                number, cell, read = those[0]
                values = {"read": read}
                self.plan.notes.append(
                    Problem(word="date", row=number, column=name, kind=self._kind.name,
                            value=cell, values=values)
                )  # fmt: skip
                continue
            for number, cell, _ in those:
                problem = Problem(word="date_mixed", column=name, value=cell)
                self.plan.problems.append(self._at(problem, number))
                doubtful.add(number)
        if doubtful:
            self._rows = [row for row in self._rows if row.number not in doubtful]

    def compare(self) -> None:
        """Find out what each row changes."""
        kind, plan = self._kind, self.plan
        for row in self._rows:
            self._mend_codes(row)
            row.code = kind.code(row.given)
        known = self._known()
        lacking = [one.name for one in kind.fields if one.name not in self._given]
        for row in self._rows:
            old = known.get(row.code)
            if old is not None and old.body is not None:
                for name in lacking:
                    if name in old.body:
                        row.given[name] = old.body[name]
            self._mend_document(row, old)
            try:
                body = self._whole_body(row.given)
            except Wrong as error:
                plan.problems += [self._at(one, row.number) for one in error.problems]
                continue
            self._change(row, self._book.stored(kind.name, body), old)

    def _whole_body(self, given: dict[str, Value]) -> Body:
        """As `Kind.read`, of values that are read already."""
        body: Body = {}
        missing = []
        for one in self._kind.fields:
            value = given.get(one.name)
            if value is not None:
                body[one.name] = value
            elif one.required:
                missing.append(Problem(word="missing", column=one.name))
        if problems := missing or self._kind.check(body):
            raise Wrong(*problems)
        return body

    def _known(self) -> dict[str, Entry]:
        kind = self._kind
        if not kind.many:
            return {one.code: one for one in self._book.entries(kind.name, self._day)}
        first, last = self._span()
        rows = self._book.entries(kind.name, first=first, last=last) if last else []
        return {one.code: one for one in rows}

    def _span(self) -> tuple[str, str]:
        codes = [row.code for row in self._rows]
        return (min(codes)[:10], max(codes)[:10] + "~") if codes else ("", "")

    def _change(self, row: _Row, body: Body, old: Entry | None) -> None:
        kind, plan, code = self._kind, self.plan, row.code
        since = _day(row.validity.get("valid_from"))
        until = _day(row.validity.get("valid_until"))
        if old is not None:
            theirs = (old.valid_from, old.valid_until)
            given = (
                since if "valid_from" in self._given else old.valid_from,
                until if "valid_until" in self._given else old.valid_until,
            )
            if body == old.body and given == theirs:
                plan.unchanged += 1
                return
            if kind.dated and given[0] == old.valid_from and body != old.body:
                since = self._day
        plan.changes.append(
            Change(
                kind=kind.name,
                code=code,
                body=body,
                valid_from=since,
                valid_until=until,
                row=row.number,
            )
        )
        if old is None:
            plan.new.add(row.number)
            return
        for one in kind.fields:
            before, after = (old.body or {}).get(one.name), body.get(one.name)
            if before != after and len(plan.edits) < _SHOWN:
                plan.edits.append(
                    Edit(row=row.number, code=code, column=one.name, old=before, new=after)
                )

    def retire_missing(self) -> None:
        """Of the entries in force, those that the table does not have."""
        kind = self._kind
        there = {row.code for row in self._rows}
        for code, old in self._known().items():
            if code not in there and old.body is not None:
                since = self._day if kind.dated else None
                self.plan.changes.append(
                    Change(kind=kind.name, code=code, body=None, valid_from=since)
                )

    def _mend_codes(self, row: _Row) -> None:
        """Codes whose leading zeros a spreadsheet took, where only one can be meant."""
        for column in self._refs:
            value = row.given.get(column.name)
            if not isinstance(value, str) or not value.isdigit():
                continue
            if value not in self._codes_of(column.of):
                full = self._zeros[column.of].get(int(value), "")
                if full:
                    self._note_zeros(row, column.name, value, full)
                    row.given[column.name] = full

    def _codes_of(self, kind: str) -> set[str]:
        if kind not in self._codes:
            codes = self._codes[kind] = {one.code for one in self._book.entries(kind)}
            zeros: dict[int, str] = {}
            for code in codes:
                if code.startswith("0") and code.isdigit():
                    zeros[int(code)] = "" if int(code) in zeros else code
            self._zeros[kind] = zeros
        return self._codes[kind]

    def _mend_document(self, row: _Row, old: Entry | None) -> None:
        number = row.given.get("document")
        if row.given.get("document_kind") != "DNI" or not isinstance(number, str):
            return
        known = (old.body or {}).get("document") if old else None
        if len(number) < 8 and number.isdigit() and number.zfill(8) == known:
            self._note_zeros(row, "document", number, str(known))
            row.given["document"] = known

    def _note_zeros(self, row: _Row, column: str, value: str, repaired: str) -> None:
        problem = Problem(word="zeros", column=column, value=value, values={"repaired": repaired})
        self.plan.notes.append(self._at(problem, row.number))


def _day(value: Value) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None
