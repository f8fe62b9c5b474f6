"""`/ws`: one viewer's socket. Who may open it, the guard has decided; whose agents it shows, the
person's teams do.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from diadema.access.audit import ALL, AuditFull
from diadema.access.authenticator import address_of, floor_scope
from diadema.report.kinds import KINDS
from diadema.web.faults.board import DESKS
from diadema.web.floor.channel import Channel, Teams, TooMany
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
    if view in DESKS:
        await _ticket_stream(websocket, web_app, view)
        return
    teams: Teams = None
    whose = address_of(websocket.scope)
    if view != "wall":
        person = person_of(websocket)
        if not person.may("floor"):
            await websocket.close(_WRONG)
            return
        if not person.may(KINDS["adherencia"].right):
            view = "screen"
        teams = person.scope(web_app.people())
        whose = person.id
        try:
            web_app.audit(person, "floor", ALL)
        except AuditFull:
            await websocket.close(_TRY_LATER)
            return
    await websocket.accept()
    viewer = Viewer()
    try:
        async with web_app.channels.joined(view, teams, viewer, whose) as channel:
            watches = [_scope_changed(websocket, web_app, channel)] if channel.view.inside else []
            code = await _serve(websocket, viewer, channel.again, *watches)
            channel.counts.given_up += viewer.overflow.is_set()
    except TooMany:
        code = _TRY_LATER
    if code is not None:
        await websocket.close(code)


async def _ticket_stream(websocket: WebSocket, web_app: WebApp, desk: str) -> None:
    """The tickets, whole after each change; `desk`: which page of them."""
    person, board = person_of(websocket), web_app.faults
    if not person.may(DESKS[desk]):
        await websocket.close(_WRONG)
        return
    await board.look()
    await websocket.accept()
    viewer = Viewer()
    try:
        with board.joined(viewer, person, desk):
            board.again(viewer)
            code = await _serve(websocket, viewer, board.again)
    except TooMany:
        code = _TRY_LATER
    if code is not None:
        await websocket.close(code)


async def _serve(
    websocket: WebSocket,
    viewer: Viewer,
    again: Callable[[Viewer], None],
    *watches: Coroutine[Any, Any, int],
) -> int | None:
    """Until one of both ends it; gives the code to close with."""
    listener = asyncio.create_task(_listen(websocket, viewer, again))
    sender = asyncio.create_task(viewer.run(websocket.send_text))
    overflow = asyncio.create_task(viewer.overflow.wait())
    tasks: list[asyncio.Task[object]] = [listener, sender, overflow]
    tasks += map(asyncio.create_task, watches)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    if viewer.overflow.is_set():
        log.info("a viewer could not keep up and was let go")
        return None
    return next((one for one in (results[0], *results[3:]) if isinstance(one, int)), None)


async def _listen(
    websocket: WebSocket, viewer: Viewer, again: Callable[[Viewer], None]
) -> int | None:
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
        again(viewer)


async def _scope_changed(websocket: WebSocket, web_app: WebApp, channel: Channel) -> int:
    """Until the person sees other teams than when the socket was opened; it then comes back."""
    person = person_of(websocket)
    while True:
        await asyncio.sleep(_SCOPE_S)
        if person.scope(web_app.people()) != channel.teams:
            return _TRY_LATER
