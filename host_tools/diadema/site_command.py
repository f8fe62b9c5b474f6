"""Puts a site's description in force: checked here, stored, and told to a hub that runs."""

import asyncio
from pathlib import Path
from typing import Any

from diadema.ask_hub import ask_hub
from diadema.errors import DiademaError
from diadema.paths import DataDir, write_whole
from diadema.site import parse
from diadema.station_config import check_sizes


def install_site(file: Path, root: Path | None) -> dict[str, Any]:
    """Check `file`; store it under `root` unless that is None. `generation` is what the running
    hub says, None without one. Raises SiteError or DiademaError.
    """
    try:
        described = file.read_bytes()
    except OSError as error:
        raise DiademaError(f"cannot read {file}: {error.strerror}") from error
    site = parse(described)
    check_sizes(site)
    done: dict[str, Any] = {
        "stations": len(site.stations),
        "agents": len(site.agents),
        "generation": None,
    }
    if root is not None:
        data = DataDir(root)
        data.make()
        write_whole(data.site, described)
        if data.read_hub() is not None:
            done["generation"] = asyncio.run(_tell(data))
    return done


async def _tell(data: DataDir) -> int:
    answer = await ask_hub(data, "hub.site", {})
    return int(answer["generation"])
