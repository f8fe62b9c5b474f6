"""A ladder of keys on an ADC pin: a pull-up, and a resistor to ground for each key.

Resistors are computed from the millivolts of each key, so that two keys at once give what the
real parallel resistors would. Contacts bounce, readings are noisy (the ESP32 datasheet allows
its ADC ±60 mV after calibration, 20 to 30 mV from one reading to the next is usual).
"""

import wire

_SUPPLY_MV = 3300


class Ladder:
    """`fault`: "noise" makes it three times as noisy, "open" and "stuck" (a shorted wire)."""

    def __init__(self, net, millivolts, noise_mv=15):
        self._resistors = [value / (_SUPPLY_MV - value) for value in millivolts]  # of the pull-up
        self._noise_mv = noise_mv
        self._seed = 1
        self.pressed = set()
        self._read_down = 0  # times since the last press
        self.fault = None
        net.millivolts = self._read

    def press(self, key, bounce=0):
        self._read_down = 0
        self._move(key, True, bounce)

    def release(self, key, bounce=0):
        """Tells how often it was read since the press: nothing else remembers it."""
        self._move(key, False, bounce)
        return {"read": self._read_down}

    def _move(self, key, closed, bounce):
        self._set(key, closed)
        for ms in range(1, bounce + 1):
            state = closed if ms % 2 == 0 or ms == bounce else not closed
            wire.alarm(wire.now() + ms, lambda state=state: self._set(key, state))

    def _set(self, key, closed):
        if closed:
            self.pressed.add(key)
        else:
            self.pressed.discard(key)

    def _read(self):
        self._read_down += 1
        self._seed = self._seed * 75 % 65537  # Lehmer, one full turn of 65536
        spread = self._noise_mv * (3 if self.fault == "noise" else 1)
        noise = self._seed % (2 * spread + 1) - spread
        if self.fault == "stuck":
            return max(noise, 0)
        if self.fault == "open" or not self.pressed:
            return _SUPPLY_MV + noise
        conductance = sum(1 / self._resistors[key - 1] for key in self.pressed)
        return int(_SUPPLY_MV / (1 + conductance)) + noise

    def dump(self):
        return {"pressed": sorted(self.pressed), "fault": self.fault}
