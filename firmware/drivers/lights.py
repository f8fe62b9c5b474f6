"""Three lights on GPIOs: ready, busy, ring. Who calls makes them blink."""

from machine import Pin


class Lights:
    """`active`: the level that lights one, 0 where the LED hangs on the supply."""

    def __init__(self, *gpios, active=1):
        self._active = active
        self._pins = [Pin(gpio, Pin.OUT, value=1 - active) for gpio in gpios]
        self._shown = (0,) * len(gpios)

    def show(self, levels):
        """`levels`: 0 or 1 a light; pins are touched only when something changed."""
        if levels != self._shown:
            for pin, level in zip(self._pins, levels):  # noqa: B905
                pin.value(level if self._active else 1 - level)
            self._shown = levels

    def selftest(self):
        """Each pin reads back what it drives."""
        return all(
            (pin.value() == self._active) == bool(level)
            for pin, level in zip(self._pins, self._shown)  # noqa: B905
        )
