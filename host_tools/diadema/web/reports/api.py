"""`/api/v1/reports`: every report as JSON, CSV, XLSX or PDF, and those that are made by
themselves. A user gets what the own role may see and no more.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.report import schedule
from diadema.report.context import NotYours, is_blind, may_have, whose
from diadema.report.delivery import MOST_TO, check
from diadema.report.formats import MEDIA, made_as
from diadema.report.kinds import KINDS, Kind
from diadema.report.make import make
from diadema.report.model import Scope, scope_of
from diadema.report.period import Period, any_period, running
from diadema.report.schedule import Schedule, next_due
from diadema.report.writing import file_name
from diadema.site.context import zone_of
from diadema.web.guard import language_of
from diadema.web.permissions import not_yours, person_of, while_there
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import text

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

Format = Literal["json", "csv", "xlsx", "pdf"]
ScopeWord = Annotated[
    str,
    Query(
        pattern=r"^(floor|(agent|team|queue|ticket):.{1,64})$",
        description="`floor`, `agent:a001`, `team:Mañana`, `queue:ventas` or, of what is told of"
        " one ticket, `ticket:ID`",
    ),
]
Seconds = Annotated[int, Query(ge=0, le=86_400)]
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"description": "not among what you may see"}}


class ReportCutoff(BaseModel):
    """Until when it is known: by the site's clock, by the number of events taken in, and which
    seats owe some.
    """

    at: str
    at_ms: int
    position: int
    owing: list[dict[str, Any]]


class SectionOut(BaseModel):
    """One table: rows by the columns' keys; seconds, percents and UTC milliseconds as numbers."""

    section: str
    title: str
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    total: dict[str, Any] | None
    notes: list[str]


class ReportOut(BaseModel):
    """What `format=json` gives."""

    model_config = ConfigDict(extra="allow")
    report: str
    title: str
    span: dict[str, str]
    scope: dict[str, str]
    cut_off: ReportCutoff
    threshold_s: int
    thresholds: dict[str, int]
    short_s: int
    sections: list[SectionOut]
    notes: list[str]


class Order(BaseModel):
    """A report that is to be made each day, Monday or first of a month, at `at` of the site's
    clock: of the span before, or (`running`) of the one that goes on.
    """

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    kind: Kind
    every: Literal["day", "week", "month"] = "day"
    at: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    format: Format = "xlsx"
    scope: str = Field(default="floor", pattern=r"^(floor|(agent|team|queue):.{1,64})$")
    running: bool = False
    to: list[Annotated[str, Field(min_length=3, max_length=254)]] = Field(
        default=[], max_length=MOST_TO, description="addresses of the administrator's list"
    )


class Schedules(BaseModel):
    schedules: list[dict[str, Any]]
    runs: list[dict[str, Any]]


_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ReportOut,
        "content": {media: {"schema": {"type": "string", "format": "binary"}}
                    for form, media in MEDIA.items() if form != "json"},
    },
    **_REFUSED,
}  # fmt: skip


@router.get("", summary="The kinds of report that one may have")
def kinds(request: Request) -> list[str]:
    person = person_of(request)
    return [name for name, kind in KINDS.items() if person.may(kind.right)]


@router.get("/schedules", summary="Scheduled reports and what came of them", responses=_REFUSED)
def scheduled(request: Request) -> Schedules:
    web_app, person = web_app_of(request), _somebody(request)
    return Schedules(**lists(web_app, person))


@router.post("/schedules", status_code=201, summary="Schedule a report", responses=_REFUSED)
def order(request: Request, body: Order) -> Schedules:
    web_app, person, language = web_app_of(request), _somebody(request), language_of(request)
    scope = _scope(body.scope, "body.scope", language)
    if not may_have(person, web_app.people(), body.kind, scope):
        raise not_yours(request)
    one = Schedule(
        name=body.name,
        kind=body.kind,
        every=body.every,
        at=body.at,
        form=body.format,
        scope=scope,
        running=body.running,
        to=body.to,
        by=person.id,
        since_ms=web_app.pace.now_ms(),
    )
    try:
        if one.to:
            check(web_app.data, web_app.accounts, web_app.people(), one)
        schedule.add(web_app.data, one, language)
    except DiademaError as error:
        raise HTTPException(409, error.say(language)) from None
    web_app.audit(person, "report.scheduled")
    return Schedules(**lists(web_app, person))


@router.delete(
    "/schedules/{name}",
    status_code=204,
    summary="Remove a schedule",
    responses={**_REFUSED, 404: {"description": "there is none of that name"}},
)
def remove(request: Request, name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")]) -> None:
    web_app, person, language = web_app_of(request), _somebody(request), language_of(request)
    for one in _read(schedule.schedules, web_app.data):
        if one.name == name and not may_have(person, web_app.people(), one.kind, one.scope):
            raise not_yours(request)
    try:
        schedule.remove(web_app.data, name, language)
    except DiademaError as error:
        raise HTTPException(404, str(error)) from None
    web_app.audit(person, "report.unscheduled")


@router.get(
    "/runs/{name}/{due_ms}",
    summary="The file of a scheduled run",
    response_class=Response,
    responses={**_REFUSED, 404: {"description": "there is no such file"}},
)
def run_file(
    request: Request,
    name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")],
    due_ms: Annotated[int, Path(ge=0, le=2**53 - 1)],
) -> Response:
    web_app, person = web_app_of(request), _somebody(request)
    for run in _read(schedule.runs, web_app.data):
        if run.name == name and run.due_ms == due_ms and run.file is not None:
            if not may_have(person, web_app.people(), run.kind, run.scope):
                raise not_yours(request)
            of_agents = not KINDS[run.kind].of_evaluations
            if of_agents and is_blind(web_app.data, person, web_app.pace.now_ms()):
                raise HTTPException(403, text("reports.note.blind", language_of(request)))
            web_app.audit(person, f"report.{run.kind}", whose(run.scope, web_app.people()))
            path = web_app.data.reports / run.file
            try:
                content = path.read_bytes()
            except OSError:
                break
            return _file(content, path.name)
    raise HTTPException(404, text("reports.no_file", language_of(request)))


@router.get("/{kind}", summary="A report", response_model=None, responses=_FILES)
async def report(
    request: Request,
    kind: Kind,
    span: Annotated[
        str | None, Query(description="2026-11-25, 2026-W48 or 2026-11; else the running day")
    ] = None,
    scope: ScopeWord = "floor",
    format: Format = "json",
    table: Annotated[
        str | None, Query(max_length=40, description="of a CSV that table alone, by its key")
    ] = None,
    threshold: Annotated[
        int | None,
        Query(ge=0, le=86_400, description="T of the service level; else that of its targets"),
    ] = None,
    short: Seconds = 5,
) -> Response:
    web_app, person, language = web_app_of(request), _somebody(request), language_of(request)
    if not person.may(KINDS[kind].right):
        raise not_yours(request)
    its = _scope(scope, "query.scope", language)
    web_app.audit(person, f"report.{kind}", whose(its, web_app.people()))
    now_ms = web_app.pace.now_ms()
    try:
        period = (
            any_period(span, language) if span else running("day", now_ms, zone_of(web_app.data))
        )
        ask = web_app.worker.ask if format == "json" else web_app.worker.file
        work = ask(
            content_of,
            web_app.data,
            kind,
            period,
            its,
            now_ms,
            threshold,
            short,
            person,
            language,
            format,
            table,
        )
        content, name = await while_there(request, work)
    except NotYours:
        raise not_yours(request) from None
    except DiademaError as error:
        raise HTTPException(422, str(error)) from None
    return _file(content, name)


def content_of(
    data: DataDir,
    kind: str,
    span: Period,
    scope: Scope,
    now_ms: int,
    threshold_s: int | None,
    short_s: int,
    person: Person,
    language: str,
    form: str,
    table: str | None,
) -> tuple[bytes, str]:
    """The file and its name. Raises DiademaError."""
    made = make(
        data, kind, span, scope, now_ms, threshold_s, short_s, person=person, language=language
    )
    try:
        return made_as(form, made, table), file_name(made, form)
    except KeyError:
        known = ", ".join(section.key for section in made.sections)
        raise DiademaError(text("reports.no_table", language, given=table, known=known)) from None


def lists(web_app: WebApp, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Schedules and runs that are the person's to see."""
    people, zone, now_ms = web_app.people(), zone_of(web_app.data), web_app.pace.now_ms()
    ordered = _read(schedule.schedules, web_app.data)
    made = _read(schedule.runs, web_app.data)
    return {
        "schedules": [
            {**msgspec.to_builtins(one), "next_ms": next_due(one, now_ms, zone)}
            for one in ordered
            if may_have(person, people, one.kind, one.scope)
        ],
        "runs": [
            {**msgspec.to_builtins(run), "state": run.state}
            for run in made
            if may_have(person, people, run.kind, run.scope)
        ],
    }


def _read[T](read: Callable[[DataDir], list[T]], data: DataDir) -> list[T]:
    try:
        return read(data)
    except DiademaError as error:
        raise HTTPException(409, str(error)) from None


def _somebody(request: Request) -> Person:
    """Who may have some kind of report at all."""
    person = person_of(request)
    if not person.may(*(kind.right for kind in KINDS.values())):
        raise not_yours(request)
    return person


def _scope(word: str, where: str, language: str) -> Scope:
    try:
        return scope_of(word)
    except ValueError:
        raise HTTPException(422, text("web.bad_field", language, where=where)) from None


def _file(content: bytes, name: str) -> Response:
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "cache-control": "no-store",
    }
    media = MEDIA[name.rpartition(".")[2]]
    if media == "application/json":
        del headers["content-disposition"]
    return Response(content, media_type=media, headers=headers)
