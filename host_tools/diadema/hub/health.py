"""Whether the broker can write. Once a write of a stream has failed (disk full, or broken), the
broker refuses all that come after it, also when there is room again, and goes on as if nothing
were: clients connect, and what is asked is answered.
"""

import asyncio
from typing import Any

import msgspec
import nats
from nats.aio.client import Client

_ANSWER_S = 2.0


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
        told = msgspec.json.decode(reply.data, type=dict[str, Any]).get("data") or {}
        found = [
            str(told.get("error", "")),
            *(str(e.get("error")) for e in told.get("errors", ())),
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
