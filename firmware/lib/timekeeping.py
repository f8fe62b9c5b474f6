"""The station's time: 64-bit milliseconds since boot, and UTC once the host has told it.

`u` orders and measures, UTC is for showing; an anchor ties the two. Ask `now()` at least once
in six days, as the tick counter below it wraps (the health report does). How fast the crystal
really runs the host finds out.
"""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

_MINUTE_MS = const(60_000)


class Clock:
    def __init__(self, ticks=ticks_ms):
        self._ticks = ticks
        self._last = ticks()
        self._u = 0
        self._offset = None  # UTC ms − u
        self.anchored = 0  # u of the newest anchor
        self.source = None  # host or sntp
        self.doubt_ms = 0  # of the newest anchor

    def now(self):
        """Milliseconds since boot; never goes back."""
        ticks = self._ticks()
        step = ticks_diff(ticks, self._last)
        if step > 0:
            self._u += step
            self._last = ticks
        return self._u

    def at(self, ticks):
        """`u` of a tick count taken a short while ago (the edge of a key)."""
        return self.now() + min(ticks_diff(ticks, self._last), 0)  # an old one seems to come

    def anchor(self, utc, u, source="host", uncertainty_ms=0):
        """UTC milliseconds were `utc`, give or take, when the station's clock was at `u`."""
        self._offset = utc - u
        self.anchored = u
        self.source = source
        self.doubt_ms = uncertainty_ms

    def utc(self, u):
        """UTC milliseconds at `u`, or None before the first anchor."""
        return None if self._offset is None else u + self._offset

    def wall(self, u, utc_offset_min):
        """(hour, minute) at `u` on the site's wall, or None while unknown."""
        if self._offset is None:
            return None
        minutes = (u + self._offset) // _MINUTE_MS + utc_offset_min
        return minutes // 60 % 24, minutes % 60

    def next_minute(self, u):
        """`u` at which the wall's minute changes, or None while unknown."""
        if self._offset is None:
            return None
        return u + _MINUTE_MS - (u + self._offset) % _MINUTE_MS


async def wait(event, wait_ms):
    """Wait for an asyncio.Event, at most `wait_ms` (None: for ever)."""
    try:
        await asyncio.wait_for_ms(event.wait(), wait_ms)
    except asyncio.TimeoutError:
        pass
