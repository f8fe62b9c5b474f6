"""From counts to an ESP32's milliseconds: factors, set once against what was measured with an
older program on an emulated chip at 250 million instructions a second.

`python -m tests.bench.chip_model` counts that program anew (it is taken out of git) and writes
`chip_model.json`: the counts, what was measured, the factors, and how far off each is. Not in it:
screen, codec, I2C, what flash takes to program and to erase, a collection, and that memory beyond
the chip is slower than its own.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from pathlib import Path
from shutil import copy

import msgspec

from tests.bench.counted import Count, total

COMMIT = "dc71195"
KEPT = Path(__file__).with_suffix(".json")
_OWN = ("counted.py", "vm_count.py", "chip_board.py")
_BEYOND_US = 12  # 64 bytes more at 80 Mbit/s, and to ask for them
# a `Partition.readblocks` of 128 bytes was measured apart: 65 to 85 µs
_GRID = ([each / 100 for each in range(400, 801, 5)], range(65, 86), range(20, 61))

Steps = Mapping[str, Sequence[Count]]


@dataclass(frozen=True)
class Measured:
    """Milliseconds of a `step`: of all its parts, of those named in `only`, or but those in
    `without`. `searches`: the search for a built-in module at each lighting is in them. What is
    not `fitted` is only set beside the rest.
    """

    step: str
    least_ms: float
    most_ms: float
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    searches: bool = False
    fitted: bool = True


SEARCH = Measured("key", 11, 11, only=("light",), searches=True)
MEASURED = {
    "key with nothing to load": Measured("key", 44, 44, searches=True),
    "answer": Measured("answer", 33, 33),
    "methods": Measured("methods", 92, 92),
    "menu": Measured("menu, idle", 108, 108),
    "settings": Measured("settings", 178, 178),
    "help": Measured("help", 114, 114),
    "hang up, codes": Measured("codes", 74, 86),
    "next level of codes": Measured("level", 12, 30),
    "badge, greeting": Measured("badge", 224, 224),
    "health": Measured("health", 87, 87, without=("lib.report",)),
    "search at a lighting": SEARCH,
    "import start": Measured("start", 980, 980, only=("unique_id",), searches=True),
    "App.start": Measured("start", 700, 700, only=("collect",), searches=True),
    "PIN, until its PBKDF2": Measured("pin", 69, 69, only=("rounds",)),
    "PBKDF2": Measured("pin", 390, 390, only=("PBKDF2",), fitted=False),
}


@dataclass(frozen=True)
class Model:
    """Of an instruction of the VM on x86-64; of a read, up to 128 bytes, of a slot or the journal;
    of one of MicroPython's own file system.
    """

    instruction_ns: float
    read_us: float
    vfs_read_us: float

    def ms(self, count: Count) -> float:
        reads = (count.slot + count.journal) * self.read_us + count.vfs * self.vfs_read_us
        return (count.instructions * self.instruction_ns / 1000 + reads) / 1000 + (
            count.beyond * _BEYOND_US / 1000
        )


class Kept(msgspec.Struct):
    """Made by `command` of the program of `commit`; `off`: share that the model is off by."""

    command: str
    commit: str
    model: Model
    off: dict[str, float]
    steps: dict[str, list[Count]]


def amounts(steps: Steps) -> dict[str, Count]:
    """What each row of MEASURED did."""
    return {name: _amount(steps, row) for name, row in MEASURED.items()}


def _amount(steps: Steps, row: Measured) -> Count:
    parts = [
        part
        for part in steps[row.step]
        if part.name not in row.without and (not row.only or part.name in row.only)
    ]
    found = total(parts)
    if row.searches:
        return found
    search = _amount(steps, SEARCH)
    times = sum(part.name == "light" for part in parts)
    return msgspec.structs.replace(
        found,
        instructions=found.instructions - times * search.instructions,
        slot=found.slot - times * search.slot,
        vfs=found.vfs - times * search.vfs,
        beyond=found.beyond - times * search.beyond,
    )


def off(model: Model, row: Measured, count: Count) -> float:
    ms = model.ms(count)
    return ms / min(max(ms, row.least_ms), row.most_ms) - 1


def fit(steps: Steps) -> Model:
    """The factors with the least squares of what they are off by."""
    counts = amounts(steps)
    rows = [(row, counts[name]) for name, row in MEASURED.items() if row.fitted]

    def squares(model: Model) -> float:
        return sum(off(model, row, count) ** 2 for row, count in rows)

    return min((Model(*factors) for factors in product(*_GRID)), key=squares)


def keep(steps: dict[str, list[Count]]) -> Kept:
    model = fit(steps)
    counts = amounts(steps)
    shares = {name: round(off(model, row, counts[name]), 2) for name, row in MEASURED.items()}
    return Kept("python -m tests.bench.chip_model", COMMIT, model, shares, steps)


def kept() -> Kept:
    return msgspec.json.decode(KEPT.read_bytes(), type=Kept)


def main() -> None:
    """Count the older program with the tools of this one, in a folder of its own."""
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as name:
        tree = Path(name)
        packed = subprocess.run(
            ["git", "-C", str(root), "archive", COMMIT], capture_output=True, check=True
        )
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
            archive.extractall(tree, filter="data")
        for own in _OWN:
            copy(root / "tests" / "bench" / own, tree / "tests" / "bench")
        out = tree / "counts.json"
        subprocess.run(
            [sys.executable, "-m", "tests.bench.counted", str(out)],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree / "host_tools")},
            check=True,
        )
        steps = msgspec.json.decode(out.read_bytes(), type=dict[str, list[Count]])
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(keep(steps)), indent=1) + b"\n")


if __name__ == "__main__":
    main()
