"""Brings a program or a MicroPython to a station in safe mode, or has it start its program again:
over its own cable and without a hub.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable

import msgspec
from msgspec import Struct

from diadema.base.errors import UpdateError
from diadema.gateway.station_line import StationLine
from diadema.stations.fleet import reading
from diadema.stations.provision.work import greeting_on
from diadema.stations.update.bundle import Bundle
from diadema.stations.update.sending import Sending
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE

_GREETING_S = 6.0
_SILENT_S = 60.0  # no part went on: longer than it erases and checks
_START_S = 180.0  # one that hangs is ended by its watchdog first
_TURN_S = 0.5
_WORDS = "en"  # as all that these commands say

type Say = Callable[[str], None]


class _Told(Struct):
    """`firmware/safe.py` answers so; `phase` may be receiving, refused or restarting."""

    phase: str
    next: int = 1
    reason: str = ""
    detail: str = ""


class _Hello(Hello, kw_only=True):
    update: _Told | None = None
    done: str = ""


class _Up(Struct):
    hello: _Hello | None = None


async def bring(bundle: Bundle, port: str, say: Say = lambda _: None) -> Hello:
    """The greeting of the program that then runs. Raises DiademaError."""
    return await _Way(port, await _greeting(port), say).bring(bundle)


async def restart(port: str, say: Say = lambda _: None) -> Hello:
    """The same, of the program that is there. Raises DiademaError."""
    return await _Way(port, await _greeting(port), say).restart()


async def _greeting(port: str) -> str:
    """Which station is there. Raises DiademaError."""
    hello = await greeting_on(port, _GREETING_S)
    if hello is None:
        raise UpdateError(f"{port}: no station answers: `diadema provision` says what is there")
    if not hello.safe:
        raise UpdateError(
            f"{hello.station} is not in safe mode, it runs {hello.firmware}: "
            "`diadema update start` "
            "brings it another program"
        )
    return hello.station


class _Way:
    def __init__(self, port: str, s: str, say: Say) -> None:
        self._port, self._s, self._say = port, s, say
        self._heard: asyncio.Queue[_Hello | None] = asyncio.Queue()  # None: the cable is gone
        self._line = StationLine(
            port,
            opened=lambda: None,
            message=self._take,
            closed=lambda: self._heard.put_nowait(None),
            quiet=True,
        )

    async def bring(self, bundle: Bundle) -> Hello:
        async with self._open():
            hello = await self._send(bundle)
            if hello is None:
                self._say(f"{self._s}: has all of it, and starts it")
                hello = await self._start("took it")
        told = bundle.manifest
        now = hello.micropython if told.what else hello.firmware
        if now != told.version:
            raise UpdateError(f"{self._s} runs {now} now, not what was sent")
        return hello

    async def restart(self) -> Hello:
        async with self._open():
            self._line.send(b'{"cmd":"restart","i":1}', urgent=True)
            while (hello := await self._next()) is None or hello.done != "restart":
                pass  # what it said before it heard that; a cable that is gone ends it
            self._say(f"{self._s}: starts its program")
            return await self._start("started again")

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self._line.run())
        try:
            await asyncio.sleep(0)
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _send(self, bundle: Bundle) -> Hello | None:
        """Until it has all; the program's greeting where its last answer was lost."""
        loop = asyncio.get_running_loop()
        sending = Sending(bundle, 1, loop.time())
        self._parts(bundle, sending.begin())
        heard_at = loop.time()
        while loop.time() < heard_at + _SILENT_S:
            hello = await self._next()
            now = loop.time()
            told = hello.update if hello else None
            if hello and hello.up:
                return hello
            if told and told.phase == "refused":
                why = ": ".join(filter(None, (told.reason, told.detail)))
                raise UpdateError(f"{self._s} refuses it: {reading.reason(why, _WORDS)}")
            if told and told.phase == "restarting":
                return None
            if told and told.phase == "receiving" and told.next > sending.next:
                self._say(f"{self._s}: {100 * (told.next - 1) // bundle.parts} %")
                heard_at = now
                self._parts(bundle, sending.heard(told.next, now))
            else:
                self._parts(bundle, sending.due(now))
        raise UpdateError(f"{self._s} takes no more of it: repeat the command, it goes on there")

    async def _start(self, done: str) -> Hello:
        loop = asyncio.get_running_loop()
        until = loop.time() + _START_S
        while loop.time() < until:
            hello = await self._next()
            if hello and hello.up:
                return hello
            if hello and hello.safe:
                why = reading.word("safe", hello.cause, _WORDS)
                raise UpdateError(f"{self._s} {done}, and is in safe mode again: {why}")
            self._line.ask_hello()
        raise UpdateError(f"{self._s} {done}, and has said nothing since: look at its screen")

    async def _next(self) -> _Hello | None:
        """None when nothing is heard for a while. Raises UpdateError without a cable."""
        try:
            async with asyncio.timeout(_TURN_S):
                hello = await self._heard.get()
        except TimeoutError:
            return None
        if hello is None:
            raise UpdateError(
                f"{self._port} is gone: plug the cable in and repeat the command, it goes on there"
            )
        return hello

    def _parts(self, bundle: Bundle, numbers: Iterable[int]) -> None:
        for number in numbers:
            command = {"cmd": "update", "i": 1, **bundle.part(number)}
            self._line.send(msgspec.json.encode(command), once=True)

    def _take(self, body: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            hello = msgspec.json.decode(body, type=_Up).hello
            if hello and hello.station == self._s:
                self._heard.put_nowait(hello)
