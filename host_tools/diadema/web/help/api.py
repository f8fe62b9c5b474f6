"""`/api/v1/help`: the calls for help that are open, to whom one may be handed over, and what
playbooks were found to lack.
"""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from pydantic import BaseModel

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.store import open_reader
from diadema.store.assistance import HelpCase, gaps, key_of
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.help.view import Going, concerns, shown, takers
from diadema.web.permissions import need
from diadema.web.web_app import WebApp
from diadema.words import text

router = APIRouter(prefix="/api/v1")
_GAPS_MS = 90 * 86_400_000

HelpPerson = Annotated[Person, Depends(need("help"))]


class Taker(BaseModel):
    account: str
    name: str


class Gap(BaseModel):
    """`gap`: missing, unclear or wrong; `topic` and `text` say what was asked and noted."""

    utc: int
    playbook: str | None
    version: str | None
    gap: str
    topic: str | None
    text: str | None


@router.get("/help", summary="The calls for help that are open and concern you, in their order")
async def going(web_app: WebAppDep, person: HelpPerson) -> list[dict[str, Any]]:
    web_app.audit(person, "help", ALL)
    rows, people = web_app.floor.rows, web_app.people()
    return shown(web_app.help.going, rows, person, people, web_app.moment())


@router.get(
    "/help/{s}/{e}/{n}/takers",
    summary="The accounts to which a call for help may be handed over",
    responses={404: {"description": "it is over, or not yours to see"}},
)
async def may_take(
    web_app: WebAppDep,
    person: HelpPerson,
    request: Request,
    s: Annotated[str, Path(max_length=40)],
    e: Annotated[int, Path(ge=0, le=2**32 - 1)],
    n: Annotated[int, Path(ge=1, le=2**53 - 1)],
) -> list[Taker]:
    one = _found(web_app, person, request, (s, e, n))
    accounts = await asyncio.to_thread(web_app.accounts.book.all)
    found = takers(one, accounts, web_app.people(), web_app.moment())
    has = {person.id, *(one.case.taker or ())[:1]}
    return [Taker(account=account, name=name) for account, name in found if account not in has]


@router.get(
    "/help/gaps",
    summary="What those who were asked found missing, unclear or wrong in the playbooks that you "
    "answer for, of the last 90 days; an administrator has those of all",
)
async def gaps_of(web_app: WebAppDep, person: HelpPerson) -> list[Gap]:
    people = web_app.people()
    own = people.playbooks_of(person.id)
    since_ms = web_app.pace.now_ms() - _GAPS_MS
    everything = person.may("people")
    cases = await asyncio.to_thread(_gaps, web_app.data, None if everything else own, since_ms)
    found = []
    for case in cases:
        topic = people.topics.get(case.press.topic or "")
        label = topic.label if topic is not None else case.press.topic
        note = case.note
        if note is not None and note.gap is not None:
            found.append(
                Gap(
                    utc=note.utc, playbook=note.playbook, version=note.version, gap=note.gap,
                    topic=label, text=case.text,
                )
            )  # fmt: skip
    return found


def _gaps(data: DataDir, playbooks: set[str] | None, since_ms: int) -> list[HelpCase]:
    if not data.store.exists():
        return []
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return gaps(tx, playbooks, since_ms)


def _found(web_app: WebApp, person: Person, request: Request, of: tuple[str, int, int]) -> Going:
    """That one of those that are open and concern the person. Raises HTTPException."""
    people, moment = web_app.people(), web_app.moment()
    for one in web_app.help.going:
        if key_of(one.case.press) == of and concerns(one, person, people, moment):
            return one
    raise HTTPException(404, text("help.gone", language_of(request)))
