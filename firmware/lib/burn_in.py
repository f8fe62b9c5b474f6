"""What keeps an OLED from wearing unevenly: the picture moves by a pixel each minute, dims after
two minutes in which nothing changed, and is dark while nobody is logged in.

A key, a badge, the headset or whatever changes on the screen lights it again; a ring never dims.
A fault, or a station without configuration, does not go dark: it stays, dimmed, for who looks
for it.
"""

from micropython import const

_DIM_MS = const(120_000)
_DARK_MS = const(30_000)
_MOVE_MS = const(60_000)
_BRIGHT = const(0xCF)
_DIM = const(0x08)
_DARK = const(0)
_MOVES = const(((0, 0), (1, 0), (1, 1), (0, 1)))  # columns to the right, rows down


class BurnIn:
    """The canvas keeps its last column and its last row dark, so a move cuts nothing off."""

    bright = _BRIGHT  # as the agent wishes it

    def __init__(self):
        self._since = 0  # when somebody last did something, or something changed
        self._device = None
        self._wanted = self._done = (_BRIGHT, _MOVES[0])
        self._moved = bytearray(1024)

    def wake(self, u):
        self._since = u

    def look(self, station, u):
        """Decide; returns `u` of the next change by time alone, or None."""
        level, due = self._level(station, u)
        self._wanted = (level, _MOVES[u // _MOVE_MS % len(_MOVES)])
        return due

    def _level(self, station, u):
        situation = station.situation
        if situation == "offered":
            return self.bright, None
        limit, then = _DIM_MS, _DIM
        news = station.desk.faults or station.message or not station.config.generation
        if situation == "logged_out" and not news:
            limit, then = _DARK_MS, _DARK
        due = self._since + limit
        return (then, None) if u >= due else (self.bright, due)

    @property
    def due(self):
        """Whether the device is not yet as decided."""
        return self._wanted != self._done

    def show(self, device, buffer):
        """Bring a driver to the picture and to what was decided."""
        level, (right, down) = self._wanted
        if device is not self._device:  # just made: lit, and nothing moved
            self._device, self._done = device, (_BRIGHT, _MOVES[0])
        before, place = self._done
        if right:
            moved = self._moved
            moved[1:] = memoryview(buffer)[:-1]  # the last column comes in at the left, dark
            buffer = moved
        # a chip cannot be read: with each move all is sent, and a lost bit lasts a minute at most
        device.show(buffer, place != (right, down))
        if place != (right, down):
            device.scroll(down)
        if level != before:
            if level:
                device.contrast(level)
            if not level or not before:
                device.power(level > 0)
        self._done = self._wanted
