"""`/api/v1/people/{kind}`: the same ways for each kind, with a model of its own fields."""

from collections.abc import Awaitable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request
from pydantic import Field, create_model

from diadema.access.audit import ALL
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.site.directory import queries
from diadema.site.directory.kinds import KINDS, Kind
from diadema.site.directory.problems import Wrong
from diadema.site.directory.tables import Change
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.people.models import (
    REFUSED,
    Code,
    Entries,
    Reason,
    Version,
    model_of,
    version_of,
)
from diadema.web.permissions import need
from diadema.web.web_app import WebApp
from diadema.words import text

router = APIRouter(prefix="/api/v1/people", tags=["people"])
_PERSONAL = frozenset({"agents", "roster"})
_MOST = 500


def _add_routes(kind: Kind) -> None:
    """Of one kind, with a model of its own fields."""
    name = kind.name
    model = model_of(kind)
    asking = Annotated[Person, Depends(need(*kind.rights))]
    reading = Annotated[Person, Depends(need(*kind.rights, *kind.readers))]
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
        web_app: WebAppDep,
        request: Request,
        person: reading,
        search: Annotated[str, Query(max_length=64)] = "",
        after: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
        retired: bool = False,
        from_: Annotated[date | None, Query(alias="from")] = None,
        to: date | None = None,
    ) -> Entries:
        note(web_app, person, f"people_{name}", name)
        found = await ask(
            web_app.worker.ask(
                queries.listed,
                web_app.data,
                name,
                web_app.pace.now_ms(),
                search=search,
                after=after,
                limit=limit,
                retired=retired,
                first=from_,
                last=to,
            )
        )
        return Entries(
            entries=[version_of(one) for one in found.entries], total=found.total, next=found.next
        )

    async def entry(code: Code, web_app: WebAppDep, request: Request, person: asking) -> Version:
        note(web_app, person, f"people_{name}", name, code)
        now_ms = web_app.pace.now_ms()
        found = await ask(web_app.worker.ask(queries.one, web_app.data, name, code, now_ms))
        if found is None:
            raise none(request, code)
        version, newest = found
        return version_of(version).model_copy(update={"newest": newest})

    async def put(
        code: Code,
        wanted: Annotated[Any, Body()],
        web_app: WebAppDep,
        request: Request,
        person: asking,
    ) -> Version:
        given = wanted.entry.model_dump(exclude_none=True)
        change = Change(
            kind=name,
            code=code,
            body=kind.read(given),
            seen=wanted.seen,
            valid_from=wanted.valid_from,
            valid_until=wanted.valid_until,
        )
        return await put_change(web_app, person, change, wanted.reason)

    put.__annotations__["wanted"] = wanted

    async def retire(
        code: Code,
        web_app: WebAppDep,
        request: Request,
        person: asking,
        reason: Annotated[str, Query(min_length=1, max_length=200)],
        valid_from: date | None = None,
        seen: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> Version:
        change = Change(kind=name, code=code, body=None, valid_from=valid_from, seen=seen)
        return await put_change(web_app, person, change, reason)

    one = f"/{name}/{{code:path}}"
    what = text(f"people.kind.{name}", "en")
    router.add_api_route(
        f"/{name}",
        entries,
        methods=["GET"],
        summary=f"{what}, a page at a time",
        operation_id=f"people_{name}_list",
    )
    for way, call, summary in (
        ("GET", entry, "one of them"),
        ("PUT", put, "make or change one"),
        ("DELETE", retire, "retire one; its code is never given to another"),
    ):
        router.add_api_route(
            one,
            call,
            methods=[way],
            summary=f"{what}: {summary}",
            responses=REFUSED,
            operation_id=f"people_{name}_{way.lower()}",
        )


async def put_change(web_app: WebApp, person: Person, change: Change, reason: str) -> Version:
    note(web_app, person, f"people_change_{change.kind}", change.kind, change.code)
    done = await ask(
        web_app.worker.ask(
            queries.put,
            web_app.data,
            change,
            by=person.id,
            reason=reason,
            now_ms=web_app.pace.now_ms(),
        )
    )
    return version_of(done)


async def ask[T](work: Awaitable[T]) -> T:
    """A hub that refuses or a file that cannot be read becomes a 409 with the reason."""
    try:
        return await work
    except Wrong:
        raise
    except DiademaError as error:
        raise HTTPException(409, str(error)) from error


def none(request: Request, code: str) -> HTTPException:
    shown = code[:60]
    return HTTPException(404, text("people.wrong.unknown_code", language_of(request), value=shown))


def note(web_app: WebApp, person: Person, what: str, kind: str, code: str = "") -> None:
    """In the record of who read or changed personal data."""
    if kind in _PERSONAL:
        agent = code.partition("/")[2] if kind == "roster" else code
        web_app.audit(person, what, [agent] if agent else ALL)
    elif what.startswith(("people_change", "people_import", "people_publish")):
        web_app.audit(person, what)


for _kind in KINDS.values():
    _add_routes(_kind)
