"""A picture of 128 × 64 in the SSD1306's own order: eight pages of 128 columns, bit 0 on top.

Draws text column by column in plain Python, so that it runs on both interpreters.
"""

from lib.font import BIG_WIDTH, big_column, glyph
from micropython import const

WIDTH = const(128)
HEIGHT = const(64)
_GAP = const(1)
_COLON = const(0x0701C0)  # two dots of three rows each


class Canvas:
    def __init__(self):
        self.buffer = bytearray(WIDTH * HEIGHT // 8)
        self._columns = [0] * 5
        # four rows as eight, for text of double height
        self._double = bytes(
            sum(3 << 2 * bit for bit in range(4) if n >> bit & 1) for n in range(16)
        )

    def clear(self, y, height, x=0, width=WIDTH):
        """Make rows y … y + height − 1 dark."""
        mask = ((1 << height) - 1) << (y & 7)
        page = (y >> 3) * WIDTH
        while mask:
            keep = ~mask & 0xFF
            if keep:
                for at in range(page + x, page + x + width):
                    self.buffer[at] &= keep
            else:
                self.buffer[page + x : page + x + width] = bytes(width)
            mask >>= 8
            page += WIDTH

    def column(self, x, y, bits):
        """Light the rows of `bits` (bit 0 at y) in column `x`."""
        if 0 <= x < WIDTH:
            bits <<= y & 7
            at = (y >> 3) * WIDTH + x
            while bits:
                self.buffer[at] |= bits & 0xFF
                bits >>= 8
                at += WIDTH

    def invert(self, x, y, width, height):
        """Dark for light in a box (a filled label)."""
        mask = ((1 << height) - 1) << (y & 7)
        page = (y >> 3) * WIDTH
        while mask:
            for at in range(page + x, page + x + width):
                self.buffer[at] ^= mask & 0xFF
            mask >>= 8
            page += WIDTH

    def text(self, text, x, y, right=WIDTH, tall=False):
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
        double = self._double
        return double[bits & 15] | double[bits >> 4 & 15] << 8 | double[bits >> 8] << 16

    def digits(self, text, y, x=WIDTH):
        """Digits and colons, 24 rows, up to column `x`. Returns the first column they take."""
        end = x
        for letter in reversed(text):
            if letter == ":":
                x -= 5
                for step in range(3):
                    self.column(x + step, y, _COLON)
            else:
                x -= BIG_WIDTH + (2 if x < end else 0)
                for step in range(BIG_WIDTH):
                    self.column(x + step, y, big_column(ord(letter) - 48, step))
        return x


def digits_width(text):
    """Columns that `digits` takes."""
    return (BIG_WIDTH + 2) * len(text) - (BIG_WIDTH - 3) * text.count(":") - 2 if text else 0
