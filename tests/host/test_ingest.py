"""The ingest's core on a real store: exactly once, in order, and nothing silently lost."""

import json
import random

import pytest
from diadema.ingest.core import Ingest
from diadema.ingest.intake import LETTERS
from diadema.ingest.messages import PREFIX, Message
from diadema.store import StoreUnavailable, open_reader, open_writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.examples import examples
from tests.support.scripted_station import T0, S, Script

S2 = "DIA-0123456789ac"
LATER = T0 + 3 * 3_600_000


def take(ingest, messages):
    return ingest.take(messages, "stream", "server")


def full_day():
    return Script().boot().clock().login().ready().call("c1").call("c2", hold=5000).logout()


def test_events_are_stored_as_they_came_and_acknowledged(ingest, reader):
    script = full_day()
    effects = take(ingest, script.messages())
    assert effects.acks == {S: (7, script.n)}
    assert [event.body for event in reader.events_of(S)] == script.bodies
    assert reader.count() == script.n
    assert reader.count("contact.offered") == 2
    assert reader.position(S, 7) == script.n
    assert ingest.stream == ("stream", script.n, "server")


@pytest.mark.parametrize("broken", [b"\xff", b"\xed\xa0\xbd", b'"', b"x" * 600])
def test_an_event_that_cannot_be_read_is_buried_in_its_place(ingest, broken):
    script = full_day()
    script.bodies[4] = script.bodies[4].replace(b'"k":"', b'"k":"' + broken)
    effects = take(ingest, script.messages())
    assert effects.acks == {S: (7, script.n)}
    assert sum("dead letter" in alarm for alarm in effects.alarms) == 1


def test_doubles_change_nothing_and_are_acknowledged_again(ingest, reader):
    script = full_day()
    take(ingest, script.messages())
    contacts, rows = reader.contacts(), reader.live()
    effects = take(ingest, script.messages(3, 9))
    assert effects.acks == {S: (7, script.n)}
    assert not effects.alarms
    assert (reader.count(), reader.contacts(), reader.live()) == (script.n, contacts, rows)
    assert reader.conflicts() == []


def test_other_bytes_under_one_number_are_kept_beside_it(ingest, reader):
    script = full_day()
    take(ingest, script.messages())
    other = Script().boot("watchdog").messages()
    effects = take(ingest, other)
    assert any("conflict" in alarm for alarm in effects.alarms)
    assert effects.acks == {S: (7, script.n)}
    assert [row["body"] for row in reader.conflicts()] == [other[0].data]
    assert next(iter(reader.events_of(S))).body == script.bodies[0]
    take(ingest, other)
    assert reader.status()["conflicts"] == 1


def test_safe_mode_is_known_until_the_program_greets_again(ingest):
    script = Script().boot().clock()
    take(ingest, [script.hello_message(), *script.messages()])
    station = ingest.stations[S]
    down = {"up": False, "safe": True, "s": S, "cause": "crashes", "gw": "test"}
    safe = Message(50, f"{PREFIX}gw-test.{S}.st", json.dumps(down).encode())
    take(ingest, [safe])
    assert (station.link, station.hello.safe, station.hello.cause) == ("lost", True, "crashes")
    pulled = json.dumps({"up": False, "s": S, "gw": "test"}).encode()
    take(ingest, [Message(51, f"{PREFIX}gw-test.{S}.st", pulled)])
    assert station.hello.safe
    take(ingest, [script.hello_message(52)])
    assert (station.link, station.hello.safe) == ("up", False)


def test_two_boards_with_one_id_are_told_once_and_lose_nothing(ingest, reader):
    one, other = Script(e=7).boot().clock(), Script(e=8).boot("hard").clock()
    told = []
    for script in (one, other, one, other, one):
        effects = take(ingest, [script.hello_message(), *script.messages()])
        assert effects.acks == {S: (script.e, script.n)}
        told += effects.alarms
    (alarm,) = told
    assert S in alarm and "two boards" in alarm
    assert reader.count() == one.n + other.n


def test_what_comes_beyond_a_gap_waits_for_it(ingest, reader):
    script = full_day()
    take(ingest, script.messages(1, 4))
    effects = take(ingest, script.messages(6))
    assert effects.acks == {S: (7, 4)}
    assert reader.count() == script.n - 1
    assert reader.contacts() == []
    effects = take(ingest, script.messages(5, 5))
    assert effects.acks == {S: (7, script.n)}
    assert len(reader.contacts(closed=True)) == 2
    assert reader.losses() == []


def test_a_gap_outlives_a_restart(ingest, reader, writer, site, clock):
    script = full_day()
    take(ingest, script.messages(1, 4) + script.messages(6))
    again = Ingest(writer, site, clock)
    effects = take(again, script.messages(5, 5))
    assert effects.acks == {S: (7, script.n)}
    assert len(reader.contacts(closed=True)) == 2


def test_only_so_much_is_kept_beyond_a_gap(ingest, reader, monkeypatch):
    monkeypatch.setattr("diadema.ingest.intake.PENDING_LIMIT", 5)
    script = full_day()
    effects = take(ingest, script.messages(2))
    assert effects.acks == {S: (7, 0)}
    assert reader.count() == 5
    assert ingest.deferred == script.n - 6
    effects = take(ingest, script.messages())
    assert effects.acks == {S: (7, script.n)}
    assert reader.count() == script.n


def test_events_gone_from_the_flash_are_a_recorded_loss(ingest, reader):
    script = full_day()
    take(ingest, script.messages(1, 6) + script.messages(11, 12))
    effects = take(ingest, [script.hello_message(first=10)])
    assert any("lost" in alarm for alarm in effects.alarms)
    assert [(row["first"], row["last"], row["source"]) for row in reader.losses()] == [
        (7, 9, "hello")
    ]
    assert effects.acks == {S: (7, 9)}
    assert effects.greeted[S].first == 10
    assert take(ingest, script.messages(10)).acks == {S: (7, script.n)}
    assert reader.status()["lost"] == 3
    effects = take(ingest, script.messages(8, 8))
    assert any("came back" in alarm for alarm in effects.alarms)
    assert reader.status()["lost"] == 2


def test_a_loss_does_not_swallow_what_is_here(ingest, reader):
    script = full_day()
    take(ingest, script.messages(1, 4) + script.messages(6, 7) + script.messages(9, 9))
    assert take(ingest, [script.hello_message(first=9)]).acks == {S: (7, 9)}
    assert reader.status()["lost"] == 2
    assert [(row["first"], row["last"]) for row in reader.losses()] == [(5, 8)]


def test_a_record_that_the_station_cannot_read(ingest, reader):
    script = full_day()
    lost = b'{"s":"%b","e":7,"n":5,"to":6,"k":"station.lost"}' % S.encode()
    take(ingest, script.messages(1, 4))
    effects = take(ingest, [Message(5, script.topic, lost), *script.messages(7)])
    assert effects.acks == {S: (7, script.n)}
    assert [(row["first"], row["last"], row["source"]) for row in reader.losses()] == [
        (5, 6, "station")
    ]
    assert reader.status()["lost"] == 2
    assert reader.contacts()[0].estimated


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "no JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "no JSON"),
        (b'{"k":"\xff"}', "no JSON"),
        (b"[" * 512, "no JSON"),
        (b"[" * 100_000, "at most 512"),
        (b'{"s":"DIA-0123456789ab","e":7,"n":-1,"b":1,"u":1,"k":"x"}', "no e and n"),
        (b'{"s":"DIA-0123456789ab","e":7,"n":1,"b":1,"u":1}', "no kind"),
        (b'{"s":"DIA-0123456789ab","e":7,"n":1,"b":"1","u":1,"k":"x.y"}', "Expected `int`"),
        (b'{"s":"DIA-0123456789ab","e":7,"n":1,"b":1,"u":1,"k":"contact.ended"}', "missing"),
        (b'{"s":"DIA-0123456789ac","e":7,"n":1,"b":1,"u":1,"k":"x.y"}', "another topic"),
        (b'{"s":"DIA-0123456789ab","e":7,"n":1,"b":1,"u":1,"k":"x.y","z":"%b"}' % (b"z" * 600),
         "at most 512"),
    ],
)  # fmt: skip
def test_poison_is_a_dead_letter_with_its_reason(ingest, reader, body, reason):
    script = full_day()
    take(ingest, [Message(1, script.topic, body)])
    (letter,) = reader.dead_letters()
    assert reason in letter["reason"]
    assert letter["body"] == body[:4096]
    assert reader.count() == 0


def test_a_dead_letter_takes_its_place_in_the_journal(ingest, reader):
    script = full_day()
    bad = script.bodies[4].replace(b'"to":"ready"', b'"to":5')
    effects = take(
        ingest, [*script.messages(1, 4), Message(5, script.topic, bad), *script.messages(6)]
    )
    assert effects.acks == {S: (7, script.n)}
    assert len(reader.dead_letters()) == 1
    assert reader.count() == script.n - 1
    effects = take(ingest, [Message(5, script.topic, bad)])
    assert effects.acks == {S: (7, script.n)}
    assert len(reader.dead_letters()) == 1


@pytest.mark.parametrize("back", [False, True])
def test_beyond_some_letters_a_number_is_a_counted_loss(ingest, reader, writer, site, clock, back):
    """`back`: they come from the last to the first, and wait for each other."""
    script = Script()
    script.n = last = LETTERS + 20
    place = b'{"s":"%b","e":7,"n":%d,"k":1}'
    broken = [Message(n, script.topic, place % (S.encode(), n)) for n in range(1, last + 1)]
    for at in range(0, last, 300):
        take(ingest, broken[at : at + 300][:: -1 if back else 1])
    script.boot().clock().login()
    after = [Message(0, script.topic, body) for body in script.bodies]
    assert take(ingest, after).acks == {S: (7, script.n)}
    assert take(Ingest(writer, site, clock), broken + after).acks == {S: (7, script.n)}
    losses = reader.losses()
    gone = {n for one in losses for n in range(one["first"], one["last"] + 1)}
    assert gone | {one["n"] for one in reader.dead_letters()} == {*range(1, last + 1)}
    assert len(gone) == reader.status()["lost"] == 20 and len(losses) == 1
    assert losses[0]["source"] == "unreadable"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_dead_letter_does_not_take_the_place_of_an_event_that_waits(
    ingest, reader, writer, site, clock, restarted
):
    script = full_day()
    broken = Message(0, script.topic, script.bodies[5].replace(b'"u":', b'"u":-'))
    take(ingest, [*script.messages(2), broken])
    take(Ingest(writer, site, clock) if restarted else ingest, script.messages(1, 1))
    assert reader.count() == script.n and len(reader.dead_letters()) == 1
    assert not any(contact.estimated for contact in reader.contacts())
    assert len(reader.contacts()) == 2


def test_unknown_kinds_and_fields_are_stored_and_counted(ingest, reader):
    script = Script().boot().add("wheel.turned", volume=3).login()
    script.add("contact.offered", a="a001", c="c1", via="host", direction="in", colour="x")
    script.add("wheel.turned", volume=4)
    effects = take(ingest, script.messages())
    assert effects.acks == {S: (7, script.n)}
    assert reader.count() == script.n
    assert {(row["k"], row["field"], row["times"]) for row in reader.unknown()} == {
        ("wheel.turned", "", 2),
        ("contact.offered", "colour", 1),
    }
    assert len(reader.contacts()) == 1


def test_what_is_said_of_the_sound_is_known(ingest, reader):
    script = Script().boot().add("headset.plugged").login().ready().call("c1")
    script.add("audio.changed", volume=82, mute=False, sidetone=0).add("headset.unplugged")
    script.add(
        "voice.summary", a="a001", c="c1", agent_ms=2900, caller_ms=2880, both_ms=0,
        silence_ms=4400, longest_silence_ms=1900, interruptions=0, clipping=0, agent_db=-12,
        caller_db=None,
    )  # fmt: skip
    assert take(ingest, script.messages()).acks == {S: (7, script.n)}
    assert reader.count() == script.n
    assert not reader.unknown() and not reader.dead_letters()
    assert len(reader.contacts()) == 1


@pytest.mark.parametrize("topic", ["DIA-XYZ.ev", "DIA-0123456789ab.other", "DIA-0123456789ab"])
def test_other_topics_are_dead_letters(ingest, reader, topic):
    take(ingest, [Message(1, PREFIX + topic, b"{}")])
    assert len(reader.dead_letters()) == 1


def test_a_fault_of_ours_stops_nothing(ingest, reader, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("diadema.ingest.intake.project", broken)
    script = full_day()
    assert take(ingest, script.messages()).acks == {S: (7, script.n)}
    assert reader.count() == script.n
    assert "ZeroDivisionError" in reader.dead_letters()[0]["reason"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b'{"up":"yes"}', b'{"up":true,"s":"\xff"}', b"[" * 900, b"{" * 9000]
)
def test_what_is_no_greeting_is_a_dead_letter(ingest, reader, body):
    script = full_day()
    greeting = Message(0, f"{PREFIX}gw-test.{S}.st", body)
    effects = take(ingest, [greeting, *script.messages()])
    assert not effects.greeted
    assert len(reader.dead_letters()) == 1
    assert reader.count() == script.n


def test_a_store_that_fails_while_events_are_placed_loses_none(ingest, reader, monkeypatch):
    script = Script().boot().login().ready().call("c1")
    take(ingest, script.messages())
    script.clock()

    def closed(*_):
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr("diadema.ingest.core.unplaced", closed)
        with pytest.raises(StoreUnavailable):
            take(ingest, script.messages())
    take(ingest, script.messages())
    assert reader.contacts()[0].start_utc is not None
    assert reader.dead_letters() == []


def test_what_is_running_is_placed_too_when_its_anchor_comes_in_a_later_batch(ingest, reader):
    script = Script().boot().login().ready().offer("c1").contact("answered", "c1", via="key")
    take(ingest, script.messages())
    sent = script.n
    script.clock().contact("ended", "c1", by="caller", on_hold=False).wrapup("started", "c1", 0)
    script.wrapup("ended", "c1", cause="agent").logout()
    take(ingest, script.messages(sent + 1, sent + 1))
    take(ingest, script.messages(sent + 2))
    contact, session = reader.contacts()[0], reader.sessions()[0]
    assert contact.closed and session.close_utc is not None
    assert None not in (contact.start_utc, contact.answered_utc, session.open_utc)
    assert contact.late and session.late


def test_a_station_is_lost_when_neither_link_is_up(ingest):
    script = Script().boot()
    station = ingest.station(S)

    def said(link, up, s=S, **more):
        body = script.hello(**more) if up else {"up": False}
        topic = PREFIX + {"usb": f"gw-test.{S}.st", "wifi": f"{S}.st.wifi", "": f"{s}.st"}[link]
        take(ingest, [Message(1, topic, json.dumps(body).encode())])
        return station.link

    assert said("usb", True, links=["wifi"]) == "up"
    assert said("wifi", True, gw="") == "up"
    assert said("usb", False) == "up"
    assert said("wifi", False) == "lost"
    assert said("wifi", True, gw="") == "up"
    assert said("usb", True) == "up"
    assert said("wifi", False) == "up"
    assert said("", False, s="gw-test") == "lost"
    assert said("usb", True) == "up"
    assert said("wifi", True, gw="") == "up"
    assert said("", False, s="gw-test") == "up"
    assert said("wifi", False) == "lost"


def test_a_station_that_went_to_another_gateway_is_not_lost_by_the_old_one(ingest):
    """The old gateway may notice late, or not before its own end, that the cable is gone."""
    script = Script().boot()
    station = ingest.station(S)

    def said(up, gw):
        body = script.hello() if up else {"up": False, "s": S}
        topic = f"{PREFIX}gw-{gw}.{S}.st"
        take(ingest, [Message(1, topic, json.dumps(body).encode())])
        return station.link

    assert said(True, "old") == "up"
    assert said(True, "new") == "up"
    assert said(False, "old") == "up"
    assert said(False, "new") == "lost"


def test_a_doubt_about_links_outlasts_the_ingest(ingest, writer, clock):
    """The broker came back, and before anybody was lost by his silence the ingest went too."""
    silent, back = Script().boot().clock().login(), Script(s=S2).boot()
    take(ingest, [*silent.messages(), silent.hello_message(50), back.hello_message(51)])
    ingest.doubt_links()
    ingest.take([back.hello_message(52)], "stream", "another server")
    again = Ingest(writer, ingest.site, clock)
    assert [again.station(s).link for s in (S, S2)] == ["late", "up"]
    rows = again.settle_links()
    assert [again.station(s).link for s in (S, S2)] == ["lost", "up"]
    assert [json.loads(row)["link"] for row in rows.values()] == ["lost"]


def test_two_epochs_are_two_journals(ingest, reader):
    old, new = full_day(), Script(e=99).boot().login()
    take(ingest, old.messages(1, 8))
    effects = take(ingest, new.messages())
    assert effects.acks == {S: (99, new.n)}
    assert reader.position(S, 7) == 8
    session = reader.sessions()[0]
    assert session.estimated and session.reason == "unheard"
    assert reader.sessions()[1].close_u is None


def taken_over(ingest):
    """A formatted board, whose newer journal tells who is there now."""
    old, new = full_day(), Script(e=99, agent="a002").boot().clock(LATER).login().ready()
    new.offer("d1").contact("answered", "d1", via="key", ring_ms=900)
    take(ingest, old.messages(1, 8))
    take(ingest, [new.hello_message(), *new.messages()])
    return old, new


@pytest.mark.parametrize("restarts", [False, True])
def test_what_comes_late_of_an_older_journal_is_booked_beside_what_is_live(
    ingest, reader, clock, restarts
):
    old, new = taken_over(ingest)
    state, row = ingest.station(S).state, reader.live()["a002"]
    before = (state.epoch, state.session, state.open, state.shown, state.clock)
    for message in old.messages(9):
        if restarts:
            ingest = Ingest(ingest.writer, ingest.site, clock)
        effects = take(ingest, [message])
        assert not effects.ended and not effects.opened
        state = ingest.station(S).state
        assert (state.epoch, state.session, state.open, state.shown, state.clock) == before
    assert reader.live()["a002"] == row
    done = [one for one in reader.contacts() if one.epoch == old.e]
    assert [(one.contact, one.outcome, one.estimated) for one in done] == [
        ("c1", "answered", False), ("c2", "answered", False),
    ]  # fmt: skip
    first, second = sorted(reader.sessions(), key=lambda one: one.epoch)
    assert (first.agent, first.reason, first.estimated) == ("a001", "agent", False)
    assert first.close_utc < LATER
    assert second.reason is None
    shown = [one for one in reader.trails() if one.agent == "a001"]
    assert (shown[0].start_utc, shown[-1].end_utc) == (first.open_utc, first.close_utc)
    take(ingest, new.logout().messages(new.n - 1))
    assert ingest.station(S).state.session is None


def test_a_journal_that_was_never_heard_of_does_not_take_over(ingest, reader):
    """As `diadema import journal` brings it: what a board had kept before it was formatted."""
    new = Script(e=99, agent="a002").boot().clock(LATER).login().ready()
    take(ingest, [new.hello_message(), *new.messages()])
    old = full_day()
    effects = ingest.take_file(old.messages(1, old.n - 2))
    state = ingest.station(S).state
    assert (state.epoch, state.session.agent) == (99, "a002")
    assert not effects.ended and not effects.opened
    mine = [one for one in reader.sessions() if one.agent == "a001"]
    assert [(one.reason, one.estimated) for one in mine] == [("unheard", True)]
    assert len(reader.contacts()) == 2
    ingest.take_file(old.messages(old.n - 1))
    mine = [one for one in reader.sessions() if one.agent == "a001"]
    assert [(one.reason, one.estimated) for one in mine] == [("agent", False)]
    assert ingest.station(S).state.session.agent == "a002"


def test_losses_of_an_older_journal_put_nothing_in_doubt_that_is_live(ingest):
    old, _ = taken_over(ingest)
    lost = {"s": S, "e": old.e, "n": 9, "k": "station.lost", "to": 12}
    take(ingest, [Message(9, old.topic, json.dumps(lost).encode()), *old.messages(13)])
    (running,) = ingest.station(S).state.open
    assert running.contact == "d1" and not running.estimated


def test_help_of_an_older_journal_is_closed_by_it_and_none_of_it_waits_now(ingest, reader):
    old = Script().boot().clock().login().ready().add("help.requested", a="a001")
    new = Script(e=99, agent="a002").boot().clock(LATER).login()
    take(ingest, [old.hello_message(), *old.messages()])
    take(ingest, [new.hello_message(), *new.messages()])
    old.add("help.cancelled", a="a001", of=[S, old.e, old.n])
    old.add("help.requested", a="a001")
    take(ingest, old.messages(old.n - 1))
    assert {one.sequence: one.outcome != "open" for one in reader.presses()} == {
        old.n - 2: True, old.n: False,
    }  # fmt: skip
    waiting = [one for one in ingest.station(S).state.presses if one.outcome == "open"]
    assert waiting == []


def test_what_others_publish_by_mqtt_is_none_of_ours(ingest, reader):
    script = full_day()
    foreign = Message(script.n + 1, "$MQTT.msgs.elsewhere.v1.x.ev", script.bodies[0])
    effects = take(ingest, [*script.messages(), foreign])
    assert effects.acks == {S: (7, script.n)}
    assert not effects.alarms and reader.dead_letters() == []
    assert ingest.stream == ("stream", script.n + 1, "server")


def test_nothing_is_taken_while_the_store_cannot_write(ingest, reader, writer, tmp_path):
    script = full_day()
    take(ingest, script.messages(1, 8))
    blocker = open_writer(tmp_path / "store.sqlite3")
    before = reader.status()
    writer.engine.dispose()
    with blocker.transaction() as held:
        held.execute(text("PRAGMA user_version"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("diadema.store.database.BUSY_MS", 1)
            with pytest.raises(StoreUnavailable):
                take(ingest, script.messages(9))
            with pytest.raises(StoreUnavailable):
                take(ingest, script.messages(9))
    blocker.close()
    assert reader.status() == before
    assert take(ingest, script.messages(9)).acks == {S: (7, script.n)}
    assert reader.count() == script.n
    assert len(reader.contacts(closed=True)) == 2


def test_a_full_disk_loses_nothing(ingest, reader, writer):
    script = full_day()
    take(ingest, script.messages(1, 8))
    with writer.transaction() as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    flood = Script(s="DIA-0123456789ac").boot()
    for _ in range(200):
        flood.add("station.health", heap=1, journal=1)
    with pytest.raises(StoreUnavailable, match="full"):
        take(ingest, script.messages(9) + flood.messages())
    assert reader.position(S, 7) == 8
    with writer.transaction() as tx:
        tx.exec_driver_sql("PRAGMA max_page_count = 1000000")
    effects = take(ingest, script.messages(9) + flood.messages())
    assert effects.acks == {S: (7, script.n), flood.s: (7, flood.n)}
    assert reader.count() == script.n + flood.n


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 8), min_size=1, max_size=12))
def test_any_delivery_ends_in_the_same_store(tmp_path_factory, site, clock, seed, sizes):
    """Windows resent, repeated, dropped and cut into any batches; restarts in between."""
    script, chance = full_day(), random.Random(seed)
    expected = _stored(tmp_path_factory.mktemp("a"), site, clock, [script.messages()], chance)
    sent, batches = 0, []
    for size in sizes:
        begin = max(0, sent - chance.randrange(4))
        window = script.messages(begin + 1, min(begin + size, script.n))
        batches.append([m for m in window if chance.random() < 0.8])
        sent = min(begin + size, script.n)
    batches += [script.messages()[at : at + 7] for at in range(0, script.n, 7)]
    got = _stored(tmp_path_factory.mktemp("b"), site, clock, batches, chance, restart=0.3)
    assert got == expected


def _stored(folder, site, clock, batches, chance, restart=0.0):
    path = folder / "store.sqlite3"
    writer = open_writer(path)
    ingest = Ingest(writer, site, clock)
    for batch in batches:
        if chance.random() < restart:
            writer.close()
            writer = open_writer(path)
            ingest = Ingest(writer, site, clock)
        if batch:
            take(ingest, batch)
    writer.close()
    reader = open_reader(path)
    rows = {a: {**row, "t": None} for a, row in reader.live().items()}
    found = (
        [event.body for event in reader.events_of(S)],
        reader.contacts(),
        reader.sessions(),
        rows,
        reader.position(S, 7),
        reader.conflicts(),
        reader.losses(),
    )
    reader.close()
    return found
