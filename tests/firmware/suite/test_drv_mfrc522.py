"""The cascade and the check of the MFRC522's driver, on both interpreters."""

import asyncio

from drivers.mfrc522 import BadRead, crc_a, select

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them


def test_crc_a_examples():
    # ISO/IEC 14443-3 annex B.1: 00 00 and 12 34; and HLTA as every reader sends it
    assert crc_a(b"\x00\x00") == b"\xa0\x1e"
    assert crc_a(b"\x12\x34") == b"\x26\xcf"
    assert crc_a(b"\x50\x00") == b"\x57\xcd"


def played(*answers):
    """`select` against a card that gives these answers in turn; what was sent, and the id."""
    sent = []

    async def exchange(data):
        sent.append(data)
        return answers[len(sent) - 1]

    return sent, asyncio.run(select(exchange))


def sak(value):
    return bytes([value]) + crc_a(bytes([value]))


def test_four_and_seven_bytes():
    sent, identity = played(b"\xde\xad\xbe\xef\x22", sak(0x08))
    assert identity == b"\xde\xad\xbe\xef"
    assert sent[0] == b"\x93\x20" and sent[1][:7] == b"\x93\x70\xde\xad\xbe\xef\x22"
    sent, identity = played(b"\x88\x04\xa1\xb2\x9f", sak(0x04), b"\xc3\xd4\xe5\xf6\x04", sak(0x20))
    assert identity == b"\x04\xa1\xb2\xc3\xd4\xe5\xf6"
    assert [data[0] for data in sent] == [0x93, 0x93, 0x95, 0x95]


def test_what_does_not_check():
    more = (b"\x88\x04\xa1\xb2\x9f", sak(0x04))
    for answers in (
        (b"\xde\xad\xbe\xef\x23",),
        (b"\xde\xad\xbe\xef",),
        (b"",),
        (b"\xde\xad\xbe\xef\x22", b"\x08"),
        (b"\xde\xad\xbe\xef\x22", b"\x08\x00\x00"),
        (b"\xde\xad\xbe\xef\x22", sak(0x04)),  # goes on without a cascade tag
        more + more + more,  # longer than any card
    ):
        try:
            played(*answers)
        except BadRead:
            continue
        raise AssertionError(answers)
