"""PN532 badge reader at the level of its I2C frames (user manual UM0701-02, §6.2 and §7).

Answers with the ready byte, ACK and response frames, and pulls the IRQ line low while it has
something to say. Timing: an answer to InListPassiveTarget comes when a card is there or after
the retries that RFConfiguration allowed (about 30 ms each, §7.3.1).
"""

import wire

_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"
_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"  # application level error, §6.2.1.5


def frame(body):
    """Wrap TFI and data as a normal information frame."""
    length = len(body)
    checksum = -sum(body) & 0xFF
    return b"\x00\x00\xff" + bytes([length, -length & 0xFF]) + body + bytes([checksum, 0])


class PN532:
    def __init__(self, irq):
        self._irq = irq
        self.card = None
        self.power()

    def power(self):
        self.fault = None
        self._out = []  # frames to be read, oldest first
        self._last = b""
        self._retries = 0xFF
        self._listing = False
        self._entry = None
        self.frames = 0
        self.refused = 0
        self._irq.drive(1)

    def present(self):
        return self.fault != "nack"

    # --- the air -----------------------------------------------------------------------------

    def tap(self, card):
        """A card comes into the field: {"uid": bytes, "sak", "atqa", "torn": bool}."""
        self.card = card
        if self._listing:
            self._found()

    def untap(self):
        self.card = None

    # --- the bus -----------------------------------------------------------------------------

    def write(self, data):
        if self.fault == "nack":
            return None
        start = bytes(data).find(b"\x00\xff")
        body = bytes(data)[start + 2 :] if start >= 0 else b""
        if body[:2] == b"\x00\xff":  # an ACK from the host aborts what runs, §6.2.1.3
            self._stop()
            self._out.clear()
        elif body[:2] == b"\xff\x00":  # a NACK asks for the last answer again
            if self._last:
                self._out.append(self._last)
        elif len(body) < 4 or (body[0] + body[1]) & 0xFF or len(body) < body[0] + 3:
            self.refused += 1  # a broken frame gets no answer at all
        elif sum(body[2 : body[0] + 3]) & 0xFF or body[2] != 0xD4:
            self.refused += 1
        else:
            self.frames += 1
            self._stop()
            self._out = [_ACK]
            self._command(body[3], body[4 : body[0] + 2])
        self._signal()
        return len(data)

    def read(self, count):
        if self.fault == "nack":
            return None
        if not self._out or self.fault == "busy":
            return b"\x00" * count
        if count == 1:  # only the ready byte: the frame stays (§6.2.4)
            return b"\x01"
        answer = self._out.pop(0)
        if answer is not _ACK:
            self._last = answer
        if self.fault == "torn" and answer is not _ACK:
            answer = answer[:-3] + bytes([answer[-3] ^ 0x10]) + answer[-2:]
        data = b"\x01" + answer
        self._irq.drive(1)
        self._signal()
        return (data + b"\x00" * count)[:count]

    def _signal(self):
        self._irq.drive(0 if self._out and self.fault != "busy" else 1)

    def _answer(self, code, data=b""):
        self._out.append(frame(bytes([0xD5, code + 1]) + data))
        self._signal()

    def _stop(self):
        self._listing = False
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None

    def _command(self, code, data):
        if code == 0x02:  # GetFirmwareVersion: IC 0x32, version 1.6, ISO 14443 A/B and 18092
            self._answer(code, b"\x32\x01\x06\x07")
        elif code == 0x04:  # GetGeneralStatus
            self._answer(code, b"\x00\x01\x00\x00\x80")
        elif code in (0x14, 0x16, 0x52):  # SAMConfiguration, PowerDown, InRelease
            self._answer(code, b"" if code == 0x14 else b"\x00")
        elif code == 0x32:  # RFConfiguration; item 5: MxRtyATR, MxRtyPSL, MxRtyPassiveActivation
            if data[:1] == b"\x05" and len(data) > 3:
                self._retries = data[3]
            self._answer(code)
        elif code == 0x4A:  # InListPassiveTarget
            self._listing = True
            if self.card:
                self._found()
            elif self._retries != 0xFF:
                self._entry = wire.alarm(wire.now() + 30 * (self._retries + 1), self._nothing)
        elif code == 0x40:  # InDataExchange: the sample cards hold no files
            self._answer(code, b"\x27" if self.card else b"\x01")
        else:
            self._out.append(_ERROR)

    def _found(self):
        self._stop()
        card = self.card
        target = b"\x01" + card["atqa"] + bytes([card["sak"], len(card["uid"])]) + card["uid"]
        answer = frame(b"\xd5\x4b\x01" + target)
        if card.get("torn"):  # the card left while its id was being sent over the bus
            answer = answer[:-4] + b"\x00\x00" + answer[-2:]
        self._out.append(answer)
        self._signal()

    def _nothing(self):
        self._entry = None
        self._listing = False
        self._answer(0x4A, b"\x00")

    def dump(self):
        return {"frames": self.frames, "refused": self.refused, "listing": self._listing,
                "card": bool(self.card), "fault": self.fault}  # fmt: skip
