"""`/ui/listening`, «Escuchas», and `/api/v1/listenings`: who heard which call, for what and how
much of it; and to hear one that goes on, through the exchange.
"""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.quality.hearing import DRAWN, SUPERVISING, Wanted, is_announced
from diadema.site.directory.people import People
from diadema.web.actions.api import AgentQuery, scope_of, signed
from diadema.web.api import WebAppDep
from diadema.web.assets import modules_of
from diadema.web.floor.spied import is_stray
from diadema.web.guard import language_of
from diadema.web.paging import After, Limit, Span, after_of, cursor, span
from diadema.web.permissions import need, person_of
from diadema.web.quality.blind import hidden_from
from diadema.web.recordings import listened
from diadema.web.recordings.asking import ask_live, why
from diadema.web.recordings.calls import REFUSED, purposes_of
from diadema.web.recordings.hearing import Listener, ListeningId
from diadema.web.recordings.listened import Entry
from diadema.web.shell import live_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.wire.agent_states import IN_CALL
from diadema.words import section

PATH = "/ui/listening"
MODES = ("silent", "whisper", "joined")
_PURPOSES = (DRAWN, "case")  # that are in the register, and nobody begins here
_LATELY_MS = 3_600_000
_MODULES = modules_of("listening.js")
router = APIRouter()

Reader = Annotated[Person, Depends(need("listen", "quality"))]


class ListeningItem(BaseModel):
    """Times are UTC ms. `kind`: started or refused; `via`: browser, switch or outside. `heard_ms`
    and `cause` are null while it goes on; `why`: a refusal, or an end, as a sentence.
    """

    of: tuple[str, int, int]
    kind: str
    at: int
    by: str
    who: str
    a: str
    name: str
    team: str
    c: str | None
    call: int | None
    queue: str | None
    source: str | None
    mode: str | None
    purpose: str | None
    via: str | None
    stray: bool
    announced: bool | None
    ended: int | None
    heard_ms: int | None
    cause: str | None
    why: str | None


class ListeningPage(BaseModel):
    """`listeners`: [account, name] of whoever is in these days."""

    items: list[ListeningItem]
    listeners: list[tuple[str, str]]
    next: str | None


class Begin(BaseModel):
    """`c`: of the call that is meant; another one has begun meanwhile otherwise."""

    model_config = ConfigDict(extra="forbid")
    a: str = Field(pattern=r"^[A-Za-z0-9_-]{1,24}$")
    c: str | None = Field(None, max_length=64)
    mode: Literal["silent", "whisper", "joined"] = "silent"
    purpose: str = Field(min_length=1, max_length=16)


class Talking(BaseModel):
    a: str
    name: str
    team: str
    seat: str | None
    queue: str | None
    state: str
    since: int | None
    c: str | None
    heard_by: list[str]


class Mine(BaseModel):
    """`since` null: the telephone rings; `confirmed`: the station has told its agent."""

    listening: str
    a: str
    name: str
    c: str
    mode: str | None
    purpose: str | None
    announced: bool
    confirmed: bool
    since: int | None


class Ended(BaseModel):
    at: int
    listening: str | None
    a: str
    heard_ms: int
    cause: str
    why: str


class Live(BaseModel):
    """`switch`: up, away, or none set up; `last`: what the user heard last, within the hour."""

    now: int
    switch: Literal["up", "away", "none"]
    calls: list[Talking]
    mine: Mine | None
    last: Ended | None


@router.get(PATH, include_in_schema=False)
async def listening_page(request: Request) -> HTMLResponse:
    web_app, person = web_app_of(request), person_of(request)
    options = None
    if person.may("listen", "quality"):
        options = _options(web_app, person, language_of(request))
    return live_page(
        web_app, request, "listening", PATH, options, mode="listening", modules=_MODULES,
        sheets=("recordings",),
    )  # fmt: skip


def _options(web_app: WebApp, person: Person, language: str) -> dict[str, Any]:
    """What `static/listening.js` is given."""
    people = web_app.people()
    agents = [(one.id, one.name) for one in people.workers.values() if person.sees(one.id, people)]
    purposes = purposes_of(person)
    states = {
        word: said for word, said in section("floor", language).items() if word[:6] == "state."
    }
    return {
        "words": states | {**section("listening", language)},
        "zone": web_app.zone.key,
        "today": web_app.today().isoformat(),
        "agents": sorted(agents, key=lambda one: one[1].casefold()),
        "purposes": [*purposes],
        "known": [*purposes, *(one for one in _PURPOSES if one not in purposes)],
        "modes": {one: [*_modes(one)] for one in purposes},
        "announced": {
            one: {mode: _is_shown(one, mode, people) for mode in _modes(one)} for one in purposes
        },
    }


def _modes(purpose: str) -> tuple[str, ...]:
    """Who listens to help may be heard too."""
    return MODES if purpose in SUPERVISING else MODES[:1]


def _is_shown(purpose: str, mode: Any, people: People) -> bool:
    return is_announced(Wanted(source="live", purpose=purpose, mode=mode), people)


# -- the register


@router.get(
    "/api/v1/listenings",
    summary="Who heard which call, for what, and how much of it; the newest first",
    responses=REFUSED,
)
async def register(
    web_app: WebAppDep,
    person: Reader,
    request: Request,
    days: Annotated[Span, Depends(span)],
    agent: AgentQuery = None,
    by: Annotated[str, Query(max_length=64)] = "",
    purpose: Annotated[str, Query(max_length=16)] = "",
    source: Literal["", "live", "recording", "outside", "refused"] = "",
    after: After = None,
    limit: Limit = 50,
) -> ListeningPage:
    agents = scope_of(request, web_app, person, agent)
    web_app.audit(person, "listenings", [agent] if agent else ALL)
    wanted = listened.Wanted(
        start_ms=days.start_ms,
        end_ms=days.end_ms,
        agents=None if agents is None else frozenset(agents),
        agent=agent or "",
        by=by,
        purpose=purpose,
        source=source,
        hidden=await hidden_from(web_app, person),
    )
    place = after_of(request, after)
    found = await web_app.worker.ask(listened.read, web_app.data, wanted, place, limit)
    names = await names_of(web_app)
    language = language_of(request)
    last = found.entries[-1].heard if found.more else None
    return ListeningPage(
        items=[item_of(web_app, one, names, language) for one in found.entries],
        listeners=sorted(
            ((one, names.get(one, one)) for one in found.listeners if not is_rule(one)),
            key=lambda one: one[1].casefold(),
        ),
        next=cursor(listened.place_of(last)) if last is not None else None,
    )


async def names_of(web_app: WebApp) -> dict[str, str]:
    """Of accounts."""
    try:
        accounts = await asyncio.to_thread(web_app.accounts.book.all)
    except DiademaError:
        return {}
    return {one.id: one.name for one in accounts}


def is_rule(by: str) -> bool:
    return by.startswith("rule:")


def item_of(web_app: WebApp, entry: Entry, names: dict[str, str], language: str) -> ListeningItem:
    began, ended, contact = entry.heard.began, entry.heard.ended, entry.contact
    people, agent = web_app.people(), entry.heard.began.agent or ""
    team = people.team(agent)
    queue = contact.queue if contact is not None else None
    cause = ended.cause if ended is not None else None
    word = began.reason if began.kind == "refused" else cause
    return ListeningItem(
        of=(began.station, began.epoch, began.sequence), kind=began.kind, at=began.utc,
        by=began.by, who="" if is_rule(began.by) else names.get(began.by, began.by), a=agent,
        name=people.name(agent), team=people.teams.get(team, team),
        c=contact.contact if contact is not None else None,
        call=contact.start_utc if contact is not None else None,
        queue=people.queues.get(people.queue(queue, contact.start_utc), queue)
        if queue and contact is not None else None,
        source=began.source, mode=began.mode, purpose=began.purpose, via=began.via,
        stray=is_stray(entry.heard), announced=began.announced,
        ended=ended.utc if ended is not None else None,
        heard_ms=ended.heard_ms if ended is not None else None,
        cause=cause, why=_sentence(word, language) if word else None,
    )  # fmt: skip


def _sentence(word: str, language: str) -> str:
    own = section("listening", language)
    return own.get(f"cause.{word}") or own.get(f"refused.{word}") or why(word, language) or word


# -- a call that goes on


@router.get(
    "/api/v1/listenings/live",
    summary="Who talks now whom you may listen to, and your own listening",
    responses=REFUSED,
)
async def live(web_app: WebAppDep, person: Listener, request: Request) -> Live:
    switch = await _switch(web_app, request)
    shown = (await ask_live(web_app, request, "hub.listen", {}))["listening"]
    return await _live(web_app, person, request, switch, shown)


@router.post(
    "/api/v1/listenings/live",
    summary="Hear a call that goes on: your telephone rings",
    status_code=202,
    responses=REFUSED,
)
async def begin(
    body: Annotated[Begin, Body()], web_app: WebAppDep, person: Listener, request: Request
) -> Live:
    """Whether it may be, the hub decides; what it refuses is in the register."""
    said = body.model_dump(exclude_none=True) | signed(person) | {"do": "begin"}
    web_app.audit(person, "listenings.live", [body.a])
    await ask_live(web_app, request, "hub.listen", said)
    return await live(web_app, person, request)


@router.post(
    "/api/v1/listenings/live/{listening}/end",
    summary="Stop hearing a call",
    status_code=202,
    responses=REFUSED,
)
async def end(
    web_app: WebAppDep, person: Listener, request: Request, listening: ListeningId
) -> Live:
    said = {"do": "end", "listening": listening, "by": person.id}
    await ask_live(web_app, request, "hub.listen", said)
    return await live(web_app, person, request)


async def _switch(web_app: WebApp, request: Request) -> Literal["up", "away", "none"]:
    shown = (await ask_live(web_app, request, "hub.switch.shown", {}))["switch"]
    if shown is None:
        return "none"
    return "up" if shown["up"] else "away"


async def _live(
    web_app: WebApp,
    person: Person,
    request: Request,
    switch: Literal["up", "away", "none"],
    shown: list[dict[str, Any]],
) -> Live:
    people, now_ms = web_app.people(), web_app.pace.now_ms()
    names = await names_of(web_app) if shown else {}
    going = []
    for row in web_app.floor.rows.values():
        agent = row.agent
        if row.state not in IN_CALL or agent in (person.id, person.agent):
            continue
        if not person.sees(agent, people):
            continue
        queue = people.queue(row.queue or "", row.since) if row.queue else ""
        by = [one["by"] for one in shown if one["a"] == agent and one["by"] != person.id]
        going.append(
            Talking(
                a=agent, name=row.name or agent, team=row.team or "", seat=row.seat,
                queue=people.queues.get(queue, queue) or None, state=row.state,
                since=row.answered_utc or row.since, c=row.contact,
                heard_by=["" if is_rule(one) else names.get(one, one) for one in by],
            )
        )  # fmt: skip
    going.sort(key=lambda one: one.name.casefold())
    mine = next((one for one in shown if one["by"] == person.id), None)
    last = await asyncio.to_thread(listened.last_of, web_app.data, person.id, now_ms - _LATELY_MS)
    ended = None
    if last is not None and last.ended is not None:
        its, cause = last.ended, last.ended.cause or ""
        ended = Ended(
            at=its.utc, listening=last.began.listening, a=last.began.agent or "",
            heard_ms=its.heard_ms or 0, cause=cause, why=_sentence(cause, language_of(request)),
        )  # fmt: skip
    return Live(
        now=now_ms,
        switch=switch,
        calls=going,
        mine=None if mine is None else Mine(
            listening=mine["listening"], a=mine["a"], name=people.name(mine["a"]), c=mine["c"],
            mode=mine["mode"], purpose=mine["purpose"], announced=mine["announced"],
            confirmed=mine["confirmed"], since=mine["since_utc"],
        ),
        last=ended,
    )  # fmt: skip
