"""Known answers for what Wiegand readers and the RDM6300 send, on both interpreters."""

from drivers.rdm6300 import decode as em4100
from drivers.wiegand import decode, decode_key

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them


def bits(text):
    return bytes(int(bit) for bit in text.replace(" ", ""))


def test_wiegand_26_of_proxmark3():
    # «lf hid decode 2006f623ae» and «wiegand encode 0 56 150», 200670012d, of the Proxmark3
    # client's help and cheat sheet: facility 123, card 4567; 56 and 150; the last 26 bits
    for raw, number in ((0x2006F623AE, b"\x7b\x11\xd7"), (0x200670012D, b"\x38\x00\x96")):
        assert decode(bytes(raw >> at & 1 for at in range(25, -1, -1))) == ("wiegand26", number)


def test_wiegand_26_examples():
    # facility 159, card 1 and facility 1, card 12345: as format calculators print them
    assert decode(bits("1 10011111 0000000000000001 0")) is None
    assert decode(bits("0 10011111 0000000000000001 0")) == ("wiegand26", b"\x9f\x00\x01")
    assert decode(bits("1 00000001 0011000000111001 1")) == ("wiegand26", b"\x01\x30\x39")


def test_wiegand_37_shares_its_middle_bit():
    body = "0" * 17 + "1" + "0" * 17
    assert decode(bits("1" + body + "0")) == ("wiegand37", (1 << 17).to_bytes(5, "big"))


def test_wiegand_other_lengths_are_nothing():
    for count in range(60):
        if count not in (26, 34, 37):
            assert decode(bytes(count)) is None


def test_keys():
    assert [decode_key(bits(text)) for text in ("0000", "1001", "1010", "1011")] == list("09*#")
    assert decode_key(bits("1100")) is None
    assert decode_key(bits("0101 1010")) == "*"
    assert decode_key(bits("1111 1010")) is None


def test_rdm6300_sample():
    # the samples of Seeed's page of the module, wiki.seeedstudio.com/125Khz_RFID_module-UART
    sent = b"\x02\x30\x31\x30\x30\x30\x37\x33\x34\x45\x30\x44\x32\x03"
    assert em4100(sent) == b"\x01\x00\x07\x34\xe0"
    assert em4100(b"\x0262E3086CED08\x03") == b"\x62\xe3\x08\x6c\xed"
    assert em4100(b"\x0262E3086CED09\x03") is None
    assert em4100(b"\x0262E3086CEG08\x03") is None
    assert em4100(b"\x0362E3086CED08\x02") is None
    assert em4100(b"") is None
