"""Whether what comes down is the hub's own: `h`, always the last member, seals the rest.

h = first 8 bytes of HMAC-SHA256(station's key, station id "\\n" boot counter "\\n" body), in hex;
body is the JSON text without that member.
"""

from binascii import hexlify

from lib.badges import hmac_sha256
from micropython import const

_TAIL = const(24)  # ,"h":"<16 hex>"}


def sealed(key, station, boot, text):
    """True for a text (bytes) with the right `h` for this station's present boot."""
    tail = text[-_TAIL:]
    if tail[:6] != b',"h":"' or tail[22:] != b'"}':
        return False
    body = text[:-_TAIL] + b"}"
    right = hmac_sha256(key, ("%s\n%d\n" % (station, boot)).encode() + body)[:8]
    difference = 0
    for ours, theirs in zip(hexlify(right), tail[6:22]):  # noqa: B905
        difference |= ours ^ theirs
    return not difference
