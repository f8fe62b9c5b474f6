"""What the models of codecs have in common on I2C: registers of eight bits behind an address that
counts on, and the faults of a chip on its bus.
"""


class Chip:
    """`fault`: "nack" not there; "bit" a bit of each written value turned; "stuck" the bus held
    low for good, "stretch" for longer than the controller waits; "gone" no acknowledge after
    `writes_left` more. `watch()` is called before each register write: what was heard up to then
    is known.
    """

    watch = None

    def power(self):
        self.fault = None
        self.writes_left = 0
        self._at = 0

    def present(self):
        return self.fault != "nack"

    def _acknowledges(self, writes=False):
        """Whether it does; raises OSError when it holds the bus."""
        if self.fault in ("stuck", "stretch"):
            raise OSError(116)  # ETIMEDOUT, as the ESP32 port has it
        if writes and self.fault == "gone":
            self.writes_left -= 1
            if self.writes_left < 0:
                self.fault = "nack"
        return self.present()


class RegisterFile(Chip):
    """`registers`: bytes; `_take(register, value)` does what a write does."""

    def write(self, data):
        if not self._acknowledges(True):
            return None
        if data:
            self._at = data[0]
        for byte in data[1:]:
            if self.watch:
                self.watch()
            self._take(self._at, byte ^ 0x02 if self.fault == "bit" else byte)
            self._at += 1
        return len(data)

    def read(self, count):
        if not self._acknowledges():
            return None
        data = bytes(self.registers[self._at : self._at + count])
        self._at += count
        return data + b"\0" * (count - len(data))
