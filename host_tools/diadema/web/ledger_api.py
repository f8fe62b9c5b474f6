"""`/api/v1`: who asks, the agents he sees, and their figures, contacts, sessions and marks."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from diadema.access.audit import ALL
from diadema.access.roles import RIGHTS, Person, Right
from diadema.base.errors import DiademaError
from diadema.metrics import calls as of_calls
from diadema.metrics import states as of_states
from diadema.site.directory.people import People
from diadema.store.attendance import Mark
from diadema.store.rows import Contact, Session
from diadema.web import ledger_reads
from diadema.web.api import Served
from diadema.web.asking import need, not_yours, person_of
from diadema.web.paging import After, Day, Key, Limit, Page, Span, after_of, cursor, span

router = APIRouter(prefix="/api/v1", tags=["ledgers"])
AgentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,24}$", examples=["a001"])]
OneAgent = Annotated[
    str | None, Query(pattern=r"^[A-Za-z0-9_-]{1,24}$", description="of this agent only")
]
Asked = Annotated[Span, Depends(span)]


class Me(BaseModel):
    """Who the request is of, and what he may do."""

    id: str
    name: str
    role: str
    agent: str | None
    teams: list[str]
    rights: list[str]


class Agent(BaseModel):
    a: str
    name: str
    alias: str
    team: str
    active: bool


class Cut(BaseModel):
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
    cut: Cut
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
    s: str
    e: int
    n: int


class ContactItem(_Ledger):
    """One contact of one agent; its event is (s, e, n). Hours are UTC ms, lengths ms."""

    c: str
    a: str
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

    a: str
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


@router.get("/me", summary="Who you are here", tags=["accounts"])
async def me(request: Request) -> Me:
    person = person_of(request)
    return Me(
        id=person.id, name=person.name, role=person.role, agent=person.agent,
        teams=sorted(person.teams), rights=sorted(RIGHTS[person.role]),
    )  # fmt: skip


@router.get("/agents", summary="The agents whom you may see")
async def agents(
    service: Served, person: Annotated[Person, Depends(need("figures", "attendance", "own"))]
) -> list[Agent]:
    people = service.read_people()
    service.audit(person, "agents.list", ALL)
    return [
        Agent(a=one.id, name=one.name, alias=one.alias, team=one.team, active=one.active)
        for one in sorted(people.workers.values(), key=lambda one: (one.name.casefold(), one.id))
        if person.sees(one.id, people)
    ]


@router.get("/agents/{a}/day", summary="An agent's figures of one day")
async def day(
    request: Request,
    a: AgentId,
    service: Served,
    person: Annotated[Person, Depends(need("figures", "own"))],
    day: Day = None,
) -> DayFigures:
    asked = day or service.today()
    if not person.sees(a, service.people()):
        raise not_yours(request)
    service.audit(person, "agents.day", [a])
    try:
        sums, cut, zone = await service.worker.ask(
            ledger_reads.day, service.data, asked, service.pace.now_ms(), a
        )
    except DiademaError as error:
        raise HTTPException(503, str(error)) from error
    calls = sums.calls()
    told = msgspec.structs.asdict(calls)
    return DayFigures(
        a=a,
        day=asked.isoformat(),
        zone=zone,
        cut=Cut(
            at=cut.at_ms,
            position=cut.position,
            owing=[one.seat for one in cut.pending_stations],
        ),
        calls={name: value for name, value in told.items() if name != "spreads"},
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
        service: Served,
        person: Annotated[Person, Depends(need(*rights))],
        within: Asked,
        agent: OneAgent = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Any:
        seen = _seen(request, person, agent, service.people())
        service.audit(person, f"{path}.list", ALL if agent is None else [agent])
        try:
            found = await service.worker.ask(
                reading, service.data, seen, within.start_ms, within.end_ms,
                after_of(request, after), limit,
            )  # fmt: skip
        except DiademaError as error:
            raise HTTPException(503, str(error)) from error
        following = cursor(key(found[-1])) if len(found) == limit else None
        return {"items": [item.model_validate(one) for one in found], "next": following}

    model = Page[item]  # type: ignore[valid-type]
    router.add_api_route(
        f"/{path}", rows, summary=summary, operation_id=path, response_model=model
    )


def _seen(request: Request, person: Person, agent: str | None, people: People) -> list[str] | None:
    """Whose rows: of that agent, or of all whom he sees. Refuses with 403."""
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
    "contacts", "Contacts that are over", ("figures", "own"), ledger_reads.contacts, ContactItem,
    lambda one: (one.start_utc or 0, one.station, one.epoch, one.sequence),
)  # fmt: skip
_list(
    "sessions", "Sessions of agents at stations", ("attendance", "own"), ledger_reads.sessions,
    SessionItem, lambda one: (one.open_utc or 0, one.station, one.epoch, one.sequence),
)  # fmt: skip
_list(
    "marks", "The attendance ledger", ("attendance", "own"), ledger_reads.marks, MarkItem,
    lambda one: (one.utc or 0, one.station, one.epoch, one.sequence),
)  # fmt: skip
