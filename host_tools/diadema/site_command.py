"""Puts a site's description in force: checked here, stored, and told to a hub that runs."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from diadema import credentials
from diadema.errors import DiademaError
from diadema.paths import DataDir, write_whole
from diadema.site import parse
from diadema.station_config import check_sizes

_ANSWER_S = 10.0


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
    import nats
    from nats.errors import Error as NatsError

    hub = data.read_hub()
    if hub is None:
        raise DiademaError("the hub ended meanwhile; it takes the description when it starts")
    password = credentials.load(data).host
    try:
        client = await nats.connect(
            hub.nats, user="host", password=password, allow_reconnect=False
        )
        try:
            reply = await client.request("hub.site", b"{}", timeout=_ANSWER_S)
        finally:
            await client.close()
    except (NatsError, OSError, TimeoutError) as error:
        raise DiademaError(
            f"stored, but the hub does not answer ({error!r}): it takes the description when it "
            "starts again"
        ) from error
    answer = msgspec.json.decode(reply.data, type=dict[str, Any])
    if "error" in answer:
        raise DiademaError(f"the hub refuses the description: {answer.get('detail')}")
    return int(answer["generation"])
