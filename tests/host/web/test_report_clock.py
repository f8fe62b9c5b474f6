"""Scheduled reports in the web: a folder that cannot be used, a process that is killed."""

import os
from concurrent.futures import BrokenExecutor
from datetime import date
from pathlib import Path

import pytest
from diadema.access import Accounts
from diadema.base.clock import SharedClock
from diadema.base.paths import DataDir
from diadema.report.schedule import Schedule, add, runs
from diadema.site.directory.people_of import CachedPeople
from diadema.web.floor.feed import Pace
from diadema.web.web_app import ReportClock
from diadema.web.worker import Worker

from tests.support import reported_day
from tests.support.scripted_station import T0


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    data: DataDir = reported_day.stations(tmp_path)
    return data


def clock(place: DataDir) -> ReportClock:
    shared = SharedClock(place.root / "clock", create=True)
    shared.set(T0 + 2 * 86_400_000, 0)
    people = CachedPeople(place)
    return ReportClock(
        place, Pace(shared), Worker(), Accounts(place), lambda: people.on(date(2026, 11, 20))
    )


def order(place: DataDir, name: str = "diario") -> None:
    one = Schedule(name=name, kind="llamadas", every="day", at="06:00", form="json", since_ms=T0)
    add(place, one, "es")


async def test_what_is_due_is_made(place: DataDir) -> None:
    mine = clock(place)
    await mine.look()
    order(place)
    await mine.look()
    assert [run.state for run in runs(place)] == ["done", "late"] and mine.trouble == ""


async def test_a_folder_that_cannot_be_read_is_told_and_looked_at_again(place: DataDir) -> None:
    mine = clock(place)
    order(place)
    wrong = place.reports / "runs.json"
    wrong.write_text("{")
    await mine.look()
    assert "runs.json" in mine.trouble
    wrong.unlink()
    await mine.look()
    assert mine.trouble == "" and runs(place)


async def test_a_process_that_is_killed_is_another_one_next_time() -> None:
    worker = Worker()
    with pytest.raises(BrokenExecutor):
        await worker.ask(os._exit, 3)
    assert await worker.ask(os.getpid) != os.getpid()
    worker.close()
