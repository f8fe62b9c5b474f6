"""SSD1306 OLED, 128 × 64, on I2C (Solomon Systech SSD1306 rev 1.1): horizontal addressing."""

from drivers.oled import Oled


class SSD1306(Oled):
    _init = bytes((
        0xAE,        # display off, table 9-1
        0x20, 0x00,  # horizontal addressing mode, §10.1.3
        0x40,        # start line 0
        0xA1,        # column 127 is SEG0
        0xA8, 63,    # multiplex 64
        0xC8,        # scan COM63 to COM0
        0xD3, 0x00,  # no offset
        0xDA, 0x12,  # alternative COM pins, no remap
        0xD5, 0x80,  # clock: divide by 1, default frequency
        0xD9, 0xF1,  # pre-charge 1 and 15 clocks
        0xDB, 0x30,  # VCOMH deselect level 0.83 Vcc
        0xA4, 0xA6,  # show the RAM, not inverted
        0x8D, 0x14,  # charge pump on, application note §2
    ))  # fmt: skip
