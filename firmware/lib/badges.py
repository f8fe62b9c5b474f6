"""Badge ids as the station may keep them: a keyed hash, never the id itself.

Hash = first 16 bytes of HMAC-SHA256(site's badge key, kind ":" upper-case hex id); RFC 2104.
"""

from binascii import hexlify
from hashlib import sha256

_BLOCK = 64


def hmac_sha256(key, message):
    """HMAC-SHA256 (32 bytes); MicroPython has the hash but not the HMAC."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = sha256(bytes(byte ^ 0x36 for byte in key))
    inner.update(message)
    outer = sha256(bytes(byte ^ 0x5C for byte in key))
    outer.update(inner.digest())
    return outer.digest()


def badge_hash(key, kind, identity):
    """32 hex digits for a badge of `kind` (`iso14443a`) with the id bytes `identity`."""
    name = kind + ":" + hexlify(identity).decode().upper()
    return hexlify(hmac_sha256(key, name.encode())[:16]).decode()
