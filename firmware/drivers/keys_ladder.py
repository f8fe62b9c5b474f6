"""Keys on one ADC pin: each connects its own resistor to ground, so each has its own voltage.

Read twice 5 ms apart before a key counts, as the voltage passes others' on its way. Two keys
together give a voltage that is nobody's, or a third one's: after either, nothing counts until all
are let go. Only two that close within 20 ms can pass for a third. An ADC has no memory: a press
that begins and ends while flash is erased (45 ms as a rule, 400 at most) is not seen; one that
lasts longer is.
"""

from time import sleep_ms

from drivers.key_events import KeyEvents
from lib.errors import PartError
from machine import ADC, Pin
from micropython import const

_POLL_MS = const(15)
_SETTLE_MS = const(5)
_STUCK_MS = const(10_000)  # of a voltage that is no key's
_REST = const(-1)
_NOBODY = const(-2)
_NEVER = const(-1)


class LadderKeys(KeyEvents):
    """`millivolts` of key 1 …; a reading belongs to a key within `tolerance` of it.

    Above all of them lies rest. Raises ValueError when two keys cannot be told apart.
    """

    poll_ms = _POLL_MS

    def __init__(self, gpio, *, millivolts, tolerance=100, **options):
        super().__init__(len(millivolts), **options)
        steps = sorted(millivolts)
        for low, high in zip(steps, steps[1:]):  # noqa: B905, RUF007
            if high - low <= 2 * tolerance:
                raise ValueError("keys at %d and %d mV are too near" % (low, high))
        self._millivolts = millivolts
        self._tolerance = tolerance
        self._rest_mv = steps[-1] + tolerance
        self._adc = ADC(Pin(gpio), atten=ADC.ATTN_11DB)
        self._key = _REST
        self._mixed = 0  # nothing counts until all are let go: 1, and looks at no key's voltage
        self.reading = 0  # millivolts
        self.refused = 0  # presses of more than one key
        if self._level() == self._level() == _NOBODY:
            self._stuck()

    def _level(self):
        """Index of the key that the voltage belongs to, or rest, or nobody."""
        try:
            reading = self.reading = self._adc.read_uv() // 1000
        except OSError:
            raise PartError("keys", "no_answer", "the ADC gives no reading") from None
        if reading > self._rest_mv:
            return _REST
        for index, wanted in enumerate(self._millivolts):
            if abs(reading - wanted) <= self._tolerance:
                return index
        return _NOBODY

    def _sample(self):
        level = self._level()
        if self._mixed:
            if level == _REST:
                self._mixed = 0
            elif level == _NOBODY:
                self._mixed += 1
                if self._mixed * _POLL_MS >= _STUCK_MS:
                    self._stuck()
            return
        if level == self._key:
            return
        sleep_ms(_SETTLE_MS)
        if self._level() != level:
            return  # it moves still; next time
        if level == _REST or (level >= 0 and self._key == _REST):
            self._key = level
        else:  # two keys, or one and at once another
            self.refused += 1
            self._mixed = 1
            self._key = _REST
            for index in range(len(self._down)):  # what is pressed now shall mean nothing
                self._held[index] = _NEVER

    def _stuck(self):
        raise PartError("keys", "stuck", "let go of all keys, or check the wires of the ladder")

    def _pressed(self, index):
        return self._key == index

    def selftest(self):
        """At rest while nobody presses: a ladder that is open, short or stuck is found."""
        return self._level() == _REST
