"""`/api/v1/tickets`: those that one may see, and what is done about one. The hub judges and does
it; here is only who may ask, and for which.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Path, Request

from diadema.access.roles import Person
from diadema.store.assistance import TicketCase
from diadema.web.actions.api import REFUSED, ask, scope_of, signed
from diadema.web.actions.models import TicketAction, TicketDone, TicketOpening
from diadema.web.api import WebAppDep
from diadema.web.faults import board
from diadema.web.faults.view import View
from diadema.web.guard import language_of
from diadema.web.permissions import need, not_yours
from diadema.web.web_app import WebApp
from diadema.wire.actions import SHORT_ID
from diadema.words import text

router = APIRouter(prefix="/api/v1")

TicketPath = Annotated[str, Path(pattern=SHORT_ID.replace(r"\Z", "$"), examples=["3f9a01c2d4e5"])]
Reader = Annotated[Person, Depends(need("tickets", "area"))]
_OF_AN_AREA = ("ticket_taken", "ticket_noted", "ticket_resolved", "ticket_changed")
_THEIRS = {  # what they may say of it: neither who has it nor how grave it is
    "ticket_taken": {"action", "external"},
    "ticket_changed": {"action", "external", "reason"},
}
_OPENING: dict[str, Any] = {
    "failure": {
        "value": {
            "action": "ticket_opened", "area": "sistemas", "title": "CRM caído", "whole": True,
        }
    }
}  # fmt: skip
_EXAMPLES: dict[str, Any] = {
    "take": {"value": {"action": "ticket_taken"}},
    "assign": {"value": {"action": "ticket_taken", "to": "teo", "external": "INC-7"}},
    "note": {"value": {"action": "ticket_noted", "text": "Se llamó al proveedor"}},
    "resolve": {"value": {"action": "ticket_resolved", "cause": "enlace caído"}},
    "close": {
        "value": {
            "action": "ticket_closed", "outcome": "duplicate", "other": "3f9a01c2d4e5",
            "reason": "es la misma",
        }
    },
}  # fmt: skip


@router.get("/tickets", summary="The tickets that go on or were closed today")
async def tickets(web_app: WebAppDep, person: Reader) -> dict[str, Any]:
    known = await _read(web_app)
    view = _view(web_app, person, known)
    return {"tickets": view.rows(known.cases), "loose": view.loose(known.loose)}


@router.get("/tickets/{ticket}", summary="One ticket, with its story", responses=REFUSED)
async def ticket(
    ticket: TicketPath, web_app: WebAppDep, person: Reader, request: Request
) -> dict[str, Any]:
    case, view = await _found(request, web_app, person, ticket)
    found, seen = view.whole(case)
    if seen:
        web_app.audit(person, "faults", seen)
    return found


@router.post(
    "/tickets",
    summary="Open a ticket: of a report, or of what nobody pressed",
    status_code=202,
    responses=REFUSED,
)
async def open_ticket(
    action: Annotated[TicketOpening, Body(openapi_examples=_OPENING)],
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("tickets"))],
    request: Request,
) -> TicketDone:
    body = action.model_dump(exclude_none=True) | _signed(request, web_app, person)
    return await _ask_hub(web_app, request, body)


@router.post(
    "/tickets/{ticket}/actions",
    summary="Take a ticket, note, change, resolve, reopen or close it",
    status_code=202,
    responses=REFUSED,
)
async def act_on_ticket(
    ticket: TicketPath,
    action: Annotated[TicketAction, Body(openapi_examples=_EXAMPLES)],
    web_app: WebAppDep,
    person: Reader,
    request: Request,
) -> TicketDone:
    said = action.model_dump(exclude_none=True)
    if not person.may("fleet"):
        for one in (ticket, said.get("other")):
            if one is not None:
                await _found(request, web_app, person, one)
    if not person.may("tickets"):
        case, view = await _found(request, web_app, person, ticket)
        theirs = _THEIRS.get(action.action, said.keys())
        if action.action not in _OF_AN_AREA or not said.keys() <= theirs:
            raise not_yours(request)
        if action.action == "ticket_taken" and view.is_anothers(case.ticket):
            raise HTTPException(409, text("faults.taken", language_of(request)))
    body = said | _signed(request, web_app, person) | {"ticket": ticket}
    return await _ask_hub(web_app, request, body)


def _signed(request: Request, web_app: WebApp, person: Person) -> dict[str, Any]:
    """Who asks, and whose reports alone they may bring to a ticket."""
    seen = None if person.may("fleet") else scope_of(request, web_app, person, None)
    return signed(person) | ({} if seen is None else {"among": sorted(seen)})


async def _ask_hub(web_app: WebApp, request: Request, body: dict[str, Any]) -> TicketDone:
    done = TicketDone.model_validate(await ask(web_app, request, "hub.act", body))
    web_app.faults.look()
    return done


async def _read(web_app: WebApp, ticket: str | None = None) -> board.Known:
    now_ms, since = web_app.pace.now_ms(), web_app.midnight_ms()
    known = await asyncio.to_thread(
        board.read, web_app.data, web_app.accounts, now_ms, since, ticket
    )
    assert known is not None  # without a mark before
    return known


def _view(web_app: WebApp, person: Person, known: board.Known) -> View:
    desk = "faults" if person.may("tickets") else "area"
    return board.view_for(person, desk, web_app.people(), known)


async def _found(
    request: Request, web_app: WebApp, person: Person, ticket: str
) -> tuple[TicketCase, View]:
    """One that the person may see. Raises HTTPException: 404, and of others' the same."""
    known = await _read(web_app, ticket)
    view = _view(web_app, person, known)
    if not known.cases or not view.sees(known.cases[0]):
        raise HTTPException(404, text("faults.gone", language_of(request)))
    return known.cases[0], view
