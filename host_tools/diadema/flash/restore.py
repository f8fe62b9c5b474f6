"""The configuration that a hub has of a station whose own cannot be read any more."""

import asyncio
from base64 import b64decode

from diadema.ask_hub import ask_hub
from diadema.errors import DiademaError
from diadema.flash.own import config_file
from diadema.paths import DataDir


def hub_files(data: DataDir, station: str) -> tuple[dict[str, bytes], str]:
    """Files for its vfs, or none and why."""
    try:
        told = asyncio.run(ask_hub(data, "hub.configuration", {"s": station}))
    except DiademaError as error:
        return {}, str(error)
    return {"config.0": config_file(b64decode(told["config"]))}, ""
