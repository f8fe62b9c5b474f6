"""The keyed hash, against the vectors of RFC 4231 and a badge computed elsewhere."""

from binascii import unhexlify

from lib.seal import badge_hash, hmac_sha256


def test_rfc_4231():
    for key, message, wanted in (
        (
            b"\x0b" * 20,
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        assert hmac_sha256(key, message) == unhexlify(wanted)


def test_a_badge():
    # printf 'iso14443a:04A1B2C3D4E5F6' | openssl dgst -sha256 -mac HMAC -macopt hexkey:5a…5a
    identity = unhexlify("04a1b2c3d4e5f6")
    assert badge_hash(b"\x5a" * 32, "iso14443a", identity) == "a52fccc90632e893e385851332e756e0"
