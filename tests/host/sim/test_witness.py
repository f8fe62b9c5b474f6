"""The store beside the witness, on a store that is written wrong on purpose."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from diadema.store import Batch, Reader, Writer, open_reader, open_writer
from diadema.store.writer import Doubtful
from diadema.wire.journal import JournalEvent
from diadema_sim.witness import Key, Witness, compare, journaled, missing

STATION = "DIA-02d1ade00001"


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = open_writer(tmp_path / "store.sqlite3")
    yield writer
    writer.close()


@pytest.fixture
def reader(writer: Writer, tmp_path: Path) -> Iterator[Reader]:
    reader = open_reader(tmp_path / "store.sqlite3")
    yield reader
    reader.close()


def event(number: int) -> dict[str, Any]:
    return {"b": 1, "u": 100 * number, "t": None, "k": "contact.answered", "c": f"c{number}"}


def stored(number: int, e: int = 7, **other: Any) -> tuple[str, int, int, str, bytes]:
    whole = {"s": STATION, "e": e, "n": number, **event(number), **other}
    return (STATION, e, number, whole["k"], json.dumps(whole).encode())


def witnessed(numbers: range) -> dict[Key, dict[str, Any]]:
    witness = Witness(lambda: 0)
    for number in numbers:
        payload = json.dumps(event(number)).encode()
        witness.record(STATION, JournalEvent(7, number, payload))
        witness.record(STATION, JournalEvent(7, number, payload))
    return journaled(witness, [STATION])


def test_a_faithful_store(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(n) for n in (2, 1, 3)]))
    seen = witnessed(range(1, 4))
    found = compare(reader, seen)
    assert (found.journaled, found.stored, found.lost, found.doubled) == (3, 3, [], [])
    assert missing(reader, seen) == 0


def test_what_is_missing_is_lost(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(1), stored(3)]))
    seen = witnessed(range(1, 4))
    assert missing(reader, seen) == 1
    assert compare(reader, seen).lost == [(STATION, 7, 2)]


def test_other_content_is_a_loss(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(1), stored(2, u=0)]))
    found = compare(reader, witnessed(range(1, 3)))
    assert (found.lost, found.doubled) == ([(STATION, 7, 2)], [])


def test_what_was_never_journaled_is_a_double(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(1), stored(2), stored(1, e=8)]))
    found = compare(reader, witnessed(range(1, 2)))
    assert (found.stored, found.lost) == (3, [])
    assert sorted(found.doubled) == [(STATION, 7, 2), (STATION, 8, 1)]


def test_a_conflict_is_a_double(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(1)]))
    writer.commit(Batch(doubtful=[Doubtful(*stored(1, u=5))]))
    found = compare(reader, witnessed(range(1, 2)))
    assert (found.lost, found.doubled) == ([], [(STATION, 7, 1)])


def test_journals_of_earlier_runs_do_not_count(writer: Writer, reader: Reader) -> None:
    writer.commit(Batch(events=[stored(1), stored(1, e=6), stored(2, e=6)]))
    found = compare(reader, witnessed(range(1, 2)), {(STATION, 6)})
    assert (found.stored, found.lost, found.doubled) == (1, [], [])
