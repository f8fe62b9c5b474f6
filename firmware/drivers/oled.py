"""What the OLED controllers have in common: the picture that the chip shows, and what differs.

A chip says how it is set up (`_init`), and how a window of its memory is sent (`_window`) where
that is not the SSD1306's way.
"""

from lib.errors import PartError
from micropython import const

_WIDTH = const(128)
_PAGES = const(8)
_COMMANDS = const(0x00)  # Co = 0, D/C# = 0: command bytes follow
_SET_COLUMNS = const(0x21)
_SET_PAGES = const(0x22)
_SET_CONTRAST = const(0x81)
_DISPLAY_OFF = const(0xAE)
_START_LINE = const(0x40)
_NO_OPERATION = const(0xE3)
_BLOCK = const(16)


class Oled:
    """`show(buffer)` takes 1024 bytes, eight pages of 128 columns, bit 0 on top."""

    _init = b""

    def __init__(self, i2c, *, address=0x3C):
        self._i2c = i2c
        self._address = address
        self._shown = bytearray(_WIDTH * _PAGES)
        self._send = bytearray(8 + _WIDTH * _PAGES)
        self.on = True
        self._contrast = 0xCF
        self.sent = 0  # bytes of picture sent
        self.start()

    def start(self):
        """Set the chip up, clear it and light it. Raises PartError when it does not answer."""
        self._command(*self._init)
        self.contrast(self._contrast)
        self.show(bytes(len(self._shown)), True)
        self.power(True)

    def show(self, buffer, whole=False):
        """Bring the chip to this picture: only the pages and columns that differ are sent, unless
        the `whole` is wanted, as a chip that cannot be read may have lost a bit.
        """
        if whole:
            self._shown[:] = buffer
            self._window(0, _WIDTH, 0, _PAGES)
            return
        new = memoryview(buffer)
        old = memoryview(self._shown)
        page = 0
        while page < _PAGES:
            left, right = _WIDTH, 0
            first = page
            while page < _PAGES:  # join the pages below that changed too
                at = page * _WIDTH
                if new[at : at + _WIDTH] == old[at : at + _WIDTH]:
                    break
                a, b = _span(new[at : at + _WIDTH], old[at : at + _WIDTH])
                left, right = min(left, a), max(right, b)
                page += 1
            if page > first:
                for row in range(first, page):
                    at = row * _WIDTH
                    old[at + left : at + right] = new[at + left : at + right]
                self._window(left, right, first, page)
            page += 1

    def contrast(self, value):
        """0 to 255."""
        self._command(_SET_CONTRAST, value)
        self._contrast = value

    def scroll(self, rows):
        """Move the picture down by so many rows; what leaves below comes in on top."""
        self._command(_START_LINE | -rows & 63)

    def power(self, on):
        """Dark, and asleep, without losing the picture."""
        self._command(_DISPLAY_OFF | bool(on))
        self.on = bool(on)

    def _window(self, left, right, first, last):
        """Send columns left … right − 1 of pages first … last − 1: in horizontal addressing the
        window, then its bytes, which wrap inside it (SSD1306 §10.1.4, §10.1.5).
        """
        self._command(_SET_COLUMNS, left, right - 1, _SET_PAGES, first, last - 1)
        self._picture(b"\x40", left, right, first, last)

    def _picture(self, head, left, right, first, last):
        """Write `head`, and after it the picture's bytes of the window."""
        send = self._send
        size = len(head)
        send[:size] = head
        width = right - left
        for page in range(first, last):
            at = page * _WIDTH + left
            send[size : size + width] = memoryview(self._shown)[at : at + width]
            size += width
        self._write(memoryview(send)[:size])
        self.sent += size - len(head)

    def _command(self, *commands):
        self._write(bytes((_COMMANDS,) + commands))

    def _write(self, data):
        try:
            self._i2c.writeto(self._address, data)
        except OSError:
            raise PartError("screen") from None

    def selftest(self):
        """The chip acknowledges a command that does nothing."""
        try:
            self._command(_NO_OPERATION)
        except PartError:
            return False
        return True


def _span(new, old):
    """First and one past the last column that differ."""
    left, right = 0, _WIDTH
    while new[left : left + _BLOCK] == old[left : left + _BLOCK]:
        left += _BLOCK
    while new[left] == old[left]:
        left += 1
    while new[right - _BLOCK : right] == old[right - _BLOCK : right]:
        right -= _BLOCK
    while new[right - 1] == old[right - 1]:
        right -= 1
    return left, right
