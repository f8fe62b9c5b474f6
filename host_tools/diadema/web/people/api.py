"""`/api/v1/people`: people and places, each kind by the fields that its own table has. Whoever has
the right `people` reads and changes them; each change has its author and reason.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response

from diadema.access.audit import ALL
from diadema.site.directory import queries
from diadema.site.directory.importing import problem_row
from diadema.site.directory.problems import Wrong
from diadema.site.directory.sheets import MOST_BYTES
from diadema.site.directory.tables import Change
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.people.kinds import (
    ask,
    none,
    note,
    put_change,
)
from diadema.web.people.models import (
    REFUSED,
    Asking,
    AskingAny,
    AskingOf,
    Code,
    InForce,
    KindName,
    Restored,
    TakenIn,
    Version,
    specs,
    version_of,
)
from diadema.web.permissions import while_there
from diadema.words import text

router = APIRouter(prefix="/api/v1/people", tags=["people"])

_PROBLEMS = 500
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/kinds", summary="The kinds and their fields, with what people call them")
async def kinds(request: Request, person: AskingAny) -> list[dict[str, Any]]:
    return specs(language_of(request), person)


@router.get(
    "/export/{kind}",
    summary="A kind as a table that import takes back",
    response_class=Response,
    responses={200: {"content": {media: {} for media in _MEDIA.values()}}},
)
async def export(
    kind: KindName,
    web_app: WebAppDep,
    request: Request,
    person: AskingOf,
    form: Annotated[Literal["xlsx", "csv"], Query(alias="format")] = "xlsx",
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: date | None = None,
) -> Response:
    note(web_app, person, f"people_export_{kind}", kind)
    language = language_of(request)
    now_ms = web_app.pace.now_ms()
    work = web_app.worker.file(
        queries.table, web_app.data, kind, form, language, now_ms, from_, to
    )
    made = await ask(while_there(request, work))
    named = {"content-disposition": f'attachment; filename="{kind}.{form}"'}
    return Response(made, media_type=_MEDIA[form], headers=named)


@router.post(
    "/import/{kind}",
    summary="Take a table in, or only look what it would change",
    responses=REFUSED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"format": "binary"}}},
        }
    },
)
async def import_table(
    kind: KindName,
    web_app: WebAppDep,
    request: Request,
    person: AskingOf,
    dry_run: bool = True,
    skip_bad: bool = False,
    whole: bool = False,
    since: date | None = None,
    reason: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """The XLSX or CSV file is the body. One row that is wrong stops it all unless `skip_bad`; each
    is reported by its row and column. `whole`: the table has everything, retire what it lacks.
    """
    given = bytearray()
    async for part in request.stream():
        given += part
        if len(given) > MOST_BYTES:
            detail = text(
                "people.wrong.file_big",
                language_of(request),
                size=len(given) // 1_000_000,
                most=MOST_BYTES // 1_000_000,
                value="",
            )
            raise HTTPException(413, detail)
    if not dry_run:
        note(web_app, person, f"people_import_{kind}", kind)
    work = web_app.worker.file(
        queries.take_table,
        web_app.data,
        kind,
        bytes(given),
        by=person.id,
        reason=reason or text("people.import", language_of(request)),
        now_ms=web_app.pace.now_ms(),
        dry_run=dry_run,
        skip_bad=skip_bad,
        whole=whole,
        since=since,
        language=language_of(request),
    )
    return await ask(while_there(request, work) if dry_run else work)


@router.get(
    "/history/{kind}/{code:path}",
    summary="Every version of an entry, the newest first",
    responses=REFUSED,
)
async def history(
    kind: KindName, code: Code, web_app: WebAppDep, request: Request, person: AskingOf
) -> list[Version]:
    note(web_app, person, f"people_{kind}", kind, code)
    now_ms = web_app.pace.now_ms()
    found = await ask(web_app.worker.ask(queries.history, web_app.data, kind, code, now_ms))
    if not found:
        raise none(request, code)
    return [version_of(one) for one in found]


@router.post(
    "/restore/{kind}/{code:path}", summary="Bring back what was retired", responses=REFUSED
)
async def restore(
    kind: KindName,
    code: Code,
    wanted: Restored,
    web_app: WebAppDep,
    request: Request,
    person: AskingOf,
) -> Version:
    change = Change(kind=kind, code=code, body=None, restores=True, valid_from=wanted.valid_from)
    return await put_change(web_app, person, change, wanted.reason)


@router.get("/week", summary="The roster of seven days, agent by agent")
async def week(
    web_app: WebAppDep,
    request: Request,
    person: Asking,
    first: date,
    team: Annotated[str, Query(max_length=64)] = "",
    search: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str | None, Query(max_length=128)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    if not date(1990, 1, 1) <= first <= date(2099, 12, 20):
        detail = text("people.wrong.date_far", language_of(request), value=first.isoformat())
        raise HTTPException(422, detail)
    web_app.audit(person, "people_roster", ALL)
    answer = await ask(
        web_app.worker.ask(
            queries.week,
            web_app.data,
            web_app.pace.now_ms(),
            first,
            team=team,
            search=search,
            after=after,
            limit=limit,
        )
    )
    return answer


@router.get("/publication", summary="What stations would be told, and what each has")
async def publication(web_app: WebAppDep, request: Request, _: Asking) -> dict[str, Any]:
    answer = await ask(
        web_app.worker.ask(
            queries.publication,
            web_app.data,
            web_app.pace.now_ms(),
            language_of(request),
        )
    )
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return plain


@router.post(
    "/publication", summary="Put people and places in force at the stations", responses=REFUSED
)
async def publish(web_app: WebAppDep, request: Request, person: Asking) -> InForce:
    note(web_app, person, "people_publish", "settings")
    done = await ask(
        web_app.worker.file(queries.publish, web_app.data, web_app.pace.now_ms(), person.id)
    )
    return InForce.model_validate(msgspec.to_builtins(done))


@router.post(
    "/take-in", summary="Take in what was changed in site.json by hand", responses=REFUSED
)
async def take_in(web_app: WebAppDep, person: Asking) -> TakenIn:
    note(web_app, person, "people_change_settings", "settings")
    now_ms = web_app.pace.now_ms()
    taken = await ask(web_app.worker.ask(queries.take_in, web_app.data, now_ms, person.id))
    return TakenIn(changed=taken)


async def on_wrong(request: Request, error: Exception) -> JSONResponse:
    """`detail` is the sentence, `errors` each place, as with every other refusal."""
    assert isinstance(error, Wrong)
    language = language_of(request)
    missing = all(one.word in ("unknown_code", "kind") for one in error.problems)
    errors = [
        problem_row(one, language) | {"where": one.column, "wrong": one.word}
        for one in error.problems[:_PROBLEMS]
    ]
    status = 409 if error.conflict else 404 if missing else 422
    return JSONResponse({"detail": error.say(language), "errors": errors}, status)
