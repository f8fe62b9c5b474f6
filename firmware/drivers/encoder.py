"""A rotary encoder with a push switch, beside plain keys: what it does are names the app knows.

A detent to the right is long4 (volume up), one to the left long3 (volume down); the push is key 1
(LLAMADA), held long it is what `long_keys` makes of it. `gpios` after the push are key 2 …: alone,
a knob answers, hangs up and sets the volume, and reaches no soft label.
Turns are decoded by the table of quadrature steps, so a bouncing contact goes back and forth and
comes to nothing; a step that cannot be (both lines at once) is counted and leaves out a detent.
"""

from time import ticks_ms

from drivers import stalls
from drivers.contact import contact
from drivers.keys import Keys
from machine import Pin
from micropython import const

# by old line levels and new (a, b, a, b): a step to the right, to the left, none, or impossible
_STEPS = const((0, -1, 1, 2, 1, 0, 2, -1, -1, 2, 0, 1, 2, 1, -1, 0))
_REST = const(3)  # both contacts open at a detent


class EncoderKeys(Keys):
    """`a` and `b` are the encoder's contacts, to ground; `turns` what right and left are named."""

    def __init__(self, a, b, push, *gpios, turns=("long4", "long3"), **options):
        super().__init__(push, *gpios, **options)
        self._turns = turns
        self._lines = [contact(a), contact(b)]
        self._state = self._levels()
        self._steps = 0  # since the last detent
        self._detents = 0  # to the right, not told yet
        self._turned = 0  # ticks of the newest
        self.lost = 0  # steps that cannot be
        for pin in self._lines:
            pin.irq(self._turn, Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _levels(self):
        return self._lines[0].value() << 1 | self._lines[1].value()

    def _turn(self, _pin):
        stalls.late()  # levels of a stall are gone: turns in it are lost, and turn nothing else
        state = self._levels()
        step = _STEPS[self._state << 2 | state]
        self._state = state
        if step == 2:
            self.lost += 1
        else:
            self._steps += step
        if state == _REST:
            if abs(self._steps) > 2:  # three of four will do
                self._detents += 1 if self._steps > 0 else -1
                self._turned = ticks_ms()  # type: ignore[assignment]
                self._flag.set()
            self._steps = 0

    def _look(self, index, now):
        if self._detents:
            left = self._detents < 0
            self._detents += 1 if left else -1
            return self._turns[left], self._turned
        return super()._look(index, now)

    def selftest(self):
        """No key is stuck, and the knob rests in a detent."""
        return super().selftest() and self._levels() == _REST
