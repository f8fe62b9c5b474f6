"""One program that the hub keeps running: started, watched, started again when it dies.

Where the web pages are served: plain HTTP on this machine only, HTTPS wherever else.
"""

import asyncio
import contextlib
import ipaddress
import logging
import os
import shutil
import socket
import ssl
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from diadema.base.certificates import PageCertificates
from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.processes import end_with_parent
from diadema.hub.broker import LOOPBACK
from diadema.words import Sentence

READY_S = 120.0  # a small machine under load; one that ended is seen at once
_STEADY_S = 20.0  # after running this long it is started again without delay
_LOG_LIMIT = 4_000_000  # bytes; the log before that is kept once
_TRIM_S = 1.0

log = logging.getLogger("diadema.hub")


def trim(log_file: Path) -> None:
    """Move what a log has when it is too long. Whoever writes has it open, at its end: so it is
    copied and emptied; where there is no room for the copy it is only emptied.
    """
    with contextlib.suppress(OSError):
        if log_file.stat().st_size <= _LOG_LIMIT:
            return
        before = log_file.with_suffix(".log.1")
        try:
            shutil.copyfile(log_file, before)
        except OSError:
            before.unlink(missing_ok=True)
        os.truncate(log_file, 0)


class Child:
    """`command` is asked before each start; `ready` returns once the program serves.

    Its standard input is a pipe that ends with the hub, however the hub ends; Linux itself ends
    one that does not look at it, as the broker.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[], list[str]],
        ready: Callable[[], Awaitable[None]],
        log_file: Path,
        environment: Callable[[], dict[str, str]] = dict,
        on_restart: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._ready = ready
        self._log_file = log_file
        self._environment = environment
        self._on_restart = on_restart
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._trimmer: asyncio.Task[None] | None = None
        self.restarts = 0

    @property
    def pid(self) -> int:
        """0 while it was stopped."""
        return self._process.pid if self._process else 0

    async def start(self) -> None:
        """Start it, wait until it serves, keep it. Raises DiademaError with its last words."""
        await self._start()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        self._trimmer = asyncio.create_task(self._trim(), name=f"trim {self.name}")

    async def stop(self, patience_s: float = 2.0) -> None:
        """End it for good; by force if it does not obey in time."""
        tasks = [task for task in (self._keeper, self._trimmer) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._keeper = self._trimmer = None
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        for end in (process.terminate, process.kill):
            with contextlib.suppress(ProcessLookupError):
                end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience_s)
                return

    async def restart(self) -> None:
        """End it; its keeper starts it anew."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    async def _start(self) -> None:
        trim(self._log_file)
        with self._log_file.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(),
                stdin=PIPE,
                stdout=DEVNULL,
                stderr=out,
                start_new_session=True,  # Ctrl-C is the hub's; it ends the others in order
                preexec_fn=end_with_parent(),
                env=os.environ | self._environment(),
            )
        ready = asyncio.ensure_future(self._ready())
        ended = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.wait({ready, ended}, timeout=READY_S, return_when="FIRST_COMPLETED")
            if ready.done():
                ready.result()
                return
        finally:
            for waiter in (ready, ended):
                waiter.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
        if self._process.returncode is None:
            raise DiademaError(
                Sentence(
                    "errors.hub.name_does_not_answer_see", name=self.name, log_file=self._log_file
                )
            )
        raise DiademaError(
            Sentence(
                "errors.hub.name_ended_last_words", name=self.name, last_words=self._last_words()
            )
        )

    def _last_words(self) -> str:
        try:
            lines = self._log_file.read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return lines[-1] if lines else f"code {self._process.returncode if self._process else '?'}"

    async def _keep(self) -> None:
        assert self._process is not None
        failures = 0
        since = time.monotonic()
        while True:
            code = await self._process.wait()
            log.warning("%s ended (code %s); starting it again", self.name, code)
            failures = 0 if time.monotonic() - since > _STEADY_S else failures
            while True:
                await asyncio.sleep(backoff_s(failures))
                failures += 1
                try:
                    await self._start()
                except (DiademaError, OSError) as error:
                    log.warning("%s", error)
                    await self._end_unready()
                    continue
                break
            since = time.monotonic()
            self.restarts += 1
            if self._on_restart is not None:
                try:
                    await self._on_restart()
                except Exception:  # or nobody would start it again the next time
                    log.exception("what follows a start of %s failed", self.name)

    async def _trim(self) -> None:
        while True:
            await asyncio.sleep(_TRIM_S)
            await asyncio.to_thread(trim, self._log_file)

    async def _end_unready(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


_EVERY = "0.0.0.0"
_HERE = ("localhost", LOOPBACK)


@dataclass(frozen=True)
class WebEndpoint:
    """`cert` and `key`: given ones; else, where other machines come, one of our own CA."""

    host: str = LOOPBACK
    cert: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()  # addresses whose word of who asks is believed

    def __post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise DiademaError(Sentence("errors.hub.tls_cert_tls_key_belong"))
        for proxy in self.proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise DiademaError(
                    Sentence("errors.hub.proxy_proxy_give_address_proxy", proxy=proxy)
                ) from error

    @property
    def is_here(self) -> bool:
        return self.host in _HERE

    @property
    def is_secure(self) -> bool:
        return self.cert is not None or not self.is_here

    @property
    def near(self) -> str:
        """Where this machine itself finds it."""
        return LOOPBACK if self.is_here or self.host == _EVERY else self.host

    def url(self, port: int) -> str:
        name = socket.gethostname() if self.host == _EVERY else self.near
        return f"{'https' if self.is_secure else 'http'}://{name}:{port}"

    def authority(self, data: DataDir) -> Path | None:
        """The CA that browsers are to install; None where they need none of ours."""
        return PageCertificates(data.tls).ca if self.is_secure and self.cert is None else None

    def too_early(self) -> DiademaError:
        """Other machines would come to a set-up that nobody has done."""
        return DiademaError(Sentence("errors.hub.host_would_let_other_machines", host=self.host))

    def arguments(self, data: DataDir, names: list[str]) -> list[str]:
        """For the web process; makes the certificate. Raises DiademaError."""
        own = [] if self.host == _EVERY else [self.host]
        called = [*dict.fromkeys([*names, socket.gethostname(), *own, *_HERE])]
        options = ["--host", LOOPBACK if self.host == "localhost" else self.host]
        options += [part for name in called for part in ("--name", name)]
        options += [part for proxy in self.proxies for part in ("--proxy", proxy)]
        if not self.is_secure:
            return options
        cert, key = self.cert, self.key
        if cert is None or key is None:
            made = PageCertificates(data.tls)
            made.make([*called, *_addresses()])
            cert, key = made.server, made.server_key
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        except OSError as error:
            raise DiademaError(
                Sentence("errors.hub.cannot_use_cert_with_key", cert=cert, key=key, error=error)
            ) from error
        return [*options, "--tls-cert", str(cert.absolute()), "--tls-key", str(key.absolute())]


def _addresses() -> list[str]:
    """Of this machine, as far as it knows them, so that the pages can be asked for by number."""
    found = []
    with contextlib.suppress(OSError):
        found = [str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None)]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent; it tells the way out
        found.append(str(probe.getsockname()[0]))
    return [one for one in dict.fromkeys(found) if "%" not in one]
