"""Stands in for `machine` where only a driver's own logic is looked at."""


class Pin:
    IN = 1
    OUT = 3
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2

    made = {}  # noqa: RUF012 - by GPIO, of all instances

    def __init__(self, gpio, mode=-1, pull=-1, value=None):
        self.level = 1 if value is None else value
        self.pull = pull
        self.handler = None
        Pin.made[gpio] = self

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level

    def irq(self, handler, trigger):
        self.handler = handler

    def drive(self, level):
        """The world moves the line."""
        if level != self.level:
            self.level = level
            if self.handler:
                self.handler(self)


class TouchPad:
    """Every pad reads what `reads()` returns."""

    reads = None

    def __init__(self, pin):
        pass

    def read(self):
        return TouchPad.reads()
