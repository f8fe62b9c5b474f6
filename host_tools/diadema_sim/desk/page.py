"""The web of the virtual desk: its page, its socket and the shared files, behind the one guard.

`/desk/ws` is the socket of one page: it is sent what the station shows, and its requests are
carried out.
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Protocol

from diadema.base.errors import DiademaError
from diadema.web import assets
from diadema.web.guard import Guard
from diadema.web.templating import environment
from diadema.web.viewers import Viewer
from diadema.words import known, section
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema_sim.desk.commands import (
    TEXT_LIMIT,
    Down,
    Refused,
    Request,
    Up,
    parse,
)

log = logging.getLogger(__name__)

PAGES = 20
_AT_ONCE = 16  # requests of one page under way
_TRY_LATER = 1013
_WRONG = 1008


class CommandExecutor(Protocol):
    async def execute(self, request: Request) -> None: ...
    async def release_keys(self, keys: set[int]) -> None: ...


class View(Protocol):
    @property
    def executor(self) -> CommandExecutor: ...
    def join(self, language: str) -> Viewer: ...
    def leave(self, viewer: Viewer) -> None: ...
    def floor(self) -> str: ...


async def desk_socket(websocket: WebSocket) -> None:
    """Send the station as it is, then what changes. At its end the keys it held are released."""
    await websocket.accept()
    state = websocket.app.state
    if state.pages >= PAGES:
        await websocket.close(_TRY_LATER)
        return
    room: View = state.room
    language = known(websocket.query_params.get("lang"))
    viewer = room.join(language)
    page = _Page(websocket, room.executor, viewer, language)
    state.pages += 1
    listener = asyncio.create_task(page.listen())
    sender = asyncio.create_task(viewer.run(websocket.send_text))
    overflow = asyncio.create_task(viewer.overflow.wait())
    tasks = (listener, sender, overflow)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        state.pages -= 1
        room.leave(viewer)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await page.close()
    if isinstance(results[0], int):
        await websocket.close(results[0])


class _Page:
    """The requests of one socket. Keys are pressed in order; what takes longer runs in a task."""

    def __init__(
        self, websocket: WebSocket, executor: CommandExecutor, viewer: Viewer, language: str
    ) -> None:
        self._websocket = websocket
        self._executor = executor
        self._viewer = viewer
        self._language = language
        self._held: set[int] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def listen(self) -> int | None:
        """Until the page leaves, or sends what is no text: then the code to close with."""
        while True:
            try:
                message = await self._websocket.receive_text()
            except WebSocketDisconnect:
                return None
            except KeyError:  # bytes, not text
                return _WRONG
            try:
                await self._take(parse(message))
            except Refused as refusal:
                self._send_refusal(refusal)

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        await self._executor.release_keys(self._held)

    async def _take(self, request: Request) -> None:
        if isinstance(request, Down | Up):
            await self._executor.execute(request)
            (self._held.add if isinstance(request, Down) else self._held.discard)(request.key)
        elif len(self._background) >= _AT_ONCE:
            raise Refused("too_many")
        else:
            task = asyncio.create_task(self._do_in_background(request))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _do_in_background(self, request: Request) -> None:
        try:
            await self._executor.execute(request)
        except Refused as refusal:
            self._send_refusal(refusal)
        except DiademaError as error:
            log.error("%s: %s", type(request).__name__, error)
            self._send_refusal(Refused("failed", reason=error))

    def _send_refusal(self, refusal: Refused) -> None:
        error = {"error": refusal.sentence(self._language), "word": refusal.word}
        self._viewer.offer(json.dumps(error, ensure_ascii=False))


_TEMPLATES = environment(Path(__file__).parent / "templates")
_FLOOR = ("state.", "theme", "link.")  # words that the floor has already


def create_app(room: View) -> ASGIApp:
    """One page, one socket: the desk of `room`."""
    app = FastAPI(title="Diadema", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.room = room
    app.state.pages = 0

    @app.get("/", include_in_schema=False)
    def root(request: HttpRequest) -> RedirectResponse:
        query = request.url.query
        return RedirectResponse(f"/desk?{query}" if query else "/desk")

    @app.get("/desk", include_in_schema=False)
    def desk(request: HttpRequest) -> HTMLResponse:
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
    template = _TEMPLATES.get_template("desk.html")
    return template.render(language=language, text_limit=TEXT_LIMIT, words=words)


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
