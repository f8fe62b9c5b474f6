"""What stands behind a desk's page: a station, whose seat it is, and the hub that it reaches.

Of a centre of its own, or of a seat of a site: the station there is simulated and says so in its
id; all else is what a technician's board goes through. Its flash stays in the site's directory.
"""

import hashlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from diadema.base.clock import SystemClock
from diadema.base.errors import DiademaError
from diadema.base.locks import AlreadyLocked, locked
from diadema.base.paths import DataDir, cannot_write
from diadema.site.badges import keys_of
from diadema.site.description import Site, load
from diadema.site.directory.publishing import open_directory
from diadema.site.station_config import at_simulated
from diadema.stations.cable import carrying, greeting_on
from diadema.stations.fleet import StationRow, all_stations
from diadema.stations.provision import provision
from diadema.wire.ask_hub import HubRefuses, ask_hub
from diadema.wire.commands import SIMULATED, is_simulated
from diadema.words import Sentence

from diadema_sim.centre import Centre, temporary_run_folder
from diadema_sim.desk.commands import STRANGER, Exchange, SampleBadge
from diadema_sim.hub_client import HubUnreachable
from diadema_sim.people import QUEUES
from diadema_sim.station import Station
from diadema_sim.station_user import StationHistory
from diadema_sim.world import World

_INVENTED = "DIA-000000"  # how the guide has people name stations that they do not have
_FEW = 12  # seats that an error names
_START_S = 120.0  # of a busy machine
_GREETING_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """`site`: what `site.json` says, whole. `web`: where the hub's pages are; `floor` gives a link
    there, `check` raises what ended the hub for good; `queues`, `first`: as `CommandExecutor`
    takes them.
    """

    data: DataDir
    site: dict[str, Any]
    seat: str
    world: World
    station: Station
    hub: Exchange
    samples: Sequence[SampleBadge]
    web: str
    floor: Callable[[], str]
    queues: Sequence[str] = ()
    first: int = 1
    check: Callable[[], None] = lambda: None

    @property
    def history(self) -> StationHistory:
        return StationHistory(self.world.witness.events(self.station.id))


def centre_place(centre: Centre, samples: Sequence[SampleBadge]) -> Place:
    """The first seat of a centre of its own."""
    agent = centre.agents[0]
    return Place(
        data=centre.data,
        site=json.loads(centre.data.site.read_bytes()),
        seat=agent.desk.seat,
        world=centre.world,
        station=agent.station,
        hub=centre.hub,
        samples=samples,
        web=centre.web,
        floor=centre.entry_link,
        queues=[*QUEUES.values()],
        check=centre.processes.check,
    )


class _SiteHub:
    """Asks the hub of this machine as the web does, whatever the web's certificate is."""

    def __init__(self, data: DataDir) -> None:
        self._data = data

    async def command(self, station: str, **body: Any) -> int:
        try:
            answer = await ask_hub(self._data, "hub.command", {"s": station, **body})
        except HubRefuses:
            raise
        except DiademaError as error:
            raise HubUnreachable(error.args[0]) from error
        return int(answer["i"])


@asynccontextmanager
async def seated(data: DataDir, seat: str | None, *, note: str) -> AsyncIterator[Place]:
    """A simulated station for that seat, or for one that is free, still without power. `note`:
    where its page is, for whoever opens it too. Raises DiademaError.
    """
    web = _web(data)
    site = load(data.site)
    seat, s = _choose(data, site, seat)
    folder = data.simulated / s
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise cannot_write(folder, error) from error
    async with AsyncExitStack() as stack:
        stack.enter_context(_alone(folder, seat, note))
        root = stack.enter_context(temporary_run_folder())
        (root / "stations").mkdir()  # the interpreter takes short paths only
        (root / "stations" / s).symlink_to(folder.absolute())
        now_ms = int(time.time() * 1000)
        world = await stack.enter_async_context(World(root, start_utc_ms=now_ms))
        station = await world.add_station(s)
        if site.wifi is not None:
            await station.set_access_points({site.wifi.ssid: site.wifi.password})
        yield Place(
            data=data,
            site=msgspec.to_builtins(site),
            seat=seat,
            world=world,
            station=station,
            hub=_SiteHub(data),
            samples=_badges(data, site, seat),
            web=web,
            floor=lambda: f"{web}/ui/",
            queues=_queues(data, now_ms),
            first=now_ms // 1000,
        )


@asynccontextmanager
async def connected(place: Place) -> AsyncIterator[None]:
    """Inside it has power and, on a cable, reaches the hub; provisioned first, as long as it has
    no key or stands elsewhere. Raises DiademaError.
    """
    data, station = place.data, place.station
    since = len(place.world.witness.events(station.id))
    await station.power_on()
    await place.world.wait_event(
        station.id, lambda event: event["k"] == "station.booted", since=since, timeout_s=_START_S
    )
    hello = await greeting_on(station.port, _GREETING_S)
    known = {one.id: one.seat for one in load(data.site).stations}
    if hello is None or not hello.keyed or known.get(station.id) != place.seat:
        await provision(
            data, station.port, place.seat, clock=SystemClock(), by="diadema", station=station.id,
            replace=True,
        )  # fmt: skip
    async with carrying(data, station.port, station.id):
        yield


def _web(data: DataDir) -> str:
    """Of the hub that runs there. Raises DiademaError."""
    if not data.secrets.exists():
        raise DiademaError(Sentence("errors.gateway.no_hub_ever_ran_on", root=data.root))
    hub = data.read_hub()
    if hub is not None and data.lock.exists():
        try:
            with locked(data.lock):
                pass  # it was killed, and left its file behind
        except AlreadyLocked:
            return hub.web.rstrip("/")
    raise DiademaError(Sentence("errors.stations.no_hub_runs_on_root", root=data.root))


def _choose(data: DataDir, site: Site, wanted: str | None) -> tuple[str, str]:
    """A seat of the site and the id of its simulated station. Raises DiademaError."""
    rows = {row.station: row for row in all_stations(data, 0)}
    seats = {one.seat: one.id for one in site.stations}
    free = [seat for seat, s in seats.items() if is_simulated(s) or _is_invented(rows[s])]
    few = ", ".join(free[:_FEW]) or "—"
    if wanted is None and free:
        wanted = next((seat for seat in free if is_simulated(seats[seat])), free[0])
    if wanted is None or wanted not in seats:
        raise DiademaError(
            Sentence("errors.sim.no_free_seat")
            if wanted is None
            else Sentence("errors.sim.no_seat", seat=wanted, root=data.root, free=few)
        )
    s = seats[wanted]
    if wanted not in free:
        raise DiademaError(
            Sentence("errors.sim.seat_taken", seat=wanted, station=s, free=few, invented=_INVENTED)
        )
    if is_simulated(s):
        return wanted, s
    taken = {*seats.values(), *(row.station for row in rows.values() if row.revoked)}
    names = (f"{wanted} {number}".encode() for number in itertools.count())
    ids = (SIMULATED + hashlib.sha256(name).hexdigest()[:6] for name in names)
    return wanted, next(each for each in ids if each not in taken)


def _is_invented(row: StationRow) -> bool:
    """A name that a seat was given while there was no board for it."""
    return row.station.startswith(_INVENTED) and row.seen_utc is None and not row.board


@contextmanager
def _alone(folder: Path, seat: str, note: str) -> Iterator[None]:
    """Raises DiademaError that says where it is open already."""
    try:
        with locked(folder / "lock", note=note):
            yield
    except AlreadyLocked as error:
        sentence = Sentence("errors.sim.seat_open", seat=seat, page=error.owner)
        raise DiademaError(sentence) from error


def _badges(data: DataDir, site: Site, seat: str) -> list[SampleBadge]:
    """Of whoever can log in there."""
    key = keys_of(data).badge
    station = next(one for one in site.stations if one.seat == seat)
    known = (at_simulated(site, agent, key) for agent in site.agents_at(station))
    return [
        *(
            SampleBadge(agent.id, agent.name, agent.team, None, agent.badges[0].partition(":")[2])
            for agent in known
            if agent.badges
        ),
        STRANGER,
    ]


def _queues(data: DataDir, now_ms: int) -> list[str]:
    """What the switch calls each of the site's."""
    if not data.directory.exists():
        return []
    with open_directory(data, now_ms) as book:
        bodies = [one.body for one in book.entries("queues")]
    called: list[Any] = [body.get("switch_names") or [body["name"]] for body in bodies if body]
    return [str(names[0]) for names in called]
