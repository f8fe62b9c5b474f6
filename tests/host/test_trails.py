"""What is shown of an agent from second to second, kept as trails."""

import pytest
from diadema.ingest.core import Ingest

from tests.support.scripted_station import T0, S, Script

HOUR = 3_600_000


def take(ingest, script, first=1):
    ingest.take(script.messages(first), "stream", "server")


def told(trail):
    """(state, reason, by, contact, milliseconds) of each span."""
    ends = [span.u for span in trail.spans[1:]] + [trail.end_u]
    return [
        (one.state, one.reason, one.by, one.c, end - one.u)
        for one, end in zip(trail.spans, ends, strict=True)
    ]


def begun():
    return Script().boot().clock().login()


def four_calls(script, first=1):
    """As many as one trail holds."""
    for n in range(first, first + 4):
        script.call(f"c{n}")
    return script


def test_a_session_in_its_order(ingest, reader):
    script = begun().ready(after=5000).call("c1", hold=4000, wrap=7000)
    script.presence("ready", "not_ready", "sshh", after=2000).logout()
    take(ingest, script)
    (trail,) = reader.trails()
    assert told(trail) == [
        ("not_ready", "login", "system", None, 5000),
        ("ready", None, "agent", None, 1000),
        ("offered", None, None, "c1", 3000),
        ("talking", None, None, "c1", 30_000),
        ("held", None, None, "c1", 4000),
        ("talking", None, None, "c1", 30_000),
        ("wrapup", None, None, "c1", 7000),
        ("ready", None, "agent", None, 2000),
        ("not_ready", "sshh", "agent", None, 1000),
    ]
    (session,) = reader.sessions()
    assert (trail.n, trail.a, trail.session) == (session.n, "a001", (S, 7, session.n))
    assert (trail.start_u, trail.end_u) == (session.open_u, session.close_u)
    assert trail.start_utc == session.open_utc and trail.end_utc == session.close_utc
    assert trail.over


def test_one_ends_with_its_contact(ingest, reader):
    script = four_calls(four_calls(begun()), 5).logout()
    take(ingest, script)
    first, second = reader.trails()[:2]
    assert told(first)[-1] == ("wrapup", None, None, "c4", 10_000)
    assert told(second)[0] == ("not_ready", "login", "system", None, 1000)
    assert (first.end_u, first.end_utc) == (second.start_u, second.start_utc)
    assert (first.session, first.over) == (second.session, False)


def test_one_that_is_old_does_so_too(ingest, reader):
    script = begun().ready(after=HOUR).call("c1").call("c2").logout()
    take(ingest, script)
    first, second = reader.trails()
    assert told(first)[-1] == ("wrapup", None, None, "c1", 10_000)
    assert len(second.spans) == 5


def test_what_takes_no_time_is_not_kept(ingest, reader):
    script = begun().ready().presence("ready", "not_ready", "sshh").ready(after=0)
    script.offer("c1").contact("missed", "c1", after=0, cause="withdrawn").ready(after=10_000)
    script.presence("ready", "not_ready", "supervisor", by="supervisor", who="Ana")
    take(ingest, script)
    (trail,) = reader.trails(now_utc=T0)
    assert told(trail) == [
        ("not_ready", "login", "system", None, 1000),
        ("ready", None, "agent", None, 13_000),
    ]
    script.logout()
    take(ingest, script, script.n - 1)
    (trail,) = reader.trails()
    assert told(trail)[2:] == [("not_ready", "supervisor", "supervisor", None, 1000)]
    assert trail.spans[-1].who == "Ana"


def test_a_session_that_ends_with_its_call_says_so(ingest, reader):
    script = four_calls(begun()).add("session.closed", after=0, a="a001", reason="agent")
    take(ingest, script)
    first, last = reader.trails()
    assert (last.spans, last.start_u, last.over) == ([], first.end_u, True)
    assert last.end_u == last.start_u


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_the_running_one_is_told_with_the_others(ingest, reader, site, clock, batch):
    script = four_calls(begun()).ready().offer("c9").contact("answered", "c9", via="key")
    messages = script.messages()
    for at in range(0, len(messages), batch):
        ingest.take(messages[at : at + batch], "stream", "server")
    trails = reader.trails()
    assert told(trails[-1])[-1] == ("offered", None, None, "c9", 1000)
    assert len(trails) == 2
    later = trails[-1].end_utc + 9000
    assert reader.trails(now_utc=later) == trails  # nobody greeted
    ingest.take([script.hello_message()], "stream", "server")
    assert told(reader.trails(now_utc=later)[-1])[-1] == ("talking", None, None, "c9", 9000)
    ingest.doubt_links()
    assert reader.trails(now_utc=later) == trails
    again = Ingest(ingest.writer, site, clock)
    script.contact("ended", "c9", by="caller", on_hold=False)
    take(again, script, script.n)
    assert told(reader.trails()[-1])[-2:] == [
        ("offered", None, None, "c9", 1000),
        ("talking", None, None, "c9", 1000),
    ]


def test_between_two_boots_there_is_nothing(ingest, reader):
    script = begun().ready().offer("c1").contact("answered", "c1", via="key", ring_ms=9)
    u = script.u
    script.boot("watchdog").clock(T0 + HOUR)
    script.contact("ended", "c1", by="interrupted", after=0).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", cause="timeout").logout()
    take(ingest, script)
    first, second = reader.trails()
    assert (first.b, first.end_u, first.over) == (1, u, False)
    assert told(first)[-1] == ("offered", None, None, "c1", 1000)
    assert told(second) == [
        ("talking", None, None, "c1", 10),
        ("wrapup", None, None, "c1", 1000),
        ("ready", None, "agent", None, 1000),
    ]
    assert second.start_utc == T0 + HOUR - 10
    assert (second.session, second.over) == (first.session, True)


def test_whoever_follows_unheard_ends_it(ingest, reader):
    script = begun().ready()
    script.agent = "a002"
    script.ready(after=4000).logout()
    take(ingest, script)
    first, second = reader.trails()
    assert (first.a, first.over, told(first)[-1][-1]) == ("a001", True, 4000)
    assert (second.a, second.over, second.session) == ("a002", True, (S, 7, second.n))


def test_a_new_journal_ends_it_where_the_old_one_does(ingest, reader):
    script = begun().ready().presence("ready", "not_ready", "sshh")
    other = Script(e=9).boot().clock(T0 + HOUR).login()
    take(ingest, script)
    take(ingest, other)
    first, *_ = reader.trails()
    assert (first.end_u, first.over) == (script.u, True)


@pytest.mark.parametrize("together", [True, False])
def test_its_hour_may_come_late(ingest, reader, together):
    script = four_calls(Script().boot().login()).ready()
    if not together:
        take(ingest, script)
        assert [trail.start_utc for trail in reader.trails()] == [None, None]
        assert reader.trails(start_utc=0) == []
    script.clock(T0, after=20_000_000).logout()
    take(ingest, script)
    trails = reader.trails(start_utc=0)
    assert [trail.start_utc - trail.start_u for trail in trails] == [T0 - script.u + 1000] * 2
    assert all(trail.late and trail.uncertainty_ms > 1000 for trail in trails)
    assert reader.trails() == trails


def test_a_boot_in_which_nothing_happens_has_its_hour_too(ingest, reader):
    script = begun()
    for _ in range(2):
        script.boot().add("station.health", heap=9, journal=1)
    script.clock(T0 + HOUR)
    take(ingest, script)
    trails = reader.trails()
    assert [(trail.b, len(trail.spans)) for trail in trails] == [(1, 0), (2, 1), (3, 1)]
    assert trails[1].late
    assert trails == reader.trails(start_utc=0)


def test_a_clock_that_is_set_moves_what_follows(ingest, reader):
    script = begun().ready()
    script.clock(T0 + 5 * HOUR, after=60_000).presence("ready", "not_ready", "sshh").logout()
    take(ingest, script)
    first, second = reader.trails()
    assert first.end_u == second.start_u
    assert second.start_utc == T0 + 5 * HOUR
    assert told(second)[0] == ("ready", None, "agent", None, 1000)
    assert reader.sessions()[0].close_utc == second.end_utc


def test_many_changes_are_many_trails(ingest, reader):
    script = begun()
    for _ in range(40):
        script.ready().presence("ready", "not_ready", "sshh")
    take(ingest, script)
    assert [len(trail.spans) for trail in reader.trails()] == [32, 32, 16]


def test_by_agent_and_hour(ingest, reader):
    script = four_calls(four_calls(begun()), 5)
    script.presence("not_ready", "ready", after=5 * HOUR).call("c9").call("c10").logout()
    take(ingest, script)
    trails = reader.trails()
    long = [one.end_utc - one.start_utc > 5 * HOUR for one in trails]
    assert long == [False, False, True, False]
    for start in range(T0 - HOUR, T0 + 7 * HOUR, 17 * 60_000):
        for end in (start + 1, start + HOUR, start + 9 * HOUR):
            wanted = [one for one in trails if one.start_utc < end and one.end_utc > start]
            assert reader.trails(start_utc=start, end_utc=end) == wanted
            assert reader.trails(agent="a001", start_utc=start, end_utc=end) == wanted
    assert reader.trails(agent="a002") == []
