"""The attendance ledger: each mark once, as it came, chained; what is worked out beside it."""

import hmac
import json
import random

import pytest
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild
from diadema.store import StoreUnavailable, tables
from diadema.store.attendance import Badge, Badges
from sqlalchemy import select, text

from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"
HOUR = 3_600_000
DAY = 24 * HOUR


def take(ingest, *scripts, first=1):
    return ingest.take(
        [message for script in scripts for message in script.messages(first)], "stream", "server"
    )


def name_badges(writer, *rows):
    with writer.transaction() as tx:
        writer.put(tx, tables.badges, rows)


def policies(writer, **by_generation):
    with writer.transaction() as tx:
        rows = [(int(number[1:]), number, 0, pin) for number, pin in by_generation.items()]
        writer.put(tx, tables.generations, rows)


def test_a_mark_is_in_the_ledger_once_and_as_it_came(ingest, reader):
    script = Script().boot().clock().mark("in").login(mark=True).ready().mark("out").logout()
    take(ingest, script)
    take(ingest, script)  # doubles
    entry, leaving = reader.marks()
    assert (entry.agent, entry.direction, entry.method, entry.number) == ("a001", "in", "badge", 1)
    assert (entry.station, entry.epoch, entry.sequence, entry.utc) == (S, 7, 3, T0 + 1000)
    assert (leaving.direction, leaving.utc, leaving.number) == ("out", T0 + 4000, 2)
    assert not entry.repeated and not leaving.repeated
    (session,) = reader.sessions()
    assert session.mark_n == 3


def test_nothing_but_a_mark_writes_there(ingest, reader):
    script = Script().boot().clock().login().ready().call("c1").logout()
    script.add("session.denied", badge="00" * 16, reason="unknown_badge")
    take(ingest, script)
    assert reader.marks() == []


def test_each_hash_is_over_the_one_before_and_the_row_with_its_hour(ingest, reader, tmp_path):
    first, second = Script(), Script(s=S2, agent="a002")
    for script in (first, second):
        take(ingest, script.boot().clock().mark("in"))
        stored = script.n
    take(ingest, first.mark("out"), first=stored + 1)
    before = "0" * 64
    key = hmac.new(bytes.fromhex((tmp_path / "records.key").read_text()), b"marks", "sha256")
    key = key.digest()
    with reader.engine.connect() as connection:
        rows = connection.execute(select(tables.marks).order_by(tables.marks.c.number)).all()
    assert [row.number for row in rows] == [1, 2, 3]
    for row in rows:
        told = [*row[:11], row.generation, row.utc, row.uncertainty_ms]
        content = json.dumps(told, separators=(",", ":"))
        before = hmac.new(key, (before + content).encode(), "sha256").hexdigest()
        assert row.hash == before


def test_the_chain_goes_on_after_a_restart_and_a_write_that_failed(
    ingest, writer, reader, site, clock, monkeypatch
):
    script = Script().boot().clock().mark("in")
    take(ingest, script)
    ingest = Ingest(writer, site, clock)
    stored = script.n
    script.mark("out").mark("in")

    def failing(batch):
        raise StoreUnavailable("full")

    with monkeypatch.context() as patched:
        patched.setattr(writer.behind, "_write", failing)
        with pytest.raises(StoreUnavailable):
            take(ingest, script, first=stored + 1)
    take(ingest, script, first=stored + 1)
    assert [one.number for one in reader.marks()] == [1, 2, 3]


def test_a_badge_that_the_station_did_not_know_is_resolved_by_the_site(ingest, writer, reader):
    script = Script().boot().clock().mark("in", a=None, badge="ab" * 16)
    take(ingest, script)
    assert reader.marks()[0].agent is None
    name_badges(writer, Badge("ab" * 16, "a002", T0 + HOUR, None))
    (mark,) = reader.marks(agent="a002")
    assert (mark.agent, mark.at_tap) == ("a002", None)
    assert reader.marks(agent="a001") == []


def test_a_badge_is_whose_it_was_at_that_hour(writer):
    spare = "cd" * 16
    name_badges(
        writer,
        Badge(spare, "a001", T0, T0 + DAY),
        Badge(spare, "a002", T0 + DAY, T0 + 2 * DAY),
        Badge("ab" * 16, "a001", T0, None),
        Badge("ab" * 16, "a002", T0 + DAY, None),
    )
    with writer.transaction() as tx:
        badges = Badges(tx)
    assert badges.owner(spare, T0 - 1) is None
    assert badges.owner(spare, T0 + HOUR) == "a001"
    assert badges.owner(spare, T0 + DAY) == "a002"
    assert badges.owner(spare, T0 + 3 * DAY) is None
    assert badges.owner("ab" * 16, T0 - HOUR) == "a001"
    assert badges.owner("ab" * 16, T0 + HOUR) == "a001"
    assert badges.owner("ab" * 16, T0 + 2 * DAY) == "a002"
    assert badges.owner("ef" * 16, T0) is badges.owner(None, T0) is None
    wanted = [Badge("ab" * 16, "a002", T0 + 3 * DAY, None), Badge("ef" * 16, "a001", T0, None)]
    assert badges.missing([*wanted, Badge(spare, "a001", T0, T0 + DAY)]) == wanted[1:]


def test_a_repeated_mark_is_kept_and_said_to_be_one(ingest, reader):
    first = Script().boot().clock(T0).mark("in")
    other = Script(s=S2).boot().clock(T0 + 2 * HOUR).mark("in").mark("out")
    take(ingest, other)
    take(ingest, first)  # came later, and was earlier
    other.boot().clock(T0 + 2 * DAY).mark("out")
    stored = other.n - 2
    take(ingest, other, first=stored)
    told = [(one.station, one.direction, one.repeated) for one in reader.marks()]
    assert told == [(S2, "in", True), (S2, "out", False), (S, "in", False), (S2, "out", False)]
    later = reader.marks(start_utc=T0 + HOUR, end_utc=T0 + DAY)
    assert [(one.direction, one.repeated) for one in later] == [("in", True), ("out", False)]


@pytest.mark.parametrize(
    ("policy", "method", "login", "verdict"),
    [
        ("always", "badge", "badge_pin", "verified"),
        ("always", "badge", None, "without"),
        ("always", "badge", "badge", "without"),
        ("always", "code_pin", "code_pin", "verified"),
        ("none", "code_pin", None, "without"),
        ("none", "badge", "badge", "not_required"),
        ("none", "badge", None, "not_required"),
        ("clonable", "badge_secure", "badge_secure", "not_required"),
        ("clonable", "badge", None, "without"),
    ],
)
def test_what_a_pin_said_of_a_mark(ingest, writer, reader, policy, method, login, verdict):
    policies(writer, g4="none", g5=policy)
    script = Script().boot().clock()
    script.add("station.config", generation=5, hash="00").mark("in", method=method)
    if login:
        script.login(method=login, mark=True)
    else:
        script.add("session.denied", a="a001", reason="wrong_pin")
    take(ingest, script)
    (mark,) = reader.marks()
    assert mark.pin == verdict


def test_a_mark_without_an_hour_gets_it_from_a_later_anchor(ingest, reader, writer, site, clock):
    script = Script().boot().mark("in", a=None, badge="ab" * 16).boot().mark("in")
    take(ingest, script)
    digests = [one.hash for one in reader.marks()]
    assert [one.utc for one in reader.marks()] == [None, None]
    stored = script.n
    script.clock(T0)
    take(Ingest(writer, site, clock), script, first=stored + 1)
    marks = reader.marks()
    assert marks[1].utc == T0 - 10
    assert marks[1].uncertainty_ms == 51
    assert marks[0].utc is None  # nothing tells how long before that its boot was
    assert [one.hash for one in marks] == digests


def test_a_mark_that_came_back_from_a_loss_is_in_the_ledger(
    tmp_path, ingest, writer, reader, clock
):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    script = Script().boot().mark("in").clock().mark("out").mark("in").mark("out")
    for first, last in ((1, 1), (3, 3)):
        ingest.take(script.messages(first, last), "stream", "server")
    ingest.take([script.hello_message(first=6)], "stream", "server")
    ingest.take(script.messages(6), "stream", "server")
    before = len(reader.marks())
    for _ in range(2):
        take(ingest, script)
    marks = reader.marks()
    assert (before, [one.sequence for one in marks]) == (1, [6, 2, 4, 5])
    assert [one.utc for one in marks] == [T0 + 3000, T0 - 10, T0 + 1000, T0 + 2000]
    assert [one.uncertainty_ms for one in marks] == [None, 51, None, None]
    take(Ingest(writer, ingest.site, clock), script.mark("in"), first=script.n)
    assert [one.number for one in reader.marks()] == [1, 2, 3, 4, 5]
    rebuild(data, clock, apply=True)
    assert [one.sequence for one in reader.marks()] == [6, 2, 4, 5, 7]
    assert rebuild(data, clock).differences == []


def test_a_rebuild_finds_the_same_ledger(tmp_path, ingest, writer, reader, clock):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    policies(writer, g1="always")
    scripts = [Script(), Script(s=S2, agent="a002"), Script(s=S2, e=3, agent="a002")]
    scripts[0].boot().mark("in").boot("hard").clock().mark("out").mark("in").login(mark=True)
    scripts[1].boot().clock().mark("in").login(mark=True).ready().call("d1").mark("out")
    scripts[2].boot().clock(T0 + DAY).mark("in").mark("in", a=None, badge="ab" * 16)
    messages = scripts[0].messages() + scripts[1].messages()
    random.Random(3).shuffle(messages)
    messages += scripts[2].messages()
    for at in range(0, len(messages), 5):
        ingest.take(messages[at : at + 5], "stream", "server")
    ingest.save((), ingest.floor.agents())
    assert len(reader.marks()) == 7
    assert rebuild(data, clock).differences == []
    with writer.transaction() as tx:
        tx.execute(text("UPDATE marks SET direction = direction || '!' WHERE number = 3"))
    (difference,) = rebuild(data, clock).differences
    assert (difference.table, difference.key, difference.field) == ("marks", "3", "direction")
    with writer.transaction() as tx:
        tx.execute(text("DELETE FROM marks WHERE number = 3"))
        tx.execute(text("UPDATE marks SET number = number - 1 WHERE number > 3"))
    assert len(rebuild(data, clock).differences) > 3  # the chain from there on
    assert rebuild(data, clock, apply=True).applied
    assert rebuild(data, clock).differences == []
    take(Ingest(writer, ingest.site, clock), scripts[0].mark("out"), first=scripts[0].n)
    assert [one.number for one in reader.marks()] == [*range(1, 9)]
