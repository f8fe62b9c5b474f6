"""`/ui/faults`: all tickets, live. `/ui/area`: those of whoever works for an area, without anybody
else. Both are drawn once, and what is live comes by `/ws` to our own module.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from diadema.access.authenticator import STREAMS
from diadema.access.roles import RIGHTS, Person
from diadema.store.assistance import STATIONS_AREA
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.permissions import person_of
from diadema.web.shell import live_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section

router = APIRouter()
_MODULES = modules_of("faults.js")
_PART = "part."
_AREAS = {"faults": "faults", "area": "area_faults"}  # of their words


@router.get("/ui/faults", include_in_schema=False)
async def faults(request: Request) -> HTMLResponse:
    return await _page(request, "faults")


@router.get("/ui/area", include_in_schema=False)
async def area(request: Request) -> HTMLResponse:
    return await _page(request, "area")


async def _page(request: Request, desk: str) -> HTMLResponse:
    web_app, person, language = web_app_of(request), person_of(request), language_of(request)
    options = None
    if person.may(STREAMS[desk]):
        options = await _options(web_app, person, language, desk)
    return live_page(
        web_app, request, _AREAS[desk], f"/ui/{desk}", options, mode="faults", modules=_MODULES,
        sheets=("faults",),
    )  # fmt: skip


async def _options(web_app: WebApp, person: Person, language: str, desk: str) -> dict[str, Any]:
    """What `static/faults.js` is given: of people only whom a ticket can be given to."""
    people = web_app.people()
    areas = people.fault_areas
    staff: list[tuple[str, str, list[str] | None]] = []  # and of which areas alone
    if desk == "faults":
        accounts = await asyncio.to_thread(web_app.accounts.book.all)
        staff = [
            (one.id, one.name or one.id, None if sees_all else sorted(people.areas_of(one.id)))
            for one in accounts
            if not one.disabled
            and ((sees_all := "tickets" in RIGHTS[one.role]) or people.areas_of(one.id))
        ]
    else:
        areas = {code: areas[code] for code in areas.keys() & people.areas_of(person.id)}
    words = section("faults", language)
    parts = [
        [name.removeprefix(_PART), said]
        for name, said in section("alerts", language).items()
        if name.startswith(_PART)
    ]
    return {
        "words": {
            name: word
            for of in ("floor", "panel", "faults")
            for name, word in section(of, language).items()
        },
        "desk": desk,
        "me": person.id,
        "areas": [
            [code, one.label, [*one.parts.items()], one.in_use] for code, one in areas.items()
        ],
        "stations": [STATIONS_AREA, words["station"], parts],
        "staff": sorted(staff, key=lambda one: one[1].casefold()),
    }
