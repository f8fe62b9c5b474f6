"""`/api/v1/listenings/…`: the sound of a recording that somebody was let hear, and its peaks.

`begin` is the one way in: the hub decides, and writes it down. What is served goes to the session
that began, until it ends; no answer says which call it is, nor what its file is called.
"""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from diadema.access.roles import Person
from diadema.recordings import playing
from diadema.recordings.playing import PastEnd
from diadema.store.assistance import Key
from diadema.store.rows import HUB
from diadema.web.actions.api import signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.recordings.asking import ask
from diadema.web.recordings.hearings import Over, Playing, TooFast, Untold
from diadema.web.web_app import WebApp
from diadema.words import said, text

router = APIRouter(prefix="/api/v1/listenings")

ListeningId = Annotated[str, Path(pattern=r"^[0-9a-z]{12}$", examples=["3f9a01c2d4e5"])]
Listener = Annotated[Person, Depends(need("listen", "evaluate", "cases"))]
_RANGE = re.compile(r"bytes=(\d{1,15}-\d{0,15}|-\d{1,15})")
_SOUND = "application/octet-stream"
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "nothing of that name is heard in this session, or not any more"},
    409: {"description": "it cannot be heard; `detail` says why"},
    503: {"description": "the hub is silent"},
}


class Hearing(BaseModel):
    """`frames` of `sides` interleaved 16-bit samples, little end first, `rate` a second: `ms` in
    all, at `sound`. `start_ms`: where the contact's first event lies in them, null where nobody
    knows. `peaks`: the address of the waveform.
    """

    listening: str
    rate: int
    sides: int
    frames: int
    start_ms: int | None
    ms: int
    peaks: str
    sound: str


class Ending(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cause: Literal["closed", "submitted"] = "closed"


class Peaks(BaseModel):
    """Of each side the loudest of equal parts, 0-255."""

    peaks: list[list[int]]


async def begin(
    web_app: WebApp, request: Request, person: Person, call: Key, purpose: str
) -> Hearing:
    """This person would hear a call: its key, or that of the assignment by which it is to be
    heard, and of whose call nothing is said. Raises HTTPException with why not.
    """
    about = {"of" if call[0].startswith(HUB) else "call": call, "purpose": purpose}
    body = {"action": "hearing_begun"} | about | signed(person)
    answer = await ask(web_app, request, "hub.act", body)
    try:
        one = await web_app.hearings.begin(answer["listening"], person, purpose)
    except playing.Refused as error:
        raise _refused(request, error) from error
    plan, frames = one.plan, one.plan.frames[1] - one.plan.frames[0]
    address = f"{router.prefix}/{one.listening}"
    return Hearing(
        listening=one.listening,
        rate=plan.rate,
        sides=plan.sides,
        frames=frames,
        start_ms=plan.start_ms,
        ms=frames * 1000 // plan.rate,
        peaks=f"{address}/peaks",
        sound=f"{address}/sound",
    )


@router.get("/{listening}/peaks", summary="The waveform of what you hear", responses=REFUSED)
async def peaks(
    listening: ListeningId, web_app: WebAppDep, person: Listener, request: Request
) -> Peaks:
    one = _found(web_app, request, person, listening)
    try:
        return Peaks(peaks=await web_app.hearings.peaks(one))
    except (playing.Refused, Untold) as error:
        raise _refused(request, error) from error


@router.get(
    "/{listening}/sound",
    summary="A part of the sound of what you hear, by Range",
    response_class=Response,
    responses={
        **REFUSED,
        206: {"content": {_SOUND: {}}, "description": "16-bit samples, little end first"},
        416: {"description": "no such part, or without a Range more than one answer has"},
        429: {"description": "more than can be heard; Retry-After says when"},
    },
)
async def sound(
    listening: ListeningId, web_app: WebAppDep, person: Listener, request: Request
) -> Response:
    one = _found(web_app, request, person, listening)
    wanted, size = request.headers.get("range", "").strip(), one.plan.size
    is_part = _RANGE.fullmatch(wanted) is not None  # of several, or none, it is the whole
    try:
        begin, end = playing.range_of(size, wanted if is_part else "")
        if not is_part and end < size:
            raise PastEnd(size)
        content = await web_app.hearings.part(one, begin, end)
    except PastEnd as error:
        detail = str(said(error.args[0], language_of(request)))
        raise HTTPException(416, detail, {"Content-Range": f"bytes */{size}"}) from error
    except TooFast as error:
        detail = text("sound.too_fast", language_of(request), seconds=error.after_s)
        raise HTTPException(429, detail, {"Retry-After": str(error.after_s)}) from error
    except (playing.Refused, Untold, Over) as error:
        raise _refused(request, error) from error
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if is_part:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    return Response(content, 206 if is_part else 200, headers, _SOUND)


@router.post("/{listening}/end", summary="End hearing it", status_code=202, responses=REFUSED)
async def end(
    listening: ListeningId,
    web_app: WebAppDep,
    person: Listener,
    request: Request,
    ending: Ending | None = None,
) -> dict[str, Any]:
    one = _found(web_app, request, person, listening)
    await web_app.hearings.end(one, (ending or Ending()).cause)
    return {"heard_ms": one.heard_ms}


def _found(web_app: WebApp, request: Request, person: Person, listening: str) -> Playing:
    one = web_app.hearings.find(listening, person)
    if one is None:
        raise HTTPException(404, text("sound.none", language_of(request)))
    return one


def _refused(request: Request, error: Exception) -> HTTPException:
    language = language_of(request)
    if isinstance(error, Over):
        return HTTPException(404, text("sound.none", language))
    if isinstance(error, Untold):
        return HTTPException(503, text("sound.untold", language), {"Retry-After": "5"})
    return HTTPException(409, str(said(error.args[0], language)))
