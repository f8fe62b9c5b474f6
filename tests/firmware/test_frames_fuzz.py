"""The station's decoder against any bytes, and against the host's own framing."""

import diadema.wire.frames
from diadema.wire.frames import UP_LIMIT
from hypothesis import given
from hypothesis import strategies as st
from lib.frames import DOWN_LIMIT, Decoder, encode

noise = st.binary(max_size=60)
messages = st.binary(min_size=1, max_size=80).filter(lambda m: not set(m) & {0x1E, 0x0A})


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Frames whole, cut, bent and too long, between noise."""
    pieces = []
    for _ in range(draw(st.integers(0, 8))):
        frame = encode(draw(messages))
        match draw(st.sampled_from(["whole", "cut", "bent", "noise", "long"])):
            case "cut":
                frame = frame[: draw(st.integers(1, len(frame)))]
            case "bent":
                at = draw(st.integers(0, len(frame) - 1))
                bent = bytearray(frame)
                bent[at] ^= draw(st.integers(1, 255))
                frame = bytes(bent)
            case "noise":
                frame = draw(noise)
            case "long":
                frame = encode(b"z" * draw(st.integers(UP_LIMIT, DOWN_LIMIT + 200)))
        pieces.append(frame)
    return b"".join(pieces)


@given(data=streams(), cuts=st.lists(st.integers(1, 50), min_size=1))
def test_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Decoder(), Decoder()
    found: list[bytes] = []
    rest, turn = data, 0
    while rest:
        size = cuts[turn % len(cuts)]
        found += pieces.feed(rest[:size])
        rest, turn = rest[size:], turn + 1
    assert found == whole.feed(data)
    assert (pieces.bad, pieces.oversize) == (whole.bad, whole.oversize)
    assert all(0 < len(message) <= DOWN_LIMIT for message in found)


@given(data=streams(), message=messages)
def test_a_whole_frame_comes_through_after_anything(data: bytes, message: bytes) -> None:
    decoder = Decoder()
    decoder.feed(data)
    assert decoder.feed(b"\n" + encode(message))[-1:] == [message]


@given(sent=st.lists(messages, max_size=8), between=noise.filter(lambda n: b"\x1e" not in n))
def test_the_host_reads_what_the_station_writes_and_back(
    sent: list[bytes], between: bytes
) -> None:
    line = b"".join(between + encode(message) for message in sent)
    assert diadema.wire.frames.Decoder().feed(line) == sent
    line = b"".join(between + diadema.wire.frames.encode(message) for message in sent)
    assert Decoder().feed(line) == sent
