"""The ingest's own connection to the broker, and the bucket of live rows that it keeps there.

The key `meta` beside the live rows: the site, and the cut-off of what the rows show.
"""

import asyncio
import logging
import time
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import BucketNotFoundError

from diadema.figures.days import pending_stations
from diadema.hub.site_keeper import SiteKeeper
from diadema.ingest.core import Ingest
from diadema.site.context import language_of

BUCKET = "live"
_RETRY_S = 0.2

log = logging.getLogger("diadema.ingest")


async def connect(url: str, password: str) -> Client:
    """However long it takes; it connects again by itself afterwards."""

    async def note(error: Exception) -> None:
        log.debug("nats: %r", error)

    while True:
        try:
            return await nats.connect(
                url,
                user="host",
                password=password,
                name="ingest",
                connect_timeout=2,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.1,
                error_cb=note,
            )
        except (NatsError, OSError, TimeoutError) as error:
            log.info("no broker at %s yet: %r", url, error)
            await asyncio.sleep(_RETRY_S)


async def open_bucket(client: Client) -> None:
    """Make the bucket unless it is there."""
    jetstream = client.jetstream()
    try:
        await jetstream.key_value(BUCKET)
    except BucketNotFoundError:
        bucket = KeyValueConfig(bucket=BUCKET, history=1, storage=StorageType.FILE)
        await jetstream.create_key_value(bucket)


_EVERY_S = 1.0
_IDLE_S = 10.0  # that nothing came is known too


class Meta:
    def __init__(self, ingest: Ingest, keeper: SiteKeeper) -> None:
        self._ingest = ingest
        self._keeper = keeper
        self._news = True
        self._made = 0.0

    def note(self) -> None:
        """Something was taken in."""
        self._news = True

    @property
    def due(self) -> bool:
        return time.monotonic() - self._made > (_EVERY_S if self._news else _IDLE_S)

    def make(self) -> bytes:
        """As of now; rows that show less must go before it."""
        self._news, self._made = False, time.monotonic()
        ingest, site = self._ingest, self._ingest.site
        seats = {station.id: station.seat for station in site.stations} if site else {}
        owing = pending_stations(ingest.stations.values(), seats)
        meta: dict[str, Any] = {
            "site": site.site if site else "",
            "zone": site.zone if site else "UTC",
            "language": language_of(site),
            "generation": self._keeper.generation,
            "day": ingest.floor.day.date,
            "cut": {"at": ingest.clock.now_ms(), "position": ingest.position},
            "owing": [(one.seat, one.since_utc) for one in owing],
        }
        return msgspec.json.encode(meta)
