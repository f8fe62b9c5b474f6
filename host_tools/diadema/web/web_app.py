"""The web's moving parts in one place: the floor, the feed, the streams, and the counters of them.

`Background` runs what goes on behind the pages: whatever one part raises, it begins again and the
others go on. `Rolling` keeps the roll-ups close to the store, and `ReportClock` has the scheduled
reports made when they fall due; both let the worker do it, which nobody waits for.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import BrokenExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection

from diadema.access import Accounts, real_now_ms
from diadema.access.audit import ALL, of_team
from diadema.access.authenticator import Authenticator
from diadema.access.roles import Person
from diadema.access.sign_on import SignOn
from diadema.base import credentials
from diadema.base.clock import Clock
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, Disk, Room
from diadema.base.standing import read_standing
from diadema.figures.roll import roll
from diadema.maintenance.standbys import Standbys
from diadema.report.delivery import deliver
from diadema.report.schedule import pending, run_due
from diadema.site.directory.people import People
from diadema.site.directory.people_of import CachedPeople
from diadema.web.faults.board import DESKS, Tickets
from diadema.web.faults.stream import TicketStream
from diadema.web.floor.adherence import Adherence
from diadema.web.floor.alert_hooks import AlertHooks
from diadema.web.floor.alerts import Watch
from diadema.web.floor.channel import Channel, Channels, Counts, Source, Stream
from diadema.web.floor.feed import (
    Feed,
    Floor,
    HubAbsent,
    HubSilent,
    NatsAbsent,
    Pace,
)
from diadema.web.floor.first_steps import FirstSteps, described
from diadema.web.floor.spied import Spied
from diadema.web.floor.unheeded import Unheeded
from diadema.web.floor.views import VIEWS
from diadema.web.help.board import Board
from diadema.web.help.stream import HelpStream
from diadema.web.recordings.hearings import Hearings
from diadema.web.settings import Settings
from diadema.web.worker import Worker
from diadema.wire.letters import encoded_fields
from diadema.words import text

_EVERY_S = 30.0
_LOOK_S = 5.0

log = logging.getLogger(__name__)

_FIRST_S = 0.5
_LONGEST_S = 30.0


class Background:
    """`failures` of all parts."""

    def __init__(self) -> None:
        self.failures = 0

    async def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do `work` until it ends by itself. An error is logged where it is another one than last
        time; each next start waits twice as long.
        """
        pause, logged = _FIRST_S, ""
        while True:
            try:
                await work()
                return
            except Exception as error:
                self.failures += 1
                if repr(error) != logged:
                    logged = repr(error)
                    log.exception("%s failed, and begins again", name)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_S)


class Rolling:
    def __init__(self, data: DataDir, pace: Pace, worker: Worker) -> None:
        self._data = data
        self._pace = pace
        self._worker = worker
        self._trouble = ""

    async def run(self) -> None:
        """The first time after a while, when whoever came first has been served."""
        while True:
            await asyncio.sleep(_EVERY_S)
            await self.catch_up()

    async def catch_up(self) -> int:
        """Work off what there is; gives the number of cells. An error is logged once."""
        cells = 0
        try:
            while self._data.store.exists():
                done = await self._worker.behind(roll, self._data, self._pace.now_ms())
                cells += done.cells
                if done.done or not done.cells:  # or another process does it
                    break
            self._trouble = ""
        except (DiademaError, OSError, BrokenProcessPool) as error:
            if str(error) != self._trouble:
                log.error("roll-ups: %s", error)
            self._trouble = str(error)
        return cells


class ReportClock:
    """`trouble`: why nothing can be made at all, for the page; empty when it can."""

    def __init__(
        self,
        data: DataDir,
        pace: Pace,
        worker: Worker,
        accounts: Accounts,
        people: Callable[[], People],
    ) -> None:
        self.trouble = ""
        self._data = data
        self._pace = pace
        self._worker = worker
        self._accounts = accounts
        self._people = people

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Make what is due now, and send what waits. A folder that cannot be used is logged once
        and tried again.
        """
        try:
            now_ms = self._pace.now_ms()
            if self._data.reports.exists() and pending(self._data, now_ms):
                for run in await self._worker.behind(run_due, self._data, now_ms):
                    log.info("scheduled report %s of %s: %s", run.name, run.span, run.state)
            if self._data.reports.exists():
                await deliver(self._data, self._accounts, self._people, now_ms)
            self.trouble = ""
        except (DiademaError, OSError, BrokenExecutor, SQLAlchemyError) as error:
            if str(error) != self.trouble:
                log.error("scheduled reports: %s", error)
            self.trouble = str(error)


class WebApp:
    """Made once; `running()` holds its tasks."""

    def __init__(self, settings: Settings, clock: Clock, build: str) -> None:
        self.settings = settings
        self.build = build
        self.pace = Pace(clock)
        self.data = DataDir(settings.data)
        self.floor = Floor(described(self.data))
        self.first_steps = FirstSteps(self.data)
        self.feed = Feed(
            settings.nats_url, settings.user, settings.password, self.floor, self.pace
        )
        self.commands = 0
        self.worker = Worker()
        self.accounts = Accounts(self.data)
        self.standbys = Standbys(self.data, self.accounts.tokens)
        self._disk = Disk(settings.data)
        self.authenticator = Authenticator(self.accounts, settings.token)
        self.sign_on = SignOn(
            settings.token, lambda: credentials.load(self.data).provider, real_now_ms
        )
        self._people = CachedPeople(self.data)
        self.reports = ReportClock(
            self.data, self.pace, self.worker, self.accounts, self.read_people
        )
        self.rolling = Rolling(self.data, self.pace, self.worker)
        down = self.feed.down_since
        self.watch = Watch(self.floor, self.pace, self.people, self.today, down)
        self.unheeded = Unheeded(self.data, self.pace.now_ms, self.people)
        self.spied = Spied(self.data, self.pace.now_ms, self.people)
        self.watch.others += [self.unheeded.alerts, self.spied.alerts]
        self.hooks = AlertHooks(self.data, self.watch, self.pace, self.accounts)
        self.adherence = Adherence(self.floor, self.pace, self.people, self.today, down)
        self.help = Board(self.data, self.accounts, self.floor)
        self.faults = Tickets(
            self.data, self.accounts, self.floor, self.pace.now_ms, self.midnight_ms
        )
        self.hearings = Hearings(self.data, self.feed.request, self.authenticator.watch)
        self._source = Source(self.floor, self.pace, down, build, self.people, self._why)
        self.channels = Channels(self._stream)
        self.background = Background()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        work = {
            "feed": self.feed.run,
            "channels": self.channels.beat,
            "watch": self.watch.run,
            "unheeded": self.unheeded.run,
            "spied": self.spied.run,
            "hearings": self.hearings.run,
            "help": self.help.run,
            "faults": self.faults.run,
            "adherence": self.adherence.run,
            "authenticator": self.authenticator.run,
            "reports": self.reports.run,
            "webhooks": self.hooks.run,
            "rolling": self.rolling.run,
            "register": lambda: self.watch.remember(self.data),
        }
        keep = self.background.keep
        tasks = [asyncio.create_task(keep(name, one)) for name, one in work.items()]
        try:
            yield
        finally:
            self.worker.close()
            self.hearings.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.accounts.close()

    def people(self) -> People:
        """As they are today in the site's zone; read again when anybody changed something."""
        return self._people.on(self.today())

    def read_people(self) -> People:
        """The same; raises DiademaError where they cannot be read, instead of what was known."""
        return self._people.read(self.today())

    def room(self) -> Room | None:
        """Of the disk of the data; None when it cannot be read."""
        try:
            return self._disk.look()
        except DiademaError:
            return None

    def _why(self) -> str | None:
        room = self.room()
        return "disk" if room is not None and room.low else None

    @property
    def zone(self) -> ZoneInfo:
        """By which days are cut."""
        return ZoneInfo(self.floor.site.zone)

    def moment(self) -> datetime:
        """Now, in the site's zone."""
        return datetime.fromtimestamp(self.pace.now_ms() / 1000, UTC).astimezone(self.zone)

    def today(self) -> date:
        return self.moment().date()

    def midnight_ms(self) -> int:
        """When today began at the site, UTC."""
        return int(datetime.combine(self.today(), time(), self.zone).timestamp() * 1000)

    def _stream(self, view: str, whose: Any, counts: Counts) -> Stream:
        """That of a view of the floor for some teams; of calls for help, or tickets, for a
        person.
        """
        if view == "help":
            return HelpStream(self._source, self.help, self.moment, whose, counts)
        if view in DESKS:
            return TicketStream(self._source, self.faults, view, whose, counts)
        return Channel(VIEWS[view], self._source, self.watch, self.adherence, whose, counts)

    def audit(self, person: Person, what: str, agents: Iterable[str] = ()) -> None:
        """Note that this person has read or changed something of these agents; `ALL` of them where
        everything allowed was seen: then the teams are noted. Raises AuditFull, which is
        answered with a 503.
        """
        names = [*agents]
        if names == [*ALL] and (teams := person.scope(self.people())) is not None:
            names = [of_team(team) for team in teams]
        self.accounts.audit.note(person, what, names)

    def held(self, language: str) -> list[str]:
        """That nothing goes out of what was put back from a backup; empty where it does. Raises
        DiademaError.
        """
        is_held = read_standing(self.data).trial
        return [text("commands.restore.trial", language, root="DIR")] if is_held else []

    def live_rows(self) -> list[dict[str, Any]]:
        rows = sorted(self.floor.rows.values(), key=lambda row: (row.name.casefold(), row.agent))
        people = self.people()
        return [
            {
                **encoded_fields(row.shown()),
                "queue": row.queue and people.queue(row.queue, row.since),
            }
            for row in rows
        ]

    async def status(self) -> dict[str, Any]:
        """The web's own counters, and the hub's as it tells them (null if it does not)."""
        try:
            hub: dict[str, Any] | None = await self.feed.request("hub.status", {})
        except (HubAbsent, HubSilent, NatsAbsent):
            hub = None
        return {
            "now": self.pace.now_ms(),
            "live": self.feed.down_since() is None,
            "down_since": self.feed.down_since(),
            "nats": self.feed.connected,
            "disk": self.room(),
            "build": self.build,
            "agents": len(self.floor.rows),
            "states": self.floor.by_state(),
            "changes": self.floor.changes,
            "rejected": self.floor.rejected,
            "viewers": {name: len(c.viewers) for name, c in self.channels.counts.items()},
            "given_up": {name: c.given_up for name, c in self.channels.counts.items()},
            "hub": hub,
        }


def web_app_of(connection: HTTPConnection) -> WebApp:
    """The one that serves this request or socket; a FastAPI dependency."""
    web_app: WebApp = connection.app.state.web_app
    return web_app
