"""`/api/v1/quality/assignments`: what one has to evaluate, blind, and what one says of it. Drafts
are kept here; what is submitted goes to the hub, whose journal has it for good.
"""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.roles import Person
from diadema.quality.call_marks import length_of
from diadema.quality.hearing import DRAWN
from diadema.store.rows import Contact
from diadema.web.actions.api import signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.quality.drafts import Draft, Drafts
from diadema.web.quality.sheet import (
    Found,
    disposition_of,
    found,
    given,
    in_order,
    outcome_of,
    sheet,
    wrong_answers,
)
from diadema.web.quality.tasks import tasks
from diadema.web.recordings.asking import ask
from diadema.web.recordings.sound import Hearing, begin
from diadema.web.web_app import WebApp
from diadema.wire.quality_actions import NOTES, TEXT_CHARACTERS, SaidNote
from diadema.words import text

router = APIRouter(prefix="/api/v1/quality", tags=["quality"])
_DAY_MS = 86_400_000
_BESIDE_MS = 5_000  # of a call's part of a recording, after its end

Monitor = Annotated[Person, Depends(need("evaluate"))]
Q = Annotated[str, Path(pattern=r"^\d{1,10}-\d{1,16}$", examples=["1-14"])]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,16}$")]
Ms = Annotated[int, Field(ge=0, le=_DAY_MS)]
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such call is assigned to you"},
    409: {"description": "it is over, or not to be done now; `detail` says why"},
    503: {"description": "the hub is silent"},
}


class NoteBody(BaseModel):
    """`from_ms`, `to_ms`: from the call's first event."""

    model_config = ConfigDict(extra="forbid")
    item: Code | None = None
    from_ms: Ms | None = None
    to_ms: Ms | None = None
    about: Literal["praise", "improve", "evidence"]
    text: Annotated[str, Field(min_length=1, max_length=TEXT_CHARACTERS)]


class DraftBody(BaseModel):
    """`answers`: by the item's code, the option or `-`."""

    model_config = ConfigDict(extra="forbid")
    answers: dict[Code, Annotated[str, Field(pattern=r"^[0-5-]$")]] = {}
    notes: Annotated[list[NoteBody], Field(max_length=NOTES)] = []


class CodeBody(BaseModel):
    """`code`: the one that the call should have."""

    code: Code


class ReplaceBody(BaseModel):
    """`why`: it cannot be played, or it is nobody's call."""

    why: Literal["unplayable", "nobodys"]


@router.get("/assignments", summary="The calls that you have to evaluate, or did")
async def assignments(web_app: WebAppDep, person: Monitor) -> list[dict[str, Any]]:
    web_app.audit(person, "quality")
    people, now_ms = web_app.people(), web_app.pace.now_ms()
    found = await asyncio.to_thread(tasks, web_app.data, person, people, now_ms)
    return [msgspec.to_builtins(one) for one in found]


@router.get(
    "/assignments/{q}",
    summary="One of them: its form, your draft, and what happened in the call",
    responses=REFUSED,
)
async def assignment(
    q: Q, web_app: WebAppDep, person: Monitor, request: Request
) -> dict[str, Any]:
    return await plain_sheet(web_app, request, person, q)


@router.put(
    "/assignments/{q}/draft",
    summary="Keep what you have answered so far, and hear what is missing",
    responses=REFUSED,
)
async def keep_draft(
    q: Q, body: DraftBody, web_app: WebAppDep, person: Monitor, request: Request
) -> dict[str, Any]:
    its = await open_one(web_app, request, person, q)
    return await _keep(web_app, request, person, its, body)


@router.post(
    "/assignments/{q}/code",
    summary="Say which code the call should have; then the one that was given is told",
    responses=REFUSED,
)
async def name_code(
    q: Q, body: CodeBody, web_app: WebAppDep, person: Monitor, request: Request
) -> dict[str, Any]:
    """What was said first stands."""
    its = await open_one(web_app, request, person, q)
    people = web_app.people()
    if disposition_of(its.form) is None or body.code not in people.codes:
        raise HTTPException(422, text("quality.no_code", language_of(request)))
    right = await asyncio.to_thread(_name, web_app, person, its, body.code)
    code = its.contact.code if its.contact is not None else None
    return {
        "right_code": msgspec.to_builtins(given(people, right)),
        "agent_code": msgspec.to_builtins(given(people, code)),
    }


@router.post(
    "/assignments/{q}/submit",
    summary="Submit the evaluation, which is final",
    responses=REFUSED,
)
async def submit(
    q: Q, body: DraftBody, web_app: WebAppDep, person: Monitor, request: Request
) -> dict[str, Any]:
    language = language_of(request)
    its = await open_one(web_app, request, person, q)
    saved = await _keep(web_app, request, person, its, body)
    for word in ("missing", "comments"):
        if saved["outcome"][word]:
            names = {item.code: item.text for item in its.form.items}
            said = ", ".join(names[code] for code in saved["outcome"][word])
            raise HTTPException(422, text(f"quality.{word}", language, items=said))
    action = {
        "action": "evaluation_submitted",
        "of": its.key,
        "answers": in_order(its.form, body.answers),
        "notes": [one.model_dump(exclude_none=True) for one in body.notes],
    }
    if its.draft.right_code is not None:
        action["right_code"] = its.draft.right_code
    done = await ask(web_app, request, "hub.act", action | signed(person))
    await asyncio.to_thread(_drop, web_app, person, its)
    web_app.audit(person, "quality.submit")
    return {"evaluation": done.get("evaluation"), "outcome": saved["outcome"]}


@router.post(
    "/assignments/{q}/hearing",
    summary="Hear the call: the register says so, and its sound is this session's",
    responses=REFUSED,
)
async def hearing(q: Q, web_app: WebAppDep, person: Monitor, request: Request) -> Hearing:
    its = await open_one(web_app, request, person, q)
    return await begin(web_app, request, person, its.key, DRAWN)


@router.post(
    "/assignments/{q}/replace",
    summary="Have another call in place of one that cannot be evaluated; it is counted",
    responses=REFUSED,
)
async def replace(
    q: Q, body: ReplaceBody, web_app: WebAppDep, person: Monitor, request: Request
) -> dict[str, Any]:
    its = await open_one(web_app, request, person, q)
    action = {"action": "sample_replaced", "of": its.key, "why": body.why}
    await ask(web_app, request, "hub.act", action | signed(person))
    await asyncio.to_thread(_drop, web_app, person, its)
    web_app.audit(person, "quality.replace")
    return {}


async def plain_sheet(web_app: WebApp, request: Request, person: Person, q: str) -> dict[str, Any]:
    """All that is shown of it, as JSON. Raises HTTPException."""
    people, now_ms = web_app.people(), web_app.pace.now_ms()
    made = await asyncio.to_thread(sheet, web_app.data, person, people, now_ms, q)
    if made is None:
        raise HTTPException(404, text("quality.gone", language_of(request)))
    web_app.audit(person, "quality.call")
    plain: dict[str, Any] = msgspec.to_builtins(made)
    return plain


async def open_one(web_app: WebApp, request: Request, person: Person, q: str) -> Found:
    """That assignment, which is still to be done. Raises HTTPException."""
    people, now_ms, language = web_app.people(), web_app.pace.now_ms(), language_of(request)
    its = await asyncio.to_thread(found, web_app.data, person, people, now_ms, q)
    if its is None:
        raise HTTPException(404, text("quality.gone", language))
    if not its.is_open:
        raise HTTPException(409, text(f"quality.over.{its.task.state}", language))
    return its


async def _keep(
    web_app: WebApp, request: Request, person: Person, its: Found, body: DraftBody
) -> dict[str, Any]:
    """Raises HTTPException for answers that the form does not take."""
    language = language_of(request)
    answers = dict(body.answers)
    names = {item.code: item.text for item in its.form.items}
    if wrong := wrong_answers(its.form, answers):
        said = ", ".join(names.get(code, code) for code in wrong)
        raise HTTPException(422, text("quality.wrong_answer", language, items=said))
    if any(note.item is not None and note.item not in names for note in body.notes):
        raise HTTPException(422, text("quality.wrong_note", language))
    if any(_is_beyond(note, its.contact) for note in body.notes):
        raise HTTPException(422, text("quality.note_beyond", language))
    asks = disposition_of(its.form)
    if asks is not None and answers.get(asks.code, "-") != "-" and not its.draft.right_code:
        raise HTTPException(422, text("quality.code_first", language, item=asks.text))
    draft = Draft(
        answers=answers,
        notes=[msgspec.convert(one.model_dump(), SaidNote) for one in body.notes],
        utc=web_app.pace.now_ms(),
    )
    await asyncio.to_thread(_write, web_app, person, its, draft)
    outcome = outcome_of(its.form, answers, draft.notes)
    return {"saved_utc": draft.utc, "outcome": msgspec.to_builtins(outcome)}


def _is_beyond(note: NoteBody, contact: Contact | None) -> bool:
    """Whether it is about a moment that the call has not, or ends before it begins."""
    ends = [one for one in (note.from_ms, note.to_ms) if one is not None]
    length_ms = length_of(contact) if contact is not None else None
    beyond = length_ms is not None and any(one > length_ms + _BESIDE_MS for one in ends)
    return beyond or ends != sorted(ends)


def _write(web_app: WebApp, person: Person, its: Found, draft: Draft) -> None:
    with Drafts(web_app.data.evaluation_drafts) as drafts:
        drafts.keep(person.id, its.key, draft)


def _name(web_app: WebApp, person: Person, its: Found, code: str) -> str:
    with Drafts(web_app.data.evaluation_drafts) as drafts:
        return drafts.name_code(person.id, its.key, code, web_app.pace.now_ms())


def _drop(web_app: WebApp, person: Person, its: Found) -> None:
    with Drafts(web_app.data.evaluation_drafts) as drafts:
        drafts.drop(person.id, its.key)
