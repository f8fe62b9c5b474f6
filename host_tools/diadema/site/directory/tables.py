"""The tables of people and places, and how entries are read from them: as of a day, or the newest
version of each.

Nothing in `entries` and `changes` is ever written over, but once: layout 1 had badges' ids in
clear. It is turned into one of their keyed hashes: every version of every entry, and the pages
that SQLite has let go of.
"""

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    and_,
    event,
    exists,
    or_,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from diadema.base.errors import DiademaError, is_damage
from diadema.base.paths import DataDir
from diadema.base.sqlite import other_layout, sqlite_engine, writing
from diadema.site.badges import keys_of
from diadema.site.directory.kinds import KINDS, Body
from diadema.site.file import hashed, site_digest
from diadema.words import Sentence

VERSION = 3
SCORECARD, NOTICE = "scorecard.", "notice."  # before the code, as a catalogue
SITE_FILE = "site.json"  # in the hashes of a publication
_BUSY_MS = 10_000  # somebody else's import
metadata = MetaData()

changes = Table(  # one for all that was done at once
    "changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
entries = Table(  # `body` null: retired. A later version hides the earlier ones on its days
    "entries",
    metadata,
    Column("kind", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("valid_from", Text),  # days of the site's zone, the last one included
    Column("valid_until", Text),
    Column("body", LargeBinary),
    Column("change", Integer, ForeignKey("changes.number"), nullable=False),
    PrimaryKeyConstraint("kind", "code", "version"),
    sqlite_with_rowid=False,
)
pins = Table(  # verifiers, which only pass through; `published`: that of the last site
    "pins",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("verifier", Text, nullable=False),
    Column("published", Text, nullable=False),
)
publications = Table(
    "publications",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("change", Integer, nullable=False),
    Column("generation", Integer),
    Column("hashes", Text, nullable=False),  # JSON: catalogue → SHA-256 of what it was
)
frozen = Table(  # each published version of a scorecard and of a notice, whole
    "frozen",
    metadata,
    Column("catalogue", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    PrimaryKeyConstraint("catalogue", "version"),
    sqlite_with_rowid=False,
)
log = logging.getLogger("diadema")
_KIND = "agents"
_decode = msgspec.json.Decoder(dict[str, Any]).decode
SELECT = select(entries, changes.c.at_ms, changes.c.by, changes.c.reason).join(
    changes, changes.c.number == entries.c.change
)


def open_tables(path: Path) -> Engine:
    """The engine of the directory at `path`, made when there is none. Raises DiademaError, now
    or when what is read or written finds the file damaged.
    """
    if not path.exists():
        path.touch(mode=0o600)  # documents of people, and verifiers
    engine = sqlite_engine(
        path,
        busy_ms=_BUSY_MS,
        pragmas=("secure_delete = ON",),  # what is replaced is gone from the file
    )

    def failed(context: Any) -> None:
        found = context.original_exception
        if is_damage(found):
            raise DiademaError(
                Sentence("errors.site.path_damaged_found_end_hub", path=path, found=found)
            ) from found

    event.listen(engine, "handle_error", failed)
    try:
        if _layout(engine) == 0:
            with writing(engine) as tx:
                metadata.create_all(tx)
                tx.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        if _layout(engine) == 1:
            turn_over(engine, path)
            with writing(engine) as tx:
                tx.exec_driver_sql("PRAGMA user_version = 2")
        if _layout(engine) == 2:
            with writing(engine) as tx:
                frozen.create(tx, checkfirst=True)
                tx.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    except DiademaError:
        engine.dispose()
        raise
    except (DBAPIError, sqlite3.Error, OSError) as error:
        engine.dispose()
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise DiademaError(
            Sentence("errors.site.cannot_open_path_cause_end", path=path, cause=cause)
        ) from error
    if (version := _layout(engine)) != VERSION:
        engine.dispose()
        raise other_layout(path, version, VERSION)
    return engine


def digest_of(bodies: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of a catalogue: code and body of each entry in order of codes."""
    digest = hashlib.sha256()
    for code, body in bodies:
        digest.update(code.encode() + b"\0" + body + b"\n")
    return digest.hexdigest()


def _layout(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def turn_over(engine: Engine, path: Path) -> None:
    """It may be done again, as after a power cut. Raises DiademaError, OSError, sqlite3.Error and
    DBAPIError.
    """
    data = DataDir(path.parent)
    with writing(engine) as tx:
        before = digest_of(_bodies(tx))
        _turn_entries(tx, data)
        _turn_publications(tx, data, before)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for step in ("wal_checkpoint(TRUNCATE)", "VACUUM", "wal_checkpoint(TRUNCATE)"):
            row = driver.execute(step if step == "VACUUM" else f"PRAGMA {step}").fetchone()
            if row is not None and row[0]:
                raise DiademaError(Sentence("errors.site.path_has_badges_ids_clear", path=path))
    log.warning("%s has keyed hashes now in place of badges' ids", path)


def _turn_entries(tx: Connection, data: DataDir) -> None:
    row, kind = entries.c, KINDS[_KIND]
    its = select(row.code, row.version, row.body).where(row.kind == _KIND, row.body.is_not(None))
    keys = keys_of(data)
    for code, version, body in tx.execute(its).all():
        decoded = msgspec.json.decode(body)
        stored = kind.with_badges(decoded, keys.stored)
        if stored != decoded:
            one = and_(row.kind == _KIND, row.code == code, row.version == version)
            tx.execute(update(entries).where(one).values(body=msgspec.json.encode(stored)))


def _turn_publications(tx: Connection, data: DataDir, before: str) -> None:
    """What tells whether anything is another than was published is that of the hashes, where it
    was right; else it goes, as a digest of ids could be guessed.
    """
    row = publications.c
    described = data.site.read_bytes() if data.site.exists() else b""
    now = {_KIND: (before, digest_of(_bodies(tx)))}
    with suppress(ValueError, AttributeError, TypeError):  # else it is not even a description
        new_site = hashed(data.site, described)
        now[SITE_FILE] = (site_digest(described), site_digest(new_site))
    for number, text in tx.execute(select(row.number, row.hashes)).all():
        hashes = json.loads(text)
        for name in (_KIND, SITE_FILE):
            known = now.get(name, ("", ""))
            if hashes.pop(name, None) in known:
                hashes[name] = known[1]
        tx.execute(
            update(publications).where(row.number == number).values(hashes=json.dumps(hashes))
        )


def _bodies(tx: Connection) -> Iterator[tuple[str, bytes]]:
    """Of the newest versions, as a publication's digest has them."""
    row, later = entries.c, entries.alias("later").c
    newer = exists().where(
        later.kind == row.kind, later.code == row.code, later.version > row.version
    )
    query = select(row.code, row.body).where(row.kind == _KIND, row.body.is_not(None), ~newer)
    for found in tx.execute(query.order_by(row.code)):
        yield found.code, found.body


class Entry(Struct, frozen=True, kw_only=True):
    """One version of an entry. `body` None: retired as from `valid_from`."""

    kind: str
    code: str
    version: int
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    by: str = ""
    at_ms: int = 0
    reason: str = ""
    change: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """What shall become of an entry: another body, or None to retire it. `seen`: the version that
    whoever changes it has looked at, 0 for none; None does not ask. `restores`: it was retired,
    and is the same one again. `row`: of a file.
    """

    kind: str
    code: str
    body: Body | None
    valid_from: date | None = None
    valid_until: date | None = None
    seen: int | None = None
    restores: bool = False
    row: int | None = None


def covers(columns: Any, day: date) -> ColumnElement[bool]:
    text = day.isoformat()
    return and_(
        or_(columns.valid_from.is_(None), columns.valid_from <= text),
        or_(columns.valid_until.is_(None), columns.valid_until >= text),
    )


def chosen(
    kind: str, day: date | None, first: str, last: str | None, *, retired: bool
) -> ColumnElement[bool]:
    later = entries.alias("later")
    newer = [
        later.c.kind == entries.c.kind,
        later.c.code == entries.c.code,
        later.c.version > entries.c.version,
    ]
    clauses = [entries.c.kind == kind, entries.c.code >= first]
    if last is not None:
        clauses.append(entries.c.code < last)
    if day is not None:
        newer.append(covers(later.c, day))
        clauses.append(covers(entries.c, day))
    clauses.append(~exists().where(*newer))
    if not retired:
        clauses.append(entries.c.body.is_not(None))
    return and_(*clauses)


def read_entries(
    tx: Connection,
    kind: str,
    day: date | None,
    first: str,
    last: str | None,
    after: str | None,
    limit: int | None,
    *,
    retired: bool,
    since: int = 0,
) -> Iterator[Entry]:
    query = SELECT.where(chosen(kind, day, first, last, retired=retired))
    if since:
        query = query.where(entries.c.change > since)
    if after is not None:
        query = query.where(entries.c.code > after)
    for row in tx.execute(query.order_by(entries.c.code).limit(limit)):
        yield entry_of(row)


class Frozen(Struct, frozen=True, kw_only=True):
    """A published version; `body` as JSON, `hash` its SHA-256."""

    catalogue: str
    version: int
    at_ms: int
    by: str
    hash: str
    body: bytes


def read_frozen(tx: Connection, catalogue: str, *, all_of_it: bool = False) -> list[Frozen]:
    """Of one, the oldest version first; `all_of_it`: of each whose name begins so."""
    name = frozen.c.catalogue
    which = name.startswith(catalogue, autoescape=True) if all_of_it else name == catalogue
    query = select(frozen).where(which).order_by(name, frozen.c.version)
    return [Frozen(**row) for row in tx.execute(query).mappings()]


def entry_of(row: Row[Any]) -> Entry:
    try:
        body = None if row.body is None else _decode(row.body)
    except msgspec.DecodeError as error:
        raise DiademaError(
            Sentence("errors.site.kind_code_directory_cannot_read", kind=row.kind, code=row.code)
        ) from error
    return Entry(
        kind=row.kind,
        code=row.code,
        version=row.version,
        body=body,
        valid_from=row.valid_from and date.fromisoformat(row.valid_from),
        valid_until=row.valid_until and date.fromisoformat(row.valid_until),
        by=row.by,
        at_ms=row.at_ms,
        reason=row.reason,
        change=row.change,
    )
