"""Improv's packets against any bytes: whole ones come through, and none of our frames is lost."""

from hypothesis import given
from hypothesis import strategies as st
from lib.frames import Decoder, encode
from lib.improv import Packets, credentials, packet

LONGEST = 265
data_of = st.binary(max_size=255)
kinds = st.integers(0, 255)
messages = st.binary(min_size=1, max_size=80).filter(lambda m: not set(m) & {0x1E, 0x0A})
noise = st.binary(max_size=40)


@st.composite
def lines(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Packets whole, cut and bent, noise, and whole frames of ours, which are named."""
    pieces, frames = [], []
    for _ in range(draw(st.integers(0, 8))):
        whole = packet(draw(kinds), draw(st.binary(max_size=60)))
        match draw(st.sampled_from(["whole", "cut", "bent", "long", "noise", "frame"])):
            case "whole":
                pieces.append(whole)
            case "cut":
                pieces.append(whole[: draw(st.integers(1, len(whole)))])
            case "bent":
                bent = bytearray(whole)
                bent[draw(st.integers(0, len(whole) - 1))] ^= draw(st.integers(1, 255))
                pieces.append(bytes(bent))
            case "long":
                pieces.append(whole[:8] + b"\xff")
            case "noise":
                pieces.append(draw(noise))
            case "frame":
                frames.append(draw(messages))
                pieces.append(encode(frames[-1]))
    return b"".join(pieces), frames


@given(line=lines(), cuts=st.lists(st.integers(1, 50), min_size=1))
def test_pieces_make_no_difference_and_what_is_held_is_bounded(line, cuts):
    packets, found, rest, turn = Packets(), [], line[0], 0
    while rest:
        size = cuts[turn % len(cuts)]
        found += packets.feed(rest[:size])
        assert len(packets._held) < LONGEST
        rest, turn = rest[size:], turn + 1
    assert found == Packets().feed(line[0])
    assert all(kind is None or packet(kind, data) in line[0] for kind, data in found)


@given(line=lines(), kind=kinds, data=data_of)
def test_a_whole_packet_comes_through_after_anything(line, kind, data):
    """At the latest when what was cut off before it would have ended."""
    if b"IMPROV" in data:
        return
    packets = Packets()
    found = packets.feed(line[0])
    held = packets._held
    whole = packet(kind, data)
    found += packets.feed(whole)
    swallowed = any(
        sum((held + whole)[at:end]) & 255 == (held + whole)[end]
        for at in range(len(held))
        if (held + whole)[at : at + 7] == b"IMPROV\x01"
        for end in range(at + 9, len(held + whole) - 1)
        if end == at + 9 + (held + whole)[at + 8]
    )
    assert swallowed or found[-1] == (kind, data)


@given(line=lines(), cuts=st.lists(st.integers(1, 50), min_size=1))
def test_no_frame_is_lost_to_it(line, cuts):
    """As the host's listener feeds both."""
    text, frames = line
    packets, decoder = Packets(), Decoder()
    found, rest, turn = [], text, 0
    while rest:
        size = cuts[turn % len(cuts)]
        packets.feed(rest[:size])
        found += decoder.feed(rest[:size])
        rest, turn = rest[size:], turn + 1
    left = iter(found)
    assert all(message in left for message in frames)


@given(data=st.binary(max_size=120))
def test_credentials_are_refused_or_as_sent(data):
    try:
        ssid, password = credentials(data)
    except ValueError:
        return
    parts = [one.encode() for one in (ssid, password)]
    assert data == b"".join(bytes([len(one)]) + one for one in parts)
    assert 0 < len(parts[0]) <= 32 and len(parts[1]) <= 64
