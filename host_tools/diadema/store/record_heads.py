"""Where each chain ends, as the other file keeps it: `record_heads` of the store for the audit,
and of the accounts for the ledger. What a head says is sealed, so that none can be made for a
chain that was cut.

The key of a data directory's chains: whoever writes into their files cannot make a link.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import BigInteger as Number
from sqlalchemy import Column, Connection, MetaData, Table, Text, func, select
from sqlalchemy.dialects.sqlite import insert

from diadema.base.errors import DiademaError
from diadema.base.paths import cannot_write
from diadema.words import Sentence

NAME = "records.key"
_BYTES = 32


@lru_cache(64)
def key_of(root: Path) -> bytes:
    """The key of that directory; a new one where there is none. Raises DiademaError."""
    path = root / NAME
    if not path.exists():
        _make(path)
    return _read(path)


def link(key: bytes, before: str, content: bytes) -> str:
    """The next link of a chain, in hex: HMAC-SHA256 over the one before and the content."""
    return hmac.new(key, before.encode() + content, "sha256").hexdigest()


def old_link(before: str, content: bytes) -> str:
    """As chains were made before they had a key."""
    return hashlib.sha256(before.encode() + content).hexdigest()


def of_purpose(key: bytes, purpose: str) -> bytes:
    """A key of its own for each chain: a link of one is none of another."""
    return hmac.new(key, purpose.encode(), "sha256").digest()


def _make(path: Path) -> None:
    """Whole or not at all; of two who make it at once, the first."""
    beside = path.with_name(f".{NAME}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(beside, path)
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError) as error:
        raise DiademaError(
            Sentence("errors.site.cannot_read_beside_error_restore", beside=path, error=error)
        ) from error
    if len(key) != _BYTES:
        raise DiademaError(Sentence("errors.store.path_no_key_restore_from", path=path))
    return key


AUDIT = "audit"
FIRST = "0" * 64
_encode = msgspec.json.Encoder().encode


class Head(Struct, frozen=True):
    """`count` rows, the last of which has this `hash`."""

    ledger: str
    count: int
    hash: str

    @property
    def short(self) -> str:
        """As it is printed, and given to a check."""
        return f"{self.count}:{self.hash[:16]}"


def head_table(metadata: MetaData) -> Table:
    return Table(
        "record_heads",
        metadata,
        Column("ledger", Text, primary_key=True),
        Column("count", Number, nullable=False),
        Column("hash", Text, nullable=False),
        Column("utc", Number, nullable=False),
        Column("seal", Text, nullable=False),
    )


def end_of(tx: Connection, ledger: str, table: Table) -> Head:
    """Of a table with `number` and `hash`."""
    last = select(table.c.number, table.c.hash).order_by(table.c.number.desc()).limit(1)
    number, digest = next(iter(tx.execute(last)), (0, FIRST))
    return Head(ledger, number, digest)


def hash_at(tx: Connection, table: Table, number: int) -> str | None:
    if number == 0:
        return FIRST
    found = tx.execute(select(func.max(table.c.hash)).where(table.c.number == number)).scalar()
    return None if found is None else str(found)


def keep_heads(tx: Connection, table: Table, key: bytes, heads: Iterable[Head], utc: int) -> None:
    """`table`: the other file's `record_heads`."""
    for head in heads:
        fields: dict[str, Any] = {"count": head.count, "hash": head.hash, "utc": utc}
        fields["seal"] = _seal(key, head, utc)
        made = insert(table).values(ledger=head.ledger, **fields)
        tx.execute(made.on_conflict_do_update(index_elements=["ledger"], set_=fields))


def stored_head(tx: Connection, table: Table, key: bytes, ledger: str) -> tuple[Head | None, bool]:
    """The head that the other file keeps, and whether its seal is right."""
    row = tx.execute(select(table).where(table.c.ledger == ledger)).first()
    if row is None:
        return None, True
    head = Head(ledger, row.count, row.hash)  # type: ignore[arg-type]
    return head, hmac.compare_digest(_seal(key, head, row.utc), row.seal)


def _seal(key: bytes, head: Head, utc: int) -> str:
    said = _encode((head.ledger, head.count, head.hash, utc))
    return hmac.new(of_purpose(key, "heads"), said, "sha256").hexdigest()
