"""`/ui/`: the live floor. `/wall`: the public board for a large screen.

Both are drawn once, without NiceGUI, and all that is live comes by `/ws` to our own module: a
thousand tiles are there within a second, and stay when the hub goes away.
"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from msgspec import to_builtins

from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.web.assets import modules_of
from diadema.web.floor.first_steps import Step, described
from diadema.web.guard import language_of
from diadema.web.page_parts import definitions
from diadema.web.permissions import person_of
from diadema.web.shell import live_page
from diadema.web.templating import render
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section

router = APIRouter()
_MODULES = modules_of("floor_page.js")  # asked for at once, not one after another
_DEFINED = (
    "abandoned", "sl_offered", "sl_noshort", "sl_answered", "sl_removed", "sl_all", "handled",
    "aht_s", "missed",
)  # fmt: skip


@router.get("/ui/", include_in_schema=False)
async def floor(request: Request) -> HTMLResponse:
    web_app, person = web_app_of(request), person_of(request)
    language = language_of(request)
    words = section("floor", language)
    steps = await asyncio.to_thread(_first_steps, web_app, person)
    return live_page(
        web_app,
        request,
        "floor",
        "/ui/",
        _options(web_app, person, language) if person.may("floor") else None,
        mode="ui",
        modules=_MODULES,
        sheets=("screen", "queues"),
        first_word=words["first"],
        done_word=words["first.done"],
        steps=[to_builtins(one) | {"label": words[f"first.{one.name}"]} for one in steps],
    )


def _first_steps(web_app: WebApp, person: Person) -> list[Step]:
    """For who administers a centre that is not set up yet."""
    if not person.may("people"):
        return []
    try:
        steps = web_app.first_steps.now(web_app.people())
    except DiademaError:  # which the page of people and places says
        return []
    if steps:
        web_app.floor.describe(described(web_app.data))
    return steps


def _options(web_app: WebApp, person: Person, language: str) -> dict[str, Any]:
    """What `static/floor.js` is given."""
    people = web_app.people()
    reasons = [
        [one.code, one.label] for one in people.reasons.values() if one.in_use and not one.system
    ]
    return {
        "words": {
            **section("floor", language),
            **section("alerts", language),
            **section("panel", language),
            "how": section("parts", language)["how"],
        },
        "site": {
            "reasons": reasons,
            "seats": sorted(people.seats.values()),
            "selftest": people.selftest,
        },
        "may": {one: person.may(one) for one in ("act", "figures", "help")},
        "definitions": definitions(language, *_DEFINED),
    }


@router.get("/wall", include_in_schema=False)
def wall(request: Request) -> HTMLResponse:
    web_app = web_app_of(request)
    language = language_of(request)
    words = section("floor", language)
    page = render("wall.html", language=language, build=web_app.build, words=words)
    return HTMLResponse(page, headers={"cache-control": "no-cache"})
