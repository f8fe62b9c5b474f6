"""The world channel: JSON lines over a local socket, the way in from outside the run's process.

A request is {"do": …, "station": "DIA-…", "id": anything, …}; its answer carries `id` and either
`ok` with the result or `error` with what to do.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diadema.base.errors import DiademaError

if TYPE_CHECKING:
    from diadema_sim.station import Station
    from diadema_sim.world import World

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
