"""`/api/v1/stations`: commands, the clock and the bench tests of a station."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from pydantic import BaseModel, ConfigDict

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.stations.selftest.record import inspection, inspections
from diadema.web.api import StationId, WebAppDep, ask_hub
from diadema.web.guard import language_of
from diadema.web.permissions import need, while_there
from diadema.web.refusals import hub_refusal
from diadema.wire.commands import ON_REQUEST
from diadema.wire.letters import tag_of
from diadema.words import section, text

router = APIRouter(prefix="/api/v1")

Technician = Annotated[Person, Depends(need("fleet"))]
CommandNumber = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="the number that the command was given")
]
_REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such station"},
    409: {"description": "it is away, or somebody is logged in there"},
    503: {"description": "the hub is silent"},
}


class Command(BaseModel):
    """One command to a station; its own fields stand beside `cmd`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"cmd": "ring", "contact": "c-1", "direction": "in"}]},
    )
    cmd: Literal[*map(tag_of, ON_REQUEST)]  # type: ignore[valid-type]


class Taken(BaseModel):
    """The hub took the command and gave it this number."""

    i: int


class CommandState(BaseModel):
    """Whether the station answered, with which event, or the command expired first."""

    i: int
    answered: dict[str, Any] | None
    expired: bool


class StationClock(BaseModel):
    """What the hub knows of a station's clock. `source`: host, sntp, or event (only the time in an
    event is known); null while this boot has no time. `drift_ppm` is null until it is measured.
    """

    source: str | None
    anchored_utc: int | None
    offset_ms: int | None
    uncertainty_ms: int | None
    drift_ppm: float | None
    drift_error_ppm: float
    jumps: int


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
    "/stations/{s}/commands",
    summary="Send a command to a station",
    status_code=202,
    dependencies=[Depends(need("command"))],
    responses={503: {"description": "the hub is silent"}},
)
async def send_command(
    s: StationId, command: Command, web_app: WebAppDep, request: Request
) -> Taken:
    answer = await ask_hub(web_app, request, "hub.command", command.model_dump() | {"s": s})
    return Taken.model_validate(answer)


@router.get(
    "/stations/{s}/commands/{i}",
    summary="What became of a command",
    dependencies=[Depends(need("command"))],
    responses={503: {"description": "the hub is silent"}},
)
async def command_state(
    s: StationId, i: CommandNumber, web_app: WebAppDep, request: Request
) -> CommandState:
    answer = await ask_hub(web_app, request, "hub.command.get", {"s": s, "i": i})
    return CommandState.model_validate(answer)


@router.get(
    "/stations/{s}/clock",
    summary="How well a station's clock is known",
    dependencies=[Depends(need("fleet"))],
    responses={404: {"description": "no such station"}, 503: {"description": "the hub is silent"}},
)
async def station_clock(s: StationId, web_app: WebAppDep, request: Request) -> StationClock:
    return StationClock.model_validate(await ask_hub(web_app, request, "hub.clock", {"s": s}))


@router.post(
    "/stations/{s}/inspections",
    summary="Begin the bench test of a station",
    status_code=202,
    responses=_REFUSED,
)
async def begin(s: StationId, web_app: WebAppDep, person: Technician, request: Request) -> Begun:
    web_app.audit(person, "station_selftest")
    body = {"s": s, "by": person.id}
    return Begun.model_validate(await ask_hub(web_app, request, "hub.selftest", body, refusal))


@router.get("/stations/{s}/inspections", summary="The records of its bench tests, newest first")
async def recorded(s: StationId, web_app: WebAppDep, _: Technician) -> list[Inspection]:
    return [
        Inspection.model_validate(one)
        for one in await web_app.worker.ask(_records, web_app.data, s)
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
    web_app: WebAppDep,
    _: Technician,
    request: Request,
) -> Response:
    language = language_of(request)
    work = web_app.worker.file(_paper, web_app.data, (s, e, n), language)
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
