"""Recordings in the hub's journal: linked, missing, held, handed over, and who heard one.

Nobody hears one before it is decided here, and written down; whoever then says nothing more has
ended. Which call it is, an answer never says.
"""

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.hearing import Hearing
from diadema.hub.own_journal import OwnJournal, Recorded, Refused, Reply, SupervisorAction
from diadema.hub.recording_cases import closed, opened
from diadema.hub.recording_follow import Follower, Following
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Effects
from diadema.quality.hearing import DRAWN, most_served_ms
from diadema.recordings.calls import find
from diadema.store import Reader, tables
from diadema.store.assistance import Key, key_of
from diadema.store.quality import RecordedCall, call_of, listenings, recordings
from diadema.store.quality_rows import Assignment
from diadema.store.rows import Contact
from diadema.wire.letters import from_columns
from diadema.wire.quality_actions import (
    ANY_OF_RECORDINGS,
    BeginHearing,
    CloseCase,
    EndHearing,
    GoOnHearing,
    HoldRecording,
    OpenCase,
    ReleaseRecording,
)

LINKS, LISTENINGS = "rule:recordings", "rule:listening"
SILENT_S = 120.0  # of whoever hears one; then nobody does
_OUTSIDE_S = 4 * 3600.0  # the same, where another platform plays it
_DAY_MS = 86_400_000
_EACH = 20  # that one account has open

log = logging.getLogger("diadema.ingest")

type Done = tuple[dict[str, Any], Recorded]


class _Open(Struct, kw_only=True):
    """One that goes on. `of`: its listening.started; `assignment`: by which it was allowed."""

    listening: str
    of: Key
    by: str
    call: Key
    purpose: str
    assignment: Key | None = None
    is_outside: bool = False
    began: float
    spoke: float
    heard_ms: int = 0

    def says(self, heard_ms: int, now: float) -> None:
        """So much was heard by now: never less than before, and no more than can be."""
        elapsed_ms = round((now - self.began) * 1000)
        most = elapsed_ms if self.is_outside else most_served_ms(elapsed_ms)
        self.heard_ms = max(self.heard_ms, min(heard_ms, most, _DAY_MS))
        self.spoke = now


class RecordingDesk:
    """`following`: how the look for recordings goes."""

    def __init__(
        self,
        data: DataDir,
        ingest: Ingest,
        commands: Commands,
        reader: Reader,
        hearing: Hearing,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ingest, self._reader, self._hearing = ingest, reader, hearing
        self._monotonic = monotonic
        self._journal = OwnJournal(ingest, commands)
        self._follower = Follower(data, ingest.clock.now_ms)
        self._heard_file = data.hearings
        self._open: dict[str, _Open] = {}
        self._take_up()

    @property
    def following(self) -> Following:
        return self._follower.following

    def close(self) -> None:
        self._follower.close()

    def _take_up(self) -> None:
        """What went on when a hub ended before this one: it may still, or nobody says so."""
        now, now_ms = self._monotonic(), self._ingest.clock.now_ms()
        with self._reader.engine.connect() as tx:
            known = listenings(tx, start_utc=now_ms - _DAY_MS)
        heard = self._remembered()
        for one in known:
            began = one.began
            if began.kind != "started" or began.source != "recording" or one.ended is not None:
                continue
            assert began.listening is not None
            self._open[began.listening] = _Open(
                listening=began.listening,
                of=key_of(began),
                by=began.by,
                call=(began.call_s or "", began.call_e or 0, began.call_n or 0),
                purpose=began.purpose or "",
                is_outside=began.via == "outside",
                began=now - (now_ms - began.utc) / 1000,
                spoke=now,
                heard_ms=heard.get(began.listening, 0),
            )

    def _remembered(self) -> dict[str, int]:
        """By listening, what another run of the hub knew last."""
        try:
            return msgspec.json.decode(self._heard_file.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return {}

    def _remember(self) -> None:
        """At what a crash of the hub may cost: a disk that goes with it costs a little more."""
        heard = {one.listening: one.heard_ms for one in self._open.values() if one.heard_ms}
        beside = self._heard_file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(heard))
            beside.replace(self._heard_file)
        except OSError as error:
            log.warning("how much was heard by now is not kept: %s", error)

    # -- asked

    def act(self, body: Mapping[str, Any], once: Once | None = None) -> Done:
        """(answer, what follows). Raises Refused, ValidationError, StoreUnavailable, StoreStale;
        then nothing was done.
        """
        request = msgspec.convert(body, ANY_OF_RECORDINGS)
        match request:
            case BeginHearing():
                return self._begin(request, once)
            case GoOnHearing():
                return self._go_on(request)
            case EndHearing():
                one = self._mine(request)
                one.says(request.heard_ms, self._monotonic())
                return {}, self._end(one, request.by, request.cause)
        return self._keep(request, once)

    def _keep(
        self, request: HoldRecording | ReleaseRecording | OpenCase | CloseCase, once: Once | None
    ) -> Done:
        """Said of a recording, by whoever leads quality."""
        person = self._hearing.person(request.by)
        if person is None or not person.may("quality"):
            raise Refused("not_yours", "the quality lead keeps, opens and hands over calls", 403)
        now_ms, people = self._ingest.clock.now_ms(), self._hearing.people()
        with self._reader.engine.connect() as tx:
            match request:
                case OpenCase():
                    about = _called(tx, request.call)
                    kind, fields = opened(tx, person, people, now_ms, request, *about)
                case CloseCase():
                    kind, fields = closed(tx, person, people, now_ms, request)
                case _:
                    _check_linked(_called(tx, request.call)[1])
                    kind, fields = _act_of(request)
        action = SupervisorAction([(kind, {"by": request.by, **fields})])

        def answered(of: list[Key], _: list[int | None]) -> dict[str, Any]:
            return {"of": of[0]}

        done = self._journal.record([action], Reply(once, answered) if once else None)
        return answered(done.of, done.numbers), done

    def _begin(self, request: BeginHearing, once: Once | None) -> Done:
        if (request.call is None) == (request.of is None):
            raise Refused("bad_request", "either the call or the assignment", 422)
        with self._reader.engine.connect() as tx:
            key = request.call or _call_of(tx, request.of)
            contact, known = _called(tx, key)
        about = {"a": contact.agent, "call": key, "source": "recording"}
        about |= {"purpose": request.purpose}
        try:
            self._check(request, contact, known)
        except Refused as refused:
            refusal = about | {"by": request.by, "reason": refused.error[:24]}
            done = self._journal.record([SupervisorAction([("listening.refused", refusal)])])
            said = {"error": refused.error, "detail": str(refused), "status": refused.status}
            return said, done
        listening, now = secrets.token_hex(6), self._monotonic()
        via = "outside" if request.outside else "browser"
        fields = {"by": request.by, "listening": listening, "via": via, "announced": False}
        action = SupervisorAction([("listening.started", fields | about)])

        def answered(_: list[Key], __: list[int | None]) -> dict[str, Any]:
            return {"listening": listening}

        done = self._journal.record([action], Reply(once, answered) if once else None)
        self._open[listening] = _Open(
            listening=listening,
            of=done.of[0],
            by=request.by,
            call=key,
            purpose=request.purpose,
            assignment=request.of,
            is_outside=request.outside,
            began=now,
            spoke=now,
        )
        return {"listening": listening}, done

    def _check(self, request: BeginHearing, contact: Contact, known: RecordedCall) -> None:
        """Raises Refused."""
        self._permit(request.by, contact, request.purpose, request.of, known)
        person = self._hearing.person(request.by)
        is_own = request.purpose == DRAWN or (person is not None and person.may("quality"))
        if request.of is not None and not is_own:
            raise Refused(
                "not_assigned", "by an assignment its monitor hears it, or the lead", 403
            )
        if request.outside:
            if not contact.pbx:
                raise Refused("no_call_id", "the exchange's id of this call is not known")
        else:
            _check_linked(known)
        if sum(one.by == request.by for one in self._open.values()) >= _EACH:
            raise Refused("too_many", f"{request.by} has {_EACH} open already")

    def _permit(
        self, by: str, contact: Contact, purpose: str, of: Key | None, known: RecordedCall
    ) -> None:
        """Raises Refused."""
        self._hearing.check_recording(by, contact, purpose, of, known.acts)

    def _go_on(self, request: GoOnHearing) -> Done:
        one = self._mine(request)
        one.says(request.heard_ms, self._monotonic())
        try:
            with self._reader.engine.connect() as tx:
                contact, known = _called(tx, one.call)
            self._permit(one.by, contact, one.purpose, one.assignment, known)
        except Refused as refused:
            said = {"error": refused.error, "detail": str(refused), "status": refused.status}
            return said, self._end(one, LISTENINGS, refused.error[:24])
        self._remember()
        return {}, _NOTHING

    def _mine(self, request: GoOnHearing | EndHearing) -> _Open:
        """Raises Refused."""
        one = self._open.get(request.listening)
        if one is None:
            raise Refused("no_such_hearing", "nobody hears a recording by that name", 404)
        if one.by != request.by:
            raise Refused("not_yours", "whoever began it hears it, and ends it", 403)
        return one

    def _end(self, one: _Open, by: str, cause: str) -> Recorded:
        fields = {"by": by, "of": one.of, "heard_ms": one.heard_ms, "cause": cause}
        done = self._journal.record([SupervisorAction([("listening.ended", fields)])])
        del self._open[one.listening]
        return done

    # -- by the clock

    def look(self) -> Recorded | None:
        """What the clock has to say; to be called until there is nothing. Raises StoreUnavailable
        or StoreStale; then nothing was said.
        """
        self._follower.begin()
        now = self._monotonic()
        for one in self._open.values():
            if now - one.spoke >= (_OUTSIDE_S if one.is_outside else SILENT_S):
                return self._end(one, LISTENINGS, "lost")
        return self._tell()

    def _tell(self) -> Recorded | None:
        """What the look for recordings has found."""
        events = self._follower.take()
        if not events:
            return None
        actions = [SupervisorAction([(kind, {"by": LINKS, **fields})]) for kind, fields in events]
        try:
            done = self._journal.record(actions)
        except Refused as error:  # by what a file claims to be
            log.error("%d recordings are not in the store: %s", len(events), error)
            done = None
        self._follower.confirm()
        return done


def _act_of(request: HoldRecording | ReleaseRecording) -> tuple[str, dict[str, Any]]:
    fields: dict[str, Any] = {"call": request.call, "reason": request.reason}
    if isinstance(request, HoldRecording):
        return "recording.held", fields | {"until": request.until}
    more = {"purpose": request.purpose, "receiver": request.receiver, "hash": request.hash}
    return "recording.released", fields | more


_NOTHING = Recorded([], [], [], Effects(), [])


def _called(tx: Connection, key: Key) -> tuple[Contact, RecordedCall]:
    """That call, and what was said of its recording. Raises Refused."""
    contact = find(tx, key)
    if contact is None:
        raise Refused("no_call", "no such call, or it goes on", 404)
    return contact, recordings(tx, [key]).get(key, RecordedCall())


def _check_linked(known: RecordedCall) -> None:
    """Raises Refused."""
    if known.recording is None or known.recording.kind != "linked":
        raise Refused("no_recording", "no recording is linked to this call", 409)


def _call_of(tx: Connection, of: Key | None) -> Key:
    """Of an assignment. Raises Refused."""
    assert of is not None
    its = tables.assignments.c
    where = (its.s == of[0]) & (its.e == of[1]) & (its.n == of[2])
    row = tx.execute(select(tables.assignments).where(where)).mappings().first()
    if row is None:
        raise Refused("no_call", "no such assignment", 404)
    return call_of(from_columns(Assignment, row))
