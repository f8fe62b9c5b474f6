"""Two slots on NOR flash and an update's parts, for both interpreters.

The key is the tests' own and signs nothing else: MicroPython cannot make one.
"""

import json
from binascii import b2a_base64, hexlify
from hashlib import sha256

import slots
from slots import SECTOR, Slot

from tests.support.nor import Nor

MODULUS = int(
    "a7b4efb99014448734c16f02d6b0a30e9726108fbbd2c6ed980b1ceea0916408b1094b224cb05a594a83d67c"
    "88cc790465b352c9be06403a6aae388f479420d0f061676ef4fd04b18cf044095f98ab12a0ae836e9b609fe2"
    "a96973ded7bde226c2401901f2e65ecf2c92f74b27f78be195b8851bfb31165eb08439e99e6c921228937ed9"
    "a836aa265d9aa0bfb2111ddd3588909324d0cf04d9637e1598603cf121d1e6b4daae6d673a2cf6742f0cedcc"
    "24f110d9d0647d4b79ffe38c663f8fca104208319964ad08ac89cd9707e93c5c3bab93772642e580f7460a3c"
    "99b67fd873c007ca6c62839e336f692348017aed407f8f6d46e5326c519cce5278822a39455530781477a7b6"
    "ac1b8e55c59d798dc6ba8427cd5c7cdaab7e672b1db18b996f3e1e83b5e024d77304cacedbbb336ec7f0ccbc"
    "10b85d11f96cafc67f928e619509777d5ea936a9bf10b3bcdfcdc741e5dc47c987a9e1380cd8c71996698044"
    "a320eec29c1109493916220737d4352321a017cfb297c7a6e7fc4b6b29929129",
    16,
)
_PRIVATE = int(
    "1bb445d47205b71b08245ae75824a3e5c42308a205eac2ebfb02fda0e4ab954a8e470a6a11cb2191c0952e38"
    "87b7678274c92932f9e38f2157558d330b7b0a94c431030f8f046be3121f9acdb044c875f24f57424d595545"
    "9cab8bf5a87978c38db15db0370fc6b7be15a52928380f9be61f83a064b598e16ee82e524bd684518af1c55c"
    "701a5faf537a8e203cbff11eb03a42cfdbf416a426c3f5cf3175d72615152cb727024b9668438739c2e55adf"
    "2f77174bdece20434e006f4c5693c777daf9d72e4f6579c77d2ae0497b89564f3a81a94ed6dbff384f00a24f"
    "798b5407fd332f4a4e70fe9d5ea58449611c2317c224dc2eb744bb7a5120dc7caf854d88289220caddd1b55a"
    "05e17166b7b0957c480d5e2c226261d43ff0592d95287f4c77b47ad1abc30a78be093869144106ee6b96a36f"
    "12c4ae0c43d5f1147851fcb98713b91c6ded08bf2a1cbc98b3c6af3fdcbb1b1da59088cb332dee3ea5b7e291"
    "889a476484bdeae0910cd4d574fab922021056df47bf2249d1b0fb4133b29b95",
    16,
)
KEY = MODULUS.to_bytes(384, "big")
_INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
SECTORS = 4
BODY = bytes(range(256)) * 40


def seal(flash, version=b"1", sequence=1000, body=BODY, good=True):
    """A whole program in a slot."""
    for at in range(0, len(body), SECTOR):
        flash.writeblocks(at // SECTOR, body[at : at + SECTOR], 0)
    slot = Slot(flash, "slot_a")
    slot.seal(sequence, len(body), sha256(body).digest(), b"sim", version)
    if good:
        slot.mark(slots.GOOD)
    return slot


def new_slot(label="slot_b"):
    return Slot(Nor(SECTORS), label)


def body_of(slot):
    buf = bytearray(slot.length)
    for at in range(0, len(buf), SECTOR):
        piece = memoryview(buf)[at : at + SECTOR]
        slot.flash.readblocks(at // SECTOR, piece, 0)
    return bytes(buf)


def sign(message):
    digest = _INFO + sha256(message).digest()
    block = b"\0\1" + b"\xff" * (381 - len(digest)) + b"\0" + digest
    return pow(int.from_bytes(block, "big"), _PRIVATE, MODULUS).to_bytes(384, "big")


def manifest(body=BODY, **more):
    told = dict(
        board="sim", version="2", length=len(body), made=2000, micropython="1.23",
        sha256=hexlify(sha256(body).digest()).decode(),
    )  # fmt: skip
    told.update(more)
    return json.dumps(told).encode()


def bundle(line, signature, body=BODY):
    return line + b"\n" + b2a_base64(signature) + body


def parts(content, size=480):
    count = (len(content) + size - 1) // size
    digest = hexlify(sha256(content).digest()).decode()
    return [
        {"cmd": "update", "i": 1, "sha256": digest, "part": at + 1, "parts": count,
         "data": b2a_base64(content[at * size : (at + 1) * size]).decode().strip()}
        for at in range(count)
    ]  # fmt: skip
