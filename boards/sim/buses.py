"""I2C and SPI of the simulated board: the ESP32 port's classes over models soldered to a bus."""

import gc

from pins import net

_TIDY = 1024  # transfers
devices = {}  # bus key -> {address or select gpio: model}


def attach(bus, address, model):
    """Solder `model` to a bus: key ("i2c", scl, sda) with an address, ("spi", sck) with a CS."""
    devices.setdefault(bus, {})[address] = model


class I2C:
    """Controller. A model gives `write(bytes)` and `read(count)`; None from either is a NACK.

    One with the fault "stuck" holds the clock low, for all that hang on the bus.
    """

    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._bus = devices.get(("i2c", scl.net.gpio, sda.net.gpio), {})

    def init(self, **options):
        pass

    def _stuck(self, wanted=None):
        """Whether another than the one that is asked holds the bus; that one says so itself."""
        return any(
            getattr(model, "fault", None) == "stuck"
            for address, model in self._bus.items()
            if address != wanted
        )

    def _at(self, address):
        model = self._bus.get(address)
        if model is None:
            raise OSError(19)  # ENODEV, as the ESP32 port reports a missing acknowledge
        if self._stuck(address):
            raise OSError(116)  # ETIMEDOUT
        return model

    def scan(self):
        if self._stuck():
            return []
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

    _transfers = 0

    def __init__(self, id=-1, baudrate=1000000, *, polarity=0, phase=0, bits=8, firstbit=MSB,
                 sck=None, mosi=None, miso=None):  # fmt: skip
        self._bus = devices.get(("spi", sck.net.gpio if sck else -1), {})

    def init(self, *arguments, **options):
        pass

    def deinit(self):
        pass

    def write_readinto(self, write_buf, read_buf):
        SPI._transfers += 1
        if SPI._transfers % _TIDY == 0:  # what the models leave is no chip's
            gc.collect()
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
