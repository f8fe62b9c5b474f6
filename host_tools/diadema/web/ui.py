"""`/ui`: the supervisors' pages. NiceGUI makes the shell; the floor itself is our own module.

The floor page needs nothing of NiceGUI's server once it is drawn, so when the hub goes away it
lets go of that socket (static/floor_element.js) instead of reloading, and keeps what it shows.
"""

from copy import copy
from html import escape
from pathlib import Path

from fastapi import FastAPI, Request
from nicegui import ui
from nicegui.language import Language

from diadema.web.assets import STATIC
from diadema.web.service import Service
from diadema.words import known, section

_QUASAR: dict[str, Language] = {"es": "es", "en": "en-US"}
_HEAD = """
<link rel="stylesheet" href="/static/fonts.css">
<link rel="stylesheet" href="/static/floor.css">
<link rel="stylesheet" href="/static/ui.css">
<script src="/static/theme.js"></script>
<script>document.documentElement.dataset.build="{build}";</script>
"""
_HEADER = """
<a class="skip" href="#floor">{skip}</a>
<span class="brand"><img src="/static/icon.svg" alt="" width="22" height="22">Diadema</span>
<h1 data-site>{title}</h1>
<p class="bar-clock" data-clock></p>
<nav class="bar-links">
<a href="/wall?lang={language}">{wall}</a>
<a href="?lang={other_code}" lang="{other_code}" hreflang="{other_code}" data-keep>{other}</a>
<button type="button" class="quiet" data-theme-button></button>
</nav>
"""


class FloorElement(ui.element, component=Path(STATIC / "floor_element.js")):
    """The thin Vue wrapper of the floor module."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self._props["words"] = words


def mount(app: FastAPI, service: Service) -> None:
    """Hang NiceGUI's pages on the parent application under /ui."""

    @ui.page("/")
    def floor(request: Request) -> None:
        language = known(request.query_params.get("lang") or service.floor.site.language)
        words = dict(section("floor", language))
        # NiceGUI knows one language a page; this one is as the request asks
        client = ui.context.client
        client.page = copy(client.page)
        client.page.language = _QUASAR[language]
        ui.page_title(words["title"])
        ui.add_head_html(_HEAD.format(build=service.build))
        header = _HEADER.format(
            language=language,
            skip=escape(words["skip"]),
            title=escape(words["title"]),
            wall=escape(words["wall"]),
            other=escape(words["language.other"]),
            other_code=words["language.other_code"],
        )
        ui.html(header, tag="header", sanitize=False).classes("bar")
        FloorElement(words)

    ui.run_with(
        app,
        mount_path="/ui",
        title="Diadema",
        favicon=STATIC / "icon.svg",
        dark=None,
        language="es",
        binding_refresh_interval=None,
        reconnect_timeout=60,
        tailwind=False,
        show_welcome_message=False,
    )
