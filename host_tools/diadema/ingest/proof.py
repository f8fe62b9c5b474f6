"""Whether what greets over a cable is the station that it says it is.

The hub asks with a nonce; the station answers, in another hello, with the first 16 bytes of
HMAC-SHA256(its key, "proof" LF station id LF boot counter LF nonce), in hex. Over MQTT the
station's credential is its proof.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from enum import Enum

from diadema.site.station_keys import StationKeys
from diadema.store.station_state import Greeting
from diadema.wire.commands import Hello


class Verdict(Enum):
    """PROVEN: may hear all; TAKEN: events and acknowledgements alone; REFUSED: nothing."""

    PROVEN = "proven"
    TAKEN = "taken"
    REFUSED = "refused"


class Proofs:
    """`required`: a station without a proof is refused, whatever it was before."""

    def __init__(self, keys: StationKeys, *, required: bool = False) -> None:
        self._keys = keys
        self.required = required
        self._nonces: dict[tuple[str, str], str] = {}  # by station and gateway
        self._used: dict[tuple[str, str], tuple[str, int]] = {}
        self.named: Callable[[str, str, str], bool] = lambda *_: False  # a port where it may be
        self.shown: dict[str, bytes] = {}  # what is to be kept of it, whoever asked
        self.crowds: set[str] = set()  # gateways of which it was told that they bring too many
        self.former: dict[str, bytes] = {}  # the key of before a renewal that it last proved

    def judge(self, gw: str, hello: Hello, before: Greeting, sequence: int) -> Verdict:
        """`before`: the greeting that stands; `sequence` of the message: a batch may be taken
        twice, a proof counts once.
        """
        s = hello.station
        key = self._keys.of(s)
        if hello.mac and self._is_answer((s, gw), hello.nonce, sequence):
            self.former.pop(s, None)
            if key is not None and proves(key, hello):
                self.shown[s] = key
                return Verdict.PROVEN
            for old in self._keys.before(s):
                if proves(old, hello):
                    self.shown[s] = self.former[s] = old
        if self.named(s, gw, hello.at):
            return Verdict.TAKEN
        if self.required:
            return Verdict.REFUSED
        if before.gw == gw or not (
            before.gw or before.station
        ):  # its own, or the first word of it
            return Verdict.TAKEN
        return Verdict.REFUSED

    def came_late(self, gw: str, hello: Hello, sequence: int) -> bool:
        """Whether it is right, but answers a question that was answered already or is none any
        more, as when two greetings were under way: it is to be asked again.
        """
        if (hello.nonce, sequence) == self._used.get((hello.station, gw)):
            return False
        known = [self._keys.of(hello.station), *self._keys.before(hello.station)]
        return any(key is not None and proves(key, hello) for key in known)

    def by_credential(self, s: str) -> None:
        """It came by MQTT, with a password by the present key."""
        self.former.pop(s, None)

    def question(self, s: str, gw: str) -> bytes:
        """What to ask the station; the same until it is answered."""
        nonce = self._nonces.setdefault((s, gw), secrets.token_hex(16))
        return b'{"hello":1,"nonce":"%b"}' % nonce.encode()

    def _is_answer(self, at: tuple[str, str], nonce: str, sequence: int) -> bool:
        if (nonce, sequence) == self._used.get(at):
            return True
        if not nonce or nonce != self._nonces.get(at):
            return False
        self._used[at] = nonce, sequence
        del self._nonces[at]
        return True


def proves(key: bytes, hello: Hello) -> bool:
    """Whether the greeting's `mac` is by this key."""
    text = f"proof\n{hello.station}\n{hello.boot}\n{hello.nonce}".encode()
    right = hmac.digest(key, text, hashlib.sha256)[:16].hex()
    return hmac.compare_digest(right.encode(), hello.mac.encode())
