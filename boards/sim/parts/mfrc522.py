"""MFRC522 as registers and a FIFO behind SPI (NXP MFRC522 rev 3.9 §8.1.2, §9), and type A cards in
its field (ISO/IEC 14443-3 §6: idle, ready, active and halted; anticollision by cascade level).

A write that the data sheet forbids raises ValueError, so a test whose driver does it fails.
"""

import wire

# what may be written: name, section of the data sheet, the bits that are not reserved, what is
# in it after a reset; each also in miguelbalboa/rfid src/MFRC522.h and esphome
# components/rc522/rc522.h
REGISTERS = {
    0x01: ("CommandReg", "9.3.1.2", 0x3F, 0x20),
    0x04: ("ComIrqReg", "9.3.1.5", 0xFF, 0x14),
    0x09: ("FIFODataReg", "9.3.1.10", 0xFF, 0x00),
    0x0A: ("FIFOLevelReg", "9.3.1.11", 0x80, 0x00),
    0x0D: ("BitFramingReg", "9.3.1.14", 0xF7, 0x00),
    0x11: ("ModeReg", "9.3.2.2", 0xAB, 0x3F),
    0x14: ("TxControlReg", "9.3.2.5", 0xFB, 0x80),
    0x15: ("TxASKReg", "9.3.2.6", 0x40, 0x00),
    0x2A: ("TModeReg", "9.3.3.10", 0xFF, 0x00),
    0x2B: ("TPrescalerReg", "9.3.3.10", 0xFF, 0x00),
    0x2C: ("TReloadReg, high", "9.3.3.11", 0xFF, 0x00),
    0x2D: ("TReloadReg, low", "9.3.3.11", 0xFF, 0x00),
}
_COMMANDS = (0x00, 0x01, 0x02, 0x03, 0x04, 0x07, 0x08, 0x0C, 0x0E, 0x0F)  # §10.3
_FIFO_BYTES = 64
_RX, _IDLE, _TIMER = 0x20, 0x10, 0x01
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
        self.power()

    def power(self):
        """The field comes anew."""
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

    `fault`: "nack" (no chip there), "busy" (never done), "stick" (likewise, within a selection),
    "bit" (a bit of each answer turned), "torn" (answers one byte short), "gone" (the card leaves
    within the selection). `version`: NXP's 0x91 and 0x92, clones' as they are.
    """

    def __init__(self):
        self.version = 0x92
        self.fault = None
        self.cards = []
        self.transfers = 0
        self._entry = None
        self._reset()

    def _reset(self):
        self._registers = bytearray(64)
        for register, (_, _, _, value) in REGISTERS.items():
            self._registers[register] = value
        self._fifo = b""
        for card in self.cards:  # the antenna is off
            card.power()

    def hold(self, command):
        """The world's command; `torn`: the card leaves within the selection."""
        self.tap(*[bytes.fromhex(command[key]) for key in ("badge", "beside") if command.get(key)])
        if command.get("torn"):
            self.fault = "gone"
        elif self.fault == "gone":
            self.fault = None

    def tap(self, *uids):
        self.cards = [Card(uid) for uid in uids]

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
        if register == 0x37:
            return self.version
        return self._registers[register]

    def _write(self, register, value):
        if register not in REGISTERS:
            raise ValueError("register %#x cannot be written" % register)
        name, section, bits, reset = REGISTERS[register]
        if register != 0x0A and (value ^ reset) & ~bits:
            raise ValueError("%s = %#x: bits that are reserved, §%s" % (name, value, section))
        if register == 0x01:
            self._command(value & 0x0F)
        elif register == 0x04:  # bit 7 says whether the marked bits are set or cleared
            bits = value & 0x7F
            old = self._registers[4]
            self._registers[4] = old | bits if value & 0x80 else old & ~bits
        elif register == 0x09:
            self._fifo += bytes([value])
            if len(self._fifo) > _FIFO_BYTES:
                raise ValueError("more than 64 bytes in the FIFO: §8.3")
        elif register == 0x0A:
            if value & 0x80:
                self._fifo = b""
        elif register == 0x0D:
            self._registers[0x0D] = value & 0x7F
            if value & 0x80:
                if self._registers[1] != 0x0C:
                    raise ValueError("StartSend is of Transceive alone: §9.3.1.14")
                self._send(value & 7)
        else:
            self._registers[register] = value

    def _command(self, command):
        if command not in _COMMANDS:
            raise ValueError("command %#x: §10.3" % command)
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
        if self.fault == "busy":
            return
        heard = self._registers[0x14] & 3 == 3 and self._registers[0x15] & 0x40  # antenna, 100 %
        answers = [card.hear(data, bits) for card in self.cards] if heard else []
        answers = [answer for answer in answers if answer is not None]
        if not answers:
            if self._registers[0x2A] & 0x80:  # TAuto
                self._entry = wire.alarm(wire.now() + self._timer_ms(), self._timed_out)
            return
        if self.fault == "stick" and len(answers[0]) == 5:
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

    def _timer_ms(self):
        """§8.5: reload + 1 steps of 13.56 MHz / (2 · prescaler + 1)."""
        registers = self._registers
        prescaler = (registers[0x2A] & 0x0F) << 8 | registers[0x2B]
        reload = registers[0x2C] << 8 | registers[0x2D]
        return (reload + 1) * (2 * prescaler + 1) // 13_560

    def _timed_out(self):
        self._entry = None
        self._registers[4] |= _TIMER

    def dump(self):
        return {"cards": [card.uid.hex() for card in self.cards], "transfers": self.transfers}


def made(nets, options, attach):
    return MFRC522()
