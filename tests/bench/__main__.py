"""`make bench`: how quick and how small it is on this machine, each figure beside its budget or
beside the plain thing it is compared with. One run; nothing here passes or fails.
"""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "host"))  # its broker and its scripts

from tests.bench import board, floor, intake


@dataclass(frozen=True)
class Figure:
    """One line: `ratio` is value / against."""

    what: str
    value: float
    unit: str
    against: float | None = None
    named: str = ""


async def measure(say: Console) -> list[Figure]:
    say.print("floor: key presses until the tile has changed in a browser …")
    seen = await floor.measure()
    say.print("ingest: a filled stream into the store, and the same rows by executemany …")
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        taken = await intake.measure(Path(folder))
    say.print("board: what its modules and its heap come to …")
    image = board.imported_bytes(seen.modules)
    return [
        Figure("key press to tile, p50", seen.latency_ms(50), "ms", 250, "budget of p99"),
        Figure("key press to tile, p99", seen.latency_ms(99), "ms", 250, "budget"),
        Figure("ingest", taken.ingest_s, "events/s", taken.bare_s, "bare executemany, same rows"),
        Figure(
            "bytes of an event on the wire", seen.wire_bytes, "bytes", seen.flash_bytes,
            "its bytes on the flash",
        ),
        Figure(".mpy bytes that the board imports", image, "bytes", 56 * 1024, "budget"),
        Figure(
            "free VM heap after login", seen.heap_free, "bytes", board.FIRMWARE_HEAP, "VM's cap"
        ),
        Figure(
            "so on a bare ESP32, estimated", board.on_esp32(seen.heap_used), "bytes", 48 * 1024,
            "budget, at least",
        ),
    ]  # fmt: skip


def print_figures(console: Console, figures: list[Figure]) -> None:
    table = Table("what", "value", "unit", "against", "ratio", "which is")
    for column in (1, 3, 4):
        table.columns[column].justify = "right"
    for figure in figures:
        against = f"{figure.against:,.0f}" if figure.against else ""
        ratio = f"{figure.value / figure.against:.2f}" if figure.against else ""
        value = f"{figure.value:,.0f}"
        table.add_row(figure.what, value, figure.unit, against, ratio, figure.named)
    console.print(table)


if __name__ == "__main__":
    print_figures(Console(width=110), asyncio.run(measure(Console(stderr=True))))
