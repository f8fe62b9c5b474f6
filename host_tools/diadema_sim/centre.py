"""A whole simulated centre for one run: world, stations with their people, hub and gateway.

Used by `demo`, `sim`, `replay` and the bench. Everything it starts ends with it, and its data
directory goes too unless it was given.

The temporary directory of a killed run is removed by the next one: a lock inside, which the system
releases with the process, shows whether its run lives.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import msgspec
from diadema.access import Accounts, book
from diadema.access.roles import Person
from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir, cannot_write
from diadema.site.description import load as load_site
from diadema.site.file import keep
from diadema.store import Contact, Reader, open_reader, tables
from sqlalchemy import select

from diadema_sim import people, witness
from diadema_sim.agent import Agent
from diadema_sim.build import SIM, SimBoard
from diadema_sim.ending import to_the_end
from diadema_sim.hub_client import HubClient
from diadema_sim.processes import HostProcesses
from diadema_sim.station import JOURNAL_BYTES
from diadema_sim.world import World

VISITOR = "demo"
ACCESS_POINT = {people.WIFI["ssid"]: people.WIFI["password"]}  # the centre's access point in reach
_DRAIN_LIMIT_S = 60.0
_DRAIN_LOOK_S = 0.1
_PACE_MS = 20_000  # of the run, between two looks whether the host keeps up
_PACE_LIMIT_S = 0.5  # real time that it is waited for
_PACE_LOOK_S = 0.005
_PREFIX = "diadema-run-"
_RUN_LOCK = "run.lock"
_HUB_LOCK = "lock"  # a hub outlives its run's process by a moment
_HUB_ENDS_S = 3.0


@contextmanager
def temporary_run_folder() -> Iterator[Path]:
    """A new directory for one run, removed at its end; those of killed runs are removed first."""
    remove_abandoned()
    begun = Path(tempfile.mkdtemp(prefix="diadema-new-"))
    root = begun
    try:
        with locked(begun / _RUN_LOCK):
            root = begun.rename(begun.with_name(begun.name.replace("diadema-new-", _PREFIX)))
            yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def remove_abandoned() -> list[Path]:
    """Remove the directories whose run was killed. Returns them."""
    removed = []
    for root in sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")):
        if not (root / _RUN_LOCK).is_file():
            continue
        try:
            with ExitStack() as locks:
                for name in (_RUN_LOCK, _HUB_LOCK):
                    if (root / name).exists():
                        locks.enter_context(locked(root / name))
                shutil.rmtree(root, ignore_errors=True)
        except DiademaError:
            continue  # it lives, or is another person's
        removed.append(root)
    return removed


@dataclass
class Centre:
    """What a driver needs: the world, the agents at their desks, the hub, what is stored."""

    data: DataDir
    world: World
    processes: HostProcesses
    hub: HubClient
    agents: list[Agent]
    earlier: set[witness.Epoch]  # journals that the store held before this run
    accounts: Accounts
    password: str  # of the invented administrator, anew each run
    has_past: bool = False  # and a switch: the store has what no station of this run journaled

    @property
    def web(self) -> str:
        """Where the floor is seen."""
        hub = self.data.read_hub()
        if hub is None:
            raise DiademaError("the hub of this run is not up")
        return hub.web

    def entry_link(self, path: str = "/ui/") -> str:
        """A link that lets one browser of this machine in there, once, within ten minutes."""
        return f"{self.web}/enter?code={self.accounts.codes.entry(VISITOR)}&to={quote(path)}"

    def journaled(self) -> dict[witness.Key, dict[str, Any]]:
        return witness.journaled(self.world.witness, list(self.world.stations))

    def reader(self) -> Reader:
        return open_reader(self.data.store)

    async def allow_provisioning(self) -> None:
        """For a while each station may be given its key on its own port."""
        await self.processes.allow_provisioning(self.world.stations.values())

    async def switch_on(self) -> None:
        """Power to every station; back when each has its configuration and the time."""
        await asyncio.gather(*(agent.switch_on() for agent in self.agents))

    @asynccontextmanager
    async def paced(self) -> AsyncIterator[None]:
        """Inside, a fast run does not run away from its host.

        A clock that leaps over hours while an acknowledgement takes its milliseconds makes the
        stations send everything again and again, until nothing else comes through.
        """
        keeper = asyncio.create_task(self._keep_pace())
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _keep_pace(self) -> None:
        with closing(self.reader()) as reader, self.world.actor():
            while True:
                await self.world.sleep(_PACE_MS)
                deadline = time.monotonic() + _PACE_LIMIT_S
                # another process's commit: nothing here tells us of it
                while self._behind(reader) and time.monotonic() < deadline:  # noqa: ASYNC110
                    await asyncio.sleep(_PACE_LOOK_S)

    def _behind(self, reader: Reader) -> bool:
        """Whether events were sent that the host has not stored yet."""
        last = {
            (s, *station.traffic.sent)
            for s, station in self.world.stations.items()
            if station.traffic.sent
        }
        return any(reader.position(s, e) < n for s, e, n in last)

    async def drain(self, limit_s: float = _DRAIN_LIMIT_S) -> int:
        """Wait until what was journaled is stored; how many events are missing after the limit.

        The stations run on at the speed of real time, so that they send again what was lost.
        """
        self.world.timeline.set_speed(1.0)
        deadline = time.monotonic() + limit_s
        with closing(self.reader()) as reader:
            while missing := witness.missing(reader, self.journaled()):
                if time.monotonic() > deadline:
                    break
                self.processes.check()
                await asyncio.sleep(_DRAIN_LOOK_S)
            return missing

    def contacts(self) -> list[Contact]:
        """The contacts of this run, from the store."""
        others = self._others()
        with closing(self.reader()) as reader:
            found = reader.contacts()
        return [contact for contact in found if (contact.station, contact.epoch) not in others]

    def compare(self) -> witness.Comparison:
        with closing(self.reader()) as reader:
            return witness.compare(reader, self.journaled(), self._others())

    def _others(self) -> set[witness.Epoch]:
        """Journals that are none of this run's stations'."""
        if not self.has_past:
            return self.earlier
        brought = {(s, e) for s, e in _epochs(self.data) if s not in self.world.stations}
        return self.earlier | brought


@asynccontextmanager
async def open_centre(
    desks: list[people.Desk],
    *,
    name: str,
    zone: str,
    tree: dict[str, Any],
    start_utc_ms: int,
    mode: Literal["real", "fast"] | float = "real",
    data: Path | None = None,
    web_port: int = 0,
    journal_bytes: int = JOURNAL_BYTES,
    wifi: bool = False,
    boards: Sequence[SimBoard] = (SIM,),
    colleagues: Sequence[people.Person] = (),
    pins: bool = False,
    selftest: bool = False,
    outbound: bool = True,
    image: Path | None = None,
    slots: Mapping[str, bytes] | None = None,
    unplugged: Sequence[people.Desk] = (),
    restore: Callable[[DataDir], object] | None = None,
    prepare: Callable[[DataDir], object] | None = None,
    catalogues: Mapping[str, Any] | None = None,
) -> AsyncIterator[Centre]:
    """Everything up, the stations still without power; with `wifi` in reach of a network too.

    The desks take the `boards` in turn. `colleagues` may log in at any of them. With `pins` each
    login asks for one, with `selftest` the first of a shift begins the station's; without
    `outbound` calls out have no hours. `image` and `slots` as `World` and its `add_station` take
    them. `unplugged` are seats of the site without a station in this run. In a thread `restore` is
    called while nothing is there, its secrets too, and `prepare` once the site is there and
    nothing else: what they store is of the time before the run. `catalogues`: of the site, in
    place of the usual ones.
    """
    async with AsyncExitStack() as stack:
        root = data or stack.enter_context(temporary_run_folder())
        directory = DataDir(root)
        if data:
            stack.enter_context(_reserved(directory))
        directory.make()
        site = people.site(
            [*desks, *unplugged],
            name=name,
            zone=zone,
            tree=tree,
            wifi=people.WIFI if wifi else None,
            colleagues=colleagues,
            pins=pins,
            selftest=selftest,
            outbound=outbound,
        ) | dict(catalogues or {})
        if restore:
            await to_the_end(asyncio.to_thread(restore, directory))
        _write_site(directory, site)
        directory.switch.unlink(missing_ok=True)  # of a run with an exchange that was killed
        if prepare:
            await to_the_end(asyncio.to_thread(prepare, directory))
        earlier = _epochs(directory)
        accounts = Accounts(directory)
        stack.callback(accounts.close)
        password = _invite(accounts)
        world_root = Path(tempfile.mkdtemp(prefix="world-", dir=root))
        stack.callback(shutil.rmtree, world_root, ignore_errors=True)
        world = World(world_root, start_utc_ms=start_utc_ms, mode=mode, image=image)
        await stack.enter_async_context(world)
        stations = [
            await world.add_station(desk.station, journal_bytes, board, slots)
            for desk, board in zip(desks, itertools.cycle(boards), strict=False)
        ]
        if wifi:
            for station in stations:
                await station.set_access_points(ACCESS_POINT)
        processes = HostProcesses(
            directory,
            [station.port for station in stations],
            web_port=web_port,
            clock=world.clock_path,
        )
        stack.push_async_callback(processes.stop)
        await processes.start()
        hub = await stack.enter_async_context(HubClient(directory))
        agents = [Agent(world, hub, desk, site) for desk in desks]
        centre = Centre(
            directory, world, processes, hub, agents, earlier, accounts, password,
            has_past=prepare is not None,
        )  # fmt: skip
        await centre.allow_provisioning()
        yield centre


@contextmanager
def _reserved(data: DataDir) -> Iterator[None]:
    """For this run alone, before it writes anything there. Raises DiademaError."""
    try:
        data.check_own()
        data.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(data.root, error) from error
    try:
        for held in (data.root / _RUN_LOCK, data.lock):
            if held.exists():  # looked at first: a lock that is made is a file of ours there
                with locked(held, wait_s=_HUB_ENDS_S):
                    pass
        with locked(data.root / _RUN_LOCK, note=f"pid {os.getpid()}"):
            yield
    except AlreadyLocked as error:
        raise DiademaError(
            f"{data.root} is in use ({error.owner}), and nothing was written there: end that one "
            "first, or give another directory with --data"
        ) from error


def _write_site(data: DataDir, site: dict[str, Any]) -> None:
    """A directory of a real site is not taken for a simulated one."""
    if data.site.exists():
        there = load_site(data.site)
        if there.site != site["site"]:
            raise DiademaError(
                f"{data.root} holds the site {there.site!r}. A simulated run writes its own "
                "site: give a new directory with --data, or leave it out."
            )
    keep(data.site, msgspec.json.encode(site))


def _invite(accounts: Accounts) -> str:
    """An administrator that is nobody, so that the pages of the run can be opened."""
    me, password = Person(id="sim", name="", role="service"), book.random_password()
    if VISITOR in {one.id for one in accounts.book.all()}:
        accounts.book.set_password(me, VISITOR, password)
    else:
        accounts.book.add(me, VISITOR, "Ada Inventada", "admin", password=password)
    return password


def _epochs(data: DataDir) -> set[witness.Epoch]:
    if not data.store.exists():
        return set()
    with closing(open_reader(data.store)) as reader, reader.engine.connect() as connection:
        row = tables.positions.c
        return {(s, e) for s, e in connection.execute(select(row.s, row.e))}
