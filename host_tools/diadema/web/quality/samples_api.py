"""`/api/v1/quality/samples`: plans with their periods and draws, what is done about one, and its
file. The hub judges and does it; no answer has a score.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.quality.samples import PeriodState, PlanState
from diadema.web.actions.api import REFUSED, signed
from diadema.web.api import WebAppDep, ask_hub
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.quality.samples_read import Read, draw_file, read
from diadema.web.quality.samples_view import View, file_of, plain_period, plain_plan
from diadema.web.refusals import hub_refusal, trouble
from diadema.web.web_app import WebApp
from diadema.wire.actions import REASON_CHARACTERS, SHORT_ID
from diadema.words import text

router = APIRouter(prefix="/api/v1/quality")

_PATIENCE_S, _AGAIN_S = 60.0, 0.5
PERIOD = r"^\d{4}-(W\d{2}|\d{2}(-\d{2})?)$"
Lead = Annotated[Person, Depends(need("quality"))]
PlanPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$", examples=["semanal"])]
PeriodPath = Annotated[str, Path(pattern=PERIOD, examples=["2026-W48"])]
DrawPath = Annotated[str, Path(pattern=SHORT_ID.replace(r"\Z", "$"), examples=["3f9a01c2d4e5"])]
Event = Annotated[
    tuple[
        Annotated[str, Field(max_length=40)],
        Annotated[int, Field(ge=0, le=2**32 - 1)],
        Annotated[int, Field(ge=1, le=2**53 - 1)],
    ],
    Field(description="s, e, n of an event", examples=[["HUB-main", 1, 9]]),
]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Drawing(_Given):
    """Now what else is drawn by the clock; `late`: what arrived after the draw."""

    plan: Annotated[str, Field(min_length=1, max_length=64)]
    period: Annotated[str, Field(pattern=PERIOD, examples=["2026-W48"])]
    late: bool = False


class Annulling(_Given):
    """`of`: the sample.drawn, or the sample.planned of which no draw is to come."""

    of: Event
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS)]


class Said(BaseModel):
    """`of`: the event that says that it was done. `draw`: what is drawn, and `drawing` that this
    goes on yet.
    """

    of: list[Any] | None = None
    draw: str | None = None
    drawing: bool = False


@router.get("/samples", summary="Plans of samples with their load and newest periods")
async def samples(web_app: WebAppDep, person: Lead, request: Request) -> dict[str, Any]:
    found = await read_all(web_app, request, person)
    now_ms = web_app.pace.now_ms()
    up = found.set_up
    return {
        "set_up": {"notices": up.notices, "scorecard": up.scorecard, "plan": up.plan},
        "plans": [plain_plan(one, now_ms, found.blind) for one in found.plans],
    }


@router.get(
    "/samples/{plan}/{period}",
    summary="A period of a plan: commitment, draws, and how far they are",
    responses=REFUSED,
)
async def sample(
    plan: PlanPath, period: PeriodPath, web_app: WebAppDep, person: Lead, request: Request
) -> dict[str, Any]:
    found = await read_all(web_app, request, person, plan)
    its, one = find(request, found, plan, period)
    answer = plain_period(one, web_app.pace.now_ms(), found.blind)
    return {"plan": its.code, "beside": its.beside} | answer


@router.get(
    "/draws/{draw}.zip",
    summary="A draw as a file, which anybody can check",
    response_class=Response,
    responses=REFUSED | {200: {"content": {"application/zip": {}}}},
)
async def export(draw: DrawPath, web_app: WebAppDep, person: Lead, request: Request) -> Response:
    """Who has calls of it to evaluate does not get whose they are."""
    language = language_of(request)
    found = await read_all(web_app, request, person)
    if draw in found.blind:
        raise HTTPException(409, text("samples.blind.file", language))
    web_app.audit(person, "quality.export", ALL)
    try:
        made = await web_app.worker.file(draw_file, web_app.data, draw)
    except DiademaError as error:
        raise HTTPException(404, trouble(error, language)) from error
    named = {"content-disposition": f'attachment; filename="{file_of(draw)}"'}
    return Response(made, media_type="application/zip", headers=named)


@router.post(
    "/samples/draws",
    summary="Draw a period that is over, or what arrived after its draw",
    status_code=202,
    responses=REFUSED,
)
async def draw(wanted: Drawing, web_app: WebAppDep, person: Lead, request: Request) -> Said:
    """It takes seconds of a month of calls: the answer comes when it is done, or says that it goes
    on.
    """
    end = time.monotonic() + _PATIENCE_S
    done = await _act(web_app, request, person, "sample_drawn", wanted)
    web_app.audit(person, "quality.draw")
    while done.drawing and time.monotonic() < end:
        await asyncio.sleep(_AGAIN_S)
        done = await _act(web_app, request, person, "sample_drawn", wanted, done)
    return done


@router.post(
    "/samples/annulments",
    summary="Annul a draw, or a period that is not drawn yet; it stays visible with its reason",
    status_code=202,
    responses=REFUSED,
)
async def annul(wanted: Annulling, web_app: WebAppDep, person: Lead, request: Request) -> Said:
    done = await _act(web_app, request, person, "sample_annulled", wanted)
    web_app.audit(person, "quality.annul_draw")
    return done


class _Over(Exception):
    """What was asked for before is done."""


async def _act(
    web_app: WebApp,
    request: Request,
    person: Person,
    action: Literal["sample_drawn", "sample_annulled"],
    wanted: BaseModel,
    before: Said | None = None,
) -> Said:
    """`before`: what was answered when it was asked the last time, while it went on."""

    def said(answer: Mapping[str, Any], language: str) -> str:
        if before is not None and answer["error"] == "drawn_before":
            raise _Over
        return hub_refusal(answer, language)

    body = {"action": action} | wanted.model_dump() | signed(person)
    try:
        answer = await ask_hub(web_app, request, "hub.act", body, said)
    except _Over:
        return Said(draw=before.draw if before else None)
    return Said(of=answer.get("of"), draw=answer.get("draw"), drawing=bool(answer.get("drawing")))


async def read_all(
    web_app: WebApp, request: Request, person: Person, plan: str | None = None
) -> Read:
    """Raises HTTPException 409 with the reason."""
    try:
        return await web_app.worker.ask(
            read,
            web_app.data,
            web_app.people(),
            web_app.zone.key,
            web_app.pace.now_ms(),
            person,
            plan,
        )
    except DiademaError as error:
        raise HTTPException(409, trouble(error, language_of(request))) from error


def find(request: Request, found: Read, plan: str, period: str) -> tuple[PlanState, PeriodState]:
    """Raises HTTPException 404."""
    for its in found.plans:
        for one in its.periods:
            if its.code == plan and one.period.word == period:
                return its, one
    raise none_such(request, f"{plan} {period}")


def none_such(request: Request, what: str) -> HTTPException:
    return HTTPException(404, text("samples.none_such", language_of(request), what=what))


async def view_of(web_app: WebApp, request: Request, blind: set[str]) -> View:
    """With accounts by their names."""
    accounts = await asyncio.to_thread(web_app.accounts.book.all)
    names = {one.id: one.name or one.id for one in accounts if not one.disabled}
    return View(
        web_app.people(),
        names,
        language_of(request),
        web_app.zone,
        web_app.pace.now_ms(),
        blind,
    )
