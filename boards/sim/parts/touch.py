"""A capacitive touch pad: what its counter reads at rest, touched, drifting and in noise.

On the ESP32 a touch lowers the reading (charge cycles in a fixed time), on the ESP32-S3 it raises
it (time for fixed cycles): ESP-IDF, "Touch Sensor" of each chip.
"""

import wire


class Pad:
    """`fault`: "noise" makes single readings jump as far as a touch, "gone" reads 0."""

    def __init__(self, net, rest=800, percent=40, rises=False, noise=8):
        self._rest = rest
        self._step = rest * percent // 100 * (1 if rises else -1)
        self._noise = noise
        self._seed = 1
        self._drift = (0, 0)  # from when, readings a minute
        self._jumped = False
        self.touched = False
        self.fault = None
        net.touch = self._read

    def drift(self, a_minute):
        """From now on the reading at rest moves, as with heat or damp."""
        self._rest += self._moved()
        self._drift = (wire.now(), a_minute)

    def _moved(self):
        since, a_minute = self._drift
        return (wire.now() - since) * a_minute // 60000

    def _read(self):
        if self.fault == "gone":
            return 0
        self._seed = self._seed * 75 % 65537
        value = self._rest + self._moved() + self._seed % (2 * self._noise + 1) - self._noise
        self._jumped = self.fault == "noise" and self._seed % 8 == 0 and not self._jumped
        return value + self._step if self.touched or self._jumped else value

    def dump(self):
        return {"touched": self.touched, "fault": self.fault}
