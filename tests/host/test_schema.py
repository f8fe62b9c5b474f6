"""The published documents: valid, complete, and of one mind with the decoder."""

import json
from typing import get_args

import jsonschema
import msgspec
import pytest
from diadema.ingest.decode import decode
from diadema.web.fleet.api import Command
from diadema.wire import commands, schema
from diadema.wire.events import EVENT_LIMIT, KINDS

from tests.support.monitored import Monitor
from tests.support.scripted_station import S, Script

OF = [S, 7, 4]
NEW = [
    ("attendance.marked", {"direction": "in", "method": "badge", "badge": "0f" * 16, "a": None}),
    ("attendance.marked", {"direction": "out", "method": "code_pin", "badge": None}),
    ("session.opened", {"method": "badge_pin", "provisional": True, "of": OF}),
    ("session.denied", {"badge": "0f" * 16, "reason": "wrong_pin"}),
    ("session.confirmed", {"i": 3}),
    ("session.corrected", {"i": 3, "verdict": "closed", "reason": "at_other_seat"}),
    ("session.closed", {"reason": "moved"}),
    (
        "presence.changed",
        {"from": "ready", "to": "not_ready", "reason": "reunion", "by": "supervisor",
         "who": "Flor Ñandú"},
    ),
    ("notice.acknowledged", {"of": OF}),
    (
        "contact.offered",
        {"c": "c1", "via": "host", "direction": "in", "campaign": "cobranza", "parent": "c0",
         "reference": "0f" * 8},
    ),
    (
        "contact.dialed",
        {"c": "c1", "via": "host", "direction": "out", "campaign": "cobranza", "pbx": "p",
         "consent": True},
    ),
    ("contact.blocked", {"campaign": "cobranza", "rule": "hours"}),
    ("contact.consulted", {"c": "c1", "via": "key", "area": "reclamos"}),
    ("contact.consult_ended", {"c": "c1", "via": "key", "result": "back"}),
    (
        "contact.transferred",
        {"c": "c1", "via": "key", "kind": "blind", "target": "reclamos", "completed": True},
    ),
    ("contact.recording_paused", {"c": "c1", "via": "key"}),
    ("contact.recording_resumed", {"c": "c1", "via": "key"}),
    ("contact.listened", {"c": "c1", "state": "on", "who": "Nelly T.", "i": 3}),
    ("contact.listened", {"c": "c1", "state": "off", "i": 4}),
    ("contact.disagreed", {"c": "c1", "station": "talking", "host": "idle"}),
    ("contact.step", {"c": "c1", "step": "need", "result": "skipped", "how": "key"}),
    (
        "contact.step",
        {"c": "c1", "step": "identity", "result": "done", "method": "dni", "how": "key"},
    ),
    ("contact.motive", {"c": "c1", "motive": "1", "version": 1}),
    ("contact.playbook", {"c": "c1", "playbook": "saldos", "version": "2026-11"}),
    ("contact.retypified", {"c": "c1", "code": "112", "version": 1, "author": "a001", "of": OF}),
    ("contact.typified", {"c": "c1", "code": "112", "version": 1, "how": "favourite"}),
    ("contact.ended", {"c": "c1", "by": "transfer", "estimated": True, "silent_ms": 75_000}),
    ("contact.ended", {"c": "c1", "by": "technical", "on_hold": False, "i": 3}),
    ("station.fault", {"part": "switch", "code": "no_switch", "i": 3}),
    ("station.fault_cleared", {"part": "telephone", "code": "no_phone"}),
    ("wrapup.ended", {"c": "c1", "cause": "supervisor"}),
    ("help.requested", {"c": "c1"}),
    ("help.topic", {"of": OF, "topic": "sistema"}),
    ("help.accepted", {"of": OF, "i": 3, "by": "Flor Ñandú"}),
    ("help.cancelled", {"of": OF}),
    ("help.resolved", {"of": OF, "i": 3, "by": "Flor Ñandú", "result": "resuelto"}),
    ("help.rated", {"of": OF, "answer": "yes"}),
    ("help.assigned", {"t": 5, "by": "ana", "of": OF, "to": "luz", "reason": "sabe de créditos"}),
    ("help.escalated", {"t": 5, "by": "hub", "of": OF, "level": 2}),
    (
        "help.noted",
        {"t": 5, "by": "ana", "of": OF, "gap": "missing", "playbook": "saldos", "version": "3",
         "text": "No dice", "part": 2, "parts": 2, "sha256": "0f" * 32},
    ),
    ("fault.confirmed", {"of": OF, "answer": "no"}),
    (
        "ticket.opened",
        {"t": 5, "by": "ana", "ticket": "abc123def456", "area": "sistemas", "part": "crm",
         "severity": 1, "seats": ["A-01", "A-02"], "title": "CRM caído", "of": OF, "due": 9},
    ),
    ("ticket.linked", {"t": 5, "by": "hub", "ticket": "abc123def456", "of": OF}),
    (
        "ticket.taken",
        {"t": 5, "by": "ana", "ticket": "abc123def456", "to": "teo", "due": 9, "external": "T-9"},
    ),
    (
        "ticket.changed",
        {"t": 5, "by": "ana", "ticket": "abc123def456", "severity": 2, "area": "proveedor",
         "reason": "es del proveedor"},
    ),
    ("ticket.noted", {"t": 5, "by": "ana", "ticket": "abc123def456", "text": "Se llamó"}),
    (
        "ticket.resolved",
        {"t": 5, "by": "ana", "ticket": "abc123def456", "cause": "red", "fix": "puerto nuevo"},
    ),
    ("ticket.reopened", {"t": 5, "by": "hub", "ticket": "abc123def456", "reason": "sigue"}),
    (
        "ticket.closed",
        {"t": 5, "by": "ana", "ticket": "abc123def456", "outcome": "duplicate",
         "reason": "es la misma", "other": "0" * 12, "external": "T-9"},
    ),
    ("fault.reported", {}),
    ("fault.reported", {"of": OF, "area": "audio", "part": "microfono"}),
    ("fault.accepted", {"of": OF, "i": 3, "by": "Nilton Pacae"}),
    ("fault.resolved", {"of": OF, "i": 3, "by": "Nilton Pacae", "cause": "cable"}),
    ("fault.rejected", {"of": OF, "i": 3, "by": "Nilton Pacae", "reason": "no_hay_falla"}),
    (
        "station.selftest",
        {"checks": {"keys": "ok", "headset": "failed", "lights": "skipped"}, "fit": False,
         "reason": "headset", "missing": ["vincha"]},
    ),
    ("station.selftest", {"checks": {}, "fit": True, "skipped": "call"}),
    (
        "station.selftest",
        {"checks": {"keys": "ok", "flash": "skipped", "badge_uid": "failed"}, "fit": False,
         "bench": True, "reason": "badge_uid", "i": 7},
    ),
    ("message.acknowledged", {"m": "m1", "answer": "observe", "how": "badge"}),
    (
        "queue.entered",
        {"t": 5, "pbx": "p1", "queue": "q", "position": 2, "reference": "0f" * 8, "line": 9},
    ),
    ("queue.offered", {"t": 5, "pbx": "p1", "queue": "q", "agent": "Lúcuma"}),
    ("queue.connected", {"t": 5, "pbx": "p1", "queue": "q", "wait_ms": 0, "estimated": True}),
    ("queue.abandoned", {"t": 5, "pbx": "p1", "queue": "q", "wait_ms": 21_000, "position": 1}),
    ("queue.left", {"t": 5, "pbx": "p1", "queue": "q", "cause": "completed"}),
    ("queue.left", {"t": 5, "pbx": "p1", "queue": "q", "cause": "unknown", "estimated": True}),
    ("recording.started", {"t": 5, "pbx": "p1", "linked": "p0", "agent": "Local/a001@diadema"}),
    ("recording.stopped", {"t": 5, "pbx": "p1", "linked": "p0"}),
    ("recording.muted", {"t": 5, "pbx": "p1", "linked": "p0", "agent": "SIP/201"}),
    ("recording.unmuted", {"t": 5, "pbx": "p1", "linked": "p0", "agent": "SIP/201"}),
]  # fmt: skip
ASKED = [
    {"cmd": "ring", "contact": "c1", "campaign": "cobranza", "parent": "c0",
     "reference": "0f" * 16},
    {"cmd": "dial", "contact": "c1", "campaign": "cobranza", "queue": "q", "pbx": "p",
     "consent": 1},
    {"cmd": "failed", "contact": "c1"},
    {"cmd": "telephone", "state": "no_phone"},
    {"cmd": "consult", "contact": "c1", "area": "reclamos"},
    {"cmd": "consult_end", "contact": "c1", "result": "failed"},
    {"cmd": "transfer", "contact": "c1", "target": "reclamos", "kind": "consulted",
     "completed": 0},
    {"cmd": "recording", "contact": "c1", "state": "paused"},
    {"cmd": "presence", "to": "not_ready", "reason": "reunion", "who": "Flor Ñandú"},
    {"cmd": "session", "agent": "a001", "verdict": "close", "reason": "at_other_seat"},
    {"cmd": "help", "of": 12, "state": "accepted", "by": "Flor Ñandú"},
    {"cmd": "fault", "of": 12, "state": "rejected", "by": "Nilton Pacae", "cause": "sin_falla"},
    {"cmd": "text", "m": "m1", "text": "Lea el acuse", "sign": 1},
    {"cmd": "selftest"},
    {"cmd": "selftest", "skip": 1, "agent": "a001"},
    {"cmd": "selftest", "bench": 1, "by": "Ana"},
]  # fmt: skip


@pytest.fixture(scope="module")
def validator():
    document = schema.event_schema()
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_what_a_station_writes_fits(validator):
    script = Script().boot().clock().login().ready().call("c1", hold=1000).logout()
    script.contact("dialed", "c2", via="key", direction="out")
    script.contact("missed", "c2", cause="no_answer", ring_ms=5)
    for body in script.bodies:
        validator.validate(json.loads(body))
        assert decode(body)[2] == []


@pytest.mark.parametrize(("kind", "fields"), NEW)
def test_what_the_agents_day_writes_fits(validator, kind, fields):
    body = Script().add(kind, **{"a": "a001", **fields}).bodies[0]
    validator.validate(json.loads(body))
    assert decode(body)[2] == []


def test_what_the_monitors_work_writes_fits(validator):
    said = []
    Monitor(said.extend).whole()
    for message in said:
        validator.validate(json.loads(message.data))
        assert decode(message.data)[2] == []
    assert len({json.loads(message.data)["k"] for message in said}) == 20


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked["cmd"])
def test_what_may_be_asked_is_in_the_contract(asked):
    schemas = schema.asyncapi()["components"]["schemas"]
    command = msgspec.convert(asked, commands.ANY_ON_REQUEST)
    document = {"components": {"schemas": schemas}, **schemas[type(command).__name__]}
    jsonschema.Draft202012Validator(document).validate(asked | {"i": 1})


@pytest.mark.parametrize(
    "asked",
    [
        {"cmd": "ring", "contact": "c1", "reference": "+51987654321"},
        {"cmd": "ring", "contact": "c1", "reference": "51987654321"},
        {"cmd": "dial", "contact": "c1", "consent": 2},
        {"cmd": "help", "of": 0, "state": "accepted", "by": "x"},
        {"cmd": "help", "of": 1, "state": "accepted", "by": "Ñ" * 17},
        {"cmd": "presence", "to": "not_ready", "reason": "reunion", "who": "Ñ" * 17},
        {"cmd": "consult", "contact": "c1", "area": "crédito"},
        {"cmd": "session", "agent": "a001", "verdict": "perhaps"},
        {"cmd": "marks", "marks": []},
        {"cmd": "turn", "of": 1, "ahead": 0},
        {"cmd": "listened", "contact": "c1", "state": "on", "who": "quality"},
    ],
)
def test_what_may_not_be_asked(asked):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(asked, commands.ANY_ON_REQUEST)


def test_who_hears_a_call_is_told_by_the_hub_alone_as_a_station_takes_it():
    told = commands.Listened(contact="c1", state="on", who="Ana Ñ.")
    schemas = schema.asyncapi()["components"]["schemas"]
    said = json.loads(msgspec.json.encode(told)) | {"i": 1}
    document = {"components": {"schemas": schemas}, **schemas["Listened"]}
    jsonschema.Draft202012Validator(document).validate(said)
    for wrong in ({"state": "loud"}, {"who": ""}, {"who": "Ñ" * 17}, {"who": "a\n"}, {"of": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(said | {"cmd": "listened"} | wrong, commands.Listened)


def test_the_longest_ring_still_fits_an_event():
    texts = {"queue": "q" * 32, "pbx": "p" * 48, "parent": "d" * 48}
    ring = {"contact": "ñ" * 28, "campaign": "c" * 24, "reference": "f" * 32, **texts}
    asked = msgspec.to_builtins(msgspec.convert({"cmd": "ring", **ring}, commands.ANY_ON_REQUEST))
    script = Script(e=2**32 - 1, agent="a" * 24)
    script.n, script.b, script.u, script.offset = 2**40, 99_999, 2**33, 10**12
    offered = {name: value for name, value in asked.items() if name not in ("cmd", "contact")}
    script.add(
        "contact.offered", a=script.agent, c=ring["contact"], via="host", i=2**40, **offered
    )
    assert len(script.bodies[0]) + ring["contact"].count("ñ") * (2 - 6) <= EVENT_LIMIT
    with pytest.raises(msgspec.ValidationError, match="over 184 bytes"):
        msgspec.convert({"cmd": "ring", **ring, "contact": "ñ" * 29}, commands.ANY_ON_REQUEST)


def test_the_door_of_programs_knows_every_command_that_may_be_asked():
    asked = [command.__struct_config__.tag for command in commands.ON_REQUEST]
    assert list(get_args(Command.model_fields["cmd"].annotation)) == asked


@pytest.mark.parametrize(
    "state",
    [
        commands.Marks(marks=[("a001", "in", 1_795_000_000_000)]),
        commands.Turn(of=7, ahead=2),
        commands.Turn(of=7, ahead=0, to="Ana Ñ."),
    ],
)
def test_state_is_told_without_a_number(state):
    told = schema.asyncapi()["components"]["schemas"][type(state).__name__]
    said = json.loads(msgspec.json.encode(state))
    jsonschema.Draft202012Validator(told).validate(said)
    assert said["i"] == 0


def test_how_far_a_request_is_is_told_as_a_station_takes_it():
    for wrong in ({"of": 0}, {"ahead": 100}, {"to": ""}, {"to": "Ñ" * 17}, {"to": "a\n"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"cmd": "turn", "of": 1, "ahead": 0} | wrong, commands.Turn)


@pytest.mark.parametrize(
    "change",
    [{"k": "contact.sung"}, {"via": "telepathy"}, {"n": 0}, {"t": "noon"}, {"colour": 1}],
)
def test_what_no_station_of_this_version_writes_does_not(validator, change):
    event = json.loads(Script().offer("c1").bodies[0]) | change
    assert not validator.is_valid(event)


def test_every_kind_is_in_both_documents():
    tags = {
        value
        for definition in schema.event_schema()["$defs"].values()
        for value in definition["properties"]["k"]["enum"]
    }
    assert tags == set(KINDS)
    assert set(schema.asyncapi()["channels"]["ev"]["messages"]) == set(KINDS)


def test_asyncapi_refers_to_what_it_has():
    document = schema.asyncapi()

    def references(part):
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(document))
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
