"""Whether the broker keeps what it is given, looked at each second; the hub starts one again that
does not, and until then nothing counts as live.
"""

import asyncio
import logging

import msgspec
from nats.errors import Error as NatsError

from diadema.hub.health import BrokerHealth

_EVERY_S = 1.0

log = logging.getLogger("diadema.ingest")


class BrokerLook:
    """`write_error`: what it could not write; None while it can."""

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
