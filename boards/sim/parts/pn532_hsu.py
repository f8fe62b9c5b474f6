"""PN532 badge reader on a UART (user manual UM0701-02, §6.2.3): the chip is `parts.pn532`."""

from parts.pn532 import PN532


class PN532Hsu(PN532):
    """On a UART: attach at ("uart", rx) address 0; deaf until it hears 0x55 (§7.2.11)."""

    port = None  # set by the UART

    def power(self):
        self._awake = False
        super().power()

    def received(self, data):
        self.transfers += 1
        self.bytes += len(data)
        if data[:1] == b"\x55":
            self._awake = True
        elif self._awake and self.fault != "nack":
            self.receive(data)

    def _signal(self):
        while self.port and self.ready:
            data = self.send()
            self.bytes += len(data)
            self.port.deliver(data)


def made(nets, options, attach):
    return PN532Hsu()
