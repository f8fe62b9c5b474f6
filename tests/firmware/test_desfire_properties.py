"""Whoever stands at the reader: only a card that knows the key is let in, whatever it answers."""

import asyncio
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from diadema.site import badges
from hypothesis import given
from hypothesis import strategies as st
from lib.config import Config
from lib.desfire import APPLICATION, KEY_NUMBER, authenticate, prove
from lib.errors import BadRead
from lib.seal import badge_hash

KEYS = st.binary(min_size=16, max_size=16)
NUMBER = KEY_NUMBER[0]
UID = bytes.fromhex("04782E21801D80")


def _model() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "boards/sim/parts/desfire.py"
    spec = importlib.util.spec_from_file_location("card_model", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Desfire = _model().Desfire


def session(answer: Callable[[bytes], bytes], key: bytes, random: bytes) -> bytes | None:
    async def exchange(data: bytes) -> bytes:
        return answer(bytes(data))

    made: bytes | None = asyncio.run(authenticate(exchange, key, lambda _count: random))
    return made


def test_host_station_and_page_speak_of_the_same_application() -> None:
    assert bytes(reversed(APPLICATION)) == badges.APPLICATION
    assert NUMBER == badges.READER_KEY
    page = (Path(__file__).resolve().parents[2] / "hardware/badges.md").read_text()
    assert f"AID {badges.APPLICATION.hex().upper()} " in page
    assert f"sent as {APPLICATION.hex(' ').upper()})" in page


@given(KEYS, KEYS, KEYS)
def test_a_card_that_knows_the_key(key: bytes, ours: bytes, theirs: bytes) -> None:
    card = Desfire(APPLICATION, {NUMBER: key}, lambda _count: theirs)
    assert session(card.answer, key, ours) == ours[:4] + theirs[:4] + ours[12:] + theirs[12:]
    assert card.authenticated


@given(KEYS, KEYS, KEYS, KEYS)
def test_a_card_with_another_key(key: bytes, other: bytes, ours: bytes, theirs: bytes) -> None:
    card = Desfire(APPLICATION, {NUMBER: other}, lambda _count: theirs)
    known = session(card.answer, key, ours)
    assert (known is not None) == card.authenticated == (key == other)


@given(KEYS, KEYS, st.integers(0, 2), st.booleans(), st.data())
def test_one_turned_bit_anywhere_ends_it(
    key: bytes, ours: bytes, step: int, asked: bool, draw: st.DataObject
) -> None:
    card = Desfire(APPLICATION, {NUMBER: key})
    turn = 0

    def flip(data: bytes) -> bytes:
        broken = bytearray(data)
        broken[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
        return bytes(broken)

    def answer(data: bytes) -> bytes:
        nonlocal turn
        spoilt = turn == step
        turn += 1
        reply: bytes = card.answer(flip(data) if spoilt and asked else data)
        return flip(reply) if spoilt and not asked else reply

    assert session(answer, key, ours) is None


@given(st.lists(st.binary(max_size=40), min_size=3, max_size=3), KEYS, KEYS)
def test_any_answers(answers: list[bytes], key: bytes, ours: bytes) -> None:
    assert session(lambda _data: answers.pop(0), key, ours) is None


@given(KEYS, KEYS, KEYS)
def test_what_was_heard_once_does_not_open_again(key: bytes, first: bytes, second: bytes) -> None:
    """A recording played to the reader; its own number differs the next time."""
    card = Desfire(APPLICATION, {NUMBER: key})
    heard: list[bytes] = []

    def recorded(data: bytes) -> bytes:
        heard.append(card.answer(data))
        return heard[-1]

    assert session(recorded, key, first)
    again = session(lambda _data: heard.pop(0), key, second)
    assert (again is not None) == (first == second)


class Reader:
    """What `prove` needs of one; `card` None: it leaves at once."""

    kind = "iso14443a"

    def __init__(self, card: Any, speaks: bool = True) -> None:
        self._card = card
        self.speaks = speaks

    async def exchange(self, data: bytes) -> bytes:
        if self._card is None:
            raise BadRead("card_lost")
        answer: bytes = self._card.answer(data)
        return answer


def test_what_is_made_of_each_card() -> None:
    badge_key, key = b"\x5a" * 32, b"\xc4" * 16
    secure, plain = (badge_hash(badge_key, kind, UID) for kind in ("desfire", "iso14443a"))
    config = Config(
        {"badge_key": badge_key.hex(), "agents": [["a1", "A", [secure, "0" * 32], [key.hex()]]]}
    )
    assert config.secure and config.card_key(secure) == key
    assert config.card_key("0" * 32) is None

    def proven(reader: Any, uid: bytes = UID) -> tuple[str | None, ...] | None:
        found: tuple[str | None, ...] | None = asyncio.run(prove(config, reader, uid))
        return found

    genuine = Desfire(APPLICATION, {NUMBER: key})
    refused = (secure, None, "not_genuine")
    assert proven(Reader(genuine)) == (secure, "a1", "badge_secure")
    assert proven(Reader(Desfire(APPLICATION, {NUMBER: bytes(16)}))) == refused
    assert proven(Reader(Desfire(b"\0\0\1", {NUMBER: key}))) == refused
    assert proven(Reader(genuine, speaks=False)) == refused
    assert proven(object.__new__(type("Plain", (), {"kind": "iso14443a"}))) == refused
    assert proven(Reader(None)) is None
    assert proven(Reader(genuine), b"\1\2\3\4")[1] is None  # type: ignore[index]
    assert plain != secure
