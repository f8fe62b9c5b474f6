"""`/api/v1`: the agents whom the user may see, their figures and days, and the ledgers.

The ledgers are lists of contacts, sessions and attendance marks. An agent sees the own ones only.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from diadema.access.audit import ALL
from diadema.access.roles import Person, Right
from diadema.base.errors import DiademaError
from diadema.figures.agent_day import AgentPage, agent_page, events_behind
from diadema.metrics import calls as of_calls
from diadema.metrics import states as of_states
from diadema.site.directory.people import People
from diadema.site.work import SYSTEM_REASONS
from diadema.store.attendance import Mark
from diadema.store.rows import Contact, Session
from diadema.web.actions.queries import plain_act, reprimands
from diadema.web.agents import queries
from diadema.web.api import WebAppDep
from diadema.web.guard import language_of
from diadema.web.paging import After, Day, Key, Limit, Page, Span, after_of, cursor, span
from diadema.web.permissions import need, not_yours, person_of
from diadema.web.quality.blind import hidden_from
from diadema.web.web_app import web_app_of
from diadema.wire.live_rows import PRIVATE
from diadema.words import text

router = APIRouter(prefix="/api/v1")
_STEPS = ("greeting", "identity", "need", "information", "doubts", "closing")
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"description": "not among what you may see"}}
Utc = Annotated[int, Query(ge=0, le=2**53 - 1, description="UTC milliseconds")]
AgentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,24}$", examples=["a001"])]
OneAgent = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,24}$", description="of this agent only")
]
RequestedSpan = Annotated[Span, Depends(span)]


class Agent(BaseModel):
    a: str
    name: str
    alias: str
    team: str
    active: bool


class DayCutoff(BaseModel):
    """Until when it is known: by the clock (UTC ms), by the events taken in, and who owes some."""

    at: int
    position: int
    owing: list[str]


class DayFigures(BaseModel):
    """Calls are counts and whole seconds, booked where a call began; load is seconds by state.
    Means, median and 90th percentile are seconds over contacts, null where nothing is known.
    """

    a: str
    day: str
    zone: str
    cut: DayCutoff
    calls: dict[str, int | dict[str, int]]
    load: dict[str, int | dict[str, int]]
    aht_s: float | None
    talk_mean_s: float | None
    hold_mean_s: float | None
    consult_mean_s: float | None
    wrap_mean_s: float | None
    aht_median_s: float | None
    aht_p90_s: float | None
    pickup_rate: float | None
    occupancy: float | None
    steps: dict[str, int]


class _Ledger(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    s: str = Field(validation_alias="station")
    e: int = Field(validation_alias="epoch")
    n: int = Field(validation_alias="sequence")


class ContactItem(_Ledger):
    """One contact of one agent; its event is (s, e, n). Hours are UTC ms, lengths ms."""

    c: str = Field(validation_alias="contact")
    a: str = Field(validation_alias="agent")
    direction: str
    queue: str | None
    outcome: str
    cause: str | None
    ended_by: str | None
    start_utc: int | None
    answered_utc: int | None
    end_utc: int | None
    close_utc: int | None
    ring_ms: int | None
    talk_ms: int
    hold_ms: int
    wrap_ms: int
    code: str | None
    version: str | None
    how: str | None
    interrupted: bool
    estimated: bool
    late: bool


class SessionItem(_Ledger):
    """One stay of one agent at one station."""

    a: str = Field(validation_alias="agent")
    method: str
    provisional: bool
    open_utc: int | None
    close_utc: int | None
    reason: str | None
    by: str | None
    estimated: bool
    late: bool
    verdict: str | None


class MarkItem(_Ledger):
    """One attendance mark as its worker made it; `hash` chains it to the one before `number`."""

    number: int
    agent: str | None
    direction: str
    method: str
    utc: int | None
    uncertainty_ms: int | None
    repeated: bool
    pin: str
    hash: str


@router.get("/agents", summary="The agents whom you may see", tags=["ledgers"])
async def agents(
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("figures", "attendance", "own"))],
) -> list[Agent]:
    people = web_app.read_people()
    web_app.audit(person, "agents.list", ALL)
    return [
        Agent(a=one.id, name=one.name, alias=one.alias, team=one.team, active=one.active)
        for one in sorted(people.workers.values(), key=lambda one: (one.name.casefold(), one.id))
        if person.sees(one.id, people)
    ]


@router.get("/agents/{a}/day", summary="An agent's figures of one day", tags=["ledgers"])
async def day(
    request: Request,
    a: AgentId,
    web_app: WebAppDep,
    person: Annotated[Person, Depends(need("figures", "own"))],
    day: Day = None,
) -> DayFigures:
    wanted = day or web_app.today()
    if not person.sees(a, web_app.people()):
        raise not_yours(request)
    web_app.audit(person, "agents.day", [a])
    try:
        sums, cut, zone = await web_app.worker.ask(
            queries.day,
            web_app.data,
            wanted,
            web_app.pace.now_ms(),
            a,
            await hidden_from(web_app, person),
        )
    except DiademaError as error:
        raise HTTPException(503, str(error)) from error
    calls = sums.calls()
    fields = msgspec.structs.asdict(calls)
    return DayFigures(
        a=a,
        day=wanted.isoformat(),
        zone=zone,
        cut=DayCutoff(
            at=cut.at_ms,
            position=cut.position,
            owing=[one.seat for one in cut.pending_stations],
        ),
        calls={name: value for name, value in fields.items() if name != "spreads"},
        load=msgspec.structs.asdict(sums.load),
        aht_s=of_calls.aht(calls),
        talk_mean_s=of_calls.talk_mean(calls),
        hold_mean_s=of_calls.hold_mean(calls),
        consult_mean_s=of_calls.consult_mean(calls),
        wrap_mean_s=of_calls.wrap_mean(calls),
        aht_median_s=of_calls.aht_median(calls),
        aht_p90_s=of_calls.aht_p90(calls),
        pickup_rate=of_calls.pickup_rate(calls),
        occupancy=of_states.occupancy(sums.load),
        steps=sums.steps,
    )


def _seen_one(request: Request, agent: str) -> Person:
    """The user of the request, who may see that agent's figures. Raises HTTPException (403)."""
    person = person_of(request)
    web_app = web_app_of(request)
    allowed = person.may("figures") or person.may("own")
    if not (allowed and person.sees(agent, web_app.people())):
        raise HTTPException(403, text("web.not_yours", language_of(request)))
    return person


@router.get(
    "/agents/{a}/page",
    summary="An agent's day, as the agent's page draws it",
    responses=_REFUSED,
    tags=["agents"],
)
async def page(request: Request, a: AgentId, day: Day = None) -> dict[str, Any]:
    person = _seen_one(request, a)
    web_app = web_app_of(request)
    web_app.audit(person, "agent_day", [a])
    now_ms = web_app.pace.now_ms()
    wanted = day or web_app.today()
    made = await web_app.worker.ask(
        agent_page, web_app.data, a, wanted, now_ms, await hidden_from(web_app, person)
    )
    given = await web_app.worker.ask(reprimands, web_app.data, a, person)
    people = web_app.people()
    return page_json(made) | {
        "reprimands": [plain_act(one, people) for one in given],
        "own": person.agent == a,
    }


@router.get(
    "/agents/{a}/events",
    summary="The stored events of a stretch of time",
    responses=_REFUSED,
    tags=["agents"],
)
async def events(
    request: Request,
    a: AgentId,
    from_: Annotated[Utc, Query(alias="from")],
    to: Utc,
    c: Annotated[str | None, Query(max_length=48, description="of one contact only")] = None,
) -> list[dict[str, Any]]:
    person = _seen_one(request, a)
    web_app = web_app_of(request)
    web_app.audit(person, "events", [a])
    if await hidden_from(web_app, person):  # a number that is not there would say where it was
        raise HTTPException(403, text("reports.note.blind", language_of(request)))
    return await web_app.worker.ask(events_behind, web_app.data, a, from_, to, c)


def page_json(made: AgentPage) -> dict[str, Any]:
    """The page as JSON: figures worked out, reasons and steps in their order."""
    calls, load = made.sums.calls(), made.sums.load
    plain: dict[str, Any] = msgspec.to_builtins(made)
    del plain["sums"]
    return plain | {
        "figures": {
            "handled": of_calls.handled(calls),
            "missed": calls.missed,
            "aht_s": of_calls.aht(calls),
            "aht_n": calls.n,
            "talk_mean_s": of_calls.talk_mean(calls),
            "hold_mean_s": of_calls.hold_mean(calls),
            "wrap_mean_s": of_calls.wrap_mean(calls),
            "occupancy": of_states.occupancy(load),
            "logged_s": load.logged_s,
        },
        "reasons": [
            {
                "reason": reason,
                "label": made.labels.get(reason),
                "seconds": seconds,
                "system": reason in SYSTEM_REASONS,
            }
            for reason, seconds in sorted(
                load.reasons.items(), key=lambda one: (one[0] == PRIVATE, -one[1])
            )
        ],
        "protocol": [
            {
                "step": step,
                "done": ticks.ticked,
                "block": ticks.block,
                "automatic": ticks.automatic,
                "calls": ticks.possible,
            }
            for step, ticks in sorted(made.protocol, key=lambda one: _STEPS.index(one[0]))
        ],
    }


def _list[Row: Contact | Session | Mark, Item: _Ledger](
    path: str,
    summary: str,
    rights: tuple[Right, ...],
    reading: Callable[..., list[Row]],
    item: type[Item],
    key: Callable[[Row], Key],
) -> None:
    """One list of the ledgers; they differ in whose right it is and in what a row is."""

    async def rows(
        request: Request,
        web_app: WebAppDep,
        person: Annotated[Person, Depends(need(*rights))],
        within: RequestedSpan,
        agent: OneAgent = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Any:
        seen = _seen(request, person, agent, web_app.people())
        web_app.audit(person, f"{path}.list", ALL if agent is None else [agent])
        left_out = {"without": await hidden_from(web_app, person)} if path == "contacts" else {}
        try:
            found = await web_app.worker.ask(
                reading,
                web_app.data,
                seen,
                within.start_ms,
                within.end_ms,
                after_of(request, after),
                limit,
                **left_out,
            )
        except DiademaError as error:
            raise HTTPException(503, str(error)) from error
        following = cursor(key(found[-1])) if len(found) == limit else None
        return {"items": [item.model_validate(one) for one in found], "next": following}

    model = Page[item]  # type: ignore[valid-type]
    router.add_api_route(
        f"/{path}",
        rows,
        summary=summary,
        operation_id=path,
        response_model=model,
        tags=["ledgers"],
    )


def _seen(request: Request, person: Person, agent: str | None, people: People) -> list[str] | None:
    """Whose rows: of that agent, or of all whom the user sees; None: of
    everybody. Refuses with 403."""
    if agent is not None:
        if not person.sees(agent, people):
            raise not_yours(request)
        return [agent]
    if person.role == "agent":
        return [person.agent or ""]
    if person.scope(people) is None:
        return None
    return [one for one in people.workers if person.sees(one, people)]


_list(
    "contacts",
    "Contacts that are over",
    ("figures", "own"),
    queries.contacts,
    ContactItem,
    lambda one: (one.start_utc or 0, one.station, one.epoch, one.sequence),
)
_list(
    "sessions",
    "Sessions of agents at stations",
    ("attendance", "own"),
    queries.sessions,
    SessionItem,
    lambda one: (one.open_utc or 0, one.station, one.epoch, one.sequence),
)
_list(
    "marks",
    "The attendance ledger",
    ("attendance", "own"),
    queries.marks,
    MarkItem,
    lambda one: (one.utc or 0, one.station, one.epoch, one.sequence),
)
