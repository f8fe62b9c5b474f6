"""TCA9554 and TCA9554A, eight port lines behind I2C: TI SCPS233 (0x20 to 0x27) and SCPS199 (0x38
to 0x3F), registers and their values at power-on; Linux's `drivers/gpio/gpio-pca953x.c`.

Nothing hangs on its lines here: each reads as its pull-up has it.
"""

_INPUT, _OUTPUT, _POLARITY, _CONFIGURATION = 0, 1, 2, 3


class TCA9554:
    def __init__(self):
        self._registers = bytearray(b"\xff\xff\x00\xff")
        self._command = _INPUT

    def present(self):
        return True

    def write(self, data):
        """The command byte, and what the register takes; the input lines take nothing."""
        if data:
            if data[0] > _CONFIGURATION:
                return None
            self._command = data[0]
            for value in data[1:]:
                if self._command != _INPUT:
                    self._registers[self._command] = value
        return True

    def read(self, count):
        """The same register again and again."""
        found = self._registers[self._command]
        if self._command == _INPUT:
            outputs = ~self._registers[_CONFIGURATION] & 0xFF
            found = found & ~outputs | self._registers[_OUTPUT] & outputs
            found ^= self._registers[_POLARITY]
        return bytes([found]) * count


def made(nets, options, attach):
    return TCA9554()
