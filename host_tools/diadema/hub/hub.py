"""Brings everything up in order on one data directory, keeps it up, and takes it down in order."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import msgspec
from nats.errors import Error as NatsError

from diadema.access import Accounts
from diadema.base import credentials, paths
from diadema.base.clock import backoff_s, open_clock
from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir, Disk, write_whole
from diadema.base.processes import end_leftovers, raise_open_files, say_ready
from diadema.hub.backup_clock import BackupClock
from diadema.hub.broker import LOOPBACK, Broker, free_port, is_free
from diadema.hub.child import Child, WebEndpoint
from diadema.hub.fence import check_standing, until_taken_over
from diadema.hub.storage_watch import Hands, Watch
from diadema.hub.system_account import BrokerHealth
from diadema.maintenance.records_keeping import audit_was_cut
from diadema.site import file as site_file
from diadema.site.context import site_of
from diadema.store.erased import check_obeyed
from diadema.words import Sentence

_LOOK_S = 0.05
_PORT_PATIENCE_S = 2.0  # the web of a hub that was killed needs a moment to let it go
_TRIES = 3  # another program may take a port between our look and the server's

log = logging.getLogger("diadema.hub")


class Hub:
    """One running hub. Raises DiademaError on entry when it cannot run here."""

    def __init__(
        self,
        data: Path,
        *,
        port: int = 8600,
        endpoint: WebEndpoint | None = None,
        mqtt_port: int = 0,
        mqtt_host: str = LOOPBACK,
        clock: Path | None = None,
        require_proof: bool = False,
    ) -> None:
        """`mqtt_port` is the stations' listener; 0 takes the one of last time, or a free one."""
        if port and port == mqtt_port:
            raise DiademaError(Sentence("errors.hub.port_port_cannot_both_web", port=port))
        self.data = DataDir(data.absolute())
        self._port = port
        self._endpoint = endpoint or WebEndpoint()
        if not self._endpoint.is_here and not self.data.accounts.exists():
            raise self._endpoint.too_early()
        self.accounts_lost = False  # there were some
        self.set_up_code: str | None = None  # while there is no account, once up
        self.pages_ca = self._endpoint.authority(self.data)
        self.pages_ca_is_new = False  # no browser has it
        self._mqtt = (mqtt_host, mqtt_port)
        self._clock = clock.absolute() if clock else None
        self._require_proof = ["--require-proof"] if require_proof else []
        self._held = contextlib.ExitStack()
        self._children: list[Child] = []
        self._beside: list[asyncio.Task[None]] = []

    @property
    def url(self) -> str:
        return self._endpoint.url(self._port)

    @property
    def mqtt(self) -> tuple[str, int]:
        """Where the stations' listener is, once up."""
        return self._broker.ports.mqtt_host, self._broker.ports.mqtt

    async def __aenter__(self) -> "Hub":
        raise_open_files()  # the programs it starts have as many
        self.data.check_own()
        self.data.make()
        try:
            self._held.enter_context(locked(self.data.lock, note=f"pid {os.getpid()}"))
        except AlreadyLocked as error:
            raise DiademaError(
                Sentence(
                    "errors.hub.root_use_another_hub_owner", root=self.data.root, owner=error.owner
                )
            ) from error
        try:
            await asyncio.to_thread(end_leftovers, self.data)
            check_obeyed(self.data)
            await check_standing(self.data)
            await asyncio.to_thread(self._turn_over)
            self._port = await _claim_port(self._port, self._endpoint.host)
            self._look_at_accounts()
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    async def serve(self) -> None:
        """Until cancelled. Raises DiademaError once another has taken over the site."""
        say_ready()
        await until_taken_over(self.data)

    # -- up

    def _turn_over(self) -> None:
        """What older programs left as it may not stay; the directory first, which looks whether
        the site is what was published.
        """
        if self.data.directory.exists():
            from diadema.site.directory.book import Directory

            Directory(self.data.directory).close()
        site_file.take_apart(self.data.site)

    async def _start(self) -> None:
        self._secrets = credentials.load_or_create(self.data)
        described = site_of(self.data)
        host, port = self._mqtt
        if port and not is_free(port, host):
            raise DiademaError(
                Sentence("errors.hub.port_port_host_taken_not", port=port, host=host)
            )
        self._broker = Broker(
            self.data,
            self._secrets,
            mqtt_host=host,
            mqtt_port=port,
            names=described.broker_names if described else (),
            stations=len(described.stations) if described else 0,
        )
        await self._start_broker()
        starting = [
            self._begin(
                "ingest",
                self._python("diadema.hub.ingest", *self._require_proof),
                self._ingest_serves,
            )
        ]
        if importlib.util.find_spec("diadema.web.__main__") is not None:
            names = described.broker_names if described else []
            before = _content(self.pages_ca)
            endpoint = self._endpoint.arguments(self.data, names)
            self.pages_ca_is_new = _content(self.pages_ca) != before
            web = self._python("diadema.web", "--port", str(self._port), *endpoint)
            starting.append(self._begin("web", web, self._web_serves))
        await asyncio.gather(*starting)
        write_whole(self.data.hub, self._info())
        backups = BackupClock(self.data, open_clock(self._clock))
        beside = [self._watch(), backups.run()]
        if self.data.switch.exists():
            beside.append(self._begin_bridge())
        self._beside = [asyncio.create_task(one) for one in beside]

    async def _watch(self) -> None:
        """Disk and broker, until cancelled."""
        (nats,) = (child for child in self._children if child.name == "nats")
        health = BrokerHealth(self._secrets.system)

        async def pause() -> None:
            await nats.stop()
            await self._write_hub()

        async def resume() -> None:
            try:
                await nats.start()
            except DiademaError:
                await nats.stop()
                raise
            await self._broker_is_back()

        async def write_error() -> str | None:
            return await health.write_error(self._broker.url)

        hands = Hands(pause, resume, nats.restart, write_error)
        try:
            await Watch(Disk(self.data.root), hands).run()
        finally:
            await health.close()

    async def _start_broker(self) -> None:
        """First without the stations' listener, to make the stream; then with it."""
        for attempt in range(_TRIES):
            first = Child(
                "nats",
                lambda: self._broker.command(mqtt=False),
                self._broker.answers,
                self.data.nats / "nats.log",
            )
            try:
                await first.start()
            except DiademaError:
                await first.stop()
                if attempt == _TRIES - 1:
                    raise
                self._broker.choose_ports()
                continue
            break
        try:
            await self._broker.settle_stream()
        finally:
            await first.stop()
        nats = Child(
            "nats",
            self._broker_command,
            self._broker_serves_stations,
            self.data.nats / "nats.log",
            on_restart=self._broker_is_back,
        )
        self._children.append(nats)
        await nats.start()

    def _broker_command(self) -> list[str]:
        self._broker.choose_ports()  # the same ones, unless somebody took them meanwhile
        return self._broker.command(mqtt=True)

    async def _broker_is_back(self) -> None:
        info = self.data.read_hub()
        await self._write_hub()
        if info is not None and info.nats != self._broker.url:
            for child in self._children:
                if child.name != "nats":
                    await child.restart()  # it was told another address

    async def _begin(
        self, name: str, command: Callable[[], list[str]], ready: Callable[[], Awaitable[None]]
    ) -> None:
        log_file = self.data.log(name)
        child = Child(name, command, ready, log_file, self._environment, self._write_hub)
        self._children.append(child)
        await child.start()

    async def _begin_bridge(self) -> None:
        """To the telephone exchange. What keeps it from running is no reason for the hub's end."""
        for attempt in range(1_000_000):
            try:
                await self._begin("switch", self._python("diadema.switch"), self._bridge_reports)
                await self._write_hub()
                return
            except DiademaError as error:
                await self._drop("switch")
                log.error("the bridge to the telephone exchange does not run: %s", error)
                await asyncio.sleep(backoff_s(attempt))

    async def _drop(self, name: str) -> None:
        for child in [one for one in self._children if one.name == name]:
            await child.stop()
            self._children.remove(child)

    def _environment(self) -> dict[str, str]:
        return {"DIADEMA_NATS": self._broker.url}

    def _python(self, module: str, *more: str) -> Callable[[], list[str]]:
        command = [sys.executable, "-m", module, "--data", str(self.data.root), *more]
        if self._clock is not None:
            command += ["--clock", str(self._clock)]
        return lambda: command

    async def _write_hub(self) -> None:
        with contextlib.suppress(OSError):  # the disk is full, and it says already where we are
            write_whole(self.data.hub, self._info())

    def _info(self) -> bytes:
        info = paths.Hub(
            pid=os.getpid(),
            children={child.name: child.pid for child in self._children},
            web=self.url,
            nats=self._broker.url,
            mqtt=(self._broker.ports.near, self._broker.ports.mqtt),
        )
        return msgspec.json.encode(info)

    def _look_at_accounts(self) -> None:
        """Without any: a code to make the first one with. Raises DiademaError."""
        accounts = Accounts(self.data)
        try:
            if accounts.book.is_empty():
                if not self._endpoint.is_here:
                    raise self._endpoint.too_early()
                self.accounts_lost = audit_was_cut(self.data)
                if not self.accounts_lost:  # whoever emptied the file gets no code for it
                    self.set_up_code = accounts.codes.set_up()
        finally:
            accounts.close()

    # -- ready?

    async def _broker_serves_stations(self) -> None:
        await self._broker.answers()
        await _listening(self._broker.ports.mqtt, self._broker.ports.near)
        await self._broker.settle_stream()

    async def _ingest_serves(self) -> None:
        while True:
            try:
                client = await self._broker.connect()
                try:
                    await client.request("hub.command.get", b"{}", timeout=1)
                    return
                finally:
                    await client.close()
            except (NatsError, OSError, TimeoutError):
                await asyncio.sleep(_LOOK_S)

    async def _bridge_reports(self) -> None:
        while True:
            try:
                client = await self._broker.connect()
                try:
                    reply = await client.request("hub.switch.shown", b"{}", timeout=1)
                finally:
                    await client.close()
                if (msgspec.json.decode(reply.data).get("switch") or {}).get("report"):
                    return
            except (NatsError, OSError, TimeoutError) as error:
                log.debug("no bridge yet: %r", error)
            await asyncio.sleep(_LOOK_S)

    async def _web_serves(self) -> None:
        await _listening(self._port, self._endpoint.near)

    # -- down

    async def _stop(self) -> None:
        """Everything ends within 5 s: the web and the ingest together, then the broker."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        self._beside.clear()
        self.data.hub.unlink(missing_ok=True)
        others = [child for child in self._children if child.name != "nats"]
        await asyncio.gather(*(child.stop(1.5) for child in others))
        for child in self._children:
            if child.name == "nats":
                await child.stop(1.0)
        self._children.clear()
        self._held.close()


def _content(file: Path | None) -> bytes:
    return file.read_bytes() if file is not None and file.exists() else b""


async def _listening(port: int, host: str = LOOPBACK) -> None:
    """Return once somebody listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(_LOOK_S)
            continue
        writer.close()
        return


async def _claim_port(port: int, host: str) -> int:
    """`port` if it is free (0: any free one). Raises DiademaError when it is taken."""
    if port == 0:
        return free_port()
    until = time.monotonic() + _PORT_PATIENCE_S
    while not is_free(port, host):
        if time.monotonic() >= until:
            raise DiademaError(
                Sentence("errors.hub.port_port_host_taken_not_2", port=port, host=host)
            )
        await asyncio.sleep(_LOOK_S)
    return port
