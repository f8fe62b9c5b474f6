"""`/ui/`: the live floor. Drawn once; all that is live comes by `/ws` to our own module.
`/wall`: the public board for a large screen, one plain page without NiceGUI.

The floor needs nothing of NiceGUI's server after that, so when the hub goes away it lets go of
that socket (static/floor_element.js) instead of reloading, and keeps what it shows.
"""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from nicegui import ui

from diadema.web.assets import STATIC, modules_of
from diadema.web.page_parts import definitions
from diadema.web.shell import Refused, open_page
from diadema.web.templating import render
from diadema.web.web_app import WebApp, web_app_of
from diadema.words import known, section

router = APIRouter()
_DEFINED = (
    "abandoned", "sl_offered", "sl_noshort", "sl_answered", "sl_removed", "sl_all", "handled",
    "aht_s", "missed",
)  # fmt: skip


class FloorElement(ui.element, component=Path(STATIC / "floor_element.js")):
    """The thin Vue wrapper of the floor module."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self._props["options"] = options


def mount(_: FastAPI, web_app: WebApp) -> None:
    modules = "".join(
        f'<link rel="modulepreload" href="/static/{name}">' for name in modules_of("floor.js")
    )

    @ui.page("/")
    def floor(request: Request) -> None:
        try:
            page = open_page(web_app, request, "floor", "/ui/", "floor", live=True)
        except Refused:
            return
        ui.add_head_html('<link rel="stylesheet" href="/static/inside.css">' + modules)
        words = {
            **page.words,
            **section("alerts", page.language),
            **section("panel", page.language),
            "how": section("parts", page.language)["how"],
        }
        people = web_app.people()
        reasons = [
            [one.code, one.label]
            for one in people.reasons.values()
            if one.in_use and not one.system
        ]
        may = {"act": page.person.may("act"), "figures": page.person.may("figures")}
        site = {"reasons": reasons, "seats": sorted(people.seats.values())}
        defined = definitions(page.language, *_DEFINED)
        FloorElement({"words": words, "site": site, "may": may, "definitions": defined})


@router.get("/wall", include_in_schema=False)
def wall(request: Request) -> HTMLResponse:
    web_app = web_app_of(request)
    language = known(request.query_params.get("lang") or web_app.floor.site.language)
    words = section("floor", language)
    page = render("wall.html", language=language, build=web_app.build, words=words)
    return HTMLResponse(page, headers={"cache-control": "no-cache"})
