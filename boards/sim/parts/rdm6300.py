"""RDM6300 at the level of its bytes: a frame each 65 ms for as long as a card lies there."""

import wire

_AGAIN_MS = 65


def frame(identity):
    """The 14 bytes for five id bytes."""
    check = 0
    for byte in identity:
        check ^= byte
    return b"\x02" + (identity + bytes([check])).hex().upper().encode() + b"\x03"


class RDM6300:
    """Attach at ("uart", rx) address 0. `fault`: "bit" turns a bit over, "torn" cuts a frame."""

    def __init__(self):
        self.port = None  # set by the UART
        self.fault = None
        self._card = None
        self._entry = None

    def received(self, data):
        """It has no input."""

    def hold(self, command):
        self.tap(bytes.fromhex(command["badge"]))

    def tap(self, identity):
        self._card = identity
        if self._entry is None:
            self._send()

    def untap(self):
        self._card = None

    def _send(self):
        self._entry = None
        if self._card is None:
            return
        data = frame(self._card)
        if self.fault == "bit":
            data = data[:6] + bytes([data[6] ^ 1]) + data[7:]
        elif self.fault == "torn":
            data = data[:9]
        if self.port and self.fault != "dead":
            self.port.deliver(data)
        self._entry = wire.alarm(wire.now() + _AGAIN_MS, self._send)

    def dump(self):
        return {"card": self._card.hex() if self._card else None, "fault": self.fault}


def made(nets, options, attach):
    return RDM6300()
