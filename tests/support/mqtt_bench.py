"""What `test_mqtt.py` needs: a certificate authority, a real NATS server with TLS, a peer that
misbehaves as told, and the client's process on either interpreter.
"""

import asyncio
import base64
import contextlib
import datetime
import ipaddress
import json
import ssl
import sys
from pathlib import Path

import nats
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from diadema.hub.broker import find_server, free_port
from diadema_sim.build import FIRMWARE_HEAP, interpreter
from nats.js.api import StreamConfig

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parents[1] / "firmware"
STATION = "DIA-0200000000a1"
PASSWORD = "a-station's-own"
LIMIT_S = 300
INTERPRETERS = {
    "cpython": [sys.executable],
    "micropython": [*interpreter(), "-X", f"heapsize={FIRMWARE_HEAP * 4}"],  # it compiles, too,
}


class Authority:
    """A throw-away CA, valid from 1970 as a station without a clock needs it."""

    def __init__(self, folder, called="Test CA"):
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, called)])
        self._name = name
        builder = self._builder(name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._certificate = builder.sign(self._key, hashes.SHA256())
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        self.base64 = base64.b64encode(der).decode()

    def _builder(self, subject, key):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC))
            .not_valid_after(datetime.datetime(2099, 12, 31, tzinfo=datetime.UTC))
        )

    def server(self):
        """Files (certificate, key) of a server that is called 127.0.0.1 and localhost."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            self._builder(name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        files = self.folder / "server.crt", self.folder / "server.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


class Server:
    """A real nats-server; its stream is made before the first station may come."""

    def __init__(self, folder, authority):
        self._authority, self._folder = authority, folder
        self._files = authority.server()
        self.process = None
        self.choose_ports()

    def choose_ports(self):
        """Others, where another program was quicker."""
        self.port, self._nats = free_port(0), free_port(0)
        self.broker = broker(self._authority, self.port)

    def _configuration(self, door):
        certificate, key = map(str, self._files)
        user = f"user: {json.dumps(STATION)}, password: {json.dumps(PASSWORD)}"
        text = f"""
server_name: test
listen: "127.0.0.1:{self._nats}"
jetstream {{ store_dir: {json.dumps(str(self._folder / "store"))} }}
accounts {{ A {{ jetstream: enabled, users: [{{ {user} }}, {{ user: host, password: host }}] }} }}
no_auth_user: host
"""
        if door:
            text += f"""
mqtt {{ listen: "127.0.0.1:{self.port}",
  tls {{ cert_file: {json.dumps(certificate)}, key_file: {json.dumps(key)} }} }}
"""
        return text

    async def start(self, door=True):
        """Raises RuntimeError with the server's own words when it ends."""
        conf, log = self._folder / "server.conf", self._folder / "nats.log"
        conf.write_text(self._configuration(door))
        with log.open("ab") as file:
            self.process = await asyncio.create_subprocess_exec(
                find_server(), "--config", conf, stderr=file
            )
        async with asyncio.timeout(LIMIT_S):
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(log.read_text()[-2000:])
                try:
                    client = await self.client()
                    await client.jetstream(timeout=60).account_info()
                    await client.close()
                    if door:
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                        writer.close()
                    return
                except (OSError, nats.errors.Error):
                    await asyncio.sleep(0.05)

    async def kill(self):
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def client(self):
        async def quiet(_error):
            return None

        return await nats.connect(
            f"nats://127.0.0.1:{self._nats}", user="host", password="host",
            allow_reconnect=False, connect_timeout=60, error_cb=quiet, reconnect_time_wait=0.05,
        )  # fmt: skip

    async def events(self):
        """The `n` of each message in the stream, in order."""
        client = await self.client()
        try:
            stream = client.jetstream(timeout=60)
            last = (await stream.stream_info("$MQTT_msgs")).state.last_seq
            found = []
            for sequence in range(1, last + 1):
                message = await stream.get_msg("$MQTT_msgs", sequence)
                if message.subject.endswith(".ev"):
                    found.append(json.loads(message.data)["n"])
            return found
        finally:
            await client.close()


async def start_on_free_ports(server, door=True):
    for _ in range(3):
        try:
            return await server.start(door)
        except RuntimeError as error:
            if "address already in use" not in str(error):
                raise
            server.choose_ports()
    raise AssertionError("ports are taken again and again")


@contextlib.asynccontextmanager
async def running_server(folder, authority):
    server = Server(folder, authority)
    try:
        await start_on_free_ports(server, door=False)
        client = await server.client()
        await client.jetstream(timeout=60).add_stream(
            StreamConfig(name="$MQTT_msgs", subjects=["$MQTT.msgs.>"])
        )
        await client.close()
        await server.kill()
        await start_on_free_ports(server)
        yield server
    finally:
        await server.kill()


def broker(authority, port, host="127.0.0.1"):
    return {
        "host": host, "port": port, "ca": authority.base64, "user": STATION, "password": PASSWORD,
    }  # fmt: skip


class Peer:
    """A TLS server that answers a client's packets as `answers` says: first byte → bytes."""

    def __init__(self, authority, answers):
        self._answers = {0x10: b"\x20\x02\x00\x00", 0x82: b"\x90\x04\x00\x01\x00\x00", **answers}
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*authority.server())
        self.seen = []  # (first byte, body) of all connections
        self._news = asyncio.Condition()
        self._server = None

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def saw(self, enough):
        """Wait until `enough(seen)` is true."""
        async with asyncio.timeout(LIMIT_S), self._news:
            await self._news.wait_for(lambda: enough(self.seen))

    async def _serve(self, reader, writer):
        with contextlib.suppress(OSError, EOFError):
            while True:
                first = (await reader.readexactly(1))[0]
                size = shift = 0
                while True:
                    byte = (await reader.readexactly(1))[0]
                    size |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                self.seen.append((first, await reader.readexactly(size)))
                async with self._news:
                    self._news.notify_all()
                writer.write(self._answers.get(first, b""))
                await writer.drain()
        writer.close()


class Station:
    """The client's process; its lines as they come."""

    def __init__(self, which, **options):
        self._command = [*INTERPRETERS[which], str(HERE / "mqtt_station.py"), str(FIRMWARE)]
        self._options = options
        self.lines = []

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        self.process.stdin.write(json.dumps(self._options).encode() + b"\n")
        return self

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def says(self, start):
        """The next line that begins with `start`."""
        try:
            async with asyncio.timeout(LIMIT_S):
                while True:
                    line = await self.process.stdout.readline()
                    assert line, (start, self.lines[-20:])
                    self.lines.append(line.decode().strip())
                    if self.lines[-1].startswith(start):
                        return self.lines[-1]
        except TimeoutError:
            raise AssertionError((start, self.lines[-20:])) from None
