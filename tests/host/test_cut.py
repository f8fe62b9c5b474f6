"""Until when something is known, and who owes events: the same of memory and of the store."""

import pytest
from diadema.figures.days import cutoff_of, pending_stations, position_of
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.site.directory.people import of_site
from diadema.store import open_reader

from tests.support.scripted_station import T0, S, Script

S2 = "DIA-0123456789ac"


@pytest.fixture
def cut(ingest, writer, site, clock):
    """The cut-off as the store has it, which the ingest's memory must agree with."""

    def look(end_ms=None):
        with writer.transaction() as tx:
            found = cutoff_of(tx, of_site(site), clock.now_ms(), end_ms)
        assert (
            pending_stations(ingest.stations.values(), of_site(site).seats, end_ms)
            == found.pending_stations
        )
        assert ingest.position == found.position
        again = Ingest(writer, site, clock)
        assert again.position == found.position
        return found

    return look


def take(ingest, *messages):
    return ingest.take(messages, "stream", "server")


def shift():
    return Script().boot().clock().login().ready()


def seats(found):
    return [(one.seat, one.since_utc) for one in found.pending_stations]


def test_a_station_that_was_never_heard_owes_nothing(cut, ingest):
    ingest.save([ingest.station(S)], set())  # known from a command only
    found = cut()
    assert (found.at_ms, found.position, found.pending_stations) == (T0, 0, [])


def test_what_is_all_here_owes_nothing(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages())
    assert (seats(cut()), cut().position) == ([], script.n)


def test_a_station_that_told_of_more_owes_it(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages(last=3))
    assert seats(cut()) == [("A-01", T0 + 1000)]
    take(ingest, *script.messages(first=4))
    assert seats(cut()) == []


def test_what_lies_beyond_a_gap_is_owed_for(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(last=2), *script.messages(last=2))
    take(ingest, *script.messages(first=4))
    assert seats(cut()) == [("A-01", T0)]


def test_a_station_without_a_link_may_have_more(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages())
    take(ingest, GONE)
    assert seats(cut()) == [("A-01", T0 + 2000)]


GONE = Message(9, f"{PREFIX}gw-test.{S}.st", b'{"up":false}')


def test_a_station_that_was_closed_and_told_all_owes_nothing_when_it_is_switched_off(cut, ingest):
    script = shift().logout()
    take(ingest, script.hello_message(), *script.messages(), GONE)
    assert seats(cut()) == []
    script.login()
    take(ingest, *script.messages(first=script.n - 1), GONE)
    assert seats(cut()) == [("A-01", T0 + 4000)]


def test_a_closing_with_more_behind_it_owes(cut, ingest):
    script = shift().logout()
    closed = script.n
    script.login()
    take(ingest, script.hello_message(), *script.messages(last=closed), GONE)
    assert seats(cut()) == [("A-01", T0 + 3000)]


def test_a_span_that_ended_before_the_silence_lacks_nothing(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages(), GONE)
    heard = T0 + 2000
    assert seats(cut(heard)) == []
    assert seats(cut(heard + 1)) == [("A-01", heard)]


def test_an_older_journal_with_a_gap_may_lack_something_of_any_span(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages(last=2), *script.messages(first=4))
    newer = Script(e=8).boot().clock(utc=T0 + 3_600_000)
    take(ingest, newer.hello_message(), *newer.messages())
    assert seats(cut(T0 + 1)) == [("A-01", T0 + 3_600_000)]


def test_after_the_broker_restarted_nobody_is_sure_of_any(cut, ingest):
    script = shift()
    take(ingest, script.hello_message(), *script.messages())
    ingest.doubt_links()
    assert [one.seat for one in cut().pending_stations] == ["A-01"]


def test_the_longest_silent_comes_first_and_others_sites_are_not_ours(cut, ingest):
    for s, after in ((S2, 0), (S, 60_000), ("DIA-ffffffffffff", 0)):
        take(ingest, *Script(s=s).boot().clock(utc=T0 + after).messages())
    assert seats(cut()) == [("A-02", T0), ("A-01", T0 + 60_000)]


def test_the_position_counts_what_came_also_what_came_late(cut, ingest, tmp_path):
    script = shift()
    take(ingest, *script.messages(last=2))
    take(ingest, *script.messages(last=2))  # doubles count once
    assert cut().position == 2
    take(ingest, *script.messages(first=4))
    take(ingest, *script.messages(first=3, last=3))
    assert cut().position == script.n
    reader = open_reader(tmp_path / "store.sqlite3")
    with reader.engine.connect() as tx:
        assert position_of(tx) == script.n
    reader.close()
