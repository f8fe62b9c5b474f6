"""`/api/v1`: a program has an agent call somebody, through the telephone exchange."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from diadema.web.actions.models import AGENT
from diadema.web.api import WebAppDep, ask_hub
from diadema.web.permissions import need
from diadema.wire.switching import DIAL

router = APIRouter(prefix="/api/v1")


class CallOut(BaseModel):
    """`number` as the exchange dials it; it is kept nowhere. `campaign`: whose hours and consent
    the station looks at.
    """

    model_config = ConfigDict(extra="forbid")

    agent: Annotated[str, Field(pattern=AGENT, examples=["a001"])]
    number: Annotated[str, Field(pattern=r"^[0-9*#]{1,20}$", examples=["999000111"])]
    campaign: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,24}$")] | None = None
    consent: Literal[0, 1] | None = None


class Dialling(BaseModel):
    """The contact that the station was asked to dial; its events say what became of it."""

    c: str


@router.post(
    "/switch/calls",
    summary="Have an agent call a number",
    status_code=202,
    dependencies=[Depends(need("command"))],
    responses={
        409: {"description": "it cannot be done now; `detail` says why"},
        503: {"description": "no bridge to an exchange, or it is silent"},
    },
)
async def call_out(wanted: CallOut, web_app: WebAppDep, request: Request) -> Dialling:
    body = wanted.model_dump(exclude_none=True)
    return Dialling.model_validate(await ask_hub(web_app, request, DIAL, body))
