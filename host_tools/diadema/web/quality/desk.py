"""`/ui/quality`: the calls that one has to evaluate, and for the coordinator the pairs that differ
and how far the monitors are. A plain page, without NiceGUI.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from msgspec import Struct, field

from diadema.access.roles import Person
from diadema.base.paths import DataDir
from diadema.site.directory.people import People
from diadema.store import open_reader
from diadema.web.guard import language_of
from diadema.web.permissions import need
from diadema.web.quality.pairing import Pair, pairs
from diadema.web.quality.tasks import Progress, Task, progress, tasks
from diadema.web.shell import plain_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section
from diadema.words.formatting import local_time, score

PATH = "/ui/quality"
router = APIRouter()
_OPEN = ("draft", "waiting")


class _Led(Struct):
    """What the coordinator sees besides."""

    pairs: list[Pair] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)


@router.get(PATH, include_in_schema=False)
async def quality_desk(
    request: Request, person: Annotated[Person, Depends(need("evaluate", "quality"))]
) -> HTMLResponse:
    web_app, language = web_app_of(request), language_of(request)
    people, now_ms = web_app.people(), web_app.pace.now_ms()
    web_app.audit(person, "quality")
    mine = await asyncio.to_thread(tasks, web_app.data, person, people, now_ms)
    led = None
    if person.may("quality"):
        accounts = await asyncio.to_thread(web_app.accounts.book.all)
        names = {one.id: one.name for one in accounts}
        led = await asyncio.to_thread(_led, web_app.data, people, person, names, now_ms)
    words = section("quality", language)
    values = _values(web_app, mine, led, language)
    return plain_page(web_app, request, "quality.html", words["title"], words=words, **values)


def _led(
    data: DataDir, people: People, person: Person, names: dict[str, str], now_ms: int
) -> _Led:
    if not data.store.exists():
        return _Led()
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        return _Led(pairs(tx, people, person, now_ms), progress(tx, names, now_ms))


def _values(
    web_app: WebApp, mine: Sequence[Task], led: _Led | None, language: str
) -> dict[str, Any]:
    """What `quality.html` is given."""
    words, zone = section("quality", language), web_app.zone

    def shown(one: Task) -> dict[str, Any]:
        return {
            "q": one.q,
            "name": words["call"].format(number=one.number, of=one.of),
            "form": one.label,
            "basis": words[f"basis.{one.basis}"],
            "due": local_time(one.due_utc, zone, "day_minute"),
            "state": one.state,
            "said": words[f"state.{one.state}"],
            "score": score(one.score / 10) if one.score is not None else "",
            "agent": one.agent or "",
        }

    waiting = sorted(
        (one for one in mine if one.state in _OPEN),
        key=lambda one: (one.due_utc, one.state != "draft", one.number),
    )
    over = [one for one in reversed(mine) if one.state not in _OPEN]
    values: dict[str, Any] = {
        "waiting": [shown(one) for one in waiting],
        "over": [shown(one) for one in over],
        "done": sum(one.state in ("done", "released") for one in mine),
        "late": sum(one.state == "late" for one in mine),
        "all": len(mine),
        "led": led is not None,
    }
    differing = [one for one in led.pairs if one.differs] if led is not None else []
    values["pairs"] = [
        {
            "q": one.q,
            "form": one.scorecard.label,
            "items": one.items,
            "said": words["pair.decided" if one.decided else "pair.open"],
            "decided": one.decided,
        }
        for one in sorted(differing, key=lambda one: one.decided)
    ]
    values["alike"] = sum(not one.differs for one in led.pairs) if led is not None else 0
    values["progress"] = led.progress if led is not None else []
    return values
