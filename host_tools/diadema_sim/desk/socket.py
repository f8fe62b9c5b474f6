"""`/desk/ws`: one page's socket. It sees the station, and what it asks is carried out."""

import asyncio
import json
import logging
from typing import Protocol

from diadema.base.errors import DiademaError
from diadema.web.viewers import Viewer
from diadema.words import known
from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema_sim.desk.requests import (
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
