"""A recording that was found, heard here or where another platform has it: the hub
decides, and notes it, before anything is given.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.roles import Person
from diadema.web.actions.api import signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.recordings import found
from diadema.web.recordings.asking import ask
from diadema.web.recordings.calls import (
    LINKED,
    REFUSED,
    CallEpoch,
    CallNumber,
    CallStation,
    call_of,
    platform,
    state_of,
)
from diadema.web.recordings.sound import Hearing, begin
from diadema.words import text

_MOST_MIN = 24 * 60
router = APIRouter()

Listener = Annotated[Person, Depends(need("listen"))]
ListeningId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{12}$", examples=["3f9a01c2d4e5"])]


class Purpose(BaseModel):
    model_config = ConfigDict(extra="forbid")
    purpose: str = Field(max_length=16)


class Mark(BaseModel):
    """What happened in the call: at `ms` from its first event, or from there to `to`."""

    ms: int
    kind: str
    to: int | None = None
    step: str = ""


class Heard(BaseModel):
    sound: Hearing
    marks: list[Mark]


class Declared(BaseModel):
    """How long somebody listened elsewhere."""

    model_config = ConfigDict(extra="forbid")
    minutes: float = Field(ge=0, le=_MOST_MIN)


class Elsewhere(BaseModel):
    """`address`: of the call at the other platform."""

    listening: str
    address: str


@router.post(
    "/api/v1/calls/{s}/{e}/{n}/listening",
    summary="Hear a recording, for a purpose; it is in the register from now on",
    status_code=202,
    responses=REFUSED,
)
async def hear(
    body: Annotated[Purpose, Body()], web_app: WebAppDep, person: Listener, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> Heard:  # fmt: skip
    call = await call_of(request, web_app, person, (s, e, n))
    if state_of(call)[0] not in LINKED:
        raise HTTPException(409, text("calls.refused.no_recording", language_of(request)))
    web_app.audit(person, "calls.hear", [call.contact.agent])
    sound = await begin(web_app, request, person, (s, e, n), body.purpose)
    marks = await web_app.worker.ask(found.marks, web_app.data, (s, e, n))
    return Heard(
        sound=sound, marks=[Mark.model_validate(msgspec.to_builtins(one)) for one in marks]
    )


@router.post(
    "/api/v1/calls/{s}/{e}/{n}/outside",
    summary="Hear a recording on the platform that has it; it is in the register from now on",
    status_code=202,
    responses=REFUSED,
)
async def hear_outside(
    body: Annotated[Purpose, Body()], web_app: WebAppDep, person: Listener, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> Elsewhere:  # fmt: skip
    call = await call_of(request, web_app, person, (s, e, n))
    settings, pbx = platform(web_app), call.contact.pbx
    if settings is None or not pbx:
        raise HTTPException(409, text("calls.outside.none", language_of(request)))
    said = {"action": "hearing_begun", "call": [s, e, n], "outside": True}
    answer = await ask(web_app, request, "hub.act", said | body.model_dump() | signed(person))
    web_app.audit(person, "calls.outside", [call.contact.agent])
    return Elsewhere(listening=answer["listening"], address=settings.address_of(pbx))


@router.post(
    "/api/v1/calls/outside/{listening}",
    summary="Say how long you listened on the other platform",
    status_code=202,
    responses=REFUSED,
)
async def heard_outside(
    body: Annotated[Declared, Body()], web_app: WebAppDep, person: Listener, request: Request,
    listening: ListeningId,
) -> dict[str, Any]:  # fmt: skip
    said: dict[str, Any] = {"action": "hearing_ended", "listening": listening, "cause": "closed"}
    said["heard_ms"] = round(body.minutes * 60_000)
    return await ask(web_app, request, "hub.act", said | signed(person))
