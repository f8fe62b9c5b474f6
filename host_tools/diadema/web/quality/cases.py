"""`/ui/quality/cases` and its API: the calls, with their evaluations, that the quality lead opens
to a case of human resources, who hear and read them while that is open.
"""

import asyncio
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.sanitize import visible
from diadema.quality.hearing import CASE
from diadema.store.assistance import key_of
from diadema.store.contact_rows import Key
from diadema.web.actions.api import signed
from diadema.web.actions.models import Reason
from diadema.web.api import WebAppDep
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.paging import FIRST, LAST
from diadema.web.permissions import need
from diadema.web.quality.cards import Cards, name_of
from diadema.web.quality.cases_read import Shown, evaluation_to_open, shown
from diadema.web.quality.own import evaluation_of
from diadema.web.recordings import found
from diadema.web.recordings.asking import ask
from diadema.web.recordings.calls import (
    LINKED,
    REFUSED,
    CallEpoch,
    CallNumber,
    CallStation,
    call_of,
    state_of,
)
from diadema.web.recordings.hearing import Heard, Mark
from diadema.web.recordings.player import player_words
from diadema.web.recordings.sound import begin
from diadema.web.refusals import trouble
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section, text
from diadema.words.formatting import local_time

PATH, API = "/ui/quality/cases", "/api/v1/quality/cases"
SHOWN = 50  # of those that are over, on the page
_MODULES = modules_of("cases.js")
router = APIRouter()
api = APIRouter(prefix=API, tags=["quality"])

Reader = Annotated[Person, Depends(need("cases", "quality"))]
Hearer = Annotated[Person, Depends(need("cases"))]
Lead = Annotated[Person, Depends(need("quality"))]
CaseId = Annotated[str, Path(pattern=r"^[0-9a-z]{12}$", examples=["3f9a01c2d4e5"])]
State = Literal["open", "closed", "ended"]


class CaseClosing(BaseModel):
    at: int
    by: str
    reason: str


class CaseItem(BaseModel):
    """Times are UTC ms; open before `until`, unless it was `closed`. `call`: its key, with when it
    began at `start`. `hear`: it has a recording; `evaluation`: of the call, while it is open.
    """

    case: str
    number: str
    reason: str
    at: int
    by: str
    who: str
    until: int
    state: State
    closed: CaseClosing | None
    call: tuple[str, int, int]
    start: int | None
    a: str
    name: str
    hear: bool
    evaluation: dict[str, Any] | None


class CaseList(BaseModel):
    items: list[CaseItem]


class Openable(BaseModel):
    """What of a call could be opened, and the cases that it is of."""

    recording: bool
    evaluation: bool
    cases: list[CaseItem]


class Opening(BaseModel):
    """Until the end of that day of the site. `evaluation`: with the one that was released."""

    model_config = ConfigDict(extra="forbid")
    call: tuple[CallStation, CallEpoch, CallNumber]
    number: str = Field(min_length=1, max_length=32)
    reason: str = Field(min_length=1, max_length=40)
    until: date = Field(ge=FIRST, le=LAST)
    evaluation: bool = False


class Closing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Reason


@api.get("", summary="The calls that are open to cases; to who leads quality all that ever were")
async def every_case(web_app: WebAppDep, person: Reader, request: Request) -> CaseList:
    those = await _shown(web_app, request, person)
    web_app.audit(person, "cases", sorted({one.case.opened.agent or "" for one in those}))
    return CaseList(items=[_item(web_app, one) for one in those])


@api.get(
    "/calls/{s}/{e}/{n}",
    summary="What of a call can be opened, and to which cases it is",
    responses=REFUSED,
)
async def openable(
    web_app: WebAppDep, person: Lead, request: Request,
    s: CallStation, e: CallEpoch, n: CallNumber,
) -> Openable:  # fmt: skip
    key = s, e, n
    call = await call_of(request, web_app, person, key)
    agent = call.contact.agent
    those = await _shown(web_app, request, person, call=key)
    web_app.audit(person, "cases", [agent])
    evaluation = await asyncio.to_thread(evaluation_to_open, web_app.data, key, agent)
    return Openable(
        recording=state_of(call)[0] in LINKED,
        evaluation=evaluation is not None,
        cases=[_item(web_app, one) for one in those],
    )


@api.get("/{case}", summary="One case", responses=REFUSED)
async def one_case(case: CaseId, web_app: WebAppDep, person: Reader, request: Request) -> CaseItem:
    one = await _one(web_app, request, person, case)
    web_app.audit(person, "cases", [one.case.opened.agent or ""])
    return _item(web_app, one)


@api.post("", summary="Open a call to a case", status_code=202, responses=REFUSED)
async def open_case(body: Opening, web_app: WebAppDep, person: Lead, request: Request) -> CaseList:
    """The answer has the cases of that call."""
    call = await call_of(request, web_app, person, body.call)
    agent, of = call.contact.agent, None
    if body.evaluation:
        of = await asyncio.to_thread(evaluation_to_open, web_app.data, body.call, agent)
        if of is None:
            raise HTTPException(409, text("cases.refused.not_released", language_of(request)))
    end = datetime.combine(body.until + timedelta(1), datetime.min.time(), web_app.zone)
    said = {
        "action": "case_opened", "call": body.call, "of": of, "number": body.number,
        "reason": body.reason, "until": int(end.timestamp() * 1000),
    }  # fmt: skip
    await ask(web_app, request, "hub.act", said | signed(person))
    web_app.audit(person, "cases.open", [agent])
    those = await _shown(web_app, request, person, call=body.call)
    return CaseList(items=[_item(web_app, one) for one in those])


@api.post("/{case}/close", summary="Close a case before its time", status_code=202,
          responses=REFUSED)  # fmt: skip
async def close_case(
    case: CaseId, body: Closing, web_app: WebAppDep, person: Lead, request: Request
) -> CaseItem:
    """Whoever hears its call hears no more of it."""
    one = await _one(web_app, request, person, case)
    said = {"action": "case_closed", "of": key_of(one.case.opened), "reason": body.reason}
    await ask(web_app, request, "hub.act", said | signed(person))
    web_app.audit(person, "cases.close", [one.case.opened.agent or ""])
    await web_app.hearings.review(CASE)
    return _item(web_app, await _one(web_app, request, person, case))


@api.post(
    "/{case}/hearing",
    summary="Hear the call of an open case; it is in the register from now on",
    status_code=202,
    responses=REFUSED,
)
async def hear(case: CaseId, web_app: WebAppDep, person: Hearer, request: Request) -> Heard:
    one = await _one(web_app, request, person, case)
    if not one.recorded:
        raise HTTPException(409, text("calls.refused.no_recording", language_of(request)))
    web_app.audit(person, "cases.hear", [one.case.opened.agent or ""])
    sound = await begin(web_app, request, person, one.case.call, CASE)
    marks = await web_app.worker.ask(found.marks, web_app.data, one.case.call)
    return Heard(
        sound=sound, marks=[Mark.model_validate(msgspec.to_builtins(one)) for one in marks]
    )


async def _shown(
    web_app: WebApp,
    request: Request,
    person: Person,
    case: str | None = None,
    call: Key | None = None,
) -> list[Shown]:
    """Raises HTTPException."""
    now_ms, people = web_app.pace.now_ms(), web_app.people()
    ids = None if case is None else [case]
    try:
        return await asyncio.to_thread(
            shown, web_app.data, person, people, now_ms, ids=ids, call=call
        )
    except DiademaError as error:
        raise HTTPException(503, trouble(error, language_of(request))) from error


async def _one(web_app: WebApp, request: Request, person: Person, case: str) -> Shown:
    """Raises HTTPException: one that is over is none to whom it was open."""
    those = await _shown(web_app, request, person, case)
    if not those:
        raise HTTPException(404, text("cases.refused.no_such_case", language_of(request)))
    return those[0]


def _state(one: Shown) -> State:
    if one.case.closed is not None:
        return "closed"
    return "open" if one.is_open else "ended"


def _item(web_app: WebApp, one: Shown) -> CaseItem:
    its, closed = one.case.opened, one.case.closed
    agent = its.agent or ""
    return CaseItem(
        case=its.case_id or "", number=its.number or "", reason=its.reason, at=its.utc,
        by=its.by, who=name_of(web_app, its.by), until=its.until_utc or 0, state=_state(one),
        closed=CaseClosing(at=closed.utc, by=closed.by, reason=closed.reason) if closed else None,
        call=one.case.call, start=one.contact.start_utc if one.contact else None, a=agent,
        name=web_app.people().name(agent), hear=one.recorded and one.is_open,
        evaluation=evaluation_of(one.evaluation) if one.evaluation is not None else None,
    )  # fmt: skip


# -- as a page


@router.get(PATH, include_in_schema=False)
async def cases_page(request: Request, person: Reader) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    those = await _shown(web_app, request, person)
    web_app.audit(person, "cases", sorted({one.case.opened.agent or "" for one in those}))
    words, drawn = section("cases", language), _Drawn(web_app, language)
    over = [one for one in those if not one.is_open]
    return plain_page(
        web_app,
        request,
        "cases.html",
        words["title"],
        words=words,
        own_words=section("own_quality", language),
        about=words["about.lead" if person.may("quality") else "about"],
        none=words["none.lead" if person.may("quality") else "none"],
        open_ones=[drawn.values(one) for one in those if one.is_open],
        over=[drawn.values(one) for one in over[:SHOWN]],
        more=len(over) - SHOWN if len(over) > SHOWN else 0,
        hears=person.may("cases"),
        leads=person.may("quality"),
        options={"words": {**player_words(language), **words}},
        modules=_MODULES,
        api=API,
    )


class _Drawn(Cards):
    """What `cases.html` is given of each: everything in words, safe to show."""

    def values(self, one: Shown) -> dict[str, Any]:
        its, closed, words = one.case.opened, one.case.closed, section("cases", self._language)
        people, agent = self._people, its.agent or ""
        team = people.teams.get(people.team(agent), people.team(agent))
        until = local_time((its.until_utc or 0) - 1, self._zone, "day")
        return {
            "case": its.case_id,
            "number": words["number"].format(number=visible(its.number or "")),
            "state": "done" if closed else "open" if one.is_open else "due",
            "said": words[f"state.{_state(one)}"],
            "facts": [
                (words["agent"], " · ".join(filter(None, (visible(people.name(agent)), team)))),
                (words["call"], self.call(one.contact)),
                (words["reason"], visible(its.reason)),
                (words["until"], until),
                (words["opened"], f"{self.who(its.by)} · {self.time(its.utc)}"),
            ],
            "closed": words["closed.by"].format(
                who=self.who(closed.by), at=self.time(closed.utc), reason=visible(closed.reason)
            )
            if closed is not None
            else "",
            "recorded": one.recorded,
            "card": self.card(one.evaluation) if one.evaluation is not None else None,
        }
