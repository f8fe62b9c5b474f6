"""What every torture campaign shares: its plan, its outcome, and how batches of one are run."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from diadema.base.errors import DiademaError
from diadema.cli.speech import say as speak

BENCH_HEAP = "96m"  # of a bench that runs in the VM
_TAIL = 1500  # characters of a process's last words


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Plan:
    """`share`: of a campaign's usual length. `only`: what a failure printed, to repeat it alone;
    of a campaign in batches it is BATCH, or BATCH.OPERATION.CUT. `say` gets a line for whoever
    watches.
    """

    seed: int
    share: float = 1.0
    only: str | None = None
    say: Callable[[str], None] = _silent

    @property
    def only_batch(self) -> int | None:
        return int(self.only.split(".")[0]) if self.only else None

    @property
    def only_cut(self) -> dict[str, object]:
        """The options `operation` and `cut` of a bench that repeats one cut; else none."""
        if not self.only or "." not in self.only:
            return {}
        _, operation, cut = self.only.split(".")
        return {"operation": int(operation), "cut": int(cut)}


@dataclass
class Outcome:
    """`lost` and `doubled` count events; a failure that is neither counts as lost."""

    campaign: str
    counts: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, only: str, what: str, *, lost: int = 0, doubled: int = 0) -> None:
        """One failure; `only` repeats it with `--campaign NAME --seed N --only ONLY`."""
        self.lost += lost if lost or doubled else 1
        self.doubled += doubled
        self.failures.append({"campaign": self.campaign, "only": only, "what": what})

    def row(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            **self.counts,
            "lost": self.lost,
            "doubled": self.doubled,
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True)
class Batches:
    """A campaign whose batches are each worked by a process that prints JSON lines.

    `unit`: what a batch is called. `counts`: the outcome's name of each number that is printed.
    """

    campaign: str
    unit: str
    counts: Mapping[str, str]

    async def run(
        self, plan: Plan, number_of: int, work: Callable[[int], Awaitable[None]]
    ) -> None:
        """All batches, or the one that the plan names; as many at a time as there are cores."""
        cores = asyncio.Semaphore(os.cpu_count() or 1)

        async def run_one(number: int) -> None:
            async with cores:
                await work(number)

        async with asyncio.TaskGroup() as tasks:
            for number in range(number_of):
                if plan.only_batch in (None, number):
                    tasks.create_task(run_one(number))

    async def printed_by(self, command: list[str]) -> list[dict[str, Any]]:
        """The objects that a bench prints: failures, then what it did. Raises DiademaError with
        its last words when it fails.
        """
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            words = out.decode(errors="replace")[-_TAIL:]
            raise DiademaError(f"the {self.campaign}'s bench ended with an error:\n{words}")
        return [json.loads(line) for line in out.splitlines()]

    def add(
        self, outcome: Outcome, plan: Plan, number: int, about: str, rows: list[dict[str, Any]]
    ) -> None:
        """Add what the bench of a batch printed. Raises DiademaError when it did not end."""
        ended = False
        for row in rows:
            if "what" in row:
                cut = row["cut"]
                place = f"{number}.{row['operation']}.{cut}" if cut != "-" else str(number)
                outcome.fail(place, f"{about}: {row['what']}")
                continue
            ended = True
            for name, printed in self.counts.items():
                outcome.add(name, row[printed])
            points = outcome.counts["cut_points"]
            part = f"{self.campaign}, {self.unit} {number}"
            plan.say(speak("torture.cut_points", part=part, points=points))
        if not ended:
            raise DiademaError(f"the {self.campaign}'s bench did not end its {self.unit} {number}")
