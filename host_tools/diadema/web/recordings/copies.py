"""A copy of a recording for somebody outside: said in the register first, then given, with a sheet
to sign. The file is made anew each time, and given only while it is the one that was registered.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.quality.hearing import Barred, Grounds, Wanted, may_hear, published_of
from diadema.recordings.handing_over import write_copy
from diadema.recordings.playing import Refused
from diadema.store import open_reader
from diadema.store.contact_rows import Key, key_of
from diadema.store.quality import notices, signatures
from diadema.store.quality_rows import RecordingAct
from diadema.web.actions.api import ActEpoch, ActNumber, ActStation, check_seen, signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.quality.blind import hidden_from
from diadema.web.recordings import found
from diadema.web.recordings.asking import ask
from diadema.web.recordings.calls import (
    REFUSED,
    CallEpoch,
    CallNumber,
    CallStation,
    Lead,
    call_of,
)
from diadema.web.recordings.found import FoundCall
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text
from diadema.words.formatting import NOTHING, clock, local_time

_PIECE = 1 << 18
_WITHIN_MS = 3_600_000  # of the registered handing over the file can be had again
_GROUP = 8  # characters of the hash that stand together on the sheet
_PURPOSE = "complaint"  # of the lead's purposes, what a copy comes nearest to
router = APIRouter()


class Copy(BaseModel):
    """To whom, for what and why."""

    model_config = ConfigDict(extra="forbid")
    purpose: Literal["arco", "reclamo", "mandante", "autoridad", "judicial"]
    receiver: str = Field(min_length=1, max_length=40)
    reason: str = Field(min_length=1, max_length=40)


class Given(BaseModel):
    """`of`: the event; `hash`: SHA-256 of the file; where it is to be had, and the sheet."""

    of: tuple[str, int, int]
    hash: str
    file: str
    sheet: str


@router.post(
    "/api/v1/calls/{s}/{e}/{n}/copies",
    summary="Hand over a copy of a recording: it is registered, and the agent sees it",
    status_code=202,
    responses=REFUSED,
)
async def hand_over(
    body: Annotated[Copy, Body()], web_app: WebAppDep, person: Lead, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> Given:  # fmt: skip
    call = await call_of(request, web_app, person, (s, e, n))
    language = language_of(request)
    barred = await asyncio.to_thread(_barred, web_app, person, call)
    if barred is not None:
        raise HTTPException(403, text(f"errors.quality.hear.{barred.reason}", language))
    with tempfile.TemporaryFile() as nowhere:
        digest = await _written(web_app.data, (s, e, n), nowhere, language)
    said = {"action": "recording_released", "call": [s, e, n], "hash": digest}
    answer = await ask(web_app, request, "hub.act", said | body.model_dump() | signed(person))
    of = tuple(answer["of"])
    web_app.audit(person, "calls.copy", [call.contact.agent])
    place = "/".join(map(str, of))
    return Given(
        of=of, hash=digest, file=f"/api/v1/calls/copies/{place}", sheet=f"/calls/copies/{place}"
    )


@router.get(
    "/api/v1/calls/copies/{s}/{e}/{n}",
    summary="The file that was handed over, for an hour, to whoever registered it",
    responses={200: {"content": {"audio/wav": {}}}, **REFUSED},
    response_class=StreamingResponse,
)
async def copy_file(
    web_app: WebAppDep, person: Lead, request: Request, s: ActStation, e: ActEpoch, n: ActNumber
) -> StreamingResponse:
    act, call = await _registered(web_app, person, request, (s, e, n))
    language = language_of(request)
    if act.by != person.id or web_app.pace.now_ms() - act.utc > _WITHIN_MS:
        raise HTTPException(403, text("calls.copy.late", language))
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by what sends it)
    try:
        digest = await _written(web_app.data, key_of(call.contact), file, language)
        if digest != act.hash:
            raise HTTPException(409, text("calls.copy.changed", language))
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    web_app.audit(person, "calls.copy.file", [call.contact.agent])
    name = f"llamada-{digest[:12]}.wav"  # no name of a person or a number
    headers = {
        "content-length": str(size),
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return StreamingResponse(_sent(file), headers=headers, media_type="audio/wav")


@router.get("/calls/copies/{s}/{e}/{n}", include_in_schema=False)
async def copy_sheet(
    request: Request, person: Lead, s: ActStation, e: ActEpoch, n: ActNumber
) -> HTMLResponse:
    """What is signed by who gives and who receives it."""
    web_app = web_app_of(request)
    act, call = await _registered(web_app, person, request, (s, e, n))
    web_app.audit(person, "calls.copy.sheet", [call.contact.agent])
    language = language_of(request)
    values = await asyncio.to_thread(_sheet, web_app, act, call, language)
    title = text("calls.sheet.title", language)
    return plain_page(web_app, request, "copy.html", title, **values)


async def _registered(
    web_app: WebApp, person: Lead, request: Request, of: Key
) -> tuple[RecordingAct, FoundCall]:
    known = await web_app.worker.ask(found.copy_of, web_app.data, of)
    if known is None or key_of(known[1].contact) in await hidden_from(web_app, person):
        raise HTTPException(404, text("calls.copy.no_such", language_of(request)))
    check_seen(request, web_app, person, [known[1].contact.agent])
    return known


def _barred(web_app: WebApp, person: Lead, call: FoundCall) -> Barred | None:
    """Whether that person may not have this sound, by the one function that decides."""
    with open_reader(web_app.data.store) as reader, reader.engine.connect() as tx:
        grounds = Grounds(
            people=web_app.people(),
            zone=web_app.zone,
            now_ms=web_app.pace.now_ms(),
            published=published_of(notices(tx)),
            signatures=signatures(tx, agent=call.contact.agent),
            acts=call.recorded.acts,
            cases=call.cases,
        )
    wanted = Wanted(source="recording", purpose=_PURPOSE)
    decided = may_hear(person, call.contact, wanted, grounds)
    return decided if isinstance(decided, Barred) else None


async def _written(data: DataDir, key: Key, file: BinaryIO, language: str) -> str:
    """The copy in that file; its SHA-256. Raises HTTPException."""
    try:
        return await asyncio.to_thread(write_copy, data, key, file)
    except Refused as error:
        said = text(f"errors.recordings.refused.{error.reason}", language)
        raise HTTPException(409, said) from error


async def _sent(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()


def _sheet(web_app: WebApp, act: RecordingAct, call: FoundCall, language: str) -> dict[str, Any]:
    words, people, contact = section("calls", language), web_app.people(), call.contact
    try:
        names = {one.id: one.name for one in web_app.accounts.book.all()}
    except DiademaError:
        names = {}

    def at(utc_ms: int | None) -> str:
        if utc_ms is None:
            return NOTHING
        return local_time(utc_ms, web_app.zone, "date_second")

    recording = call.recorded.recording
    queue = people.queue(contact.queue, contact.start_utc) if contact.queue else ""
    digest = act.hash or ""
    lines = [
        ("call", contact.contact),
        ("start", at(contact.start_utc)),
        ("length", clock(recording.ms // 1000) if recording and recording.ms else NOTHING),
        ("queue", people.queues.get(queue, queue) or NOTHING),
        ("agent", people.name(contact.agent)),
        ("purpose", words.get(f"copy.{act.purpose}", act.purpose or NOTHING)),
        ("receiver", act.receiver or NOTHING),
        ("reason", act.reason or NOTHING),
        ("at", at(act.utc)),
        ("by", names.get(act.by, act.by)),
        ("event", f"{act.station}/{act.epoch}/{act.sequence}"),
    ]
    return {
        "words": words,
        "lines": [(words[f"sheet.{name}"], said) for name, said in lines],
        "hash": [digest[at : at + _GROUP] for at in range(0, len(digest), _GROUP)],
    }
