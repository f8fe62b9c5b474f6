"""What people do to the station: what its keys, reader and headset socket say becomes an input."""

import asyncio

from lib.errors import StationError
from micropython import const

_FIRST_MS = const(1_000)
_MOST_MS = const(60_000)


async def attend(app, role):
    """Pass on what a part says, for ever; one that fails is told, and made again."""
    wait_ms = _FIRST_MS
    while True:
        since = app.clock.now()
        try:
            await INPUTS[role](app, app.parts.make(role))
        except (StationError, OSError) as error:
            app.parts.failed(role, error)
            app.wake()
        if app.clock.now() - since > wait_ms:  # it did work
            wait_ms = _FIRST_MS
        await asyncio.sleep_ms(wait_ms)
        wait_ms = min(wait_ms * 2, _MOST_MS)


async def _keys(app, keys):
    async for name, ticks in keys:
        app.post(name, app.clock.at(ticks))


async def _headset(app, headset):
    async for plugged in headset:
        app.post("headset", app.clock.now(), plugged)


async def _badges(app, reader):
    await reader.start()
    app.fault("badge_reader", None)
    async for identity in reader:
        u = app.clock.now()
        if identity is None:
            app.post("bad_read", u)
        else:
            app.post("badge", u, app.machine.config.find(reader.kind, identity))


INPUTS = {"keys": _keys, "headset": _headset, "badge_reader": _badges}
