"""The DESFire AES exchange, with the answers that real cards gave, on both interpreters."""

import asyncio

from lib.desfire import APPLICATION, KEY_NUMBER, authenticate

from tests.support import micropython_names  # noqa: F401 - MicroPython's names, where CPython lacks them


def octets(text):
    return bytes(int(part, 16) for part in text.split())


def played(answers, key, random):
    """(session key, what was sent) of the exchange with a card that gives these answers."""
    sent = []
    answers = list(answers)

    async def exchange(data):
        sent.append(bytes(data))
        return answers.pop(0)

    session = asyncio.run(authenticate(exchange, key, lambda _count: random))
    return session, sent


# «Desfire EV1 Communication Examples.htm» of github.com/sotechcllc/RFDoorLock, recorded through a
# PN532: Authenticate(KeyNo= 0, Key= 00…00 (AES))
KEY = bytes(16)
CHALLENGE = octets("AF B9 69 FD FE 56 FD 91 FC 9D E6 F6 F2 13 B8 FD 1E")
RANDOM_A = octets("F4 4B 26 F5 68 6F 3A 39 1C D3 8E BD 10 77 22 81")
ANSWER = octets(
    "AF 36 AA D7 DF 6E 43 6B A0 8D 18 61 38 30 A7 0D 5A"
    " D4 3E 3D 3F 4A 8D 47 54 1E EE 62 3A 93 4E 47 74"
)
PROOF = octets("00 80 0D B6 80 BC 14 6B D1 21 D6 57 8F 2D 2E 20 59")
SESSION = octets("F4 4B 26 F5 C0 5D DD 71 10 77 22 81 C4 D0 66 E8")


def test_a_recorded_exchange():
    session, sent = played([b"\x00", CHALLENGE, PROOF], KEY, RANDOM_A)
    assert sent == [b"\x5a" + APPLICATION, b"\xaa" + KEY_NUMBER, ANSWER]
    assert session == SESSION


def test_what_a_card_says_instead():
    for answers in (
        [b"\xa0"],  # no such application
        [b"\x6e\x00"],  # another card of ISO/IEC 14443-4
        [b""],
        [b"\x00", b"\xae"],
        [b"\x00", b"\x1c"],  # no such command: not AES
        [b"\x00", b"\x40"],  # no such key
        [b"\x00", CHALLENGE[:-1]],
        [b"\x00", b"\x00" + CHALLENGE[1:]],
        [b"\x00", CHALLENGE, b"\xae"],  # our proof was refused
        [b"\x00", CHALLENGE, PROOF[:-1]],
        [b"\x00", CHALLENGE, b"\xaf" + PROOF[1:]],
        [b"\x00", CHALLENGE, b"\x00" + ANSWER[-16:]],  # our own block sent back
    ):
        assert played(answers, KEY, RANDOM_A)[0] is None, answers
    assert played([b"\x00", CHALLENGE, PROOF], b"\x01" * 16, RANDOM_A)[0] is None


def test_a_card_that_leaves_is_no_answer():
    async def exchange(data):
        raise OSError(data[0])

    try:
        asyncio.run(authenticate(exchange, KEY))
    except OSError as error:
        assert error.args[0] == 0x5A
    else:
        raise AssertionError("it went on without a card")
