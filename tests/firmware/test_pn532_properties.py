"""Whatever stands in a PN532's answer: the data that it sent, or a broken frame; nothing else."""

import pytest
from drivers.pn532_core import TWO, frame, target, unframe
from drivers.pn532_hsu import cut
from drivers.pn532_spi import turned
from hypothesis import given
from hypothesis import strategies as st
from lib.errors import BadRead, PartError

ACK = b"\x00\x00\xff\x00\xff\x00"
NACK = b"\x00\x00\xff\xff\x00\x00"

COMMANDS = st.integers(0, 0x7F).map(lambda half: half * 2)
DATA = st.binary(max_size=200)
NOISE = st.binary(max_size=8).map(lambda noise: noise.replace(b"\x00", b"").replace(b"\xff", b""))


def answer(command: int, data: bytes) -> bytes:
    return frame(bytes([0xD5, command + 1]) + data)


def data_of(received: bytes, command: int) -> bytes | None:
    try:
        return bytes(unframe(received, command))
    except PartError:
        return None


@given(COMMANDS, DATA, st.binary(max_size=8))
def test_what_was_sent_comes_back(command: int, data: bytes, padding: bytes) -> None:
    assert data_of(answer(command, data) + padding, command) == data


@given(COMMANDS, DATA, st.data())
def test_a_turned_bit_or_a_lost_end_gives_no_other_data(
    command: int, data: bytes, draw: st.DataObject
) -> None:
    whole = answer(command, data)
    broken = bytearray(whole)
    at = draw.draw(st.integers(0, len(whole) - 1))
    broken[at] ^= 1 << draw.draw(st.integers(0, 7))
    found = data_of(bytes(broken), command)
    assert found in (None, data)
    assert found is None or at in (0, len(whole) - 1)  # pre- and postamble say nothing
    assert data_of(whole[: draw.draw(st.integers(0, len(whole) - 2))], command) is None


@given(st.binary(max_size=80), COMMANDS)
def test_any_bytes(data: bytes, command: int) -> None:
    data_of(data, command)
    found, rest = cut(data)
    assert len(rest) <= len(data)
    assert found is None or len(found) >= len(ACK)
    try:
        told = target(data)
    except BadRead:
        return
    if told is None:  # nobody is there only when the chip says so
        assert data[0] == 0
    elif told[0] == TWO:
        assert data[0] == 2
    else:
        assert len(told[0]) in (4, 7, 10) and told[0] in data


@given(
    st.lists(st.one_of(st.just(ACK), st.just(NACK), DATA.map(lambda d: answer(0x4A, d)))),
    st.data(),
)
def test_a_stream_in_any_pieces_gives_its_frames(frames: list[bytes], draw: st.DataObject) -> None:
    stream = b"".join(draw.draw(NOISE) + one for one in frames)
    found = []
    buffer = b""
    while stream:
        size = draw.draw(st.integers(1, len(stream)))
        buffer, stream = buffer + stream[:size], stream[size:]
        while True:
            one, buffer = cut(buffer)
            if one is None:
                break
            found.append(one)
    assert found == frames


@given(st.binary(max_size=40))
def test_bits_turned_twice_are_as_before(data: bytes) -> None:
    assert turned(turned(data)) == data
    assert [f"{byte:08b}"[::-1] for byte in data] == [f"{byte:08b}" for byte in turned(data)]


@pytest.mark.parametrize("length", [4, 7, 10])
def test_an_id_longer_or_shorter_than_it_says_is_refused(length: int) -> None:
    good = bytes([1, 1, 0, 4, 8, length]) + bytes(range(length))
    assert target(good) == (bytes(range(length)), 8)
    with pytest.raises(BadRead):
        target(good[:-1])
