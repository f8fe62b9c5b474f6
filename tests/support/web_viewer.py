"""A viewer of the stream that keeps the rows as the protocol tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from playwright.async_api import Page
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_

from tests.support.web_stage import Web, headers_of

OpenPage = Callable[..., Awaitable[Page]]

LIMIT_S = 300
# what a page takes away by itself after some seconds stays until it was seen
STAYS = """() => { const real = window.setTimeout;
  window.setTimeout = (run, ms, ...more) => ms > 3000 ? 0 : real(run, ms, ...more); }"""
connect = partial(connect_, open_timeout=LIMIT_S, ping_interval=None)  # patient


class Viewer:
    """A viewer that keeps the rows as the protocol tells it to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seq = -1
        self.down = True
        self.rows: list[dict[str, Any]] = []
        self.snap: dict[str, Any] = {}

    async def take(self) -> dict[str, Any]:
        """The next message, taken in; a gap fails."""
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 60))
        self.down = message.get("snap", message).get("down") is not None
        if "snap" in message:
            self.snap = message["snap"]
            self.seq = self.snap["seq"]
            columns = self.snap["who"] + self.snap["live"]
            self.rows = [
                dict(zip(columns, who + live, strict=True)) for who, live in self.snap["rows"]
            ]
            return message
        assert message["seq"] == self.seq + 1
        self.seq = message["seq"]
        self.snap |= {key: value for key, value in message.items() if key in self.snap}
        for index, *live in message["d"]:
            self.rows[index].update(zip(self.snap["live"], live, strict=True))
        return message

    async def until(self, **wanted: Any) -> list[dict[str, Any]]:
        """Take messages until a row has these values; gives the messages."""
        messages: list[dict[str, Any]] = []
        while not any(wanted.items() <= row.items() for row in self.rows):
            messages.append(await self.take())
        return messages


@asynccontextmanager
async def viewing(
    web: Web, query: str = "", cookies: Mapping[str, str] | None = None
) -> AsyncIterator[Viewer]:
    """As an administrator, or as the person whose cookies these are."""
    opened = connect(
        web.ws + query, compression=None, additional_headers=headers_of(cookies or web.cookies)
    )
    async with asyncio.timeout(LIMIT_S), opened as socket:
        viewer = Viewer(socket)
        assert "snap" in await viewer.take()
        yield viewer
