"""What the monitor's work leaves: each event a row, the same in whatever order they come."""

import json

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands
from diadema.hub.own_journal import OwnJournal, Refused, SupervisorAction
from diadema.ingest.core import Ingest
from diadema.ingest.decode import decode
from diadema.maintenance.rebuild import rebuild
from diadema.store import open_reader, open_writer, quality, tables
from diadema.wire.actions import TEXT_CHARACTERS
from diadema.wire.events import EVENT_LIMIT, EXCLUSIONS, KINDS, NOTE_PART
from diadema.wire.long_texts import parts_of, whole_text
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.monitored import (
    CALL,
    DRAW,
    EVALUATION,
    LEARNT,
    LONGEST,
    OTHER,
    WEEK_MS,
    Monitor,
)
from tests.support.scripted_station import SITE, T0, FixedClock, S

KINDS_OF_QUALITY = {
    kind
    for kind in KINDS
    if kind.partition(".")[0] in ("sample", "notice", "listening", "evaluation", "case")
    or kind in ("recording.linked", "recording.missing", "recording.released", "recording.held")
} - {"notice.acknowledged"}


@pytest.fixture
def monitor(ingest):
    return Monitor(ingest.take_file)


def rows(reader, table):
    with reader.engine.connect() as tx:
        return [dict(one._mapping) for one in tx.execute(select(table)).all()]


def read(reader, what, **which):
    with reader.engine.connect() as tx:
        return what(tx, **which)


@pytest.mark.parametrize("longest", LONGEST, ids=lambda one: one["k"])
def test_the_longest_of_each_kind_fits_and_nothing_longer_is_one(longest):
    place = {"s": "HUB-main", "e": 2**32 - 1, "n": 2**53 - 1, "b": 0, "u": 0, "t": 2**45,
             "by": "b" * 32}  # fmt: skip
    event = place | longest
    body = msgspec.json.encode(event)
    assert len(body) <= EVENT_LIMIT
    assert decode(body)[2] == []
    fields = set(KINDS[longest["k"]].__struct_encode_fields__)
    assert fields - {"c", "i"} - event.keys() <= {"a"}, "a field of it is not there at its longest"
    for name, value in longest.items():
        if name != "k" and (longer := more(value)) is not None:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(event | {name: longer}, KINDS[longest["k"]])


def more(value):
    """The same, longer by a character or a digit; None for what has no more."""
    match value:
        case str():
            return value + value[-1]
        case bool():
            return None
        case int():
            return value * 10 if value != 2**45 else None
        case [str(), int(), int()]:
            return [*value, 1]
        case [*each]:
            return [*each, each[0]]


def test_there_is_a_longest_of_each_kind():
    assert {one["k"] for one in LONGEST} == KINDS_OF_QUALITY and len(LONGEST) == 20


def test_the_hub_says_each_at_its_longest_and_nothing_that_nobody_sees(ingest, reader):
    journal = OwnJournal(ingest, Commands(ingest, None))

    def say(event):
        fields = {"by": "b" * 32} | {name: value for name, value in event.items() if name != "k"}
        return journal.record([SupervisorAction([(event["k"], fields)])]).of

    said = [say(one) for one in LONGEST]
    assert [[n for *_, n in each] for each in said] == [[n] for n in range(1, 21)]
    assert sum(len(rows(reader, one)) for one in tables.QUALITY) == len(LONGEST)
    (signed,) = (one for one in LONGEST if one["k"] == "notice.signed")
    with pytest.raises(Refused, match="witnesses has U\\+202E"):
        say(signed | {"witnesses": ["Teo Paz", "Sol\u202e"]})
    (noted,) = (one for one in LONGEST if one["k"] == "evaluation.noted")
    assert say(noted | {"text": "Una línea\ny otra"})


@pytest.mark.parametrize("letter", ["a", "ñ", "\U0001f600", '"', "\\", "\n", "\x07"])
def test_a_long_note_travels_in_parts_that_fit(letter):
    text = letter * TEXT_CHARACTERS
    parts = parts_of(text, NOTE_PART)
    said = [(one["text"], one["part"], one["parts"], one.get("sha256")) for one in parts]
    assert whole_text(said) == text and len(parts) <= 99
    (noted,) = (one for one in LONGEST if one["k"] == "evaluation.noted")
    place = {"s": "HUB-main", "e": 2**32 - 1, "n": 2**53 - 1, "b": 0, "u": 0, "t": 2**45,
             "by": "b" * 32}  # fmt: skip
    bare = {name: value for name, value in noted.items() if name not in ("sha256",)}
    for one in parts:
        body = msgspec.json.encode(place | bare | one)
        assert len(body) <= EVENT_LIMIT and decode(body)[2] == []


def test_a_draw_goes_its_way(monitor, reader):
    planned = monitor.planned()
    drawn = monitor.drawn(planned)
    supplement = monitor.drawn(planned, draw="0" * 12, chosen=1)
    monitor.annulled(drawn, reason="se pidió otra planilla")
    waiting = monitor.planned(plan="ventas", version=2)
    first, second, third = read(reader, quality.draws)
    assert (key(first.planned), key(first.drawn)) == (planned, drawn)
    assert first.annulled.reason == "se pidió otra planilla"
    assert (first.drawn.draw, first.drawn.frame, first.drawn.chosen) == (DRAW, 310, 40)
    assert first.excluded == dict(zip(EXCLUSIONS, [5, 2, 1, 30, 0, 4, 0, 12], strict=True))
    assert (first.planned.start_utc, first.drawn.cut_utc) == (T0 - 7 * 86_400_000, T0 + 9)
    assert (key(second.planned), key(second.drawn), second.annulled) == (
        planned, supplement, None,
    )  # fmt: skip
    assert (key(third.planned), third.drawn, third.excluded) == (waiting, None, {})
    assert [one.drawn.draw for one in read(reader, quality.draws, ids=["0" * 12])] == ["0" * 12]
    assert [key(one.planned) for one in read(reader, quality.draws, plan="ventas")] == [waiting]


def test_an_assignment_is_known_by_its_event_and_replaced_by_another(monitor, reader):
    lost = monitor.assigned(CALL)
    stays = monitor.assigned(OTHER, rank=2, second=True, to="luz")
    again = monitor.assigned([S, 7, 40], rank=3, of=lost, reason="unplayable")
    directed = monitor.assigned(CALL, to="luz", draw=None, stratum=None, rank=None, pool=None)
    monitor.submitted(stays, call=OTHER)
    found = {key(one.assignment): one for one in read(reader, quality.assigned_calls)}
    assert [*found] == [lost, stays, again, directed]
    assert found[lost].replaced and not found[again].replaced
    assert (found[again].assignment.reason, found[again].assignment.rank) == ("unplayable", 3)
    assert found[stays].assignment.second and not found[lost].assignment.second
    assert found[directed].assignment.draw is None
    assert [found[one].submitted is not None for one in found] == [False, True, False, False]
    its = read(reader, quality.assigned_calls, assignee="luz")
    assert [key(one.assignment) for one in its] == [stays, directed]
    drawn = read(reader, quality.assigned_calls, draws=[DRAW])
    assert [key(one.assignment) for one in drawn] == [lost, stays, again]
    waiting = read(reader, quality.assigned_calls, assignee="luz", waiting=True)
    assert [key(one.assignment) for one in waiting] == [directed]
    of_call = read(reader, quality.assigned_calls, calls=[CALL])
    assert [key(one.assignment) for one in of_call] == [lost, directed]


def test_an_evaluation_is_what_was_last_said_of_it(monitor, reader):
    of = monitor.assigned(CALL)
    monitor.noted(item="saludo", from_ms=1000, to_ms=4000, about="praise", text="Se presenta")
    monitor.noted(item="cierre", about="improve", text=LEARNT)
    submitted = monitor.submitted(of)
    (before,) = read(reader, quality.evaluations)
    assert (before.score, before.raw, before.answers, before.failed) == (
        0,
        864,
        "011-2",
        "section",
    )
    assert (before.critical_user, before.critical_business) == (1, None)
    assert (before.released_utc, before.annulled, before.revised) == (None, None, None)
    notes = read(reader, quality.notes, evaluations=[EVALUATION])[EVALUATION]
    assert [(one.item, one.text, one.from_ms) for one in notes] == [
        ("saludo", "Se presenta", 1000), ("cierre", LEARNT, None),
    ]  # fmt: skip
    monitor.revised(submitted)
    released = monitor.released(submitted)
    (after,) = read(reader, quality.evaluations, agents=["a001"])
    assert (after.score, after.raw, after.answers, after.failed) == (900, 900, "111-2", "none")
    assert (after.critical_user, after.critical_business, after.critical_compliance) == (
        0,
        None,
        0,
    )
    assert after.submitted.answers == "011-2" and after.revised.reason == "el audio lo muestra"
    assert after.released_utc == T0 + released[2]
    monitor.step("annulled", submitted, reason="no era su llamada")
    (gone,) = read(reader, quality.evaluations, ids=[EVALUATION])
    assert gone.annulled.reason == "no era su llamada"
    assert read(reader, quality.evaluations, agents=["a002"]) == []
    at = gone.submitted.utc
    assert read(reader, quality.evaluations, end_utc=at) == []
    assert len(read(reader, quality.evaluations, start_utc=at, end_utc=at + 1)) == 1
    assert len(read(reader, quality.evaluations, assignments=[of])) == 1


def test_nothing_applies_is_no_nought(monitor, reader):
    monitor.submitted(monitor.assigned(CALL), score=None, raw=None, answers="----")
    (found,) = read(reader, quality.evaluations)
    assert (found.score, found.raw) == (None, None)


def test_of_a_recording_the_last_counts_and_each_act_stays(monitor, reader):
    monitor.say("recording.missing", a="a001", call=CALL, reason="not_found")
    monitor.linked(CALL, offset_ms=-1200)
    monitor.linked(OTHER, how="hour", pauses="not")
    monitor.say("recording.held", call=CALL, reason="reclamo 12", until=T0 + 90)
    monitor.released_copy(CALL)
    found = read(reader, quality.recordings, calls=[CALL, OTHER, (S, 9, 9)])
    assert [*found] == [CALL, OTHER]
    first, other = found.values()
    assert (first.recording.kind, first.recording.offset_ms) == ("linked", -1200)
    assert [(one.kind, one.until_utc, one.receiver) for one in first.acts] == [
        ("held", T0 + 90, None), ("released", None, "Ana Ríos"),
    ]  # fmt: skip
    assert (other.recording.how, other.recording.pauses, other.acts) == ("hour", "not", [])
    monitor.say("recording.missing", a="a001", call=CALL, reason="gone")
    (now,) = read(reader, quality.recordings, calls=[CALL]).values()
    assert (now.recording.kind, now.recording.reason, len(now.acts)) == ("missing", "gone", 2)
    monitor.say("recording.held", call=[S, 7, 70], reason="reclamo 13")
    (held,) = read(reader, quality.recordings, calls=[(S, 7, 70)]).values()
    assert held.recording is None and held.acts[0].until_utc is None


def test_notices_and_who_was_informed_of_them(monitor, reader):
    monitor.say("notice.published", notice="aviso", side="agent", version=1, hash="0f" * 32)
    monitor.say("notice.published", notice="aviso", side="agent", version=2, hash="f0" * 32)
    monitor.signed("badge", of=[S, 7, 9])
    monitor.signed("refused", agent="a002", date="2026-11-02", document="RH-9",
                   witnesses=["Ana Ríos", "Teo Paz"])  # fmt: skip
    published = read(reader, quality.notices)
    assert [(one.notice, one.version, one.side) for one in published] == [
        ("aviso", 1, "agent"), ("aviso", 2, "agent"),
    ]  # fmt: skip
    badge, refused = read(reader, quality.signatures)
    assert (badge.how, badge.of_n, badge.witnesses) == ("badge", 9, None)
    assert (refused.document, refused.date) == ("RH-9", "2026-11-02")
    assert refused.witnesses.splitlines() == ["Ana Ríos", "Teo Paz"]
    assert read(reader, quality.signatures, agent="a002") == [refused]


def test_who_heard_what_and_for_how_long(monitor, reader):
    heard = monitor.heard(CALL)
    monitor.say("listening.ended", of=heard, heard_ms=71_000, cause="done")
    monitor.say("listening.refused", a="a002", call=OTHER, source="live", mode="whisper",
                purpose="help", reason="no_notice")  # fmt: skip
    going = monitor.heard(OTHER, agent="a002", listening="0" * 12, by="luz")
    one, refused, last = read(reader, quality.listenings)
    assert (one.began.kind, one.began.purpose, one.began.announced) == (
        "started", "evaluation", False,
    )  # fmt: skip
    assert (one.ended.heard_ms, one.ended.cause) == (71_000, "done")
    assert (refused.began.kind, refused.began.reason, refused.ended) == (
        "refused", "no_notice", None,
    )  # fmt: skip
    assert (key(last.began), last.ended) == (going, None)
    assert read(reader, quality.listenings, agent="a002") == [refused, last]
    assert read(reader, quality.listenings, by="luz") == [last]
    assert read(reader, quality.listenings, calls=[CALL]) == [one]
    assert read(reader, quality.listenings, end_utc=T0) == []
    assert read(reader, quality.listenings, start_utc=last.began.utc) == [last]


def test_a_case_is_open_until_its_time_or_until_it_is_closed(monitor, reader):
    first = monitor.opened(CALL, of=(S, 7, 30))
    again = monitor.opened(CALL, case="0" * 12, number="RH-13")
    other = monitor.opened(OTHER, agent="a002", case="1" * 12)
    one, second, third = read(reader, quality.cases)
    assert [key(each.opened) for each in (one, second, third)] == [first, again, other]
    assert (one.call, one.evaluation, second.evaluation) == (CALL, (S, 7, 30), None)
    assert (one.opened.number, one.opened.reason) == ("RH-12", "queja de Sol")
    until = T0 + WEEK_MS
    assert one.is_open(until - 1) and not one.is_open(until)
    monitor.say("case.closed", of=first, reason="se resolvió")
    monitor.say("case.closed", of=first, reason="otra vez")
    one, second = read(reader, quality.cases, calls=[CALL])
    assert one.closed.reason == "se resolvió" and not one.is_open(T0)
    assert second.closed is None and second.is_open(T0)
    assert read(reader, quality.cases, agent="a002") == [third]
    assert read(reader, quality.cases, ids=["0" * 12]) == [second]
    assert read(reader, quality.cases, calls=[(S, 9, 9)]) == []


def test_what_a_station_says_of_it_is_nothing(ingest, reader):
    Monitor(ingest.take_file, s=S).whole()
    assert [rows(reader, one) for one in tables.QUALITY] == [[] for _ in tables.QUALITY]


def test_all_of_it_comes_again_from_the_events(tmp_path, monitor, clock, reader):
    data = DataDir(tmp_path)
    data.site.write_text(json.dumps(SITE))
    monitor.whole()
    before = [rows(reader, one) for one in tables.QUALITY]
    assert all(before)
    assert rebuild(data, clock).differences == []
    writer = open_writer(data.store)
    with writer.transaction() as tx:
        for one in tables.QUALITY:
            tx.execute(one.delete())
    writer.close()
    lost = rebuild(data, clock, apply=True).differences
    assert {one.table for one in lost} == {str(one.name) for one in tables.QUALITY}
    assert [rows(reader, one) for one in tables.QUALITY] == before


@pytest.fixture(scope="module")
def journals():
    """Two, as a hub that was restored has them."""
    messages = []
    for e in (1, 2):
        Monitor(messages.extend, e=e).whole()
    return messages


@pytest.fixture(scope="module")
def in_order(journals, tmp_path_factory):
    return state(tmp_path_factory, journals)


@settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_order_and_doubles_change_nothing(tmp_path_factory, journals, in_order, chance):
    shuffled = journals + chance.sample(journals, len(journals) // 2)
    chance.shuffle(shuffled)
    assert state(tmp_path_factory, shuffled) == in_order


def state(folders, messages):
    """Every table, and what its readers make of it."""
    path = folders.mktemp("store") / "store.sqlite3"
    writer = open_writer(path)
    ingest = Ingest(writer, None, FixedClock(T0 + 86_400_000))
    for at in range(0, len(messages), 7):
        ingest.take_file(messages[at : at + 7])
    writer.close()
    with open_reader(path) as reader:
        its = [sorted(map(str, rows(reader, one))) for one in tables.QUALITY]
        what = [quality.draws, quality.assigned_calls, quality.notices, quality.signatures,
                quality.listenings, quality.evaluations, quality.cases]  # fmt: skip
        seen = [read(reader, one) for one in what]
        noted = read(reader, quality.notes, evaluations=[EVALUATION])
        assert all(its) and all(seen) and noted
        return its, seen, noted, read(reader, quality.recordings, calls=[CALL, OTHER])


def key(row):
    return row.station, row.epoch, row.sequence


def test_a_code_that_was_right_is_no_note_and_the_last_one_counts(ingest, reader, monitor):
    monitor.noted("VENTA", item="codigo", about="code")
    monitor.noted("Saluda bien", about="praise")
    monitor.noted("RECLAMO", item="codigo", about="code")
    found = read(reader, quality.notes, evaluations=[EVALUATION])
    assert [one.text for one in found[EVALUATION]] == ["Saluda bien"]
    assert read(reader, quality.right_codes, evaluations=[EVALUATION]) == {EVALUATION: "RECLAMO"}
