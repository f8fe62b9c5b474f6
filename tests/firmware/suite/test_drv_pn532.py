"""PN532 frames as its user manual and recordings have them, and broken ones; both interpreters."""

from drivers.pn532_core import TWO, frame, target, unframe
from drivers.pn532_hsu import cut
from drivers.pn532_spi import turned
from lib.errors import BadRead, PartError

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them

ACK = b"\x00\x00\xff\x00\xff\x00"
NACK = b"\x00\x00\xff\xff\x00\x00"

# UM0701-02 rev 02 §7.2.2 with firmware 1.6
FIRMWARE = b"\x00\x00\xff\x06\xfa\xd5\x03\x32\x01\x06\x07\xe8\x00"
ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"  # §6.2.1.5


def refused(call, *arguments):
    try:
        call(*arguments)
    except BadRead as error:
        return error.code == "bad_frame"
    return False


def test_manuals_frames():
    assert frame(b"\xd4\x02") == b"\x00\x00\xff\x02\xfe\xd4\x02\x2a\x00"
    # SAMConfiguration with one parameter and InListPassiveTarget, as guides to it print them
    assert frame(b"\xd4\x14\x01") == b"\x00\x00\xff\x03\xfd\xd4\x14\x01\x17\x00"
    assert frame(b"\xd4\x4a\x01\x00") == b"\x00\x00\xff\x04\xfc\xd4\x4a\x01\x00\xe1\x00"
    assert unframe(FIRMWARE + bytes(20), 0x02) == b"\x32\x01\x06\x07"
    assert unframe(b"\x00\x00\xff\x02\xfe\xd5\x15\x16\x00", 0x14) == b""


def test_broken_frames():
    for at in range(1, 12):
        for bit in range(8):
            broken = bytearray(FIRMWARE)
            broken[at] ^= 1 << bit
            assert refused(unframe, bytes(broken), 0x02), (at, bit)
    for size in range(12):
        assert refused(unframe, FIRMWARE[:size], 0x02), size
    assert refused(unframe, FIRMWARE, 0x14)
    try:
        unframe(ERROR, 0x02)
    except BadRead:
        raise AssertionError("a chip that has lost its set-up is no bad read") from None
    except PartError as error:
        assert error.code == "no_answer"


def test_targets():
    card = b"\x01\x01\x00\x44\x00\x07\x04\xa1\xb2\xc3\xd4\xe5\xf6"
    assert target(card) == (b"\x04\xa1\xb2\xc3\xd4\xe5\xf6", 0x00)
    # a recorded answer: MIFARE Classic, id FB0EE20B
    classic = b"\x00\x00\xff\x0c\xf4\xd5\x4b\x01\x01\x00\x04\x08\x04\xfb\x0e\xe2\x0b\xd8\x00"
    assert target(unframe(classic, 0x4A)) == (b"\xfb\x0e\xe2\x0b", 0x08)
    desfire = b"\x01\x01\x03\x44\x20\x07\x04\xa1\xb2\xc3\xd4\xe5\xf6\x06\x75\x77\x81\x02\x80"
    assert target(desfire) == (b"\x04\xa1\xb2\xc3\xd4\xe5\xf6", 0x20)  # its ATS left out
    assert target(b"\x00") is None
    two = b"\x02" + card[1:] + b"\x02" + desfire[2:]
    assert target(two)[0] == TWO
    for size in range(len(card)):
        assert refused(target, card[:size]), size


def test_a_stream_is_cut_into_frames():
    found, rest = cut(b"\x17\x00" + ACK + FIRMWARE)
    assert (found, rest) == (ACK, b"\x00" + FIRMWARE)
    found, rest = cut(rest)
    assert unframe(found, 0x02) == b"\x32\x01\x06\x07"
    assert cut(rest) == (None, b"\x00")
    assert cut(NACK)[0] == NACK
    for size in range(len(FIRMWARE) - 1):
        assert cut(FIRMWARE[:size])[0] is None, size
    assert cut(b"\x00\xff\x06\x00" + FIRMWARE)[0] is not None  # what began there was no frame


def test_bits_are_turned_for_spi():
    assert turned(b"\x01\x02\x03\xd4\x00\xff") == b"\x80\x40\xc0\x2b\x00\xff"
    every = bytes(range(256))
    assert turned(turned(every)) == every
