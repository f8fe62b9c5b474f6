"""Bench tests: who may begin one, and a signed record of each, made once whoever was killed."""

import json

import msgspec
import pytest
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.hub.commanding import Commands, New
from diadema.hub.inspections import LIFE_MS, Inspections
from diadema.hub.own_journal import ME, Refused
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.maintenance.rebuild import rebuild
from diadema.stations.selftest import telling
from diadema.stations.selftest.record import Signed, inspections, standing
from diadema.stations.technician import hub_key
from diadema.stations.technician.hub_key import read, written
from diadema.store import tables
from diadema.wire.ask_hub import ask_hub
from diadema.wire.events import EVENT_LIMIT
from sqlalchemy import select

from tests.host.test_ingest_service import Play
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import SITE, T0, S, Script

S2 = "DIA-0123456789ac"
CHECKS = {"keys": "ok", "lights": "ok", "microphone": "failed", "flash": "skipped"}


@pytest.fixture
def data(tmp_path):
    found = DataDir(tmp_path)
    found.make()
    found.site.write_text(json.dumps(SITE))
    return found


@pytest.fixture
def bench(data, ingest, reader):
    return Inspections(data, ingest, Commands(ingest, None), reader)


@pytest.fixture
def script(ingest):
    """A station that is there with nobody logged in."""
    made = Script().boot().clock()
    ingest.take([made.hello_message(), *made.messages()], "stream", "server")
    return made


def told(ingest, script, i, checks=CHECKS, **more):
    fields = {"checks": checks, "fit": "failed" not in checks.values(), "bench": True, "i": i}
    script.add("station.selftest", **fields | more)
    return ingest.take(script.messages(first=script.n), "stream", "server")


def own(reader):
    return [event.event for event in reader.events_of(ME)]


def reread(file, signed, *other):
    made = written(signed)
    file.write_bytes(made.replace(*other) if other else made)
    return read(file, Signed, "diadema selftest show")


def test_a_bench_test_is_recorded_and_signed(data, ingest, bench, script, reader, tmp_path):
    assert bench.make() is None and not bench.due
    answer, frames = bench.begin({"s": "A-01", "by": "Ana"})
    assert (answer["s"], answer["seat"]) == (S, "A-01")
    ((to, frame),) = frames
    assert to == S
    sent = {"cmd": "selftest", "i": answer["i"], "bench": 1, "by": "Ana"}
    assert json.loads(frame) == sent
    assert told(ingest, script, answer["i"], reason="microphone").tested
    bench.make()
    assert bench.make() is None
    (event,) = own(reader)
    assert (event["k"], event["by"], event["seat"]) == ("station.inspected", "Ana", "A-01")
    assert (event["of"], event["fit"]) == ([S, 7, script.n], False)
    (signed,) = inspections(data, S)
    assert (signed.failed, signed.reason) == (["microphone"], "microphone")
    assert signed.key == hub_key.load(data).public
    assert standing(reread(tmp_path / "record.json", signed), signed.key) == "right"
    assert data.inspection_key.stat().st_mode & 0o777 == 0o600


def test_what_was_altered_and_what_another_hub_signed_is_seen(
    data, ingest, bench, script, tmp_path
):
    told(ingest, script, bench.begin({"s": S, "by": "Ana"})[0]["i"])
    bench.make()
    (signed,) = inspections(data, S)
    file = tmp_path / "record.json"
    for old, new in ((b'"failed"', b'"ok"'), (b'"Ana"', b'"Eva"'), (b"false", b"true")):
        altered = reread(file, signed, old, new)
        assert standing(altered, signed.key) == "altered"
    erased = reread(file, signed, b'"Ana"', b'"erased-0123456789"')
    assert standing(erased, signed.key) == "erased"
    other = DataDir(tmp_path / "other")
    other.make()
    assert standing(signed, hub_key.load_or_make(other).public) == "another_hub"
    assert standing(altered, hub_key.load_or_make(other).public) == "altered"


def test_a_shifts_own_test_has_no_record(ingest, bench, script, reader):
    script.add("station.selftest", checks={"keys": "ok"}, fit=True)
    effects = ingest.take(script.messages(first=script.n), "stream", "server")
    assert not effects.tested
    assert bench.make() is None and own(reader) == []


def test_one_that_was_stored_and_not_recorded_is_recorded_by_the_next(
    data, ingest, bench, script, reader, writer, site, clock
):
    """The ingest was killed between the two; and what it has recorded is not recorded again."""
    first, _ = bench.begin({"s": S, "by": "Ana"})
    told(ingest, script, first["i"])
    for expected in (1, 1):
        after = Ingest(writer, site, clock)
        Inspections(data, after, Commands(after, None), reader).make()
        assert [event["by"] for event in own(reader)] == ["Ana"] * expected


def nobody(bench, script):
    """Of a program that gave no name."""
    return bench._commands.order(New(S, "selftest", {"bench": 1}))[0]


def of_the_shift(bench, script):
    return bench._commands.order(New(S, "selftest", {}))[0]


def of_a_message(bench, script):
    return bench._commands.order(New(S, "text", {"by": "Nelly", "text": "x"}))[0]


def of_another_station(bench, script):
    return bench._commands.order(New(S2, "selftest", {"bench": 1, "by": "Eva"}))[0]


@pytest.mark.parametrize(
    ("number", "by"),
    [
        (nobody, ["diadema"]),
        (of_the_shift, []),
        (of_a_message, []),
        (of_another_station, []),
        (lambda *_: None, []),
        (lambda *_: 5, []),  # as a store from a backup has none of the last commands
    ],
)
def test_only_what_a_technician_asked_for_is_recorded(
    data, ingest, bench, script, reader, caplog, number, by
):
    told(ingest, script, number(bench, script), checks={"keys": "ok"})
    bench.make()
    assert [event["by"] for event in own(reader)] == by
    assert (f"{S}: 1 of its bench tests" in caplog.text) == (not by)
    caplog.clear()
    assert bench.make() is None and not bench.due and not caplog.text
    first, _ = bench.begin({"s": S, "by": "Ana"})
    told(ingest, script, first["i"])
    bench.make()
    assert [event["by"] for event in own(reader)] == [*by, "Ana"]


@pytest.mark.parametrize("at_once", [True, False])
def test_of_one_told_twice_the_first_is_recorded(data, ingest, bench, script, reader, at_once):
    asked, _ = bench.begin({"s": S, "by": "Ana"})
    told(ingest, script, asked["i"])
    first = script.n
    if not at_once:
        bench.make()
    told(ingest, script, asked["i"], checks={"keys": "ok"})
    bench.make()
    assert bench.make() is None
    (event,) = own(reader)
    assert (event["of"], event["fit"]) == ([S, 7, first], False)


@pytest.mark.parametrize(
    ("checks", "why"),
    [({}, "no comprobó nada"), ({"keys": "failed", "lights": "ok"}, "Teclas")],
)
def test_a_fit_that_its_checks_do_not_bear_is_none(data, ingest, bench, script, checks, why):
    asked, _ = bench.begin({"s": S, "by": "Ana"})
    told(ingest, script, asked["i"], checks=checks, fit=True)
    bench.make()
    (signed,) = inspections(data, S)
    assert not signed.record.fit and standing(signed, signed.key) == "right"
    assert telling.verdict(signed, "es") == f"A-01: NO OPERATIVA: {why}."
    assert telling.to_do(signed, "es")


def test_the_next_command_can_be_pasted(data, ingest, bench, script):
    told(ingest, script, bench.begin({"s": S, "by": "Ana"})[0]["i"])
    bench.make()
    (signed,) = inspections(data, S)
    assert telling.next_step(signed, "es").endswith(" show A-01 -o A-01.pdf")
    moved = msgspec.structs.replace(signed.record, seat="a/b 1")
    moved = msgspec.structs.replace(signed, record=moved)
    assert telling.next_step(moved, "es").endswith(" show 'a/b 1' -o 'a-b 1.pdf'")


def test_a_record_that_comes_back_from_the_stream_is_the_record(
    data, ingest, bench, script, reader
):
    """A store from a backup: the test and its record come again, and nothing is made anew."""
    told(ingest, script, bench.begin({"s": S, "by": "Ana"})[0]["i"])
    done = bench.make()
    with ingest.changing([]) as tx:
        tx.execute(tables.inspections.delete())
        tx.execute(tables.events.delete().where(tables.events.c.s == ME))
        tx.execute(tables.positions.delete().where(tables.positions.c.s == ME))
    again = Ingest(ingest.writer, ingest.site, ingest.clock)
    again.take([Message(90, subject_of(ME), done.messages[0].data)], "stream", "server")
    assert Inspections(data, again, Commands(again, None), reader).make() is None
    assert len(inspections(data, S)) == 1


def test_who_cannot_be_tested(ingest, bench, script):
    def refusal(**body):
        with pytest.raises(Refused) as refused:
            bench.begin({"by": "Ana", **body})
        return refused.value.error, refused.value.status

    assert refusal(s="Z-99") == ("unknown_station", 404)
    assert refusal(s="HUB-main") == ("unknown_station", 404)
    assert refusal(s="A-02") == ("link_lost", 409)
    assert refusal(s="A-01", by="An\u202ea") == ("hidden", 422)
    ingest.take(script.login().messages(first=script.n - 1), "stream", "server")
    assert refusal(s="A-01") == ("somebody_there", 409)


def test_it_is_not_begun_by_a_station_that_comes_much_later(ingest, bench, script, reader, clock):
    answer, _ = bench.begin({"s": S, "by": "Ana"})
    command = reader.command(S, answer["i"])
    assert command["expires_utc"] == clock.now + LIFE_MS


def test_the_longest_names_fit_an_event(data, ingest, writer, reader, clock):
    clock.now = T0
    script = Script(e=2**32 - 1).boot().clock()
    greeting = script.hello_message(board="\u00f1" * 64)
    ingest.take([greeting, *script.messages()], "stream", "server")
    ingest.station(S).state.firmware = '"' * 64
    bench = Inspections(data, ingest, Commands(ingest, None), reader)
    told(ingest, script, bench.begin({"s": S, "by": "Ñ" * 16})[0]["i"])
    (message,) = bench.make().messages
    assert len(message.data) <= EVENT_LIMIT


def test_a_rebuild_makes_them_again(data, ingest, bench, script, writer, clock):
    told(ingest, script, bench.begin({"s": S, "by": "Ana"})[0]["i"])
    bench.make()
    ingest.save((), ingest.floor.agents())
    with writer.transaction() as tx:
        tx.execute(tables.inspections.delete())
        tx.execute(tables.bench_tests.delete())
    writer.close()
    done = rebuild(data, clock, apply=True)
    assert {one.table for one in done.differences} == {"bench_tests", "inspections"}
    assert len(inspections(data, S)) == 1


def test_stations_tell_the_store_of_which_tests(ingest, bench, script, reader):
    told(ingest, script, 5)
    with reader.engine.connect() as tx:
        (row,) = tx.execute(select(tables.bench_tests))
    assert tuple(row) == (S, 7, script.n, 5)


async def test_killed_again_and_again_it_records_each_test_once(broker, stack, tmp_path):
    broker.write_hub()
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(T0, 0)
    ingest = await stack.enter_async_context(IngestProcess(broker, clock))
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock()
    await play.hello(script)
    await play.send(script)
    for _ in range(2):
        begun = await ask_hub(broker.data, "hub.selftest", {"s": S, "by": "Ana"})
        script.add("station.selftest", checks=CHECKS, fit=False, bench=True, i=begun["i"])
        await play.send(script, first=script.n)
        await play.acked(script)
        await ingest.stop(kill=True)
        await ingest.start()
    await until(lambda: len(inspections(broker.data, S)) == 2)
    records = inspections(broker.data, S)
    assert [one.record.of[2] for one in records] == [4, 3]
    assert {standing(one, one.key) for one in records} == {"right"}
