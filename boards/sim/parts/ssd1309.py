"""SSD1309 OLED controller (datasheet rev 1.1, §9): an SSD1306 without charge pump, with a lock.

While locked it takes no command but the unlocking; it is unlocked at power-on.
"""

from parts.ssd1306 import ADDRESS  # noqa: F401 - of this one too
from parts.ssd1306 import SSD1306 as _SSD1306


class SSD1309(_SSD1306):
    arguments = {
        0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 6, 0x2A: 6, 0x2C: 6, 0x2D: 6, 0x81: 1,
        0xA3: 2, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1, 0xDC: 1, 0xFD: 1,
    }  # fmt: skip

    def power(self):
        super().power()
        self.locked = False

    def _obey(self, code, given):
        if code == 0xFD:
            self.locked = bool(given[0] & 4)
        elif code == 0x8D or self.locked:
            self.refused += 1
        else:
            super()._obey(code, given)


def made(nets, options, attach):
    return SSD1309()
