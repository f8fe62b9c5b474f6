"""`/api/v1`: acting on agents and stations, messages, the register of both, and corrections of
attendance. The hub judges and does it; here is only who may ask, and for whom.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.web import acting_reads as reads
from diadema.web.acting_models import (
    AGENT,
    Action,
    Amendment,
    Corrected,
    Done,
    Entered,
    Justified,
    Messages,
    NotSent,
    Page,
    Place,
    Sent,
    StationAction,
)
from diadema.web.api import Served, StationId, ask_hub
from diadema.web.asking import need, not_yours
from diadema.web.guard import language_of
from diadema.web.refusals import hub_refusal
from diadema.web.service import Service
from diadema.words import section, text

router = APIRouter(prefix="/api/v1")

AgentPath = Annotated[str, Path(pattern=AGENT, examples=["a001"])]
Utc = Annotated[int | None, Query(ge=0, le=2**53 - 1, description="UTC milliseconds")]
From = Annotated[
    int | None, Query(alias="from", ge=0, le=2**53 - 1, description="UTC milliseconds")
]
AgentQuery = Annotated[str | None, Query(pattern=AGENT)]
Actor = Annotated[Person, Depends(need("act"))]
_REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "not yours to act on, or to see"},
    404: {"description": "no such agent, request or mark"},
    409: {"description": "it cannot be done now; `detail` says why"},
    503: {"description": "the hub is silent"},
}
_EXAMPLES: dict[str, Any] = {
    "presence": {"value": {"action": "presence", "reason": "refrigerio", "note": "cubre Luis"}},
    "message": {"value": {"action": "message", "text": "Llame al 14", "reason": "aviso"}},
    "logout": {"value": {"action": "logout", "reason": "fin de turno"}},
    "move": {"value": {"action": "move", "seat": "B-07", "reason": "silla rota"}},
    "help": {"value": {"action": "help", "state": "accepted"}},
    "note": {"value": {"action": "note", "kind": "orientacion", "c": "c-1", "note": "saludo"}},
}


@router.post(
    "/agents/{a}/actions",
    summary="Act on an agent, with a reason; it is noted in the register",
    status_code=202,
    responses=_REFUSED,
)
async def act(
    a: AgentPath,
    action: Annotated[Action, Body(openapi_examples=_EXAMPLES)],
    service: Served,
    person: Actor,
    request: Request,
) -> Done:
    _check_seen(request, service, person, [a])
    body = action.model_dump(exclude_none=True) | _signed(person)
    body |= {"agents": [a]} if action.action == "message" else {"a": a}
    done = Done.model_validate(await _ask(service, request, "hub.act", body))
    if action.action == "acknowledge" and action.since is not None:
        service.watch.see([((action.rule, a, action.since), body["who"])])
    return done


@router.post(
    "/stations/{s}/actions",
    summary="Answer a fault of a station, or acknowledge an alert of it",
    status_code=202,
    responses=_REFUSED,
)
async def act_on_station(
    s: StationId,
    action: Annotated[StationAction, Body()],
    service: Served,
    person: Annotated[Person, Depends(need("act", "fleet"))],
    request: Request,
) -> Done:
    if action.action == "acknowledge" and not person.may("act"):
        raise not_yours(request)
    body = action.model_dump(exclude_none=True) | _signed(person) | {"s": s}
    if not person.may("fleet"):
        seen = _scope(request, service, person, None)
        body |= {} if seen is None else {"among": sorted(seen)}
    return Done.model_validate(await _ask(service, request, "hub.act", body))


@router.post(
    "/messages",
    summary="Send one message to several agents",
    status_code=202,
    responses=_REFUSED,
)
async def send_message(
    message: Messages, service: Served, person: Actor, request: Request
) -> Sent:
    _check_seen(request, service, person, message.agents)
    body = message.model_dump(exclude_none=True) | _signed(person) | {"action": "message"}
    answer = await _ask(service, request, "hub.act", body)
    language = language_of(request)
    refused = [
        NotSent(a=one["a"], error=one["error"], detail=_said(one | {"values": one}, language))
        for one in answer["refused"]
    ]
    return Sent(m=answer["m"], sent=answer["sent"], refused=refused)


@router.get("/actions", summary="The register of supervisors' actions", responses=_REFUSED)
async def register(
    service: Served,
    person: Annotated[Person, Depends(need("register"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page:
    agents = _scope(request, service, person, agent)
    service.audit(person, "register", ALL if agent is None else [agent])
    found = await service.worker.ask(
        reads.acts, service.data, agents, person.id, from_, to, after, limit
    )
    last = found[-1].position if len(found) == limit else None
    people = service.people()
    return Page(items=[reads.plain_act(one, people) for one in found], next=last)


@router.get(
    "/actions/{s}/{e}/{n}",
    summary="One action, and what became of it",
    responses=_REFUSED,
)
async def one_action(
    service: Served,
    person: Annotated[Person, Depends(need("register"))],
    request: Request,
    s: Annotated[str, Path(pattern=r"^HUB-[A-Za-z0-9_-]{1,32}$", examples=["HUB-main"])],
    e: Annotated[int, Path(ge=0, le=2**32 - 1)],
    n: Annotated[int, Path(ge=1, le=2**53 - 1)],
) -> dict[str, Any]:
    found = await service.worker.ask(reads.act, service.data, (s, e, n))
    if found is None:
        raise HTTPException(404, text("acting.no_such_act", language_of(request)))
    if found.act.agent is not None:
        _check_seen(request, service, person, [found.act.agent])
        service.audit(person, "register", [found.act.agent])
    elif found.act.by != person.id and person.scope(service.people()) is not None:
        raise not_yours(request)
    return reads.plain_act(found, service.people())


@router.get("/messages", summary="Messages, who was shown them and what they answered")
async def messages(
    service: Served,
    person: Annotated[Person, Depends(need("register", "own"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
    m: Annotated[str | None, Query(max_length=32)] = None,
) -> list[dict[str, Any]]:
    if not person.may("register"):
        agent = agent or person.agent
    agents = _scope(request, service, person, agent)
    service.audit(person, "messages", ALL if agent is None else [agent])
    found = await service.worker.ask(reads.messages, service.data, agents, from_, to, m)
    return [reads.plain_reading(one) for one in found]


# -- attendance


@router.post(
    "/attendance/{number}/corrections",
    summary="Correct or justify a mark: a new entry beside it",
    status_code=201,
    responses=_REFUSED,
)
async def correct(
    number: Annotated[int, Path(ge=1, le=2**53 - 1, description="of the ledger")],
    amendment: Annotated[Amendment, Body()],
    service: Served,
    person: Annotated[Person, Depends(need("correct"))],
    request: Request,
) -> Entered:
    language = language_of(request)
    found = await service.worker.ask(reads.mark, service.data, number)
    if found is None:
        raise HTTPException(404, text("acting.no_such_mark", language))
    of, agent = found
    if agent is None:
        raise HTTPException(409, text("acting.nobodys_mark", language))
    return await _amend(service, request, person, agent, amendment, of)


@router.post(
    "/agents/{a}/corrections",
    summary="The same where she made no mark: one that is missing, or a day",
    status_code=201,
    responses=_REFUSED,
)
async def correct_missing(
    a: AgentPath,
    amendment: Annotated[Amendment, Body()],
    service: Served,
    person: Annotated[Person, Depends(need("correct"))],
    request: Request,
) -> Entered:
    return await _amend(service, request, person, a, amendment, None)


@router.get("/corrections", summary="Corrections of attendance, in the order of their chain")
async def corrections(
    service: Served,
    person: Annotated[Person, Depends(need("attendance", "own"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
) -> list[dict[str, Any]]:
    if not person.may("attendance"):
        agent = agent or person.agent
    agents = _scope(request, service, person, agent)
    service.audit(person, "attendance", ALL if agent is None else [agent])
    found = await service.worker.ask(reads.corrections, service.data, agents, from_, to)
    return [reads.plain_correction(one) for one in found]


async def _amend(
    service: Service,
    request: Request,
    person: Person,
    agent: str,
    amendment: Corrected | Justified,
    of: Place | None,
) -> Entered:
    _check_seen(request, service, person, [agent])
    service.audit(person, f"attendance.{amendment.kind}", [agent])
    body = amendment.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
    body |= {"k": f"attendance.{amendment.kind}", "a": agent, "by": person.id}
    if of is not None:
        body |= {"of": of}
    return Entered.model_validate(await _ask(service, request, "hub.record", body))


# -- who may


def _check_seen(request: Request, service: Service, person: Person, agents: Iterable[str]) -> None:
    people = service.people()
    if not all(person.sees(agent, people) for agent in agents):
        raise not_yours(request)


def _scope(
    request: Request, service: Service, person: Person, agent: str | None
) -> Collection[str] | None:
    """The agents that are asked for, as far as he sees them; None: all."""
    people = service.people()
    if agent is not None:
        _check_seen(request, service, person, [agent])
        return [agent]
    if person.scope(people) is None:
        return None
    return [one for one in people.workers if person.sees(one, people)]


def _signed(person: Person) -> dict[str, str]:
    return {"by": person.id, "who": person.name or person.id}


async def _ask(
    service: Service, request: Request, subject: str, body: dict[str, Any]
) -> dict[str, Any]:
    return await ask_hub(service, request, subject, body, _said)


def _said(answer: Mapping[str, Any], language: str) -> str:
    """The sentence for what the hub does not do."""
    error = str(answer["error"])
    if error not in section("acting"):
        return hub_refusal(answer, language)
    return text(f"acting.{error}", language, **answer.get("values", {}))
