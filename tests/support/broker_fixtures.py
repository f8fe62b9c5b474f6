"""A real broker for a test: our configuration, its stream, free ports; ended at the test's end."""

import asyncio
import contextlib
import json
import os
import sys

import aiomqtt
import nats
from diadema.base import credentials, paths
from diadema.base.certificates import Certificates
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir, write_whole
from diadema.hub import broker as ports
from diadema.hub.admission import Admission
from diadema.hub.broker import LOOPBACK, Broker
from diadema.hub.nats_jwt import Issuer, claims_of

from tests.support.scripted_station import SITE, T0
from tests.support.trust import trusting

LOOK_S = 0.02
# each worker of a run has ports of its own to choose from
ports._PORTS = ports._PORTS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) :: 8]


async def until(condition, limit_s=300.0):
    """The first true value of `condition()`, plain or awaitable."""
    async with asyncio.timeout(limit_s):
        while True:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
            await asyncio.sleep(LOOK_S)


class GatewaysOnly(Admission):
    """Lets gateways in at whatever broker asks; of others it knows nothing."""

    async def _on_request(self, message):
        asked = claims_of(message.data)["nats"]
        if str(asked["connect_opts"].get("user", "")).startswith("gw-"):
            self.server = asked["server_id"]["id"]
            await super()._on_request(message)


class RunningBroker:
    def __init__(self, root):
        self.data = DataDir(root)
        self.data.make()
        self.secrets = credentials.load_or_create(self.data)
        if not self.data.site.exists():
            self.data.site.write_text(json.dumps(SITE))
        self.broker = Broker(self.data, self.secrets)
        self.url = self.broker.url
        self.process = None

    async def start(self, *, mqtt=True):
        while True:
            command = self.broker.command(mqtt=mqtt)
            self.process = await asyncio.create_subprocess_exec(*command)
            if await until(self._answers_or_ended) == "answers":
                break
            self.broker.choose_ports()  # somebody has taken one meanwhile
            self.url = self.broker.url
        await self.broker.settle_stream()
        if mqtt:
            await until(self._door_is_open)

    async def stop(self, *, kill=False):
        if self.process is not None and self.process.returncode is None:
            self.process.kill() if kill else self.process.terminate()
            await self.process.wait()

    async def client(self):
        return await nats.connect(
            self.url,
            user="host",
            password=self.secrets.host,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            connect_timeout=60,
        )

    def mqtt(self, name="test", **more):
        """A client with a gateway's rights."""
        return aiomqtt.Client(
            LOOPBACK,
            self.broker.ports.mqtt,
            username=f"gw-{name}",
            password=credentials.gateway_password(self.secrets, name),
            identifier=f"gw-{name}",
            tls_context=trusting(Certificates(self.data.tls)),
            **more,
        )

    async def admit_gateways(self):
        """In place of an ingest, for gateways alone; give back the client that does."""
        client = await self.client()
        await GatewaysOnly(Issuer(bytes.fromhex(self.secrets.issuer)), None, self.secrets).serve(
            client
        )
        await client.flush()
        return client

    def write_hub(self):
        """As a hub would, for gateways."""
        info = paths.Hub(1, {}, "", self.url, (LOOPBACK, self.broker.ports.mqtt))
        write_whole(self.data.hub, paths.msgspec.json.encode(info))

    async def _answers_or_ended(self):
        try:
            client = await self.broker.connect()
        except Exception:
            return self.process.returncode is not None and "ended"
        await client.close()
        return "answers"

    async def _door_is_open(self):
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.broker.ports.mqtt)
        except OSError:
            return False
        writer.close()
        return True


@contextlib.asynccontextmanager
async def running_broker(root):
    running = RunningBroker(root)
    try:
        await running.start(mqtt=False)
        await running.stop()
        await running.start()
        yield running
    finally:
        await running.stop(kill=True)


class IngestProcess:
    """`python -m diadema.hub.ingest` on a broker's directory."""

    def __init__(self, broker, clock_file=None):
        self._broker = broker
        if clock_file is None:  # the scripts' hours are of then, whatever this machine says
            clock_file = broker.data.root / "scripts.clock"
            SharedClock(clock_file, create=True).set(T0, 1)
        self._clock = ["--clock", str(clock_file)]
        self.process = None
        self.more = []

    async def start(self):
        with self._broker.data.log("ingest").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *[
                    sys.executable,
                    "-m",
                    "diadema.hub.ingest",
                    "--data",
                    str(self._broker.data.root),
                ],
                *self._clock,
                *self.more,
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
                env={"DIADEMA_NATS": self._broker.url},
            )
        await until(self._answers)

    async def stop(self, *, kill=False):
        if self.process is not None and self.process.returncode is None:
            self.process.kill() if kill else self.process.terminate()
            await self.process.wait()

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop(kill=True)

    async def _answers(self):
        assert self.process.returncode is None, self._broker.data.log("ingest").read_text()
        try:
            client = await self._broker.broker.connect()
            try:
                reply = await client.request("hub.status", b"{}", timeout=5)
            finally:
                await client.close()
        except Exception:
            return False
        return json.loads(reply.data)["admits"]
