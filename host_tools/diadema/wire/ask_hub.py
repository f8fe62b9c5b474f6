"""One question of a command to the hub that runs on a data directory, and where it takes in."""

from typing import Any

import msgspec

from diadema.base import credentials
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.words import Sentence

STREAM = "$MQTT_msgs"  # of the broker: what stations and the hub itself said
_ANSWER_S = 10.0


class HubRefuses(DiademaError):
    """`error`: a short word for why; `values`: of its sentence."""

    def __init__(self, answer: dict[str, Any]) -> None:
        said = answer.get("sentence")
        detail = Sentence.of(said) if said else answer.get("detail")
        super().__init__(Sentence("errors.wire.hub_refuses", detail=detail))
        self.error = str(answer["error"])
        self.values: dict[str, Any] = answer.get("values", {})


async def ask_hub(data: DataDir, subject: str, body: dict[str, Any]) -> dict[str, Any]:
    """Its answer. Raises DiademaError: none runs, or it is silent; HubRefuses is one of them."""
    import nats
    from nats.errors import Error as NatsError

    hub = data.read_hub()
    if hub is None:
        raise DiademaError(Sentence("errors.stations.no_hub_runs_on_root", root=data.root))
    password = credentials.load(data).host
    try:
        client = await nats.connect(
            hub.nats,
            user="host",
            password=password,
            allow_reconnect=False,
            connect_timeout=int(_ANSWER_S),
        )
        try:
            reply = await client.request(subject, msgspec.json.encode(body), timeout=_ANSWER_S)
        finally:
            await client.close()
    except (NatsError, OSError, TimeoutError) as error:
        raise DiademaError(
            Sentence("errors.wire.hub_does_not_answer_error", error=error)
        ) from error
    answer = msgspec.json.decode(reply.data, type=dict[str, Any])
    if "error" in answer:
        raise HubRefuses(answer)
    return answer
