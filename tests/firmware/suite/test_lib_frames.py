"""Serial framing: what goes in comes out; what is broken is counted and never comes out."""

from lib.frames import DOWN_LIMIT, Decoder, encode

ONE = b'{"ack":[1,2]}'
TWO = b'{"hello":{}}'


def test_a_known_frame():
    assert encode(ONE) == b'\x1e{"ack":[1,2]}*721DD0E5\n'


def test_frames_between_console_text():
    decoder = Decoder()
    data = b"boot\r\n" + encode(ONE) + b"more text\n" + encode(TWO)
    assert decoder.feed(data) == [ONE, TWO]
    assert decoder.text == len(b"boot\r\nmore text\n")
    assert decoder.bad == 0


def test_byte_by_byte():
    decoder = Decoder()
    found = []
    for byte in b"x" + encode(ONE) + encode(TWO):
        found += decoder.feed(bytes([byte]))
    assert found == [ONE, TWO]


def test_every_flipped_bit_is_noticed():
    frame = encode(ONE)
    for at in range(1, len(frame) - 1):
        for bit in range(8):
            decoder = Decoder()
            broken = bytearray(frame)
            broken[at] ^= 1 << bit
            found = decoder.feed(bytes(broken) + b"\n")
            assert found == [], (at, bit)
            assert decoder.bad >= 1


def test_lower_case_check_is_not_ours():
    decoder = Decoder()
    frame = encode(ONE)
    assert decoder.feed(frame[:-9] + frame[-9:].lower()) == []
    assert decoder.bad == 1


def test_a_frame_inside_a_broken_one():
    decoder = Decoder()
    assert decoder.feed(encode(ONE)[:7] + encode(TWO)) == [TWO]
    assert decoder.bad == 1


def test_the_longest_passes_and_one_more_does_not():
    longest = b"x" * DOWN_LIMIT
    decoder = Decoder()
    assert decoder.feed(encode(longest)) == [longest]
    assert decoder.feed(encode(longest + b"x")) == []
    assert (decoder.bad, decoder.oversize) == (1, 1)
    assert decoder.feed(encode(TWO)) == [TWO]


def test_an_endless_frame_takes_no_memory():
    decoder = Decoder()
    decoder.feed(b"\x1e")
    for _ in range(100):
        assert decoder.feed(b"y" * 500) == []
    assert decoder.oversize == 1
    assert decoder.feed(b"\n" + encode(ONE)) == [ONE]


def test_empty_frames():
    decoder = Decoder()
    assert decoder.feed(b"\x1e\n\x1e*00000000\n") == []
    assert decoder.bad == 2
