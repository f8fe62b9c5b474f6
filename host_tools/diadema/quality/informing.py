"""Which agents were informed that calls are recorded and heard: by which notice, how and when, and
who is yet to be. What may be said of it is judged here too, for a form, a sheet and the hub.

A message that asks for it at a station names its notice and version, so that the store alone tells
of each receipt what was signed.
"""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.quality.hearing import informs, published_of
from diadema.site.directory.book import Directory
from diadema.site.directory.kinds import Body
from diadema.site.directory.people import People, Worker
from diadema.site.directory.quality_of import notice_bytes
from diadema.store import tables
from diadema.store.quality_rows import Notice as PublishedNotice
from diadema.store.quality_rows import Signature
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.words import text as words_of

type How = Literal["paper", "refused"]
type Key = tuple[str, int, int]

_NAME = re.compile(r"[0-9a-f]{8}\.(?P<notice>[A-Za-z0-9_.-]{1,16})\.(?P<version>[0-9]{1,6})\Z")
_WITNESSES = 2


class NoticeText(Struct, frozen=True, kw_only=True):
    """One version of a notice as it was published, at `since_ms` for the first time. `spoken`: by
    whom the caller is told it. No queue and no campaign: of all.
    """

    code: str
    version: int
    side: str
    hash: str
    since_ms: int
    name: str
    text: str
    spoken: str = ""
    queues: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()

    def is_for(self, worker: Worker) -> bool:
        """Whether that agent's calls may be among its own. Of which campaign they are, nobody
        knows beforehand.
        """
        known = set(self.queues) if not self.campaigns else set()
        return not known or not worker.queues or not known.isdisjoint(worker.queues)

    def shown(self, language: str) -> str:
        """What a station shows to be signed: the text itself, or its name where it is longer."""
        said = [
            words_of("notices.station", language, text=one, version=self.version)
            for one in (self.text, self.name)
        ]
        return next((one for one in said if len(one) <= MESSAGE_CHARACTERS), said[-1])


class Informed(Struct, kw_only=True):
    """One agent and one notice. `state`: missing; older, where what is in force says something
    newer than what the agent was told; informed. The rest: of what was signed last.
    """

    agent: str
    name: str
    team: str
    state: str = "missing"
    how: str | None = None
    utc: int | None = None
    by: str | None = None
    version: int | None = None
    date: str | None = None
    document: str | None = None
    witnesses: list[str] = []


class NoticeState(Struct, kw_only=True):
    """What is in force of a notice, and who knows: none where it is for callers."""

    notice: NoticeText
    agents: list[Informed] = []


def message_name(notice: str, version: int) -> str:
    """Of a message that is to be signed; every time another."""
    return f"{secrets.token_hex(4)}.{notice}.{version}"


def notice_of(m: str) -> tuple[str, int] | None:
    """The notice and version of such a message; None of another's."""
    found = _NAME.match(m)
    return (found["notice"], int(found["version"])) if found else None


def published_texts(book: Directory, rows: Sequence[PublishedNotice]) -> list[NoticeText]:
    """Each version that was published, in that order."""
    bodies = _bodies(book)
    since = published_of(rows)
    return [
        _text(one, bodies[one.notice, one.hash], since[one.notice, one.hash])
        for one in rows
        if (one.notice, one.hash) in bodies
    ]


def in_force(
    texts: Iterable[NoticeText], people: People, now_ms: int, zone: ZoneInfo
) -> dict[str, NoticeText]:
    """By code, the version that holds at that moment."""
    known = {(one.code, one.hash): one for one in texts}
    published = {key: one.since_ms for key, one in known.items()}
    day = datetime.fromtimestamp(now_ms / 1000, zone).date()
    holding = people.notices.in_force(now_ms, day, published)
    return {one.code: known[one.code, one.hash] for one in holding}


def states(
    texts: Sequence[NoticeText],
    signatures: Iterable[Signature],
    versions: Mapping[Key, int],
    people: People,
    now_ms: int,
    zone: ZoneInfo,
) -> list[NoticeState]:
    """Of all notices in force; `versions`: as `signed_versions` gives them. Who works no more is
    not waited for.
    """
    signed: dict[tuple[str, str], list[Signature]] = {}
    for one in signatures:
        signed.setdefault((one.notice, one.agent), []).append(one)
    working = sorted(
        (one for one in people.workers.values() if one.active),
        key=lambda one: (one.name.casefold(), one.id),
    )
    found = []
    for notice in in_force(texts, people, now_ms, zone).values():
        state = NoticeState(notice=notice)
        if notice.side == "agent":
            state.agents = [
                _informed(notice, worker, signed.get((notice.code, worker.id), ()),
                          versions, texts, now_ms, zone)
                for worker in working
                if notice.is_for(worker)
            ]  # fmt: skip
        found.append(state)
    return sorted(found, key=lambda one: (one.notice.side != "agent", one.notice.code))


def signed_versions(tx: Connection, signatures: Iterable[Signature]) -> dict[Key, int]:
    """Of those that were signed by badge, by their event: the version that the station showed."""
    receipt = tables.receipts.c
    found: dict[Key, int] = {}
    for one in signatures:
        if one.of_s is None or one.of_e is None or one.of_n is None:
            continue
        its = (receipt.s == one.of_s) & (receipt.e == one.of_e) & (receipt.n == one.of_n)
        name = notice_of(tx.execute(select(receipt.m).where(its)).scalar() or "")
        if name is not None:
            found[one.station, one.epoch, one.sequence] = name[1]
    return found


def wrong_signature(
    how: How, day: str, document: str | None, witnesses: Sequence[str], today: date
) -> tuple[str, str] | None:
    """What is wrong with it, as (field, word of `notices.wrong`); None: nothing."""
    if (word := _wrong_day(day, today)) is not None:
        return "date", word
    if how == "paper":
        if not (document or "").strip():
            return "document", "no_document"
        return ("witnesses", "witnesses_idle") if witnesses else None
    different = {" ".join(one.split()).casefold() for one in witnesses} - {""}
    return None if len(different) >= _WITNESSES else ("witnesses", "two_witnesses")


def is_there(
    signatures: Iterable[Signature],
    notice: str,
    agent: str,
    how: How,
    day: str,
    document: str | None,
    witnesses: Collection[str],
) -> bool:
    """Whether the very same was noted before."""
    said = "\n".join(witnesses) or None
    return any(
        (one.notice, one.agent, one.how, one.date, one.document, one.witnesses)
        == (notice, agent, how, day, document or None, said)
        for one in signatures
    )


def _wrong_day(day: str, today: date) -> str | None:
    try:
        return "future" if date.fromisoformat(day) > today else None
    except ValueError:
        return "no_day"


def _bodies(book: Directory) -> dict[tuple[str, str], Body]:
    """What notices ever said, by code and hash."""
    return {
        (one.code, hashlib.sha256(notice_bytes(one.body)).hexdigest()): one.body
        for one in book.versions("notices")
        if one.body is not None
    }


def _text(row: PublishedNotice, body: Body, since_ms: int) -> NoticeText:
    lists: dict[str, Any] = {
        name: tuple(its) if isinstance(its := body.get(name), list) else ()
        for name in ("queues", "campaigns")
    }
    spoken = "" if row.side == "agent" else str(body.get("spoken") or "recording")
    return NoticeText(
        code=row.notice, version=row.version, side=row.side, hash=row.hash, since_ms=since_ms,
        name=str(body["name"]), text=str(body["text"]), spoken=spoken, **lists,
    )  # fmt: skip


def _informed(
    notice: NoticeText,
    worker: Worker,
    signatures: Sequence[Signature],
    versions: Mapping[Key, int],
    texts: Sequence[NoticeText],
    now_ms: int,
    zone: ZoneInfo,
) -> Informed:
    found = Informed(agent=worker.id, name=worker.name, team=worker.team)
    today = datetime.fromtimestamp(now_ms / 1000, zone).date().isoformat()
    counting = [one for one in signatures if informs(one, now_ms, today)]
    dated = [(_version(one, notice, versions, texts, zone), one) for one in counting]
    if not dated:
        return found
    version, last = max(dated, key=lambda one: (one[0], one[1].utc))
    found.state = "informed" if version >= notice.version else "older"
    found.version, found.how, found.by = version, last.how, last.by
    found.utc = last.utc if last.how == "badge" else None
    found.date, found.document = last.date, last.document
    found.witnesses = (last.witnesses or "").split("\n") if last.witnesses else []
    return found


def _version(
    one: Signature,
    notice: NoticeText,
    versions: Mapping[Key, int],
    texts: Sequence[NoticeText],
    zone: ZoneInfo,
) -> int:
    """That of which the agent was told; a paper is of the one that was in force on its day, one
    from before all of them of the first.
    """
    if known := versions.get((one.station, one.epoch, one.sequence)):
        return known
    its = [version for version in texts if version.code == notice.code]
    by_then = [
        version.version
        for version in its
        if (
            version.since_ms <= one.utc
            if one.date is None
            else _local_day(version.since_ms, zone) <= one.date
        )
    ]
    return max(by_then, default=min((version.version for version in its), default=1))


def _local_day(utc_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, zone).date().isoformat()
