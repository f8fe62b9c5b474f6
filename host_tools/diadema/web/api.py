"""`/api/v1`: the live rows, the counters, and commands to a station. `/metrics` for Prometheus.

What the API's document says of every route: how one comes in, and how a refusal looks.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict

from diadema.access.audit import ALL
from diadema.access.authenticator import is_local
from diadema.access.roles import Person
from diadema.base.idempotency import MOST_CHARACTERS
from diadema.web.asking import need, not_yours, person_of
from diadema.web.feed import ANSWER_S, HubAbsent, HubSilent, NatsAbsent
from diadema.web.guard import language_of
from diadema.web.once_only import once_of
from diadema.web.refusals import hub_refusal
from diadema.web.service import Service
from diadema.words import text

StationId = Annotated[str, Path(pattern=r"^DIA-[0-9a-f]{12}$", examples=["DIA-0a1b2c3d4e5f"])]
CommandNumber = Annotated[
    int, Path(ge=1, le=2**63 - 1, description="the number that the command was given")
]


class Command(BaseModel):
    """One command to a station; its own fields stand beside `cmd`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"examples": [{"cmd": "ring", "contact": "c-1", "direction": "in"}]},
    )
    cmd: Literal[
        "ring", "withdraw", "answer", "hold", "resume", "hangup", "dial", "consult",
        "consult_end", "transfer", "recording", "presence", "session", "wrapup", "help", "fault",
        "text", "selftest",
    ]  # fmt: skip


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
    event is known); null while this boot has no hour. `drift_ppm` is null until it is measured.
    """

    source: str | None
    anchored_utc: int | None
    offset_ms: int | None
    uncertainty_ms: int | None
    drift_ppm: float | None
    drift_error_ppm: float
    jumps: int


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Served = Annotated[Service, Depends(_service)]
router = APIRouter(prefix="/api/v1")
metrics_router = APIRouter()


@router.get("/live", summary="The live row of each agent whom you may see")
async def live(
    service: Served, person: Annotated[Person, Depends(need("floor"))]
) -> list[dict[str, Any]]:
    service.audit(person, "floor.live", ALL)
    people = service.people()
    return [row for row in service.live_rows() if person.sees(row["a"], people)]


@router.get(
    "/status",
    summary="Counters of the web and of the hub",
    dependencies=[Depends(need("floor", "fleet"))],
)
async def status(service: Served) -> dict[str, Any]:
    return await service.status()


@router.post(
    "/stations/{s}/commands",
    summary="Send a command to a station",
    status_code=202,
    dependencies=[Depends(need("command"))],
    responses={503: {"description": "the hub is silent"}},
)
async def send_command(s: StationId, command: Command, service: Served, request: Request) -> Taken:
    answer = await ask_hub(service, request, "hub.command", command.model_dump() | {"s": s})
    return Taken.model_validate(answer)


@router.get(
    "/stations/{s}/commands/{i}",
    summary="What became of a command",
    dependencies=[Depends(need("command"))],
    responses={503: {"description": "the hub is silent"}},
)
async def command_state(
    s: StationId, i: CommandNumber, service: Served, request: Request
) -> CommandState:
    answer = await ask_hub(service, request, "hub.command.get", {"s": s, "i": i})
    return CommandState.model_validate(answer)


@router.get(
    "/stations/{s}/clock",
    summary="How well a station's clock is known",
    dependencies=[Depends(need("fleet"))],
    responses={404: {"description": "no such station"}, 503: {"description": "the hub is silent"}},
)
async def station_clock(s: StationId, service: Served, request: Request) -> StationClock:
    return StationClock.model_validate(await ask_hub(service, request, "hub.clock", {"s": s}))


@metrics_router.get("/metrics", include_in_schema=False)
async def metrics(service: Served, request: Request) -> PlainTextResponse:
    """For this machine, and for whoever may see the stations."""
    if not (is_local(request.scope) or person_of(request).may("fleet")):
        raise not_yours(request)
    return PlainTextResponse(service.metrics(), media_type="text/plain; version=0.0.4")


async def ask_hub(
    service: Service,
    request: Request,
    subject: str,
    body: dict[str, Any],
    said: Callable[[Mapping[str, Any], str], str] = hub_refusal,
) -> dict[str, Any]:
    """The hub's answer; its refusal becomes a 4xx, its silence a 503 that says what to do. `said`
    words a refusal in a language.
    """
    service.commands += 1
    language = language_of(request)
    try:
        answer = await service.feed.request(subject, body, once_of(request))
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can write
        raise HTTPException(422, text("web.bad_text", language)) from error
    except HubSilent:
        detail = text("web.hub_silent", language, seconds=int(ANSWER_S))
    except HubAbsent:
        detail = text("web.hub_absent", language)
    except NatsAbsent:
        detail = text("web.nats_absent", language)
    else:
        if "error" not in answer:
            return answer
        code = answer.get("status", 409)
        known = isinstance(code, int) and 400 <= code < 500
        raise HTTPException(code if known else 409, said(answer, language))
    raise HTTPException(503, detail, {"Retry-After": "2"})


_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token made by an administrator, or the key `api` of secrets.json.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": "diadema_session"},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "x-csrf-token",
        "description": "With a session, on whatever writes: the value of the cookie diadema_csrf.",
    },
}
_ONCE = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": f"^[!-~]{{1,{MOST_CHARACTERS}}}$"},
    "description": "A name that you give this request, a random one: sent again by the same name, "
    "it is not done again and gets the same answer, for a day.",
}
_READS: list[dict[str, list[str]]] = [{"bearer": []}, {"session": []}]
_WRITES: list[dict[str, list[str]]] = [{"bearer": []}, {"session": [], "csrf": []}]


class Wrong(BaseModel):
    where: str
    wrong: str


class Problem(BaseModel):
    """`detail` is a sentence in the language asked for; `errors`: the places, for a program."""

    detail: str
    errors: list[Wrong] | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not understood at all"},
    401: {"model": Problem, "description": "Nobody, or not any more"},
    403: {"model": Problem, "description": "Not yours to see or do"},
    404: {"model": Problem, "description": "Not there"},
    409: {"model": Problem, "description": "Not as things stand now"},
    413: {"model": Problem, "description": "Too large"},
    422: {"model": Problem, "description": "Does not fit"},
    503: {"model": Problem, "description": "A part of the hub does not answer now"},
}


def describe(app: FastAPI) -> None:
    """Give the document its security schemes; it is made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description,
                routes=app.routes, tags=app.openapi_tags,
            )  # fmt: skip
            made.setdefault("components", {})["securitySchemes"] = _SCHEMES
            for path in made["paths"].values():
                for method, operation in path.items():
                    operation["security"] = _READS if method == "get" else _WRITES
                    if method != "get":
                        operation.setdefault("parameters", []).append(_ONCE)
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]
