"""The directory: people and places with every version of every entry, in `directory.sqlite3`.
Several processes may have it open. A change is checked whole, and done whole or not at all.
"""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, and_, func, insert, or_, select

from diadema.base.paths import DataDir
from diadema.base.sqlite import writing
from diadema.site.badges import BadgeKeys, keys_of
from diadema.site.directory.checking import Newest, check_author
from diadema.site.directory.kinds import Body, kind_of
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.tables import (
    SELECT,
    Change,
    Entry,
    Frozen,
    changes,
    chosen,
    covers,
    entries,
    entry_of,
    open_tables,
    publications,
    read_entries,
    read_frozen,
)

__all__ = ["Change", "Directory", "Entry", "check_author"]

_ROWS = 5000


class Directory:
    """Use it as a context manager, or `close` it."""

    def __init__(self, path: Path) -> None:
        self._data = DataDir(path.parent)
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
        with writing(self._engine) as tx:
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
            of_it = and_(of_it, covers(entries.c, day))
        query = SELECT.where(of_it).order_by(entries.c.version.desc()).limit(1)
        with self.reading() as tx:
            row = tx.execute(query).first()
        return entry_of(row) if row else None

    def history(self, kind: str, code: str) -> list[Entry]:
        """Its versions, the newest first."""
        kind_of(kind)
        query = SELECT.where(entries.c.kind == kind, entries.c.code == code)
        with self.reading() as tx:
            return [entry_of(row) for row in tx.execute(query.order_by(entries.c.version.desc()))]

    def versions(self, kind: str) -> list[Entry]:
        """Of each entry, in order of their codes, the newest first."""
        kind_of(kind)
        query = SELECT.where(entries.c.kind == kind)
        ordered = query.order_by(entries.c.code, entries.c.version.desc())
        with self.reading() as tx:
            return [entry_of(row) for row in tx.execute(ordered)]

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
            found = read_entries(
                tx, kind, day, first, last, after, limit, retired=retired, since=since
            )
            return list(found)

    def changing(self, kind: str, first: date, last: date) -> list[str]:
        """Codes of which a version begins or ends between these days."""
        begins = entries.c.valid_from.between((first + timedelta(1)).isoformat(), last.isoformat())
        ends = entries.c.valid_until.between(first.isoformat(), (last - timedelta(1)).isoformat())
        query = select(entries.c.code).where(entries.c.kind == kind, or_(begins, ends)).distinct()
        with self.reading() as tx:
            return [*tx.execute(query.order_by(entries.c.code)).scalars()]

    def some(self, kind: str, codes: Collection[str]) -> list[Entry]:
        """The newest versions of these, without what was retired."""
        which = chosen(kind, None, min(codes, default=""), None, retired=False)
        query = SELECT.where(which, entries.c.code.in_(codes))
        with self.reading() as tx:
            return [entry_of(row) for row in tx.execute(query)]

    def bodies(
        self, kind: str, first: str = "", last: str | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Code and body as it is kept of each entry from `first` to before `last`, in order of
        codes; newest versions, for whoever reads many.
        """
        query = select(entries.c.code, entries.c.body)
        query = query.where(chosen(kind, None, first, last, retired=False))
        with self.reading() as tx:
            for row in tx.execute(query.order_by(entries.c.code)):
                yield row.code, row.body

    def count(self, kind: str, day: date | None = None, first: str = "", last: str = "") -> int:
        kind_of(kind)
        query = select(func.count()).where(chosen(kind, day, first, last or None, retired=False))
        with self.reading() as tx:
            return int(tx.execute(query.select_from(entries)).scalar_one())

    @cached_property
    def badge_keys(self) -> BadgeKeys:
        return keys_of(self._data)

    def stored(self, kind: str, body: Body) -> Body:
        """As it will stand here: badges by their keyed hashes."""
        return kind_of(kind).with_badges(body, lambda badge: self.badge_keys.stored(badge))

    def _as_stored(self, wanted: Iterable[Change]) -> list[Change]:
        return [
            one if one.body is None else replace(one, body=self.stored(one.kind, one.body))
            for one in wanted
        ]

    def apply(self, wanted: Iterable[Change], *, by: str, reason: str, at_ms: int) -> int:
        """Do all of it, or nothing; gives the number of versions written. Raises Wrong with each
        problem, in the order of `wanted`.
        """
        check_author(by, reason)
        requested = self._as_stored(wanted)
        if not requested:
            return 0
        with self.writing() as tx:
            newest = Newest(tx, requested)
            if problems := newest.all_problems(requested):
                conflict = all(problem.word == "changed_meanwhile" for problem in problems)
                raise Wrong(*problems, conflict=conflict)
            done = insert(changes).values(at_ms=at_ms, by=by.strip(), reason=reason.strip())
            number = tx.execute(done).inserted_primary_key
            assert number is not None
            for start in range(0, len(requested), _ROWS):
                rows = [
                    newest.next_row(one, number[0]) for one in requested[start : start + _ROWS]
                ]
                tx.execute(insert(entries), rows)
        return len(requested)

    def problems(self, wanted: Iterable[Change]) -> list[Problem]:
        """What would keep `apply` from doing it."""
        requested = self._as_stored(wanted)
        with self.reading() as tx:
            return Newest(tx, requested).all_problems(requested)

    def frozen(self, prefix: str) -> list[Frozen]:
        """Every published version of the scorecards, or of the notices."""
        with self.reading() as tx:
            return read_frozen(tx, prefix, all_of_it=True)

    def published(self) -> Row[Any] | None:
        """The last publication."""
        query = select(publications).order_by(publications.c.number.desc()).limit(1)
        with self.reading() as tx:
            return tx.execute(query).first()
