"""Asks a running hub for the MQTT credential of a station, or of a gateway (`gw-` and its name), a
new one, or an end of it.
"""

import asyncio
from typing import Any

from diadema.base.paths import DataDir
from diadema.wire.ask_hub import ask_hub


def enrol(data: DataDir, s: str, *, renew: bool = False, revoke: bool = False) -> dict[str, Any]:
    """`{"s", "user", "password", "host", "port", "ca"}`; `password` null after revoking.

    Raises DiademaError when no hub runs there, or it refuses.
    """
    return asyncio.run(ask_hub(data, "hub.enrol", {"s": s, "renew": renew, "revoke": revoke}))
