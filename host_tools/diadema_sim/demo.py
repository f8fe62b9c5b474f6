"""Runs with scripted people: `demo` in front of somebody, `sim` for any length and speed, and the
summary of a run: a JSON object for scripts, a short table for people.
"""

import asyncio
import time
import webbrowser
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from diadema_sim import people
from diadema_sim.behaviour import BANK_1999_02, Behaviour
from diadema_sim.build import SIM, SimBoard
from diadema_sim.centre import VISITOR, Centre, open_centre
from diadema_sim.shift import Shift
from diadema_sim.witness import Comparison

ZONE = "America/Lima"
SITE = "Centro Muestra"
_OPENS = 9  # local hour at which a run that is not in real time begins


def shift_summary(centre: Centre, found: Comparison) -> dict[str, Any]:
    """Of a run with scripted people: events against the witness, contacts from the store."""
    contacts = centre.contacts()
    return {
        "stations": len(centre.agents),
        "events_journaled": found.journaled,
        "events_stored": found.stored,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "contacts": sum(contact.outcome == "answered" for contact in contacts),
        "typified": sum(contact.how in ("agent", "favourite") for contact in contacts),
    }


def print_shift(console: Console, summary: dict[str, Any]) -> None:
    table = Table("what", "n", show_header=False)
    for key, value in summary.items():
        table.add_row(key.replace("_", " "), str(value))
    console.print(table)


@dataclass(frozen=True)
class ShiftOptions:
    """`speed`: 1 real time, N times it, 0 as fast as the work allows. `seconds` of the run."""

    stations: int
    seed: int
    seconds: float | None = None
    speed: float = 1.0
    pace: float = 1.0
    busiest_hour: bool = False
    behaviour: Behaviour = BANK_1999_02
    data: Path | None = None
    web_port: int = 0
    browser: bool = False
    boards: Sequence[SimBoard] = (SIM,)  # in turn


async def run_shift(options: ShiftOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """The whole run. `say` gets lines for whoever watches; the summary is for scripts."""
    start_ms = _start_ms(options.speed)
    desks = people.desks(options.stations)
    say(f"starting {options.stations} stations and their hub")
    async with open_centre(
        desks,
        name=SITE,
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=start_ms,
        data=options.data,
        web_port=options.web_port,
        boards=options.boards,
        selftest=True,
    ) as centre:
        await centre.switch_on()
        say(f"wallboard  {centre.web}/wall")
        say(f"floor      {centre.web}/")
        say(f"user       {VISITOR}, password {centre.password}")
        say(f"or at once {centre.entry_link()}")
        if options.browser:
            await asyncio.to_thread(webbrowser.open, centre.entry_link())
        shift = Shift(
            centre,
            seed=options.seed,
            zone=ZONE,
            behaviour=options.behaviour,
            pace=options.pace,
            hour=options.behaviour.busiest_hour if options.busiest_hour else None,
        )
        seconds = float("inf") if options.seconds is None else options.seconds
        await shift.run(centre.world.now_ms() + 1000 * seconds, options.speed)
        say("agents gone; waiting until everything is stored")
        await centre.drain()
        return shift_summary(centre, centre.compare())


def _start_ms(speed: float) -> int:
    if speed == 1.0:
        return int(time.time() * 1000)
    opening = datetime.now(ZoneInfo(ZONE)).replace(hour=_OPENS, minute=0, second=0, microsecond=0)
    return int(opening.timestamp() * 1000)
