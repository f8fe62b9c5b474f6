"""MFRC522 as registers and a FIFO behind SPI (NXP MFRC522 rev 3.9 §8.1.2, §9), and type A cards in
its field (ISO/IEC 14443-3 §6: idle, ready, active and halted; anticollision by cascade level).
"""

import wire

_VERSION = 0x92
_RX, _IDLE, _TIMER = 0x20, 0x10, 0x01
_TIMEOUT_MS = 15
_LEVELS = b"\x93\x95\x97"


def _crc_a(data):
    """Bit by bit, as the standard's figure has it: polynomial 0x8408 reversed, preset 0x6363."""
    crc = 0x6363
    for byte in data:
        for at in range(8):
            crc = crc >> 1 ^ (0x8408 if (crc ^ byte >> at) & 1 else 0)
    return bytes([crc & 0xFF, crc >> 8])


class Card:
    """`uid` of 4, 7 or 10 bytes."""

    def __init__(self, uid, sak=0x08):
        self.uid = uid
        self._sak = sak
        self._state = "idle"
        self._level = 0

    def _parts(self):
        """The four bytes of each cascade level."""
        rest, parts = self.uid, []
        while len(rest) > 4:
            parts.append(b"\x88" + rest[:3])
            rest = rest[3:]
        parts.append(rest)
        return parts

    def hear(self, data, bits):
        """Its answer to a frame of the reader; None when it keeps silent."""
        if bits == 7:
            woken = data == b"\x52" or (data == b"\x26" and self._state == "idle")
            if woken and self._state in ("idle", "halt"):
                self._state, self._level = "ready", 0
                return bytes([0x04 | (len(self._parts()) - 1) << 6, 0x00])
            self._state = "halt" if self._state == "halt" else "idle"
            return None
        if data[:2] == b"\x50\x00" and _crc_a(data[:2]) == data[2:]:
            if self._state == "active":
                self._state = "halt"
            return None
        if self._state == "ready" and data[0] == _LEVELS[self._level]:
            part = self._parts()[self._level]
            check = part[0] ^ part[1] ^ part[2] ^ part[3]
            if data[1:] == b"\x20":
                return part + bytes([check])
            if data[1:-2] == b"\x70" + part + bytes([check]) and _crc_a(data[:-2]) == data[-2:]:
                self._level += 1
                more = self._level < len(self._parts())
                if not more:
                    self._state = "active"
                sak = bytes([0x04 if more else self._sak])
                return sak + _crc_a(sak)
        self._state = "idle"
        return None


class MFRC522:
    """Attach at ("spi", sck) with the GPIO of its select line.

    `fault`: "nack" (no chip there), "busy" (never done), "bit" (a bit of each answer turned),
    "torn" (answers one byte short), "gone" (the card leaves within the selection).
    """

    def __init__(self):
        self.fault = None
        self.cards = []
        self.transfers = 0
        self._entry = None
        self._reset()

    def _reset(self):
        self._registers = bytearray(64)
        self._registers[0x37] = _VERSION
        self._registers[0x14] = 0x80
        self._fifo = b""

    def tap(self, uid):
        self.cards = [Card(uid)]

    def untap(self):
        self.cards = []

    def exchange(self, data):
        self.transfers += 1
        if self.fault == "nack":
            return b"\xff" * len(data)
        register = data[0] >> 1 & 0x3F
        if data[0] & 0x80:
            return b"\0" + bytes(self._read(register) for _ in data[1:])
        for byte in data[1:]:
            self._write(register, byte)
        return bytes(len(data))

    def _read(self, register):
        if register == 0x09:
            first, self._fifo = self._fifo[:1], self._fifo[1:]
            return first[0] if first else 0
        if register == 0x0A:
            return len(self._fifo)
        return self._registers[register]

    def _write(self, register, value):
        if register == 0x01:
            self._command(value & 0x0F)
        elif register == 0x04:  # bit 7 says whether the marked bits are set or cleared
            bits = value & 0x7F
            old = self._registers[4]
            self._registers[4] = old | bits if value & 0x80 else old & ~bits
        elif register == 0x09:
            self._fifo += bytes([value])
        elif register == 0x0A:
            if value & 0x80:
                self._fifo = b""
        elif register == 0x0D:
            self._registers[0x0D] = value & 0x7F
            if value & 0x80 and self._registers[1] == 0x0C:
                self._send(value & 7)
        elif register not in (0x06, 0x37):
            self._registers[register] = value

    def _command(self, command):
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None
        if command == 0x0F:
            self._reset()
        else:
            self._registers[1] = command

    def _send(self, bits):
        data, self._fifo = self._fifo, b""
        self._registers[6] = 0
        if self.fault == "busy" or self._registers[0x14] & 3 != 3:
            return
        answers = [card.hear(data, bits) for card in self.cards]
        answers = [answer for answer in answers if answer is not None]
        if not answers:
            self._entry = wire.alarm(wire.now() + _TIMEOUT_MS, self._timed_out)
            return
        answer = answers[0]
        if any(other != answer for other in answers):
            self._registers[6] = 0x08  # CollErr
        if self.fault == "bit" and len(answer) > 2:
            answer = answer[:1] + bytes([answer[1] ^ 4]) + answer[2:]
        elif self.fault == "torn" and len(answer) > 2:
            answer = answer[:-1]
        elif self.fault == "gone" and len(answer) == 5:
            self.cards = []
        self._fifo = answer
        self._registers[4] |= _RX | _IDLE

    def _timed_out(self):
        self._entry = None
        self._registers[4] |= _TIMER

    def dump(self):
        return {"cards": [card.uid.hex() for card in self.cards], "transfers": self.transfers}
