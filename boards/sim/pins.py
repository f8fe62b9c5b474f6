"""Pins of the simulated board: a net is one GPIO's wire, which models and output pins drive.

Handlers are soft, as the ESP32 port's: an interrupt schedules its handler, which runs between
bytecodes. While the chip stands in a C call they wait, `manners.handlers` at the most.
"""

import chips
import manners
import wire

chip = "esp32"  # and its PSRAM: which GPIOs there are, and what they can (`chips`)
_waiting = None  # in a C call: [(handler, argument)] in the order of their interrupts
_latched = None  # while flash is erased: nets whose latch has seen an edge
_modem_sleeps = False
_dips = None  # alarm of the next one, while that is so and an interrupt sees it
_DIPPING = (36, 39)  # of the ESP32 alone


def schedule(handler, argument):
    """Run a soft handler; in a C call after it, and never when too many wait already. Whether
    there was room.
    """
    if _waiting is None:
        handler(argument)
    elif len(_waiting) < manners.handlers:
        _waiting.append((handler, argument))
    else:
        return False
    return True


def stall(ms, erase=False):
    """`ms` in one C call, in which the clock goes on and nothing of Python runs: the handlers of
    its interrupts run after it. `erase`: of flash, in which there are no interrupts either; each
    pin's latch tells one edge then, the lowest GPIO first.
    """
    global _waiting, _latched
    if ms <= 0:
        return
    if _waiting is not None:  # the one around it goes on
        wire.wait(wire.now() + ms)
        return
    _waiting, _latched = [], [] if erase else None
    try:
        wire.wait(wire.now() + ms)
    finally:
        late, _latched = _latched or (), None
        for wired in sorted(late, key=lambda wired: wired.gpio):
            schedule(wired.handler, wired.pin)
        late, _waiting = _waiting, None
        for handler, argument in late:
            handler(argument)


def dip():
    """The inputs of GPIO 36 and 39 fall for 80 ns: the ADC of an ESP32 was powered (errata,
    GPIO-3.11). Interrupts see it; a read hardly ever does.
    """
    for wired in _dipping():
        wired.interrupt()


def sleep_modem(on):
    """Whether the radio sleeps between beacons, as it does by itself: 36 and 39 dip
    `manners.dips_s` times a second then.
    """
    global _modem_sleeps
    _modem_sleeps = on
    _look_for_dips()


def _dipping():
    """The nets at which an interrupt sees it."""
    if chip.startswith("esp32s"):
        return []
    nets = [_nets[gpio] for gpio in _DIPPING if gpio in _nets]
    return [wired for wired in nets if wired.level and wired.handler and wired.trigger]


def _look_for_dips():
    global _dips
    if _dips is None and _modem_sleeps and manners.dips_s and _dipping():
        _dips = wire.alarm(wire.now() + 1000 // manners.dips_s, _dipped)


def _dipped():
    global _dips
    _dips = None
    if _modem_sleeps:
        dip()
    _look_for_dips()


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
            self.interrupt()
        for watch in self.watchers:
            watch(level)
        if self.gpio in _DIPPING:
            _look_for_dips()

    def interrupt(self):
        """Whatever came: the pin's latch has one bit."""
        if _latched is None:
            schedule(self.handler, self.pin)
        elif self not in _latched:
            _latched.append(self)


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
        _look_for_dips()
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
