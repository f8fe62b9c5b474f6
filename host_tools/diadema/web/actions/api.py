"""`/api/v1`: actions on agents and stations, messages, and the register of both.

The hub judges and does them; here is only who may ask, and for whom.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.store.register import Acted
from diadema.web.actions import queries
from diadema.web.actions.models import (
    AGENT,
    Action,
    Annulment,
    Done,
    HelpAction,
    Messages,
    NotSent,
    Page,
    QueueAction,
    Reply,
    Sent,
    StationAction,
)
from diadema.web.api import StationId, WebAppDep, ask_hub
from diadema.web.floor.queue_alerts import is_queue_for
from diadema.web.guard import language_of
from diadema.web.permissions import need, not_yours
from diadema.web.refusals import hub_refusal
from diadema.web.web_app import WebApp
from diadema.wire.actions import QUEUE_CHARACTERS, REPRIMAND, alert_rule
from diadema.words import section, text

router = APIRouter(prefix="/api/v1")

AgentPath = Annotated[str, Path(pattern=AGENT, examples=["a001"])]
QueuePath = Annotated[str, Path(min_length=1, max_length=QUEUE_CHARACTERS, examples=["ventas"])]
Utc = Annotated[int | None, Query(ge=0, le=2**53 - 1, description="UTC milliseconds")]
From = Annotated[
    int | None, Query(alias="from", ge=0, le=2**53 - 1, description="UTC milliseconds")
]
AgentQuery = Annotated[str | None, Query(pattern=AGENT)]
Actor = Annotated[Person, Depends(need("act"))]
ActStation = Annotated[str, Path(pattern=r"^HUB-[A-Za-z0-9_-]{1,32}$", examples=["HUB-main"])]
ActEpoch = Annotated[int, Path(ge=0, le=2**32 - 1)]
ActNumber = Annotated[int, Path(ge=1, le=2**53 - 1)]
REFUSED: dict[int | str, dict[str, Any]] = {
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
_OF_HELP: dict[str, Any] = {
    name: {"value": {"action": name, "of": ["DIA-0a1b2c3d4e5f", 1, 9], **fields}}
    for name, fields in (
        ("help", {"state": "accepted"}),
        ("help_assigned", {"to": "luz", "reason": "sabe de créditos"}),
        ("help_noted", {"gap": "missing", "text": "No dice qué hacer con una cuenta cerrada"}),
        ("message", {"text": "Ya voy, siga en línea", "reason": "ayuda"}),
    )
}


@router.post(
    "/agents/{a}/actions",
    summary="Act on an agent, with a reason; it is noted in the register",
    status_code=202,
    responses=REFUSED,
)
async def act(
    a: AgentPath,
    action: Annotated[Action, Body(openapi_examples=_EXAMPLES)],
    web_app: WebAppDep,
    person: Actor,
    request: Request,
) -> Done:
    check_seen(request, web_app, person, [a])
    said = action.model_dump(exclude_none=True)
    body = said | signed(person) | ({"agents": [a]} if action.action == "message" else {"a": a})
    done = Done.model_validate(await ask(web_app, request, "hub.act", body))
    if action.action == "acknowledge" and "since" in said:
        web_app.watch.see([((said["rule"], a, said["since"]), body["who"])])
    return done


@router.post(
    "/stations/{s}/actions",
    summary="Answer a fault of a station, or acknowledge an alert of it",
    status_code=202,
    responses=REFUSED,
)
async def act_on_station(
    s: StationId,
    action: Annotated[StationAction, Body()],
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("act", "fleet"))],
    request: Request,
) -> Done:
    if action.action == "acknowledge" and not person.may("act"):
        raise not_yours(request)
    body = action.model_dump(exclude_none=True) | signed(person) | {"s": s}
    if not person.may("fleet"):
        seen = scope_of(request, web_app, person, None)
        body |= {} if seen is None else {"among": sorted(seen)}
    return Done.model_validate(await ask(web_app, request, "hub.act", body))


@router.post(
    "/queues/{queue:path}/actions",
    summary="Acknowledge an alert of a queue",
    status_code=202,
    responses=REFUSED,
)
async def act_on_queue(
    queue: QueuePath,
    action: Annotated[QueueAction, Body()],
    web_app: WebAppDep,
    person: Actor,
    request: Request,
) -> Done:
    people = web_app.people()
    if not is_queue_for(queue, person.scope(people), people):
        raise not_yours(request)
    said = action.model_dump(exclude_none=True)
    body = said | signed(person) | {"queue": queue}
    done = Done.model_validate(await ask(web_app, request, "hub.act", body))
    if "since" in said:
        rule = alert_rule(said["rule"], queue)
        web_app.watch.see([((rule, "", said["since"]), body["who"])])
    return done


@router.post(
    "/help/actions",
    summary="Take a request for help, pass it on, answer it, solve it or note what it taught",
    status_code=202,
    responses=REFUSED,
)
async def act_on_help(
    action: Annotated[HelpAction, Body(openapi_examples=_OF_HELP)],
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("help"))],
    request: Request,
) -> Done:
    """Whose request it is, the hub knows: it judges who may take it."""
    body = action.model_dump(exclude_none=True) | signed(person)
    if "of" not in body:
        said = text("web.field_missing", language_of(request), where="body.of")
        raise HTTPException(422, said)
    done = Done.model_validate(await ask(web_app, request, "hub.act", body))
    web_app.help.look()
    return done


@router.post(
    "/messages",
    summary="Send one message to several agents",
    status_code=202,
    responses=REFUSED,
)
async def send_message(
    message: Messages, web_app: WebAppDep, person: Actor, request: Request
) -> Sent:
    check_seen(request, web_app, person, message.agents)
    body = message.model_dump(exclude_none=True) | signed(person) | {"action": "message"}
    answer = await ask(web_app, request, "hub.act", body)
    language = language_of(request)
    refused = [
        NotSent(a=one["a"], error=one["error"], detail=refusal_of(one | {"values": one}, language))
        for one in answer["refused"]
    ]
    return Sent(m=answer["m"], sent=answer["sent"], refused=refused)


@router.get(
    "/actions",
    summary="The register of supervisors' actions; of reprimands those that are yours to read",
    responses=REFUSED,
)
async def register(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("register", "reprimands", "own"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Page:
    if person.role == "agent":
        agent = agent or person.agent
    agents = scope_of(request, web_app, person, agent)
    web_app.audit(person, "register", ALL if agent is None else [agent])
    found = await web_app.worker.ask(
        queries.acts, web_app.data, agents, person, from_, to, after, limit
    )
    last = found[-1].position if len(found) == limit else None
    people = web_app.people()
    return Page(items=[queries.plain_act(one, people) for one in found], next=last)


@router.get(
    "/actions/{s}/{e}/{n}",
    summary="One action, and what became of it",
    responses=REFUSED,
)
async def one_action(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("register", "reprimands", "own"))],
    request: Request,
    s: ActStation,
    e: ActEpoch,
    n: ActNumber,
) -> dict[str, Any]:
    found = await _readable(request, web_app, person, (s, e, n))
    if found.act.agent is not None:
        web_app.audit(person, "register", [found.act.agent])
    return queries.plain_act(found, web_app.people())


@router.post(
    "/actions/{s}/{e}/{n}/annulment",
    summary="Annul what was noted: it stays, with who did so and why, and is counted no longer",
    status_code=202,
    responses=REFUSED,
)
async def annul(
    body: Annulment,
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("act", "annul"))],
    request: Request,
    s: ActStation,
    e: ActEpoch,
    n: ActNumber,
) -> Done:
    found = await _readable(request, web_app, person, (s, e, n))
    said: dict[str, Any] = {"action": "annul", "of": [s, e, n], "reason": body.reason}
    said["own"] = not person.may("annul")
    done = await ask(web_app, request, "hub.act", said | signed(person))
    web_app.audit(person, "register.annul", [found.act.agent] if found.act.agent else [])
    return Done.model_validate(done)


@router.post(
    "/actions/{s}/{e}/{n}/reply",
    summary="Answer a reprimand that you were given, once",
    status_code=202,
    responses=REFUSED,
)
async def reply(
    body: Reply,
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("own"))],
    request: Request,
    s: ActStation,
    e: ActEpoch,
    n: ActNumber,
) -> Done:
    await _readable(request, web_app, person, (s, e, n))
    said = {"action": "reply", "of": [s, e, n], "a": person.agent, "note": body.text}
    done = await ask(web_app, request, "hub.act", said | signed(person))
    web_app.audit(person, "register.reply", [person.agent or ""])
    return Done.model_validate(done)


@router.get("/messages", summary="Messages, who was shown them and what they answered")
async def messages(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("register", "own"))],
    request: Request,
    agent: AgentQuery = None,
    from_: From = None,
    to: Utc = None,
    m: Annotated[str | None, Query(max_length=32)] = None,
) -> list[dict[str, Any]]:
    if not person.may("register"):
        agent = agent or person.agent
    agents = scope_of(request, web_app, person, agent)
    web_app.audit(person, "messages", ALL if agent is None else [agent])
    found = await web_app.worker.ask(queries.messages, web_app.data, agents, person, from_, to, m)
    return [queries.plain_reading(one) for one in found]


# -- who may


async def _readable(
    request: Request, web_app: WebApp, person: Person, place: queries.Place
) -> Acted:
    """That entry of the register. Raises HTTPException: 404, or 403 where it is not the user's to
    read.
    """
    found = await web_app.worker.ask(queries.act, web_app.data, place)
    if found is None:
        raise HTTPException(404, text("acting.no_such_act", language_of(request)))
    act = found.act
    if act.kind == REPRIMAND:
        if not person.reads_reprimand(act.by):
            raise not_yours(request)
    elif not person.may("register"):
        raise not_yours(request)
    if act.by == person.id:  # who helps acts on agents of other teams too
        return found
    if act.agent is not None:
        check_seen(request, web_app, person, [act.agent])
    elif person.scope(web_app.people()) is not None:
        raise not_yours(request)
    return found


def check_seen(request: Request, web_app: WebApp, person: Person, agents: Iterable[str]) -> None:
    people = web_app.people()
    if not all(person.sees(agent, people) for agent in agents):
        raise not_yours(request)


def scope_of(
    request: Request, web_app: WebApp, person: Person, agent: str | None
) -> Collection[str] | None:
    """The requested agents, as far as the user sees them; None: all."""
    people = web_app.people()
    if agent is not None:
        check_seen(request, web_app, person, [agent])
        return [agent]
    if person.scope(people) is None:
        return None
    return [one for one in people.workers if person.sees(one, people)]


def signed(person: Person) -> dict[str, str]:
    """Who asks the hub."""
    return {"by": person.id, "who": person.name or person.id}


async def ask(
    web_app: WebApp, request: Request, subject: str, body: dict[str, Any], *, named: bool = True
) -> dict[str, Any]:
    return await ask_hub(web_app, request, subject, body, refusal_of, named=named)


def refusal_of(answer: Mapping[str, Any], language: str) -> str:
    """The sentence for what the hub does not do."""
    error = str(answer["error"])
    if error not in section("acting"):
        return hub_refusal(answer, language)
    return text(f"acting.{error}", language, **answer.get("values", {}))
