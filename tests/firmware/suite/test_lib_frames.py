"""Serial framing: what goes in comes out; what is broken is counted and never comes out."""

from lib.frames import DOWN_LIMIT, Decoder, Pieces, encode

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


def got(number, piece):
    return encode(('{"got":[%d,%d]}' % (number, piece)).encode())  # noqa: UP031


def test_pieces_add_up_and_each_is_answered():
    pieces = Pieces()
    assert pieces.take(b'7,1,3:{"cmd"') is None and pieces.got == got(7, 1)
    assert pieces.take(b'7,2,3::"a:b",') is None and pieces.got == got(7, 2)
    assert pieces.take(b'7,3,3:"i":1}') == b'{"cmd":"a:b","i":1}'
    assert pieces.got == got(7, 3)
    assert pieces.take(TWO) == TWO and pieces.got is None


def test_a_double_is_answered_and_not_taken_twice():
    pieces = Pieces()
    pieces.take(b"7,1,3:{")
    assert pieces.take(b"7,1,3:{") is None and pieces.got == got(7, 1)
    pieces.take(b"7,2,3:1")
    assert pieces.take(b"7,2,3:1") is None and pieces.got == got(7, 2)
    assert pieces.take(b"7,3,3:}") == b"{1}"
    for piece in (3, 1, 2, 3):  # our last answer was lost, and all of it comes again
        assert pieces.take(b"7,%d,3:x" % piece) is None and pieces.got == got(7, piece)
    assert pieces.take(b"8,1,1:{}") == b"{}"
    assert pieces.take(b"8,1,1:{}") is None and pieces.got == got(8, 1)


def test_a_new_message_drops_the_unfinished_one():
    pieces = Pieces()
    pieces.take(b"7,1,3:{")
    pieces.take(b"7,2,3:1")
    assert pieces.take(b"8,1,2:{2") is None and pieces.got == got(8, 1)
    assert pieces.take(b"7,3,3:}") is None and pieces.got is None
    assert pieces.take(b"8,2,2:}") == b"{2}"
    pieces.take(b"9,1,2:{3")
    assert pieces.take(b"9,1,2:{4") is None and pieces.got == got(9, 1)  # begun anew
    assert pieces.take(b"9,2,2:}") == b"{4}"


def test_what_is_no_piece_is_not_answered():
    pieces = Pieces()
    pieces.take(b"7,1,3:{")
    for wrong in (
        b"7,3,3:x", b"7,2,4:x", b"6,2,3:x", b"7,4,3:x", b"7,0,3:x", b"8,1,0:x", b"9,2,1:x",
        b"-1,5,9:x", b"-1,-1,-1:x", b"7,-1,3:x", b"7,2,-3:x", b"65536,1,1:x", b"7,2,:x",
        b"9" * 900 + b",1,1:x", b"7," + b"9" * 900 + b",3:x", b"7,2," + b"9" * 900 + b":x",
        b"7,2:x", b"7,2,3,4:x", b"a,b,c:x", b"7,2,3", b":", b"[1]", b"0,0,0:x", b"\xff,1,1:x",
    ):  # fmt: skip
        assert pieces.take(wrong) is None and pieces.got is None, wrong
    assert Pieces().take(b"-1,5,9:x") is None
    pieces.take(b"7,2,3:x")
    assert pieces.take(b"7,3,3:}") == b"{x}"  # none of that touched it


def test_a_count_that_changes_in_the_middle_ends_nothing():
    pieces = Pieces()
    pieces.take(b"7,1,3:{")
    for count in (2, 4):
        assert pieces.take(b"7,2,%d:x" % count) is None and pieces.got is None
    assert pieces.take(b"7,1,2:{") is None and pieces.got == got(7, 1)  # begun anew with another
    assert pieces.take(b"7,2,2:}") == b"{}"


def test_what_is_no_text_is_put_together_as_it_came():
    pieces = Pieces()
    pieces.take(b"7,1,2:\xff\x00\xc3")
    assert pieces.take(b"7,2,2:\xb1") == b"\xff\x00\xc3\xb1"


def test_two_messages_mixed_share_nothing():
    pieces = Pieces()
    whole = []
    for piece in range(1, 4):
        for number in (7, 8):
            whole.append(pieces.take(b"%d,%d,3:%d" % (number, piece, number)))
    assert whole == [None] * 5 + [b"888"]
    assert pieces.take(b"9,1,1:{}") == b"{}"


def test_a_message_has_its_bound():
    pieces = Pieces()
    slice_ = b"x" * 180
    for piece in range(1, 6):
        pieces.take(b"7,%d,9:" % piece + slice_)
        assert pieces.got
    assert pieces.take(b"7,6,9:" + slice_) is None and pieces.got is None
    assert pieces.take(b"7,6,9:" + slice_[: DOWN_LIMIT - 5 * 180]) is None and pieces.got
    assert pieces.take(b"7,7,9:x") is None and pieces.got is None
    assert pieces.take(b"8,1,1:{}") == b"{}"
