"""The hub as people run it: one owner of a directory, all up, and all gone at its end."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
from pathlib import Path

import aiohttp
import aiomqtt
import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.processes import command_line
from diadema.hub.broker import LOOPBACK, STREAM, free_port
from diadema.hub.child import WebEndpoint
from diadema.hub.hub import Hub
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.publishing import open_directory
from diadema.store import open_reader

from tests.support.broker_fixtures import until
from tests.support.scripted_station import SITE, T0, S, Script
from tests.support.trust import trusting


class HubProcess:
    def __init__(self, root):
        self.data = DataDir(root)

    async def start(self, *more):
        command = [sys.executable, "-m", "diadema", "hub", "--data", str(self.data.root)]
        self.process = await asyncio.create_subprocess_exec(
            *command,
            *(more or ("--port", "0")),
            *["--mqtt-port", "0"],
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def up(self):
        def settled():
            hub = self.data.read_hub()  # one that was killed leaves its file behind
            return (hub and hub.pid == self.process.pid) or self.process.returncode is not None

        await until(settled)
        self.hub = self.data.read_hub()
        assert self.hub is not None, (await self.process.stderr.read()).decode()
        return self

    async def refused(self):
        """(exit code, last words)"""
        said = await self.process.stderr.read()
        return await self.process.wait(), said.decode()

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await until(lambda: not any(map(self.runs, self.hub.children.values())))

    def runs(self, pid):
        return str(self.data.root) in command_line(pid)

    async def send(self, script, first=1, last=None):
        """As a gateway would; returns once the hub acknowledged.

        A server that has just been started again may end a connection that it took
        before its stream was there: a gateway connects anew and sends all of it.
        """
        async with asyncio.timeout(300):
            while True:
                with contextlib.suppress(aiomqtt.MqttError):
                    return await self.send_once(script, first, last)
                await asyncio.sleep(0.2)

    async def send_once(self, script, first, last):
        host, port = self.data.read_hub().mqtt
        password = credentials.gateway_password(credentials.load(self.data), "test")
        topic = f"diadema/v1/gw-test/{script.s}/"
        hello = script.hello() | {"first": 1, "last": 0}
        async with aiomqtt.Client(
            host,
            port,
            username="gw-test",
            password=password,
            identifier="gw-test",
            tls_context=trusting(Certificates(self.data.tls)),
        ) as mqtt:
            await mqtt.subscribe(topic + "0/ack")
            await mqtt.publish(topic + "st", json.dumps(hello), qos=1)
            for body in script.bodies[first - 1 : last]:
                await mqtt.publish(topic + "ev", body, qos=1)
            async for message in mqtt.messages:
                if json.loads(message.payload)["ack"] == [script.e, last or script.n]:
                    return


@pytest.fixture
async def hub(tmp_path, stack):
    running = await HubProcess(tmp_path / "data").start()
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "site.json").write_text(json.dumps(SITE))
    stack.push_async_callback(lambda: running.kill())
    return await running.up()


async def test_up_and_down(hub):
    info = hub.hub
    assert all(map(hub.runs, info.children.values()))
    assert {"nats", "ingest"} <= info.children.keys()
    assert oct(hub.data.secrets.stat().st_mode)[-3:] == "600"
    assert oct((hub.data.nats / "server.conf").stat().st_mode)[-3:] == "600"
    for url in (info.nats, info.web):
        address, port = url.rsplit("/", 1)[1].split(":")
        assert address == LOOPBACK
        await asyncio.open_connection(address, int(port))
    hub.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(hub.process.wait(), 60) == 0
    assert not any(map(hub.runs, info.children.values()))
    assert not hub.data.hub.exists()


async def test_any_folder_serves(tmp_path, stack):
    hub = await HubProcess(tmp_path / 'sala #2 "año" d\'Ñaña').start()
    stack.push_async_callback(lambda: hub.kill())
    info = (await hub.up()).hub
    assert all(map(hub.runs, info.children.values()))
    hub.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(hub.process.wait(), 60) == 0
    assert not any(map(hub.runs, info.children.values()))


async def test_a_second_hub_is_refused_and_says_what_to_do(hub):
    code, said = await (await HubProcess(hub.data.root).start()).refused()
    assert code == 2
    assert "in use by another hub" in said
    assert str(hub.process.pid) in said
    assert "--data" in said
    assert hub.data.read_hub() == hub.hub


async def test_killed_its_children_end_and_the_next_one_goes_on(hub):
    script = Script().boot().clock().login().ready().call("c1")
    await hub.send(script, last=6)
    ports = hub.hub.mqtt
    await hub.kill()
    await (await hub.start()).up()
    assert hub.hub.mqtt == ports
    await hub.send(script, first=5)
    reader = open_reader(hub.data.store)
    assert [event.body for event in reader.events_of(S)] == script.bodies
    reader.close()


async def test_children_killed_are_started_again_and_nothing_is_lost(hub):
    script = Script().boot().clock().login().ready().call("c1").call("c2").call("c3")
    await hub.send(script, last=4)
    sent = 4
    for name in ("nats", "ingest", "web"):
        before = hub.data.read_hub()
        if name not in before.children:
            continue
        os.kill(before.children[name], signal.SIGKILL)

        def back(before=before, name=name):
            now = hub.data.read_hub()
            return now and now.children[name] != before.children[name]

        await until(back)
        hub.hub = hub.data.read_hub()
        assert (hub.hub.mqtt, hub.hub.nats, hub.hub.web) == (before.mqtt, before.nats, before.web)
        await hub.send(script, first=sent, last=sent + 4)
        sent += 4
    await hub.send(script, first=sent)
    reader = open_reader(hub.data.store)
    assert [event.body for event in reader.events_of(S)] == script.bodies
    reader.close()


async def test_the_floor_says_so_while_the_store_takes_nothing(hub):
    script = Script().boot().clock().login()
    url = f"{hub.hub.web}/api/v1/status"
    token = {"Authorization": f"Bearer {credentials.load(hub.data).api}"}
    async with aiohttp.ClientSession(headers=token) as web:

        async def live():
            async with web.get(url) as answer:
                return (await answer.json())["live"]

        async def down():
            return not await live()

        await until(live)
        with contextlib.closing(sqlite3.connect(hub.data.store)) as other:
            other.execute("BEGIN IMMEDIATE")
            sending = asyncio.create_task(hub.send(script))
            await until(down)
            assert not sending.done()
        await asyncio.wait_for(sending, 300)
        await until(live)


async def test_a_server_left_on_its_directory_is_ended(tmp_path, stack):
    """As if everything of a hub had been killed but the broker."""
    from tests.support.broker_fixtures import RunningBroker

    left = RunningBroker(tmp_path / "data")
    stack.push_async_callback(left.stop, kill=True)
    await left.start(mqtt=False)
    hub = await (await HubProcess(tmp_path / "data").start()).up()
    stack.push_async_callback(hub.kill)
    assert await asyncio.wait_for(left.process.wait(), 60) is not None
    client = await left.client()
    info = await client.jetstream(timeout=60).stream_info(STREAM)
    await client.close()
    assert info.config.retention == "limits"


async def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, said = await (await HubProcess(tmp_path).start("--port", port)).refused()
    assert code == 2
    assert f"port {port}" in said
    assert "--port" in said
    assert not DataDir(tmp_path).hub.exists()


async def test_a_stations_port_that_is_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DiademaError, match=f"port {port} .* --mqtt-port"):
            async with Hub(tmp_path, port=0, mqtt_port=port):
                pass
    assert not DataDir(tmp_path).hub.exists()


async def test_one_port_for_both_the_web_and_the_stations(tmp_path):
    port = free_port()
    with pytest.raises(DiademaError, match=rf"port {port} .* --mqtt-port"):
        Hub(tmp_path, port=port, mqtt_port=port)


async def test_a_directory_that_cannot_be_written(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):  # the superuser may write everywhere but in here
        closed = Path("/proc")
    code, said = await (await HubProcess(closed / "data").start()).refused()
    assert code == 2
    assert "cannot write" in said
    assert "--data" in said


async def test_an_address_that_others_reach(tmp_path):
    with pytest.raises(DiademaError, match="leave --host out"):
        Hub(tmp_path, endpoint=WebEndpoint("0.0.0.0"))
    assert list(tmp_path.iterdir()) == []


async def test_a_broken_site_is_told_at_the_start(tmp_path):
    (tmp_path / "site.json").write_text(json.dumps(SITE | {"zone": "Lima"}))
    code, said = await (await HubProcess(tmp_path).start()).refused()
    assert code == 2
    assert "zone" in said


async def test_a_badges_id_in_clear_is_turned_over_at_the_start_and_told(tmp_path, stack):
    older = DataDir(tmp_path)
    older.site.write_text(json.dumps(SITE))
    with open_directory(older, T0) as book:
        kept = book.entry("agents", "a001").body["badges"]
    older.site.write_text(json.dumps(SITE))
    (clear,) = SITE["agents"][0]["badges"]
    with sqlite3.connect(older.directory) as tx:
        tx.execute("UPDATE entries SET body = CAST(replace(body, ?, ?) AS BLOB)", (kept[0], clear))
        tx.execute("PRAGMA user_version = 1")
    tx.close()
    running = await (await HubProcess(tmp_path).start()).up()
    stack.push_async_callback(running.kill)
    said = [(await running.process.stderr.readline()).decode() for _ in range(2)]
    for name, line in zip(("directory.sqlite3", "site.json"), said, strict=True):
        assert name in line and "keyed hashes" in line
    uid = clear.partition(":")[2].encode()
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files.keys() >= {"site.json", "directory.sqlite3"}
    assert not [name for name, content in files.items() if uid in content]
    assert json.loads(files["site.json"])["agents"][0]["badges"] == kept


async def said(data, *more):
    """What a hub says on its console until it is up; then it is ended."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "diadema", "hub", "--data", str(data)],
        *["--port", "0", "--mqtt-port", "0", *more],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(300):
            return (await process.stdout.readuntil(b"Ctrl-C ends it.")).decode()
    finally:
        process.terminate()
        await process.wait()


async def test_a_directory_with_one_ca_keeps_it_and_browsers_are_told_of_theirs(tmp_path):
    data = DataDir(tmp_path)
    (tmp_path / "site.json").write_text(json.dumps(SITE))
    accounts = Accounts(data)
    tester = Person(id="test", name="", role="service")
    accounts.book.add(tester, "admin", "Prueba", "admin", password="una frase de prueba")
    accounts.close()
    Certificates(data.tls).make(["localhost", LOOPBACK])
    for ending in ("pem", "key"):  # as the hub made them before: by the one CA
        shutil.copy(data.tls / f"server.{ending}", data.tls / f"web.{ending}")
    held = Certificates(data.tls).broker_ca()
    told = await said(tmp_path, "--host", "0.0.0.0")
    assert f"Browsers are to trust {data.tls / 'pages-ca.pem'}\n" in told
    assert "It is new: install it in each browser" in told
    assert Certificates(data.tls).broker_ca() == held
    told = await said(tmp_path, "--host", "0.0.0.0")
    assert "pages-ca.pem" in told and "It is new" not in told
    assert "Browsers" not in await said(tmp_path)  # plain HTTP, on this machine alone


async def test_a_hub_without_a_site_says_what_to_do(tmp_path):
    told = await said(tmp_path / "bare")
    assert "diadema site example > site.json" in told and "diadema site site.json" in told
    (tmp_path / "peopled").mkdir()
    data = DataDir(tmp_path / "peopled")
    with open_directory(data, 1) as book:
        body = KINDS["teams"].read({"code": "Norte"})
        change = Change(kind="teams", code="Norte", body=body)
        book.apply([change], by="Prueba", reason="prueba", at_ms=2)
    told = await said(data.root)
    assert "diadema people publish --by NAME" in told and "site example" not in told
    (tmp_path / "described").mkdir()
    (tmp_path / "described" / "site.json").write_text(json.dumps(SITE))
    assert "site example" not in await said(tmp_path / "described")


async def test_hub_and_gateway_end_in_order_when_they_are_told_to(hub):
    controller, port = os.openpty()
    command = [sys.executable, "-m", "diadema", "gateway", os.ttyname(port)]
    gateway = await asyncio.create_subprocess_exec(
        *command, "--data", hub.data.root, stderr=asyncio.subprocess.PIPE
    )
    said = b""
    while b"connected to the broker" not in said:
        said += await gateway.stderr.readline()
    for process in (gateway, hub.process):
        process.terminate()
        said += await process.stderr.read()
        assert await process.wait() == 0, said.decode()
    assert b"Traceback" not in said
    assert not any(map(hub.runs, hub.hub.children.values()))
    os.close(controller)
    os.close(port)
