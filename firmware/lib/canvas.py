"""A picture of 128 × 64 in the SSD1306's own order: eight pages of 128 columns, bit 0 on top.

Letters are drawn as pictures of their own, each made once and kept; MicroPython's
`framebuf` lays them over what is there.
"""

from framebuf import MONO_VLSB, FrameBuffer
from lib.font import LETTERS, big_column, drawable, glyph, known
from micropython import const

_WIDTH = const(128)
_HEIGHT = const(64)
_GAP = const(1)
_BIG_WIDTH = const(11)  # of a digit, as in lib.font
_COLON = const(0x0701C0)  # two dots of three rows each
# four rows as eight, for text of double height
_DOUBLE = const(b"\x00\x03\x0c\x0f\x30\x33\x3c\x3f\xc0\xc3\xcc\xcf\xf0\xf3\xfc\xff")
# kinds of letters: ten rows; twenty; twenty and bold; twenty and as wide again; of 24 rows
_SMALL, _TALL, _BOLD, _WIDE, _BIG = range(5)

# by kind, letter: its picture and columns; a dict of tuples is slow, as their hashes collide
_letters: "tuple[dict, ...]" = ({}, {}, {}, {}, {})


def _letter(letter, kind):
    found = _letters[kind].get(letter)
    if found is None:
        shown = letter if kind == _BIG else known(letter)
        columns = _big(shown) if kind == _BIG else _columns(shown, kind)
        pages = 2 if kind == _SMALL else 3
        rows = bytearray(bits >> 8 * page & 0xFF for page in range(pages) for bits in columns)
        picture = FrameBuffer(rows, len(columns), 8 * pages, MONO_VLSB)
        found = (picture, len(columns))
        if shown == letter:  # what nobody can draw is not kept: there is no end of it
            _letters[kind][letter] = found
    return found


def _columns(letter, kind):
    columns = [0] * 5
    columns = columns[: glyph(letter, columns)]
    if kind == _SMALL:
        return columns
    columns = [_tall(bits) for bits in columns]
    if kind == _WIDE:
        return [bits for bits in columns for _ in range(2)]
    if kind == _BOLD:
        bold = columns + [0]
        for step, bits in enumerate(columns):
            if step + 2 < len(columns):  # thicker, but no counter is closed
                bits &= ~columns[step + 2]
            bold[step + 1] |= bits
        return bold
    return columns


def _big(letter):
    if letter == "h":
        return _columns(letter, _TALL)
    if letter == ":":
        return [_COLON] * 3
    return [big_column(ord(letter) - 48, step) for step in range(_BIG_WIDTH)]


def _tall(bits):
    """Ten rows as twenty."""
    return _DOUBLE[bits & 15] | _DOUBLE[bits >> 4 & 15] << 8 | _DOUBLE[bits >> 8] << 16


def prepare():
    """Make the pictures of all letters now, so that none has to be made for a key press."""
    for letter in LETTERS:
        for kind in (_SMALL, _TALL, _BOLD, _WIDE):
            _letter(letter, kind)
    for letter in "0123456789:h":
        _letter(letter, _BIG)


class Canvas:
    def __init__(self):
        self.buffer = bytearray(_WIDTH * _HEIGHT // 8)
        self._frame = FrameBuffer(self.buffer, _WIDTH, _HEIGHT, MONO_VLSB)

    def clear(self, y, height, x=0, width=_WIDTH):
        """Make rows y … y + height − 1 dark."""
        self._frame.fill_rect(x, y, width, height, 0)

    def edge(self, x, y, height):
        """Light so many rows of column `x`."""
        self._frame.fill_rect(x, y, 1, height, 1)

    def column(self, x, y, bits):
        """Light the rows of `bits` (bit 0 at y) in column `x`."""
        while bits:
            if bits & 1:
                self._frame.pixel(x, y, 1)
            bits >>= 1
            y += 1

    def invert(self, x, y, width, height):
        """Dark for light in a box (a filled label)."""
        mask = ((1 << height) - 1) << (y & 7)
        at = (y >> 3) * _WIDTH + x
        all_of_it = int.from_bytes(b"\1" * width, "little")
        while mask:
            row = int.from_bytes(self.buffer[at : at + width], "little")
            row ^= (mask & 0xFF) * all_of_it
            self.buffer[at : at + width] = row.to_bytes(width, "little")
            mask >>= 8
            at += _WIDTH

    def text(self, text, x, y, right=_WIDTH, tall=False):
        """Small text, ten rows, or twenty; the words that fit before column `right`. Returns the
        column after them.
        """
        kind = _TALL if tall else _SMALL
        for letter in drawable(self.fit(text, right - x)):
            if letter == " ":
                x += 3
                continue
            picture, width = _letter(letter, kind)
            self._frame.blit(picture, x, y, 0)
            x += width + _GAP
        return x

    def width(self, text):
        """Columns that `text` takes in small type."""
        total = 0
        for letter in drawable(text):
            total += 3 if letter == " " else _letter(letter, _SMALL)[1] + _GAP
        return max(total - _GAP, 0)

    def fit(self, text, room):
        """The words of `text` that `room` columns have place for; none in part."""
        while text and self.width(text) > room:
            text = text.rpartition(" ")[0]
        return text

    def title(self, text, y, room):
        """Double height, 20 rows, from column 0; double width too where `room` columns allow, or
        at least bold.
        """
        text = self.fit(text, room)
        wide = 2 * self.width(text) <= room
        kind = _WIDE if wide else _BOLD if self.title_width(text) <= room else _TALL
        x = 0
        for letter in drawable(text):
            if letter == " ":
                x += 6 if wide else 3 + (kind == _BOLD)
                continue
            picture, columns = _letter(letter, kind)
            self._frame.blit(picture, x, y, 0)
            x += columns + (2 if wide else 1)

    def title_width(self, text):
        """Columns that `title` needs for bold type."""
        return self.width(text) + len(text)

    def digits(self, text, y, x=_WIDTH):
        """Digits, colons and h, 24 rows, up to column `x`. Returns the first column they take."""
        end = x
        for letter in reversed(text):
            picture, width = _letter(letter, _BIG)
            x -= width + (2 if x < end or letter == ":" else 0)
            self._frame.blit(picture, x, y, 0)
        return x


def digits_width(text):
    """Columns that `digits` takes, or some less with h."""
    return (_BIG_WIDTH + 2) * len(text) - (_BIG_WIDTH - 3) * text.count(":") - 2 if text else 0
