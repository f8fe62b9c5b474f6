"""The directory: people and places with every version of every entry, in `directory.sqlite3`.
Several processes may have it open. A change is checked whole, and done whole or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, or_, select

from diadema.directory import links
from diadema.directory.kinds import Body, kind_of
from diadema.directory.tables import changes, entries, open_tables, publications
from diadema.directory.wrong import Problem, Wrong
from diadema.errors import DiademaError
from diadema.harmless import hidden

_ROWS = 5000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Entry(Struct, frozen=True, kw_only=True):
    """One version of an entry. `body` None: retired as from `valid_from`."""

    kind: str
    code: str
    version: int
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    by: str = ""
    at_ms: int = 0
    reason: str = ""
    change: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What shall become of an entry: another body, or None to retire it. `seen`: the version that
    whoever changes it has looked at, 0 for none; None does not ask. `restores`: it was retired,
    and is the same one again. `row`: of a file.
    """

    kind: str
    code: str
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    seen: int | None = None
    restores: bool = False
    row: int | None = None


class Directory:
    """Use it as a context manager, or `close` it."""

    def __init__(self, path: Path) -> None:
        self._engine = open_tables(path)

    def __enter__(self) -> "Directory":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Everything that is read in it is of one moment."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._engine.connect().execution_options(write=True) as tx, tx.begin():
            yield tx

    def last_change(self) -> int:
        with self.reading() as tx:
            return int(
                tx.execute(select(func.coalesce(func.max(changes.c.number), 0))).scalar_one()
            )

    def entry(self, kind: str, code: str, day: date | None = None) -> Entry | None:
        """As it is on that day, or its newest version."""
        kind_of(kind)
        of_it = and_(entries.c.kind == kind, entries.c.code == code)
        if day is not None:
            of_it = and_(of_it, _covers(entries.c, day))
        query = _SELECT.where(of_it).order_by(entries.c.version.desc()).limit(1)
        with self.reading() as tx:
            row = tx.execute(query).first()
        return _entry(row) if row else None

    def history(self, kind: str, code: str) -> list[Entry]:
        """Its versions, the newest first."""
        kind_of(kind)
        query = _SELECT.where(entries.c.kind == kind, entries.c.code == code)
        with self.reading() as tx:
            return [_entry(row) for row in tx.execute(query.order_by(entries.c.version.desc()))]

    def entries(
        self,
        kind: str,
        day: date | None = None,
        *,
        first: str = "",
        last: str | None = None,
        after: str | None = None,
        limit: int | None = None,
        retired: bool = False,
        since: int = 0,
    ) -> list[Entry]:
        """In order of their codes, from `first` to before `last`, or after `after`. On that day,
        or each one's newest version. `retired`: those too. `since`: of later changes only.
        """
        kind_of(kind)
        with self.reading() as tx:
            found = _entries(
                tx, kind, day, first, last, after, limit, retired=retired, since=since
            )
            return list(found)

    def bodies(
        self, kind: str, first: str = "", last: str | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Code and body as it is kept of each entry from `first` to before `last`, in order of
        codes; newest versions, for whoever reads many.
        """
        query = select(entries.c.code, entries.c.body)
        query = query.where(_chosen(kind, None, first, last, retired=False))
        with self.reading() as tx:
            for row in tx.execute(query.order_by(entries.c.code)):
                yield row.code, row.body

    def count(self, kind: str, day: date | None = None, first: str = "", last: str = "") -> int:
        kind_of(kind)
        query = select(func.count()).where(_chosen(kind, day, first, last or None, retired=False))
        with self.reading() as tx:
            return int(tx.execute(query.select_from(entries)).scalar_one())

    def apply(self, wanted: Iterable[Change], *, by: str, reason: str, at_ms: int) -> int:
        """Do all of it, or nothing; gives the number of versions written. Raises Wrong with each
        problem, in the order of `wanted`.
        """
        check_author(by, reason)
        asked = list(wanted)
        if not asked:
            return 0
        with self.writing() as tx:
            newest = Newest(tx, asked)
            if problems := newest.all_problems(asked):
                conflict = all(problem.word == "changed_meanwhile" for problem in problems)
                raise Wrong(*problems, conflict=conflict)
            done = insert(changes).values(at_ms=at_ms, by=by.strip(), reason=reason.strip())
            number = tx.execute(done).inserted_primary_key
            assert number is not None
            for start in range(0, len(asked), _ROWS):
                rows = [newest.next_row(one, number[0]) for one in asked[start : start + _ROWS]]
                tx.execute(insert(entries), rows)
        return len(asked)

    def problems(self, wanted: Iterable[Change]) -> list[Problem]:
        """What would keep `apply` from doing it."""
        asked = list(wanted)
        with self.reading() as tx:
            return Newest(tx, asked).all_problems(asked)

    def published(self) -> Row[Any] | None:
        """The last publication."""
        query = select(publications).order_by(publications.c.number.desc()).limit(1)
        with self.reading() as tx:
            return tx.execute(query).first()


class Newest:
    """The newest version of each entry of a kind as a change finds them; read once a kind."""

    def __init__(self, tx: Connection, asked: list[Change]) -> None:
        self._tx = tx
        self._kinds: dict[str, dict[str, tuple[int, Body | None]]] = {}
        self._starts: dict[tuple[str, str], date] = {}
        self._asked = asked

    def of(self, kind: str) -> Mapping[str, tuple[int, Body | None]]:
        """code → version and body; of a kind with many, only what is asked about."""
        known = self._kinds.get(kind)
        if known is None:
            if kind_of(kind).many:
                codes = sorted(one.code for one in self._asked if one.kind == kind)
                first, last = (codes[0], codes[-1] + "\0") if codes else ("", "")
            else:
                first, last = "", None
            rows = [*_entries(self._tx, kind, None, first, last, None, None, retired=True)]
            known = self._kinds[kind] = {row.code: (row.version, row.body) for row in rows}
            starts = ((row.code, row.valid_from) for row in rows)
            self._starts |= {(kind, code): start for code, start in starts if start is not None}
        return known

    def all_problems(self, asked: list[Change]) -> list[Problem]:
        return [*self.problems(asked), *links.problems(self, asked)]

    def problems(self, asked: Iterable[Change]) -> Iterator[Problem]:
        """Of each change by itself."""
        rows: dict[tuple[str, str], int | None] = {}
        for one in asked:
            key = (one.kind, one.code)
            if key in rows:
                yield _problem(one, "code_twice", other=rows[key] or "?")
                continue
            rows[key] = one.row
            if (word := self._wrong(one)) is not None:
                planned = self._starts.get(key)
                values = {"day": planned} if word == "planned" else {}
                yield _problem(one, word, **values)

    def _wrong(self, one: Change) -> str | None:
        """The word of what is wrong with it."""
        kind = kind_of(one.kind)
        version, body = self.of(one.kind).get(one.code, (0, None))
        there, wanted = body is not None, one.body is not None
        if one.seen is not None and one.seen != version:
            return "code_taken" if one.seen == 0 else "changed_meanwhile"
        if not wanted and not there:
            return "unknown_code"
        if one.restores and (there or not version):
            return "not_retired"
        if wanted and version and not there and not (kind.slot or one.restores):
            return "code_retired"
        if one.body is not None and kind.code(one.body) != one.code:
            return "code_other"
        if one.valid_from and one.valid_until and one.valid_until < one.valid_from:
            return "validity"
        return "planned" if wanted and self._hides_plan(one) else None

    def _hides_plan(self, one: Change) -> bool:
        """Whether a change that was made for later days would be lost by it unseen."""
        planned = self._starts.get((one.kind, one.code))
        if planned is None or one.valid_from is None or planned <= one.valid_from:
            return False
        return one.valid_until is None or one.valid_until >= planned

    def next_row(self, one: Change, number: int) -> dict[str, Any]:
        version, _ = self.of(one.kind).get(one.code, (0, None))
        return {
            "kind": one.kind,
            "code": one.code,
            "version": version + 1,
            "valid_from": one.valid_from and one.valid_from.isoformat(),
            "valid_until": one.valid_until and one.valid_until.isoformat(),
            "body": None if one.body is None else _encode(one.body),
            "change": number,
        }


def _problem(one: Change, word: str, **values: Any) -> Problem:
    column, value = kind_of(one.kind).key[-1], one.code
    if word == "validity":
        column, value = "valid_until", f"{one.valid_until}"
    return Problem(
        word=word, values=values, kind=one.kind, code=one.code, row=one.row, column=column,
        value=value,
    )  # fmt: skip


def check_author(by: str, reason: str) -> None:
    """Raises Wrong unless both can stand in the history."""
    for column, value, most in (("by", by, 64), ("reason", reason, 200)):
        if not value.strip():
            raise Wrong(Problem(word="missing", column=column))
        if strange := hidden(value):
            characters = {"characters": ", ".join(strange)}
            raise Wrong(Problem(word="hidden", column=column, value=value, values=characters))
        if len(value) > most:
            values = {"most": most, "length": len(value)}
            raise Wrong(Problem(word="too_long", column=column, value=value, values=values))


_SELECT = select(entries, changes.c.at_ms, changes.c.by, changes.c.reason).join(
    changes, changes.c.number == entries.c.change
)


def _covers(columns: Any, day: date) -> ColumnElement[bool]:
    text = day.isoformat()
    return and_(
        or_(columns.valid_from.is_(None), columns.valid_from <= text),
        or_(columns.valid_until.is_(None), columns.valid_until >= text),
    )


def _chosen(
    kind: str, day: date | None, first: str, last: str | None, *, retired: bool
) -> ColumnElement[bool]:
    later = entries.alias("later")
    newer = [
        later.c.kind == entries.c.kind,
        later.c.code == entries.c.code,
        later.c.version > entries.c.version,
    ]
    clauses = [entries.c.kind == kind, entries.c.code >= first]
    if last is not None:
        clauses.append(entries.c.code < last)
    if day is not None:
        newer.append(_covers(later.c, day))
        clauses.append(_covers(entries.c, day))
    clauses.append(~exists().where(*newer))
    if not retired:
        clauses.append(entries.c.body.is_not(None))
    return and_(*clauses)


def _entries(
    tx: Connection,
    kind: str,
    day: date | None,
    first: str,
    last: str | None,
    after: str | None,
    limit: int | None,
    *,
    retired: bool,
    since: int = 0,
) -> Iterator[Entry]:
    query = _SELECT.where(_chosen(kind, day, first, last, retired=retired))
    if since:
        query = query.where(entries.c.change > since)
    if after is not None:
        query = query.where(entries.c.code > after)
    for row in tx.execute(query.order_by(entries.c.code).limit(limit)):
        yield _entry(row)


def _entry(row: Row[Any]) -> Entry:
    try:
        body = None if row.body is None else _decode(row.body)
    except msgspec.DecodeError as error:
        raise DiademaError(f"{row.kind} {row.code} in the directory cannot be read") from error
    return Entry(
        kind=row.kind,
        code=row.code,
        version=row.version,
        body=body,
        valid_from=row.valid_from and date.fromisoformat(row.valid_from),
        valid_until=row.valid_until and date.fromisoformat(row.valid_until),
        by=row.by,
        at_ms=row.at_ms,
        reason=row.reason,
        change=row.change,
    )
