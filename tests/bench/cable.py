"""What goes down a cable in pieces, beside the bare wire; and a ring while an update runs.

In the run's own time, so without what a chip computes, with the rate, the erases and the ticks of
`boards/sim/manners.py`. The host answers at once.
"""

import contextlib
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from diadema.site.description import Site, parse
from diadema.stations.update import bundle, keys
from diadema.stations.update.bundle import Bundle, Sending
from diadema.wire.frames import encode
from diadema_sim import people
from diadema_sim.build import app_image, build_firmware
from diadema_sim.station import Station
from diadema_sim.world import World

from tests.bench.figure import Figure
from tests.support.program_slots import SLOT_BYTES, program_body, program_slot, start_folder
from tests.support.wire_host import WireHost

STATION = "DIA-0200000000a1"
_AGENTS = 120
_BYTES_MS = 11.52  # 115 200 baud, ten bits a byte
_APP_BYTES = 1_500_000
_PARTITION = 0x180000
_WIRES = 3  # times the bare wire
_BUDGET_S = {"configuration": 20, "program": 120, "MicroPython": 900}
_RINGS = 120
_RING_MS = 300
_PAUSE_MS = (100, 900)  # between two rings
_LOOK_MS = 1_000
_LONG = ("config", "update", "marks")  # as `diadema.gateway.cable` has it
_MADE = 2_000_000_000  # UTC seconds


class _Host(WireHost):
    """Sends as a gateway does, says when its commands were answered, and brings one update."""

    def __init__(self, station: Station, site: Site, key: keys.PrivateKey) -> None:
        self._world = station._world
        self._update_key = key.public.text
        self.wire = 0  # bytes of the messages, each framed once
        self.asked: dict[int, int] = {}  # ms of the run, by the number of the command
        self.answered: dict[int, int] = {}
        self.sending: Sending | None = None
        self.told: dict[str, Any] = {}  # the newest of the update
        super().__init__(station, site)

    def configuration(self) -> bytes:
        content = json.loads(super().configuration())
        return json.dumps(content | {"update_key": self._update_key}).encode()

    def send(self, body: dict[str, Any]) -> None:
        text = json.dumps(body, separators=(",", ":")).encode()
        long = body.get("cmd") in _LONG
        if long:
            self.wire += len(encode(text))
        if "i" in body:
            self.asked.setdefault(body["i"], self._world.timeline.now())
        self.sender.send(text, urgent=not long or body.get("part") == 1, once=long)

    def bring(self, made: Bundle) -> None:
        self.told = {}
        number = next(self._numbers)
        self.sending = Sending(made, number, self._world.timeline.now() / 1000)
        self._parts(self.sending.begin())

    def _parts(self, numbers: range) -> None:
        assert self.sending
        for number in numbers:
            self.send({"cmd": "update", "i": self.sending.i, **self.sending.bundle.part(number)})

    def look(self) -> None:
        if self.sending and self.told.get("phase") in (None, "receiving"):
            self._parts(self.sending.due(self._world.timeline.now() / 1000))

    def _frame(self, frame: dict[str, Any]) -> None:
        now = self._world.timeline.now()
        super()._frame(frame)
        if "i" in frame and "k" in frame:
            self.answered.setdefault(frame["i"], now)
            if frame["k"] == "station.update" and self.sending:
                if frame["phase"] == "receiving":
                    self._parts(self.sending.heard(frame["next"], now / 1000))
                if self.told.get("phase") in (None, "receiving"):
                    self.told = frame | {"at": now}


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        bench = _Bench(Path(folder))
        return [
            *await bench.configuration(),
            *await bench.program(),
            *await bench.micropython(),
            *await bench.rings(),
        ]


class _Bench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image, self._vfs = folder / "image", folder / "vfs"
        build_firmware(self._image)
        start_folder(self._image, self._vfs)
        self._body = program_body(self._image)
        self._key = keys.generate()
        content = people.site(
            people.desks(_AGENTS), name="Centro", zone="America/Lima", tree=people.LIMA_TREE,
            pins=True,
        )  # fmt: skip
        content["stations"][0]["id"] = STATION
        self._site = parse(json.dumps(content).encode())

    @contextlib.asynccontextmanager
    async def _station(self) -> AsyncIterator[tuple[World, _Host]]:
        """Configured; its program runs from a slot."""
        noise = random.Random(1).randbytes(5_000)
        slots = {
            "slot_a": program_slot(self._body, "sim", "1", 1),
            "slot_b": b"\xff" * SLOT_BYTES,
            "otadata": b"\xff" * 0x2000,
            "ota_0": app_image("1.28.0", noise).ljust(_PARTITION, b"\xff"),
            "ota_1": b"\xff" * _PARTITION,
        }
        root = Path(tempfile.mkdtemp(dir=self._folder))
        now_ms = int(time.time() * 1000)
        async with World(root, start_utc_ms=now_ms, mode="fast", image=self._vfs) as world:
            station = await world.add_station(STATION, slots=slots)
            host = _Host(station, self._site, self._key)
            try:
                with world.actor():
                    await station.power_on()
                    await world.wait_event(
                        STATION, lambda event: event["k"] == "station.config", running=True
                    )
                    await world.sleep(_LOOK_MS)
                    yield world, host
            finally:
                host.close()

    async def configuration(self) -> list[Figure]:
        async with self._station() as (world, host):
            host.wire = 0
            content = json.loads(host.configuration())
            content["generation"] += 1
            number = host.configure(json.dumps(content, separators=(",", ":")).encode())
            while number not in host.answered:
                await world.sleep(_LOOK_MS)
            took_ms = host.answered[number] - host.asked[number]
            return _figures("configuration", f"configuration of {_AGENTS} agents", took_ms, host)

    async def program(self) -> list[Figure]:
        made = bundle.sign(self._body, self._key, board="sim", version="2", made=_MADE)
        async with self._station() as (world, host):
            took_ms = await _brought(world, host, bundle.read(made))
            return _figures("program", f"program of {len(self._body):,} bytes", took_ms, host)

    async def micropython(self) -> list[Figure]:
        image = app_image("1.29.0", random.Random(2).randbytes(_APP_BYTES))
        made = bundle.sign(
            image, self._key, board="sim", version="1.29.0", made=_MADE, what="micropython",
            chip=0, mpy="6.3", build="ESP32_GENERIC-SPIRAM", psram="quad",
        )  # fmt: skip
        async with self._station() as (world, host):
            took_ms = await _brought(world, host, bundle.read(made))
            return _figures("MicroPython", f"MicroPython of {len(image):,} bytes", took_ms, host)

    async def rings(self) -> list[Figure]:
        """Nobody sits there while an update comes: what the station answers is that."""
        chance = random.Random(3)
        made = bundle.read(
            bundle.sign(self._body, self._key, board="sim", version="2", made=_MADE)
        )
        times: list[int] = []
        while len(times) < _RINGS:
            async with self._station() as (world, host):
                host.bring(made)
                rung: list[int] = []
                while not host.told or host.told["phase"] == "receiving":
                    await world.sleep(chance.uniform(*_PAUSE_MS))
                    host.look()
                    if host.told.get("phase") == "receiving":
                        rung.append(
                            host.command("ring", contact=f"C-{len(rung)}", direction="in",
                                         queue="Consultas", pbx="1")
                        )  # fmt: skip
                    if len(times) + len(rung) == _RINGS:
                        await world.sleep(_LOOK_MS * 10)
                        break
                # the check at the end and the restart are not the update any more
                over = host.told["phase"] != "receiving" and host.told["at"]
                times += [
                    host.answered[number] - host.asked[number]
                    for number in rung
                    if not over or host.answered.get(number, over) < over
                ]
        times.sort()
        p99 = times[-1 - len(times) // 100]
        return [
            Figure(f"{len(times)} rings while an update runs, p50",
                   times[len(times) // 2], "ms"),
            Figure(f"{len(times)} rings while an update runs, p99", p99, "ms", _RING_MS,
                   "budget"),
            Figure("the longest of them", times[-1], "ms"),
        ]  # fmt: skip


async def _brought(world: World, host: _Host, made: Bundle) -> float:
    """Milliseconds from its first part to the word that all of it is there and right."""
    host.wire = 0
    began = world.timeline.now()
    host.bring(made)
    while not host.told or host.told["phase"] == "receiving":
        await world.sleep(_LOOK_MS)
        host.look()
    if host.told["phase"] != "verified":
        raise RuntimeError(f"the update failed: {host.told}")
    at: int = host.told["at"]
    return at - began


def _figures(kind: str, what: str, took_ms: float, host: _Host) -> list[Figure]:
    wire_s, took_s = host.wire / _BYTES_MS / 1000, took_ms / 1000
    return [
        Figure(f"{what}, over the cable", took_s, "s", _BUDGET_S[kind], "budget"),
        Figure(f"{kind}, beside the bare wire", took_s / wire_s, "times", _WIRES, "budget"),
    ]
