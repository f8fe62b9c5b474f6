"""SH1106 OLED, 128 × 64, on I2C (Sino Wealth SH1106 V2.3): page addressing, 132 columns of which
the panel shows 128 from the third on.
"""

from drivers.oled import Oled
from micropython import const

_FIRST_COLUMN = const(2)
_ONE = const(0x80)  # §I2C: Co = 1, D/C = 0: one command byte, then another control byte
_DATA = const(0x40)
_PAGE = const(0xB0)
_COLUMN_LOW = const(0x00)
_COLUMN_HIGH = const(0x10)


class SH1106(Oled):
    _init = bytes((
        0xAE,        # display off
        0x40,        # start line 0
        0xA1,        # column 127 is SEG0
        0xA8, 63,    # multiplex 64
        0xC8,        # scan COM63 to COM0
        0xD3, 0x00,  # no offset
        0xDA, 0x12,  # alternative COM pins
        0xD5, 0x80,  # clock: divide by 1, +15 %
        0xD9, 0x1F,  # pre-charge 15 clocks, discharge 1
        0xDB, 0x40,  # VCOM deselect level 1.0 Vref
        0xA4, 0xA6,  # show the RAM, not inverted
        0x32,        # pump 8 V
        0xAD, 0x8B,  # DC-DC converter on with the display
    ))  # fmt: skip

    def _window(self, left, right, first, last):
        """Each page in one transfer: where it begins, then its bytes."""
        column = left + _FIRST_COLUMN
        for page in range(first, last):
            head = bytes([
                _ONE, _PAGE | page, _ONE, _COLUMN_LOW | column & 15,
                _ONE, _COLUMN_HIGH | column >> 4, _DATA,
            ])  # fmt: skip
            self._picture(head, left, right, page, page + 1)
