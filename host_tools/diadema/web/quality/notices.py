"""`/ui/quality/notices` and its API: each notice in force, who was informed by it and who is yet
to be; a notice goes to stations from here, and papers come in.
"""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.responses import Response
from nicegui import ui
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.quality import notices_read
from diadema.site.directory import queries
from diadema.site.directory.problems import Wrong
from diadema.site.directory.sheets import MOST_BYTES
from diadema.web.actions.api import REFUSED, ask, check_seen, refusal_of, signed
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.page_parts import ModuleElement
from diadema.web.permissions import need, while_there
from diadema.web.refusals import trouble
from diadema.web.shell import Refused, open_page
from diadema.web.web_app import WebApp
from diadema.words import section, text

PATH = "/ui/quality/notices"
router = APIRouter(prefix="/api/v1/quality/notices", tags=["quality"])

_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_AGENTS = 200  # of one message
_SHARED = ("import.", "form.cancel")  # words of the page of people
Asking = Annotated[Person, Depends(need("notices"))]
Code = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,16}$", examples=["asesor"])]
Agents = Annotated[list[Annotated[str, Field(min_length=1, max_length=24)]], Field(min_length=1)]


def mount(app: FastAPI, web_app: WebApp) -> None:
    @ui.page("/quality/notices")
    def notices(request: Request) -> None:
        try:
            page = open_page(web_app, request, "notices", PATH, "notices")
        except Refused:
            return
        people = section("people", page.language)
        imports = {name: word for name, word in people.items() if name.startswith(_SHARED)}
        options = {
            "words": {**imports, **page.words},
            "language": page.language,
            "zone": web_app.floor.site.zone,
            "publishes": page.person.may("quality"),
        }
        ui.add_head_html('<link rel="stylesheet" href="/static/people.css">')
        ui.add_head_html('<link rel="stylesheet" href="/static/notices.css">')
        with ui.element("main").props("id=main").classes("page people notices"):
            ModuleElement("notices.js", options)


class AgentState(BaseModel):
    """`state`: missing; older, of a version before the one in force; informed. `utc`: when the
    badge was tapped; `date`: of the paper.
    """

    model_config = ConfigDict(from_attributes=True)
    a: str = Field(validation_alias="agent")
    name: str
    team: str
    state: Literal["missing", "older", "informed"]
    how: Literal["badge", "paper", "refused"] | None
    version: int | None
    utc: int | None
    date: str | None
    document: str | None
    witnesses: list[str]
    by: str | None


class Notice(BaseModel):
    """`since`: UTC ms; `spoken`: by whom the caller is told it; `draft`: the directory says
    something newer, which is not published.
    """

    code: str
    name: str
    side: Literal["caller", "agent"]
    version: int
    since: int
    text: str
    spoken: str
    queues: list[str]
    campaigns: list[str]
    draft: bool
    counts: dict[str, int]
    agents: list[AgentState]


class Notices(BaseModel):
    """Those in force. `drafts`: what is not published yet."""

    notices: list[Notice]
    drafts: list[str]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    agents: Annotated[Agents, Field(max_length=_AGENTS)]


class NotSent(BaseModel):
    a: str
    error: str
    detail: str


class Sent(BaseModel):
    """`count`: at how many stations it is shown."""

    count: int
    refused: list[NotSent]


class Paper(BaseModel):
    """One that these agents signed, or refused before two witnesses."""

    model_config = ConfigDict(extra="forbid")
    agents: Annotated[Agents, Field(max_length=500)]
    how: Literal["paper", "refused"]
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-11-30"])]
    document: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    witnesses: Annotated[
        list[Annotated[str, Field(max_length=32)]], Field(max_length=2, default_factory=list)
    ]


class Noted(BaseModel):
    """`already`: whose was noted before, and is once."""

    count: int
    already: list[str]


@router.get("", summary="The notices in force, and which agents were informed by each")
async def listed(web_app: WebAppDep, request: Request, person: Asking) -> Notices:
    web_app.audit(person, "notices", ALL)
    work = web_app.worker.ask(notices_read.current, web_app.data, web_app.pace.now_ms())
    found = await _answer(work, language_of(request))
    people = web_app.people()
    given = []
    for plain, state in zip(notices_read.as_plain(found), found.states, strict=True):
        agents = [one for one in state.agents if person.sees(one.agent, people)]
        counts = dict.fromkeys(("informed", "older", "missing"), 0)
        for one in agents:
            counts[one.state] += 1
        shown = [AgentState.model_validate(one) for one in agents]
        given.append(Notice(**plain | {"counts": counts, "agents": shown}))
    return Notices(notices=given, drafts=found.drafts)


@router.post(
    "/publication",
    summary="Put in force what notices say now in the directory",
    responses=REFUSED,
)
async def publish(
    web_app: WebAppDep, request: Request, person: Annotated[Person, Depends(need("quality"))]
) -> dict[str, list[str]]:
    web_app.audit(person, "notices.publish", [])
    work = web_app.worker.file(
        queries.freeze, web_app.data, "notices", web_app.pace.now_ms(), person.id
    )
    found = await _answer(work, language_of(request))
    return {"published": [one.code for one in found]}


@router.post(
    "/{code}/messages",
    summary="Show a notice at the stations of agents, who sign it by the badge",
    status_code=202,
    responses=REFUSED,
)
async def send(
    code: Code, message: Message, web_app: WebAppDep, person: Asking, request: Request
) -> Sent:
    check_seen(request, web_app, person, message.agents)
    body = {"action": "notice_sent", "notice": code, "agents": message.agents} | signed(person)
    answer = await ask(web_app, request, "hub.act", body)
    language = language_of(request)
    refused = [
        NotSent(a=one["a"], error=one["error"],
                detail=refusal_of(one | {"values": one}, language))
        for one in answer.get("refused", [])
    ]  # fmt: skip
    return Sent(count=answer.get("count", 0), refused=refused)


@router.post(
    "/{code}/signatures",
    summary="Note a paper, or a refusal before two witnesses",
    status_code=202,
    responses=REFUSED,
)
async def note(
    code: Code, paper: Paper, web_app: WebAppDep, person: Asking, request: Request
) -> Noted:
    check_seen(request, web_app, person, paper.agents)
    said = paper.model_dump(exclude_none=True)
    body = said | {"action": "notice_signed", "notice": code} | signed(person)
    answer = await ask(web_app, request, "hub.act", body)
    web_app.audit(person, "notices.sign", paper.agents)
    return Noted(count=answer.get("count", 0), already=answer.get("already", []))


@router.get(
    "/{code}/sheet",
    summary="A sheet to fill out, with the agents who have yet to sign",
    response_class=Response,
    responses={200: {"content": {media: {} for media in _MEDIA.values()}}},
)
async def sheet(
    code: Code,
    web_app: WebAppDep,
    request: Request,
    person: Asking,
    form: Annotated[Literal["xlsx", "csv"], Query(alias="format")] = "xlsx",
) -> Response:
    web_app.audit(person, "notices.sheet", ALL)
    language, people = language_of(request), web_app.people()
    seen = None
    if person.scope(people) is not None:
        seen = frozenset(one for one in people.workers if person.sees(one, people))
    work = web_app.worker.file(
        notices_read.sheet_of, web_app.data, web_app.pace.now_ms(), code, language, form, seen
    )
    made = await while_there(request, _answer(work, language))
    named = {"content-disposition": f'attachment; filename="{code}.{form}"'}
    return Response(made, media_type=_MEDIA[form], headers=named)


@router.post(
    "/{code}/import",
    summary="Take a sheet of papers in, or only look what it has",
    responses=REFUSED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"format": "binary"}}},
        }
    },
)
async def take_sheet(
    code: Code, web_app: WebAppDep, request: Request, person: Asking, dry_run: bool = True
) -> dict[str, Any]:
    """The XLSX or CSV file is the body. One row that is wrong stops it all; the same rows again
    change nothing.
    """
    language = language_of(request)
    given = await _body(request, language)
    work = web_app.worker.file(
        notices_read.signed_in, web_app.data, web_app.pace.now_ms(), code, given
    )
    found = await _answer(while_there(request, work) if dry_run else work, language)
    if dry_run or found.problems or not found.batches:
        return found.summary(language)
    agents = [a for one in found.batches for a in one.agents]
    check_seen(request, web_app, person, agents)
    for one in found.batches:
        body = notices_read.request_of(code, one) | signed(person)
        await ask(web_app, request, "hub.act", body, named=False)
    web_app.audit(person, "notices.sign", agents)
    return found.summary(language, done=True)


async def _body(request: Request, language: str) -> bytes:
    given = bytearray()
    async for part in request.stream():
        given += part
        if len(given) > MOST_BYTES:
            size, most = len(given) // 1_000_000, MOST_BYTES // 1_000_000
            detail = text("people.wrong.file_big", language, size=size, most=most, value="")
            raise HTTPException(413, detail)
    return bytes(given)


async def _answer[T](work: Awaitable[T], language: str) -> T:
    """What is wrong with a table goes on as it is; a store that cannot be read is a 503."""
    try:
        return await work
    except Wrong:
        raise
    except DiademaError as error:
        raise HTTPException(503, trouble(error, language)) from error
