"""The journal's campaign: the real module in the VM, the flash cut at every byte it programs.

Each batch is a scripted day on a ring of some size, worked in a VM of its own by
`boards/sim/torture/bench.py`; as many run at a time as there are cores.

A scripted day is what a station's app does with its journal, in order. A line is `A event`
(append), `L event` (append of low value), `K lag` (the host acknowledges all but so many), `I`
(idle: erase ahead), `B` (restart), `W n` (the host was restored from a backup).
"""

import asyncio
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diadema_sim.build import build_firmware, on_vm, station_tree
from diadema_sim.torture.runner import BENCH_HEAP, Batches, Outcome, Plan

NAME = "journal"
_CAMPAIGN = Batches(
    NAME,
    "day",
    {
        "cut_points": "points",
        "in_later_boots": "second",
        "in_boot_scans": "scans",
        "flash_operations": "operations",
        "events": "events",
        "bad_sectors": "bad",
    },
)
_LEAST = 0.3  # of a large ring's day, or it would not get beyond its first sectors
_AGENT = "a001"


class _Station:
    """Numbers and clock of the events, compact as the firmware writes them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.boot = 1
        self.u = 0

    def line(self, kind: str, *, low_value: bool = False, **fields: Any) -> bytes:
        self.u += self.chance.randrange(50, 90_000)
        event = {"k": kind, **fields, "b": self.boot, "u": self.u, "t": 1_770_037_200_000 + self.u}
        return (b"L " if low_value else b"A ") + json.dumps(event, separators=(",", ":")).encode()

    def restart(self) -> Iterator[bytes]:
        self.boot += 1
        self.u = 0
        yield b"B"
        yield self.line("station.booted", cause="power_on", firmware="0.1.0", board="sim", torn=0)


def day(
    seed: int, contacts: int, *, link: str = "up", rewinds: bool = False, restarts: float = 0.1
) -> list[bytes]:
    """`link`: "up" (acknowledged every few events), "late" (in large steps), "none".

    `restarts`: how often the power goes, a contact.
    """
    chance = random.Random(f"{seed} day")
    station = _Station(chance)
    lines = [*station.restart(), station.line("session.opened", a=_AGENT, method="badge")]
    for number in range(contacts):
        for line in _contact(station, number):
            lines.append(line)
            if link == "up" and chance.random() < 0.4:
                lines.append(b"K %d" % chance.choice((0, 0, 1, 3)))
            elif link == "late" and chance.random() < 0.02:
                lines.append(b"K %d" % chance.randrange(40))
        if chance.random() < 0.7:
            lines.append(b"I")
        if number % 9 == 8:
            lines.append(station.line("station.health", low_value=True, heap=91_000, journal=3))
        if chance.random() < restarts:
            lines += station.restart()
        if rewinds and chance.random() < 0.1:
            lines.append(b"W %d" % chance.randrange(60))
    return lines


def _contact(station: _Station, number: int) -> Iterator[bytes]:
    chance = station.chance
    contact: dict[str, Any] = {"a": _AGENT, "c": f"c{number:05}"}
    queue = chance.choice(("Banca", "Inglés", "Bolsa", "Digital", "Prospectos y otros más"))
    yield station.line(
        "contact.offered",
        **contact,
        via="host",
        direction="in",
        queue=queue,
        pbx=f"{chance.getrandbits(40):x}",
        i=number + 3,
    )
    if chance.random() < 0.1:
        yield station.line("contact.missed", **contact, cause="no_answer", ring_ms=20_000)
        return
    yield station.line("contact.answered", **contact, via="key", ring_ms=chance.randrange(9000))
    if chance.random() < 0.2:
        yield station.line("contact.muted", **contact, via="key")
        yield station.line("contact.unmuted", **contact, via="key")
    if chance.random() < 0.2:
        yield station.line("contact.held", **contact, via="key")
        yield station.line("contact.resumed", **contact, via="key")
    yield station.line("contact.ended", **contact, by="caller", on_hold=False)
    yield station.line("wrapup.started", **contact)
    yield station.line("contact.typified", **contact, code="211", version=1, how="agent")
    yield station.line("wrapup.ended", **contact, cause="typified")


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
    """All batches of scripted days, or what `plan.only` names of them."""
    outcome = Outcome(NAME)
    with tempfile.TemporaryDirectory(prefix="diadema-") as name:
        folder = Path(name)
        await asyncio.to_thread(build_firmware, folder / "firmware")
        await _CAMPAIGN.run(
            plan, len(_BATCHES), lambda number: _work(plan, number, folder, outcome)
        )
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
        **plan.only_cut,
    }
    rows = await in_vm(script, options)
    _CAMPAIGN.add(outcome, plan, number, f"{batch.sectors} sectors, seed {seed}", rows)


async def in_vm(script: Path, options: dict[str, object]) -> list[dict[str, Any]]:
    """The objects that the bench prints for one script: failures, then what it did."""
    bench = station_tree() / "boards" / "sim" / "torture" / "bench.py"
    script.with_suffix(".json").write_text(json.dumps(options))
    return await _CAMPAIGN.printed_by(on_vm(BENCH_HEAP, bench, script))
