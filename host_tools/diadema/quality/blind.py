"""What a monitor must not find: the contacts that were given to the account to evaluate blind, as
long as that is to be done, and those in whose place they came, which are of the same agents. Reads
of single contacts leave them out.
"""

from typing import Literal, Protocol

from sqlalchemy import Connection

from diadema.base.paths import DataDir
from diadema.store import open_reader
from diadema.store.assistance import Key, key_of
from diadema.store.quality import assigned_calls, call_of
from diadema.store.quality_rows import Assignment


class Evaluator(Protocol):
    """Whose reads these are; `access.roles.Person` is one."""

    @property
    def id(self) -> str: ...

    def may(self, *rights: Literal["evaluate"]) -> bool: ...


def hidden(data: DataDir, person: Evaluator, now_ms: int) -> frozenset[Key]:
    """The keys of those contacts. Whoever evaluates nothing has none. Raises DiademaError."""
    if not person.may("evaluate") or not data.store.exists():
        return frozenset()
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return hidden_in(tx, person, now_ms)


def hidden_in(tx: Connection, person: Evaluator, now_ms: int) -> frozenset[Key]:
    """The same, of a store that is open."""
    if not person.may("evaluate"):
        return frozenset()
    waiting = assigned_calls(tx, assignee=person.id, waiting=True)
    open_ones = [one.assignment for one in waiting if now_ms < one.assignment.due_utc]
    draws = {one.draw for one in open_ones if one.draw is not None and one.of_s is not None}
    given = [one.assignment for one in assigned_calls(tx, draws=draws)] if draws else []
    before = {key_of(one): one for one in given}
    found = set[Key]()
    for one in open_ones:
        its: Assignment | None = one
        while its is not None:
            found.add(call_of(its))
            its = before.get((its.of_s or "", its.of_e or 0, its.of_n or 0))
    return frozenset(found)
