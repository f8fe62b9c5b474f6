"""What leaves the ingest often leaves once in each interval, and in few writes."""

import re
from types import SimpleNamespace

from diadema.hub.ingest_server import BEAT_S, IngestServer
from diadema.hub.outbox import EVERY_S, Outbox
from diadema.store.station_state import Station


class Way:
    """Keeps what is written."""

    def __init__(self):
        self.writes = []

    def write(self, frames):
        self.writes.append(frames)

    def published(self):
        found = re.findall(rb"PUB (\S+) (\d+)\r\n(.*?)\r\n", b"".join(self.writes))
        self.writes.clear()
        assert all(len(body) == int(size) for _, size, body in found)
        return [(subject.decode(), body.decode()) for subject, _, body in found]


def outbox():
    sealed = b'%b,"h":"%b"}'
    box = Outbox(
        lambda s, text: sealed % (text[:-1], s.encode()),
        lambda s, leaf, _: [f"diadema.v1.{s}.{leaf}"],
    )
    box.way = Way()
    return box


def test_many_go_in_one_write_each_sealed_for_its_station():
    box = outbox()
    box.acks({f"s{number}": (7, number) for number in range(1000)})
    box.rows({f"a{number}": b"{}" for number in range(1000)})
    box.send_first()
    assert len(box.way.writes) == 1
    found = box.way.published()
    assert len(found) == 2000
    assert found[3] == ("diadema.v1.s3.ack", '{"ack":[7,3],"h":"s3"}')
    assert found[1003] == ("$KV.live.agent.a3", "{}")


def test_the_first_goes_at_once_and_only_the_newest_of_the_rest_with_the_interval():
    box = outbox()
    for n in range(1, 6):
        box.acks({f"s{number}": (7, n) for number in range(1000)})
        box.rows({"a1": b"%d" % n})
        box.send_first()
    found = box.way.published()
    assert found[:2] == [("diadema.v1.s0.ack", '{"ack":[7,1],"h":"s0"}'),
                         ("diadema.v1.s1.ack", '{"ack":[7,1],"h":"s1"}')]  # fmt: skip
    assert found[-1] == ("$KV.live.agent.a1", "1") and len(found) == 1001
    box.rows({"a2": b"0"})
    box.send_first()  # another agent need not wait
    assert box.way.published() == [("$KV.live.agent.a2", "0")]
    box.send_all()
    found = box.way.published()
    assert found[0][1] == '{"ack":[7,5],"h":"s0"}' and found[-1][1] == "5" and len(found) == 1001
    box.send_all()
    assert box.way.published() == []


def test_a_few_more_acknowledgements_need_not_wait():
    box = outbox()
    for n in range(1, 4):
        box.acks({"s1": (7, n)})
        box.send_first()
        assert box.way.published() == [("diadema.v1.s1.ack", f'{{"ack":[7,{n}],"h":"s1"}}')]


def test_the_newest_acknowledgement_is_said_again_and_none_that_was_never_said():
    box = outbox()
    box.acks({"s1": (7, 1), "s2": (7, 1)})
    box.send_all()
    box.acks({"s1": (7, 2)})
    box.way.published()
    box.repeat(["s1", "s2", "s3"])
    box.send_all()
    found = [("diadema.v1.s1.ack", '{"ack":[7,2],"h":"s1"}'),
             ("diadema.v1.s2.ack", '{"ack":[7,1],"h":"s2"}')]  # fmt: skip
    assert sorted(box.way.published()) == found
    box.send_all()
    assert box.way.published() == []


def test_each_station_that_is_there_has_its_turn_in_each_round():
    service = object.__new__(IngestServer)
    service._ticks = 0
    there = {f"s{at}": station(f"s{at}", up=at != 5) for at in range(250)}
    service.ingest = SimpleNamespace(stations=there)
    turns = [service._whose_turn() for _ in range(round(BEAT_S / EVERY_S))]
    assert max(map(len, turns)) == 3
    assert sorted(s for turn in turns for s in turn) == sorted(there.keys() - {"s5"})


def station(s, *, up):
    found = Station(s)
    found.set_link("wifi", up)
    return found


def test_without_a_broker_it_waits():
    box = outbox()
    way, box.way = box.way, None
    box.acks({"s1": (7, 1)})
    box.send_all()
    assert not box.send_commands([("s1", b"{}")])
    box.way = way
    box.send_all()
    assert box.way.published() == [("diadema.v1.s1.ack", '{"ack":[7,1],"h":"s1"}')]


def test_an_agent_that_is_no_key_is_not_shown():
    box = outbox()
    box.rows({"a.b c\r\nPUB x 0": b"{}", "a1": b"{}"})
    box.send_all()
    assert box.way.published() == [("$KV.live.agent.a1", "{}")]


def test_what_is_said_of_the_rows_goes_after_them_and_by_the_clock_only():
    box = outbox()
    box.rows({"a1": b"1"})
    box.meta(b"{}")
    box.send_first()
    box.rows({"a1": b"2"})
    box.send_all()
    assert box.way.published() == [
        ("$KV.live.agent.a1", "1"), ("$KV.live.agent.a1", "2"), ("$KV.live.meta", "{}")
    ]  # fmt: skip
    box.send_all()
    assert box.way.published() == []
