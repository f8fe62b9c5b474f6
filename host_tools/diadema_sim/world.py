"""The world of a simulated run: its clock, its stations, its witness.

Everything that happens to a station from outside goes through here; `channel.py` gives the same
to other processes over a local socket.

The world channel: JSON lines over a local socket, the way in from outside the run's process.

A request is {"do": …, "station": "DIA-…", "id": anything, …}; its answer carries `id` and either
`ok` with the result or `error` with what to do.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from diadema.base.errors import DiademaError

from diadema_sim.build import SIM, SimBoard, build_firmware
from diadema_sim.ending import to_the_end
from diadema_sim.station import JOURNAL_BYTES, Station
from diadema_sim.timeline import HOLD_LIMIT_S, Timeline
from diadema_sim.witness import Witness, Witnessed

_LINE_LIMIT = 65536


class Channel:
    """Serves the commands of design §1 (boards/sim) to any number of local clients."""

    def __init__(self, world: "World", path: Path) -> None:
        self.path = path
        self._world = world
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=_LINE_LIMIT)
        self.path.chmod(0o600)

    async def close(self) -> None:
        if self._server:
            self._server.close()
            for client in self._clients:
                client.close()
            await self._server.wait_closed()
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the client is gone, or sent a line beyond the limit
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        number = None
        try:
            request = json.loads(line)
            number = request.pop("id", None)
            result = await self._do(request)
        except DiademaError as error:
            return {"id": number, "error": str(error)}
        except (ValueError, AttributeError) as error:
            return {"id": number, "error": f"not a request: {error}; send one JSON object a line"}
        except KeyError as error:
            return {"id": number, "error": f"the request lacks {error}"}
        return {"id": number, "ok": True, **result}

    async def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        action = request.pop("do")
        if action == "speed":
            self._world.timeline.set_speed(float(request["speed"]))
            return {"speed": self._world.timeline.speed}
        station = self._station(request.pop("station"))
        match action:
            case "tap":
                await station.tap(
                    request["badge"], request.get("ms", 600), torn=request.get("torn", False)
                )
            case "press":
                key, bounce = request["key"], request.get("bounce", 0)
                if "ms" in request:
                    await station.press(key, request["ms"], bounce=bounce)
                else:
                    await station.ask({"do": "press", "key": key, "bounce": bounce})
            case "plug":
                await station.plug()
            case "unplug":
                await station.unplug()
            case "power_on":
                await station.power_on()
            case "power_cut":
                await station.power_cut()
            case "cable":
                (station.cable.plug if request["plugged"] else station.cable.pull)()
            case "untap" | "release" | "wifi" | "fault" | "screen" | "lights" | "dump":
                answer = await station.ask({"do": action, **request})
                answer.pop("id")
                return answer
            case _:
                raise DiademaError(f"{action} is no command of the world channel")
        return {}

    def _station(self, name: str) -> "Station":
        if name not in self._world.stations:
            known = ", ".join(sorted(self._world.stations)) or "none"
            raise DiademaError(f"there is no station {name}; here are: {known}")
        return self._world.stations[name]


@dataclass
class _Waiter:
    station: str
    wanted: Callable[[dict[str, Any]], bool]
    future: asyncio.Future[Witnessed]
    released: bool


class World:
    """`mode`: "real", "fast" (as fast as the work allows), or simulated seconds a second."""

    def __init__(
        self,
        root: Path,
        *,
        start_utc_ms: int,
        mode: Literal["real", "fast"] | float = "real",
        image: Path | None = None,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.stations: dict[str, Station] = {}
        speed = {"real": 1.0, "fast": 0.0}[mode] if isinstance(mode, str) else mode
        self.timeline = Timeline(root / "clock", start_utc_ms, speed)
        self.witness = Witness(self.timeline.utc_ms)
        self.witness.listeners.append(self._witnessed)
        self.image = image or root / "image"
        self._built = image is not None
        self._waiters: list[_Waiter] = []
        self._seen_restarts: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.crashes: list[str] = []
        self.channel = Channel(self, root / "world.sock")

    @property
    def clock_path(self) -> Path:
        """The clock file for the hub's processes (`--clock`)."""
        return self.timeline.path

    async def __aenter__(self) -> Self:
        if not self._built:
            await to_the_end(asyncio.to_thread(build_firmware, self.image))
        self.channel.path = _socket_path(self.root)
        try:
            await self.channel.open()
        except BaseException:
            self._remove_socket_folder()
            raise
        return self

    def _remove_socket_folder(self) -> None:
        if self.channel.path.parent != self.root:  # made for the socket alone
            shutil.rmtree(self.channel.path.parent, ignore_errors=True)

    async def __aexit__(self, *_: object) -> None:
        await self.channel.close()
        self._remove_socket_folder()
        for task in self._tasks:
            task.cancel()
        for station in self.stations.values():
            await station.close()
        self.timeline.close()

    async def add_station(
        self,
        station_id: str,
        journal_bytes: int = JOURNAL_BYTES,
        board: SimBoard = SIM,
        slots: Mapping[str, bytes] | None = None,
    ) -> Station:
        """A new station, unpowered; `station_id` is `DIA-` and 12 lower-case hex digits.

        `slots`: content by label (`diadema_sim.build`), where its program shall run from them.
        """
        folder = self.root / "stations" / station_id
        station = Station(self, station_id, folder, journal_bytes, board, slots)
        self.stations[station_id] = station
        return station

    # --- time ---------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """UTC of the run in ms."""
        return self.timeline.utc_ms()

    async def sleep_until(self, utc_ms: float) -> None:
        await self.timeline.sleep_until(utc_ms - self.timeline.start_utc_ms)

    async def sleep(self, ms: float) -> None:
        await self.timeline.sleep_until(self.timeline.now() + ms)

    def jump(self, ms: int) -> None:
        """Days in which nobody touches anything, in no time; under six at once."""
        self.timeline.jump(ms)

    def actor(self) -> AbstractContextManager[None]:
        """The current task acts in the run: a fast clock stands whenever it is awake."""
        return self.timeline.actor()

    def hold(self, name: str) -> AbstractContextManager[None]:
        """A fast clock stands inside, for at most 30 s of real time."""
        return self.timeline.hold(name)

    # --- the witness --------------------------------------------------------------------------

    async def wait_event(
        self,
        station: str,
        wanted: Callable[[dict[str, Any]], bool],
        *,
        since: int = 0,
        timeout_s: float = HOLD_LIMIT_S,
        running: bool = False,
    ) -> Witnessed:
        """The first event from index `since` of the station's witnessed ones that is `wanted`.

        `running`: an actor that waits lets a fast clock go on. Raises TimeoutError after
        `timeout_s` of real time, DiademaError when the station's VM ended by itself.
        """
        for seen in self.witness.events(station)[since:]:
            if wanted(seen.event):
                return seen
        crash = self.stations[station].crash
        if crash:
            raise DiademaError(crash)
        future: asyncio.Future[Witnessed] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(station, wanted, future, running and self.timeline.release())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
                if waiter.released:
                    self.timeline.resume()

    def _witnessed(self, station: str, seen: Witnessed) -> None:
        for waiter in list(self._waiters):
            if waiter.station == station and waiter.wanted(seen.event):
                self._waiters.remove(waiter)
                if not waiter.future.done():
                    if waiter.released:
                        self.timeline.resume()
                    waiter.future.set_result(seen)

    # --- for its stations ---------------------------------------------------------------------

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def restarts_seen(self, station: str) -> int:
        """Restarts known before this call; the call makes all of them known."""
        before = self._seen_restarts.get(station, 0)
        self._seen_restarts[station] = len(self.stations[station].restarts)
        return before

    def crashed(self, message: str) -> None:
        self.crashes.append(message)
        for waiter in list(self._waiters):
            if self.stations[waiter.station].crash and not waiter.future.done():
                self._waiters.remove(waiter)
                if waiter.released:
                    self.timeline.resume()
                waiter.future.set_exception(DiademaError(message))


def _socket_path(root: Path) -> Path:
    """Beside the run's files, or where the path is short enough for a socket (104 bytes)."""
    path = root / "world.sock"
    if len(str(path).encode()) < 100:
        return path
    return Path(tempfile.mkdtemp(prefix="diadema-")) / "world.sock"
