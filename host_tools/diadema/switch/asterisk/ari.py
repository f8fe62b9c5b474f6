"""A client of Asterisk's REST interface (ARI): requests, and the events of our application.

While the event stream is up Asterisk has the application, and gives it calls; without it the
dialplan goes on by itself. See
https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/Asterisk_REST_Interface/.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from diadema.base.clock import backoff_s
from diadema.base.errors import DiademaError, first_of
from diadema.switch.asterisk.login import WAITS_S, Login
from diadema.switch.exchange import SwitchError, SwitchRefused
from diadema.words import Sentence

APPLICATION = "diadema"
LONGEST = 1 << 18  # bytes of an event
LARGEST = 1 << 23  # bytes of an answer
_ANSWER_S = 5.0
_QUIET_S = 10.0
_WAITING = 1024  # events that wait; then the socket does
_CONNECTIONS = 20
_IDLE_S = 5.0  # Asterisk closes a connection after 15 s


class _Stream(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Asterisk sends nobody elsewhere: whoever does has our password to hope for."""
        return exc


class Ari:
    """An async context manager. `hear` is called with each event, in order, and must not wait;
    `up` is awaited once the application is there, `down` called after each loss.
    """

    def __init__(
        self,
        login: Login,
        hear: Callable[[dict[str, Any]], None],
        up: Callable[[], Awaitable[None]],
        down: Callable[[DiademaError], None],
        application: str = APPLICATION,
    ) -> None:
        self._login, self._application = login, application
        self._hear, self._up, self._down = hear, up, down
        token = base64.b64encode(f"{login.user}:{login.secret}".encode()).decode()
        self._proof = {"Authorization": f"Basic {token}"}
        scheme = "https" if login.tls else "http"
        self._client = httpx.AsyncClient(
            base_url=f"{scheme}://{login.where}/ari",
            headers=self._proof,
            timeout=_ANSWER_S,
            verify=login.tls or False,  # without TLS there is nothing to check
            trust_env=False,
            limits=httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_IDLE_S),
        )

    async def __aenter__(self) -> "Ari":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def run(self) -> None:
        """Connect, and again after each loss, until cancelled."""
        loop, losses = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            try:
                await self.once()
            except DiademaError as error:
                self._down(error)
            if loop.time() - began > _QUIET_S:
                losses = 0
            await asyncio.sleep(backoff_s(losses, WAITS_S))
            losses += 1

    async def once(self) -> None:
        """One event stream until it is lost, which raises SwitchError."""
        scheme = "wss" if self._login.tls else "ws"
        where = self._login.where
        url = f"{scheme}://{where}/ari/events?app={self._application}&subscribeAll=false"
        try:
            async with (
                _Stream(
                    url,
                    additional_headers=self._proof,
                    ssl=self._login.tls,
                    open_timeout=_ANSWER_S,
                    ping_interval=_QUIET_S,
                    ping_timeout=_ANSWER_S,
                    close_timeout=1,
                    max_size=LONGEST,
                    max_queue=_WAITING,
                    proxy=None,
                ) as stream,
                asyncio.TaskGroup() as tasks,
            ):
                reading = tasks.create_task(self._read(aiter(stream)))
                await self._up()
                await reading
        except* (OSError, WebSocketException, TimeoutError) as errors:
            raise SwitchError(
                Sentence("errors.switch.unreachable", where=where, error=first_of(errors))
            ) from None
        except* DiademaError as errors:
            raise first_of(errors) from None

    async def _read(self, events: AsyncIterator[str | bytes]) -> None:
        """Until the stream ends, which raises SwitchError."""
        async for text in events:
            try:
                event = msgspec.json.decode(text, type=dict[str, Any])
            except msgspec.DecodeError:
                raise SwitchError(Sentence("errors.switch.no_ari")) from None
            self._hear(event)
        raise SwitchError(Sentence("errors.switch.closed"))

    async def get(self, *path: str, **query: str) -> Any:
        return await self._ask("GET", path, query, None)

    async def post(self, *path: str, body: Any = None, **query: str) -> Any:
        return await self._ask("POST", path, query, body)

    async def put(self, *path: str, **query: str) -> Any:
        return await self._ask("PUT", path, query, None)

    async def put_body(self, body: Any, *path: str) -> Any:
        return await self._ask("PUT", path, {}, body)

    async def delete(self, *path: str, **query: str) -> Any:
        return await self._ask("DELETE", path, query, None)

    async def _ask(
        self, method: str, path: tuple[str, ...], query: dict[str, str], body: Any
    ) -> Any:
        """What it answers; None for nothing. Raises SwitchRefused, SwitchError."""
        action = f"{method} {path[0]}"
        if any(one in ("", ".", "..") for one in path):  # it would be another address
            raise SwitchError(Sentence("errors.switch.value", field="path", action=action))
        where = "/" + "/".join(quote(one, safe="") for one in path)
        request = self._client.build_request(
            method,
            where,
            params=query,
            content=None if body is None else msgspec.json.encode(body),
            headers={} if body is None else {"Content-Type": "application/json"},
        )
        try:
            async with asyncio.timeout(_ANSWER_S):
                answer = await self._client.send(request, stream=True)
                try:
                    content = await _whole(answer)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise SwitchError(Sentence("errors.switch.silent", action=action)) from error
        try:
            found = msgspec.json.decode(content) if content else None
        except msgspec.DecodeError:
            raise SwitchError(Sentence("errors.switch.no_ari")) from None
        if answer.is_success:
            return found
        said = found if isinstance(found, dict) else {}
        reason = str(said.get("message") or said.get("error") or "")
        raise SwitchRefused(action, reason, answer.status_code)


async def _whole(answer: httpx.Response) -> bytes:
    """As it was sent: what is packed is of no Asterisk. Raises SwitchError."""
    content = bytearray()
    async for piece in answer.aiter_raw():
        content += piece
        if len(content) > LARGEST:
            raise SwitchError(Sentence("errors.switch.too_long", limit=LARGEST))
    return bytes(content)
