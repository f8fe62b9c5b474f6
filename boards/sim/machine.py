"""`machine` of the simulated board: the ESP32 port's classes over its nets and buses.

Models of parts hang on a net (`net(gpio)`) or on a bus (`attach`); nothing here knows which.
"""

import io

import builtin
import wire

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_causes = {"power_on": PWRON_RESET, "hard": HARD_RESET, "watchdog": WDT_RESET, "soft": SOFT_RESET}
_identity = b"\0" * 6
_cause = PWRON_RESET


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


def freq(hz=None):
    return 240000000 if hz is None else None


def idle():
    wire.wait(wire.now())


# --- nets -----------------------------------------------------------------------------------


class Net:
    """One GPIO's wire: who drives it decides its level; edges call the interrupt handler."""

    def __init__(self, gpio):
        self.gpio = gpio
        self.level = 1
        self.handler = None
        self.trigger = 0
        self.watchers = []  # functions(level), for models
        self.touch = 1000  # what a TouchPad reads here; falls when touched
        self.millivolts = 0  # what an ADC reads here

    def drive(self, level):
        """A model or an output pin sets the level."""
        if level == self.level:
            return
        self.level = level
        edge = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
        if self.handler and self.trigger & edge:
            self.handler(self.pin)
        for watch in self.watchers:
            watch(level)


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
        if not isinstance(id, int) or not 0 <= id <= 39 or 28 <= id <= 31 or id == 24:
            raise ValueError("invalid pin")
        if id >= 34 and mode in (Pin.OUT, Pin.OPEN_DRAIN):
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


# --- buses ----------------------------------------------------------------------------------

_devices = {}  # bus key -> {address or select gpio: model}


def attach(bus, address, model):
    """Solder `model` to a bus: key ("i2c", scl, sda) with an address, ("spi", sck) with a CS."""
    _devices.setdefault(bus, {})[address] = model


class I2C:
    """Controller. A model gives `write(bytes)` and `read(count)`; None from either is a NACK."""

    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._bus = _devices.get(("i2c", scl.net.gpio, sda.net.gpio), {})

    def init(self, **options):
        pass

    def _at(self, address):
        model = self._bus.get(address)
        if model is None:
            raise OSError(19)  # ENODEV, as the ESP32 port reports a missing acknowledge
        return model

    def scan(self):
        return sorted(address for address, model in self._bus.items() if model.present())

    def writeto(self, addr, buf, stop=True):
        if self._at(addr).write(buf) is None:
            raise OSError(19)
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(bytes(part) for part in vector), stop)

    def readfrom(self, addr, nbytes, stop=True):
        data = self._at(addr).read(nbytes)
        if data is None:
            raise OSError(19)
        return data

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self.readfrom(addr, len(buf))

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self.writeto(addr, bytes([memaddr]) + bytes(buf))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        self.writeto(addr, bytes([memaddr]), False)
        return self.readfrom(addr, nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf))


SoftI2C = I2C


class SPI:
    """Controller. The model whose select line is low exchanges bytes; no model reads 0xFF."""

    MSB = 0
    LSB = 1

    def __init__(self, id=-1, baudrate=1000000, *, polarity=0, phase=0, bits=8, firstbit=MSB,
                 sck=None, mosi=None, miso=None):  # fmt: skip
        self._bus = _devices.get(("spi", sck.net.gpio if sck else -1), {})

    def init(self, *arguments, **options):
        pass

    def deinit(self):
        pass

    def write_readinto(self, write_buf, read_buf):
        for select, model in self._bus.items():
            if net(select).level == 0:
                read_buf[:] = model.exchange(write_buf)
                return
        read_buf[:] = b"\xff" * len(write_buf)

    def write(self, buf):
        self.write_readinto(buf, bytearray(len(buf)))

    def readinto(self, buf, write=0):
        self.write_readinto(bytes([write]) * len(buf), buf)

    def read(self, nbytes, write=0):
        buf = bytearray(nbytes)
        self.readinto(buf, write)
        return bytes(buf)


SoftSPI = SPI


class _Stream(io.IOBase):
    """What asyncio polls: readable while `_waiting()` is true."""

    def ioctl(self, request, argument):
        if request == 3:  # MP_STREAM_POLL
            ready = argument & builtin.select.POLLOUT
            if argument & builtin.select.POLLIN and self._waiting():
                ready |= builtin.select.POLLIN
            return ready
        return 0


class UART(_Stream):
    """A port whose far end is a model with `received(bytes)`; it calls `deliver(bytes)` back."""

    INV_TX = 16
    INV_RX = 32

    def __init__(self, id, baudrate=115200, *, tx=None, rx=None, rxbuf=256, **options):
        self._buffer = bytearray()
        self._room = rxbuf
        self._peer = _devices.get(("uart", rx.net.gpio if rx else -1), {}).get(0)
        if self._peer:
            self._peer.port = self

    def init(self, *arguments, **options):
        pass

    def deliver(self, data):
        self._buffer.extend(data)
        del self._buffer[self._room :]  # an overrun loses the newest bytes

    def _waiting(self):
        return len(self._buffer)

    any = _waiting

    def read(self, nbytes=-1):
        if not self._buffer:
            return None
        count = len(self._buffer) if nbytes < 0 else min(nbytes, len(self._buffer))
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data

    def readinto(self, buf, nbytes=-1):
        data = self.read(len(buf) if nbytes < 0 else nbytes)
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        end = self._buffer.find(b"\n")
        return self.read(end + 1 if end >= 0 else -1)

    def write(self, buf):
        if self._peer:
            self._peer.received(bytes(buf))
        return len(buf)


class I2S(_Stream):
    """One direction, paced by the clock: received samples are silence, sent ones are counted."""

    RX = 1
    TX = 2
    MONO = 0
    STEREO = 1

    def __init__(self, id, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        self._mode = mode
        self._rate = rate * (bits // 8) * (2 if format == I2S.STEREO else 1)  # bytes a second
        self._ibuf = ibuf
        self._since = wire.now()
        self._moved = 0

    def _waiting(self):
        passed = (wire.now() - self._since) * self._rate // 1000 - self._moved
        if passed > self._ibuf:  # an overrun: the oldest samples are gone
            self._moved += passed - self._ibuf
            passed = self._ibuf
        return passed

    def readinto(self, buf):
        count = min(len(buf), self._waiting())
        for index in range(count):
            buf[index] = 0
        self._moved += count
        return count

    def write(self, buf):
        self._moved += len(buf)
        return len(buf)

    def deinit(self):
        pass


# --- clocks and converters ------------------------------------------------------------------


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_11DB):
        self._net = pin.net if isinstance(pin, Pin) else net(pin)
        self._full = (950, 1250, 1750, 2450)[atten]

    def read_uv(self):
        return min(self._net.millivolts, self._full) * 1000

    def read_u16(self):
        return min(self._net.millivolts, self._full) * 65535 // self._full


class TouchPad:
    def __init__(self, pin):
        if pin.net.gpio not in (0, 2, 4, 12, 13, 14, 15, 27, 32, 33):
            raise ValueError("invalid pin for touchpad")
        self._net = pin.net

    def read(self):
        return self._net.touch


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
            self._callback(self)

    def deinit(self):
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None
