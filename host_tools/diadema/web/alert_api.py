"""`/api/v1/alerts`: what somebody must come for now, and that a person has seen to one."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field

from diadema.web.api import Served, ask_hub
from diadema.web.asking import need
from diadema.web.guard import language_of
from diadema.web.who import Person
from diadema.words import text

router = APIRouter(prefix="/api/v1/alerts", tags=["floor"])


class Seen(BaseModel):
    """Which alert: its rule, its agent and since when it holds (UTC ms)."""

    rule: str = Field(pattern=r"^[a-z_]{1,24}$", examples=["help"])
    agent: str = Field(pattern=r"^[A-Za-z0-9_-]{1,24}$", examples=["a001"])
    since: int = Field(ge=0, le=2**53 - 1)


class Recorded(BaseModel):
    """The event that notes it: its journal, epoch and number."""

    of: list[Any]


@router.get("", summary="The alerts that hold, of the agents whom you may see")
async def alerts(
    service: Served, person: Annotated[Person, Depends(need("floor"))]
) -> list[dict[str, Any]]:
    people, watch = service.people(), service.watch
    found = [one for one in watch.alerts if person.sees(one.a, people)]
    return [msgspec.to_builtins(one) | {"by": watch.seen.get(one.key)} for one in found]


@router.post(
    "/acknowledge",
    summary="Note that you have seen to an alert",
    responses={404: {"description": "no such alert"}, 503: {"description": "the hub is silent"}},
)
async def acknowledge(
    seen: Seen,
    service: Served,
    request: Request,
    person: Annotated[Person, Depends(need("act"))],
) -> Recorded:
    key = (seen.rule, seen.agent, seen.since)
    held = any(one.key == key for one in service.watch.alerts)
    if not held or not person.sees(seen.agent, service.people()):
        raise HTTPException(404, text("alerts.gone", language_of(request)))
    body: dict[str, Any] = {"by": person.id, "action": "acknowledge", "a": seen.agent, "rule": seen.rule}
    body |= {"since": seen.since} | ({"who": person.name} if person.name else {})
    answer = await ask_hub(service, request, "hub.act", body)
    service.watch.see([(key, person.name or person.id)])
    return Recorded(of=answer["of"])
