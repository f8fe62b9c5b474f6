"""Batches that are written behind: what a failed write leaves behind is taken again, in order."""

import asyncio
import contextlib
import sqlite3
import threading

import pytest
from diadema.hub.pipeline import Pipeline
from diadema.ingest.core import Ingest
from diadema.store import StoreBehind, StoreStale, StoreUnavailable, open_reader, open_writer
from diadema.store.writer import Behind

from tests.support.scripted_station import S, Script


def full_day():
    return Script().boot().clock().login().ready().call("c1").call("c2", hold=5000).logout()


def fail(writer, numbers, monkeypatch):
    """The commits of these numbers, from 1, find the store unavailable."""
    commit, made = writer.commit, []

    def failing(batch):
        made.append(batch)
        if len(made) in numbers:
            raise StoreUnavailable("full")
        return commit(batch)

    monkeypatch.setattr(writer.behind, "_write", failing)


class Line:
    """A pipeline as the service has it: patient until the store takes the batch."""

    def __init__(self, ingest):
        self.effects, self.patient = [], 0
        self._ingest = ingest
        self.pipeline = Pipeline(ingest, self._patiently, self._follow)

    async def _patiently(self, messages, created, server, after):
        while True:
            self.patient += 1
            try:
                return self._ingest.take(messages, created, server, after)
            except (StoreUnavailable, StoreStale):
                await asyncio.sleep(0)

    async def _follow(self, effects):
        self.effects.append(effects)

    async def take(self, script, size, first=1, last=None):
        messages = script.messages(first, last)
        for at in range(0, len(messages), size):
            await self.pipeline.take(messages[at : at + size], "stream", "server")
        await self.pipeline.settle()


@pytest.mark.parametrize("numbers", [(), (1,), (2,), (3,), (2, 3), (2, 4, 5, 6), range(1, 12)])
async def test_a_failed_write_changes_nothing_of_the_outcome(
    ingest, writer, reader, monkeypatch, numbers
):
    fail(writer, numbers, monkeypatch)
    script, line = full_day(), Line(ingest)
    await line.take(script, 3)
    assert [event.body for event in reader.events_of(S)] == script.bodies
    assert len(reader.contacts(closed=True)) == 2
    assert [contact.estimated for contact in reader.contacts()] == [False, False]
    positions = [effects.acks[S][1] for effects in line.effects]
    assert positions == [*range(3, script.n, 3), script.n][: len(positions)]
    assert ingest.stream == ("stream", script.n, "server")
    assert bool(line.patient) == bool(numbers)
    status = reader.status()
    assert (status["conflicts"], status["lost"], status["dead_letters"]) == (0, 0, 0)


def restore(copy, into):
    """As from a backup, under a program that has it open."""
    with (
        contextlib.closing(sqlite3.connect(copy)) as before,
        contextlib.closing(sqlite3.connect(into)) as now,
    ):
        before.backup(now)


async def test_a_store_that_went_back_is_taken_from_where_it_stands(
    ingest, writer, reader, monkeypatch, tmp_path
):
    """To repeat only what failed would leave a gap that nobody fills."""
    store, copy = tmp_path / "store.sqlite3", tmp_path / "copy.sqlite3"
    script, line = full_day(), Line(ingest)
    await line.take(script, 3, last=6)
    restore(store, copy)
    await line.take(script, 3, first=7, last=9)
    restore(copy, store)
    fail(writer, (1,), monkeypatch)
    with pytest.raises(StoreBehind, match="up to 6, and it had 9"):
        await line.take(script, 3, first=10)
    assert ingest.stream == ("stream", 6, "server")
    await line.take(script, 3, first=7)
    assert [event.body for event in reader.events_of(S)] == script.bodies
    assert reader.position(S, 7) == script.n


async def test_a_change_between_waits_for_what_is_being_written(ingest, writer, reader):
    script = full_day()
    begun = ingest.begin(script.messages(1, 8), "stream", "server")
    with ingest.changing([S]):
        assert begun.written.done()
        assert reader.position(S, 7) == 8
    assert ingest.end(begun).acks == {S: (7, 8)}


async def test_after_a_failed_write_memory_is_what_the_store_has(
    ingest, writer, reader, monkeypatch, site, clock
):
    script = full_day()
    ingest.take(script.messages(1, 4), "stream", "server")
    fail(writer, (1,), monkeypatch)
    first = ingest.begin(script.messages(5, 8), "stream", "server")
    first.written.exception()
    with pytest.raises(StoreStale):
        ingest.begin(script.messages(9), "stream", "server")
    with pytest.raises(StoreUnavailable):
        ingest.end(first)
    with ingest.changing([]):
        assert ingest.station(S).journals[7].position == 4
    again = Ingest(writer, site, clock)
    assert again.station(S).state == ingest.station(S).state
    assert ingest.take(script.messages(5), "stream", "server").acks == {S: (7, script.n)}


def rows_after(path, site, clock, messages):
    """What a store says that took these in and nothing else."""
    writer = open_writer(path)
    Ingest(writer, site, clock).take(messages, "stream", "server")
    writer.close()
    reader = open_reader(path)
    try:
        return reader.contacts(), reader.sessions(), reader.live()
    finally:
        reader.close()


@pytest.mark.parametrize("first", range(4, 12))
def test_a_batch_is_written_as_it_was_when_it_was_begun(
    ingest, writer, reader, monkeypatch, site, clock, tmp_path, first
):
    """The next one goes on with the same contacts and sessions before it is on the disk."""
    script = Script().boot().clock().login().ready().call("c1").logout()
    commit, go_on, made = writer.commit, threading.Event(), []

    def late(batch):
        assert go_on.wait(60)
        made.append(batch)
        if len(made) == 2:
            raise StoreUnavailable("full")
        return commit(batch)

    monkeypatch.setattr(writer.behind, "_write", late)
    begun = ingest.begin(script.messages(1, first), "stream", "server")
    failed = ingest.begin(script.messages(first + 1), "stream", "server")
    go_on.set()
    ingest.end(begun)
    with pytest.raises(StoreUnavailable):
        ingest.end(failed)
    alone = rows_after(tmp_path / "alone.sqlite3", site, clock, script.messages(1, first))
    assert (reader.contacts(), reader.sessions(), reader.live()) == alone


def test_nothing_is_written_after_a_failure_until_it_is_settled():
    written = []

    def write(number):
        if number < 0:
            raise ValueError
        written.append(number)
        return number

    behind = Behind(write)
    futures = [behind.submit(number) for number in (1, -2, 3)]
    assert not futures[2].cancel()  # it would leave a hole
    assert not behind.settle()
    assert [type(future.exception()) for future in futures] == [type(None), ValueError, StoreStale]
    assert behind.submit(4).result() == 4
    assert behind.settle()
    assert written == [1, 4]
    behind.close()
