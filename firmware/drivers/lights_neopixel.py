"""Three WS2812B pixels in a row as lights: ready, busy, ring (WorldSemi WS2812B, timing table).

Who confuses red and green, or sees no colour at all, goes by place, brightness and blink: each
light is at least three times as bright as the one before. A pixel cannot be read, so what it shows
is sent again at each turn: what a disturbance left lasts until then.
"""

from time import sleep_ms

from micropython import const

_TIMING = const((400, 850, 800, 450))  # ns a 0 is high and low, a 1 is high and low

# green, red, blue, as they are sent: blue-green, orange, white
COLOURS = (b"\x08\x00\x0a", b"\x10\x30\x00", b"\x50\x50\x50")


class NeoPixelLights:
    """`first`: pixels before ours, kept dark."""

    def __init__(self, gpio, *, first=0):
        from machine import Pin, bitstream

        self._bitstream = bitstream  # 90 µs for three, with interrupts off
        self._pin = Pin(gpio, Pin.OUT, value=0)
        self._first = 3 * first
        self._data = bytearray(self._first + 3 * len(COLOURS))
        self._send()

    def show(self, levels):
        """`levels`: 0 or 1 a light."""
        at = self._first
        for colour, level in zip(COLOURS, levels):  # noqa: B905
            self._data[at : at + 3] = colour if level else bytes(3)
            at += 3
        self._send()

    def _send(self):
        self._bitstream(self._pin, 0, _TIMING, self._data)

    def selftest(self):
        """Nothing comes back from a pixel; look at them: all three light up for a moment."""
        lit = bytes(self._data)
        self.show((1, 1, 1))
        sleep_ms(300)
        self._data[:] = lit
        self._send()
        return True
