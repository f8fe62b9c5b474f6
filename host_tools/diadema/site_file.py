"""The description of a site that is in force, as two files: `site.json`, and beside it what of it
is secret, the PINs' verifiers and the Wi-Fi's password. So `site.json` may be shown and copied.
"""

import json
import logging
from pathlib import Path
from typing import Any

from diadema.errors import DiademaError
from diadema.paths import write_whole

log = logging.getLogger("diadema")
_SECRETS = "site_secrets.json"


def secrets_beside(path: Path) -> Path:
    return path.with_name(_SECRETS)


def whole(path: Path) -> bytes:
    """Both, as one description; what `site.json` itself has is newer. Raises OSError, and
    DiademaError for secrets that cannot be read.
    """
    said, beside = path.read_bytes(), secrets_beside(path)
    described = _read(said)
    if described is None or not beside.exists():
        return said
    try:
        secret: dict[str, Any] = json.loads(beside.read_bytes())
        for agent in _agents(described):
            if not agent.get("pin") and agent.get("id") in secret["pins"]:
                agent["pin"] = secret["pins"][agent["id"]]
        wifi = described.get("wifi")
        if isinstance(wifi, dict) and "wifi" in secret:
            wifi.setdefault("password", secret["wifi"])
    except (ValueError, TypeError, KeyError) as error:
        raise DiademaError(f"cannot read {beside} ({error}): restore it from a backup") from error
    return _written(described)


def keep(path: Path, described: bytes) -> None:
    """Put a description in the place of the one in force. What is no description goes as it is.
    Raises OSError.
    """
    told, beside = _read(described), secrets_beside(path)
    secret = take_secrets(told) if told is not None else {}
    if secret or beside.exists():  # first: a PIN may be in two places, never in none
        write_whole(beside, json.dumps({"pins": {}} | secret).encode())
    write_whole(path, _written(told) if told is not None and secret else described)


def take_apart(path: Path) -> None:
    """Of one that was written by hand. On a disk that takes nothing it stays as it is, in force.
    Raises DiademaError.
    """
    try:
        if path.exists() and take_secrets(_read(path.read_bytes()) or {}):
            keep(path, whole(path))
    except OSError as error:
        log.warning("what is secret in %s stays in it: %s", path, error)


def take_secrets(described: dict[str, Any]) -> dict[str, Any]:
    """What is secret, which leaves the description."""
    secret: dict[str, Any] = {}
    pins = {agent.get("id"): agent.pop("pin") for agent in _agents(described) if agent.get("pin")}
    if pins:
        secret["pins"] = pins
    wifi = described.get("wifi")
    if isinstance(wifi, dict) and "password" in wifi:
        secret["wifi"] = wifi.pop("password")
    return secret


def _agents(described: dict[str, Any]) -> list[dict[str, Any]]:
    agents = described.get("agents")
    return [one for one in agents if isinstance(one, dict)] if isinstance(agents, list) else []


def _read(described: bytes) -> dict[str, Any] | None:
    try:
        told = json.loads(described)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _written(described: dict[str, Any]) -> bytes:
    told = json.dumps(described, ensure_ascii=False, indent=2)
    return told.encode("utf-8", "surrogatepass") + b"\n"
