"""SSD1306 OLED controller at the level of its I2C bytes (datasheet rev 1.5, §8.1.5 and §9).

Keeps the display memory (GDDRAM: 8 pages × 128 columns, bit 0 on top) and what the commands set.
"""

_ETIMEDOUT = 116  # what the ESP32 port raises when the clock line stays low

_ARGUMENTS = {
    0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1,
    0x8D: 1, 0x23: 1, 0xD6: 1, 0x26: 6, 0x27: 6, 0x29: 5, 0x2A: 5, 0xA3: 2,
}  # fmt: skip
# segment and scan direction, show RAM or all, scroll off or on, no operation
_NO_EFFECT = (0xA0, 0xA1, 0xA4, 0xA5, 0xC0, 0xC8, 0xE3, 0x2E, 0x2F)
ADDRESS = 0x3C


class SSD1306:
    """`fault`: "nack"; "stuck" and "stretch" hold the clock line; "bit" turns one bit of each
    transfer of picture over.
    """

    arguments = _ARGUMENTS

    def __init__(self):
        self.ram = bytearray(1024)
        self.written = 0  # bytes of picture
        self.power()

    def power(self):
        """Power-on reset, §8.5: display off, contrast 0x7F, page addressing."""
        self.on = False
        self.contrast = 0x7F
        self.inverse = False
        self.start_line = 0
        self.charge_pump = False
        self.mode = 2
        self.columns = (0, 127)
        self.pages = (0, 7)
        self.column = 0
        self.page = 0
        self.fault = None
        self.refused = 0
        self._pending = None

    def present(self):
        return self.fault != "nack"

    def _answers(self):
        if self.fault in ("stuck", "stretch"):
            raise OSError(_ETIMEDOUT)
        return self.fault != "nack"

    def write(self, data):
        if not self._answers():
            return None
        at = 0
        while at < len(data):
            control = data[at]
            at += 1
            # Co set: one byte follows, then another control byte.
            chunk = data[at : at + 1] if control & 0x80 else data[at:]
            at += len(chunk)
            if control & 0x40:
                self.written += len(chunk)
                if self.fault == "bit" and chunk:
                    chunk = bytearray(chunk)
                    chunk[len(chunk) // 2] ^= 0x10
                self._store(chunk)
            else:
                for byte in chunk:
                    self._command(byte)
        return len(data)

    def read(self, count):
        if not self._answers():
            return None
        return bytes([0x00 if self.on else 0x40]) * count  # status: bit 6 = display off

    def _command(self, byte):
        if self._pending is None:
            self._pending = [byte, self.arguments.get(byte, 0)]
        else:
            self._pending.append(byte)
            self._pending[1] -= 1
        if self._pending[1]:
            return
        code = self._pending[0]
        given = self._pending[2:]
        self._pending = None
        self._obey(code, given)

    def _obey(self, code, given):
        if code == 0x20:
            self.mode = given[0] & 3
        elif code == 0x21:
            self.columns = (given[0] & 127, given[1] & 127)
            self.column = self.columns[0]
        elif code == 0x22:
            self.pages = (given[0] & 7, given[1] & 7)
            self.page = self.pages[0]
        elif code == 0x81:
            self.contrast = given[0]
        elif code == 0x8D:
            self.charge_pump = bool(given[0] & 4)
        elif code in (0xA6, 0xA7):
            self.inverse = code == 0xA7
        elif code in (0xAE, 0xAF):
            self.on = code == 0xAF
        elif 0x40 <= code <= 0x7F:
            self.start_line = code & 63
        elif 0xB0 <= code <= 0xB7:
            self.page = code & 7
        elif code <= 0x0F:
            self.column = self.column & 0x70 | code
        elif code <= 0x17:
            self.column = (code & 7) << 4 | self.column & 0x0F
        elif code not in self.arguments and code not in _NO_EFFECT:
            self.refused += 1

    def _store(self, data):
        if self.mode == 0 and len(data) == 1 + self.columns[1] - self.columns[0]:
            start = self.page * 128 + self.columns[0]  # a whole row of the window, the usual case
            if self.column == self.columns[0]:
                self.ram[start : start + len(data)] = data
                self._next_page()
                return
        for byte in data:
            self.ram[self.page * 128 + self.column] = byte
            if self.mode == 2:  # page addressing: the column wraps, the page stays
                self.column = (self.column + 1) & 127
            elif self.mode == 0:
                if self.column == self.columns[1]:
                    self.column = self.columns[0]
                    self.page = (
                        self.pages[0] if self.page == self.pages[1] else (self.page + 1) & 7
                    )
                else:
                    self.column = (self.column + 1) & 127
            elif self.page == self.pages[1]:  # vertical addressing
                self.page = self.pages[0]
                last = self.column == self.columns[1]
                self.column = self.columns[0] if last else (self.column + 1) & 127
            else:
                self.page = (self.page + 1) & 7

    def _next_page(self):
        self.page = self.pages[0] if self.page == self.pages[1] else (self.page + 1) & 7

    def dump(self):
        return {"on": self.on, "contrast": self.contrast, "inverse": self.inverse,
                "charge_pump": self.charge_pump, "start_line": self.start_line,
                "refused": self.refused}  # fmt: skip


def made(nets, options, attach):
    return SSD1306()
