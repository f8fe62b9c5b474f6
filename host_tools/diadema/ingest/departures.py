"""Since when an agent is out: the end of the last session of hers, whatever came in first."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from diadema.store import tables
from diadema.store.rows import Session


class Departures:
    """By agent. A session whose end has no hour, and that nothing says was over before the last
    known one, leaves it unknown since when.
    """

    def __init__(self, tx: Connection) -> None:
        self._last: dict[str, int] = {}
        self._journals: dict[tuple[str, str, int], int] = {}  # a, s, e: n of the last with an hour
        self._doubtful: dict[str, dict[tuple[str, int, int], int | None]] = {}  # with open_utc
        row = tables.sessions.c
        query = select(row.a, row.s, row.e, row.n, row.open_utc, row.close_utc)
        for found in tx.execute(query.where(row.reason.is_not(None))):
            self._note(*found)

    def note(self, sessions: Iterable[Session]) -> None:
        """These are new, or changed."""
        for one in sessions:
            if one.reason is not None:
                self._note(one.a, one.s, one.e, one.n, one.open_utc, one.close_utc)

    def since(self, a: str) -> int | None:
        last, doubtful = self._last.get(a), self._doubtful.get(a)
        if last is None or not doubtful:
            return last
        unknown = any(
            (open_utc is None or open_utc >= last) and n > self._journals.get((a, s, e), 0)
            for (s, e, n), open_utc in doubtful.items()
        )
        return None if unknown else last

    def _note(
        self, a: str, s: str, e: int, n: int, open_utc: int | None, close_utc: int | None
    ) -> None:
        if close_utc is None:
            self._doubtful.setdefault(a, {})[s, e, n] = open_utc
            return
        self._last[a] = max(self._last.get(a, 0), close_utc)
        self._journals[a, s, e] = max(self._journals.get((a, s, e), 0), n)
        if (its := self._doubtful.get(a)) is not None:
            its.pop((s, e, n), None)
