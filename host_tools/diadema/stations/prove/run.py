"""Measures a station on its cable: what is asked, in which order, and what the person in front of
it is to do.

Questions go to the station sealed with its key, and its answers are sealed too. A number is used
once, so an answer to it is of now.
"""

import asyncio
import contextlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from diadema.base.errors import ProveError, ProvisionError
from diadema.base.paths import DataDir
from diadema.gateway.serial_port import BAUD
from diadema.gateway.station_line import StationLine
from diadema.site.context import language_of
from diadema.site.description import Site, load_if_any
from diadema.site.station_keys import StationKeys, seal
from diadema.stations.boards.table import BoardError, load_board
from diadema.stations.cable import InUse, greeting_on, who_is_on
from diadema.wire.commands import Hello
from diadema.wire.events import UNREADABLE
from diadema.wire.letters import LETTERS
from diadema.words import said, section, text

_OPEN_S = 1.5
_SEALED = b',"h":"'
_MARK = len(_SEALED) + 16 + len(b'"}')
OPENINGS = 10
# keys whose press counts at its first edge: the others wait for what it will be
PRESSES = (1, 2, 1, 2, 1, 2)
FLOOD = 16 * 1024  # bytes down the cable at once
LIE_S = 120  # a badge lies there
TWO_S = 15  # two are held there
# name, what is to be heard, the socket of the board's table that it is heard in
HEARD = (
    ("tone_left", "tone", "headset"), ("tone_right", "tone", "headset"),
    ("voice", "voice", "headset"), ("line", "line", "line_in"),
    ("line_out", "line_out", "line_out"),
)  # fmt: skip
# in place of an answer: why there is none
NOT_REQUESTED: dict[str, Any] = {"lacks": "not_asked"}
NO_SOCKET: dict[str, Any] = {"lacks": "no_such_part"}
PULLED = ("headset", "badge_reader")
_GREETING_S = 6.0
_ANSWER_S = 15.0
_PERSON_S = 45.0  # the station itself waits 20
_PLUG_S = 100.0  # and 45 until it sees that a plug was pulled, 45 until it is back
_DIPS_S = 40.0
_BITS = 10  # of a byte on the wire
_DRAINED_S = 0.5
_PARTS = (*(name for name, _, _ in HEARD), "noise", "lying", "two", *PULLED)

type Tell = Callable[[str], None]
type Step = Callable[..., Coroutine[Any, Any, None]]  # of `_steps`


class _Up(Struct):
    proof: Raw = Raw(b"")
    hello: Hello | None = None


class Station:
    """Made by `asking`. `forged`: answers that the station's key did not seal; `old`: those to a
    question of before. None of them counts.
    """

    def __init__(self, port: str, s: str, boot: int, key: bytes, language: str) -> None:
        self.forged = self.old = 0
        self._s, self._boot, self._key, self._language = s, boot, key, language
        self._number = 0
        self._opened = asyncio.Event()
        self._answer: asyncio.Future[dict[str, Any]] | None = None
        self.line = StationLine(
            port, opened=self._opened.set, message=self._take, closed=self._gone, quiet=True
        )

    async def open(self) -> None:
        """Waits until the port is open. Raises ProveError."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OPEN_S):
                await self._opened.wait()
        if not self.line.is_open:
            why = f"{self.line.error}{said(self.line.hint, self._language)}"
            raise ProveError(text("prove.no_port", self._language, port=self.line.path, why=why))

    async def ask(
        self, step: str, limit_s: float, tries: int = 1, **fields: Any
    ) -> dict[str, Any]:
        """What the station answers; `failed` in it says why it could not. A question that may be
        lost, and does nothing, has more `tries` within `limit_s`. Raises ProveError when it says
        nothing, refuses, or starts anew.
        """
        for _ in range(tries):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s / tries):
                    answer = await self._answer_to(step, fields)
                break
        else:
            word = "forged" if self.forged or self.old else "silent"
            raise ProveError(text(f"prove.{word}", self._language, s=self._s, step=step))
        if "refused" in answer:
            raise ProveError(text("prove.refused", self._language, s=self._s))
        return answer

    async def _answer_to(self, step: str, fields: dict[str, Any]) -> dict[str, Any]:
        # grows over all runs in one start of the station, which takes none twice
        self._number = max(self._number + 1, time.time_ns() // 1_000_000)
        command = {"cmd": "prove", "i": self._number, "step": step, **fields}
        body = json.dumps(command, separators=(",", ":")).encode()
        self._answer = asyncio.get_running_loop().create_future()
        self.line.send(seal(self._key, self._s, self._boot, body))
        return await self._answer

    def _take(self, body: bytes) -> None:
        with contextlib.suppress(*UNREADABLE):
            up = msgspec.json.decode(body, type=_Up)
            if up.hello is not None:
                self._greeted(up.hello)
            elif up.proof:
                self._answered(body, up.proof)

    def _answered(self, body: bytes, proof: Raw) -> None:
        plain = body[:-_MARK] + b"}"
        right = seal(self._key, self._s, self._boot, plain)
        answer = msgspec.json.decode(proof)
        pending = self._answer
        if not hmac.compare_digest(right, body) or not isinstance(answer, dict):
            self.forged += 1
        elif answer.get("i") != self._number:
            self.old += 1
        elif pending and not pending.done():
            pending.set_result(answer)

    def _greeted(self, hello: Hello) -> None:
        if hello.station != self._s or hello.boot != self._boot:
            self._fail("prove.restarted")

    def _gone(self) -> None:
        self._opened.clear()
        self._fail("prove.gone")

    def _fail(self, word: str) -> None:
        if self._answer and not self._answer.done():
            reason = text(word, self._language, s=self._s, port=self.line.path)
            self._answer.set_exception(ProveError(reason))


@contextlib.asynccontextmanager
async def connected(
    port: str, s: str, boot: int, key: bytes, language: str
) -> AsyncIterator[Station]:
    """The station `s` in its start `boot`. Raises ProveError."""
    station = Station(port, s, boot, key, language)
    running = asyncio.create_task(station.line.run())
    try:
        await station.open()
        yield station
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Measurement(Struct, rename=LETTERS):
    """The answers of a station, as it gave them. `boots`: the boot number at each opening of the
    port.
    """

    station: str
    board: str
    boots: list[int]
    sent: int = 0  # bytes of the flood
    text_before: Any = None  # what it had counted of such bytes
    text_after: Any = None
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)


async def measure(
    data: DataDir,
    port: str,
    tell: Tell = lambda _: None,
    *,
    brief: bool = False,
    language: str | None = None,
) -> tuple[Measurement, int]:
    """Measures the station on that port; also gives how many answers were forged.
    `brief`: of the chip alone. `language`: of what is told, else the site's. Raises DiademaError.
    """
    site = load_if_any(data.site)
    language = language or language_of(site)
    keys = StationKeys(data.keys)
    boots = []
    hello = await _who(data, port, language)
    tell(text("prove.begins", language, seat=_seat(site, hello.station), s=hello.station))
    key = keys.of(hello.station)
    if key is None:
        raise ProveError(text("prove.no_key", language, s=hello.station, root=data.root))
    tell(text("prove.opens", language, count=OPENINGS))
    for _ in range(OPENINGS):
        again = await greeting_on(port, _GREETING_S)
        if again is None or again.station != hello.station:
            raise ProveError(text("prove.silent", language, s=hello.station, step="hello"))
        boots.append(again.boot)
    measured = Measurement(station=hello.station, board=hello.board, boots=[hello.boot, *boots])
    async with connected(port, hello.station, boots[-1], key, language) as station:
        await _steps(station, measured, tell, language, brief)
        return measured, station.forged


async def _who(data: DataDir, port: str, language: str) -> Hello:
    try:
        return (await who_is_on(data, port, None))[0]
    except ProvisionError as error:
        if isinstance(error.__cause__, InUse):
            raise ProveError(text("prove.in_use", language, port=port)) from error
        raise


async def _steps(
    station: Station, measured: Measurement, tell: Tell, language: str, brief: bool
) -> None:
    said = section("prove", language)

    async def step(name: str, ask: str, limit_s: float = _ANSWER_S, **fields: Any) -> None:
        for word in (f"step.{name}", f"step.{ask}"):
            if word in said:
                tell(said[word].format(**fields))
                break
        measured.steps[name] = await station.ask(ask, limit_s, **fields)

    try:
        await step("about", "about")
        await step("start", "start")
        await step("flash", "flash")
        await _flood(station, measured)
        for at, key in enumerate(PRESSES, 1):
            await step(f"press{at}", "key", _PERSON_S, key=key)
        await step("badge", "badge", _PERSON_S)
        await step("pin", "pin")
        if brief:
            measured.steps |= dict.fromkeys(_PARTS, NOT_REQUESTED)
        else:
            await _parts(step, measured)
        await step("radio", "radio")
        await step("dips", "dips", _DIPS_S)
    finally:
        with contextlib.suppress(ProveError):
            measured.steps["end"] = await station.ask("end", _ANSWER_S)


async def _parts(step: Step, measured: Measurement) -> None:
    """What hangs on it: each ear and socket, the microphone, the reader, and what is pulled."""
    fitted = _fitted(measured.board)
    for name, what, socket in HEARD:
        if fitted is None or socket in fitted:
            await step(name, "hear", _PERSON_S, what=what)
        else:
            measured.steps[name] = NO_SOCKET
    await step("noise", "noise")
    await step("lying", "badges", LIE_S + _ANSWER_S, seconds=LIE_S)
    await step("two", "badges", TWO_S + _ANSWER_S, seconds=TWO_S)
    for part in PULLED:
        await step(part, "pulled", _PLUG_S, part=part)


def _fitted(name: str) -> Mapping[str, Any] | None:
    """What is soldered to a board of ours; None where only the station knows."""
    try:
        return load_board(name).wiring.parts
    except BoardError:
        return None


async def _flood(station: Station, measured: Measurement) -> None:
    """Sends text as fast as the cable takes it, which a station skips and counts."""
    measured.text_before = (await station.ask("count", _ANSWER_S)).get("text")
    measured.sent = FLOOD
    station.line.write_text(b"." * FLOOD)
    await asyncio.sleep(FLOOD * _BITS / BAUD + _DRAINED_S)
    # the text may have swallowed the question too
    measured.text_after = (await station.ask("count", _ANSWER_S, tries=3)).get("text")


def _seat(site: Site | None, s: str) -> str:
    return next((one.seat for one in site.stations if one.id == s), s) if site else s
