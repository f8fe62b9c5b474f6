"""What waits until the journal has room: the end of an act whose beginning is on flash, and what
time brings.
"""

from micropython import const

_PAUSE_MS = const(1_000)
_LONGEST_MS = const(60_000)


class Unwritten:
    """`record(event, u)` says whether there was room."""

    def __init__(self, record):
        self._record = record
        self._events = []  # each with its u
        self.again_at = 0  # u before which what time brings is not tried again
        self._pause_ms = _PAUSE_MS

    def take(self, events, u):
        """Record an act whole or not at all, as far as its first event decides that; its end is
        kept where there is no room for it, and nothing goes before it. False when any was not
        recorded.
        """
        for at, event in enumerate(events):
            if self._events or not self._record(event, u):
                if at and not self._events:
                    self._events = [dict(event, u=u) for event in events[at:]]
                return False
        return True

    def timed(self, now, waits):
        """What time brings was tried; `waits`: and found no room."""
        if waits:
            self.again_at = now + self._pause_ms
            self._pause_ms = min(self._pause_ms * 2, _LONGEST_MS)
        else:
            self._pause_ms = _PAUSE_MS

    def go_on(self, now):
        """There is room again: (whether something was recorded, whether time is looked at)."""
        wrote, tried = bool(self._events), bool(self.again_at)
        while self._events and self._record(self._events[0], now):
            self._events.pop(0)
        self.again_at = 0
        return wrote, tried
