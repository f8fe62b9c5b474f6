"""`/api/v1`: bench tests of a station, begun and recorded."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.stations.selftest.record import inspection, inspections
from diadema.web.api import Served, StationId, ask_hub
from diadema.web.asking import need, while_there
from diadema.web.guard import language_of
from diadema.web.refusals import hub_refusal
from diadema.words import section, text

router = APIRouter(prefix="/api/v1")

Technician = Annotated[Person, Depends(need("fleet"))]
_REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such station"},
    409: {"description": "it is away, or somebody is logged in there"},
    503: {"description": "the hub is silent"},
}


class Begun(BaseModel):
    """The station was told, by a command of this number; a person has to be there."""

    s: str
    seat: str
    i: int


class Inspection(BaseModel):
    """`record`: what the hub says of the test; `test`: the station's own event; `signature`: the
    hub's over both, by `key`; `standing`: right, altered or
    erased.
    """

    record: dict[str, Any]
    test: dict[str, Any]
    signature: str
    key: str
    standing: str


@router.post(
    "/stations/{s}/inspections",
    summary="Begin the bench test of a station",
    status_code=202,
    responses=_REFUSED,
)
async def begin(s: StationId, service: Served, person: Technician, request: Request) -> Begun:
    service.audit(person, "station_selftest")
    body = {"s": s, "by": person.id}
    return Begun.model_validate(await ask_hub(service, request, "hub.selftest", body, refusal))


@router.get("/stations/{s}/inspections", summary="The records of its bench tests, newest first")
async def recorded(s: StationId, service: Served, _: Technician) -> list[Inspection]:
    return [
        Inspection.model_validate(one)
        for one in await service.worker.ask(_records, service.data, s)
    ]


@router.get(
    "/stations/{s}/inspections/{e}/{n}.pdf",
    summary="The record of one, to print",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}}},
        404: {"description": "no such record"},
    },
)
async def printed(
    s: StationId,
    e: Annotated[int, Path(ge=0, le=2**32 - 1, description="of the station's event")],
    n: Annotated[int, Path(ge=1, le=2**53 - 1)],
    service: Served,
    _: Technician,
    request: Request,
) -> Response:
    language = language_of(request)
    work = service.worker.file(_paper, service.data, (s, e, n), language)
    made = await while_there(request, work)
    if made is None:
        raise HTTPException(404, text("selftest.no_record", language))
    headers = {"content-disposition": f'inline; filename="{s}-{n}.pdf"'}
    return Response(made, media_type="application/pdf", headers=headers)


def refusal(answer: Mapping[str, Any], language: str) -> str:
    """The sentence for a test that the hub does not begin."""
    word = f"refused.{answer['error']}"
    if word not in section("selftest", language):
        return hub_refusal(answer, language)
    return text(f"selftest.{word}", language, **answer.get("values", {}))


def _records(data: DataDir, s: str) -> list[dict[str, Any]]:
    from diadema.stations.selftest.record import standing

    if not data.store.exists():
        return []
    return [
        msgspec.to_builtins(one) | {"standing": standing(one, one.key)}
        for one in inspections(data, s)
    ]


def _paper(data: DataDir, of: tuple[str, int, int], language: str) -> bytes | None:
    """In a process of its own, where what draws may be loaded."""
    from diadema.site.description import load
    from diadema.stations.selftest.pdf import content

    found = inspection(data, of) if data.store.exists() else None
    return content([found], load(data.site), language, found.key) if found else None
