"""Webhooks: where alerts are sent outside, and how: over HTTPS alone, to nowhere inside the house.

The host's name is resolved once, each address that comes of it is checked, and the connection goes
to one of those that were: another answer of the DNS changes nothing. A redirect is an answer like
any other, and is not followed. Signed as Standard Webhooks has it
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
"""

import asyncio
import base64
import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit

import httpcore
import msgspec
from msgspec import Struct

from diadema.base import credentials
from diadema.base.certificates import trusting
from diadema.base.errors import DiademaError, HookError
from diadema.base.locks import changing as changing_file
from diadema.base.paths import DataDir
from diadema.base.reaching import obstacle
from diadema.words import Sentence

MOST = 10
LONGEST_S = 5.0  # from the question to the DNS to the answer's first line
DAY_MS = 86_400_000
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_URL = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2000}")  # urlsplit would take line ends out unseen
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9a-f:.]{2,45}")
_REACHED = ipaddress.ip_network("2000::/3")
_OTHERS = [  # of the reachable numbers, those that carry others, and what a cloud tells its guests
    ipaddress.ip_network(one)
    for one in ("2001::/32", "2002::/16", "168.63.129.16/32")
]  # fmt: skip
_names = ThreadPoolExecutor(MOST, "webhooks")  # a DNS that is silent keeps nobody else waiting

type Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Hook(Struct, kw_only=True):
    """`networks`: those inside the house that it may be in. `ca`: PEM of the CA that its
    certificate is checked by; empty: those of the system. `failing_ms`: since when all fails, with
    the last `reason`; `off_ms`: since when nothing is sent any more, for that.
    """

    name: str
    url: str
    networks: list[str] = []
    ca: str = ""
    failing_ms: int = 0
    reason: str = ""
    off_ms: int = 0


def hooks(data: DataDir) -> list[Hook]:
    """Raises DiademaError when the file cannot be read."""
    try:
        return msgspec.json.decode(data.webhooks.read_bytes(), type=list[Hook])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        raise DiademaError(
            Sentence("errors.stations.path_reason", path=data.webhooks, reason=error)
        ) from error


def changing(data: DataDir) -> AbstractContextManager[list[Hook]]:
    return changing_file(data.webhooks, lambda: hooks(data))


def add(data: DataDir, hook: Hook) -> str:
    """The secret by which its receiver checks who sends. Raises HookError."""
    if not _NAME.fullmatch(hook.name):
        raise HookError(Sentence("errors.base.webhook.no_name"))
    _parts(hook.url)
    for network in hook.networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise HookError(Sentence("errors.base.webhook.no_network", given=network)) from error
    with changing(data) as known:
        if any(one.name == hook.name for one in known):
            raise HookError(Sentence("errors.base.webhook.taken", given=hook.name))
        if len(known) >= MOST:
            raise HookError(Sentence("errors.base.webhook.full", most=MOST))
        known.append(hook)
        made = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        with credentials.changing(data) as stored:
            stored.webhooks[hook.name] = made
    return made


def remove(data: DataDir, name: str) -> None:
    """Raises HookError where there is none of that name."""
    with changing(data) as known:
        known.remove(find(known, name))
        with credentials.changing(data) as stored:
            stored.webhooks.pop(name, None)


def find(known: Iterable[Hook], name: str) -> Hook:
    """Raises HookError where there is none of that name."""
    for one in known:
        if one.name == name:
            return one
    raise HookError(Sentence("errors.base.webhook.unknown", given=name))


def turn_on(data: DataDir, name: str) -> None:
    """Its day of failures begins anew. Raises HookError where there is none of that name."""
    with changing(data) as known:
        hook = find(known, name)
        hook.failing_ms = hook.off_ms = 0
        hook.reason = ""


def note(data: DataDir, name: str, reason: str, now_ms: int) -> bool:
    """How it went; `reason`: why it failed, else empty. Whether it was turned off by that, after a
    day in which nothing went right.
    """
    with changing(data) as known:
        hook = next((one for one in known if one.name == name), None)
        if hook is None or hook.off_ms:
            return False
        hook.reason = reason
        hook.failing_ms = (hook.failing_ms or now_ms) if reason else 0
        if hook.failing_ms and now_ms - hook.failing_ms >= DAY_MS:
            hook.off_ms = now_ms
        return bool(hook.off_ms)


def signature(secret: str, message_id: str, seconds: int, body: bytes) -> str:
    """`webhook-signature` of a message."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


async def post(hook: Hook, secret: str, message_id: str, seconds: int, body: bytes) -> None:
    """Raises HookError unless the receiver answers 2xx in time. Of its answer nothing but the
    status is read.
    """
    host, port, target = _parts(hook.url)
    if not secret:
        raise HookError(Sentence("errors.base.webhook.no_secret", name=hook.name))
    url = httpcore.URL(scheme=b"https", host=host.encode(), port=port, target=target.encode())
    headers = {
        "host": urlsplit(hook.url).netloc,
        "content-type": "application/json",
        "content-length": str(len(body)),
        "user-agent": "Diadema",
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(secret, message_id, seconds, body),
    }
    try:
        async with (
            asyncio.timeout(LONGEST_S),
            httpcore.AsyncConnectionPool(
                trusting(hook.ca), network_backend=_Checked(hook.networks)
            ) as pool,
            pool.stream("POST", url, headers=[*headers.items()], content=body) as answer,
        ):
            status = answer.status
    except TimeoutError as error:
        raise HookError(Sentence("errors.base.webhook.too_slow", name=hook.name)) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
        raise HookError(
            Sentence("errors.base.webhook.no_way", name=hook.name, reason=obstacle(error))
        ) from error
    if not 200 <= status < 300:
        raise HookError(Sentence("errors.base.webhook.answer", name=hook.name, status=status))


async def try_out(data: DataDir, name: str) -> None:
    """Send what is no alert. Raises HookError."""
    hook = find(hooks(data), name)
    message_id, now = f"msg_{secrets.token_hex(16)}", datetime.now(UTC)
    fields = {"type": "test", "timestamp": now.isoformat(timespec="seconds"), "data": {}}
    secret = credentials.load(data).webhooks.get(name, "")
    await post(hook, secret, message_id, int(now.timestamp()), msgspec.json.encode(fields))


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to an address that was looked at, never to a name."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(one) for one in networks]
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        look = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(_names, look)
        addresses = [ipaddress.ip_address(one[4][0]) for one in found]
        for one in addresses:
            if not _is_outside(one) and not self._is_listed(one):
                raise HookError(Sentence("errors.base.webhook.inside", host=host, address=one))
        failed: Exception = httpcore.ConnectError(host)
        for one in dict.fromkeys(addresses):
            try:
                return await self._sockets.connect_tcp(
                    str(one), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def _is_listed(self, one: Address) -> bool:
        its = _carried(one)
        return any(its.version == of.version and its in of for of in self._networks)


def _carried(one: Address) -> Address:
    """What an IPv4 address in IPv6 clothes is."""
    return (one.version == 6 and one.ipv4_mapped) or one


def _is_outside(one: Address) -> bool:
    """Whether it is a machine of the internet's: not this one, not the LAN's, not a group's."""
    its = _carried(one)
    if not its.is_global or its.is_multicast or (its.version == 6 and its not in _REACHED):
        return False
    return not any(its.version == of.version and its in of for of in _OTHERS)


def _parts(url: str) -> tuple[str, int, str]:
    """Host, port and what is asked for there. Raises HookError for what is no address of HTTPS."""
    try:
        if not _URL.fullmatch(url):
            raise ValueError(url)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        if parts.scheme != "https" or "@" in parts.netloc or parts.fragment:
            raise ValueError(url)
        if not _HOST.fullmatch(host):
            raise ValueError(url)
    except ValueError as error:
        raise HookError(Sentence("errors.base.webhook.no_url")) from error
    return host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
