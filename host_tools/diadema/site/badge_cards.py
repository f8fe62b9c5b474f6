"""The secure badges' keys: one secret of the site, from which each card's keys are made by the
card's id (NXP AN10922). The secret stays in the hub; a station is told the keys of its roster.

A MIFARE DESFire card holds application `APPLICATION`, of which key 0 may change it and key 1 only
opens the exchange at a reader. Writing real cards is not done here, nor by any command: whoever
writes them with a DESFire tool makes both keys of a card with `card_key`.
"""

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

APPLICATION = bytes.fromhex("d1ade0")
OWNER_KEY, READER_KEY = 0, 1
KIND = "desfire"

_AES_128 = b"\x01"  # what the input begins with, AN10922 §2.2
_SYSTEM = b"Diadema"


def aes_cmac(key: bytes, message: bytes) -> bytes:
    """16 bytes, RFC 4493."""
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def diversify(key: bytes, data: bytes) -> bytes:
    """A key of its own for what `data` names, AN10922 §2.2; 16 to 31 bytes.

    Raises ValueError. Shorter data would be padded in another way than RFC 4493 does.
    """
    if len(key) != 16 or not 16 <= len(data) <= 31:
        raise ValueError("a key of 16 bytes and data of 16 to 31 are needed")
    return aes_cmac(key, _AES_128 + data)


def card_key(site_key: bytes, uid: bytes, number: int = READER_KEY) -> bytes:
    """Key `number` of the card with this id (7 bytes)."""
    return diversify(site_key, uid + APPLICATION + bytes([number]) + _SYSTEM)


def secure_uid(badge: str) -> bytes | None:
    """The card's id, when `badge` is in clear (kind:HEX) and one that proves itself."""
    kind, _, uid = badge.partition(":")
    return bytes.fromhex(uid) if kind == KIND else None
