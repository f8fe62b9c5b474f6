"""The station on a technician's cable: who it is, what to do where none answers, and a gateway for
that one cable.
"""

import asyncio
import contextlib
import io
import json
import struct
from collections.abc import AsyncIterator

import msgspec
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from msgspec import Raw, Struct

from diadema.base.errors import ProvisionError
from diadema.base.paths import DataDir
from diadema.gateway.bridge import Gateway
from diadema.gateway.console import Listener, meaning
from diadema.gateway.station_line import StationLine
from diadema.stations import trouble
from diadema.stations.boards.table import NEEDS_IMAGE
from diadema.stations.fleet import all_stations
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE
from diadema.words import DEFAULT, Later, Sentence

GREETING_S = 6.0
_ASK_EVERY_S = 1.0
_OPEN_S = 1.5
_ANSWER_S = 5.0  # to one character at the prompt
_LOOK = """
import json, os, sys
try:
    import machine
    chip = ''.join('%02x' % byte for byte in machine.unique_id())
except (ImportError, AttributeError):
    chip = ''
print(json.dumps({'version': '.'.join(str(n) for n in sys.implementation[1][:3]),
    'chip': chip, 'program': 'slots.mpy' in os.listdir('/')}))
"""
# mpremote unpacks what a pulled cable left short
_TROUBLE = (TransportError, OSError, ValueError, KeyError, TypeError, struct.error)


def what_answers(port: str) -> str | None:
    """Looks at a board that says no hello through MicroPython's prompt, by mpremote's transport.
    Gives what to do about it, in words; None when there is no prompt either.
    """
    try:
        line = SerialTransport(port, baudrate=115_200, timeout=_ANSWER_S)
    except _TROUBLE:
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it did not expect
            line.enter_raw_repl(soft_reset=False)
            found = json.loads(line.exec(_LOOK))
        return _words(line, found)
    except _TROUBLE:
        return None
    finally:
        with contextlib.suppress(*_TROUBLE):  # the cable may be gone
            line.close()


def _words(line: SerialTransport, found: dict[str, str]) -> str:
    name = f"MicroPython {found['version']}" + (
        f" on chip {found['chip']}" if found["chip"] else ""
    )
    if not found["program"]:
        return (
            f"{name} runs there, but no station's program: write it with `diadema flash`, which "
            "keeps its journal and its files"
        )
    with contextlib.suppress(*_TROUBLE):
        line.exec_raw_no_follow("import machine; machine.reset()")
    return (
        f"{name} stood at its prompt; it was started again: repeat the command. If it stands "
        "there again, write it anew with `diadema flash`: what is its own stays"
    )


class _Up(Struct):
    hello: Raw = Raw(b"")


class InUse(ProvisionError):
    """Another program has the port open; perhaps a gateway."""


async def greeting_on(port: str, limit_s: float, console: Listener | None = None) -> Hello | None:
    """The station's greeting; None when nobody says one within `limit_s`. `console` hears all
    else. Raises ProvisionError when the port cannot be opened.
    """
    opened = asyncio.Event()
    heard: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()

    def take(body: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            up = msgspec.json.decode(body, type=_Up)
            if up.hello and not heard.done():
                heard.set_result(msgspec.json.decode(up.hello, type=Hello))

    def hear(text: bytes) -> None:
        if console is not None:
            console.hear(text)

    line = StationLine(
        port, opened=opened.set, message=take, closed=lambda: None, console=hear, quiet=True
    )
    running = asyncio.create_task(line.run())
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_S):
                await opened.wait()
        if not line.is_open:
            kind = InUse if line.busy else ProvisionError
            if not line.error:
                raise kind(Sentence("errors.stations.port_silent", port=port))
            values = {"port": port, "reason": line.error, "hint": line.hint}
            raise kind(Sentence("errors.stations.port_shut", **values))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not heard.done():
                    line.ask_hello()
                    await asyncio.wait([heard], timeout=_ASK_EVERY_S)
        return heard.result() if heard.done() else None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def who_is_on(data: DataDir, port: str, station: str | None) -> tuple[Hello, bool]:
    """The greeting of the station on that port, and whether another program carries its cable.
    `station`: which one it should be, where a gateway may have the port. Raises ProvisionError,
    which says what to do, when no program of a station answers.
    """
    console = Listener()
    try:
        hello = await greeting_on(port, GREETING_S, console)
    except InUse as error:
        if station is None:
            raise ProvisionError(
                Sentence("errors.stations.error_if_diadema_gateway_say", error=error)
            ) from error
        row = next((row for row in all_stations(data, 0) if row.station == station), None)
        if row is not None and row.safe is not None:
            raise ProvisionError(in_safe_mode(station, row.safe, row.board, port)) from error
        return Hello(up=True, station=station), True
    if hello is not None and hello.safe:
        raise ProvisionError(in_safe_mode(hello.station, hello.cause, hello.board, port))
    if hello is not None:
        return hello, False
    if (kind := console.kind) and kind != "prompt":
        advice = Sentence(f"trouble.console.{kind}")
        raise ProvisionError(Sentence("errors.stations.path_reason", path=port, reason=advice))
    if found := await asyncio.to_thread(what_answers, port):
        raise ProvisionError(Sentence("errors.stations.path_reason", path=port, reason=found))
    raise ProvisionError(Sentence("errors.stations.nobody_answers", port=port))


def in_safe_mode(s: str, why: str, board: str, port: str) -> Sentence:
    """What to do with a station in safe mode, or with one that does not even reach it."""
    if meaning(why, DEFAULT):
        advice = Sentence(f"trouble.console.{why}")
        return Sentence("errors.stations.path_reason", path=s, reason=advice)
    if why in NEEDS_IMAGE:
        start = Later(lambda language: trouble.start(why, why, "", board, language)[0])
        image = Later(lambda language: trouble.image_advice(why, board, language))
        return Sentence("errors.stations.needs_image", s=s, start=start, advice=image)
    cause = Later(lambda language: trouble.word("safe", why, language))
    return Sentence("errors.stations.safe_mode", s=s, why=cause, port=port)


@contextlib.asynccontextmanager
async def carrying(data: DataDir, port: str, s: str) -> AsyncIterator[None]:
    """Runs a gateway for this one cable."""
    running = asyncio.create_task(Gateway(data, [port], bench_gateway(s)).run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def bench_gateway(s: str) -> str:
    """The name of the gateway that carries the cable of station `s` alone."""
    return "bench-" + s.removeprefix("DIA-")
