"""Three lights on GPIOs, active high: ready, busy, ring."""

from machine import Pin


class Lights:
    def __init__(self, *gpios):
        self._pins = [Pin(gpio, Pin.OUT, value=0) for gpio in gpios]
        self._shown = (0,) * len(gpios)

    def show(self, levels):
        """`levels`: 0 or 1 a light; pins are touched only when something changed."""
        if levels != self._shown:
            for pin, level in zip(self._pins, levels):  # noqa: B905
                pin.value(level)
            self._shown = levels

    def dump(self):
        return {"shown": list(self._shown)}

    def selftest(self):
        """Each pin reads back what it drives."""
        return tuple(pin.value() for pin in self._pins) == self._shown
