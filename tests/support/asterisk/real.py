"""A real Asterisk for the transcripts, where `DIADEMA_ASTERISK` names the folder of one.

The folder has `run.sh` (`start DIR AMI ARI SIP PSTN RTP`, `stop DIR`, `cli DIR COMMAND…`) and
`etc/`; how it is made stands in tests/README.md.
"""

import asyncio
import os
import socket
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from tests.support.asterisk.player import Player
from tests.support.asterisk.telephones import Telephone

VARIABLE = "DIADEMA_ASTERISK"
USER, EVERYTHING, SECRET = "diadema", "todo", "clave-de-prueba"
_QUEUES = ("ventas", "ventas-corta", "soporte", "todos")
_AGENTS = ("a101", "a102", "a103", "b1", "mano")
_EXTENSIONS = {
    ("ventas",): "200", ("ventas-corta",): "201", ("soporte",): "202",
    ("ventas", "recorded"): "203", ("ventas", "30"): "204", ("todos",): "205",
    ("ventas", "3"): "206",
}  # fmt: skip
_PACE_S = 0.05
_SETTLES_S = 0.3  # in which the registrations have been told
_LOOK_S = 0.02  # how often its queue_log is read


def folder() -> Path | None:
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class RealAsterisk:
    def __init__(self, at: Path, work: Path) -> None:
        self._run, self.work = at / "run.sh", work
        self.ami, self.ari = (_free_port(socket.SOCK_STREAM) for _ in range(2))
        self.sip, self.pstn, self._rtp = (_free_port(socket.SOCK_DGRAM) for _ in range(3))

    @property
    def log(self) -> Path:
        """Its queue_log."""
        return self.work / "log" / "queue_log"

    def queue_log(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def start(self) -> None:
        # 400 ports for sound from here on, of which nobody hears anything
        rtp = min(self._rtp, 60_000)
        ports = [self.ami, self.ari, self.sip, self.pstn, rtp]
        self._do("start", str(self.work), *map(str, ports))

    def stop(self) -> None:
        self._do("stop", str(self.work))

    def console(self, words: str) -> None:
        self._do("cli", str(self.work), *words.split())

    def _do(self, *words: str) -> None:
        subprocess.run([self._run, *words], check=True, capture_output=True)

    async def follow(self, mark: str, line: Callable[[str], None], begun: asyncio.Event) -> None:
        """Each line of its queue_log after that which has `mark`; it sets `begun`."""
        with self.log.open(encoding="utf-8", errors="replace") as file:
            rest = ""
            while True:
                *whole, rest = (rest + file.read()).split("\n")
                for one in whole:
                    if begun.is_set():
                        line(one)
                    elif mark in one:
                        begun.set()
                await asyncio.sleep(_LOOK_S)

    async def clear(self) -> None:
        """No calls, no members, and every agent free, as it was before each recording."""
        base, auth = f"http://127.0.0.1:{self.ari}/ari", (USER, SECRET)
        async with httpx.AsyncClient(base_url=base, auth=auth, trust_env=False) as client:
            for kind in ("channels", "bridges"):
                for one in (await client.get(f"/{kind}")).json():
                    await client.delete(f"/{kind}/{one['id']}")
            for agent in _AGENTS:
                for queue in _QUEUES:
                    self._tell(f"queue remove member Local/{agent}@diadema/n from {queue}")
                device = f"DEVICE_STATE(Custom:diadema-{agent})"
                await client.post(
                    "/asterisk/variable", params={"variable": device, "value": "NOT_INUSE"}
                )

    def _tell(self, words: str) -> None:
        with suppress(subprocess.CalledProcessError):
            self.console(words)


class RealHands:
    """The people of the transcripts, at telephones of SIP."""

    def __init__(self, asterisk: RealAsterisk) -> None:
        self._asterisk = asterisk
        self._telephones: dict[str, Telephone] = {}
        self._registered: set[str] = set()

    async def phones(self, *numbers: str) -> None:
        for number in {*numbers} - self._registered:
            await (await self._plug_in(number)).register()
            self._registered.add(number)
        await self._plug_in("pstn", self._asterisk.pstn)

    async def _plug_in(self, number: str, port: int = 0) -> Telephone:
        if number not in self._telephones:
            telephone = await Telephone.plug_in(number, self._asterisk.sip, port)
            self._telephones[number] = telephone
        return self._telephones[number]

    async def do(self, what: str, *more: str) -> None:
        if what == "call":
            number, *where = more
            (await self._plug_in(number)).call(_EXTENSIONS[tuple(where)])
        elif what == "mode":
            self._telephones[more[0]].mode = more[1]
        elif what == "console":
            self._asterisk.console(more[0])
        elif what == "transfer":
            self._telephones[more[0]].transfer(more[1])
        elif what == "reject":
            self._telephones[more[0]].hang_up("404 Not Found")
        else:
            self._telephones[more[0]].hang_up()

    async def go_home(self) -> None:
        for number, telephone in self._telephones.items():
            telephone.mode = "auto"
            telephone.hang_up()
            if number in self._registered:
                await telephone.register(0)
            telephone.unplug()


@asynccontextmanager
async def player(asterisk: RealAsterisk, phones: list[str]) -> AsyncIterator[Player]:
    """`phones`: those that are registered from the first."""
    await asterisk.clear()
    hands = RealHands(asterisk)
    try:
        await hands.phones(*phones)
        await asyncio.sleep(_SETTLES_S)
        ports = asterisk.ami, asterisk.ari
        async with Player(ports, USER, SECRET, hands, _PACE_S) as player:
            # what the clearing up left in the log comes before this
            mark, begun = f"DESDE{uuid.uuid4().hex}", asyncio.Event()
            player.write_in_log(mark)
            reading = asyncio.create_task(asterisk.follow(mark, player.line, begun))
            try:
                await begun.wait()
                yield player
            finally:
                reading.cancel()
                await asyncio.wait([reading])
    finally:
        await hands.go_home()
