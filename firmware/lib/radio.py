"""The radio, of which there is one: whoever uses it holds `app.radio_lock` meanwhile, so that
nobody switches it off under somebody else.

What takes seconds in C and lets go of MicroPython's lock runs beside the loop, in a thread.
"""

import _thread
import asyncio

from lib import chip
from lib.errors import PartError
from micropython import const

_LOOK_MS = const(50)
_BYTES = const(42_000)  # made, active and joined
_BLOCK = const(4_096)


async def beside(function, *arguments):
    """What `function` returns or raises; MemoryError where no thread can be made. Nobody leaves
    before it has ended.
    """
    found = []
    failed = []

    def run():
        try:
            found.append(function(*arguments))
        except Exception as error:
            failed.append(error)

    try:
        _thread.start_new_thread(run, ())
    except (OSError, RuntimeError):
        raise MemoryError("no room for a thread") from None
    cancelled = None
    while not found and not failed:
        try:
            await asyncio.sleep_ms(_LOOK_MS)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled or failed:
        raise cancelled or failed[0]
    return found[0]


def made(app):
    """The radio, made when it is first needed and there is memory for it. Raises PartError."""
    parts = app.parts
    if not parts.has("wifi"):
        raise PartError("wifi", "none", "this board has no radio")
    if not parts.get("wifi") and chip.scarce(_BYTES, _BLOCK):
        raise PartError("wifi", "no_memory", "is the image for its PSRAM?")
    return parts.get("wifi") or parts.make("wifi")


async def join(app, wifi):
    """The radio, in the network of a configuration. Raises PartError."""
    radio = made(app)
    ssid, password = wifi["ssid"], wifi["password"]
    if not radio.is_on(ssid, password):
        await radio.connect(ssid, password, await beside(radio.scan))
    return radio
