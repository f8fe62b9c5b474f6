"""`/api/v1/alerts`: what somebody must come for now, and who has seen to it."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends

from diadema.access.roles import Person
from diadema.web.api import Served
from diadema.web.asking import need

router = APIRouter(prefix="/api/v1/alerts", tags=["floor"])


@router.get("", summary="The alerts that hold, of the agents whom you may see")
async def alerts(
    service: Served, person: Annotated[Person, Depends(need("floor"))]
) -> list[dict[str, Any]]:
    people, watch = service.people(), service.watch
    found = [one for one in watch.alerts if person.sees(one.agent, people)]
    return [msgspec.to_builtins(one) | {"by": watch.seen.get(one.key)} for one in found]
