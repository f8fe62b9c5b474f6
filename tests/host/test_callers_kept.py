"""What is kept of callers by day is what the raw events say now."""

import json
import sqlite3

import pytest
from diadema.report.model import plain
from diadema.store import contact_rows

from tests.host.test_fcr import DAY_MS, LATER, S2, begun, called, stated
from tests.host.test_fcr import place as place
from tests.support.scripted_station import SITE, T0, Script

MIDNIGHT = T0 - T0 % DAY_MS + DAY_MS + 5 * 3_600_000  # of Lima


@pytest.fixture
def told(place):
    """Callers of a day that is over, as they were told."""
    place.script = begun()
    called(place.script, "c1", "r1", code="111")
    called(place.script, "c2", "r2", motive="1")
    called(place.script, "c3", "r3")
    place.take(place.script)
    place.was = week(place)
    return place


def week(place, now=LATER):
    report = place.report(span="week", now=now)
    return [[one.key, [[*map(plain, row)] for row in one.rows]] for one in report.sections]


def made_anew(place, now=LATER):
    for name in ("", "-wal", "-shm"):
        place.data.rollups.with_name(place.data.rollups.name + name).unlink(missing_ok=True)
    return week(place, now)


def test_contacts_of_a_day_that_is_over_are_not_read_again(told, monkeypatch):
    monkeypatch.setattr(contact_rows, "_decode", None)
    assert week(told) == told.was


def _more(place, script):
    place.ingest.take(script.messages(), "stream", "server")


def _late_call(place):
    other = Script(s=S2, agent="a002").boot().clock(T0 + 3_600_000).login(0).ready(0)
    _more(place, called(other, "d1", "r1", code="112"))


def _late_call_of_days_after(place):
    other = Script(s=S2, agent="a002").boot().clock(T0 + 6 * DAY_MS).login(0).ready(0)
    _more(place, called(other, "d1", "r1", code="112"))


def _handed_over(place):
    other = Script(s=S2, agent="a002").boot().clock(T0 + 3_600_000).login(0).ready(0)
    _more(place, called(other, "d1", "r3", code="112", parent="c3"))


def _late_hours(place):
    """A boot without a clock, which is known only now."""
    other = Script(s=S2, agent="a002").boot().login(0).ready(0)
    called(other, "d1", "r1", code="112")
    _more(place, other)
    assert week(place) != place.was  # calls without an hour
    place.was = week(place)
    at = other.n
    other.clock(T0 + 3_600_000)
    place.ingest.take(other.messages(at + 1), "stream", "server")


def _other_code(place):
    at = place.script.n
    place.script.contact("retypified", "c2", code="211", version=1, author="a001")
    place.script.contact("retypified", "c3", code="111", version=1, author="a001")
    place.ingest.take(place.script.messages(at + 1), "stream", "server")


def _other_tree(place):
    nodes = [["2", "Reclamo", [["11", "Saldo", [["111", "Ahorro"], ["112", "CTS"]]]]]]
    place.data.site.write_text(json.dumps(SITE | {"tree": {"version": 2, "nodes": nodes}}))


def _abandoned(place):
    place.switch(T0 + DAY_MS, "entered", "9.1", reference="r1")
    place.switch(T0 + DAY_MS + 30_000, "abandoned", "9.1", wait_ms=30_000)


@pytest.mark.parametrize(
    "change",
    [
        _late_call, _late_call_of_days_after, _handed_over, _late_hours, _other_code, _other_tree,
        _abandoned,
    ],
)  # fmt: skip
def test_a_change_of_what_it_is_made_of_is_seen(told, change):
    change(told)
    now = week(told)
    assert now != told.was
    assert now == made_anew(told)


def test_a_zone_that_changed_moves_what_is_kept(told):
    told.data.site.write_text(json.dumps(SITE | {"zone": "Asia/Tokyo"}))
    assert week(told) == made_anew(told)


def test_a_call_that_goes_on_over_midnight_is_kept_once_it_is_over(place):
    script = Script().boot().clock(MIDNIGHT - 60_000).login(0).ready(0)
    script.offer("c1", reference="r1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    place.take(script)
    morrow = MIDNIGHT + 3_600_000
    assert stated(place.report(span="week", now=morrow), "usuarios distintos")[0] == 1
    at = script.n
    script.contact("ended", "c1", 120_000, by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.contact("typified", "c1", 5000, code="111", version=1, how="agent")
    script.wrapup("ended", "c1", 0, cause="typified")
    place.ingest.take(script.messages(at + 1), "stream", "server")
    assert week(place) == made_anew(place)
    assert stated(place.report(span="week"), "FCR") == (100.0, 1)


def test_while_others_write_nothing_stale_is_told(told, monkeypatch):
    """The roll-ups can be read, and not be written."""
    _late_call(told)
    holds = sqlite3.connect(told.data.rollups, isolation_level=None)
    holds.execute("BEGIN IMMEDIATE")
    try:
        now = week(told)
    finally:
        holds.close()
    assert now != told.was
    assert now == made_anew(told)
