"""What stations are told of marks at other desks."""

import json

import pytest
from diadema.hub.marks_board import EVERY_S, MarksBoard
from diadema.ingest.core import Ingest
from diadema.site.description import parse
from diadema.site.station_keys import seal
from diadema.store import tables
from diadema.store.attendance import Badge
from diadema.wire.commands import Marks
from diadema.wire.frames import DOWN_LIMIT
from msgspec.json import decode

from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"
HOUR = 3_600_000


@pytest.fixture
def seconds(monkeypatch):
    passed = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: passed[0])
    return passed


@pytest.fixture
def board(reader, clock, site):
    made = MarksBoard(reader, clock)
    made.read(site)
    return made


def take(ingest, board, *scripts):
    for script in scripts:
        effects = ingest.take(script.messages(), "stream", "server")
        board.take(effects.marks)
        if effects.placed:
            board.read(ingest.site)


def told(frames):
    marks = [mark for frame in frames for mark in decode(frame, type=Marks).marks]
    assert all(json.loads(frame)["i"] == 0 for frame in frames)
    return marks


def test_each_agents_newest_mark_is_told_once_a_second_at_most(ingest, board, seconds):
    script = Script().boot().clock().mark("in")
    take(ingest, board, script)
    assert told(board.news()) == [("a001", "in", T0 + 1000)]
    take(ingest, board, Script(s=S2, agent="a002").boot().clock(T0 + 5000).mark("in"))
    take(ingest, board, Script(s=S2, e=8, agent="a002").boot().clock(T0 - HOUR).mark("out"))
    assert board.news() == []
    seconds[0] += EVERY_S
    assert told(board.news()) == [("a002", "in", T0 + 6000)]
    assert board.news() == []
    assert [a for a, *_ in told(board.whole())] == ["a001", "a002"]


def test_a_mark_of_another_shift_or_of_a_stranger_is_not_told(ingest, board, clock, seconds):
    take(ingest, board, Script().boot().clock().mark("in"))
    take(ingest, board, Script(s=S2, agent="x9").boot().clock().mark("in"))
    assert len(told(board.whole())) == 1
    clock.now = T0 + 17 * HOUR
    assert board.whole() == board.news() == []


def test_a_badge_that_the_station_did_not_know(ingest, board, writer, site, seconds):
    take(ingest, board, Script().boot().clock().mark("in", a=None, badge="ab" * 16))
    assert board.news() == []
    with writer.transaction() as tx:
        writer.put(tx, tables.badges, [Badge("ab" * 16, "a001", T0 + HOUR, None)])
    board.read(site)
    assert told(board.news()) == [("a001", "in", T0 + 1000)]


def test_a_mark_without_an_hour_is_told_when_it_has_one(ingest, board, seconds):
    script = Script().boot().mark("in")
    take(ingest, board, script)
    assert board.news() == []
    take(ingest, board, script.clock(T0))
    assert told(board.news()) == [("a001", "in", T0 - 10)]


def test_after_a_restart_it_is_read_from_the_store(ingest, board, reader, writer, site, clock):
    take(ingest, board, Script().boot().clock().mark("in").mark("out"))
    again = MarksBoard(reader, clock)
    again.read(Ingest(writer, site, clock).site)
    assert told(again.whole()) == told(board.whole()) == [("a001", "out", T0 + 2000)]


def test_a_sealed_frame_is_none_too_long(ingest, reader, clock):
    names = [f"agent-{number:018d}" for number in range(120)]
    agents = [
        {"id": name, "name": "N", "short": "S", "alias": "A", "badges": []} for name in names
    ]
    site = parse(json.dumps(SITE | {"agents": agents}).encode())
    board = MarksBoard(reader, clock)
    board.read(site)
    board.take([(name, None, "out", T0) for name in names])
    frames = board.whole()
    sizes = [len(seal(bytes(32), S, 12, frame)) for frame in frames]
    assert max(sizes) <= DOWN_LIMIT
    assert min(sizes[:-1]) > DOWN_LIMIT - 60
    assert [a for a, *_ in told(frames)] == names
