"""Runs with scripted people: `demo`, a centre in the middle of its day in front of somebody, `sim`
for any length and speed, and a run's summary: a JSON object for scripts, a short table for people.
"""

import asyncio
import sys
import time
import webbrowser
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.cli.speech import say as speak
from diadema.exchange.queue_log_follow import Follower
from diadema.site.directory import queries
from diadema.store import open_reader, tables
from diadema.words import text
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy import func, select

from diadema_sim import past, people
from diadema_sim import sample_assistance as assistance
from diadema_sim.agent import Agent
from diadema_sim.behaviour import BANK_1999_02, Behaviour
from diadema_sim.build import SIM, SimBoard
from diadema_sim.centre import VISITOR, Centre, open_centre
from diadema_sim.ending import to_the_end
from diadema_sim.sample_centre import Roster, alias
from diadema_sim.shift import Scenes, Shift, Switch
from diadema_sim.switch_log import SwitchLog
from diadema_sim.witness import Comparison

ZONE = past.ZONE.key
SITE = "Centro Muestra"
WEB_PORT = 8600
_OPENS = 9  # local hour at which a simulated run that is not in real time begins
_STARTS = (14, 20)  # local time at which a demo begins, at whatever hour it is started
_PAGES = {"wall": "/wall", "reports": "/ui/reports", "agents": "/ui/agents", "fleet": "/ui/fleet"}
_MAKER_ENDS_S = 20.0
_EVERYWHERE = 3  # seats of a mass failure
_AFTER_MS = 600_000  # what an earlier run had begun last is over by then


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
        table.add_row(speak(f"sim.summary.{key}"), str(value))
    console.print(table)


@dataclass(frozen=True)
class ShiftOptions:
    """`speed`: 1 real time, N times it, 0 as fast as the work allows. `seconds` of the run.
    `language` of what a demo says. `switch`: its calls come by an exchange that is played.
    """

    stations: int
    seed: int
    seconds: float | None = None
    speed: float = 1.0
    pace: float = 1.0
    behaviour: Behaviour = BANK_1999_02
    data: Path | None = None
    web_port: int = 0
    usual_port_taken: bool = False  # so it is another one
    browser: bool = False
    boards: Sequence[SimBoard] = (SIM,)  # in turn
    language: str = "es"
    switch: bool = False


async def run_shift(options: ShiftOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """The whole run. `say` gets lines for whoever watches; the summary is for scripts."""
    say(speak("sim.stations_start", stations=options.stations))
    async with open_centre(
        people.desks(options.stations),
        name=SITE,
        zone=ZONE,
        tree=people.LIMA_TREE,
        start_utc_ms=_start_ms(options.speed),
        data=options.data,
        web_port=options.web_port,
        boards=options.boards,
        selftest=True,
    ) as centre:
        await centre.switch_on()
        say(speak("sim.wall", url=f"{centre.web}/wall"))
        say(speak("sim.floor", url=f"{centre.web}/"))
        say(speak("sim.user", user=VISITOR, password=centre.password))
        say(speak("sim.link", url=centre.entry_link()))
        shift = Shift(
            centre,
            seed=options.seed,
            zone=ZONE,
            behaviour=options.behaviour,
            pace=options.pace,
        )
        await shift.run(_until_ms(centre, options), options.speed)
        say(speak("sim.drains"))
        await centre.drain()
        return shift_summary(centre, centre.compare())


def _until_ms(centre: Centre, options: ShiftOptions) -> float:
    seconds = float("inf") if options.seconds is None else options.seconds
    return centre.world.now_ms() + 1000 * seconds


def _start_ms(speed: float) -> int:
    if speed == 1.0:
        return int(time.time() * 1000)
    opening = datetime.now(ZoneInfo(ZONE)).replace(hour=_OPENS, minute=0, second=0, microsecond=0)
    return int(opening.timestamp() * 1000)


async def run_demo(options: ShiftOptions, console: Console) -> dict[str, Any]:
    """A centre in the middle of its day, with a past and a switch. It lives until it is cancelled,
    or for so many seconds.
    """
    switch: DemoSwitch = LogOnly()
    if options.switch:
        from diadema_sim.played_switch import PlayedSwitch  # only where one is wanted

        switch = PlayedSwitch(tuple(people.QUEUES.values()), options.seed)
    return await Demo(options, console, switch).run()


class DemoSwitch(Protocol):
    """The switch beside a demo's stations."""

    def running(self, start_ms: int) -> AbstractAsyncContextManager[None]:
        """From before the centre to after it."""

    def set_up(self, data: DataDir, desks: Sequence[people.Desk], at_ms: int) -> None:
        """Before the hub begins."""

    def shift(self, centre: Centre, **options: Any) -> Shift: ...
    def work(self, centre: Centre) -> Coroutine[Any, Any, None]:
        """What goes on beside the shift."""

    async def summary(self, centre: Centre) -> dict[str, Any]:
        """Once everything is stored."""


class LogOnly:
    """All that there is of it is its log, which is followed."""

    def running(self, start_ms: int) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def set_up(self, data: DataDir, desks: Sequence[people.Desk], at_ms: int) -> None:
        """Nothing: the log is there."""

    def shift(self, centre: Centre, **options: Any) -> Shift:
        desks = [agent.desk.person.id for agent in centre.agents]
        names = {who: alias(number) for number, who in enumerate(desks)}
        log = SwitchLog(past.log_of(centre.data))
        return Shift(centre, switch=Switch(log, names), **options)

    async def work(self, centre: Centre) -> None:
        await Follower(past.log_of(centre.data), centre.data, "central").run()

    async def summary(self, centre: Centre) -> dict[str, Any]:
        return {}


class Demo:
    """One demo, on `console`."""

    def __init__(self, options: ShiftOptions, console: Console, switch: DemoSwitch) -> None:
        self._options, self._console, self._switch = options, console, switch
        self._start = demo_start(datetime.now(past.ZONE))
        self._days: list[date] = []

    def word(self, key: str, /, **values: object) -> str:
        return text(f"demo.{key}", self._options.language, **values)

    def say(self, key: str, /, **values: object) -> None:
        self._console.print(self.word(key, **values), soft_wrap=True, markup=False)

    async def run(self) -> dict[str, Any]:
        options = self._options
        start_ms = int(self._start.timestamp() * 1000)
        if options.data:
            start_ms = max(start_ms, newest_ms(DataDir(options.data)) + _AFTER_MS)
        self.say("starting", stations=options.stations)
        roster = Roster(options.stations, self._start.date())
        everybody = roster.everybody

        has_past = options.data is not None and DataDir(options.data).store.exists()  # its own

        def restore(data: DataDir) -> None:
            if not has_past:
                self._days = past.restore(data, roster.today, options.seed)

        def prepare(data: DataDir) -> None:
            if not has_past:
                past.begin(data, roster, start_ms, options.seed)
            self._switch.set_up(data, everybody[: options.stations], start_ms)

        async with (
            self._switch.running(start_ms),
            open_centre(
                everybody[: options.stations],
                name=SITE,
                zone=ZONE,
                tree=people.LIMA_TREE,
                start_utc_ms=start_ms,
                data=options.data,
                web_port=options.web_port,
                boards=options.boards,
                selftest=True,
                unplugged=everybody[options.stations :],
                restore=restore,
                prepare=prepare,
                catalogues=assistance.CATALOGUES,
            ) as centre,
        ):
            centre.earlier.update(past.journals(roster, options.seed, self._days))
            await asyncio.to_thread(queries.publish, centre.data, centre.world.now_ms(), VISITOR)
            self._greet(centre)
            if options.browser:
                await asyncio.to_thread(webbrowser.open, centre.entry_link())
            await self._live(centre, roster)
            self.say("drains")
            await centre.drain()
            return shift_summary(centre, centre.compare()) | await self._switch.summary(centre)

    async def _live(self, centre: Centre, roster: Roster) -> None:
        """Switch, agents, and the month before, until the shift is over."""
        options = self._options
        desks = [agent.desk.person.id for agent in centre.agents]
        shift = self._switch.shift(
            centre,
            seed=options.seed,
            zone=ZONE,
            behaviour=options.behaviour,
            pace=options.pace,
            hour=options.behaviour.busiest_hour,
            scenes=scenes(desks),
            tell=self._tell,
        )
        password = centre.password
        await asyncio.to_thread(assistance.hire, centre.accounts, password)
        beside = [asyncio.create_task(self._switch.work(centre))]
        beside.append(asyncio.create_task(self._make_month(centre, roster)))
        try:
            await shift.run(_until_ms(centre, options), 1.0)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)

    def _tell(self, agent: Agent, error: DiademaError) -> None:
        self.say("slow", seat=agent.desk.seat, why=error)

    def _greet(self, centre: Centre) -> None:
        """The link last: it is what is looked for."""
        options, say = self._options, self.say
        web = centre.web
        now = datetime.fromtimestamp(centre.world.now_ms() / 1000, past.ZONE)
        say("clock", time=f"{now:%H:%M}", real=f"{datetime.now(past.ZONE):%H:%M}", zone=ZONE)
        if options.usual_port_taken:
            say("port", usual=WEB_PORT, port=web.rpartition(":")[2])
        if self._days:
            say("month", days=len(self._days))
        say("cache", folder=past.cache_folder())
        say("account", user=VISITOR, password=centre.password)
        say("quality", monitor=assistance.MONITOR.account, lead=assistance.LEAD.account)
        say("pages")
        pages = _PAGES | ({"switch": "/ui/switch"} if options.switch else {})
        for key, path in pages.items():
            self._console.print(f"  {web}{path}  {self.word(key)}", soft_wrap=True, markup=False)
        say("options", pace=f"{options.pace:g}")
        say("ends")
        say("link")
        self._console.print(centre.entry_link("/"), soft_wrap=True, markup=False, style="bold")

    async def _make_month(self, centre: Centre, roster: Roster) -> None:
        """What the cache lacks of it, and the sound of some of its calls."""
        if self._days:
            await self._make_days(centre, roster)
        if self._options.seed == past.SEED:
            now_ms = centre.world.now_ms()
            await to_the_end(asyncio.to_thread(past.show_recordings, centre.data, now_ms))

    async def _make_days(self, centre: Centre, roster: Roster) -> None:
        """In a process of its own, which ends with us."""
        arguments = [centre.data.root, self._options.stations, roster.today, self._options.seed]
        command = [sys.executable, "-m", "diadema_sim.past", *arguments, *self._days]
        with centre.data.log("past").open("ab") as errors:
            maker = await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert maker.stdin and maker.stdout
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        try:
            with bar:
                task = bar.add_task(self.word("month.bar"), total=len(self._days))
                async for line in maker.stdout:
                    bar.update(task, completed=int(line))
                code = await maker.wait()
            self.say("month.made" if code == 0 else "month.failed", log=centre.data.log("past"))
        finally:
            if maker.returncode is None:
                maker.stdin.close()
                with suppress(TimeoutError):
                    await asyncio.wait_for(maker.wait(), _MAKER_ENDS_S)
            if maker.returncode is None:
                maker.kill()
                await maker.wait()


def scenes(agents: Sequence[str]) -> Scenes:
    """Of a run of these: whoever is first has the same failure as two more, in a run that has
    others beside; the last one has another.
    """
    middle = len(agents) // 2
    faults = dict.fromkeys(agents[:_EVERYWHERE], assistance.EVERYWHERE)
    if len(agents) <= _EVERYWHERE:
        faults = {}
    faults[agents[-1]] = assistance.ALONE
    taken = agents[middle - 1] if middle else None
    return Scenes(faults=faults, waits=agents[middle], taken=taken, helper=assistance.CHIEF)


def demo_start(now: datetime) -> datetime:
    """When the centre's clock begins: in the afternoon of the same day, when all of its shifts are
    under way and its half-hour has figures.
    """
    return now.replace(hour=_STARTS[0], minute=_STARTS[1], second=0, microsecond=0)


def newest_ms(data: DataDir) -> int:
    """The last moment of which the store knows, so that a second run comes after it."""
    if not data.store.exists():
        return 0
    with open_reader(data.store) as reader, reader.engine.connect() as connection:
        columns = tables.contacts.c.start_utc, tables.sessions.c.close_utc
        newest = (connection.execute(select(func.max(one))).scalar() for one in columns)
        return max(int(one or 0) for one in newest)
