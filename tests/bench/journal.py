"""The journal in the VM on counted NOR flash, and littlefs with the same events beside it.

A scripted working week and more, round the ring several times: what an event costs in erased and
programmed bytes and in time, and what the boot reads of a ring that is full.
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from diadema_sim.build import build_firmware, interpreter, station_tree
from diadema_sim.torture.journal import day

from tests.bench.figure import Figure

_CONTACTS = 1600  # some 10 000 events: more than two and a half times round
_RESTARTS = 0.025  # a contact: two a shift
_HEAP = "96m"
_HERE = Path(__file__).resolve().parent


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="diadema-bench-") as folder:
        seen = await measure(Path(folder))
    mine, theirs, scan = seen["journal"], seen["littlefs"], seen["scan"]
    events, size = mine["events"], mine["bytes"] / mine["events"]
    return [
        Figure("laps of the journal's ring", seen["laps"], "laps"),
        Figure("mean size of a record", size, "bytes"),
        Figure(
            "journal, erased an event", mine["erased"] / events, "bytes", size,
            "its record; budget 1.2",
        ),
        Figure(
            "journal, programmed an event", mine["programmed"] / events, "bytes", size,
            "its record; budget 1.1",
        ),
        Figure("littlefs, erased an event", theirs["erased"] / events, "bytes", size, "a record"),
        Figure(
            "littlefs, programmed an event", theirs["programmed"] / events, "bytes", size,
            "a record",
        ),
        Figure(
            "journal, append of an event", mine["us"] / events, "µs", theirs["us"] / events,
            "littlefs append + flush; budget 1/5",
        ),
        Figure("boot scan of a full journal, read", scan["read"], "bytes", 12 * 1024, "budget"),
        Figure("boot scan of a full journal", scan["us"] / 1000, "ms"),
    ]  # fmt: skip


async def measure(folder: Path) -> dict[str, Any]:
    """What `vm_journal.py` prints."""
    await asyncio.to_thread(build_firmware, folder / "firmware")
    script = folder / "day"
    script.write_bytes(b"\n".join(day(7, _CONTACTS, restarts=_RESTARTS)))
    process = await asyncio.create_subprocess_exec(
        *interpreter(), "-X", f"heapsize={_HEAP}", str(_HERE / "vm_journal.py"),
        str(folder / "firmware"), str(station_tree() / "boards" / "sim" / "torture"), str(script),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SystemExit(f"the journal's bench ended with {process.returncode}:\n{out.decode()}")
    seen: dict[str, Any] = json.loads(out)
    return seen
