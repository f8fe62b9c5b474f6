"""A small day replayed whole: real firmware, real hub and gateway, and what is done to them."""

import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from diadema.exchange.bank_rows import clock_text
from diadema_sim import bank_log
from diadema_sim.centre import Centre
from diadema_sim.replay import (
    ReplayOptions,
    Watcher,
    Workday,
    agree,
    run_replay,
)
from diadema_sim.switched_workday import SwitchedWorkday
from diadema_sim.witness import Witnessed

JERUSALEM = ZoneInfo("Asia/Jerusalem")
HEADER = "call_id\ttype\tdate\tvru_entry\toutcome\tser_start\tser_exit\tserver"
NIGHT = 85_400  # a short day: what lies before its first call is not simulated
# (agent, type, start, seconds); LATE's day ends after midnight
CALLS = [
    ("AVNI", "PS", NIGHT, 61),
    ("AVNI", "NW", NIGHT + 61, 0),
    ("AVNI", "IN", NIGHT + 61, 1),
    ("AVNI", "NE", NIGHT + 62, 2),
    ("AVNI", "TT", NIGHT + 100, 240),
    ("AVNI", "PE", NIGHT + 540, 30),
    ("AVNI", "??", NIGHT + 840, 15),
    ("LATE", "PS", NIGHT, 0),
    ("LATE", "PS", NIGHT + 200, 500),
    ("LATE", "NW", 86_350, 95),
]
PATIENT_S = 120  # of a command, on a busy machine
IMPOSSIBLE = [("AVNI", "PS", NIGHT + 30, 5), ("NO_SERVER", "PS", NIGHT, 5)]


@pytest.fixture
def day(tmp_path: Path) -> bank_log.BankDay:
    lines = [HEADER]
    for server, kind, start, seconds in CALLS + IMPOSSIBLE:
        times = f"{clock_text(start)}\tAGENT\t{clock_text(start)}\t{clock_text(start + seconds)}"
        lines.append(f"7\t{kind}\t990201\t{times}\t{server}")
    path = tmp_path / "log.tsv"
    path.write_text("\n".join(lines) + "\n")
    return bank_log.read_day(path, "990201")


type Deed = Callable[[Centre, str], Coroutine[None, None, None]]


class Trouble(Watcher):
    """Does each deed the first time that a station journals that kind for that line's call."""

    def __init__(self, deeds: dict[tuple[str, int], Deed]) -> None:
        self.left = deeds

    async def begun(self, centre: Centre, workday: Workday) -> None:
        def look(station: str, seen: Witnessed) -> None:
            line = seen.event.get("c", "").rpartition("-")[2]
            deed = line and self.left.pop((seen.event["k"], int(line)), None)
            if deed:
                centre.world.spawn(deed(centre, station))

        centre.world.witness.listeners.append(look)


async def kill_hub(centre: Centre, station: str) -> None:
    assert centre.processes.hub.pid
    os.kill(centre.processes.hub.pid, signal.SIGKILL)


async def kill_gateway(centre: Centre, station: str) -> None:
    assert centre.processes.gateway.pid
    os.kill(centre.processes.gateway.pid, signal.SIGKILL)


async def cut(centre: Centre, station: str) -> None:
    await centre.world.stations[station].power_cut()


async def cut_briefly(centre: Centre, station: str) -> None:
    await centre.world.stations[station].power_cut()
    await centre.world.stations[station].power_on()


def check(summary: dict[str, Any], *, without: int = 0) -> None:
    assert agree(summary), summary
    assert (summary["lost"], summary["doubled"]) == (0, 0)
    assert summary["events_journaled"] == summary["events_stored"] > 0
    assert [row["line"] for row in summary["impossible"]] == [12, 13]
    assert summary["total"]["contacts"] == len(CALLS) - without


async def test_every_second_of_the_log_is_in_the_store(day: bank_log.BankDay) -> None:
    summary = await run_replay(ReplayOptions(day, JERUSALEM), Watcher())
    check(summary)
    assert summary["agents"] == [
        {"agent": "AVNI", "contacts": 7, "talk_s": 349, "file_contacts": 7, "file_talk_s": 349},
        {"agent": "LATE", "contacts": 3, "talk_s": 595, "file_contacts": 3, "file_talk_s": 595},
    ]
    assert (summary["undelivered"], summary["interrupted"]) == ([], [])


async def test_the_same_by_an_exchange_and_the_bridge_to_it(day: bank_log.BankDay) -> None:
    """Calls without a second between them too: the next caller waits until the agent is free."""
    summary = await run_replay(
        ReplayOptions(day, JERUSALEM, command_limit_s=PATIENT_S, switch=True), Watcher()
    )
    check(summary)
    assert summary["undelivered"] == []
    assert summary["typified"] == len(CALLS)
    assert (summary["switch_calls"], summary["switch_different"]) == (len(CALLS), 0)


class BusyTelephone(Watcher):
    """That of the first agent, until one call has come to nothing by it."""

    async def begun(self, centre: Centre, workday: Workday) -> None:
        assert isinstance(workday, SwitchedWorkday)
        telephone = workday.exchange.core.devices["PJSIP/201"]
        telephone.mode = "busy"

        def look(station: str, seen: Witnessed) -> None:
            if seen.event["k"] == "contact.ended" and seen.event["by"] == "technical":
                telephone.mode = "auto"

        centre.world.witness.listeners.append(look)


async def test_a_call_whose_telephone_is_not_there_is_left_out(day: bank_log.BankDay) -> None:
    summary = await run_replay(
        ReplayOptions(day, JERUSALEM, command_limit_s=PATIENT_S, switch=True), BusyTelephone()
    )
    assert [row["line"] for row in summary["undelivered"]] == [2]
    check(summary, without=1)
    assert (summary["switch_calls"], summary["switch_different"]) == (len(CALLS), 0)


@pytest.mark.parametrize(
    "deeds",
    [
        {("contact.offered", 6): kill_gateway, ("wrapup.ended", 6): kill_hub},
        {("contact.answered", 6): kill_hub, ("contact.ended", 7): kill_gateway},
    ],
)
async def test_a_killed_host_loses_and_doubles_nothing(
    day: bank_log.BankDay, deeds: dict[tuple[str, int], Deed]
) -> None:
    trouble = Trouble(deeds)
    summary = await run_replay(ReplayOptions(day, JERUSALEM), trouble)
    assert not trouble.left
    check(summary)
    assert (summary["undelivered"], summary["interrupted"]) == ([], [])


async def test_a_power_cut_changes_only_the_contact_that_it_falls_in(
    day: bank_log.BankDay,
) -> None:
    trouble = Trouble(
        {
            ("contact.answered", 6): cut,
            ("wrapup.ended", 7): cut,
            ("contact.answered", 10): cut_briefly,
        }
    )
    summary = await run_replay(ReplayOptions(day, JERUSALEM), trouble)
    assert not trouble.left
    check(summary, without=2)
    calls = [{"line": line, "call_id": "7"} for line in (6, 10)]
    assert sorted(summary["interrupted"], key=lambda row: row["line"]) == calls


class StoppedGateway(Watcher):
    """Stops the gateway in a call, and lets it go on when the next one was given up."""

    stopped: int | None = None

    async def begun(self, centre: Centre, workday: Workday) -> None:
        self.centre, self.workday = centre, workday
        centre.world.witness.listeners.append(self.look)

    def look(self, station: str, seen: Witnessed) -> None:
        if seen.event["k"] == "contact.answered" and seen.event["c"] == "990201-7":
            self.stopped = self.centre.processes.gateway.pid
            assert self.stopped
            os.kill(self.stopped, signal.SIGSTOP)

    def call_done(self) -> None:
        if self.stopped and self.workday.deviations.undelivered:
            os.kill(self.stopped, signal.SIGCONT)
            self.stopped = None


async def test_a_contact_that_cannot_be_delivered_is_listed(day: bank_log.BankDay) -> None:
    summary = await run_replay(ReplayOptions(day, JERUSALEM, command_limit_s=2), StoppedGateway())
    undelivered = summary["undelivered"]
    assert undelivered[0]["line"] == 8 and "not answered within 2 s" in undelivered[0]["why"]
    check(summary, without=len(undelivered))
    assert len(undelivered) < 3
