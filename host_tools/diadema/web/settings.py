"""What the web must know to start: where NATS is, its password there, and the API's token."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema.base.errors import DiademaError
from diadema.web.guard import LOOPBACK
from diadema.words import text


@dataclass(frozen=True)
class Settings:
    """Read once at the start; the hub starts the web anew when any of it changes."""

    data: Path
    nats_url: str
    user: str
    password: str
    token: str
    hosts: frozenset[str] = frozenset(LOOPBACK)  # names by which the pages may be asked for
    certificate: Path | None = None  # that the pages show

    @classmethod
    def read(cls, data: Path) -> "Settings":
        """From DIADEMA_NATS or the hub's file, and secrets.json. Raises DiademaError."""
        hub = data / "hub.json"
        url = os.environ.get("DIADEMA_NATS") or _load(hub).get("nats")
        if not url:
            raise DiademaError(text("web.no_nats", path=hub))
        secrets = _load(data / "secrets.json")
        if not all(isinstance(secrets.get(key), str) and secrets[key] for key in ("host", "api")):
            raise DiademaError(text("web.no_secrets", path=data / "secrets.json"))
        return cls(data, url, "host", secrets["host"], secrets["api"])


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
