"""A data directory as a hub leaves it, copies of it, and what was put back.

`template`, `data`, `place` and `made` are fixtures, to be imported by name.
"""

import contextlib
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.backups import Made, Schedule, changing_backups
from diadema.base.paths import DataDir
from diadema.maintenance.backup import back_up, check
from diadema.maintenance.restore import Restored, restore

from tests.support.reported_day import stations
from tests.support.scripted_station import T0, FixedClock

ME = Person(id="shell:yo", name="Yo", role="service")
WORDS = b"cinco palabras que nadie adivina"
YEARS = 365 * 86_400_000
NOW = FixedClock(T0 + 3 * YEARS)
LIMA = ZoneInfo("America/Lima")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """A directory as a hub leaves it, with files of every kind."""
    made = stations(tmp_path_factory.mktemp("template") / "hub")
    credentials.load_or_create(made)
    Accounts(made).close()
    for path, content in ((made.keys, "{}"), (made.tls / "ca.key", "secret"),
                          (made.images / "a.bin", "x" * 3_000_000), (made.log("ingest"), "said"),
                          (made.reports / "schedules.json", "[]"), (made.ports, "{}"),
                          (made.nats / "jetstream" / "1.blk", "event"),
                          (made.simulated / "DIA-0ed1ad000001" / "journal.bin", "old"),
                          (made.rollups, "sums")):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return made


@pytest.fixture
def data(template: DataDir, tmp_path: Path) -> DataDir:
    return DataDir(shutil.copytree(template.root, tmp_path / "hub"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where backups lie."""
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


@pytest.fixture
def made(data: DataDir, place: Path) -> Path:
    file = place / "a.backup"
    back_up(data, file, WORDS, NOW, ME)
    return file


def put_back(
    file: Path, tmp_path: Path, name: str = "new", **more: Any
) -> tuple[DataDir, Restored]:
    data = DataDir(tmp_path / name)
    return data, restore(file, WORDS, data, NOW, ME, **more)


def raw(data: DataDir) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(data.store)) as tx:
        return [body for (body,) in tx.execute("SELECT body FROM events ORDER BY s, e, n")]


def faults(file: Path, words: bytes = WORDS) -> str:
    return " ".join(map(str, check(file, words).faults))


def flipped(path: Path, at: int) -> None:
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1
    path.write_bytes(whole)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=LIMA).timestamp() * 1000)


def ordered(place: Path, since: int, **more: Any) -> Schedule:
    return Schedule(**{"folder": str(place), "at": "03:00", "number": 2, "days": 0,
                       "since_ms": since} | more)  # fmt: skip


def remember_backup(data: DataDir, made_ms: int, size: int = 1) -> None:
    """One that the directory remembers."""
    made = Made("/b/d.backup", size, made_ms, 0, 0)
    with changing_backups(data) as known:
        known.last = made
