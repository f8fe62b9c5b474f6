"""What the estimate of a chip's memory was calibrated with: the program of a commit in the VM, at
the moments at which it was weighed on a chip.

    python -m tests.bench.chip_bytes dc71195 > tests/bench/chip_bytes.csv

Its own tree is laid out beside, and measured with its own simulated board.
"""

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
# at which moment: bytes that Python held on a chip (MicroPython 1.25 without PSRAM, on the cable;
# the last 1.28 with it, Wi-Fi and MQTT over TLS up)
ON_A_CHIP = {
    "import": 81_000, "start": 121_000, "idle": 132_000, "session": 139_000, "wifi": 149_216,
}  # fmt: skip
STATION = "DIA-0200000000a1"
# in place of the start files: what is held before the program, with it, and when it begins
MAIN = """
import gc, sys, asyncio
def told(moment):
    gc.collect()
    print("held", moment, gc.mem_alloc(), " ".join(sys.modules))
told("prompt")
import start
told("import")
run = asyncio.run
def begin(task):
    told("start")
    return run(task)
asyncio.run = begin
start.main()
"""


def main(commit: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "tree")
        packed = subprocess.run(
            ["git", "-C", ROOT, "archive", commit], capture_output=True, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(tree, filter="data")
        paths = [tree / "host_tools", tree]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
        subprocess.run([sys.executable, HERE, folder], check=True, env=environment)


async def weigh(folder: Path) -> None:
    """Run inside the commit's own tree."""
    from diadema_sim.build import SIM, board_heap, build_firmware
    from diadema_sim.world import World

    from tests.support.firmware_weight import mpy_bytes

    image = folder / "image"
    build_firmware(image)
    (image / "main.py").write_text(MAIN)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("moment", "vm_bytes", "mpy_bytes", "chip_bytes"))

    def row(moment: str, used: int, modules: list[str]) -> None:
        out.writerow((moment, used, mpy_bytes(SIM, modules), ON_A_CHIP[moment]))

    async with World(folder / "w", start_utc_ms=1_770_037_200_000, mode="fast", image=image) as w:
        station = await w.add_station(STATION)
        await session(w, station, row, board_heap(SIM))
        lines = b"".join(station.console).decode().splitlines()
        held = {line.split()[1]: line.split()[2:] for line in lines if line.startswith("held ")}
        for moment in ("import", "start"):
            used = int(held[moment][0]) - int(held["prompt"][0])
            row(moment, used, held[moment][1:])


async def session(world, station, row, board_bytes) -> None:  # type: ignore[no-untyped-def]
    from diadema.site.description import parse
    from diadema_sim import people

    from tests.station.test_wifi import PASSWORD, SSID, TwoWays
    from tests.support.mqtt_bench import Authority, running_server

    content = people.site(
        people.desks(20), name="Centro", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    site = parse(json.dumps(content).encode())
    badge = site.agents[0].badges[0].partition(":")[2]

    async def look(moment: str) -> None:
        dump = await station.dump()
        row(moment, dump["heap"]["used"] - board_bytes, dump["modules"])

    async def event(kind: str, **fields: object) -> None:
        await world.wait_event(
            STATION,
            lambda event: event["k"] == kind and all(event.get(k) == v for k, v in fields.items()),
            timeout_s=20, running=True,
        )  # fmt: skip

    folder = world.root / "nats"
    folder.mkdir()
    authority = Authority(folder)
    async with running_server(folder, authority) as server:
        host = TwoWays(station, site, server)
        await host.open()
        with world.actor():
            await station.power_on()
            await event("station.config")
            await world.sleep(5000)
            await look("idle")
            await station.tap(badge)
            await event("presence.changed", to="not_ready")
            await station.press(3)
            await event("presence.changed", to="ready")
            await world.sleep(5000)
            await look("session")
            await station.ask({"do": "wifi", "networks": {SSID: PASSWORD}})
            host.with_wifi()
            while not any(hello.get("way") for hello in host.hellos):
                await world.sleep(1000)
            await world.sleep(5000)
            await look("wifi")
        await host.shut()


if __name__ == "__main__":
    if Path(sys.argv[1], "tree").is_dir():
        asyncio.run(weigh(Path(sys.argv[1])))
    else:
        main(sys.argv[1])
