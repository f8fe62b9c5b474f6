"""Whatever comes over a reader's lines: an id that was sent, or nothing; never another one."""

from drivers.rdm6300 import decode as em4100
from drivers.wiegand import decode, decode_key
from hypothesis import given
from hypothesis import strategies as st

HALVES = {26: (13, 13), 34: (17, 17), 37: (19, 19)}


def framed(value: int, count: int) -> list[int]:
    """A Wiegand frame with right parities, worked out from the standard's text."""
    body = [int(bit) for bit in f"{value:0{count - 2}b}"]
    even, odd = HALVES[count]
    return [sum(body[: even - 1]) % 2, *body, 1 - sum(body[len(body) - odd + 1 :]) % 2]


@given(st.sampled_from(sorted(HALVES)), st.data())
def test_a_number_comes_back_and_one_turned_bit_never_passes(
    count: int, data: st.DataObject
) -> None:
    value = data.draw(st.integers(0, (1 << (count - 2)) - 1))
    bits = framed(value, count)
    kind, identity = decode(bytes(bits))
    assert kind == f"wiegand{count}" and int.from_bytes(identity, "big") == value
    at = data.draw(st.integers(0, count - 1))
    bits[at] ^= 1
    assert decode(bytes(bits)) is None


@given(st.lists(st.integers(0, 1), max_size=60))
def test_any_bits(bits: list[int]) -> None:
    decode(bytes(bits))
    key = decode_key(bytes(bits))
    assert key is None or (key in "0123456789*#" and len(bits) in (4, 8))


@given(st.binary(max_size=20))
def test_any_bytes(data: bytes) -> None:
    assert em4100(data) is None or len(data) == 14


@given(st.binary(min_size=5, max_size=5), st.integers(0, 13), st.integers(0, 7))
def test_an_em4100_number_comes_back(identity: bytes, at: int, bit: int) -> None:
    check = 0
    for byte in identity:
        check ^= byte
    frame = bytearray(b"\x02" + (identity + bytes([check])).hex().upper().encode() + b"\x03")
    assert em4100(frame) == identity
    frame[at] ^= 1 << bit
    assert em4100(frame) in (None, identity)  # a hex digit in lower case is the same digit
