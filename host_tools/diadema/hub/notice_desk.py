"""Notices that calls are recorded and heard: sent to agents, and signed.

An agent signs at the own station, by the badge; what a station tells of that is recorded once. A
paper, or a refusal before witnesses, is recorded by whoever keeps it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, func, literal_column, select

from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.actions import Place, seated
from diadema.hub.commanding import Commands, New
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, Reply, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.quality.informing import (
    NoticeText,
    in_force,
    is_there,
    message_name,
    notice_of,
    published_texts,
    signed_versions,
    states,
    wrong_signature,
)
from diadema.site.context import tz_of
from diadema.site.directory.publishing import open_directory
from diadema.store import Reader, tables
from diadema.store.quality import notices, signatures
from diadema.wire.quality_actions import ANY_OF_NOTICES, SendNotice, SignNotice

_BY_BADGE = "rule:notice"
_AT_ONCE = 100  # signatures of one look
_POSITION = literal_column("receipts.rowid", BigInteger)


class NoticeDesk:
    def __init__(
        self, data: DataDir, ingest: Ingest, commands: Commands, reader: Reader, hearing: Hearing
    ) -> None:
        self._data, self._ingest, self._reader, self._hearing = data, ingest, reader, hearing
        self._journal = OwnJournal(ingest, commands)
        self._seen = -1  # of what stations told of messages, how far it was looked at

    def act(
        self, body: Mapping[str, Any], once: Once | None = None
    ) -> tuple[dict[str, Any], Recorded]:
        """(answer, what follows). Raises Refused, ValidationError, StoreUnavailable, StoreStale;
        then nothing was done.
        """
        request = msgspec.convert(body, ANY_OF_NOTICES)
        more: dict[str, Any]
        if isinstance(request, SendNotice):
            actions, refused = self._send(request)
            more = {"refused": refused}
        else:
            actions, already = self._sign(request)
            more = {"already": already}

        def answered(of: list[Place], _: list[int | None]) -> dict[str, Any]:
            return {"of": of[0] if of else None, "count": len(of), **more}

        done = self._journal.record(actions, Reply(once, answered) if once else None)
        return answered(done.of, done.numbers), done

    def look(self) -> Recorded | None:
        """What agents signed at their stations; to be called until there is nothing. Raises
        StoreUnavailable or StoreStale; then nothing was said.
        """
        newest, found = self._signed()
        done = self._journal.record(found) if found else None
        if len(found) < _AT_ONCE:
            self._seen = newest
        return done

    # -- at a station

    def _send(self, request: SendNotice) -> tuple[list[SupervisorAction], list[dict[str, Any]]]:
        """One action an agent; who is at no desk, or has signed it, is told back, and stops nobody
        else's.
        """
        notice, knowing = self._of_agents(request.notice)
        site = self._ingest.site
        shown = notice.shown(site.language if site else "es")
        m = message_name(notice.code, notice.version)
        actions: list[SupervisorAction] = []
        refused: list[dict[str, Any]] = []
        for a in dict.fromkeys(request.agents):
            try:
                self._check_agent(a)
                if a in knowing:
                    raise Refused("informed_already", f"{a} has signed it", a=a)
                station = seated(self._ingest, a).station
            except Refused as refusal:
                if len(request.agents) == 1:
                    raise
                refused.append({"a": a, "error": refusal.error})
                continue
            common = {"by": request.by, "a": a, "m": m}
            acted = common | {"who": request.who or None, "action": "message",
                              "reason": notice.name[:64]}  # fmt: skip
            sent = common | {"text": shown, "sign": True}
            order = New(station, "text", {"m": m, "text": shown, "agent": a, "sign": 1})
            actions.append(
                SupervisorAction([("supervision.acted", acted), ("message.sent", sent)], order)
            )
        if not actions:
            raise Refused("nobody_to_sign", "none of these agents is there and has yet to sign")
        return actions, refused

    def _signed(self) -> tuple[int, list[SupervisorAction]]:
        """How far it was looked, and what is to be recorded of it."""
        receipt, sent, signed = tables.receipts.c, tables.messages.c, tables.signatures.c
        with self._reader.engine.connect() as tx:
            newest = (
                tx.execute(select(func.max(_POSITION)).select_from(tables.receipts)).scalar() or 0
            )
            if newest <= self._seen:
                return newest, []
            its = (sent.m == receipt.m) & (sent.a == receipt.a) & (sent.target == receipt.s)
            of_it = (
                (signed.of_s == receipt.s)
                & (signed.of_e == receipt.e)
                & (signed.of_n == receipt.n)
            )
            query = (
                select(receipt.s, receipt.e, receipt.n, receipt.m, receipt.a)
                .join_from(tables.receipts, tables.messages, its)
                .outerjoin(tables.signatures, of_it)
                .where(self._seen < _POSITION, signed.n.is_(None))
                .where(receipt.answer == "agree", receipt.how == "badge", sent.sign)
            )
            rows = tx.execute(query.order_by(_POSITION)).all()
            found = [(one, name) for one in rows if (name := notice_of(one.m)) is not None]
        return newest, [
            SupervisorAction(
                [
                    (
                        "notice.signed",
                        {"by": _BY_BADGE, "notice": name[0], "a": one.a, "how": "badge",
                         "of": (one.s, one.e, one.n)},
                    )
                ]
            )
            for one, name in found[:_AT_ONCE]
        ]  # fmt: skip

    # -- on paper

    def _sign(self, request: SignNotice) -> tuple[list[SupervisorAction], list[str]]:
        """And who had signed the very same before."""
        with self._reader.engine.connect() as tx:
            known = {one.notice for one in notices(tx) if one.side == "agent"}
            before = signatures(tx)
        if request.notice not in known:
            raise _no_such_notice(request.notice)
        witnesses = [" ".join(one.split()) for one in request.witnesses]
        today = self._today()
        found = wrong_signature(request.how, request.date, request.document, witnesses, today)
        if found is not None:
            raise Refused(f"notice_{found[1]}", f"{found[0]}: {found[1]}", 422, day=request.date)
        for a in request.agents:
            self._check_agent(a)
            if self._hearing.people().name(a).casefold() in map(str.casefold, witnesses):
                raise Refused("notice_own_witness", f"{a} is no witness of the own", 422, a=a)
        actions: list[SupervisorAction] = []
        already: list[str] = []
        fields = {
            "notice": request.notice, "how": request.how, "date": request.date,
            "document": request.document, "witnesses": witnesses or None,
        }  # fmt: skip
        for a in dict.fromkeys(request.agents):
            same = (request.notice, a, request.how, request.date, request.document, witnesses)
            if is_there(before, *same):
                already.append(a)
                continue
            actions.append(
                SupervisorAction([("notice.signed", {"by": request.by, "a": a, **fields})])
            )
        return actions, already

    # -- who and what there is

    def _of_agents(self, code: str) -> tuple[NoticeText, set[str]]:
        """What is in force of a notice to agents, and who has been told it. Raises Refused."""
        now_ms, zone = self._ingest.clock.now_ms(), tz_of(self._ingest.site)
        with self._reader.engine.connect() as tx:
            rows, signed = notices(tx), signatures(tx)
            versions = signed_versions(tx, [one for one in signed if one.notice == code])
        with open_directory(self._data, now_ms) as book:
            texts = published_texts(book, [one for one in rows if one.notice == code])
        people = self._hearing.people()
        notice = in_force(texts, people, now_ms, zone).get(code)
        if notice is None or notice.side != "agent":
            raise _no_such_notice(code)
        (state,) = states(texts, signed, versions, people, now_ms, zone)
        return notice, {one.agent for one in state.agents if one.state == "informed"}

    def _check_agent(self, a: str) -> None:
        if a not in self._hearing.people().workers and a not in self._ingest.floor.agents():
            raise Refused("no_such_agent", f"no agent {a}", 404, a=a)

    def _today(self) -> date:
        zone = tz_of(self._ingest.site)
        return datetime.fromtimestamp(self._ingest.clock.now_ms() / 1000, zone).date()


def _no_such_notice(code: str) -> Refused:
    return Refused("no_such_notice", f"no notice {code} to agents is in force", 404, notice=code)
