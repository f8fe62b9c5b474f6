"""Connections that say nothing, or too much, take no place from those that ask for something."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from diadema.web import connections
from diadema.web.connections import Connections, protocol_of

_ASK = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the number of bytes of the body."""
    size, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


class Door:
    """`an_address` and `most` are the bounds of the server behind it."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def open(self, said: bytes = b"", source: str = "127.0.0.1") -> Any:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(source, 0)
        )
        writer.write(said)
        return reader, writer

    async def ask(self, request: bytes = _ASK, source: str = "127.0.0.1") -> bytes:
        reader, writer = await self.open(source=source)
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(request), 65_536):
                writer.write(request[at : at + 65_536])
                await writer.drain()
        answer = b""
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(300):
                answer = await reader.read()
        writer.close()
        return bytes(answer)

    async def silent(self, count: int, source: str = "127.0.0.1") -> list[Any]:
        """So many of one address; every third has said half a head."""
        some = [self.open(b"GET / HT" * (at % 3 == 0), source) for at in range(count)]
        return await asyncio.gather(*some)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    known = Connections(300, an_address=40)
    config = uvicorn.Config(
        _app, port=0, http=protocol_of(known), lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield Door(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving


def still_open(some: list[Any]) -> int:
    return sum(not reader.at_eof() and not reader.exception() for reader, _ in some)


async def test_who_asks_is_served_among_many_that_say_nothing(door: Door) -> None:
    idle = await door.silent(150)
    assert b"200 OK" in await door.ask()
    assert b"200 OK" in await door.ask(source="127.0.0.2")
    assert still_open(idle) <= 40
    for _, writer in idle:
        writer.close()


async def test_many_addresses_together_have_a_bound(door: Door) -> None:
    idle = []
    for last in range(10, 20):
        idle += await door.silent(40, f"127.0.0.{last}")
    assert b"200 OK" in await door.ask(source="127.0.0.9")
    assert still_open(idle) <= 172
    for _, writer in idle:
        writer.close()


async def test_who_says_nothing_goes_in_time(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.1)
    idle = await door.silent(9)
    async with asyncio.timeout(300):
        for reader, writer in idle:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
    monkeypatch.undo()
    assert b"200 OK" in await door.ask()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 200_000,
        b"GET / HTTP/1.1\r\nhost: " + b"x" * 5_000_000,
        b"GET /" + b"x" * 5_000_000,
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        + b"a: b\r\n" * 200_000,
    ],
)
async def test_a_head_without_end_is_cut(door: Door, head: bytes) -> None:
    answer = await door.ask(head)
    assert b"200 OK" not in answer
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert b"200 OK" in await door.ask()


async def test_a_large_body_is_no_head(door: Door) -> None:
    head = b"POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    body = b"y" * 1_000_000
    whole = head + b"content-length: 1000000\r\n\r\n" + body
    assert b"1000000" in await door.ask(whole)
    parts = b"".join(b"a\r\n0123456789\r\n" for _ in range(30_000)) + b"0\r\n\r\n"
    chunked = head + b"transfer-encoding: chunked\r\n\r\n" + parts
    assert b"300000" in await door.ask(chunked)


async def test_one_connection_may_ask_again_and_again(door: Door) -> None:
    reader, writer = await door.open()
    ask = b"GET / HTTP/1.1\r\nhost: x\r\ncookie: " + b"c" * 4000 + b"\r\n\r\n"
    for _ in range(60):
        writer.write(ask)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head
        await reader.readuntil(b"\r\n0\r\n\r\n") if b"chunked" in head else await reader.read(1)
    writer.close()


def test_as_many_files_are_open_as_may_be() -> None:
    program = (
        "import resource; from diadema.base.processes import raise_open_files as up;"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)); print(up());"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    said, soft = told.stdout.split()
    assert said == soft and int(soft) > 64, told.stderr
