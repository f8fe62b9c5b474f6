"""`/api/v1`: corrections and justifications of attendance marks, which stand beside the marks."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Request
from pydantic import BaseModel, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.web.actions.api import (
    REFUSED,
    AgentPath,
    AgentQuery,
    From,
    Utc,
    ask,
    check_seen,
    scope_of,
)
from diadema.web.actions.models import Note, Place, Strict
from diadema.web.actions.models import Utc as Time
from diadema.web.api import WebAppDep
from diadema.web.attendance import queries
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.web_app import WebApp
from diadema.wire.actions import NOTE_CHARACTERS
from diadema.words import text

router = APIRouter(prefix="/api/v1")


class _Amendment(Strict):
    reason: Annotated[str, Field(min_length=1, max_length=NOTE_CHARACTERS)]
    evidence: Note | None = None


class Corrected(_Amendment):
    """What should have been marked; the mark itself stays as it is."""

    kind: Literal["corrected"]
    direction: Literal["in", "out"]
    time: Time


class Justified(_Amendment):
    """Why the agent was late or away; no time changes. `day`: of the shift, without a mark.
    `time`: a moment of an exception to the agent's shift, to excuse that one.
    """

    kind: Literal["justified"]
    day: date | None = None
    time: Time | None = None


type Amendment = Annotated[Corrected | Justified, Field(discriminator="kind")]


class Entered(BaseModel):
    """`of` names the event that tells of it."""

    of: Place


@router.post(
    "/attendance/{number}/corrections",
    summary="Correct or justify a mark: a new entry beside it",
    status_code=201,
    responses=REFUSED,
)
async def correct(
    number: Annotated[int, Path(ge=1, le=2**53 - 1, description="of the ledger")],
    amendment: Annotated[Amendment, Body()],
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("correct"))],
    request: Request,
) -> Entered:
    language = language_of(request)
    found = await web_app.worker.ask(queries.mark, web_app.data, number)
    if found is None:
        raise HTTPException(404, text("acting.no_such_mark", language))
    of, agent = found
    if agent is None:
        raise HTTPException(409, text("acting.nobodys_mark", language))
    return await _amend(web_app, request, person, agent, amendment, of)


@router.post(
    "/agents/{a}/corrections",
    summary="The same where the agent made no mark: one that is missing, or a day",
    status_code=201,
    responses=REFUSED,
)
async def correct_missing(
    a: AgentPath,
    amendment: Annotated[Amendment, Body()],
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("correct"))],
    request: Request,
) -> Entered:
    return await _amend(web_app, request, person, a, amendment, None)


@router.get("/corrections", summary="Corrections of attendance, in the order of their chain")
async def corrections(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("attendance", "own"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
) -> list[dict[str, Any]]:
    if not person.may("attendance"):
        agent = agent or person.agent
    agents = scope_of(request, web_app, person, agent)
    web_app.audit(person, "attendance", ALL if agent is None else [agent])
    found = await web_app.worker.ask(queries.corrections, web_app.data, agents, from_, to)
    return [queries.plain_correction(one) for one in found]


async def _amend(
    web_app: WebApp,
    request: Request,
    person: Person,
    agent: str,
    amendment: Corrected | Justified,
    of: Place | None,
) -> Entered:
    check_seen(request, web_app, person, [agent])
    web_app.audit(person, f"attendance.{amendment.kind}", [agent])
    body = amendment.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
    body |= {"k": f"attendance.{amendment.kind}", "a": agent, "by": person.id}
    if of is not None:
        body |= {"of": of}
    return Entered.model_validate(await ask(web_app, request, "hub.record", body))
