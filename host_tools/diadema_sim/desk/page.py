"""The web of the virtual desk: its page, its socket and the shared files, behind the one guard.

`/desk/ws`: one page's socket. It sees the station, and what it asks is carried out.
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Protocol

from diadema.base.errors import DiademaError
from diadema.web import assets
from diadema.web.floor.viewers import Viewer
from diadema.web.guard import Guard
from diadema.web.templating import environment
from diadema.words import known, section
from fastapi import FastAPI
from fastapi import Request as Request_of_page
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema_sim.desk.hands import TEXT_LIMIT, Down, Refused, Request, Up, parse

log = logging.getLogger(__name__)

PAGES = 20
_AT_ONCE = 16  # requests of one page under way
_TRY_LATER = 1013
_WRONG = 1008


class Hands(Protocol):
    async def obey(self, request: Request) -> None: ...
    async def let_go(self, keys: set[int]) -> None: ...


class Room(Protocol):
    @property
    def hands(self) -> Hands: ...
    def join(self, language: str) -> Viewer: ...
    def leave(self, viewer: Viewer) -> None: ...
    def floor(self) -> str: ...


async def desk_socket(websocket: WebSocket) -> None:
    """The station as it is, then what changes. At its end the keys it held are let go of."""
    await websocket.accept()
    state = websocket.app.state
    if state.pages >= PAGES:
        await websocket.close(_TRY_LATER)
        return
    room: Room = state.room
    language = known(websocket.query_params.get("lang"))
    viewer = room.join(language)
    page = _Page(websocket, room.hands, viewer, language)
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
    """What one socket asks. Keys are pressed in the order asked; what takes longer goes beside."""

    def __init__(self, websocket: WebSocket, hands: Hands, viewer: Viewer, language: str) -> None:
        self._websocket = websocket
        self._hands = hands
        self._viewer = viewer
        self._language = language
        self._held: set[int] = set()
        self._beside: set[asyncio.Task[None]] = set()

    async def listen(self) -> int | None:
        """Until the page leaves, or sends what is no text: then the code to close with."""
        while True:
            try:
                said = await self._websocket.receive_text()
            except WebSocketDisconnect:
                return None
            except KeyError:  # bytes, not text
                return _WRONG
            try:
                await self._take(parse(said))
            except Refused as refusal:
                self._tell(refusal)

    async def close(self) -> None:
        for task in self._beside:
            task.cancel()
        await self._hands.let_go(self._held)

    async def _take(self, request: Request) -> None:
        if isinstance(request, Down | Up):
            await self._hands.obey(request)
            (self._held.add if isinstance(request, Down) else self._held.discard)(request.key)
        elif len(self._beside) >= _AT_ONCE:
            raise Refused("too_many")
        else:
            task = asyncio.create_task(self._do_beside(request))
            self._beside.add(task)
            task.add_done_callback(self._beside.discard)

    async def _do_beside(self, request: Request) -> None:
        try:
            await self._hands.obey(request)
        except Refused as refusal:
            self._tell(refusal)
        except DiademaError as error:
            log.error("%s: %s", type(request).__name__, error)
            self._tell(Refused("failed", reason=error))

    def _tell(self, refusal: Refused) -> None:
        error = {"error": refusal.sentence(self._language), "word": refusal.word}
        self._viewer.offer(json.dumps(error, ensure_ascii=False))


_TEMPLATES = environment(Path(__file__).parent / "templates")
_FLOOR = ("state.", "theme", "link.")  # words that the floor has already


def create_app(room: Room) -> ASGIApp:
    """One page, one socket: the desk of `room`."""
    app = FastAPI(title="Diadema", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.room = room
    app.state.pages = 0

    @app.get("/", include_in_schema=False)
    def root(request: Request_of_page) -> RedirectResponse:
        query = request.url.query
        return RedirectResponse(f"/desk?{query}" if query else "/desk")

    @app.get("/desk", include_in_schema=False)
    def desk(request: Request_of_page) -> HTMLResponse:
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
