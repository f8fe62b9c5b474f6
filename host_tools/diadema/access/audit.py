"""Who did or read what, when, of which agents and from where. Append-only: each row's hash is over
the one before it, under the key of the records, so that none can be changed or taken out unseen.

What was answered to writes that name themselves, for a day: asked again, the same once more.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import SQLAlchemyError

from diadema.access.database import answers, audit
from diadema.access.roles import Person
from diadema.base.idempotency import RETENTION_MS, Once
from diadema.base.sqlite import writing
from diadema.store.record_heads import AUDIT, FIRST, end_of, key_of, link, of_purpose, old_link

ALL = ("*",)  # every agent
_WAITING = 10_000
_AGAIN_S = 1.0
_SAME_MS = 60_000
_encode = msgspec.json.Encoder(order="sorted").encode


def of_team(team: str) -> str:
    """How every agent of one team stands in a row."""
    return f"*{team}"


class AuditFull(Exception):
    """Nothing can be written any more, so nothing personal may be read either."""


class Row(Struct, kw_only=True, frozen=True):
    number: int
    at_ms: int
    who: str
    role: str
    what: str
    agents: list[str]
    detail: dict[str, Any]
    address: str
    hash: str


def append(
    tx: Connection,
    at_ms: int,
    person: Person,
    what: str,
    agents: Iterable[str] = (),
    **detail: Any,
) -> None:
    """One more row, in the transaction of what it tells of."""
    end = end_of(tx, AUDIT, audit)
    row = Row(
        number=end.count + 1, at_ms=at_ms, who=person.id, role=person.role, what=what,
        agents=sorted(set(agents)), detail=detail, address=person.address, hash="",
    )  # fmt: skip
    fields = msgspec.to_builtins(row) | {"hash": link(_key(tx.engine), end.hash, _content(row))}
    tx.execute(audit.insert(), fields)


def _key(engine: Engine) -> bytes:
    return of_purpose(key_of(Path(str(engine.url.database)).parent), AUDIT)


def _content(row: Row) -> bytes:
    return _encode([getattr(row, name) for name in row.__struct_fields__ if name != "hash"])


class Audit:
    """Reads and checks the record; `note` writes behind whoever cannot wait for the disk."""

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self.now = now
        self._waiting: deque[tuple[int, Person, str, tuple[str, ...]]] = deque()
        self._said: dict[tuple[Any, ...], int] = {}
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ends = False

    def note(self, person: Person, what: str, agents: Iterable[str] = ()) -> None:
        """Written within moments, by a thread. The same again within a minute is not repeated.

        Raises AuditFull when the disk has taken nothing for long.
        """
        named = tuple(sorted(set(agents)))
        whose = person.id, person.session, person.address
        key, at_ms = (*whose, what, named), self.now()
        with self._wake:
            if at_ms - self._said.get(key, -_SAME_MS) < _SAME_MS:
                return
            if len(self._waiting) >= _WAITING:
                raise AuditFull
            if len(self._said) >= _WAITING:
                self._said.clear()
            self._said[key] = at_ms
            self._waiting.append((at_ms, person, what, named))
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
                self._thread.start()
            self._wake.notify()

    def record(self, person: Person, what: str, agents: Iterable[str] = (), **detail: Any) -> None:
        """Written when this returns. Raises what the file raises."""
        with writing(self._engine) as tx:
            append(tx, self.now(), person, what, agents, **detail)

    def close(self, patience_s: float = 3.0) -> None:
        """What was noted is written."""
        with self._wake:
            thread, self._ends = self._thread, True
            self._wake.notify()
        if thread is not None:
            thread.join(patience_s)

    def rows(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        who: str = "",
        what: str = "",
        agent: str = "",
        teams: Iterable[str] = (),
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> list[Row]:
        """The newest first. `what` by its beginning; `agent`: rows that name the agent,
        that tell of all agents, or of all of one of `teams`, those that the agent was ever of.
        """
        row = audit.c
        query = select(audit).order_by(row.number.desc()).limit(limit)
        if before is not None:
            query = query.where(row.number < before)
        if who:
            query = query.where(row.who == who)
        if what:
            query = query.where(row.what.startswith(what, autoescape=True))
        if from_ms is not None:
            query = query.where(row.at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(row.at_ms < to_ms)
        if agent:
            own = [agent, *ALL, *map(of_team, teams)]
            named = func.json_each(row.agents).table_valued("value")
            query = query.where(
                select(1).select_from(named).where(named.c.value.in_(own)).exists()
            )
        with self._engine.connect() as connection:
            return [Row(**found._mapping) for found in connection.execute(query)]

    def check(self) -> int | None:
        """The number of the first row that does not follow from the one before it. Rows of before
        there was a key may stand at the beginning; `records.checking` looks how it ends.
        """
        key, keyless = _key(self._engine), True
        digest, number = FIRST, 0
        with self._engine.connect() as connection:
            for found in connection.execute(select(audit).order_by(audit.c.number)):
                row = Row(**found._mapping)
                number += 1
                content = _content(row)
                keyless = keyless and row.hash == old_link(digest, content)
                digest = row.hash if keyless else link(key, digest, content)
                if row.number != number or row.hash != digest:
                    return number
        return None

    def _write(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._ends:
                    self._wake.wait()
                if not self._waiting:
                    return
                some = list(self._waiting)
            try:
                with writing(self._engine) as tx:
                    for at_ms, person, what, agents in some:
                        append(tx, at_ms, person, what, agents)
            except SQLAlchemyError:
                with self._wake:
                    if self._ends:
                        return
                    self._wake.wait(_AGAIN_S)
                continue
            with self._wake:
                for _ in some:
                    self._waiting.popleft()


class Answers:
    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._now = now

    def of(self, once: Once) -> bytes | None:
        """Raises OtherRequest."""
        row = answers.c
        mine = (row.id == once.id) & (row.at_ms > self._now() - RETENTION_MS)
        with self._engine.connect() as connection:
            stored = connection.execute(select(row.request, row.sealed).where(mine)).first()
        return once.opened(stored.request, stored.sealed) if stored else None

    def keep(self, once: Once, answer: bytes) -> None:
        """Those of more than a day ago go."""
        now = self._now()
        fields = {"request": once.request, "at_ms": now, "sealed": once.sealed(answer)}
        made = insert(answers).values(id=once.id, **fields)
        with writing(self._engine) as tx:
            tx.execute(delete(answers).where(answers.c.at_ms <= now - RETENTION_MS))
            tx.execute(made.on_conflict_do_update(index_elements=["id"], set_=fields))
