"""For any history: times in each state add up to the session, the order in which things come and
what comes twice change nothing that is stored, and what stands is what a rebuild makes of it.
"""

import contextlib
import functools
import itertools
import json
import tempfile
from pathlib import Path

import msgspec
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild
from diadema.site import description as sites
from diadema.store import open_reader, open_writer, tables
from diadema.store.station_state import StationState
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.examples import examples
from tests.support.histories import desks, feed, hostile, journals, message
from tests.support.scripted_station import SITE, FixedClock, Script

DESCRIBED = sites.parse(json.dumps(SITE).encode())
ANY = st.one_of(desks(), hostile())
many = settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@functools.cache
def empty_store():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite3"
        open_writer(path).close()
        return path.read_bytes()


@contextlib.contextmanager
def place():
    """A data directory with its ingest and a reader of its store."""
    with tempfile.TemporaryDirectory() as folder:
        data = DataDir(Path(folder))
        data.site.write_text(json.dumps(SITE))
        data.store.write_bytes(empty_store())
        writer = open_writer(data.store)
        reader = open_reader(data.store)
        try:
            yield data, Ingest(writer, DESCRIBED, FixedClock()), reader
        finally:
            reader.close()
            writer.close()


# -- times


def by_session(reader):
    """Each session with its trails in their order."""
    trails = {}
    for trail in sorted(reader.trails(), key=lambda one: (one.station, one.epoch, one.sequence)):
        trails.setdefault(trail.session, []).append(trail)
    return [
        (one, trails.pop((one.station, one.epoch, one.sequence), [])) for one in reader.sessions()
    ], trails


def look_at_spans(trail):
    starts = [span.uptime_ms for span in trail.spans]
    assert starts == sorted(set(starts))
    if starts:
        assert starts[0] == trail.start_u and starts[-1] < trail.end_u
    else:  # it took no time: what lies between it and the next one may
        assert trail.start_u == trail.end_u
    shown = [msgspec.structs.astuple(span)[1:] for span in trail.spans]
    assert all(one != other for one, other in itertools.pairwise(shown))
    assert "logged_out" not in {one[0] for one in shown}
    if trail.start_utc is not None:
        assert trail.end_utc - trail.start_utc == trail.end_u - trail.start_u


def look_at_order(session, trails):
    """One after the other in each boot; the last one of a boot ends with it or the session."""
    for one, other in itertools.pairwise(trails):
        assert not one.over
        assert one.end_u == other.start_u or (one.epoch, one.boot) != (other.epoch, other.boot)
    assert all(trail.agent == session.agent for trail in trails)
    closed = session.reason is not None
    assert closed or not any(trail.over for trail in trails)
    if (
        closed
        and trails
        and (trails[-1].epoch, trails[-1].boot) == (session.epoch, session.close_b)
    ):
        assert trails[-1].over


@many
@given(history=ANY, batch=st.integers(1, 100))
def test_states_lie_end_to_end(history, batch):
    with place() as (_, ingest, reader):
        feed(ingest, history, batch)
        sessions, orphans = by_session(reader)
        assert not orphans
        placed = {(one["s"], one["e"], one["b"]) for one in reader.anchors()}
        for trail in reader.trails():
            assert (trail.start_utc is not None) == (
                (trail.station, trail.epoch, trail.boot) in placed
            )
        for session, trails in sessions:
            look_at_order(session, trails)
            for trail in trails:
                look_at_spans(trail)


@many
@given(history=desks())
def test_states_add_up_to_the_session(history):
    with place() as (_, ingest, reader):
        feed(ingest, history)
        for session, trails in by_session(reader)[0]:
            if trails and trails[0].boot == session.open_b:
                assert trails[0].start_u == session.open_u
            if trails and session.close_b == trails[-1].boot:
                assert trails[-1].end_u == session.close_u
            hours = [session.open_utc, session.close_utc, *(one.start_utc for one in trails)]
            if None in hours:
                continue
            shown = sum(trail.end_u - trail.start_u for trail in trails)
            ends = [session.open_utc, *(one.end_utc for one in trails)]
            starts = [*(one.start_utc for one in trails), session.close_utc]
            off = [start - end for end, start in zip(ends, starts, strict=True)]
            assert shown + sum(off) == session.close_utc - session.open_utc
            boots = [session.open_b, *(one.boot for one in trails), session.close_b]
            for (one, other), gap in zip(itertools.pairwise(boots), off, strict=True):
                assert gap == 0 or one != other


# -- what is stored


_UNORDERED = {"marks": ("number", "hash")}  # the ledger is in the order of arrival
_STORED = (
    tables.events, tables.positions, tables.losses, tables.unknown, tables.trails, tables.sessions,
    tables.presses, tables.marks, tables.anchors, tables.live, tables.conflicts,
    tables.dead_letters,
)  # fmt: skip


def stored(reader):
    """Everything that is stored, but for the order in which it came."""
    found = {"contacts": reader.contacts()}
    with reader.engine.connect() as connection:
        for table in _STORED:
            columns = [c for c in table.c if c.name not in _UNORDERED.get(table.name, ())]
            found[table.name] = sorted(map(repr, connection.execute(select(*columns))))
        row = tables.stations.c
        for s, state in connection.execute(select(row.s, row.state)):
            found[s] = msgspec.msgpack.decode(state, type=StationState)
    return found


def differing(one, other):
    return {name: (one[name], other[name]) for name in one if one[name] != other.get(name)}


@st.composite
def arrivals(draw, histories):
    """The messages of a history in batches, as they may come: those of a journal in any order and
    more than once, the journals of a station one after the other."""
    waiting = []
    for events in histories:
        queue = []
        for journal in journals(events):
            again = draw(st.lists(st.sampled_from(journal), max_size=5))
            queue += draw(st.permutations(journal)) + again
        waiting.append(queue)
    batches = []
    while any(waiting):
        queue = draw(st.sampled_from([queue for queue in waiting if queue]))
        size = draw(st.integers(1, 30))
        batch, queue[:size] = queue[:size], []
        if batches and draw(st.booleans()):
            batches[-1] += batch
        else:
            batches.append(batch)
    return batches


@many
@given(data=st.data(), history=ANY)
def test_order_and_doubles_change_nothing(data, history):
    with place() as (_, ingest, reader):
        feed(ingest, history)
        once = stored(reader)
    batches = data.draw(arrivals(history))
    restarts = data.draw(st.booleans())
    with place() as (_, ingest, reader):
        for batch in batches:
            ingest.take([message(event) for event in batch], "stream", "server")
            if restarts:
                ingest = Ingest(ingest.writer, DESCRIBED, FixedClock())
        assert differing(once, stored(reader)) == {}


def _live(state):
    kept = [
        "epoch",
        "boot",
        "uptime_ms",
        "session",
        "presence",
        "trail",
        "open",
        "shown",
        "shown_u",
        "clock",
        "faults",
    ]
    found = {name: getattr(state, name) for name in kept}
    # its bound is worked out anew by a rebuild, and comes out some billionths off
    clock = found["clock"]
    return found | {"clock": msgspec.structs.replace(clock, drift_error_ppb=0)}


@many
@given(history=desks(), data=st.data())
def test_the_end_of_an_older_journal_changes_nothing_that_is_live(history, data):
    """It comes after the newer one; what both tell is what is stored of either."""
    with place() as (stand, ingest, reader):
        late = []
        for events in history:
            *older, newest = journals(events)
            cut = data.draw(st.integers(1, len(older[-1]))) if older else 0
            for at, journal in enumerate((*older, newest)):
                tail = cut if older and at == len(older) - 1 else len(journal)
                feed(ingest, [journal[:tail]])
                late.append(journal[tail:])
        before = {s: _live(one.state) for s, one in ingest.stations.items()}
        for tail in late:
            feed(ingest, [tail], batch=data.draw(st.integers(1, 30)))
        assert {s: _live(one.state) for s, one in ingest.stations.items()} == before
        going = {(one.state.session.station, one.state.session.epoch, one.state.session.sequence)
                 for one in ingest.stations.values() if one.state.session}  # fmt: skip
        found = [one for one in reader.sessions() if one.reason is None]
        assert {(one.station, one.epoch, one.sequence) for one in found} == going
        rebuild(stand, FixedClock(), apply=True)
        again = Ingest(ingest.writer, DESCRIBED, FixedClock())
        assert {s: _live(one.state) for s, one in again.stations.items()} == before


def test_a_call_that_runs_again_is_one_after_a_restart():
    """Its wrap-up goes on while another call comes and ends."""
    script = Script().boot().clock().login().ready().offer("c1")
    script.contact("answered", "c1", via="key").contact("ended", "c1", by="caller", on_hold=False)
    script.wrapup("started", "c1").wrapup("ended", "c1", cause="agent").wrapup("started", "c1")
    script.offer("c2").contact("answered", "c2", via="key")
    script.contact("ended", "c2", by="caller", on_hold=False)
    script.wrapup("started", "c2").wrapup("ended", "c2", cause="agent")
    first = script.messages()
    found = []
    for restarts in (False, True):
        with place() as (_, ingest, reader):
            ingest.take(first, "stream", "server")
            if restarts:
                ingest = Ingest(ingest.writer, DESCRIBED, FixedClock())
            if not found:
                script.wrapup("ended", "c1", cause="agent")
            ingest.take(script.messages(), "stream", "server")
            found.append(stored(reader))
    assert differing(*found) == {}


@many
@given(history=ANY, batch=st.integers(1, 100))
def test_what_stands_is_what_a_rebuild_makes(history, batch):
    with place() as (data, ingest, reader):
        feed(ingest, history, batch)
        before = stored(reader)
        assert rebuild(data, FixedClock()).differences == []
        rebuild(data, FixedClock(), apply=True)
        assert differing(before, stored(reader)) == {}
