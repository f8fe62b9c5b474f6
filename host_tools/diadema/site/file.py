"""The description of a site that is in force, as two files: `site.json`, and beside it what of it
is secret, the PINs' verifiers and the Wi-Fi's password. Badges stand in it by their keyed hashes.
So `site.json` may be shown and copied.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, write_whole
from diadema.site.badges import is_id, keys_of
from diadema.words import Sentence

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
        raise DiademaError(
            Sentence("errors.site.cannot_read_beside_error_restore", beside=beside, error=error)
        ) from error
    return _written(described)


def keep(path: Path, described: bytes) -> None:
    """Put a description in the place of the one in force. What is no description goes as it is.
    Raises OSError, and DiademaError without the site's keys.
    """
    described = hashed(path, described)
    parsed, beside = _read(described), secrets_beside(path)
    secret = take_secrets(parsed) if parsed is not None else {}
    if secret or beside.exists():  # first: a PIN may be in two places, never in none
        write_whole(beside, json.dumps({"pins": {}} | secret).encode())
    write_whole(path, _written(parsed) if parsed is not None and secret else described)


def take_apart(path: Path) -> None:
    """Of one that was written by hand. On a disk that takes nothing it stays as it is, in force.
    Raises DiademaError.
    """
    try:
        parsed = _read(path.read_bytes()) if path.exists() else None
        badges = parsed is not None and any(is_id(badge) for _, _, badge in _badges(parsed))
        if parsed is not None and (take_secrets(parsed) or badges):
            keep(path, whole(path))
            if badges:
                log.warning("%s has keyed hashes now in place of its badges' ids", path)
    except OSError as error:
        log.warning("what is secret in %s stays in it: %s", path, error)


def hashed(path: Path, described: bytes) -> bytes:
    """The description with badges as they are kept in the directory of `path`. Raises OSError, and
    DiademaError without the site's keys.
    """
    parsed = _read(described)
    clear = [one for one in _badges(parsed or {}) if is_id(one[2])]
    if parsed is None or not clear:
        return described
    keys = keys_of(DataDir(path.parent))
    for holder, at, badge in clear:
        holder[at] = keys.stored(badge)
    return _written(parsed)


def site_digest(described: bytes) -> str:
    """Of a description but for what is secret, which stands in a file of its own. Raises
    ValueError, AttributeError or TypeError for what is none.
    """
    plain = json.loads(described)
    take_secrets(plain)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


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


def _badges(described: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    """Each text that may be a badge, with where it stands: list and index, or row and key."""
    for agent in _agents(described):
        own, lent = agent.get("badges"), agent.get("day_badges")
        if isinstance(own, list):
            yield from ((own, at, one) for at, one in enumerate(own) if isinstance(one, str))
        for row in lent if isinstance(lent, list) else ():
            if isinstance(row, dict) and isinstance(badge := row.get("badge"), str):
                yield row, "badge", badge


def _agents(described: dict[str, Any]) -> list[dict[str, Any]]:
    agents = described.get("agents")
    return [one for one in agents if isinstance(one, dict)] if isinstance(agents, list) else []


def _read(described: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(described)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _written(described: dict[str, Any]) -> bytes:
    parsed = json.dumps(described, ensure_ascii=False, indent=2)
    return parsed.encode("utf-8", "surrogatepass") + b"\n"


def with_pin(text: str, agent: str, verifier: str, file: str) -> bytes:
    """The site's description with that verifier. Raises DiademaError."""
    described, row = agent_in(text, agent, file)
    row["pin"] = verifier
    return _written(described)


def agent_in(text: str, agent: str, file: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole description, and the agent's part of it."""
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DiademaError(
            Sentence("errors.cli.file_no_json_error", file=file, error=error)
        ) from error
    rows = described.get("agents") if isinstance(described, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("id") == agent:
            return described, row
    raise DiademaError(Sentence("errors.site.file_names_no_agent_agent", file=file, agent=agent))
