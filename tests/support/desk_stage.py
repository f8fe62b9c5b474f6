"""The virtual desk's page without a station: a room that sends what a test says, and an executor
that remembers what was requested of it.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from diadema.web.floor.viewers import Viewer
from diadema_sim.desk.commands import Refused, Request
from diadema_sim.desk.server import listen, serving
from websockets.asyncio.client import ClientConnection, connect

LIMIT_S = 300
HELLO = {
    "site": "Centro", "zone": "America/Lima", "seat": "A-01", "station": "DIA-02d1ade00001",
    "board": "sim",
    "badges": [
        {"id": "a001", "name": "Rosa Lúcuma", "team": "Turno Ají", "pin": "123654"},
        {"id": "a002", "name": "Julio Picaflor", "team": "Turno Maíz", "pin": "456123"},
        {"id": "unknown", "name": None, "team": "", "pin": None},
    ],
    "said": [
        {"id": 1, "n": 1, "t": 1_795_000_000_000, "k": "station.booted", "tone": "station",
         "text": "La estación arrancó."},
        {"id": 2, "n": 2, "t": 1_795_000_001_000, "k": "session.denied", "tone": "bad",
         "text": "Fotocheck no reconocido."},
    ],
}  # fmt: skip
STANDING: dict[str, Any] = {
    "powered": True, "plugged": True, "cable": True, "reading": None, "state": "ready",
    "who": "Rosa Lúcuma", "volume": 70, "stored": 2, "crashed": False,
}  # fmt: skip


def face(ram: bytes = bytes(1024), on: bool = True) -> dict[str, Any]:
    screen = base64.b64encode(ram).decode()
    return {"face": {"screen": screen, "on": on, "lights": [True, False, False]}}


class CommandExecutor:
    """Remembers; refuses or waits if told to."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Request] = asyncio.Queue()
        self.let_go_of: asyncio.Queue[set[int]] = asyncio.Queue()
        self.refusal: Refused | None = None
        self.free = asyncio.Event()
        self.free.set()

    async def execute(self, request: Request) -> None:
        if self.refusal:
            raise self.refusal
        self.asked.put_nowait(request)
        await self.free.wait()

    async def release_keys(self, keys: set[int]) -> None:
        self.let_go_of.put_nowait(keys)


class Room:
    def __init__(self) -> None:
        self.executor = CommandExecutor()
        self.languages: list[str] = []
        self.viewers: list[Viewer] = []

    def join(self, language: str) -> Viewer:
        self.languages.append(language)
        viewer = Viewer()
        for message in ({"hello": HELLO}, face(), {"standing": STANDING}):
            viewer.offer(json.dumps(message))
        self.viewers.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self.languages.pop()
        self.viewers.remove(viewer)

    def tell(self, message: dict[str, Any]) -> None:
        for viewer in self.viewers:
            viewer.offer(json.dumps(message))

    def floor(self) -> str:
        return "http://127.0.0.1:9/enter?code=once"

    async def watch(self) -> None:
        await asyncio.Event().wait()


class Stage:
    def __init__(self, room: Room, port: int) -> None:
        self.room = room
        self.executor = room.executor
        self.url = f"http://127.0.0.1:{port}"
        self.ws = f"ws://127.0.0.1:{port}/desk/ws"

    @asynccontextmanager
    async def page(self, query: str = "", **options: Any) -> AsyncIterator[ClientConnection]:
        async with connect(self.ws + query, **options) as page:
            for key in ("hello", "face", "standing"):
                assert key in json.loads(await page.recv())
            yield page


@asynccontextmanager
async def desk_stage() -> AsyncIterator[Stage]:
    room = Room()
    with listen(0) as listener:
        async with asyncio.timeout(LIMIT_S), serving(room, listener):
            yield Stage(room, listener.getsockname()[1])
