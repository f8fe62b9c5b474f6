"""The journal's campaign: the real module in the VM, the flash cut at every byte it programs.

Each batch is a scripted day on a ring of some size, worked in a VM of its own by
`boards/sim/torture/bench.py`; as many run at a time as there are cores.
"""

import asyncio
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema.base.errors import DiademaError

from diadema_sim.build import build_firmware, on_vm, station_tree
from diadema_sim.torture.days import day
from diadema_sim.torture.outcome import Outcome, Plan

NAME = "journal"
_HEAP = "96m"
_LEAST = 0.3  # of a large ring's day, or it would not get beyond its first sectors
_TAIL = 1500  # characters of a VM's last words


@dataclass(frozen=True)
class _Batch:
    """`share`: of the flash operations that are cut, on rings too large to cut them all.

    `worn`: a sector that is not erased any more after a lap; `stuck`: one that is not programmed
    as it should; -1 for none.
    """

    sectors: int
    contacts: int
    link: str
    rewinds: bool = False
    share: float = 1.0
    worn: int = -1
    stuck: int = -1


# a contact is about a thousand bytes, so a thousand cut points
_BATCHES = (
    _Batch(4, 22, "up"),
    _Batch(128, 700, "late", share=0.05),
    _Batch(5, 26, "up", rewinds=True),
    _Batch(4, 16, "late"),
    _Batch(6, 26, "late", rewinds=True),
    _Batch(128, 620, "none", share=0.02),
    _Batch(9, 26, "up"),
    _Batch(7, 22, "none"),
    _Batch(5, 36, "up", worn=2),
    _Batch(5, 36, "late", stuck=3),
)


async def run(plan: Plan) -> Outcome:
    """`plan.only` is BATCH, or BATCH.OPERATION.CUT."""
    outcome = Outcome(NAME)
    slots = asyncio.Semaphore(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="diadema-") as name:
        folder = Path(name)
        await asyncio.to_thread(build_firmware, folder / "firmware")

        async def one(number: int) -> None:
            async with slots:
                await _work(plan, number, folder, outcome)

        only = plan.only.split(".") if plan.only else None
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(_BATCHES)):
                if only is None or number == int(only[0]):
                    tasks.create_task(one(number))
    return outcome


async def _work(plan: Plan, number: int, folder: Path, outcome: Outcome) -> None:
    batch = _BATCHES[number]
    small = batch.share == 1.0
    contacts = max(2, round(batch.contacts * (plan.share if small else max(plan.share, _LEAST))))
    seed = plan.seed * 100 + number
    script = folder / f"day{number}"
    lines = day(seed, contacts, link=batch.link, rewinds=batch.rewinds)
    script.write_bytes(b"\n".join(lines))
    options: dict[str, object] = {
        "firmware": str(folder / "firmware"),
        "sectors": batch.sectors,
        "seed": seed,
        "worn": [batch.worn],
        "stuck": [batch.stuck],
        "share": batch.share if small else batch.share * plan.share,
    }
    if plan.only and "." in plan.only:
        _, operation, cut = plan.only.split(".")
        options |= {"operation": int(operation), "cut": int(cut)}
    ended = False
    for found in await in_vm(script, options):
        if "what" in found:
            cut = found["cut"]
            place = f"{number}.{found['operation']}.{cut}" if cut != "-" else str(number)
            outcome.fail(place, f"{batch.sectors} sectors, seed {seed}: {found['what']}")
            continue
        ended = True
        outcome.add("cut_points", found["points"])
        outcome.add("in_later_boots", found["second"])
        outcome.add("in_boot_scans", found["scans"])
        outcome.add("flash_operations", found["operations"])
        outcome.add("events", found["events"])
        outcome.add("bad_sectors", found["bad"])
        plan.say(f"journal, day {number}: {outcome.counts['cut_points']} cut points")
    if not ended:
        raise DiademaError(f"the journal's bench did not end its day {number}")


async def in_vm(script: Path, options: dict[str, object]) -> list[dict[str, Any]]:
    """The objects that the bench prints for one script: failures, then what it did."""
    bench = station_tree() / "boards" / "sim" / "torture" / "bench.py"
    script.with_suffix(".json").write_text(json.dumps(options))
    process = await asyncio.create_subprocess_exec(
        *on_vm(_HEAP, bench, script),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        words = out.decode(errors="replace")[-_TAIL:]
        raise DiademaError(f"the journal's bench ended with an error:\n{words}")
    return [json.loads(line) for line in out.splitlines()]
