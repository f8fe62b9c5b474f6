"""A MIFARE DESFire EV1/EV2 card as its reader meets it, behind ISO/IEC 14443-4: native commands,
one application, AES mutual authentication (0xAA). Nothing here is shared with the firmware.

Behaviour: libfreefare's and Proxmark's descriptions of the commands, and recorded exchanges. The
card's own cipher chain goes on from the blocks that it sent and received.
"""

import os

import cryptolib

_OK, _MORE = b"\x00", b"\xaf"
_NO_COMMAND, _LENGTH, _NO_APPLICATION, _DENIED = b"\x1c", b"\x7e", b"\xa0", b"\xae"
_NO_KEY = b"\x40"


def _turned(data):
    return data[1:] + data[:1]


def card(command):
    """What lies in the field after a world's command: `badge` its id in hex, `torn`, and the `key`
    of a DESFire in hex; without one it is a plain card.
    """
    found = {"atqa": b"\x00\x44", "sak": 0x00, "uid": bytes.fromhex(command["badge"])}
    found["torn"] = command.get("torn", False)
    if command.get("key"):
        found.update({"atqa": b"\x03\x44", "sak": 0x20})
        found["chip"] = Desfire(b"\xe0\xad\xd1", {1: bytes.fromhex(command["key"])})
    return found


class Desfire:
    """`application`: its id as sent (3 bytes); `keys`: number → key (16 bytes)."""

    def __init__(self, application, keys, random=None):
        self._application = application
        self._keys = keys
        self._random = random or os.urandom
        self.field()

    def field(self):
        """It comes into a field: everything begins anew."""
        self._selected = None
        self._pending = None  # (key, challenge as sent, challenge)
        self.authenticated = False

    def answer(self, data):
        """What it answers to one command."""
        code, data = data[:1], bytes(data[1:])
        pending, self._pending = self._pending, None
        if code == b"\xaf" and pending:
            return self._proof(pending, data)
        self.authenticated = False
        if code == b"\x5a":  # SelectApplication
            if len(data) != 3:
                return _LENGTH
            if data != self._application and data != b"\0\0\0":
                return _NO_APPLICATION
            self._selected = data
            return _OK
        if code == b"\xaa":  # AuthenticateAES
            if len(data) != 1:
                return _LENGTH
            if self._selected != self._application or data[0] not in self._keys:
                return _NO_KEY if self._selected else _DENIED
            key, challenge = self._keys[data[0]], self._random(16)
            sent = cryptolib.aes(key, 2, bytes(16)).encrypt(challenge)
            self._pending = (key, sent, challenge)
            return _MORE + sent
        return _NO_COMMAND

    def _proof(self, pending, data):
        key, sent, challenge = pending
        if len(data) != 32:
            return _LENGTH
        plain = cryptolib.aes(key, 2, sent).decrypt(data)
        if plain[16:] != _turned(challenge):
            return _DENIED
        self.authenticated = True
        return _OK + cryptolib.aes(key, 2, data[16:]).encrypt(_turned(plain[:16]))
