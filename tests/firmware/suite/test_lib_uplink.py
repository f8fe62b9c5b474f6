"""The uplink on a clock of its own: hello, window, resending, rewinding, what is obeyed."""

import asyncio
import json

from lib.frames import Decoder
from lib.journal import Journal
from lib.seal import proof
from lib.uplink import WINDOW, Uplink

from tests.support.nor import Nor

UP_LIMIT = 512  # of a frame to the host: `diadema.wire.frames`

STATION = "DIA-0200000000a1"


class Line:
    """A journal and its uplink; what it sends is decoded. Time moves only by `at`."""

    def __init__(self, events=0, nor=None):
        self.journal = Journal(nor or Nor(8), lambda: b"{}")
        self.journal.mount()
        self.u = 0
        self.sent = []
        self.faults = []
        self.during = []  # called while a frame is on its way
        self.links = 0
        self._decoder = Decoder(UP_LIMIT)
        for _ in range(events):
            self.add()
        self.uplink = Uplink(
            self.journal, STATION, self._write, lambda: self.u, lambda: {"b": 1},
            lambda part, code: self.faults.append(code), self._linked, lambda bits: 0,
        )  # fmt: skip

    def _linked(self):
        self.links += 1

    def add(self):
        self.journal.append(b'{"k":"x","b":1,"u":2,"t":null}')

    async def _write(self, frame):
        if self.during:
            self.during.pop()()
        for message in self._decoder.feed(frame):
            self.sent.append(json.loads(message))

    async def turn(self, u=None):
        """Let the uplink do what is due at `u`; gives what it sent."""
        if u is not None:
            self.u = u
        self.sent = []
        self.uplink.appended()
        for _ in range(200):
            await asyncio.sleep(0)
        return self.sent

    def numbers(self):
        return [event["n"] for event in self.sent if "n" in event]

    def run(self, script):
        async def main():
            task = asyncio.create_task(self.uplink.run())
            try:
                await script(self)
            finally:
                task.cancel()

        asyncio.run(main())


def test_nothing_but_hello_before_the_host_spoke():
    async def script(line):
        sent = await line.turn(0)
        assert len(sent) == 1
        hello = sent[0]["hello"]
        assert hello == {
            "s": STATION, "up": True, "e": line.journal.epoch, "first": 1, "last": 3, "acked": 0,
            "b": 1, "u": 0,
        }  # fmt: skip
        times = []
        for u in range(0, 200_000, 500):
            if await line.turn(u):
                times.append(u // 1000)
        assert times[:3] == [1, 3, 7] and times[3:] == list(range(15, 200, 15))

    Line(3).run(script)


def test_events_follow_the_first_acknowledgement():
    async def script(line):
        await line.turn(0)
        line.uplink.on_frame()
        line.uplink.on_ack(line.journal.epoch, 1)
        await line.turn(10)
        assert line.numbers() == [2, 3]
        assert line.sent[0] == {
            "s": STATION, "e": line.journal.epoch, "n": 2, "k": "x", "b": 1, "u": 2, "t": None
        }  # fmt: skip
        assert line.uplink.link == "up"
        assert await line.turn(4000) == []
        line.add()
        await line.turn(4001)
        assert line.numbers() == [4]

    Line(3).run(script)


def test_the_window():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 0)
        await line.turn(1)
        assert line.numbers() == list(range(1, WINDOW + 1))
        line.uplink.on_ack(line.journal.epoch, 10)
        await line.turn(2)
        assert line.numbers() == list(range(WINDOW + 1, WINDOW + 11))
        assert line.journal.acked == 10

    Line(100).run(script)


def test_what_is_not_acknowledged_goes_again_in_order():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 0)
        times = []
        for u in range(0, 200_000, 500):
            await line.turn(u)
            if line.numbers():
                times.append(u // 1000)
                assert line.numbers() == [1, 2, 3]
        assert times == [0, 5, 15, 35, 75, 135, 195]
        assert line.uplink.link == "lost"
        line.uplink.on_ack(line.journal.epoch, 2)
        assert line.uplink.link == "up"
        await line.turn(200_000)
        assert line.numbers() == [3]
        await line.turn(205_000)
        assert line.numbers() == [3]
        assert line.uplink.link == "late"

    Line(3).run(script)


def test_only_the_first_acknowledgement_after_a_hello_goes_back():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 5)
        await line.turn(1)
        assert line.numbers() == [6, 7, 8, 9]
        line.uplink.on_ack(line.journal.epoch, 3)
        await line.turn(2)
        assert line.numbers() == []
        assert line.journal.acked == 5
        line.uplink.ask_hello()
        sent = await line.turn(3)
        assert "hello" in sent[0]
        line.uplink.on_ack(line.journal.epoch, 3)
        await line.turn(4)
        assert line.numbers() == [4, 5, 6, 7, 8, 9]
        assert line.journal.acked == 3

    Line(9).run(script)


def test_going_back_while_an_event_is_on_its_way():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 3)

        def rewind():
            line.uplink.ask_hello()
            line.uplink.on_ack(line.journal.epoch, 1)

        line.during = [rewind]
        await line.turn(1)
        assert line.numbers() == [4, 2, 3, 4, 5]

    Line(5).run(script)


def test_acknowledgements_that_are_not_obeyed():
    async def script(line):
        await line.turn(0)
        for epoch, n in ((line.journal.epoch ^ 1, 2), (line.journal.epoch, "2"), (None, 1)):
            line.uplink.on_ack(epoch, n)
        line.uplink.on_ack(line.journal.epoch, -1)
        assert await line.turn(1) == []
        assert line.uplink.foreign == 4
        assert line.journal.acked == 0
        line.uplink.on_ack(line.journal.epoch, 0)
        for _ in range(40):
            line.add()
        await line.turn(2)
        line.uplink.on_ack(line.journal.epoch, WINDOW + 1)  # never sent in this boot
        assert line.journal.acked == 0

    Line(3).run(script)


def test_an_acknowledgement_beyond_the_end_is_a_fault_and_moves_on():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 20)
        assert line.faults == ["ack_beyond"]
        assert await line.turn(1) == []
        line.add()
        await line.turn(2)
        assert line.numbers() == [21]
        line.uplink.on_ack(line.journal.epoch, 21)
        assert line.faults[-1] is None

    Line(3).run(script)


def test_a_record_that_cannot_be_read_is_told_in_its_place():
    nor = Nor(8)

    async def script(line):
        await line.turn(0)
        for at, _ in line.journal_programs[2:4]:
            nor.image[at + 20] = 0
        line.uplink.on_ack(line.journal.epoch, 0)
        sent = await line.turn(1)
        assert line.numbers() == [1, 2, 3, 5]
        assert (sent[2]["k"], sent[2]["to"]) == ("station.lost", 4)

    line = Line(5, nor)
    records = [entry for entry in nor.programs if entry[1] > 32]
    line.journal_programs = records
    line.run(script)


def test_a_host_frame_lets_the_hello_wait():
    async def script(line):
        await line.turn(0)
        line.u = 900
        line.uplink.on_frame()
        assert await line.turn(1500) == []
        assert "hello" in (await line.turn(2900))[0]

    Line(0).run(script)


def test_the_longest_event_fits_its_frame():
    line = Line(0)
    line.journal.append(b'{"k":"' + b"x" * (448 - 8) + b'"}')
    head = '{"s":"%s","e":%d,"n":%d,' % (STATION, 0xFFFFFFFF, 0xFFFFFFFF)  # noqa: UP031
    assert len(head) + 447 <= UP_LIMIT


def test_an_acknowledgement_on_its_way_does_not_swallow_the_hello():
    async def script(line):
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 0)
        await line.turn(1)
        line.uplink.ask_hello()
        line.uplink.on_ack(line.journal.epoch, 3)  # for what was sent before
        assert "hello" in (await line.turn(2))[0]
        line.uplink.on_ack(line.journal.epoch, 1)  # the answer: a host that knows less
        await line.turn(3)
        assert line.numbers() == [2, 3]

    Line(3).run(script)


async def answer(line):
    """The host has everything, and says so to the hello that is due."""
    await line.turn()
    line.uplink.on_frame()
    line.uplink.on_ack(line.journal.epoch, line.journal.last)
    await line.turn()
    assert line.uplink.link == "up"


async def links_seen(line, since, until, step=500):
    """[(u - since, link)] at each change."""
    seen = []
    for u in range(since, until, step):
        await line.turn(u)
        if not seen or seen[-1][1] != line.uplink.link:
            seen.append((u - since, line.uplink.link))
    return seen


def test_hellos_without_an_answer_make_the_link_late_and_lost():
    for cause in ("changed", "ask_hello", "restart"):

        async def script(line, cause=cause):
            await answer(line)
            line.u = 10_000
            getattr(line.uplink, cause)()
            seen = await links_seen(line, 10_000, 200_000)
            assert seen == [(0, "up"), (3_000, "late"), (75_000, "lost")], (cause, seen)
            assert line.links == 3, "each change is told once"
            await answer(line)
            assert line.links == 4

        Line(3).run(script)


def test_a_host_that_is_greeted_again_and_again_is_no_answer():
    async def script(line):
        await answer(line)
        for u in range(10_000, 100_000, 500):
            line.u = u
            if not u % 2_000:
                line.uplink.ask_hello()
            await line.turn()
            link = "up" if u < 13_000 else "late" if u < 85_000 else "lost"
            assert line.uplink.link == link, u

    Line(0).run(script)


def test_events_that_another_way_takes_over_leave_the_link_as_it_was():
    async def script(line):
        way = line.uplink.links = Way(line)
        await answer(line)
        line.add()
        await line.turn(10_000)
        seen = await links_seen(line, 10_000, 100_000)
        assert seen == [(0, "up"), (5_000, "late"), (75_000, "lost")]
        assert way.failures > 1
        await answer(line)

    Line(0).run(script)


def test_an_idle_host_is_asked_and_its_silence_is_seen():
    async def script(line):
        await answer(line)
        assert await links_seen(line, 0, 30_000) == [(0, "up")]
        assert "hello" in (await line.turn(30_000))[0]
        await answer(line)
        seen = await links_seen(line, 30_000, 200_000)
        assert seen == [(0, "up"), (33_000, "late"), (105_000, "lost")]

    Line(2).run(script)


def test_a_host_that_comes_back_is_met_soon_with_events_that_wait_too():
    async def script(line):
        await answer(line)
        line.add()
        hellos = []
        for u in range(0, 300_000, 500):
            if any("hello" in sent for sent in await line.turn(u)):
                hellos.append(u)
        assert hellos[0] == 30_000
        waits = [later - earlier for earlier, later in zip(hellos, hellos[1:])]  # noqa: B905, RUF007
        assert max(waits) == 15_000
        await answer(line)
        assert line.uplink.link == "up"

    Line(2).run(script)


def test_while_a_call_rings_it_is_asked_sooner():
    async def script(line):
        await answer(line)
        line.uplink.ringing = True
        seen = await links_seen(line, 0, 20_000)
        assert seen == [(0, "up"), (8_000, "late")]

    Line(2).run(script)


def test_a_host_that_speaks_is_not_asked():
    async def script(line):
        await answer(line)
        for u in range(0, 100_000, 4_000):
            line.u = u
            line.uplink.ringing = u > 50_000
            line.uplink.on_frame()
            assert await line.turn() == []
        assert line.uplink.link == "up"

    Line(2).run(script)


def test_time_makes_a_link_worse_whatever_the_task_waits_for():
    stuck = asyncio.Event()

    async def script(line):
        await answer(line)
        line.uplink.write = lambda frame: stuck.wait()
        line.uplink.changed()
        await line.turn(10_000)
        for line.u, link in ((12_999, "up"), (13_000, "late"), (85_000, "lost")):
            assert line.uplink.link == link

    Line(2).run(script)


class Way:
    """A second way that can be had; notes what it is given."""

    def __init__(self, line):
        self._line = line
        self.wireless = False
        self.greet = False
        self.failures = 0
        self.there = True
        self.sent = []

    def failed(self):
        self.failures += 1
        if self.there and not self.wireless:
            self.use(True)

    def use(self, wireless):
        self.wireless = wireless
        self._line.uplink.changed()

    async def event(self, message):
        self.sent.append(json.loads(message)["n"])

    async def hello(self, hello):
        self.greet = False
        self.sent.append("hello")


def test_what_the_cable_does_not_answer_goes_the_other_way_from_the_hosts_position():
    async def script(line):
        way = line.uplink.links = Way(line)
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 0)
        await line.turn(1)
        assert line.numbers() == [1, 2, 3]
        line.uplink.on_ack(line.journal.epoch, 1)
        await line.turn(2)
        assert await line.turn(6_000) == []
        assert way.sent == ["hello"]
        line.uplink.on_ack(line.journal.epoch, 1)
        assert await line.turn(6_001) == []
        assert way.sent == ["hello", 2, 3]
        way.use(False)
        assert "hello" in (await line.turn(6_002))[0]
        line.uplink.on_ack(line.journal.epoch, 2)
        await line.turn(6_003)
        assert line.numbers() == [3]
        assert way.sent == ["hello", 2, 3]

    Line(3).run(script)


def test_the_window_over_wifi_is_wide_and_others_get_their_turn():
    turns = []

    async def others():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def script(line):
        way = line.uplink.links = Way(line)
        way.use(True)
        await line.turn(0)
        line.uplink.on_ack(line.journal.epoch, 0)
        beside = asyncio.create_task(others())
        await line.turn(1)
        beside.cancel()
        assert way.sent[1:] == list(range(1, 257))
        assert len(turns) >= 256 // 4
        line.uplink.on_ack(line.journal.epoch, 100)
        await line.turn(2)
        assert way.sent[257:] == list(range(257, 357))

    Line(400).run(script)


def test_hellos_that_nobody_answers_try_the_other_way_and_a_broker_is_greeted():
    async def script(line):
        way = line.uplink.links = Way(line)
        way.there = False
        for u in range(0, 20_000, 500):
            await line.turn(u)
        assert way.failures >= 1 and way.sent == []
        way.greet = True
        line.uplink.ask_hello()
        assert "hello" in (await line.turn(20_000))[0]
        assert way.sent == ["hello"]

    Line(0).run(script)


def test_a_proof_is_said_at_once_and_moves_nothing():
    nonce, key = "0123456789abcdef" * 2, b"k" * 32

    def said(asked):
        told = {"keyed": 1, "board": "b" * 24, "firmware": "9" * 16, "micropython": "1.28.0"}
        return dict(told, nonce=asked, mac=proof(key, STATION, 1, asked)) if asked else told

    async def script(line):
        line.uplink.proof = said
        (greeting,) = await line.turn(0)
        assert greeting["hello"]["keyed"] == 1 and "mac" not in greeting["hello"]
        line.uplink.on_ack(line.journal.epoch, 0)
        await line.turn(10)
        assert line.numbers() == [1, 2, 3]
        line.uplink.prove(nonce)
        (answer,) = await line.turn(20)
        assert (answer["hello"]["nonce"], answer["hello"]["last"]) == (nonce, 3)
        # printf 'proof\n…\n1\n…' | openssl dgst -sha256 -mac HMAC -macopt key:kkkk…
        assert answer["hello"]["mac"] == "6d51649bc99226aca0cfb8a6a4de7925"
        line.add()
        await line.turn(30)
        assert line.numbers() == [4]

    Line(3).run(script)
