"""A standby takes over: the hub's machine is gone under load, and nothing that was acknowledged is
lost; the hub of before serves no more. Real processes of everything.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import nats
import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.certificates import PageCertificates
from diadema.base.clock import SharedClock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.processes import command_line
from diadema.base.standing import changing_standing, read_standing
from diadema.cli import main
from diadema.hub.broker import free_port
from diadema.hub.fence import TakenOver, ask_term, trusting, until_taken_over
from diadema.hub.standby import Credential, Standby, read_credential
from diadema.maintenance.standbys import read_standbys
from diadema.store import open_reader
from diadema.store.erased import ErasedList
from diadema.wire.ask_hub import STREAM
from typer.testing import CliRunner

from tests.support.broker_fixtures import until
from tests.support.light_station import running_crowd
from tests.support.scripted_station import SITE, T0

ME = Person(id="shell:yo", name="Yo", role="service")
STATIONS = [f"DIA-0400000000{number:02x}" for number in range(6)]
HERE = "https://127.0.0.3:1"
DAY_MS = 86_400_000


class Machine:
    """A data directory, and the program that runs on it: with its pages at an address of its own,
    by HTTPS.
    """

    def __init__(self, folder, address, clock):
        self.data = DataDir(folder)
        self.address = address
        self.port = free_port()
        self.process = None
        self._clock = clock

    @property
    def url(self):
        return f"https://{self.address}:{self.port}"

    async def start(self, *words):
        self.process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "diadema", *words, "--data", str(self.data.root)],
            *["--clock", str(self._clock)],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def serve(self, *words):
        await self.start(
            *(words or ("hub",)), "--host", self.address, "--port", str(self.port),
            "--mqtt-port", "0", "--mqtt-host", "127.0.0.1",
        )  # fmt: skip

    async def up(self):
        def settled():
            hub = self.data.read_hub()
            return (hub and hub.pid == self.process.pid) or self.process.returncode is not None

        await until(settled)
        hub = self.data.read_hub()
        assert hub is not None, (await self.process.stderr.read()).decode()
        return hub

    async def refused(self):
        said = (await self.process.stderr.read()).decode()
        assert await self.process.wait() == 2, said
        return said

    async def kill(self):
        """Everything of it, at once."""
        hub = self.data.read_hub()
        pids = [*hub.children.values()] if hub else []
        for pid in [self.process.pid, *pids]:
            if str(self.data.root) in command_line(pid):
                os.kill(pid, signal.SIGKILL)
        await self.process.wait()
        await until(lambda: not any(str(self.data.root) in command_line(pid) for pid in pids))

    async def end(self):
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.communicate()


@pytest.fixture
async def hub(tmp_path, stack):
    clock = tmp_path / "clock"
    SharedClock(clock, create=True).set(T0, 1)
    made = Machine(tmp_path / "hub", "127.0.0.2", clock)
    made.data.make()
    seats = [{"id": s, "seat": f"B-{number:02}"} for number, s in enumerate(STATIONS)]
    agents = [SITE["agents"][1] | {"id": f"b{number:02}"} for number in range(len(STATIONS))]
    made.data.site.write_text(json.dumps(SITE | {"stations": seats, "agents": agents}))
    accounts = Accounts(made.data)
    accounts.book.add(ME, "jefa", "Jefa", "admin")
    accounts.close()
    await made.serve()
    stack.push_async_callback(made.end)
    await made.up()
    return made


def allow(hub, file, name="reserva"):
    words = ["standby", "allow", name, str(file), "--data", str(hub.data.root)]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == 0, (done.output, str(done.exception))
    assert file.stat().st_mode & 0o077 == 0
    return read_credential(file)


def state_of(data):
    file = data.standby / "state.json"
    return json.loads(file.read_text()) if file.exists() else {"stored": 0}


def works(crowd, name):
    for station in crowd:
        station.script.call(name)
        while station.last < station.script.n:
            station.press()


async def held(crowd):
    await asyncio.gather(*(station.until_held(station.last) for station in crowd))


async def test_the_standby_takes_over_and_nothing_acknowledged_is_lost(hub, stack, tmp_path):
    client = await nats.connect(
        hub.data.read_hub().nats, user="host", password=credentials.load(hub.data).host,
        connect_timeout=60, allow_reconnect=False,
    )  # fmt: skip
    # half of them forget what was acknowledged, as no real one does for weeks: what those said
    # lives in the copy alone once the hub is gone
    crowd = await stack.enter_async_context(
        running_crowd(client, hub.data, STATIONS, holds_all=lambda number: number % 2 == 0)
    )
    await asyncio.gather(*(station.until_held(2) for station in crowd))
    for station in crowd:
        station.script.login().ready()
    works(crowd, "before")
    await held(crowd)

    standby = Machine(tmp_path / "standby", "127.0.0.3", tmp_path / "clock")
    allow(hub, tmp_path / "reserva.json")
    file = str(tmp_path / "reserva.json")
    await standby.start("standby", "--of", hub.url, "--here", standby.url, "--credential", file)
    stack.push_async_callback(standby.end)
    await until((standby.data.standby / "newest.backup").exists)
    works(crowd, "since the backup")
    await held(crowd)
    last = (await client.jetstream(timeout=60).stream_info(STREAM)).state.last_seq
    await client.close()
    await until(lambda: state_of(standby.data)["stored"] >= last)
    await until(lambda: _is_watched(hub))

    keepers = [station for station in crowd if station.script.s in STATIONS[::2]]
    number = 0

    async def load():
        nonlocal number
        while True:
            works(keepers, f"under load {number}")
            number += 1
            await held(keepers)

    loading = asyncio.create_task(load())
    await until(lambda: number > 3)
    await hub.kill()
    loading.cancel()
    gone = tmp_path / "gone"
    hub.data.root.rename(gone)

    await standby.end()
    await standby.serve("standby", "take-over", "--json")
    told = json.loads(await standby.process.stdout.readline())
    assert told["taken_over"]["term"] == 2 and told["taken_over"]["restored"]["stream"]
    assert told["taken_over"]["people_rpo_s"] >= 0 and told["rto_s"] > 0
    info = await standby.up()
    for station in crowd:
        station.access.port = info.mqtt[1]
    await held(crowd)
    works(crowd, "since")
    await held(crowd)
    store = open_reader(standby.data.store)
    stack.callback(store.close)
    for station in crowd:
        assert [one.body for one in store.events_of(station.access.s)] == station.script.bodies
    status = store.status()
    assert status["events"] == sum(station.script.n for station in crowd)
    assert (status["lost"], status["conflicts"], status["dead_letters"]) == (0, 0, 0)
    assert "from its beginning" not in standby.data.log("ingest").read_text()
    await floor_is_back(standby, {station.script.agent for station in crowd})

    gone.rename(hub.data.root)  # the old machine comes back, and can ask
    await hears_of_it_while_it_runs(hub, tmp_path / "cut off")
    await hub.serve()
    assert standby.url in await hub.refused()
    await standby.kill()
    await hub.serve()  # it knows it now
    assert standby.url in await hub.refused()
    done = CliRunner().invoke(main.app, ["standby", "reclaim", "--data", str(hub.data.root)])
    assert done.exit_code == 0, (done.output, str(done.exception))
    assert read_standing(hub.data).term == 3
    await hub.serve()
    await hub.up()
    await standby.serve("hub")
    assert hub.url in await standby.refused()


async def floor_is_back(machine, agents):
    bearer = {"Authorization": f"Bearer {credentials.load(machine.data).api}"}
    trust = trusting(PageCertificates(machine.data.tls).ca)
    async with httpx.AsyncClient(
        base_url=machine.url, headers=bearer, verify=trust, trust_env=False, timeout=300
    ) as pages:

        async def shown():
            live = (await pages.get("/api/v1/status")).json()["live"]
            return live and {row["a"] for row in (await pages.get("/api/v1/live")).json()}

        await until(lambda: _has(shown, agents))


async def _has(shown, agents):
    return agents <= (await shown() or set())


async def hears_of_it_while_it_runs(hub, folder):
    """One that was cut off and ran on ends once it can ask again."""
    other = DataDir(folder)
    other.make()
    shutil.copytree(hub.data.tls, other.tls)
    for file in (hub.data.secrets, hub.data.standing):
        shutil.copy2(file, folder)
    with pytest.raises(TakenOver):
        await until_taken_over(other)
    assert read_standing(other).taken_by


async def _is_watched(hub):
    """Whether the hub's metrics have it that its standby is level, and has a backup."""
    async with httpx.AsyncClient(
        base_url=hub.url, verify=trusting(PageCertificates(hub.data.tls).ca), trust_env=False,
        timeout=300, headers={"Authorization": f"Bearer {credentials.load(hub.data).api}"},
    ) as pages:  # fmt: skip
        text = (await pages.get("/metrics")).text
    said = re.findall(r"diadema_web_standby_(\w+){standby=\"reserva\"} (\S+)", text)
    found = {name: float(value) for name, value in said}
    return (
        found.get("behind_messages") == 0
        and found["backup_interval_seconds"] == 900
        and found.get("backup_time_seconds", 0) >= T0 / 1000
        and found["seen_time_seconds"] >= T0 / 1000
    )


PATHS = ("stream?here=https://x", "backup", "term")


async def statuses(pages, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return [
        (await pages.get(f"/api/v1/standby/{path}", headers=headers)).status_code for path in PATHS
    ]


async def test_nobody_else_gets_a_copy(hub, stack, tmp_path, caplog):
    credential = allow(hub, tmp_path / "reserva.json")
    accounts = Accounts(hub.data)
    stack.callback(accounts.close)
    admin = accounts.tokens.add(ME, "admin", "admin")
    pages = await stack.enter_async_context(
        httpx.AsyncClient(
            base_url=hub.url, verify=trusting(credential.ca), trust_env=False, timeout=300
        )
    )
    assert await statuses(pages) == [401] * 3
    assert await statuses(pages, "dia_none") == [401] * 3
    assert await statuses(pages, admin) == [403, 403, 200]
    assert (await pages.get("/api/v1/live", headers=_bearer(credential))).status_code == 403

    clock = SharedClock(tmp_path / "ahead", create=True)
    clock.set(T0 + 3_600_000, 1)  # nobody sets the one after the other

    def standby(of=hub.url, here=HERE, given=credential, folder="standby", every_s=900):
        return Standby(DataDir(tmp_path / folder), of, here, given, clock, "es", every_s)

    with pytest.raises(DiademaError, match="no https"):
        standby(of=hub.url.replace("https", "http"))
    with pytest.raises(DiademaError, match="no https"):
        standby(here="http://127.0.0.3:1")
    wrong = Credential(token="dia_wrong", ca=credential.ca)
    with pytest.raises(DiademaError, match="refuses this credential"):
        await standby(given=wrong, folder="wrong").run()
    assert not (tmp_path / "wrong" / ".standby" / "newest.backup").exists()

    stranger = PageCertificates(tmp_path / "tls")
    stranger.make(["127.0.0.2"])
    of_another = Credential(token=credential.token, ca=stranger.ca.read_text())
    kept_out = asyncio.create_task(standby(given=of_another, folder="other").run())
    reason = f"{hub.url} no responde como debe: su certificado es de una CA que no se conoce"
    await until(lambda: kept_out.done() or reason in caplog.text)
    kept_out.cancel()
    with pytest.raises(asyncio.CancelledError):
        await kept_out
    told = trusting(credential.ca), credential.token
    assert await until(lambda: ask_term(hub.url, *told)) == 1
    assert await ask_term(hub.url, trusting(stranger.ca), credential.token) is None
    heard = []

    async def plain(reader, writer):
        heard.append(await reader.read(65_536))
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{"term":9}')
        writer.close()

    server = await stack.enter_async_context(await asyncio.start_server(plain, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    assert await ask_term(f"https://127.0.0.1:{port}", *told) is None
    assert heard and credential.token.encode() not in b"".join(heard)

    one = standby()
    running = asyncio.create_task(one.run())
    there = DataDir(tmp_path / "standby")
    backup = there.standby / "newest.backup"
    await until(lambda: running.done() or (backup.exists() and state_of(there)["heard_ms"]))
    assert not running.done(), running
    with pytest.raises(DiademaError, match="in use"):
        await standby().run()
    first = backup.stat().st_ino
    erased = ErasedList(hub.data.erased)
    erased.begin(T0, T0 - DAY_MS, 0)  # after which no older copy is to be kept
    erased.close()
    await until(lambda: running.done() or backup.stat().st_ino != first)
    assert not running.done(), running
    (number,) = [one.number for one in accounts.tokens.all() if one.role == "standby"]
    accounts.tokens.revoke(ME, number)
    with pytest.raises(DiademaError, match="refuses this credential"):
        await running
    assert await statuses(pages, credential.token) == [401] * 3
    assert [one.what for one in accounts.audit.rows(limit=1000)].count("backup.sent") >= 1
    words = ["standby", "take-over", "--only-restore", "--data", str(there.root)]
    words += ["--clock", str(tmp_path / "clock")]
    done = await asyncio.to_thread(CliRunner().invoke, main.app, words)
    assert "still answers" in str(done.exception)
    assert not there.store.exists()
    await hub.kill()  # what it copied before the revocation serves still
    done = await asyncio.to_thread(CliRunner().invoke, main.app, words)
    assert done.exit_code == 0, (done.output, str(done.exception))
    assert "in term 2" in done.output and "events: 0, level" in done.output
    assert "RPO of accounts and people: 0." in done.output
    assert "RTO: " not in done.output and "Nobody serves until" in done.output
    assert there.store.exists() and not there.standby.exists()
    assert not read_standing(there).trial and "diadema resume" not in done.output


async def test_backups_come_as_often_as_it_is_told(hub, tmp_path):
    credential = allow(hub, tmp_path / "reserva.json")
    there = DataDir(tmp_path / "standby")
    standby = Standby(there, hub.url, HERE, credential, SharedClock(tmp_path / "clock"), "es", 1)
    running = asyncio.create_task(standby.run())
    made = set()

    def third():
        made.add(state_of(there).get("backup_ms"))
        return running.done() or len(made - {None, 0}) == 3

    await until(third)
    assert not running.done(), running
    await until(lambda: read_standbys(hub.data))
    (known,) = read_standbys(hub.data).values()
    assert known.every_s == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _bearer(credential):
    return {"Authorization": f"Bearer {credential.token}"}


def test_whoever_writes_the_standing_keeps_what_another_wrote(tmp_path):
    """The web notes where a standby would serve; the hub, that another has taken over."""
    data = DataDir(tmp_path)

    def note(name):
        with changing_standing(data) as known:
            known.peers[name] = f"https://{name}"

    names = [f"standby{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        [*pool.map(note, names)]
    assert sorted(read_standing(data).peers) == names


async def test_a_credential_is_nobody_elses_to_read(tmp_path):
    file = tmp_path / "reserva.json"
    file.write_text(json.dumps({"token": "dia_x", "ca": ""}))
    file.chmod(0o644)
    with pytest.raises(DiademaError, match="can be read by others"):
        read_credential(file)
    file.chmod(0o600)
    with pytest.raises(DiademaError, match="no credential"):
        read_credential(file)  # without a CA it would trust any
