"""Roll-ups: what is read through them is what the store alone gives, whenever they were made, and
what late events change leaves a trace.
"""

import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.figures import roll as module
from diadema.figures.read import read
from diadema.figures.roll import roll
from diadema.web.floor.feed import Pace
from diadema.web.web_app import Rolling
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host.test_figures_properties import ZONES, Told
from tests.support.examples import examples
from tests.support.histories import HOUR, desks, feed, hostile, journals, message
from tests.support.scripted_station import T0, S, Script

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def plain(data, first, last, now, **more):
    """The same question where there can be no roll-ups."""
    bare = DataDir(data.root)
    bare.rollups = data.root / "no-such-folder" / "rollups.sqlite3"
    return read(bare, first, last, now, **more)


def same(told, intervals=True, month=False):
    first, last = told.day(T0 - 32 * HOUR), told.day(T0 + 60 * HOUR)
    if month:
        first, last = first.replace(day=1), first.replace(day=30)  # of November
    now = told.clock.now_ms()
    seen = read(told.data, first, last, now, intervals=intervals)
    expected = plain(told.data, first, last, now, intervals=intervals)
    for one, other in zip(seen.days, expected.days, strict=True):
        assert dict(one.agents) == dict(other.agents)
        assert dict(one.queues) == dict(other.queues)
        assert dict(one.intervals) == dict(other.intervals)
        assert one.total() == other.total()
        if intervals:
            assert one.half_hours() == other.half_hours()
    assert seen.agents() == expected.agents()
    assert seen.total() == expected.total()
    assert seen.cut == expected.cut
    return seen


@settings(deadline=None, max_examples=examples(20), suppress_health_check=SLOW)
@given(
    st.one_of(desks(), hostile()),
    st.sampled_from(ZONES),
    st.integers(0, 1 << 30),
    st.lists(st.sampled_from(("roll", "some", "read", "nothing")), min_size=1, max_size=6),
    st.booleans(),
)
def test_rolled_is_unrolled_for_any_arrival_and_any_split_of_rolls(
    histories, zone, seed, whens, linked
):
    """`linked`: stations are connected, so that what goes on does so until now."""
    by_chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as root, Told(root, zone) as told:
        messages = []
        for events in histories:
            for journal in journals(events):
                its = [message(event) for event in journal]
                by_chance.shuffle(its)
                messages += its
        if linked:
            told.ingest.take([hello(events) for events in histories if events], "stream", "server")
        at = 0
        for when in whens:
            size = by_chance.randrange(1, len(messages) // len(whens) + 3)
            if part := messages[at : at + size]:
                told.ingest.take(part, "stream", "server")
            at += size
            if when == "roll":
                roll(told.data, told.clock.now_ms())
            elif when == "some":
                roll(told.data, told.clock.now_ms(), most=1)
            elif when == "read":
                same(told, intervals=False)
        if rest := messages[at:]:
            told.ingest.take(rest, "stream", "server")
        same(told)
        while not roll(told.data, told.clock.now_ms(), most=2).done:
            pass
        same(told)
        same(told, month=True)
        assert roll(told.data, told.clock.now_ms()).cells == 0


def hello(events):
    s, e = events[-1]["s"], events[-1]["e"]
    return Script(s=s, e=e).hello_message()


def shift(utc, s=S, e=7):
    script = Script(s=s, e=e).boot().clock(utc).login().ready()
    return script.call("c1", talk=60_000).call("c2", talk=90_000, hold=4_000)


def test_a_restored_store_is_noticed_and_everything_is_made_anew(tmp_path):
    """The copy goes on with other events, up to more rows than the roll-ups had seen."""
    with Told(tmp_path, "America/Lima") as told:
        early = shift(T0)
        told.ingest.take(early.messages(), "stream", "server")
    shutil.copy(told.data.store, tmp_path / "copy")
    with Told(tmp_path, "America/Lima") as told:
        first = Script(s="DIA-0123456789ac", e=3, agent="a002").boot().clock(T0).login()
        first.ready().call("d1").logout()
        told.ingest.take(first.messages(), "stream", "server")
        assert roll(told.data, told.clock.now_ms()).done
    for name in ("-wal", "-shm"):
        told.data.store.with_name(told.data.store.name + name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy", told.data.store)
    with Told(tmp_path, "America/Lima") as told:
        other = Script(s="DIA-0123456789ac", e=9, agent="a002").boot().clock(T0).login()
        other.ready().call("d1").call("d2").call("d3").logout()
        told.ingest.take(other.messages(), "stream", "server")
        seen = same(told)
        assert seen.agent("a002").calls().answered == 3
        assert roll(told.data, told.clock.now_ms()).cells == 0


def test_another_zone_makes_everything_anew(tmp_path):
    with Told(tmp_path, "America/Lima") as told:
        told.ingest.take(shift(T0).logout().messages(), "stream", "server")
        assert not roll(told.data, told.clock.now_ms()).left
    with Told(tmp_path, "Asia/Tokyo") as told:
        seen = same(told)
        assert seen.zone == "Asia/Tokyo"
        assert seen.agent("a001").calls().answered == 2


def repairs(data, day):
    """The trace of what changed of that day after it was over."""
    with closing(sqlite3.connect(data.rollups)) as file:
        file.row_factory = sqlite3.Row
        query = "SELECT * FROM repairs WHERE day = ? ORDER BY rowid"
        return [SimpleNamespace(**row) for row in file.execute(query, [day.isoformat()])]


def test_late_events_of_a_day_that_was_over_leave_a_trace(tmp_path):
    with Told(tmp_path, "America/Lima", T0 + 48 * HOUR) as told:
        script = shift(T0)
        told.ingest.take(script.messages(), "stream", "server")
        roll(told.data, told.clock.now_ms())
        day, stored = told.day(T0), script.n
        assert repairs(told.data, day) == []
        script.call("c3", talk=30_000).logout()
        told.ingest.take(script.messages(stored + 1), "stream", "server")
        told.clock.now += HOUR
        assert roll(told.data, told.clock.now_ms()).cells == 1
        found = {one.what: one for one in repairs(told.data, day)}
        assert (found["answered"].was, found["answered"].is_now) == (2, 3)
        assert found["answered"].name == "a001"
        assert found["answered"].at_ms == told.clock.now_ms()
        assert found["answered"].position == script.n
        assert found["handle_s"].is_now - found["handle_s"].was == 40
        assert "missed" not in found
        assert repairs(told.data, day + timedelta(days=1)) == []


def test_a_day_that_goes_on_is_no_repair(tmp_path):
    with Told(tmp_path, "America/Lima", T0) as told:
        script = shift(T0)
        told.ingest.take(script.messages(1, 9), "stream", "server")
        roll(told.data, told.clock.now_ms())
        told.ingest.take(script.messages(10), "stream", "server")
        roll(told.data, told.clock.now_ms())
        assert repairs(told.data, told.day(T0)) == []


def test_a_call_works_off_so_many_cells_and_no_more(tmp_path):
    with Told(tmp_path, "America/Lima") as told:
        feed(told.ingest, [])
        for back in range(4):
            script = shift(T0 - back * 24 * HOUR, e=20 - back).logout()
            told.ingest.take(script.messages(), "stream", "server")
        done = roll(told.data, told.clock.now_ms(), most=3)
        assert (done.cells, done.left, done.done) == (3, 1, False)
        assert msgspec.structs.asdict(roll(told.data, told.clock.now_ms(), most=3)) == {
            "cells": 1, "left": 0, "behind": False, "anew": False,
        }  # fmt: skip


def test_many_rows_are_looked_at_in_several_calls(tmp_path, monkeypatch):
    monkeypatch.setattr(module.feed, "__defaults__", (2,))
    with Told(tmp_path, "America/Lima") as told:
        script = shift(T0).call("c3").call("c4").call("c5").logout()
        told.ingest.take(script.messages(), "stream", "server")
        assert roll(told.data, told.clock.now_ms()).behind
        same(told)
        assert roll(told.data, told.clock.now_ms()).done


@pytest.mark.parametrize("damage", [b"no database at all", None])
def test_damaged_ones_are_put_away_and_made_anew(tmp_path, damage):
    with Told(tmp_path, "America/Lima") as told:
        told.ingest.take(shift(T0).logout().messages(), "stream", "server")
        roll(told.data, told.clock.now_ms())
        if damage:
            told.data.rollups.write_bytes(damage * 500)
        else:
            body = told.data.rollups.read_bytes()
            told.data.rollups.write_bytes(body[:8192] + bytes(len(body) - 8192))
        same(told)
        same(told)
        assert roll(told.data, told.clock.now_ms()).done
        with closing(sqlite3.connect(told.data.rollups)) as db:
            assert db.execute("SELECT count(*) FROM agent_days").fetchone() == (1,)


def test_while_another_process_rolls_the_answer_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("diadema.figures.rollups.BUSY_MS", 1)
    with Told(tmp_path, "America/Lima") as told:
        script = shift(T0)
        told.ingest.take(script.messages(), "stream", "server")
        roll(told.data, told.clock.now_ms())
        stored = script.n
        told.ingest.take(script.call("c9").messages(stored + 1), "stream", "server")
        with closing(sqlite3.connect(told.data.rollups, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert same(told).agent("a001").calls().answered == 3
            assert roll(told.data, told.clock.now_ms()).cells == 0


class _Here:
    """A worker that works here."""

    async def behind(self, work, *args):
        return work(*args)


async def test_the_web_keeps_them_near_to_the_store(tmp_path):
    with Told(tmp_path, "America/Lima") as told:
        rolling = Rolling(told.data, Pace(told.clock), _Here())
        told.ingest.take(shift(T0).logout().messages(), "stream", "server")
        assert await rolling.catch_up() == 1
        assert await rolling.catch_up() == 0
        same(told)


async def test_without_a_store_there_is_nothing_to_keep(tmp_path, clock):
    assert await Rolling(DataDir(tmp_path), Pace(clock), _Here()).catch_up() == 0
