"""All that strangers and files did to a web at once, on one hub: who works there is served on."""

import asyncio
import contextlib
from pathlib import Path

import aiohttp
import pytest
from diadema.base.processes import raise_open_files
from diadema.web.floor.channel import OF_ONE

from tests.host.test_sheet_bounds import _ROW, book
from tests.support.full_disk import SmallDisk, way_in

pytestmark = pytest.mark.skipif(way_in() is None, reason="no mount namespaces here (unshare)")

_IDLE, _WALLS, _HEADERS = 1100, 520, 200_000_000
_AGAIN_S = 5.0
_SERVED_S, _APART_S = 300.0, 0.2
_MORE_MEMORY = 128 << 20  # bytes of the web and its workers
_MORE_LOGS = 1_000_000


def workbooks():
    """A row far away, rows as wide as can be, and strings without end."""
    first = _ROW.format(r=1, at="A")
    wide = "".join(_ROW.format(r=at, at="XFD") for at in range(1, 200_000))
    strings = "<sst>" + "<si><t>a</t></si>" * 3_000_000 + "</sst>"
    return [
        book(first + _ROW.format(r=5_000_000_000, at="A")),
        book(wide),
        book(first, **{"xl/sharedStrings.xml": strings}),
    ]


def memory(pid):
    """Bytes that a process and those that it began hold for themselves."""
    held = 0
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            held += int(line.split()[1]) * 1024
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with contextlib.suppress(OSError):
            held += memory(child)
    return held


class Storm:
    """`opened`: connections that say nothing; `walls`: sockets that were told something, and
    `turned_away` those that were not; `refused`: what was answered to the workbooks; `most`: bytes
    of the web, its workers among them, at their most.
    """

    def __init__(self, disk):
        self.disk = disk
        self.web = disk.data.read_hub().children["web"]
        self.at = disk.web.partition("//")[2].split(":")
        self.most = 0
        self.opened, self.walls, self.turned_away = 0, set(), 0
        self.refused = []

    async def idle(self, number):
        """Says nothing, or every third half a head; again and again."""
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(*self.at)
                self.opened += 1
                try:
                    writer.write(b"GET / HT" * (number % 3 == 0))
                    await reader.read()
                finally:
                    writer.close()
            await asyncio.sleep(_AGAIN_S)

    async def headers(self):
        sent, line = 0, b"x: " + b"y" * 8000 + b"\r\n"
        while sent < _HEADERS:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(*self.at)
                try:
                    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n")
                    while sent < _HEADERS:
                        writer.write(line)
                        await writer.drain()
                        sent += len(line)
                finally:
                    writer.close()

    async def wall(self, http):
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with http.ws_connect(self.socket("wall")) as socket:
                async for _ in socket:
                    self.walls.add(socket)
        self.turned_away += 1

    def socket(self, scope):
        return f"{self.disk.web.replace('http', 'ws', 1)}/ws?scope={scope}"

    async def sheet(self, given):
        address = f"{self.disk.web}/api/v1/people/import/agents"
        async with (
            aiohttp.ClientSession() as http,
            http.post(address, data=given, headers=self.disk.token) as answer,
        ):
            self.refused.append(answer.status)

    async def serve(self, work, done):
        """Again and again until it is over: each time within the limit."""
        while not done.is_set():
            async with asyncio.timeout(_SERVED_S):
                await work()
            self.most = max(self.most, memory(self.web))
            await asyncio.sleep(_APART_S)


async def test_they_are_served_while_all_of_it_comes_at_once(tmp_path):
    raise_open_files()
    given = await asyncio.to_thread(workbooks)
    async with asyncio.timeout(400), SmallDisk(tmp_path, 2, megabytes=256) as disk:
        assert (await disk.log_in())[0] == 303
        disk.work(1)
        await disk.until_held()
        for path in ("people/export/agents", "contacts"):  # each begins a process for such work
            assert await disk.look_at(f"/api/v1/{path}") == 200
        await stormed(disk, given)
        disk.stored()


async def stormed(disk, given):
    storm, done = Storm(disk), asyncio.Event()
    memory_before, logs_before = memory(storm.web), logs(disk)
    cookie = {"Cookie": disk.cookie}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        disk.http.ws_connect(storm.socket("full"), headers=cookie) as floor,
    ):

        async def page():
            assert await disk.look_at("/ui/") == 200

        async def api():
            address = f"{disk.web}/api/v1/contacts"
            async with disk.http.get(address, headers=disk.token) as answer:
                assert answer.status == 200 and await answer.json()

        async def station():
            disk.work(1)
            await disk.until_held()

        async def floor_is_told():
            message = await floor.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, message

        flood = [storm.idle(number) for number in range(_IDLE)]
        flood += [storm.wall(http) for _ in range(_WALLS)]
        flood = [asyncio.create_task(one) for one in flood]
        works = (page, api, station, floor_is_told)
        serving = [asyncio.create_task(storm.serve(one, done)) for one in works]
        try:
            await asyncio.gather(storm.headers(), *map(storm.sheet, given))
            await asyncio.sleep(_AGAIN_S)
            done.set()
            await asyncio.gather(*serving)
        finally:
            for task in (*flood, *serving):
                task.cancel()
            await asyncio.gather(*flood, *serving, return_exceptions=True)
    more = storm.most - memory_before
    assert storm.refused == [422] * 3
    assert storm.opened >= _IDLE
    assert 0 < len(storm.walls) <= OF_ONE["wall"] and storm.turned_away >= _WALLS - OF_ONE["wall"]
    assert more <= _MORE_MEMORY
    assert logs(disk) - logs_before <= _MORE_LOGS
    assert disk.data.read_hub().children["web"] == storm.web
    assert "PAUSED" not in disk.said


def logs(disk):
    return sum(file.stat().st_size for file in disk.data.log("web").parent.glob("*"))
