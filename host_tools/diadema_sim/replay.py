"""`diadema replay`, from start to summary: a real day through simulated stations, then the store's
figures beside the same ones counted straight from the file.
"""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from diadema import metrics
from diadema.base.errors import DiademaError
from diadema.store import Contact

from diadema_sim import people
from diadema_sim.bank import BankDay
from diadema_sim.centre import Centre, open_centre
from diadema_sim.switching import Absence, LinkSwitcher, plan
from diadema_sim.timeline import HOLD_LIMIT_S
from diadema_sim.workday import Workday, start_utc_ms

SITE = "Anonymous Bank"


@dataclass(frozen=True)
class ReplayOptions:
    """`zone`: whose local times the log has. `data` None: a new directory, removed at the end.

    `command_limit_s`: real time that a command may take before its contact is given up.
    `link_rounds`: how often each station goes over to Wi-Fi and back, when `seed` says.
    """

    day: BankDay
    zone: ZoneInfo
    data: Path | None = None
    web_port: int = 0
    command_limit_s: float = HOLD_LIMIT_S
    link_rounds: int = 0
    seed: int = 1


class Watcher:
    """What a run tells whoever watches it; made to be overridden."""

    def stage(self, text: str) -> None:
        """The run goes on to this."""

    def call_done(self) -> None:
        """One more call of the log is over."""

    async def begun(self, centre: Centre, workday: Workday) -> None:
        """Everything is up, and the day begins as soon as this returns."""


async def run_replay(options: ReplayOptions, watcher: Watcher) -> dict[str, Any]:
    """The whole run and what came of it. Raises DiademaError when it cannot be run."""
    day = options.day
    desks = people.bank_desks(sorted(day.calls))
    if not desks:
        raise DiademaError(f"no agent served a call on {day.day:%d %b %Y}; take another day")
    watcher.stage("starting")
    async with open_centre(
        desks,
        name=SITE,
        zone=str(options.zone),
        tree=people.BANK_TREE,
        start_utc_ms=start_utc_ms(day, options.zone),
        data=options.data,
        web_port=options.web_port,
        wifi=options.link_rounds > 0,
    ) as centre:
        await centre.switch_on()
        watcher.stage(f"floor at {centre.web}/")
        workday = Workday(centre, day, options.zone, watcher.call_done, options.command_limit_s)
        switcher = LinkSwitcher(centre, _plans(centre, workday, options))
        await watcher.begun(centre, workday)
        await workday.run(switcher.acts())
        watcher.stage("waiting until everything is stored")
        await centre.drain()
        return _summary(centre, day, workday) | (switcher.summary() if options.link_rounds else {})


def _plans(centre: Centre, workday: Workday, options: ReplayOptions) -> dict[str, list[Absence]]:
    """When each station leaves its cable."""
    return {
        desk.station.id: plan(
            workday.talks_ms(desk),
            options.link_rounds,
            random.Random(f"{options.seed} {desk.desk.seat}"),
        )
        for desk in centre.desks
    }


def _summary(centre: Centre, day: BankDay, workday: Workday) -> dict[str, Any]:
    names = {desk.desk.person.id: desk.desk.person.name for desk in centre.desks}
    contacts = centre.contacts()
    found = centre.compare()
    return {
        **figures(day, contacts, names, workday.outcome.left_out()),
        "impossible": [
            {"line": row.line, "call_id": row.call_id, "why": row.why} for row in day.impossible
        ],
        "hang": day.hang,
        "phantom": day.phantom,
        "undelivered": workday.outcome.undelivered,
        "interrupted": workday.outcome.interrupted,
        "typified": sum(contact.how in ("agent", "favourite") for contact in contacts),
        "events_journaled": found.journaled,
        "events_stored": found.stored,
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "waited_in_vain": centre.world.timeline.overdue,
    }


def figures(
    day: BankDay, contacts: list[Contact], names: dict[str, str], left_out: set[int]
) -> dict[str, Any]:
    """`agents` and `total`: what the store says beside the file, contacts left out of both.

    `names`: the log's name of each agent id. A contact's id ends with its line.
    """
    stored: dict[str, list[int]] = {name: [] for name in day.calls}
    for contact in contacts:
        line = int(contact.contact.rpartition("-")[2])
        if contact.outcome == "answered" and line not in left_out:
            stored[names[contact.agent]].append(metrics.talk_s(contact))
    agents = []
    for name, calls in day.calls.items():
        talks = [call.talk_s for call in calls if call.line not in left_out]
        agents.append(
            {
                "agent": name,
                "contacts": len(stored[name]),
                "talk_s": sum(stored[name]),
                "file_contacts": len(talks),
                "file_talk_s": sum(talks),
            }
        )
    keys = ("contacts", "talk_s", "file_contacts", "file_talk_s")
    return {"agents": agents, "total": {key: sum(row[key] for row in agents) for key in keys}}


def agree(figures: dict[str, Any]) -> bool:
    """Whether store and file say the same of every agent."""
    return all(
        row["contacts"] == row["file_contacts"] and row["talk_s"] == row["file_talk_s"]
        for row in figures["agents"]
    )
