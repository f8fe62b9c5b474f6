"""Pauses that a recorder did not respect: an alert of the queue whose call it was. Whose call is
nobody's business there, for it may be one that is evaluated blind.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader, tables
from diadema.store.assistance import Key
from diadema.store.contact_rows import contact_of
from diadema.web.floor.queue_alerts import Alert

RULE = "recording_pauses"
EVERY_S = 30.0
DAY_MS = 86_400_000  # for which it is an alert
NO_QUEUE = "—"  # in place of its name
_AT_ONCE = 5_000
_BEHIND = 200_000  # rows: more than a day has, at first
_NOT = "not"
# in the order in which they were taken in
_ROW: ColumnElement[int] = literal_column("recordings.rowid")

log = logging.getLogger(__name__)


class _Unheeded(Struct, frozen=True):
    """`utc`: when that was found."""

    queue: str
    utc: int


class Unheeded:
    """`run` is its task; `alerts` hold now."""

    def __init__(
        self, data: DataDir, now_ms: Callable[[], int], people: Callable[[], People]
    ) -> None:
        self._data, self._now_ms, self._people = data, now_ms, people
        self._found: dict[Key, _Unheeded] = {}
        self._last: int | None = None  # row that was read

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
            except (DiademaError, SQLAlchemyError) as error:
                log.info("recordings cannot be read yet: %s", error)
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Read what was said of recordings since. Raises DiademaError and SQLAlchemyError."""
        if not self._data.store.exists():
            return
        with open_reader(self._data.store) as reader, reader.engine.connect() as tx:
            last_of_all = select(func.max(_ROW)).select_from(tables.recordings)
            newest = int(tx.execute(last_of_all).scalar() or 0)
            if self._last is None or newest < self._last:  # or another store
                self._found, self._last = {}, max(newest - _BEHIND, 0)
            while self._last < newest:
                until = min(self._last + _AT_ONCE, newest)
                self._read(tx, self._last, until)
                self._last = until

    def _read(self, tx: Connection, after: int, until: int) -> None:
        said, call = tables.recordings.c, tables.contacts.c
        its = (call.s == said.call_s) & (call.e == said.call_e) & (call.n == said.call_n)
        joined = tables.recordings.outerjoin(tables.contacts, its)
        query = select(said.call_s, said.call_e, said.call_n, said.pauses, said.utc, call.row)
        query = query.select_from(joined).where(_ROW.between(after + 1, until)).order_by(_ROW)
        for s, e, n, pauses, utc, row in tx.execute(query):
            self._found.pop((s, e, n), None)
            if pauses == _NOT:
                contact = contact_of(row) if row is not None else None
                queue = (contact.queue if contact is not None else None) or NO_QUEUE
                self._found[s, e, n] = _Unheeded(queue, utc)

    def alerts(self) -> list[Alert]:
        """One a queue; each that is found later begins it anew."""
        since_ms = self._now_ms() - DAY_MS
        people, found = self._people(), dict[str, list[int]]()
        for one in tuple(self._found.values()):
            if one.utc > since_ms:
                found.setdefault(people.queue(one.queue, one.utc) or one.queue, []).append(one.utc)
        return [*_alerts(found.items(), people)]


def _alerts(found: Iterable[tuple[str, list[int]]], people: People) -> Iterable[Alert]:
    for queue, times in found:
        name = people.queues.get(queue, queue)
        yield Alert(rule=RULE, name=name, since=max(times), level=3, limit=0,
                    what=str(len(times)), queue=queue)  # fmt: skip
