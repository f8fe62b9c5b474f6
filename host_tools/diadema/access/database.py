"""The tables of `accounts.sqlite3`, which nobody but the hub's own user may read. What lets
somebody in is stored as a hash only.
"""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.exc import DBAPIError

from diadema.base.errors import DiademaError
from diadema.base.paths import cannot_write
from diadema.base.sqlite import other_layout, sqlite_engine, writing
from diadema.store.record_heads import head_table
from diadema.words import Sentence

VERSION = 1
metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agent", Text),  # an asesor's own id
    Column("teams", JSON, nullable=False),
    Column("language", Text),
    Column("password", Text, nullable=False),  # argon2id, in its own notation
    Column("must_change", Boolean, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("sessions_account", "account"),
)
tokens = Table(
    "tokens",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("teams", JSON, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)
provider = Table(  # of sign-on: one row, or none
    "provider",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("settings", JSON, nullable=False),
)
subjects = Table(  # whose account is a provider's; it has no password here
    "subjects",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account", Text, nullable=False, unique=True),
)
returns = Table(  # from the provider, each of which is good once
    "returns",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)
codes = Table(  # each lets in once; `account` is empty for the set-up
    "codes",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
answers = Table(  # to writes that name themselves; sealed by that name, which is not kept
    "answers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("request", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("answers_at", "at_ms"),
)
record_heads = head_table(metadata)  # where the chains of the store end
attempts = Table(  # those that failed or may yet; `before_ms`: when the last but one was
    "attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("failed", Integer, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    Column("before_ms", BigInteger, nullable=False),
)
audit = Table(  # append-only; `hash` chains each row to the one before it
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("agents", JSON, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("address", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_at", "at_ms"),
    Index("audit_who", "who", "at_ms"),
)


_BUSY_MS = 5000


def open_accounts(path: Path) -> Engine:
    """Its tables are there afterwards. Raises DiademaError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise DiademaError(Sentence("errors.access.path_can_read_others_run", path=path))
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    engine = sqlite_engine(path, busy_ms=_BUSY_MS)
    try:
        with writing(engine) as tx:
            version = int(tx.exec_driver_sql("PRAGMA user_version").scalar_one())
            if version in (0, VERSION):  # also the tables that this layout got later
                metadata.create_all(tx)
            if version == 0:
                tx.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
            elif version != VERSION:
                raise other_layout(path, version, VERSION)
    except (DBAPIError, sqlite3.DatabaseError) as error:
        engine.dispose()
        raise DiademaError(
            Sentence("errors.access.cannot_use_path_error_restore", path=path, error=error)
        ) from error
    return engine
