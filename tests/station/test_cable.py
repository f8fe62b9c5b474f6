"""What the host says over the cable, while the chip stands and keeps 259 bytes of it at most."""

import asyncio
import fcntl
import json
import os
import random
import struct
import termios

from diadema import station_line
from diadema.frames import encode
from diadema.station_config import blocks
from diadema.station_line import StationLine
from diadema.update import bundle
from diadema.update.sending import Sending
from test_update import KEY, KeyedHost, body, slots, vfs  # noqa: F401 - three fixtures

_LINES = termios.TIOCM_DTR | termios.TIOCM_RTS


class Modem:
    """The lines of every port: on when it is opened, as the kernel does it, and off again when it
    is closed, where nobody asked for anything else. `resets`: times that EN went low, which it is
    while RTS is on and DTR off.
    """

    def __init__(self, monkeypatch):
        self.asked = []
        self.resets = 0
        self.lines = 0
        self.hangs_up = True
        self._own = (os.open, os.close, fcntl.ioctl, termios.tcsetattr)
        self._fds = set()
        monkeypatch.setattr(os, "open", self.open)
        monkeypatch.setattr(os, "close", self.close)
        monkeypatch.setattr(fcntl, "ioctl", self.ioctl)
        monkeypatch.setattr(termios, "tcsetattr", self.tcsetattr)

    def _set(self, lines):
        low = termios.TIOCM_RTS
        self.resets += self.lines & _LINES != low and lines & _LINES == low
        self.lines = lines

    def open(self, path, *arguments, **more):
        fd = self._own[0](path, *arguments, **more)
        if os.isatty(fd):
            self._fds.add(fd)
            self._set(_LINES)
        return fd

    def close(self, fd):
        if fd in self._fds:
            self._fds.discard(fd)
            if self.hangs_up and not self._fds:
                self._set(0)
        self._own[1](fd)

    def ioctl(self, fd, request, argument=0, *more):
        if fd in self._fds and request in (termios.TIOCMBIS, termios.TIOCMBIC, termios.TIOCMSET):
            (bits,) = struct.unpack("I", argument)
            self.asked.append((request, bits))
            if request == termios.TIOCMSET:
                self._set(bits)
            else:
                on = request == termios.TIOCMBIS
                self._set(self.lines | bits if on else self.lines & ~bits)
            return argument
        return self._own[2](fd, request, argument, *more)

    def tcsetattr(self, fd, when, attributes):
        if fd in self._fds:
            self.hangs_up = bool(attributes[2] & termios.HUPCL)
        self._own[3](fd, when, attributes)


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


class Hub:
    """What a hub has for one station: a configuration until it is taken, then a program. It knows
    only what the station tells, over whatever gateway there is.
    """

    def __init__(self, bench, made, configuration):
        self._made, self._configuration = made, configuration
        self._numbers = bench.host._numbers
        self._config, self._update = next(self._numbers), None
        self._sending = None
        self.line = None
        self._position = bench.since()
        self._told_s = 0.0
        self.kinds = set()

    @property
    def done(self):
        return "verified" in self.kinds

    def heard(self, text):
        message = json.loads(text)
        if "hello" in message:
            self._send({"ack": [message["hello"]["e"], self._position]}, urgent=True)
            self._repeat()
            return
        if message["n"] == self._position + 1:
            self._position += 1
            self._hear(message)
        self._send({"ack": [message["e"], self._position]}, urgent=True)

    def _hear(self, event):
        if event["k"] == "station.config" and event["i"] == self._config:
            self.kinds.add("station.config")
            self._update = next(self._numbers)
            self._sending = Sending(self._made, self._update, self._told_s)
            self._parts(self._sending.begin())
        elif event["k"] == "station.update" and event.get("i") == self._update:
            if event["phase"] == "receiving":
                self._parts(self._sending.heard(event["next"], self._told_s))
            elif event["phase"] == "verified":
                self.kinds.add("verified")

    def look(self, now_s):
        self._told_s = now_s
        if self._sending and not self.done:
            self._parts(self._sending.due(now_s))

    def _repeat(self):
        if not self.kinds:
            for block in blocks(self._configuration):
                self._send(block | {"i": self._config}, urgent=block["part"] == 1, once=True)

    def _parts(self, numbers):
        for number in numbers:
            part = self._made.part(number)
            self._send({"cmd": "update", "i": self._update, **part}, once=True)

    def _send(self, body, **how):  # noqa: F811
        self.line.send(json.dumps(body).encode(), **how)


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


async def test_an_update_and_a_configuration_survive_ten_gateways(slots, body, site, monkeypatch):  # noqa: F811  # noqa: F811
    """The gateway is killed and started ten times; the chip stands at random meanwhile."""
    chance = random.Random(10)
    modem = Modem(monkeypatch)
    async with slots() as bench:
        world, station = bench.world, bench.station
        bench.host.close()
        monkeypatch.setattr(station_line, "_later", world.timeline.call_later)
        made = bundle.read(bundle.sign(body, KEY, board="sim", version="2", made=2_000_000_000))
        hub = Hub(bench, made, bench.host.configuration())
        gateways = 0
        while not hub.done:
            opened = asyncio.Event()
            line = StationLine(
                station.port,
                opened=opened.set,
                message=hub.heard,
                closed=lambda: None,
                quiet=True,
            )
            hub.line = line
            running = asyncio.create_task(line.run())
            await opened.wait()
            line.ask_hello()
            gateways += 1
            until = world.timeline.now() + chance.randrange(2_000, 6_000)
            while not hub.done and (gateways > 10 or world.timeline.now() < until):
                await world.sleep(chance.randrange(100, 400))
                if chance.random() < 0.3 and not hub.done:
                    await stall(bench, chance.randrange(45, 401))
                hub.look(world.timeline.now() / 1000)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        bench.host = KeyedHost(station, site)
        assert gateways > 10
        assert modem.resets == 0
        assert hub.kinds == {"station.config", "verified"}
        seen = [one.event for one in bench.world.witness.events(station.id)]
        at = next(at for at, event in enumerate(seen) if event.get("phase") == "verified")
        assert [event["k"] for event in seen[:at]].count("station.booted") == 1
        assert (await stdin(bench))["lost"] == 0


async def test_what_somebody_hostile_sends_changes_nothing(desk):
    async with desk() as bench:
        await bench.log_in()
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
            bench.host.send_raw(frame)
            await stall(bench, 400)
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
        assert min(gaps.lost.values()) > 0


async def test_over_one_that_loses_each_hundredth_nothing_false_comes(desk):
    """Of frames of 200 bytes one of eight is whole. Another cable mends it."""
    async with desk() as bench:
        await bench.log_in()
        since = bench.since()
        bench.station.cable.noise = Gaps(100, 1)
        for _ in range(3):
            bench.host.configure(bench.host.configuration())
            await bench.world.sleep(60_000)
        assert bench.host.sender.counts["unheard"] > 0
        assert set(bench.kinds(since)) <= {"station.config"}
        bench.station.cable.noise = None
        await configured(bench)
