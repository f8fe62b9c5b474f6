"""The recordings that were found and the contacts that they are of: an SQLite file beside the
store. It alone has names and paths, in which there are numbers of people.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError
from diadema.recordings.decoding import Probed
from diadema.recordings.files import Found
from diadema.recordings.settings import Named
from diadema.words import Sentence

_VERSION = 1
_BUSY_MS = 10_000
_TABLES = (
    "CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, root TEXT NOT NULL, "
    "folder TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, "
    "inode INTEGER NOT NULL, state TEXT NOT NULL, pbx TEXT NOT NULL, agent TEXT NOT NULL, "
    "named_utc INTEGER, start_utc INTEGER NOT NULL, hash TEXT, probed TEXT, UNIQUE (root, path))",
    "CREATE INDEX IF NOT EXISTS files_start ON files (start_utc)",
    "CREATE INDEX IF NOT EXISTS files_folder ON files (root, folder)",
    "CREATE INDEX IF NOT EXISTS files_inode ON files (inode)",
    "CREATE INDEX IF NOT EXISTS files_hash ON files (hash)",
    "CREATE TABLE IF NOT EXISTS folders (root TEXT NOT NULL, path TEXT NOT NULL, "
    "above TEXT NOT NULL, mtime_ns INTEGER NOT NULL, PRIMARY KEY (root, path))",
    "CREATE TABLE IF NOT EXISTS links (s TEXT NOT NULL, e INTEGER NOT NULL, n INTEGER NOT NULL, "
    "file INTEGER, body TEXT NOT NULL, utc INTEGER NOT NULL, "
    "published INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (s, e, n))",
    "CREATE INDEX IF NOT EXISTS links_file ON links (file)",
    "CREATE INDEX IF NOT EXISTS links_unpublished ON links (s, e, n) WHERE published = 0",
    "CREATE TABLE IF NOT EXISTS recorded (pbx TEXT NOT NULL, linked TEXT NOT NULL, "
    "started_utc INTEGER NOT NULL, stopped_utc INTEGER, PRIMARY KEY (pbx, started_utc))",
    "CREATE TABLE IF NOT EXISTS heard (s TEXT NOT NULL, e INTEGER NOT NULL, n INTEGER NOT NULL, "
    "PRIMARY KEY (s, e))",
    "CREATE TABLE IF NOT EXISTS waves (file INTEGER PRIMARY KEY, loudest BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS looked (utc INTEGER NOT NULL)",
)
_FILE = "id, root, path, size, mtime_ns, inode, state, pbx, agent, named_utc, start_utc, probed"

type Key = tuple[str, int, int]

WRITING, READY, COPY, GONE, DELETED = "writing", "ready", "copy", "gone", "deleted"


class File(Struct, frozen=True):
    """`state`: one of the words above, or why it is of no use. `start_utc`: when it was begun, by
    its name, else by when it was last written to.
    """

    id: int
    found: Found
    state: str
    named: Named
    start_utc: int
    probed: Probed | None

    @property
    def end_utc(self) -> int:
        return self.start_utc + (self.probed.ms if self.probed is not None else 0)


class Recorded(Struct, frozen=True):
    """What the switch said of one recording."""

    pbx: str
    linked: str
    started_utc: int
    stopped_utc: int | None


class Link(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What is known of the recording of one contact, `call` its key; `reason`: why there is none.
    `offset_ms`: when it began less the contact's first event, `uncertainty_ms` how far that may
    be off; both None where nothing tells. `pauses`: respected, not, none or unknown.
    """

    call: Key
    agent: str
    reason: str = ""
    file: int | None = None
    how: str = ""
    hash: str = ""
    ms: int = 0
    rate: int = 0
    channels: int = 0
    format: str = ""
    offset_ms: int | None = None
    uncertainty_ms: int | None = None
    pauses: str = ""


class Index:
    """Raises DiademaError where it cannot be opened, read or written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._trouble():
            self._tx = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
            found = self._tx.execute("PRAGMA user_version").fetchone()[0]
            if found > _VERSION:
                raise DiademaError(Sentence("errors.recordings.index_newer", path=path))
            if found < _VERSION:  # else nothing is written: it is opened for each part that plays
                self._tx.execute("PRAGMA journal_mode = WAL")
                for table in _TABLES:
                    self._tx.execute(table)
                self._tx.execute(f"PRAGMA user_version = {_VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tx.close()

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DiademaError(
                Sentence("errors.recordings.index_broken", path=self._path, error=error)
            ) from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing."""
        with self._trouble(), self._tx:
            self._tx.execute("BEGIN IMMEDIATE")
            yield

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._trouble():
            return self._tx.execute(query, values).fetchall()

    # -- files

    def files(self, where: str = "1", *values: object) -> list[File]:
        rows = self._rows(f"SELECT {_FILE} FROM files WHERE {where} ORDER BY id", *values)
        return [_file(row) for row in rows]

    def file(self, id_: int) -> File | None:
        return next(iter(self.files("id = ?", id_)), None)

    def in_folder(self, root: str, folder: str) -> dict[str, File]:
        found = self.files("root = ? AND folder = ?", root, folder)
        return {one.found.path: one for one in found}

    def between(self, start_utc: int, end_utc: int) -> list[File]:
        """Those that were begun then and can be heard, or could be while they were there."""
        within = "start_utc >= ? AND start_utc < ?"
        states = f"state IN ('{READY}', '{GONE}') AND probed IS NOT NULL"
        return self.files(f"{states} AND {within}", start_utc, end_utc)

    def first_utc(self) -> int | None:
        """When the first of all was begun."""
        found = self._rows("SELECT min(start_utc) FROM files")[0][0]
        return None if found is None else int(found)

    def add(self, found: Found, named: Named) -> None:
        start = named.utc_ms if named.utc_ms is not None else found.mtime_ns // 1_000_000
        with self.writing():
            self._tx.execute(
                "INSERT INTO files (root, folder, path, size, mtime_ns, inode, state, pbx, agent, "
                "named_utc, start_utc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (found.root, _above(found.path), found.path, found.size, found.mtime_ns,
                 found.inode, WRITING, named.pbx, named.agent, named.utc_ms, start),
            )  # fmt: skip

    def changed(self, id_: int, found: Found, state: str) -> None:
        """It lies there now and is as large as that."""
        with self.writing():
            self._tx.execute("DELETE FROM files WHERE root = ? AND path = ? AND id != ?",
                             (found.root, found.path, id_))  # fmt: skip
            self._tx.execute(
                "UPDATE files SET root = ?, folder = ?, path = ?, size = ?, mtime_ns = ?, "
                "inode = ?, state = ? WHERE id = ?",
                (found.root, _above(found.path), found.path, found.size, found.mtime_ns,
                 found.inode, state, id_),
            )  # fmt: skip
            self._tx.execute("UPDATE links SET published = 0 WHERE file = ?", (id_,))
            if state in (DELETED, WRITING):
                self._tx.execute("DELETE FROM waves WHERE file = ?", (id_,))

    def judged(self, file: File, state: str, probed: Probed | None) -> None:
        start = file.start_utc
        if file.named.utc_ms is None and probed is not None:
            start = file.found.mtime_ns // 1_000_000 - probed.ms
        body = None if probed is None else msgspec.json.encode(probed).decode()
        with self.writing():
            self._tx.execute(
                "UPDATE files SET state = ?, probed = ?, hash = ?, start_utc = ? WHERE id = ?",
                (state, body, None if probed is None else probed.hash, start, file.id),
            )

    def drop(self, id_: int) -> None:
        with self.writing():
            self._tx.execute("DELETE FROM files WHERE id = ?", (id_,))
            self._tx.execute("DELETE FROM waves WHERE file = ?", (id_,))

    def keep_wave(self, id_: int, loudest: bytes) -> None:
        """As `Decoders.probe` gives it: whoever looks at the call later need not decode it all."""
        with self.writing():
            if loudest:
                self._tx.execute("INSERT OR REPLACE INTO waves VALUES (?, ?)", (id_, loudest))

    def wave(self, id_: int) -> bytes:
        """Empty where none is kept."""
        found = self._rows("SELECT loudest FROM waves WHERE file = ?", id_)
        return bytes(found[0][0]) if found else b""

    # -- folders

    def folder_time(self, root: str, path: str) -> int | None:
        found = self._rows("SELECT mtime_ns FROM folders WHERE root = ? AND path = ?", root, path)
        return int(found[0][0]) if found else None

    def folders_in(self, root: str, path: str) -> list[str]:
        query = (
            "SELECT path FROM folders WHERE root = ? AND above = ? AND path != '' ORDER BY path"
        )
        return [below for (below,) in self._rows(query, root, path)]

    def note_folder(self, root: str, path: str, mtime_ns: int) -> None:
        """0: it is to be listed again, whatever its time is."""
        with self.writing():
            self._tx.execute(
                "INSERT OR REPLACE INTO folders VALUES (?, ?, ?, ?)",
                (root, path, _above(path), mtime_ns),
            )

    # -- what the switch said

    def heard(self) -> dict[tuple[str, int], int]:
        """How far its events are taken in, by journal."""
        rows = self._rows("SELECT s, e, n FROM heard")
        return {(s, e): n for s, e, n in rows}

    def hear(self, s: str, e: int, n: int, said: Iterable[Recorded]) -> None:
        """Without an end it began then; with one, that of the id that had none ended."""
        with self.writing():
            for one in said:
                if one.stopped_utc is None:
                    self._tx.execute(
                        "INSERT OR IGNORE INTO recorded VALUES (?, ?, ?, NULL)",
                        (one.pbx, one.linked, one.started_utc),
                    )
                else:
                    self._tx.execute(
                        "UPDATE recorded SET stopped_utc = ? "
                        "WHERE pbx = ? AND stopped_utc IS NULL",
                        (one.stopped_utc, one.pbx),
                    )
            self._tx.execute("INSERT OR REPLACE INTO heard VALUES (?, ?, ?)", (s, e, n))

    def recorded(self, pbx: str) -> list[Recorded]:
        """By that id of the call."""
        query = "SELECT pbx, linked, started_utc, stopped_utc FROM recorded WHERE pbx = ?"
        return [Recorded(*row) for row in self._rows(f"{query} ORDER BY started_utc", pbx)]

    # -- links

    def link(self, key: Key) -> Link | None:
        found = self._rows("SELECT body FROM links WHERE s = ? AND e = ? AND n = ?", *key)
        return msgspec.json.decode(found[0][0], type=Link) if found else None

    def links_of(self, file: int) -> list[Link]:
        rows = self._rows("SELECT body FROM links WHERE file = ? ORDER BY s, e, n", file)
        return [msgspec.json.decode(body, type=Link) for (body,) in rows]

    def note_link(self, link: Link, now_utc: int) -> None:
        with self.writing():
            self._tx.execute(
                "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, 0)",
                (*link.call, link.file, msgspec.json.encode(link).decode(), now_utc),
            )

    def publish_again(self) -> None:
        """Everything, to a store that may know nothing of it."""
        with self.writing():
            self._tx.execute("UPDATE links SET published = 0 WHERE published != 0")

    def unpublished(self, most: int) -> list[tuple[Link, str]]:
        """Links that were not told as they are now, with the state of the file of each; empty
        where there is none.
        """
        rows = self._rows(
            "SELECT links.body, coalesce(files.state, '') FROM links "
            "LEFT JOIN files ON files.id = links.file WHERE links.published = 0 LIMIT ?", most
        )  # fmt: skip
        return [(msgspec.json.decode(body, type=Link), state) for body, state in rows]

    def mark_published(self, links: Iterable[Link]) -> None:
        """These are known now, unless they have changed meanwhile."""
        with self.writing():
            self._tx.executemany(
                "UPDATE links SET published = 1 WHERE s = ? AND e = ? AND n = ? AND body = ?",
                [(*one.call, msgspec.json.encode(one).decode()) for one in links],
            )

    def looked(self) -> int | None:
        """Up to when contacts were looked for."""
        found = self._rows("SELECT utc FROM looked")
        return int(found[0][0]) if found else None

    def note_looked(self, utc: int) -> None:
        with self.writing():
            self._tx.execute("DELETE FROM looked")
            self._tx.execute("INSERT INTO looked VALUES (?)", (utc,))

    def counts(self) -> dict[str, int]:
        """Of files by state, of contacts by what came of them."""
        linked = "SELECT count(*) FROM links WHERE file IS NOT NULL AND body ->> 'how' = ?"
        without = "SELECT count(*) FROM links WHERE file IS NULL AND body ->> 'reason' = ?"
        missing = "SELECT count(*) FROM links WHERE file IS NULL AND body ->> 'reason' != ?"
        orphan = ("SELECT count(*) FROM files WHERE state = ? AND id NOT IN "
                  "(SELECT file FROM links WHERE file IS NOT NULL)")  # fmt: skip
        state = "SELECT count(*) FROM files WHERE state = ?"
        useless = f"SELECT count(*) FROM files WHERE state NOT IN ('{READY}', '{WRITING}', ?, " \
                  f"'{GONE}', '{DELETED}')"  # fmt: skip
        found = {
            "linked": (linked, "pbx"), "by_start": (linked, "hour"),
            "ambiguous": (without, "ambiguous"), "missing": (missing, "ambiguous"),
            "orphan": (orphan, READY), "writing": (state, WRITING), "unfit": (useless, COPY),
            "copy": (state, COPY), "gone": (state, GONE),
        }  # fmt: skip
        return {
            what: int(self._rows(query, value)[0][0]) for what, (query, value) in found.items()
        }


def _file(row: tuple[Any, ...]) -> File:
    id_, root, path, size, mtime_ns, inode, state, pbx, agent, named_utc, start, probed = row
    return File(
        id_,
        Found(root, path, size, mtime_ns, inode),
        state,
        Named(pbx, agent, named_utc),
        start,
        None if probed is None else msgspec.json.decode(probed, type=Probed),
    )


def _above(path: str) -> str:
    return path.rpartition("/")[0]
