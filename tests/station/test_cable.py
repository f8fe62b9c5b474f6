"""What the host says over the cable, while the chip stands and keeps 259 bytes of it at most."""

import asyncio
import random

from diadema.wire.frames import encode

LONG = "x" * 500  # with it a command is three pieces


async def stdin(bench):
    return (await bench.station.dump())["stdin"]


async def stall(bench, ms):
    """The chip stands, as in an erase."""
    await bench.station.ask({"do": "stall", "ms": ms})


async def stalls(bench, chance, until):
    """The chip stands for 45 to 400 ms, again and again, until `until()`."""
    while not until():
        await bench.world.sleep(chance.randrange(200))
        await stall(bench, chance.randrange(45, 401))


class Gaps:
    """A cable that loses a byte of every so many, at random, both ways."""

    def __init__(self, every, seed):
        self.every, self.lost = every, {"up": 0, "down": 0}
        self._chance = random.Random(seed)

    def carry(self, way, data, deliver):
        kept = bytes(one for one in data if self._chance.randrange(self.every))
        self.lost[way] += len(data) - len(kept)
        if kept:
            deliver(kept)


class Holding:
    """A cable that keeps what the host says, and lets go of `frame` alone, once it is whole."""

    def __init__(self, frame):
        self.frame, self.kept, self.deliver = frame, b"", None
        self.whole = asyncio.Event()

    def carry(self, way, data, deliver):
        if way == "up":
            deliver(data)
            return
        self.kept, self.deliver = self.kept + data, deliver
        if self.frame in self.kept:
            self.whole.set()

    def let_go(self):
        self.deliver(self.frame)


def piece(head, text=b"x"):
    return encode(head + b":" + text)


# what somebody hostile says, or a program gone wild: none of it is a message
HOSTILE = [
    *(piece(b"%d,%d,9" % (901, one), b"x" * 186) for one in range(1, 10)),  # more than 1024
    piece(b"902,1,2", b"\xff\x00\xc3"), piece(b"902,2,2", b"\xb1{"),  # no UTF-8
    piece(b"903,1,3", b'{"cmd":'), piece(b"904,1,3", b'{"cmd":'),  # two mixed
    piece(b"903,2,3"), piece(b"904,2,3"), piece(b"903,3,3"), piece(b"904,3,3"),
    piece(b"905,1,3"), piece(b"905,2,2"), piece(b"905,2,4"), piece(b"905,3,2"),  # another count
    *(piece(head) for head in (
        b"906,1,0", b"906,0,1", b"0,1,1", b"-1,1,1", b"906,-1,1", b"906,1,-1", b"65536,1,1",
        b"906,2,1", b"9" * 180 + b",1,1", b"906,1," + b"9" * 170, b"906,1", b"", b",,", b"a,b,c",
    )),
    piece(b"907,1,1", b"[" * 180), piece(b"908,1,1", b'{"cmd":"fly","i":"1"}'),
]  # fmt: skip


async def test_a_stall_of_400_ms_at_any_byte_loses_nothing(desk):
    async with desk() as bench:
        for at_ms in range(75):
            number = bench.host.command("fly", to=LONG)
            await bench.world.sleep(at_ms)
            await stall(bench, 400)
            refused = await bench.host.answer(number)
            assert refused["k"] == "command.refused"
        assert (await stdin(bench))["lost"] == 0


async def test_a_configuration_comes_through_stalls_without_a_piece_lost(desk):
    async with desk() as bench:
        since = bench.since()
        number = bench.host.configure(bench.host.configuration())
        kinds = bench.world.witness.events
        await stalls(
            bench,
            random.Random(45),
            lambda: any(one.event.get("i") == number for one in kinds(bench.station.id)[since:]),
        )
        assert (await bench.host.answer(number))["k"] == "station.config"
        assert (await stdin(bench))["lost"] == 0


async def test_what_somebody_hostile_sends_changes_nothing(desk):
    async with desk() as bench:
        await bench.ready()
        since = bench.since()
        for frame in HOSTILE:
            bench.host.send_raw(frame)
            await bench.world.sleep(100)
        number = bench.host.command("fly")
        assert (await bench.host.answer(number))["reason"] == "unknown_command"
        assert bench.kinds(since) == ["command.refused"]
        assert (await stdin(bench))["lost"] == 0


async def test_a_frame_of_201_bytes_is_a_piece_too_and_a_longer_one_costs_itself_alone(desk):
    async with desk() as bench:
        since = bench.since()

        def refused_by(text, size):
            command = b'{"cmd":"fly","i":%d,"to":"' % text
            return command + b"x" * (size - len(command) - 2) + b'"}'

        for number, size in ((700, 201), (701, 259), (702, 1000)):
            head = b"%d,1,1" % number
            around = len(piece(head, b""))
            frame = piece(head, refused_by(number, size - around))
            assert len(frame) == size
            await bench.caught_up()  # nothing else is on its way to the chip
            bench.station.cable.noise = held = Holding(frame)
            bench.host.send_raw(frame)
            await held.whole.wait()
            stalled = asyncio.ensure_future(stall(bench, 400))
            await asyncio.sleep(0)  # it is on its way before the first byte is
            held.let_go()
            await stalled
            bench.station.cable.noise = None
            await bench.world.sleep(1_000)
        told = [one.event["i"] for one in bench.world.witness.events(bench.station.id)[since:]]
        assert told == [700, 701]
        assert (await stdin(bench))["lost"] > 0
        bench.host.send({"cmd": "fly", "i": 703, "to": LONG})
        assert (await bench.host.answer(703))["k"] == "command.refused"


async def configured(bench):
    """A configuration is sent until it is taken, as a hub does, whose parts may all be dropped."""
    since = bench.since()
    events, host = bench.world.witness.events, bench.host

    def taken():
        if not host.sender.waiting:
            host.configure(host.configuration())
        told = [one.event for one in events(bench.station.id)[since:]]
        return any(event["k"] == "station.config" for event in told)

    await bench.until(taken)
    assert "config.refused" not in bench.kinds(since)


async def test_a_configuration_comes_whole_over_a_cable_that_loses_each_thousandth_byte(desk):
    async with desk() as bench:
        bench.station.cable.noise = gaps = Gaps(1000, 1)
        await configured(bench)
        assert bench.host.sender.counts["again"] > 0
        assert gaps.lost["down"] > 0


async def test_over_one_that_loses_each_hundredth_nothing_false_comes(desk):
    """Of frames of 200 bytes one of eight is whole. Another cable mends it."""
    async with desk() as bench:
        await bench.ready()
        since = bench.since()
        bench.station.cable.noise = Gaps(100, 1)
        for _ in range(3):
            bench.host.configure(bench.host.configuration())
            await bench.world.sleep(60_000)
        assert bench.host.sender.counts["unheard"] > 0
        assert set(bench.kinds(since)) <= {"station.config"}
        bench.station.cable.noise = None
        await configured(bench)
