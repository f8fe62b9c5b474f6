"""Puts a site's description in force: checked here, stored, and told to a hub that runs."""

import asyncio
from pathlib import Path
from typing import Any

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.site.description import Site, SiteError, parse
from diadema.site.example import EXAMPLE
from diadema.site.file import hashed, keep, whole
from diadema.site.station_config import check_sizes
from diadema.wire.ask_hub import ask_hub


def install_site(file: Path, root: Path | None) -> dict[str, Any]:
    """Check `file`; store it under `root` unless that is None. `generation` is what the running
    hub says, None without one. Raises SiteError or DiademaError.
    """
    try:
        described = whole(file)
    except OSError as error:
        raise DiademaError(f"cannot read {file}: {error.strerror}") from error
    site = _checked(described, str(file))  # before anything is made under `root`
    done: dict[str, Any] = {
        "stations": len(site.stations),
        "agents": len(site.agents),
        "generation": None,
    }
    if root is not None:
        data = DataDir(root)
        data.make()
        described = hashed(data.site, described)
        _checked(described, str(file))  # an id may be that of a badge which it has by its hash
        keep(data.site, described)
        if data.read_hub() is not None:
            done["generation"] = asyncio.run(_tell(data))
    return done


def example() -> str:
    """A description to start from; right as it stands."""
    return EXAMPLE


def _checked(described: bytes, file: str) -> Site:
    try:
        site = parse(described)
        check_sizes(site)
    except SiteError as error:  # under the name that the person gave
        raise SiteError(error.key, error.reason, file) from error
    return site


async def _tell(data: DataDir) -> int:
    answer = await ask_hub(data, "hub.site", {})
    return int(answer["generation"])
