"""Keys on GPIOs, active low with a pull-up, as events with the time of their edge.

An interrupt notes each press, so nothing is lost while others compute. Where the chip stood
(`drivers.stalls`), an edge of a key that is up again was a press, and counts once: how often it
was pressed cannot be told from its bounce. Without a stall it is a glitch, and nothing.

Nothing is made of interrupts where an input dips (GPIO 36 and 39 of the ESP32): such a key is
looked at each 10 ms, and is not seen when it is pressed and let go within a stall.
"""

from time import ticks_diff, ticks_ms

from drivers import stalls
from drivers.contact import contact, dips, low
from drivers.key_events import BOUNCE_MS, KeyEvents
from machine import Pin
from micropython import const

_NEVER = const(-1)
_POLL_MS = const(5)  # a wait ends at a tick of 10 ms, and shall not miss one


class Keys(KeyEvents):
    """Key 1 is the first of `gpios`; other wirings may add to `count`. Also tells
    `inputs_unsure`: so much came in a stall that something may be missing.
    """

    def __init__(self, *gpios, count=None, **options):
        super().__init__(count or len(gpios), **options)
        self._pins = [contact(gpio) for gpio in gpios]
        self._late = bytearray(len(gpios) or 1)  # ring of indexes whose edge was told late
        self._reported = self._noted = 0  # of them
        self._unsure = stalls.unsure
        stalls.flags["keys"] = self._flag
        self._polled = []  # indexes
        for index, pin in enumerate(self._pins):
            if dips(gpios[index]):
                self._polled.append(index)
                self.poll_ms = _POLL_MS
            else:
                pin.irq(self._handler(index), Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _handler(self, index):
        def handler(pin):
            if stalls.late():
                if (
                    self._fell[index] == _NEVER
                    and not self._down[index]
                    and (
                        self._rest[index] == _NEVER
                        or ticks_diff(stalls.since, self._rest[index]) >= BOUNCE_MS
                    )
                ):
                    self._fell[index] = ticks_ms()  # type: ignore[call-overload]
                    self._late[self._noted % len(self._late)] = index
                    self._noted += 1
            elif self._fell[index] == _NEVER and not pin.value():
                self._fell[index] = ticks_ms()  # type: ignore[call-overload]
            self._flag.set()

        return handler

    def _pressed(self, index):
        return low(self._pins[index])

    def _calm(self):
        if self._flag.state:  # type: ignore[attr-defined]
            self._flag.clear()
            return False
        for index in self._polled:  # noqa: SIM110 - a generator takes memory each time
            if self._pins[index].value() == self._down[index]:
                return False
        return True

    def _of_stall(self, now):
        while self._reported != self._noted:
            index = self._late[self._reported % len(self._late)]
            self._reported += 1
            if self._pressed(index):  # since when, nobody knows
                found = self._look(index, now)
                if found:
                    return found
            else:
                fell, self._fell[index] = self._fell[index], _NEVER
                self._rest[index] = now
                return "key%d" % (index + 1), fell
        if self._unsure != stalls.unsure:
            self._unsure = stalls.unsure
            return "inputs_unsure", now
        return None

    def selftest(self):
        """No key may be stuck: every level is high while nobody presses."""
        return not any(low(pin) for pin in self._pins)
