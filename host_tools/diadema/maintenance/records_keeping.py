"""Keeps where each chain ends in the other file, and enters in both when a record was restored or
worked out anew: so that it is told from a cut.

Whether the records are whole: each chain by itself, and that none is shorter than, or another
than, what the other file knows of it.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Table, func, select

from diadema.access import Accounts
from diadema.access.audit import append
from diadema.access.database import audit
from diadema.access.database import record_heads as account_heads
from diadema.access.roles import THE_HUB, Person
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.sqlite import writing
from diadema.store import Writer, open_reader, open_writer, tables
from diadema.store.chain import (
    correction_link,
    mark_link,
    mark_time_link,
    old_mark_link,
    unchained,
)
from diadema.store.record_heads import (
    AUDIT,
    FIRST,
    Head,
    end_of,
    hash_at,
    keep_heads,
    key_of,
    link,
    of_purpose,
    stored_head,
)
from diadema.store.rows import HUB

LEDGER = {"marks": tables.marks, "hours": tables.mark_hours, "corrections": tables.corrections}
BEGUN = "records.begun"  # what the audit says when a head is kept for the first time


class Fault(Struct, frozen=True):
    """`what`: changed (row `number` does not follow), cut (rows up to `number` were there), other
    (row `number` was another), unsealed (what the other file keeps was made by somebody else),
    unkept (it keeps nothing), again (what it kept was begun again).
    """

    ledger: str
    what: str
    number: int


def check_audit(data: DataDir, printed: str | None = None) -> list[Fault]:
    """`printed`: a head of it, as a report has it. Raises DiademaError."""
    accounts = Accounts(data)
    try:
        broken = accounts.audit.check()
        faults = [Fault(AUDIT, "changed", broken)] if broken else []
        with accounts.engine.connect() as own:
            if data.store.exists():
                with _store(data) as other:
                    faults += _ends(data, AUDIT, own, audit, other, tables.record_heads)
            if printed:
                faults += _as_printed(AUDIT, own, audit, printed)
        begun = [
            str(row.detail.get("ledger")) for row in accounts.audit.rows(what=BEGUN, limit=1000)
        ]
    finally:
        accounts.close()
    return faults + [Fault(name, "again", 0) for name in sorted({*begun}) if begun.count(name) > 1]


def audit_was_cut(data: DataDir) -> bool:
    """Whether the store knows of more than there is. One that cannot be read knows of nothing:
    then no hub comes up.
    """
    try:
        faults = check_audit(data)
    except DiademaError:
        return False
    return any(one.what in ("cut", "other", "unsealed") for one in faults)


def check_ledger(data: DataDir, printed: str | None = None) -> list[Fault]:
    """The same of marks, their times, and corrections. Raises DiademaError."""
    accounts = Accounts(data)
    try:
        with _store(data) as own, accounts.engine.connect() as other:
            faults = [*_marks(data, own), *_corrections(own)]
            for name, table in LEDGER.items():
                faults += _ends(data, name, own, table, other, account_heads)
            if printed:
                faults += _as_printed("marks", own, tables.marks, printed)
    finally:
        accounts.close()
    return faults


@contextmanager
def _store(data: DataDir) -> Iterator[Connection]:
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        yield tx


def _ends(
    data: DataDir, ledger: str, own: Connection, table: Table, other: Connection, heads: Table
) -> list[Fault]:
    """Against what the other file keeps."""
    end = end_of(own, ledger, table)
    stored, sealed = stored_head(other, heads, key_of(data.root), ledger)
    if stored is None:
        return [Fault(ledger, "unkept", end.count)] if end.count else []
    return [] if sealed and follows(own, table, stored) else [_fault(stored, end, sealed)]


def follows(own: Connection, table: Table, stored: Head) -> bool:
    """Whether a chain has come from there."""
    return hash_at(own, table, stored.count) == stored.hash


def _fault(stored: Head, end: Head, sealed: bool) -> Fault:
    what = "unsealed" if not sealed else "cut" if end.count < stored.count else "other"
    return Fault(stored.ledger, what, stored.count)


def _as_printed(ledger: str, own: Connection, table: Table, printed: str) -> list[Fault]:
    count, _, digest = printed.partition(":")
    number = int(count) if count.isdecimal() else -1
    found = hash_at(own, table, number) if number >= 0 else None
    if found is None:
        return [Fault(ledger, "cut", number)]
    return [] if digest and found.startswith(digest) else [Fault(ledger, "other", number)]


def _marks(data: DataDir, tx: Connection) -> list[Fault]:
    """The first mark, and the first time, that does not follow."""
    key, before, keyless = of_purpose(key_of(data.root), "marks"), FIRST, True
    hours = {
        row.mark: (row.utc, row.uncertainty_ms) for row in tx.execute(select(tables.mark_hours))
    }
    faults: list[Fault] = []
    rows = tx.execute(select(tables.marks).order_by(tables.marks.c.number))
    for number, row in enumerate(rows, 1):
        content, (generation, utc, doubt) = unchained(tuple(row))
        late = hours.get(row.number)
        keyless = keyless and row.hash == old_mark_link(before, number, content)
        if keyless:
            right = late == (utc, doubt) if late else utc is None
        else:
            placed = (generation, None, None) if late else (generation, utc, doubt)
            link = mark_link(key, before, number, content, placed)
            right = row.hash == link and (late is None or late == (utc, doubt))
        if row.number != number or not right:
            faults.append(Fault("marks", "changed", number))
            break
        before = row.hash
    return faults + _hours(data, tx)


def _hours(data: DataDir, tx: Connection) -> list[Fault]:
    key, before = of_purpose(key_of(data.root), "hours"), FIRST
    row_of = tables.mark_hours.c
    rows = tx.execute(select(tables.mark_hours).order_by(row_of.number))
    for number, row in enumerate(rows, 1):
        right = mark_time_link(key, before, number, (row.mark, row.utc, row.uncertainty_ms))
        if (row.number, row.hash) != (number, right):
            return [Fault("hours", "changed", number)]
        before = row.hash
    last = tx.execute(select(func.max(tables.marks.c.number))).scalar() or 0
    beyond = select(func.min(row_of.number)).where(row_of.mark > last)
    lost = tx.execute(beyond).scalar()
    return [Fault("hours", "other", lost)] if lost else []


def _corrections(tx: Connection) -> list[Fault]:
    """Their chain has no key of its own; where it ends is sealed in the other file."""
    row_of = tables.corrections.c
    before, own = FIRST, row_of.s.startswith(HUB)
    rows = tx.execute(select(tables.corrections).where(own).order_by(row_of.number))
    for number, row in enumerate(rows, 1):
        *content, stored_number, stored_hash = tuple(row)
        if stored_number != number or stored_hash != correction_link(before, number, content):
            return [Fault("corrections", "changed", number)]
        before = stored_hash
    return []


RESTORED = "restored"
_encode = msgspec.json.Encoder().encode


def keep_ledger(accounts: Accounts, key: bytes, store: Connection, utc: int) -> list[str]:
    """Where the store's chains end, into the accounts; those that did not come from where they
    were are left as they stand, and named.
    """
    with accounts.engine.connect() as tx:
        new, broken = _moved(tx, account_heads, key, store, LEDGER)
    if new:
        with writing(accounts.engine) as tx:
            _begin(tx, account_heads, key, new, utc)
            keep_heads(tx, account_heads, key, new, utc)
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
    known to reach, and how far it does now. Nothing else may work on the store. After a restore
    the hub's own journal begins another epoch: the one that it had may have gone on. Raises
    DiademaError.
    """
    if what == RESTORED:
        more["epoch"] = secrets.randbits(32)
    key, now = key_of(data.root), clock.now_ms()
    accounts, writer = Accounts(data), open_writer(data.store)
    try:
        with writer.transaction() as store, writing(accounts.engine) as tx:
            was = [stored_head(tx, account_heads, key, name)[0] for name in LEDGER]
            was.append(stored_head(store, tables.record_heads, key, AUDIT)[0])
            heads = [end_of(store, name, table) for name, table in LEDGER.items()]
            ends = [*heads, end_of(tx, AUDIT, audit)]
            detail: dict[str, Any] = {
                "reason": reason,
                "was": {one.ledger: one.short for one in was if one},
                "now": {one.ledger: one.short for one in ends},
                **more,
            }
            append(tx, accounts.audit.now(), by, f"records.{what}", **detail)
            keep_heads(tx, account_heads, key, heads, now)
            _enter(writer, store, key, (now, what, by.id, _encode(detail).decode()))
            keep_heads(store, tables.record_heads, key, [end_of(tx, AUDIT, audit)], now)
    finally:
        writer.close()
        accounts.close()


def restored_epoch(tx: Connection) -> int | None:
    """The one that began with the newest restore."""
    row = tables.record_entries.c
    newest = select(row.detail).where(row.what == RESTORED).order_by(row.number.desc()).limit(1)
    found = tx.execute(newest).scalar()
    epoch = msgspec.json.decode(found).get("epoch") if found else None
    return epoch if isinstance(epoch, int) else None


def _enter(writer: Writer, tx: Connection, key: bytes, entry: tuple[int, str, str, str]) -> None:
    end = end_of(tx, "entries", tables.record_entries)
    content = _encode((end.count + 1, *entry))
    digest = link(of_purpose(key, "entries"), end.hash, content)
    writer.put(tx, tables.record_entries, [(end.count + 1, *entry, digest)])


def _moved(
    holder: Connection, heads: Table, key: bytes, own: Connection, chains: dict[str, Table]
) -> tuple[list[Head], list[str]]:
    new: list[Head] = []
    broken: list[str] = []
    for name, table in chains.items():
        end = end_of(own, name, table)
        stored, sealed = stored_head(holder, heads, key, name)
        if stored is not None and not (sealed and follows(own, table, stored)):
            broken.append(name)
        elif stored is None or stored.count < end.count:
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
    first = [one for one in new if stored_head(other or tx, heads, key, one.ledger)[0] is None]
    for one in first:
        append(tx, utc, THE_HUB, BEGUN, ledger=one.ledger, head=one.short)
    return bool(first)
