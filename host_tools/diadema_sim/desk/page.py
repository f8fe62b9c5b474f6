"""The web of the virtual desk: its page, its socket and the shared files, behind the one guard."""

import json
from html import escape
from importlib.resources import files
from string import Template

from diadema.web import assets
from diadema.web.guard import Guard
from diadema.words import known, section
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp

from diadema_sim.desk.requests import TEXT_LIMIT
from diadema_sim.desk.socket import Room, desk_socket

_PAGE = files(__package__) / "page.html"
_FLOOR = ("state.", "theme", "link.")  # words that the floor has already


def create_app(room: Room) -> ASGIApp:
    """One page, one socket: the desk of `room`."""
    app = FastAPI(title="Diadema", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.room = room
    app.state.pages = 0

    @app.get("/", include_in_schema=False)
    def root(request: Request) -> RedirectResponse:
        query = request.url.query
        return RedirectResponse(f"/desk?{query}" if query else "/desk")

    @app.get("/desk", include_in_schema=False)
    def desk(request: Request) -> HTMLResponse:
        page = render(known(request.query_params.get("lang")))
        return HTMLResponse(page, headers={"cache-control": "no-cache"})

    @app.get("/floor", include_in_schema=False)
    def floor() -> RedirectResponse:
        """To the floor of this run, without a login: by a link that is good once."""
        return RedirectResponse(room.floor(), 303, {"cache-control": "no-store"})

    app.add_api_websocket_route("/desk/ws", desk_socket)
    assets.serve(app)
    return Guard(app)


def render(language: str) -> str:
    """The page with its words; it carries those that its modules need."""
    words = page_words(language)
    places = {key.replace(".", "_"): escape(word) for key, word in words.items()}
    carried = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    template = Template(_PAGE.read_text("utf-8"))
    return template.substitute(places, language=language, text_limit=TEXT_LIMIT, words=carried)


def page_words(language: str) -> dict[str, str]:
    """The desk's words but for those that only the server says, and what it shares."""
    floor = section("floor", language)
    shared = {key: word for key, word in floor.items() if key.startswith(_FLOOR)}
    shell = section("shell", language)
    shared |= {key: word for key, word in shell.items() if key.startswith("language.")}
    own = section("desk", language)
    return shared | {
        key: word for key, word in own.items() if not key.startswith(("said.", "error."))
    }
