"""The host's end of one station's cable, in the test: frames, acknowledgements, commands."""

import asyncio
import contextlib
import itertools
import json
import os
import tty
from collections.abc import Callable
from typing import Any

from diadema.site.description import Site
from diadema.site.station_config import ConfigMaker, blocks
from diadema.wire.frames import AGAIN_S, Decoder, Sender
from diadema_sim.station import Station

BADGE_KEY = "5a" * 32
CARD_KEY = "c4" * 16


class _Pulse:
    """Wakes whoever waits, at each beat."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()

    def beat(self) -> None:
        self._event.set()
        self._event = asyncio.Event()


class WireHost:
    """Answers hellos as the hub does: acknowledgement, then configuration, then the time."""

    def __init__(self, station: Station, site: Site, *, offset_min: int = -300) -> None:
        self.events: list[dict[str, Any]] = []  # each once, in order
        self.hellos: list[dict[str, Any]] = []
        self.proofs: list[dict[str, Any]] = []  # answers to `diadema prove`
        self.heard = _Pulse()
        self.again = 0  # events that came more than once
        self.answering = True
        self._station = station
        self._config = ConfigMaker(site, BADGE_KEY, offset_min, 1, card_key=CARD_KEY)
        self._numbers = itertools.count(1)
        self._position: dict[int, int] = {}
        self._decoder = Decoder()
        self._timed: set[int] = set()
        self._configured = False
        self._unsent = bytearray()
        self._blocks: list[dict[str, Any]] = []
        self._as: dict[int, set[int]] = {}  # under which numbers blocks were sent, by the first
        self.sender = Sender(self.send_raw, self._later, self._unheard)
        self._who: tuple[str, int] | None = None
        self._port = os.open(station.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._port)
        asyncio.get_running_loop().add_reader(self._port, self._readable)

    def _later(self, seconds: float, function: Callable[[], None]) -> asyncio.Task[None]:
        def then() -> None:
            function()
            self.heard.beat()

        return self._station._world.timeline.call_later(seconds, then)

    def close(self) -> None:
        self.sender.stop()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._port)
        loop.remove_writer(self._port)
        os.close(self._port)

    def send(self, body: dict[str, Any]) -> None:
        """In pieces; before the blocks that wait, as a gateway does."""
        urgent = body.get("cmd") not in ("config", "update") or body.get("part") == 1
        self.sender.send(json.dumps(body).encode(), urgent=urgent)

    def send_raw(self, data: bytes) -> None:
        """In order, as fast as the cable takes it."""
        self._unsent += data
        self._writable()

    async def sent(self, body: dict[str, Any]) -> None:
        """Back when the station has read all of it; the clock goes on meanwhile."""
        self.send(body)
        timeline = self._station._world.timeline
        released = timeline.release()
        try:
            while self.sender.waiting:
                await self.heard.wait()
        finally:
            if released:
                timeline.resume()

    def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            del self._unsent[: os.write(self._port, self._unsent)]
        if self._unsent:
            loop.add_writer(self._port, self._writable)
        else:
            loop.remove_writer(self._port)

    def command(self, name: str, **fields: Any) -> int:
        """Send a command; returns its `i`."""
        number = next(self._numbers)
        self.send({"cmd": name, "i": number, **fields})
        return number

    def configuration(self) -> bytes:
        """The station's configuration as the hub would build it."""
        return self._config.build(self._station.id)

    def configure(self, content: bytes) -> int:
        """Send a configuration in blocks; returns their `i`."""
        number = next(self._numbers)
        self._blocks = [block | {"i": number} for block in blocks(content)]
        self._as[number] = {number}
        self._send_blocks()
        return number

    def _send_blocks(self) -> None:
        for block in self._blocks:
            self.send(block)

    def _unheard(self) -> None:
        """The rest of the blocks is given up with the one that was not heard: once nothing waits
        all are sent anew, until the station answers. Their number is another one: a command with a
        later number may have been heard, and the station takes nothing older.
        """
        self._later(AGAIN_S, self._retry)

    def _retry(self) -> None:
        numbers = {block["i"] for block in self._blocks}
        if any(event.get("i") in numbers for event in self.events):
            return
        if not self.sender.waiting:
            number = next(self._numbers)
            self._blocks = [block | {"i": number} for block in self._blocks]
            for one in self._as.values():
                if one & numbers:
                    one.add(number)
            self._send_blocks()
        self._unheard()

    def forget(self) -> None:
        """That the station has its configuration: a hello with another one gets it again."""
        self._configured = False

    async def answer(self, number: int) -> dict[str, Any]:
        """The journaled event that answers command `number`, or it under a later one."""
        world, numbers = self._station._world, self._as.get(number, {number})
        seen = await world.wait_event(
            self._station.id, lambda event: event.get("i") in numbers, timeout_s=300, running=True
        )
        return seen.event

    def acknowledge(self) -> None:
        for epoch, position in self._position.items():
            self.send({"ack": [epoch, position]})

    def _readable(self) -> None:
        try:
            data = os.read(self._port, 65536)
        except OSError:
            return
        for body in self._decoder.feed(data):
            self._frame(json.loads(body))
        self.heard.beat()

    def _frame(self, frame: dict[str, Any]) -> None:
        if "got" in frame:
            self.sender.got(*frame["got"])
            return
        if "hello" in frame:
            hello = frame["hello"]
            self.hellos.append(hello)
            who = (hello["s"], hello.get("b", 0))
            if self._who not in (None, who):
                self.sender.restarted()
            self._who = who
            if self.answering and not hello.get("safe"):
                self._welcome(hello)
            return
        if "proof" in frame:
            self.proofs.append(frame["proof"])
            return
        epoch, n = frame["e"], frame["n"]
        position = self._position.get(epoch, 0)
        if n == position + 1:
            self.events.append(frame)
            self._position[epoch] = n
        else:
            self.again += n <= position
        if self.answering:
            self.send({"ack": [epoch, self._position.get(epoch, 0)]})

    def _welcome(self, hello: dict[str, Any]) -> None:
        self._position.setdefault(hello["e"], hello["first"] - 1)
        self.send({"ack": [hello["e"], self._position[hello["e"]]]})
        if hello["generation"] != self._config.generation and not self._configured:
            self._configured = True
            self.configure(self.configuration())
        if hello["b"] not in self._timed:
            self._timed.add(hello["b"])
            self.command("time", utc=self._station._world.now_ms(), hello_u=hello["u"])
