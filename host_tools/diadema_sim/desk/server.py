"""A virtual desk from the first process to the last: centre, station, and the web of its page.

The page, its socket and the shared files stand behind the one guard. `/desk/ws` is the socket of
one page: it is sent what the station shows, and its requests are carried out.
"""

import asyncio
import contextlib
import json
import logging
import socket
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.web import assets
from diadema.web.floor.viewers import Viewer
from diadema.web.guard import Guard
from diadema.web.templating import environment
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.words import known, section
from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp
from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema_sim import people
from diadema_sim.build import SIM, SimBoard
from diadema_sim.centre import Centre, open_centre
from diadema_sim.demo import SITE, ZONE
from diadema_sim.desk.commands import Down, Refused, Request, Up, parse, sample_badges
from diadema_sim.desk.live_view import DeskView
from diadema_sim.desk.place import Place, centre_place, connected, seated

log = logging.getLogger(__name__)

PORT = 8610
HOST = "127.0.0.1"
_PEOPLE = 3  # who have a sample badge; the first one sits here
PAGES = 20
_AT_ONCE = 16  # requests of one page under way
_TRY_LATER = 1013
_WRONG = 1008
_TEMPLATES = environment(Path(__file__).parent / "templates")
_FLOOR = ("state.", "theme", "link.")  # words that the floor has already


class CommandExecutor(Protocol):
    async def execute(self, request: Request) -> None: ...
    async def release_keys(self, keys: set[int]) -> None: ...


class View(Protocol):
    @property
    def executor(self) -> CommandExecutor: ...
    def join(self, language: str) -> Viewer: ...
    def leave(self, viewer: Viewer) -> None: ...
    def floor(self) -> str: ...
    async def watch(self) -> None: ...


async def desk_socket(websocket: WebSocket) -> None:
    """Send the station as it is, then what changes. At its end the keys it held are released."""
    await websocket.accept()
    state = websocket.app.state
    if state.pages >= PAGES:
        await websocket.close(_TRY_LATER)
        return
    view: View = state.view
    language = known(websocket.query_params.get("lang"))
    viewer = view.join(language)
    page = _Page(websocket, view.executor, viewer, language)
    state.pages += 1
    listener = asyncio.create_task(page.listen())
    sender = asyncio.create_task(viewer.run(websocket.send_text))
    overflow = asyncio.create_task(viewer.overflow.wait())
    tasks = (listener, sender, overflow)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        state.pages -= 1
        view.leave(viewer)
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


def create_app(view: View) -> ASGIApp:
    """One page, one socket: the desk of `view`."""
    app = FastAPI(title="Diadema", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.view = view
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
        """To the floor; that of a centre of its own without a login, by a link good once."""
        return RedirectResponse(view.floor(), 303, {"cache-control": "no-store"})

    app.add_api_websocket_route("/desk/ws", desk_socket)
    assets.serve(app)
    return Guard(app)


def render(language: str) -> str:
    """The page with its words; it carries those that its modules need."""
    words = page_words(language)
    template = _TEMPLATES.get_template("desk.html")
    return template.render(language=language, text_limit=MESSAGE_CHARACTERS, words=words)


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


@dataclass(frozen=True)
class DeskOptions:
    """`port` None: the usual one, or a free one when that is taken; 0: any free one. `data`: of
    the site whose seat it is (`seat` None: of one that is free), instead of a centre of its own.
    """

    port: int | None = None
    browser: bool = False
    board: SimBoard = SIM
    data: DataDir | None = None
    seat: str | None = None


@dataclass(frozen=True)
class OpenDesk:
    """A desk that is up: where its page is, what stands behind it, and the centre where it has
    one of its own.
    """

    url: str
    place: Place
    failure: asyncio.Future[None]  # raises what made it stop
    centre: Centre | None = None

    @property
    def about(self) -> dict[str, Any]:
        """For a script."""
        station = self.place.station
        return {
            "desk": self.url,
            "floor": f"{self.place.web}/",
            "wall": f"{self.place.web}/wall",
            "seat": self.place.seat,
            "station": station.id,
            "board": station.board.name,
        }


async def run_desk(options: DeskOptions, up: Callable[[OpenDesk], None]) -> None:
    """Until it is cancelled, with everything taken down. `up` gets it once it can be used."""
    opened = open_desk(options) if options.data is None else open_seat(options, options.data)
    async with opened as desk:
        up(desk)
        if options.browser:
            await asyncio.to_thread(webbrowser.open, desk.url)
        await desk.failure


@asynccontextmanager
async def open_desk(options: DeskOptions) -> AsyncIterator[OpenDesk]:
    """Everything up, and down again. Raises DiademaError when it cannot begin."""
    with listen(options.port) as listener:
        mine, *colleagues = (desk.person for desk in people.desks(_PEOPLE))
        async with open_centre(
            people.desks(1),
            name=SITE,
            zone=ZONE,
            tree=people.LIMA_TREE,
            start_utc_ms=int(time.time() * 1000),
            boards=(options.board,),
            colleagues=colleagues,
            pins=True,
        ) as centre:
            place = centre_place(centre, sample_badges([mine, *colleagues]))
            view = DeskView(place)
            await centre.switch_on()
            async with serving(view, listener) as failure:
                yield OpenDesk(_address(listener), place, failure, centre)


@asynccontextmanager
async def open_seat(options: DeskOptions, data: DataDir) -> AsyncIterator[OpenDesk]:
    """The same for a simulated station at a seat of a site whose hub runs. Raises DiademaError."""
    with listen(options.port) as listener:
        async with seated(data, options.seat, note=_address(listener)) as place:
            view = DeskView(place)
            async with connected(place), serving(view, listener) as failure:
                yield OpenDesk(_address(listener), place, failure)


def _address(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}/desk"


@asynccontextmanager
async def serving(view: View, listener: socket.socket) -> AsyncIterator[asyncio.Future[None]]:
    """The page of `view` on a socket that listens; gives what raises when either fails."""
    server = _Server(
        uvicorn.Config(
            create_app(view),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws_per_message_deflate=False,
            ws_max_size=4096,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
    )
    watch = asyncio.ensure_future(view.watch())
    serve = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield asyncio.ensure_future(_first_end(watch, serve))
    finally:
        server.should_exit = True
        watch.cancel()
        await asyncio.gather(watch, serve, return_exceptions=True)


async def _first_end(*tasks: "asyncio.Future[None]") -> None:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the desk."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int | None) -> socket.socket:
    """The page's own socket. Raises DiademaError when the port asked for is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    wanted = PORT if port is None else port
    try:
        with contextlib.suppress(OSError):
            listener.bind((HOST, wanted))
            return _opened(listener)
        if port is not None:
            raise DiademaError(
                f"port {port} is taken. Choose another with --port, or leave it out and a free "
                "one is found."
            )
        listener.bind((HOST, 0))
        return _opened(listener)
    except BaseException:
        listener.close()
        raise


def _opened(listener: socket.socket) -> socket.socket:
    listener.listen(64)
    return listener
