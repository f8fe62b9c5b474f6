"""Messages in pieces: what the sender does when answers come, are late, wrong or never there."""

import json

import pytest
from diadema.wire.frames import DOWN_LIMIT, FRAME_LIMIT, Decoder, Joiner, Sender, cut
from hypothesis import given
from hypothesis import strategies as st

AGAIN_MS, TRIES = 1000, 10


class Line:
    """A cable with a clock: `reads` decides of each frame whether the station gets it, `answers`
    whether its answer comes back.
    """

    def __init__(self):
        self.frames, self.messages, self.unheard = [], [], 0
        self.reads = self.answers = lambda frame: True
        self.station = Joiner()
        self._due, self._now = [], 0
        self._answers = []
        self.sender = Sender(self._write, self._later, self._unheard)

    def _later(self, seconds, function):
        entry = [self._now + seconds * 1000, function]
        self._due.append(entry)

        class Handle:
            def cancel(_):
                if entry in self._due:
                    self._due.remove(entry)

        return Handle()

    def _unheard(self):
        self.unheard += 1

    def _write(self, frame):
        self.frames.append(frame)
        if not self.reads(frame):
            return
        (body,) = Decoder(DOWN_LIMIT).feed(frame)
        got, whole = self.station.take(body)
        if whole is not None:
            self.messages.append(whole)
        if got and self.answers(frame):
            self._answers.append(json.loads(got)["got"])

    def answer(self):
        """All that the station says now, and what follows from it."""
        while self._answers:
            self.sender.got(*self._answers.pop(0))

    def run(self, ms):
        """Let so much time go by."""
        until = self._now + ms
        self.answer()
        while self._due and min(self._due)[0] <= until:
            entry = min(self._due)
            self._due.remove(entry)
            self._now = entry[0]
            entry[1]()
            self.answer()
        self._now = until


def body(letter):
    """A message of three pieces."""
    return b'{"%b":1}' % (letter * 500)


@given(st.binary(max_size=DOWN_LIMIT).map(lambda text: b"{" + text[:-1]), st.integers(1, 65535))
def test_pieces_fit_and_add_up(message, number):
    message = message.replace(b"\n", b" ").replace(b"\x1e", b" ")
    joiner, made = Joiner(), []
    for frame in cut(number, message):
        assert len(frame) <= FRAME_LIMIT
        (text,) = Decoder(DOWN_LIMIT).feed(frame)
        assert not text.startswith(b"{")
        made.append(joiner.take(text))
    assert [whole for _, whole in made] == [None] * (len(made) - 1) + [message]
    assert all(got.startswith(b'{"got":[') for got, _ in made)


def test_a_piece_without_its_text_is_none():
    """As for the station; what only looks like one moved the station's stand-in."""
    head = cut(7, b"x" * 300)[0]
    joiner = Joiner()
    assert joiner.take(Decoder().feed(head)[0])[0]
    assert joiner.take(b"7,2,2") == (b"", None)


def test_one_piece_is_under_way_until_it_is_confirmed():
    line = Line()
    line.sender.send(body(b"a"))
    line.sender.send(body(b"b"))
    assert len(line.frames) == 1
    line.answer()
    assert line.messages == [body(b"a"), body(b"b")]
    assert len(line.frames) == 6
    assert line.sender.waiting == 0


def test_an_urgent_message_overtakes_at_a_messages_end():
    line = Line()
    for letter in (b"a", b"b", b"c"):
        line.sender.send(body(letter))
    line.sender.send(b'{"ack":[1,2]}', urgent=True)
    line.sender.send(b'{"cmd":"ring"}', urgent=True)
    line.answer()
    assert line.messages == [
        body(b"a"), b'{"ack":[1,2]}', b'{"cmd":"ring"}', body(b"b"), body(b"c"),
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["reads", "answers"])
@pytest.mark.parametrize("lost", range(3))
def test_what_is_lost_comes_again_and_is_taken_once(way, lost):
    line = Line()
    setattr(line, way, lambda frame: len(line.frames) != lost + 1)
    line.sender.send(body(b"a"))
    line.sender.send(body(b"b"))
    line.run(AGAIN_MS - 1)
    assert body(b"b") not in line.messages
    line.run(1)
    assert line.messages == [body(b"a"), body(b"b")]
    assert line.sender.counts["again"] == 1


def test_an_answer_twice_or_to_another_message_moves_nothing():
    line = Line()
    line.answers = lambda frame: False
    line.sender.send(body(b"a"))
    (number, piece, _), *_ = ([*map(int, frame[1:].split(b":")[0].split(b","))]
                              for frame in line.frames)  # fmt: skip
    line.sender.got(number + 1, piece)
    line.sender.got(number, piece + 1)
    line.sender.got(number, 0)
    assert len(line.frames) == 1
    line.sender.got(number, piece)
    line.sender.got(number, piece)
    assert len(line.frames) == 2
    assert line.sender.counts["strayed"] == 4


def test_a_station_that_never_confirms_blocks_nobody_for_ever():
    line = Line()
    line.reads = lambda frame: False
    line.sender.send(body(b"a"))
    line.sender.send(body(b"b"))
    line.sender.send(b'{"cmd":"ring"}', urgent=True)
    line.run(TRIES * AGAIN_MS)
    assert (line.unheard, line.sender.waiting) == (1, 1)
    line.run(3 * AGAIN_MS)
    assert (line.unheard, line.sender.waiting) == (1, 0)
    line.reads = lambda frame: True
    line.sender.send(body(b"c"))
    line.answer()
    assert line.messages == [body(b"c")]
    line.reads = lambda frame: False
    line.sender.send(body(b"d"))
    line.run(TRIES * AGAIN_MS)
    assert line.unheard == 2


def test_what_ages_is_not_sent_again():
    line = Line()
    line.reads = lambda frame: len(line.frames) > 1
    line.sender.send(b'{"cmd":"time"}', urgent=True, ages=True)
    line.sender.send(b'{"cmd":"ring"}', urgent=True)
    line.run(AGAIN_MS)
    assert line.messages == [b'{"cmd":"ring"}']
    assert (line.unheard, line.sender.waiting) == (0, 0)


def test_a_station_that_restarted_unseen_gets_the_message_anew():
    line = Line()
    line.answers = lambda frame: len(line.frames) < 2
    line.sender.send(body(b"a"))
    line.answer()
    line.station, line.answers = Joiner(), lambda frame: True
    line.run(3 * AGAIN_MS)
    assert line.messages == [body(b"a")]


def test_a_hello_of_another_start_begins_the_message_anew_and_forgets_what_waits():
    line = Line()
    line.answers = lambda frame: len(line.frames) < 2
    line.sender.send(body(b"a"))
    line.sender.send(body(b"b"))
    line.answer()
    line.station, line.answers = Joiner(), lambda frame: True
    line.sender.restarted()
    line.answer()
    assert line.messages == [body(b"a")]
    line.sender.send(body(b"b"))
    line.answer()
    assert line.messages[1:] == [body(b"b")]


def test_what_waits_is_not_queued_twice():
    line = Line()
    blocks = [body(letter) for letter in (b"a", b"b", b"c")]
    for block in blocks:
        line.sender.send(block, once=True)
    line.answers = lambda frame: len(line.frames) < 4
    line.answer()
    assert line.messages == blocks[:1]
    for block in blocks:  # also what went already: all of it belongs together
        line.sender.send(block, once=True)
    line.sender.send(b'{"ack":[1,2]}', urgent=True)
    line.sender.send(b'{"ack":[1,2]}', urgent=True)
    line.answers = lambda frame: True
    line.run(AGAIN_MS)
    assert line.messages == [blocks[0], blocks[1], b'{"ack":[1,2]}', blocks[2]]
    assert line.sender.counts["doubled"] == 4
    for block in blocks:
        line.sender.send(block, once=True)
    line.answer()
    assert line.messages[4:] == blocks


def test_what_is_too_long_or_too_much_is_dropped_and_counted():
    line = Line()
    line.sender.send(b"x" * (DOWN_LIMIT + 1))
    assert line.sender.counts["dropped"] == 1
    for number in range(300):
        line.sender.send(b'{"%d":"%b"}' % (number, b"x" * 1000))
    assert line.sender.counts["dropped"] > 1
    line.answer()
    assert len(line.messages) + line.sender.counts["dropped"] == 301
