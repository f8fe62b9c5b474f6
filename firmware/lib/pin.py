"""Whether a PIN is right: PBKDF2-HMAC-SHA256 of 1000 rounds (RFC 8018), in parts between which
everything else goes on.
"""

import asyncio
import os
from binascii import a2b_base64
from hashlib import sha256

from micropython import const

_ROUNDS = const(1000)
_PART = const(16)  # rounds at a time
_SALT = const(8)
_SIZE = const(16)  # bytes of the result that are kept


async def derive(pin, salt):
    """First 16 bytes of PBKDF2 for a PIN (bytes)."""
    pin = pin + bytes(64 - len(pin))
    inner_pad = bytes(byte ^ 0x36 for byte in pin)
    outer_pad = bytes(byte ^ 0x5C for byte in pin)
    block = salt + b"\0\0\0\1"
    result = 0
    for at in range(_ROUNDS):
        inner = sha256(inner_pad)
        inner.update(block)
        outer = sha256(outer_pad)
        outer.update(inner.digest())
        block = outer.digest()
        result ^= int.from_bytes(block[:_SIZE], "big")
        if at % _PART == _PART - 1:
            await asyncio.sleep_ms(0)
    return result.to_bytes(_SIZE, "big")


async def check(app, page):
    """Post whether the page's digits are right, or the verifier of those that were chosen; they
    are gone afterwards.
    """
    machine = app.machine
    known = machine.config.verifier(page.details[1])
    # nobody has this one; to work it out takes as long as a right one
    verifier = a2b_base64(known) if known else bytes(_SALT + _SIZE)
    salt = os.urandom(_SALT) if page.first else verifier[:_SALT]
    found = await derive(bytes(page.digits), salt)
    difference = 0
    for ours, theirs in zip(found, verifier[_SALT:]):  # noqa: B905
        difference |= ours ^ theirs
    until = int.from_bytes(verifier[_SALT + _SIZE :], "big")
    if until and (machine.utc(machine.u) or 0) // 1000 > until:
        difference = 1  # a code's time is over
    page.wipe()
    while app.crowded:
        await asyncio.sleep_ms(0)
    answer = salt + found if page.first else not difference
    app.post("pin_checked", app.clock.now(), (page, answer))
