"""What the agent does in a call and says of it: consults, transfers, steps, late codes."""

import json
import sqlite3
from contextlib import closing

import pytest
from diadema import metrics
from diadema.base.paths import DataDir
from diadema.ingest.core import Ingest
from diadema.maintenance.rebuild import rebuild
from diadema.wire.scrub import Names, scrubbed

from tests.support.scripted_station import SITE, T0, S, Script

NEXT = "DIA-0123456789ac"


def take(ingest, script):
    station = ingest.stations.get(script.s)
    journal = station.journals.get(script.e) if station else None
    first = journal.position + 1 if journal else 1
    return ingest.take(script.messages(first), "stream", "server")


def shown(effects):
    return json.loads(effects.rows["a001"])["state"]


def talking(c="c1", **more):
    script = Script().boot().clock().login().ready().offer(c, **more)
    return script.contact("answered", c, via="key", ring_ms=1000)


def ended(script, c="c1", by="caller", after=10_000, wrap=5000, **more):
    script.contact("ended", c, after, by=by, on_hold=False, **more).wrapup("started", c, 0)
    return script.wrapup("ended", c, wrap, cause="agent")


def consult(script, what="consulted", after=5000, **fields):
    return script.contact(what, "c1", after, via="key", **fields)


def test_consult_time_counts_as_hold_and_is_kept_apart(ingest, reader):
    script = consult(talking(), area="reclamos", heard="area")
    assert shown(take(ingest, script)) == "consulting"
    consult(script, after=20_000, area="reclamos", heard="caller")  # the other one waits
    consult(script, after=7000, area="reclamos", heard="area")
    consult(script, "consult_ended", after=3000, result="back")
    assert shown(take(ingest, script)) == "talking"
    take(ingest, ended(script))
    (contact,) = reader.contacts()
    assert (contact.talk_ms, contact.hold_ms) == (5000 + 7000 + 10_000, 23_000)
    assert (contact.more.consults, metrics.consult_s(contact)) == (1, 23)
    assert metrics.hold_s(contact) == 23
    assert metrics.averaged(contact)


def test_a_consult_that_drops_leaves_the_caller_waiting(ingest, reader):
    script = talking().contact("held", "c1", 2000, via="key")
    consult(script, after=4000, area="reclamos")
    consult(script, "consult_ended", after=6000, result="dropped")
    assert shown(take(ingest, script)) == "held"
    script.contact("resumed", "c1", 8000, via="key")
    take(ingest, ended(script))
    (contact,) = reader.contacts()
    assert (contact.hold_ms, contact.more.consult_ms) == (18_000, 6000)
    assert contact.talk_ms == 12_000


@pytest.mark.parametrize("kind", ["blind", "consulted"])
def test_a_transfer_ends_the_call(ingest, reader, kind):
    script = talking()
    if kind == "consulted":
        consult(script, area="reclamos")
    told = {"via": "key", "kind": kind, "target": "reclamos", "completed": True}
    script.contact("transferred", "c1", 9000, **told)
    take(ingest, ended(script, by="transfer", after=0))
    (contact,) = reader.contacts()
    assert contact.ended_by == "transfer"
    assert (contact.more.transfer, contact.more.target) == (kind, "reclamos")
    assert contact.more.completed is True
    assert contact.hold_ms == contact.more.consult_ms == (9000 if kind == "consulted" else 0)


def test_in_a_conference_nobody_waits(ingest, reader):
    script = consult(talking(), area="reclamos")
    told = {"via": "key", "kind": "conference", "target": "reclamos", "completed": True}
    script.contact("transferred", "c1", 9000, **told)
    assert shown(take(ingest, script)) == "talking"
    take(ingest, ended(script, by="transfer"))
    (contact,) = reader.contacts()
    assert (contact.hold_ms, contact.talk_ms) == (9000, 15_000)


def test_a_transfer_that_did_not_come_about(ingest, reader):
    told = {"via": "host", "kind": "blind", "target": "reclamos", "completed": False}
    take(ingest, ended(talking().contact("transferred", "c1", **told)))
    assert [one.ended_by for one in reader.contacts()] == ["caller"]


def test_a_call_that_nobody_ended_ends_at_the_last_voice(ingest, reader):
    script = talking()
    ended(script, by="system", after=100_000, wrap=8000, estimated=True, silent_ms=75_000)
    take(ingest, script)
    (contact,) = reader.contacts()
    assert contact.estimated and contact.closed
    assert (contact.talk_ms, contact.wrap_ms) == (25_000, 8000)
    assert contact.end_utc == T0 - 15 + contact.answered_u + 25_000
    assert contact.more.silent_ms == 75_000
    assert not metrics.averaged(contact)
    assert contact.outcome == "answered"


def test_no_silence_reaches_back_before_the_call(ingest, reader):
    take(ingest, ended(talking(), by="system", estimated=True, silent_ms=75_000))
    (contact,) = reader.contacts()
    assert (contact.talk_ms, contact.wrap_ms, contact.more.silent_ms) == (0, 5000, 10_000)


def test_a_paused_recording_and_a_switch_that_says_otherwise(ingest, reader):
    script = talking().contact("recording_paused", "c1", via="key")
    script.contact("recording_resumed", "c1", 4000, via="key")
    script.contact("recording_paused", "c1", 1000, via="key")
    script.contact("disagreed", "c1", station="talking", host="idle")
    take(ingest, ended(script, after=1000))
    more = reader.contacts()[0].more
    assert (more.pauses, more.paused_ms, more.disagreements) == (2, 6000, 1)


def listened(script, state, who="quality", after=1000, **more):
    return script.contact("listened", "c1", after, state=state, who=who, i=9, **more)


def heard(contact):
    return [(one.who, one.start_u, one.end_u) for one in contact.more.listened]


def test_who_heard_a_call_and_from_when_until_when(ingest, reader):
    script = listened(talking(), "on")
    first = script.u
    take(ingest, listened(listened(script, "on", "Nelly T.", 2000), "on", after=500))
    assert shown(take(ingest, listened(script, "off", after=3000))) == "talking"
    listened(script, "off", "Beto", 100)  # who never began
    take(ingest, ended(listened(script, "on", after=1000), after=4000))
    (contact,) = reader.contacts()
    assert heard(contact) == [
        ("quality", first, first + 5500),
        ("Nelly T.", first + 2000, contact.end_u),  # until the call's end
        ("quality", first + 6600, contact.end_u),
    ]
    assert {one.boot for one in contact.more.listened} == {contact.start_b}


def test_nobody_hears_a_call_that_the_power_or_the_telephone_ended(ingest, reader):
    script = listened(talking(), "on")
    first = script.u
    script.contact("muted", "c1", 4000, via="key").boot("power_on")
    script.contact("ended", "c1", 50, by="interrupted", on_hold=False)
    ended_by = script.wrapup("started", "c1", 0).wrapup("ended", "c1", cause="agent")
    listened(ended_by.offer("c2").contact("answered", "c2", via="key", ring_ms=1000), "on")
    take(ingest, ended_by)
    assert heard(reader.contacts()[0])[0] == ("quality", first, first + 4000)
    script = Script(s=NEXT, agent="a002").boot().clock().login().ready().offer("c1")
    listened(script.contact("answered", "c1", via="key"), "on")
    script.contact("ended", "c1", 3000, by="technical", on_hold=False)
    take(ingest, script)
    failed = next(one for one in reader.contacts() if one.station == NEXT)
    assert (failed.outcome, failed.talk_ms) == ("missed", 0)
    assert [one.end_u - one.start_u for one in failed.more.listened] == [3000]


def test_a_call_that_ended_before_it_was_noticed_was_heard_until_then(ingest, reader):
    script = listened(talking(), "on", after=50_000)
    ended(script, by="system", after=50_000, wrap=0, estimated=True, silent_ms=75_000)
    take(ingest, script)
    (contact,) = reader.contacts()
    (one,) = contact.more.listened
    assert one.end_u == max(contact.end_u, one.start_u) == one.start_u


def test_what_was_erased_still_counts_who_heard(ingest, reader):
    script = listened(listened(talking(), "on"), "on", "Nelly T.")
    listened(listened(script, "off", after=2000), "off", "Nelly T.", 4000)
    ended(script)
    take(ingest, script)
    (contact,) = reader.contacts()
    whole = [one.end_u - one.start_u for one in contact.more.listened]
    erased = Script(s=NEXT)
    erased.n = script.n
    erased.bodies = [
        json.dumps(scrubbed(json.loads(body), Names()) | {"s": NEXT}).encode()
        for body in script.bodies
    ]
    take(ingest, erased)
    left = next(one for one in reader.contacts() if one.station == NEXT)
    assert [one.who for one in left.more.listened] == [None, None]
    spans = [one.end_u - one.start_u for one in left.more.listened]
    assert sum(spans) == sum(whole) == 3000 + 6000


def test_where_a_call_came_from(ingest, reader):
    script = talking(campaign="ventas", parent="c0", reference="abcd")
    take(ingest, ended(script))
    script.contact("dialed", "c2", via="key", direction="out", pbx="p1", consent=False)
    script.contact("ended", "c2", by="agent", on_hold=False, dial_result="busy")
    script.add("contact.blocked", a="a001", campaign="ventas", rule="hours")
    take(ingest, script)
    first, second = reader.contacts()
    assert (first.more.campaign, first.more.parent, first.more.reference) == (
        "ventas", "c0", "abcd",
    )  # fmt: skip
    assert (second.pbx, second.more.consent, second.via) == ("p1", False, "key")


def step(script, name, after=5000, result="done", how="key", **more):
    return script.contact("step", "c1", after, step=name, result=result, how=how, **more)


def test_steps_and_which_of_them_were_ticked_en_bloc(ingest, reader):
    script = step(talking(), "greeting", after=0, how="automatic")
    step(step(script, "identity", after=500), "identity", after=900, method="dni")
    step(script, "need", result="skipped", after=300)
    step(step(script, "information"), "doubts", after=1999)
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    step(script, "closing", after=20_000)
    take(ingest, script.wrapup("ended", "c1", cause="agent"))
    steps = reader.contacts()[0].more.steps
    assert [(one.step, one.block) for one in steps] == [
        ("greeting", False),
        ("identity", False),
        ("need", False),
        ("information", True),
        ("doubts", True),
        ("closing", True),
    ]
    assert (steps[1].method, steps[2].result, steps[0].how) == ("dni", "skipped", "automatic")


def test_motive_and_playbook(ingest, reader, tmp_path):
    script = talking().contact("motive", "c1", motive="1", version=3)
    script.contact("playbook", "c1", playbook="saldo", version=2)
    take(ingest, ended(script))
    more = reader.contacts()[0].more
    assert (more.motive, more.motive_version) == ("1", "3")
    assert (more.playbook, more.playbook_version) == ("saldo", "2")
    with closing(sqlite3.connect(tmp_path / "store.sqlite3")) as connection:
        query = "SELECT c, motive, playbook, consults FROM contact_fields"
        assert connection.execute(query).fetchall() == [("c1", "1", "saldo", 0)]


def pending(ingest, count=1):
    """Calls each ended by the next one before they had a code, and one more."""
    script = Script().boot().clock().login().ready()
    for number in range(count):
        c = f"c{number}"
        script.offer(c, 0).contact("answered", c, via="key", ring_ms=1)
        script.contact("ended", c, by="caller", on_hold=False).wrapup("started", c, 0)
        script.wrapup("ended", c, cause="next_contact")
    take(ingest, script.offer("last", 0).contact("answered", "last", via="key", ring_ms=1))
    return script


def code(script, c, value="111", how="agent"):
    return script.contact("typified", c, code=value, version=1, how=how)


def test_a_code_that_comes_in_the_next_call_is_the_former_calls(
    ingest, writer, reader, site, clock
):
    script = pending(ingest, 3)
    ingest = Ingest(writer, site, clock)
    take(ingest, code(code(script, "c0"), "c2", "112"))
    codes = {one.contact: one.code for one in reader.contacts()}
    assert codes == {"c0": "111", "c1": None, "c2": "112", "last": None}
    assert [one.phase for one in ingest.station(S).state.open] == ["talking"]
    assert not any(one.estimated for one in reader.contacts())


def test_what_was_flagged_can_still_be_completed_and_corrected(ingest, reader):
    script = code(pending(ingest), "c0", "SIN_TIPIFICAR", "timeout")
    of = [S, 7, script.n]
    told = {"version": 1, "author": "a001"}
    script.contact("retypified", "c0", code="111", of=of, **told)
    take(ingest, ended(script, "last"))
    take(ingest, script.contact("retypified", "c0", code="112", of=of, **told))
    first = reader.contacts()[0]
    assert (first.code, first.how, first.more.author) == ("112", "agent", "a001")
    assert len(reader.contacts()) == 2


def test_a_code_of_a_call_that_nobody_heard_of_harms_no_other(ingest, reader):
    script = code(pending(ingest), "x9")
    script.contact("retypified", "x8", code="111", version=1, author="a001")
    take(ingest, script)
    assert [(one.contact, one.estimated) for one in reader.contacts()] == [
        ("c0", False),
        ("last", False),
    ]


def test_only_so_many_wait_for_their_code(ingest, reader):
    script = pending(ingest, 12)
    assert len(ingest.station(S).state.coded_late) == 8
    take(ingest, code(code(script, "c2"), "c7"))
    take(ingest, script.contact("retypified", "c2", code="112", version=1, author="a001"))
    codes = {one.contact: one.code for one in reader.contacts()}
    assert (codes["c2"], codes["c4"], codes["c7"]) == ("112", None, "111")


def test_a_rebuild_finds_the_same(tmp_path, ingest, clock):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    script = Script().boot().login().ready().offer("c1", campaign="ventas")
    script.contact("answered", "c1", via="key", ring_ms=1)
    step(step(consult(script, area="reclamos"), "greeting"), "need", after=100)
    script.add("fault.reported", a="a001", c="c1")
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", cause="next_contact").call("c2").clock(T0)
    take(ingest, script)
    take(ingest, code(script, "c1").boot("hard").clock(T0 + 60_000).offer("c3"))
    ingest.save((), ingest.floor.agents())
    first = ingest.station(S).state.coded_late[0]
    assert (first.contact, first.late, first.more.fault, first.code) == ("c1", True, True, "111")
    assert rebuild(data, clock).differences == []
