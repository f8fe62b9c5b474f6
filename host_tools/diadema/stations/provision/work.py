"""From a station on a cable to one that has its configuration.

Looks at a board that says no hello through MicroPython's prompt, by mpremote's transport.

Asks whoever is on a cable who it is.
"""

import asyncio
import contextlib
import io
import json
import os
import struct
from collections.abc import AsyncIterator, Callable

import msgspec
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport
from msgspec import Raw, Struct

from diadema.base.clock import Clock
from diadema.base.errors import ProvisionError
from diadema.base.paths import DataDir
from diadema.gateway.bridge import PATH_LIMIT, Gateway, Running
from diadema.gateway.console import Listener, means
from diadema.gateway.station_line import StationLine
from diadema.site.description import load
from diadema.stations.boards.builds import NEEDS_IMAGE
from diadema.stations.fleet import reading
from diadema.stations.fleet.reading import fleet
from diadema.stations.provision.seat import take_seat
from diadema.stations.provision.word import Word
from diadema.wire.ask_hub import ask_hub
from diadema.wire.commands import Hello, is_station
from diadema.wire.events import UNREADABLE

_ANSWER_S = 5.0  # to one character
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
    """What to do about it, in words; None when there is no prompt either."""
    try:
        line = SerialTransport(port, baudrate=115_200, timeout=_ANSWER_S)
    except _TROUBLE:
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it did not expect
            line.enter_raw_repl(soft_reset=False)
            told = json.loads(line.exec(_LOOK))
        return _words(line, told)
    except _TROUBLE:
        return None
    finally:
        with contextlib.suppress(*_TROUBLE):  # the cable may be gone
            line.close()


def _words(line: SerialTransport, told: dict[str, str]) -> str:
    name = f"MicroPython {told['version']}" + (f" on chip {told['chip']}" if told["chip"] else "")
    if not told["program"]:
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


_ASK_EVERY_S = 1.0
_OPEN_S = 1.5


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
            told = f"{line.error}{line.hint}" if line.error else "it does not answer"
            raise kind(f"{port} cannot be opened: {told}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not heard.done():
                    line.ask_hello()
                    await asyncio.wait([heard], timeout=_ASK_EVERY_S)
        return heard.result() if heard.done() else None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


_GREETING_S = 6.0
_CONFIG_S = 90.0  # 40 kB of a large site at 115 200 baud, and a slow start
_LOOK_S = 0.1

type Say = Callable[[str], None]


class Provisioned(Struct):
    """`wifi`: the network that it was told; empty: it stays on its cable."""

    station: str
    seat: str
    site: str
    generation: int
    language: str
    wifi: str
    firmware: str
    board: str


async def provision(
    data: DataDir,
    port: str,
    seat: str,
    *,
    clock: Clock,
    by: str,
    station: str | None = None,
    replace: bool = False,
    say: Say = lambda _: None,
    limit_s: float = _CONFIG_S,
) -> Provisioned:
    """Raises DiademaError. `station`: what the board should be; needed where a gateway has the
    port already, which then carries it.
    """
    if data.read_hub() is None:
        raise ProvisionError(f"no hub runs on {data.root}: start `diadema hub`, or check --data")
    say(f"asks who is on {port}")
    hello, carried = await who_is_on(data, port, station)
    s = hello.station or station or ""
    if not is_station(s):
        raise ProvisionError(f"{s!r} is no station: an id is DIA- and 12 lower-case hex digits")
    if station is not None and s != station:
        raise ProvisionError(f"the board on {port} is {s}, not {station}: look at its label")
    gw, at, number = _gateway_of(data, port) if carried else (_bench(s), port, 0)
    cable = gw, at[-PATH_LIMIT:]
    word = Word(data, hello, carried, cable)
    say(f"{s}: takes seat {seat}")
    generation = await take_seat(data, s, seat, replace=replace, by=by, clock=clock)
    named = {"s": s, "gw": gw, "at": cable[1], "port": number}
    window = {"stations": [named], "seconds": limit_s}
    await ask_hub(data, "hub.provision", window)
    say(f"{s}: gets configuration {generation} and the time")
    async with carrying(data, port, s) if not carried else contextlib.nullcontext():
        await _wait(word, s, generation, limit_s)
    site = load(data.site)
    return Provisioned(
        station=s,
        seat=seat,
        site=site.site,
        generation=generation,
        language=site.language,
        wifi=site.wifi.ssid if site.wifi else "",
        firmware=hello.firmware,
        board=hello.board,
    )


async def who_is_on(data: DataDir, port: str, station: str | None) -> tuple[Hello, bool]:
    """The greeting, and whether another program carries the cable."""
    console = Listener()
    try:
        hello = await greeting_on(port, _GREETING_S, console)
    except InUse as error:
        if station is None:
            raise ProvisionError(
                f"{error}. If that is `diadema gateway`, say which station it is with --station"
            ) from error
        row = next((row for row in fleet(data, 0) if row.station == station), None)
        if row is not None and row.safe is not None:
            raise ProvisionError(in_safe_mode(station, row.safe, row.board, port)) from error
        return Hello(up=True, station=station), True
    if hello is not None and hello.safe:
        raise ProvisionError(in_safe_mode(hello.station, hello.cause, hello.board, port))
    if hello is not None:
        return hello, False
    if console.kind and console.kind != "prompt":
        raise ProvisionError(f"{port}: {means(console.kind, 'en')}")
    told = await asyncio.to_thread(what_answers, port)
    raise ProvisionError(
        f"{port}: {told}"
        if told
        else f"{port}: nobody answers. Is it powered, and is its cable one that carries data? "
        "Press EN (reset) once and repeat the command"
    )


def in_safe_mode(s: str, why: str, board: str, port: str) -> str:
    """What to do with such a station, or with one that does not even come to that."""
    if told := means(why, "en"):
        return f"{s}: {told}"
    if why in NEEDS_IMAGE:
        told = reading.start(why, why, "", board, "en")[0]
        return f"{s} is {told}. {reading.image_advice(why, board, 'en')}"
    return (
        f"{s} is in safe mode: {reading.word('safe', why, 'en')}. Bring it a program with "
        f"`diadema update cable FILE.bundle --port {port}`, or its image with `diadema flash`"
    )


@contextlib.asynccontextmanager
async def carrying(data: DataDir, port: str, s: str) -> AsyncIterator[None]:
    """A gateway for this one cable."""
    running = asyncio.create_task(Gateway(data, [port], _bench(s)).run())
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


def _bench(s: str) -> str:
    return "bench-" + s.removeprefix("DIA-")


def _gateway_of(data: DataDir, port: str) -> tuple[str, str, int]:
    """The gateway here that has the port, and how it calls and numbers it. Raises
    ProvisionError.
    """
    for file in sorted(data.root.glob("gateway-*.json")):
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            ports = msgspec.json.decode(file.read_bytes(), type=Running).ports
            for number, at in enumerate(ports):
                if os.path.realpath(at) == os.path.realpath(port):
                    return file.stem.removeprefix("gateway-"), at, number
    raise ProvisionError(f"{port} is used by a program that is no gateway of this hub: end it")


async def _wait(word: Word, s: str, generation: int, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            # the hub's commit: nothing here tells us of it
            while not word.has(generation):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise ProvisionError(
            f"{s} does not say that it has its configuration. If it belonged to another hub, it "
            "obeys that one only: hold keys 2 and 5 for ten seconds at power-on, then repeat this"
        ) from None
