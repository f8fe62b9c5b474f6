"""The host's reader of the flash journal, against images written byte by byte."""

import pytest
from diadema.wire import journal
from hypothesis import given
from hypothesis import strategies as st

from tests.support.flash_image import SECTOR, header, record, sector

PAYLOAD = b'{"b":1,"u":5,"t":null,"k":"x"}'
PAYLOADS = st.lists(st.binary(max_size=150), max_size=20)


def events(found):
    return [(event.epoch, event.sequence, event.payload) for event in found]


def test_header_fields_and_records():
    image = sector(
        header(3, first=9, acked=5, boot=2), record("S", 8, b"{}"), record("E", 9, PAYLOAD)
    )
    content = journal.walk_sector(image)
    assert content.header == journal.SectorHeader(4, 7, 3, 9, 5, 2)
    assert [(chr(r.kind), r.sequence, r.payload) for r in content.records] == [
        ("S", 8, b"{}"),
        ("E", 9, PAYLOAD),
    ]


@pytest.mark.parametrize("at", [0, 4, 6, 8, 12, 27, 28])
def test_a_spoilt_header_makes_the_sector_unreadable(at):
    image = bytearray(sector(header(1), record("E", 1, PAYLOAD)))
    image[at] ^= 1
    assert journal.walk_sector(image) is None
    assert journal.walk(image + b"\xff" * 3 * SECTOR).unreadable == 1


def test_a_worn_sector_still_counts():
    image = bytearray(sector(header(1), record("E", 1, PAYLOAD)))
    image[5] = 0x20
    content = journal.walk(image + b"\xff" * 3 * SECTOR)
    assert events(content.events()) == [(7, 1, PAYLOAD)]
    assert content.unreadable == 0


def test_torn_records():
    good, torn = record("E", 1, PAYLOAD), bytearray(record("E", 2, PAYLOAD))
    torn[-1] ^= 1  # the last byte of its check: skipped by its length
    content = journal.walk_sector(sector(header(1), good, torn, record("E", 3, PAYLOAD)))
    assert [r.sequence for r in content.records] == [1, 3]
    torn[3] ^= 1  # its header cannot be trusted: nothing after it can be found
    content = journal.walk_sector(sector(header(1), good, torn, record("E", 3, PAYLOAD)))
    assert [r.sequence for r in content.records] == [1]


def test_a_length_beyond_the_sector_ends_it():
    content = journal.walk_sector(sector(header(1), record("E", 1, b"x" * 4030)[:100]))
    assert content.records == []


def test_ring_is_read_in_the_order_of_its_sequence():
    ring = [
        sector(header(5, first=5), record("E", 5, b"e")),
        sector(header(2, first=2), record("E", 2, b"b"), record("A", 1)),
        sector(header(3, first=3), record("E", 3, b"c")),
        sector(header(3, first=3), record("E", 3, b"c")),  # a copy in the wrong place
    ]
    content = journal.walk(b"".join(ring))
    assert events(content.events()) == [(7, 2, b"b"), (7, 3, b"c"), (7, 5, b"e")]
    assert content.unreadable == 1
    assert journal.walk(b"\xff" * 4 * SECTOR) == journal.JournalContent()


@given(PAYLOADS, st.lists(st.integers(1, 200), max_size=60))
def test_walker_yields_each_event_at_its_last_byte(payloads, sizes):
    parts = [header(1)] + [record("E", n, payload) for n, payload in enumerate(payloads, 1)]
    whole = b"".join(parts)
    ends = [sum(map(len, parts[: n + 1])) for n in range(1, len(parts))]
    flash = bytearray(b"\xff" * SECTOR * 2)
    walker, at, got = journal.JournalWalker(flash), 0, []
    for size in [*sizes, len(whole)]:
        piece = whole[at : at + size]
        flash[SECTOR + at : SECTOR + at + len(piece)] = piece
        at += len(piece)
        got += walker.programmed(SECTOR + at - len(piece), len(piece))
        # a check that ends in 0xFF is whole before its last byte is "programmed"
        whole_now = [n for n, end in enumerate(ends, 1) if flash[SECTOR:][:end] == whole[:end]]
        assert [event.sequence for event in got] == whole_now
    assert events(got) == [(7, n, payload) for n, payload in enumerate(payloads, 1)]


def test_walker_passes_over_a_torn_record_and_yields_once():
    torn = record("E", 2, PAYLOAD)
    flash = bytearray(sector(header(1), record("E", 1, b"a"), torn[:-2]))
    walker = journal.SectorWalker()
    assert events(walker.programmed(flash)) == [(7, 1, b"a")]
    end = 32 + 13 + len(torn)
    flash[end : end + 13] = record("E", 3, b"c")
    assert events(walker.programmed(flash)) == [(7, 3, b"c")]
    assert walker.programmed(flash) == []
    flash[end - 2 : end] = torn[-2:]
    assert events(walker.programmed(flash)) == [(7, 2, PAYLOAD)]
    assert walker.programmed(flash) == []
    walker.erased()
    assert walker.programmed(b"\xff" * SECTOR) == []
    assert events(walker.programmed(sector(header(5, epoch=9), record("E", 1, b"z")))) == [
        (9, 1, b"z")
    ]
