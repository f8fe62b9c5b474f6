"""Worlds for the station tests: the firmware is compiled once a test process."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pictures
import pytest
from diadema.site.description import Site, parse
from diadema_sim import menu_keys, people
from diadema_sim.build import SIM, SimBoard, build_firmware
from diadema_sim.station import JOURNAL_BYTES, Station
from diadema_sim.station_user import Past
from diadema_sim.world import World
from wire_host import WireHost

MONDAY_8_LIMA = 1_770_037_200_000  # 2026-02-02 08:00 in Lima, UTC ms
STATION = "DIA-0200000000a1"
JUST_ANSWERED_MS = 1_500  # key 1 does not hang up before
SETTLED_MS = 400  # nor do soft keys act so soon after a change that was not hers
MODELS = Path(__file__).resolve().parents[2] / "boards" / "sim" / "parts"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_firmware(folder)
    return folder


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Station]]]:
    """`await program(source)`: a powered station that runs `source` in place of the firmware, on
    the plain board or another, `build` its MicroPython, `psram` whether that answers.
    """
    async with AsyncExitStack() as stack:

        async def start(
            source: str, board: SimBoard = SIM, build: str = "", psram: bool = True
        ) -> Station:
            folder = tmp_path / "program"
            folder.mkdir(exist_ok=True)
            (folder / "main.py").write_text(source)
            world = await stack.enter_async_context(
                World(tmp_path / "w", start_utc_ms=MONDAY_8_LIMA, mode="fast", image=folder)
            )
            station = await world.add_station(STATION, board=board)
            station.build, station.psram = build, psram
            await station.power_on()
            return station

        yield start


@pytest.fixture
async def chips(
    tmp_path: Path, image: Path, program: Callable[..., Awaitable[Station]]
) -> Callable[[str], Awaitable[list[str]]]:
    """`await chips(source)`: what `source` prints, run on the board as compiled, with the real
    drivers under `drivers` and the chips' models under `models`. Its `async def main()` is run.
    """

    async def run(source: str) -> list[str]:
        folder = tmp_path / "program"
        shutil.copytree(image, folder)
        shutil.copytree(MODELS, folder / "models")
        station = await program(
            "import asyncio, machine, wire\nfrom machine import Pin\n"
            + source
            + "\nasyncio.run(main())\nprint('the end')\n"
        )
        console = b""
        async with asyncio.timeout(60):
            while b"the end" not in console and b"Error: " not in console:
                await asyncio.sleep(0.005)
                console = b"".join(station.console)
        assert b"the end" in console, console.decode()
        return console.decode().splitlines()[:-1]

    return run


@pytest.fixture
def site() -> Site:
    """Four sample desks; the first is the station under test."""
    content = people.site(
        people.desks(4), name="Centro de muestra", zone="America/Lima", tree=people.LIMA_TREE
    )
    content["stations"][0]["id"] = STATION
    return parse(json.dumps(content).encode())


@dataclass
class Bench:
    """A configured station, its host on the cable, and the badges of the people it knows."""

    world: World
    station: Station
    host: WireHost
    badges: list[str]

    def since(self) -> int:
        """Where the station's events stand now."""
        return len(self.world.witness.events(self.station.id))

    async def event(self, kind: str, since: int = 0, **fields: object) -> dict[str, Any]:
        """The first event of `kind` with these fields; the clock goes on meanwhile."""

        def wanted(event: dict[str, Any]) -> bool:
            return event["k"] == kind and all(event.get(k) == v for k, v in fields.items())

        seen = await self.world.wait_event(
            self.station.id, wanted, since=since, timeout_s=60, running=True
        )
        return seen.event

    def kinds(self, since: int = 0) -> list[str]:
        return [seen.event["k"] for seen in self.world.witness.events(self.station.id)[since:]]

    async def keys(self, *keys: int) -> None:
        for key in keys:
            await self.station.press(key)

    async def told(self) -> None:
        """The host has every event; a fast clock stands meanwhile."""
        async with asyncio.timeout(60):
            while len(self.host.events) < self.since():
                await self.host.heard.wait()

    async def caught_up(self) -> None:
        """The host has every event, and the station knows it; a few ms go by meanwhile."""
        await self.told()
        while self.host.sender.waiting:
            await self.world.sleep(1)

    async def shows(self, name: str) -> None:
        """Let the screen settle, then compare it with the kept picture."""
        await self.told()
        await self.world.sleep(30)
        pictures.compare(name, await self.station.screen())

    async def answer(self, contact: str) -> None:
        """It rings; back when key 1 hangs up and soft keys count."""
        since = self.since()
        await self.keys(1)
        await self.event("contact.answered", since, c=contact)
        await self.world.sleep(JUST_ANSWERED_MS)

    async def typify(self, contact: str, code: str = "111") -> None:
        """In the wrap-up; ends it."""
        since = self.since()
        past = Past(self.world.witness.events(self.station.id))
        await self.world.sleep(SETTLED_MS)
        await self.keys(
            *menu_keys.code_keys(people.LIMA_TREE, code, past.recent(), past.motive(contact))
        )
        await self.event("contact.typified", since, c=contact, code=code)
        await self.event("wrapup.ended", since, c=contact, cause="typified")

    async def badge_and_choose(self, key: int) -> None:
        """The own badge in a session, and a line of what it asks."""
        await self.station.tap(self.badges[0])
        await self.world.sleep(SETTLED_MS)
        await self.keys(key)

    async def dial(self) -> dict[str, Any]:
        """Call somebody of the first outbound campaign."""
        since = self.since()
        await self.keys(4, 3)
        return await self.event("contact.dialed", since)

    async def log_in(self) -> None:
        since = self.since()
        await self.station.tap(self.badges[0])
        await self.event("presence.changed", since, to="not_ready")
        await self.keys(3)
        await self.event("presence.changed", since, to="ready")

    async def until(self, true: Callable[[], bool]) -> None:
        """Let the clock go on, a second at a time, until `true()`; at most ten minutes."""
        for _ in range(600):
            if true():
                return
            await self.world.sleep(1000)
        raise AssertionError("it did not come about in ten minutes")

    async def ring(self, contact: str) -> None:
        number = self.host.command(
            "ring", contact=contact, direction="in", queue="Consultas", pbx="1"
        )
        assert (await self.host.answer(number))["k"] == "contact.offered"


@pytest.fixture
def desk(
    tmp_path: Path, image: Path, site: Site
) -> Callable[..., AbstractAsyncContextManager[Bench]]:
    """`async with desk() as bench`: the real firmware, configured over the wire, its clock set; on
    the plain board or another, with a smaller journal where a test has to fill it.

    Entered by the test itself, so that the test's own task is the one that acts in the run.
    """

    @asynccontextmanager
    async def open_desk(
        board: SimBoard = SIM, journal_bytes: int = JOURNAL_BYTES
    ) -> AsyncIterator[Bench]:
        world = World(tmp_path / board.name, start_utc_ms=MONDAY_8_LIMA, mode="fast", image=image)
        async with world:
            station = await world.add_station(STATION, journal_bytes, board)
            host = WireHost(station, site)
            badges = [agent.badges[0].partition(":")[2] for agent in site.agents]
            bench = Bench(world, station, host, badges)
            with world.actor():
                await station.power_on()
                await bench.event("station.clock")
                await bench.event("station.config")
                yield bench
            host.close()

    return open_desk
