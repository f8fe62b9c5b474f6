"""Publishes scorecards and notices: a version of each that has changed is kept whole, and noted in
the hub's journal. Stations are told nothing of them.
"""

import hashlib
from collections.abc import Collection, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import insert

from diadema.site.directory.book import Directory, check_author
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.publishing import Ask
from diadema.site.directory.quality_of import notice_bytes, written_scorecards
from diadema.site.directory.scorecards import whole_problems
from diadema.site.directory.tables import NOTICE, SCORECARD, Frozen, frozen

type Freezable = Literal["scorecards", "notices"]


class Fresh(Struct, frozen=True, kw_only=True):
    """A version that is not published yet."""

    code: str
    version: int
    hash: str
    body: bytes
    side: str = ""  # of a notice


def fresh(book: Directory, kind: Freezable, codes: Collection[str] = ()) -> list[Fresh]:
    """What is other than it was published last; of these codes only, if any are given. Raises
    Wrong for one that cannot be published as it is.
    """
    prefix = SCORECARD if kind == "scorecards" else NOTICE
    last = {one.catalogue: one for one in book.frozen(prefix)}  # the newest comes last
    known: set[str] = set()
    found: list[Fresh] = []
    problems: list[Problem] = []
    for code, side, body, wrong in _written(book, kind):
        known.add(code)
        if codes and code not in codes:
            continue
        digest, before = hashlib.sha256(body).hexdigest(), last.get(prefix + code)
        if before is not None and before.hash == digest:
            continue
        problems += wrong
        version = before.version + 1 if before else 1
        found.append(Fresh(code=code, version=version, hash=digest, body=body, side=side))
    if unknown := sorted({*codes} - known):
        problems += [Problem(word="unknown_code", kind=kind, value=code) for code in unknown]
    if problems:
        raise Wrong(*problems)
    return found


def _written(book: Directory, kind: Freezable) -> Iterator[tuple[str, str, bytes, list[Problem]]]:
    if kind == "scorecards":
        for one in written_scorecards(book):
            yield one.code, "", msgspec.json.encode(one), [*whole_problems(one)]
        return
    for entry in book.entries("notices"):
        assert entry.body is not None
        yield entry.code, str(entry.body["side"]), notice_bytes(entry.body), []


async def publish_quality(
    book: Directory,
    kind: Freezable,
    *,
    by: str,
    at_ms: int,
    ask: Ask,
    codes: Collection[str] = (),
) -> list[Fresh]:
    """`ask` puts a question to the hub, which has to run: since when they are in force stands in
    its journal. Raises DiademaError.
    """
    check_author(by, "-")
    found = fresh(book, kind, codes)
    for one in found:
        await ask("hub.record", _event(kind, one, by))
        row = Frozen(
            catalogue=(SCORECARD if kind == "scorecards" else NOTICE) + one.code,
            version=one.version, at_ms=at_ms, by=by.strip(), hash=one.hash, body=one.body,
        )  # fmt: skip
        with book.writing() as tx:
            tx.execute(insert(frozen), msgspec.structs.asdict(row))
    return found


def _event(kind: Freezable, one: Fresh, by: str) -> dict[str, Any]:
    said = {"by": by[:32], "version": one.version, "hash": one.hash}
    if kind == "notices":
        return said | {"k": "notice.published", "notice": one.code, "side": one.side}
    return said | {"k": "catalogue.published", "catalogue": SCORECARD + one.code}
