"""What a test of the web stands on: a real nats-server, the hub's part in NATS, the real web.

Only ingest is played by the test itself: it fills the bucket `live` and answers commands.
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import nats
from diadema.access import Accounts
from diadema.access.authenticator import csrf
from diadema.access.roles import Person, Role
from diadema.base.paths import DataDir
from diadema.site.directory.book import Directory
from diadema.site.directory.tables import metadata
from diadema.site.example import EXAMPLE
from nats.js.api import StorageType
from sqlalchemy import delete

PASSWORD = "host-password"
ACCOUNT_PASSWORD = "una frase de prueba"
TESTER = Person(id="test", name="", role="service")
TOKEN = "api-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
HUB = Path(sys.executable).parent
_number = itertools.count(1)
on_port: "dict[int, Web]" = {}


class Nats:
    """`nats-server` on a free port, its store under `folder`; can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        config = self.folder / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.folder}/js" }}\n'
            f"authorization {{ users: [{{user: host, password: {json.dumps(PASSWORD)}}}] }}\n"
            f'ports_file_dir: "{self.folder}"\n'
            # a client of the whole session stands still while the tests of other loops run
            'ping_interval: "24h"\n'
        )
        server = HUB / "nats-server"
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([server, "-c", config], stdout=log, stderr=log)
        ports = self.folder / f"nats-server_{self._process.pid}.ports"
        wait_for(ports.exists, "nats-server's ports file")
        wait_for(lambda: ports.read_text().strip().endswith("}"), "a whole ports file")
        self.port = int(json.loads(ports.read_text())["nats"][0].rsplit(":", 1)[1])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(60)
            self._process = None


class Web:
    """The real web process; its standard input is a pipe that the test holds, as the hub does."""

    def __init__(
        self,
        folder: Path,
        nats_url: str,
        clock: Path | None = None,
        arguments: Iterable[str] = (),
    ) -> None:
        self.folder = folder
        self.port = 0
        self.nats_url = nats_url
        self._clock = clock
        self._arguments = list(arguments)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def accounts(self) -> Accounts:
        """Those of its data directory, which it shares with us."""
        return Accounts(DataDir(self.folder))

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Of a session of an administrator."""
        return self.login()

    def login(
        self, role: Role = "admin", *, teams: Iterable[str] = (), agent: str | None = None
    ) -> dict[str, str]:
        """The cookies of a new session of a new account: `AsyncClient(cookies=…)`."""
        name = f"{role}{next(_number)}"
        self.accounts.book.add(
            TESTER, name, "Prueba", role, teams=teams, agent=agent, password=ACCOUNT_PASSWORD
        )
        secret = self.accounts.sessions.begin(name, "127.0.0.1")
        return {"diadema_session": secret, "diadema_csrf": csrf(secret)}

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> None:
        _ = self.cookies  # else every page leads to the set-up
        secrets = self.folder / "secrets.json"
        if not secrets.exists():  # else a real hub's
            keys = {"gateway": "", "badge_key": "0f" * 32, "card_key": "c4" * 16}
            secrets.touch(0o600)
            secrets.write_text(json.dumps({"host": PASSWORD, "api": TOKEN, **keys}))
        command = [sys.executable, "-m", "diadema.web", "--data", str(self.folder)]
        command += ["--port", str(self.port)]
        command += self._arguments
        if self._clock is not None:
            command += ["--clock", str(self._clock)]
        environment = os.environ | {"DIADEMA_NATS": self.nats_url}
        environment.pop("PYTEST_CURRENT_TEST", None)  # NiceGUI behaves otherwise under pytest
        with (self.folder / "web.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=environment
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode().strip()
        assert line.startswith(("http://", "https://")), (self.folder / "web.log").read_text()
        self.port = int(line.rsplit(":", 1)[1])
        on_port[self.port] = self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate(timeout=300)
            self.process = None

    def close_input(self) -> int:
        """Do as a hub that ends; gives the exit code."""
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None
        code = self.process.wait(60)
        self.process.communicate()
        self.process = None
        return code


class Hub:
    """Plays ingest: owns the bucket and answers `hub.command`, unless told to be silent."""

    def __init__(self, client: nats.NATS) -> None:
        self.client = client
        self.asked: list[dict[str, Any]] = []
        self.silent = False
        self._keys: set[str] = set()
        self.answer: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {
            "i": 1,
            "of": ["HUB-test", 1, 1],
            "ticket": "3f9a01c2d4e5",
        }

    @classmethod
    async def open(cls, url: str) -> "Hub":
        client = await nats.connect(
            url,
            user="host",
            password=PASSWORD,
            reconnect_time_wait=0.1,
            max_reconnect_attempts=-1,
            ping_interval=86_400,
            connect_timeout=60,
        )
        hub = cls(client)
        jetstream = client.jetstream(timeout=60)
        hub.bucket = await jetstream.create_key_value(bucket="live", storage=StorageType.FILE)
        for subject in ("hub.command", "hub.act"):
            await client.subscribe(subject, cb=hub._take)
        await client.subscribe("hub.command.get", cb=hub._get)
        return hub

    async def close(self) -> None:
        await self.client.close()

    async def _take(self, message: Any) -> None:
        self.asked.append(msgspec.json.decode(message.data))
        if not self.silent:
            await message.respond(msgspec.json.encode(self.answer(self.asked[-1])))

    async def answers(self, subject: str, answer: dict[str, Any]) -> None:
        """From now on, to whoever asks."""

        async def take(message: Any) -> None:
            await message.respond(msgspec.json.encode(answer))

        await self.client.subscribe(subject, cb=take)
        await self.client.flush()

    async def _get(self, message: Any) -> None:
        asked = msgspec.json.decode(message.data)
        answer: dict[str, Any] = {"i": asked["i"], "answered": None, "expired": True}
        await message.respond(msgspec.json.encode(answer))

    async def site(self, name: str = "Centro", language: str = "es", **head: Any) -> None:
        meta = {"site": name, "zone": "America/Lima", "language": language, "generation": 3}
        await self.bucket.put("meta", json.dumps(meta | {"day": "2026-11-25"} | head).encode())

    async def put(self, **fields: Any) -> dict[str, Any]:
        row = agent(**fields)
        await self.put_raw(f"agent.{row['a']}", json.dumps(row).encode())
        return row

    async def put_raw(self, key: str, value: bytes) -> None:
        self._keys.add(key)
        await self.bucket.put(key, value)

    async def clear(self) -> None:
        """Take every agent off the floor."""
        for key in tuple(self._keys):
            await self.bucket.delete(key)
            self._keys.discard(key)  # not before: what stays there, every later test would see


def agent(**fields: Any) -> dict[str, Any]:
    """One live row as ingest writes it; what is not given is an agent not seen today."""
    row: dict[str, Any] = {
        "a": "a001",
        "name": "Rosa Quispe Huamán",
        "alias": "RQ",
        "team": "Ventas",
        "seat": None,
        "s": None,
        "state": "logged_out",
        "reason": None,
        "reason_label": None,
        "private": False,
        "since": None,
        "t": None,
        "c": None,
        "queue": None,
        "contacts": 0,
        "tmo": None,
        "link": "up",
        "warn": None,
        "help": None,
        "help_topic": None,
        "help_by": None,
        "fault": None,
        "fault_by": None,
        "missed": 0,
        "in_a_row": 0,
        "in_a_row_utc": None,
        "handle_s": 0,
        "handled": 0,
        "answered_utc": None,
        "by": None,
        "unfit": None,
        "unfit_utc": None,
    }
    unknown = fields.keys() - row.keys()
    assert not unknown, unknown
    return row | fields


def headers_of(cookies: Mapping[str, str]) -> dict[str, str]:
    """For a write by cookie, and for a socket."""
    told = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": told, "x-csrf-token": cookies["diadema_csrf"]}


def wait_for(condition: Callable[[], object], what: str, limit_s: float = 60) -> None:
    """Look until it holds; for what lives outside this process and tells nobody."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(0.01)


def content(path: Path) -> bytes:
    """Of a file that a running web may remove, as it does those beside a database."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def empty_directory(data: DataDir) -> None:
    """As if nobody had been entered but in the example's site. Its rows go and not its file, which
    a running web may have open.
    """
    data.site.write_text(EXAMPLE)
    with Directory(data.directory) as book, book.writing() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(delete(table))
