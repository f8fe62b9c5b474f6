"""Supervisors' actions: rules, events exactly once, what became of them, and all of it again from
the events.
"""

import json

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.hub.actions import LIFE_MS, Actions
from diadema.hub.commanding import Commands
from diadema.hub.own_journal import ME, Refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message
from diadema.maintenance.rebuild import rebuild
from diadema.store import StoreUnavailable
from diadema.store.register import counted, entries
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.wire.events import KINDS

from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"
BY = {"by": "elena", "who": "Elena Soto"}


@pytest.fixture
def commands(ingest):
    return Commands(ingest, None)


@pytest.fixture
def acts(ingest, commands, reader):
    return Actions(ingest, commands, reader, None)


def take(ingest, *messages):
    return ingest.take(messages, "stream", "server")


@pytest.fixture
def desk(ingest):
    """A station that is there with an agent who is ready."""
    script = Script().boot().clock().mark("in").login(mark=True).ready()
    take(ingest, script.hello_message(), *script.messages())
    return script


def told(done):
    return [(s, json.loads(frame)) for s, frame in done.frames]


def more(ingest, script, add):
    """What the script adds is taken in."""
    first = script.n + 1
    add(script)
    take(ingest, *script.messages(first=first))


def own_events(reader):
    return [event.event for event in reader.events_of(ME)]


def test_a_forced_pause_is_noted_and_sent_in_one_go(acts, desk, reader):
    answer, done = acts.act(
        {"action": "presence", "a": "a001", "reason": "refrigerio", "note": "cubre Luis", **BY}
    )
    ((s, command),) = told(done)
    assert s == S
    assert command == {
        "cmd": "presence", "i": answer["i"], "to": "not_ready", "reason": "refrigerio",
        "who": "Elena Soto", "note": "cubre Luis", "agent": "a001",
    }  # fmt: skip
    (event,) = own_events(reader)
    assert answer["of"] == (ME, event["e"], 1)
    assert event == {
        "s": ME, "e": event["e"], "n": 1, "b": 0, "u": 0, "t": T0, "k": "supervision.acted",
        "by": "elena", "who": "Elena Soto", "action": "presence", "note": "cubre Luis",
        "a": "a001", "reason": "refrigerio", "target": S, "command": answer["i"],
    }  # fmt: skip
    (entry,) = reader.acts()
    assert (entry.act.action, entry.act.by, entry.act.utc) == ("presence", "elena", T0)
    assert entry.outcome.result == "waiting"


def test_what_became_of_it_is_read_beside_it(acts, ingest, commands, clock, desk, reader):
    first, _ = acts.act({"action": "presence", "a": "a001", "reason": "refrigerio", **BY})
    told_by = {"by": "supervisor", "who": "Elena Soto", "i": first["i"]}
    more(ingest, desk, lambda one: one.presence("ready", "not_ready", "refrigerio", **told_by))
    commands.answered(S, first["i"])
    second, _ = acts.act({"action": "logout", "a": "a001", "reason": "fin de turno", **BY})
    refusal = {"i": second["i"], "command": "session", "reason": "no_such_session"}
    more(ingest, desk, lambda one: one.add("command.refused", **refusal))
    commands.answered(S, second["i"])
    acts.act({"action": "logout", "a": "a001", "reason": "fin de turno", **BY})
    clock.now += LIFE_MS
    commands.tick()
    outcomes = [entry.outcome for entry in reader.acts()]
    assert [(one.result, one.event, one.reason) for one in outcomes] == [
        ("done", "presence.changed", None),
        ("refused", "command.refused", "no_such_session"),
        ("expired", None, None),
    ]
    assert outcomes[0].utc == desk.offset + desk.u - 1000


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"action": "presence", "a": "a001", "reason": "ready"}, "no_such_reason"),
        ({"action": "presence", "a": "a001", "reason": "login"}, "no_such_reason"),
        ({"action": "presence", "a": "a002", "reason": "refrigerio"}, "not_logged_in"),
        ({"action": "presence", "a": "a009", "reason": "refrigerio"}, "no_such_agent"),
        ({"action": "logout", "a": "a002", "reason": "x"}, "not_logged_in"),
        ({"action": "move", "a": "a001", "seat": "Z-99", "reason": "x"}, "no_such_seat"),
        ({"action": "move", "a": "a001", "seat": "A-01", "reason": "x"}, "there_already"),
        ({"action": "message", "agents": ["a002"], "text": "Hola", "reason": "x"},
         "not_logged_in"),
        ({"action": "help", "a": "a001", "state": "accepted"}, "no_such_press"),
        ({"action": "fault", "s": S, "state": "resolved"}, "no_such_press"),
        ({"action": "wrapup_closed", "a": "a001", "reason": "x"}, "no_wrapup"),
        ({"action": "selftest_skipped", "a": "a002", "reason": "x"}, "not_logged_in"),
        ({"action": "note", "a": "a009", "kind": "orientacion"}, "no_such_agent"),
        ({"action": "note", "a": "a001", "kind": "orientacion", "note": "a\u202eb"}, "hidden"),
        ({"action": "note", "a": "a001", "kind": "orientacion", "note": "ñ" * 200},
         "too_long"),
    ],
)  # fmt: skip
def test_what_is_not_done_leaves_nothing(acts, desk, reader, asked, error):
    with pytest.raises(Refused) as refusal:
        acts.act(asked | BY)
    assert refusal.value.error == error
    assert own_events(reader) == [] and reader.acts() == []
    assert reader.command(S, 1) is None


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "presence", "a": "a001"},
        {"action": "logout", "a": "a001", "reason": ""},
        {"action": "message", "agents": ["a001"], "text": "Hola"},
        {"action": "message", "agents": ["a001"], "text": "x" * 85, "reason": "aviso"},
        {"action": "note", "a": "a001", "kind": "otra"},
        {"action": "ready", "a": "a001", "reason": "x"},
    ],
)
def test_what_says_too_little_is_no_request(acts, desk, asked):
    with pytest.raises(msgspec.ValidationError):
        acts.act(asked | BY)


def test_who_cannot_be_reached_now_is_not_acted_on_later(acts, ingest, desk, reader):
    take(ingest, Message(99, f"{PREFIX}gw-test.{S}.st", b'{"up":false}'))
    for asked in (
        {"action": "presence", "a": "a001", "reason": "refrigerio"},
        {"action": "logout", "a": "a001", "reason": "fin"},
        {"action": "move", "a": "a001", "seat": "A-02", "reason": "fin"},
    ):
        with pytest.raises(Refused) as refusal:
            acts.act(asked | BY)
        assert refusal.value.error == "link_lost"
    acts.act({"action": "message", "agents": ["a001"], "text": "Llámeme", "reason": "aviso", **BY})
    assert [entry.act.action for entry in reader.acts()] == ["message"]


def test_a_log_out_names_its_author_and_why(acts, desk):
    _, done = acts.act({"action": "logout", "a": "a001", "reason": "fin de turno", **BY})
    ((_, command),) = told(done)
    assert command["cmd"] == "session"
    assert {key: command[key] for key in ("agent", "verdict", "reason", "who", "note")} == {
        "agent": "a001", "verdict": "close", "reason": "supervisor", "who": "Elena Soto",
        "note": "fin de turno",
    }  # fmt: skip


def test_a_move_tells_her_where_to_go(acts, desk, reader):
    _, done = acts.act(
        {"action": "move", "a": "a001", "seat": "A-02", "reason": "silla rota y sin arreglo", **BY}
    )
    ((_, command),) = told(done)
    assert (command["reason"], command["note"]) == ("moved", "Pase a A-02: silla rota y sin ar")
    assert reader.acts()[0].act.seat == "A-02"


def test_nobody_is_sent_to_a_seat_that_is_taken(acts, ingest, desk):
    other = Script(s=S2, agent="a002").boot().clock().login()
    take(ingest, other.hello_message(), *other.messages())
    with pytest.raises(Refused) as refusal:
        acts.act({"action": "move", "a": "a001", "seat": "A-02", "reason": "x", **BY})
    assert (refusal.value.error, refusal.value.values) == (
        "seat_taken", {"seat": "A-02", "a": "a002"},
    )  # fmt: skip


def test_help_is_answered_by_its_press(acts, ingest, desk, reader):
    more(ingest, desk, lambda one: one.add("help.requested", a="a001"))
    n = desk.n
    answer, done = acts.act({"action": "help", "a": "a001", "state": "accepted", **BY})
    ((s, command),) = told(done)
    assert (s, command) == (
        S,
        {"cmd": "help", "i": answer["i"], "of": n, "state": "accepted", "by": "Elena Soto"},
    )
    act = reader.acts()[0].act
    assert (act.of_s, act.of_e, act.of_n, act.state) == (S, desk.e, n, "accepted")
    same = {"action": "help", "of": [S, desk.e, n], "state": "resolved", "result": "resuelta"}
    _, done = acts.act(same | BY)
    assert told(done)[0][1]["result"] == "resuelta"


def test_a_fault_of_a_desk_where_nobody_sits(acts, ingest):
    script = Script().boot().clock().add("fault.reported").add("fault.reported")
    take(ingest, script.hello_message(), *script.messages())
    _, done = acts.act({"action": "fault", "s": S, "state": "accepted", **BY})
    assert told(done)[0][1]["of"] == script.n


def test_a_wrap_up_is_ended_for_that_contact(acts, ingest, desk):
    more(ingest, desk, lambda one: one.offer("c1").contact("answered", "c1", via="key")
         .contact("ended", "c1", by="caller").wrapup("started", "c1", 0))  # fmt: skip
    _, done = acts.act({"action": "wrapup_closed", "a": "a001", "reason": "cola llena", **BY})
    ((_, command),) = told(done)
    assert (command["cmd"], command["contact"], command["who"]) == ("wrapup", "c1", "Elena Soto")


def test_a_self_test_is_left_out_of_that_agents_shift(acts, ingest, commands, desk, reader):
    asked = {"action": "selftest_skipped", "a": "a001", "reason": "colas llenas", **BY}
    answer, done = acts.act(asked)
    ((s, command),) = told(done)
    assert (s, command["cmd"], command["skip"], command["agent"]) == (S, "selftest", 1, "a001")
    skipped = {"checks": {"link": "ok"}, "fit": True, "skipped": "supervisor", "i": answer["i"]}
    more(ingest, desk, lambda one: one.add("station.selftest", a="a001", **skipped))
    commands.answered(S, answer["i"])
    (entry,) = reader.acts()
    assert (entry.act.action, entry.act.reason) == ("selftest_skipped", "colas llenas")
    assert (entry.outcome.result, entry.outcome.event) == ("done", "station.selftest")


def test_a_message_to_many_and_who_has_read_it(acts, ingest, commands, desk, reader):
    other = Script(s=S2, agent="a002").boot().clock().login()
    take(ingest, other.hello_message(), *other.messages())
    text = "Reunión a las 15:00"
    asked = {"action": "message", "agents": ["a001", "a002", "a001", "a009"], "text": text}
    answer, done = acts.act(asked | {"reason": "aviso", "sign": True} | BY)
    m = answer["m"]
    assert [(s, frame["m"], frame["agent"], frame["sign"]) for s, frame in told(done)] == [
        (S, m, "a001", 1), (S2, m, "a002", 1),
    ]  # fmt: skip
    assert answer["refused"] == [{"a": "a009", "error": "no_such_agent"}]
    i, i2 = (one["i"] for one in answer["sent"])
    assert [(e["k"], e["n"]) for e in own_events(reader)] == [
        ("supervision.acted", 1), ("message.sent", 2),
        ("supervision.acted", 3), ("message.sent", 4),
    ]  # fmt: skip
    more(ingest, desk, lambda one: one.add("message.shown", m=m, a="a001", i=i))
    shown_utc = desk.offset + desk.u
    more(ingest, desk, lambda one: one.add(
        "message.acknowledged", m=m, a="a001", answer="observe", how="badge"))  # fmt: skip
    more(ingest, other, lambda one: one.add(
        "command.refused", i=i2, command="text", reason="too_many"))  # fmt: skip
    first, second = reader.messages(m=m)
    assert (first.sent.agent, first.sent.text, first.shown, first.shown_utc) == (
        "a001", text, True, shown_utc,
    )  # fmt: skip
    assert (first.answer, first.how, first.answered_utc) == ("observe", "badge", shown_utc + 1000)
    assert (second.shown, second.answer, second.outcome.reason) == (False, None, "too_many")
    assert [one.sent.m for one in reader.messages(agent="a002", start_utc=T0)] == [m]
    assert reader.messages(start_utc=T0 + 1) == []


def test_a_second_message_does_not_replace_one_that_still_waits(acts, commands, desk):
    asked = {"action": "message", "agents": ["a001"], "reason": "aviso", **BY}
    acts.act(asked | {"text": "uno"})
    acts.act(asked | {"text": "dos"})
    assert commands.waiting == 2


def test_a_supervisor_notes_what_he_did_and_an_alert_that_he_saw(acts, desk, reader):
    acts.act({"action": "note", "a": "a001", "kind": "orientacion", "c": "c1", "note": "", **BY})
    acts.act({"action": "acknowledge", "a": "a001", "rule": "long_state", "since": T0, **BY})
    noted, seen = reader.acts(agent="a001")
    assert (noted.act.kind, noted.act.contact, noted.outcome) == ("orientacion", "c1", None)
    assert (seen.act.rule, seen.act.since_utc) == ("long_state", T0)
    assert [one.act.action for one in reader.acts(after=noted.position)] == ["acknowledge"]
    assert [one.act.action for one in reader.acts(limit=1)] == ["note"]


def test_the_journal_goes_on_without_a_gap_where_it_was(acts, ingest, writer, site, clock, reader):
    note = {"action": "note", "a": "a001", "kind": "novedad_turno", **BY}
    acts.act(note)
    again = Ingest(writer, site, clock)
    Actions(again, Commands(again, None), reader, None).act(note)
    events = own_events(reader)
    assert [event["n"] for event in events] == [1, 2]
    assert len({event["e"] for event in events}) == 1
    assert reader.status()["stations"] == 0


def test_what_could_not_be_written_is_not_half_done(
    acts, ingest, commands, desk, reader, monkeypatch
):
    asked = {"action": "logout", "a": "a001", "reason": "fin", **BY}

    def full(batch):
        raise StoreUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(ingest.writer.behind, "_write", full)
        with pytest.raises(StoreUnavailable):
            acts.act(asked)
    assert commands.waiting == 0 and own_events(reader) == []
    acts.act(asked)
    assert [event["n"] for event in own_events(reader)] == [1]
    assert [entry.outcome.result for entry in reader.acts()] == ["waiting"]


def test_a_correction_stands_beside_the_mark(acts, desk, reader, clock):
    (mark,) = reader.marks()
    clock.now = T0 + 3_600_000
    corrected = {
        "k": "attendance.corrected", "a": "a001", "direction": "in", "time": T0 - 600_000,
        "reason": "la cola del lector", "evidence": "cámara 3",
        "of": [mark.station, mark.epoch, mark.sequence],
    }  # fmt: skip
    answer, _ = acts.record(corrected | {"by": "elena"})
    acts.record({
        "k": "attendance.justified", "a": "a001", "day": "2026-11-18", "by": "rrhh",
        "reason": "cita médica"})  # fmt: skip
    assert reader.marks() == [mark]
    first, second = reader.corrections()
    assert (first.kind, first.of_n, first.time_utc, first.by) == (
        "corrected", mark.sequence, T0 - 600_000, "elena",
    )  # fmt: skip
    assert answer["of"] == (first.station, first.epoch, first.sequence)
    assert (second.kind, second.day, second.number) == ("justified", "2026-11-18", 2)
    assert first.hash != second.hash and len(second.hash) == 64
    assert reader.corrections(end_utc=T0 - 600_000) == [second]
    assert reader.corrections(agent="a002") == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"of": [S, 7, 999]}, "no_such_mark"),
        ({"time": T0 + 1}, "not_yet"),
        ({"reason": "  "}, "no_reason"),
        ({"a": "a009"}, "no_such_agent"),
    ],
)
def test_a_correction_that_cannot_be(acts, desk, reader, change, error):
    asked = {"k": "attendance.corrected", "a": "a001", "direction": "in", "time": T0}
    with pytest.raises(Refused) as refusal:
        acts.record(asked | {"reason": "olvidó", "by": "elena"} | change)
    assert refusal.value.error == error
    assert reader.corrections() == []


@pytest.mark.parametrize("kind", ["corrected", "justified"])
def test_a_mark_is_put_right_for_whom_it_is(acts, desk, reader, kind):
    (mark,) = reader.marks()
    asked = {
        "k": f"attendance.{kind}",
        "a": "a002",
        "of": [mark.station, mark.epoch, mark.sequence],
    }
    asked |= {"direction": "in", "time": T0} if kind == "corrected" else {}
    with pytest.raises(Refused) as refusal:
        acts.record(asked | {"reason": "olvidó", "by": "elena"})
    assert refusal.value.error == "not_her_mark"
    assert reader.corrections() == []


def test_a_station_cannot_act_as_a_hub(ingest, reader):
    script = Script().boot().clock()
    script.add("supervision.acted", by="x", action="note", a="a001")
    script.add("attendance.corrected", by="x", a="a001", direction="in", time=T0, reason="x")
    take(ingest, *script.messages())
    assert reader.acts() == [] and reader.corrections() == []
    assert reader.dead_letters() == []


@pytest.mark.parametrize("apply", [False, True])
def test_a_rebuild_makes_it_all_again(tmp_path, acts, ingest, desk, reader, clock, apply):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    answer, _ = acts.act(
        {"action": "message", "agents": ["a001"], "text": "Hola", "reason": "aviso", **BY}
    )
    more(ingest, desk, lambda one: one.add("message.shown", m=answer["m"], a="a001"))
    for reason in ("olvidó", "otra vez"):
        acts.record({"k": "attendance.corrected", "a": "a001", "direction": "out", "time": T0,
                     "reason": reason, "by": "elena"})  # fmt: skip
    before = reader.acts(), reader.messages(), reader.corrections()
    assert rebuild(data, clock).differences == []
    with ingest.writer.transaction() as tx:
        tx.exec_driver_sql("UPDATE corrections SET reason = 'forged' WHERE number = 1")
        tx.exec_driver_sql("DELETE FROM acts")
    found = rebuild(data, clock, apply=apply).differences
    assert {one.table for one in found} == {"acts", "corrections"}
    assert ((reader.acts(), reader.messages(), reader.corrections()) == before) == apply


def test_every_kind_that_the_hub_writes_is_published():
    for kind in ("supervision.acted", "attendance.corrected", "attendance.justified",
                 "message.sent", "schedule.published", "catalogue.published"):  # fmt: skip
        assert kind in KINDS


def test_many_days_at_once_are_an_event_each(acts, reader):
    days = [{"a": "a001", "day": f"2026-12-{day:02}", "version": 1} for day in range(1, 4)]
    answer, _ = acts.record({"k": "schedules", "by": "elena", "days": days})
    told = own_events(reader)
    assert [(event["k"], event["day"], event["by"]) for event in told] == [
        ("schedule.published", f"2026-12-{day:02}", "elena") for day in range(1, 4)
    ]
    assert answer["of"] == ("HUB-main", told[0]["e"], told[0]["n"])
    with pytest.raises(msgspec.ValidationError):
        acts.record({"k": "schedules", "by": "elena", "days": [*days, {"a": "a001"}]})
    assert len(own_events(reader)) == 3


def test_what_was_published_is_kept(acts, reader):
    acts.record({"k": "schedule.published", "by": "elena", "a": "a001", "day": "2026-11-19",
                 "version": 3, "shift": "M", "start": T0, "end": T0 + 1,
                 "pauses": [[T0, T0 + 1, "refrigerio"]]})  # fmt: skip
    acts.record({"k": "catalogue.published", "by": "elena", "catalogue": "tree", "version": 2,
                 "hash": "0" * 64})  # fmt: skip
    assert [event["k"] for event in own_events(reader)] == [
        "schedule.published", "catalogue.published",
    ]  # fmt: skip


NOTE = {"action": "note", "a": "a001", "kind": "orientacion", "note": "saludo"}
REPRIMAND = NOTE | {"kind": "llamada_atencion", "note": "colgó a un cliente"}


def annul(of, **more):
    return {"action": "annul", "of": of, "reason": "fue otra persona", **BY} | more


def reply(of, **more):
    text = "Se cayó la llamada."
    return {"action": "reply", "a": "a001", "of": of, "note": text, "by": "rosa"} | more


def test_an_annulled_note_stays_with_who_when_and_why(acts, desk, reader, clock):
    answer, _ = acts.act(NOTE | BY)
    clock.now += 5000
    acts.act(annul(answer["of"], by="jefa", who="La jefa"))
    kept, annulment = reader.acts()
    assert (kept.act.note, kept.annulled) == ("saludo", annulment.act)
    said = annulment.act
    assert (said.by, said.who, said.reason, said.utc) == (
        "jefa", "La jefa", "fue otra persona", T0 + 5000,
    )  # fmt: skip
    assert reader.act(*answer["of"]).annulled == said
    assert entries(reader.acts()) == [kept] and counted(reader.acts()) == []


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"by": "otra", "own": True}, "not_yours"),
        ({"reason": "  "}, "say_why"),
        ({"of": [ME, 1, 99]}, "no_such_act"),
    ],
)
def test_what_cannot_be_annulled_stays(acts, desk, reader, more, error):
    answer, _ = acts.act(NOTE | BY)
    with pytest.raises(Refused) as refusal:
        acts.act(annul(answer["of"]) | more)
    assert refusal.value.error == error
    assert [one.annulled for one in reader.acts()] == [None]


def test_neither_a_second_annulment_nor_one_of_an_order_or_of_an_annulment(acts, desk, reader):
    note, _ = acts.act(NOTE | BY)
    order, _ = acts.act({"action": "logout", "a": "a001", "reason": "fin", **BY})
    first, _ = acts.act(annul(note["of"]))
    for of, error in (
        (note["of"], "annulled_already"),
        (order["of"], "stays_done"),
        (first["of"], "stays_done"),
    ):
        with pytest.raises(Refused) as refusal:
            acts.act(annul(of))
        assert refusal.value.error == error
    assert len(reader.acts()) == 3


def test_a_reprimand_needs_a_note_and_is_told_at_the_station(acts, desk, reader):
    for empty in ({"note": None}, {"note": "  "}):
        with pytest.raises(Refused) as refusal:
            acts.act(REPRIMAND | empty | BY)
        assert refusal.value.error == "no_note"
    assert reader.acts() == []
    answer, done = acts.act(REPRIMAND | BY)
    ((s, command),) = told(done)
    assert (s, command["cmd"], command["agent"]) == (S, "text", "a001")
    assert "no es amonestación" in command["text"] and "colgó" not in command["text"]
    assert len(command["text"]) <= MESSAGE_CHARACTERS
    (entry,) = reader.acts()
    (message,) = reader.messages()
    assert entry.act.m == message.sent.m == command["m"] and answer["i"] == command["i"]
    _, withdrawn = acts.act(annul(answer["of"]))
    assert "anulada" in told(withdrawn)[0][1]["text"]


def test_a_reprimand_of_who_is_not_there_is_kept_for_her_page(acts, desk, reader):
    answer, done = acts.act(REPRIMAND | {"a": "a002"} | BY)
    assert answer["i"] is None and told(done) == []
    assert [one.act.agent for one in reader.acts()] == ["a002"]


def test_the_agent_answers_a_reprimand_once(acts, desk, reader):
    of = acts.act(REPRIMAND | BY)[0]["of"]
    acts.act(reply(of))
    kept, answer = reader.acts()
    assert kept.reply == answer.act and answer.act.note == "Se cayó la llamada."
    assert entries(reader.acts()) == [kept] == counted(reader.acts())
    with pytest.raises(Refused) as refusal:
        acts.act(reply(of, note="otra cosa"))
    assert refusal.value.error == "answered_already"


@pytest.mark.parametrize(
    ("more", "error"),
    [({"a": "a002"}, "no_such_act"), ({"note": " "}, "no_reply"), ({"note": None}, "no_reply")],
)
def test_nobody_else_answers_it_and_not_without_words(acts, desk, reader, more, error):
    of = acts.act(REPRIMAND | BY)[0]["of"]
    with pytest.raises(Refused) as refusal:
        acts.act(reply(of) | more)
    assert refusal.value.error == error
    assert len(reader.acts()) == 1


def test_only_a_reprimand_is_answered_and_no_annulled_one(acts, desk):
    note = acts.act(NOTE | BY)[0]["of"]
    gone = acts.act(REPRIMAND | BY)[0]["of"]
    acts.act(annul(gone))
    for of, error in ((note, "no_such_act"), (gone, "annulled_already")):
        with pytest.raises(Refused) as refusal:
            acts.act(reply(of))
        assert refusal.value.error == error


def test_annulments_and_replies_come_again_from_the_events(tmp_path, acts, desk, reader, clock):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    first = acts.act(REPRIMAND | BY)[0]["of"]
    acts.act(reply(first))
    acts.act(annul(first))
    before = reader.acts()
    assert before[0].annulled and before[0].reply
    assert rebuild(data, clock, apply=True).differences == []
    assert reader.acts() == before
