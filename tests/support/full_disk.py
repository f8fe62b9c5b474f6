"""A real hub on a disk of its own of a few megabytes, a tmpfs in a mount namespace, that is filled
and freed while stations send.
"""

import asyncio
import contextlib
import errno
import json
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir
from diadema.store import open_reader

from tests.support.broker_fixtures import until
from tests.support.light_station import LightStation, accesses
from tests.support.scripted_station import SITE, Script
from tests.support.trust import trusting

_MOUNT = 'mount -t tmpfs -o size=$1 tmpfs "$2" && shift 2 && exec "$@"'
_PIECE = 64 * 1024
_CALL_S = 1.0  # a call at each desk
_APART_S = (1.0, 6.0)
_LOOK_S = 0.2
_LEFT = 2 << 20  # bytes, where it is not full
BACK_S = 30.0
LIVE_S = 5.0  # what is shown counts as live for 3 s after the last look, which is made each second


def way_in() -> list[str] | None:
    """The command that gives a program mounts of its own; None where that is not allowed."""
    for way in (["unshare", "-m"], ["unshare", "-Urm"]):
        test = [*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if shutil.which("unshare") and not subprocess.run(test, capture_output=True).returncode:
            return way
    return None


class SmallDisk:
    """`data` are the hub's files, as seen from here."""

    def __init__(self, folder: Path, stations: int, megabytes: int = 64) -> None:
        self._at = folder / "disk"
        self._at.mkdir()
        self._log = folder / "hub.log"
        self._megabytes = megabytes
        self._names = [f"DIA-0300000000{number:02x}" for number in range(stations)]
        self.crowd: list[LightStation] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "SmallDisk":
        way = way_in()
        if way is None:
            raise RuntimeError("no mount namespaces here (unshare): no disk of its own")
        first = self._at.with_name("first")  # what is there before it is mounted is not seen
        first.mkdir()
        seats = [{"id": s, "seat": f"B-{number:02}"} for number, s in enumerate(self._names)]
        (first / "site.json").write_text(json.dumps(SITE | {"stations": seats}))
        accounts = Accounts(DataDir(first))
        tester = Person(id="test", name="", role="service")
        accounts.book.add(tester, "admin", "Prueba", "admin", password="una frase de prueba")
        accounts.close()
        copied = 'cp -p "$0"/* "$1" && exec "${@:2}"'
        hub = [sys.executable, "-m", "diadema", "hub", "--data", str(self._at)]
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *way, "bash", "-c", _MOUNT, "-", f"{self._megabytes}m", str(self._at),
                "bash", "-c", copied, str(first), str(self._at),
                *hub, "--port", "0", "--mqtt-port", "0",
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
            )  # fmt: skip
        self.data = DataDir(Path(f"/proc/{self.process.pid}/root{self._at}"))
        self._ballast = self.data.root / "ballast"
        await until(lambda: self.data.read_hub() or self.process.returncode is not None)
        assert self.process.returncode is None, self.said
        self.web = self.data.read_hub().web
        self.token = {"Authorization": f"Bearer {credentials.load(self.data).api}"}
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(AttributeError):
            await self.http.close()
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()

    @property
    def said(self) -> str:
        """By the hub, on its console."""
        return self._log.read_text(errors="replace")

    async def _connect(self) -> None:
        import nats

        hub = self.data.read_hub()
        client = await nats.connect(
            hub.nats, user="host", password=credentials.load(self.data).host, connect_timeout=60
        )
        found = await accesses(client, self.data, self._names)
        await client.close()
        tls = trusting(Certificates(self.data.tls))
        self.crowd = [
            LightStation(
                access, tls, Script(access.s, agent=f"b{at:02}").boot(), generation=1, again_s=0.2
            )
            for at, access in enumerate(found)
        ]
        self._tasks = [asyncio.create_task(one.run()) for one in self.crowd]
        await asyncio.gather(*(one.until_held(2) for one in self.crowd))
        for one in self.crowd:
            one.script.login().ready()

    def work(self, calls: int) -> None:
        """So many calls at each desk, as far as they are journaled; sent when they can be."""
        for one in self.crowd:
            for _ in range(calls):
                one.script.call(f"{one.script.agent}-{one.script.n}", talk=2000, wrap=1000)
            while one.last < one.script.n:
                one.press()

    def fill(self, but: int = 0) -> None:
        """Until nothing more can be written; `but` so many bytes."""
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * _PIECE)
            except OSError as error:
                assert error.errno == errno.ENOSPC
            if but:
                file.truncate(file.tell() - but)

    def free(self) -> None:
        self._ballast.unlink()

    async def until_held(self) -> None:
        await asyncio.gather(*(one.until_held(one.script.n) for one in self.crowd))

    async def status(self) -> dict:
        async with self.http.get(f"{self.web}/api/v1/status", headers=self.token) as answer:
            assert answer.status == 200
            return await answer.json()

    async def metrics(self) -> str:
        async with self.http.get(f"{self.web}/metrics", headers=self.token) as answer:
            return await answer.text()

    async def wall(self) -> dict:
        """What the wall is told as it comes."""
        at = self.web.replace("http", "ws", 1) + "/ws?scope=wall"
        async with self.http.ws_connect(at) as socket:
            return (await socket.receive_json())["snap"]

    async def log_in(self) -> tuple[int, str]:
        form = {"account": "admin", "password": "una frase de prueba"}
        origin = {"Origin": self.web, "Accept": "text/html"}
        async with self.http.post(
            f"{self.web}/login", data=form, headers=origin, allow_redirects=False
        ) as answer:
            self.cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
            return answer.status, await answer.text()

    async def look_at(self, path: str, method: str = "GET") -> int:
        headers = {"Cookie": self.cookie}
        async with self.http.request(
            method, self.web + path, headers=headers, allow_redirects=False
        ) as answer:
            await answer.read()
            return answer.status

    def stored(self) -> None:
        """Each event of each station once, as it was journaled. Else AssertionError."""
        assert self.wrong() == []

    def wrong(self) -> list[str]:
        """What is not stored as it was journaled, and what is there that was not."""
        copy = self._at.with_name("copy")  # SQLite would follow /proc to our own root
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for file in self.data.root.glob(f"{self.data.store.name}*"):
            shutil.copy(file, copy)
        store = open_reader(copy / self.data.store.name)
        try:
            found = []
            for one in self.crowd:
                stored = Counter(event.body for event in store.events_of(one.access.s))
                journaled = Counter(one.script.bodies)
                found += [f"lost: {body!r}" for body in (journaled - stored).elements()]
                found += [f"not journaled: {body!r}" for body in (stored - journaled).elements()]
            told = store.status()
            for name in ("lost", "conflicts", "dead_letters"):
                found += [name] * told[name]
            return found
        finally:
            store.close()


@dataclass
class Told:
    """Of each time that the disk was filled and freed: for how long after the first it was still
    called live, and how long after the second all stations had been heard. `failed` looks.
    """

    live_s: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    failed: int = 0


async def filled_and_freed(
    disk: SmallDisk, full_s: Iterable[float], chance: random.Random
) -> Told:
    """Fill it for so long each time, half of the times to the last byte, else to its reserve,
    while stations send and somebody looks.
    """
    told, looker = Told(), Looker(disk)
    tasks = [asyncio.create_task(looker.run()), asyncio.create_task(_work(disk))]
    try:
        for seconds in full_s:
            await asyncio.sleep(chance.uniform(*_APART_S))
            disk.fill(but=chance.choice((0, _LEFT)))
            full = time.monotonic()
            await asyncio.sleep(seconds)
            disk.free()
            freed = time.monotonic()
            told.live_s.append(looker.longest_s(full, freed))
            await _held(disk)
            told.back_s.append(time.monotonic() - freed)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    told.failed = looker.failed
    return told


class Looker:
    """Asks for the state of the pages again and again; `live` are the moments when it was live."""

    def __init__(self, disk: SmallDisk) -> None:
        self.live: list[float] = []
        self.failed = 0
        self._disk = disk

    async def run(self) -> None:
        while True:
            try:
                status = await self._disk.status()
            except Exception:
                self.failed += 1
            else:
                if status["live"]:
                    self.live.append(time.monotonic())
            await asyncio.sleep(_LOOK_S)

    def longest_s(self, since: float, until_: float) -> float:
        """How long after `since` it was called live, before `until_`."""
        return max((at - since for at in self.live if since <= at < until_), default=0.0)


async def _work(disk: SmallDisk) -> None:
    while True:
        disk.work(1)
        await asyncio.sleep(_CALL_S)


async def _held(disk: SmallDisk) -> None:
    """Until each station has been told that all is stored that it had at this moment."""
    async with asyncio.timeout(10 * BACK_S):
        await asyncio.gather(*(one.until_held(one.last) for one in disk.crowd))
