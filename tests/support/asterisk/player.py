"""Plays a transcript's doings against an exchange, and gathers what comes."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import httpx
from diadema_sim.exchange.parts import Fields, message
from websockets.asyncio.client import ClientConnection, connect

from tests.support.asterisk.transcripts import (
    LIMIT_S,
    Came,
    Row,
    answer_row,
    event_row,
    log_row,
    reply_row,
    ws_row,
)

_OF_QUEUES = ("event", "ws", "log", "ami<")


class Hands(Protocol):
    """Of the people: callers, telephones' users, and whoever sits at the console."""

    async def phones(self, *numbers: str) -> None: ...
    async def do(self, what: str, *more: str) -> None: ...


class Player:
    """An async context manager. `line` is to be told of each line of queue_log. `pace_s`: how
    long it waits before each doing; a real one takes time from an answer to what it stands for.
    """

    def __init__(
        self,
        ports: tuple[int, int],  # of AMI and of ARI
        user: str,
        secret: str,
        hands: Hands,
        pace_s: float = 0,
    ) -> None:
        self._ports, self._user, self._secret = ports, user, secret
        self._hands, self._pace_s = hands, pace_s
        self.came = Came()
        self._answers: dict[str, tuple[Fields, list[Fields]]] = {}
        self._number = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Player":
        ami, ari = self._ports
        stack, loop = self._stack, asyncio.get_running_loop()
        self._challenge: asyncio.Future[str] = loop.create_future()
        self._in: asyncio.Future[None] = loop.create_future()
        reader, self._writer = await asyncio.open_connection("127.0.0.1", ami)
        stack.callback(self._writer.close)
        await reader.readline()
        self._client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{ari}/ari",
                auth=(self._user, self._secret),
                trust_env=False,
            )
        )
        url = f"ws://127.0.0.1:{ari}/ari/events?app=diadema&subscribeAll=false"
        stream = await stack.enter_async_context(
            connect(f"{url}&api_key={self._user}:{self._secret}", proxy=None, ping_interval=None)
        )
        for work in (self._read(reader), self._hear(stream)):
            task = asyncio.create_task(work)
            stack.push_async_callback(asyncio.wait, [task])
            stack.callback(task.cancel)
        await self._log_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def line(self, line: str) -> None:
        self.came.add(log_row(line))

    def write_in_log(self, verb: str) -> None:
        self._send({"Action": "QueueLog", "Queue": "ventas", "Event": verb})

    async def _log_in(self) -> None:
        self._send({"Action": "Challenge", "ActionID": "challenge", "AuthType": "MD5"})
        text = await self._challenge + self._secret
        key = hashlib.md5(text.encode(), usedforsecurity=False)
        login = {"Action": "Login", "ActionID": "login", "AuthType": "MD5"}
        self._send({**login, "Username": self._user, "Key": key.hexdigest()})
        await self._in

    def _send(self, action: Fields) -> None:
        self._writer.write(message(action))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                text = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            fields: Fields = {}
            for line in text.decode(errors="surrogateescape").split("\r\n"):
                name, colon, value = line.partition(":")
                if colon:
                    fields.setdefault(name, value.removeprefix(" "))
            self._take(fields)

    def _take(self, fields: Fields) -> None:
        number = fields.get("ActionID", "")
        if number == "challenge":
            self._challenge.set_result(fields["Challenge"])
        elif number == "login":
            assert fields["Response"] == "Success", fields
            self._in.set_result(None)
        elif "Response" in fields:
            if number.isdigit():
                self._answers[number] = (fields, [])
                if fields.get("EventList") != "start":
                    self.came.add(answer_row(fields, []))
        elif number in self._answers:
            answer, listed = self._answers[number]
            if fields.get("EventList") == "Complete":
                self.came.add(answer_row(answer, listed))
            else:
                listed.append(fields)
        elif "Event" in fields:
            self.came.add(event_row(fields))

    async def _hear(self, stream: ClientConnection) -> None:
        async for text in stream:
            self.came.add(ws_row(json.loads(text)))

    async def play(self, rows: list[Row], limit_s: float = LIMIT_S) -> bool:
        """Whether everything that was recorded came, as far as numbers go."""
        counts = dict.fromkeys(_OF_QUEUES, 0)
        for row in rows:
            if row[0] in counts:
                counts[row[0]] += 1
                continue
            if row[0] == "ari<":
                continue
            if not await self.came.until(self._reached(counts), limit_s):
                return False
            await self._do(self.came.names.meant(row))
        return await self.came.until(self._reached(counts), limit_s)

    def _reached(self, counts: dict[str, int]) -> Callable[[], bool]:
        return lambda: all(self.came.count(kind) >= count for kind, count in counts.items())

    async def _do(self, row: Row) -> None:
        what, *more = row
        if self._pace_s:
            await asyncio.sleep(self._pace_s)
        if what == "phones":
            await self._hands.phones(*more)
        elif what == "hand":
            await self._hands.do(*more)
        elif what == "ami>":
            self._number += 1
            action, *rest = more[0].items()
            self._send(dict([action, ("ActionID", str(self._number)), *rest]))
        else:
            await self._ask(*more)

    async def _ask(self, method: str, path: str, query: dict[str, str], body: Any) -> None:
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        answer = await self._client.request(
            method, f"/{path}", params=query, content=content,
            headers={"Content-Type": "application/json"} if content else {},
        )  # fmt: skip
        self.came.add(reply_row(answer.status_code, answer.json() if answer.content else None))
