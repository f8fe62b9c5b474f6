"""`/api/v1/people`: people and places, each kind by the fields that its own table has. Whoever has
the right `people` reads and changes them; each change has its author and reason.
"""

from collections.abc import Awaitable
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Depends, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from diadema.directory import asking
from diadema.directory.book import Change, Entry
from diadema.directory.fields import Field as Described
from diadema.directory.kinds import KINDS, Kind
from diadema.directory.labels import choice_label, label
from diadema.directory.plan import told
from diadema.directory.sheets import MOST_BYTES
from diadema.directory.wrong import Wrong
from diadema.errors import DiademaError
from diadema.web.accounts.audit import ALL
from diadema.web.api import Served
from diadema.web.asking import need
from diadema.web.guard import language_of
from diadema.web.service import Service
from diadema.web.who import Person
from diadema.words import text

router = APIRouter(prefix="/api/v1/people", tags=["people"])

_PERSONAL = frozenset({"agents", "roster"})
_TYPES: dict[str, type] = {"int": int, "decimal": float, "bool": bool, "date": date}
_MOST = 500
KindName = Annotated[str, Path(pattern=f"^({'|'.join(KINDS)})$", examples=["agents"])]
Code = Annotated[str, Path(max_length=128, description="as the kind's key fields give it")]
Asking = Annotated[Person, Depends(need("people"))]
Reason = Annotated[str, Field(min_length=1, max_length=200, examples=["cambio de turno"])]
_REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"description": "not yours to change"},
    404: {"description": "there is none"},
    409: {"description": "somebody else was faster"},
    422: {"description": "what is wrong, and what to do"},
}


class Version(BaseModel):
    """One version of an entry. `entry` null: retired as from `valid_from`. `newest`: the number of
    its newest version, told with a single entry; what `seen` is compared with.
    """

    code: str
    version: int
    entry: dict[str, Any] | None
    valid_from: date | None
    valid_until: date | None
    by: str
    at_ms: int
    reason: str
    newest: int | None = None


class Entries(BaseModel):
    """A page. `next`: give it as `after` for the next one; null at the end."""

    entries: list[Version]
    total: int
    next: str | None


class Restored(BaseModel):
    reason: Reason
    valid_from: date | None = None


class Difference(BaseModel):
    part: str
    added: list[str]
    changed: list[str]
    removed: list[str]


class TakenIn(BaseModel):
    """How many entries it changed."""

    changed: int


class InForce(BaseModel):
    """`generation` null: no hub runs, it takes the site at its next start."""

    generation: int | None
    differences: list[Difference]


_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@router.get("/kinds", summary="The kinds and their fields, with what people call them")
async def kinds(request: Request, _: Asking) -> list[dict[str, Any]]:
    return specs(language_of(request))


@router.get(
    "/export/{kind}",
    summary="A kind as a table that import takes back",
    response_class=Response,
    responses={200: {"content": {media: {} for media in _MEDIA.values()}}},
)
async def export(
    kind: KindName,
    service: Served,
    request: Request,
    person: Asking,
    form: Annotated[Literal["xlsx", "csv"], Query(alias="format")] = "xlsx",
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: date | None = None,
) -> Response:
    _note(service, person, f"people_export_{kind}", kind)
    language = language_of(request)
    made = await _ask(
        service.worker.ask(
            asking.table,
            service.data,
            kind,
            form,
            language,
            service.pace.now_ms(),
            from_,
            to,
        )
    )
    named = {"content-disposition": f'attachment; filename="{kind}.{form}"'}
    return Response(made, media_type=_MEDIA[form], headers=named)


@router.post(
    "/import/{kind}",
    summary="Take a table in, or only look what it would change",
    responses=_REFUSED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"format": "binary"}}},
        }
    },
)
async def import_table(
    kind: KindName,
    service: Served,
    request: Request,
    person: Asking,
    dry_run: bool = True,
    skip_bad: bool = False,
    whole: bool = False,
    since: date | None = None,
    reason: Annotated[str, Query(max_length=200)] = "",
) -> dict[str, Any]:
    """The XLSX or CSV file is the body. One row that is wrong stops it all unless `skip_bad`; each
    is told by its row and column. `whole`: the table has everything, retire what it lacks.
    """
    given = bytearray()
    async for part in request.stream():
        given += part
        if len(given) > MOST_BYTES:
            detail = text(
                "people.wrong.file_big", language_of(request),
                size=len(given) // 1_000_000, most=MOST_BYTES // 1_000_000, value="",
            )  # fmt: skip
            raise HTTPException(413, detail)
    if not dry_run:
        _note(service, person, f"people_import_{kind}", kind)
    done = await _ask(
        service.worker.behind(
            asking.take_table,
            service.data,
            kind,
            bytes(given),
            by=person.id,
            reason=reason or text("people.import", language_of(request)),
            now_ms=service.pace.now_ms(),
            dry_run=dry_run,
            skip_bad=skip_bad,
            whole=whole,
            since=since,
            language=language_of(request),
        )
    )
    return done


@router.get("/history/{kind}/{code:path}", summary="Every version of an entry, the newest first",
            responses=_REFUSED)  # fmt: skip
async def history(
    kind: KindName, code: Code, service: Served, request: Request, person: Asking
) -> list[Version]:
    _note(service, person, f"people_{kind}", kind, code)
    now_ms = service.pace.now_ms()
    found = await _ask(service.worker.ask(asking.history, service.data, kind, code, now_ms))
    if not found:
        raise _none(request, code)
    return [_version(one) for one in found]


@router.post("/restore/{kind}/{code:path}", summary="Bring back what was retired",
             responses=_REFUSED)  # fmt: skip
async def restore(
    kind: KindName,
    code: Code,
    wanted: Restored,
    service: Served,
    request: Request,
    person: Asking,
) -> Version:
    change = Change(kind=kind, code=code, body=None, restores=True, valid_from=wanted.valid_from)
    return await _put(service, request, person, change, wanted.reason)


@router.get("/week", summary="The roster of seven days, agent by agent")
async def week(
    service: Served,
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
    service.audit(person, "people_roster", ALL)
    told = await _ask(
        service.worker.ask(
            asking.week,
            service.data,
            service.pace.now_ms(),
            first,
            team=team,
            search=search,
            after=after,
            limit=limit,
        )
    )
    return told


@router.get("/publication", summary="What stations would be told, and what each has")
async def publication(service: Served, request: Request, _: Asking) -> dict[str, Any]:
    told = await _ask(
        service.worker.ask(
            asking.publication,
            service.data,
            service.pace.now_ms(),
            language_of(request),
        )
    )
    plain: dict[str, Any] = msgspec.to_builtins(told)
    return plain


@router.post("/publication", summary="Put people and places in force at the stations",
             responses=_REFUSED)  # fmt: skip
async def publish(service: Served, request: Request, person: Asking) -> InForce:
    _note(service, person, "people_publish", "settings")
    done = await _ask(
        service.worker.behind(asking.publish, service.data, service.pace.now_ms(), person.id)
    )
    return InForce.model_validate(msgspec.to_builtins(done))


@router.post("/take-in", summary="Take in what was changed in site.json by hand",
             responses=_REFUSED)  # fmt: skip
async def take_in(service: Served, person: Asking) -> TakenIn:
    _note(service, person, "people_change_settings", "settings")
    now_ms = service.pace.now_ms()
    taken = await _ask(service.worker.ask(asking.take_in, service.data, now_ms, person.id))
    return TakenIn(changed=taken)


def specs(language: str) -> list[dict[str, Any]]:
    """The kinds for whoever draws forms and tables of them."""
    return [
        {
            "name": kind.name,
            "label": text(f"people.kind.{kind.name}", language),
            "key": kind.key,
            "slot": kind.slot,
            "many": kind.many,
            "dated": kind.dated,
            "fields": [_spec(kind, one, language) for one in kind.fields],
        }
        for kind in KINDS.values()
    ]


def _spec(kind: Kind, one: Described, language: str) -> dict[str, Any]:
    told = {
        name: getattr(one, name)
        for name in ("name", "type", "required", "many", "most", "low", "high", "of", "shape")
    }
    choices = [[choice, choice_label(choice, language)] for choice in one.choices]
    return told | {"label": label(kind.name, one.name, language), "choices": choices}


def _add_routes(kind: Kind) -> None:
    """Of one kind, with a model of its own fields."""
    name = kind.name
    model = _model(kind)
    wanted = create_model(
        f"{model.__name__}Change",
        __doc__="`seen`: the newest version known, 0 for none; another is refused with 409.",
        entry=(model, ...),
        reason=(Reason, ...),
        valid_from=(date | None, None),
        valid_until=(date | None, None),
        seen=(Annotated[int, Field(ge=0, le=2**53)] | None, None),
    )

    async def entries(
        service: Served,
        request: Request,
        person: Asking,
        search: Annotated[str, Query(max_length=64)] = "",
        after: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
        retired: bool = False,
        from_: Annotated[date | None, Query(alias="from")] = None,
        to: date | None = None,
    ) -> Entries:
        _note(service, person, f"people_{name}", name)
        found = await _ask(
            service.worker.ask(
                asking.listed,
                service.data,
                name,
                service.pace.now_ms(),
                search=search,
                after=after,
                limit=limit,
                retired=retired,
                first=from_,
                last=to,
            )
        )
        return Entries(
            entries=[_version(one) for one in found.entries], total=found.total, next=found.next
        )

    async def entry(code: Code, service: Served, request: Request, person: Asking) -> Version:
        _note(service, person, f"people_{name}", name, code)
        now_ms = service.pace.now_ms()
        found = await _ask(service.worker.ask(asking.one, service.data, name, code, now_ms))
        if found is None:
            raise _none(request, code)
        told, newest = found
        return _version(told).model_copy(update={"newest": newest})

    async def put(
        code: Code,
        wanted: Annotated[Any, Body()],
        service: Served,
        request: Request,
        person: Asking,
    ) -> Version:
        given = wanted.entry.model_dump(exclude_none=True)
        change = Change(
            kind=name, code=code, body=kind.read(given), seen=wanted.seen,
            valid_from=wanted.valid_from, valid_until=wanted.valid_until,
        )  # fmt: skip
        return await _put(service, request, person, change, wanted.reason)

    put.__annotations__["wanted"] = wanted

    async def retire(
        code: Code,
        service: Served,
        request: Request,
        person: Asking,
        reason: Annotated[str, Query(min_length=1, max_length=200)],
        valid_from: date | None = None,
        seen: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> Version:
        change = Change(kind=name, code=code, body=None, valid_from=valid_from, seen=seen)
        return await _put(service, request, person, change, reason)

    one = f"/{name}/{{code:path}}"
    what = text(f"people.kind.{name}", "en")
    router.add_api_route(
        f"/{name}", entries, methods=["GET"], summary=f"{what}, a page at a time",
        operation_id=f"people_{name}_list",
    )  # fmt: skip
    for way, call, summary in (
        ("GET", entry, "one of them"),
        ("PUT", put, "make or change one"),
        ("DELETE", retire, "retire one; its code is never given to another"),
    ):
        router.add_api_route(
            one, call, methods=[way], summary=f"{what}: {summary}", responses=_REFUSED,
            operation_id=f"people_{name}_{way.lower()}",
        )  # fmt: skip


def _model(kind: Kind) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for one in kind.fields:
        kept: Any = _TYPES.get(one.type, str)
        if one.choices:
            kept = Literal[one.choices]
        limits: dict[str, Any] = {"title": label(kind.name, one.name, "en")}
        if one.low is not None:
            limits |= {"ge": one.low, "le": one.high}
        elif kept is str:
            limits["max_length"] = one.most
        if one.many:
            kept, limits = list[Annotated[str, Field(max_length=one.most)]], {
                "title": limits["title"], "max_length": 400,
            }  # fmt: skip
        fields[one.name] = (
            (kept, Field(**limits)) if one.required else (kept | None, Field(None, **limits))
        )
    name = "".join(part.capitalize() for part in kind.name.split("_"))
    return create_model(name, __config__=ConfigDict(extra="forbid"), **fields)


async def _put(
    service: Service, request: Request, person: Person, change: Change, reason: str
) -> Version:
    _note(service, person, f"people_change_{change.kind}", change.kind, change.code)
    done = await _ask(
        service.worker.ask(
            asking.put,
            service.data,
            change,
            by=person.id,
            reason=reason,
            now_ms=service.pace.now_ms(),
        )
    )
    return _version(done)


async def _ask[T](asked: Awaitable[T]) -> T:
    """A hub that refuses or a file that cannot be read becomes a 409 with the reason."""
    try:
        return await asked
    except Wrong:
        raise
    except DiademaError as error:
        raise HTTPException(409, str(error)) from error


async def on_wrong(request: Request, error: Exception) -> JSONResponse:
    """`detail` is the sentence, `errors` each place, as with every other refusal."""
    assert isinstance(error, Wrong)
    language = language_of(request)
    missing = all(one.word in ("unknown_code", "kind") for one in error.problems)
    errors = [
        told(one, language) | {"where": one.column, "wrong": one.word}
        for one in error.problems[:_MOST]
    ]
    status = 409 if error.conflict else 404 if missing else 422
    return JSONResponse({"detail": error.say(language), "errors": errors}, status)


def _none(request: Request, code: str) -> HTTPException:
    shown = code[:60]
    return HTTPException(404, text("people.wrong.unknown_code", language_of(request), value=shown))


def _note(service: Service, person: Person, what: str, kind: str, code: str = "") -> None:
    """In the record of who read or changed personal data."""
    if kind in _PERSONAL:
        agent = code.partition("/")[2] if kind == "roster" else code
        service.audit(person, what, [agent] if agent else ALL)
    elif what.startswith(("people_change", "people_import", "people_publish")):
        service.audit(person, what)


def _version(entry: Entry) -> Version:
    return Version(
        code=entry.code,
        version=entry.version,
        entry=entry.body,
        valid_from=entry.valid_from,
        valid_until=entry.valid_until,
        by=entry.by,
        at_ms=entry.at_ms,
        reason=entry.reason,
    )


for _kind in KINDS.values():
    _add_routes(_kind)
