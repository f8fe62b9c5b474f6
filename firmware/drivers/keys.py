"""Keys on GPIOs, active low with a pull-up, as events with the time of their edge.

An interrupt notes each press, so nothing is lost while others compute. While flash is erased the
ESP32 runs no interrupt of ours, up to 400 ms for a sector; a pin's latch then tells of one edge
afterwards. Such an edge of a key that is up again counts when the app says that it `stalled`;
without a stall it is a glitch, too short to be read, and nothing.
"""

from array import array
from time import ticks_diff, ticks_ms

from drivers.contact import contact
from drivers.key_events import KeyEvents
from machine import Pin
from micropython import const

_NEVER = const(-1)


class Keys(KeyEvents):
    """Key 1 is the first of `gpios`; other wirings may add to `count`."""

    def __init__(self, *gpios, count=None, **options):
        super().__init__(count or len(gpios), **options)
        self._pins = [contact(gpio) for gpio in gpios]
        self._unseen = array("i", [_NEVER] * len(gpios))  # ticks of an edge over when it was told
        for index, pin in enumerate(self._pins):
            pin.irq(self._handler(index), Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _handler(self, index):
        def handler(pin):
            if pin.value():
                self._unseen[index] = ticks_ms()  # type: ignore[call-overload]
            elif self._fell[index] == _NEVER:
                self._fell[index] = ticks_ms()  # type: ignore[call-overload]
            self._flag.set()

        return handler

    def _pressed(self, index):
        return not self._pins[index].value()

    def stalled(self, duration_ms):
        """Keys that went down and up again in what ended just now were pressed."""
        now = ticks_ms()
        for index in range(len(self._pins)):
            unseen, self._unseen[index] = self._unseen[index], _NEVER
            if (
                unseen != _NEVER
                and not self._down[index]
                and self._fell[index] == _NEVER
                and ticks_diff(now, unseen) <= duration_ms
            ):
                self._fell[index] = unseen
                self._flag.set()

    def selftest(self):
        """No key may be stuck: every level is high while nobody presses."""
        return all(pin.value() for pin in self._pins)
