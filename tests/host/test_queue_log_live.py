"""A queue_log of calls that the switch's bridge told live, each event to the millisecond: imported
later it adds nothing, and says where the two differ.
"""

import asyncio
import json
import random

import pytest
from diadema.base.clock import SystemClock
from diadema.base.locks import locked
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.exchange.queue_log_import import import_queue_log
from diadema.ingest.core import Ingest
from diadema.ingest.messages import Message, subject_of
from diadema.maintenance.rebuild import rebuild
from diadema.site import description
from diadema.store import open_reader, open_writer
from diadema.wire.ask_hub import ask_hub

from tests.support.broker_fixtures import IngestProcess
from tests.support.queue_logs import QueueLog, T
from tests.support.scripted_station import SITE

S = "PBX-central"
SITE_TEXT = json.dumps(SITE).encode()


class Switch:
    """Writes its log by whole seconds, and has a bridge that tells the same in milliseconds."""

    def __init__(self, e=0xB41D9E, seed=7):
        self.log, self.told, self.e = QueueLog(), [], e
        self.chance = random.Random(seed)

    def tell(self, k, at_ms, pbx, queue="saldos", **fields):
        event = {"s": S, "e": self.e, "n": len(self.told) + 1, "b": 0, "u": 0}
        event |= {"t": T * 1000 + at_ms, "k": k, "pbx": pbx}
        event |= fields if k.startswith("recording") else {"queue": queue} | fields
        self.told.append(json.dumps(event).encode())

    def _ms(self, at):
        return at * 1000 + self.chance.randrange(1000)

    def enter(self, at, pbx, queue="saldos"):
        self.log.enter(at, pbx, queue)
        entered = self._ms(at)
        self.tell("queue.entered", entered, pbx, queue, position=1, reference="0f" * 16)
        return entered

    def call(self, at, pbx, wait=10, talk=60, agent="SIP/201", queue="saldos", by="AGENT"):
        entered = self.enter(at, pbx, queue)
        self.log.line(at + 3, pbx, queue, "SIP/209", "RINGNOANSWER", 3000)
        self.tell("queue.offered", self._ms(at + 3), pbx, queue, agent="SIP/209", ring_ms=3004)
        self.log.connect(at + wait, pbx, wait, agent, queue)
        answered = self._ms(at + wait)
        self.tell("queue.connected", answered, pbx, queue, agent=agent,
                  wait_ms=answered - entered, ring_ms=2100)  # fmt: skip
        self.tell("recording.started", answered + 5, pbx, linked=pbx, agent=agent)
        self.log.complete(at + wait + talk, pbx, wait, talk, agent, queue, by)
        ended = self._ms(at + wait + talk)
        self.tell("recording.stopped", ended, pbx, linked=pbx, agent=agent)
        self.tell("queue.left", ended, pbx, queue, cause="completed", by=by.lower(), agent=agent,
                  wait_ms=answered - entered, talk_ms=ended - answered)  # fmt: skip
        return self

    def abandon(self, at, pbx, wait=30):
        entered = self.enter(at, pbx)
        self.log.line(at + wait, pbx, "saldos", "NONE", "ABANDON", 1, 1, wait)
        gone = self._ms(at + wait)
        self.tell("queue.abandoned", gone, pbx, wait_ms=gone - entered, position=1)
        return self

    def timeout(self, at, pbx, wait=60):
        """Live, the switch says that a caller left and not why."""
        self.enter(at, pbx)
        self.log.line(at + wait, pbx, "saldos", "NONE", "EXITWITHTIMEOUT", 1, 1, wait)
        self.tell("queue.left", self._ms(at + wait), pbx, cause="unknown")
        return self

    def day(self):
        self.call(0, "1.1").abandon(40, "1.2").call(90, "1.3", queue="reclamos", by="CALLER")
        return self.timeout(200, "1.4").timeout(300, "1.5").call(360, "1.5")  # it came again


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path / "data")
    made.make()
    made.site.write_bytes(SITE_TEXT)
    return made


@pytest.fixture
def bring(data, clock):
    return lambda *files, **more: import_queue_log(files, data, clock, **more)


def live(data, clock, switch):
    """What the hub's `hub.queue` does with it."""
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, description.parse(SITE_TEXT), clock)
        ingest.take_file([Message(0, subject_of(S), body) for body in switch.told])
        assert ingest.stations[S].journals[switch.e].position == len(switch.told)
    finally:
        writer.close()


def stored(data):
    reader = open_reader(data.store)
    try:
        rings = reader.queue_rings(start_utc=0, end_utc=1 << 60)
        return reader.queue_calls(), rings, [*reader.events_of(S)]
    finally:
        reader.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_log_of_what_was_told_live_adds_nothing(data, bring, clock, tmp_path, seed):
    switch = Switch(seed=seed).day()
    live(data, clock, switch)
    before = stored(data)
    assert len(before[0]) == 6 and len(before[1]) == 3
    file = switch.log.write(tmp_path / "queue_log")
    for _ in range(2):
        done = bring(file)
        assert (done.imported, done.live_calls, done.different, done.fresh, done.new) == (
            True, 6, [], 0, 0,
        )  # fmt: skip
    assert stored(data) == before
    assert rebuild(data, clock).differences == []


def test_who_comes_back_within_the_second_is_not_taken_for_who_came_before(
    data, bring, clock, tmp_path
):
    """Handed from one agent to the next by way of the queue; the moments are late in the second
    whose number the log has.
    """
    switch = Switch()
    for at in range(6):
        agent = f"SIP/20{at % 2}"
        switch.log.enter(at, "1.1").connect(at, "1.1", 0, agent, "saldos")
        switch.log.complete(at, "1.1", 0, 0, agent, "saldos", "AGENT")
        moment = at * 1000 + 950
        switch.tell("queue.entered", moment, "1.1", position=1)
        switch.tell("queue.connected", moment, "1.1", agent=agent, wait_ms=0)
        switch.tell("queue.left", moment, "1.1", cause="completed", by="agent", agent=agent,
                    talk_ms=0)  # fmt: skip
    live(data, clock, switch)
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.different, done.new) == (6, [], 0)


def test_what_the_bridge_missed_comes_with_the_log(data, bring, clock, tmp_path):
    switch = Switch().day()
    live(data, clock, switch)
    told = len(switch.told)
    switch.call(500, "2.1").abandon(600, "2.2")  # nobody was there to tell of these
    lines = switch.log.lines
    switch.log.lines = lines[-6:] + lines[:-6]  # and of a call before
    switch.log.lines.sort(key=lambda line: int(line.partition("|")[0]))
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.different, done.fresh, done.new) == (6, [], 2, 6)
    calls, rings, events = stored(data)
    assert sorted(call.pbx for call in calls) == ["1.1", "1.2", "1.3", "1.4", "1.5", "1.5", "2.1",
                                                  "2.2"]  # fmt: skip
    assert (len(rings), len(events)) == (4, told + 6)
    switch.call(700, "2.3")  # it grows
    again = bring(switch.log.write(tmp_path / "queue_log"))
    assert (again.live_calls, again.fresh, again.new) == (6, 1, 4)
    assert bring(tmp_path / "queue_log").new == 0
    assert len(stored(data)[0]) == 9
    assert rebuild(data, clock).differences == []


@pytest.mark.parametrize(
    ("was", "now", "word"),
    [
        ("|SIP/201|CONNECT", "|SIP/202|CONNECT", "agent"),
        ("|SIP/201|COMPLETEAGENT|10|60", "|SIP/201|COMPLETEAGENT|10|45", "lengths"),
        ("COMPLETEAGENT", "COMPLETECALLER", "outcome"),
        (f"{T + 70}|", f"{T + 75}|", "hours"),
    ],
)
def test_where_the_log_says_otherwise_it_is_told_and_nothing_changes(
    data, bring, clock, tmp_path, was, now, word
):
    switch = Switch().call(0, "1.1")
    live(data, clock, switch)
    before = stored(data)
    switch.log.lines = [line.replace(was, now) for line in switch.log.lines]
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.fresh, done.new) == (1, 0, 0)
    (found,) = done.different
    assert (found.line, found.what.name) == (1, f"errors.row.live_{word}")
    assert stored(data) == before


def test_a_bridge_whose_clock_is_ten_minutes_off_doubles_nothing(data, bring, clock, tmp_path):
    switch = Switch().call(0, "1.1").abandon(100, "1.2")
    events = [json.loads(body) for body in switch.told]
    switch.told = [json.dumps(event | {"t": event["t"] - 600_000}).encode() for event in events]
    live(data, clock, switch)
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.fresh, done.new) == (2, 0, 0)
    assert {one.what.name for one in done.different} == {"errors.row.live_hours"}


def test_a_log_that_ends_in_a_call_is_not_different(data, bring, clock, tmp_path):
    switch = Switch().call(0, "1.1").abandon(100, "1.2")
    live(data, clock, switch)
    switch.log.lines = switch.log.lines[:3] + switch.log.lines[4:5]  # neither has its end
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.different, done.new) == (2, [], 0)


def test_a_rotated_log_that_begins_in_a_call(data, bring, clock, tmp_path):
    switch = Switch().call(0, "1.1").abandon(100, "1.2")
    live(data, clock, switch)
    whole = switch.log.lines
    switch.log.lines = whole[2:]
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.unentered, done.live_calls, done.different, done.new) == (1, 2, [], 0)


def test_what_came_in_by_a_log_first_stays_its_own(data, bring, clock, tmp_path):
    switch = Switch().call(0, "1.1")
    file = switch.log.write(tmp_path / "queue_log")
    assert bring(file).new == 4
    switch.abandon(200, "1.2")
    switch.told = []
    switch.abandon(400, "1.3")  # the bridge begins here
    live(data, clock, switch)
    done = bring(switch.log.write(tmp_path / "queue_log"))
    assert (done.live_calls, done.fresh, done.new) == (1, 1, 2)
    assert sorted(call.pbx for call in stored(data)[0]) == ["1.1", "1.2", "1.3"]


def test_the_command_says_what_was_counted(data, clock, tmp_path, monkeypatch, capsys):
    switch = Switch().day()
    live(data, clock, switch)
    switch.log.lines[-1] = switch.log.lines[-1].replace("AGENT|10|60", "AGENT|10|20")
    file = switch.log.write(tmp_path / "queue_log")
    monkeypatch.setattr(
        "sys.argv", ["diadema", "import", "queue-log", str(file), "--data", str(data.root)]
    )
    with pytest.raises(SystemExit) as end:
        main.main()
    said = capsys.readouterr().out
    assert not end.value.code
    assert "Calls: 0 new, 1 different, 6 already counted" in said
    assert f"{file}, line" in said


async def test_a_bridge_tells_a_running_hub(broker, tmp_path, stack):
    """By `hub.queue`, live: queues and recordings of one source, its numbers without a gap."""
    broker.write_hub()
    await stack.enter_async_context(IngestProcess(broker))
    switch = Switch().day()
    ask = {"s": S, "e": switch.e, "live": True}
    for at in range(0, len(switch.told), 5):
        events = [body.decode() for body in switch.told[at : at + 5]]
        answer = await ask_hub(broker.data, "hub.queue", ask | {"events": events})
        assert answer["position"] == min(at + 5, len(switch.told))
    again = [body.decode() for body in switch.told]
    answer = await ask_hub(broker.data, "hub.queue", ask | {"events": again})
    assert answer["position"] == len(switch.told)
    before = stored(broker.data)
    assert len(before[0]) == 6 and len(before[2]) == len(switch.told)
    file = switch.log.write(tmp_path / "queue_log")

    def bring():
        with locked(broker.data.lock, note="diadema hub"):
            return import_queue_log([file], broker.data, SystemClock())

    done = await asyncio.to_thread(bring)
    assert (done.imported, done.live_calls, done.different, done.new) == (True, 6, [], 0)
    assert stored(broker.data) == before
