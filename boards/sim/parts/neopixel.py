"""WS2812B pixels in a row at the level of their pulses (WorldSemi WS2812B, timing table).

A pulse that is high for 400 ± 150 ns is 0, for 800 ± 150 ns is 1. Each pixel keeps the first 24
bits (green, red, blue) and passes on the rest. What is pulsed out of tolerance is not taken.
"""

_RIGHT = (400, 850, 800, 450)
_TOLERANCE = 150


class NeoPixels:
    """`fault`: "bit" turns one bit of each frame over, "gone" has no supply."""

    def __init__(self, net, count=3):
        self.pixels = [(0, 0, 0)] * count  # red, green, blue
        self.frames = 0
        self.refused = 0
        self.fault = None
        net.pixels = self._take

    def _take(self, timing, data):
        if self.fault == "gone":
            return
        if any(abs(ns - right) > _TOLERANCE for ns, right in zip(timing, _RIGHT)):  # noqa: B905
            self.refused += 1
            return
        data = bytearray(data)
        if self.fault == "bit":
            data[self.frames % len(data)] ^= 0x80
        self.frames += 1
        for at in range(min(len(self.pixels), len(data) // 3)):
            green, red, blue = data[3 * at : 3 * at + 3]
            self.pixels[at] = (red, green, blue)

    def lit(self):
        return [any(pixel) for pixel in self.pixels]

    def dump(self):
        return {"pixels": self.pixels, "frames": self.frames, "refused": self.refused}
