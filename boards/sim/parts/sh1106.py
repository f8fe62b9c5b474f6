"""SH1106 OLED controller (Sino Wealth V2.3, commands 1 to 22): 132 columns, page addressing only.

`ram` is what the panel's 128 columns show; they are wired to columns 2 to 129 of the memory.
"""

from parts.ssd1306 import ADDRESS  # noqa: F401 - of this one too
from parts.ssd1306 import SSD1306 as _SSD1306

_COLUMNS = 132
_FIRST = 2


class SH1106(_SSD1306):
    arguments = {
        0x81: 1, 0xA8: 1, 0xAD: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
    }  # fmt: skip

    def __init__(self):
        self.memory = bytearray(_COLUMNS * 8)
        super().__init__()

    def power(self):
        super().power()
        self.charge_pump = True  # DC-DC on with the display is its reset value

    def _obey(self, code, given):
        if code == 0xAD:
            self.charge_pump = bool(given[0] & 1)
        elif code <= 0x0F:
            self.column = self.column & 0xF0 | code
        elif code <= 0x1F:
            self.column = (code & 15) << 4 | self.column & 0x0F
        elif code in (0x20, 0x21, 0x22, 0x2E, 0x8D):
            self.refused += 1
        elif not 0x30 <= code <= 0x33:  # the pump's voltage
            super()._obey(code, given)

    def _store(self, data):
        """The column goes on after each byte and stays at the end; the page stays (command 2)."""
        for byte in data:
            if self.column < _COLUMNS:
                self.memory[self.page * _COLUMNS + self.column] = byte
                x = self.column - _FIRST
                if 0 <= x < 128:
                    self.ram[self.page * 128 + x] = byte
                self.column += 1


def made(nets, options, attach):
    return SH1106()
