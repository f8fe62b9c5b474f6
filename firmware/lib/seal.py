"""Keyed hashes: badge ids as the station may keep them, never the id itself; and the seal `h`,
always the last member, by which the hub's own messages are known.

Badge: first 16 bytes of HMAC-SHA256(site's badge key, kind ":" upper-case hex id).
Seal: first 8 bytes of HMAC-SHA256(station's key, station id "\\n" boot counter "\\n" body), where
body is the JSON text without that member. Both in hex.
"""

from binascii import hexlify
from hashlib import sha256

from micropython import const

_BLOCK = const(64)
_TAIL = const(24)  # ,"h":"<16 hex>"}


def hmac_sha256(key, message):
    """HMAC-SHA256 (32 bytes); MicroPython has the hash but not the HMAC."""
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    for pad in (0x36, 0x5C):  # the inner hash, then the outer one
        found = sha256(bytes(byte ^ pad for byte in key))
        found.update(message)
        message = found.digest()
    return message


def proof(key, station, boot, nonce):
    """What proves to the hub who is on the cable: the first 16 bytes of HMAC-SHA256(station's key,
    "proof" LF station id LF boot counter LF nonce), in hex.
    """
    text = "proof\n%s\n%d\n%s" % (station, boot, nonce)
    return hexlify(hmac_sha256(key, text.encode())[:16]).decode()


def badge_hash(key, kind, identity):
    """32 hex digits for a badge of `kind` (`iso14443a`) with the id bytes `identity`."""
    name = kind + ":" + hexlify(identity).decode().upper()
    return hexlify(hmac_sha256(key, name.encode())[:16]).decode()


def seal(key, station, boot, body):
    """A JSON object's text (bytes) with its `h`."""
    right = hmac_sha256(key, ("%s\n%d\n" % (station, boot)).encode() + body)[:8]
    return body[:-1] + b',"h":"' + hexlify(right) + b'"}'


def sealed(key, station, boot, text):
    """True for a text (bytes) with the right `h` for this station's present boot."""
    tail = text[-_TAIL:]
    if tail[:6] != b',"h":"' or tail[22:] != b'"}':
        return False
    right = seal(key, station, boot, text[:-_TAIL] + b"}")
    difference = 0
    for ours, theirs in zip(right[-_TAIL:], tail):  # noqa: B905
        difference |= ours ^ theirs
    return not difference
