"""`/api/v1`: somebody has an agent call a number, through the telephone exchange."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.paths import DataDir
from diadema.web.actions.models import AGENT
from diadema.web.api import WebAppDep, ask_hub
from diadema.web.guard import language_of
from diadema.web.permissions import need, not_yours
from diadema.web.refusals import hub_refusal
from diadema.wire.switching import DIAL, NUMBER, seal
from diadema.words import Sentence, said, text

router = APIRouter(prefix="/api/v1")


class CallOut(BaseModel):
    """`number` as the exchange dials it; it is kept nowhere, only a keyed hash of it. `campaign`:
    whose hours and consent the station looks at.
    """

    model_config = ConfigDict(extra="forbid")

    agent: Annotated[str, Field(pattern=AGENT, examples=["a001"])]
    number: Annotated[str, Field(pattern=NUMBER, examples=["999000111"])]
    campaign: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,24}$")] | None = None
    consent: Literal[0, 1] | None = None


class Dialling(BaseModel):
    """The contact that the station was asked to dial; its events say what became of it."""

    c: str


@router.post(
    "/switch/calls",
    summary="Have an agent call a number",
    description="The agent's telephone is called first, and once it is up the number. A program "
    "with a `switch` token may ask for any agent, a supervisor for those of their teams, an agent "
    "for nobody else. The agent must be ready. What may be dialled, and how often in an hour, "
    "`diadema switch setup --allow --an-hour` says.",
    status_code=202,
    responses={
        409: {"description": "it cannot be done now; `detail` says why"},
        429: {"description": "so many calls went out of that telephone in an hour"},
        503: {"description": "no bridge to the exchange, or it is silent"},
    },
)
async def call_out(
    wanted: CallOut,
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("command", "act", "own"))],
    request: Request,
) -> Dialling:
    if not (person.may("command") or person.sees(wanted.agent, web_app.people())):
        raise not_yours(request)
    secret = await asyncio.to_thread(_secret, web_app.data)
    if secret is None:
        raise HTTPException(409, text("web.no_switch", language_of(request)))
    body = wanted.model_dump(exclude_none=True, exclude={"number"})
    body["sealed"] = seal(secret, wanted.number)
    answer = await ask_hub(web_app, request, DIAL, body, _said, "bridge")
    await asyncio.to_thread(
        web_app.accounts.audit.record, person, "switch.call", [wanted.agent],
        contact=answer["c"], reference=answer["reference"],
    )  # fmt: skip
    return Dialling.model_validate(answer)


def _secret(data: DataDir) -> str | None:
    """By which the number is sealed; None where no exchange is set up."""
    return credentials.load(data).switch if data.switch.exists() else None


def _said(answer: Mapping[str, Any], language: str) -> str:
    """Why the bridge does not do it."""
    parts = answer.get("sentence")
    return str(said(Sentence.of(parts), language)) if parts else hub_refusal(answer, language)
