"""Asks whoever is on a cable who it is."""

import asyncio
import contextlib

import msgspec
from msgspec import Raw, Struct

from diadema.gateway.console import Listener
from diadema.gateway.station_line import StationLine
from diadema.stations.provision.errors import ProvisionError
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE

_ASK_EVERY_S = 1.0
_OPEN_S = 1.5


class _Up(Struct):
    hello: Raw = Raw(b"")


class InUse(ProvisionError):
    """Another program has the port open; perhaps a gateway."""


async def greeting_on(port: str, limit_s: float, console: Listener | None = None) -> Hello | None:
    """The station's greeting; None when nobody says one within `limit_s`. `console` hears all
    else. Raises ProvisionError when the port cannot be opened.
    """
    opened = asyncio.Event()
    heard: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()

    def take(body: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            up = msgspec.json.decode(body, type=_Up)
            if up.hello and not heard.done():
                heard.set_result(msgspec.json.decode(up.hello, type=Hello))

    def hear(text: bytes) -> None:
        if console is not None:
            console.hear(text)

    line = StationLine(
        port, opened=opened.set, message=take, closed=lambda: None, console=hear, quiet=True
    )
    running = asyncio.create_task(line.run())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_S):
                await opened.wait()
        if not line.is_open:
            kind = InUse if line.busy else ProvisionError
            told = f"{line.error}{line.hint}" if line.error else "it does not answer"
            raise kind(f"{port} cannot be opened: {told}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not heard.done():
                    line.ask_hello()
                    await asyncio.wait([heard], timeout=_ASK_EVERY_S)
        return heard.result() if heard.done() else None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
