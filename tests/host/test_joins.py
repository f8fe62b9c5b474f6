"""The two sides of a call find each other, once, and who is alone is counted."""

import json
from datetime import date
from itertools import pairwise

from diadema.base.clock import SystemClock
from diadema.base.paths import DataDir
from diadema.exchange.queue_log_import import import_queue_log
from diadema.figures import joins as joined
from diadema.figures.joins import Aliases, Joined, join, joins
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.people import of_site
from diadema.store import QueueCall, open_writer
from diadema.store.rows import Contact
from hypothesis import given
from hypothesis import strategies as st

from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, S, Script

PBX = "PBX-central"


def people(**aliases):
    made = of_site(sites.parse(json.dumps(SITE).encode()))
    names = {"SIP/201": "a001", "SIP/202": "a002"} | aliases
    made.aliases |= {name: [(0, agent)] for name, agent in names.items()}
    return made


def contact(n, a="a001", at=0, pbx=None, direction="in", **more):
    answered = T0 + at
    return Contact(
        station=S,
        epoch=7,
        sequence=n,
        contact=f"c{n}",
        agent=a,
        pbx=pbx,
        direction=direction,
        start_utc=answered - 3000,
        answered_utc=answered,
        **more,
    )


def call(n, agent="SIP/201", at=0, pbx="1.1", queue="saldos"):
    return QueueCall(
        station=PBX,
        epoch=9,
        sequence=n,
        pbx=pbx,
        queue=queue,
        start_utc=T0 + at - 9000,
        agent=agent,
        connected_utc=T0 + at,
        outcome="answered",
    )


def told(found):
    return sorted((pair.contact[2], pair.call[2], pair.by) for pair in found.pairs)


def test_by_the_switch_s_id_first():
    contacts = [contact(1, pbx="1.1", at=9_000_000), contact(2, at=0)]
    calls = [call(1, at=100), call(2, pbx="1.2", at=200)]
    assert told(join(contacts, calls, people())) == [(1, 1, "pbx"), (2, 2, "alias")]


def test_a_call_at_two_desks_is_two_contacts():
    """One was transferred to the other: each has the call of its own queue."""
    contacts = [contact(1, pbx="1.1"), contact(2, a="a002", pbx="1.1", at=60_000)]
    calls = [call(1), call(2, agent="SIP/202", at=60_000, queue="reclamos")]
    assert told(join(contacts, calls, people())) == [(1, 1, "pbx"), (2, 2, "pbx")]
    found = join(contacts, calls[:1], people())
    assert (told(found), found.contacts_alone) == ([(1, 1, "pbx")], 1)


def test_the_nearest_in_the_window_and_each_once():
    contacts = [contact(1, at=0), contact(2, at=20_000), contact(3, at=200_000)]
    calls = [call(1, at=19_000, pbx="1"), call(2, at=-9000, pbx="2"), call(3, at=170_000 - 1)]
    found = join(contacts, calls, people())
    assert told(found) == [(1, 2, "alias"), (2, 1, "alias")]
    assert (found.contacts_alone, found.calls_alone, found.unnamed) == (1, 1, 0)
    assert Joined((S, 7, 2), (PBX, 9, 1), "alias", 1000) in found.pairs


def test_who_is_not_asked():
    outbound, missed = contact(1, direction="out"), contact(2)
    missed.answered_utc = None
    waiting = call(1)
    waiting.connected_utc = None
    found = join([outbound, missed], [waiting, call(2, agent="SIP/999"), call(3, None)], people())
    assert (found.contacts, found.calls, found.pairs, found.unnamed) == (0, 2, [], 2)


def test_an_agent_by_all_of_the_switch_s_names():
    aliases = Aliases(people(**{"Agent/Rosa": "a001"}))
    for name in ("SIP/201", "sip/201", "SIP/201-0000001a", "Local/201@from-queue/n", "Agent/201",
                 "201", "PJSIP/201", "agent/rosa", "Rosa", "a001"):  # fmt: skip
        assert aliases.agent(name, T0) == "a001", name
    assert (
        aliases.agent("SIP/2010", T0) is aliases.agent(None, T0) is aliases.agent("", T0) is None
    )


def test_of_the_store_s_hours(tmp_path, site, clock):
    data = DataDir(tmp_path)
    data.make()
    data.site.write_text(json.dumps(SITE))
    script = Script().boot().clock().login().ready()
    script.call("c1", talk=60_000).call("c2").call("c3")
    writer = open_writer(data.store)
    Ingest(writer, site, clock).take(script.messages(), "stream", "server")
    writer.close()
    at = T0 // 1000 - 1_795_000_000
    log = QueueLog().call(at - 4, "1.1", wait=10, talk=60).call(at + 900, "1.2")
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())
    found = joins(data, T0, T0 + 3_600_000, people())
    assert (found.contacts, found.calls, found.by_alias, found.contacts_alone) == (3, 2, 1, 2)
    assert joins(data, T0 - 7_200_000, T0 - 3_600_000, people()).contacts == 0
    cuts = [T0, T0 + 3000, T0 + 6500, T0 + 120_000, T0 + 3_600_000]  # the first in a call's ring
    parts = [joins(data, start, end, people()) for start, end in pairwise(cuts)]
    for name in ("contacts", "calls", "by_alias", "contacts_alone", "calls_alone"):
        assert sum(getattr(part, name) for part in parts) == getattr(found, name), name


def test_a_day_is_joined_once(tmp_path, site, clock, monkeypatch):
    data = DataDir(tmp_path)
    data.make()
    data.site.write_text(json.dumps(SITE))
    script = Script().boot().clock().login().ready()
    script.call("c1", talk=60_000).call("c2").call("c3")
    at = T0 // 1000 - 1_795_000_000
    log = QueueLog().call(at - 4, "1.1", wait=10, talk=60)
    import_queue_log([log.write(tmp_path / "queue_log")], data, SystemClock())
    writer = open_writer(data.store)
    ingest = Ingest(writer, site, clock)
    ingest.take(script.messages(), "stream", "server")
    made = []
    monkeypatch.setattr(joined, "joins", lambda *given: (made.append(given[1]), joins(*given))[1])

    def ask(**aliases):
        return joined.joined_days(
            data, date(2026, 11, 17), date(2026, 11, 19), site.tz, people(**aliases)
        )

    expected = joined.JoinedDay(
        day="2026-11-18", contacts=3, calls=1, by_alias=1, contacts_alone=2
    )
    assert ask() == ask() == [expected]
    assert len(made) == 1
    assert ask(otra="a002") == [expected] and len(made) == 2
    script.call("c4")
    ingest.take(script.messages()[-6:], "stream", "server")
    assert ask()[0].contacts == 4 and len(made) == 3
    data.rollups.unlink()
    assert ask()[0].contacts == 4
    writer.close()


TIMES = st.lists(st.integers(0, 200_000), max_size=8)


@given(ours=TIMES, theirs=TIMES, ids=st.lists(st.sampled_from(["1.1", "1.2", None]), min_size=16))
def test_whatever_there_is_adds_up(ours, theirs, ids):
    contacts = [contact(n, at=at, pbx=ids[n % 8]) for n, at in enumerate(ours, 1)]
    calls = [call(n, at=at, pbx=ids[n % 8 + 8] or f"9.{n}") for n, at in enumerate(theirs, 1)]
    found = join(contacts, calls, people())
    assert found.contacts == len(ours) == len(found.pairs) + found.contacts_alone
    assert found.calls == len(theirs) == len(found.pairs) + found.calls_alone
    assert len(found.pairs) == found.by_pbx + found.by_alias
    for side in ("contact", "call"):
        assert len({getattr(pair, side) for pair in found.pairs}) == len(found.pairs)
