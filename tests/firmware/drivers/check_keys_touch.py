"""Touch pads that drift and are covered, reading by reading: `_sample` and `_look` are what one
turn of the iterator does.
"""

import drivers.keys_touch as touch_module
from drivers.keys_touch import TouchKeys
from machine import TouchPad

POLL_MS = 10
PRESS_MS = 100
NOISE = 8  # either way
PERCENT = 40  # that a finger moves a reading


class Bench:
    """A pad whose reading at rest is `rest` and drifts by `a_minute` from where it was set."""

    def __init__(self, rest, rises):
        self.now = 1000
        touch_module.ticks_ms = lambda: self.now
        self._rest = rest
        self._step = rest * PERCENT // 100 * (1 if rises else -1)
        self._since, self._a_minute = 0, 0
        self._seed = 1
        self.touched = False
        TouchPad.reads = self._reads
        self.keys = TouchKeys(14, rises=rises)
        self.said = []

    def _moved(self):
        return (self.now - self._since) * self._a_minute // 60000

    def _reads(self):
        self._seed = self._seed * 75 % 65537
        value = self._rest + self._moved() + self._seed % (2 * NOISE + 1) - NOISE
        return value + self._step if self.touched else value

    def drift(self, a_minute):
        self._rest += self._moved()
        self._since, self._a_minute = self.now, a_minute

    def wait(self, duration_ms):
        for _ in range(duration_ms // POLL_MS):
            self.now += POLL_MS
            self.keys._sample()
            found = self.keys._look(0, self.now)
            if found:
                self.said.append(found[0])

    def touch(self):
        self.touched = True
        self.wait(PRESS_MS)
        self.touched = False
        self.wait(PRESS_MS)


# at rest, and whether a touch raises it: the ESP32 and the ESP32-S3
CHIPS = ((800, False), (30000, True))


def test_a_pad_drifts_far_and_still_knows_a_finger():
    for rest, rises in CHIPS:
        bench = Bench(rest, rises)
        for a_minute in (rest // 10, -rest // 10):
            bench.drift(a_minute)
            for _ in range(6):
                bench.wait(30_000)
                bench.touch()
        assert bench.said == ["key1"] * 12


def test_what_lies_on_a_pad_for_half_a_minute_is_its_rest():
    for rest, rises in CHIPS:
        bench = Bench(rest, rises)
        bench.touched = True
        bench.wait(29_000)
        assert bench.said == ["key1"] and list(bench.keys._down) == [1]
        bench.wait(6_000)
        assert bench.said == ["key1"] and list(bench.keys._down) == [0]
        bench.touched = False
        bench.wait(2_000)
        bench.touch()
        assert bench.said == ["key1"] * 2
