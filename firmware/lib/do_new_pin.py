"""The agent's own PIN in place of a code for one use: typed twice, and told to the host under the
station's key, so that nobody reads it on the way or in the journal.
"""

from binascii import b2a_base64, hexlify

from lib.do_pin import Page, go_on
from lib.seal import hmac_sha256
from micropython import const

_PIN = const(6)
_IDLE_MS = const(20_000)
_RUNS = (b"123456", b"654321")


def ask(station, details, until):
    """`details`: of the tap; `until`: which names the reset."""
    if not station.config.key:
        station.do("session.deny", details, "no_roster")
        return
    station.open(NewPin(details, until), _IDLE_MS)


class NewPin(Page):
    stage = "new"

    def __init__(self, details, until):
        super().__init__(details, "pin", _PIN)
        self.until = until

    def press(self, station, key):
        if self.whole:
            return
        if not self.count:
            self.hint = None
        self.digits[self.count] = 48 + key
        self.count += 1
        if self.count < len(self.digits):
            return
        digits = bytes(self.digits)
        self.count = 0
        if self.first is None:
            if digits in _RUNS or digits == digits[:1] * _PIN:
                self.hint = "weak_pin"
            else:
                self.first = digits
                self.stage = "again"
        elif digits == self.first:
            self.count = _PIN
            self.whole = True
            station.slow = self
        else:
            self.hint = "other_pin"
            self.stage = "new"
        if not self.whole:
            self.wipe()
            if self.stage == "new":
                self.first = None

    def answer(self, station, verifier):
        """`verifier`: salt and hash of it."""
        _, agent, _, _ = self.details
        salt, hash_ = verifier[:8], verifier[8:]
        pad = hmac_sha256(station.config.key, b"pin" + salt)
        sealed = salt + bytes(ours ^ theirs for ours, theirs in zip(hash_, pad))  # noqa: B905
        station.menu = None
        station.config.choose(agent, b2a_base64(verifier).decode().strip())
        station.emit("pin.chosen", a=agent, until=self.until, verifier=hexlify(sealed).decode())
        go_on(station, self.details)
