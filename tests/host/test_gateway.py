"""The gateway on real ptys and a real broker; a scripted station sits at the other end."""

import asyncio
import contextlib
import hmac
import json
import os
import signal
import sys
import tty

import aiomqtt
import pytest
from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.gateway import access as gateway_access
from diadema.gateway.bridge import Gateway
from diadema.store import open_reader
from diadema.wire.frames import DOWN_LIMIT, Decoder, Joiner, encode

from tests.support.broker_fixtures import IngestProcess, until
from tests.support.scripted_station import S, Script

S2 = "DIA-0123456789ac"
GW = "gw-test"

pytestmark = pytest.mark.usefixtures("gateways")


def mac(key, script, nonce):
    """As a station proves that it holds `key`."""
    said = f"proof\n{script.s}\n{script.b}\n{nonce}".encode()
    return hmac.digest(key, said, "sha256")[:16].hex()


class Wire:
    """The station's end of a cable. `plug` makes a new pty behind the same path. `key`: with which
    it proves who it is, and takes what is sealed.
    """

    def __init__(self, path, script):
        self.path, self.script, self.key = path, script, None
        self.down, self.hellos_asked, self.answers, self.reads = [], 0, True, True
        self._master = None

    def plug(self):
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        self._decoder, self._joiner = Decoder(DOWN_LIMIT), Joiner()
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def pull(self):
        if self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._master = None
            self.path.unlink(missing_ok=True)

    def write(self, data):
        os.write(self._master, data)

    def send(self, first=1, last=None):
        for body in self.script.bodies[first - 1 : last]:
            self.write(encode(body))

    def hello(self, nonce=None):
        greeting = {k: v for k, v in self.script.hello().items() if k != "gw"}
        if self.key and nonce:
            greeting |= {"nonce": nonce, "mac": mac(self.key, self.script, nonce)}
        self.write(encode(json.dumps({"hello": greeting}).encode()))

    @property
    def acked(self):
        return [frame["ack"] for frame in self.down if "ack" in frame][-1:] == [
            [self.script.e, self.script.n]
        ]

    def _readable(self):
        try:
            data = os.read(self._master, 65536)
        except OSError:  # nobody has the other end open now
            return
        for body in self._decoder.feed(data):
            got, whole = self._joiner.take(body)
            if got and self.reads:
                self.write(encode(got))
            if whole is None:
                continue
            frame = json.loads(whole)
            if "hello" in frame:
                self.hellos_asked += 1
                if self.answers:
                    self.hello(frame.get("nonce"))
            else:
                self.down.append(frame)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A gateway that gave a slow broker up would send again what the tests count."""
    monkeypatch.setattr("diadema.gateway.bridge._ANSWER_S", 15)


@pytest.fixture
async def wire(tmp_path):
    made = Wire(tmp_path / "port", Script().boot().clock().login().ready().call("c1"))
    made.plug()
    yield made
    made.pull()


async def running_gateway(broker, wire, stack, access=None):
    broker.write_hub()
    gateway = Gateway(broker.data, [str(wire.path)], "test", access)
    running = asyncio.create_task(gateway.run())

    async def end():
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    stack.push_async_callback(end)
    return gateway


@pytest.fixture
async def gateway(broker, wire, stack):
    return await running_gateway(broker, wire, stack)


@pytest.fixture
async def heard(broker, stack):
    """What the gateway publishes, as (topic below diadema/v1/, body)."""
    client = await broker.client()
    stack.push_async_callback(client.close)
    messages = []

    async def listen(message):
        topic = message.subject.removeprefix("diadema.v1.").replace(".", "/")
        messages.append((topic, json.loads(message.data)))

    await client.subscribe("diadema.v1.>", cb=listen)
    await client.flush()
    return messages


def greeting(wire):
    told = {name: value for name, value in wire.script.hello().items() if name != "gw"}
    return {**told, "port": 0, "at": str(wire.path)[-200:], "gw_ca": ""}


def bodies(heard, topic):
    return [body for to, body in heard if to == topic]


async def test_both_ways_to_the_store_and_back(broker, gateway, wire, stack):
    wire.key = bytes(range(32))
    broker.data.keys.write_text(json.dumps({S: wire.key.hex()}))
    broker.data.keys.chmod(0o600)
    await stack.enter_async_context(IngestProcess(broker))
    await until(lambda: any(frame.get("cmd") == "time" for frame in wire.down))
    parts = await until(lambda: [f for f in wire.down if f.get("cmd") == "config"])
    assert parts[0]["generation"] == 1
    wire.send()
    await until(lambda: wire.acked)
    reader = open_reader(broker.data.store)
    stack.callback(reader.close)
    assert [event.body for event in reader.events_of(S)] == wire.script.bodies


async def test_one_elsewhere_says_which_authorities_its_file_has(broker, wire, heard, stack):
    broker.write_hub()
    tls = Certificates(broker.data.tls)
    tls.begin()
    access = gateway_access.here(broker.data, "test")
    assert len(access.context().get_ca_certs()) == 2
    await running_gateway(broker, wire, stack, access)
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    assert bodies(heard, f"{GW}/{S}/st")[0] == greeting(wire) | {"gw_ca": tls.mark()}


async def test_what_it_publishes(heard, gateway, wire):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    assert bodies(heard, f"{GW}/{S}/st")[0] == greeting(wire)
    wire.send()
    await until(lambda: len(bodies(heard, f"{GW}/{S}/ev")) == wire.script.n)
    assert [event["n"] for event in bodies(heard, f"{GW}/{S}/ev")] == list(
        range(1, wire.script.n + 1)
    )
    assert bodies(heard, "gw-test/st")[0] == {"up": True}
    assert gateway.dump()["ports"][str(wire.path)]["station"] == S


async def test_frames_of_another_station_are_refused(heard, gateway, wire):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    for body in Script(s=S2).boot().bodies:
        wire.write(encode(body))
    wire.write(encode(b"{}") + encode(b"[]") + encode(b"nonsense") + encode(b'{"hello":{}}'))
    wire.write(encode(b'{"k":"\xff"}') + encode(b"[" * 500))
    wire.write(b"\x1ecut" + encode(wire.script.bodies[0]).replace(b"*", b"*0"))
    wire.send()
    await until(lambda: len(bodies(heard, f"{GW}/{S}/ev")) == wire.script.n)
    assert gateway.counts["refused"] == 7
    port = gateway.dump()["ports"][str(wire.path)]
    assert (port["truncated"], port["corrupt"]) == (1, 1)
    assert not bodies(heard, f"{GW}/{S2}/ev")


async def test_nothing_is_carried_before_the_hello(broker, wire, heard, stack):
    wire.answers = False
    broker.write_hub()
    gateway = Gateway(broker.data, [str(wire.path)], "test")
    running = asyncio.create_task(gateway.run())
    stack.callback(running.cancel)
    await until(lambda: bodies(heard, "gw-test/st"))
    wire.send()
    await until(lambda: gateway.counts["refused"] == wire.script.n)
    asked = wire.hellos_asked
    await until(lambda: wire.hellos_asked > asked)  # it goes on asking
    wire.hello()
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    assert not bodies(heard, f"{GW}/{S}/ev")


async def test_a_cable_pulled_and_put_back(heard, gateway, wire):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    wire.pull()
    await until(lambda: bodies(heard, f"{GW}/{S}/st")[-1] == {"up": False, "s": S})
    wire.plug()
    await until(lambda: bodies(heard, f"{GW}/{S}/st")[-1]["up"])
    wire.send()
    await until(lambda: len(bodies(heard, f"{GW}/{S}/ev")) == wire.script.n)


async def test_a_cable_pulled_while_the_broker_was_away(broker, heard, gateway, wire):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    await broker.stop(kill=True)
    await until(lambda: not gateway.dump()["connected"])
    wire.pull()
    await until(lambda: gateway.dump()["ports"][str(wire.path)]["station"] is None)
    await broker.start()
    gone = {"up": False, "s": S}
    await until(lambda: bodies(heard, f"{GW}/{S}/st")[-1:] == [gone])


async def test_what_the_gateway_of_before_left_standing(broker, heard, wire, stack):
    """It was killed, its cables were pulled, and it is back before its will was read."""
    for s, gw in {S: "test", S2: "test", "DIA-ffffffffffff": "other"}.items():
        async with broker.mqtt(gw) as before:
            body = json.dumps({"up": True, "s": s})
            await before.publish(f"diadema/v1/gw-{gw}/{s}/st", body, qos=1, retain=True)
    async with broker.mqtt("test") as before:
        await before.publish(f"diadema/v1/{GW}/DIA-eeeeeeeeeeee/st", b"[]", qos=1, retain=True)
    heard.clear()
    broker.write_hub()
    running = asyncio.create_task(Gateway(broker.data, [str(wire.path)], "test").run())
    stack.callback(running.cancel)
    await until(lambda: bodies(heard, f"{GW}/{S2}/st"))
    assert bodies(heard, f"{GW}/{S2}/st") == [{"up": False, "s": S2}]
    await until(lambda: bodies(heard, f"{GW}/{S}/st")[-1:] == [greeting(wire)])
    wire.send()  # and after its events all has been said
    await until(lambda: len(bodies(heard, f"{GW}/{S}/ev")) == wire.script.n)
    assert not bodies(heard, "gw-other/DIA-ffffffffffff/st")[1:]
    assert not bodies(heard, f"{GW}/DIA-ffffffffffff/st")


async def test_another_station_on_the_same_port(heard, gateway, wire):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    wire.script = Script(s=S2).boot()
    wire.hello()
    await until(lambda: bodies(heard, f"{GW}/{S2}/st"))
    assert bodies(heard, f"{GW}/{S}/st")[-1]["up"] is False
    wire.send()
    await until(lambda: bodies(heard, f"{GW}/{S2}/ev"))


async def test_two_boards_with_one_id_are_told_and_neither_is_cut_off(
    broker, heard, wire, stack, tmp_path, caplog
):
    twin = Wire(tmp_path / "twin", Script(e=8).boot().clock())
    twin.plug()
    stack.callback(twin.pull)
    broker.write_hub()
    gateway = Gateway(broker.data, [str(wire.path), str(twin.path)], "test")
    running = asyncio.create_task(gateway.run())
    stack.callback(running.cancel)
    await until(lambda: gateway.dump()["connected"])
    await until(lambda: {7, 8} <= {body["e"] for body in bodies(heard, f"{GW}/{S}/st")})
    for one in (wire, twin, wire, twin):
        one.hello()
        one.send()
        await until(
            lambda e=one.script.e: (
                bodies(heard, f"{GW}/{S}/ev")[-1:] and bodies(heard, f"{GW}/{S}/ev")[-1]["e"] == e
            )
        )
    (told,) = [one.getMessage() for one in caplog.records if "two boards" in one.getMessage()]
    assert S in told and str(wire.path) in told and str(twin.path) in told


async def test_a_broker_that_comes_back_elsewhere(broker, gateway, wire, stack):
    await until(lambda: gateway.dump()["ports"][str(wire.path)]["station"] == S)
    await broker.stop(kill=True)
    asked = wire.hellos_asked
    await until(lambda: not gateway.dump()["connected"])
    wire.send()
    await until(lambda: gateway.counts["dropped"] >= wire.script.n)
    broker.data.ports.unlink()
    broker.broker.choose_ports()
    broker.url = broker.broker.url
    await broker.start()
    stack.push_async_callback((await broker.admit_gateways()).close)
    broker.write_hub()
    await until(lambda: wire.hellos_asked > asked)
    await stack.enter_async_context(IngestProcess(broker))
    await until(lambda: any("ack" in frame for frame in wire.down))
    wire.send()
    await until(lambda: wire.acked)


async def test_console_text_becomes_the_stations_log(broker, heard, gateway, wire, monkeypatch):
    monkeypatch.setattr("diadema.gateway.cable._LOG_LIMIT", 2000)
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    wire.write(b"Traceback: one\r\n" + encode(wire.script.bodies[0]) + b"two\n")
    log = broker.data.log(S)
    await until(lambda: log.read_bytes().endswith(b"Traceback: one\r\ntwo\n"))
    assert log.read_bytes().startswith(b"--- ")
    for digit in b"1234":
        wire.write(bytes([digit]) * 999 + b"\n")
        await until(lambda: log.read_bytes().endswith(b"%c\n" % digit))  # noqa: B023
        assert log.stat().st_size <= 2000
    both = log.with_suffix(".log.1").read_bytes() + log.read_bytes()
    assert both.endswith(b"3\n" + b"4" * 999 + b"\n")


async def test_what_comes_before_a_hello_is_in_the_ports_own_log(broker, gateway, wire, tmp_path):
    wire.answers = False
    await until(lambda: wire.hellos_asked)
    wire.write(b"ets Jul 29 2019\r\n\xff\x00garbage" + encode(b"{}")[:-3] + b"\n")
    name = str(wire.path).strip("/").replace("/", "-").replace("_", "-")
    log = broker.data.log(f"port-{name}")
    await until(log.exists)
    assert log.read_bytes().startswith(b"ets Jul 29 2019\r\n\xff\x00garbage")


async def test_a_name_in_use_says_by_which_process(broker, gateway, wire):
    await until(broker.data.gateway("test").exists)
    other = Gateway(broker.data, [str(wire.path)], "test")
    with pytest.raises(DiademaError, match=rf"runs already \(process {os.getpid()}\): give"):
        await other.run()


async def test_a_missing_port_is_told_in_few_words(broker, stack, caplog, tmp_path):
    broker.write_hub()
    port = str(tmp_path / "ttyUSB9")
    running = asyncio.create_task(Gateway(broker.data, [port], "other").run())
    stack.callback(running.cancel)
    said = f"cannot open {port}: No such file or directory; trying on"
    await until(lambda: said in caplog.messages)


async def test_frames_for_others_and_too_long_go_nowhere(broker, heard, gateway, wire, stack):
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    client = await broker.client()
    stack.push_async_callback(client.close)
    await client.publish(f"diadema.v1.{GW}.{S}.0.cmd", b"x" * (DOWN_LIMIT + 1))
    await client.publish(f"diadema.v1.{GW}.{S}.0.cmd", b'{"cmd":"text","i":1}')
    await until(lambda: wire.down)
    assert wire.down == [{"cmd": "text", "i": 1}]
    assert gateway.counts["too_long"] == 1


async def test_killed_its_will_says_so_and_the_next_one_takes_over(broker, wire, heard, stack):
    broker.write_hub()
    command = [sys.executable, "-m", "diadema", "gateway", str(wire.path), "--name", "test"]

    async def start():
        process = await asyncio.create_subprocess_exec(
            *command, "--data", str(broker.data.root), stdin=asyncio.subprocess.PIPE
        )
        stack.push_async_callback(process.wait)
        stack.callback(lambda: process.returncode is None and process.kill())
        return process

    first = await start()
    await until(lambda: bodies(heard, f"{GW}/{S}/st"))
    pid = json.loads(broker.data.gateway("test").read_bytes())["pid"]
    assert pid == first.pid
    os.kill(pid, signal.SIGKILL)
    await until(lambda: bodies(heard, "gw-test/st")[-1] == {"up": False})
    asked = wire.hellos_asked
    second = await start()
    await until(lambda: wire.hellos_asked > asked)
    await until(lambda: bodies(heard, "gw-test/st")[-1] == {"up": True})
    second.stdin.close()  # whoever started it is gone
    assert await asyncio.wait_for(second.wait(), 300) == 0
    await until(lambda: bodies(heard, "gw-test/st")[-1] == {"up": False})
    assert not broker.data.gateway("test").exists()


async def test_a_station_that_confirms_nothing_is_told_once_with_what_to_do(
    gateway, wire, monkeypatch, caplog
):
    """As an older program does; and answers to what nobody sent move nothing."""
    again = []
    await until(lambda: gateway.dump()["ports"][str(wire.path)]["station"] == S)
    (cable,) = gateway._cables
    sender = cable.line._sender
    monkeypatch.setattr(sender, "_later", lambda _, then: again.append(then) or Never())
    wire.reads = False

    def told():
        return [one.message for one in caplog.records if "does not confirm" in one.message]

    for number in range(3):
        cable.down(b'{"cmd":"text","i":%d}' % number)
        for body in (b'{"got":[1,1]}', b'{"got":[0,0]}', b'{"got":[-1,9]}', b'{"got":[70000,1]}'):
            wire.write(encode(body) * 2)
        strayed = 8 * (number + 1)
        await until(lambda strayed=strayed: cable.line.dump()["strayed"] >= strayed)
        assert cable.line.dump()["waiting"] == 1
        while cable.line.dump()["waiting"]:
            again.pop(0)()
        assert len(told()) == 1
    assert "another cable" in told()[0] and "`diadema flash`" in told()[0]
    assert cable.line.dump()["unheard"] == 3
    assert not wire.down or wire.down[-1]["i"] == 2  # it read them, and only did not say so
    for body in (b'{"got":[1]}', b'{"got":["1",1]}', b'{"got":{}}', b'{"got":[1,1,1]}'):
        wire.write(encode(body))
    await until(lambda: gateway.counts["refused"] == 4)
    wire.reads = True
    cable.down(b'{"cmd":"text","i":9}')
    await until(lambda: wire.down[-1]["i"] == 9 and cable.line.idle)
    assert len(told()) == 1


class Never:
    """A timer whose time the test lets come."""

    def cancel(self):
        pass


async def test_ended_while_it_begins_it_says_so(broker, wire, heard, monkeypatch):
    broker.write_hub()
    began = asyncio.Event()

    async def subscribe(*arguments):
        began.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(aiomqtt.Client, "subscribe", subscribe)
    running = asyncio.create_task(Gateway(broker.data, [str(wire.path)], "test").run())
    await began.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await until(lambda: bodies(heard, "gw-test/st") == [{"up": True}, {"up": False}])


@pytest.mark.parametrize(
    ("ports", "name", "message"),
    [
        (["a"], "GW/1", "lower-case"),
        (["a", "./a"], "gw", "named twice"),
    ],
)
def test_what_it_refuses_to_begin_with(tmp_path, ports, name, message):
    with pytest.raises(DiademaError, match=message):
        Gateway(DataDir(tmp_path), ports, name)


async def test_two_of_one_name(broker, gateway, wire):
    await until(lambda: broker.data.gateway("test").exists())
    with pytest.raises(DiademaError, match="another --name"):
        await Gateway(broker.data, [str(wire.path)], "test").run()
    await until(lambda: wire.hellos_asked)
