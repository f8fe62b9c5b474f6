"""What is counted of calls, and what is not known of them: the review's scenarios."""

from datetime import date

import pytest
from diadema.figures.read import read
from diadema.metrics import queue as of_queue
from diadema.metrics.contacts import doubtful
from diadema.store import Contact
from diadema.store.rows import QueueCall
from scripted_station import T0, S, Script
from test_fcr import S2, Place, begun, rows, stated

DAY = date(2026, 11, 18)
MINUTE = 60_000


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


def talk(n, begin, end):
    """Minutes after T0."""
    start, close = T0 + begin * MINUTE, T0 + end * MINUTE
    length = close - start
    return Contact(
        s=S, e=1, n=n, c=f"c{n}", a="a001", phase="closed", outcome="answered", start_b=1,
        start_u=0, start_utc=start, answered_u=0, answered_utc=start, end_b=1, end_u=length,
        end_utc=close, close_b=1, close_u=length, close_utc=close, talk_ms=length,
    )  # fmt: skip


def test_what_is_in_doubt_itself_puts_nothing_in_doubt():
    """B1: A 10:00-11:00, B 10:30-12:00, C 11:30-12:30: B is in no average, so C stays."""
    contacts = [talk(1, 0, 60), talk(2, 30, 120), talk(3, 90, 150)]
    assert doubtful(contacts) == {(S, 1, 2)}
    calls = [
        QueueCall(
            s="PBX-x", e=1, n=one.n, pbx=str(one.n), queue="q", start_utc=one.start_utc,
            agent="a001", connected_utc=one.start_utc, outcome="answered", end_utc=one.end_utc,
        )
        for one in contacts
    ]  # fmt: skip
    assert [later.n for later, _ in of_queue.overlapping(calls)] == [2]


def test_a_chain_of_talks_over_midnight_is_looked_at_from_its_beginning(place):
    """B1: at two desks; the one in doubt began before the day, because of one that ended in it."""
    midnight = T0 + 64_400_000
    one = Script().boot().clock(midnight - 120 * MINUTE).login(0).ready(0)
    one.call("c1", talk=90 * MINUTE)
    one.u = 135 * MINUTE
    one.call("c3", talk=45 * MINUTE)
    other = Script(s=S2).boot().clock(midnight - 60 * MINUTE).login(0).ready(0)
    other.call("c2", talk=90 * MINUTE)
    place.take(one, other)
    later = date(2026, 11, 19)
    both = read(place.data, DAY, later, midnight + 3 * 60 * MINUTE)
    assert both.agent("a001").calls().n == 2
    (only,) = read(place.data, later, later, midnight + 3 * 60 * MINUTE).days
    calls = only.agents["a001"].calls()
    assert (calls.answered, calls.n, calls.aside_impossible) == (1, 1, 0)
