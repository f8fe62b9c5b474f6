"""The secure badge: a MIFARE DESFire EV1 or later proves that it knows its key, and we that we do,
before its id counts. Native commands, AES mutual authentication (0xAA).

A card holds application D1ADE0. Its key 1, which only opens this exchange, is made by the hub for
the card's id (NXP AN10922) and told to the stations whose roster names the card; key 0, which can
change the application, is made the same way and told to nobody. What is right: libfreefare's
mifare_desfire_auth.c and recorded exchanges; NXP's own data sheet is not public.
"""

import os

from cryptolib import aes
from lib.errors import BadRead
from micropython import const

APPLICATION = b"\xe0\xad\xd1"  # as it is sent, lowest byte first
KEY_NUMBER = b"\x01"

_SELECT_APPLICATION = const(b"\x5a")
_AUTHENTICATE_AES = const(b"\xaa")
_MORE = const(b"\xaf")
_OK = const(b"\x00")
_CBC = const(2)
_BLOCK = const(16)


def _turned(data):
    return data[1:] + data[:1]


async def authenticate(exchange, key, random=os.urandom):
    """The session key when the card knows `key`, None when it does not.

    `await exchange(bytes)` asks the card; what that raises when the card left goes through.
    """
    if await exchange(_SELECT_APPLICATION + APPLICATION) != _OK:
        return None
    theirs = await exchange(_AUTHENTICATE_AES + KEY_NUMBER)
    if theirs[:1] != _MORE or len(theirs) != 1 + _BLOCK:
        return None
    # one chain of cipher blocks through the whole exchange: each begins with the last one sent
    theirs = theirs[1:]
    b = aes(key, _CBC, bytes(_BLOCK)).decrypt(theirs)
    a = random(_BLOCK)
    ours = aes(key, _CBC, theirs).encrypt(a + _turned(b))
    proof = await exchange(_MORE + ours)
    if proof[:1] != _OK or len(proof) != 1 + _BLOCK:
        return None
    if aes(key, _CBC, ours[_BLOCK:]).decrypt(proof[1:]) != _turned(a):
        return None
    return a[:4] + b[:4] + a[12:] + b[12:]


async def prove(config, reader, identity):
    """What `Config.find` gives, for the id of a card that may be enrolled as a DESFire.

    (hash, agent, "badge_secure") when it is and proved it, (hash, None, "not_genuine") when it did
    not or cannot; None when it left meanwhile.
    """
    badge, agent = config.find("desfire", identity)
    if agent is None:  # a plain badge, if anything
        return config.find(reader.kind, identity)
    if getattr(reader, "speaks", False):
        try:
            if await authenticate(reader.exchange, config.card_key(badge)):
                return badge, agent, "badge_secure"
        except BadRead:
            return None
    return badge, None, "not_genuine"
