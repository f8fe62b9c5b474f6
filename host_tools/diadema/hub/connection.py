"""The ingest's own connection to the broker, and the bucket of live rows that it keeps there."""

import asyncio
import logging

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import KeyValueConfig, StorageType
from nats.js.errors import BucketNotFoundError

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
