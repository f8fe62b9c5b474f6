"""What becomes of events: contacts, sessions, live rows; measured by (b, u), placed by anchors."""

import json

import msgspec
import pytest

from tests.support.scripted_station import T0, S, Script

S2 = "DIA-0123456789ac"
DAY_MS = 24 * 3600 * 1000


def take(ingest, *scripts, first=1):
    return ingest.take(
        [message for script in scripts for message in script.messages(first)], "stream", "server"
    )


def shown(effects, a="a001"):
    return json.loads(effects.rows[a])


def started():
    return Script().boot().clock().login().ready()


def test_a_call_is_measured_whole(ingest, reader):
    take(ingest, started().call("c1", talk=61_000, hold=5_000, wrap=9_500, ring=3_200))
    (contact,) = reader.contacts()
    assert (contact.agent, contact.contact, contact.queue, contact.outcome) == (
        "a001", "c1", "ventas", "answered",
    )  # fmt: skip
    assert (contact.talk_ms, contact.hold_ms, contact.wrap_ms, contact.ring_ms) == (
        61_000, 5_000, 9_500, 3_200,
    )  # fmt: skip
    assert (contact.code, contact.version, contact.how) == ("111", "1", "agent")
    assert contact.ended_by == "caller"
    assert contact.closed
    assert not (contact.interrupted or contact.estimated or contact.late)
    assert contact.start_utc == T0 + 3000
    assert contact.close_utc - contact.start_utc == 3_200 + 61_000 + 5_000 + 9_500


def test_a_hold_within_a_hold_is_one(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", via="key", ring_ms=1000)
    script.contact("held", "c1", 2000, via="key").contact("held", "c1", 1000, via="host")
    script.contact("ended", "c1", 4000, by="caller", on_hold=True)
    take(ingest, script.wrapup("started", "c1", 0))
    (contact,) = reader.contacts()
    assert (contact.talk_ms, contact.hold_ms, contact.on_hold) == (2000, 5000, True)
    assert contact.phase == "wrapup"


@pytest.mark.parametrize("cause", ["no_answer", "caller_gave_up", "withdrawn"])
def test_a_call_that_is_missed(ingest, reader, cause):
    script = started().offer("c1").contact("missed", "c1", 20_000, cause=cause, ring_ms=20_000)
    effects = take(ingest, script)
    (contact,) = reader.contacts()
    assert (contact.outcome, contact.cause, contact.ring_ms) == ("missed", cause, 20_000)
    assert (contact.talk_ms, contact.wrap_ms) == (0, 0)
    assert shown(effects)["state"] == "ready"


def failed(script, c, after=8000, **more):
    """The station's answer to the command `failed`."""
    script.contact("ended", c, after, by="technical", on_hold=False, i=9, **more)
    return script.presence("ready", "not_ready", "fault", by="system", after=0)


def test_a_call_whose_telephone_was_not_there(ingest, reader):
    script = started().call("c1").offer("c2")
    script.contact("answered", "c2", 3000, via="key", ring_ms=3000)
    script.contact("step", "c2", 0, step="greeting", result="done", how="automatic")
    assert shown(take(ingest, script))["contacts"] == 2
    failed(script.contact("held", "c2", 2000, via="key"), "c2", 6000)
    row = shown(take(ingest, script))
    assert (row["contacts"], row["missed"], row["in_a_row"]) == (1, 0, 0)
    assert (row["state"], row["reason"], row["tmo"]) == ("not_ready", "fault", 70)
    contact = reader.contacts()[-1]
    assert (contact.outcome, contact.cause, contact.ended_by) == (
        "missed", "technical", "technical",
    )  # fmt: skip
    assert (contact.ring_ms, contact.talk_ms, contact.hold_ms, contact.wrap_ms) == (3000, 0, 0, 0)
    assert contact.closed and contact.answered_utc is None and contact.end_utc is not None
    assert not (contact.interrupted or contact.estimated or contact.more.steps)


def test_what_was_no_conversation_was_a_fault_from_the_answer_on(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    take(ingest, script)  # it may be in the store as talk already
    failed(script.contact("held", "c1", 2000, via="key"), "c1", 6000)
    script.presence("not_ready", "ready", after=60_000)
    take(ingest, script.logout())
    spans = [
        (span.state, span.reason, span.by, span.uptime_ms)
        for trail in reader.trails()
        for span in trail.spans
    ]
    talk, back = script.u - 70_000, script.u - 2_000
    assert [one[0] for one in spans] == ["not_ready", "ready", "offered", "not_ready", "ready"]
    assert spans[3][:3] == ("not_ready", "fault", "system")
    assert (spans[3][3], spans[4][3]) == (talk + 1000, back + 1000)


def test_what_is_shown_of_a_long_day_is_not_cut_within_a_call(ingest, reader):
    script = started()
    for _ in range(14):
        script.presence("ready", "not_ready", "refrigerio").presence("not_ready", "ready")
    script.offer("c1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    failed(script.contact("held", "c1", 2000, via="key"), "c1", 6000)
    take(ingest, script.presence("not_ready", "ready").logout())
    assert {span.state for trail in reader.trails() for span in trail.spans} == {
        "not_ready", "ready", "offered",
    }  # fmt: skip


def test_a_call_out_that_had_no_telephone(ingest, reader):
    script = started().contact("dialed", "c1", via="key", direction="out")
    take(ingest, failed(script, "c1", 5000, dial_result="failed"))
    script.ready().contact("dialed", "c2", via="key", direction="out")
    script.contact("answered", "c2", 4000, via="host", ring_ms=4000)
    row = shown(take(ingest, failed(script, "c2")))
    first, second = reader.contacts()
    assert (first.outcome, first.cause, first.ended_by) == ("not_answered", "failed", "technical")
    assert (second.outcome, second.cause) == ("not_answered", "technical")
    assert (second.dial_ms, second.talk_ms, row["contacts"]) == (4000, 0, 0)


def test_an_outbound_call_nobody_takes(ingest, reader):
    script = started().contact("dialed", "c1", via="key", direction="out", reference="ab" * 16)
    assert shown(take(ingest, script))["state"] == "dialing"
    script.contact("ended", "c1", 9000, by="agent", on_hold=False, dial_result="no_answer")
    effects = take(ingest, script)
    (contact,) = reader.contacts()
    assert (contact.outcome, contact.cause, contact.direction) == (
        "not_answered", "no_answer", "out",
    )  # fmt: skip
    assert contact.details().reference is None, "whoever is called is none who called"
    assert shown(effects)["state"] == "ready"
    assert shown(effects)["contacts"] == 0


def test_dialling_time_is_kept_apart(ingest, reader):
    script = started().contact("dialed", "c1", via="key", direction="out")
    script.contact("answered", "c1", 8000, via="key", ring_ms=8000)
    script.contact("ended", "c1", 30_000, by="agent", on_hold=False).wrapup("started", "c1", 0)
    take(ingest, script.wrapup("ended", "c1", 2000, cause="agent"))
    (contact,) = reader.contacts()
    assert (contact.dial_ms, contact.talk_ms, contact.wrap_ms) == (8000, 30_000, 2000)


def test_the_next_offer_ends_a_wrapup(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", 0, cause="next_contact").offer("c2", 0)
    effects = take(ingest, script)
    first, second = reader.contacts()
    assert (first.closed, first.wrap_ms, first.code) == (True, 0, None)
    assert second.phase == "offered"
    row = shown(effects)
    assert (row["state"], row["c"], row["contacts"]) == ("offered", "c2", 1)


def test_a_power_cut_in_a_call_marks_it(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", 2000, via="key", ring_ms=2000)
    script.contact("muted", "c1", 7000, via="key").boot()
    script.contact("ended", "c1", 10, by="interrupted", on_hold=False)
    script.wrapup("started", "c1", 0).clock(T0 + 60_000, i=2)
    script.contact("typified", "c1", 3000, code="111", version=1, how="agent")
    effects = take(ingest, script.wrapup("ended", "c1", 0, cause="typified"))
    (contact,) = reader.contacts()
    assert contact.interrupted and contact.closed
    assert contact.talk_ms == 7000  # up to the last that was heard of that boot
    assert contact.wrap_ms == 3010
    assert contact.end_utc == T0 + 60_000 - 10
    row = shown(effects)
    assert (row["state"], row["contacts"], row["tmo"]) == ("ready", 1, None)


def test_a_power_cut_in_wrapup_leaves_it_out_of_averages(ingest, reader):
    script = started().offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.add("station.health", 500, heap=1, journal=1).boot()
    take(ingest, script.wrapup("ended", "c1", 4000, cause="agent"))
    (contact,) = reader.contacts()
    assert contact.estimated and contact.closed and not contact.interrupted


def test_events_before_the_first_anchor_are_placed_by_it(ingest, reader):
    script = Script().boot().login().ready().call("c1", talk=60_000)
    effects = take(ingest, script)
    assert reader.contacts()[0].start_utc is None
    assert shown(effects)["since"] is None
    assert shown(effects)["contacts"] == 0
    script.clock(T0 + script.u)
    effects = take(ingest, script)
    (contact,) = reader.contacts()
    (session,) = reader.sessions()
    assert contact.late and session.late
    assert contact.start_utc == T0 + contact.start_u - 10
    assert session.open_utc == T0 + session.open_u - 10
    row = shown(effects)
    assert (row["contacts"], row["tmo"]) == (1, 70)
    assert row["since"] == contact.close_utc


def test_a_later_anchor_moves_nothing_that_was_placed(ingest, reader):
    script = started().call("c1")
    take(ingest, script)
    before = reader.contacts()
    script.clock(T0 + 10_000_000)
    take(ingest, script.call("c2"))
    assert reader.contacts()[0] == before[0]
    assert reader.contacts()[1].start_utc == T0 + 10_000_000 + 1000


def test_the_stations_own_time_serves_until_there_is_an_anchor(ingest, reader):
    script = Script().boot()
    script.offset = T0
    take(ingest, script.login().call("c1"))
    (contact,) = reader.contacts()
    assert contact.start_utc == T0 + contact.start_u
    assert not contact.late


@pytest.mark.parametrize(
    ("step", "state"),
    [
        (lambda s: s, "ready"),
        (lambda s: s.offer("c1"), "offered"),
        (lambda s: s.offer("c1").contact("answered", "c1", via="key", ring_ms=1), "talking"),
        (lambda s: s.offer("c1").contact("answered", "c1", via="key", ring_ms=1)
         .contact("held", "c1", via="key"), "held"),
        (lambda s: s.offer("c1").contact("answered", "c1", via="key", ring_ms=1)
         .contact("held", "c1", via="key").contact("resumed", "c1", via="key"), "talking"),
        (lambda s: s.offer("c1").contact("answered", "c1", via="key", ring_ms=1)
         .contact("ended", "c1", by="caller", on_hold=False), "wrapup"),
        (lambda s: s.logout(), "logged_out"),
    ],
)  # fmt: skip
def test_the_state_shown_and_since_when(ingest, step, state):
    script = started()
    take(ingest, script)
    first = script.n + 1
    effects = take(ingest, step(script), first=1 if script.n < first else first)
    row = json.loads(ingest.floor.rows["a001"]) if not effects.rows else shown(effects)
    assert row["state"] == state
    assert row["since"] == row["t"] == T0 - 15 + script.u


def test_reasons_are_named_and_private_ones_marked(ingest):
    script = started().presence("ready", "not_ready", "sshh")
    row = shown(take(ingest, script))
    assert (row["state"], row["reason"], row["reason_label"], row["private"]) == (
        "not_ready", "sshh", "SS. HH.", True,
    )  # fmt: skip
    assert (row["name"], row["alias"], row["seat"], row["team"]) == (
        "Rosa Quispe Huamán", "RQ", "A-01", "Mañana",
    )  # fmt: skip


def test_another_badge_relieves(ingest, reader):
    script = started()
    script.add("session.closed", a="a001", reason="relieved", by="agent")
    script.presence("ready", "logged_out", "relieved", by="system", after=0)
    script.agent = "a002"
    effects = take(ingest, script.login(0))
    assert shown(effects)["state"] == "logged_out"
    assert shown(effects)["since"] == T0 - 15 + script.u
    assert shown(effects, "a002")["state"] == "not_ready"
    assert [(s.agent, s.reason) for s in reader.sessions()] == [
        ("a001", "relieved"),
        ("a002", None),
    ]


def test_one_agent_at_two_seats_is_warned_of_once(ingest):
    here, there = started(), Script(s=S2).boot().clock().login()
    take(ingest, here)
    effects = take(ingest, there)
    assert effects.two_seats == [("a001", [S, S2])]
    row = shown(effects)
    assert (row["warn"], row["seat"], row["state"]) == ("two_seats", "A-02", "not_ready")
    effects = take(ingest, there.ready(), first=there.n)
    assert effects.two_seats == []
    row = shown(take(ingest, there.logout(), first=there.n - 1))
    assert (row["warn"], row["seat"], row["state"]) == (None, "A-01", "ready")


def test_lost_events_leave_an_honest_picture(ingest, reader):
    script = started()
    take(ingest, script)
    script.offer("c1").contact("answered", "c1", via="key", ring_ms=1)
    lost = script.n
    script.contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", 3000, cause="agent").call("c2")
    messages = [script.hello_message(first=lost + 1), *script.messages(lost + 1)]
    effects = ingest.take(messages, "stream", "server")
    first, second = reader.contacts()
    assert (first.contact, first.estimated, first.outcome) == ("c1", True, "answered")
    assert (second.contact, second.estimated) == ("c2", False)
    assert (shown(effects)["contacts"], shown(effects)["tmo"]) == (2, 70)


def test_figures_are_the_sites_day(ingest, clock, writer, site):
    script = started().call("c1", talk=60_000, wrap=10_000).call("c2", talk=80_000, wrap=10_000)
    row = shown(take(ingest, script))
    assert (row["contacts"], row["tmo"]) == (2, 80)
    assert ingest.turn_day() == {}
    clock.now += DAY_MS
    rows = ingest.turn_day()
    assert ingest.floor.day.date == "2026-11-19"
    assert json.loads(rows["a001"])["contacts"] == 0
    script.clock(T0 + DAY_MS, i=2)
    row = shown(take(ingest, script.call("c3", talk=20_000, wrap=5_000)))
    assert (row["contacts"], row["tmo"]) == (1, 25)


def test_a_restart_shows_the_same(ingest, writer, site, clock):
    from diadema.ingest.core import Ingest

    script = started().call("c1").offer("c2")
    take(ingest, script, Script(s=S2, agent="a002").boot().clock().login().logout())
    again = Ingest(writer, site, clock)
    assert again.save((), again.floor.agents()) == {}
    assert again.floor.rows == ingest.floor.rows
    effects = take(again, script.contact("answered", "c2", via="key", ring_ms=1), first=script.n)
    assert (shown(effects)["state"], shown(effects)["contacts"]) == ("talking", 2)


def test_links(ingest):
    script = started()
    ingest.take([script.hello_message(), *script.messages()], "stream", "server")
    row = lambda: json.loads(ingest.floor.rows["a001"])  # noqa: E731
    assert row()["link"] == "up"
    down = msgspec.structs.replace(script.hello_message(), data=b'{"up":false}')
    ingest.take([down], "stream", "server")
    assert row()["link"] == "lost"
    ingest.take([script.hello_message(last=script.n + 100)], "stream", "server")
    assert row()["link"] == "late"
    ingest.take([script.hello_message()], "stream", "server")
    assert row()["link"] == "up"
    for gateway, link in (("other", "up"), ("test", "lost")):
        will = msgspec.structs.replace(down, subject=f"$MQTT.msgs.diadema.v1.gw-{gateway}.st")
        ingest.take([will], "stream", "server")
        assert row()["link"] == link
    assert row()["state"] == "ready"
