"""Requests to NATS' system account: whether the broker can write, and the end of a connection.

Once a write of a stream has failed (disk full, or broken), the broker refuses all that come after
it, also when there is room again, and goes on as if nothing were: clients connect, and requests
are answered. So it is looked at each second; nothing counts as live until the hub restarted it.
"""

import asyncio
import logging
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

_ANSWER_S = 2.0
_EVERY_S = 1.0

log = logging.getLogger("diadema.ingest")


class BrokerHealth:
    """Asks the server itself, over a connection of its own to the system's account."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._client: Client | None = None
        self._url = ""

    async def write_error(self, url: str) -> str | None:
        """What it could not write; None while it can. Raises NatsError, OSError, TimeoutError or
        msgspec.DecodeError when it does not answer.
        """
        client = await self._connected(url)
        reply = await client.request("$SYS.REQ.SERVER.PING.HEALTHZ", b"{}", timeout=_ANSWER_S)
        data = msgspec.json.decode(reply.data, type=dict[str, Any]).get("data") or {}
        found = [
            str(data.get("error", "")),
            *(str(e.get("error")) for e in data.get("errors", ())),
        ]
        return next((text for text in found if "write error" in text), None)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:  # after its server's end it raises what would end us
            await asyncio.gather(client.close(), return_exceptions=True)

    async def _connected(self, url: str) -> Client:
        if self._client is not None and (url != self._url or not self._client.is_connected):
            await self.close()
        if self._client is None:
            self._url = url
            self._client = await nats.connect(
                url,
                user="system",
                password=self._password,
                name="health",
                connect_timeout=1,
                allow_reconnect=False,
                error_cb=_quiet,
            )
        return self._client


async def _quiet(_: Exception) -> None:
    return None


class BrokerWatch:
    """Looks each second. `write_error`: what it could not write; None while it can."""

    def __init__(self, url: str, password: str) -> None:
        self.write_error: str | None = None
        self._url = url
        self._health = BrokerHealth(password)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(_EVERY_S)
        finally:
            await self._health.close()

    async def _look(self) -> None:
        try:
            error = await self._health.write_error(self._url)
        except (NatsError, OSError, TimeoutError, msgspec.DecodeError) as trouble:
            log.debug("the broker does not tell how it is: %r", trouble)
            return
        if error is not None and error != self.write_error:
            log.error("the broker can write no more: %s", error)
        self.write_error = error


async def disconnect(url: str, password: str, s: str) -> int:
    """End a station's MQTT connections, so that a revoked credential is worth nothing at once. How
    many connections were ended. Raises NatsError, OSError or TimeoutError."""
    client = await nats.connect(
        url, user="system", password=password, allow_reconnect=False, error_cb=_quiet
    )
    try:
        server = f"$SYS.REQ.SERVER.{client._server_info['server_id']}"
        found = await _ask(client, f"{server}.CONNZ", {"mqtt_client": s})
        connections = found.get("data", {}).get("connections") or []
        for connection in connections:
            await _ask(client, f"{server}.KICK", {"cid": connection["cid"]})
    finally:
        await client.close()
    return len(connections)


async def _ask(client: Client, subject: str, body: dict[str, object]) -> dict[str, dict]:  # type: ignore[type-arg]
    reply = await client.request(subject, msgspec.json.encode(body), timeout=_ANSWER_S)
    return msgspec.json.decode(reply.data, type=dict)
