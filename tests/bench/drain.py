"""A station with days of backlog drains by Wi-Fi to the hub, and to one that only says yes.

The real firmware in the VM, its journal filled as three days of twice the usual load leave it,
MQTT over TLS on loopback. First the hub, from its first commit to its last; then the same flash
again to a sink, which shows what the VM itself can give.
"""

import asyncio
import json
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from diadema.base.certificates import Certificates
from diadema.site.station_keys import StationKeys
from diadema.wire.journal import SECTOR
from diadema_sim import people
from diadema_sim.build import build_firmware, interpreter, station_tree
from diadema_sim.centre import Centre, open_centre
from diadema_sim.demo import ZONE
from diadema_sim.station import Station
from diadema_sim.torture.journal import day

from tests.bench.figure import Figure
from tests.bench.sink import Sink

_CONTACTS = 3 * 160
_RESTARTS = 0.02
_LOOK_S = 0.005
_LIMIT_S = 120.0
_START_MS = 1_770_037_200_000
_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Backlog:
    image: bytes
    epoch: int
    last: int


@dataclass(frozen=True)
class Drained:
    events: int
    hub_s: float  # events a second
    sink_s: float


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        drained = await measure(Path(folder))
    return [
        Figure("events of the backlog", drained.events, "events"),
        Figure(
            "drain of it to the hub, one station", drained.hub_s, "events/s", 2000,
            "budget, or the VM's limit:",
        ),
        Figure(
            "the same to the hub", drained.hub_s, "events/s", drained.sink_s,
            "VM's limit: to a sink",
        ),
    ]  # fmt: skip


async def measure(folder: Path) -> Drained:
    await asyncio.to_thread(build_firmware, folder / "firmware")
    async with (
        asyncio.timeout(_LIMIT_S),
        open_centre(
            people.desks(1), name="Centro con atraso", zone=ZONE, tree=people.LIMA_TREE,
            start_utc_ms=_START_MS, wifi=True,
        ) as centre,
    ):  # fmt: skip
        await centre.switch_on()
        station = centre.agents[0].station
        station.cable.pull()
        backlog = await _lay(station, folder)
        hub_s = await _to_hub(centre, station, backlog)
        hub = centre.data.read_hub()
        assert hub is not None
        await centre.processes.stop()
        backlog = await _lay(station, folder)
        sink_s = await _to_sink(centre, station, backlog, hub.mqtt)
    return Drained(backlog.last, hub_s, sink_s)


async def _lay(station: Station, folder: Path) -> Backlog:
    """Put a backlog of a new epoch on the flash of the station, which loses its power."""
    await station.power_cut()
    (folder / "day").write_bytes(b"\n".join(day(7, _CONTACTS, restarts=_RESTARTS)))
    process = await asyncio.create_subprocess_exec(
        *interpreter(), "-X", "heapsize=32m", str(_HERE / "vm_backlog.py"),
        str(folder / "firmware"), str(station_tree() / "boards" / "sim" / "torture"),
        str(folder / "day"), str(folder / "image"), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the backlog was not made:\n{out.decode()}")
    image = (folder / "image").read_bytes()
    for offset in range(0, len(image), SECTOR):
        station.flash.erase(offset)
    station.flash.program(0, image)
    return Backlog(image, **json.loads(out))


async def _to_hub(centre: Centre, station: Station, backlog: Backlog) -> float:
    """Events a second from the first commit to the last, as the store's readers see them."""
    reader = centre.reader()
    await station.power_on()
    first, began, position = 0, 0.0, 0
    try:
        while position < backlog.last:
            await asyncio.sleep(_LOOK_S)
            position = reader.position(station.id, backlog.epoch)
            if position and not first:
                first, began = position, time.monotonic()
        took = time.monotonic() - began
        if reader.dead_letters() or reader.losses():
            raise SystemExit(f"not all of it was taken: {reader.dead_letters()[:1]}")
    finally:
        reader.close()
    return (backlog.last - first) / took


async def _to_sink(
    centre: Centre, station: Station, backlog: Backlog, address: tuple[str, int]
) -> float:
    certificates = Certificates(centre.data.tls)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    sink = Sink(StationKeys(centre.data.keys))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: sink, *address, ssl=context)
    try:
        await station.power_on()
        await sink.until(backlog.last)
    finally:
        server.close()
    return (sink.last - sink.first) / (sink.last_at - sink.first_at)
