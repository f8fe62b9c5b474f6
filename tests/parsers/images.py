"""Flash images out of a fuzzer's bytes: small, and with checks that fit where they should.

A change of one byte would mostly spoil a check and end there; so the checks can be made right
again, and what is read behind them is reached as well.
"""

import struct
from binascii import crc32

SECTOR = 4096
_CHUNK = 256


def image_of(data: bytes, sectors: int = 4) -> bytes:
    """The first byte says whether checks are made to fit; then comes up to 256 bytes a sector."""
    image = bytearray()
    for at in range(sectors):
        chunk = data[1 + at * _CHUNK : 1 + (at + 1) * _CHUNK]
        sector = bytearray(chunk + b"\xff" * (SECTOR - len(chunk)))
        if data[:1] > b"\x7f":
            _mend(sector)
        image += sector
    return bytes(image)


def data_of(image: bytes, mend: bool = True) -> bytes:
    """A fuzzer's bytes that give the head of each sector of `image`."""
    heads = (image[at : at + _CHUNK] for at in range(0, len(image), SECTOR))
    return (b"\xff" if mend else b"\x00") + b"".join(heads)


def _mend(sector: bytearray) -> None:
    if sector[:4] != b"DIAJ":
        return
    for top in (15, 19, 23, 27):  # sequence, first, acked, boot: no station lives to 2^30 of them
        sector[top] &= 0x3F
    sector[16] |= not any(sector[16:20])  # the first event is never 0
    sector[28:32] = struct.pack("<I", crc32(sector[:28]))
    at = 32
    while at + 12 <= SECTOR and sector[at : at + 8] != b"\xff" * 8:
        length = struct.unpack_from("<H", sector, at)[0]
        sector[at + 7] &= 0x3F
        check = 0x5A
        for step in (0, 1, 2, 4, 5, 6, 7):
            check ^= sector[at + step]
        sector[at + 3] = check
        end = at + 8 + length
        if end + 4 > SECTOR:
            return
        sector[end : end + 4] = struct.pack("<I", crc32(sector[at:end]))
        at = end + 4
