"""A picture of 128 × 64 in the SSD1306's own order: eight pages of 128 columns, bit 0 on top.

Draws text column by column in plain Python, so that it runs on both interpreters.
"""

from lib.font import big_column, glyph
from micropython import const

_WIDTH = const(128)
_HEIGHT = const(64)
_GAP = const(1)
_BIG_WIDTH = const(11)  # of a digit, as in lib.font
_COLON = const(0x0701C0)  # two dots of three rows each
# four rows as eight, for text of double height
_DOUBLE = const(b"\x00\x03\x0c\x0f\x30\x33\x3c\x3f\xc0\xc3\xcc\xcf\xf0\xf3\xfc\xff")


class Canvas:
    def __init__(self):
        self.buffer = bytearray(_WIDTH * _HEIGHT // 8)
        self._columns = [0] * 5

    def clear(self, y, height, x=0, width=_WIDTH):
        """Make rows y … y + height − 1 dark."""
        mask = ((1 << height) - 1) << (y & 7)
        page = (y >> 3) * _WIDTH
        while mask:
            keep = ~mask & 0xFF
            if keep:
                for at in range(page + x, page + x + width):
                    self.buffer[at] &= keep
            else:
                self.buffer[page + x : page + x + width] = bytes(width)
            mask >>= 8
            page += _WIDTH

    def column(self, x, y, bits):
        """Light the rows of `bits` (bit 0 at y) in column `x`."""
        if 0 <= x < _WIDTH:
            bits <<= y & 7
            at = (y >> 3) * _WIDTH + x
            while bits:
                self.buffer[at] |= bits & 0xFF
                bits >>= 8
                at += _WIDTH

    def invert(self, x, y, width, height):
        """Dark for light in a box (a filled label)."""
        mask = ((1 << height) - 1) << (y & 7)
        page = (y >> 3) * _WIDTH
        while mask:
            for at in range(page + x, page + x + width):
                self.buffer[at] ^= mask & 0xFF
            mask >>= 8
            page += _WIDTH

    def text(self, text, x, y, right=_WIDTH, tall=False):
        """Small text, ten rows, or twenty; stops before column `right`. Returns the column after
        it.
        """
        columns = self._columns
        for letter in text:
            width = glyph(letter, columns)
            if letter == " ":
                x += 3
                continue
            if x + width > right:
                break
            for step in range(width):
                bits = columns[step]
                self.column(x + step, y, self._tall(bits) if tall else bits)
            x += width + _GAP
        return x

    def width(self, text):
        """Columns that `text` takes in small type."""
        total = 0
        for letter in text:
            total += 3 if letter == " " else glyph(letter, self._columns) + _GAP
        return max(total - _GAP, 0)

    def title(self, text, y, room):
        """Double height, 20 rows, from column 0; double width too where `room` columns allow."""
        columns = self._columns
        wide = 2 * self.width(text) <= room
        x = 0
        for letter in text:
            width = glyph(letter, columns)
            if letter == " ":
                x += 6 if wide else 4
                continue
            if x + width >= room:
                break
            for step in range(width):
                bits = self._tall(columns[step])
                self.column(x, y, bits)
                if not wide and step + 2 < width:  # thicker, but no counter is closed
                    bits &= ~self._tall(columns[step + 2])
                self.column(x + 1, y, bits)
                x += 2 if wide else 1
            x += 2

    def title_width(self, text):
        """Columns that `title` needs at least."""
        return self.width(text) + len(text)

    def _tall(self, bits):
        """Ten rows as twenty."""
        return _DOUBLE[bits & 15] | _DOUBLE[bits >> 4 & 15] << 8 | _DOUBLE[bits >> 8] << 16

    def digits(self, text, y, x=_WIDTH):
        """Digits and colons, 24 rows, up to column `x`. Returns the first column they take."""
        end = x
        for letter in reversed(text):
            if letter == ":":
                x -= 5
                for step in range(3):
                    self.column(x + step, y, _COLON)
            else:
                x -= _BIG_WIDTH + (2 if x < end else 0)
                for step in range(_BIG_WIDTH):
                    self.column(x + step, y, big_column(ord(letter) - 48, step))
        return x


def digits_width(text):
    """Columns that `digits` takes."""
    return (_BIG_WIDTH + 2) * len(text) - (_BIG_WIDTH - 3) * text.count(":") - 2 if text else 0
