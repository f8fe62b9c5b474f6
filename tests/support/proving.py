"""A keyed station in the simulator, and somebody in front of it who does what the command says."""

import asyncio
import contextlib
import json
import random
from array import array
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from diadema.base.paths import DataDir
from diadema.gateway.station_line import StationLine
from diadema.site.description import parse
from diadema.site.station_config import ConfigMaker
from diadema.site.station_keys import StationKeys
from diadema.stations.prove.run import Measurement, measure
from diadema_sim import people, sound
from diadema_sim.build import SIM, SimBoard
from diadema_sim.station import Station
from diadema_sim.world import World

from tests.support.wire_host import BADGE_KEY, CARD_KEY, WireHost

STATION = "DIA-0200000000a1"
BADGE = "04a1b2c3d4e5f6"
_MONDAY_8_LIMA = 1_770_037_200_000
_SETTLED_MS = 2_000
_STEP_MS = 20  # of the run's clock, and then a turn for what waits in real time
_TURN_S = 0.001
_REACTION = 20  # turns
_AWAY_MS = 3_000
_HELD_MS = 1_000
_LOOKS = 60
_LIMIT_S = 120
_AT_ONCE = "Silencio"  # the room is quiet before the station listens, which waits a second


def site_with_key(root: Path) -> DataDir:
    """A data directory with a site of which the station is one, and its key."""
    data = DataDir(root)
    data.make()
    site = people.site(
        people.desks(2), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    site["stations"][0]["id"] = STATION
    data.site.write_text(json.dumps(site))
    StationKeys(data.keys).make([STATION])
    return data


class Person:
    """Told on the screen of the machine what to do; `lazy` at some of it, `deaf` to some."""

    def __init__(
        self, station: Station, lazy: tuple[str, ...] = (), deaf: tuple[str, ...] = ()
    ) -> None:
        self._station = station
        self._lazy, self.deaf = lazy, deaf
        self.told: list[str] = []
        self._todo: list[tuple[str, str]] = []
        self._quiet = contextlib.AsyncExitStack()

    def hears(self, line: str) -> None:
        self.told.append(line)
        found = [beginning for beginning in _ACTS if line.startswith(beginning)]
        if found and found[0] not in self._lazy:
            self._todo.append((found[0], line))

    async def acts(self, world: World, is_asked: Callable[[], bool]) -> None:
        """`is_asked`: the station knows what was told; it takes no answer that came before."""
        while self._todo:
            await self._quiet.aclose()
            turns = _REACTION if self._todo[0][0] == _AT_ONCE else 0
            while turns < _REACTION:
                turns += is_asked()
                await asyncio.sleep(_TURN_S)
                await world.sleep(_STEP_MS)
            beginning, line = self._todo.pop(0)
            await getattr(self, _ACTS[beginning])(world, line)

    async def _press(self, world: World, line: str) -> None:
        await self._station.press(int(line[6]))

    async def _hear(self, world: World, line: str) -> None:
        await self._station.press(3 if line.partition(":")[0] not in self.deaf else 4)

    async def _tap(self, world: World, line: str) -> None:
        await self._station.tap(BADGE)

    async def _hush(self, world: World, line: str) -> None:
        """A room in which nobody speaks."""
        room = random.Random(1)
        samples = array("h", (room.randint(-9, 9) for _ in range(5 * sound.RATE_HZ)))
        file = sound.write(self._station.folder / "room.wav", 4 * samples)
        await self._quiet.enter_async_context(sound.listen(self._station, microphone=file))

    async def _leave(self, world: World, line: str) -> None:
        await self._station.tap(BADGE, ms=None)

    async def _two(self, world: World, line: str) -> None:
        await self._station.untap()
        await world.sleep(_AWAY_MS)
        # the first is torn by the second
        both = {"do": "tap", "badge": BADGE, "beside": "04ffffffffffff", "torn": True, "key": None}
        await self._station.ask(both)
        await world.sleep(_HELD_MS)
        await self._station.untap()

    async def _plug(self, world: World, line: str) -> None:
        await self._station.unplug()
        await world.sleep(_AWAY_MS)
        await self._station.plug()

    async def _pull(self, world: World, line: str) -> None:
        """Out until it is seen, and in again."""
        await self._station.ask({"do": "fault", "part": "badge_reader", "kind": "nack"})
        for _ in range(_LOOKS):
            if world.witness.events(STATION)[-1].event["k"] == "station.fault":
                break
            await world.sleep(_HELD_MS)
        await self._station.ask({"do": "fault", "part": "badge_reader", "kind": None})


_ACTS = {
    "Tecla": "_press", "Fotocheck quieto": "_leave", "Fotocheck": "_tap", "Dos": "_two",
    "Tono": "_hear", "Voz": "_hear", "Línea": "_hear", "Salida": "_hear", "Silencio": "_hush",
    "Diadema": "_plug", "Lector": "_pull",
}  # fmt: skip


class Desk:
    """The station on a cable that nobody carries, in a run as fast as the work."""

    def __init__(self, world: World, station: Station, data: DataDir) -> None:
        self.world, self.station, self.data = world, station, data
        self._line: StationLine | None = None

    @property
    def port(self) -> str:
        return self.station.port

    async def configured(self) -> None:
        site = parse(self.data.site.read_bytes())
        key = StationKeys(self.data.keys).of(STATION)
        assert key
        host = WireHost(self.station, site)
        own = {STATION: {"key": key.hex()}}
        host._config = ConfigMaker(site, BADGE_KEY, -300, 1, own, card_key=CARD_KEY)
        await self.world.wait_event(
            STATION, lambda event: event["k"] == "station.config", running=True
        )
        host.answering = False
        await self.world.sleep(_SETTLED_MS)
        host.close()

    def events(self) -> list[dict[str, Any]]:
        return [seen.event for seen in self.world.witness.events(STATION)]

    async def while_person_acts[T](self, person: Person, work: "asyncio.Task[T]") -> T:
        """The clock goes on, and what waits for real time has its turns in between."""
        async with asyncio.timeout(_LIMIT_S):
            while not work.done():
                await asyncio.sleep(_TURN_S)
                await self.world.sleep(_STEP_MS)
                await person.acts(self.world, self._is_asked)
        return await work

    def line(self, *given: Any, **named: Any) -> StationLine:
        """In place of the class, for whoever measures."""
        self._line = StationLine(*given, **named)
        return self._line

    def _is_asked(self) -> bool:
        return self._line is not None and self._line.idle

    async def measured(self, person: Person | None = None) -> tuple[Measurement, int]:
        person = person or Person(self.station)
        work = asyncio.create_task(measure(self.data, self.port, person.hears))
        return await self.while_person_acts(person, work)


@contextlib.asynccontextmanager
async def desk(folder: Path, image: Path, board: SimBoard = SIM) -> AsyncIterator[Desk]:
    world = World(folder / "w", start_utc_ms=_MONDAY_8_LIMA, mode="fast", image=image)
    async with world:
        made = Desk(
            world,
            await world.add_station(STATION, board=board),
            site_with_key(folder / "data"),
        )
        with world.actor(), pytest.MonkeyPatch.context() as patch:
            patch.setattr("diadema.stations.prove.run.StationLine", made.line)
            await made.station.power_on()
            await made.configured()
            yield made
