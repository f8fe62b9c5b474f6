"""Whose badge it was: every badge that the site ever named, by its keyed hash, and for whom when.

Kept beside the site, which only knows of today: a mark is resolved by the roster of its own hour.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from diadema.store import tables


class Badge(NamedTuple):
    """`until_utc`: null for a badge without an end; a badge for one day has both bounds."""

    badge: str
    agent: str
    from_utc: int
    until_utc: int | None


class Badges:
    """What the store has of them."""

    def __init__(self, tx: Connection) -> None:
        self._rows: dict[str, list[Badge]] = {}
        row = tables.badges.c
        for found in tx.execute(select(tables.badges).order_by(row.from_utc)):
            self._rows.setdefault(found.badge, []).append(Badge(*found))

    def owner(self, badge: str | None, utc: int | None) -> str | None:
        """The one for whom it is that day; else the last one before that hour who had it for good,
        else the first one after it (a badge may be entered after it was used).
        """
        rows = self._rows.get(badge or "", ())
        lasting = [row for row in rows if row.until_utc is None]
        if utc is not None:
            for row in rows:
                if row.until_utc is not None and row.from_utc <= utc < row.until_utc:
                    return row.agent
            before = [row for row in lasting if row.from_utc <= utc]
            lasting = before or lasting[:1]
        return lasting[-1].agent if lasting else None

    def missing(self, wanted: Iterable[Badge]) -> list[Badge]:
        """Those of `wanted` that say something new."""
        new = []
        for one in wanted:
            rows = self._rows.get(one.badge, [])
            if one.until_utc is not None:
                if one not in rows:
                    new.append(one)
            else:
                lasting = [row for row in rows if row.until_utc is None]
                if not lasting or lasting[-1].agent != one.agent:
                    new.append(one)
        return new
