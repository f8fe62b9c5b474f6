"""A badge as the host keeps it: `iso14443a#` and the keyed hash of its id in hex, in place of the
id that anybody could write onto another card, `iso14443a:04A1B2C3`. One way only: nothing here
gives an id back.

Of a secure badge two more are needed, which are of its id as well: the hash of the same card taken
for a plain one, which may be nobody's; and the key by which the card proves itself, covered by one
of the site's card key. `desfire#` is followed by all three.

The secure badges' keys: one secret of the site, from which each card's keys are made by the
card's id (NXP AN10922). The secret stays in the hub; a station is told the keys of its roster.

A MIFARE DESFire card holds application `APPLICATION`, of which key 0 may change it and key 1 only
opens the exchange at a reader. Writing real cards is not done here, nor by any command: whoever
writes them with a DESFire tool makes both keys of a card with `card_key`.
"""

import hashlib
import hmac
import re
from typing import Self

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from msgspec import Struct

from diadema.base import credentials
from diadema.base.paths import DataDir

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


ID = re.compile(r"([a-z0-9]{1,16}):([0-9A-F]{8,64})\Z")
SECURE_ID = re.compile(rf"{KIND}:[0-9A-F]{{14}}\Z")
STORED = re.compile(rf"(?!{KIND}#)[a-z0-9]{{1,16}}#[0-9a-f]{{32}}\Z|{KIND}#[0-9a-f]{{96}}\Z")
_PLAIN = "iso14443a"  # what a secure card is to a reader that asks for no proof
_HASH = 32  # hex digits
_MARK = 4
_COVER = b"at rest"


class BadgeKeys(Struct, frozen=True):
    """The site's keys that hashes and covers are made with."""

    badge: bytes
    card: bytes

    @classmethod
    def of(cls, secrets: credentials.Secrets) -> Self:
        return cls(bytes.fromhex(secrets.badge_key), bytes.fromhex(secrets.card_key))

    def stored(self, badge: str) -> str:
        """What is kept of an id; of what is none, and of what is kept already, itself."""
        if not is_id(badge):
            return badge
        kind, _, uid = badge.partition(":")
        hashed = f"{kind}#{badge_hash(self.badge, badge)}"
        if kind != KIND:
            return hashed
        covered = _covered(hashed, self.card, card_key(self.card, bytes.fromhex(uid)))
        return f"{hashed}{badge_hash(self.badge, f'{_PLAIN}:{uid}')}{covered.hex()}"


def keys_of(data: DataDir) -> BadgeKeys:
    """Of a data directory; new ones the first time. Raises DiademaError."""
    return BadgeKeys.of(credentials.load_or_create(data))


def badge_hash(badge_key: bytes, badge: str) -> str:
    """First 16 bytes of HMAC-SHA256(key, kind ":" UPPER-HEX id), in hex; of a badge that is kept,
    the one that it has.
    """
    if STORED.match(badge):
        return badge.partition("#")[2][:_HASH]
    return hmac.digest(badge_key, badge.encode(), hashlib.sha256)[:16].hex()


def simulated_badge(badge_key: bytes, agent: str) -> str:
    """In clear, what is tapped for that person at a simulated station, and opens no other one: the
    own badge's id is not kept anywhere.
    """
    uid = hmac.digest(badge_key, b"simulated\n" + agent.encode(), hashlib.sha256)[:7]
    return f"{_PLAIN}:{uid.hex().upper()}"


def is_id(badge: str) -> bool:
    """Whether it is one in clear."""
    return bool((SECURE_ID if is_secure(badge) else ID).match(badge))


def is_secure(badge: str) -> bool:
    """Whether it is of the kind that proves itself."""
    return badge.startswith((f"{KIND}:", f"{KIND}#"))


def reader_key(badge: str, site_key: bytes) -> bytes | None:
    """The key by which a secure badge proves itself; None for any other. Raises ValueError without
    the site's card key.
    """
    if not is_secure(badge):
        return None
    if (uid := secure_uid(badge)) is not None:
        return card_key(site_key, uid)
    return _covered(badge, site_key, bytes.fromhex(badge[-_HASH:]))


def card_of(badge: str) -> str:
    """The same for a secure badge and for its card taken for a plain one."""
    if badge.startswith(f"{KIND}#"):
        return badge.partition("#")[2][_HASH : 2 * _HASH]
    return badge.replace("#", ":").partition(":")[2]


def brief(text: str) -> str:
    """As people are shown it: `iso14443a #67b4`, with the day after it if it is lent."""
    badge, blank, day = text.partition(" ")
    if not STORED.match(badge):
        return text
    kind, _, hashed = badge.partition("#")
    return f"{kind} #{hashed[:_MARK]}{blank}{day}"


def _covered(badge: str, site_key: bytes, key: bytes) -> bytes:
    """The card's key under one of the site's for this badge alone, or out from under it."""
    cover = diversify(site_key, bytes.fromhex(badge.partition("#")[2][:_HASH]) + _COVER)
    return bytes(one ^ other for one, other in zip(key, cover, strict=True))
