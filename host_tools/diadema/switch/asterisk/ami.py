"""A client of Asterisk's manager interface: actions by number, lists, and events as they come.

A message is lines `Name: value`, each ended by CR LF, and an empty one after the last. Whatever
comes is taken to be hostile: a message that is too long ends the connection.
See https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError, first_of
from diadema.switch.asterisk.login import WAITS_S, Login
from diadema.switch.exchange import SwitchError, SwitchRefused
from diadema.words import Sentence

type Message = dict[str, str]

LONGEST = 1 << 16  # bytes of a message; Asterisk's own are below 8 KB
_BANNER = b"Asterisk Call Manager/"
_END = b"\r\n\r\n"
_PIECE = 1 << 16
_CONNECT_S = 5.0
_ANSWER_S = 5.0
_QUIET_S = 10.0  # after which we ask whether somebody is there
_MOST = 100  # actions that wait for their answers
_IN_LINE = 10_000  # and that may in all: more than a shift that logs in at once has
_LISTED_BYTES = 1 << 25  # of one list
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_()-]*")
_BROKEN = re.compile(r"[\r\n\0\ud800-\udfff]")  # the last are halves of characters


def encoded(action: str, fields: dict[str, str]) -> bytes:
    """Raises SwitchError for a name or a value that would begin a line of its own."""
    lines = [("Action", action), *fields.items()]
    for name, value in lines:
        if not _NAME.fullmatch(name) or _BROKEN.search(value):
            raise SwitchError(Sentence("errors.switch.value", field=name, action=action))
    text = "".join(f"{name}: {value}\r\n" for name, value in lines)
    return f"{text}\r\n".encode()


class Parser:
    """Bytes in, messages out. Of a name that stands twice the last value holds."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> list[Message]:
        """Raises SwitchError where there cannot be a message any more."""
        *whole, rest = (self._rest + data).split(_END)
        if len(rest) > LONGEST or any(len(one) > LONGEST for one in whole):
            raise SwitchError(Sentence("errors.switch.too_long", limit=LONGEST))
        self._rest = rest
        return [_message(one) for one in whole if one.strip()]


def _message(text: bytes) -> Message:
    found: Message = {}
    for line in text.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found[name] = value.removeprefix(" ")
    return found


@dataclass
class _Waiting:
    """For the answer to an action; `listed`: for the list that follows it, too."""

    answer: asyncio.Future[list[Message]]
    action: str
    many: bool
    listed: list[Message]
    size: int = 0


class Ami:
    """`hear` is called with each event, in order, and must not wait. `up` is awaited after each
    login, `down` called after each loss with what is known of its cause.
    """

    def __init__(
        self,
        login: Login,
        hear: Callable[[Message], None],
        up: Callable[[], Awaitable[None]],
        down: Callable[[DiademaError], None],
    ) -> None:
        self._login = login
        self._hear, self._up, self._down = hear, up, down
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._room = asyncio.Semaphore(_MOST)
        self._in_line = 0
        self._number = 0
        self._heard = 0.0
        self.version = ""  # of the interface, as the switch's first line has it

    async def run(self) -> None:
        """Connect, and again after each loss, until cancelled."""
        losses = 0
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await self.once()
            except DiademaError as error:
                self._down(error)
            if asyncio.get_running_loop().time() - began > _QUIET_S:
                losses = 0
            await asyncio.sleep(backoff_s(losses, WAITS_S))
            losses += 1

    async def once(self) -> None:
        """One connection until it is lost, which raises SwitchError."""
        reader = await self._connect()
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(reader))
                tasks.create_task(self._look())
                await self._log_in()
                await self._up()
                await reading
        except* DiademaError as errors:
            raise first_of(errors) from None
        finally:
            self._lose()

    async def act(self, action: str, **fields: str) -> Message:
        """The switch's answer. Raises SwitchRefused; SwitchError when there is none."""
        (answer,) = await self._ask(action, fields, many=False)
        return answer

    async def ask_list(self, action: str, **fields: str) -> list[Message]:
        """The events of a list, without the one that ends it. Raises as `act` does."""
        _, *listed = await self._ask(action, fields, many=True)
        return listed

    async def _ask(self, action: str, fields: dict[str, str], *, many: bool) -> list[Message]:
        if self._in_line >= _IN_LINE:
            raise SwitchError(Sentence("errors.switch.busy", count=_IN_LINE))
        self._in_line += 1
        try:
            async with self._room:
                return await self._send(action, fields, many=many)
        finally:
            self._in_line -= 1

    async def _send(self, action: str, fields: dict[str, str], *, many: bool) -> list[Message]:
        if self._writer is None:
            raise SwitchError(Sentence("errors.switch.away"))
        self._number += 1
        number = str(self._number)
        line = encoded(action, {"ActionID": number, **fields})
        answer: asyncio.Future[list[Message]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = _Waiting(answer, action, many, [])
        try:
            self._writer.write(line)
            async with asyncio.timeout(_ANSWER_S):
                return await answer
        except (OSError, TimeoutError) as error:
            raise SwitchError(Sentence("errors.switch.silent", action=action)) from error
        finally:
            self._waiting.pop(number, None)

    # -- one connection

    async def _connect(self) -> asyncio.StreamReader:
        at = self._login
        name = at.host if at.tls else None
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, self._writer = await asyncio.open_connection(
                    at.host, at.port, ssl=at.tls, server_hostname=name, limit=LONGEST
                )
                banner = await reader.readline()
        except (OSError, ValueError, TimeoutError) as error:
            self._lose()
            raise SwitchError(
                Sentence("errors.switch.unreachable", where=at.where, error=error)
            ) from error
        if not banner.startswith(_BANNER):
            self._lose()
            raise SwitchError(Sentence("errors.switch.no_ami", where=at.where))
        self.version = banner.removeprefix(_BANNER).decode(errors="replace").strip()
        return reader

    async def _log_in(self) -> None:
        """The secret itself is never sent."""
        challenge = (await self.act("Challenge", AuthType="MD5")).get("Challenge", "")
        # the interface knows no other digest; TLS or this machine is what protects it
        key = hashlib.md5(f"{challenge}{self._login.secret}".encode(), usedforsecurity=False)
        await self.act("Login", AuthType="MD5", Username=self._login.user, Key=key.hexdigest())

    async def _read(self, reader: asyncio.StreamReader) -> None:
        parser = Parser()
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await reader.read(_PIECE)
            except OSError as error:
                raise SwitchError(Sentence("errors.switch.lost", error=error)) from error
            if not data:
                raise SwitchError(Sentence("errors.switch.closed"))
            self._heard = loop.time()
            for message in parser.take(data):
                self._take(message)

    def _take(self, message: Message) -> None:
        waiting = self._waiting.get(message.get("ActionID", ""))
        if "Response" in message:
            if waiting is not None:
                self._answer(waiting, message)
        elif waiting is not None and waiting.listed:
            if message.get("EventList", "").lower() == "complete":
                _end(waiting)
            else:
                self._list(waiting, message)
        elif "Event" in message:
            self._hear(message)

    def _list(self, waiting: _Waiting, message: Message) -> None:
        waiting.size += sum(map(len, message.values()))
        if waiting.size <= _LISTED_BYTES:
            waiting.listed.append(message)
        elif not waiting.answer.done():
            error = SwitchError(Sentence("errors.switch.too_long", limit=_LISTED_BYTES))
            waiting.answer.set_exception(error)

    def _answer(self, waiting: _Waiting, message: Message) -> None:
        if message["Response"] in ("Error", "Goodbye") and not waiting.answer.done():
            reason = message.get("Message", message["Response"])
            waiting.answer.set_exception(SwitchRefused(waiting.action, reason))
            return
        waiting.listed.append(message)
        if not waiting.many:
            _end(waiting)

    async def _look(self) -> None:
        """Whether somebody is still there."""
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        while True:
            await asyncio.sleep(max(0.0, self._heard + _QUIET_S - loop.time()))
            if loop.time() - self._heard >= _QUIET_S:
                await self.act("Ping")

    def _lose(self) -> None:
        writer, self._writer = self._writer, None
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_exception(SwitchError(Sentence("errors.switch.away")))
        if writer is not None:
            with suppress(OSError):
                writer.close()


def _end(waiting: _Waiting) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(waiting.listed)
