"""A virtual desk from the first process to the last: centre, station, page."""

import asyncio
import contextlib
import json
import socket
import time
import webbrowser
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import uvicorn
from diadema.base.errors import DiademaError

from diadema_sim import people
from diadema_sim.build import SIM, SimBoard
from diadema_sim.centre import Centre, open_centre
from diadema_sim.demo import SITE, ZONE
from diadema_sim.desk.commands import sample_badges
from diadema_sim.desk.live_view import DeskView
from diadema_sim.desk.page import View, create_app

PORT = 8610
HOST = "127.0.0.1"
_PEOPLE = 3  # who have a sample badge; the first one sits here


@dataclass(frozen=True)
class DeskOptions:
    """`port` None: the usual one, or a free one when that is taken; 0: any free one."""

    port: int | None = None
    browser: bool = False
    board: SimBoard = SIM


class Watched(View, Protocol):
    async def watch(self) -> None: ...


@dataclass(frozen=True)
class OpenDesk:
    """A desk that is up: where its page is, and the centre behind it."""

    url: str
    centre: Centre
    failure: asyncio.Future[None]  # raises what made it stop

    @property
    def about(self) -> dict[str, Any]:
        """For a script."""
        station = self.centre.agents[0].station
        return {
            "desk": self.url,
            "floor": f"{self.centre.web}/",
            "wall": f"{self.centre.web}/wall",
            "station": station.id,
            "board": station.board.name,
        }


async def run_desk(options: DeskOptions, up: Callable[[OpenDesk], None]) -> None:
    """Until it is cancelled, with everything taken down. `up` gets it once it can be used."""
    async with open_desk(options) as desk:
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
            site = json.loads(centre.data.site.read_bytes())
            view = DeskView(centre, sample_badges([mine, *colleagues]), site)
            await centre.switch_on()
            address = f"http://{HOST}:{listener.getsockname()[1]}/desk"
            async with serving(view, listener) as failure:
                yield OpenDesk(address, centre, failure)


@asynccontextmanager
async def serving(view: Watched, listener: socket.socket) -> AsyncIterator[asyncio.Future[None]]:
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
