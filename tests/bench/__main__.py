"""`make bench`: how quick and how small it is on this machine, each figure beside its budget or
beside the plain thing it is compared with. One run; nothing here passes or fails.

`python -m tests.bench intake floor` runs only those parts.
"""

import asyncio
import importlib
import sys
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "host"))  # its broker and its scripts

from tests.bench.figure import Figure, print_figures

# modules of this folder, each with `async figures()`
_PARTS = [
    "board", "chip", "states", "shift", "floor", "fuzz", "intake", "journal", "drain", "crowd",
    "voice", "readers", "centre", "month", "rebuild", "floor_crowd", "flash", "update", "day",
    "heartbeat", "radio", "prove", "cable",
]  # fmt: skip
_LONG = ["thirty"]  # when asked for by name


async def measure(parts: list[str], say: Console) -> list[Figure]:
    figures: list[Figure] = []
    for name in parts:
        part = importlib.import_module(f"tests.bench.{name}")
        say.print(f"{name}: {(part.__doc__ or '').splitlines()[0]}")
        figures += await part.figures()
    return figures


def main(parts: list[str]) -> None:
    if unknown := set(parts) - {*_PARTS, *_LONG}:
        raise SystemExit(
            f"no such part: {', '.join(unknown)}. There are: {', '.join(_PARTS + _LONG)}"
        )
    figures = asyncio.run(measure(parts or _PARTS, Console(stderr=True)))
    print_figures(Console(width=120), figures)


if __name__ == "__main__":
    main(sys.argv[1:])
