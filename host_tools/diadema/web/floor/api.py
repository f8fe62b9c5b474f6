"""`/api/v1/live`: the live row of each agent. `/api/v1/alerts`: the alerts that hold now."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.web.api import WebAppDep
from diadema.web.floor.queue_alerts import is_for
from diadema.web.permissions import need

router = APIRouter(prefix="/api/v1")


@router.get("/live", summary="The live row of each agent whom you may see")
async def live(
    web_app: WebAppDep, person: Annotated[Person, Depends(need("floor"))]
) -> list[dict[str, Any]]:
    web_app.audit(person, "floor.live", ALL)
    people = web_app.people()
    return [row for row in web_app.live_rows() if person.sees(row["a"], people)]


@router.get(
    "/alerts",
    summary="The alerts that hold, of the agents whom you may see and of their queues",
    tags=["floor"],
)
async def alerts(
    web_app: WebAppDep, person: Annotated[Person, Depends(need("floor"))]
) -> list[dict[str, Any]]:
    people, watch = web_app.people(), web_app.watch
    teams = person.scope(people)
    found = [one for one in watch.alerts if is_for(one, teams, people)]
    return [msgspec.to_builtins(one) | {"by": watch.seen.get(one.key)} for one in found]
