"""The station's time: 64-bit milliseconds since boot, and UTC once the host or a time server gives
it: checked, anchored and recorded.

`u` orders and measures, UTC is for showing; an anchor ties the two. Ask `now()` at least once
in six days, as the tick counter below it wraps (the health report does). How fast the crystal
really runs the host finds out.
"""

import asyncio
from time import ticks_diff, ticks_ms

from lib.desk import MARKS_SINCE_S
from micropython import const

_MINUTE_MS = const(60_000)
# a message's way over the cable, behind another one or an erase, or over Wi-Fi and its broker
_WAY_MS = const(250)
_ANSWER_MS = const(10_000)  # an answer to our hello that took longer is none
_UTC_LOW = const(631_152_000_000)  # 1990, so that old logs can be worked again; 0 is a dead clock
_UTC_HIGH = const(4_100_000_000_000)


class Clock:
    def __init__(self, ticks=ticks_ms):
        self._ticks = ticks
        self._last = ticks()
        self._u = 0
        self._offset = None  # UTC ms − u
        self.anchored = 0  # u of the newest anchor
        self.source = None  # host or sntp
        self.uncertainty_ms = 0  # of the newest anchor

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
        self.uncertainty_ms = uncertainty_ms

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


def set_time(app, u, details):
    """The host's command."""
    utc, hello_u = details.get("utc"), details.get("hello_u")
    uncertainty_ms = _WAY_MS
    if isinstance(utc, int) and isinstance(hello_u, int) and 0 <= u - hello_u < _ANSWER_MS:
        half = (u - hello_u) // 2  # of the way of our hello and its answer
        utc += half
        uncertainty_ms = half + 1
    if not anchor(app, utc, u, "host", uncertainty_ms, details["i"]):
        app.host.refuse(u, details, "bad_command", "utc: milliseconds since 1970")


def anchor(app, utc, u, source, uncertainty_ms, number=None):
    """UTC was `utc` at `u`; False, and nothing changes, when that cannot be."""
    if not isinstance(utc, int) or not _UTC_LOW < utc < _UTC_HIGH:
        return False
    late = max(app.last_u - u, 0)  # the event's own u does not go back
    u += late
    utc += late
    app.clock.anchor(utc, u, source, uncertainty_ms)
    date_back(app.desk, u, utc)
    event = {"k": "station.clock", "utc": utc, "source": source}
    event["uncertainty_ms"] = uncertainty_ms
    if number is not None:
        event["i"] = number
    app.record(event, u)
    app.wake()
    return True


def date_back(desk, u, utc):
    """UTC is known: a state entered before this boot gets its true age."""
    for key, second in desk.marks.items():
        if abs(second) == 1:
            desk.marks[key] = second * (utc // 1000 - MARKS_SINCE_S)
    if desk.since == 0 and desk.since_utc is not None and desk.since_utc < utc:
        desk.since = u - (utc - desk.since_utc)
        if desk.work == "idle":
            desk.presence_since = desk.since
