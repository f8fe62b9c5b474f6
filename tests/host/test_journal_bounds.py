"""What a station says of its journals is bounded: no word of its own loses what it tells later,
and however many journals it names, few are held.
"""

import json

import pytest
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message

from tests.host.test_ingest import take
from tests.support.scripted_station import S, Script

MOST = 2**53 - 1


def full_day(**where):
    return Script(**where).boot().clock().login().ready().call("c1").logout()


@pytest.mark.parametrize("first, last", [(MOST, MOST), (2**25, 2**25), (1, MOST)])
def test_a_greeting_beyond_any_journal_moves_nothing(ingest, reader, first, last):
    script = full_day()
    take(ingest, script.messages(1, 4))
    effects = take(ingest, [script.hello_message(5, first=first, last=last)])
    assert any("dead letter" in alarm for alarm in effects.alarms)
    assert take(ingest, script.messages(5)).acks == {S: (7, script.n)}
    assert len(reader.contacts()) == 1 and reader.losses() == []


def test_a_loss_beyond_any_journal_is_one_of_that_record(ingest, reader):
    script = full_day()
    told = {"s": S, "e": 7, "n": 5, "to": MOST, "k": "station.lost"}
    lost = Message(5, script.topic, json.dumps(told).encode())
    effects = take(ingest, [*script.messages(1, 4), lost, *script.messages(6)])
    assert effects.acks == {S: (7, script.n)}
    assert [(one["first"], one["last"]) for one in reader.losses()] == [(5, 5)]
    assert len(reader.contacts()) == 1


def test_an_answer_to_a_command_that_was_never_sent_takes_no_numbers(ingest):
    script = full_day().add("command.refused", command="ring", reason="x", i=MOST)
    take(ingest, script.messages())
    assert ingest.stations[S].next_i < 2**32


def epochs(count, first=100):
    return [full_day(e=first + at) for at in range(count)]


def test_few_journals_of_a_station_are_held(ingest, reader):
    scripts = epochs(40)
    take(ingest, [message for script in scripts for message in script.messages()])
    assert len(ingest.stations[S].journals) <= 8
    assert len(reader.contacts()) == 40
    again = [message for script in scripts for message in script.messages()]
    effects = take(ingest, again)
    assert (reader.status()["conflicts"], reader.status()["dead_letters"]) == (0, 0)
    assert (reader.count(), len(reader.contacts())) == (len(again), 40)
    assert effects.acks == {S: (139, scripts[-1].n)}


def test_one_that_was_put_aside_goes_on_where_it_was(ingest, reader, writer, site, clock):
    old, *others = epochs(30)
    take(ingest, old.messages(1, 5) + old.messages(7, 9))
    take(ingest, [message for script in others for message in script.messages()])
    assert old.e not in ingest.stations[S].journals
    for after in (ingest, Ingest(writer, site, clock)):
        assert len(after.stations[S].journals) <= 8
        assert take(after, old.messages(6)).acks == {S: (old.e, old.n)}
        assert take(after, others[-1].messages()).acks == {S: (others[-1].e, others[-1].n)}
    assert reader.count() == old.n * 30
    assert reader.status()["conflicts"] == 0


def test_the_journal_that_was_greeted_stays(ingest):
    greeted = full_day(e=7)
    take(ingest, [greeted.hello_message(), *greeted.messages()])
    take(ingest, [message for script in epochs(30) for message in script.messages()])
    assert ingest.stations[S].position == greeted.n


def test_greetings_alone_leave_no_rows(ingest, writer):
    for at in range(50):
        script = Script(e=at)
        take(ingest, [script.hello_message(at + 1)])
    station = ingest.stations[S]
    assert len(station.journals) <= 8 and len(station.returned) <= 16
    with writer.transaction() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM positions").scalar_one() <= 8
