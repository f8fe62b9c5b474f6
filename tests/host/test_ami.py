"""The client of Asterisk's manager interface against somebody who says what a test wants."""

import asyncio
import hashlib
import ssl
import tracemalloc
from collections.abc import Awaitable, Callable

import pytest
from diadema.base.certificates import Certificates
from diadema.switch.asterisk import ami
from diadema.switch.asterisk.ami import LONGEST, Ami, Message, Parser, encoded
from diadema.switch.asterisk.login import Login
from diadema.switch.exchange import SwitchError, SwitchRefused
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trust import trusting

USER, SECRET = "diadema", "not-a-real-secret"
CHALLENGE = "158423"


class Manager:
    """One connection at a time, as the switch's side sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> Message:
        text = await self.reader.readuntil(b"\r\n\r\n")
        return dict(line.split(": ", 1) for line in text.decode().strip().split("\r\n"))

    def say(self, **fields: str) -> None:
        self.raw("".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n")

    def raw(self, text: str) -> None:
        self.writer.write(text.encode())

    async def admit(self) -> None:
        """The greeting and the login, which has to be right."""
        self.raw("Asterisk Call Manager/11.0.0\r\n")
        asked = await self.read()
        assert (asked["Action"], asked["AuthType"]) == ("Challenge", "MD5")
        self.say(Response="Success", ActionID=asked["ActionID"], Challenge=CHALLENGE)
        login = await self.read()
        right = hashlib.md5((CHALLENGE + SECRET).encode()).hexdigest()
        assert (login["Username"], login["Key"]) == (USER, right)
        self.say(Response="Success", ActionID=login["ActionID"], Message="Authentication accepted")


type Serve = Callable[[Manager], Awaitable[None]]


class Stage:
    """A client of `serve`, and what it heard."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.losses: list[str] = []
        self.up, self.lost = asyncio.Event(), asyncio.Event()
        self.client: Ami = None  # type: ignore[assignment]
        self.port = 0

    def make(self, login: Login) -> None:
        self.client = Ami(login, self.events.append, self._rise, self._fall)

    async def _rise(self) -> None:
        self.up.set()

    def _fall(self, error: Exception) -> None:
        self.losses.append(str(error))
        self.lost.set()


@pytest.fixture
async def stage(stack):
    async def begin(serve: Serve, tls: ssl.SSLContext | None = None) -> Stage:
        stage = Stage()

        async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(Manager(reader, writer))
                await reader.read()  # until the client goes
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=tls)
        stack.callback(server.close)
        stage.port = server.sockets[0].getsockname()[1]
        stage.make(Login("127.0.0.1", stage.port, USER, SECRET))
        return stage

    return begin


def running(stack, stage: Stage) -> None:
    task = asyncio.create_task(stage.client.run())
    stack.push_async_callback(asyncio.wait, [task])
    stack.callback(task.cancel)


async def test_answers_find_their_actions_in_whatever_order_they_come(stage, stack):
    async def serve(manager: Manager) -> None:
        await manager.admit()
        first, second = await manager.read(), await manager.read()
        manager.say(Event="PeerStatus", Peer="PJSIP/101")
        manager.say(Response="Success", ActionID=second["ActionID"], Said=second["Queue"])
        manager.say(Response="Success", ActionID="999", Said="of nobody's")
        manager.say(Response="Success", ActionID=first["ActionID"], Said=first["Queue"])

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    one, other = await asyncio.gather(
        here.client.act("QueueReset", Queue="ventas"),
        here.client.act("QueueReset", Queue="cobros"),
    )
    assert (one["Said"], other["Said"]) == ("ventas", "cobros")
    assert here.events == [{"Event": "PeerStatus", "Peer": "PJSIP/101"}]
    assert here.client.version == "11.0.0"


async def test_a_whole_shift_that_logs_in_at_once_is_in_its_queues(stage, stack, monkeypatch):
    monkeypatch.setattr(ami, "_IN_LINE", 1_000)
    all_asked = asyncio.Event()

    async def serve(manager: Manager) -> None:
        await manager.admit()
        await all_asked.wait()
        while True:
            asked = await manager.read()
            manager.say(Response="Success", ActionID=asked["ActionID"], Said=asked["Queue"])

    there = await stage(serve)
    running(stack, there)
    await there.up.wait()
    queues = [str(number) for number in range(1_000)]
    asking = [asyncio.create_task(there.client.act("QueueAdd", Queue=one)) for one in queues]
    await asyncio.sleep(0)
    with pytest.raises(SwitchError, match="1000"):
        await there.client.act("QueueAdd", Queue="one too many")
    all_asked.set()
    answers = await asyncio.gather(*asking)
    assert [answer["Said"] for answer in answers] == queues


async def test_a_list_is_whole_though_other_events_come_between(stage, stack):
    async def serve(manager: Manager) -> None:
        await manager.admit()
        number = (await manager.read())["ActionID"]
        manager.say(Response="Success", ActionID=number, EventList="start")
        manager.say(Event="QueueMember", ActionID=number, Name="a001")
        manager.say(Event="Newchannel", Channel="PJSIP/trunk-1")
        manager.say(Event="QueueMember", ActionID=number, Name="a002")
        manager.say(Event="QueueStatusComplete", ActionID=number, EventList="Complete")

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    found = await here.client.ask_list("QueueStatus")
    assert [one["Name"] for one in found] == ["a001", "a002"]
    assert [one["Event"] for one in here.events] == ["Newchannel"]


async def test_as_many_as_need_may_ask_at_once_and_have_their_turn(stage, stack):
    """Three hundred agents, of whom a floor that comes anew tells at once."""
    most = 0

    async def serve(manager: Manager) -> None:
        nonlocal most
        await manager.admit()
        for _ in range(3):
            asked = [await manager.read() for _ in range(100)]
            most = max(most, len(here.client._waiting))
            for one in asked:
                manager.say(Response="Success", ActionID=one["ActionID"], Queue=one["Queue"])

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    acts = (here.client.act("QueueAdd", Queue=f"{n}") for n in range(300))
    assert [one["Queue"] for one in await asyncio.gather(*acts)] == [f"{n}" for n in range(300)]
    assert 100 <= most <= 200


async def test_what_is_refused_says_why_and_the_connection_goes_on(stage, stack):
    async def serve(manager: Manager) -> None:
        await manager.admit()
        for reason in ("Permission denied", ""):
            asked = await manager.read()
            manager.say(Response="Error", ActionID=asked["ActionID"], Message=reason)
        asked = await manager.read()
        manager.say(Response="Success", ActionID=asked["ActionID"])

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    with pytest.raises(SwitchRefused, match="lacks a class"):
        await here.client.act("QueuePause")
    with pytest.raises(SwitchRefused):
        await here.client.ask_list("QueueStatus")
    assert await here.client.act("Ping")


async def test_a_login_that_is_refused_is_told_and_tried_again(stage, stack, monkeypatch):
    monkeypatch.setattr(ami, "REFUSED_S", 0.1)
    tries = []

    async def serve(manager: Manager) -> None:
        tries.append(1)
        if len(tries) > 1:
            return await manager.admit()
        manager.raw("Asterisk Call Manager/11.0.0\r\n")
        asked = await manager.read()
        manager.say(Response="Success", ActionID=asked["ActionID"], Challenge=CHALLENGE)
        login = await manager.read()
        assert SECRET not in str(login)
        manager.say(Response="Error", ActionID=login["ActionID"], Message="Authentication failed")
        return None

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    assert "Authentication failed" in here.losses[0]


async def test_one_that_ends_in_the_middle_of_an_event_loses_that_and_nothing_else(stage, stack):
    connections = []

    async def serve(manager: Manager) -> None:
        connections.append(1)
        await manager.admit()
        if len(connections) == 1:
            manager.say(Event="QueueCallerJoin", Queue="ventas")
            manager.raw("Event: QueueCallerLeave\r\nQueue: ven")
            await manager.writer.drain()
            manager.writer.close()
        else:
            manager.say(Event="QueueCallerJoin", Queue="cobros")

    here = await stage(serve)
    running(stack, here)
    await here.lost.wait()
    here.up.clear()
    await here.up.wait()
    while len(here.events) < 2:
        await asyncio.sleep(0.01)
    assert [one["Queue"] for one in here.events] == ["ventas", "cobros"]


async def test_whoever_waits_for_an_answer_hears_of_the_loss(stage, stack):
    async def serve(manager: Manager) -> None:
        await manager.admit()
        await manager.read()
        manager.writer.close()

    here = await stage(serve)
    running(stack, here)
    await here.up.wait()
    with pytest.raises(SwitchError):
        await here.client.act("QueueStatus")


async def test_a_flood_is_taken_in_order_and_in_bounded_memory(stage, stack):
    count, batch = 20_000, 500
    heard, wrong = 0, []
    done = asyncio.Event()

    async def serve(manager: Manager) -> None:
        await manager.admit()
        for at in range(0, count, batch):
            lines = (
                f"Event: Newexten\r\nN: {n}\r\nUnheard: \xf1|;\"'\r\n\r\n"
                for n in range(at, at + batch)
            )
            manager.raw("".join(lines))
            await manager.writer.drain()

    def hear(event: Message) -> None:
        nonlocal heard
        if event["N"] != str(heard):
            wrong.append(event)
        heard += 1
        if heard == count:
            done.set()

    here = await stage(serve)
    here.client._hear = hear
    tracemalloc.start()
    try:
        running(stack, here)
        await done.wait()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not wrong
    assert most < 16 << 20


async def test_a_message_without_an_end_ends_the_connection(stage, stack):
    async def serve(manager: Manager) -> None:
        await manager.admit()
        manager.raw("Event: " + "x" * (2 * LONGEST))

    here = await stage(serve)
    running(stack, here)
    await here.lost.wait()
    assert str(LONGEST) in here.losses[0]


async def test_who_is_no_asterisk_is_told(stage, stack):
    async def serve(manager: Manager) -> None:
        manager.raw("SSH-2.0-OpenSSH\r\n")

    here = await stage(serve)
    running(stack, here)
    await here.lost.wait()
    assert f"127.0.0.1:{here.port}" in here.losses[0]


async def test_silence_is_noticed(stage, stack, monkeypatch):
    monkeypatch.setattr(ami, "_QUIET_S", 0.5)
    monkeypatch.setattr(ami, "_ANSWER_S", 5)
    pings = []

    async def serve(manager: Manager) -> None:
        await manager.admit()
        while len(pings) < 2:
            asked = await manager.read()
            pings.append(asked["Action"])
            if len(pings) < 2:
                manager.say(Response="Success", Ping="Pong", ActionID=asked["ActionID"])

    here = await stage(serve)
    running(stack, here)
    await here.lost.wait()
    assert pings == ["Ping", "Ping"]
    assert "Ping" in here.losses[0]


async def test_another_certificate_is_refused_before_anything_is_said(stage, stack, tmp_path):
    ours, theirs = Certificates(tmp_path / "ours"), Certificates(tmp_path / "theirs")
    for one in (ours, theirs):
        one.make(["localhost", "127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.server, theirs.server_key)
    here = await stage(Manager.admit, context)
    here.make(Login("localhost", here.port, USER, SECRET, trusting(ours)))
    with pytest.raises(SwitchError, match="--ca"):
        await here.client.once()
    here.make(Login("localhost", here.port, USER, SECRET, trusting(theirs)))
    running(stack, here)
    await here.up.wait()


@pytest.mark.parametrize("host", ["10.0.0.5", "central.example", "localhost.example", "::", ""])
def test_a_plain_connection_is_made_to_this_machine_only(host):
    with pytest.raises(SwitchError):
        Login(host, 5038, USER, SECRET)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_is_known_by_what_is_written(host):
    assert Login(host, 5038, USER, SECRET).where.endswith(":5038")


@pytest.mark.parametrize("odd", ["a\rb", "a\nb", "a\0b", "a\r\nAction: Command", "\ud800", "\n"])
def test_what_would_end_a_line_is_told_with_its_field(odd):
    for fields in ({"Reason": odd}, {odd: "x"}):
        with pytest.raises(SwitchError) as error:
            encoded("QueuePause", fields)
        sentence = error.value.args[0]
        assert sentence.name == "errors.switch.value" and sentence.values["action"] == "QueuePause"


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_value_begins_a_line_of_its_own(queue, reason):
    fields = {"Queue": queue, "Reason": reason}
    whole = all(one.isprintable() or one.isspace() for one in queue + reason)
    try:
        text = encoded("QueuePause", fields)
    except SwitchError:
        assert not whole or any(one in queue + reason for one in "\r\n")
        return
    assert not any(one in queue + reason for one in "\r\n\0")
    assert text == f"Action: QueuePause\r\nQueue: {queue}\r\nReason: {reason}\r\n\r\n".encode()


@given(st.lists(st.binary(max_size=60), max_size=20), st.data())
def test_the_parser_makes_the_same_of_any_pieces(parts, data):
    stream = b"\r\n\r\n".join(parts) + b"\r\n\r\nEvent: End\r\n\r\n"
    whole = Parser().take(stream)
    parser, at, found = Parser(), 0, []
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        found += parser.take(stream[at : at + size])
        at += size
    assert found == whole
    assert whole[-1] == {"Event": "End"}
