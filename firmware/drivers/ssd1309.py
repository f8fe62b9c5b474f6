"""SSD1309 OLED, 128 × 64, on I2C (Solomon Systech SSD1309 rev 1.1), as the 2.42" panels have it.

Addressed as the SSD1306; it has no charge pump, since the panel makes its own 12 V, and a lock.
"""

from drivers.oled import Oled


class SSD1309(Oled):
    _init = bytes((
        0xFD, 0x12,  # unlock, table 9-1
        0xAE,        # display off
        0x20, 0x00,  # horizontal addressing mode
        0x40,        # start line 0
        0xA1,        # column 127 is SEG0
        0xA8, 63,    # multiplex 64
        0xC8,        # scan COM63 to COM0
        0xD3, 0x00,  # no offset
        0xDA, 0x12,  # alternative COM pins, no remap
        0xD5, 0xA0,  # clock: divide by 1, frequency 10
        0xD9, 0x25,  # pre-charge 5 and 2 clocks
        0xDB, 0x34,  # VCOMH deselect level 0.78 Vcc
        0xA4, 0xA6,  # show the RAM, not inverted
        0x2E,        # no scrolling
    ))  # fmt: skip
