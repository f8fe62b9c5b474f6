"""Capacitive touch pads as keys, beside plain buttons, on the ESP32 and the ESP32-S3.

A pad's reading falls when it is touched on the ESP32 and rises on the ESP32-S3 (`rises`; ESP-IDF,
touch sensor chapters). What it reads at rest drifts with heat and damp: a baseline follows it in
about 10 s while nothing touches, at once the other way, and anew under what has lain on a pad for
30 s. A pad has no memory: a touch that begins and ends within a stall of the chip is not seen; one
that lasts longer is.
"""

from array import array
from time import ticks_diff, ticks_ms

from drivers import stalls
from drivers.keys import Keys
from lib.errors import PartError
from machine import Pin, TouchPad
from micropython import const

_POLL_MS = const(10)
_PART = const(6)  # the baseline is kept in 1/64
_SLOW = const(10)  # it follows by 1/1024 of the difference a reading
_FAST = const(3)  # and by 1/8 where the pad is further from touched than it says
_STUCK_MS = const(30_000)


class TouchKeys(Keys):
    """The first `buttons` of `gpios` are plain buttons, the rest touch pads.

    Touched is `percent` off the baseline, let go again half of that; twice in a row, as one
    reading may be noise, but once after a stall: what was let go in it is not held. A pad that
    reads nothing is no key, and the rest goes on.
    """

    poll_ms = _POLL_MS

    def __init__(self, *gpios, buttons=0, percent=20, rises=False, **options):
        super().__init__(*gpios[:buttons], count=len(gpios), **options)
        self._buttons = buttons
        self._percent = percent
        self._sign = 1 if rises else -1
        self._pads = [TouchPad(Pin(gpio)) for gpio in gpios[buttons:]]
        count = len(self._pads)
        self._value = array("i", [0] * count)
        self._base = array("i", [0] * count)  # times 64
        self._sampled = ticks_ms()
        self._touched = bytearray(count)
        self._count = bytearray(count)  # readings in a row that say otherwise
        self._since = array("i", [0] * count)
        for at in range(count):
            self._base[at] = self._read(at) << _PART
        self._sample()

    def _read(self, at):
        """What the pad reads; 0 for one that is broken, which is left alone."""
        try:
            value = self._pads[at].read()
        except (OSError, ValueError):
            value = 0
        self._value[at] = value
        return value

    def _sample(self):
        now = ticks_ms()
        stood = ticks_diff(now, self._sampled) >= stalls.BEAT_MS
        self._sampled = now
        for at in range(len(self._pads)):
            value = self._read(at)
            if not value:
                self._touched[at] = 0
                continue
            base = self._base[at]
            away = ((value << _PART) - base) * self._sign  # positive: towards touched
            limit = base // 100 * self._percent
            touched = away > (limit >> 1 if self._touched[at] else limit)
            if touched == self._touched[at]:
                self._count[at] = 0
            else:
                self._count[at] += 1
                if self._count[at] > 1 or stood:
                    self._count[at] = 0
                    self._touched[at] = touched
                    self._since[at] = now  # type: ignore[call-overload]
            if away < 0:
                self._base[at] += ((value << _PART) - base) >> _FAST
            elif not self._touched[at]:
                self._drift(at, (value << _PART) - base)
            elif ticks_diff(now, self._since[at]) >= _STUCK_MS:
                self._base[at] = value << _PART
                self._touched[at] = 0
        if self._pads and not any(self._value):
            raise PartError("keys", advice="no touch pad reads anything")

    def _drift(self, at, difference):
        step = difference >> _SLOW
        if not step and difference:
            step = 1 if difference > 0 else -1
        self._base[at] += step

    def _calm(self):
        return False

    def _pressed(self, index):
        if index < self._buttons:
            return super()._pressed(index)
        return self._touched[index - self._buttons]

    def dump(self):
        return {
            "reading": list(self._value),
            "baseline": [base >> _PART for base in self._base],
        }

    def selftest(self):
        """No key may be stuck, and each pad reads something."""
        try:
            self._sample()
        except PartError:
            return False
        return super().selftest() and all(self._value) and not any(self._touched)
