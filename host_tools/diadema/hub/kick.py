"""Ends a station's MQTT connection, so that a revoked credential is worth nothing at once."""

import msgspec
import nats
from nats.aio.client import Client

_ANSWER_S = 2.0


async def kick(url: str, password: str, s: str) -> int:
    """How many connections were ended. Raises NatsError, OSError or TimeoutError."""
    client = await nats.connect(url, user="system", password=password, allow_reconnect=False)
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
