"""`/ws`: one viewer's socket, of the floor, the calls for help or the faults. Who may open it, the
guard has decided; whose agents it shows, the person's teams do.
"""

import asyncio
import logging

from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema.access.audit import ALL, AuditFull
from diadema.access.authenticator import STREAMS, address_of, floor_scope
from diadema.report.kinds import KINDS
from diadema.web.faults.board import DESKS
from diadema.web.floor.channel import Stream, TooMany, Whose
from diadema.web.floor.viewers import Viewer
from diadema.web.permissions import person_of
from diadema.web.web_app import WebApp, web_app_of

log = logging.getLogger(__name__)

_TRY_LATER = 1013
_WRONG = 1008
_SCOPE_S = 1.0


async def floor_stream(websocket: WebSocket) -> None:
    """A snapshot, then deltas. The viewer may only ask for a fresh snapshot: `snap`."""
    web_app = web_app_of(websocket)
    view = floor_scope(websocket.scope["query_string"])
    whose: Whose = None
    who = address_of(websocket.scope)
    if view != "wall":
        person = person_of(websocket)
        if not person.may(STREAMS.get(view, "floor")):
            await websocket.close(_WRONG)
            return
        if view == "full" and not person.may(KINDS["adherencia"].right):
            view = "screen"
        whose = person if view in STREAMS else person.scope(web_app.people())
        who = person.id
        try:
            if view in DESKS:  # which tell of no agent
                await web_app.faults.read_now()
            else:
                web_app.audit(person, "help" if view == "help" else "floor", ALL)
        except AuditFull:
            await websocket.close(_TRY_LATER)
            return
    await websocket.accept()
    viewer = Viewer()
    try:
        async with web_app.channels.joined(view, whose, viewer, who) as channel:
            code = await _serve(websocket, web_app, channel, viewer)
    except TooMany:
        code = _TRY_LATER
    if code is not None:
        await websocket.close(code)


async def _serve(
    websocket: WebSocket, web_app: WebApp, channel: Stream, viewer: Viewer
) -> int | None:
    """Until one of both ends it; gives the code to close with."""
    listener = asyncio.create_task(_listen(websocket, channel, viewer))
    sender = asyncio.create_task(viewer.run(websocket.send_text))
    overflow = asyncio.create_task(viewer.overflow.wait())
    tasks: list[asyncio.Task[object]] = [listener, sender, overflow]
    if channel.inside:
        tasks.append(asyncio.create_task(_scope_changed(websocket, web_app, channel)))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if viewer.overflow.is_set():
        channel.counts.given_up += 1
        log.info("a viewer could not keep up and was let go")
        return None
    return next((one for one in (results[0], *results[3:]) if isinstance(one, int)), None)


async def _listen(websocket: WebSocket, channel: Stream, viewer: Viewer) -> int | None:
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


async def _scope_changed(websocket: WebSocket, web_app: WebApp, channel: Stream) -> int:
    """Until the person sees other teams than when the socket was opened; it then comes back."""
    person = person_of(websocket)
    while True:
        await asyncio.sleep(_SCOPE_S)
        if person.scope(web_app.people()) != channel.teams:
            return _TRY_LATER
