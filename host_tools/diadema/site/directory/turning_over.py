"""Turns a directory of layout 1, in which badges' ids stand in clear, into one of their keyed
hashes: every version of every entry, and the pages that SQLite has let go of.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, and_, exists, select, update

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.badges import keys_of
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.tables import (
    SITE_FILE,
    digest_of,
    entries,
    publications,
)
from diadema.site.file import hashed, site_digest

log = logging.getLogger("diadema")
_KIND = "agents"


def turn_over(engine: Engine, path: Path) -> None:
    """It may be done again, as after a power cut. Raises DiademaError, OSError, sqlite3.Error and
    DBAPIError.
    """
    data = DataDir(path.parent)
    with engine.connect().execution_options(write=True) as tx, tx.begin():
        before = digest_of(_bodies(tx))
        _turn_entries(tx, data)
        _turn_publications(tx, data, before)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for step in ("wal_checkpoint(TRUNCATE)", "VACUUM", "wal_checkpoint(TRUNCATE)"):
            row = driver.execute(step if step == "VACUUM" else f"PRAGMA {step}").fetchone()
            if row is not None and row[0]:
                raise DiademaError(
                    f"{path} has badges' ids in clear, and another program reads it: end whatever "
                    "holds it, then try again"
                )
    log.warning("%s has keyed hashes now in place of badges' ids", path)


def _turn_entries(tx: Connection, data: DataDir) -> None:
    row, kind = entries.c, KINDS[_KIND]
    its = select(row.code, row.version, row.body).where(row.kind == _KIND, row.body.is_not(None))
    keys = keys_of(data)
    for code, version, body in tx.execute(its).all():
        told = msgspec.json.decode(body)
        kept = kind.with_badges(told, keys.kept)
        if kept != told:
            one = and_(row.kind == _KIND, row.code == code, row.version == version)
            tx.execute(update(entries).where(one).values(body=msgspec.json.encode(kept)))


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
