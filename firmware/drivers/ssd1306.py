"""SSD1306 OLED, 128 × 64, on I2C (Solomon Systech SSD1306 rev 1.1).

Keeps what the chip shows and sends only the pages and columns that differ.
"""

from lib.errors import PartError
from micropython import const

WIDTH = const(128)
PAGES = const(8)
_COMMANDS = const(0x00)  # §8.1.5.2: Co = 0, D/C# = 0: command bytes follow
_DATA = const(0x40)
_SET_COLUMNS = const(0x21)
_SET_PAGES = const(0x22)
_SET_CONTRAST = const(0x81)
_DISPLAY_ON = const(0xAF)
_BLOCK = const(16)

_INIT = bytes((
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
    0x81, 0xCF,  # contrast
    0xA4, 0xA6,  # show the RAM, not inverted
    0x8D, 0x14,  # charge pump on, application note §2
))  # fmt: skip


class SSD1306:
    """`show(buffer)` takes 1024 bytes, eight pages of 128 columns, bit 0 on top."""

    def __init__(self, i2c, address=0x3C):
        self._i2c = i2c
        self._address = address
        self._shown = bytearray(WIDTH * PAGES)
        self._send = bytearray(1 + WIDTH * PAGES)
        self.sent = 0  # bytes of picture sent
        self.start()

    def start(self):
        """Set the chip up and clear it. Raises PartError when it does not answer."""
        self._command(_INIT)
        self._shown[:] = bytes(len(self._shown))
        self._window(0, WIDTH, 0, PAGES)
        self._command(bytes([_DISPLAY_ON]))

    def show(self, buffer):
        new = memoryview(buffer)
        old = memoryview(self._shown)
        page = 0
        while page < PAGES:
            left, right = WIDTH, 0
            first = page
            while page < PAGES:  # join the pages below that changed too
                at = page * WIDTH
                if new[at : at + WIDTH] == old[at : at + WIDTH]:
                    break
                a, b = _span(new[at : at + WIDTH], old[at : at + WIDTH])
                left, right = min(left, a), max(right, b)
                page += 1
            if page > first:
                for row in range(first, page):
                    at = row * WIDTH
                    old[at + left : at + right] = new[at + left : at + right]
                self._window(left, right, first, page)
            page += 1

    def contrast(self, value):
        self._command(bytes([_SET_CONTRAST, value]))

    def _window(self, left, right, first, last):
        """Send columns left … right − 1 of pages first … last − 1 (§10.1.4, §10.1.5)."""
        self._command(bytes([_SET_COLUMNS, left, right - 1, _SET_PAGES, first, last - 1]))
        self._send[0] = _DATA
        size = 1
        width = right - left
        for page in range(first, last):
            at = page * WIDTH + left
            self._send[size : size + width] = memoryview(self._shown)[at : at + width]
            size += width
        self._write(memoryview(self._send)[:size])
        self.sent += size - 1

    def _command(self, commands):
        self._write(bytes([_COMMANDS]) + commands)

    def _write(self, data):
        try:
            self._i2c.writeto(self._address, data)
        except OSError:
            raise PartError("screen", "no_answer", "check its cable on the I2C bus") from None

    def dump(self):
        return {"address": self._address, "sent": self.sent}

    def selftest(self):
        """The chip acknowledges a no-operation (0xE3)."""
        try:
            self._command(b"\xe3")
        except PartError:
            return False
        return True


def _span(new, old):
    """First and one past the last column that differ."""
    left, right = 0, WIDTH
    while new[left : left + _BLOCK] == old[left : left + _BLOCK]:
        left += _BLOCK
    while new[left] == old[left]:
        left += 1
    while new[right - _BLOCK : right] == old[right - _BLOCK : right]:
        right -= _BLOCK
    while new[right - 1] == old[right - 1]:
        right -= 1
    return left, right
