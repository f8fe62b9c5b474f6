"""`/api/v1/me`: who the request is of. `/api/v1/audit`: who did or read what, the newest first."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from diadema.access.roles import Person
from diadema.site.directory.people_of import teams_of
from diadema.web.api import WebAppDep
from diadema.web.paging import Limit
from diadema.web.permissions import need, person_of

router = APIRouter(prefix="/api/v1")
Filter = Annotated[str, Query(max_length=64)]


class Me(BaseModel):
    """The user of the request and the rights that go with the role."""

    id: str
    name: str
    role: str
    agent: str | None
    teams: list[str]
    rights: list[str]


class AuditItem(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: int
    at_ms: int
    who: str
    role: str
    what: str
    agents: list[str]
    detail: dict[str, Any]
    address: str
    hash: str


@router.get("/me", summary="Who you are here", tags=["ledgers", "accounts"])
async def me(request: Request) -> Me:
    person = person_of(request)
    return Me(
        id=person.id,
        name=person.name,
        role=person.role,
        agent=person.agent,
        teams=sorted(person.teams),
        rights=sorted(person.rights),
    )


@router.get("/audit", summary="Who did or read what, the newest first", tags=["accounts"])
def audit(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("audit"))],
    who: Filter = "",
    what: Filter = "",
    agent: Filter = "",
    before: Annotated[
        int | None, Query(ge=1, le=2**53, description="only rows with a lower number")
    ] = None,
    limit: Limit = 100,
) -> list[AuditItem]:
    web_app.audit(person, "audit.list")
    teams = teams_of(web_app.data, agent) if agent else ()
    rows = web_app.accounts.audit.rows(
        before=before, limit=limit, who=who, what=what, agent=agent, teams=teams
    )
    return [AuditItem.model_validate(row) for row in rows]
