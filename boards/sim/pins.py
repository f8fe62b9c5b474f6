"""Pins of the simulated board: a net is one GPIO's wire, which models and output pins drive."""

import chips
import wire

chip = "esp32"  # and its PSRAM: which GPIOs there are, and what they can (`chips`)
_latched = None  # while flash is erased: nets whose latch has seen an edge


class Net:
    """One GPIO's wire: who drives it decides its level; edges call the interrupt handler."""

    def __init__(self, gpio):
        self.gpio = gpio
        self.level = 1
        self.handler = None
        self.trigger = 0
        self.watchers = []  # functions(level), for models
        self.touch = 1000  # what a TouchPad reads here, or a function that tells it
        self.millivolts = 0  # what an ADC reads here, or a function that tells it
        self.pulses = None  # a model's function(hertz, duty), for machine.PWM
        self.pixels = None  # a model's function(timing, data), for machine.bitstream

    def drive(self, level):
        """A model or an output pin sets the level."""
        if level == self.level:
            return
        self.level = level
        edge = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
        if self.handler and self.trigger & edge:
            if _latched is None:
                self.handler(self.pin)
            elif self not in _latched:
                _latched.append(self)
        for watch in self.watchers:
            watch(level)


def stall(ms):
    """`ms` in which the chip runs nothing: one edge of several is told of each pin, afterwards."""
    global _latched
    if ms:
        _latched = []
        wire.wait(wire.now() + ms)
        late, _latched = _latched, None
        for wired in late:
            wired.handler(wired.pin)


_nets = {}


def net(gpio):
    """The net of a GPIO number, made on first use."""
    if gpio not in _nets:
        _nets[gpio] = Net(gpio)
    return _nets[gpio]


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    DRIVE_0 = 0
    DRIVE_3 = 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        rules = chips.rules(chip)
        if id not in rules.pins:
            raise ValueError("invalid pin")
        if id in rules.input_only and mode in (Pin.OUT, Pin.OPEN_DRAIN):
            raise ValueError("pin can only be input")
        self.net = net(id)
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        self.mode = mode
        if value is not None:
            self.net.drive(1 if value else 0)

    def value(self, x=None):
        if x is None:
            return self.net.level
        self.net.drive(1 if x else 0)

    __call__ = value

    def on(self):
        self.net.drive(1)

    def off(self):
        self.net.drive(0)

    def irq(self, handler=None, trigger=IRQ_RISING | IRQ_FALLING, wake=None, hard=False):
        self.net.pin = self
        self.net.handler = handler
        self.net.trigger = trigger
        return self

    def __repr__(self):
        return "Pin(%d)" % self.net.gpio


class Signal:
    def __init__(self, pin, *arguments, invert=False, **options):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *arguments, **options)
        self._invert = invert

    def value(self, x=None):
        if x is None:
            return self._pin.value() ^ self._invert
        self._pin.value(bool(x) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
