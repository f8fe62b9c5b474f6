"""Frames out of a stream that also carries console text, cables pulled and bytes spoilt."""

import pytest
from diadema.wire.frames import UP_LIMIT, Decoder, encode
from hypothesis import given
from hypothesis import strategies as st

BODIES = st.binary(min_size=1, max_size=UP_LIMIT).map(
    lambda b: b.replace(b"\x1e", b" ").replace(b"\n", b" ")
)
TEXT = st.binary(max_size=200).map(lambda b: b.replace(b"\x1e", b"?"))


def test_frame_on_the_wire():
    assert encode(b'{"ack":[1,2]}') == b'\x1e{"ack":[1,2]}*721DD0E5\n'


@given(st.lists(st.tuples(TEXT, BODIES), max_size=6), st.lists(st.integers(1, 300), max_size=20))
def test_any_pieces_give_the_same_frames_and_text(parts, sizes):
    stream = b"".join(text + encode(body) for text, body in parts)
    decoder, got, console, at = Decoder(), [], b"", 0
    for size in [*sizes, len(stream)]:
        got += decoder.feed(stream[at : at + size])
        console += decoder.take_console()
        at += size
    assert got == [body for _, body in parts]
    assert console == b"".join(text for text, _ in parts)
    assert decoder.counts.corrupt == decoder.counts.truncated == decoder.counts.oversized == 0


@given(BODIES, st.data())
def test_one_changed_byte_is_never_delivered_as_another_frame(body, data):
    wire = bytearray(encode(body))
    at = data.draw(st.integers(0, len(wire) - 1))
    wire[at] = data.draw(st.integers(0, 255).filter(lambda b: b != wire[at]))
    decoder = Decoder()
    assert set(decoder.feed(bytes(wire) + encode(b"next"))) <= {b"next"}
    assert decoder.feed(encode(b"last")) == [b"last"]


@pytest.mark.parametrize(
    ("stream", "count"),
    [
        (b'\x1e{"k":1}*00000000\n', "corrupt"),
        (encode(b"{}").lower(), "corrupt"),
        (b"\x1e\n", "corrupt"),
        (b"\x1e*00000000\n", "corrupt"),
        (b'\x1e{"k":1', "truncated"),
        (b"\x1e" + b"x" * 600 + b"\n", "oversized"),
        (encode(b"x" * (UP_LIMIT + 1)), "oversized"),
        (encode(b'{"a":1}')[:4] + b"Traceback: of a task\r\n" + b"1}*00000000\n", "corrupt"),
    ],
)
def test_what_is_spoilt_is_counted_and_kept_as_text(stream, count):
    decoder = Decoder()
    assert decoder.feed(stream + encode(b"good")) == [b"good"]
    counts = decoder.dump()
    assert counts[count] == 1
    assert counts["corrupt"] + counts["truncated"] + counts["oversized"] == 1
    assert decoder.take_console() == stream.replace(b"\x1e", b"", 1)


def test_longest_frame_passes_and_endless_one_stays_bounded():
    decoder = Decoder()
    longest = b"x" * UP_LIMIT
    assert decoder.feed(encode(longest)) == [longest]
    decoder.feed(b"\x1e")
    for _ in range(100):
        decoder.feed(b"y" * 4096)
    assert decoder.counts.oversized == 1
    assert decoder.counts.console_dropped > 0
    assert len(decoder.take_console()) == 64 * 1024
    assert decoder.feed(b"\n" + encode(b"after")) == [b"after"]


def test_terminal_newlines_do_not_spoil_a_frame():
    assert Decoder().feed(encode(b"{}").replace(b"\n", b"\r\n")) == [b"{}"]
