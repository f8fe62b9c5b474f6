"""`/ws`: one viewer's socket. Who may open it, and with which scope, the guard has decided."""

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema.web.channel import Channel
from diadema.web.guard import floor_scope
from diadema.web.service import Service
from diadema.web.viewers import Viewer

log = logging.getLogger(__name__)

VIEWERS = 500
_TRY_LATER = 1013
_WRONG = 1008


async def floor_stream(websocket: WebSocket) -> None:
    """A snapshot, then deltas. The viewer may only ask for a fresh snapshot: `snap`."""
    service: Service = websocket.app.state.service
    channel = service.channels[floor_scope(websocket.scope["query_string"])]
    await websocket.accept()
    if sum(len(one.viewers) for one in service.channels.values()) >= VIEWERS:
        await websocket.close(_TRY_LATER)
        return
    viewer = Viewer()
    channel.join(viewer)
    listener = asyncio.create_task(_listen(websocket, channel, viewer))
    sender = asyncio.create_task(viewer.run(websocket.send_text))
    overflow = asyncio.create_task(viewer.overflow.wait())
    tasks = (listener, sender, overflow)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        channel.leave(viewer)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if viewer.overflow.is_set():
        channel.given_up += 1
        log.info("a viewer could not keep up and was let go")
    elif isinstance(results[0], int):
        await websocket.close(results[0])


async def _listen(websocket: WebSocket, channel: Channel, viewer: Viewer) -> int | None:
    """Until the viewer leaves, or says what it may not: then the code to close with."""
    loop = asyncio.get_running_loop()
    last = loop.time() - 1
    while True:
        try:
            said = await websocket.receive_text()
        except WebSocketDisconnect:
            return None
        except KeyError:  # bytes, not text
            return _WRONG
        if said != "snap" or loop.time() - last < 0.5:
            return _WRONG
        last = loop.time()
        channel.again(viewer)
