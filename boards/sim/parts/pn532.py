"""PN532 badge reader at the level of its frames (user manual UM0701-02, §6.2 and §7), and on I2C.

Answers with the ready byte, ACK and response frames, and pulls the IRQ line low while it has
something to say. Timing: an answer to InListPassiveTarget comes when a card is there or after
the retries that RFConfiguration allowed (about 30 ms each, §7.3.1). What the cards make of it is
`parts.pn532_field`'s. A command that the manual forbids raises ValueError, so a test that sends
one fails.
"""

import wire
from parts import desfire
from parts.pn532_field import Field

_ACK = b"\x00\x00\xff\x00\xff\x00"
_ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"  # application level error, §6.2.1.5
_TIMED_OUT = b"\x01"  # the card did not answer, §7.1
_NOT_READY = b"\x27"  # no such command in this state, §7.1

# what it knows: name, page of UM0701-02, and who sends it with the same bytes
COMMANDS = {
    0x02: ("GetFirmwareVersion", 73, "libnfc chips/pn53x.c"),
    0x14: ("SAMConfiguration", 89, "libnfc chips/pn53x.c"),
    0x32: ("RFConfiguration", 101, "libnfc chips/pn53x.c, esphome components/pn532"),
    0x40: ("InDataExchange", 127, "libnfc chips/pn53x.c"),
    0x44: ("InDeselect", 139, "libnfc chips/pn53x.c"),
    0x4A: ("InListPassiveTarget", 115, "libnfc chips/pn53x.c"),
    0x52: ("InRelease", 140, "libnfc chips/pn53x.c"),
}
_ITEMS = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3}  # of RFConfiguration, §7.3.1: bytes of each


def frame(body):
    """Wrap TFI and data as a normal information frame."""
    length = len(body)
    checksum = -sum(body) & 0xFF
    return b"\x00\x00\xff" + bytes([length, -length & 0xFF]) + body + bytes([checksum, 0])


def _cut(answer):
    """Its first half. The controller reads zeros after it, with which the checksum of one in 256
    would fit: such a one is shorter.
    """
    end = len(answer) // 2
    while end > 5 and not sum(answer[5:end]) & 0xFF:
        end -= 1
    return answer[:end]


ADDRESS = 0x24


class PN532:
    """On I2C (§6.2.4). `fault`, for the next `times` (None: for ever):

    "nack" not there; "stuck" clock held low for good, "stretch" for longer than the controller
    waits, once a command; "busy" never ready; "torn" answers cut short, "bit" with a bit turned;
    "stick" an answer breaks off and nothing follows; "gone" the card leaves when it is next asked
    something. `hasty` counts transfers that began less than `rest_ms` after the last; they fail.
    """

    # between two transfers: data sheet rev 3.2 §12.25 (table 320), libnfc drivers/pn532_i2c.c
    rest_ms = 5

    def __init__(self, irq=None):
        self._irq = irq
        self.field = Field()
        self.power()

    def power(self):
        self.fault = None
        self.times = None
        self.field.power()
        self._out = []  # frames to be read, oldest first
        self._last = b""
        self._retries = 0xFF
        self._most = 0  # targets of the listing that runs
        self._entry = None
        self._stretched = self._stuck = False
        self._set_up = False  # SAMConfiguration comes first, AN10609
        self._moved = wire.now() - self.rest_ms
        self.heard = set()  # commands
        self.frames = 0
        self.refused = 0
        self.hasty = 0
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

    def hold(self, command):
        """The world's command: a badge lies there, maybe with another one `beside` it."""
        beside = command.get("beside")
        self.tap(desfire.card(command), *([desfire.card({"badge": beside})] if beside else ()))

    def tap(self, *cards):
        """What lies in the field from now on, as `Field.enter` says."""
        self.field.clear()
        for card in cards:
            self.field.enter(card)
        if self._most:
            self._look()

    def untap(self):
        self.field.clear()

    # --- frames ------------------------------------------------------------------------------

    def receive(self, data):
        """What the host sends, from its preamble on."""
        start = data.find(b"\x00\xff")
        body = data[start + 2 :] if start >= 0 else b""
        if self._stuck and self.fault == "stick":
            return
        self._stuck = False
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
                answer = _cut(answer)
            elif self._faulty("bit"):
                answer = answer[:-3] + bytes([answer[-3] ^ 0x10]) + answer[-2:]
            elif self.fault == "stick":
                self._stuck = True
                self._stop()
                self._out.clear()
                answer = _cut(answer)
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
        self._most = 0
        if self._entry:
            wire.cancel(self._entry)
            self._entry = None

    def _command(self, code, data):
        self.heard.add(code)
        if code not in COMMANDS or not (self._set_up or code == 0x14):
            self._out.append(_ERROR)
        elif code == 0x02:  # IC 0x32, version 1.6, ISO 14443 A/B and 18092
            self._answer(code, b"\x32\x01\x06\x07")
        elif code == 0x14:
            self._set_up = True
            self._answer(code)
        elif code == 0x32:
            self._configure(data[0], data[1:])
            self._answer(code)
        elif code == 0x4A:
            if not 1 <= data[0] <= 2 or data[1] != 0:
                raise ValueError("MaxTg, BrTy %s: §7.3.5" % data.hex())
            self._list(data[0])
        elif code == 0x40:
            self._answer(code, self._exchange(data[0], data[1:]))
        else:  # InDeselect, InRelease; 0 is all targets
            self.field.release()
            self._answer(code, b"\x00")

    def _configure(self, item, data):
        if len(data) != _ITEMS.get(item):
            raise ValueError("RFConfiguration %d, %s: §7.3.1" % (item, data.hex()))
        if item == 0x01:
            self.field.switch(data[0] & 1)
        elif item == 0x05:  # MxRtyATR, MxRtyPSL, MxRtyPassiveActivation
            self._retries = data[2]

    def _exchange(self, number, data):
        if self._faulty("gone"):
            self.field.clear()
        card = self.field.target(number)
        if card is None:
            return _TIMED_OUT
        if "chip" not in card:
            return _NOT_READY
        return b"\x00" + card["chip"].answer(data)

    def _list(self, most):
        self.field.begin()
        self._most = most
        if not self._look() and self._retries != 0xFF:
            self._entry = wire.alarm(wire.now() + 30 * (self._retries + 1), self._nothing)

    def _look(self):
        """Whether a listing found somebody, and said so."""
        found = self.field.find(self._most)
        if not found:
            return False
        self._stop()
        answer = bytes([len(found)])
        for number, card in enumerate(found):
            answer += bytes([number + 1]) + card["atqa"]
            answer += bytes([card["sak"], len(card["uid"])]) + card["uid"]
            if "chip" in card:
                answer += b"\x06\x75\x77\x81\x02\x80"  # ATS of a DESFire
        answer = frame(b"\xd5\x4b" + answer)
        if found[0].get("torn"):  # the card left while its id was being sent over the bus
            answer = answer[:-4] + b"\x00\x00" + answer[-2:]
        self._out.append(answer)
        self._signal()
        return True

    def _nothing(self):
        self._entry = None
        self._most = 0
        self._answer(0x4A, b"\x00")

    def dump(self):
        return {"frames": self.frames, "refused": self.refused, "hasty": self.hasty,
                "listing": bool(self._most), "card": bool(self.field.cards),
                "fault": self.fault}  # fmt: skip

    # --- the bus -----------------------------------------------------------------------------

    def _rested(self):
        """Whether the last transfer lies back far enough; the chip does not hear one before."""
        rested = wire.now() - self._moved >= self.rest_ms
        self._moved = wire.now()
        self.hasty += not rested
        return rested

    def _held(self, writing):
        """The clock is low when the controller gives up: ETIMEDOUT, as the ESP32 port says."""
        if self._faulty("stuck"):
            raise OSError(116)
        if self.fault == "stretch" and writing and not self._stretched:
            self._stretched = True
            raise OSError(116)

    def write(self, data):
        self._held(True)
        if self._faulty("nack") or not self._rested():
            return None
        self._stretched = False
        self.transfers += 1
        self.bytes += len(data) + 1  # and its address
        self.receive(bytes(data))
        return len(data)

    def read(self, count):
        self._held(False)
        if self._faulty("nack") or not self._rested():
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


def made(nets, options, attach):
    return PN532(nets[-1])
