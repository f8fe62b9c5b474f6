"""Keeps where each chain ends in the other file, and enters in both when a record was restored or
worked out anew: so that it is told from a cut.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Table

from diadema.access import Accounts
from diadema.access.audit import append
from diadema.access.database import writing
from diadema.access.roles import Person
from diadema.access.tables import audit
from diadema.access.tables import record_heads as kept_by_accounts
from diadema.base.clock import Clock
from diadema.base.paths import DataDir
from diadema.maintenance.records_checking import BEGUN, LEDGER, follows
from diadema.store import Writer, open_writer, tables
from diadema.store.record_heads import (
    AUDIT,
    Head,
    end_of,
    keep_heads,
    kept_head,
)
from diadema.store.record_key import key_of, link, of_purpose

_HUB = Person(id="hub", name="hub", role="service")
_encode = msgspec.json.Encoder().encode


def keep_ledger(accounts: Accounts, key: bytes, store: Connection, utc: int) -> list[str]:
    """Where the store's chains end, into the accounts; those that did not come from where they
    were are left as they stand, and named.
    """
    with accounts.engine.connect() as tx:
        new, broken = _moved(tx, kept_by_accounts, key, store, LEDGER)
    if new:
        with writing(accounts.engine) as tx:
            _begin(tx, kept_by_accounts, key, new, utc)
            keep_heads(tx, kept_by_accounts, key, new, utc)
    return broken


def new_audit_head(
    accounts: Accounts, key: bytes, store: Connection, utc: int
) -> tuple[list[Head], list[str]]:
    """The same of the audit, for whoever writes the store."""
    with accounts.engine.connect() as tx:
        new, broken = _moved(store, tables.record_heads, key, tx, {AUDIT: audit})
    if new:
        with writing(accounts.engine) as tx:
            if _begin(tx, tables.record_heads, key, new, utc, other=store):
                new = [end_of(tx, AUDIT, audit)]
    return new, broken


def enter(
    data: DataDir, clock: Clock, by: Person, what: str, reason: str = "", **more: int
) -> None:
    """Into both files: that the records were `restored`, `rebuilt` or `erased`, how far each was
    known to reach, and how far it does now. Nothing else may work on the store. Raises
    DiademaError.
    """
    key, now = key_of(data.root), clock.now_ms()
    accounts, writer = Accounts(data), open_writer(data.store)
    try:
        with writer.transaction() as store, writing(accounts.engine) as tx:
            was = [kept_head(tx, kept_by_accounts, key, name)[0] for name in LEDGER]
            was.append(kept_head(store, tables.record_heads, key, AUDIT)[0])
            heads = [end_of(store, name, table) for name, table in LEDGER.items()]
            told = [*heads, end_of(tx, AUDIT, audit)]
            detail: dict[str, Any] = {
                "reason": reason,
                "was": {one.ledger: one.short for one in was if one},
                "now": {one.ledger: one.short for one in told},
                **more,
            }
            append(tx, accounts.audit.now(), by, f"records.{what}", **detail)
            keep_heads(tx, kept_by_accounts, key, heads, now)
            _enter(writer, store, key, (now, what, by.id, _encode(detail).decode()))
            keep_heads(store, tables.record_heads, key, [end_of(tx, AUDIT, audit)], now)
    finally:
        writer.close()
        accounts.close()


def _enter(writer: Writer, tx: Connection, key: bytes, told: tuple[int, str, str, str]) -> None:
    end = end_of(tx, "entries", tables.record_entries)
    content = _encode((end.count + 1, *told))
    digest = link(of_purpose(key, "entries"), end.hash, content)
    writer.put(tx, tables.record_entries, [(end.count + 1, *told, digest)])


def _moved(
    kept_by: Connection, heads: Table, key: bytes, own: Connection, chains: dict[str, Table]
) -> tuple[list[Head], list[str]]:
    new: list[Head] = []
    broken: list[str] = []
    for name, table in chains.items():
        end = end_of(own, name, table)
        kept, sealed = kept_head(kept_by, heads, key, name)
        if kept is not None and not (sealed and follows(own, table, kept)):
            broken.append(name)
        elif kept is None or kept.count < end.count:
            new.append(end)
    return new, broken


def _begin(
    tx: Connection,
    heads: Table,
    key: bytes,
    new: list[Head],
    utc: int,
    other: Connection | None = None,
) -> bool:
    """Say in the audit which heads are kept for the first time: whoever takes one away to cut its
    chain has that said twice.
    """
    first = [one for one in new if kept_head(other or tx, heads, key, one.ledger)[0] is None]
    for one in first:
        append(tx, utc, _HUB, BEGUN, ledger=one.ledger, head=one.short)
    return bool(first)
