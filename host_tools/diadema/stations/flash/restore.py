"""The configuration that a hub has of a station whose own cannot be read any more."""

import asyncio
from base64 import b64decode

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.stations.flash.own import config_file
from diadema.wire.ask_hub import ask_hub


def hub_files(data: DataDir, station: str) -> tuple[dict[str, bytes], str]:
    """Files for its vfs, or none and why."""
    try:
        told = asyncio.run(ask_hub(data, "hub.configuration", {"s": station}))
    except DiademaError as error:
        return {}, str(error)
    return {"config.0": config_file(b64decode(told["config"]))}, ""
