"""`/ui/`: the live floor. Drawn once; all that is live comes by `/ws` to our own module.

It needs nothing of NiceGUI's server after that, so when the hub goes away it lets go of that
socket (static/floor_element.js) instead of reloading, and keeps what it shows.
"""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from nicegui import ui

from diadema.web.assets import STATIC, modules_of
from diadema.web.pages.parts import definitions
from diadema.web.pages.shell import Refused, open_page
from diadema.web.service import Service
from diadema.words import section

_DEFINED = (
    "abandoned", "sl_offered", "sl_noshort", "sl_answered", "sl_removed", "sl_all", "handled",
    "aht_s", "missed",
)  # fmt: skip


class FloorElement(ui.element, component=Path(STATIC / "floor_element.js")):
    """The thin Vue wrapper of the floor module."""

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__()
        self._props["options"] = options


def mount(_: FastAPI, service: Service) -> None:
    modules = "".join(
        f'<link rel="modulepreload" href="/static/{name}">' for name in modules_of("floor.js")
    )

    @ui.page("/")
    def floor(request: Request) -> None:
        try:
            page = open_page(service, request, "floor", "/ui/", "floor", live=True)
        except Refused:
            return
        ui.add_head_html('<link rel="stylesheet" href="/static/inside.css">' + modules)
        words = {
            **page.words,
            **section("alerts", page.language),
            **section("panel", page.language),
            "how": section("parts", page.language)["how"],
        }
        people = service.people()
        reasons = [
            [one.code, one.label]
            for one in people.reasons.values()
            if one.in_use and not one.system
        ]
        may = {"act": page.person.may("act"), "figures": page.person.may("figures")}
        site = {"reasons": reasons, "seats": sorted(people.seats.values())}
        defined = definitions(page.language, *_DEFINED)
        FloorElement({"words": words, "site": site, "may": may, "definitions": defined})
