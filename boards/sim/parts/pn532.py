"""PN532 badge reader at the level of its frames (user manual UM0701-02, §6.2 and §7), on each of
its three buses.

Answers with the ready byte, ACK and response frames, and pulls the IRQ line low while it has
something to say. Timing: an answer to InListPassiveTarget comes when a card is there or after
the retries that RFConfiguration allowed (about 30 ms each, §7.3.1).
"""

import wire

_ACK = b"\x00\x00\xff\x00\xff\x00"
_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"  # application level error, §6.2.1.5
_TIMED_OUT = b"\x01"  # the card did not answer, §7.1
_NOT_READY = b"\x27"  # no such command in this state, §7.1


def frame(body):
    """Wrap TFI and data as a normal information frame."""
    length = len(body)
    checksum = -sum(body) & 0xFF
    return b"\x00\x00\xff" + bytes([length, -length & 0xFF]) + body + bytes([checksum, 0])


class PN532:
    """On I2C (§6.2.4). `fault`, for the next `times` (None: for ever):

    "nack" not there; "stuck" clock held low for good, "stretch" for longer than the controller
    waits, once a command; "busy" never ready; "torn" answers cut short, "bit" with a bit turned;
    "gone" the card leaves when it is next asked something.
    """

    def __init__(self, irq=None):
        self._irq = irq
        self.card = None
        self.power()

    def power(self):
        self.fault = None
        self.times = None
        self._out = []  # frames to be read, oldest first
        self._last = b""
        self._retries = 0xFF
        self._listing = False
        self._entry = None
        self._stretched = False
        self.frames = 0
        self.refused = 0
        self.transfers = 0  # on the bus
        self.bytes = 0
        self._signal()

    def present(self):
        return self.fault != "nack"

    def _faulty(self, kind):
        if self.fault != kind:
            return False
        if self.times is not None:
            self.times -= 1
            if self.times <= 0:
                self.fault = self.times = None
        return True

    # --- the air -----------------------------------------------------------------------------

    def tap(self, card):
        """A card comes into the field: {"uid": bytes, "sak", "atqa", "torn": bool, "chip"}.

        `chip.answer(bytes)` is what a card of ISO/IEC 14443-4 says; one without has no commands.
        """
        self.card = card
        if "chip" in card:
            card["chip"].field()
        if self._listing:
            self._found()

    def untap(self):
        self.card = None

    # --- frames ------------------------------------------------------------------------------

    def receive(self, data):
        """What the host sends, from its preamble on."""
        start = data.find(b"\x00\xff")
        body = data[start + 2 :] if start >= 0 else b""
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

    def send(self):
        """The next frame for the host, with what goes wrong."""
        answer = self._out.pop(0)
        if answer is not _ACK:
            self._last = answer
            if self._faulty("torn"):
                answer = answer[: len(answer) // 2]
            elif self._faulty("bit"):
                answer = answer[:-3] + bytes([answer[-3] ^ 0x10]) + answer[-2:]
        return answer

    @property
    def ready(self):
        return bool(self._out) and self.fault != "busy"

    def _signal(self):
        if self._irq:
            self._irq.drive(0 if self.ready else 1)

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
        elif code == 0x40:  # InDataExchange
            if self._faulty("gone"):
                self.card = None
            if not self.card:
                self._answer(code, _TIMED_OUT)
            elif data[:1] != b"\x01" or "chip" not in self.card:
                self._answer(code, _NOT_READY)
            else:
                self._answer(code, b"\x00" + self.card["chip"].answer(data[1:]))
        else:
            self._out.append(_ERROR)

    def _found(self):
        self._stop()
        card = self.card
        found = b"\x01" + card["atqa"] + bytes([card["sak"], len(card["uid"])]) + card["uid"]
        if "chip" in card:  # a listing activates it again
            card["chip"].field()
            found += b"\x06\x75\x77\x81\x02\x80"  # ATS of a DESFire
        answer = frame(b"\xd5\x4b\x01" + found)
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

    # --- the bus -----------------------------------------------------------------------------

    def _held(self, writing):
        """The clock is low when the controller gives up: ETIMEDOUT, as the ESP32 port says."""
        if self._faulty("stuck"):
            raise OSError(116)
        if self.fault == "stretch" and writing and not self._stretched:
            self._stretched = True
            raise OSError(116)

    def write(self, data):
        self._held(True)
        if self._faulty("nack"):
            return None
        self._stretched = False
        self.transfers += 1
        self.bytes += len(data) + 1  # and its address
        self.receive(bytes(data))
        return len(data)

    def read(self, count):
        self._held(False)
        if self._faulty("nack"):
            return None
        self.transfers += 1
        self.bytes += count + 1
        if not self.ready:
            return b"\x00" * count
        if count == 1:  # only the ready byte: the frame stays (§6.2.4)
            return b"\x01"
        data = b"\x01" + self.send()
        if self._irq:
            self._irq.drive(1)
        self._signal()
        return (data + b"\x00" * count)[:count]


def _turned(data):
    """Lowest bit first, as it is on the wire (§6.2.5)."""
    return bytes(int("".join(reversed("{:08b}".format(byte))), 2) for byte in data)


class PN532Spi(PN532):
    """On SPI: attach at ("spi", sck) with the GPIO of its select line; it sleeps until it was
    selected once. "nack": no chip there, so the line floats high.
    """

    def power(self):
        self._asleep = True
        super().power()

    def select(self, level):
        if level:
            self._asleep = False

    def exchange(self, data):
        self.transfers += 1
        self.bytes += len(data)
        if self._asleep or self._faulty("nack"):
            return b"\xff" * len(data)
        data = _turned(data)
        answer = b""
        if data[0] == 0x01:
            self.receive(data[1:])
        elif data[0] == 0x02:
            answer = b"\x01" if self.ready else b"\x00"
        elif data[0] == 0x03 and self.ready:
            answer = self.send()
            self._irq.drive(1)
            self._signal()
        return _turned((b"\xff" + answer + bytes(len(data)))[: len(data)])


class PN532Hsu(PN532):
    """On a UART: attach at ("uart", rx) address 0; deaf until it hears 0x55 (§7.2.11)."""

    def power(self):
        self.port = None  # set by the UART
        self._awake = False
        super().power()

    def received(self, data):
        self.transfers += 1
        self.bytes += len(data)
        if data[:1] == b"\x55":
            self._awake = True
        elif self._awake and self.fault != "nack":
            self.receive(data)

    def _signal(self):
        while self.port and self.ready:
            data = self.send()
            self.bytes += len(data)
            self.port.deliver(data)
