"""`/api/v1/agents/{a}/page`, `/events`: an agent's day as her page draws it, and the events
behind its numbers. An asesor sees her own.
"""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, HTTPException, Path, Query, Request

from diadema.access.roles import Person
from diadema.figures.agent_day import AgentPage, agent_page, events_behind
from diadema.metrics import calls as of_calls
from diadema.metrics.states import occupancy
from diadema.site.work import SYSTEM_REASONS
from diadema.web.asking import person_of
from diadema.web.guard import language_of
from diadema.web.paging import Day
from diadema.web.service import Service
from diadema.wire.live_rows import PRIVATE
from diadema.words import text

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])

AgentId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,24}$", examples=["a001"])]
Utc = Annotated[int, Query(ge=0, le=2**53 - 1, description="UTC milliseconds")]
_STEPS = ("greeting", "identity", "need", "information", "doubts", "closing")
_REFUSED: dict[int | str, dict[str, Any]] = {403: {"description": "not among what you may see"}}


def _seen(request: Request, agent: str) -> Person:
    """Who asks, if that agent's figures are his to see. Raises HTTPException."""
    person = person_of(request)
    service: Service = request.app.state.service
    allowed = person.may("figures") or person.may("own")
    if not (allowed and person.sees(agent, service.people())):
        raise HTTPException(403, text("web.not_yours", language_of(request)))
    return person


@router.get("/{a}/page", summary="An agent's day, as her page draws it", responses=_REFUSED)
async def page(request: Request, a: AgentId, day: Day = None) -> dict[str, Any]:
    person = _seen(request, a)
    service: Service = request.app.state.service
    service.audit(person, "agent_day", [a])
    now_ms = service.pace.now_ms()
    asked = day or service.today()
    made = await service.worker.ask(agent_page, service.data, a, asked, now_ms)
    return told(made)


@router.get("/{a}/events", summary="The stored events of a stretch of time", responses=_REFUSED)
async def events(
    request: Request,
    a: AgentId,
    from_: Annotated[Utc, Query(alias="from")],
    to: Utc,
    c: Annotated[str | None, Query(max_length=48, description="of one contact only")] = None,
) -> list[dict[str, Any]]:
    person = _seen(request, a)
    service: Service = request.app.state.service
    service.audit(person, "events", [a])
    return await service.worker.ask(events_behind, service.data, a, from_, to, c)


def told(made: AgentPage) -> dict[str, Any]:
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
            "occupancy": occupancy(load),
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
