"""What a centre's store and directory tell of its notices, for a page or a command; each question
a function that a worker process can run.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct

from diadema.base.paths import DataDir
from diadema.quality.informing import (
    NoticeState,
    published_texts,
    signed_versions,
    states,
)
from diadema.quality.signed_sheet import Batch, SignedRows, blank, read_signed
from diadema.site.context import zone_of
from diadema.site.directory.freezing import fresh
from diadema.site.directory.people import People
from diadema.site.directory.people_of import people as people_on
from diadema.site.directory.problems import Problem, Wrong
from diadema.site.directory.publishing import open_directory
from diadema.site.directory.sheets import read_sheet
from diadema.store import open_reader
from diadema.store.quality import notices, signatures
from diadema.store.quality_rows import Notice as PublishedNotice
from diadema.store.quality_rows import Signature


class NoticesRead(Struct, kw_only=True):
    """`drafts`: the codes of notices that say something else in the directory than was published,
    and of those that were never published.
    """

    states: list[NoticeState]
    drafts: list[str]


class _Read(Struct, kw_only=True):
    rows: list[PublishedNotice]
    signed: list[Signature]
    versions: dict[tuple[str, int, int], int]
    people: People


def current(data: DataDir, now_ms: int) -> NoticesRead:
    """As of now. Raises DiademaError."""
    read, zone = _read(data, now_ms), zone_of(data)
    with open_directory(data, now_ms) as book:
        texts = published_texts(book, read.rows)
        drafts = [one.code for one in fresh(book, "notices")]
    found = states(texts, read.signed, read.versions, read.people, now_ms, zone)
    return NoticesRead(states=found, drafts=drafts)


def sheet_of(
    data: DataDir,
    now_ms: int,
    code: str,
    language: str,
    form: str,
    seen: Collection[str] | None = None,
) -> bytes:
    """To fill out, with who of the `seen` has yet to sign. Raises Wrong for a notice that nobody
    signs.
    """
    agents = _of_agents(current(data, now_ms), code).agents
    return blank([one for one in agents if seen is None or one.agent in seen], language, form)


def request_of(code: str, batch: Batch) -> dict[str, Any]:
    """What the hub is asked to note of it, without who asks."""
    said = {"action": "notice_signed", "notice": code, "how": batch.how, "date": batch.date,
            "agents": [*batch.agents], "witnesses": [*batch.witnesses]}  # fmt: skip
    return said | ({"document": batch.document} if batch.document else {})


def signed_in(data: DataDir, now_ms: int, code: str, given: bytes) -> SignedRows:
    """What the bytes of a table would have noted. Raises Wrong."""
    read = _read(data, now_ms)
    if code not in {one.notice for one in read.rows if one.side == "agent"}:
        raise _unknown(code)
    today = datetime.fromtimestamp(now_ms / 1000, zone_of(data)).date()
    return read_signed(read_sheet(given), code, read.people, read.signed, today)


def as_plain(found: NoticesRead) -> list[dict[str, Any]]:
    """For JSON: counts beside each notice."""
    plain = []
    for one in found.states:
        notice = one.notice
        counts = dict.fromkeys(("informed", "older", "missing"), 0)
        for agent in one.agents:
            counts[agent.state] += 1
        plain.append(
            {
                "code": notice.code, "name": notice.name, "side": notice.side,
                "version": notice.version, "since": notice.since_ms, "text": notice.text,
                "spoken": notice.spoken, "queues": [*notice.queues],
                "campaigns": [*notice.campaigns], "draft": notice.code in found.drafts,
                "counts": counts,
            }
        )  # fmt: skip
    return plain


def _read(data: DataDir, now_ms: int) -> _Read:
    day = datetime.fromtimestamp(now_ms / 1000, zone_of(data)).date()
    rows: list[PublishedNotice] = []
    signed: list[Signature] = []
    versions: dict[tuple[str, int, int], int] = {}
    if data.store.exists():
        with open_reader(data.store) as reader, reader.engine.connect() as tx:
            rows, signed = notices(tx), signatures(tx)
            versions = signed_versions(tx, signed)
    return _Read(rows=rows, signed=signed, versions=versions, people=people_on(data, day, day))


def _of_agents(found: NoticesRead, code: str) -> NoticeState:
    its = (one for one in found.states if one.notice.code == code)
    state = next((one for one in its if one.notice.side == "agent"), None)
    if state is None:
        raise _unknown(code)
    return state


def _unknown(code: str) -> Wrong:
    return Wrong(Problem(word="unknown_code", kind="notices", value=code))
