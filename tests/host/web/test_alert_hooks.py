"""Alerts to other programs: signed, over HTTPS to the internet alone, without anybody's name, and
off after a day in which nothing was taken.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpcore
import pytest
from diadema.access import Accounts
from diadema.base import credentials, webhooks
from diadema.base.certificates import Certificates
from diadema.base.errors import HookError
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing
from diadema.base.webhooks import Hook
from diadema.cli import main
from diadema.maintenance.restore import put_in_force
from diadema.site.directory.people import People
from diadema.web.floor import alert_hooks
from diadema.web.floor.alert_hooks import AlertHooks, body_of
from diadema.web.floor.alerts import Watch
from diadema.web.floor.feed import Floor
from diadema.web.floor.queue_alerts import Alert
from playwright.async_api import expect
from typer.testing import CliRunner

from tests.support.backups import ME
from tests.support.scripted_station import FixedClock
from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import OpenPage

NOW = 1_795_000_000_000
HERE = ["127.0.0.0/8", "::1/128"]
MINUTE_MS = 60_000


class Receiver:
    """A server of HTTPS on this machine: what it was sent, and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.arrived = asyncio.Event()
        self.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self.certificates = Certificates(folder)
        self.certificates.make(["localhost"])
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server, self.certificates.server_key)
        server = await asyncio.start_server(self._take, "127.0.0.1", 0, ssl=context)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield f"https://localhost:{self.port}/diadema?a=b"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (one.partition(": ") for one in head[1:])
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append((head[0], headers, body))
            self.arrived.set()
            writer.write(self.answer)
            await writer.drain()
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other end has closed before
        finally:
            writer.close()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path)


@pytest.fixture
def receiver(tmp_path: Path) -> Receiver:
    return Receiver(tmp_path / "tls")


def hook_of(data: DataDir, receiver: Receiver, url: str, **more: Any) -> Hook:
    given = {"networks": HERE, "ca": receiver.certificates.ca_pem().decode()} | more
    hook = Hook(name="avisos", url=url, **given)
    webhooks.add(data, hook)
    return hook


class Floored:
    """A floor with a clock, and what is sent of its alerts."""

    def __init__(self, data: DataDir) -> None:
        self.now = NOW
        self.data = data
        self.floor, people = Floor(), People(queues={"ventas": "Ventas"})
        self.watch = Watch(
            self.floor, self, lambda: people, lambda: date(2026, 11, 18), lambda: None
        )
        self.accounts = Accounts(data, lambda: self.now)
        self.hooks = AlertHooks(data, self.watch, self, self.accounts)

    def now_ms(self) -> int:
        return self.now

    async def tell(self, **row: Any) -> None:
        fields = {"a": "a001", "name": "Rosa Quispe", "seat": "A-01", "state": "ready"} | row
        self.floor.put(f"agent.{fields['a']}", json.dumps(fields).encode())
        await self.look()

    async def queue(self, waiting: int) -> None:
        queues = {"ventas": {"waiting": waiting, "service_level": {}}}
        value = {"half_hour": 1, "short_s": 5, "source": "PBX-a", "queues": queues}
        self.floor.put("queues", json.dumps(value | {"heard": self.now}).encode())
        await self.look()

    async def look(self) -> None:
        self.watch.look()
        await self.hooks.look()

    @property
    def hook(self) -> Hook:
        return webhooks.hooks(self.data)[0]


@pytest.fixture
def floored(data: DataDir) -> Any:
    made = Floored(data)
    yield made
    made.accounts.close()


async def test_an_alert_is_sent_once_signed_as_standard_webhooks_has_it(
    data: DataDir, receiver: Receiver, floored: Floored
) -> None:
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        await floored.queue(waiting=6)
        await floored.queue(waiting=7)
    ((line, headers, body),) = receiver.requests
    assert line == "POST /diadema?a=b HTTP/1.1" and headers["content-type"] == "application/json"
    assert headers["webhook-timestamp"] == str(NOW // 1000)
    secret = credentials.load(data).webhooks["avisos"]
    kind, _, coded = secret.partition("_")
    signed = f"{headers['webhook-id']}.{NOW // 1000}.{body.decode()}".encode()
    right = hmac.new(base64.b64decode(coded), signed, hashlib.sha256).digest()
    assert kind == "whsec" and len(base64.b64decode(coded)) == 32
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(right).decode()}"
    began = datetime.fromtimestamp(NOW / 1000, UTC).isoformat()
    assert json.loads(body) == {
        "type": "alert.began", "timestamp": began,
        "data": {"rule": "queue_waiting", "queue": "ventas", "seat": None, "value": 6,
                 "at": began},
    }  # fmt: skip
    assert "secret" not in data.webhooks.read_text() and secret not in data.webhooks.read_text()


@pytest.mark.parametrize(
    ("rest", "line"),
    [("", "POST / HTTP/1.1"), ("?x=1", "POST /?x=1 HTTP/1.1"), ("/a", "POST /a HTTP/1.1")],
)
async def test_the_head_names_the_host_alone(
    data: DataDir, receiver: Receiver, rest: str, line: str
) -> None:
    async with receiver.serving():
        url = f"https://localhost:{receiver.port}{rest}"
        await posted(data, hook_of(data, receiver, url))
    ((told, headers, _),) = receiver.requests
    assert (told, headers["host"]) == (line, f"localhost:{receiver.port}")


async def test_no_name_nor_id_of_a_person_is_in_it(
    data: DataDir, receiver: Receiver, floored: Floored
) -> None:
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        await floored.tell(help=NOW - 3_600_000, help_topic="Rosa Quispe pide", since=NOW)
        await floored.tell(
            a="a002", name="Luis", seat="A-02", state="not_ready", since=NOW - 36_000_000
        )
    assert len(receiver.requests) >= 2
    for line, headers, body in receiver.requests:
        sent = f"{line} {headers} {body!r}"
        assert not [one for one in ("a001", "a002", "Rosa", "Luis", "pide") if one in sent]
        assert json.loads(body)["data"].keys() == {"seat", "queue", "rule", "value", "at"}
    seats = {json.loads(body)["data"]["seat"] for _, _, body in receiver.requests}
    assert seats == {"A-01", "A-02"}


@pytest.mark.parametrize(
    ("rule", "what", "value"),
    [("state", "Refrigerio", 60), ("absent", "Turno de Rosa", 60), ("missed", "3", 3.0),
     ("queue_level_s", "70.5", 70.5), ("queue_level_s", None, None), ("call", "ventas", 60)],
)  # fmt: skip
def test_the_value_is_a_number(rule: str, what: str | None, value: float | None) -> None:
    alert = Alert(
        rule=rule, agent="a001", name="Rosa", seat="A-01", since=NOW - MINUTE_MS, level=2, limit=5,
        what=what,
    )  # fmt: skip
    said = json.loads(body_of(alert, NOW))["data"]
    assert said["value"] == value and said["queue"] == ("ventas" if rule == "call" else None)
    assert "Rosa" not in str(said) and "Refrigerio" not in str(said)


async def test_it_is_sent_again_a_few_times_with_the_same_id_and_in_order(
    data: DataDir, receiver: Receiver, floored: Floored
) -> None:
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        receiver.answer = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
        await floored.queue(waiting=6)
        await floored.look()
        assert len(receiver.requests) == 1, "it waits before it tries again"
        await floored.tell(help=NOW - 3_600_000)
        assert len(receiver.requests) == 1, "the others wait too"
        for seconds in alert_hooks.AGAIN_S:
            floored.now += 1000 * seconds
            await floored.hooks.look()
        ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
        first, other = ids[0], ids[-1]
        assert ids == [first] * 4 + [other] and first != other
        receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        floored.now += 5000
        await floored.hooks.look()
        assert len(receiver.requests) == 6 and (floored.hook.failing_ms, floored.hook.reason) == (
            0, "",
        )  # fmt: skip


async def test_after_a_day_of_failures_it_is_off_and_that_is_said(
    data: DataDir, receiver: Receiver, floored: Floored, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answer = b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        await floored.queue(waiting=6)
        floored.now += webhooks.DAY_MS - 1
        await floored.hooks.look()
        assert not floored.hook.off_ms
        floored.now += MINUTE_MS
        await floored.hooks.look()
        assert floored.hook.off_ms == floored.now and "503" in floored.hook.reason
        assert "is off" in caplog.text
        (row,) = floored.accounts.audit.rows(what="webhook.off")
        assert row.detail["webhook"] == "avisos" and "503" in row.detail["reason"]
        sent = len(receiver.requests)
        await floored.queue(waiting=0)
        await floored.queue(waiting=6)
        assert len(receiver.requests) == sent
        receiver.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        webhooks.turn_on(data, "avisos")
        await floored.queue(waiting=0)
        await floored.queue(waiting=6)
        assert len(receiver.requests) == sent + 1 and not floored.hook.failing_ms


async def test_what_was_put_back_sends_none_until_it_is_in_force_nor_what_began_before(
    data: DataDir, receiver: Receiver, floored: Floored
) -> None:
    with changing_standing(data) as standing:
        standing.trial = True
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        await floored.queue(waiting=6)
        put_in_force(data, FixedClock(NOW), ME)
        await floored.look()
        assert receiver.requests == []
        await floored.queue(waiting=0)
        await floored.queue(waiting=6)
    assert len(receiver.requests) == 1


async def posted(data: DataDir, hook: Hook) -> None:
    await webhooks.post(hook, credentials.load(data).webhooks[hook.name], "msg_1", 1, b"{}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(data: DataDir, receiver: Receiver, status: int) -> None:
    async with receiver.serving() as url:
        hook = hook_of(data, receiver, url)
        to = f"https://localhost:{receiver.port}/other"
        receiver.answer = f"HTTP/1.1 {status} Go\r\nlocation: {to}\r\n\r\n".encode()
        with pytest.raises(HookError, match=str(status)):
            await posted(data, hook)
    assert [line for line, _, _ in receiver.requests] == ["POST /diadema?a=b HTTP/1.1"]


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nx: y", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
async def test_a_slow_answer_is_waited_for_no_longer_than_its_time(
    data: DataDir, receiver: Receiver, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhooks.LONGEST_S == 5
    monkeypatch.setattr(webhooks, "LONGEST_S", 0.5)
    receiver.answer = answer
    async with receiver.serving() as url:
        with pytest.raises(HookError, match="5 seconds"):
            await posted(data, hook_of(data, receiver, url))


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (8 << 20),
     b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"800000\r\n" + b"x" * (8 << 20)],
)  # fmt: skip
async def test_a_huge_answer_is_not_read(
    data: DataDir, receiver: Receiver, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    right = ssl.SSLObject.read

    def read(self: ssl.SSLObject, *given: Any) -> Any:
        found = right(self, *given)
        if not self.server_side:
            taken.append(len(found))
        return found

    monkeypatch.setattr(ssl.SSLObject, "read", read)
    receiver.answer = answer
    async with receiver.serving() as url:
        await posted(data, hook_of(data, receiver, url))
    assert 0 < sum(taken) < 1 << 20


async def test_a_head_without_end_is_refused(data: DataDir, receiver: Receiver) -> None:
    receiver.answer = b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200_000
    async with receiver.serving() as url:
        with pytest.raises(HookError):
            await posted(data, hook_of(data, receiver, url))


@pytest.mark.parametrize("wrong", ["ca", "name", "system"])
async def test_a_certificate_that_is_not_right_is_sent_nothing(
    data: DataDir, receiver: Receiver, tmp_path: Path, wrong: str
) -> None:
    other = Receiver(tmp_path / "other").certificates
    async with receiver.serving() as url:
        more = {"ca": {"ca": other.ca_pem().decode()}, "system": {"ca": ""}}.get(wrong, {})
        if wrong == "name":
            url = url.replace("localhost", "127.0.0.1")
        hook = hook_of(data, receiver, url, **more)
        with pytest.raises(HookError, match="its certificate"):
            await posted(data, hook)
    assert receiver.requests == []


def answering(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The DNS answers these, one after the other; gives the addresses that are connected to."""
    left, connected = [*answers], list[str]()

    def resolve(
        host: Any, port: Any, **more: Any
    ) -> list[tuple[Any, Any, Any, Any, tuple[str, int]]]:
        return [(None, None, None, None, (one, port)) for one in left.pop(0)]

    async def connect(self: Any, host: str, port: int, *more: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return connected


INSIDE = (
    "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1", "239.1.1.1", "255.255.255.255",
    "192.0.0.192", "168.63.129.16", "198.18.0.1", "203.0.113.1", "::1", "::", "fe80::1",
    "fe80::1%2", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::",
    "2001:0:7f00:1::", "2001:db8::1", "fec0::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_an_address_inside_is_refused_after_it_was_resolved(
    data: DataDir, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    hook = hook_of(data, receiver, "https://avisos.example/", networks=[])
    for answer in ([address], ["93.184.216.34", address]):
        connected = answering(monkeypatch, answer)
        with pytest.raises(HookError, match="inside the house"):
            await posted(data, hook)
        assert connected == []


@pytest.mark.parametrize(
    ("address", "listed"),
    [("10.1.2.3", "10.1.0.0/16"), ("::ffff:10.1.2.3", "10.1.0.0/16"), ("fd00::1", "fd00::/8"),
     ("93.184.216.34", "10.0.0.0/8"), ("2606:2800:220:1::1", "10.0.0.0/8")],
)  # fmt: skip
async def test_what_is_outside_or_listed_is_connected_to(
    data: DataDir,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    listed: str,
) -> None:
    hook = hook_of(data, receiver, "https://avisos.example/", networks=[listed])
    connected = answering(monkeypatch, [address])
    with pytest.raises(HookError, match="nobody"):
        await posted(data, hook)
    assert connected == [address]


async def test_another_answer_of_the_dns_changes_nothing(
    data: DataDir, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hook_of(data, receiver, "https://avisos.example/", networks=[])
    connected = answering(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    with pytest.raises(HookError, match="nobody"):
        await posted(data, hook)
    assert connected == ["93.184.216.34"], "the number itself, and its name is looked up once"


WRITTEN = (
    "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "10.1", "167772161", "012.0.0.1", "localhost", "LOCALHOST", "[::1]", "[::]",
    "[0:0:0:0:0:0:0:1]", "[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::FFFF:7f00:1]", "[fe80::1]",
    "[fc00::1]", "[64:ff9b::a00:1]",
)  # fmt: skip


@pytest.mark.parametrize("host", WRITTEN)
async def test_other_ways_to_write_a_machine_inside_are_refused(
    data: DataDir, receiver: Receiver, host: str
) -> None:
    hook = hook_of(data, receiver, f"https://{host}:1/", networks=[])
    with pytest.raises(HookError, match="inside the house"):
        await posted(data, hook)


@pytest.mark.parametrize(
    "url",
    [
        "http://avisos.example/", "ftp://avisos.example/", "https://", "https:///x", "avisos",
        "https://a:b@avisos.example/", "https://127.0.0.1@avisos.example/", "https://a.b/\r\nx: y",
        "https://a.b\r\n/", "https://a.b/x y", "https://a.b/\0", "https://a.b\\@c.d/",
        "https://a.b:99999/", "https://a.b:x/", "https://ñ.pe/", "https://a.b/#x",
        "https://a.b/" + "x" * 2000, "https://a_b.pe/", "https://[::1", "https://a.b/\u2028",
    ],
)  # fmt: skip
def test_what_is_no_address_of_https_is_refused(data: DataDir, url: str) -> None:
    with pytest.raises(HookError):
        webhooks.add(data, Hook(name="avisos", url=url))
    assert webhooks.hooks(data) == []


@pytest.mark.parametrize(
    "more",
    [{"name": "a b"}, {"name": "a\r\n"}, {"name": ""}, {"networks": ["10.0.0.0/99"]},
     {"networks": ["avisos"]}],
)  # fmt: skip
def test_what_is_no_webhook_is_refused(data: DataDir, more: dict[str, Any]) -> None:
    with pytest.raises(HookError):
        webhooks.add(data, Hook(**{"name": "avisos", "url": "https://a.pe/"} | more))
    assert webhooks.hooks(data) == []


def test_they_are_bounded_and_have_names_of_their_own(data: DataDir) -> None:
    for number in range(webhooks.MOST):
        webhooks.add(data, Hook(name=f"a{number}", url="https://a.pe/"))
    for name in ("a0", "other"):
        with pytest.raises(HookError):
            webhooks.add(data, Hook(name=name, url="https://a.pe/"))
    webhooks.remove(data, "a0")
    assert "a0" not in credentials.load(data).webhooks
    with pytest.raises(HookError):
        webhooks.remove(data, "a0")


async def test_the_commands_add_try_list_and_turn_on(data: DataDir, receiver: Receiver) -> None:
    async def typed(*words: str) -> str:
        given = ["--lang", "en", "webhook", *words, "--data", str(data.root)]
        done = await asyncio.to_thread(CliRunner().invoke, main.app, given)
        assert done.exception is None, done.exception
        return done.output

    async with receiver.serving() as url:
        more = ["--network", "127.0.0.0/8", "--network", "::1/128"]
        secret = await typed("add", "avisos", url, *more, "--ca", str(receiver.certificates.ca))
        assert secret.strip() == credentials.load(data).webhooks["avisos"]
        assert "took the test" in await typed("test", "avisos")
        assert url in await typed("list") and secret.strip() not in await typed("list", "--json")
        for now in (NOW, NOW + webhooks.DAY_MS):
            webhooks.note(data, "avisos", "nobody", now)
        assert "`diadema webhook on avisos`" in await typed("list")
        assert await typed("on", "avisos") == "" and "off" not in await typed("list")
        await typed("remove", "avisos")
        assert "no webhook" in await typed("list")
    ((_, headers, body),) = receiver.requests
    assert json.loads(body)["type"] == "test" and headers["webhook-signature"].startswith("v1,")
    accounts = Accounts(data)
    done = [row.what for row in accounts.audit.rows(what="webhook")]
    accounts.close()
    assert done == ["webhook.remove", "webhook.on", "webhook.add"]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_running_web_sends_them_and_its_page_says_what_is_off(
    web: Web, hub: Hub, receiver: Receiver, open_page: OpenPage
) -> None:
    data = DataDir(web.folder)
    async with receiver.serving() as url:
        hook_of(data, receiver, url)
        try:
            await hub.put(a="x1", name="Una", state="ready", seat="Z-9", help=1)
            async with asyncio.timeout(300):
                await receiver.arrived.wait()
            with webhooks.changing(data) as known:
                known[0].off_ms, known[0].reason = NOW, "nadie <b>"
            page = await open_page(f"{web.url}/ui/accounts")
            said = page.get_by_role("alert").filter(has_text="diadema webhook on avisos")
            await expect(said).to_contain_text("nadie <b>")
            with changing_standing(data) as standing:
                standing.trial = True
            await page.reload()
            said = page.get_by_role("alert").filter(has_text="diadema resume --data DIR")
            await expect(said).to_be_visible()
        finally:
            data.standing.unlink(missing_ok=True)
            webhooks.remove(data, "avisos")
    _, _, body = receiver.requests[0]
    assert json.loads(body)["data"]["seat"] == "Z-9" and b"x1" not in body and b"Una" not in body
