"""PN532 badge reader on I2C (NXP UM0701-02 §6.2.4): a ready byte stands before what is read.

It holds the clock when it wakes, for longer than some controllers wait: a transfer that fails is
tried again. The reader itself is `drivers.pn532_core`.
"""

from time import sleep_ms

from drivers.pn532_core import Reader
from lib.errors import BadRead, PartError
from micropython import const

_READY = const(0x01)


class PN532(Reader):
    """A reader as `drivers.pn532_core` says."""

    rest_ms = 5  # data sheet rev 3.2 §12.25; libnfc drivers/pn532_i2c.c

    def __init__(self, i2c, irq, *, address=0x24):
        super().__init__(irq)
        self._i2c = i2c
        self._address = address

    def _put(self, data):
        self._bus(self._i2c.writeto, data)

    def _read(self, count):
        data = self._bus(self._i2c.readfrom, count + 1)
        if not data[0] & _READY:
            raise BadRead
        return data[1:]

    def _bus(self, call, argument):
        try:
            return call(self._address, argument)
        except OSError:
            raise PartError("badge_reader") from None

    def selftest(self):
        """It said its version, and answers on the bus."""
        sleep_ms(self.rest_ms)
        try:
            self._bus(self._i2c.readfrom, 1)
        except PartError:
            return False
        return super().selftest()
