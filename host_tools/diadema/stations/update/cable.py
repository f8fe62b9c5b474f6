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
from diadema.stations import trouble
from diadema.stations.cable import greeting_on
from diadema.stations.update.bundle import Bundle, Sending
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE
from diadema.words import Later, Sentence

_GREETING_S = 6.0
_SILENT_S = 60.0  # no part went on: longer than it erases and checks
_START_S = 180.0  # one that hangs is ended by its watchdog first
_TURN_S = 0.5

type Say = Callable[[str | Sentence], None]


class _Progress(Struct):
    """`firmware/safe.py` answers so; `phase` may be receiving, refused or restarting."""

    phase: str
    next: int = 1
    reason: str = ""
    detail: str = ""


class _Hello(Hello, kw_only=True):
    update: _Progress | None = None
    done: str = ""


class _Up(Struct):
    hello: _Hello | None = None


async def bring(bundle: Bundle, port: str, say: Say = lambda _: None) -> Hello:
    """Brings a bundle; gives the greeting of the program that then runs. Raises DiademaError."""
    return await _CableUpdate(port, await _greeting(port), say).bring(bundle)


async def restart(port: str, say: Say = lambda _: None) -> Hello:
    """Has the station start the program that is there; gives its greeting. Raises DiademaError."""
    return await _CableUpdate(port, await _greeting(port), say).restart()


async def _greeting(port: str) -> str:
    """Which station is there. Raises DiademaError."""
    hello = await greeting_on(port, _GREETING_S)
    if hello is None:
        raise UpdateError(Sentence("errors.stations.port_no_station_answers_diadema", port=port))
    if not hello.safe:
        raise UpdateError(
            Sentence(
                "errors.stations.station_not_safe_mode_runs",
                station=hello.station,
                firmware=hello.firmware,
            )
        )
    return hello.station


def _reason(why: str) -> Later:
    return Later(lambda language: trouble.reason(why, language))


def _cause(cause: str) -> Later:
    return Later(lambda language: trouble.word("safe", cause, language))


class _CableUpdate:
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
                self._say(Sentence("commands.stage.all", s=self._s))
                hello = await self._start(Sentence("errors.stations.took_it"))
        manifest = bundle.manifest
        now = hello.micropython if manifest.what else hello.firmware
        if now != manifest.version:
            raise UpdateError(Sentence("errors.stations.s_runs_now_now_not", s=self._s, now=now))
        return hello

    async def restart(self) -> Hello:
        async with self._open():
            self._line.send(b'{"cmd":"restart","i":1}', urgent=True)
            while (hello := await self._next()) is None or hello.done != "restart":
                pass  # what it said before it heard that; a cable that is gone ends it
            self._say(Sentence("commands.stage.starts", s=self._s))
            return await self._start(Sentence("errors.stations.started_again"))

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
        """Sends until the station has all; gives the program's greeting where the last answer was
        lost.
        """
        loop = asyncio.get_running_loop()
        sending = Sending(bundle, 1, loop.time())
        self._parts(bundle, sending.begin())
        heard_at = loop.time()
        while loop.time() < heard_at + _SILENT_S:
            hello = await self._next()
            now = loop.time()
            progress = hello.update if hello else None
            if hello and hello.up:
                return hello
            if progress and progress.phase == "refused":
                why = ": ".join(filter(None, (progress.reason, progress.detail)))
                raise UpdateError(
                    Sentence(
                        "errors.stations.s_refuses_reason",
                        s=self._s,
                        reason=_reason(why),
                    )
                )
            if progress and progress.phase == "restarting":
                return None
            if progress and progress.phase == "receiving" and progress.next > sending.next:
                self._say(f"{self._s}: {100 * (progress.next - 1) // bundle.parts} %")
                heard_at = now
                self._parts(bundle, sending.heard(progress.next, now))
            else:
                self._parts(bundle, sending.due(now))
        raise UpdateError(Sentence("errors.stations.s_takes_no_more_repeat", s=self._s))

    async def _start(self, done: Sentence) -> Hello:
        loop = asyncio.get_running_loop()
        until = loop.time() + _START_S
        while loop.time() < until:
            hello = await self._next()
            if hello and hello.up:
                return hello
            if hello and hello.safe:
                why = _cause(hello.cause)
                raise UpdateError(
                    Sentence(
                        "errors.stations.s_done_safe_mode_again", s=self._s, done=done, why=why
                    )
                )
            self._line.ask_hello()
        raise UpdateError(
            Sentence("errors.stations.s_done_has_said_nothing", s=self._s, done=done)
        )

    async def _next(self) -> _Hello | None:
        """None when nothing is heard for a while. Raises UpdateError without a cable."""
        try:
            async with asyncio.timeout(_TURN_S):
                hello = await self._heard.get()
        except TimeoutError:
            return None
        if hello is None:
            raise UpdateError(
                Sentence("errors.stations.port_gone_plug_cable_repeat", port=self._port)
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
