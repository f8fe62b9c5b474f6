"""Agents are told that calls are heard: at the station by badge, on paper, before witnesses."""

from datetime import datetime

import pytest
from diadema.access.roles import Person
from diadema.hub.own_journal import Refused
from diadema.quality.hearing import Barred, Grounds, Permit, Wanted, may_hear, published_of
from diadema.quality.informing import (
    in_force,
    message_name,
    notice_of,
    published_texts,
    signed_versions,
    states,
)
from diadema.site.directory.book import Change
from diadema.site.directory.publishing import open_directory
from diadema.store.quality import notices
from diadema.store.rows import Contact
from diadema.wire.actions import MESSAGE_CHARACTERS
from diadema.words import LANGUAGES, section
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError

from tests.support.notice_room import DAY_MS, TEXTS, NoticeRoom

PAPER = {"document": "RH-2026-041"}
WITNESSES = ["Teo Paz", "Sol Vera"]


@pytest.fixture
def room(tmp_path):
    found = NoticeRoom(tmp_path)
    yield found
    found.end()


def refused(room, ask, *agents, **fields):
    with pytest.raises(Refused) as told:
        ask(*agents, **fields)
    return told.value.error


def state(room, code="agent"):
    """By agent: state, how, version."""
    zone, now = room.site.tz, room.clock.now_ms()
    with room.reader.engine.connect() as tx:
        rows, signed = notices(tx), room.signatures()
        versions = signed_versions(tx, signed)
    with open_directory(room.data, now) as book:
        texts = published_texts(book, rows)
    found = states(texts, signed, versions, room.people(), now, zone)
    its = next(one for one in found if one.notice.code == code)
    return {one.agent: (one.state, one.how, one.version) for one in its.agents}


def test_a_notice_is_shown_at_the_station_and_signed_by_the_badge(room):
    answer = room.send("a001")
    assert (answer["count"], answer["refused"]) == (1, [])
    ((station, command),) = room.sent
    (message,) = room.messages()
    m = message.sent.m
    assert station == "DIA-0123456789ab" and command["sign"] == 1 and command["m"] == m
    assert command["text"] == f"{TEXTS['agent']} (aviso, v1)" == message.sent.text
    assert message.sent.sign and notice_of(m) == ("agent", 1)
    assert room.settle() == 0 and state(room)["a001"] == ("missing", None, None)
    receipt = room.answer("a001", m)
    assert room.settle() == 1
    (signed,) = room.signatures()
    assert (signed.notice, signed.agent, signed.how) == ("agent", "a001", "badge")
    assert (signed.of_s, signed.of_e, signed.of_n) == receipt
    assert signed.by == "rule:notice"
    assert state(room) == {"a001": ("informed", "badge", 1), "a002": ("missing", None, None)}


def test_only_an_agreement_by_badge_signs_and_only_once(room):
    room.send("a001")
    m = room.messages()[0].sent.m
    room.say("a001", "message.shown", a="a001", m=m)
    room.answer("a001", m, "observe")
    room.answer("a001", m, "agree", "key")
    room.answer("a001", m, "read", "badge")
    assert room.settle() == 0
    room.answer("a001", m)
    assert room.settle() == 1 and room.settle() == 0
    room.restart()
    assert room.settle() == 0 and len(room.signatures()) == 1


def test_nobody_signs_the_message_of_another_nor_one_that_asks_for_nothing(room):
    room.log_in("a002")
    room.send("a001")
    (message,) = room.messages()
    room.answer("a002", message.sent.m)
    room.answer("a001", message.sent.m, who="a002")
    room.answer("a001", message_name("agent", 1))
    room.host("message.sent", a="a001", m="0123456789abcdef", text="Llame al 14", sign=True,
              target="DIA-0123456789ab", command=9)  # fmt: skip
    room.answer("a001", "0123456789abcdef")
    assert room.settle() == 0 and room.signatures() == []


def test_a_restart_forgets_nothing(room):
    room.send("a001")
    m = room.messages()[0].sent.m
    room.restart()
    room.answer("a001", m)
    room.restart()
    assert room.settle() == 1
    assert state(room)["a001"] == ("informed", "badge", 1)


def test_many_signatures_are_recorded_a_part_at_a_time(room, monkeypatch):
    monkeypatch.setattr("diadema.hub.notice_desk._AT_ONCE", 1)
    room.log_in("a002")
    room.send("a001", "a002")
    for message in room.messages():
        room.answer(message.sent.agent, message.sent.m)
    assert room.settle() == 2 and room.settle() == 0
    assert {one.agent for one in room.signatures()} == {"a001", "a002"}


def test_who_is_away_or_has_signed_is_told_back(room):
    assert refused(room, room.send, "a002") == "not_logged_in"
    answer = room.send("a001", "a002", "x9", "a001")
    assert answer["refused"] == [
        {"a": "a002", "error": "not_logged_in"}, {"a": "x9", "error": "no_such_agent"},
    ]  # fmt: skip
    room.answer("a001", room.messages()[0].sent.m)
    room.settle()
    assert refused(room, room.send, "a001") == "informed_already"
    assert refused(room, room.send, "a001", "a002") == "nobody_to_sign"
    room.clock.now += DAY_MS
    room.publish("agent", text="Sus llamadas se graban, se escuchan y se evalúan.")
    assert room.send("a001")["count"] == 1, "what is newer is told again"


def test_only_what_is_in_force_for_agents_can_be_sent_or_signed(room):
    for code in ("caller", "nada"):
        assert refused(room, room.send, "a001", notice=code) == "no_such_notice"
        assert refused(room, room.sign, "a001", notice=code, **PAPER) == "no_such_notice"
    room.write("nuevo")
    assert refused(room, room.send, "a001", notice="nuevo") == "no_such_notice", "not published"
    room.publish("otro")
    assert room.send("a001", notice="otro")["count"] == 1


def test_a_paper_informs_from_its_day_on(room):
    assert room.sign("a001", "a002", **PAPER)["count"] == 2
    found = room.signatures()
    assert {(one.agent, one.how, one.date, one.document, one.by) for one in found} == {
        (a, "paper", "2026-11-17", "RH-2026-041", "luz") for a in ("a001", "a002")
    }
    assert state(room)["a002"] == ("informed", "paper", 1)
    again = room.sign("a001", **PAPER)
    assert again == {"of": None, "count": 0, "already": ["a001"]}
    assert len(room.signatures()) == 2


def test_a_refusal_before_two_witnesses_informs_too(room):
    room.sign("a001", how="refused", witnesses=[" Teo  Paz", "Sol Vera"])
    (one,) = room.signatures()
    assert one.witnesses == "Teo Paz\nSol Vera"
    assert state(room)["a001"] == ("informed", "refused", 1)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"how": "paper"}, "notice_no_document"),
        ({"how": "paper", "document": " "}, "notice_no_document"),
        (PAPER | {"witnesses": WITNESSES}, "notice_witnesses_idle"),
        (PAPER | {"date": "2026-11-19"}, "notice_future"),
        (PAPER | {"date": "2026-02-30"}, "notice_no_day"),
        ({"how": "refused"}, "notice_two_witnesses"),
        ({"how": "refused", "witnesses": ["Teo Paz"]}, "notice_two_witnesses"),
        ({"how": "refused", "witnesses": ["Teo Paz", " teo  PAZ "]}, "notice_two_witnesses"),
        ({"how": "refused", "witnesses": ["Rosa Quispe Huamán", "Sol Vera"]},
         "notice_own_witness"),
    ],
)  # fmt: skip
def test_a_paper_that_proves_nothing_is_refused(room, fields, error):
    assert datetime.fromtimestamp(room.clock.now / 1000, room.site.tz).day == 18
    assert refused(room, room.sign, "a001", **fields) == error
    assert room.signatures() == []
    for language in LANGUAGES:
        assert section("acting", language)[error]


def test_one_unknown_agent_stops_them_all(room):
    assert refused(room, room.sign, "a001", "x9", **PAPER) == "no_such_agent"
    assert room.signatures() == []


def test_other_ways_of_being_informed_are_none(room):
    with pytest.raises(ValidationError):
        room.sign("a001", how="badge", **PAPER)
    with pytest.raises(ValidationError):
        room.sign("a001", date="17/11/2026", **PAPER)


def test_a_newer_version_is_to_be_told_to_who_knows_the_older_one(room):
    room.log_in("a002")
    room.send("a001", "a002")
    first, second = room.messages()
    room.answer("a001", first.sent.m)
    room.settle()
    room.clock.now += DAY_MS
    room.publish("agent", text="Sus llamadas se graban, se escuchan y se evalúan.")
    room.answer("a002", second.sent.m)
    room.settle()
    older = {"a001": ("older", "badge", 1), "a002": ("older", "badge", 1)}
    assert state(room) == older, "what the station showed was the first version"
    room.sign("a001", date="2026-11-18", **PAPER)
    assert state(room) == older | {"a001": ("older", "paper", 1)}, (
        "nor is a paper of the day before"
    )
    room.sign("a001", date="2026-11-19", document="RH-2026-052")
    assert state(room)["a001"] == ("informed", "paper", 2)


def test_a_paper_from_before_all_versions_is_of_the_first(room):
    room.sign("a001", date="2019-03-01", **PAPER)
    assert state(room)["a001"] == ("informed", "paper", 1)


def test_a_notice_of_a_queue_is_told_to_its_agents(room):
    people = room.people()
    people.workers["a001"].queues = ["ventas"]
    with room.reader.engine.connect() as tx:
        rows = notices(tx)
    with open_directory(room.data, room.clock.now) as book:
        (text,) = (one for one in published_texts(book, rows) if one.code == "agent")
    rosa, luis = people.workers["a001"], people.workers["a002"]
    assert text.is_for(rosa) and text.is_for(luis)
    for queues, hers in ((("soporte",), False), (("soporte", "ventas"), True)):
        its = type(text)(**{name: getattr(text, name) for name in text.__struct_fields__}
                         | {"queues": queues})  # fmt: skip
        assert its.is_for(rosa) == hers
        assert its.is_for(luis), "who has no queue may have any"


def test_a_long_notice_is_shown_by_its_name(room):
    room.publish("largo", text="Sus llamadas se graban. " * 20)
    room.send("a001", notice="largo")
    assert room.messages()[0].sent.text == "Aviso largo (aviso, v1)"
    assert len("x" * 64 + " (aviso, v999999)") <= MESSAGE_CHARACTERS


def test_what_is_withdrawn_is_to_be_told_to_nobody(room):
    with open_directory(room.data, room.clock.now) as book:
        book.apply([Change(kind="notices", code="agent", body=None)], by="luz", reason="t",
                   at_ms=room.clock.now)  # fmt: skip
        texts = published_texts(book, _rows(room))
    assert "agent" not in in_force(texts, room.people(), room.clock.now, room.site.tz)
    assert refused(room, room.send, "a001") == "no_such_notice"


def _rows(room):
    with room.reader.engine.connect() as tx:
        return notices(tx)


def test_once_signed_the_call_may_be_heard(room):
    luz = Person(id="luz", name="Luz Paz", role="quality_lead")
    wanted = Wanted(source="recording", purpose="coaching")

    def heard(start):
        call = Contact(station="DIA-0123456789ab", epoch=7, sequence=40, contact="c", agent="a001",
                       start_utc=start)  # fmt: skip
        grounds = Grounds(people=room.people(), zone=room.site.tz, now_ms=room.clock.now,
                          published=published_of(_rows(room)),
                          signatures=room.signatures())  # fmt: skip
        return may_hear(luz, call, wanted, grounds)

    before = room.clock.now + 1
    room.clock.now += 60_000
    assert heard(before) == Barred("not_informed")
    room.send("a001")
    room.answer("a001", room.messages()[0].sent.m)
    room.settle()
    room.clock.now += 60_000
    assert heard(before) == Barred("not_informed"), "nobody is informed afterwards"
    assert isinstance(heard(room.clock.now), Permit)


@given(st.from_regex(r"[A-Za-z0-9_.-]{1,16}", fullmatch=True), st.integers(1, 999_999))
def test_a_message_names_its_notice(code, version):
    name = message_name(code, version)
    assert len(name) <= 32 and notice_of(name) == (code, version)


@given(st.text(max_size=32))
def test_other_names_are_no_notices(name):
    found = notice_of(name)
    assert found is None or name.count(".") >= 2
