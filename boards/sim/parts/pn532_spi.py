"""PN532 badge reader on SPI (user manual UM0701-02, §6.2.5): the chip is `parts.pn532`."""

from parts.pn532 import PN532

_TURNED = bytes(int("".join(reversed("{:08b}".format(byte))), 2) for byte in range(256))


def _turned(data):
    """Lowest bit first, as it is on the wire (§6.2.5)."""
    return bytes([_TURNED[byte] for byte in data])


class PN532Spi(PN532):
    """On SPI: attach at ("spi", sck) with the GPIO of its select line; it sleeps until it was
    selected once. "nack": no chip there, so the line floats high.
    """

    rest_ms = 1  # before a frame: Adafruit_PN532.cpp, for page reads

    def power(self):
        self._asleep = True
        super().power()

    def select(self, level):
        if level:
            self._asleep = False

    def exchange(self, data):
        self.transfers += 1
        self.bytes += len(data)
        if self._asleep or self._faulty("nack"):
            return b"\xff" * len(data)
        data = _turned(data)
        answer = b""
        if data[0] == 0x02:
            answer = b"\x01" if self.ready else b"\x00"
        elif not self._rested():
            answer = b"\xff" * len(data)
        elif data[0] == 0x01:
            self.receive(data[1:])
        elif data[0] == 0x03 and self.ready:
            answer = self.send()
            self._irq.drive(1)
            self._signal()
        return _turned((b"\xff" + answer + bytes(len(data)))[: len(data)])


def made(nets, options, attach):
    return PN532Spi(nets[-1])
