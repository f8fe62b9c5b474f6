"""`/ui/help`, the page Ayudas: drawn once, without NiceGUI; who waits comes by `/ws` to our own
module.
"""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from diadema.access.roles import Person
from diadema.web.assets import modules_of
from diadema.web.guard import language_of
from diadema.web.permissions import person_of
from diadema.web.shell import live_page
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import section

PATH = "/ui/help"
router = APIRouter()
_MODULES = modules_of("help.js")


@router.get(PATH, include_in_schema=False)
async def ayudas(request: Request) -> HTMLResponse:
    web_app, person = web_app_of(request), person_of(request)
    options = _options(web_app, person, language_of(request)) if person.may("help") else None
    return live_page(
        web_app, request, "help", PATH, options, mode="help", modules=_MODULES, sheets=("help",)
    )


def _options(web_app: WebApp, person: Person, language: str) -> dict[str, Any]:
    """What `static/help.js` is given."""
    people = web_app.people()
    words = {area: section(area, language) for area in ("floor", "alerts", "panel", "help")}
    return {
        "words": {word: said for area in words.values() for word, said in area.items()},
        "results": [*people.help_results.items()],
        "owner": person.may("people") or person.id in people.owners.values(),
    }
