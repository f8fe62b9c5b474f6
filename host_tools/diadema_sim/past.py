"""The past of a demo: today until now, made before its hub starts, and the month before, made
while it runs and kept in the user's cache for the next time.

    python -m diadema_sim.past DATA STATIONS TODAY SEED DAY…

makes the days named, brings each into the hub that runs on DATA, and adds them to the cache; each
line that it prints says how many are done. It ends with its standard input.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import date, datetime, time, timedelta
from importlib.metadata import version
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import nats
from diadema.access import Accounts
from diadema.access.book import random_password
from diadema.base import credentials
from diadema.base.clock import Clock
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir, write_whole
from diadema.cli.run import run_until_signal
from diadema.exchange.queue_log_import import import_queue_log
from diadema.figures.roll import roll
from diadema.hub.own_journal import ME
from diadema.ingest.core import Ingest
from diadema.ingest.messages import PREFIX, Message, subject_of
from diadema.quality.kept_draws import SAMPLE_FILES
from diadema.recordings import settings
from diadema.recordings.index import Index
from diadema.site.description import load
from diadema.store import open_reader, open_writer
from diadema.wire.ask_hub import ask_hub
from platformdirs import user_cache_path

from diadema_sim import sample_assistance as assistance
from diadema_sim import sample_quality
from diadema_sim.ending import to_the_end
from diadema_sim.history import Day, day_of, epoch_of
from diadema_sim.past_host import HUB
from diadema_sim.sample_centre import PAST_DAYS, STAFF, Roster, write_directory

FORM = 4  # of what is made here; another one is made anew
SEED = 1  # of the past that is kept
ZONE = ZoneInfo("America/Lima")
_PARTS = ("store.sqlite3", "rollups.sqlite3", "secrets.json", "records.key")
_SAMPLES, _RECORDINGS = "samples", "recordings"  # what draws were made from; sound of some calls
_DAYS = "days.json"
_MOST_DAYS = 90  # in a cache; then it begins anew
_LOG = "queue_log"


def cache_folder() -> Path:
    """Where the month is kept, by version."""
    return _caches() / f"{version('diadema')}-{FORM}"


def _caches() -> Path:
    return user_cache_path("diadema", appauthor=False) / "demo"


def remove_cache() -> list[Path]:
    """Of every version; gives what was there."""
    found = sorted(_caches().glob("*-*"))
    shutil.rmtree(_caches(), ignore_errors=True)
    return found


class Fixed:
    """A clock that stands."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


def restore(data: DataDir, today: date, seed: int) -> list[date]:
    """What the cache has of the month, with its secrets, by which a site is written; gives the
    days of the month that it lacks, the newest first.
    """
    there = _copy(cache_folder(), data) if seed == SEED else set()
    month = (today - timedelta(days=back) for back in range(1, PAST_DAYS + 1))
    return [day for day in month if day not in there]


def begin(data: DataDir, roster: Roster, now_ms: int, seed: int) -> None:
    """Directory, and today until now. No hub may run there."""
    write_directory(data, roster, now_ms)
    with closing(Accounts(data)) as accounts:  # the hub may have calls to give them at once
        assistance.hire(accounts, random_password())
    until_s = now_ms // 1000 - int(_midnight(roster.today).timestamp())
    today = day_of(
        roster.today,
        ZONE,
        roster.workers(roster.today),
        seed=seed,
        until_s=until_s,
        vanish=(roster.unreachable.person.id,),
        idle=roster.idle(),
    )
    away = {desk.station for desk in roster.everybody[roster.stations :]}
    _store(data, today, log_of(data), Fixed(now_ms), away)


def _copy(cache: Path, data: DataDir) -> set[date]:
    """The days that are there now: none if another demo takes it away at this moment."""
    days = days_of(cache)
    try:
        for name in _PARTS if days else ():
            shutil.copy(cache / name, data.root / name)
        if days:
            shutil.copytree(cache / _SAMPLES, data.samples, dirs_exist_ok=True)
    except (FileNotFoundError, shutil.Error):
        for name in _PARTS:
            (data.root / name).unlink(missing_ok=True)
        return set()
    return days


def log_of(data: DataDir) -> Path:
    """The switch's log, which the run goes on with."""
    return data.root / _LOG


def days_of(cache: Path) -> set[date]:
    """Which days it has."""
    try:
        days = msgspec.json.decode((cache / _DAYS).read_bytes(), type=list[date])
    except (OSError, msgspec.DecodeError):
        return set()
    return set(days)


async def complete(data: DataDir, roster: Roster, seed: int, days: Sequence[date]) -> None:
    """Bring these days into the hub, and keep them."""
    clock = Fixed(int(1000 * _midnight(roster.today).timestamp()))
    cache = cache_folder() if seed == SEED else None
    with tempfile.TemporaryDirectory(prefix="past-", dir=data.root) as logs, ExitStack() as stack:
        made = stack.enter_context(_addition(cache, data, roster, clock)) if cache else None
        done: list[date] = []
        try:
            for day in days:
                past = await asyncio.to_thread(day_of, day, ZONE, roster.workers(day), seed=seed)
                work = [_send(data, past, Path(logs) / f"{_LOG}.{day}", clock)]
                if made is not None:
                    into = asyncio.to_thread(_store, made, past, log_of(made), clock)
                    work.append(to_the_end(into))
                await asyncio.gather(*work)
                done.append(day)
                print(len(done), flush=True)
            if made is not None:
                lines = await to_the_end(asyncio.to_thread(_work_of_quality, made, roster, data))
                await _keep_copy(data, ME, lines)
                await to_the_end(asyncio.to_thread(_roll, made, clock))
        finally:  # of a month that was broken off, what is whole
            if cache is not None and made is not None and done:
                await to_the_end(asyncio.to_thread(_keep, made, cache, done))


@contextmanager
def _addition(
    cache: Path, data: DataDir, roster: Roster, clock: Clock
) -> Iterator[DataDir | None]:
    """A copy of the cache to add to, with this site and directory; None while another demo does
    the same.
    """
    cache.parent.mkdir(parents=True, exist_ok=True)
    made = DataDir(cache.with_name(f"{cache.name}.new"))
    try:
        with locked(cache.parent / "lock", note=f"pid {os.getpid()}"):
            try:
                shutil.rmtree(made.root, ignore_errors=True)  # of one that was killed
                made.make()
                if len(days_of(cache)) < _MOST_DAYS:
                    for name in (*_PARTS, _DAYS):
                        with suppress(FileNotFoundError):
                            shutil.copy(cache / name, made.root / name)
                    with suppress(FileNotFoundError):
                        shutil.copytree(cache / _SAMPLES, made.samples)
                shutil.copy(data.site, made.site)
                write_directory(made, roster, clock.now_ms())
                yield made
            finally:
                shutil.rmtree(made.root, ignore_errors=True)
    except AlreadyLocked:
        yield None


def _work_of_quality(made: DataDir, roster: Roster, data: DataDir) -> list[bytes]:
    """Draws and evaluations of the month, and the sound of some calls. What the hub that runs on
    `data` lacks of it: all that was said of them, unless that one began with a part of it.
    """
    with open_reader(made.store) as reader:
        is_known = ME in reader.stations()
    made.samples.mkdir(exist_ok=True)
    first = roster.today - timedelta(days=PAST_DAYS)
    agents = [desk.person.id for desk in roster.everybody[:STAFF]]
    sample_quality.play(made, ZONE, first, roster.today, agents)
    sample_quality.record(made, made.root / _RECORDINGS)
    if is_known:
        return []
    data.samples.mkdir(exist_ok=True)
    for path in made.samples.iterdir():
        if path.suffix in SAMPLE_FILES:
            shutil.copy(path, data.samples / path.name)
    return sample_quality.lines_for_another(made)


def _roll(made: DataDir, clock: Clock) -> None:
    while not roll(made, clock.now_ms()).done:
        pass


def _keep(made: DataDir, cache: Path, days: Sequence[date]) -> None:
    """It takes the place of the one before."""
    known = days_of(made.root) | {*days}
    write_whole(made.root / _DAYS, msgspec.json.encode(sorted(known)))
    for path in made.root.iterdir():
        if path.name not in (*_PARTS, _DAYS, _SAMPLES, _RECORDINGS):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for old in cache.parent.iterdir():
        if old.is_dir() and old != made.root:
            shutil.rmtree(old, ignore_errors=True)
    made.root.rename(cache)


def journals(roster: Roster, seed: int, days: Sequence[date]) -> set[tuple[str, int]]:
    """Station and epoch of each that `complete` brings of these days, the hub's own too."""
    return {
        (s, epoch_of(seed, day, s))
        for day in days
        for s in (HUB, *(worker.station for worker, _ in roster.workers(day)))
    }


def _store(data: DataDir, day: Day, log: Path, clock: Clock, greet: Collection[str] = ()) -> None:
    """Into a store on which no hub runs. The stations that `greet` were connected, and are not any
    more: what still comes of days before is then known to be older.
    """
    with closing(open_writer(data.store)) as writer:
        ingest = Ingest(writer, load(data.site), clock)
        for journal in day.journals:
            subject = subject_of(journal.station)
            messages = [Message(0, subject, line) for line in journal.lines]
            if journal.station in greet:
                hello = {
                    "up": True, "s": journal.station, "e": journal.epoch, "last": len(messages),
                    "acked": len(messages), "b": 1, "firmware": "0.1.0", "board": "sim",
                }  # fmt: skip
                link = f"{PREFIX}{journal.station}.st.wifi"
                greeting, end = (
                    Message(0, link, msgspec.json.encode(one)) for one in (hello, {"up": False})
                )
                messages = [greeting, *messages, end]
            ingest.take_file(messages)
        ingest.take_file([Message(0, subject_of(HUB), line) for line in day.host])
    log.write_text("".join(f"{line}\n" for line in day.log))
    import_queue_log([log], data, clock)


def show_recordings(data: DataDir, now_ms: int) -> None:
    """To the hub, which links those that the cache has. Of most calls there is none: it looks for
    those of the last two days alone.
    """
    folder = cache_folder() / _RECORDINGS
    if folder.is_dir():
        with Index(data.recordings_index) as index:
            index.note_looked(now_ms)
        settings.write(data, settings.Settings(folders=[str(folder)], zone=ZONE.key))


async def _send(data: DataDir, day: Day, log: Path, clock: Clock) -> None:
    """Through the hub; a person's day at once, so that nobody is at two seats meanwhile. What the
    hub of that day said lies where each hub keeps a copy of it, for a store that is restored.
    """
    for journal in day.journals:
        events = [line.decode() for line in journal.lines]
        await ask_hub(data, "hub.journal", {"s": journal.station, "events": events})
    await _keep_copy(data, HUB, day.host)
    log.write_text("".join(f"{line}\n" for line in day.log))
    await to_the_end(asyncio.to_thread(import_queue_log, [log], data, clock))
    log.unlink()


async def _keep_copy(data: DataDir, s: str, lines: Sequence[bytes]) -> None:
    hub = data.read_hub()
    assert hub is not None  # it has just answered
    password = credentials.load(data).host
    client = await nats.connect(hub.nats, user="host", password=password, allow_reconnect=False)
    try:
        for line in lines:
            await client.jetstream().publish(subject_of(s), line)
    finally:
        await client.close()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


if __name__ == "__main__":
    _root, _stations, _today, _seed, *_days = sys.argv[1:]
    run_until_signal(
        complete(
            DataDir(Path(_root)),
            Roster(int(_stations), date.fromisoformat(_today)),
            int(_seed),
            [date.fromisoformat(day) for day in _days],
        )
    )
