"""The tables of `accounts.sqlite3`. What lets somebody in is kept as a hash only."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from diadema.store.record_heads import head_table

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
