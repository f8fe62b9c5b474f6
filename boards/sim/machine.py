"""`machine` of the simulated board: the ESP32 port's classes over its nets and buses.

Models of parts hang on a net (`net(gpio)`) or on a bus (`attach`); nothing here knows which.
"""

import builtin
import wire
from analog import ADC, TouchPad
from buses import I2C, SPI, SoftI2C, SoftSPI, attach
from pins import Pin, Signal, net, schedule
from streams import I2S, UART

__all__ = [
    "ADC", "I2C", "I2S", "PWM", "RTC", "SPI", "UART", "WDT", "Pin", "Signal", "SoftI2C", "SoftSPI",
    "Timer", "TouchPad", "attach", "bitstream", "mem32", "net",
]  # fmt: skip

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_causes = {"power_on": PWRON_RESET, "hard": HARD_RESET, "watchdog": WDT_RESET, "soft": SOFT_RESET}
_identity = b"\0" * 6
_cause = PWRON_RESET


class _Memory(dict):
    """Registers that have no model: they hold what was written."""

    def __getitem__(self, address):
        return self.get(address, 0)


mem32 = _Memory()


def configure(identity, cause):
    """Set by the start script: the chip's unique id (6 bytes) and why it starts."""
    global _identity, _cause
    _identity = identity
    _cause = _causes[cause]


def unique_id():
    return _identity


def reset_cause():
    return _cause


def reset():
    wire.restart("hard")


def soft_reset():
    wire.restart("soft")


_hertz = 160_000_000  # as a stock MicroPython starts


def freq(hz=None):
    """ESP32: 20, 40, 80, 160 or 240 MHz; others are a ValueError."""
    global _hertz
    if hz is None:
        return _hertz
    if hz not in (20_000_000, 40_000_000, 80_000_000, 160_000_000, 240_000_000):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _hertz = hz


def idle():
    wire.wait(wire.now())


def bitstream(pin, encoding, timing, data):
    """Pulses of `timing` (ns high and low of a 0, then of a 1) for each bit, highest first."""
    if encoding:
        raise ValueError("encoding")
    if pin.net.pixels:
        pin.net.pixels(timing, bytes(data))


class PWM:
    """Pulses on a pin, which a model takes that asked for them in its net's `pulses`."""

    def __init__(self, dest, freq=5000, duty_u16=0):
        self._net = dest.net
        self._drive(freq, duty_u16)

    def _drive(self, hertz, duty):
        if self._net.pulses:
            self._net.pulses(hertz, duty)

    def deinit(self):
        self._drive(0, 0)


class RTC:
    """Counts from 2000-01-01 at power-on until it is set."""

    _memory = b""

    def datetime(self, value=None):
        import time

        if value is None:
            y, mo, d, h, mi, s, wd, _ = time.localtime()
            return (y, mo, d, wd, h, mi, s, 0)
        y, mo, d, _, h, mi, s, _ = value
        seconds = builtin.time.mktime((y, mo, d, h, mi, s, 0, 0)) - 946684800
        time.rtc_offset_ms = seconds * 1000 - wire.uptime()

    init = datetime

    def memory(self, data=None):
        if data is None:
            return RTC._memory
        RTC._memory = bytes(data)


class WDT:
    """Restarts the chip when it is not fed for `timeout` ms."""

    _entry = None

    def __init__(self, id=0, timeout=5000):
        self._timeout = timeout
        self.feed()

    def feed(self):
        if WDT._entry:
            wire.cancel(WDT._entry)
        WDT._entry = wire.alarm(wire.now() + self._timeout, self._bite)

    def _bite(self):
        wire.restart("watchdog")


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __init__(self, id=-1, **options):
        self._entry = None
        if options:
            self.init(**options)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None):
        self.deinit()
        self._mode = mode
        self._period = int(1000 // freq) if freq > 0 else period
        self._callback = callback
        self._entry = wire.alarm(wire.now() + self._period, self._fire)

    def _fire(self):
        due = self._entry[0]
        self._entry = None
        if self._mode == Timer.PERIODIC:
            self._entry = wire.alarm(due + self._period, self._fire)
        if self._callback:
            schedule(self._callback, self)

    def deinit(self):
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None
