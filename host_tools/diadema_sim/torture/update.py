"""The update's campaign: the power goes at the flash operations of an update and of the starts
around it. The same modules run on CPython, which is fast, and a share of it inside the VM.

Each batch is a station with something in its slots and what it has to take;
`boards/sim/torture/update_bench.py` works it.
"""

import asyncio
import hashlib
import json
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema.site.description import parse
from diadema.site.station_config import ConfigMaker, blocks
from diadema.stations.image.files import carried, pack
from diadema.stations.image.slots import HEAD_BYTES, TRIED, Trailer
from diadema.stations.update import bundle, keys
from diadema.wire.journal import SECTOR

from diadema_sim import people
from diadema_sim.build import app_image, on_vm, station_tree
from diadema_sim.torture.runner import BENCH_HEAP, Batches, Outcome, Plan

NAME = "update"
_CAMPAIGN = Batches(
    NAME,
    "station",
    {
        "cut_points": "points",
        "in_the_vm": "in_vm",
        "in_later_boots": "second",
        "flash_operations": "operations",
        "events": "events",
    },
)
_JOURNAL, _SLOT = 6, 4  # sectors
_BODY = 2 * SECTOR + 1792
_HALF = 11  # parts of an update that another one replaces
_BUDGET = 14_000  # bytes programmed until a second cut, at most; an update has about as many
_MADE = {"0": 900, "1": 1000, "bad": 1500, "half": 1700, "2": 2000}
_APP = 4  # sectors of an app partition
_RUNS, _DEAD, _BAD, _NEW = "1.28.0", "1.29.0", "1.30.0", "1.31.0"  # `torture/chip.py` knows them
_OF_MICROPYTHON: dict[str, Any] = {
    "what": "micropython",
    "chip": 0,
    "mpy": "6.3",
    "build": "ESP32_GENERIC-SPIRAM",
    "psram": "quad",
}
_NVS = 2  # sectors
_FILES = 16
_START_FILES = {"lib/frames.mpy": 700, "slots.mpy": 4_500, "boot.py": 1_500, "main.py": 800}
_IN_VM = 0.3  # of the operations; of those of littlefs all, at fewer bytes
_SMALL, _SOME = 128, 40  # bytes; longer programs are cut at some of their bytes
_SMALL_OF_FILES, _SOME_OF_FILES = 4, 2


@dataclass(frozen=True)
class _Batch:
    """`slots`: the version in each, empty for a blank one; `takes`: what comes, in this order,
    programs and MicroPythons; `crashes`: starts of the first program that end so; `files`: with a
    vfs (in the VM), into which a configuration brings another key of updates, and the program its
    start files.
    """

    slots: tuple[str, str]
    takes: tuple[str, ...]
    in_vm: bool = False
    crashes: int = 0
    files: bool = False

    @property
    def safe(self) -> bool:
        """Nothing that works stands in either slot."""
        return self.slots == ("bad", "")

    @property
    def apps(self) -> bool:
        """There are app partitions; without a MicroPython to take it is one that never changes."""
        return any("." in version for version in self.takes)


_BATCHES = (
    _Batch(("1", ""), ("2",)),
    _Batch(("1", ""), ("bad", "2")),
    _Batch(("1", "0"), ("half", "2")),
    _Batch(("0", "1"), ("bad", "half", "2")),
    _Batch(("bad", ""), ("2",)),
    _Batch(("0", "1"), ("bad", "2"), in_vm=True),
    _Batch(("1", ""), (_DEAD, _NEW)),
    _Batch(("0", "1"), (_BAD, "2")),
    _Batch(("1", ""), (_BAD, _NEW), in_vm=True),
    _Batch(("1", ""), ("2",), crashes=4),
    _Batch(("1", ""), ("2",), in_vm=True, files=True),
)


async def run(plan: Plan) -> Outcome:
    """All batches of stations, or what `plan.only` names of them."""
    outcome = Outcome(NAME)
    outcome.add("bricked", 0)
    key = await asyncio.to_thread(keys.generate)
    await _CAMPAIGN.run(plan, len(_BATCHES), lambda number: _work(plan, number, key, outcome))
    return outcome


def _body(seed: int, version: str) -> bytes:
    return random.Random(f"{seed} {version}").randbytes(_BODY)


def _app(seed: int, version: str) -> bytes:
    noise = random.Random(f"{seed} {version}").randbytes(_BODY)
    return app_image(None if version == _DEAD else version, noise)


def _slot(seed: int, version: str) -> bytes:
    if not version:
        return b"\xff" * (_SLOT * SECTOR)
    body = _body(seed, version)
    digest = hashlib.sha256(body).digest()
    sector = bytearray(Trailer(_MADE[version], _BODY, digest, "sim", version).pack(good=True))
    if version == "bad":  # it was tried, and nobody said that it works
        sector[HEAD_BYTES + TRIED] = 0
        sector[HEAD_BYTES + TRIED + 1] = 0xFF
    room = (_SLOT - 1) * SECTOR
    return body.ljust(room, b"\xff") + bytes(sector).ljust(SECTOR, b"\xff")


def _start_files(seed: int, which: str) -> dict[str, bytes]:
    chance = random.Random(f"{seed} {which}")
    return {name: chance.randbytes(size) for name, size in _START_FILES.items()}


def _configurations(key: keys.PrivateKey) -> tuple[str, list[tuple[str, list[dict[str, Any]]]]]:
    """A station and two of its own, each with a key of updates; that of the second is `key`."""
    (desk,) = people.desks(1)
    tree = {"version": 1, "nodes": [["1", "A", [["11", "B", [["111", "C"]]]]]]}
    content = people.site([desk], name="C", zone="America/Lima", tree=tree)
    site = parse(json.dumps(content).encode())
    made = []
    for generation, text in enumerate((keys.generate().public.text, key.public.text), 1):
        config = json.loads(ConfigMaker(site, "5a" * 32, 0, generation).build(desk.station))
        config["update_key"] = text
        made.append((text, [*blocks(json.dumps(config).encode())]))
    return desk.station, made


def lay_out(folder: Path, batch: _Batch, seed: int, key: keys.PrivateKey) -> None:
    """The bench's flash, its bundles, and the key by which a station knows them."""
    image = b"\xff" * (_JOURNAL * SECTOR) + b"".join(_slot(seed, name) for name in batch.slots)
    if batch.apps:
        first = _app(seed, _RUNS).ljust(_APP * SECTOR, b"\xff")
        image += (b"\xff" * (2 * SECTOR) + first).ljust((2 + 2 * _APP) * SECTOR, b"\xff")
    image += b"\xff" * (_NVS * SECTOR)
    if batch.files:
        before, after = (_start_files(seed, name) for name in ("before", "start_files"))
        image += pack(before, _FILES * SECTOR, SECTOR)
        laid = {f"before/{path}": data for path, data in before.items()} | carried(after)
        for path, data in laid.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        (folder / "configs.json").write_text(json.dumps(_configurations(key)))
    (folder / "flash.bin").write_bytes(image)
    bundles = []
    for version in batch.takes:
        if "." in version:
            body, made_at, more = _app(seed, version), _MADE["2"], _OF_MICROPYTHON
        else:
            body, made_at, more = _body(seed, version), _MADE[version], {}
        made = bundle.sign(body, key, board="sim", version=version, made=made_at, **more)
        bundles.append([version, bundle.read(made).commands()])
    (folder / "bundles.json").write_text(json.dumps(bundles))
    (folder / "update.key").write_text(key.public.text)


async def _work(plan: Plan, number: int, key: keys.PrivateKey, outcome: Outcome) -> None:
    batch = _BATCHES[number]
    seed = plan.seed * 100 + number
    options: dict[str, object] = {
        "firmware": str(station_tree() / "firmware"),
        "journal": _JOURNAL,
        "slot": _SLOT,
        "app": _APP if batch.apps else 0,
        "files": _FILES if batch.files else 0,
        "crashes": batch.crashes,
        "half": _HALF,
        "budget": _BUDGET,
        "safe": batch.safe,
        "versions": [name for name in (*batch.slots, *batch.takes) if name not in ("", "half")],
        "seed": seed,
        "small": _SMALL_OF_FILES if batch.files else _SMALL,
        "some": _SOME_OF_FILES if batch.files else _SOME,
        "share": plan.share * (_IN_VM if batch.in_vm and not batch.files else 1),
        **plan.only_cut,
    }
    with tempfile.TemporaryDirectory(prefix="diadema-") as name:
        folder = Path(name)
        await asyncio.to_thread(lay_out, folder, batch, seed, key)
        (folder / "options.json").write_text(json.dumps(options))
        bench = station_tree() / "boards" / "sim" / "torture" / "update_bench.py"
        on_cpython = [sys.executable, "-I", "-B", str(bench), str(folder)]
        rows = await _CAMPAIGN.printed_by(
            on_vm(BENCH_HEAP, bench, folder) if batch.in_vm else on_cpython
        )
    for row in rows:
        row["in_vm"] = row.get("points", 0) if batch.in_vm else 0
    outcome.add("bricked", sum("what" in row for row in rows))
    _CAMPAIGN.add(outcome, plan, number, f"slots {batch.slots}, seed {seed}", rows)
