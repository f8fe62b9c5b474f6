"""The host's own processes of a simulated run: a hub and a gateway, started again when they die.

They are the real commands with their real options, in the run's data directory; whoever kills one
finds it back, as a service manager would bring it.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.processes import end_leftovers
from diadema.gateway.bridge import PATH_LIMIT
from diadema.wire.ask_hub import ask_hub
from diadema.words import Sentence

from diadema_sim.station import Station

_START_LIMIT_S = 60.0
_LOOK_S = 0.05  # how often a start looks for the file that says it is done
_STOP_LIMIT_S = 3.0
_STILLBORN = 5
_NAMED_S = 600.0  # of real time
_REFUSED = 2  # the exit code of a command that could not begin, and how its sentence begins
_SAYS = "diadema: "
_TAIL = 15  # lines of a log that an error shows


class Process:
    """One command of `diadema`, kept running until `stop`."""

    def __init__(self, name: str, arguments: list[str], log: Path, ready: Path) -> None:
        """`ready`: the file in which the command writes its `pid` when it is up."""
        self.name = name
        self.restarts = 0
        self._arguments = arguments
        self._log = log
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def is_up(self) -> bool:
        """Whether it says so itself, at this moment."""
        return self._process is not None and self._is_ready()

    async def start(self) -> None:
        """Returns when the command says that it is up. Raises DiademaError with its last words."""
        await self._spawn()
        await self._until_ready()
        self._keeper = asyncio.create_task(self._keep())

    async def _spawn(self) -> None:
        command = [sys.executable, "-m", "diadema", *self._arguments]
        with self._log.open("ab") as log:
            # a session of its own: Ctrl-C reaches the run alone, which ends things in order; the
            # pipe tells the command when the run is gone without having done so
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def _until_ready(self) -> None:
        assert self._process
        deadline = time.monotonic() + _START_LIMIT_S
        while not self._is_ready():
            if self._process.returncode is not None:
                raise DiademaError(self._last_words(self._process.returncode))
            if time.monotonic() > deadline:
                raise DiademaError(
                    Sentence("errors.sim.not_up", name=self.name, limit=_START_LIMIT_S,
                             log=self._log, tail=self._tail())
                )  # fmt: skip
            await asyncio.sleep(_LOOK_S)

    def _is_ready(self) -> bool:
        """Whether the file is this process's, not one that a killed one left behind."""
        try:
            content: dict[str, object] = json.loads(self._ready.read_text())
        except (OSError, ValueError):
            return False
        return content.get("pid") == self.pid

    async def _keep(self) -> None:
        """Gives up, with its last words, when it dies at its start again and again."""
        stillborn = 0
        while True:
            assert self._process
            await self._process.wait()
            self.restarts += 1
            await self._spawn()
            try:
                await self._until_ready()
                stillborn = 0
            except DiademaError:
                stillborn += 1
                if stillborn == _STILLBORN:
                    raise

    def failure(self) -> BaseException | None:
        """Why it is not kept running any more, if it is not."""
        if self._keeper and self._keeper.done() and not self._keeper.cancelled():
            return self._keeper.exception()
        return None

    async def stop(self) -> None:
        """Ask it to end; after a few seconds make it."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_STOP_LIMIT_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _last_words(self, code: int) -> str | Sentence:
        """Of a command that could not begin, its own sentence: it says what to do here too."""
        refusal = self._tail().rpartition(_SAYS)[2]
        if code == _REFUSED and refusal:
            return refusal
        return Sentence("errors.sim.ended_at_start", name=self.name, tail=self._tail())

    def _tail(self) -> str:
        try:
            lines = self._log.read_text(errors="replace").splitlines()[-_TAIL:]
        except OSError:
            lines = []
        return "\n".join(lines) or "it said nothing"


class HostProcesses:
    """Hub first, then the gateway."""

    GATEWAY = "sim"

    def __init__(
        self, data: DataDir, ports: list[str], *, web_port: int, clock: Path | None
    ) -> None:
        self._data = data
        common = ["--data", str(data.root), *(["--clock", str(clock)] if clock else [])]
        self.hub = Process(
            "hub",
            ["hub", *common, "--port", str(web_port), "--mqtt-port", "0"],
            data.log("hub-run"),
            data.hub,
        )
        self.gateway = Process(
            "gateway",
            ["gateway", *ports, "--data", str(data.root), "--name", self.GATEWAY],
            data.log("gateway-run"),
            data.gateway(self.GATEWAY),
        )

    async def start(self) -> None:
        """Back when both are up. `stop` is due in any case, also when this raises."""
        await self.hub.start()
        await self.gateway.start()

    async def allow_provisioning(self, stations: Iterable[Station]) -> None:
        """For a while each of these may be given its key, on its own port."""
        named = [
            {"s": one.id, "gw": self.GATEWAY, "at": one.port[-PATH_LIMIT:]} for one in stations
        ]
        await ask_hub(self._data, "hub.provision", {"stations": named, "seconds": _NAMED_S})

    async def stop(self) -> None:
        await self.gateway.stop()
        await self.hub.stop()
        # a hub that had to be made to end left its own processes behind
        await asyncio.to_thread(end_leftovers, self._data)

    def check(self) -> None:
        """Raises what made one of them stop for good."""
        for process in (self.hub, self.gateway):
            failure = process.failure()
            if failure:
                raise failure
